package payment_test

import (
	"fmt"
	"slices"
	"time"

	"payscand/payment"
)

// chooser picks one of n ways to go on: rapid's draws in property tests, a
// seeded generator where a run must be the same every time.
type chooser func(n int, what string) int

// Gateways as their vendors describe them.
var (
	alphaPayLike   = payment.Traits{TransactionList: true}
	alipayPlusLike = payment.Traits{IdempotentPay: true, InquireByRequestID: true, CancelReverses: true}
)

const (
	orderLife   = 5 * time.Minute  // of an unpaid order at the model gateway
	callTimeOut = 18 * time.Second // connect 3 s and answer 15 s
	lateBy      = 20 * time.Second // a request that was lost on the way may still arrive
)

// gatewayModel knows the truth about every order: what was captured, and what
// can still be.
type gatewayModel struct {
	traits payment.Traits
	choose chooser
	orders []*modelOrder
	late   []latePay // pay requests still on their way after their caller gave up
	shown  map[string]bool
	amount payment.Money
	healed bool
}

type latePay struct {
	attempt payment.Attempt
	at      time.Time
}

type modelOrder struct {
	requestID, paymentID, payload string
	instrument                    payment.Instrument
	state                         payment.Class // pending, paid, failed or closed
	payAt, failAt                 time.Time     // what the customer will do, zero: never
	closesAt                      time.Time
	paidAt                        time.Time
	reversed                      bool
}

// payable reports whether a customer could still pay the order: a QR only when
// somebody has seen it.
func (g *gatewayModel) payable(o *modelOrder) bool {
	return o.state == payment.ClassPending && (o.instrument == payment.InstrumentCode || g.shown[o.payload])
}

func (g *gatewayModel) of(requestID string) (orders []*modelOrder) {
	for _, o := range g.orders {
		if o.requestID == requestID {
			orders = append(orders, o)
		}
	}
	return orders
}

func (g *gatewayModel) captured(requestID string) *modelOrder {
	for _, o := range g.of(requestID) {
		if o.state == payment.ClassPaid && !o.reversed {
			return o
		}
	}
	return nil
}

// open tells why money may still move for a request id, empty when it cannot.
func (g *gatewayModel) open(requestID string) string {
	for _, o := range g.of(requestID) {
		if o.state == payment.ClassPaid && !o.reversed {
			return "it was captured"
		}
		if g.payable(o) {
			return "it can still be paid"
		}
	}
	for _, l := range g.late {
		known := g.traits.IdempotentPay && len(g.of(requestID)) > 0 // processed once
		if l.attempt.RequestID == requestID && l.attempt.Instrument == payment.InstrumentCode && !known {
			return "its request may still arrive"
		}
	}
	return ""
}

// settle lets happen what is due at the gateway until now.
func (g *gatewayModel) settle(now time.Time) {
	for i := 0; i < len(g.late); {
		l := g.late[i]
		if now.Before(l.at) {
			i++
			continue
		}
		g.late = slices.Delete(g.late, i, i+1) // before it is placed, which settles too
		g.place(l.attempt, l.at)
		i = 0
	}
	for _, o := range g.orders {
		if o.state != payment.ClassPending {
			continue
		}
		pays := g.payable(o) && !o.payAt.IsZero() && !now.Before(o.payAt) && o.payAt.Before(o.closesAt)
		switch {
		case pays && g.captured(o.requestID) == nil:
			o.state, o.paidAt = payment.ClassPaid, o.payAt
		case pays || !o.failAt.IsZero() && !now.Before(o.failAt):
			o.state = payment.ClassFailed
		case !now.Before(o.closesAt):
			o.state = payment.ClassClosed
		}
	}
}

