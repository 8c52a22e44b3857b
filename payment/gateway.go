package payment

import (
	"context"
	"time"
)

// CallKind is what is asked of a gateway.
type CallKind string

const (
	CallPay     CallKind = "pay"
	CallInquire CallKind = "inquire"
	CallCancel  CallKind = "cancel"
	// CallLookup searches the gateway's transaction list for the request id.
	CallLookup CallKind = "lookup"
	// CallRefund gives money of a capture back; CallInquireRefund asks about it by
	// its refund id; CallLookupRefund searches the transaction list for it.
	CallRefund        CallKind = "refund"
	CallInquireRefund CallKind = "inquire_refund"
	CallLookupRefund  CallKind = "lookup_refund"
	// CallProbe is a harmless signed call that proves connection, keys, merchant
	// and clock (M6, M14). It belongs to no sale.
	CallProbe CallKind = "probe"
)

// Call is one request that Step wants made. Exactly one Outcome follows each.
type Call struct {
	Sale    string // sale id
	Attempt int    // 1-based
	Refund  int    // 1-based; 0: the call is about the attempt itself
	Seq     int    // rises with every call of the attempt, or of the refund
	Kind    CallKind
	Gateway string
}

// Class says what an answer means. Each gateway maps its result codes to these
// once, in one table.
type Class string

const (
	// ClassPaid: this request id was paid, with the amount in the verdict.
	ClassPaid Class = "paid"
	// ClassAccepted: the pay call succeeded but does not itself prove payment; inquire at once.
	ClassAccepted Class = "accepted"
	// ClassPending: the gateway has the order and waits for the customer.
	ClassPending Class = "pending"
	// ClassFailed: the payment failed.
	ClassFailed Class = "failed"
	// ClassClosed: the order is closed, unpaid.
	ClassClosed Class = "closed"
	// ClassAlreadyPaid: the order was paid before; amount and id are not told.
	ClassAlreadyPaid Class = "already_paid"
	// ClassCancelAccepted: the cancel was accepted.
	ClassCancelAccepted Class = "cancel_accepted"
	// ClassCancelTooLate: the cancel did nothing and will do nothing: its window is
	// over. What the order came to is to be asked.
	ClassCancelTooLate Class = "cancel_too_late"
	// ClassRefunded: the refund is done.
	ClassRefunded Class = "refunded"
	// ClassAlreadyRefunded: nothing of the capture is left to give back.
	ClassAlreadyRefunded Class = "already_refunded"
	// ClassRefused: the call itself was refused (signature, merchant, parameter, clock).
	ClassRefused Class = "refused"
	// ClassRetryLater: the gateway asks to come back (system error, rate limit).
	ClassRetryLater Class = "retry_later"
	// ClassNotFound: the gateway knows no such order, now.
	ClassNotFound Class = "not_found"
	// ClassNotSent: no byte of the request left (M6).
	ClassNotSent Class = "not_sent"
	// ClassNoAnswer: silence, or an answer that could not be verified (M3).
	ClassNoAnswer Class = "no_answer"
)

// Classes lists every class.
func Classes() []Class {
	return []Class{
		ClassPaid, ClassAccepted, ClassPending, ClassFailed, ClassClosed, ClassAlreadyPaid,
		ClassCancelAccepted, ClassCancelTooLate, ClassRefunded, ClassAlreadyRefunded, ClassRefused, ClassRetryLater,
		ClassNotFound, ClassNotSent, ClassNoAnswer,
	}
}

// Verified reports whether a gateway's own, verified answer stands behind the class.
func (c Class) Verified() bool { return c != ClassNotSent && c != ClassNoAnswer }

// Verdict is what one call brought back. A gateway fills in what the verified
// answer says; Step compares it with what was asked (P4).
type Verdict struct {
	Class  Class
	Reason Reason
	// GatewayCode is the gateway's result code as received, at most 64 printable characters.
	GatewayCode string
	// Documented is false for a result code that the vendor's pages do not list.
	Documented bool
	RequestID  string
	PaymentID  string
	RefundID   string
	Amount     Money
	Wallet     Wallet
	PaidAt     time.Time
	ExpiresAt  time.Time
	QR         *QR
	// Search is set when a transaction list was searched completely.
	Search *Search
	// Returned says how much of a paid order was given back, by whomever; empty
	// where nothing was, or where the gateway does not tell.
	Returned Extent
}

// Extent is how much of a payment was given back.
type Extent string

const (
	ReturnedInPart Extent = "partial" // how much is not told
	ReturnedInFull Extent = "full"
)

// Search is what a complete pass over a gateway's transaction list saw. Times
// are the gateway's.
type Search struct {
	Rows   int       // as many as the gateway said that there are
	Newest time.Time // of the newest row; zero: there was none
	At     time.Time // when the pass was answered
}

// Notification is what a gateway sent unasked about one of its orders or refunds.
type Notification struct {
	Gateway   string
	RequestID string // of the order, or of the refund
	// Verified: the gateway's signature was right. Only then Verdict is set.
	Verified bool
	Verdict  Verdict
}

// Request is a prepared call: body and signature are made, nothing was sent.
// Its concrete type is the gateway's own.
type Request any

// Gateway is one payment gateway.
type Gateway interface {
	// Name is the configured name of the gateway, as routes use it.
	Name() string
	// Traits says what the gateway can do and what it promises.
	Traits() Traits
	// Compose builds the pay request of a new attempt, without its code. It
	// returns an error when the sale cannot be expressed to this gateway
	// (amount, currency, a length); nothing may be sent then.
	Compose(Sale, Attempt) (Intent, error)
	// Prepare makes the request of a call: CPU only. at is this machine's time.
	// For CallProbe the sale is zero; a refund's call names the refund too. Of an
	// attempt of InstrumentElsewhere there is no pay request, and its request id may
	// be unknown (empty) and have another terminal's form.
	Prepare(Sale, Call, time.Time) (Request, error)
	// Send never fails: no answer is a verdict's absence, said as ClassNoAnswer
	// or ClassNotSent.
	Send(context.Context, Request) Verdict
}

// Traits are the differences between gateways that money rules depend on.
type Traits struct {
	// IdempotentPay: pay with the same request id is documented to be processed
	// once, so that the answer to a second send speaks of the first (M4).
	IdempotentPay bool
	// IdempotentRefund: likewise for a refund (M13).
	IdempotentRefund bool
	// InquireByRequestID: an order can be inquired without its payment id.
	InquireByRequestID bool
	// CancelReverses: cancel gives a paid order's money back (M5).
	CancelReverses bool
	// TransactionList: request ids can be looked up in a list of transactions.
	TransactionList bool
	// OrderLife is how long an unpaid order lives at the gateway.
	OrderLife time.Duration
	// MaxAmount is the largest amount in minor units that the gateway takes; 0: no limit known.
	MaxAmount int64
	// Currencies that the gateway takes.
	Currencies []Currency
}
