package sandbox

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Status is the truth about an order at the gateway, whatever an answer said.
type Status string

const (
	StatusAbsent  Status = "absent"  // a request was sent, but no order came of it; a further send may make one
	StatusPending Status = "pending" // waits for the customer; leaves by pay, decline, cancel or expiry
	StatusPaid    Status = "paid"    // captured, once; final, whatever is refunded later
	StatusFailed  Status = "failed"  // refused by the wallet or the customer; final
	StatusClosed  Status = "closed"  // cancelled or expired; final, but see behaviour 32
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
}

// Errors of the model.
var (
	errDifferent = errors.New("the request id was used with other content")
	errFull      = errors.New("too many orders are open")
	errUnknown   = errors.New("no such order")
	errPaid      = errors.New("the order is paid")
	errUndecided = errors.New("the order is in process and cannot be decided now")
	errNotOpen   = errors.New("the order is not waiting for the customer")
)

// orderSpec is what a merchant asks for, whatever the wire protocol.
type orderSpec struct {
	RequestID   string
	Amount      int64
	Currency    string
	Description string
	Instrument  Instrument
	Code        string // the payment code; only its mask and a digest are kept
	NotifyURL   string
	RedirectURL string
}

func (s orderSpec) digest() [sha256.Size]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%q", []string{
		fmt.Sprint(s.Amount), s.Currency, s.Description, string(s.Instrument), s.Code, s.NotifyURL, s.RedirectURL}))
}

// order is an Order with what only the model needs.
type order struct {
	Order
	digest    [sha256.Size]byte
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
	return seen
}

// ledger is the gateway's truth. It knows no wire protocol, has no clock of its
// own (every method is told the time, and first lets happen what is due), and
// keeps at most limit orders: the oldest that is over makes room.
type ledger struct {
	seed         string
	life         time.Duration
	pendingDelay time.Duration
	limit        int

	mu        sync.Mutex
	inOrder   []*order // oldest first
	byRequest map[string]*order
	byPayment map[string]*order
	byToken   map[string]*order
	byRefund  map[string]*order
}

func newLedger(seed string, life, pendingDelay time.Duration, limit int) *ledger {
	return &ledger{seed: seed, life: life, pendingDelay: pendingDelay, limit: limit,
		byRequest: map[string]*order{}, byPayment: map[string]*order{}, byToken: map[string]*order{}, byRefund: map[string]*order{}}
}

// arrive notes that a pay request was sent, and returns how often it was by now.
// It makes no order yet.
func (l *ledger) arrive(now time.Time, spec orderSpec) (sends int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if known := l.byRequest[spec.RequestID]; known != nil {
		known.Sends++
		if known.digest != spec.digest() {
			return known.Sends, errDifferent
		}
		return known.Sends, nil
	}
	if err := l.makeRoom(now); err != nil {
		return 0, err
	}
	chosen := behaviourFor(spec)
	made := &order{
		Order: Order{
			RequestID: spec.RequestID, Instrument: spec.Instrument, Wallet: walletOf(spec.Code), CodeMask: mask(spec.Code),
			Behaviour: chosen.Digits, Amount: spec.Amount, Currency: spec.Currency, Description: spec.Description,
			Status: StatusAbsent, Sends: 1, CreatedAt: now.UTC(),
		},
		digest: spec.digest(), behaviour: chosen,
	}
	l.inOrder = append(l.inOrder, made)
	l.byRequest[spec.RequestID] = made
	return 1, nil
}

// place makes the order of a request that arrived, or finds the one already
// made. Only the send that made it is told fresh, and only that one can capture.
func (l *ledger) place(now time.Time, requestID string) (placed Order, fresh bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	found := l.byRequest[requestID]
	if found == nil {
		return Order{}, false, errUnknown
	}
	if found.Status != StatusAbsent {
		l.settle(found, now)
		return found.view(), false, nil
	}
	found.Status = StatusPending
	found.CreatedAt = now.UTC()
	found.ExpiresAt = found.CreatedAt.Add(l.life)
	found.PaymentID = l.paymentID(requestID, found.CreatedAt)
	found.token = l.derive("token", requestID)[:32]
	found.PayPath = "/pay/" + found.token
	l.byPayment[found.PaymentID] = found
	l.byToken[found.token] = found
	switch found.behaviour.truth {
	case paysAtOnce:
		found.end(StatusPaid, now)
	case failsAtOnce:
		found.end(StatusFailed, now)
	case paysLater:
		found.settleAt, found.settleTo = now.Add(l.pendingDelay), StatusPaid
	case failsLater:
		found.settleAt, found.settleTo = now.Add(l.pendingDelay), StatusFailed
	}
	return found.view(), true, nil
}

// end is the only place where an order ends and where money is taken.
func (o *order) end(status Status, at time.Time) {
	o.Status, o.EndedAt, o.settleAt = status, at.UTC(), time.Time{}
	switch status {
	case StatusPaid:
		o.Captures++
	case StatusFailed:
		if o.Failure = o.behaviour.failure; o.Failure == "" {
			o.Failure = FailureDeclined
		}
	}
}

