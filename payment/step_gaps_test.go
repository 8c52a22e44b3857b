package payment_test

import (
	"testing"
	"time"

	"payscand/payment"
)

// M5: once a cancel is out that gives the money back, no answer to whatever call
// makes the sale paid, not even to a pay that is still under way by a state of
// which nobody knows how it came about.
func TestM5NothingIsPaidAfterTheCancel(t *testing.T) {
	for _, kind := range []payment.CallKind{payment.CallPay, asks, payment.CallCancel} {
		s := tell(t, alipayPlusLike, auto)
		s.scan()
		s.answer(payment.ClassPending)
		s.do(payment.CancelRequested{})
		s.next(asks)
		s.answer(payment.ClassPending)
		s.next(payment.CallCancel)
		s.sale.Attempts[0].Call.Kind = kind
		s.answer(payment.ClassPaid)
		s.is(payment.SaleCancelling)
	}
}

// M7: the commit that learns that the gateway has the order forgets the code,
// also where payment is asked about at once.
func TestM7CodeGoesWithTheFirstWord(t *testing.T) {
	for _, class := range []payment.Class{payment.ClassAccepted, payment.ClassPending} {
		for name, traits := range map[string]payment.Traits{"AlphaPay": alphaPayLike, "Alipay+": alipayPlusLike} {
			s := tell(t, traits, auto)
			s.scan()
			if s.answer(class, id("P1")); s.hasCode() {
				t.Errorf("%s: the code is kept after %q", name, class)
			}
		}
	}
}

// M12: an answer that denies a capture just seen may be a stale one, so that the
// question is asked again soon, and the capture stays reported meanwhile.
func TestM12DeniedCaptureIsAskedAgain(t *testing.T) {
	for _, class := range []payment.Class{payment.ClassPending, payment.ClassClosed, payment.ClassNotFound} {
		s := closedSale(t)
		s.next(asks)
		s.answer(payment.ClassPaid, id("P1"))
		s.next(asks)
		denied := s.now
		s.answer(class, id("P1"))
		if s.last().Capture == nil {
			t.Errorf("%s: the capture is forgotten", class)
		}
		if s.next(asks); s.now.Sub(denied) > minute {
			t.Errorf("%s: asked again after %s", class, s.now.Sub(denied))
		}
		s.answer(payment.ClassPaid, id("P1"))
		s.next(refunds)
	}
}

// unresolvedSale has a code attempt of which nobody knows anything.
func unresolvedSale(t *testing.T, traits payment.Traits) *script {
	t.Helper()
	s := tell(t, traits, payment.ModeScan)
	s.scan()
	s.silence(s.free)
	s.is(payment.SaleUnresolved)
	return s
}

// A list that was not read whole is no pass, however often it was not.
func TestAbsenceNeedsCompletePasses(t *testing.T) {
	for _, class := range []payment.Class{payment.ClassNotFound, payment.ClassRetryLater} {
		s := unresolvedSale(t, alphaPayLike)
		s.next(payment.CallLookup)
		s.answer(payment.ClassNotFound, search(s.now, time.Hour))
		s.callsWithin(day, func() { s.answer(class) })
		s.is(payment.SaleUnresolved)
	}
}

// After a sign of the order its absence has to be proved from the beginning.
func TestAbsenceBeginsAnewAfterASign(t *testing.T) {
	for _, class := range []payment.Class{payment.ClassPending, payment.ClassFailed, payment.ClassClosed} {
		s := unresolvedSale(t, alphaPayLike)
		s.sale.Attempts[0].Sends = 2 // a listed end may be the second send's (M4)
		pass := func(at time.Time) {
			s.next(payment.CallLookup)
			s.answer(payment.ClassNotFound, search(at, time.Hour))
		}
		first := s.now
		pass(first)
		s.next(payment.CallLookup)
		s.answer(class) // without an id
		pass(first.Add(time.Hour))
		s.is(payment.SaleUnresolved)
		pass(first.Add(2 * time.Hour))
		s.is(payment.SaleExpired)
		s.attempt(1, payment.AttemptClosed, payment.ReasonAbsent)
	}
}

// Where an order is asked for by request id, the inquiry's "not found" alone
// closes nothing, however late: the cancel must say so too.
func TestAbsenceNeedsTheCancel(t *testing.T) {
	for _, class := range []payment.Class{payment.ClassNoAnswer, payment.ClassRetryLater, payment.ClassAlreadyPaid} {
		s := unresolvedSale(t, alipayPlusLike)
		s.callsWithin(3*day, func() {
			if s.call.Kind == payment.CallCancel {
				s.answer(class)
				return
			}
			s.answer(payment.ClassNotFound)
		})
		s.is(payment.SaleUnresolved)
	}
}
