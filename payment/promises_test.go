package payment_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"payscand/payment"
)

// hold holds one step against the promises.
func (c *counter) hold(before payment.Sale, e payment.Event, change payment.Change, calls []payment.Call, err error) {
	c.holdPure(before, e, change, calls, err)
	after := change.After
	if err != nil || after.ID == "" {
		if after.ID != "" || len(calls) > 0 || change.Record != nil {
			c.fail("%s: a refused or empty step returned a change or calls (%v)", e.Kind(), err)
		}
		return
	}
	if before.Status.Final() && before.Status != after.Status {
		c.fail("%s moved a final sale to %s", e.Kind(), after.Status)
	}
	c.holdAttempts(before, e, after)
	c.holdCalls(before, e, after, calls)
	c.holdSecrets(after, c.holdRecord(before, e, change))
	c.holdMoney(before, after)
	c.holdRefunds(before, e, after, calls)
}

// holdPure: the same event in the same state gives the same again. Every third
// step is enough to see it.
func (c *counter) holdPure(before payment.Sale, e payment.Event, change payment.Change, calls []payment.Call, err error) {
	if c.steps%3 > 0 {
		return
	}
	again, callsAgain, errAgain := payment.Step(before, e, c.now, c.policy)
	if !reflect.DeepEqual(change, again) || !reflect.DeepEqual(calls, callsAgain) || (err == nil) != (errAgain == nil) {
		c.fail("%s: Step is not pure", e.Kind())
	}
}

// holdAttempts: P2, M2, M8 and "a final attempt never changes".
func (c *counter) holdAttempts(before payment.Sale, e payment.Event, after payment.Sale) {
	if len(after.Attempts) > payment.MaxAttempts || len(after.Attempts) < len(before.Attempts) {
		c.fail("%s: from %d attempts to %d", e.Kind(), len(before.Attempts), len(after.Attempts))
	}
	for i, a := range after.Attempts {
		if i < len(after.Attempts)-1 && !a.Status.Final() {
			c.fail("%s: attempt %d is live and not the last", e.Kind(), a.N)
		}
		if i < len(before.Attempts) && before.Attempts[i].Status.Final() && !reflect.DeepEqual(verdictOf(before.Attempts[i]), verdictOf(a)) {
			c.fail("%s changed attempt %d, which was over", e.Kind(), a.N)
		}
		planned := a.Call != nil || !a.NextAt.IsZero()
		taken := a.Status == payment.AttemptPaid || a.Capture != nil // a check asks about it
		if a.Status.Final() && (!a.Code.IsZero() || planned && a.Watch == nil && !taken) {
			c.fail("%s: attempt %d is over and keeps a code, or a call or a plan without a watch", e.Kind(), a.N)
		}
		if a.Watch != nil && (!a.Status.Final() || a.Call == nil && (a.NextAt.IsZero() || a.Next != asks && a.Next != payment.CallLookup)) {
			c.fail("%s: attempt %d (%s) is watched and not asked about: %q at %s", e.Kind(), a.N, a.Status, a.Next, a.NextAt)
		}
	}
	live := after.LiveAttempt()
	if after.Status.Final() && live != nil || live == nil && after.Status != payment.SaleAwaitingCode && !after.Status.Final() {
		c.fail("%s: %s with live attempt %v", e.Kind(), after.Status, live != nil)
	}
	if live != nil && after.Status == payment.SaleAwaitingCode {
		c.fail("%s: armed for a first scan with a live attempt", e.Kind())
	}
	visible := after.VisibleQR()
	if visible != nil && (live == nil || live.Instrument != payment.InstrumentQR || after.Status != payment.SaleShowingQR) {
		c.fail("%s: a QR is visible that cannot be the live attempt's", e.Kind())
	}
	for _, a := range after.View().Attempts {
		if (a.QRPayload != "") != (visible != nil && a.N == len(after.Attempts)) {
			c.fail("%s: the view of attempt %d shows QR %q", e.Kind(), a.N, a.QRPayload)
		}
	}
}

// verdictOf is the part of an attempt that never changes once it is over: all
// but what its watch brings.
func verdictOf(a payment.Attempt) payment.Attempt {
	a.Watch, a.Capture, a.Returned, a.Call, a.Next = nil, nil, nil, nil, ""
	a.CalledAt, a.NextAt, a.Seq, a.Polls = time.Time{}, time.Time{}, 0, 0
	a.PaymentID, a.IDDisproved = "", false
	if a.Status == payment.AttemptPaid {
		a.Reason, a.GatewayCode = "", "" // truth against a person's word is told in them
	}
	return a
}

