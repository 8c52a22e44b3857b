package sandbox

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// RefundStatus is the truth about a refund at the gateway, whatever an answer
// said.
type RefundStatus string

const (
	RefundPending   RefundStatus = "pending"   // in process or under review; leaves after the pending delay
	RefundSucceeded RefundStatus = "succeeded" // the money went back, once; final
	RefundFailed    RefundStatus = "failed"    // nothing went back; final
)

// Refunder is who had a refund made.
type Refunder string

const (
	RefunderShop   Refunder = "shop"   // the merchant's software, by a refund request
	RefunderPortal Refunder = "portal" // somebody in the vendor's portal, behind that software's back
)

// Refund is money given back of an order, or on its way back. Times are UTC.
type Refund struct {
	RefundID    string       `json:"refund_id"`
	RequestID   string       `json:"request_id"` // the refundRequestId; one that was sent twice may stand in two refunds
	By          Refunder     `json:"by"`
	Amount      int64        `json:"amount"` // minor units of the order's currency
	Description string       `json:"description,omitempty"`
	NotifyURL   string       `json:"notify_url,omitempty"`
	Status      RefundStatus `json:"status"`
	CreatedAt   time.Time    `json:"created_at"`
	EndedAt     time.Time    `json:"ended_at,omitzero"` // when it succeeded or failed
}

const (
	maxRefunds     = 50             // of one order, in memory
	balanceMissing = 24 * time.Hour // after the payment, with behaviour 44, at Speed 1
)

// Errors of refunds.
var (
	errNotPaid      = errors.New("the order is not paid")
	errRefunded     = errors.New("the order is refunded in full")
	errRefunding    = errors.New("a refund of the order is in process")
	errTooOld       = errors.New("the order is older than a year")
	errRefundAmount = errors.New("the amount is not between one minor unit and what is left of the order, in its currency")
	errBalance      = errors.New("the unsettled balance is too small")
	errManyRefunds  = errors.New("the order has too many refunds")
	errRequestLost  = errors.New("the request was lost on its way")
)

// refundSpec is what a merchant asks for, whatever the wire protocol.
type refundSpec struct {
	Order       lookup
	RequestID   string
	Amount      int64 // minor units
	Currency    string
	Description string
	NotifyURL   string
	Once        bool // a request id that comes again finds the refund it made
}

// refund gives money back, or begins to. It returns the course that the order's
// behaviour has for this request: refundsAtOnce for all but the first that is met. At AlphaPay
// a request id that comes again makes another refund, as nothing documented rules
// that out; only with behaviour 47 it finds the one it made.
func (l *ledger) refund(now time.Time, spec refundSpec) (of Order, made Refund, course refundCourse, err error) {
	of, err = l.with(now, spec.Order, func(o *order) error {
		if o.Status == StatusAbsent {
			return errUnknown
		}
		o.RefundSends++
		if other := l.refundRequests[orderKey{o.Gateway, spec.RequestID}]; spec.Once && other != nil && other != o {
			return errDifferent
		}
		if spec.Once || o.behaviour.refund == refundsOnce {
			if n := slices.IndexFunc(o.Refunds, func(r Refund) bool { return r.RequestID == spec.RequestID }); n >= 0 {
				made = o.Refunds[n]
				if made.Amount != spec.Amount || o.Currency != spec.Currency || made.Description != spec.Description {
					return errDifferent
				}
				return nil
			}
		}
		if o.behaviour.refund == refundRequestLost && o.RefundSends == 1 {
			return errRequestLost
		}
		if err := o.refusesRefund(now, l.balanceAfter, spec.Amount, spec.Currency); err != nil {
			return err
		}
		if !slices.ContainsFunc(o.Refunds, func(r Refund) bool { return r.By == RefunderShop }) {
			course = o.behaviour.refund
		}
		l.startRefund(o, now, Refund{RequestID: spec.RequestID, By: RefunderShop, Amount: spec.Amount,
			Description: spec.Description, NotifyURL: spec.NotifyURL})
		switch course {
		case refundsLater, refundsReviewed, refundsReviewedUnnamed:
			o.refundAt, o.refundTo = now.Add(l.pendingDelay), RefundSucceeded
		case refundFails:
			o.refundAt, o.refundTo = now.Add(l.pendingDelay), RefundFailed
		default:
			o.endRefund(RefundSucceeded, now)
		}
		made = o.Refunds[len(o.Refunds)-1]
		l.refundRequests[orderKey{o.Gateway, spec.RequestID}] = o
		return nil
	})
	return of, made, course, err
}

