package payment

import "time"

// outcome takes in what a call brought back.
func (t *step) outcome(e Outcome) {
	a := t.sale.Attempt(e.Attempt)
	if a == nil {
		return
	}
	if e.Refund > 0 {
		t.refundOutcome(e)
		return
	}
	if a.Call == nil || a.Call.Seq != e.Seq {
		return
	}
	kind := a.Call.Kind
	a.Call = nil
	v := t.matched(a, e.Verdict)
	if a.Status.Final() {
		if a.Watch != nil {
			t.watchOutcome(a, v, e.MayReverse)
		}
		return
	}
	a.Silent = !v.Class.Verified()
	t.learn(a, kind, v)
	if v.Reason == ReasonAnswerMismatch && v.Amount != (Money{}) {
		a.Capture = wrongCapture(a, v, t.now)
	}
	if !t.judge(a, kind, v) {
		t.plan(a)
	}
}

// matched turns an answer about another order or another amount into no answer
// (P4). Gateways compare too; money is judged twice.
func (t *step) matched(a *Attempt, v Verdict) Verdict {
	foreign := v.RequestID != "" && v.RequestID != a.RequestID ||
		v.PaymentID != "" && a.PaymentID != "" && v.PaymentID != a.PaymentID && !a.IDDisproved
	wrongSum := v.Amount != (Money{}) && v.Amount != t.sale.Amount
	unproved := v.Class == ClassPaid && (v.RequestID == "" || v.Amount != t.sale.Amount)
	if foreign || wrongSum || unproved {
		return Verdict{Class: ClassNoAnswer, Reason: ReasonAnswerMismatch, GatewayCode: v.GatewayCode, Amount: capturedSum(v, foreign)}
	}
	return v
}

// capturedSum keeps the amount of a capture that is this order's but not the
// sale's: it is reported (M12).
func capturedSum(v Verdict, foreign bool) Money {
	if v.Class == ClassPaid && !foreign && v.RequestID != "" {
		return v.Amount
	}
	return Money{}
}

// learn keeps what the answer tells besides its verdict.
func (t *step) learn(a *Attempt, kind CallKind, v Verdict) {
	a.Reason, a.GatewayCode = v.Reason, v.GatewayCode
	if v.PaymentID != "" && v.PaymentID != a.PaymentID { // matched lets a second one pass only once the first is disproved
		a.PaymentID, a.IDDisproved = v.PaymentID, false
		// Wherever it was found, it may be the second send's (M4). A QR that nobody saw cannot be
		// paid, so there the order whose QR is shown is the only one that counts (M8).
		a.IDFromResend = a.Instrument == InstrumentCode && a.Sends > 1 && !t.traits(a).IdempotentPay
	}
	if v.Wallet != "" {
		a.Wallet = v.Wallet
	}
	if !v.ExpiresAt.IsZero() {
		a.ExpiresAt = v.ExpiresAt
	}
	if kind != CallPay {
		a.Polls++
	}
	if v.Class == ClassAlreadyPaid {
		a.AlreadyPaid = true
	}
	if v.Class.Verified() && v.Class != ClassNotFound && v.Class != ClassRetryLater {
		a.Absence = nil
	}
	if v.QR != nil && a.QR == nil && a.Instrument == InstrumentQR && t.sale.Status == SaleShowingQR {
		a.QR = v.QR
		if a.ExpiresAt.IsZero() {
			a.ExpiresAt = t.now.Add(t.policy.QRLife)
		}
	}
}

// judge applies M3 to M6: it reports whether the verdict ended the attempt or
// already started what comes next. Everything that it does not accept leaves the
// attempt as unknown as it was.
func (t *step) judge(a *Attempt, kind CallKind, v Verdict) bool {
	decided := false
	switch kind {
	case CallPay:
		decided = t.judgePay(a, v)
	case CallInquire, CallLookup:
		decided = t.judgeInquiry(a, v)
	case CallCancel:
		decided = t.judgeCancel(a, v)
	}
	if !decided && a.Status == AttemptSubmitting {
		a.Status = AttemptUnknown
	}
	return decided
}

func (t *step) judgePay(a *Attempt, v Verdict) bool {
	// An F to a second send proves nothing about the first, unless pay is
	// documented to be processed once (M4).
	speaksOfFirst := a.Sends == 1 || t.traits(a).IdempotentPay
	switch v.Class {
	case ClassPaid:
		if t.reversible(a) {
			return false
		}
		t.paid(a, v)
		return true
	case ClassAccepted, ClassPending:
		return t.placed(a, v)
	case ClassFailed, ClassClosed:
		if !speaksOfFirst {
			return false
		}
		if !v.Documented && a.PaymentID != "" { // one confirming inquiry, then failed
			a.Doubted = &Failure{Reason: v.Reason, GatewayCode: v.GatewayCode}
			a.Status = AttemptPending
			t.wipeCode(a)
			t.call(a, CallInquire)
			return true
		}
		t.end(a, endStatus(v.Class), Failure{Reason: v.Reason, GatewayCode: v.GatewayCode}, v.Class == ClassFailed && v.Documented)
		return true
	case ClassRefused, ClassNotSent:
		if a.Sends > 1 {
			return false
		}
		t.end(a, AttemptFailed, Failure{Reason: v.Reason, GatewayCode: v.GatewayCode}, true)
		return true
	}
	return false
}

// placed notes that the gateway has the order.
func (t *step) placed(a *Attempt, v Verdict) bool {
	unusableQR := a.Instrument == InstrumentQR && t.sale.Status == SaleShowingQR && a.QR == nil
	if !t.addressable(a) || unusableQR {
		return false
	}
	a.Status = AttemptPending
	t.wipeCode(a) // the order can be asked about: no second send (M7)
	if v.Class == ClassAccepted {
		a.Reason, a.GatewayCode = "", ""
		t.call(a, CallInquire)
		return true
	}
	return false
}

