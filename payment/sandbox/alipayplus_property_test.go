package sandbox

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Whatever a client, a customer, the portal and the clock do, in whatever order:
// money is taken at most once for a request id, no more is given back than was
// taken, a refund id gives back once, a cancelled order never stays paid, what is
// final stays so, and inquiries tell the truth.
func TestAlipayPlusProperties(t *testing.T) {
	digits := []string{}
	for _, row := range Behaviours() {
		digits = append(digits, row.Digits)
	}
	rapid.Check(t, func(rt *rapid.T) {
		p := plusOf(newDirectPractice(t, func(c *Config) { c.After = instantly }))
		p.bareCalls = true
		ids := []string{"R-1", "R-2"}
		chosen := map[string]string{}
		for _, id := range ids {
			chosen[id] = rapid.SampledFrom(digits).Draw(rt, "digits of "+id)
		}
		before, cancelled := map[string]Order{}, map[string]bool{}
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			id := rapid.SampledFrom(ids).Draw(rt, "order")
			switch rapid.SampledFrom([]string{"scan", "scan", "show", "cancel", "refund", "refund", "portal", "wallet", "wait", "long wait"}).Draw(rt, "action") {
			case "scan":
				_, _ = p.ask(p.plusRequest(plusPay, codeOrder(id, code(chosen[id])))) // an answer may be lost or damaged
			case "show":
				_, _ = p.ask(p.plusRequest(plusPay, orderCode(id)))
			case "cancel":
				got, err := p.ask(p.plusRequest(plusCancel, obj{"paymentRequestId": id}))
				cancelled[id] = cancelled[id] || err == nil && got.String() == "S SUCCESS"
			case "refund":
				amount := rapid.SampledFrom([]string{"1", "600", "1250", "1251"}).Draw(rt, "amount")
				name := rapid.SampledFrom([]string{"F-1", "F-2", "F-3"}).Draw(rt, "refund id")
				_, _ = p.ask(p.plusRequest(plusRefund, refundOrder(id, name, amount)))
			case "portal":
				_, _ = p.Refund(id, 100) // often refused
			case "wallet":
				_, _ = p.Pay(id)
			case "wait":
				p.clock.advance(3 * time.Second)
			case "long wait":
				p.clock.advance(10 * time.Hour)
			}
			owner := map[string]string{}
			for _, order := range p.Orders() {
				checkReversible(rt, before[order.RequestID], order)
				if cancelled[order.RequestID] && (order.Status == StatusPaid || order.Status == StatusPending) {
					rt.Fatalf("cancelled, and then %+v", order)
				}
				for _, refund := range order.Refunds {
					if other := owner[refund.RequestID]; other != "" {
						rt.Fatalf("%s gave money back for %s and for %s", refund.RequestID, other, order.RequestID)
					}
					owner[refund.RequestID] = order.RequestID
				}
				before[order.RequestID] = order
			}
		}
		for _, order := range p.Orders() {
			p.checkPlusTruth(order)
		}
	})
}

func checkReversible(rt *rapid.T, before, after Order) {
	taken := after.Status == StatusPaid || after.Status == StatusReversed
	succeeded := int64(0)
	for _, refund := range after.Refunds {
		if refund.Status == RefundSucceeded {
			succeeded += refund.Amount
		}
	}
	switch {
	case taken != (after.Captures == 1) || after.Captures > 1:
		rt.Fatalf("%d captures: %+v", after.Captures, after)
	case after.Refunded != succeeded || after.Refunded < before.Refunded || after.Refunded > int64(after.Captures)*after.Amount || after.Refundable() < 0:
		rt.Fatalf("refunded %d, before %d: %+v", after.Refunded, before.Refunded, after)
	case after.Status == StatusReversed && len(after.Refunds) > 0 && after.Refunded > 0:
		rt.Fatalf("given back twice: %+v", after)
	}
	allowed := map[Status][]Status{
		"": nil, StatusAbsent: nil, StatusPending: nil, // may become anything
		StatusPaid: {StatusPaid, StatusReversed}, StatusFailed: {StatusFailed}, StatusReversed: {StatusReversed},
		StatusClosed: {StatusClosed, StatusReversed},
	}[before.Status]
	if allowed != nil && !slices.Contains(allowed, after.Status) {
		rt.Fatalf("%s became %s", before.Status, after.Status)
	}
}
