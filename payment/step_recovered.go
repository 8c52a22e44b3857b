package payment

import "time"

// recovered takes up a sale after a restart: no call is under way, and what was
// on its way may or may not have arrived.
func (t *step) recovered() {
	s := &t.sale
	a := s.LiveAttempt()
	if !s.Status.Final() {
		t.clampTimes(a)
	}
	if a == nil {
		return
	}
	s.Next = nil
	a.Call = nil
	if a.Status == AttemptSubmitting {
		a.Status = AttemptUnknown
	}
	if t.policy.InquireOnly {
		t.doubt(a)
	}
	if s.Status == SaleSwitching { // the code is lost
		s.Status = SaleCancelling
		s.CancelUntil = t.now.Add(t.policy.CancelBound)
	}
	t.plan(a)
	if a.Next != CallPay && a.Next != "" { // a question is asked at once
		a.NextAt = t.now
	}
}

// clampTimes keeps a clock that was set back while the daemon was down from
// holding the counter longer than the policy says (M15), and from putting off the
// proof of an order's absence.
func (t *step) clampTimes(a *Attempt) {
	clamp := func(at *time.Time, most time.Duration) {
		if latest := t.now.Add(most); at.After(latest) {
			*at = latest
		}
	}
	s := &t.sale
	clamp(&s.Deadline, t.policy.SaleDeadline)
	clamp(&s.ScanUntil, t.policy.ScanWindow)
	clamp(&s.QRRetryAt, t.policy.QRRetry)
	clamp(&s.CancelUntil, t.policy.CancelBound)
	if a != nil {
		clamp(&a.FastUntil, t.policy.FastPhase)
		clamp(&a.CalledAt, 0)
		clamp(&a.CancelledAt, 0)
		clamp(&a.SentAt, 0)
	}
}
