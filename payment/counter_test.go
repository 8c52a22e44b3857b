package payment_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
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
	// sightings count the verified proofs of a capture that were brought.
	sightings map[string]int
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
		choose: choose, policy: testPolicy(traits), now: dayOne, unlisted: map[string]bool{}, sightings: map[string]int{}, edges: map[edge]bool{},
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
	for range 16 {
		if c.broken != nil || !c.isDue() {
			break
		}
		if err := c.step(payment.Due{Gateway: "gw"}); err != nil {
			c.fail("due is refused: %v", err)
		}
	}
	if c.isDue() {
		c.fail("still due at %s after sixteen due events", c.sale.Due.Sub(dayOne))
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
		c.flights = slices.DeleteFunc(c.flights, func(f flight) bool {
			return f.call.Attempt == call.Attempt && f.call.Refund == call.Refund
		})
		v, took := c.gateway.answer(c.sale, call, c.now)
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
			_ = c.happens(payment.Due{Gateway: "gw"})
		default:
			return
		}
	}
}

func (c *counter) land(i int) {
	f := c.flights[i]
	c.flights = slices.Delete(c.flights, i, i+1)
	c.lastOutcome = f.verdict
	if f.call.Refund == 0 && f.verdict.Class == payment.ClassFailed && !f.verdict.Documented {
		c.unlisted[fmt.Sprintf("%s-%d", saleID, f.call.Attempt)] = true
	}
	if f.verdict.Class == payment.ClassPaid && f.verdict.Amount == tenBucks {
		c.sightings[f.verdict.RequestID]++
	}
	_ = c.happens(payment.Outcome{
		Attempt: f.call.Attempt, Refund: f.call.Refund, Seq: f.call.Seq, Verdict: f.verdict,
		MayReverse: c.gateway.healed || c.choose(3, "may reverse") > 0,
	})
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
	switch c.choose(20, "event") {
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
		_ = c.happens(payment.Due{Gateway: "gw"}) // also when nothing is due
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
	case 16:
		c.pass(20 * time.Minute)
	case 17, 18:
		amounts := []int64{0, 300, 700, tenBucks.Amount, tenBucks.Amount + 1, -1}
		_ = c.happens(payment.RefundRequested{Key: "refund", Amount: amounts[c.choose(len(amounts), "refund")]})
	case 19:
		switch outcomes := []payment.OverrideOutcome{payment.OverridePaid, payment.OverrideNotPaid}; c.choose(6, "person") {
		case 0, 1:
			_ = c.happens(payment.Resolved{Outcome: outcomes[c.choose(2, "outcome")], Operator: "Ann", Note: "asked the customer"})
		case 2:
			c.gateway.refundInPortal()
		case 3:
			c.policy.ReverseLateCaptures = !c.policy.ReverseLateCaptures
		}
	}
}

func (c *counter) open() {
	modes := []payment.Mode{payment.ModeAuto, payment.ModeScan, payment.ModeQR}
	_ = c.happens(payment.Created{
		ID: saleID, Key: "key", Digest: "digest", Amount: tenBucks, Reference: "R-1", Description: "Tea",
		Mode: modes[c.choose(len(modes), "mode")], Scanner: c.choose(3, "scanner") > 0,
	})
}
