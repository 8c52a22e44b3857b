package payment

import "time"

// watch begins to look after an attempt that ended without payment: whatever
// ended it, a capture may still be found (M12).
func (t *step) watch(a *Attempt) {
	a.Watch = &Watch{From: t.now}
	a.Polls = 0
	t.planWatch(a)
}

// planWatch plans the next question about a watched attempt, counted from its
// end; the last one answered ends the watch. Its distance from the one before is
// kept, so that an outage or a clock that jumped forward does not make one of two.
func (t *step) planWatch(a *Attempt) {
	steps, n, q := t.policy.Watch, a.Watch.Step, t.question(a)
	if n >= len(steps) || q == "" {
		t.endWatch(a)
		return
	}
	when, least := a.Watch.From.Add(steps[n]), t.now
	if n > 0 {
		least = t.now.Add(steps[n] - steps[n-1])
	}
	if when.Before(least) {
		when = least
	}
	t.planCall(a, q, when)
}

// notifiedLate begins to look into a payment that the gateway told unasked of an
// attempt that is over, if nobody does: its failure counted as proved, or its watch
// has ended (P4). What is known of it stands.
func (t *step) notifiedLate(a *Attempt, v Verdict) {
	if v.PaymentID != "" {
		t.watchedID(a, v) // also of one that a person called paid, so that it can be refunded
	}
	unknown := a.Status != AttemptPaid && a.Capture == nil || a.Capture != nil && a.Capture.Kept == KeptUnconfirmed
	if a.Watch == nil && unknown {
		t.watch(a)
	}
}

func (t *step) endWatch(a *Attempt) {
	a.Watch = nil
	if unconfirmed(t, a) { // nobody will give it back by itself any more
		c := *a.Capture
		c.Kept = KeptUnconfirmed
		a.Capture = &c
	}
	t.planCall(a, "", time.Time{})
}

// watchOutcome takes in an answer about an attempt that is over.
func (t *step) watchOutcome(a *Attempt, v Verdict, mayReverse bool) {
	unpaid := v.Class == ClassFailed || v.Class == ClassClosed
	byPerson := a.Status == AttemptPaid && t.sale.Override != nil
	switch {
	case v.Reason == ReasonAnswerMismatch && v.Amount != (Money{}):
		a.Capture = wrongCapture(a, v, t.now)
		t.nextWatch(a)
	case !v.Class.Verified(), v.Class == ClassRetryLater, v.Class == ClassRefused:
		t.watchAgain(a)
	case v.Class == ClassPaid && byPerson: // a person said so, and was right
		t.watchedID(a, v)
		a.Reason, a.GatewayCode = ReasonOverridden, ""
		t.endWatch(a)
	case v.Class == ClassPaid:
		t.watchedID(a, v)
		t.captured(a, v, mayReverse)
	case unpaid && t.maybeSecond(a) && a.PaymentID != "" && !a.IDDisproved: // it can prove paid only (M4)
		a.IDDisproved = true
		t.watchAgain(a)
	case unconfirmed(t, a) && a.Polls < len(t.policy.Slow): // a stale answer, perhaps
		t.watchAgain(a)
	default:
		t.notCaptured(a, v, unpaid && byPerson)
		t.nextWatch(a)
	}
}

// unconfirmed reports whether a capture was seen only once, in this watch or before.
func unconfirmed(t *step, a *Attempt) bool {
	c := a.Capture
	return c != nil && c.Sightings == 1 && (c.Kept == "" || c.Kept == KeptUnconfirmed) && t.reversal(a) == nil
}

// notCaptured takes in that the gateway shows no capture, now. A person who said
// paid is told against; that stands all the same.
func (t *step) notCaptured(a *Attempt, v Verdict, against bool) {
	switch {
	case against:
		a.Reason, a.GatewayCode = t.closingReason(a, v).Reason, v.GatewayCode
	case unconfirmed(t, a) && a.Status != AttemptPaid:
		a.Capture = nil
	case a.Capture != nil && (a.Capture.Kept == KeptByLimit || a.Capture.Kept == KeptByRefund): // somebody gave it back
		c := *a.Capture
		c.Kept = ""
		a.Capture = &c
	}
}

// watchedID takes the payment id that proves a capture, in the place of none or
// of one that was another order's.
func (t *step) watchedID(a *Attempt, v Verdict) {
	if a.PaymentID != "" && !a.IDDisproved {
		return
	}
	a.PaymentID, a.IDDisproved = v.PaymentID, false
	if a.Status == AttemptPaid {
		receipt := *t.sale.Receipt
		receipt.PaymentID = v.PaymentID
		t.sale.Receipt = &receipt
	}
}

// nextWatch goes on to the next step, unless somebody asked before this one's time.
func (t *step) nextWatch(a *Attempt) {
	n := a.Watch.Step
	if early := n < len(t.policy.Watch) && t.now.Before(a.Watch.From.Add(t.policy.Watch[n])); !early {
		n++
	}
	a.Watch = &Watch{Step: n, From: a.Watch.From}
	a.Polls = 0
	t.planWatch(a)
}

