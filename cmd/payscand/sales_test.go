package main

import (
	"testing"

	"payscand/api/client"
)

// TestRefundedOfALateCapture: who looks whether a paid sale was refunded is not told the money that another attempt of it
// took and that was given back.
func TestRefundedOfALateCapture(t *testing.T) {
	s := client.Sale{
		Status: client.StatusPaid, Amount: 1000, Currency: "CAD", RefundedAmount: 1000,
		Attempts:  []client.Attempt{{N: 1, Status: "closed", LateCapture: &client.LateCapture{}}, {N: 2, Status: "paid"}},
		Reversals: []client.Refund{{N: 1, Attempt: 1, Amount: 1000, Status: client.RefundSucceeded}},
	}
	if got := refundedText(s); got != "-" {
		t.Errorf("refunded %s of a sale of which nothing was", got)
	}
	s.RefundedAmount += 300
	s.Refunds = []client.Refund{{N: 2, Attempt: 2, Amount: 300, Status: client.RefundSucceeded}}
	if got := refundedText(s); got != "3.00 CAD" {
		t.Errorf("refunded %s, want 3.00 CAD", got)
	}
	s.Status, s.Refunds, s.RefundedAmount = client.StatusCancelled, nil, 1000 // given back by itself
	if got := refundedText(s); got != "10.00 CAD" {
		t.Errorf("a cancelled sale: refunded %s", got)
	}
}
