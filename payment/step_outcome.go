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
	t.wait = e.Wait
	if e.Notified {
		t.notified(a, e.Verdict)
		return
	}
	if a.Call == nil || a.Call.Seq != e.Seq { // nobody waits for it any more
		if a.Status.Final() && tellsOfMoney(e.Verdict) {
			t.notified(a, e.Verdict)
		}
		return
	}
	kind := a.Call.Kind
	a.Call = nil
	v := t.matched(a, e.Verdict)
	if a.Status.Final() {
		t.lookedAgain(a, v, e.MayReverse)
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

// notified takes in what the gateway said unasked. It is an answer to a question
// that was not asked yet, save while a pay or a cancel is under way: then only a
// payment counts, and where a cancel gives that back not even that (M5). Whatever
// it does not decide is asked about at once.
func (t *step) notified(a *Attempt, v Verdict) {
	v = t.matched(a, v)
	asking := a.Call == nil || a.Call.Kind == CallInquire || a.Call.Kind == CallLookup
	counts := !a.Status.Final() && !t.reversible(a) && (v.Class == ClassPaid || asking && (v.Class == ClassFailed || v.Class == ClassClosed))
	if !counts {
		if a.Status.Final() && tellsOfMoney(v) {
			t.notifiedLate(a, v)
		}
		if !a.Status.Final() || a.Watch != nil {
			t.hasten(a)
		}
		return
	}
	if asking {
		a.Call = nil // what it was to ask is told
	}
	t.learn(a, CallInquire, v)
	if !t.judge(a, CallInquire, v) {
		t.plan(a)
	}
}

// tellsOfMoney reports whether a verdict says that money was taken, be it in another
// amount.
func tellsOfMoney(v Verdict) bool {
	return v.Class == ClassPaid || v.Reason == ReasonAnswerMismatch && v.Amount != (Money{})
}

// matched turns an answer about another order or another amount into no answer
// (P4). Gateways compare too; money is judged twice.
func (t *step) matched(a *Attempt, v Verdict) Verdict {
	foreign := v.RequestID != "" && v.RequestID != a.RequestID ||
		v.PaymentID != "" && a.PaymentID != "" && v.PaymentID != a.PaymentID && !a.IDDisproved
	wrongSum := v.Amount != (Money{}) && v.Amount != t.sale.Amount
	unproved := v.Class == ClassPaid && (v.RequestID == "" || v.Amount != t.sale.Amount)
	if foreign || wrongSum || unproved {
		sum := capturedSum(v, foreign)
		if sum == (Money{}) {
			v.Returned = ""
		}
		return Verdict{Class: ClassNoAnswer, Reason: ReasonAnswerMismatch, GatewayCode: v.GatewayCode, Amount: sum, Returned: v.Returned}
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

// expiryNoise is by how much two readings of one expiry differ: a gateway's clock is known to about a second. It is little
// beside the policy's QRMargin. As news it would be an event, a record and another screen with every inquiry.
const expiryNoise = 2 * time.Second

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
	if !v.ExpiresAt.IsZero() && v.ExpiresAt.Sub(a.ExpiresAt).Abs() > expiryNoise {
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
		if a.CancelTooLate {
			t.refundInstead(a, v)
			return true
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
	if !t.wantsClosing() || !t.addressable(a) || a.CancelTooLate || a.Cancels > 0 && t.now.Before(t.nextCancelAt(a)) {
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
	case ClassCancelTooLate:
		a.CancelTooLate = true
		t.call(a, CallInquire)
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
func (t *step) reversible(a *Attempt) bool {
	return t.traits(a).CancelReverses && a.Cancels > 0 && !a.CancelTooLate
}

// refundInstead ends an attempt that was paid though a cancel was to give that
// back and came too late: the money is given back by a refund, after one more look
// (M5, M12).
func (t *step) refundInstead(a *Attempt, v Verdict) {
	t.end(a, AttemptClosed, t.closingReason(a, v), false)
	t.firstSighting(t.sale.Attempt(a.N), v) // not a: where a code waited the next attempt has begun, and moved this one
}

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
