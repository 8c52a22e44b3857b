package payment_test

import (
	"testing"
	"time"

	"payscand/payment"
)

// tellUnasked lets the gateway send a verified notification about the last attempt.
func (s *script) tellUnasked(class payment.Class, more ...func(*payment.Verdict)) {
	s.Helper()
	a := s.last()
	v := payment.Verdict{Class: class, Documented: true, RequestID: a.RequestID, Amount: s.sale.Amount}
	for _, m := range more {
		m(&v)
	}
	s.do(payment.Outcome{Attempt: a.N, Verdict: v, Notified: true})
}

// A verified notification is a verdict: it ends an attempt as an inquiry's answer
// would, also while an inquiry is under way, whose own answer then comes too late.
func TestNotifiedIsAVerdict(t *testing.T) {
	everywhere(t, func(t *testing.T, traits payment.Traits) {
		for class, want := range map[payment.Class]payment.SaleStatus{
			payment.ClassPaid: payment.SalePaid, payment.ClassFailed: payment.SaleAwaitingCode, payment.ClassClosed: payment.SaleAwaitingCode,
		} {
			s := tell(t, traits, auto)
			s.scan()
			s.answer(payment.ClassPending, id("P1"))
			s.tellUnasked(class, id("P1"))
			s.is(want)

			s = tell(t, traits, auto)
			s.scan()
			s.answer(payment.ClassPending, id("P1"))
			s.next(asks)
			late := *s.call
			s.tellUnasked(class, id("P1"))
			s.is(want)
			s.do(payment.Outcome{Attempt: 1, Seq: late.Seq, Verdict: payment.Verdict{Class: payment.ClassPending, RequestID: s.sale.Attempts[0].RequestID}})
			s.is(want)
		}
	})
}

// A payment that is notified while the pay request is under way counts; a failure
// does not, as the request may still be answered otherwise (M2).
func TestNotifiedWhilePaying(t *testing.T) {
	everywhere(t, func(t *testing.T, traits payment.Traits) {
		s := tell(t, traits, auto)
		s.scan()
		s.tellUnasked(payment.ClassFailed)
		s.is(payment.SaleProcessing)
		s.tellUnasked(payment.ClassPaid, id("P1"))
		s.is(payment.SalePaid)
		s.answer(payment.ClassFailed)
		s.is(payment.SalePaid)
	})
}

// P4: a notification about another order or another amount makes nothing paid; it
// brings the question forward.
func TestP4NotifiedOfAnother(t *testing.T) {
	for name, change := range map[string]func(*payment.Verdict){
		"amount":      func(v *payment.Verdict) { v.Amount.Amount++ },
		"currency":    func(v *payment.Verdict) { v.Amount.Currency = "USD" },
		"request id":  func(v *payment.Verdict) { v.RequestID = "OTHER-1" },
		"no amount":   func(v *payment.Verdict) { v.Amount = payment.Money{} },
		"no id":       func(v *payment.Verdict) { v.RequestID = "" },
		"payment id":  func(v *payment.Verdict) { v.PaymentID = "P2" },
		"not decided": func(v *payment.Verdict) { v.Class = payment.ClassPending },
	} {
		t.Run(name, func(t *testing.T) {
			s := tell(t, alipayPlusLike, auto)
			s.scan()
			s.answer(payment.ClassPending, id("P1"))
			s.after(20 * time.Second)
			if s.call != nil {
				s.answer(payment.ClassPending, id("P1"))
			}
			s.tellUnasked(payment.ClassPaid, id("P1"), change)
			s.is(payment.SaleProcessing)
			if wait := s.sale.Due.Sub(s.now); wait > s.policy.CheckPause {
				t.Errorf("the question comes in %s", wait)
			}
			s.next(asks)
		})
	}
}

// isGivenBack: the payment is looked into, and given back once two looks agree.
func (s *script) isGivenBack() {
	s.Helper()
	for range 2 {
		s.next(asks)
		s.answer(payment.ClassPaid, id("P1"))
	}
	if len(s.sale.Refunds) != 1 || !s.sale.Refunds[0].Automatic || s.last().Capture == nil {
		s.Fatalf("capture %+v, refunds %+v", s.last().Capture, s.sale.Refunds)
	}
}

