package sandbox

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// ledger is the gateway's truth. It knows no wire protocol, has no clock of its
// own (every method is told the time, and first lets happen what is due), and
// keeps at most limit orders: the oldest that is over makes room.
type ledger struct {
	seed         string
	pendingDelay time.Duration
	balanceAfter time.Duration // with behaviour 44, counted from the payment
	limit        int

	mu        sync.Mutex
	inOrder   []*order // oldest first
	byRequest map[orderKey]*order
	byPayment map[orderKey]*order
	byToken   map[string]*order
	byRefund  map[orderKey]*order

	refundRequests map[orderKey]*order // by refundRequestId, the last that used it

	qrQueue []QRBehaviour // how the next QR orders behave

	wake chan struct{} // holds one token when something may have changed
	save func(*order)  // keeps an order beyond this process
}

// changed is told of an order that may have changed.
func (l *ledger) changed(o *order) {
	l.save(o)
	l.awake()
}

// awake has Run look at what is due.
func (l *ledger) awake() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// orderKey is an id of an order or of its refund, at its gateway.
type orderKey struct {
	gateway Gateway
	id      string
}

// lookup finds an order, or nil.
type lookup func(*ledger) *order

func byRequest(gateway Gateway, id string) lookup {
	return func(l *ledger) *order { return l.byRequest[orderKey{gateway, id}] }
}

func byPayment(gateway Gateway, id string) lookup {
	return func(l *ledger) *order { return l.byPayment[orderKey{gateway, id}] }
}

func byRefund(gateway Gateway, id string) lookup {
	return func(l *ledger) *order { return l.byRefund[orderKey{gateway, id}] }
}

func byToken(token string) lookup { return func(l *ledger) *order { return l.byToken[token] } }

// byAnyRequest finds an order of either gateway, AlphaPay's first.
func byAnyRequest(id string) lookup {
	return func(l *ledger) *order {
		return cmp.Or(l.byRequest[orderKey{GatewayAlphaPay, id}], l.byRequest[orderKey{GatewayAlipayPlus, id}])
	}
}

func newLedger(c Config) *ledger {
	return &ledger{seed: c.Seed, pendingDelay: c.PendingDelay, balanceAfter: c.scaled(balanceMissing), limit: c.MaxOrders,
		byRequest: map[orderKey]*order{}, byPayment: map[orderKey]*order{}, byToken: map[string]*order{}, byRefund: map[orderKey]*order{}, refundRequests: map[orderKey]*order{},
		wake: make(chan struct{}, 1), save: func(*order) {}}
}

// arrive notes that a pay request was sent, and returns how often it was by now
// and how it shall be dealt with. It makes no order yet.
func (l *ledger) arrive(now time.Time, spec orderSpec) (sends int, chosen Behaviour, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := orderKey{spec.Gateway, spec.RequestID}
	if known := l.byRequest[key]; known != nil {
		known.Sends++
		l.changed(known)
		if known.digest != spec.digest() {
			return known.Sends, known.behaviour, errDifferent
		}
		return known.Sends, known.behaviour, nil
	}
	if spec.Life <= 0 {
		return 0, Behaviour{}, errPast
	}
	if err := l.makeRoom(now); err != nil {
		return 0, Behaviour{}, err
	}
	chosen = l.behaviourFor(spec)
	made := &order{
		Order: Order{
			Gateway: spec.Gateway, RequestID: spec.RequestID, Instrument: spec.Instrument, Wallet: walletOf(spec.Code), CodeMask: mask(spec.Code),
			Behaviour: chosen.Digits, Amount: spec.Amount, Currency: spec.Currency, Description: spec.Description,
			Status: StatusAbsent, Sends: 1, CreatedAt: now.UTC(), NotifyURL: spec.NotifyURL,
		},
		digest: spec.digest(), life: spec.Life, behaviour: chosen,
	}
	l.inOrder = append(l.inOrder, made)
	l.byRequest[key] = made
	l.changed(made)
	return 1, chosen, nil
}

// place makes the order of a request that arrived, or finds the one already
// made. Only the send that made it is told fresh, and only that one can capture.
func (l *ledger) place(now time.Time, gateway Gateway, requestID string) (placed Order, fresh bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	found := l.byRequest[orderKey{gateway, requestID}]
	if found == nil {
		return Order{}, false, errUnknown
	}
	if found.Status != StatusAbsent {
		l.settle(found, now)
		return found.view(), false, nil
	}
	found.Status = StatusPending
	found.CreatedAt = now.UTC()
	found.ExpiresAt = found.CreatedAt.Add(found.life)
	found.PaymentID = l.paymentID(gateway, requestID, found.CreatedAt)
	found.token = l.derive("token", string(gateway)+"\x00"+requestID)[:32]
	found.PayPath = "/pay/" + found.token
	l.byPayment[orderKey{gateway, found.PaymentID}] = found
	l.byToken[found.token] = found
	l.begin(found, now)
	l.changed(found)
	return found.view(), true, nil
}

// begin lets a pending order take the course that its behaviour has for it. One
// that is shown as a QR code waits for its page where a scanned one ends at once.
func (l *ledger) begin(o *order, now time.Time) {
	atOnce := o.Instrument == InstrumentCode
	o.settleAt = time.Time{}
	switch o.behaviour.truth {
	case paysAtOnce:
		if atOnce {
			o.end(StatusPaid, now)
			o.announce(now)
		}
	case failsAtOnce:
		if atOnce {
			o.end(StatusFailed, now)
			o.announce(now)
		}
	case paysLater:
		o.settleAt, o.settleTo = now.Add(l.pendingDelay), StatusPaid
	case failsLater:
		o.settleAt, o.settleTo = now.Add(l.pendingDelay), StatusFailed
	}
}

