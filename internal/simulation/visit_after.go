package simulation

import (
	"errors"
	"strconv"
	"time"

	"payscand/payment"
	"payscand/terminal"
)

// afterMoments are when something is wanted of a sale that is over, or should be.
var afterMoments = []time.Duration{70 * time.Second, 3 * time.Minute, 15 * time.Minute, 2 * time.Hour}

// planAftermath plans what cashier and operator do with the sale later on, also
// when the customer is gone.
func (v *visit) planAftermath() {
	w := v.world
	sometimes := func(s site, do func()) {
		if !w.healed && w.rarely(s, v.n, 0) {
			w.after(afterMoments[w.pick(s, v.n, 1, []int{3, 3, 2, 1})], do)
		}
	}
	part := []int64{0, 300, 700}[w.pick(siteRefund, v.n, 2, []int{1, 1, 1})]
	sometimes(siteRefund, func() { v.refund(1, part, true) })
	sometimes(siteRefundAgain, func() { v.refund(1, part, true) })
	sometimes(siteRefundTwice, func() { v.refund(2, 400, false) })
	sometimes(siteOverride, v.override)
	sometimes(sitePortal, v.portal)
	sometimes(siteLateCheck, v.checkLate)
	made := v.wish.Key // it changes where the customer tries again
	sometimes(siteElsewhere, func() { v.refundElsewhere(0, made) })
	sometimes(siteElsewhereAgain, func() { v.refundElsewhere(1, made) })
}

// portal lets a person refund the sale's payment in the vendor's portal, of which
// the terminal hears nothing.
func (v *visit) portal() {
	w := v.world
	whole := w.pick(sitePortal, v.n, 2, []int{1, 1}) == 0
	for _, g := range w.gateways {
		for _, o := range g.orders {
			foreign := o.subject < 0 && whole
			if w.oracle.saleOf(o.requestID) != v.sale && !foreign || !o.captured || o.reversed || o.pendingRefund() || o.left() == 0 {
				continue
			}
			amount, f := o.left(), faultPortalWhole
			if !whole {
				amount, f = min(250, amount), faultPortalPart
			}
			w.fired(f)
			g.portal(o, amount)
			return
		}
	}
}

// triesAgain lets the customer have another sale in the place of one that came to
// nothing, or of the one that this stood for already.
func (v *visit) triesAgain() bool {
	w := v.world
	if v.over || v.sale == "" || v.again == mostAgain || w.healed {
		return false
	}
	s, err := w.disk.Sale(v.sale)
	if err != nil || s.Status == payment.SalePaid || !w.rarely(siteTriesAgain, v.n, v.again) {
		return false
	}
	w.fired(faultTriesAgain)
	v.again++
	if v.wish.Replaces == "" {
		v.wish.Replaces = v.sale
	}
	v.wish.Separate, v.sale, v.attempts, v.scans = false, "", 0, 0
	v.wish.Key, v.wish.Digest = v.wish.Key+againSuffix, v.wish.Digest+againSuffix
	v.postAfter(3 * time.Second)
	return true
}

const mostAgain = 2

// checkLate lets the cashier ask about the sale, whatever became of it.
func (v *visit) checkLate() {
	w := v.world
	w.tell("the cashier checks %s", v.sale)
	w.send(terminal.Command{Sale: v.sale, Event: payment.CheckRequested{}}, func(r terminal.Reply, answered bool) {
		if answered && r.Err == nil && r.Sale.Status.Final() {
			w.fired(faultLateCheck)
		}
	})
}

// refundAtOnce: the customer has thought better of it before they are gone.
func (v *visit) refundAtOnce() {
	if w := v.world; w.rarelyHere(siteRefundAtOnce, v.n, 0, faultRefundAtOnce) {
		w.after(100*time.Millisecond, func() { v.refund(3, 0, true) })
	}
}

// refund asks for the n-th refund; amount 0 is all that is left. One that nobody
// answered is asked for again.
func (v *visit) refund(n int, amount int64, again bool) {
	w := v.world
	key := "refund-" + v.wish.Key + "-" + strconv.Itoa(n)
	sale := v.sale
	in := terminal.Refund{Sale: sale, Request: terminal.NewRefund{Key: key, Digest: key, Amount: amount, Note: "goods returned"}}
	w.oracle.refundAsked(key, refundWish{sale: sale})
	w.tell("the cashier refunds %d of %s (0: all), key %s", amount, sale, key)
	w.send(in, func(r terminal.Reply, answered bool) {
		var refused *terminal.Error
		switch {
		case !answered:
			if again {
				w.after(30*time.Second, func() { v.refund(n, amount, false) })
			}
		case errors.As(r.Err, &refused):
			w.tell("the refund is refused: %s", refused.Code)
			if refused.Code == terminal.CodeKeyReused {
				w.fail("the key %q of a refund is refused: %v", key, r.Err)
			}
		case r.Replayed:
			w.fired(faultRefundAgain)
		case amount == 0:
			w.fired(faultRefundWhole)
		default:
			w.fired(faultRefundPart)
		}
	})
}

// override lets an operator decide about a sale that is unresolved; right or wrong.
func (v *visit) override() {
	w := v.world
	outcome, f := payment.OverrideNotPaid, faultOverrideNotPaid
	if w.pick(siteOverride, v.n, 2, []int{1, 1}) == 1 {
		outcome, f = payment.OverridePaid, faultOverridePaid
	}
	w.tell("the operator says that %s is %s", v.sale, outcome)
	e := payment.Resolved{Outcome: outcome, Operator: "Kim", Note: "asked the customer"}
	w.send(terminal.Command{Sale: v.sale, Event: e}, func(r terminal.Reply, answered bool) {
		if answered && r.Err == nil {
			w.fired(f)
		}
	})
}
