package payment_test

import (
	"errors"
	"testing"
	"time"

	"payscand/payment"
)

const (
	refunds        = payment.CallRefund
	inquiresRefund = payment.CallInquireRefund
	looksForRefund = payment.CallLookupRefund
	partial        = int64(300)
	day            = 24 * time.Hour
)

func paidSale(t *testing.T, traits payment.Traits) *script {
	t.Helper()
	s := tell(t, traits, payment.ModeScan)
	s.scan()
	s.answer(payment.ClassPaid, id("P1"))
	s.is(payment.SalePaid)
	return s
}

func (s *script) refund(amount int64) { s.do(payment.RefundRequested{Key: "k", Amount: amount}) }

func (s *script) refundIs(status payment.RefundStatus) {
	s.Helper()
	if len(s.sale.Refunds) < 1 || s.sale.Refunds[0].Status != status {
		s.Fatalf("the first refund is not %q: %+v", status, s.sale.Refunds)
	}
}

// callsWithin answers every call until some time has passed and returns their kinds.
func (s *script) callsWithin(d time.Duration, answer func()) (kinds []payment.CallKind) {
	s.Helper()
	for end := s.now.Add(d); ; {
		if s.call == nil {
			due := s.sale.Due
			if due.IsZero() || due.After(end) {
				s.now = end
				return kinds
			}
			s.after(max(0, due.Sub(s.now)))
			continue
		}
		if kinds = append(kinds, s.call.Kind); len(kinds) > 500 {
			s.Fatalf("%d calls in %s", len(kinds), s.now.Sub(end.Add(-d)))
		}
		answer()
	}
}

// A refund is never above what was paid less what was given back and what is on
// its way; 0 means all that is left. A refused one changes nothing.
func TestM13NeverAboveWhatIsLeft(t *testing.T) {
	type ask struct {
		amount int64
		end    payment.Class // empty: it is refused
		left   int64
	}
	const done, fails = payment.ClassRefunded, payment.ClassFailed
	for name, asks := range map[string][]ask{
		"all":                    {{0, done, 0}, {0, "", 0}, {1, "", 0}},
		"above":                  {{1001, "", 1000}, {-1, "", 1000}, {1 << 60, "", 1000}},
		"in parts":               {{300, done, 700}, {701, "", 700}, {699, done, 1}, {2, "", 1}, {1, done, 0}, {1, "", 0}},
		"the rest":               {{300, done, 700}, {0, done, 0}},
		"a failure frees it":     {{1000, fails, 1000}, {1000, done, 0}},
		"a failed part frees it": {{400, done, 600}, {600, fails, 600}, {601, "", 600}, {600, done, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			s := paidSale(t, alphaPayLike)
			for _, a := range asks {
				before := mustJSON(s.sale)
				err := s.try(payment.RefundRequested{Amount: a.amount})
				var conflict *payment.ConflictError
				if a.end == "" {
					if !errors.As(err, &conflict) || conflict.Why == "" || mustJSON(s.sale) != before {
						t.Fatalf("%d: %v", a.amount, err)
					}
				} else {
					s.answer(a.end)
				}
				if left := s.sale.Refundable(); left != a.left {
					t.Fatalf("after %d there are %d left, want %d", a.amount, left, a.left)
				}
			}
		})
	}
}

