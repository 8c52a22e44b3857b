package payment_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"payscand/payment"
)

const (
	auto = payment.ModeAuto
	pays = payment.CallPay
	asks = payment.CallInquire
)

// Each gateway's traits, for rules that hold at every gateway.
func everywhere(t *testing.T, rule func(*testing.T, payment.Traits)) {
	t.Helper()
	t.Run("AlphaPay", func(t *testing.T) { rule(t, alphaPayLike) })
	t.Run("Alipay+", func(t *testing.T) { rule(t, alipayPlusLike) })
}

// A call is only ever returned together with the change that says it was made:
// the attempt exists, counts it, and waits for its number.
func TestM1IntentFirst(t *testing.T) {
	everywhere(t, func(t *testing.T, traits payment.Traits) {
		s := tell(t, traits, auto)
		s.scan()
		if a := s.last(); a.Status != payment.AttemptSubmitting || a.Sends != 1 || a.Call == nil || a.Call.Seq != s.call.Seq {
			t.Errorf("pay leaves with the attempt stored as %+v", a)
		}
		s.answer(payment.ClassPending, id("P1"))
		s.do(payment.CancelRequested{})
		s.answer(payment.ClassPending, id("P1"))
		s.next(payment.CallCancel)
		if a := s.last(); a.Status != payment.AttemptCancelling || a.Cancels != 1 || a.Call == nil || a.Call.Seq != s.call.Seq {
			t.Errorf("cancel leaves with the attempt stored as %+v", a)
		}
	})
}

// Whatever the live attempt's state, nothing starts a second one; its end lets
// the next one start with a request id of its own.
func TestM2OneLiveAttempt(t *testing.T) {
	live := map[string]func(*script){
		"submitting": func(*script) {},
		"unknown":    func(s *script) { s.answer(payment.ClassNoAnswer) },
		"pending":    func(s *script) { s.answer(payment.ClassPending, id("P1")) },
		"cancelling": func(s *script) {
			s.answer(payment.ClassPending, id("P1"))
			s.do(payment.CancelRequested{})
			s.answer(payment.ClassPending, id("P1"))
		},
		"unresolved": func(s *script) {
			s.do(payment.CancelRequested{})
			s.after(20 * time.Second)
			s.is(payment.SaleUnresolved)
		},
	}
	for name, get := range live {
		t.Run(name, func(t *testing.T) {
			s := tell(t, alphaPayLike, auto)
			s.scan()
			get(s)
			var conflict *payment.ConflictError
			for _, e := range []payment.Event{payment.CodePresented{Code: scannedCode, Wallet: payment.WalletAlipayPlus}, payment.QRRequested{}} {
				if err := s.try(e); !errors.As(err, &conflict) || len(s.sale.Attempts) != 1 {
					t.Errorf("%s: error %v, %d attempts", e.Kind(), err, len(s.sale.Attempts))
				}
			}
		})
	}
	s := tell(t, alphaPayLike, auto)
	s.scan()
	s.answer(payment.ClassFailed, id("P1"))
	s.is(payment.SaleAwaitingCode)
	s.scan()
	s.attempt(2, payment.AttemptSubmitting, "")
	if s.sale.Attempts[0].RequestID == s.sale.Attempts[1].RequestID {
		t.Error("both attempts have the same request id")
	}
}

// A code scanned while a QR is live is submitted only when the QR's order is
// closed; if that is paid, the code is dropped; and so it is after 10 s or a crash.
func TestM2SwitchingWaitsForTheQR(t *testing.T) {
	shown := func(t *testing.T) *script {
		s := tell(t, alphaPayLike, auto)
		s.do(payment.QRRequested{})
		s.answer(payment.ClassPending, id("P1"), qr("https://pay/1"))
		s.scan()
		s.is(payment.SaleSwitching)
		if s.sale.VisibleQR() != nil || len(s.sale.Attempts) != 1 {
			t.Fatal("the QR is still visible, or the code was submitted beside it")
		}
		return s
	}
	t.Run("closed", func(t *testing.T) {
		s := shown(t)
		s.answer(payment.ClassPending, id("P1"))
		s.answer(payment.ClassCancelAccepted)
		s.answer(payment.ClassClosed, id("P1"))
		s.is(payment.SaleProcessing)
		s.attempt(1, payment.AttemptClosed, payment.ReasonCancelled)
		s.attempt(2, payment.AttemptSubmitting, "")
		if !s.last().Code.Equal(scannedCode) || s.sale.LastFailure != nil {
			t.Error("the scanned code was not submitted, or a switch is told as a failure")
		}
	})
	t.Run("paid wins", func(t *testing.T) {
		s := shown(t)
		s.answer(payment.ClassPaid, id("P1"))
		s.is(payment.SalePaid)
		if s.sale.Next != nil {
			t.Error("the code is still there")
		}
	})
	for name, drop := range map[string]func(*script){
		"10 s over": func(s *script) { s.after(10 * time.Second) },
		"crash":     func(s *script) { s.crash(time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			s := shown(t)
			drop(s)
			s.is(payment.SaleCancelling)
			if s.sale.Next != nil || s.sale.CancelWanted {
				t.Error("the code was not dropped, or cancel is taken as wanted")
			}
			s.next(asks)
			s.answer(payment.ClassClosed, id("P1"))
			s.is(payment.SaleAwaitingCode)
		})
	}
}

