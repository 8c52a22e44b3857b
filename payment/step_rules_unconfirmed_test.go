package payment_test

import (
	"testing"

	"payscand/payment"
)

// M12: what was seen taken once, and of which nobody says again whether it is, until
// the watch is over, is not told as money that is given back: it waits for a person.
// Who asks then has it looked into again.
func TestM12CaptureThatIsNotSeenAgain(t *testing.T) {
	for name, get := range map[string]func(*testing.T) *script{
		"cancel wanted":    func(t *testing.T) *script { return lateSale(t, true) },
		"cancelled before": closedSale,
	} {
		t.Run(name, func(t *testing.T) {
			s := get(t)
			s.next(asks)
			s.answer(payment.ClassPaid, id("P1"))
			s.watchAnswers(payment.ClassNoAnswer)
			if c := s.last().Capture; c.Kept != payment.KeptUnconfirmed || c.Sightings != 1 {
				t.Fatalf("%+v", c)
			}
			s.do(payment.CheckRequested{})
			for range 2 - s.last().Capture.Sightings {
				s.next(asks)
				s.answer(payment.ClassPaid, id("P1"))
			}
			if c := s.last().Capture; c.Kept != "" || len(s.sale.Refunds) != 1 || !s.sale.Refunds[0].Automatic {
				t.Errorf("%+v, refunds %+v", c, s.sale.Refunds)
			}
		})
	}
}

// M12: if the gateway says then, again and again, that nothing was taken, nothing is
// told any more. Once may be a stale answer.
func TestM12CaptureThatWasNone(t *testing.T) {
	s := closedSale(t)
	s.next(asks)
	s.answer(payment.ClassPaid, id("P1"))
	s.watchAnswers(payment.ClassNoAnswer)
	s.do(payment.CheckRequested{})
	s.next(asks)
	s.answer(payment.ClassClosed, id("P1"))
	if c := s.last().Capture; c == nil || c.Kept != payment.KeptUnconfirmed {
		t.Fatalf("after one answer: %+v", c)
	}
	s.watchAnswers(payment.ClassClosed, id("P1"))
	if c := s.last().Capture; c != nil {
		t.Errorf("%+v", c)
	}
}

// watchAnswers gives the same answer to every question until the watch is over.
func (s *script) watchAnswers(c payment.Class, changes ...func(*payment.Verdict)) {
	for s.last().Watch != nil {
		if s.call == nil {
			s.after(max(0, s.sale.Due.Sub(s.now)))
		} else {
			s.answer(c, changes...)
		}
	}
}
