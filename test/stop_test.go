package test

import (
	"strings"
	"testing"

	"payscand/api/client"
	"payscand/internal/counter"
	"payscand/payment"
)

// TestStoppedWhileTheCustomerIsAsked: the daemon ends with status 0 when it is told to, although a payment is pending, and
// resolves it after the next start.
func TestStoppedWhileTheCustomerIsAsked(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	sale := s.sell(2500)
	s.scan(s.code(neverConfirmed))
	s.awaitAttempt(sale.ID, "pending")
	s.must(s.StopDaemon())

	s.confirm(sale.ID + "-1")
	s.must(s.StartDaemon(s.ctx))
	sale = s.awaitStatus(sale.ID, client.StatusPaid)
	s.expectCaptures(sale.Attempts[0].RequestID, 1)
}

// TestStopAwaitsTheAnswer: a pay request that is under way when the daemon is told to end is still answered, so that its
// outcome is on the disk and nothing is sent twice.
func TestStopAwaitsTheAnswer(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	sale := s.sell(2600)
	s.must(s.Faults(`{"faults": [{"path": "` + payPath + `", "kind": "delay", "delay_ms": 1000, "times": 1}]}`))
	s.scan(s.code(neverConfirmed))
	s.order(sale.ID+"-1", func(o counter.Order) bool { return o.Status == "pending" })
	s.must(s.StopDaemon())
	if attempt := s.records().sales[sale.ID].Attempts[0]; attempt.Status != payment.AttemptPending || attempt.PaymentID == "" {
		t.Errorf("the answer was not awaited: the attempt is %s, payment id %q", attempt.Status, attempt.PaymentID)
	}

	s.must(s.StartDaemon(s.ctx))
	s.confirm(sale.ID + "-1")
	s.awaitStatus(sale.ID, client.StatusPaid)
	if order := s.expectCaptures(sale.ID+"-1", 1); order.Sends != 1 {
		t.Errorf("%d pay requests were sent, want 1", order.Sends)
	}
}

// TestSecondDaemon: a second daemon on the same database says so and ends; the first goes on.
func TestSecondDaemon(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	sale := s.sell(2700)
	printed, status := runProgram(t, "run", "--config", s.Config())
	s.hear([]byte(printed))
	if status != 1 || !strings.Contains(printed, "another payscand is running on this database") || !strings.Contains(printed, s.Database()) {
		t.Errorf("exit status %d:\n%s", status, printed)
	}
	s.pay(sale, s.code(paidAtOnce))
}
