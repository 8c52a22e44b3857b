package payment

import "time"

// A terminal whose database was restored, or woke up on another machine, does
// not know what became of its sales since: the one that it was may have sent a
// pay again, cancelled, refunded, or be doing so now. Until it is adopted it only
// asks about its old attempts (Policy.InquireOnly), and it doubts what it knows.

// forbids reports whether a call must wait until the terminal is adopted: one
// that can move money.
func (p Policy) forbids(kind CallKind) bool {
	return p.InquireOnly && (kind == CallPay || kind == CallCancel || kind == CallRefund)
}

// askInstead plans a question in the place of a call that is forbidden, after a
// pause; where the gateway knows none, nothing.
func (t *step) askInstead(a *Attempt) {
	a.Next, a.NextAt = t.question(a), time.Time{}
	if a.Next != "" {
		a.NextAt = t.now.Add(t.policy.jittered(at(t.policy.Slow, a.Polls), a.RequestID, a.Polls))
	}
}

// doubt notes what the other may have done with a live attempt: sent it again,
// so that an order found need not be the first send's (M4), and shown its QR (M8).
func (t *step) doubt(a *Attempt) {
	a.Moved = true
	a.Sends = max(a.Sends, 2)
	t.wipeCode(a)
}
