package payment

import (
	"fmt"
	"time"
)

// Step decides what an event does to a sale at a time: the sale as it is to be
// stored, and the gateway calls to start once that is durable (M1). It is pure.
// now is this machine's corrected UTC time.
//
// It returns *ConflictError when the sale's state does not allow the event and
// *RouteError when no gateway takes it; the sale is then as it was. An event
// that changes nothing returns an empty Change.
func Step(s Sale, e Event, now time.Time, p Policy) (Change, []Call, error) {
	if _, known := transitions[s.Status][e.Kind()]; !known {
		return Change{}, nil, &ConflictError{Sale: s.ID, Status: s.Status, Event: e.Kind()}
	}
	t := &step{sale: s.clone(), now: now, policy: p}
	if err := t.apply(e); err != nil {
		return Change{}, nil, err
	}
	return t.finish(s, e)
}

// step is one run of Step: the sale being changed and the calls wanted.
type step struct {
	sale   Sale
	now    time.Time
	policy Policy
	calls  []Call
	wait   bool // see Outcome
}

func (t *step) apply(e Event) error {
	switch e := e.(type) {
	case Created:
		return t.created(e)
	case PaidElsewhere:
		return t.paidElsewhere(e)
	case CodePresented:
		return t.codePresented(e)
	case QRRequested:
		return t.qrRequested()
	case CancelRequested:
		t.cancelRequested()
	case CheckRequested:
		t.checkRequested()
	case ScannerLost:
		t.scannerLost()
	case Due:
		t.due()
		t.startDueCall(e.Gateway)
	case Outcome:
		t.outcome(e)
	case Recovered:
		t.recovered()
		t.recoverBackground()
	case RefundRequested:
		return t.refundRequested(e)
	case Resolved:
		return t.resolved(e)
	default:
		return fmt.Errorf("sale %s: unknown event %T", t.sale.ID, e)
	}
	return nil
}

// finish derives what follows from the new state (Due, armings, version, record)
// and holds it against the transition table.
func (t *step) finish(before Sale, e Event) (Change, []Call, error) {
	s := &t.sale
	if !allowed(before.Status, e.Kind(), s.Status) {
		return Change{}, nil, fmt.Errorf("sale %s: %s took it from %q to %q, which the transition table does not allow",
			s.ID, e.Kind(), before.Status, s.Status)
	}
	if s.Armed() && (!before.Armed() || e.Kind() == EventRecovered) {
		s.Armings++
	}
	s.CounterDue = t.counterDue()
	s.Due = s.CounterDue
	s.background("", func(at time.Time, _ *Attempt, _ *Refund) { s.Due = Earlier(s.Due, at) })
	s.AlsoDue = s.alsoDue()
	if len(t.calls) == 0 && sameSale(before, *s) {
		return Change{}, nil, nil
	}
	c := Change{Before: before}
	if before.ID == "" || before.Status != s.Status || !sameView(before.View(), s.View()) {
		s.Version++
		s.UpdatedAt = t.now
		c.Record = &Record{At: t.now, Type: recordType(before, *s), Sale: s.ID, Version: s.Version}
	}
	c.After = *s
	return c, t.calls, nil
}

func (t *step) created(e Created) error {
	t.sale = Sale{
		ID: e.ID, Key: e.Key, Digest: e.Digest, Status: SaleAwaitingCode,
		Amount: e.Amount, Reference: e.Reference, Description: e.Description, Mode: e.Mode,
		CreatedAt: t.now, Deadline: t.now.Add(t.policy.SaleDeadline), ScanUntil: t.now.Add(t.policy.ScanWindow),
	}
	switch {
	case e.Mode == ModeQR:
		return t.startQR()
	case !e.Scanner && t.autoQRPossible(): // M9: no scanner
		return t.startQR()
	}
	return nil
}

