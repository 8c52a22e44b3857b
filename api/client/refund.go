package client

import "time"

// NewRefund is the register's wish to give money of a paid sale back.
type NewRefund struct {
	// Amount is in minor units of the sale's currency; 0 is left out, which means
	// all that may still be refunded.
	Amount int64 `json:"amount,omitempty" minimum:"1" example:"1234" doc:"Minor units of the sale's currency, a whole number written without quotes, fraction or exponent. Left out: all that may still be refunded."`
	// Reason is the register's own, at most 100 characters without control
	// characters. It is kept as the refund's Note: never put a payment code there.
	Reason string `json:"reason,omitempty" maxLength:"100" example:"goods returned" doc:"The register's own words, kept as the refund's note: never put a payment code there."`
}

// NewRefundElsewhere is the wish to give money back of a payment that another
// terminal took.
type NewRefundElsewhere struct {
	Gateway string `json:"gateway" minLength:"1" maxLength:"64" example:"alphapay" doc:"The name of the gateway that took the payment, as this terminal's configuration has it."`
	// PaymentID is the gateway's own: 1 to 64 visible ASCII characters.
	PaymentID string `json:"payment_id" minLength:"1" maxLength:"64" doc:"The gateway's id of the payment, as the other terminal's receipt shows it. Never a payment code."`
	// Amount is in minor units of the payment's currency, at least 1.
	Amount int64 `json:"amount" minimum:"1" example:"1234" doc:"Minor units of the payment's currency, a whole number written without quotes, fraction or exponent."`
	// Currency, where it is given, must be the payment's.
	Currency string `json:"currency,omitempty" pattern:"^[A-Z]{3}$" example:"CAD" doc:"ISO 4217 code. Where it is given and not the payment's, nothing is refunded."`
	// Reason is as in NewRefund.
	Reason string `json:"reason,omitempty" maxLength:"100" example:"goods returned" doc:"The register's own words, kept as the refund's note: never put a payment code there."`
}

// RefundStatus says what is known of a refund.
type RefundStatus string

const (
	RefundSubmitting RefundStatus = "submitting" // the request is on its way
	RefundPending    RefundStatus = "pending"    // the gateway has it, or reviews it
	RefundUnknown    RefundStatus = "unknown"    // nobody knows yet whether the gateway has it
	// RefundSucceeded and RefundFailed are final.
	RefundSucceeded RefundStatus = "succeeded"
	RefundFailed    RefundStatus = "failed"
)

// Refund gives money of one attempt's payment back, whole or in part.
type Refund struct {
	N           int          `json:"n" doc:"Counts from 1 over the sale's refunds and reversals."`
	RequestID   string       `json:"request_id" doc:"The refund's id, given by this terminal."`
	Attempt     int          `json:"attempt" doc:"The attempt whose payment it gives back."`
	Amount      int64        `json:"amount" doc:"Minor units of the sale's currency."`
	Status      RefundStatus `json:"status" enum:"submitting,pending,unknown,succeeded,failed" doc:"succeeded and failed are final; until then the amount is reserved."`
	Reason      *Reason      `json:"reason,omitempty" doc:"Why it failed, or what last kept it from a verdict."`
	GatewayCode string       `json:"gateway_code,omitempty" doc:"The gateway's own result code."`
	Note        string       `json:"note,omitempty" doc:"The register's own reason."`
	RefundID    string       `json:"refund_id,omitempty" doc:"The refund's id, given by the gateway."`
	RequestedAt time.Time    `json:"requested_at" doc:"UTC."`
	EndedAt     time.Time    `json:"ended_at,omitzero" doc:"UTC."`
}

// Final reports whether the refund is over.
func (r Refund) Final() bool { return r.Status == RefundSucceeded || r.Status == RefundFailed }

// SaleRefund is a refund together with the sale that it belongs to.
type SaleRefund struct {
	Sale string `json:"sale" doc:"The sale's id."`
	// Version is the sale's, to wait for the next one.
	Version int64 `json:"version" doc:"The sale's version, to wait for the next one."`
	Refund
}

// Returned is money of a payment that was given back, and not by this terminal.
type Returned struct {
	Extent string `json:"extent" enum:"partial,full" doc:"full: all of the payment. partial: a part; the gateway does not tell how much."`
	// Amount and Currency are set where all was given back.
	Amount   int64     `json:"amount,omitempty" doc:"Minor units: the whole payment, where all of it was given back."`
	Currency string    `json:"currency,omitempty" doc:"ISO 4217 code of amount."`
	FoundAt  time.Time `json:"found_at" doc:"UTC; when the gateway first told of it."`
}

// LateCapture is money that was taken for an attempt that was over, or whose
// sale was to be cancelled.
type LateCapture struct {
	FoundAt   time.Time `json:"found_at" doc:"UTC."`
	Amount    int64     `json:"amount" doc:"Minor units of its currency."`
	Currency  string    `json:"currency" doc:"ISO 4217 code; not always the sale's."`
	PaymentID string    `json:"payment_id" doc:"The gateway's id of the payment."`
	Sightings int       `json:"sightings" doc:"How often a verified answer told of it; it is given back after the second."`
	// Kept says why it is not given back by itself.
	Kept string `json:"kept,omitempty" enum:"policy,limit,amount,refund,unconfirmed" doc:"Why it is not given back by itself and waits for a person. policy: reversals are off. limit: the day's are used up; tried again daily. amount: amount or currency are not the sale's. refund: a refund of it is not over, and may have given a part back; looked at again until that is known. unconfirmed: it was seen once and not again while the payment was watched; a check looks again."`
}

// Resolution is a person's decision about an unresolved sale.
type Resolution struct {
	Outcome Outcome `json:"outcome" enum:"paid,not_paid" doc:"What the person found out."`
	// Operator says who decided: 1 to 64 characters without control characters.
	Operator string `json:"operator" minLength:"1" maxLength:"64" example:"m.roy" doc:"Who decided. It is kept."`
	// Reason is 1 to 200 characters without control characters.
	Reason string `json:"reason" minLength:"1" maxLength:"200" example:"paid in the gateway's portal" doc:"What the decision rests on. It is kept: never put a payment code there."`
}

// Outcome is what a person decided.
type Outcome string

const (
	OutcomePaid    Outcome = "paid"
	OutcomeNotPaid Outcome = "not_paid"
)

// Override is a decision that was carried out.
type Override struct {
	Outcome  Outcome   `json:"outcome" enum:"paid,not_paid"`
	Operator string    `json:"operator" doc:"Who decided."`
	Reason   string    `json:"reason" doc:"What the decision rests on."`
	At       time.Time `json:"at" doc:"UTC."`
}
