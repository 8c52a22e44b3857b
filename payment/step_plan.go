package payment

import "time"

// plan chooses the next question of an attempt that has no verdict, and its time.
func (t *step) plan(a *Attempt) {
	s := &t.sale
	switch s.Status {
	case SaleProcessing:
		t.planFast(a)
	case SaleShowingQR:
		t.planQR(a)
	case SaleSwitching, SaleCancelling:
		t.planCancelling(a)
	case SaleUnresolved:
		t.planSlow(a)
	}
}

func (t *step) planFast(a *Attempt) {
	if t.reached(a.FastUntil) {
		t.fastPhaseOver(a)
		return
	}
	kind, when := CallKind(""), a.FastUntil
	resend, useful := t.resendAt(a)
	switch {
	case t.addressable(a):
		kind, when = CallInquire, t.now.Add(at(t.policy.CodeInquiries, a.Polls))
		useful = useful && a.IDFromResend // that id may be disproved
	case a.AlreadyPaid && t.traits(a).TransactionList:
		kind, when = CallLookup, t.paidLookupAt(a)
		useful = false
	case t.policy.InquireOnly && t.question(a) != "": // no second send will tell
		kind, when = t.question(a), t.paidLookupAt(a)
	case useful:
		kind, when = CallPay, resend
	}
	if !useful {
		t.wipeCode(a) // M7
	}
	if when.After(a.FastUntil) {
		when = a.FastUntil
	}
	t.planCall(a, kind, when)
}

// resendAt is when the same pay request is sent next, if it can be sent at all.
func (t *step) resendAt(a *Attempt) (when time.Time, ok bool) {
	for _, after := range t.policy.Resends {
		if when = a.SubmittedAt.Add(after); when.After(t.now) && when.Before(a.FastUntil) {
			return when, !a.Code.IsZero()
		}
	}
	return time.Time{}, false
}

// paidLookupAt: at once when the gateway has just said "already paid", then every PaidLookups.
func (t *step) paidLookupAt(a *Attempt) time.Time {
	if a.Polls == 0 {
		return t.now
	}
	return t.now.Add(t.policy.PaidLookups)
}

func (t *step) planQR(a *Attempt) {
	if a.Status == AttemptUnknown { // its answer was lost, so nobody saw it (M8)
		deadline := t.reached(t.sale.Deadline)
		resend := a.SubmittedAt.Add(t.policy.Resends[0])
		if latest := t.now.Add(t.policy.Resends[0]); resend.After(latest) { // the clock was set back
			resend = latest
		}
		switch {
		case a.AlreadyPaid:
			t.cancelAttempt() // its proof is looked for
		case a.Sends < 2 && !deadline && resend.After(t.now):
			t.planCall(a, CallPay, resend)
		case a.Sends < 2 && !deadline:
			t.planCall(a, CallPay, t.now)
		case t.abandonable(a):
			t.end(a, AttemptClosed, Failure{Reason: ReasonQRNotShown}, false)
		default:
			t.cancelAttempt()
		}
		return
	}
	if a.QR == nil || t.reached(t.hideAt(a)) {
		t.cancelAttempt()
		return
	}
	pause := t.policy.QRSlow
	if t.now.Before(a.SubmittedAt.Add(t.policy.QRFastFor)) {
		pause = t.policy.QRFast
	}
	t.planCall(a, CallInquire, t.now.Add(pause))
}

func (t *step) planCancelling(a *Attempt) {
	if t.reached(t.sale.CancelUntil) && t.sale.Status == SaleCancelling {
		t.unresolved(a)
		return
	}
	switch {
	case t.abandonable(a):
		t.end(a, AttemptClosed, Failure{Reason: ReasonQRNotShown}, false)
	case a.Cancels > 0 && t.reversible(a):
		t.planCall(a, CallCancel, t.nextCancelAt(a))
	case a.Cancels > 0 && t.addressable(a):
		when := t.nextCancelAt(a)
		if t.reached(when) { // only a cancel moves it on, and an answer is awaited before the next
			when = t.now.Add(at(t.policy.CodeInquiries, a.Polls))
		}
		t.planCall(a, CallInquire, when)
	case t.addressable(a) && a.Polls > 0:
		t.planCall(a, CallInquire, t.now.Add(at(t.policy.CodeInquiries, a.Polls)))
	case t.question(a) != "":
		t.planCall(a, t.question(a), t.paidLookupAt(a))
	default:
		t.planCall(a, "", time.Time{})
	}
}

// nextCancelAt is when the cancel may be repeated: at the steps of CancelRetries
// after the first one, then in the last step's distance. Once nobody waits any
// more, the slow pauses keep cancels and the inquiries after them from a chase.
func (t *step) nextCancelAt(a *Attempt) time.Time {
	if t.sale.Status == SaleUnresolved {
		return a.CancelledAt.Add(at(t.policy.Slow, a.Cancels))
	}
	steps := t.policy.CancelRetries
	i := min(a.Cancels, len(steps)) - 1
	pause := steps[i]
	if i > 0 {
		pause -= steps[i-1]
	}
	return a.CancelledAt.Add(pause)
}

// planSlow spreads the questions about an unresolved sale over 30 days.
func (t *step) planSlow(a *Attempt) {
	if t.abandonable(a) {
		t.end(a, AttemptClosed, Failure{Reason: ReasonQRNotShown}, false)
		return
	}
	q := t.question(a)
	age := t.now.Sub(a.SubmittedAt)
	if q == "" || age > t.policy.GiveUpAfter && a.Polls >= t.policy.fewestQuestions() {
		t.planCall(a, "", time.Time{}) // a person's now
		return
	}
	if q == CallLookup {
		if when, ok := t.nextLookupAt(a, age); ok {
			t.planCall(a, q, when)
			return
		}
	}
	pause := t.policy.SlowHourly
	switch {
	case q == CallInquire && a.Polls < len(t.policy.Slow):
		pause = t.policy.Slow[a.Polls]
	case age > t.policy.SlowDaily:
		pause = t.policy.SlowDaily
	}
	if t.reversible(a) {
		q = CallCancel
	}
	if left := t.absenceLeft(a); q == CallLookup && left > 0 && left < pause {
		pause = left
	}
	t.planCall(a, q, t.now.Add(t.policy.jittered(pause, a.RequestID, a.Polls)))
}

// absenceLeft is how long, from the last complete pass on, until another one may
// prove the order's absence; with some room for the jitter.
func (t *step) absenceLeft(a *Attempt) time.Duration {
	if a.Absence == nil {
		return 0
	}
	left := a.Absence.Since.Add(t.traits(a).OrderLife + t.policy.AbsenceAfter).Sub(a.Absence.At)
	return left + left/4 + t.policy.PaidLookups
}

// nextLookupAt is when an order without a payment id is next searched for in the
// gateway's list: often while it is known to be paid, else at the steps of
// Lookups. ok is false once those are over.
func (t *step) nextLookupAt(a *Attempt, age time.Duration) (when time.Time, ok bool) {
	steps := t.policy.Lookups
	switch {
	case a.AlreadyPaid && age >= 0 && age < steps[len(steps)-1]:
		return t.paidLookupAt(a), true
	case a.Polls == 0 && (age >= steps[0] || age < 0):
		return t.now, true
	case age < 0: // the clock was set back: its steps are who knows how far away
		return time.Time{}, false
	}
	for _, after := range steps {
		if when = a.SubmittedAt.Add(after); when.After(t.now) {
			return when, true
		}
	}
	return time.Time{}, false
}
