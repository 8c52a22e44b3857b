package payment

import "time"

// MaxAttempts bounds the attempts of one sale.
const MaxAttempts = 9

// Instrument is how a customer pays an attempt.
type Instrument string

const (
	InstrumentCode Instrument = "code" // the customer's code was scanned
	InstrumentQR   Instrument = "qr"   // the customer scans the QR shown
	// InstrumentElsewhere: it was paid at another terminal; only refunds of it are here.
	InstrumentElsewhere Instrument = "elsewhere"
)

// AttemptStatus says what is known of one gateway order.
type AttemptStatus string

const (
	// AttemptSubmitting: the pay request is on its way. After a crash: unknown.
	AttemptSubmitting AttemptStatus = "submitting"
	// AttemptPending: the gateway has the order. After a crash: inquire.
	AttemptPending AttemptStatus = "pending"
	// AttemptUnknown: nobody knows yet. Inquire, send again or look it up, as the gateway can.
	AttemptUnknown AttemptStatus = "unknown"
	// AttemptCancelling: a cancel may be out. After a crash: inquire, cancel again (M5).
	AttemptCancelling AttemptStatus = "cancelling"
	// AttemptPaid, AttemptFailed and AttemptClosed are final for the sale.
	AttemptPaid   AttemptStatus = "paid"
	AttemptFailed AttemptStatus = "failed"
	AttemptClosed AttemptStatus = "closed"
)

// AttemptStatuses lists every attempt status.
func AttemptStatuses() []AttemptStatus {
	return []AttemptStatus{
		AttemptSubmitting, AttemptPending, AttemptUnknown, AttemptCancelling,
		AttemptPaid, AttemptFailed, AttemptClosed,
	}
}

// Final reports whether a verdict ended the attempt.
func (s AttemptStatus) Final() bool {
	return s == AttemptPaid || s == AttemptFailed || s == AttemptClosed
}

// Attempt is one gateway order for a sale, with a request id of its own.
type Attempt struct {
	N          int           `json:"n"` // 1-based
	RequestID  string        `json:"request_id"`
	Gateway    string        `json:"gateway"`
	Instrument Instrument    `json:"instrument"`
	Wallet     Wallet        `json:"wallet,omitempty"`
	CodeMask   string        `json:"code_mask,omitempty"`
	PaymentID  string        `json:"payment_id,omitempty"`
	Status     AttemptStatus `json:"status"`
	// Reason is why the attempt ended, or what last kept it from a verdict.
	Reason      Reason `json:"reason,omitempty"`
	GatewayCode string `json:"gateway_code,omitempty"`

	SubmittedAt time.Time `json:"submitted_at"`
	EndedAt     time.Time `json:"ended_at,omitzero"`
	ExpiresAt   time.Time `json:"expires_at,omitzero"` // the gateway's expiry of the order
	QR          *QR       `json:"qr,omitempty"`

	// Intent is the pay request byte for byte, but for the code (M7).
	Intent Intent `json:"intent"`
	// Code is kept only while a second send is useful. Stores keep it apart from
	// the sale, so that a backup can leave it out (M7, P8).
	Code Code `json:"-"`

	Seq  int       `json:"seq"`            // of the last call started
	Call *InFlight `json:"call,omitempty"` // the call under way, at most one
	// CalledAt is when the last call started.
	CalledAt time.Time `json:"called_at,omitzero"`
	// Next and NextAt are the call to start next, when none is under way.
	Next   CallKind  `json:"next,omitempty"`
	NextAt time.Time `json:"next_at,omitzero"`

	SentAt  time.Time `json:"sent_at,omitzero"`  // of the last pay request
	Sends   int       `json:"sends,omitempty"`   // pay requests started
	Polls   int       `json:"polls,omitempty"`   // questions answered in this phase
	Cancels int       `json:"cancels,omitempty"` // cancels started
	// CancelledAt is when the last cancel started; its repetition is counted from it.
	CancelledAt time.Time `json:"cancelled_at,omitzero"`
	// CancelTooLate: the gateway said that its window for cancelling is over, so
	// that no cancel of ours gives a payment back any more (M5).
	CancelTooLate bool `json:"cancel_too_late,omitempty"`
	// FastUntil ends the fast phase of a code attempt (M15).
	FastUntil time.Time `json:"fast_until,omitzero"`
	// IDFromResend: the payment id was learnt from a second send of a pay that
	// is not idempotent, so it can prove paid only (M4).
	IDFromResend bool `json:"id_from_resend,omitempty"`
	// IDDisproved: that id's order failed or closed; it says nothing about the first send.
	IDDisproved bool `json:"id_disproved,omitempty"`
	// AlreadyPaid: the gateway said that this request id was paid; its proof is still to be found.
	AlreadyPaid bool `json:"already_paid,omitempty"`
	// Moved: the sale was restored, or moved to another machine, while the
	// attempt was live. What happened to it elsewhere is not known.
	Moved bool `json:"moved,omitempty"`
	// Doubted is a failure that one confirming inquiry may still overturn.
	Doubted *Failure `json:"doubted,omitempty"`
	// Absence is what speaks for the gateway never having had the order.
	Absence *Absence `json:"absence,omitempty"`
	// Watch is set while an attempt that is over is still looked after (M12).
	Watch *Watch `json:"watch,omitempty"`
	// Capture is money found to be taken for an attempt that is over, or whose
	// sale was to be cancelled (M12).
	Capture *Capture `json:"capture,omitempty"`
	// Returned is money of its payment that somebody else gave back, such as a
	// person in the gateway's portal.
	Returned *Returned `json:"returned,omitempty"`
	// Silent: the last call brought no verified answer (M14).
	Silent bool `json:"silent,omitempty"`
}

// InFlight is a call that was started and has no outcome yet.
type InFlight struct {
	Seq  int      `json:"seq"`
	Kind CallKind `json:"kind"`
}

// Absence is the evidence that a gateway does not have an order: complete passes
// in a row over its transaction list that did not find it, or, of a gateway that
// is asked by request id, a cancel's and an inquiry's "not found". Times are the
// gateway's where it has a list.
type Absence struct {
	Passes int       `json:"passes"`
	Since  time.Time `json:"since"` // the first pass was answered
	At     time.Time `json:"at"`    // the last one was
	// Rows and Newest are of the last pass over the list.
	Rows   int       `json:"rows,omitempty"`
	Newest time.Time `json:"newest,omitzero"`
}

// QR is what a QR order gives the customer to scan.
type QR struct {
	// Payload is the payment URL to encode.
	Payload string `json:"payload"`
	// Image is the gateway's ready-made image, a fallback (data URI, may be empty).
	Image string `json:"image,omitempty"`
}

// Intent is a pay request as it will be sent each time, with a hole for the
// code: the body is Head, the code, Tail. It is stored with the attempt before
// the first send, so that a second send is the same whatever changed meanwhile.
type Intent struct {
	Account string `json:"account,omitempty"` // merchant code or client id
	URL     string `json:"url,omitempty"`
	Head    string `json:"head,omitempty"`
	Tail    string `json:"tail,omitempty"`
}

// Body returns the request's body with the code in its place.
func (i Intent) Body(c Code) []byte {
	return []byte(i.Head + c.Reveal() + i.Tail)
}

// FillsCode reports whether the body has a hole that a code must fill.
func (i Intent) FillsCode() bool { return i.Tail != "" }
