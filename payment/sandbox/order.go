package sandbox

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Status is the truth about an order at the gateway, whatever an answer said.
type Status string

const (
	StatusAbsent  Status = "absent"  // a request was sent, but no order came of it; a further send may make one
	StatusPending Status = "pending" // waits for the customer; leaves by pay, decline, cancel or expiry
	StatusPaid    Status = "paid"    // captured, once; whatever is refunded later; left only by an Alipay+ cancel
	StatusFailed  Status = "failed"  // refused by the wallet or the customer; final
	StatusClosed  Status = "closed"  // cancelled or expired; final, but see behaviour 32
	// StatusReversed is captured and given back whole by a cancel; final. Alipay+ only.
	StatusReversed Status = "reversed"
)

// Gateway is the vendor whose order it is. Orders of one vendor are unknown to the
// other, even under the same ids.
type Gateway string

const (
	GatewayAlphaPay   Gateway = "alphapay"
	GatewayAlipayPlus Gateway = "alipayplus"
)

// Instrument is how the customer's wallet and the order met.
type Instrument string

const (
	InstrumentCode Instrument = "code" // the shop scanned the customer's payment code
	InstrumentQR   Instrument = "qr"   // the customer scans the shop's QR code
)

// Failure is why an order failed.
type Failure string

const (
	FailureBalance             Failure = "insufficient_balance"
	FailureBalanceUndocumented Failure = "insufficient_balance_undocumented"
	FailureInvalidCode         Failure = "invalid_code"
	FailureExpiredCode         Failure = "expired_code"
	FailureDeclined            Failure = "declined"
)

// Order is an order as the gateway knows it. Times are UTC.
type Order struct {
	Gateway     Gateway    `json:"gateway"`
	RequestID   string     `json:"request_id"`
	PaymentID   string     `json:"payment_id,omitempty"` // none while absent
	Instrument  Instrument `json:"instrument"`
	Wallet      Wallet     `json:"wallet,omitempty"`    // none before a QR is paid, and for a code no wallet makes
	CodeMask    string     `json:"code_mask,omitempty"` // first two and last four characters of the code
	Behaviour   string     `json:"behaviour,omitempty"` // digits of the Behaviours row
	Amount      int64      `json:"amount"`              // minor units
	Currency    string     `json:"currency"`
	Description string     `json:"description"`
	Status      Status     `json:"status"`
	Failure     Failure    `json:"failure,omitempty"`
	Captures    int        `json:"captures"` // how often money was taken: 0 or 1
	Sends       int        `json:"sends"`    // how many pay requests came
	CreatedAt   time.Time  `json:"created_at"`
	ExpiresAt   time.Time  `json:"expires_at,omitzero"`
	EndedAt     time.Time  `json:"ended_at,omitzero"` // when it became paid, failed or closed
	PayPath     string     `json:"pay_path,omitempty"`
	RefundSends int        `json:"refund_sends"` // how many refund requests came
	Refunded    int64      `json:"refunded"`     // minor units; of the refunds that succeeded
	Refunds     []Refund   `json:"refunds"`      // the oldest first; only the last can be pending
	NotifyURL   string     `json:"notify_url,omitempty"`

	Notifications []Notification `json:"notifications,omitempty"` // the oldest first
}

// Errors of the model.
var (
	errDifferent = errors.New("the request id was used with other content")
	errPast      = errors.New("the order would be over before it began")
	errFull      = errors.New("too many orders are open")
	errUnknown   = errors.New("no such order")
	errPaid      = errors.New("the order is paid")
	errUndecided = errors.New("the order is in process and cannot be decided now")
	errNotOpen   = errors.New("the order is not waiting for the customer")
	errWindow    = errors.New("the order can be cancelled no more")
	errPartly    = errors.New("the order is refunded in part")

	errNoBehaviour = errors.New("digits: want those of a row of the table of behaviours")
)

// orderSpec is what a merchant asks for, whatever the wire protocol.
type orderSpec struct {
	Gateway     Gateway
	RequestID   string
	Amount      int64
	Currency    string
	Description string
	Instrument  Instrument
	Code        string // the payment code; only its mask and a digest are kept
	NotifyURL   string
	Life        time.Duration // until it expires, if nobody pays
	Same        []string      // what a repeat of the request must not change
}

func (s orderSpec) digest() [sha256.Size]byte { return sha256.Sum256(fmt.Appendf(nil, "%q", s.Same)) }

// order is an Order with what only the model needs.
type order struct {
	Order
	digest    [sha256.Size]byte
	life      time.Duration
	token     string // names the pay page
	behaviour Behaviour
	settleAt  time.Time // when settleTo happens by itself; zero for never
	settleTo  Status
	refundAt  time.Time // when the pending refund ends as refundTo; zero if none is pending
	refundTo  RefundStatus
}

// view is the order for others: it changes no more.
func (o *order) view() Order {
	seen := o.Order
	seen.Refunds = slices.Clone(o.Refunds)
	seen.Notifications = slices.Clone(o.Notifications)
	return seen
}

// end is the only place where an order ends and where money is taken.
func (o *order) end(status Status, at time.Time) {
	o.Status, o.EndedAt, o.settleAt = status, at.UTC(), time.Time{}
	switch status {
	case StatusPaid, StatusReversed:
		o.Captures = 1
	case StatusFailed:
		if o.Failure = o.behaviour.failure; o.Failure == "" {
			o.Failure = FailureDeclined
		}
	}
}

// mask shows the first two and the last four characters of a payment code.
func mask(code string) string {
	if len(code) < 12 {
		return strings.Repeat("*", len(code))
	}
	return code[:2] + strings.Repeat("*", len(code)-6) + code[len(code)-4:]
}
