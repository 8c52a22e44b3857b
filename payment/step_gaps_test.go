package payment_test

import (
	"slices"
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
	for _, class := range []payment.Class{payment.ClassNoAnswer, payment.ClassRetryLater, payment.ClassAlreadyPaid, payment.ClassClosed} {
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
	s := tell(t, alipayPlusLike, payment.ModeScan)
	s.scan()
	s.crash(5 * time.Hour) // the first question comes late enough
	s.next(asks)
	s.answer(payment.ClassNotFound)
	s.next(payment.CallCancel)
}

// M13: a part is never the whole, though nothing else was given back: where its
// answer is lost it is looked for, not sent again.
func TestM13PartAfterAFailure(t *testing.T) {
	s := paidSale(t, alphaPayLike)
	s.refund(400)
	s.answer(payment.ClassFailed)
	s.refund(300)
	s.answer(payment.ClassNoAnswer)
	kinds := s.callsWithin(day, func() { s.answer(payment.ClassNotFound) })
	for _, kind := range kinds {
		if kind != looksForRefund {
			t.Fatalf("%s after a lost answer", kind)
		}
	}
	if len(kinds) == 0 {
		t.Error("it is not looked for")
	}
}

// M13: "nothing is left to give back" in the answer to the first send means that
// somebody else gave it back; after a lost answer it was this refund.
func TestM13NothingLeft(t *testing.T) {
	s := paidSale(t, alphaPayLike)
	s.refund(0)
	s.answer(payment.ClassAlreadyRefunded)
	if got := s.sale.Refunds[0].Status; got != payment.RefundFailed {
		t.Errorf("at the first send it is %q", got)
	}
	s = paidSale(t, alphaPayLike)
	s.refund(0)
	s.answer(payment.ClassNoAnswer)
	s.next(refunds)
	s.answer(payment.ClassAlreadyRefunded)
	if got := s.sale.Refunds[0].Status; got != payment.RefundSucceeded {
		t.Errorf("after a lost answer it is %q", got)
	}
}

// The outcome of a refund's call that was superseded, lost in a crash or answered
// already decides nothing.
func TestM13StaleOutcome(t *testing.T) {
	s := paidSale(t, alphaPayLike)
	s.refund(0)
	first := *s.call
	s.answer(payment.ClassNoAnswer)
	s.next(refunds)
	r := s.sale.Refunds[0]
	s.do(payment.Outcome{Attempt: 1, Refund: 1, Seq: first.Seq, Verdict: payment.Verdict{
		Class: payment.ClassRefunded, RequestID: r.RequestID, RefundID: "R1", Amount: r.Amount,
	}})
	if got := s.sale.Refunds[0]; got.Status.Final() || got.Call == nil {
		t.Errorf("it is %q, call %+v", got.Status, got.Call)
	}
}

// Every request id is its own, of attempts and of refunds alike: gateways tell
// what is new by it (M2, M13).
func TestRequestIDsAreTheirOwn(t *testing.T) {
	s := tell(t, alphaPayLike, payment.ModeScan)
	for range payment.MaxAttempts - 1 {
		s.scan()
		s.answer(payment.ClassFailed)
	}
	s.scan()
	s.answer(payment.ClassPaid, id("P1"))
	for range 12 {
		s.refund(1)
		s.answer(payment.ClassRefunded, refundID("R"+s.sale.Refunds[len(s.sale.Refunds)-1].RequestID))
	}
	seen := make(map[string]bool)
	for _, a := range s.sale.Attempts {
		seen[a.RequestID] = true
	}
	for _, r := range s.sale.Refunds {
		seen[r.RequestID] = true
	}
	if n := len(s.sale.Attempts) + len(s.sale.Refunds); len(seen) != n {
		t.Errorf("%d request ids for %d attempts and refunds", len(seen), n)
	}
}

// What the register can see raises the version by one and comes with one record
// of that version; what it cannot see does neither.
func TestVersionsAndRecords(t *testing.T) {
	s := tell(t, alipayPlusLike, payment.ModeScan)
	pending := payment.Verdict{Class: payment.ClassPending, RequestID: saleID + "-1", Amount: tenBucks}
	for i, c := range []struct {
		event payment.Event
		after time.Duration
		seen  payment.RecordType // empty: nothing
	}{
		{event: payment.CodePresented{Code: scannedCode, Wallet: payment.WalletAlipayPlus}, seen: "sale.processing"},
		{event: payment.Outcome{Attempt: 1, Seq: 1, Verdict: pending}, seen: "sale.processing"},
		{event: payment.Due{}, after: second},
		{event: payment.Outcome{Attempt: 1, Seq: 2, Verdict: pending}},
		{event: payment.CancelRequested{}, seen: "sale.cancelling"},
	} {
		s.now = s.now.Add(c.after)
		change, _, err := payment.Step(s.sale, c.event, s.now, s.policy)
		if err != nil || change.After.ID == "" {
			t.Fatalf("event %d: %v, changed %v", i, err, change.Changed())
		}
		was, is := s.sale.Version, change.After.Version
		switch r := change.Record; {
		case c.seen == "" && (is != was || r != nil):
			t.Errorf("event %d: version %d after %d, record %+v", i, is, was, r)
		case c.seen != "" && (is != was+1 || r == nil || r.Type != c.seen || r.Version != is || r.Sale != saleID || !r.At.Equal(s.now)):
			t.Errorf("event %d: version %d after %d, record %+v, want %q", i, is, was, r, c.seen)
		}
		s.sale = change.After
	}
}

// The same answers at the same times lead to the same decisions, jitter included,
// so that a history can be played again (P6).
func TestDecisionsCanBeReplayed(t *testing.T) {
	history := func() (due []time.Time) {
		s := unresolvedSale(t, alphaPayLike)
		s.callsWithin(3*day, func() { s.answer(payment.ClassNoAnswer); due = append(due, s.sale.Due) })
		return due
	}
	if first, again := history(), history(); len(first) < 20 || !slices.Equal(first, again) {
		t.Errorf("asked at %v, then at %v", first, again)
	}
}
