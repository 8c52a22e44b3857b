package simulation

import (
	"time"

	"payscand/payment"
)

// answer carries a call out and says what comes back.
func (g *gatewayModel) answer(f *flight, fate fate) payment.Verdict {
	w := g.world
	if f.client != nil {
		return g.codec.answer(f, fate)
	}
	if f.call.Kind == payment.CallProbe {
		switch fate {
		case fateAnswerLost:
			return silence(payment.ReasonNoAnswer)
		case fateUnverified, fateMalign:
			return silence(payment.ReasonAnswerUnverified)
		case fateMalformed:
			return silence(payment.ReasonAnswerMalformed)
		}
		return payment.Verdict{Class: payment.ClassNotFound, GatewayCode: "PARAM_INVALID", Documented: true}
	}
	var v payment.Verdict
	if fate == fateStale && (f.call.Kind == payment.CallInquire || f.call.Kind == payment.CallLookup) {
		v = g.ask(f, true)
	} else {
		v = g.carryOut(f, false)
	}
	switch fate {
	case fateAnswerLost:
		return silence(payment.ReasonNoAnswer)
	case fateUnverified:
		return silence(payment.ReasonAnswerUnverified)
	case fateMalformed:
		return silence(payment.ReasonAnswerMalformed)
	case fateBusyDone:
		return payment.Verdict{Class: payment.ClassRetryLater, Reason: payment.ReasonGatewayError, GatewayCode: "SYSTEMERROR", Documented: true}
	case fateMalign:
		way := w.pick(siteMalign, f.subject, f.nth, []int{1, 1, 1, 1, 1, 1})
		if f.call.Refund > 0 {
			return g.malignRefund(f, way)
		}
		return g.malign(f, way)
	}
	return v
}

// malign is an answer that must never count: its sum or its order is another's.
func (g *gatewayModel) malign(f *flight, way int) payment.Verdict {
	a := f.attempt
	v := payment.Verdict{
		Class: payment.ClassPaid, RequestID: a.RequestID, PaymentID: a.PaymentID, Amount: g.world.oracle.amountOf(f.call.Sale), Documented: true,
	}
	switch way {
	case 0:
		v.Amount.Amount++
	case 1:
		v.Amount.Currency = "USD"
	case 2:
		v.RequestID = "someone-else-1"
	case 3:
		v.Class, v.RequestID = payment.ClassClosed, "someone-else-1"
	case 4:
		v.Amount = payment.Money{}
	case 5:
		v.Class, v.RequestID, v.PaymentID = payment.ClassFailed, "someone-else-1", ""
	}
	return v
}

// carryOut does what a request asks for. doubled: it is a copy.
func (g *gatewayModel) carryOut(f *flight, doubled bool) payment.Verdict {
	switch f.call.Kind {
	case payment.CallPay:
		return g.pay(f, doubled)
	case payment.CallCancel:
		return g.cancel(f)
	case payment.CallInquire, payment.CallLookup:
		return g.ask(f, false)
	case payment.CallRefund:
		return g.refund(f, doubled)
	case payment.CallInquireRefund:
		return g.inquireRefund(f)
	case payment.CallLookupRefund:
		return g.lookupRefund(f)
	}
	return payment.Verdict{Class: payment.ClassNotFound}
}

func (g *gatewayModel) pay(f *flight, doubled bool) payment.Verdict {
	o, v := g.placeOrder(f, doubled)
	switch {
	case v != nil:
		return *v
	case o.unlisted:
		return payment.Verdict{Class: payment.ClassFailed, Reason: payment.ReasonDeclined, GatewayCode: "WALLET_SAYS_NO", PaymentID: o.paymentID}
	}
	told := o.tell(o.state)
	switch {
	case o.state == payment.ClassPaid && !g.traits.IdempotentPay:
		// AlphaPay's S says that the call succeeded; only an inquiry proves payment.
		told.Class, told.Amount, told.PaidAt, told.Returned = payment.ClassAccepted, payment.Money{}, time.Time{}, ""
	case o.state == payment.ClassPending && o.payload != "":
		told.QR = &payment.QR{Payload: o.payload}
	}
	return told
}

// tell is the verdict on an order in a state.
func (o *order) tell(state payment.Class) payment.Verdict {
	v := payment.Verdict{
		Class: state, RequestID: o.requestID, PaymentID: o.paymentID, Amount: o.amount, Documented: true,
		ExpiresAt: dayOne.Add(o.closesAt), GatewayCode: "SUCCESS",
	}
	switch {
	case o.reversed:
		v.Class, v.Amount = payment.ClassClosed, o.asked
	case state == payment.ClassPaid:
		v.PaidAt = dayOne.Add(o.paidAt)
		v.Returned = o.returned()
	case state != payment.ClassPending:
		v.Reason = o.reason
	}
	return v
}

var notFound = payment.Verdict{Class: payment.ClassNotFound, Reason: payment.ReasonNotFound, Documented: true}

// find returns the order that an inquiry or a cancel names.
func (g *gatewayModel) find(a payment.Attempt) *order {
	if a.Instrument == payment.InstrumentElsewhere {
		for _, o := range g.orders {
			if o.paymentID == a.PaymentID {
				return o
			}
		}
		return nil
	}
	if g.traits.InquireByRequestID {
		if known := g.byRequest[a.RequestID]; len(known) > 0 {
			return known[0]
		}
		return nil
	}
	for _, o := range g.byRequest[a.RequestID] {
		if o.paymentID == a.PaymentID {
			return o
		}
	}
	return nil
}