func (t *step) judgeInquiry(a *Attempt, v Verdict) bool {
	switch v.Class {
	case ClassPaid:
		if t.reversible(a) {
			return false // a cancel is out that gives the money back (M5)
		}
		t.paid(a, v)
		return true
	case ClassPending:
		a.Doubted = nil
		if a.Status == AttemptUnknown && t.addressable(a) {
			a.Status = AttemptPending
		}
		t.wipeCode(a)
		return t.cancelAfterInquiry(a)
	case ClassFailed, ClassClosed:
		if t.maybeSecond(a) { // M4: it can prove paid only
			a.IDDisproved = a.PaymentID != ""
			a.Status = AttemptUnknown
			return false
		}
		why := t.closingReason(a, v)
		if a.Doubted != nil {
			why = *a.Doubted // the first answer said why
		}
		t.end(a, endStatus(v.Class), why, v.Class == ClassFailed)
		return true
	case ClassNotFound:
		if t.absent(a, v) {
			t.end(a, AttemptClosed, Failure{Reason: ReasonAbsent, GatewayCode: v.GatewayCode}, false)
			return true
		}
		if a.Doubted == nil {
			return t.cancelAfterInquiry(a)
		}
	}
	if a.Doubted != nil {
		t.end(a, AttemptFailed, *a.Doubted, false)
		return true
	}
	return false
}

// absent is the one exception to M3: two complete searches in a row of the
// gateway's list do not find the order, and a newer row or 15 minutes show that
// the list would hold it; or neither inquiry nor cancel know it so late.
func (t *step) absent(a *Attempt, v Verdict) bool {
	if a.AlreadyPaid || a.PaymentID != "" && !a.IDDisproved {
		return false
	}
	if t.traits(a).InquireByRequestID {
		return a.Absence != nil // the cancel has said so, late enough
	}
	if v.Search == nil {
		return false
	}
	seen := Absence{Since: v.Search.At}
	if a.Absence != nil {
		seen = *a.Absence
	}
	seen.Passes++
	seen.Rows, seen.Newest, seen.At = v.Search.Rows, v.Search.Newest, v.Search.At
	a.Absence = &seen
	// The order was sent before the first pass, so that its life, by the gateway's
	// clock alone, ended no later than a life after that pass.
	over := seen.Since.Add(t.traits(a).OrderLife)
	return seen.Passes >= 2 && (seen.Newest.After(over) || !seen.At.Before(over.Add(t.policy.AbsenceAfter)))
}

// pastAbsence reports whether a gateway that is asked by request id would know an
// order that exists by now.
func (t *step) pastAbsence(a *Attempt) bool {
	return !t.now.Before(a.SentAt.Add(t.traits(a).OrderLife + t.policy.AbsenceAfter))
}

// maybeSecond reports whether an answer may speak of an order that a second send
// made, so that the first send's may be live (M4).
func (t *step) maybeSecond(a *Attempt) bool {
	return a.IDFromResend ||
		a.PaymentID == "" && a.Instrument == InstrumentCode && a.Sends > 1 && !t.traits(a).IdempotentPay
}

// cancelAfterInquiry sends the cancel that a fresh inquiry has cleared the way
// for. It reports whether it did.
func (t *step) cancelAfterInquiry(a *Attempt) bool {
	if !t.wantsClosing() || !t.addressable(a) || a.Cancels > 0 && t.now.Before(t.nextCancelAt(a)) {
		return false
	}
	t.call(a, CallCancel)
	return true
}

// wantsClosing reports whether the live attempt is to be closed at the gateway:
// also while unresolved, so that it does not stay payable.
func (t *step) wantsClosing() bool {
	s := &t.sale
	return s.Status == SaleCancelling || s.Status == SaleSwitching || s.Status == SaleUnresolved
}

func (t *step) judgeCancel(a *Attempt, v Verdict) bool {
	switch v.Class {
	case ClassCancelAccepted:
		if t.traits(a).CancelReverses {
			t.end(a, AttemptClosed, t.closingReason(a, v), false)
			return true
		}
		t.call(a, CallInquire) // closed when the inquiry says so (M5)
		return true
	case ClassAlreadyPaid, ClassClosed:
		t.call(a, CallInquire)
		return true
	case ClassNotFound:
		if t.traits(a).InquireByRequestID && t.pastAbsence(a) { // the inquiry must say the same
			a.Absence = &Absence{Passes: 1, Since: t.now, At: t.now}
			t.call(a, CallInquire)
			return true
		}
	}
	return false
}

// reversible reports whether a cancel is out that would give a payment back, so
// that nothing but its confirmation ends the attempt (M5).
func (t *step) reversible(a *Attempt) bool { return t.traits(a).CancelReverses && a.Cancels > 0 }

func (t *step) closingReason(a *Attempt, v Verdict) Failure {
	f := Failure{Reason: v.Reason, GatewayCode: v.GatewayCode}
	switch {
	case v.Class == ClassFailed && f.Reason != "":
	case t.sale.CancelWanted || t.sale.Status == SaleSwitching:
		f.Reason = ReasonCancelled
	case a.Instrument == InstrumentQR && a.QR == nil:
		f.Reason = ReasonQRNotShown
	default:
		f.Reason = ReasonNotPaidInTime
	}
	return f
}

func endStatus(c Class) AttemptStatus {
	if c == ClassClosed {
		return AttemptClosed
	}
	return AttemptFailed
}

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
		t.planCall(a, CallInquire, t.nextCancelAt(a))
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