// holdCalls: at most one call under way, never beside a pay; M5's fresh inquiry.
func (c *counter) holdCalls(before payment.Sale, e payment.Event, after payment.Sale, calls []payment.Call) {
	of := map[[2]int]bool{}
	for _, call := range calls {
		whose := [2]int{call.Attempt, call.Refund}
		if of[whose] {
			c.fail("%s started two calls of attempt %d, refund %d", e.Kind(), call.Attempt, call.Refund)
		}
		of[whose] = true
		a := after.Attempts[call.Attempt-1]
		waits := a.Call
		if call.Refund > 0 {
			waits = after.Refunds[call.Refund-1].Call
		}
		if call.Sale != after.ID || waits == nil || waits.Seq != call.Seq || waits.Kind != call.Kind || call.Gateway != a.Gateway {
			c.fail("%s: call %+v is not the one that is waited for: %+v", e.Kind(), call, waits)
		}
		if call.Refund > 0 {
			continue
		}
		if a.Status.Final() && call.Kind != asks && call.Kind != payment.CallLookup {
			c.fail("%s started %s of attempt %d, which is over", e.Kind(), call.Kind, a.N)
		}
		if call.Attempt > len(before.Attempts) {
			continue
		}
		was := before.Attempts[call.Attempt-1]
		moves := was.Call != nil && (was.Call.Kind == payment.CallPay || was.Call.Kind == payment.CallCancel)
		if _, answered := e.(payment.Outcome); moves && !answered && e.Kind() != payment.EventRecovered {
			c.fail("%s started %s beside %s", e.Kind(), call.Kind, was.Call.Kind)
		}
		if call.Seq <= was.Seq {
			c.fail("%s: call number %d after %d", e.Kind(), call.Seq, was.Seq)
		}
		fresh := e.Kind() == payment.EventOutcome && c.lastOutcome.Class.Verified() && was.Call != nil &&
			(was.Call.Kind == payment.CallInquire || was.Call.Kind == payment.CallLookup)
		if call.Kind == payment.CallCancel && was.Cancels == 0 && !fresh {
			c.fail("%s started the first cancel without a fresh inquiry (M5)", e.Kind())
		}
	}
}

// holdRecord: the version rises by one with each record and each visible change,
// never otherwise, and the journal folded gives the view. It returns the record's fields.
func (c *counter) holdRecord(before payment.Sale, e payment.Event, change payment.Change) (fields []byte) {
	after := change.After
	was, is := before.View(), after.View()
	was.Version, was.UpdatedAt = is.Version, is.UpdatedAt
	visible := before.ID == "" || !reflect.DeepEqual(was, is)
	rose := after.Version - before.Version
	if visible != (change.Record != nil) || visible && rose != 1 || !visible && rose != 0 {
		c.fail("%s: visible change %v, record %v, version %+d", e.Kind(), visible, change.Record != nil, rose)
	}
	if r := change.Record; r != nil && (r.Sale != after.ID || r.Version != after.Version || !r.At.Equal(c.now) ||
		!fitting(r.Type, before, after) || !after.UpdatedAt.Equal(c.now)) {
		c.fail("%s: record %+v does not fit the sale", e.Kind(), r)
	}
	if change.Record == nil {
		if !after.UpdatedAt.Equal(before.UpdatedAt) {
			c.fail("%s: updated without a record", e.Kind())
		}
		return nil
	}
	fields, err := payment.ChangedFields(before, after)
	if err != nil {
		c.fail("%s: %v", e.Kind(), err)
	}
	if c.folded, err = payment.Fold(c.folded, fields); err != nil {
		c.fail("%s: %v", e.Kind(), err)
	}
	if folded, view := mustJSON(c.folded), mustJSON(after.View()); folded != view {
		c.fail("%s: folded journal\n%s\nis not the view\n%s", e.Kind(), folded, view)
	}
	return fields
}

// fitting reports whether a record's type names what happened: the sale's status,
// or, while that stays, what became of a refund, a reversal or a capture.
func fitting(kind payment.RecordType, before, after payment.Sale) bool {
	switch what, _, _ := strings.Cut(string(kind), "."); {
	case kind == payment.RecordType("sale."+string(after.Status)):
		return true
	case before.Status != after.Status:
		return false
	case kind == payment.RecordLateCapture:
		return slices.ContainsFunc(after.Attempts, func(a payment.Attempt) bool { return a.Capture != nil })
	default:
		return slices.ContainsFunc(after.Refunds, func(r payment.Refund) bool {
			return r.Automatic == (what == "reversal") && kind == payment.RecordType(what+"."+string(r.Status))
		})
	}
}

func mustJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// holdSecrets: P8.
func (c *counter) holdSecrets(after payment.Sale, fields []byte) {
	if len(c.codes) == 0 || fields == nil {
		return
	}
	all := mustJSON(after) + string(fields) + fmt.Sprintf("%v %+v %#v %v", after, after, after, after.Next)
	for _, code := range c.codes {
		if strings.Contains(all, code) {
			c.fail("a payment code is printed whole")
		}
	}
}

