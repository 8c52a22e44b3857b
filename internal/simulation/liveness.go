package simulation

import (
	"fmt"
	"slices"
	"time"

	"payscand/payment"
)

// excuse is a way in which the rules do not reach the truth yet. Each is exact:
// what it does not describe is a violation.
type excuse uint8

const (
	// excuseAbsence: nothing was ever captured and the gateway cannot be asked
	// about the first send. Closing by absence (M3) would end it.
	excuseAbsence excuse = iota
	// excuseSecondOrder: an order that a copy of a request made was paid, or two
	// orders of one request id were. The watch list and M12 would reverse it.
	excuseSecondOrder
	// excuseLateCapture: captured though the gateway had said that the order was
	// closed. The watch list and M12 would find and reverse it.
	excuseLateCapture
	// excuseUnlisted: captured though pay was answered with an F that no page
	// lists. The watch list (M4, M12) would find it.
	excuseUnlisted
	// excuseNotWanted: a late payment of a sale that was cancelled or replaced
	// makes it paid; M12 would reverse it.
	excuseNotWanted
	excuses
)

var excuseNames = [excuses]string{
	excuseAbsence:     "never captured, cannot be asked about (closing by absence is to come)",
	excuseSecondOrder: "a second order of one request id was paid (watch list is to come)",
	excuseLateCapture: "paid after the gateway had closed it (watch list is to come)",
	excuseUnlisted:    "paid after an F with an unlisted code (watch list is to come)",
	excuseNotWanted:   "late payment of a cancelled sale kept (reversal is to come)",
}

// ResolveBound is how long after the end of all trouble an attempt may still be
// unresolved. The terminal itself must first get free (live), then two pauses of
// the slow phase pass: one to see what became of the order, whose life may end
// meanwhile, and one to see its cancel take effect. older: the attempt is, by the
// terminal's clock, over a day old, so that its pauses are days.
func ResolveBound(p payment.Policy, older bool) time.Duration {
	live := p.SaleDeadline + p.SwitchBound + blockBound(p) + p.CancelBound
	pause := p.SlowHourly
	if older {
		pause = p.SlowDaily
	}
	pause += time.Duration(float64(pause) * p.Jitter)
	return live + orderLife + 2*(pause+callTimeOut)
}

// settled reports whether the run can end: all is final or excused, and no order
// can still move money. It fails the run when the bound has passed.
func (o *oracle) settled() bool {
	w := o.world
	if w.broken != nil || w.now <= w.network.lastArrival || !w.shop.served() {
		return false
	}
	for _, g := range w.gateways {
		for _, order := range slices.Backward(g.orders) {
			if order.state == payment.ClassPending {
				return false
			}
		}
	}
	for _, f := range o.order {
		if f.sale.Status.Final() {
			continue
		}
		if why := o.unresolved(f); why != "" {
			a := f.sale.LiveAttempt()
			older := a != nil && w.clock.wall(w.now).Sub(a.SubmittedAt) > w.policy.SlowDaily/2
			if bound := ResolveBound(w.policy, older); w.now-w.healedAt > bound {
				w.fail("P5: %s after all trouble ended sale %s is %s: %s", bound, f.sale.ID, f.sale.Status, why)
			}
			return false
		}
	}
	return true
}

// unresolved tells what keeps a sale that is not final from being excused.
func (o *oracle) unresolved(f *saleFacts) string {
	s := f.sale
	a := s.LiveAttempt()
	if a == nil || s.Status != payment.SaleUnresolved {
		return "its end does not hang on a gateway"
	}
	g := o.world.gateway(a.Gateway)
	orders := g.byRequest[a.RequestID]
	for _, order := range orders {
		if order.captured && !order.reversed {
			return "it was captured"
		}
	}
	switch {
	case len(orders) == 0:
		return "" // it never arrived
	case g.traits.InquireByRequestID:
		return "it can be inquired by its request id"
	case a.Sends > 1:
		return "" // another order may be the first send's
	case a.PaymentID == "" && g.unlisted:
		return ""
	case a.PaymentID == "":
		return "it is in the transaction list"
	}
	return "it can be inquired by its payment id"
}

// atTheEnd compares what the terminal says with what the gateways know.
func (o *oracle) atTheEnd() {
	w := o.world
	if !w.healed {
		w.fail("the run ended before its trouble did, at %s", w.now)
		return
	}
	last, err := w.disk.Sale(w.shop.visits[w.shop.serving].sale)
	if err != nil || last.Status != payment.SalePaid {
		w.fail("P5: after all trouble a customer cannot pay: the sale is %q (%v)", last.Status, err)
	}
	for _, f := range o.order {
		paid := 0
		for i := range f.sale.Attempts {
			a := &f.sale.Attempts[i]
			o.compare(f, i)
			if a.Status == payment.AttemptPaid {
				paid++
			}
		}
		s := f.sale
		if paid > 1 || (paid == 1) != (s.Status == payment.SalePaid) {
			w.fail("sale %s is %s with %d paid attempts", s.ID, s.Status, paid)
		}
		if s.Status == payment.SalePaid && s.Late && s.CancelWanted {
			w.result.Excused[excuseNotWanted]++
		}
		if !s.Status.Final() {
			if why := o.unresolved(f); why != "" {
				w.fail("P5: at the end sale %s is %s: %s", s.ID, s.Status, why)
			}
			w.result.Excused[excuseAbsence]++
		}
	}
	if o.stream != nil {
		o.stream.atTheEnd()
	}
}

// compare holds an attempt that is over against the captures of its request id.
func (o *oracle) compare(f *saleFacts, i int) {
	w, a := o.world, &f.sale.Attempts[i]
	captures := 0
	for _, order := range w.gateway(a.Gateway).byRequest[a.RequestID] {
		if !order.captured || order.reversed {
			continue
		}
		captures++
		if a.Status == payment.AttemptFailed || a.Status == payment.AttemptClosed {
			e, err := order.excuse(a, f.attempts[i].flight)
			if err != nil {
				w.fail("P3: attempt %s is %s (%s), and %w", a.RequestID, a.Status, a.Reason, err)
			}
			w.result.Excused[e]++
		}
	}
	switch {
	case a.Status == payment.AttemptPaid && captures == 0:
		w.fail("P4: attempt %s is paid, and nothing is captured (reversed?)", a.RequestID)
	case a.Status == payment.AttemptPaid && captures > 1:
		if w.gateway(a.Gateway).traits.IdempotentPay {
			w.fail("attempt %s was captured %d times", a.RequestID, captures)
		}
		w.result.Excused[excuseSecondOrder]++
	}
}

// copied reports whether a copy of a request made an order of this request id:
// the caller, who sent once, takes the only order it hears of for its own.
func (order *order) copied() bool {
	for _, known := range order.gateway.byRequest[order.requestID] {
		if known.doubled {
			return true
		}
	}
	return false
}

// excuse names why a captured order belongs to an attempt that ended unpaid.
// last is the attempt's last call: an F with an unlisted code is believed only
// after one confirming inquiry.
func (order *order) excuse(a *payment.Attempt, last *flight) (excuse, error) {
	switch {
	case order.afterwards:
		return excuseLateCapture, nil
	case order.unlisted && last.call.Kind == payment.CallInquire:
		return excuseUnlisted, nil
	case a.Sends == 1 && order.copied():
		return excuseSecondOrder, nil
	}
	return 0, fmt.Errorf("order %s was captured after %s, send %d of %d", order.paymentID, order.paidAt, order.nth+1, a.Sends)
}
