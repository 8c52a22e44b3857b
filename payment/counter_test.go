package payment_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"payscand/payment"
)

// counter is a shop counter in virtual time: one sale, the calls under way and
// the model of the gateway. It stores like the store does and holds every step
// against the promises.
type counter struct {
	choose  chooser
	policy  payment.Policy
	gateway *gatewayModel
	now     time.Time
	sale    payment.Sale
	folded  payment.View
	flights []flight
	// codes are all payment codes ever used, to be found nowhere.
	codes []string
	// unlisted: request ids that ended by an F that no page lists.
	unlisted map[string]bool
	// edges are the transitions that were seen.
	edges map[edge]bool
	// attemptEdges are those of its attempts, from status to status.
	attemptEdges map[[2]payment.AttemptStatus]bool
	// strict: each step is held against every promise; otherwise only the edges are noted.
	strict      bool
	cancelAsked time.Time
	startedAt   time.Time // of the daemon, the last time
	lastOutcome payment.Verdict
	broken      error
	steps       int
}

type edge struct {
	from  payment.SaleStatus
	event payment.EventKind
	to    payment.SaleStatus
}

type flight struct {
	call    payment.Call
	verdict payment.Verdict
	at      time.Time
}

var (
	dayOne   = time.Date(2026, 3, 2, 17, 0, 0, 0, time.UTC)
	tenBucks = payment.Money{Amount: 1000, Currency: "CAD"}
)

const saleID = "01JNB6Z7Y0C0VNTERSA1E00001"

func testPolicy(traits payment.Traits) payment.Policy {
	p := payment.DefaultPolicy()
	p.Routes = []payment.Route{{Gateway: "gw"}}
	p.Gateways = map[string]payment.Traits{"gw": traits}
	return p
}

func newCounter(choose chooser, traits payment.Traits) *counter {
	return &counter{
		choose: choose, policy: testPolicy(traits), now: dayOne, unlisted: map[string]bool{}, edges: map[edge]bool{},
		attemptEdges: map[[2]payment.AttemptStatus]bool{},
		gateway:      &gatewayModel{traits: traits, choose: choose, shown: map[string]bool{}, amount: tenBucks},
	}
}

func (c *counter) fail(format string, args ...any) {
	if c.broken == nil {
		c.broken = fmt.Errorf("%s after %s in step %d: "+format,
			append([]any{c.sale.Status, c.now.Sub(dayOne), c.steps}, args...)...)
	}
}

// happens lets an event happen, stores what follows, starts the calls and gives
// all due events of this moment.
func (c *counter) happens(e payment.Event) error {
	err := c.step(e)
	for range 4 {
		if c.broken != nil || !c.isDue() {
			break
		}
		if err := c.step(payment.Due{}); err != nil {
			c.fail("due is refused: %v", err)
		}
	}
	if c.isDue() {
		c.fail("still due at %s after four due events", c.sale.Due.Sub(dayOne))
	}
	c.settled()
	return err
}

func (c *counter) isDue() bool { return !c.sale.Due.IsZero() && !c.now.Before(c.sale.Due) }

func (c *counter) step(e payment.Event) error {
	c.steps++
	before := c.sale
	change, calls, err := payment.Step(before, e, c.now, c.policy)
	if c.strict {
		c.hold(before, e, change, calls, err)
	}
	if err != nil {
		var conflict *payment.ConflictError
		var route *payment.RouteError
		if !errors.As(err, &conflict) && !errors.As(err, &route) {
			c.fail("%s: %v", e.Kind(), err)
		}
		return err
	}
	if change.After.ID == "" {
		return nil
	}
	c.edges[edge{before.Status, e.Kind(), change.After.Status}] = true
	for i, a := range change.After.Attempts {
		from := payment.AttemptStatus("")
		if i < len(before.Attempts) {
			from = before.Attempts[i].Status
		}
		c.attemptEdges[[2]payment.AttemptStatus{from, a.Status}] = true
	}
	c.sale = change.After
	if qr := c.sale.VisibleQR(); qr != nil {
		c.gateway.shown[qr.Payload] = true
	}
	for _, call := range calls {
		a := c.sale.Attempts[call.Attempt-1]
		c.flights = slices.DeleteFunc(c.flights, func(f flight) bool { return f.call.Attempt == call.Attempt })
		v, took := c.gateway.answer(a, call, c.now)
		c.flights = append(c.flights, flight{call, v, c.now.Add(took)})
	}
	return nil
}

// pass lets time pass, with every answer and every due time at its moment.
func (c *counter) pass(d time.Duration) {
	end := c.now.Add(d)
	for c.broken == nil {
		next := end
		if at := c.sale.Due; !at.IsZero() && at.Before(next) {
			next = at
		}
		arriving := -1
		for i, f := range c.flights {
			if !f.at.After(next) {
				arriving, next = i, f.at
			}
		}
		if next.After(c.now) {
			c.now = next
		}
		c.gateway.settle(c.now)
		switch {
		case arriving >= 0:
			c.land(arriving)
		case c.isDue():
			_ = c.happens(payment.Due{})
		default:
			return
		}
	}
}

