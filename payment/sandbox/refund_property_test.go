package sandbox

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Whatever is refunded over the wire or in the portal, sent again, waited for, or
// paid in between: what is refunded is never above what was captured, final stays
// final, and what moved, added up, is captures less refunds.
func TestRefundedNeverAboveCaptured(t *testing.T) {
	digits := []string{"00", "03", "04"}
	for _, row := range Behaviours() {
		if row.refund != refundsAtOnce {
			digits = append(digits, row.Digits)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		clock := newClock()
		ledger := newLedger(Config{Seed: "test", PendingDelay: 3 * time.Second, Speed: 1, MaxOrders: 100})
		ids := map[string]string{}
		for _, id := range []string{"R-1", "R-2"} {
			spec := orderSpec{Gateway: GatewayAlphaPay, RequestID: id, Amount: 100, Currency: "CAD", Instrument: InstrumentCode, Life: 5 * time.Minute,
				Code: code(rapid.SampledFrom(digits).Draw(rt, "digits of "+id))}
			if _, _, err := ledger.arrive(clock.Now(), spec); err != nil {
				rt.Fatal(err)
			}
			order, _, err := ledger.place(clock.Now(), GatewayAlphaPay, id)
			if err != nil {
				rt.Fatal(err)
			}
			ids[id] = order.PaymentID
		}
		before := map[string]Order{}
		for range rapid.IntRange(1, 30).Draw(rt, "steps") {
			id := rapid.SampledFrom([]string{"R-1", "R-2"}).Draw(rt, "order")
			amount := rapid.SampledFrom([]int64{-1, 0, 1, 30, 99, 100, 101, 1 << 62}).Draw(rt, "amount")
			switch rapid.SampledFrom([]string{"refund", "refund", "portal", "wallet pays", "wait"}).Draw(rt, "action") {
			case "refund":
				spec := refundSpec{Order: byPayment(GatewayAlphaPay, ids[id]), RequestID: rapid.SampledFrom([]string{"F-1", "F-2"}).Draw(rt, "request"),
					Amount: amount, Currency: rapid.SampledFrom([]string{"CAD", "CAD", "CNY"}).Draw(rt, "currency")}
				_, made, _, err := ledger.refund(clock.Now(), spec)
				if err == nil && (made.Amount != amount || made.RequestID != spec.RequestID || spec.Currency != "CAD") {
					rt.Fatalf("asked for %+v, made %+v", spec, made)
				}
			case "portal":
				_, _ = ledger.refundInPortal(clock.Now(), byAnyRequest(id), amount) // often refused
			case "wallet pays":
				_, _ = ledger.decide(clock.Now(), byAnyRequest(id), StatusPaid)
			case "wait":
				clock.advance(time.Duration(rapid.SampledFrom([]int{1, 3, 300, 86_400, 366 * 86_400}).Draw(rt, "seconds")) * time.Second)
			}
			checkMoney(rt, ledger, clock.Now(), before)
		}
	})
}

// checkMoney holds one step of a ledger against the last one and against what
// moved.
func checkMoney(rt *rapid.T, ledger *ledger, now time.Time, before map[string]Order) {
	moved, kept := int64(0), int64(0)
	for _, m := range ledger.movements(now, GatewayAlphaPay, time.Time{}, now.Add(1)) {
		if m.refund == nil {
			moved += m.amount()
		} else {
			moved -= m.amount()
		}
	}
	for _, order := range ledger.orders(now) {
		kept += int64(order.Captures)*order.Amount - order.Refunded
		succeeded, pending := int64(0), 0
		for n, refund := range order.Refunds {
			switch refund.Status {
			case RefundSucceeded:
				succeeded += refund.Amount
			case RefundPending:
				pending++
			}
			if old := before[order.RequestID].Refunds; n < len(old) && old[n].Status != RefundPending && old[n] != refund {
				rt.Fatalf("%+v became %+v", old[n], refund)
			}
			if refund.Amount < 1 || refund.Status == RefundPending && n != len(order.Refunds)-1 {
				rt.Fatalf("refund %d of %+v", n, order)
			}
		}
		if order.Refunded != succeeded || order.Refundable() < 0 || pending > 1 || len(order.Refunds) < len(before[order.RequestID].Refunds) {
			rt.Fatalf("%d succeeded, %d pending: %+v", succeeded, pending, order)
		}
		before[order.RequestID] = order
	}
	if moved != kept {
		rt.Fatalf("moved %d, kept %d", moved, kept)
	}
}

// The refunds of an order are bounded, and go with it; one whose refund is
// pending does not make room.
func TestRefundsAreBounded(t *testing.T) {
	p := newDirectPractice(t, func(c *Config) { c.MaxOrders = 1 })
	p.pay("R-1", "00")
	for n := range maxRefunds {
		if _, err := p.Refund("R-1", 1); err != nil {
			t.Fatalf("refund %d: %v", n+1, err)
		}
	}
	order := p.truth("R-1")
	if got := p.refund(order.PaymentID, "F-1", "1"); got.String() != "U SYSTEMERROR" || len(p.truth("R-1").Refunds) != maxRefunds {
		t.Errorf("one more: %v", got)
	}
	if got := len(p.ledger.byRefund); got != maxRefunds {
		t.Errorf("%d ids for %d refunds", got, maxRefunds)
	}

	refund := p.refund(p.pay("R-2", "40").PaymentID, "F-1", "1")
	if got := p.call(refundInquiry, `{"refundId":"`+order.Refunds[0].RefundID+`"}`); got.String() != "F ORDER_MISMATCH" {
		t.Errorf("a refund of a dropped order: %v", got)
	}
	if got := p.pay("R-3", "00"); got.String() != "U SYSTEMERROR" {
		t.Errorf("an order whose refund is pending was dropped: %v", got)
	}
	if got := p.inquireRefund(refund.RefundID).RefundStatus; got != "REFUND_IN_PROCESS" {
		t.Errorf("that refund: %s", got)
	}
	p.clock.advance(3 * time.Second)
	if got := p.pay("R-3", "00"); got.String() != "S SUCCESS" || len(p.ledger.byRefund) != 0 {
		t.Errorf("after the refund: %v, %d refunds kept", got, len(p.ledger.byRefund))
	}
}

// Whatever a well signed body holds, the answer is signed and one of the
// vendor's, and only a success gives money back: what it names, and never more
// than was captured.
func FuzzRefund(f *testing.F) {
	paymentID := newDirectPractice(f).pay("R-1", "00").PaymentID // the seed makes it the same in every run
	for _, seed := range []string{refundBody(paymentID, "F-1", "100"), refundBody(paymentID, "F-1", "1250"), refundBody(paymentID, "F-1", "9999999"),
		refundBody("1", "F-1", "1"), "", "{}", "null", `{"refund":null}`, `{"refund":{"refundAmount":null}}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		if len(body) > maxBodyBytes {
			return
		}
		p := newDirectPractice(t)
		p.pay("R-1", "00")
		answer, err := p.do(p.request(refundPath, body))
		if err != nil {
			t.Fatal(err)
		}
		order := p.truth("R-1")
		if order.Refunded < 0 || order.Refunded > order.Amount {
			t.Fatalf("refunded %+v", order)
		}
		if success := answer.String() == "S SUCCESS"; success != (order.Refunded > 0) || success && len(order.Refunds) != 1 {
			t.Fatalf("answer %v, order %+v", answer, order)
		}
	})
}