// watchAgain asks the same question later, ever more rarely: nobody knows more
// than before.
func (t *step) watchAgain(a *Attempt) {
	age := t.now.Sub(a.Watch.From)
	q := t.question(a)
	if q == "" || age > t.policy.GiveUpAfter && a.Polls >= t.policy.fewestQuestions() {
		t.endWatch(a)
		return
	}
	pause := t.policy.SlowHourly
	switch {
	case a.Polls < len(t.policy.Slow):
		pause = t.policy.Slow[a.Polls]
	case age > t.policy.SlowDaily:
		pause = t.policy.SlowDaily
	}
	t.planCall(a, q, t.now.Add(t.policy.jittered(pause, a.RequestID, a.Polls)))
	a.Polls++
}

// firstSighting notes money that should not have been taken, and looks again at
// once (M12), or when its gateway has room.
func (t *step) firstSighting(a *Attempt, v Verdict) {
	a.Capture = &Capture{FoundAt: t.now, Amount: v.Amount, PaymentID: a.PaymentID, Sightings: 1}
	switch q := t.question(a); {
	case q == "":
	case t.wait:
		t.planCall(a, q, t.now)
	default:
		t.call(a, q)
	}
}

// captured takes in money that should not have been taken. After a second look
// it is given back, once (M12).
func (t *step) captured(a *Attempt, v Verdict, mayReverse bool) {
	if t.reversal(a) != nil {
		t.nextWatch(a)
		return
	}
	if a.Capture == nil || a.Capture.Kept == KeptByAmount { // seen now for the first time with this sum
		t.firstSighting(a, v)
		return
	}
	c := *a.Capture
	c.Sightings, c.Kept, c.PaymentID = 2, "", a.PaymentID
	left := v.Amount
	left.Amount -= t.sale.given(a.N)
	switch {
	case t.refunding(a):
		c.Kept = KeptByRefund
		t.watchAgain(a)
	case left.Amount <= 0: // the register was quicker
		t.nextWatch(a)
	case !t.policy.ReverseLateCaptures || len(t.sale.Refunds) >= MaxRefunds || a.PaymentID == "":
		c.Kept = KeptByPolicy
		t.endWatch(a)
	case !mayReverse:
		c.Kept = KeptByLimit
		t.planCall(a, t.question(a), t.now.Add(t.policy.SlowDaily))
	default:
		t.startRefund(a, left, false).Automatic = true
		t.nextWatch(a)
	}
	if c != *a.Capture {
		a.Capture = &c
	}
}

// wrongCapture is money taken in another amount than the sale's: it is reported
// and never given back by itself (M12).
func wrongCapture(a *Attempt, v Verdict, now time.Time) *Capture {
	if c := a.Capture; c != nil && c.Kept == KeptByAmount && c.Amount == v.Amount {
		return c
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

// refunding reports whether a refund of the attempt's capture is not over.
func (t *step) refunding(a *Attempt) bool {
	for _, r := range t.sale.Refunds {
		if r.Attempt == a.N && !r.Status.Final() {
			return true
		}
	}
	return false
}

// recoverBackground takes up watches and refunds after a restart: what was
// under way is asked again, and a refund whose request may be out is unknown.
func (t *step) recoverBackground() {
	for i := range t.sale.Attempts {
		if a := &t.sale.Attempts[i]; a.Status.Final() {
			t.recoverWatch(a)
		}
	}
	for i := range t.sale.Refunds {
		if r := &t.sale.Refunds[i]; !r.Status.Final() && t.configured(t.sale.Attempt(r.Attempt)) {
			t.recoverRefund(r)
		}
	}
}

func (t *step) recoverWatch(a *Attempt) {
	call := a.Call
	asked := call != nil
	a.Call = nil
	if !t.configured(a) { // it is left as it was, for the day when the gateway is put back
		if asked && a.Watch != nil {
			t.planCall(a, call.Kind, t.now)
		}
		return
	}
	if a.Watch == nil { // a question that somebody asked for is not repeated
		t.planCall(a, "", time.Time{})
		return
	}
	if a.Watch.From.After(t.now) || a.NextAt.After(t.now.Add(t.policy.Farthest())) { // the clock was set back
		a.Watch = &Watch{Step: a.Watch.Step, From: t.now}
		t.planWatch(a)
	}
	if q := t.question(a); asked && q != "" && a.Watch != nil {
		t.planCall(a, q, t.now)
	}
}

func (t *step) recoverRefund(r *Refund) {
	if t.policy.InquireOnly { // it may have been sent elsewhere
		r.Doubted = true
	}
	if r.Call == nil && r.Next != "" && !t.policy.forbids(r.Next) { // a clock that was set back does not hold it up
		if latest := t.now.Add(t.policy.Farthest()); r.NextAt.After(latest) {
			r.NextAt = latest
		}
		return
	}
	// Its call was under way, or it waits for the terminal to be adopted, or for a person.
	if r.Call != nil && r.Call.Kind == CallRefund {
		r.Doubted = true
	}
	if r.Status == RefundSubmitting {
		r.Status = RefundUnknown
	}
	r.Call = nil
	if t.planRefund(r); r.Next != "" {
		r.NextAt = t.now
	}
}