func (g *gatewayModel) ask(f *flight, stale bool) payment.Verdict {
	if f.call.Kind == payment.CallLookup {
		return g.lookup(f.attempt, stale)
	}
	o := g.find(f.attempt)
	if o == nil {
		g.missed[f.attempt.RequestID] = true
	}
	if o == nil || stale && o.changedAt+time.Minute > g.world.now && o.was == o.state {
		return notFound
	}
	return o.tell(o.standing(g.world.now, stale))
}

// cancelEffects: what an accepted cancel of an unpaid AlphaPay order leads to.
const (
	cancelCloses = iota
	cancelClosesLater
	cancelBeaten // the customer's payment completes first
)

func (g *gatewayModel) cancel(f *flight) payment.Verdict {
	w, o := g.world, g.find(f.attempt)
	if o != nil && o.payable() && !w.healed && w.rarely(sitePaysFirst, f.subject, f.nth) {
		w.fired(faultPaidBeforeCancel)
		o.pay()
	}
	accepted := payment.Verdict{Class: payment.ClassCancelAccepted, RequestID: f.attempt.RequestID, GatewayCode: "SUCCESS", Documented: true}
	switch {
	case o == nil:
		w.fired(faultCancelNotFound)
		if g.traits.CancelReverses && !g.forgetsCancels {
			g.cancelled[f.attempt.RequestID] = true
		}
		return notFound
	case g.traits.CancelReverses && o.captured && !o.reversed && g.windowOver(o):
		w.fired(faultCancelTooLate)
		return payment.Verdict{Class: payment.ClassCancelTooLate, GatewayCode: "CANCEL_WINDOW_EXCEED", Documented: true}
	case g.traits.CancelReverses: // from now on the order can only end cancelled
		o.end(payment.ClassClosed, payment.ReasonCancelled)
		if o.captured && !o.reversed {
			o.reversed = true
			w.fired(faultCancelReversed)
			w.tell("  %s gives the money of %s back", g.name, o.requestID)
		}
	case o.state == payment.ClassPaid:
		return payment.Verdict{Class: payment.ClassAlreadyPaid, GatewayCode: "ORDER_PAID", Documented: true}
	case o.state != payment.ClassPending:
		return payment.Verdict{Class: payment.ClassClosed, RequestID: o.requestID, PaymentID: o.paymentID, Documented: true}
	default:
		g.closeOrder(o)
	}
	accepted.PaymentID = o.paymentID
	return accepted
}

// neverCancels is no time: the gateway cancels nothing that is paid.
const neverCancels = -1

// windowOver reports whether a cancel of a paid order comes too late.
func (g *gatewayModel) windowOver(o *order) bool {
	return g.windowEnd == neverCancels || o.paidAt < g.windowEnd && g.world.now >= g.windowEnd
}

// payable reports whether the customer may still pay: a QR only when it was seen.
func (o *order) payable() bool {
	return o.state == payment.ClassPending && (o.payload == "" || o.gateway.world.shop.seen[o.payload])
}

// closeOrder is what follows an accepted cancel of an unpaid order.
func (g *gatewayModel) closeOrder(o *order) {
	w := g.world
	o.cancels++
	effect := cancelCloses
	if !w.healed {
		effect = w.pick(siteCancelRace, o.subject, o.cancels, []int{6, 2, 2})
	}
	switch effect {
	case cancelCloses:
		o.end(payment.ClassClosed, payment.ReasonCancelled)
	case cancelClosesLater:
		w.after(3*time.Second, func() { o.end(payment.ClassClosed, payment.ReasonCancelled) })
	case cancelBeaten:
		w.after(time.Second, func() {
			if o.pay(); o.captured {
				w.fired(faultPaidAfterCancel)
			}
		})
	}
	if !w.healed && w.rarely(sitePaidAfterClosed, o.subject, o.cancels) {
		w.network.reach(40*time.Second, o.payLate)
	}
}

// lookup searches the transaction list as AlphaPay's client does: a proved
// payment first, then an order that waits; one that is over counts only after a
// single send.
func (g *gatewayModel) lookup(a payment.Attempt, stale bool) payment.Verdict {
	now := g.world.now
	var over *order
	for _, o := range g.byRequest[a.RequestID] {
		if o.captured && !stale && now >= o.paidAt+g.listLag {
			return o.tell(payment.ClassPaid)
		}
	}
	for _, o := range g.byRequest[a.RequestID] {
		switch {
		case g.unlisted || o.captured:
		case o.state == payment.ClassPending:
			return o.tell(payment.ClassPending)
		case over == nil:
			over = o
		}
	}
	switch {
	case over == nil:
		g.missed[a.RequestID] = true
		v := notFound
		v.Search = g.searched()
		return v
	case a.Sends > 1:
		return payment.Verdict{Class: payment.ClassRetryLater, Reason: payment.ReasonNotFound, GatewayCode: "SUCCESS", Documented: true}
	}
	return over.tell(over.state)
}

// searched is what a complete pass over the transaction list sees.
func (g *gatewayModel) searched() *payment.Search {
	seen := &payment.Search{At: dayOne.Add(g.world.now)}
	for _, o := range g.orders {
		at := o.madeAt
		switch {
		case o.captured && g.world.now >= o.paidAt+g.listLag:
			at = o.paidAt
		case o.captured || g.unlisted:
			continue
		}
		seen.Rows++
		if row := dayOne.Add(at); row.After(seen.Newest) {
			seen.Newest = row
		}
	}
	return seen
}