// refundInPortal gives amount back at once, or all that is left if amount is 0,
// as somebody in the vendor's portal does. Behaviours do not rule there.
func (l *ledger) refundInPortal(now time.Time, which lookup, amount int64) (Order, error) {
	return l.with(now, which, func(o *order) error {
		if amount == 0 {
			amount = o.Refundable()
		}
		if err := o.lacksMoney(amount, o.Currency); err != nil {
			return err
		}
		name := fmt.Sprintf("%s\x00%d", o.PaymentID, len(o.Refunds))
		l.startRefund(o, now, Refund{RequestID: "portal-" + l.derive("portal", name)[:16], By: RefunderPortal, Amount: amount})
		o.endRefund(RefundSucceeded, now)
		return nil
	})
}

// refusesRefund says why a merchant's request cannot be met, or nil. What is short
// of balance is so for balanceAfter from the payment on. The vendor
// allows refunds up to one year from the date of the order.
func (o *order) refusesRefund(now time.Time, balanceAfter time.Duration, amount int64, currency string) error {
	if err := o.lacksMoney(amount, currency); err != nil {
		return err
	}
	switch {
	case now.After(o.CreatedAt.AddDate(1, 0, 0)):
		return errTooOld
	case o.behaviour.refund == refusedForADay && now.Before(o.EndedAt.Add(balanceAfter)):
		return errBalance
	}
	return nil
}

// lacksMoney says why no one can give amount back, or nil.
func (o *order) lacksMoney(amount int64, currency string) error {
	switch {
	case o.Status != StatusPaid:
		return errNotPaid
	case o.Refundable() == 0:
		return errRefunded
	case !o.refundAt.IsZero():
		return errRefunding
	case amount < 1 || amount > o.Refundable() || currency != o.Currency:
		return errRefundAmount
	case len(o.Refunds) >= maxRefunds:
		return errManyRefunds
	}
	return nil
}

// startRefund adds a refund that is pending: the last of its order's, and the
// only one.
func (l *ledger) startRefund(o *order, now time.Time, made Refund) {
	made.RefundID = l.refundID(o)
	made.Status, made.CreatedAt = RefundPending, now.UTC()
	o.Refunds = append(o.Refunds, made)
	l.byRefund[orderKey{o.Gateway, made.RefundID}] = o
}

// endRefund ends the last refund. It is the only place where money goes back.
func (o *order) endRefund(status RefundStatus, at time.Time) {
	last := &o.Refunds[len(o.Refunds)-1]
	last.Status, last.EndedAt, o.refundAt = status, at.UTC(), time.Time{}
	if status == RefundSucceeded {
		o.Refunded += last.Amount
		o.announceRefund(*last)
	}
}

// pendingRefund is the amount of the refund that is in process, in minor units.
func (o *order) pendingRefund() int64 {
	if o.refundAt.IsZero() {
		return 0
	}
	return o.Refunds[len(o.Refunds)-1].Amount
}

// findRefund returns the refund with this id and its order, or errUnknown.
func (l *ledger) findRefund(now time.Time, gateway Gateway, refundID string) (of Order, found Refund, err error) {
	of, err = l.with(now, byRefund(gateway, refundID), func(o *order) error {
		found = o.Refunds[slices.IndexFunc(o.Refunds, func(r Refund) bool { return r.RefundID == refundID })]
		return nil
	})
	return of, found, err
}

// refundID has the form of a UUID, as the gateway's own have in its SDK's tests,
// and follows from the seed, the order and the number of the refund.
func (l *ledger) refundID(o *order) string {
	sum := l.derive("refund", fmt.Sprintf("%s\x00%d", o.PaymentID, len(o.Refunds)))
	return fmt.Sprintf("%s-%s-4%s-8%s-%s", sum[:8], sum[8:12], sum[12:15], sum[15:18], sum[18:30])
}

// Refundable returns what was captured and is not given back, in minor units; a
// refund that is still pending is not yet given back.
func (o Order) Refundable() int64 {
	if o.Status == StatusReversed {
		return 0
	}
	return int64(o.Captures)*o.Amount - o.Refunded
}
