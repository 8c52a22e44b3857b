package sandbox

import (
	"testing"
	"time"
)

// A request that was dealt with is told how its order stands, also when it comes
// again after the expiry that it names; a new one is refused then.
func TestAlipayPlusRepeatAfterExpiry(t *testing.T) {
	p := newPlus(t)
	expiry := p.clock.Now().Add(time.Minute).Format(time.RFC3339)
	requests := map[string]obj{"paid": orderCode("R-paid"), "open": orderCode("R-open"), "new": orderCode("R-new")}
	for _, request := range requests {
		request["paymentExpiryTime"] = expiry
	}
	p.tell(plusPay, requests["paid"])
	p.tell(plusPay, requests["open"])
	if _, err := p.Pay("R-paid"); err != nil {
		t.Fatal(err)
	}
	p.clock.advance(time.Minute)
	for name, want := range map[string]string{"paid": "S SUCCESS", "open": "F ORDER_IS_CLOSED", "new": "F PARAM_ILLEGAL"} {
		if got := p.tell(plusPay, requests[name]); got.String() != want {
			t.Errorf("%s: %v, want %s", name, got, want)
		}
	}
	if _, err := p.Order("R-new"); err == nil {
		t.Error("a refused request is kept")
	}
}