// holdMoney: P3 and P4 against the gateway's truth.
func (c *counter) holdMoney(before, after payment.Sale) {
	n := len(after.Attempts)
	if n == 0 {
		return
	}
	for i, a := range after.Attempts {
		if i < len(before.Attempts) && before.Attempts[i].Status == a.Status || !a.Status.Final() {
			continue
		}
		o := c.gateway.captured(a.RequestID)
		switch {
		case after.Override != nil: // a person's word; the watch tells the truth
		case a.Status == payment.AttemptPaid:
			if o == nil || after.Receipt == nil || after.Receipt.PaidAmount != after.Amount || after.Receipt.PaymentID != o.paymentID {
				c.fail("said paid: the gateway knows %+v, the receipt says %+v", o, after.Receipt)
			}
			if a.Cancels > 0 && c.gateway.traits.CancelReverses {
				c.fail("said paid after a cancel that gives the money back (M5)")
			}
		case c.unlisted[a.RequestID]: // M4's documented exception, on the watch list later
		default:
			if why := c.gateway.open(a.RequestID); why != "" {
				c.fail("attempt %d is %s (%s), but %s", a.N, a.Status, a.Reason, why)
			}
		}
	}
	if (after.Status == payment.SalePaid) != (after.Attempts[n-1].Status == payment.AttemptPaid) ||
		(after.Status == payment.SalePaid) != (after.Receipt != nil) {
		c.fail("status %s with last attempt %s and receipt %v", after.Status, after.Attempts[n-1].Status, after.Receipt != nil)
	}
}

// settled holds what must be true once all due events of a moment were given.
func (c *counter) settled() {
	if !c.strict || c.broken != nil {
		return
	}
	s := c.sale
	a := s.LiveAttempt()
	c.holdCode(s)
	switch {
	case s.Status.Final():
		if !s.Due.IsZero() && !lookedAfter(s) {
			c.fail("a final sale is due that nobody looks after")
		}
	case a == nil && s.Due.IsZero():
		c.fail("waits for a code without an end")
	case a != nil && a.Call == nil && s.Due.IsZero() && s.Status != payment.SaleUnresolved:
		c.fail("nothing moves the sale on")
	}
	if s.VisibleQR() != nil && (!c.now.Before(a.ExpiresAt.Add(-c.policy.QRMargin)) || !c.now.Before(s.Deadline)) {
		c.fail("the QR is still visible %s before its expiry (M8)", a.ExpiresAt.Sub(c.now))
	}
	if s.Status.Live() && !c.cancelAsked.IsZero() && c.now.Sub(c.cancelAsked) > c.policy.CancelBound {
		c.fail("%s after the cashier's cancel the terminal is not free (M15)", c.now.Sub(c.cancelAsked))
	}
	bound := c.policy.FastPhase + callTimeOut + c.policy.CancelBound
	if a == nil || a.Instrument != payment.InstrumentCode || !s.Status.Live() {
		return
	}
	since := a.SubmittedAt
	if c.startedAt.After(since) { // nobody was served in between
		since = c.startedAt
	}
	if held := c.now.Sub(since); held > bound {
		c.fail("a code holds the counter for %s (M15)", held)
	}
}

// lookedAfter reports whether a sale has a watch or a refund that is not over.
func lookedAfter(s payment.Sale) bool {
	asked := func(a payment.Attempt) bool { // by a check, about money that was taken
		return (a.Status == payment.AttemptPaid || a.Capture != nil) && (a.Next == payment.CallInquire || a.Next == payment.CallLookup)
	}
	return slices.ContainsFunc(s.Attempts, func(a payment.Attempt) bool { return a.Watch != nil || asked(a) }) ||
		slices.ContainsFunc(s.Refunds, func(r payment.Refund) bool { return !r.Status.Final() })
}

// holdCode: the code is kept only while a second send is useful (M7).
func (c *counter) holdCode(s payment.Sale) {
	a := s.LiveAttempt()
	if s.Next != nil && s.Status != payment.SaleSwitching {
		c.fail("a code waits though no QR is being closed for it")
	}
	if a == nil || a.Code.IsZero() {
		return
	}
	underWay := a.Call != nil && a.Call.Kind == payment.CallPay
	if s.Status != payment.SaleProcessing || c.now.Sub(a.SubmittedAt) >= c.policy.FastPhase ||
		!underWay && a.Next != payment.CallPay && !a.IDFromResend {
		c.fail("the code is kept %s after the scan though no second send is planned (M7)", c.now.Sub(a.SubmittedAt))
	}
}
