package simulation

import (
	"errors"
	"fmt"
	"time"

	"payscand/payment"
	"payscand/terminal"
)

// foreignSum is what another terminal's customers pay.
var foreignSum = payment.Money{Amount: 2_500, Currency: "CAD"}

// elsewhereSubjects keeps the numbers of refunds by payment id apart from those of
// attempts.
const elsewhereSubjects = 5_000

// Which payment is named.
const (
	namesForeign  = iota // another terminal's
	namesPaid            // one that paid a sale here
	namesCaptured        // any that was taken, also late money
	namesUnpaid          // an order that was not paid
	namesNothing         // the gateway has no such payment
)

// foreignOrder is a payment that another terminal of the shop took.
func (g *gatewayModel) foreignOrder() *order {
	for _, o := range g.orders {
		if o.subject < 0 {
			return o
		}
	}
	o := &order{
		gateway: g, requestID: "01JANOTHERTERMINAL00000" + fmt.Sprintf("%03d", g.index) + "-1", paymentID: fmt.Sprintf("%s-%d", g.name, len(g.orders)+1), subject: -1,
		instrument: payment.InstrumentCode, amount: foreignSum, asked: foreignSum, state: payment.ClassPaid, was: payment.ClassPending,
		changedAt: g.world.now, madeAt: g.world.now, paidAt: g.world.now, captured: true,
	}
	g.orders = append(g.orders, o)
	g.byRequest[o.requestID] = append(g.byRequest[o.requestID], o)
	g.world.tell("  MONEY: %s of %s is captured for another terminal", o.amount, o.requestID)
	return o
}

// payment chooses a payment to be named.
func (v *visit) paymentToName(g *gatewayModel, way int) string {
	for _, o := range g.orders {
		f := v.world.oracle.sales[v.world.oracle.saleOf(o.requestID)]
		if f == nil {
			continue
		}
		paid := f.sale.Receipt != nil && f.sale.Receipt.PaymentID == o.paymentID
		if way == namesPaid && paid || way == namesCaptured && o.captured && !paid || way == namesUnpaid && !o.captured {
			return o.paymentID
		}
	}
	if way == namesNothing {
		return "no-such-payment"
	}
	return g.foreignOrder().paymentID
}

// refundElsewhere gives a payment back by its id; n and the key tell one wish from
// another.
func (v *visit) refundElsewhere(n int, key string) {
	w := v.world
	g := w.gateways[w.pick(siteElsewhereWhich, v.n, 2*n, []int{1, 1})%len(w.gateways)]
	id := v.paymentToName(g, w.pick(siteElsewhereWhich, v.n, 2*n+1, []int{4, 2, 4, 1, 1}))
	key = fmt.Sprintf("elsewhere-%s-%d", key, n)
	amount := []int64{500, 300, foreignSum.Amount}[w.pick(siteElsewhereSum, v.n, n, []int{2, 1, 1})]
	w.oracle.refundAsked(key, refundWish{gateway: g.name, payment: id})
	in := terminal.RefundElsewhere{
		Gateway: g.name, PaymentID: id, Request: terminal.NewRefund{Key: key, Digest: key, Amount: amount, Note: "goods returned"},
	}
	v.askElsewhere(in, n, 0)
	if w.rarelyHere(siteElsewhereTwice, v.n, n, faultElsewhereTwice) {
		v.askElsewhere(in, n, 3)
	}
}

// afterElsewhere lets the cashier refund what is left of such a payment by the sale
// that its record is, ask about it, and try what it does not allow.
func (v *visit) afterElsewhere(sale string, n int) {
	w := v.world
	if !w.rarelyHere(siteElsewhereRest, v.n, n, faultElsewhereRest) {
		return
	}
	key := fmt.Sprintf("rest-%s-%d", sale, n)
	w.after(70*time.Second, func() {
		w.oracle.refundAsked(key, refundWish{sale: sale})
		w.tell("the cashier refunds the rest of %s, checks it, and would cancel it", sale)
		w.send(terminal.Refund{Sale: sale, Request: terminal.NewRefund{Key: key, Digest: key}}, nil)
		w.send(terminal.Command{Sale: sale, Event: payment.CheckRequested{}}, nil)
		w.send(terminal.Command{Sale: sale, Event: payment.CancelRequested{}}, func(r terminal.Reply, answered bool) {
			if answered && r.Err == nil {
				w.fail("another terminal's payment %s was cancelled", sale)
			}
		})
	})
}

// askElsewhere sends the wish; one that nobody answered is sent again.
func (v *visit) askElsewhere(in terminal.RefundElsewhere, n, tries int) {
	w := v.world
	in.ID = v.shop.newID()
	w.oracle.elsewhere[in.ID] = elsewhereSubjects + (v.n*4+n)*4 + tries
	w.tell("the cashier refunds %d of payment %s of %s, key %s", in.Request.Amount, in.PaymentID, in.Gateway, in.Request.Key)
	w.send(in, func(r terminal.Reply, answered bool) {
		var refused *terminal.Error
		switch {
		case errors.As(r.Err, &refused):
			w.fired(faultElsewhereRefused)
			w.tell("the refund is refused: %s", refused)
			if refused.Code != terminal.CodeGatewayDown {
				return
			}
		case answered:
			w.fired(faultElsewhere)
			w.oracle.holdRefundReply(in.Request.Key, r)
			v.afterElsewhere(r.Sale.ID, n)
			return
		}
		if tries < 2 {
			w.after(30*time.Second, func() { v.askElsewhere(in, n, tries+1) })
		}
	})
}
