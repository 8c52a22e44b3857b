package payment_test

import (
	"testing"

	"payscand/payment"
)

// An order that was seen closed and is paid after all keeps its payment id: the
// receipt names it, so that it can be refunded.
func TestPaidAfterItWasSeenClosed(t *testing.T) {
	s := tell(t, alphaPayLike, payment.ModeScan)
	s.scan()
	s.answer(payment.ClassNoAnswer)
	s.next(payment.CallPay)
	s.answer(payment.ClassPending, id("P1"))
	s.next(asks)
	s.answer(payment.ClassClosed, id("P1"))
	if !s.last().IDDisproved {
		t.Fatal("an order that the second send made closed the sale")
	}
	s.silence(s.free)
	s.next(payment.CallLookup)
	s.answer(payment.ClassPaid, id("P1"))
	s.is(payment.SalePaid)
	if s.sale.Receipt.PaymentID != "P1" {
		t.Errorf("the receipt names %q", s.sale.Receipt.PaymentID)
	}
}