// behave gives an order that waits another behaviour: errNotOpen if it does not
// wait, errNoBehaviour for digits that the table does not list.
func (l *ledger) behave(now time.Time, which lookup, digits string) (Order, error) {
	return l.with(now, which, func(o *order) error {
		switch {
		case !isBehaviour(digits):
			return errNoBehaviour
		case o.Status != StatusPending:
			return errNotOpen
		}
		o.behaviour = behaviourNamed(o.Instrument, digits)
		o.Behaviour = digits
		l.begin(o, now)
		return nil
	})
}

// settle lets happen what was due by now.
func (l *ledger) settle(o *order, now time.Time) {
	expires := o.Status == StatusPending && o.behaviour.truth != waitsForEver && !now.Before(o.ExpiresAt)
	settles := !o.settleAt.IsZero() && !now.Before(o.settleAt)
	switch {
	case settles && (!expires || !o.ExpiresAt.Before(o.settleAt)):
		o.end(o.settleTo, o.settleAt)
		if o.Status != StatusReversed { // which the shop asked for
			o.announce(o.EndedAt)
		}
	case expires:
		o.end(StatusClosed, o.ExpiresAt)
		o.announce(o.EndedAt)
	}
	if !o.refundAt.IsZero() && !now.Before(o.refundAt) {
		o.endRefund(o.refundTo, o.refundAt)
	}
}

// find returns the order, or errUnknown.
func (l *ledger) find(now time.Time, which lookup) (Order, error) {
	return l.with(now, which, func(*order) error { return nil })
}

// cancel closes an unpaid order: errPaid for a paid one, errUndecided for one
// that waits for ever. A closed or failed order stays as it is.
func (l *ledger) cancel(now time.Time, which lookup) (Order, error) {
	return l.with(now, which, func(o *order) error {
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

// reverse does what Alipay+ calls cancel: it closes an unpaid order and gives a
// paid one's money back, until 00:15 in UTC+8 of the day after the order. From
// then on the order can only end closed or reversed. It fails with errUndecided
// for an order that waits for ever, errWindow and errPartly.
func (l *ledger) reverse(now time.Time, which lookup) (Order, error) {
	return l.with(now, which, func(o *order) error {
		switch {
		case o.Status == StatusAbsent:
			return errUnknown
		case o.Status == StatusPending && o.behaviour.truth == waitsForEver:
			return errUndecided
		case o.Status == StatusPending:
			o.end(StatusClosed, now)
			if o.behaviour.truth == paysAfterCancel {
				o.settleAt, o.settleTo = now.Add(l.pendingDelay), StatusReversed
			}
		case o.Status == StatusPaid && o.Refunded+o.pendingRefund() > 0:
			return errPartly
		case o.Status == StatusPaid && !now.Before(cancelWindowEnd(o.CreatedAt)):
			return errWindow
		case o.Status == StatusPaid:
			o.end(StatusReversed, now)
		}
		return nil
	})
}

// cancelWindowEnd is 00:15 in UTC+8 of the day after the order's.
func cancelWindowEnd(created time.Time) time.Time {
	year, month, day := created.In(plusZone).Date()
	return time.Date(year, month, day+1, 0, 15, 0, 0, plusZone)
}

// decide does what the customer decided on the pay page or a test through the
// control API: errNotOpen if the order does not wait for the customer.
func (l *ledger) decide(now time.Time, which lookup, decision Status) (Order, error) {
	return l.with(now, which, func(o *order) error {
		if o.Status != StatusPending {
			return errNotOpen
		}
		if o.Instrument == InstrumentQR && decision == StatusPaid {
			o.Wallet = WalletAlipay
			if o.behaviour.truth == failsAtOnce { // the wallet cannot pay
				decision = StatusFailed
			}
		}
		o.end(decision, now)
		o.announce(now)
		return nil
	})
}

// with runs change on the settled order, or returns errUnknown.
func (l *ledger) with(now time.Time, which lookup, change func(*order) error) (Order, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	found := which(l)
	if found == nil {
		return Order{}, errUnknown
	}
	l.settle(found, now)
	err := change(found)
	l.changed(found)
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

// makeRoom drops the oldest order that is over, if there are too many.
func (l *ledger) makeRoom(now time.Time) error {
	if len(l.inOrder) < l.limit {
		return nil
	}
	oldest := slices.IndexFunc(l.inOrder, func(o *order) bool {
		l.settle(o, now)
		return o.isOver()
	})
	if oldest < 0 {
		return errFull
	}
	l.drop(oldest)
	return nil
}

// isOver reports whether nothing is still to happen to the order by itself.
func (o *order) isOver() bool {
	return o.Status != StatusPending && o.settleAt.IsZero() && o.refundAt.IsZero()
}

// drop forgets an order, by its index.
func (l *ledger) drop(oldest int) {
	dropped := l.inOrder[oldest]
	l.inOrder = slices.Delete(l.inOrder, oldest, oldest+1)
	delete(l.byRequest, orderKey{dropped.Gateway, dropped.RequestID})
	delete(l.byPayment, orderKey{dropped.Gateway, dropped.PaymentID})
	delete(l.byToken, dropped.token)
	for _, refund := range dropped.Refunds {
		delete(l.byRefund, orderKey{dropped.Gateway, refund.RefundID})
		delete(l.refundRequests, orderKey{dropped.Gateway, refund.RequestID})
	}
}

// paymentID is 25 digits, as the gateway's own are: the time to the millisecond
// and ten digits that follow from the seed and the request id.
func (l *ledger) paymentID(gateway Gateway, requestID string, at time.Time) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "payment\x00%s\x00%s\x00%s", l.seed, gateway, requestID))
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
