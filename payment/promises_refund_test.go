package payment_test

import (
	"reflect"

	"payscand/payment"
)

// holdRefunds: M12 and M13 in every step.
func (c *counter) holdRefunds(before payment.Sale, e payment.Event, after payment.Sale, calls []payment.Call) {
	given := map[int]int64{}
	automatic := map[int]bool{}
	for i, r := range after.Refunds {
		a := after.Attempts[r.Attempt-1]
		if r.Status != payment.RefundFailed {
			given[r.Attempt] += r.Amount.Amount
		}
		if r.Automatic && automatic[r.Attempt] {
			c.fail("%s: attempt %d is reversed twice", e.Kind(), r.Attempt)
		}
		automatic[r.Attempt] = automatic[r.Attempt] || r.Automatic
		if i < len(before.Refunds) {
			if was := before.Refunds[i]; was.Status.Final() && !reflect.DeepEqual(was, r) {
				c.fail("%s changed refund %d, which was over", e.Kind(), r.N)
			}
			continue
		}
		c.holdNewRefund(before, e, a, r)
	}
	for attempt, sum := range given {
		if sum > after.Amount.Amount {
			c.fail("%s: %d of attempt %d are given back or reserved, of %d", e.Kind(), sum, attempt, after.Amount.Amount)
		}
	}
	for _, call := range calls {
		if call.Kind == payment.CallRefund {
			c.holdSend(before, after.Refunds[call.Refund-1])
		}
	}
	if after.Receipt != nil && after.Refundable() < 0 || after.Refunded() > after.Amount.Amount*int64(len(after.Attempts)) {
		c.fail("%s: refundable %d, refunded %d", e.Kind(), after.Refundable(), after.Refunded())
	}
}

// holdNewRefund: the register's one at a time, of what paid the sale; by itself
// only after two looks, and only what no sale is due.
func (c *counter) holdNewRefund(before payment.Sale, e payment.Event, a payment.Attempt, r payment.Refund) {
	for _, other := range before.Refunds {
		if !other.Status.Final() && (!r.Automatic || other.Attempt == r.Attempt) {
			c.fail("%s: refund %d begins while refund %d is not over", e.Kind(), r.N, other.N)
		}
	}
	if !r.Automatic {
		if e.Kind() != payment.EventRefund || a.Status != payment.AttemptPaid {
			c.fail("%s began a refund of attempt %d, which is %s", e.Kind(), a.N, a.Status)
		}
		return
	}
	due := a.Status != payment.AttemptPaid || c.sale.CancelWanted && c.sale.Late && c.sale.Override == nil
	outcome, _ := e.(payment.Outcome)
	switch {
	case a.Capture == nil || a.Capture.Sightings < 2 || c.sightings[a.RequestID] < 2:
		c.fail("%s: attempt %d is reversed after %d looks (M12)", e.Kind(), a.N, c.sightings[a.RequestID])
	case !due:
		c.fail("%s: attempt %d is reversed though nobody wanted that (M12)", e.Kind(), a.N)
	case !outcome.MayReverse || !c.policy.ReverseLateCaptures || a.Capture.Kept != "":
		c.fail("%s: attempt %d is reversed though it may not be now (M12)", e.Kind(), a.N)
	}
}

// holdSend: a partial refund that the gateway took, or may take yet, is not sent
// again where that is not documented to be safe (M13).
func (c *counter) holdSend(before payment.Sale, r payment.Refund) {
	if c.gateway.traits.IdempotentRefund || r.Amount == before.Amount {
		return
	}
	for _, m := range c.gateway.refundsOf(r.RequestID) {
		if m.state != payment.RefundFailed {
			c.fail("partial refund %d is sent again though the gateway has it (M13)", r.N)
		}
	}
	for _, l := range c.gateway.lateRefunds {
		if l.refund.RequestID == r.RequestID {
			c.fail("partial refund %d is sent again though the request may still arrive (M13)", r.N)
		}
	}
}

// trueAtTheEnd holds, once the trouble is over and everything was looked at
// again, what the sale says against what the gateway did.
func (c *counter) trueAtTheEnd() {
	for _, a := range c.sale.Attempts {
		if a.Status == payment.AttemptPaid || !a.Status.Final() {
			continue
		}
		reported := a.Capture != nil && a.Capture.Kept != ""
		for _, r := range c.sale.Refunds {
			reported = reported || r.Attempt == a.N && r.Automatic && r.Status == payment.RefundFailed
		}
		if kept := c.gateway.kept(a.RequestID); kept > 0 && !reported {
			c.fail("attempt %d is %s (%s), yet %d were taken and neither given back nor reported", a.N, a.Status, a.Reason, kept)
		}
	}
	for _, r := range c.sale.Refunds {
		c.trueRefund(r)
	}
}

func (c *counter) trueRefund(r payment.Refund) {
	var taken int64
	var ends int
	for _, m := range c.gateway.refundsOf(r.RequestID) {
		switch m.state {
		case payment.RefundSucceeded:
			taken += m.amount
			ends++
		case payment.RefundPending:
			c.fail("refund %d is still pending at the gateway", r.N)
		}
	}
	whole := c.gateway.kept(c.sale.Attempts[r.Attempt-1].RequestID) == 0
	switch {
	case ends > 1:
		c.fail("refund %d was done %d times", r.N, ends)
	case r.Status == payment.RefundSucceeded && taken != r.Amount.Amount && !whole:
		c.fail("refund %d of %d is told as done; the gateway gave back %d", r.N, r.Amount.Amount, taken)
	case r.Status == payment.RefundFailed && taken > 0:
		c.fail("refund %d is told as failed (%s); the gateway gave back %d", r.N, r.Reason, taken)
	case !r.Status.Final() && taken > 0:
		c.fail("refund %d was done, and is %s days after the trouble", r.N, r.Status)
	case !r.Status.Final() && !c.forAPerson(r):
		c.fail("refund %d is %s (%s) days after the trouble", r.N, r.Status, r.Reason)
	}
}

// forAPerson: a partial refund whose end the gateway did not tell, which has no
// id, and which is not on the list, is neither sent again nor given up (M13).
func (c *counter) forAPerson(r payment.Refund) bool {
	return !c.gateway.traits.IdempotentRefund && r.Doubted && r.RefundID == ""
}