func (c *counter) land(i int) {
	f := c.flights[i]
	c.flights = slices.Delete(c.flights, i, i+1)
	c.lastOutcome = f.verdict
	if f.verdict.Class == payment.ClassFailed && !f.verdict.Documented {
		c.unlisted[fmt.Sprintf("%s-%d", saleID, f.call.Attempt)] = true
	}
	_ = c.happens(payment.Outcome{Attempt: f.call.Attempt, Seq: f.call.Seq, Verdict: f.verdict})
}

// crash loses the calls under way and everything that is not stored, then
// starts again after a while, perhaps with another idea of the time.
func (c *counter) crash() {
	c.flights = nil
	c.sale = stored(c.sale)
	c.pauseBlind()
	c.startedAt = c.now
	_ = c.happens(payment.Recovered{})
}

// pauseBlind moves the clock with nobody at home.
func (c *counter) pauseBlind() {
	pauses := []time.Duration{0, 2 * time.Second, 45 * time.Second, 3 * time.Minute, time.Hour}
	c.now = c.now.Add(pauses[c.choose(len(pauses), "pause")])
	c.gateway.settle(c.now)
}

// stored returns the sale as the store gives it back: through JSON, with the
// codes kept apart.
func stored(s payment.Sale) payment.Sale {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	var back payment.Sale
	if err := json.Unmarshal(b, &back); err != nil {
		panic(err)
	}
	for i := range back.Attempts {
		back.Attempts[i].Code = s.Attempts[i].Code
	}
	return back
}

func (c *counter) newCode() payment.Code {
	text := fmt.Sprintf("28%014d%02d", 76543210987654+int64(len(c.codes))*1013, len(c.codes))
	c.codes = append(c.codes, text)
	return payment.NewCode(text)
}

// anything lets one thing happen that can happen at a counter.
func (c *counter) anything() {
	switch c.choose(16, "event") {
	case 0:
		_ = c.happens(payment.CodePresented{Code: c.newCode(), Wallet: payment.WalletAlipayPlus, Arming: c.sale.ArmingToken()})
	case 1:
		_ = c.happens(payment.CodePresented{Code: c.newCode(), Wallet: payment.WalletAlipayPlus})
	case 2:
		_ = c.happens(payment.QRRequested{})
	case 3:
		if c.choose(3, "really cancel") == 0 {
			if c.happens(payment.CancelRequested{}) == nil && c.cancelAsked.IsZero() {
				c.cancelAsked = c.now
			}
		}
	case 4:
		_ = c.happens(payment.CheckRequested{})
	case 5:
		_ = c.happens(payment.ScannerLost{})
	case 6:
		if c.choose(3, "really crash") == 0 {
			c.crash()
		}
	case 7:
		_ = c.happens(payment.Due{}) // also when nothing is due
	case 8: // an outcome of long ago
		if n := len(c.sale.Attempts); n > 0 {
			a := c.sale.Attempts[c.choose(n, "attempt")]
			_ = c.happens(payment.Outcome{Attempt: a.N, Seq: a.Seq - 1, Verdict: payment.Verdict{
				Class: payment.ClassPaid, RequestID: a.RequestID, PaymentID: a.PaymentID, Amount: tenBucks,
			}})
		}
	case 9:
		c.pass(400 * time.Millisecond)
	case 10, 11:
		c.pass(2500 * time.Millisecond)
	case 12, 13:
		c.pass(11 * time.Second)
	case 14:
		c.pass(31 * time.Second)
	case 15:
		c.pass(95 * time.Second)
	}
}

func (c *counter) open() {
	modes := []payment.Mode{payment.ModeAuto, payment.ModeScan, payment.ModeQR}
	_ = c.happens(payment.Created{
		ID: saleID, Key: "key", Digest: "digest", Amount: tenBucks, Reference: "R-1", Description: "Tea",
		Mode: modes[c.choose(len(modes), "mode")], Scanner: c.choose(3, "scanner") > 0,
	})
}

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
		if i < len(before.Attempts) && before.Attempts[i].Status.Final() && !reflect.DeepEqual(before.Attempts[i], a) {
			c.fail("%s changed attempt %d, which was over", e.Kind(), a.N)
		}
		if a.Status.Final() && (!a.Code.IsZero() || a.Call != nil || !a.NextAt.IsZero()) {
			c.fail("%s: attempt %d is over and keeps a code, a call or a plan", e.Kind(), a.N)
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

// holdCalls: at most one call under way, never beside a pay; M5's fresh inquiry.
func (c *counter) holdCalls(before payment.Sale, e payment.Event, after payment.Sale, calls []payment.Call) {
	if len(calls) > 1 {
		c.fail("%s started %d calls", e.Kind(), len(calls))
	}
	for _, call := range calls {
		a := after.Attempts[call.Attempt-1]
		if call.Sale != after.ID || call.Attempt != len(after.Attempts) || a.Call == nil ||
			a.Call.Seq != call.Seq || a.Call.Kind != call.Kind || call.Gateway != a.Gateway {
			c.fail("%s: call %+v is not the one the attempt waits for: %+v", e.Kind(), call, a.Call)
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
		r.Type != payment.RecordType("sale."+string(after.Status)) || !after.UpdatedAt.Equal(c.now)) {
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
		if !s.Due.IsZero() {
			c.fail("a final sale is due")
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