// For each kind of call, the only classes of answer that end an attempt; after
// every other it is as live as before, whoever says it.
func TestM3OnlyVerdictsEndAnAttempt(t *testing.T) {
	const (
		paid, failed, closed      = payment.ClassPaid, payment.ClassFailed, payment.ClassClosed
		refused, notSent, accepts = payment.ClassRefused, payment.ClassNotSent, payment.ClassCancelAccepted
	)
	cancelling := func(s *script) {
		s.answer(payment.ClassPending, id("P1"))
		s.do(payment.CancelRequested{})
		s.answer(payment.ClassPending, id("P1"))
		s.next(payment.CallCancel)
	}
	for _, c := range []struct {
		name   string
		traits payment.Traits
		qr     bool
		get    func(*script)
		ends   []payment.Class
	}{
		{"pay, first send", alphaPayLike, false, func(*script) {}, []payment.Class{paid, failed, closed, refused, notSent}},
		{"pay, second send", alphaPayLike, false, func(s *script) { s.answer(payment.ClassNoAnswer); s.next(pays) }, []payment.Class{paid}},
		{"pay, second send where it is idempotent", alipayPlusLike, true,
			func(s *script) { s.answer(payment.ClassNoAnswer); s.next(pays) }, []payment.Class{paid, failed, closed}},
		{"inquiry", alphaPayLike, false, func(s *script) { s.answer(payment.ClassPending, id("P1")); s.next(asks) }, []payment.Class{paid, failed, closed}},
		{"inquiry by request id", alipayPlusLike, false, func(s *script) { s.answer(payment.ClassNoAnswer); s.next(asks) }, []payment.Class{paid, failed, closed}},
		{"lookup", alphaPayLike, false, func(s *script) { s.answer(payment.ClassAlreadyPaid); s.next(payment.CallLookup) }, []payment.Class{paid, failed, closed}},
		{"cancel", alphaPayLike, false, cancelling, nil},
		{"cancel that reverses", alipayPlusLike, false, cancelling, []payment.Class{accepts}},
		{"inquiry after a cancel that reverses", alipayPlusLike, false,
			func(s *script) { cancelling(s); s.answer(payment.ClassClosed); s.next(asks) }, []payment.Class{failed, closed}},
	} {
		for _, class := range append(payment.Classes(), "unheard of") {
			t.Run(c.name+"/"+string(class), func(t *testing.T) {
				s := tell(t, c.traits, auto)
				if c.qr {
					s.do(payment.QRRequested{})
				} else {
					s.scan()
				}
				c.get(s)
				s.answer(class)
				if ended := s.last().Status.Final(); ended != slices.Contains(c.ends, class) {
					t.Errorf("it ended: %v (now %q, %q)", ended, s.sale.Status, s.last().Status)
				}
			})
		}
	}
}

// A verified answer about another order or another sum counts for nothing,
// whatever it says.
func TestM3ForeignAnswersAreNoAnswer(t *testing.T) {
	foreign := map[string]func(*payment.Verdict){
		"request id":    func(v *payment.Verdict) { v.RequestID = "other-1" },
		"payment id":    func(v *payment.Verdict) { v.PaymentID = "P9" },
		"amount":        func(v *payment.Verdict) { v.Amount.Amount++ },
		"currency":      func(v *payment.Verdict) { v.Amount.Currency = "USD" },
		"no amount":     func(v *payment.Verdict) { v.Amount = payment.Money{} },
		"no request id": func(v *payment.Verdict) { v.RequestID = "" },
	}
	for name, spoil := range foreign {
		for _, class := range []payment.Class{payment.ClassPaid, payment.ClassFailed, payment.ClassClosed} {
			if class != payment.ClassPaid && (name == "no amount" || name == "no request id") {
				continue // a failure need not tell them
			}
			t.Run(name+"/"+string(class), func(t *testing.T) {
				s := tell(t, alphaPayLike, auto)
				s.scan()
				s.answer(payment.ClassPending, id("P1"))
				s.next(asks)
				s.answer(class, id("P1"), spoil)
				s.is(payment.SaleProcessing)
				s.attempt(1, payment.AttemptPending, payment.ReasonAnswerMismatch)
			})
		}
	}
}

