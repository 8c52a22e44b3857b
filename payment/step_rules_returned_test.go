package payment_test

import (
	"testing"

	"payscand/payment"
)

func returned(e payment.Extent) func(*payment.Verdict) {
	return func(v *payment.Verdict) { v.Returned = e }
}

// lookedAt asks about the sale's payment and is told how much was given back.
func (s *script) lookedAt(e payment.Extent) {
	s.Helper()
	s.do(payment.CheckRequested{})
	s.next(asks)
	s.answer(payment.ClassPaid, id("P1"), returned(e))
}

// Money that somebody gave back in the gateway's portal is found when the payment
// is asked about: recorded and told once, the sale stays paid, and the amount is
// right: all of it, or none where nobody tells how much.
func TestReturnedIsFound(t *testing.T) {
	const part, full = payment.ReturnedInPart, payment.ReturnedInFull
	for name, c := range map[string]struct {
		told     []payment.Extent
		ours     int64 // refunded here before
		want     payment.Extent
		refunded int64
		left     int64
	}{
		"nothing":               {told: []payment.Extent{""}, left: 1000},
		"all":                   {told: []payment.Extent{full}, want: full, refunded: 1000},
		"a part":                {told: []payment.Extent{part}, want: part, left: 1000},
		"a part, then all":      {told: []payment.Extent{part, full}, want: full, refunded: 1000},
		"all, then a stale one": {told: []payment.Extent{full, part, ""}, want: full, refunded: 1000},
		"our own part":          {told: []payment.Extent{part}, ours: 300, refunded: 300, left: 700},
		"our own, all of it":    {told: []payment.Extent{full}, ours: 1000, refunded: 1000},
		"the rest of ours":      {told: []payment.Extent{full}, ours: 300, want: full, refunded: 1000},
	} {
		t.Run(name, func(t *testing.T) {
			s := paidSale(t, alphaPayLike)
			if c.ours > 0 {
				s.refund(c.ours)
				s.answer(payment.ClassRefunded)
			}
			for _, e := range c.told {
				s.after(minute)
				s.lookedAt(e)
			}
			s.is(payment.SalePaid)
			got := payment.Extent("")
			if r := s.last().Returned; r != nil {
				got = r.Extent
			}
			if got != c.want || s.sale.Refunded() != c.refunded || s.sale.View().RefundedAmount != c.refunded || s.sale.Refundable() != c.left {
				t.Errorf("returned %q, want %q; refunded %d, want %d; %d left, want %d", got, c.want, s.sale.Refunded(), c.refunded, s.sale.Refundable(), c.left)
			}
			if s.call != nil || !s.sale.Due.IsZero() {
				t.Errorf("it goes on asking: %+v, due %s", s.call, s.sale.Due)
			}
		})
	}
}

// It is told in a record of its own; an answer about another order or without
// proof tells nothing.
func TestReturnedIsTold(t *testing.T) {
	s := paidSale(t, alphaPayLike)
	look := func(more ...func(*payment.Verdict)) payment.Change {
		s.do(payment.CheckRequested{})
		s.next(asks)
		a := s.last()
		v := payment.Verdict{Class: payment.ClassPaid, RequestID: a.RequestID, PaymentID: "P1", Amount: tenBucks, Returned: payment.ReturnedInFull}
		for _, m := range more {
			m(&v)
		}
		change, _, err := payment.Step(s.sale, payment.Outcome{Attempt: 1, Seq: a.Seq, Verdict: v}, s.now, s.policy)
		if err != nil {
			t.Fatal(err)
		}
		s.sale, s.call = change.After, nil
		s.now = s.now.Add(minute)
		return change
	}
	for name, spoil := range map[string]func(*payment.Verdict){
		"another order":   func(v *payment.Verdict) { v.RequestID = "another-1" },
		"another payment": id("P9"),
		"no amount":       func(v *payment.Verdict) { v.Amount = payment.Money{} },
	} {
		if c := look(spoil); c.Record != nil || c.After.Attempts[0].Returned != nil {
			t.Errorf("%s: %+v", name, c.After.Attempts[0].Returned)
		}
	}
	if c := look(); c.Record == nil || c.Record.Type != payment.RecordReturned {
		t.Errorf("the record is %+v", c.Record)
	}
	if c := look(); c.Record != nil {
		t.Errorf("it is told again: %+v", c.Record)
	}
}