// One refund at a time: a second one waits until the first is over, in whatever
// state that is, and its amount is reserved meanwhile.
func TestM13OneAtATime(t *testing.T) {
	for name, get := range map[string]func(*script){
		"submitting": func(*script) {},
		"unknown":    func(s *script) { s.answer(payment.ClassNoAnswer) },
		"pending":    func(s *script) { s.answer(payment.ClassPending, refundID("R1")) },
		"crash":      func(s *script) { s.crash(minute) },
		"a person's": func(s *script) {
			s.callsWithin(40*day, func() { s.answer(payment.ClassNoAnswer) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := paidSale(t, alphaPayLike)
			s.refund(partial)
			get(s)
			var conflict *payment.ConflictError
			if err := s.try(payment.RefundRequested{Amount: 1}); !errors.As(err, &conflict) {
				t.Errorf("a second refund: %v", err)
			}
			if left := s.sale.Refundable(); left != tenBucks.Amount-partial {
				t.Errorf("%d may be refunded", left)
			}
		})
	}
}

// Only a sale that was paid, with a payment id, can be refunded.
func TestM13NothingToRefund(t *testing.T) {
	s := tell(t, alphaPayLike, auto)
	var conflict *payment.ConflictError
	for _, on := range []func(){func() {}, s.scan, func() { s.answer(payment.ClassFailed) }, func() { s.do(payment.CancelRequested{}) }} {
		on()
		if err := s.try(payment.RefundRequested{}); !errors.As(err, &conflict) {
			t.Errorf("%q: %v", s.sale.Status, err)
		}
	}
	s = paidSale(t, alphaPayLike)
	s.sale.Attempts[0].PaymentID = ""
	if err := s.try(payment.RefundRequested{}); !errors.As(err, &conflict) || conflict.Why == "" {
		t.Errorf("without a payment id: %v", err)
	}
}

// Unless an answer settles what became of the request, a partial refund without
// an id is never sent again where that is not documented to be safe: it is looked
// for on the list, then a person's. A full one is sent again, unless the gateway
// says that it has it. Where it is processed once, it is always sent again.
func TestM13LostAnswer(t *testing.T) {
	for _, class := range append(payment.Classes(), "unheard of") {
		settled := class == payment.ClassRefunded || class == payment.ClassAlreadyRefunded || class == payment.ClassFailed ||
			class == payment.ClassRefused || class == payment.ClassNotSent
		has := class == payment.ClassPending || class == payment.ClassAccepted
		for _, c := range []struct {
			name   string
			traits payment.Traits
			amount int64
			then   payment.CallKind
		}{
			{"partial", alphaPayLike, partial, looksForRefund},
			{"full", alphaPayLike, tenBucks.Amount, refunds},
			{"processed once", alipayPlusLike, partial, refunds},
		} {
			t.Run(c.name+"/"+string(class), func(t *testing.T) {
				s := paidSale(t, c.traits)
				s.refund(c.amount)
				s.answer(class)
				if settled {
					if !s.sale.Refunds[0].Status.Final() || !s.sale.Due.IsZero() {
						t.Errorf("it is %+v", s.sale.Refunds[0])
					}
					return
				}
				want := c.then
				if has && c.name == "full" {
					want = looksForRefund
				}
				kinds := s.callsWithin(40*day, func() { s.answer(payment.ClassNoAnswer) })
				if len(kinds) < 30 || len(kinds) > 90 {
					t.Errorf("%d calls in 40 days", len(kinds))
				}
				for _, kind := range kinds {
					if kind != want {
						t.Fatalf("%s while %s is right: %v", kind, want, kinds)
					}
				}
				if s.sale.Refunds[0].Status.Final() || !s.sale.Due.IsZero() {
					t.Errorf("it is %+v, due %s", s.sale.Refunds[0], s.sale.Due)
				}
				if s.do(payment.CheckRequested{}); want != refunds { // a person asks
					s.next(want)
					s.answer(payment.ClassRefunded, refundID("R1"))
					s.refundIs(payment.RefundSucceeded)
				}
			})
		}
	}
}

// What a person is told of a refund whose answer was lost stays while searches do not
// find it, and no search that succeeded makes it look like one that did.
func TestM13WordsStay(t *testing.T) {
	s := paidSale(t, alphaPayLike)
	s.refund(partial)
	s.answer(payment.ClassNoAnswer, func(v *payment.Verdict) { v.Reason = payment.ReasonNoAnswer })
	version := s.sale.Version
	s.next(looksForRefund)
	s.answer(payment.ClassNotFound, func(v *payment.Verdict) { v.Reason, v.GatewayCode = payment.ReasonNotFound, "SUCCESS" })
	if r := s.sale.Refunds[0]; r.Status != payment.RefundUnknown || r.Reason != payment.ReasonNoAnswer || r.GatewayCode != "" || s.sale.Version != version {
		t.Errorf("it is %+v, version %d after %d", r, s.sale.Version, version)
	}
}

// What is told of a refund that stays as it was is an event of the refund: a sale is not
// told to be paid twice.
func TestRefundIsToldAsOne(t *testing.T) {
	s := paidSale(t, alphaPayLike)
	s.refund(partial)
	s.answer(payment.ClassNoAnswer, func(v *payment.Verdict) { v.Reason = payment.ReasonNoAnswer })
	s.next(looksForRefund)
	change, _, err := payment.Step(s.sale, payment.Outcome{
		Attempt: 1, Refund: 1, Seq: s.call.Seq, Verdict: payment.Verdict{Class: payment.ClassNoAnswer, Reason: payment.ReasonAnswerMalformed},
	}, s.now, s.policy)
	if err != nil || change.Record == nil || change.Record.Type != "refund.unknown" {
		t.Errorf("%+v, %v", change.Record, err)
	}
}

// What ends a refund whose first answer was lost: a proof, and, where it is
// processed once, a failure; where it is not, "fully refunded" for the full one,
// but no failure told to another send, nor one of that send's id.
func TestM13AfterALostAnswer(t *testing.T) {
	for _, c := range []struct {
		name   string
		traits payment.Traits
		amount int64
		class  payment.Class
		want   payment.RefundStatus
	}{
		{"full, failed", alphaPayLike, 1000, payment.ClassFailed, payment.RefundUnknown},
		{"full, refused", alphaPayLike, 1000, payment.ClassRefused, payment.RefundUnknown},
		{"full, not sent", alphaPayLike, 1000, payment.ClassNotSent, payment.RefundUnknown},
		{"full, fully refunded", alphaPayLike, 1000, payment.ClassAlreadyRefunded, payment.RefundSucceeded},
		{"full, done", alphaPayLike, 1000, payment.ClassRefunded, payment.RefundSucceeded},
		{"partial, on the list", alphaPayLike, 300, payment.ClassRefunded, payment.RefundSucceeded},
		{"partial, not on the list", alphaPayLike, 300, payment.ClassNotFound, payment.RefundUnknown},
		{"once, failed", alipayPlusLike, 300, payment.ClassFailed, payment.RefundFailed},
		{"once, done", alipayPlusLike, 300, payment.ClassRefunded, payment.RefundSucceeded},
		{"once, refused", alipayPlusLike, 300, payment.ClassRefused, payment.RefundUnknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := paidSale(t, c.traits)
			s.refund(c.amount)
			s.answer(payment.ClassNoAnswer)
			s.anyCall()
			s.answer(c.class)
			s.refundIs(c.want)
		})
	}
	s := paidSale(t, alphaPayLike)
	s.refund(1000)
	s.answer(payment.ClassNoAnswer)
	s.next(refunds)
	s.answer(payment.ClassAccepted, refundID("R2"))
	s.next(inquiresRefund)
	s.answer(payment.ClassFailed, refundID("R2"))
	s.refundIs(payment.RefundUnknown)
	if s.sale.Refundable() != 0 {
		t.Error("the amount is no longer reserved")
	}
}

