package payment

import "time"

// maxForeignID bounds a request id that another terminal gave, in bytes.
const maxForeignID = 64

// paidElsewhere makes the record of another terminal's payment: a sale whose only
// attempt is over and paid, by a verified answer that names the payment id, so
// that everything about refunds holds for it as it does for a sale made here
// (M13). Whatever the answer does not prove is refused, and nothing is made.
func (t *step) paidElsewhere(e PaidElsewhere) error {
	v := e.Verdict
	if why := unfitElsewhere(e); why != "" {
		return &ConflictError{Sale: t.sale.ID, Event: EventElsewhere, Why: why}
	}
	paidAt := v.PaidAt
	if paidAt.IsZero() {
		paidAt = t.now
	}
	t.sale = Sale{
		ID: e.ID, Key: e.Key, Status: SalePaid, Amount: v.Amount, Mode: ModeScan,
		CreatedAt: t.now, Deadline: t.now,
		Attempts: []Attempt{{
			N: 1, RequestID: v.RequestID, Gateway: e.Gateway, Instrument: InstrumentElsewhere, Wallet: v.Wallet,
			PaymentID: e.PaymentID, Status: AttemptPaid, SubmittedAt: paidAt, EndedAt: paidAt,
		}},
		Receipt: &Receipt{Wallet: v.Wallet, PaymentID: e.PaymentID, PaidAmount: v.Amount, PaidAt: paidAt},
	}
	t.returned(&t.sale.Attempts[0], v.Returned, v.Amount)
	return nil
}

// unfitElsewhere says why the answer does not prove a payment that can be
// refunded; empty: it does.
func unfitElsewhere(e PaidElsewhere) string {
	v := e.Verdict
	switch {
	case v.Class == ClassPending || v.Class == ClassAccepted:
		return "the payment is not made yet: there is nothing to refund"
	case v.Class == ClassFailed || v.Class == ClassClosed:
		return "the order was not paid: there is nothing to refund"
	case v.Returned == ReturnedInFull:
		return "all of the payment was given back already"
	case v.Class != ClassPaid || v.PaymentID != e.PaymentID || e.PaymentID == "" || v.Amount.Amount < 1 || v.Amount.Currency == "",
		v.RequestID == "" || len(v.RequestID) > maxForeignID:
		return "the gateway's answer does not prove the payment"
	}
	return ""
}

// ForeignAttempt is what a gateway is asked about before another terminal's
// payment is refunded: a sale with one attempt of which only the payment id is
// known. It is never stored.
func ForeignAttempt(id, gateway, paymentID string) Sale {
	return Sale{ID: id, Attempts: []Attempt{{
		N: 1, Gateway: gateway, PaymentID: paymentID, Instrument: InstrumentElsewhere, Seq: 1,
		Call: &InFlight{Seq: 1, Kind: CallInquire}, CalledAt: time.Time{},
	}}}
}
