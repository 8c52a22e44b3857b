package payment_test

import (
	"fmt"
	"slices"
	"time"

	"payscand/payment"
)

// modelRefund is a refund that the gateway took.
type modelRefund struct {
	requestID, id string
	amount        int64
	state         payment.RefundStatus // pending, succeeded or failed
	fails         bool
	endsAt        time.Time
	review        bool // a person at the gateway decides: its id is not told
}

type lateRefund struct {
	attempt payment.Attempt
	refund  payment.Refund
	at      time.Time
}

// portal is the request id of what the merchant gives back in the vendor's portal.
const portal = "portal"

// givenBack is what a capture's refunds took or reserve at the gateway.
func (o *modelOrder) givenBack() (sum int64) {
	for _, r := range o.refunds {
		if r.state != payment.RefundFailed {
			sum += r.amount
		}
	}
	return sum
}

// refundsOf are the refunds that the gateway took for a request id.
func (g *gatewayModel) refundsOf(requestID string) (refunds []*modelRefund) {
	for _, o := range g.orders {
		for _, r := range o.refunds {
			if r.requestID == requestID {
				refunds = append(refunds, r)
			}
		}
	}
	return refunds
}

// kept is what the gateway took for a request id and did not give back.
func (g *gatewayModel) kept(requestID string) int64 {
	if o := g.captured(requestID); o != nil {
		return g.amount.Amount - o.givenBack()
	}
	return 0
}

func (g *gatewayModel) settleRefunds(now time.Time) {
	kept := g.lateRefunds[:0]
	for _, l := range g.lateRefunds {
		if now.Before(l.at) {
			kept = append(kept, l)
			continue
		}
		g.refund(l.attempt, l.refund, l.at)
	}
	g.lateRefunds = kept
	for _, o := range g.orders {
		for _, r := range o.refunds {
			if r.state == payment.RefundPending && !now.Before(r.endsAt) {
				r.state = payment.RefundSucceeded
				if r.fails {
					r.state = payment.RefundFailed
				}
			}
		}
	}
}

// refund lets a refund request arrive.
func (g *gatewayModel) refund(a payment.Attempt, r payment.Refund, now time.Time) payment.Verdict {
	failed := func(reason payment.Reason) payment.Verdict {
		return payment.Verdict{Class: payment.ClassFailed, Reason: reason, RequestID: r.RequestID, Documented: true}
	}
	var o *modelOrder
	for _, known := range g.orders {
		if known.paymentID == a.PaymentID {
			o = known
		}
	}
	if before := g.refundsOf(r.RequestID); g.traits.IdempotentRefund && len(before) > 0 {
		return g.toldRefund(before[0])
	}
	switch {
	case o == nil || o.state != payment.ClassPaid || o.reversed:
		return failed(payment.ReasonNotFound)
	case o.givenBack() == g.amount.Amount && !pendingRefund(o):
		return payment.Verdict{Class: payment.ClassAlreadyRefunded, Reason: payment.ReasonAlreadyRefunded, Documented: true}
	case pendingRefund(o):
		return failed(payment.ReasonRefundInProcess)
	case r.Amount.Amount > g.amount.Amount-o.givenBack():
		return failed(payment.ReasonRefundAmount)
	case !g.healed && g.choose(6, "balance") == 0:
		if g.traits.IdempotentRefund { // processed once, whatever is still on its way
			g.lateRefunds = slices.DeleteFunc(g.lateRefunds, func(l lateRefund) bool { return l.refund.RequestID == r.RequestID })
		}
		return failed(payment.ReasonNotEnoughBalance)
	}
	m := &modelRefund{
		requestID: r.RequestID, id: fmt.Sprintf("refund-%s-%d", o.paymentID, len(o.refunds)+1), amount: r.Amount.Amount,
		state: payment.RefundPending, endsAt: now, fails: !g.healed && g.choose(5, "refund fails") == 0,
	}
	switch g.choose(4, "refund takes") {
	case 1:
		m.endsAt = now.Add(10 * time.Second)
	case 2:
		m.endsAt, m.review = now.Add(50*time.Minute), true
	}
	if m.endsAt.Equal(now) && !m.fails {
		m.state = payment.RefundSucceeded
	}
	o.refunds = append(o.refunds, m)
	return g.toldRefund(m)
}

func pendingRefund(o *modelOrder) bool {
	for _, r := range o.refunds {
		if r.state == payment.RefundPending {
			return true
		}
	}
	return false
}

func (g *gatewayModel) toldRefund(m *modelRefund) payment.Verdict {
	v := payment.Verdict{RequestID: m.requestID, Amount: payment.Money{Amount: m.amount, Currency: g.amount.Currency}, Documented: true}
	if !m.review {
		v.RefundID = m.id
	}
	switch m.state {
	case payment.RefundSucceeded:
		v.Class = payment.ClassRefunded
	case payment.RefundFailed:
		v.Class, v.Reason = payment.ClassFailed, payment.ReasonRefundFailed
	default:
		v.Class = payment.ClassPending
	}
	return v
}

// tellRefund answers a question about a refund: of its id, or from the list,
// which holds what succeeded.
func (g *gatewayModel) tellRefund(r payment.Refund, kind payment.CallKind) payment.Verdict {
	for _, m := range g.refundsOf(r.RequestID) {
		switch {
		case kind == payment.CallInquireRefund && m.id == r.RefundID:
			return g.toldRefund(m)
		case kind == payment.CallLookupRefund && m.state == payment.RefundSucceeded:
			v := g.toldRefund(m)
			v.RefundID = m.id
			return v
		}
	}
	return payment.Verdict{Class: payment.ClassNotFound, Reason: payment.ReasonNotFound, Documented: true}
}

// malignRefund is an answer that must never count.
func (g *gatewayModel) malignRefund(r payment.Refund) payment.Verdict {
	v := payment.Verdict{Class: payment.ClassRefunded, RequestID: r.RequestID, RefundID: r.RefundID, Amount: r.Amount, Documented: true}
	switch g.choose(4, "malign refund") {
	case 0:
		v.Amount.Amount++
	case 1:
		v.Amount.Currency = "USD"
	case 2:
		v.RequestID = "someone-else-10"
	case 3:
		v.RequestID, v.Class = "someone-else-10", payment.ClassFailed
	}
	return v
}

// refundInPortal gives money back behind the program's back.
func (g *gatewayModel) refundInPortal() {
	for _, o := range g.orders {
		left := g.amount.Amount - o.givenBack()
		if o.state != payment.ClassPaid || o.reversed || left == 0 || pendingRefund(o) {
			continue
		}
		if g.choose(2, "whole") == 0 {
			left = min(left, 100)
		}
		o.refunds = append(o.refunds, &modelRefund{requestID: portal, id: portal, amount: left, state: payment.RefundSucceeded})
	}
}
