package simulation

import (
	"slices"
	"strconv"
	"time"

	"payscand/payment"
)

// refund is money of one capture on its way back, as the gateway knows it.
type refund struct {
	order     *order
	requestID string
	id        string
	subject   int
	amount    payment.Money
	state     payment.Class // pending, refunded or failed
	reason    payment.Reason
	// copied: only a copy that the network made asked for it.
	copied bool
}

// What becomes of a refund that a gateway takes.
const (
	refundDone = iota
	refundInProcess
	refundInReview // a person there looks at it, for hours
	refundFailsLater
	refundNoBalance // the merchant's account is short
)

var refundWeights = []int{12, 4, 2, 2, 2}

// left is what of a capture is neither given back nor on its way back.
func (o *order) left() int64 {
	left := o.amount.Amount
	for _, r := range o.refunds {
		if r.state != payment.ClassFailed {
			left -= r.amount.Amount
		}
	}
	return left
}

// done is what of a capture was given back for certain, by whomever.
func (o *order) done() (sum int64) {
	for _, r := range o.refunds {
		if r.state == payment.ClassRefunded {
			sum += r.amount.Amount
		}
	}
	return sum
}

func (o *order) pendingRefund() bool {
	return slices.ContainsFunc(o.refunds, func(r *refund) bool { return r.state == payment.ClassPending })
}

// returned is how an inquiry tells what was given back.
func (o *order) returned() payment.Extent {
	switch done := o.done(); {
	case o.gateway.traits.CancelReverses || done == 0: // Alipay+ does not tell
		return ""
	case done < o.amount.Amount:
		return payment.ReturnedInPart
	}
	return payment.ReturnedInFull
}

// portal gives money back that nobody here asked for.
func (g *gatewayModel) portal(o *order, amount int64) {
	r := &refund{
		order: o, requestID: "portal-" + strconv.Itoa(len(g.refunds)+1), id: g.name + "-R" + strconv.Itoa(len(g.refunds)+1),
		amount: payment.Money{Amount: amount, Currency: o.amount.Currency}, state: payment.ClassRefunded,
	}
	g.refunds, o.refunds = append(g.refunds, r), append(o.refunds, r)
	g.world.tell("  MONEY: %s of %s is refunded in the portal of %s", r.amount, o.requestID, g.name)
}

// given is what was given back for a refund's request id.
func (g *gatewayModel) given(requestID string) (sum int64) {
	for _, r := range g.refunds {
		if r.requestID == requestID && r.state != payment.ClassFailed {
			sum += r.amount.Amount
		}
	}
	return sum
}

// refundsOf are the refunds of one request id, oldest first.
func (g *gatewayModel) refundsOf(requestID string) (known []*refund) {
	for _, r := range g.refunds {
		if r.requestID == requestID {
			known = append(known, r)
		}
	}
	return known
}

// refund lets a refund request arrive.
func (g *gatewayModel) refund(f *flight, doubled bool) payment.Verdict {
	w, want := g.world, f.refund
	known := g.refundsOf(want.RequestID)
	if len(known) > 0 && (g.traits.IdempotentRefund || g.secondSend == secondSendKnown) { // whatever became of the order since
		w.fired(faultRefundKnown)
		return g.tellRefund(known[0])
	}
	o := g.refundable(f.attempt)
	if o == nil {
		return *g.failed(payment.ClassFailed, payment.ReasonRefundFailed, "ORDER_NOT_EXIST", true)
	}
	switch left := o.left(); {
	case o.done() == o.amount.Amount:
		return *g.failed(payment.ClassAlreadyRefunded, payment.ReasonAlreadyRefunded, "FULL_REFUND_COMPLETED", true)
	case left < want.Amount.Amount && o.pendingRefund():
		return *g.failed(payment.ClassFailed, payment.ReasonRefundInProcess, "EXIST_PROCESSING_REFUND", true)
	case left < want.Amount.Amount:
		return *g.failed(payment.ClassFailed, payment.ReasonRefundAmount, "REFUND_AMOUNT_EXCEEDED", true)
	}
	way := refundDone
	if !w.healed {
		way = w.pick(siteRefundWay, f.subject, len(known), refundWeights)
	}
	if way == refundNoBalance {
		w.fired(faultRefundNoBalance)
		return *g.failed(payment.ClassFailed, payment.ReasonNotEnoughBalance, "MERCHANT_BALANCE_NOT_ENOUGH", true)
	}
	r := &refund{
		order: o, requestID: want.RequestID, id: g.name + "-R" + strconv.Itoa(len(g.refunds)+1), subject: f.subject,
		amount: want.Amount, state: payment.ClassPending, copied: doubled,
	}
	w.oracle.givesBack(r, known)
	g.refunds, o.refunds = append(g.refunds, r), append(o.refunds, r)
	w.tell("  MONEY: refund %s of %s: %s", r.id, r.requestID, r.amount)
	g.carryOn(r, way)
	g.notifyRefund(r)
	return g.tellRefund(r)
}

