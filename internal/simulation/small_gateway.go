package simulation

import (
	"fmt"
	"slices"

	"payscand/payment"
	"payscand/terminal"
)

// What the customer's wallet makes of a new order.
type smallWallet int

const (
	smallPays smallWallet = iota
	smallWaits
	smallRefuses
)

// arrives carries a request out at the gateway and returns what it answers.
func (w *smallWorld) arrives(f smallFlight, wallet smallWallet) payment.Verdict {
	a := f.attempt
	switch f.call.Kind {
	case payment.CallPay:
		return w.payArrives(a, wallet)
	case payment.CallCancel:
		return w.cancelArrives(a)
	case payment.CallLookup:
		return w.lookup(a)
	case payment.CallRefund:
		return w.refundArrives(f)
	case payment.CallInquireRefund, payment.CallLookupRefund:
		return w.tellRefund(f)
	}
	if o := w.find(a); o != nil {
		return o.tell()
	}
	return notFound
}

func (w *smallWorld) known(requestID string) []int {
	var at []int
	for i := range w.orders {
		if w.orders[i].requestID == requestID {
			at = append(at, i)
		}
	}
	return at
}

func (w *smallWorld) payArrives(a payment.Attempt, wallet smallWallet) payment.Verdict {
	refusal := payment.Verdict{Class: payment.ClassFailed, Reason: payment.ReasonInvalidCode, GatewayCode: "INVALID_PAYMENT_CODE", Documented: true}
	if known := w.known(a.RequestID); len(known) > 0 {
		first := &w.orders[known[0]]
		switch {
		case w.shape.traits.IdempotentPay:
			return first.tell()
		case w.shape.second == secondSendRefused:
			return refusal
		case w.captured(a.RequestID):
			return payment.Verdict{Class: payment.ClassAlreadyPaid, GatewayCode: "ORDER_PAID", Documented: true}
		case w.shape.second == secondSendKnown:
			return first.tell()
		}
	}
	if wallet == smallRefuses {
		return refusal
	}
	n := len(w.orders) + 1
	o := smallOrder{requestID: a.RequestID, paymentID: fmt.Sprintf("P-%d", n), state: payment.ClassPending, closesAt: w.now.Add(smallLife)}
	if a.Instrument == payment.InstrumentQR {
		o.payload = fmt.Sprintf("https://pay.example/%d", n)
	} else if wallet == smallPays {
		o.state = payment.ClassPaid
	}
	w.orders = append(w.orders, o)
	v := o.tell()
	if v.Class == payment.ClassPaid && !w.shape.traits.IdempotentPay {
		v.Class, v.Amount = payment.ClassAccepted, payment.Money{}
	}
	if o.payload != "" {
		v.QR = &payment.QR{Payload: o.payload}
	}
	return v
}

func (o *smallOrder) tell() payment.Verdict {
	v := payment.Verdict{
		Class: o.state, RequestID: o.requestID, PaymentID: o.paymentID, Amount: smallSum, Documented: true, ExpiresAt: o.closesAt,
	}
	if o.reversed {
		v.Class = payment.ClassClosed
	}
	return v
}

func (w *smallWorld) find(a payment.Attempt) *smallOrder {
	for i := range w.orders {
		o := &w.orders[i]
		if o.requestID == a.RequestID && (w.shape.traits.InquireByRequestID || o.paymentID == a.PaymentID) {
			return o
		}
	}
	return nil
}

func (w *smallWorld) cancelArrives(a payment.Attempt) payment.Verdict {
	o := w.find(a)
	accepted := payment.Verdict{Class: payment.ClassCancelAccepted, RequestID: a.RequestID, Documented: true}
	switch {
	case o == nil:
		return notFound
	case w.shape.traits.CancelReverses:
		if o.state == payment.ClassPending {
			o.state = payment.ClassClosed
		}
		o.reversed = o.state == payment.ClassPaid
	case o.state == payment.ClassPaid:
		return payment.Verdict{Class: payment.ClassAlreadyPaid, GatewayCode: "ORDER_PAID", Documented: true}
	case o.state == payment.ClassPending:
		o.state = payment.ClassClosed
	}
	return accepted
}

func (w *smallWorld) lookup(a payment.Attempt) payment.Verdict {
	known := w.known(a.RequestID)
	for _, want := range []payment.Class{payment.ClassPaid, payment.ClassPending} {
		for _, i := range known {
			if w.orders[i].state == want {
				return w.orders[i].tell()
			}
		}
	}
	switch {
	case len(known) == 0:
		return notFound
	case a.Sends > 1:
		return payment.Verdict{Class: payment.ClassRetryLater, Reason: payment.ReasonNotFound, Documented: true}
	}
	return w.orders[known[0]].tell()
}

