package test

import (
	"crypto/rand"
	"net/http"
	"testing"

	"payscand/api/client"
	"payscand/internal/counter"
)

// TestKilled: whenever the daemon is killed, after the restart the register's request, repeated with its key, gets the
// same sale; the sale is paid in the end, and the money taken once (P1, P5, P6).
func TestKilled(t *testing.T) {
	t.Parallel()
	scanned := func(behaviour, attempt string) func(*shop, client.Sale) {
		return func(s *shop, sale client.Sale) {
			s.scan(s.code(behaviour))
			s.awaitAttempt(sale.ID, attempt)
		}
	}
	for _, c := range []struct {
		name string
		// until brings the sale to the moment of the kill.
		until func(*shop, client.Sale)
		// dead happens while there is no daemon, back when there is one again.
		dead, back func(*shop, client.Sale)
	}{
		{
			name: "after the sale was acknowledged", until: func(*shop, client.Sale) {},
			back: func(s *shop, sale client.Sale) {
				if again := s.get(sale.ID); again.Status != client.StatusAwaitingCode {
					s.t.Errorf("the sale is %s", again.Status)
				}
				s.must(s.AwaitReady(s.ctx))
				s.scan(s.code(paidAtOnce))
			},
		},
		{
			name: "while the request is under way", until: func(s *shop, sale client.Sale) {
				s.must(s.Faults(`{"faults": [{"path": "` + payPath + `", "kind": "delay", "delay_ms": 60000, "times": 1}]}`))
				s.scan(s.code(paidAtOnce))
				s.order(sale.ID+"-1", func(o counter.Order) bool { return o.Captures == 1 })
			},
			back: func(s *shop, sale client.Sale) {
				if attempt := s.get(sale.ID).Attempts[0]; attempt.Status == "submitting" {
					s.t.Error("the attempt is still called submitting, although nothing is under way after a crash")
				}
			},
		},
		{name: "after the answer was lost", until: scanned(answerLost, "unknown")},
		{
			name: "while the customer is asked", until: scanned(neverConfirmed, "pending"),
			dead: func(s *shop, sale client.Sale) { s.confirm(sale.ID + "-1") },
		},
		{
			name: "after it was paid", until: scanned(paidAtOnce, "paid"),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := openShop(t)
			key, wanted := rand.Text(), client.NewSale{Amount: 4200, Currency: "CAD", Mode: client.ModeScan, Reference: "till-1/77"}
			sale, _ := s.create(key, wanted)
			c.until(s, sale)

			s.KillDaemon()
			if c.dead != nil {
				c.dead(s, sale)
			}
			s.must(s.StartDaemon(s.ctx))

			again, replayed := s.create(key, wanted)
			if !replayed || again.ID != sale.ID {
				t.Errorf("the repeated request got sale %s, replayed %v; want %s again", again.ID, replayed, sale.ID)
			}
			if c.back != nil {
				c.back(s, sale)
			}
			sale = s.awaitStatus(sale.ID, client.StatusPaid)
			if len(sale.Attempts) != 1 {
				t.Errorf("%d attempts, want 1", len(sale.Attempts))
			}
			s.expectCaptures(sale.Attempts[0].RequestID, 1)
			if again, replayed := s.create(key, wanted); !replayed || again.Status != client.StatusPaid {
				t.Errorf("the register that asks once more gets %s, replayed %v", again.Status, replayed)
			}
		})
	}
}

// payPath is the vendor's pay call.
const payPath = "/api/v2.0/payments/pay"

// confirm is the customer's yes in the wallet.
func (s *shop) confirm(requestID string) {
	s.t.Helper()
	s.callOver(s.tcp, s.Gateway+"/control/orders/"+requestID+"/pay", http.MethodPost, nil).expect(http.StatusOK)
}
