package payment

import "time"

// When a sale is looked at next, and what is done once that time has come.

// counterDue is the earliest time at which a live sale must be looked at for the
// counter's sake.
func (t *step) counterDue() time.Time {
	s := &t.sale
	a := s.LiveAttempt()
	var due time.Time
	sooner := func(at time.Time) { due = Earlier(due, at) }
	if a != nil && a.Call == nil && s.Status.Live() {
		sooner(a.NextAt)
	}
	switch s.Status {
	case SaleAwaitingCode:
		sooner(s.Deadline)
		sooner(s.QRRetryAt)
		if t.autoQRPossible() {
			sooner(s.ScanUntil)
		}
	case SaleProcessing:
		if !a.Code.IsZero() { // wiped then, whatever is under way (M7)
			sooner(a.FastUntil)
		}
	case SaleShowingQR:
		if s.VisibleQR() != nil {
			sooner(t.hideAt(a))
		}
	case SaleSwitching, SaleCancelling:
		sooner(s.CancelUntil)
	}
	return due
}

// Earlier is the earlier of two times, of which the zero time is none.
func Earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// reached reports whether a time has come; the zero time never does.
func (t *step) reached(at time.Time) bool { return !at.IsZero() && !t.now.Before(at) }

// due acts on whatever the counter waits for, if its time has come.
func (t *step) due() {
	s := &t.sale
	a := s.LiveAttempt()
	switch s.Status {
	case SaleAwaitingCode:
		t.dueAwaitingCode()
	case SaleShowingQR:
		if s.VisibleQR() != nil && t.reached(t.hideAt(a)) {
			t.cancelAttempt()
			return
		}
		t.startNext(a)
	case SaleProcessing:
		if t.reached(a.FastUntil) {
			t.wipeCode(a)
			if a.Call == nil {
				t.fastPhaseOver(a)
				return
			}
		}
		t.startNext(a)
	case SaleSwitching:
		if t.reached(s.CancelUntil) { // the code is dropped, the QR still being closed
			s.Next = nil
			s.Status = SaleCancelling
			s.CancelUntil = t.now.Add(t.policy.CancelBound)
		}
		t.startNext(a)
	case SaleCancelling:
		if t.reached(s.CancelUntil) {
			t.unresolved(a)
			return
		}
		t.startNext(a)
	}
}

func (t *step) dueAwaitingCode() {
	s := &t.sale
	switch {
	case t.reached(s.Deadline):
		s.Status = SaleExpired
	case t.reached(s.QRRetryAt):
		s.QRRetryAt = time.Time{}
		s.QRRetried = true
		_ = t.startQR() // without a route or an attempt left the sale just goes on waiting for a code
	case t.autoQRPossible() && t.reached(s.ScanUntil):
		_ = t.startQR()
	}
}

// startDueCall starts the one call in the background, at a gateway that has room,
// whose time came first: a due sale with many questions leaves room for others (P10).
func (t *step) startDueCall(gateway string) {
	if gateway == "" {
		return
	}
	var first time.Time
	var attempt *Attempt
	var refund *Refund
	t.sale.background(gateway, func(at time.Time, a *Attempt, r *Refund) {
		if t.reached(at) && (first.IsZero() || at.Before(first)) {
			first, attempt, refund = at, a, r
		}
	})
	switch {
	case refund != nil:
		t.callRefund(refund, refund.Next)
	case attempt != nil:
		t.startNext(attempt)
	}
}