func (t *step) codePresented(e CodePresented) error {
	s := &t.sale
	conflict := func(why string) error {
		return &ConflictError{Sale: s.ID, Status: s.Status, Event: EventCode, Why: why}
	}
	if e.Arming != 0 && e.Arming != s.ArmingToken() {
		return conflict("the scan began before the scanner was armed for this sale: scan again") // P7, M10
	}
	if len(s.Attempts) >= MaxAttempts {
		return conflict(fmt.Sprintf("it had %d attempts, which is the limit: cancel it and start a new sale", MaxAttempts))
	}
	if _, ok := t.policy.Route(e.Wallet, InstrumentCode); !ok {
		return &RouteError{Wallet: e.Wallet, Instrument: InstrumentCode}
	}
	a := s.LiveAttempt()
	if a == nil {
		return t.start(InstrumentCode, e.Wallet, e.Code)
	}
	// A QR is live: the code waits until it is closed (M2).
	s.Next = &NextCode{Code: e.Code, Wallet: e.Wallet}
	s.Status = SaleSwitching
	s.CancelUntil = t.now.Add(t.policy.SwitchBound)
	t.beginCancelling(a)
	return nil
}

func (t *step) qrRequested() error {
	if t.sale.Status == SaleShowingQR {
		return nil
	}
	return t.startQR()
}

func (t *step) cancelRequested() {
	s := &t.sale
	switch s.Status {
	case SaleAwaitingCode:
		s.CancelWanted = true
		s.Status = SaleCancelled
	case SaleProcessing, SaleShowingQR, SaleSwitching:
		s.CancelWanted = true
		t.cancelAttempt()
	case SaleCancelling:
		s.CancelWanted = true
	case SaleUnresolved:
		if a := s.LiveAttempt(); a != nil && !s.CancelWanted {
			s.CancelWanted = true
			t.hasten(a)
		}
	}
}

func (t *step) checkRequested() {
	for i := range t.sale.Attempts {
		switch a := &t.sale.Attempts[i]; {
		case !t.configured(a): // nobody could ask
		case !a.Status.Final():
			t.hasten(a)
		case a.Watch != nil || looksAgain(a):
			t.lookAgain(a)
		}
	}
	for i := range t.sale.Refunds {
		r := &t.sale.Refunds[i]
		if r.Status.Final() || r.Call != nil || r.Next == CallRefund || !t.configured(t.sale.Attempt(r.Attempt)) {
			continue
		}
		// Also one that was given up after 30 days, yet somebody asks.
		if soon := t.soon(r.CalledAt); soon.Before(r.NextAt) || r.NextAt.IsZero() {
			t.planRefundCall(r, t.refundQuestion(r), soon)
		}
	}
}

// soon is now, but not sooner than CheckPause after the last call, and not before
// what was under way when a person decided has ended.
func (t *step) soon(called time.Time) time.Time {
	soon := called.Add(t.policy.CheckPause)
	if o := t.sale.Override; o != nil && o.At.Add(t.policy.CancelBound).After(soon) {
		soon = o.At.Add(t.policy.CancelBound)
	}
	switch latest := t.now.Add(t.policy.CancelBound); {
	case soon.Before(t.now):
		return t.now
	case soon.After(latest): // the clock was set back
		return latest
	}
	return soon
}

// hasten brings the attempt's next question forward, but never a second send of
// a pay request, and not sooner than CheckPause after the last call.
func (t *step) hasten(a *Attempt) {
	if a.Call != nil {
		return
	}
	if a.Next == "" && t.sale.Status == SaleUnresolved { // given up after 30 days, yet somebody asks
		a.Next = t.question(a)
	}
	if a.Next == CallPay || a.Next == "" {
		return
	}
	if soon := t.soon(a.CalledAt); soon.Before(a.NextAt) || a.NextAt.IsZero() {
		a.NextAt = soon
	}
}

func (t *step) scannerLost() {
	if t.sale.Status == SaleAwaitingCode && t.autoQRPossible() {
		_ = t.startQR() // autoQRPossible holds everything that startQR refuses
	}
}

// resolved carries out a person's decision about an unresolved sale. The attempt
// is still watched: the truth may come out against it (P3).
func (t *step) resolved(e Resolved) error {
	s := &t.sale
	a := s.LiveAttempt()
	if a == nil || e.Outcome != OverridePaid && e.Outcome != OverrideNotPaid {
		return &ConflictError{Sale: s.ID, Status: s.Status, Event: EventResolved, Why: "the outcome must be paid or not_paid"}
	}
	s.Override = &Override{Outcome: e.Outcome, Operator: e.Operator, Note: e.Note, At: t.now}
	if e.Outcome == OverrideNotPaid {
		t.end(a, AttemptClosed, Failure{Reason: ReasonOverridden}, false)
		return nil
	}
	t.paid(a, Verdict{Amount: s.Amount})
	a.Reason = ReasonOverridden
	t.watch(a)
	return nil
}