// place lets a pay request arrive.
func (g *gatewayModel) place(a payment.Attempt, now time.Time) (o *modelOrder, already bool) {
	before := g.of(a.RequestID)
	if len(before) > 0 {
		switch {
		case g.traits.IdempotentPay:
			return before[0], false
		case g.captured(a.RequestID) != nil:
			return nil, true
		case g.choose(2, "second order") == 0: // some gateways know a request id again, nothing promises it
			return before[0], false
		}
	}
	n := len(g.orders) + 1
	o = &modelOrder{
		requestID: a.RequestID, paymentID: fmt.Sprintf("pay-%d", n), payload: fmt.Sprintf("https://pay.example/%d", n),
		instrument: a.Instrument, state: payment.ClassPending, closesAt: now.Add(orderLife),
	}
	switch g.choose(6, "customer") {
	case 0:
		o.payAt = now
	case 1:
		o.payAt = now.Add(4 * time.Second)
	case 2:
		o.payAt = now.Add(70 * time.Second)
	case 3:
		o.failAt = now.Add(2 * time.Second)
	case 4:
		o.failAt = now
	}
	g.orders = append(g.orders, o)
	g.settle(now)
	return o, false
}

// fates of a call on its way there and back.
const (
	fateFine = iota
	fateAnswerLost
	fateRequestLost
	fateLate
	fateNotSent
	fateRefused
	fateRetryLater // the gateway's own error; what was asked is done all the same
	fateMalign     // a verified answer about another amount or order
	fateUnlisted   // pay: F with a code that no page lists, whatever became of the order
	fates
)

func (g *gatewayModel) fate() int {
	if g.healed || g.choose(5, "trouble") < 3 {
		return fateFine
	}
	return g.choose(fates, "fate")
}

// answer carries a call out and returns what it brings, and after how long.
func (g *gatewayModel) answer(a payment.Attempt, c payment.Call, now time.Time) (payment.Verdict, time.Duration) {
	fate := g.fate()
	took := []time.Duration{200 * time.Millisecond, 3 * time.Second, 14 * time.Second}
	delay := took[0]
	if !g.healed {
		delay = took[g.choose(len(took), "delay")]
	}
	switch fate {
	case fateRequestLost:
		return noAnswer, callTimeOut
	case fateLate:
		if c.Kind == payment.CallPay {
			g.late = append(g.late, latePay{a, now.Add(lateBy)})
		}
		return noAnswer, callTimeOut
	case fateNotSent:
		return payment.Verdict{Class: payment.ClassNotSent, Reason: payment.ReasonGatewayUnreachable}, delay
	case fateRefused:
		return payment.Verdict{Class: payment.ClassRefused, Reason: payment.ReasonClockWrong, GatewayCode: "SIGN_TIMEOUT", Documented: true}, delay
	}
	v := g.carryOut(a, c, now)
	switch fate {
	case fateAnswerLost:
		return noAnswer, callTimeOut
	case fateRetryLater:
		return payment.Verdict{Class: payment.ClassRetryLater, Reason: payment.ReasonGatewayError, GatewayCode: "SYSTEMERROR", Documented: true}, delay
	case fateMalign:
		return g.malign(a), delay
	case fateUnlisted:
		if c.Kind == payment.CallPay {
			v = payment.Verdict{Class: payment.ClassFailed, Reason: payment.ReasonDeclined, GatewayCode: "WALLET_SAYS_NO", PaymentID: v.PaymentID}
		}
	}
	return v, delay
}

var noAnswer = payment.Verdict{Class: payment.ClassNoAnswer, Reason: payment.ReasonNoAnswer}

// malign is an answer that must never count: its sum or its order is another's.
func (g *gatewayModel) malign(a payment.Attempt) payment.Verdict {
	v := payment.Verdict{Class: payment.ClassPaid, RequestID: a.RequestID, PaymentID: a.PaymentID, Amount: g.amount, Documented: true}
	switch g.choose(4, "malign") {
	case 0:
		v.Amount.Amount++
	case 1:
		v.Amount.Currency = "USD"
	case 2:
		v.RequestID = "someone-else-1"
	case 3:
		v.Class, v.RequestID = payment.ClassClosed, "someone-else-1"
	}
	return v
}

