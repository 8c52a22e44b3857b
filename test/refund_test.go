package test

import (
	"testing"
	"time"

	"payscand/api/client"
)

// TestRefunds: whatever becomes of a refund's answer, the money is given back once, and the API says so only when the
// gateway does.
func TestRefunds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, behaviour string
		amount, given   int64 // 0: all
		status          client.RefundStatus
	}{
		{"part", paidAtOnce, 400, 400, client.RefundSucceeded},
		{"all, in process for a while", "40", 0, 1000, client.RefundSucceeded},
		{"all, the answer is lost", "41", 0, 1000, client.RefundSucceeded},
		{"part, the answer is lost", "41", 250, 250, client.RefundSucceeded},
		{"the merchant has no balance", "44", 0, 0, client.RefundFailed},
		{"fails in the end", "45", 300, 0, client.RefundFailed},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := openShop(t)
			sale := s.pay(s.sell(1000), s.code(c.behaviour))
			refund, replayed, err := s.Register.Refund(s.ctx, sale.ID, "refund-1", client.NewRefund{Amount: c.amount, Reason: "returned"})
			s.must(err)
			if replayed {
				t.Error("the first request is told to be a repetition")
			}
			again, replayed, err := s.Register.Refund(s.ctx, sale.ID, "refund-1", client.NewRefund{Amount: c.amount, Reason: "returned"})
			s.must(err)
			if !replayed || again.N != refund.N {
				t.Errorf("the same key began refund %d after %d", again.N, refund.N)
			}
			for !refund.Final() {
				refund, err = s.Register.WaitRefund(s.ctx, sale.ID, refund.N, refund.Version, 20*time.Second)
				s.must(err)
			}
			if refund.Status != c.status {
				t.Errorf("the refund is %s: %+v", refund.Status, refund.Reason)
			}
			order, err := s.Order(sale.Attempts[0].RequestID)
			s.must(err)
			if got := s.get(sale.ID); order.Refunded != c.given || got.RefundedAmount != c.given {
				t.Errorf("given back at the gateway %d, here %d, want %d", order.Refunded, got.RefundedAmount, c.given)
			}
		})
	}
}