// Only the answer to the first and only send can say that a call was refused or
// a payment failed; a crash between makes the next send the second one.
func TestM4FirstAndOnlySend(t *testing.T) {
	for _, class := range []payment.Class{payment.ClassRefused, payment.ClassFailed, payment.ClassNotSent} {
		t.Run(string(class), func(t *testing.T) {
			s := tell(t, alphaPayLike, auto)
			s.scan()
			s.crash(0)
			s.next(pays)
			s.answer(class)
			s.is(payment.SaleProcessing)
			if s.last().Status != payment.AttemptUnknown {
				t.Errorf("the attempt is %q", s.last().Status)
			}
		})
	}
}

// An F that no page lists ends the attempt after one confirming inquiry, whatever
// that brings, save the truth: it never holds the queue up.
func TestM4UnlistedFailure(t *testing.T) {
	for class, want := range map[payment.Class]payment.AttemptStatus{
		payment.ClassNoAnswer: payment.AttemptFailed,
		payment.ClassNotFound: payment.AttemptFailed,
		payment.ClassRefused:  payment.AttemptFailed,
		payment.ClassFailed:   payment.AttemptFailed,
		payment.ClassClosed:   payment.AttemptClosed,
		payment.ClassPaid:     payment.AttemptPaid,
		payment.ClassPending:  payment.AttemptPending,
	} {
		t.Run(string(class), func(t *testing.T) {
			s := tell(t, alphaPayLike, auto)
			s.scan()
			s.answer(payment.ClassFailed, id("P1"), unlisted)
			s.next(asks)
			s.answer(class, id("P1"))
			if s.last().Status != want {
				t.Errorf("the attempt is %q, want %q", s.last().Status, want)
			}
		})
	}
	s := tell(t, alphaPayLike, auto)
	s.scan()
	s.answer(payment.ClassFailed, unlisted) // without an id there is nothing to ask
	s.attempt(1, payment.AttemptFailed, "")
}

// A payment id learnt after a second send that is not idempotent proves paid and
// nothing else, from wherever it was learnt and whatever cancel says about it.
func TestM4IDFromASecondSend(t *testing.T) {
	ways := map[string]func(*script){
		"the second pay's answer": func(s *script) { s.answer(payment.ClassPending, id("P2")) },
		"an F to the second pay":  func(s *script) { s.answer(payment.ClassFailed, id("P2")) },
		"the list": func(s *script) {
			s.answer(payment.ClassAlreadyPaid)
			s.next(payment.CallLookup)
			s.answer(payment.ClassPending, id("P2"))
		},
	}
	for name, learn := range ways {
		for _, class := range []payment.Class{payment.ClassPaid, payment.ClassFailed, payment.ClassClosed} {
			t.Run(name+"/"+string(class), func(t *testing.T) {
				s := tell(t, alphaPayLike, auto)
				s.scan()
				s.answer(payment.ClassNoAnswer)
				s.next(pays)
				learn(s)
				s.next(asks)
				s.answer(class, id("P2"))
				if want := class == payment.ClassPaid; s.last().Status.Final() != want || (s.sale.Status == payment.SalePaid) != want {
					t.Errorf("the attempt is %q, the sale %q", s.last().Status, s.sale.Status)
				}
			})
		}
	}
}

// The list naming the disproved order once more proves nothing; another order on
// it that is paid does, and its id goes on the receipt.
func TestM4DisprovedID(t *testing.T) {
	s := tell(t, alphaPayLike, auto)
	s.scan()
	s.answer(payment.ClassNoAnswer)
	s.next(pays)
	s.answer(payment.ClassPending, id("P2"))
	s.next(asks)
	s.answer(payment.ClassFailed, id("P2"))
	s.after(time.Minute)
	s.is(payment.SaleUnresolved)
	for _, class := range []payment.Class{payment.ClassPending, payment.ClassClosed, payment.ClassFailed} {
		s.next(payment.CallLookup)
		s.answer(class, id("P2"))
		s.is(payment.SaleUnresolved)
	}
	s.next(payment.CallLookup)
	s.answer(payment.ClassClosed) // without an id, after two sends
	s.is(payment.SaleUnresolved)
	s.next(payment.CallLookup)
	s.answer(payment.ClassPaid, id("P1"))
	s.is(payment.SalePaid)
	if s.sale.Receipt.PaymentID != "P1" || !s.sale.Late {
		t.Errorf("receipt %+v, late %v", s.sale.Receipt, s.sale.Late)
	}
}

// What the list says of an order without an id proves nothing after two sends.
func TestM4ListedWithoutAnID(t *testing.T) {
	for _, sends := range []int{1, 2} {
		s := tell(t, alphaPayLike, auto)
		s.scan()
		if sends == 2 {
			s.answer(payment.ClassNoAnswer)
			s.next(pays)
		}
		s.answer(payment.ClassAlreadyPaid)
		s.next(payment.CallLookup)
		s.answer(payment.ClassClosed)
		if over := s.last().Status.Final(); over != (sends == 1) {
			t.Errorf("%d sends: the attempt is %q", sends, s.last().Status)
		}
	}
}