func (g *gatewayModel) carryOut(a payment.Attempt, c payment.Call, now time.Time) payment.Verdict {
	g.settle(now)
	switch c.Kind {
	case payment.CallPay:
		o, already := g.place(a, now)
		if already {
			return payment.Verdict{Class: payment.ClassAlreadyPaid, GatewayCode: "ORDER_PAID", Documented: true}
		}
		v := g.tell(o)
		if v.Class == payment.ClassPaid && g.choose(2, "pay tells") == 0 {
			v.Class = payment.ClassAccepted
		}
		if o.instrument == payment.InstrumentQR && v.Class == payment.ClassPending && g.choose(8, "no qr") > 0 {
			v.QR = &payment.QR{Payload: o.payload}
		}
		return v
	case payment.CallCancel:
		return g.cancel(a, now)
	case payment.CallLookup:
		return g.lookup(a)
	}
	if o := g.find(a); o != nil {
		return g.tell(o)
	}
	return payment.Verdict{Class: payment.ClassNotFound, Reason: payment.ReasonNotFound, Documented: true}
}

// find returns the order that an inquiry or a cancel speaks of.
func (g *gatewayModel) find(a payment.Attempt) *modelOrder {
	for _, o := range g.orders {
		if g.traits.InquireByRequestID && o.requestID == a.RequestID || o.paymentID == a.PaymentID {
			return o
		}
	}
	return nil
}

func (g *gatewayModel) tell(o *modelOrder) payment.Verdict {
	v := payment.Verdict{
		Class: o.state, RequestID: o.requestID, PaymentID: o.paymentID, Amount: g.amount, Documented: true,
		ExpiresAt: o.closesAt, GatewayCode: "SUCCESS",
	}
	switch {
	case o.reversed:
		v.Class = payment.ClassClosed
	case o.state == payment.ClassPaid:
		v.PaidAt = o.paidAt
	case o.state == payment.ClassFailed:
		v.Reason = payment.ReasonInsufficientFunds
	}
	return v
}

func (g *gatewayModel) cancel(a payment.Attempt, now time.Time) payment.Verdict {
	o := g.find(a)
	switch {
	case o == nil:
		return payment.Verdict{Class: payment.ClassNotFound, Reason: payment.ReasonNotFound, Documented: true}
	case g.traits.CancelReverses:
		o.reversed = o.state == payment.ClassPaid
		if o.state == payment.ClassPending {
			o.state = payment.ClassClosed
		}
	case o.state == payment.ClassPaid:
		return payment.Verdict{Class: payment.ClassAlreadyPaid, GatewayCode: "ORDER_PAID", Documented: true}
	case o.state != payment.ClassPending:
		return payment.Verdict{Class: payment.ClassClosed, RequestID: o.requestID, PaymentID: o.paymentID, Documented: true}
	default: // accepted, and closed a little later, or paid before that
		o.closesAt = now.Add(time.Duration(g.choose(3, "closes after")) * 2 * time.Second)
		g.settle(now)
	}
	return payment.Verdict{Class: payment.ClassCancelAccepted, RequestID: o.requestID, PaymentID: o.paymentID, Documented: true}
}

// lookup searches the list of transactions, as the gateway packages do: a proved
// payment first, then an order that waits; one that is over counts only after a single send.
func (g *gatewayModel) lookup(a payment.Attempt) payment.Verdict {
	orders := g.of(a.RequestID)
	for _, class := range []payment.Class{payment.ClassPaid, payment.ClassPending} {
		for _, o := range orders {
			if o.state == class {
				return g.tell(o)
			}
		}
	}
	switch {
	case len(orders) == 0:
		return payment.Verdict{Class: payment.ClassNotFound, Reason: payment.ReasonNotFound, Documented: true}
	case a.Sends > 1 && g.choose(2, "over") == 0:
		return payment.Verdict{Class: payment.ClassRetryLater, Reason: payment.ReasonNotFound, Documented: true}
	}
	return g.tell(orders[0])
}