func (w *smallWorld) captured(requestID string) bool {
	return slices.ContainsFunc(w.orders, func(o smallOrder) bool {
		return o.requestID == requestID && o.state == payment.ClassPaid && !o.reversed
	})
}

// open tells why money may still move, or has moved, for a request id; empty: it cannot.
func (w *smallWorld) open(requestID string) string {
	if w.captured(requestID) {
		return "it was captured"
	}
	for _, o := range w.orders {
		if o.requestID == requestID && w.payable(o) {
			return "it can still be paid"
		}
	}
	for _, f := range w.adrift {
		processed := w.shape.traits.IdempotentPay && len(w.known(requestID)) > 0
		if f.call.Kind == payment.CallPay && f.attempt.RequestID == requestID && f.attempt.Instrument == payment.InstrumentCode && !processed {
			return "its request may still arrive"
		}
	}
	return ""
}

// payable reports whether a customer can still pay the order: a QR only when
// somebody has seen it.
func (w *smallWorld) payable(o smallOrder) bool {
	return o.state == payment.ClassPending && (o.payload == "" || slices.Contains(w.shown, o.payload))
}

// answer gives a call its one outcome.
func (w *smallWorld) answer(i int, v payment.Verdict) {
	f := w.flights[i]
	w.flights = slices.Delete(w.flights, i, i+1)
	w.turn(terminal.Answered{Call: f.call, Verdict: v})
}

// hold holds one committed change against the promises.
func (w *smallWorld) hold(before, after payment.Sale) {
	if before.Status.Final() && before.Status != after.Status {
		w.fail("a sale that was %s becomes %s", before.Status, after.Status)
	}
	for i, a := range after.Attempts {
		if i < len(after.Attempts)-1 && !a.Status.Final() {
			w.fail("P2: attempt %d is live and not the last", a.N)
		}
		if !a.Status.Final() || i < len(before.Attempts) && before.Attempts[i].Status == a.Status {
			continue
		}
		if i < len(before.Attempts) && before.Attempts[i].Status.Final() {
			w.fail("attempt %d was %s and becomes %s", a.N, before.Attempts[i].Status, a.Status)
		}
		w.holdEnd(after, a)
	}
	if qr := after.VisibleQR(); qr != nil && after.LiveAttempt().Instrument != payment.InstrumentQR {
		w.fail("P2: a QR is visible while a code is with the gateway")
	}
}

// holdEnd holds an attempt that has just ended against the truth.
func (w *smallWorld) holdEnd(after payment.Sale, a payment.Attempt) {
	switch {
	case !a.Code.IsZero():
		w.fail("M7: attempt %d is %s and keeps its code", a.N, a.Status)
	case a.Status == payment.AttemptPaid:
		if !w.captured(a.RequestID) || after.Receipt == nil || after.Receipt.PaidAmount != smallSum {
			w.fail("P4: said to be paid (%+v), and nothing is captured", after.Receipt)
		}
		if w.shape.traits.CancelReverses && a.Cancels > 0 {
			w.fail("M5: said to be paid though its cancel gives the money back")
		}
	default:
		if why := w.open(a.RequestID); why != "" {
			w.fail("P3: attempt %d is %s (%s), and %s", a.N, a.Status, a.Reason, why)
		}
	}
}

// refundArrives gives a capture back, whole: smaller refunds are not in these worlds.
func (w *smallWorld) refundArrives(f smallFlight) payment.Verdict {
	for i := range w.orders {
		o := &w.orders[i]
		if o.requestID != f.attempt.RequestID || o.paymentID != f.attempt.PaymentID || o.state != payment.ClassPaid || o.reversed {
			continue
		}
		if o.refund != "" && !(w.shape.traits.IdempotentRefund && o.refund == f.refund.RequestID) {
			return payment.Verdict{Class: payment.ClassAlreadyRefunded, Reason: payment.ReasonAlreadyRefunded, Documented: true}
		}
		o.refund = f.refund.RequestID
		return w.tellRefund(f)
	}
	return payment.Verdict{Class: payment.ClassFailed, Reason: payment.ReasonRefundFailed, Documented: true}
}

func (w *smallWorld) tellRefund(f smallFlight) payment.Verdict {
	for _, o := range w.orders {
		if o.refund == f.refund.RequestID {
			return payment.Verdict{
				Class: payment.ClassRefunded, RequestID: o.refund, RefundID: "R-" + o.paymentID, Amount: smallSum, Documented: true,
			}
		}
	}
	return notFound
}