// The answers to our own refund tell of it as well: "fully refunded" at once, and
// "too much" by the question that follows.
func TestM13ReturnedStopsRefunds(t *testing.T) {
	t.Run("fully refunded", func(t *testing.T) {
		s := paidSale(t, alphaPayLike)
		s.refund(partial)
		s.answer(payment.ClassAlreadyRefunded, because(payment.ReasonAlreadyRefunded))
		s.refundIs(payment.RefundFailed)
		if s.sale.Refunded() != 1000 || s.sale.Refundable() != 0 {
			t.Errorf("refunded %d, %d left", s.sale.Refunded(), s.sale.Refundable())
		}
		if err := s.try(payment.RefundRequested{Amount: 1}); err == nil {
			t.Error("more was refunded than was paid")
		}
	})
	t.Run("too much", func(t *testing.T) {
		s := paidSale(t, alphaPayLike)
		s.refund(1000)
		s.answer(payment.ClassFailed, because(payment.ReasonRefundAmount))
		s.refundIs(payment.RefundFailed)
		s.next(asks)
		s.answer(payment.ClassPaid, id("P1"), returned(payment.ReturnedInPart))
		if r := s.last().Returned; r == nil || r.Extent != payment.ReturnedInPart {
			t.Errorf("returned %+v", r)
		}
	})
	t.Run("taken for ours, which then failed", func(t *testing.T) {
		s := paidSale(t, alphaPayLike)
		s.refund(1000)
		s.answer(payment.ClassAccepted, refundID("R1"))
		s.refundIs(payment.RefundPending)
		s.next(payment.CallInquireRefund)
		s.answer(payment.ClassFailed, refundID("R1"), because(payment.ReasonRefundFailed))
		s.refundIs(payment.RefundFailed)
		s.next(asks)
		s.answer(payment.ClassPaid, id("P1"), returned(payment.ReturnedInFull))
		if s.sale.Refunded() != 1000 {
			t.Errorf("refunded %d", s.sale.Refunded())
		}
	})
}

// M12: late money that somebody gave back is not given back again.
func TestM12ReturnedIsNotReversed(t *testing.T) {
	s := unresolvedSale(t, alphaPayLike)
	s.do(payment.CancelRequested{})
	s.next(payment.CallLookup)
	s.answer(payment.ClassPaid, id("P1"))
	s.is(payment.SalePaid)
	s.next(asks)
	s.answer(payment.ClassPaid, id("P1"), returned(payment.ReturnedInFull))
	s.callsWithin(3*day, func() { s.answer(payment.ClassPaid, id("P1"), returned(payment.ReturnedInFull)) })
	if len(s.sale.Refunds) > 0 || s.sale.Refunded() != tenBucks.Amount {
		t.Errorf("refunds %+v, refunded %d", s.sale.Refunds, s.sale.Refunded())
	}
}

// A check asks once: silence is not followed by more questions, nor is a restart.
func TestReturnedIsAskedOnce(t *testing.T) {
	for name, disturb := range map[string]func(*script){
		"silence": func(s *script) { s.answer(payment.ClassNoAnswer) },
		"crash":   func(s *script) { s.crash(second) },
		"clock set back": func(s *script) {
			s.answer(payment.ClassNoAnswer)
			s.do(payment.CheckRequested{})
			s.crash(-1000 * day)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := paidSale(t, alphaPayLike)
			s.do(payment.CheckRequested{})
			s.next(asks)
			disturb(s)
			if s.call = nil; !s.sale.Due.IsZero() || s.sale.Open() {
				t.Errorf("due %s, open %v", s.sale.Due, s.sale.Open())
			}
		})
	}
}

// M12: a reversal that waits for a refund that is not over says so, and goes on
// once that is known.
func TestM12ReversalSaysItWaits(t *testing.T) {
	s := unresolvedSale(t, alphaPayLike)
	s.do(payment.CancelRequested{})
	s.next(payment.CallLookup)
	s.answer(payment.ClassPaid, id("P1"))
	looking := *s.call
	s.refund(partial)
	s.answer(payment.ClassNoAnswer)
	proof := payment.Verdict{Class: payment.ClassPaid, RequestID: s.last().RequestID, PaymentID: "P1", Amount: tenBucks}
	s.do(payment.Outcome{Attempt: 1, Seq: looking.Seq, Verdict: proof, MayReverse: true})
	if c := s.last().Capture; c == nil || c.Kept != payment.KeptByRefund || len(s.sale.Refunds) != 1 {
		t.Fatalf("capture %+v, refunds %+v", c, s.sale.Refunds)
	}
	s.callsWithin(2*day, func() {
		if s.call.Refund > 0 {
			s.answer(payment.ClassRefunded)
		} else {
			s.answer(payment.ClassPaid, id("P1"))
		}
	})
	if n := len(s.sale.Refunds); n != 2 || !s.sale.Refunds[1].Automatic || s.sale.Refunded() != tenBucks.Amount || s.last().Capture.Kept != "" {
		t.Errorf("%d refunds, refunded %d, capture %+v", n, s.sale.Refunded(), s.last().Capture)
	}
}

// A refund that nobody can trace says that it is a person's now.
func TestM13UnprovedRefundSaysSo(t *testing.T) {
	s := paidSale(t, alphaPayLike)
	s.refund(partial)
	s.answer(payment.ClassNoAnswer)
	s.callsWithin(60*day, func() { s.answer(payment.ClassNotFound) })
	if r := s.sale.Refunds[0]; r.Status.Final() || r.Reason != payment.ReasonRefundUnproved || r.Next != "" {
		t.Errorf("%+v", r)
	}
}
