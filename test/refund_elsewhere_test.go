package test

import (
	"errors"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"payscand/api/client"
	"payscand/internal/counter"
)

// TestRefundElsewhere: a payment that another terminal took is refunded by its payment id, over the API and by the
// command, once a key, also when the daemon is killed in between, and never above what was paid.
func TestRefundElsewhere(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	paid := s.pay(s.sell(1000), s.code(paidAtOnce))
	// A terminal that knows nothing of that sale.
	s.must(s.StopDaemon())
	s.must(os.Remove(s.Database()))
	clear(s.shown)
	s.must(s.StartDaemon(s.ctx))
	s.must(s.AwaitReady(s.ctx))
	s.awaitGateway("up")

	wanted := client.NewRefundElsewhere{Gateway: "alphapay", PaymentID: paid.Receipt.PaymentID, Amount: 300, Currency: "CAD", Reason: "returned"}
	for field, spoil := range map[client.ErrorCode]func(*client.NewRefundElsewhere){
		client.CodeConflict: func(n *client.NewRefundElsewhere) { n.Amount = 1001 },
		client.CodeInvalid:  func(n *client.NewRefundElsewhere) { n.Currency = "USD" },
		client.CodeNotFound: func(n *client.NewRefundElsewhere) { n.PaymentID = strings.Repeat("7", 25) },
	} {
		bad := wanted
		spoil(&bad)
		_, _, err := s.Register.RefundElsewhere(s.ctx, "bad "+string(field), bad)
		var problem *client.Problem
		if !errors.As(err, &problem) || problem.Code != field {
			t.Errorf("%+v: %v, want %s", bad, err, field)
		}
	}
	refund, replayed, err := s.Register.RefundElsewhere(s.ctx, "elsewhere-1", wanted)
	s.must(err)
	if replayed {
		t.Error("the first request is told to be a repetition")
	}
	// A part of a payment whose request was lost before it left would be looked for, for longer than a test has (M13).
	s.order(paid.Attempts[0].RequestID, func(o counter.Order) bool { return o.RefundSends > 0 })
	s.KillDaemon()
	s.must(s.StartDaemon(s.ctx))
	s.must(s.AwaitReady(s.ctx))
	again, replayed, err := s.Register.RefundElsewhere(s.ctx, "elsewhere-1", wanted)
	s.must(err)
	if !replayed || again.Sale != refund.Sale || again.N != refund.N {
		t.Errorf("the same key after the kill: %+v, replayed %v", again, replayed)
	}
	for !refund.Final() {
		refund, err = s.Register.WaitRefund(s.ctx, again.Sale, again.N, again.Version, 20*time.Second)
		s.must(err)
		again = refund
	}
	if refund.Status != client.RefundSucceeded {
		t.Errorf("the refund is %s: %+v", refund.Status, refund.Reason)
	}
	if got := s.get(refund.Sale); !got.Elsewhere || got.Status != client.StatusPaid || got.RefundedAmount != 300 {
		t.Errorf("the payment's record: %+v", got)
	}

	printed, status := runProgram(t, "refund", "--config", s.Config(), "--gateway", "alphapay",
		"--payment-id", paid.Receipt.PaymentID, "--currency", "CAD", "7.00")
	s.hear([]byte(printed))
	if status != 0 || !strings.Contains(printed, "succeeded") {
		t.Errorf("the command ended with %d: %s", status, printed)
	}
	order, err := s.Order(paid.Attempts[0].RequestID)
	s.must(err)
	if got := s.get(refund.Sale); order.Refunded != 1000 || got.RefundedAmount != 1000 {
		t.Errorf("given back at the gateway %d, here %d", order.Refunded, got.RefundedAmount)
	}
}

// TestRefundedInThePortal: what a person gives back in the vendor's portal is found by a check, told with the amount
// that is known, and bounds what may be refunded here.
func TestRefundedInThePortal(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	sale := s.pay(s.sell(1000), s.code(paidAtOnce))
	request := sale.Attempts[0].RequestID
	look := func(extent string, refunded int64) {
		t.Helper()
		sale = s.get(sale.ID)
		s.call(http.MethodPost, "/v1/sales/"+sale.ID+"/check", nil).expect(http.StatusOK)
		sale = s.call(http.MethodGet, "/v1/sales/"+sale.ID+"?wait=20s&after="+strconv.FormatInt(sale.Version, 10), nil).expect(http.StatusOK).sale()
		got := sale.Attempts[0].Returned
		if sale.Status != client.StatusPaid || got == nil || got.Extent != extent || sale.RefundedAmount != refunded {
			t.Errorf("after the check: %s, returned %+v, refunded %d; want %s, %d", sale.Status, got, sale.RefundedAmount, extent, refunded)
		}
	}
	s.must(s.RefundInPortal(request, 400))
	look("partial", 0)
	s.must(s.RefundInPortal(request, 600))
	look("full", 1000)
	_, _, err := s.Register.Refund(s.ctx, sale.ID, "too late", client.NewRefund{Amount: 1})
	var problem *client.Problem
	if !errors.As(err, &problem) || problem.Code != client.CodeConflict {
		t.Errorf("a refund of what the portal gave back: %v", err)
	}
}