// carryOn lets a refund come to its end, now or later.
func (g *gatewayModel) carryOn(r *refund, way int) {
	w := g.world
	switch way {
	case refundDone:
		r.state = payment.ClassRefunded
	case refundInProcess:
		w.fired(faultRefundInProcess)
		w.after(40*time.Second, func() { r.state = payment.ClassRefunded })
	case refundInReview:
		w.fired(faultRefundInReview)
		r.reason = payment.ReasonRefundInReview
		w.after(5*time.Hour, func() { r.state = payment.ClassRefunded })
	case refundFailsLater:
		w.fired(faultRefundFails)
		w.after(40*time.Second, func() { r.state, r.reason = payment.ClassFailed, payment.ReasonRefundFailed })
	}
}

// refundable is the captured order that a refund names.
func (g *gatewayModel) refundable(a payment.Attempt) *order {
	for _, o := range g.byRequest[a.RequestID] {
		if o.captured && !o.reversed && o.paymentID == a.PaymentID {
			return o
		}
	}
	return nil
}

// tellRefund is the answer to a refund request: AlphaPay says only that it was taken.
func (g *gatewayModel) tellRefund(r *refund) payment.Verdict {
	v := r.tell()
	if !g.traits.IdempotentRefund {
		v.Class, v.Reason = payment.ClassAccepted, ""
	}
	return v
}

func (r *refund) tell() payment.Verdict {
	return payment.Verdict{
		Class: r.state, Reason: r.reason, RequestID: r.requestID, RefundID: r.id, Amount: r.amount, GatewayCode: "SUCCESS", Documented: true,
	}
}

func (g *gatewayModel) inquireRefund(f *flight) payment.Verdict {
	for _, r := range g.refundsOf(f.refund.RequestID) {
		if r.id == f.refund.RefundID {
			return r.tell()
		}
	}
	return notFound
}

// lookupRefund searches the list's Debit rows for the refund's request id.
func (g *gatewayModel) lookupRefund(f *flight) payment.Verdict {
	var waits *refund
	rows := 0
	for _, r := range g.refunds {
		if r.state == payment.ClassFailed {
			continue
		}
		rows++
		switch {
		case r.requestID != f.refund.RequestID:
		case r.state == payment.ClassRefunded:
			v := r.tell()
			if f.refund.RefundID != "" && f.refund.RefundID != r.id {
				v.RefundID = ""
			}
			return v
		default:
			waits = r
		}
	}
	if waits != nil { // a row without a time
		return payment.Verdict{Class: payment.ClassPending, RequestID: waits.requestID, Amount: waits.amount, GatewayCode: "SUCCESS", Documented: true}
	}
	v := notFound
	v.Search = &payment.Search{Rows: rows, At: dayOne.Add(g.world.now)}
	return v
}

// malignRefund is an answer about a refund that must never count.
func (g *gatewayModel) malignRefund(f *flight, way int) payment.Verdict {
	r := f.refund
	v := payment.Verdict{Class: payment.ClassRefunded, RequestID: r.RequestID, RefundID: r.RefundID, Amount: r.Amount, Documented: true}
	switch way {
	case 0:
		v.Amount.Amount++
	case 1:
		v.Amount.Currency = "USD"
	case 2:
		v.RequestID = "someone-else-1"
	case 3:
		v.Class, v.RequestID = payment.ClassFailed, "someone-else-1"
	case 4:
		v.Amount = payment.Money{}
	case 5:
		v.RequestID = ""
	}
	return v
}
