package simulation

import (
	"fmt"
	"slices"

	"payscand/payment"
)

// compare holds an attempt that is over against the captures of its request id:
// each is paid here, given back, or reported.
func (o *oracle) compare(f *saleFacts, i int) {
	w, a := o.world, &f.sale.Attempts[i]
	byPerson := f.sale.Override != nil && i == len(f.sale.Attempts)-1
	captures := 0
	for _, order := range w.gateway(a.Gateway).byRequest[a.RequestID] {
		if !order.captured || order.reversed {
			continue
		}
		captures++
		var err error
		switch {
		case !a.Status.Final():
			continue
		case a.Status == payment.AttemptPaid && (a.PaymentID == order.paymentID || captures == 1):
			err = o.holdNotWanted(f, a, order)
		default:
			err = o.holdMatched(f, a, order)
		}
		if err != nil {
			w.fail("P3: attempt %s is %s (%s), and %w", a.RequestID, a.Status, a.Reason, err)
		}
	}
	switch {
	case a.Status == payment.AttemptPaid && captures == 0 && !byPerson:
		w.fail("P4: attempt %s is paid, and nothing is captured", a.RequestID)
	case captures > 1 && w.gateway(a.Gateway).traits.IdempotentPay:
		w.fail("attempt %s was captured %d times", a.RequestID, captures)
	}
	for n := range f.sale.Refunds {
		o.compareRefund(f, &f.sale.Refunds[n])
	}
}

// holdNotWanted: a late payment of a sale that was cancelled or replaced is given
// back, or reported (M12).
func (o *oracle) holdNotWanted(f *saleFacts, a *payment.Attempt, order *order) error {
	if s := &f.sale; s.Late && s.CancelWanted && s.Override == nil {
		return o.holdReported(f, a, order)
	}
	return nil
}

// holdMatched: money that was taken for an attempt that ended unpaid.
func (o *oracle) holdMatched(f *saleFacts, a *payment.Attempt, order *order) error {
	err := o.holdReported(f, a, order)
	if err != nil && !order.gateway.traits.IdempotentPay && order.anotherOrder(a) {
		o.world.result.Excused[excuseSecondOrder]++
		return nil
	}
	return err
}

// holdReported: the capture was given back in full, is on its way back, or is
// reported with the reason why it is kept.
func (o *oracle) holdReported(f *saleFacts, a *payment.Attempt, order *order) error {
	c := a.Capture
	if order.left() == 0 || c != nil && c.Kept != "" && c.Kept != payment.KeptUnconfirmed {
		return nil
	}
	if c != nil {
		for _, r := range f.sale.Refunds {
			if r.Attempt == a.N && (r.Automatic || !r.Status.Final()) {
				return nil // its failure is told, or that it is not over: a person's
			}
		}
	}
	return fmt.Errorf("order %s was captured after %s, send %d of %d, and is neither given back nor reported (%+v)",
		order.paymentID, order.paidAt, order.nth+1, a.Sends, c)
}

// anotherOrder reports whether the request id has an order beside the one that
// the attempt took for its own.
func (order *order) anotherOrder(a *payment.Attempt) bool {
	return len(order.gateway.byRequest[order.requestID]) > 1 && a.PaymentID != "" && a.PaymentID != order.paymentID
}

// compareRefund holds a refund that is over against what the gateway gave.
func (o *oracle) compareRefund(f *saleFacts, r *payment.Refund) {
	g := o.world.gateway(f.sale.Attempt(r.Attempt).Gateway)
	given := g.given(r.RequestID)
	if r.Status != payment.RefundFailed || given == 0 {
		return
	}
	if slices.ContainsFunc(g.refundsOf(r.RequestID), func(made *refund) bool { return made.copied }) {
		o.world.result.Excused[excuseRefundCopied]++
	} else {
		o.world.fail("P3: refund %s failed (%s), and %d were given back", r.RequestID, r.Reason, given)
	}
}
