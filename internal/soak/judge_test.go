package soak

import (
	"testing"

	"payscand/api/client"
)

// TestForPerson: only at AlphaPay is a partial refund without an answer a person's; at
// Alipay+ it is sent again until it is decided (M13, P5).
func TestForPerson(t *testing.T) {
	t.Parallel()
	of := func(gateway string) client.Sale {
		return client.Sale{
			Status: client.StatusPaid, Amount: 1000, Attempts: []client.Attempt{{N: 1, Gateway: gateway, Status: "paid"}},
			Refunds: []client.Refund{{N: 1, Attempt: 1, Amount: 400, Status: client.RefundUnknown}},
		}
	}
	if why := undecided(of("alphapay")); why != "" {
		t.Errorf("AlphaPay: %s", why)
	}
	if undecided(of("alipayplus")) == "" || len(underWay(of("alipayplus"))) == 0 {
		t.Error("at Alipay+ a refund that nobody asks about any more passes for decided")
	}
}