// settle lets happen what was due by now.
func (l *ledger) settle(o *order, now time.Time) {
	expires := o.Status == StatusPending && o.behaviour.truth != waitsForEver && !now.Before(o.ExpiresAt)
	settles := !o.settleAt.IsZero() && !now.Before(o.settleAt)
	switch {
	case settles && (!expires || !o.ExpiresAt.Before(o.settleAt)):
		o.end(o.settleTo, o.settleAt)
	case expires:
		o.end(StatusClosed, o.ExpiresAt)
	}
	if !o.refundAt.IsZero() && !now.Before(o.refundAt) {
		o.endRefund(o.refundTo, o.refundAt)
	}
}

// find returns the order with this payment id, or errUnknown.
func (l *ledger) find(now time.Time, paymentID string) (Order, error) {
	return l.with(now, l.byPayment, paymentID, func(*order) error { return nil })
}

// cancel closes an unpaid order: errPaid for a paid one, errUndecided for one
// that waits for ever. A closed or failed order stays as it is.
func (l *ledger) cancel(now time.Time, paymentID string) (Order, error) {
	return l.with(now, l.byPayment, paymentID, func(o *order) error {
		switch {
		case o.Status == StatusPaid:
			return errPaid
		case o.Status != StatusPending:
			return nil
		case o.behaviour.truth == waitsForEver:
			return errUndecided
		}
		o.end(StatusClosed, now)
		if o.behaviour.truth == paysAfterCancel {
			o.settleAt, o.settleTo = now.Add(l.pendingDelay), StatusPaid
		}
		return nil
	})
}

// decide does what the customer decided on the pay page or a test through the
// control API: errNotOpen if the order does not wait for the customer.
func (l *ledger) decide(now time.Time, orders map[string]*order, key string, decision Status) (Order, error) {
	return l.with(now, orders, key, func(o *order) error {
		if o.Status != StatusPending {
			return errNotOpen
		}
		if o.Instrument == InstrumentQR && decision == StatusPaid {
			o.Wallet = WalletAlipay
		}
		o.end(decision, now)
		return nil
	})
}

// with runs change on the settled order that orders holds under key.
func (l *ledger) with(now time.Time, orders map[string]*order, key string, change func(*order) error) (Order, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	found := orders[key]
	if found == nil {
		return Order{}, errUnknown
	}
	l.settle(found, now)
	err := change(found)
	return found.view(), err
}

// orders returns every order, the newest first.
func (l *ledger) orders(now time.Time) []Order {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]Order, 0, len(l.inOrder))
	for _, o := range slices.Backward(l.inOrder) {
		l.settle(o, now)
		all = append(all, o.view())
	}
	return all
}

// movement is money that moved: the capture of an order, or a refund of it.
type movement struct {
	order  Order
	refund *Refund // nil for the capture
	at     time.Time
}

// amount is in minor units of the order's currency, captured or given back.
func (m movement) amount() int64 {
	if m.refund != nil {
		return m.refund.Amount
	}
	return m.order.Amount
}

// movements returns what moved from start to before end, in that order.
func (l *ledger) movements(now, start, end time.Time) []movement {
	all := []movement{}
	add := func(m movement) {
		if !m.at.Before(start) && m.at.Before(end) {
			all = append(all, m)
		}
	}
	for _, o := range slices.Backward(l.orders(now)) {
		if o.Status == StatusPaid {
			add(movement{order: o, at: o.EndedAt})
		}
		for n := range o.Refunds {
			if o.Refunds[n].Status == RefundSucceeded {
				add(movement{order: o, refund: &o.Refunds[n], at: o.Refunds[n].EndedAt})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b movement) int {
		return cmp.Or(a.at.Compare(b.at), strings.Compare(a.order.PaymentID, b.order.PaymentID))
	})
	return all
}

// makeRoom drops the oldest order that is over, if there are too many.
func (l *ledger) makeRoom(now time.Time) error {
	if len(l.inOrder) < l.limit {
		return nil
	}
	oldest := slices.IndexFunc(l.inOrder, func(o *order) bool {
		l.settle(o, now)
		return o.Status != StatusPending && o.settleAt.IsZero() && o.refundAt.IsZero()
	})
	if oldest < 0 {
		return errFull
	}
	dropped := l.inOrder[oldest]
	l.inOrder = slices.Delete(l.inOrder, oldest, oldest+1)
	delete(l.byRequest, dropped.RequestID)
	delete(l.byPayment, dropped.PaymentID)
	delete(l.byToken, dropped.token)
	for _, refund := range dropped.Refunds {
		delete(l.byRefund, refund.RefundID)
	}
	return nil
}

// paymentID is 25 digits, as the gateway's own are: the time to the millisecond
// and ten digits that follow from the seed and the request id.
func (l *ledger) paymentID(requestID string, at time.Time) string {
	sum := sha256.Sum256([]byte("payment\x00" + l.seed + "\x00" + requestID))
	var tail [10]byte
	for i := range tail {
		tail[i] = '0' + sum[i]%10
	}
	return strings.Replace(at.Format("060102150405.000"), ".", "", 1) + string(tail[:])
}

func (l *ledger) derive(kind, name string) string {
	sum := sha256.Sum256([]byte(kind + "\x00" + l.seed + "\x00" + name))
	return hex.EncodeToString(sum[:])
}

// mask shows the first two and the last four characters of a payment code.
func mask(code string) string {
	if len(code) < 12 {
		return strings.Repeat("*", len(code))
	}
	return code[:2] + strings.Repeat("*", len(code)-6) + code[len(code)-4:]
}
