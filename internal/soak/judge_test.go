package soak

import (
	"errors"
	"testing"
	"time"

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

// TestShortOfBalance: a refund that a gateway without balance goes on to refuse is not
// decided within any campaign; the same without that reason should be.
func TestShortOfBalance(t *testing.T) {
	t.Parallel()
	s := client.Sale{
		Status: client.StatusPaid, Amount: 1000, Attempts: []client.Attempt{{N: 1, Gateway: alphaPay, Status: "paid"}},
		Refunds: []client.Refund{{N: 1, Attempt: 1, Amount: 1000, Status: client.RefundUnknown, Reason: &client.Reason{Code: "not_enough_balance"}}},
	}
	if why := undecided(s); why != "" {
		t.Error(why)
	}
	if s.Refunds[0].Reason = nil; undecided(s) == "" {
		t.Error("a refund that is unknown passes for decided")
	}
}

// TestLeftOver: what was taken and should not have been is given back, or kept for a
// reason that the terminal gives (M12).
func TestLeftOver(t *testing.T) {
	t.Parallel()
	of := func(kept string, refunds ...client.Refund) client.Sale {
		return client.Sale{Status: client.StatusCancelled, Amount: 1000, Reversals: refunds, Attempts: []client.Attempt{{
			N: 1, Gateway: alphaPay, Status: "closed", LateCapture: &client.LateCapture{Amount: 1000, PaymentID: "P", Sightings: 2, Kept: kept},
		}}}
	}
	back := client.Refund{N: 1, Attempt: 1, Amount: 1000, Status: client.RefundSucceeded}
	failed, part := back, back
	failed.Status, part.Amount = client.RefundFailed, 400
	for name, s := range map[string]client.Sale{"nothing": of(""), "a failed refund": of("", failed), "a part": of("", part)} {
		if undecided(s) == "" {
			t.Errorf("%s given back of a late capture passes", name)
		}
	}
	for _, s := range []client.Sale{of("limit"), of("", back), of("", failed, back)} {
		if why := undecided(s); why != "" {
			t.Error(why)
		}
	}
}

// TestNothingHappened: campaigns in which nothing happens prove nothing, and say so.
func TestNothingHappened(t *testing.T) {
	t.Parallel()
	some := settled{Sales: 10, Paid: 5, Captures: 5, Refunds: 1}
	day, kills := DayResult{settled: some}, KillResult{settled: some, Resolved: []time.Duration{1}}
	if err := errors.Join(day.enough(), kills.enough()); err != nil {
		t.Error(err)
	}
	day.Paid, kills.Captures = 4, 0
	if day.enough() == nil || kills.enough() == nil || (DayResult{}).enough() == nil || (KillResult{}).enough() == nil {
		t.Error("a campaign in which nothing is paid passes")
	}
}
