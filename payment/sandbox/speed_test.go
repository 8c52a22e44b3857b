package sandbox

import (
	"testing"
	"time"
)

// At a speed, each time that the vendors limit passes so many times faster: what waits
// for a customer, a settlement, or a balance does not outlive the money rules of a shop
// whose policy has the same speed.
func TestSpeed(t *testing.T) {
	const speed = 60
	p := newPlus(t, func(c *Config) { c.Speed = speed })
	life := func(requestID string) time.Duration {
		o := p.truth(requestID)
		return o.ExpiresAt.Sub(o.CreatedAt)
	}
	p.tell(plusPay, orderCode("R-1"))
	p.scan("R-2", "03")
	p.pay("R-3", "03")
	for id, want := range map[string]time.Duration{"R-1": 3 * time.Minute, "R-2": time.Minute, "R-3": 5 * time.Minute} {
		if got := life(id); got != want/speed {
			t.Errorf("%s lives %v, want %v", id, got, want/speed)
		}
	}
	p.scan("R-4", "01")
	p.scan("R-5", "44")
	p.clock.advance(3 * time.Second / speed)
	if got := p.truth("R-4"); got.Status != StatusPaid {
		t.Errorf("a pending payment: %+v", got)
	}
	if got := p.giveBack("R-5", "F-1", "500"); got.String() != "F MERCHANT_BALANCE_NOT_ENOUGH" {
		t.Errorf("a refund at once: %v", got)
	}
	p.clock.advance(24 * time.Hour / speed)
	if got := p.giveBack("R-5", "F-2", "500"); got.String() != "S SUCCESS" {
		t.Errorf("a refund a day later: %v", got)
	}
}
