package sandbox

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Notification is what the shop is told of an order's end, or of a refund's, at
// the URL that its request named. Times are UTC.
type Notification struct {
	RefundID       string    `json:"refund_id,omitempty"` // of a refund; none for the payment
	URL            string    `json:"url"`
	Tries          int       `json:"tries"`
	NextAt         time.Time `json:"next_at,omitzero"`         // of the next try; none when there is none
	AcknowledgedAt time.Time `json:"acknowledged_at,omitzero"` // when the shop took it as the vendor asks
	Problem        string    `json:"problem,omitempty"`        // why the last try was not acknowledged
}

// Pauses between the tries of a notification that nobody acknowledges.
var (
	// Alipay+ sends again up to seven times, within 24 hours and 22 minutes.
	plusPauses = []time.Duration{2 * time.Minute, 10 * time.Minute, 10 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour, 15 * time.Hour}
	// AlphaPay tries three times at once, then every 30 minutes for 24 hours.
	alphaPauses = append([]time.Duration{0, 0}, slices.Repeat([]time.Duration{30 * time.Minute}, 48)...)
	// AlphaPay tells of a refund once.
	alphaRefundPauses = []time.Duration{}
)

// pauses are those of a notification of this gateway.
func (n Notification) pauses(gateway Gateway) []time.Duration {
	switch {
	case gateway == GatewayAlipayPlus:
		return plusPauses
	case n.RefundID != "":
		return alphaRefundPauses
	}
	return alphaPauses
}

var errNothingToTell = errors.New("the order has no notification: it named no URL, or nothing happened yet")

// announce adds the notification of the payment's end. AlphaPay tells of success
// only; Alipay+ of failure and expiry too.
func (o *order) announce(at time.Time) {
	if o.NotifyURL != "" && (o.Gateway == GatewayAlipayPlus || o.Status == StatusPaid) {
		o.Notifications = append(o.Notifications, Notification{URL: o.NotifyURL, NextAt: at.UTC()})
	}
}

// announceRefund adds the notification of a refund that succeeded.
func (o *order) announceRefund(refund Refund) {
	if refund.NotifyURL != "" {
		o.Notifications = append(o.Notifications, Notification{RefundID: refund.RefundID, URL: refund.NotifyURL, NextAt: refund.EndedAt})
	}
}

// delivery is one try of a notification.
type delivery struct {
	order  Order
	number int // index of the notification
}

func (d delivery) notification() Notification { return d.order.Notifications[d.number] }

// refund is the refund that the notification is of, or nil.
func (d delivery) refund() *Refund {
	id := d.notification().RefundID
	if n := slices.IndexFunc(d.order.Refunds, func(r Refund) bool { return r.RefundID == id }); id != "" && n >= 0 {
		return &d.order.Refunds[n]
	}
	return nil
}

// dueDeliveries begins the tries that are due, and plans the next ones; pauses
// are divided by speed.
func (l *ledger) dueDeliveries(now time.Time, speed int) []delivery {
	l.mu.Lock()
	defer l.mu.Unlock()
	var due []delivery
	for _, o := range l.inOrder {
		l.settle(o, now)
		for n := range o.Notifications {
			if next := o.Notifications[n].NextAt; !next.IsZero() && !now.Before(next) {
				due = append(due, l.try(o, n, now, speed))
			}
		}
	}
	return due
}

// try counts a try, and plans the next.
func (l *ledger) try(o *order, number int, now time.Time, speed int) delivery {
	n := &o.Notifications[number]
	pauses := n.pauses(o.Gateway)
	n.Tries++
	n.NextAt = time.Time{}
	if n.Tries <= len(pauses) && n.AcknowledgedAt.IsZero() {
		n.NextAt = now.Add(pauses[n.Tries-1] / time.Duration(speed)).UTC()
	}
	l.changed(o)
	return delivery{o.view(), number}
}

// again begins a try of the order's last notification, whether or not it is due
// or was acknowledged.
func (l *ledger) again(now time.Time, which lookup, speed int) (out delivery, err error) {
	_, err = l.with(now, which, func(o *order) error {
		if len(o.Notifications) == 0 {
			return errNothingToTell
		}
		out = l.try(o, len(o.Notifications)-1, now, speed)
		return nil
	})
	return out, err
}

// delivered notes how a try ended: problem is nil if it was acknowledged. After a
// final problem there is no next try. An order that made room meanwhile is unknown,
// whether or not another one came under its request id.
func (l *ledger) delivered(now time.Time, tried delivery, problem error) (Order, error) {
	return l.with(now, byPayment(tried.order.Gateway, tried.order.PaymentID), func(o *order) error {
		n := &o.Notifications[tried.number]
		n.Problem = ""
		switch {
		case problem == nil:
			n.AcknowledgedAt, n.NextAt = now.UTC(), time.Time{}
		case errors.Is(problem, errNotAllowed):
			n.NextAt = time.Time{}
			fallthrough
		default:
			n.Problem = truncate(problem.Error(), 200)
		}
		return nil
	})
}

// nextDelivery is when something may be to tell: a planned try, or an order with
// a notification URL that ends by itself. It is zero if nothing is planned.
func (l *ledger) nextDelivery() (next time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	sooner := func(at time.Time) {
		if !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	for _, o := range l.inOrder {
		for _, n := range o.Notifications {
			sooner(n.NextAt)
		}
		if o.NotifyURL != "" {
			sooner(o.settleAt)
			if o.Status == StatusPending && o.behaviour.truth != waitsForEver {
				sooner(o.ExpiresAt)
			}
		}
		if last := len(o.Refunds) - 1; last >= 0 && o.Refunds[last].NotifyURL != "" {
			sooner(o.refundAt)
		}
	}
	return next
}

// String says which order and event, for logs.
func (d delivery) String() string {
	if id := d.notification().RefundID; id != "" {
		return fmt.Sprintf("refund %s of %s", id, d.order.RequestID)
	}
	return "payment " + d.order.RequestID
}
