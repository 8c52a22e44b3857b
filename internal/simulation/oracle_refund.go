package simulation

import (
	"slices"

	"payscand/payment"
	"payscand/terminal"
)

// holdRefunds holds a commit's refunds: never above the capture (M13), reversals
// only where and as often as M12 allows, and no end that the gateway does not
// bear out.
func (o *oracle) holdRefunds(f *saleFacts, before, after payment.Sale) {
	w := o.world
	for i, r := range after.Refunds {
		if i >= len(before.Refunds) {
			f.refunds = append(f.refunds, refundFacts{})
			o.holdNewRefund(f, after, r)
			continue
		}
		switch was := before.Refunds[i]; {
		case was.Status == r.Status:
		case was.Status.Final():
			w.fail("refund %s was %s, which is final, and becomes %s", r.RequestID, was.Status, r.Status)
		case r.Status == payment.RefundSucceeded:
			o.holdRefunded(after, r)
		}
	}
}

func (o *oracle) holdNewRefund(f *saleFacts, s payment.Sale, r payment.Refund) {
	w, reserved := o.world, int64(0)
	for _, other := range s.Refunds {
		if other.Attempt == r.Attempt && other.Status != payment.RefundFailed {
			reserved += other.Amount.Amount
		}
	}
	if reserved > s.Amount.Amount || r.Amount.Currency != s.Amount.Currency || r.Amount.Amount < 1 {
		w.fail("M13: refund %s of %s makes %d of %s", r.RequestID, r.Amount, reserved, s.Amount)
	}
	a := s.Attempt(r.Attempt)
	if !r.Automatic {
		wish, asked := o.refundWishes[r.Key]
		switch {
		case a.Status != payment.AttemptPaid || !asked || wish.sale != "" && wish.sale != s.ID:
			w.fail("refund %s was not asked for, or the attempt is %s", r.RequestID, a.Status)
		case wish.payment != "" && (wish.payment != a.PaymentID || wish.gateway != a.Gateway):
			w.fail("M13: refund %s gives back %s, and %s was asked for", r.RequestID, a.PaymentID, wish.payment)
		}
		return
	}
	w.result.Reversals++
	switch {
	case a.Status == payment.AttemptPaid && o.kept[s.ID]:
		w.fail("M11: sale %s is given back, and a register was told not to charge again", s.ID)
	case a.Status == payment.AttemptPaid && !(s.Late && s.CancelWanted) || !a.Status.Final():
		w.fail("M12: the capture of attempt %s, which is %s, is given back", a.RequestID, a.Status)
	case f.attempts[r.Attempt-1].sightings < 2:
		w.fail("M12: the capture of attempt %s is given back after %d sightings", a.RequestID, f.attempts[r.Attempt-1].sightings)
	}
	o.reversals = append(o.reversals, r.RequestedAt)
	day := 0
	for _, at := range o.reversals {
		if at.After(r.RequestedAt.AddDate(0, 0, -1)) {
			day++
		}
	}
	if day > w.policy.MaxReversalsPerDay {
		w.fail("M12: refund %s is the day's reversal number %d", r.RequestID, day)
	}
}

// holdRefunded: the gateway has given the money back under this request id, or
// nothing of the capture is left.
func (o *oracle) holdRefunded(s payment.Sale, r payment.Refund) {
	a := s.Attempt(r.Attempt)
	g := o.world.gateway(a.Gateway)
	if order := g.refundable(*a); order != nil && order.left() == 0 {
		return
	}
	if g.given(r.RequestID) < r.Amount.Amount {
		o.world.fail("P4: refund %s is said to have succeeded, and the gateway gave nothing back", r.RequestID)
	}
}

// givesBack holds a refund that a gateway is about to make against those that it
// made before for the same request id.
func (o *oracle) givesBack(r *refund, known []*refund) {
	again := slices.ContainsFunc(known, func(k *refund) bool { return k.state != payment.ClassFailed })
	switch {
	case !again || r.amount.Amount == r.order.amount.Amount:
	case r.copied || slices.ContainsFunc(known, func(k *refund) bool { return k.copied }):
		o.world.result.Excused[excuseRefundCopied]++
	default:
		o.world.fail("M13: the partial refund %s is given twice", r.requestID)
	}
}

// refundWish is what a register wants to give back: of a sale, or a payment by its
// id at a gateway.
type refundWish struct{ sale, gateway, payment string }

// refundAsked notes a register's wish, before it is heard.
func (o *oracle) refundAsked(key string, wish refundWish) { o.refundWishes[key] = wish }

// holdRefundReply: the same key, the same refund.
func (o *oracle) holdRefundReply(key string, reply terminal.Reply) {
	if reply.Refund < 1 || reply.Refund > len(reply.Sale.Refunds) || reply.Sale.Refunds[reply.Refund-1].Key != key {
		o.world.fail("the refund with key %q is answered with number %d of sale %s", key, reply.Refund, reply.Sale.ID)
	}
}

// notified counts a verified notification of a capture that may count.
func (o *oracle) notified(n payment.Notification) {
	f := o.sales[o.saleOf(n.RequestID)]
	if f == nil || !n.Verified || n.Verdict.Class != payment.ClassPaid || n.Verdict.Amount != f.sale.Amount {
		return
	}
	for i, a := range f.sale.Attempts {
		if a.RequestID == n.RequestID && !a.Status.Final() {
			f.attempts[i].sightings++
		}
	}
}

// sighted counts the verified proofs of a capture that an attempt's questions
// brought since it was last said not to be.
func (o *oracle) sighted(f *flight, v payment.Verdict) {
	facts := &o.sales[f.call.Sale].attempts[f.call.Attempt-1]
	if v.Class == payment.ClassPaid && v.RequestID == f.attempt.RequestID && v.Amount == o.amountOf(f.call.Sale) {
		facts.sightings++
	}
}

// background tells what a sale still waits for besides its own status: a
// refund, or a watched attempt. Empty: nothing. left names what the rules
// leave to a person.
func (o *oracle) background(f *saleFacts) (why string, left []excuse) {
	w, s := o.world, &f.sale
	for _, r := range s.Refunds {
		if r.Status.Final() {
			continue
		}
		g := w.gateway(s.Attempt(r.Attempt).Gateway)
		if r.Call == nil && r.RefundID == "" && r.Doubted && !g.traits.IdempotentRefund && g.given(r.RequestID) == 0 {
			left = append(left, excuseRefundUnknown)
			continue
		}
		return "refund " + r.RequestID + " is " + string(r.Status), nil
	}
	for i := range s.Attempts {
		a := &s.Attempts[i]
		if a.Watch == nil || !a.Status.Final() {
			continue
		}
		if slices.Contains(left, excuseRefundUnknown) && s.Refunds[len(s.Refunds)-1].Attempt == a.N {
			continue // a reversal waits for that refund
		}
		if w.gateway(a.Gateway).listsOver(a) {
			left = append(left, excuseListedOver)
			continue
		}
		return "attempt " + a.RequestID + " is watched", nil
	}
	return "", left
}
