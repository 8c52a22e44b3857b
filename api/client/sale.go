package client

import "time"

// NewSale is the register's wish to be paid.
type NewSale struct {
	// Amount is in minor units of the currency, at least 1.
	Amount int64 `json:"amount" minimum:"1" example:"1234" doc:"Minor units of the currency, a whole number written without quotes, fraction or exponent: 1234 CAD is 12.34 dollars, 1234 JPY is 1,234 yen."`
	// Currency is an ISO 4217 code in capitals.
	Currency string `json:"currency" pattern:"^[A-Z]{3}$" example:"CAD" doc:"ISO 4217 code in capitals."`
	// Reference is the register's own number of the sale, at most 64
	// characters without control characters. It comes back with the sale and
	// is kept: never put a payment code there.
	Reference string `json:"reference,omitempty" maxLength:"64" example:"till-1/000123" doc:"The register's own number of the sale. It is stored and comes back with the sale: never put a payment code there."`
	// Description is what the customer's wallet shows, at most 100 characters
	// without control characters.
	Description string `json:"description,omitempty" maxLength:"100" example:"Corner shop" doc:"What the customer's wallet shows."`
	// Mode is ModeAuto when empty.
	Mode Mode `json:"mode,omitempty" enum:"auto,scan,qr" doc:"auto (the default) waits for a scan and shows a QR when none comes; scan shows a QR only when asked; qr shows one at once and leaves the scanner disarmed."`
	// Replaces names the unresolved sale that this one stands for: the old one
	// is cancelled as soon as it can be.
	Replaces string `json:"replaces,omitempty" minLength:"26" maxLength:"26" doc:"Id of the unresolved sale that this one stands for; the old one is then cancelled, or its payment reversed."`
	// Separate says that this sale is another one than an unresolved sale that
	// looks the same.
	Separate bool `json:"separate,omitempty" doc:"Says that this sale is another one than an unresolved sale that looks the same."`
}

// PresentedCode is a payment code that the register scanned itself.
type PresentedCode struct {
	// Code is the text as scanned. It is a secret that moves money for about a
	// minute: never log it.
	Code string `json:"code" minLength:"1" maxLength:"4096" doc:"The text as scanned. A secret: never log it."`
}

// Mode says which instruments a sale uses without being asked again.
type Mode string

const (
	ModeAuto Mode = "auto" // waits for a scan and shows a QR when none comes
	ModeScan Mode = "scan" // waits for a scan; a QR is shown only when asked for
	ModeQR   Mode = "qr"   // shows a QR at once and leaves the scanner disarmed
)

// SaleStatus says where a sale stands.
type SaleStatus string

const (
	// StatusAwaitingCode: the customer may show a payment code; LastFailure
	// says why the last one did not pay.
	StatusAwaitingCode SaleStatus = "awaiting_code"
	// StatusProcessing: a code is with the gateway; the customer may have to
	// confirm on the phone.
	StatusProcessing SaleStatus = "processing"
	// StatusShowingQR: the customer may scan the QR on the display.
	StatusShowingQR SaleStatus = "showing_qr"
	// StatusSwitching: a code was scanned; the QR is being withdrawn first.
	StatusSwitching SaleStatus = "switching"
	// StatusCancelling: it is not yet known whether the customer paid.
	StatusCancelling SaleStatus = "cancelling"
	// StatusUnresolved: no verdict came in time. The terminal is free for the
	// next sale; the answer will still be found and the sale will change.
	StatusUnresolved SaleStatus = "unresolved"
	// StatusPaid, StatusCancelled and StatusExpired are final.
	StatusPaid      SaleStatus = "paid"
	StatusCancelled SaleStatus = "cancelled"
	StatusExpired   SaleStatus = "expired"
)

// Sale is one sale as the terminal knows it. Its version rises by one with each
// change that can be seen here.
type Sale struct {
	ID          string     `json:"id" doc:"ULID."`
	Version     int64      `json:"version" doc:"Rises by one with each change that can be seen here."`
	Status      SaleStatus `json:"status" enum:"awaiting_code,processing,showing_qr,switching,cancelling,unresolved,paid,cancelled,expired" doc:"paid, cancelled and expired are final. unresolved: no verdict came in time; the terminal is free and goes on asking."`
	Amount      int64      `json:"amount" doc:"Minor units of the currency."`
	Currency    string     `json:"currency" doc:"ISO 4217 code."`
	Reference   string     `json:"reference,omitempty" doc:"The register's own number of the sale."`
	Description string     `json:"description,omitempty" doc:"What the customer's wallet shows."`
	Mode        Mode       `json:"mode" enum:"auto,scan,qr" doc:"Which instruments the sale uses without being asked again."`
	CreatedAt   time.Time  `json:"created_at" doc:"UTC."`
	UpdatedAt   time.Time  `json:"updated_at" doc:"UTC."`
	Deadline    time.Time  `json:"deadline" doc:"UTC; from then on no new payment is begun."`
	Late        bool       `json:"late" doc:"The payment was found after the terminal had been freed for the next sale."`
	// Attempts are in the order they were made; only the last can be live.
	Attempts    []Attempt `json:"attempts" nullable:"false" doc:"In the order they were made; only the last can be live."`
	LastFailure *Failure  `json:"last_failure,omitempty" doc:"Why the last attempt ended without payment."`
	Receipt     *Receipt  `json:"receipt,omitempty" doc:"What a paid sale proves."`
	// Refunds were asked for; Reversals the terminal made by itself, of money
	// that should not have been taken. They share one sequence of numbers.
	Refunds        []Refund  `json:"refunds" nullable:"false" doc:"What was asked to be given back, in the order it was begun."`
	Reversals      []Refund  `json:"reversals" nullable:"false" doc:"What the terminal gives back by itself, because it should not have been taken."`
	RefundedAmount int64     `json:"refunded_amount" doc:"Minor units: what was given back for certain, reversals included (also those of a late capture beside the payment that paid the sale: the attempt of a refund tells), and payments that others gave back in full. What others gave back in part is not in it, because its amount is not told: see the attempt's returned."`
	Override       *Override `json:"override,omitempty" doc:"A person's decision about the sale."`
	// Elsewhere: another terminal made the sale, and only refunds of its payment are here.
	Elsewhere bool `json:"elsewhere,omitempty" doc:"Another terminal made the sale: here are only refunds of its payment, and it does not count as a sale of this one."`
}

