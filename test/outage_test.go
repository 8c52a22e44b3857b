package test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"payscand/api/client"
)

// TestGatewayGoneBeforeTheScan: a scan while the gateway cannot be reached is not sent: the attempt fails at once, nothing
// is charged, and the sale waits again. It is paid when the gateway is back (M6).
func TestGatewayGoneBeforeTheScan(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	sale := s.sell(1500)
	s.must(s.StopGateway())
	s.awaitGateway("down")

	s.scan(s.code(paidAtOnce))
	sale = s.awaitFailure(sale.ID, "gateway_unreachable")
	if len(sale.Attempts) != 1 || sale.Attempts[0].Status != "failed" {
		t.Errorf("the attempt that was not sent: %+v", sale.Attempts)
	}

	s.restartGateway()
	s.awaitGateway("up")
	sale = s.pay(sale, s.code(paidAtOnce))
	if len(sale.Attempts) != 2 {
		t.Fatalf("%d attempts, want 2", len(sale.Attempts))
	}
	s.expectCaptures(sale.Attempts[1].RequestID, 1)
	orders, err := s.Orders()
	if s.must(err); len(orders) != 1 {
		t.Errorf("the gateway has %d orders, want the second attempt's alone: %+v", len(orders), orders)
	}
}

// TestNewSaleWhileTheGatewayIsGone: once it was noticed that the gateway does not answer, a new sale is refused before a
// customer is asked for anything; with the gateway back it is taken (M14).
func TestNewSaleWhileTheGatewayIsGone(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	armed := s.sell(1500)
	s.must(s.StopGateway())
	s.awaitGateway("down")
	s.cancel(armed.ID)
	s.awaitStatus(armed.ID, client.StatusCancelled)

	wanted := client.NewSale{Amount: 1600, Currency: "CAD", Mode: client.ModeScan}
	refused := s.call(http.MethodPost, "/v1/sales", wanted, withKey("during-the-outage"))
	if problem := refused.refused(http.StatusServiceUnavailable, client.CodeGatewayDown); problem.Gateway != "alphapay" {
		t.Errorf("which gateway is down? %+v", problem)
	}
	if refused.header.Get("Retry-After") == "" {
		t.Error("it is not said when to try again")
	}

	s.restartGateway()
	s.awaitGateway("up")
	sale, replayed := s.create("during-the-outage", wanted)
	if replayed {
		t.Error("the refused request made a sale")
	}
	s.pay(sale, s.code(paidAtOnce))
}

// restartGateway starts the practice gateway again after it was stopped; its orders are forgotten.
func (s *shop) restartGateway() {
	s.t.Helper()
	s.gatewayForgot = true
	s.must(s.StartGateway(s.ctx))
}

// outage cuts the answer of the next pay request, which is dealt with, and then lets nothing through any more.
const outage = `{"faults": [
	{"path": "` + payPath + `", "kind": "cut", "times": 1},
	{"path": "` + payPath + `", "kind": "drop", "times": 1000},
	{"path": "*", "kind": "drop", "times": 1000}]}`

// TestGatewayGoneDuringThePayment: a payment whose answer was cut is unknown, and nothing else is said of it while the
// gateway is silent; when it answers again the sale is found paid, once (P3, P5).
func TestGatewayGoneDuringThePayment(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	sale := s.sell(1700)
	s.must(s.Faults(outage))
	s.scan(s.code(paidAtOnce))
	s.awaitAttempt(sale.ID, "unknown")
	s.eventually("the same request is sent again, in vain", func() bool { return s.dropped(payPath) > 0 })
	if sale = s.get(sale.ID); sale.Status != client.StatusProcessing || sale.Attempts[0].Status != "unknown" {
		t.Errorf("nobody knows, yet the sale is %s, its attempt %s", sale.Status, sale.Attempts[0].Status)
	}

	s.must(s.ClearFaults())
	sale = s.awaitStatus(sale.ID, client.StatusPaid)
	if len(sale.Attempts) != 1 || sale.Late {
		t.Errorf("the sale, paid in time with its only attempt: %+v", sale)
	}
	s.expectCaptures(sale.Attempts[0].RequestID, 1)
}

// TestGatewayGoneUntilTheCounterIsFreed: a cancel frees the counter although the gateway is silent; the sale is unresolved
// then, new sales are refused, and when the gateway answers again the sale is found paid by itself, late and once, and given
// back (M12, M14, M15).
func TestGatewayGoneUntilTheCounterIsFreed(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	sale := s.sell(1800)
	s.must(s.Faults(outage))
	s.scan(s.code(paidAtOnce))
	s.awaitAttempt(sale.ID, "unknown")
	s.cancel(sale.ID)
	s.awaitStatus(sale.ID, client.StatusUnresolved)
	if state := s.terminal(); state.Live != nil || state.Unresolved != 1 || state.Gateways[0].State != "down" {
		t.Errorf("the counter is to be free, one sale unresolved, the gateway down: %+v", state)
	}
	s.call(http.MethodPost, "/v1/sales", client.NewSale{Amount: 1900, Currency: "CAD"}, withKey("next")).
		refused(http.StatusServiceUnavailable, client.CodeGatewayDown)

	s.must(s.ClearFaults())
	if sale = s.awaitStatus(sale.ID, client.StatusPaid); !sale.Late {
		t.Error("the payment was found after the counter was freed, and is not called late")
	}
	s.expectCaptures(sale.Attempts[0].RequestID, 1)
	s.eventually("the money is given back", func() bool { return s.get(sale.ID).RefundedAmount == sale.Amount })
}

// drop has the gateway swallow all calls to paths from now on, until faults are cleared.
func (s *shop) drop(paths ...string) {
	s.t.Helper()
	for _, path := range paths {
		s.must(s.Faults(fmt.Sprintf(`{"faults": [{"path": %q, "kind": "drop", "times": 1000}]}`, path)))
	}
}

// dropped is how many calls to a path a fault of kind drop has swallowed by now.
func (s *shop) dropped(path string) int {
	s.t.Helper()
	var set struct {
		Faults []struct {
			Path, Kind string
			Times      int
		}
	}
	s.must(json.Unmarshal(s.callOver(s.tcp, s.Gateway+"/control/faults", http.MethodGet, nil).body, &set))
	for _, fault := range set.Faults {
		if fault.Path == path && fault.Kind == "drop" {
			return 1000 - fault.Times
		}
	}
	s.t.Fatalf("no fault is set for %s: %+v", path, set)
	return 0
}