// P4, M12: a payment that the gateway tells of an attempt which is over is looked
// into, also where nobody watches that attempt: its failure counted as proved, or
// its watch has ended. It is late money then, as any that a watch finds.
func TestM12NotifiedAfterTheEnd(t *testing.T) {
	everywhere(t, func(t *testing.T, traits payment.Traits) {
		for name, end := range map[string]func(s *script){
			"proved": func(s *script) { s.answer(payment.ClassFailed) },
			"watch over": func(s *script) {
				s.answer(payment.ClassFailed, unlisted)
				for s.last().Watch != nil {
					s.after(time.Hour)
					if s.call != nil {
						s.answer(payment.ClassFailed)
					}
				}
			},
		} {
			t.Run(name, func(t *testing.T) {
				s := tell(t, traits, payment.ModeScan)
				s.scan()
				end(s)
				if s.sale.Status == payment.SaleAwaitingCode {
					s.do(payment.CancelRequested{})
				}
				s.tellUnasked(payment.ClassPaid, id("P1"))
				s.isGivenBack()
				s.answer(payment.ClassRefunded, id(""), refundID("R1"))
				s.after(2 * s.policy.SlowDaily)
				for s.call != nil {
					s.answer(payment.ClassPaid, id("P1"))
					s.after(2 * s.policy.SlowDaily)
				}
				s.tellUnasked(payment.ClassPaid, id("P1")) // vendors repeat themselves
				if !s.sale.Due.IsZero() {
					t.Errorf("known money is looked for again: due %v", s.sale.Due)
				}
			})
		}
	})
}

// P4, M12: so is a payment that the answer to a question tells which nobody waits
// for any more, as a notification ended the attempt meanwhile.
func TestM12AnsweredAfterTheEnd(t *testing.T) {
	everywhere(t, func(t *testing.T, traits payment.Traits) {
		s := tell(t, traits, payment.ModeScan)
		s.scan()
		s.answer(payment.ClassPending, id("P1"))
		s.next(payment.CallInquire)
		s.tellUnasked(payment.ClassFailed)
		s.do(payment.CancelRequested{})
		s.answer(payment.ClassPaid, id("P1"))
		s.isGivenBack()
	})
}

// M12: one in another amount than the sale's is reported, and not given back.
func TestM12NotifiedAfterTheEndInAnotherAmount(t *testing.T) {
	everywhere(t, func(t *testing.T, traits payment.Traits) {
		s := tell(t, traits, payment.ModeScan)
		s.scan()
		s.answer(payment.ClassFailed)
		s.do(payment.CancelRequested{})
		less := func(v *payment.Verdict) { v.Amount.Amount-- }
		s.tellUnasked(payment.ClassPaid, id("P1"), less)
		s.after(time.Minute)
		if s.call == nil {
			t.Fatal("nobody asks")
		}
		s.answer(payment.ClassPaid, id("P1"), less)
		if c := s.last().Capture; c == nil || c.Kept != payment.KeptByAmount || len(s.sale.Refunds) > 0 {
			t.Errorf("capture %+v, refunds %+v", c, s.sale.Refunds)
		}
	})
}

// M5: where a cancel gives a payment back, no notification makes the sale paid from
// the commit that sends the first one; where it only closes, a payment wins.
func TestM5NotifiedAfterTheCancel(t *testing.T) {
	s := tell(t, alipayPlusLike, auto)
	s.scan()
	s.answer(payment.ClassPending, id("P1"))
	s.do(payment.CancelRequested{})
	s.answer(payment.ClassPending, id("P1"))
	s.next(payment.CallCancel)
	s.tellUnasked(payment.ClassPaid, id("P1"))
	s.is(payment.SaleCancelling)
	s.answer(payment.ClassNoAnswer)
	s.tellUnasked(payment.ClassPaid, id("P1"))
	s.is(payment.SaleCancelling)
	s.next(payment.CallCancel)
	s.answer(payment.ClassCancelAccepted)
	s.is(payment.SaleCancelled)
	s.tellUnasked(payment.ClassPaid, id("P1")) // still later: the watch asks
	s.is(payment.SaleCancelled)
	s.next(asks)

	s = tell(t, alphaPayLike, auto)
	s.scan()
	s.answer(payment.ClassPending, id("P1"))
	s.do(payment.CancelRequested{})
	s.answer(payment.ClassPending, id("P1"))
	s.next(payment.CallCancel)
	s.tellUnasked(payment.ClassPaid, id("P1"))
	s.is(payment.SalePaid)
}
