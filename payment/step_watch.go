package payment

import "time"

// watch begins to look after an attempt that ended without payment: whatever
// ended it, a capture may still be found (M12).
func (t *step) watch(a *Attempt) {
	a.Watch = &Watch{}
	a.Polls = 0
	t.planWatch(a)
}

// planWatch plans the next question about a watched attempt, counted from its
// end; the last one answered ends the watch.
func (t *step) planWatch(a *Attempt) {
	q := t.question(a)
	if a.Watch.Step >= len(t.policy.Watch) || q == "" || t.now.Sub(a.EndedAt) > t.policy.GiveUpAfter {
		a.Watch = nil
		t.planCall(a, "", time.Time{})
		return
	}
	when := a.EndedAt.Add(t.policy.Watch[a.Watch.Step])
	if when.Before(t.now) {
		when = t.now
	}
	t.planCall(a, q, when)
}

// watchOutcome takes in an answer about an attempt that is over.
func (t *step) watchOutcome(a *Attempt, v Verdict, mayReverse bool) {
	unconfirmed := a.Capture != nil && a.Capture.Sightings == 1 && a.Capture.Kept == "" && t.reversal(a) == nil
	switch {
	case v.Reason == ReasonAnswerMismatch && v.Amount != (Money{}):
		a.Capture = wrongCapture(a, v, t.now)
		t.nextWatch(a)
	case !v.Class.Verified(), v.Class == ClassRetryLater, v.Class == ClassRefused:
		t.watchAgain(a)
	case v.Class == ClassPaid && a.Status == AttemptPaid && a.Capture == nil: // a person said so, and was right
		if a.PaymentID == "" {
			a.PaymentID = v.PaymentID
			receipt := *t.sale.Receipt
			receipt.PaymentID = v.PaymentID
			t.sale.Receipt = &receipt
		}
		a.Watch = nil
	case v.Class == ClassPaid:
		t.captured(a, v, mayReverse)
	case unconfirmed && a.Polls < len(t.policy.Slow): // a stale answer, perhaps
		t.watchAgain(a)
	case unconfirmed && a.Status != AttemptPaid:
		a.Capture = nil
		t.nextWatch(a)
	default:
		t.nextWatch(a)
	}
}

func (t *step) nextWatch(a *Attempt) {
	a.Watch = &Watch{Step: a.Watch.Step + 1}
	a.Polls = 0
	t.planWatch(a)
}

// watchAgain asks the same question later: nobody knows more than before.
func (t *step) watchAgain(a *Attempt) {
	t.planCall(a, t.question(a), t.now.Add(t.policy.jittered(at(t.policy.Slow, a.Polls), a.RequestID, a.Polls)))
	a.Polls++
}

// captured notes money that should not have been taken. After a second look it
// is given back (M12).
func (t *step) captured(a *Attempt, v Verdict, mayReverse bool) {
	if a.PaymentID == "" {
		a.PaymentID = v.PaymentID
	}
	if a.Capture == nil {
		a.Capture = &Capture{FoundAt: t.now, Amount: v.Amount, PaymentID: a.PaymentID, Sightings: 1}
		t.call(a, t.question(a))
		return
	}
	c := *a.Capture
	c.Sightings++
	c.Kept = ""
	switch {
	case t.reversal(a) != nil:
		t.nextWatch(a)
	case !t.policy.ReverseLateCaptures || len(t.sale.Refunds) >= MaxRefunds || a.PaymentID == "":
		c.Kept = KeptByPolicy
		a.Watch = nil
	case !mayReverse:
		c.Kept = KeptByLimit
		t.planCall(a, t.question(a), t.now.Add(t.policy.SlowDaily))
	default:
		t.startRefund(a, v.Amount).Automatic = true
		t.nextWatch(a)
	}
	a.Capture = &c
}

// wrongCapture is money taken in another amount than the sale's: it is reported
// and never given back by itself (M12).
func wrongCapture(a *Attempt, v Verdict, now time.Time) *Capture {
	if a.Capture != nil && a.Capture.Kept == KeptByAmount {
		return a.Capture
	}
	return &Capture{FoundAt: now, Amount: v.Amount, PaymentID: a.PaymentID, Sightings: 1, Kept: KeptByAmount}
}

// reversal returns the automatic refund of an attempt's capture, or nil.
func (t *step) reversal(a *Attempt) *Refund {
	for i := range t.sale.Refunds {
		if r := &t.sale.Refunds[i]; r.Attempt == a.N && r.Automatic {
			return r
		}
	}
	return nil
}

// startDueWatches asks about watched attempts whose time has come.
func (t *step) startDueWatches() {
	for i := range t.sale.Attempts {
		if a := &t.sale.Attempts[i]; a.Status.Final() {
			t.startNext(a)
		}
	}
}

// recoverBackground takes up watches and refunds after a restart: what was
// under way is asked again, and a refund whose request may be out is unknown.
func (t *step) recoverBackground() {
	for i := range t.sale.Attempts {
		if a := &t.sale.Attempts[i]; a.Status.Final() && a.Call != nil {
			a.Call = nil
			t.planCall(a, t.question(a), t.now)
		}
	}
	for i := range t.sale.Refunds {
		r := &t.sale.Refunds[i]
		if r.Call == nil || r.Status.Final() {
			continue
		}
		if r.Call.Kind == CallRefund {
			r.Doubted = true
		}
		if r.Status == RefundSubmitting {
			r.Status = RefundUnknown
		}
		r.Call = nil
		t.planRefund(r)
		if r.Next != "" {
			r.NextAt = t.now
		}
	}
}
