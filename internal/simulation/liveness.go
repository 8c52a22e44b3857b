package simulation

import (
	"slices"
	"time"

	"payscand/payment"
)

// excuse is a way in which the rules do not reach the truth yet. Each is exact:
// what it does not describe is a violation.
type excuse uint8

const (
	// excuseListedOver: nothing was ever captured, pay was sent more than once,
	// and the list shows an order that is over: it may be another send's (M4), so
	// that neither it nor its absence proves anything. A person decides.
	excuseListedOver excuse = iota
	// excuseSecondOrder: an order that a copy of a request made was paid, or two
	// orders of one request id were, and only one of them is known here.
	excuseSecondOrder
	// excuseRefundUnknown: a partial refund whose answer was lost never came to be.
	// It is not sent again and no list shows it: a person decides (M13).
	excuseRefundUnknown
	// excuseRefundCopied: a copy that the network made of a refund's request
	// was carried out too, of which nothing is heard here.
	excuseRefundCopied
	// excuseOtherSum: another amount was taken than was asked for. It is reported, and
	// a person decides (M12).
	excuseOtherSum
	excuses
)

var excuseNames = [excuses]string{
	excuseListedOver:    "never captured, sent twice, listed as over (a person's)",
	excuseSecondOrder:   "a second order of one request id was paid",
	excuseRefundUnknown: "a partial refund that never arrived, its answer lost (a person's)",
	excuseRefundCopied:  "the network's copy of a refund was carried out",
	excuseOtherSum:      "another amount was taken, and reported (a person's)",
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
	return live + orderLife + p.AbsenceAfter + 2*(pause+callTimeOut)
}

// WatchBound is how long after the end of all trouble a watch or a refund may
// still be open: the last step of a watch that began when an attempt ended, and
// a reversal that waits for the day's limit and for the merchant's balance.
func WatchBound(p payment.Policy) time.Duration {
	return ResolveBound(p, true) + p.Watch[len(p.Watch)-1] + 4*time.Duration(float64(p.SlowDaily)*(1+p.Jitter))
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
		if !f.sale.Status.Final() {
			if why, _ := o.unresolved(f); why != "" {
				a := f.sale.LiveAttempt()
				older := a != nil && w.clock.wall(w.now).Sub(a.SubmittedAt) > w.policy.SlowDaily/2
				if bound := ResolveBound(w.policy, older); w.now-w.healedAt > bound {
					w.fail("P5: %s after all trouble ended sale %s is %s: %s", bound, f.sale.ID, f.sale.Status, why)
				}
				return false
			}
		}
		// Also of a sale that a person must decide: its earlier attempts are watched.
		if why, _ := o.background(f); why != "" {
			if bound := WatchBound(w.policy); w.now-w.healedAt > bound {
				w.fail("M12: %s after all trouble ended sale %s is %s, and %s", bound, f.sale.ID, f.sale.Status, why)
			}
			return false
		}
	}
	return true
}

// unresolved tells what keeps a sale that is not final from being excused, and how
// it is.
func (o *oracle) unresolved(f *saleFacts) (why string, left excuse) {
	s := f.sale
	a := s.LiveAttempt()
	if a == nil || s.Status != payment.SaleUnresolved {
		return "its end does not hang on a gateway", 0
	}
	g := o.world.gateway(a.Gateway)
	for _, order := range g.byRequest[a.RequestID] {
		if order.captured && !order.reversed {
			why = "it was captured"
		}
		if c := a.Capture; order.captured && order.amount != order.asked && c != nil && c.Kept == payment.KeptByAmount && c.Amount == order.amount {
			return "", excuseOtherSum // whatever else there is: the sale is a person's
		}
	}
	if why != "" {
		return why, 0
	}
	if g.listsOver(a) {
		return "", excuseListedOver
	}
	return "it can be found, or its absence", 0
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
		why, left := o.background(f)
		if why != "" {
			w.fail("M12: at the end sale %s is %s, and %s", s.ID, s.Status, why)
		}
		for _, e := range left {
			w.result.Excused[e]++
		}
		if !s.Status.Final() {
			why, left := o.unresolved(f)
			if why != "" {
				w.fail("P5: at the end sale %s is %s: %s", s.ID, s.Status, why)
			}
			w.result.Excused[left]++
		}
	}
	if o.stream != nil {
		o.stream.atTheEnd()
	}
}

// listsOver reports whether all that the gateway can say about an attempt is an
// order that is over and that may be another send's (see excuseListedOver).
func (g *gatewayModel) listsOver(a *payment.Attempt) bool {
	known := g.byRequest[a.RequestID]
	for _, order := range known {
		if order.captured {
			return false
		}
	}
	searched := g.traits.TransactionList && (a.PaymentID == "" || a.IDDisproved)
	return searched && a.Sends > 1 && !g.unlisted && len(known) > 0
}
