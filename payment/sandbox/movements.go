package sandbox

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

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
func (l *ledger) movements(now time.Time, gateway Gateway, start, end time.Time) []movement {
	all := []movement{}
	add := func(m movement) {
		if !m.at.Before(start) && m.at.Before(end) {
			all = append(all, m)
		}
	}
	for _, o := range slices.Backward(l.orders(now)) {
		if o.Gateway != gateway {
			continue
		}
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