// Final reports whether nothing moves the sale on any more. An unresolved sale
// is not final, although the terminal no longer waits for it.
func (s Sale) Final() bool {
	return s.Status == StatusPaid || s.Status == StatusCancelled || s.Status == StatusExpired
}

// Attempt is one order at a payment gateway.
type Attempt struct {
	N           int       `json:"n" doc:"Counts from 1."`
	RequestID   string    `json:"request_id" doc:"The order's id, given by this terminal."`
	Gateway     string    `json:"gateway"`
	Instrument  string    `json:"instrument" enum:"code,qr,elsewhere" doc:"code: the customer's code was scanned. qr: the customer scans the QR shown. elsewhere: it was paid at another terminal."`
	Wallet      string    `json:"wallet,omitempty"`
	CodeMask    string    `json:"code_mask,omitempty" doc:"The first two and last four characters of the payment code."`
	PaymentID   string    `json:"payment_id,omitempty" doc:"The order's id, given by the gateway."`
	Status      string    `json:"status" enum:"submitting,pending,unknown,cancelling,paid,failed,closed" doc:"paid, failed and closed are final."`
	Reason      *Reason   `json:"reason,omitempty" doc:"Why the attempt ended, or what last kept it from a verdict."`
	GatewayCode string    `json:"gateway_code,omitempty" doc:"The gateway's own result code."`
	SubmittedAt time.Time `json:"submitted_at" doc:"UTC."`
	EndedAt     time.Time `json:"ended_at,omitzero" doc:"UTC."`
	ExpiresAt   time.Time `json:"expires_at,omitzero" doc:"UTC; the gateway's expiry of the order."`
	QR          *QR       `json:"qr,omitempty" doc:"Only while the QR may be on a screen."`
	// LateCapture is money found to be taken although the attempt was over, or
	// the sale was to be cancelled.
	LateCapture *LateCapture `json:"late_capture,omitempty" doc:"Money found to be taken although the attempt was over or the sale was to be cancelled."`
	// Returned is money of its payment that somebody else gave back, such as a
	// person in the gateway's portal.
	Returned *Returned `json:"returned,omitempty" doc:"Money of its payment that was given back, and not by this terminal: by a person in the gateway's portal, say. Found when the gateway is asked, by a check for example."`
	// Absence is the evidence by which the attempt was closed as never placed.
	Absence *Absence `json:"absence,omitempty" doc:"The evidence by which the attempt was closed as never placed."`
}

// Absence is the evidence that the gateway never had an order: searches in a row
// that were complete and did not find it. Its times are the gateway's where it
// has a list of transactions.
type Absence struct {
	Passes int       `json:"passes" doc:"Complete searches in a row that did not find the order."`
	Since  time.Time `json:"since" doc:"UTC; of the first."`
	At     time.Time `json:"at" doc:"UTC; of the last."`
	Rows   int       `json:"rows,omitempty" doc:"What the last one saw in the gateway's list."`
	Newest time.Time `json:"newest,omitzero" doc:"UTC; of the newest row that the last one saw."`
}

// Reason is a stable code with its words.
type Reason struct {
	Code            string `json:"code" doc:"Stable; to be compared by programs."`
	Message         string `json:"message" doc:"For the cashier."`
	CustomerMessage string `json:"customer_message" doc:"Fit to be shown to the customer."`
}

// QR is what the customer scans.
type QR struct {
	Payload string `json:"payload" doc:"The payment URL to encode."`
}

// Failure is why the last attempt ended without payment.
type Failure struct {
	Attempt     int    `json:"attempt" doc:"Counts from 1."`
	Reason      Reason `json:"reason"`
	GatewayCode string `json:"gateway_code,omitempty" doc:"The gateway's own result code."`
}

// Receipt is what a paid sale proves.
type Receipt struct {
	Wallet     string    `json:"wallet,omitempty"`
	PaymentID  string    `json:"payment_id" doc:"The gateway's id of the payment."`
	PaidAmount int64     `json:"paid_amount" doc:"Minor units of the sale's currency."`
	PaidAt     time.Time `json:"paid_at" doc:"UTC."`
}
