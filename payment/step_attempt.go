package payment

import (
	"fmt"
	"reflect"
	"time"
)

// start begins an attempt: its pay call goes out once the change is durable (M1).
func (t *step) start(i Instrument, w Wallet, c Code) error {
	s := &t.sale
	if t.policy.InquireOnly {
		return &ConflictError{Sale: s.ID, Status: s.Status, Event: EventCode, Why: "the terminal is not adopted: it takes no payments"}
	}
	if len(s.Attempts) >= MaxAttempts {
		return &ConflictError{Sale: s.ID, Status: s.Status, Event: EventQR,
			Why: fmt.Sprintf("it had %d attempts, which is the limit: cancel it and start a new sale", MaxAttempts)}
	}
	gateway, ok := t.policy.Route(w, i)
	if !ok {
		return &RouteError{Wallet: w, Instrument: i}
	}
	n := len(s.Attempts) + 1
	a := Attempt{
		N: n, RequestID: fmt.Sprintf("%s-%d", s.ID, n), Gateway: gateway, Instrument: i, Wallet: w,
		Status: AttemptSubmitting, SubmittedAt: t.now, Code: c,
	}
	s.Status = SaleShowingQR
	if i == InstrumentCode {
		a.CodeMask = c.Mask()
		a.FastUntil = t.now.Add(t.policy.FastPhase)
		s.Status = SaleProcessing
	}
	s.QRRetryAt = time.Time{}
	s.LastFailure = nil
	s.Attempts = append(s.Attempts, a)
	t.call(&s.Attempts[n-1], CallPay)
	return nil
}

// startQR begins a QR attempt. By whatever way it came, ModeAuto shows no other by itself.
func (t *step) startQR() error {
	t.sale.AutoQRDone = true
	return t.start(InstrumentQR, "", Code{})
}

// autoQRPossible reports whether the one automatic QR is still to be had (M9).
func (t *step) autoQRPossible() bool {
	_, routed := t.policy.Route("", InstrumentQR)
	s := &t.sale
	return !t.policy.InquireOnly && s.Mode == ModeAuto && !s.AutoQRDone && routed && len(s.Attempts) < MaxAttempts
}

// call starts a gateway call of the attempt. One that is under way is given up:
// its outcome will not match Seq any more.
func (t *step) call(a *Attempt, kind CallKind) {
	if t.policy.forbids(kind) {
		t.askInstead(a)
		return
	}
	a.Seq++
	a.Call = &InFlight{Seq: a.Seq, Kind: kind}
	a.CalledAt = t.now
	a.Next, a.NextAt = "", time.Time{}
	switch kind {
	case CallPay:
		a.Sends++
		a.SentAt = t.now
	case CallCancel:
		a.Status = AttemptCancelling
		a.Cancels++
		a.CancelledAt = t.now
	}
	t.calls = append(t.calls, Call{Sale: t.sale.ID, Attempt: a.N, Seq: a.Seq, Kind: kind, Gateway: a.Gateway})
}

// startNext starts the call that was planned, if its time has come.
func (t *step) startNext(a *Attempt) {
	if a == nil || a.Call != nil || a.Next == "" || !t.reached(a.NextAt) {
		return
	}
	t.call(a, a.Next)
}

func (t *step) planCall(a *Attempt, kind CallKind, at time.Time) {
	if t.policy.forbids(kind) {
		t.askInstead(a)
		return
	}
	a.Next, a.NextAt = kind, at
}

// traits of the attempt's gateway.
func (t *step) traits(a *Attempt) Traits { return t.policy.Gateways[a.Gateway] }

// configured reports whether the attempt's gateway is in the configuration. Of one
// that is not nobody knows what it can be asked, so that nothing is planned anew.
func (t *step) configured(a *Attempt) bool {
	_, is := t.policy.Gateways[a.Gateway]
	return is
}

// addressable reports whether the gateway can be asked about this very order.
func (t *step) addressable(a *Attempt) bool {
	return a.PaymentID != "" && !a.IDDisproved || t.traits(a).InquireByRequestID
}

// question is the call that asks for the truth about the attempt, or "" when
// the gateway has none.
func (t *step) question(a *Attempt) CallKind {
	switch {
	case t.addressable(a):
		return CallInquire
	case t.traits(a).TransactionList:
		return CallLookup
	}
	return ""
}

// cancelAttempt turns to closing the live attempt, by the register's wish or ours.
func (t *step) cancelAttempt() {
	s := &t.sale
	s.Next = nil
	s.Status = SaleCancelling
	s.CancelUntil = t.now.Add(t.policy.CancelBound)
	t.beginCancelling(s.LiveAttempt())
}