// A refund with an id is inquired until it is over, through crashes; in review it
// is pending.
func TestM13Pending(t *testing.T) {
	for class, want := range map[payment.Class]payment.RefundStatus{
		payment.ClassRefunded: payment.RefundSucceeded, payment.ClassFailed: payment.RefundFailed,
	} {
		s := paidSale(t, alphaPayLike)
		s.refund(partial)
		s.answer(payment.ClassPending, refundID("R1"), because(payment.ReasonRefundInReview))
		for range 20 {
			s.refundIs(payment.RefundPending)
			s.next(inquiresRefund)
			s.answer(payment.ClassPending, refundID("R1"), because(payment.ReasonRefundInReview))
		}
		s.next(inquiresRefund)
		s.crash(time.Hour)
		s.next(inquiresRefund)
		s.answer(class, refundID("R1"))
		s.refundIs(want)
	}
}

// A crash while the request may be out: the refund is unknown, asked about at
// once, and a partial one never sent again.
func TestM13Crash(t *testing.T) {
	for _, c := range []struct {
		name   string
		traits payment.Traits
		amount int64
		then   payment.CallKind
	}{
		{"partial", alphaPayLike, partial, looksForRefund},
		{"full", alphaPayLike, 1000, refunds},
		{"processed once", alipayPlusLike, partial, refunds},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := paidSale(t, c.traits)
			s.refund(c.amount)
			for range 3 {
				if !s.sale.Open() {
					t.Fatal("a start would not take it up")
				}
				s.crash(second)
				s.refundIs(payment.RefundUnknown)
				at := s.now
				s.next(c.then)
				if s.now != at {
					t.Errorf("asked %s after the restart", s.now.Sub(at))
				}
			}
			s.answer(payment.ClassRefunded, refundID("R1"))
			s.refundIs(payment.RefundSucceeded)
			if s.sale.Open() {
				t.Error("open though all is over")
			}
		})
	}
}

// An answer about another refund or another sum counts for nothing (P4).
func TestM13ForeignAnswers(t *testing.T) {
	for name, spoil := range map[string]func(*payment.Verdict){
		"request id":    func(v *payment.Verdict) { v.RequestID = "other-10" },
		"no request id": func(v *payment.Verdict) { v.RequestID = "" },
		"refund id":     func(v *payment.Verdict) { v.RefundID = "R9" },
		"amount":        func(v *payment.Verdict) { v.Amount.Amount-- },
		"currency":      func(v *payment.Verdict) { v.Amount.Currency = "USD" },
		"no amount":     func(v *payment.Verdict) { v.Amount = payment.Money{} },
	} {
		s := paidSale(t, alphaPayLike)
		s.refund(partial)
		s.answer(payment.ClassPending, refundID("R1"))
		s.next(inquiresRefund)
		s.answer(payment.ClassRefunded, refundID("R1"), spoil)
		if s.refundIs(payment.RefundPending); s.sale.Refunded() != 0 {
			t.Errorf("%s: %d are given back", name, s.sale.Refunded())
		}
	}
}
