package payment_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"payscand/payment"
)

// Whatever happens at a counter, in whatever order and with whatever trouble on
// the way to the gateway: the promises P2 to P5 and the rules M1 to M13 and M15
// hold after every step; counter.hold lists them. Once the trouble is over, every
// order whose truth can be asked for is resolved within the policy's bound; two
// days later every capture is a sale's, given back or reported, and every refund
// is what the gateway did, or a person's for the reason that M13 gives.
func TestAnythingAtTheCounter(t *testing.T) {
	t.Parallel() // one of the few long ones
	for name, traits := range map[string]payment.Traits{"AlphaPay": alphaPayLike, "Alipay+": alipayPlusLike} {
		t.Run(name, rapid.MakeCheck(func(rt *rapid.T) {
			c := newCounter(func(n int, what string) int { return rapid.IntRange(0, n-1).Draw(rt, what) }, traits)
			c.strict = true
			c.open()
			for range rapid.IntRange(5, 40).Draw(rt, "events") {
				c.anything()
				if c.broken != nil {
					rt.Fatal(c.broken)
				}
			}
			if heal(c); c.broken != nil {
				rt.Fatal(c.broken)
			}
		}))
	}
}

// heal lets the gateway answer everything at once again and demands the truth.
func heal(c *counter) {
	if c.sale.ID == "" {
		return
	}
	c.gateway.healed = true
	_ = c.happens(payment.CheckRequested{}) // as the engine does for every open sale (M14)
	// The longest pause of the slow phase on its first day, twice: once to see the
	// order's end, which is at most its life away, once for the jitter.
	c.pass(2*c.policy.SlowHourly + orderLife + c.policy.SaleDeadline)
	s := c.sale
	defer looksAgain(c)
	switch {
	case c.broken != nil || s.Status.Final():
		return
	case s.Status != payment.SaleUnresolved:
		c.fail("hours after the trouble the terminal is not free")
		return
	}
	a := s.LiveAttempt()
	if o := c.gateway.captured(a.RequestID); o != nil {
		if c.gateway.traits.CancelReverses && a.Cancels > 0 {
			c.fail("a payment that is being reversed is still not reversed")
		}
		c.fail("hours after the trouble a payment is not found")
	}
	switch asked := len(c.gateway.of(a.RequestID)) > 0; {
	case !asked:
		c.fail("an order that never arrived is not closed by its absence: %+v", a.Absence)
	case c.gateway.traits.InquireByRequestID:
		c.fail("an order that can be inquired is unresolved")
	case a.Sends == 1:
		c.fail("an order that was sent once and is on the list is unresolved")
	case a.PaymentID != "" && !a.IDFromResend:
		c.fail("an order with a payment id is unresolved")
	}
}

// looksAgain passes the days in which captures are found, given back within the
// day's limit, and refunds end.
func looksAgain(c *counter) {
	if c.broken != nil {
		return
	}
	c.pass(52 * time.Hour)
	if c.broken == nil {
		c.trueAtTheEnd()
	}
}

// randomly returns a chooser that goes the same way for the same seed.
func randomly(seed uint64) chooser {
	r := rand.New(rand.NewPCG(seed, seed))
	return func(n int, _ string) int { return r.IntN(n) }
}

// explored is what many counters, run the same way every time, came upon.
type explored struct {
	edges        map[edge]bool
	attemptEdges map[[2]payment.AttemptStatus]bool
	// examples are sales in each status.
	examples map[payment.SaleStatus][]payment.Sale
}

var explore = sync.OnceValues(func() (explored, error) {
	found := explored{map[edge]bool{}, map[[2]payment.AttemptStatus]bool{}, map[payment.SaleStatus][]payment.Sale{}}
	for seed := range uint64(1800) {
		traits := alphaPayLike
		if seed%2 == 1 {
			traits = alipayPlusLike
		}
		c := newCounter(randomly(seed), traits)
		c.open()
		for range 25 {
			if c.anything(); c.broken != nil {
				return found, fmt.Errorf("seed %d: %w", seed, c.broken)
			}
			if s := c.sale; len(found.examples[s.Status]) < 12 {
				found.examples[s.Status] = append(found.examples[s.Status], s)
			}
		}
		maps.Copy(found.edges, c.edges)
		maps.Copy(found.attemptEdges, c.attemptEdges)
	}
	return found, nil
})

func mustExplore(t *testing.T) explored {
	t.Helper()
	found, err := explore()
	if err != nil {
		t.Fatal(err)
	}
	return found
}