// beginCancelling asks once more before the first cancel (M5). A pay or a cancel
// under way is awaited; an inquiry is given up for a fresh one.
func (t *step) beginCancelling(a *Attempt) {
	t.wipeCode(a) // no second send any more
	a.Polls = 0
	switch {
	case a.Call != nil && a.Call.Kind != CallInquire && a.Call.Kind != CallLookup:
	case t.abandonable(a):
		t.end(a, AttemptClosed, Failure{Reason: ReasonQRNotShown}, false)
	case a.Cancels > 0: // already under way
		t.plan(a)
	default:
		if q := t.question(a); q != "" {
			t.call(a, q)
		}
	}
}

// abandonable reports whether the attempt is a QR that nobody saw and whose
// order cannot be asked about: nobody can pay it (M8). A gateway that says that
// it was paid all the same is believed.
func (t *step) abandonable(a *Attempt) bool {
	return a.Instrument == InstrumentQR && a.QR == nil && a.Status == AttemptUnknown &&
		!t.addressable(a) && !a.AlreadyPaid && !a.Moved
}

// fastPhaseOver frees the counter: what can be cancelled is, what cannot goes on
// in the background (M15).
func (t *step) fastPhaseOver(a *Attempt) {
	if t.addressable(a) {
		t.cancelAttempt()
		return
	}
	t.unresolved(a)
}

// unresolved frees the terminal; the resolver goes on asking.
func (t *step) unresolved(a *Attempt) {
	s := &t.sale
	s.Status = SaleUnresolved
	s.Next = nil
	t.wipeCode(a)
	a.Polls = 0
	if a.Call == nil {
		t.plan(a)
	}
}

// wipeCode forgets the payment code: a second send is of no use any more (M7).
func (t *step) wipeCode(a *Attempt) { a.Code = Code{} }

// end records what ended the attempt, and where the sale goes from here. An end
// that does not prove that no money can be taken is watched (P3).
func (t *step) end(a *Attempt, status AttemptStatus, why Failure, proved bool) {
	s := &t.sale
	why.Attempt = a.N
	a.Status, a.EndedAt = status, t.now
	a.Reason, a.GatewayCode = why.Reason, why.GatewayCode
	a.Next, a.NextAt, a.Call, a.Doubted = "", time.Time{}, nil, nil
	t.wipeCode(a)
	if !proved {
		t.watch(a)
	}
	s.LastFailure = &why

	next := s.Next
	s.Next = nil
	switch {
	case s.CancelWanted:
		s.Status = SaleCancelled
	case s.Status == SaleUnresolved:
		s.Status = SaleExpired
	case next != nil:
		if t.start(InstrumentCode, next.Wallet, next.Code) != nil {
			t.awaitCode()
		}
	default:
		qrLost := a.Instrument == InstrumentQR && (why.Reason == ReasonGatewayUnreachable || why.Reason == ReasonQRNotShown)
		t.awaitCode()
		if qrLost && !s.QRRetried && s.Status == SaleAwaitingCode {
			s.QRRetryAt = t.now.Add(t.policy.QRRetry) // M8, M9
		}
	}
}

// awaitCode opens a fresh scan window, or expires a sale whose deadline has passed.
func (t *step) awaitCode() {
	s := &t.sale
	if t.reached(s.Deadline) {
		s.Status = SaleExpired
		return
	}
	s.Status = SaleAwaitingCode
	s.ScanUntil = t.now.Add(t.policy.ScanWindow)
}

// paid records a verified, matching payment (P4).
func (t *step) paid(a *Attempt, v Verdict) {
	s := &t.sale
	a.Status, a.EndedAt = AttemptPaid, t.now
	a.Reason, a.GatewayCode = "", ""
	a.Next, a.NextAt, a.Call, a.Doubted = "", time.Time{}, nil, nil
	t.wipeCode(a)
	if a.IDDisproved && v.PaymentID != a.PaymentID { // proved without an id; the one known is another order's
		a.PaymentID = ""
	}
	a.IDDisproved = false
	s.Late = s.Status == SaleUnresolved
	if s.Late && s.CancelWanted && s.Override == nil { // M12: after one more look it is given back
		a.Watch = &Watch{From: t.now}
		t.firstSighting(a, v)
	}
	s.Status = SalePaid
	s.Next = nil
	s.LastFailure = nil
	s.Receipt = &Receipt{Wallet: a.Wallet, PaymentID: a.PaymentID, PaidAmount: v.Amount, PaidAt: v.PaidAt}
	if v.PaidAt.IsZero() {
		s.Receipt.PaidAt = t.now
	}
	t.returned(a, v.Returned, v.Amount)
}

// hideAt is when the QR leaves every screen by itself (M8).
func (t *step) hideAt(a *Attempt) time.Time {
	hide := a.ExpiresAt.Add(-t.policy.QRMargin)
	if t.sale.Deadline.Before(hide) {
		return t.sale.Deadline
	}
	return hide
}

func sameSale(a, b Sale) bool { return reflect.DeepEqual(a, b) }
