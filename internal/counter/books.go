package counter

import "payscand/api/client"

// Kept is what the gateway took for the order and did not give back, in minor
// units. A cancel at Alipay+ gives a payment back whole.
func (o Order) Kept() int64 {
	if o.Status == "reversed" {
		return 0
	}
	return int64(o.Captures)*o.Amount - o.Refunded
}

// Brought is what the terminal says that a sale brought in, in minor units: what
// was paid, and what it found taken and reported, less what was given back. It
// agrees with what the gateways kept for the sale's attempts when all is over.
func Brought(s client.Sale) int64 {
	sum := -s.RefundedAmount
	if s.Receipt != nil {
		sum += s.Receipt.PaidAmount
	}
	for _, a := range s.Attempts {
		if late := a.LateCapture; late != nil && (s.Receipt == nil || s.Receipt.PaymentID != late.PaymentID) {
			sum += late.Amount
		}
	}
	return sum
}
