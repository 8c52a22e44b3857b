package simulation

import (
	"strconv"
	"time"

	"payscand/payment"
)

// gatewayModel knows the truth: every order and every capture.
type gatewayModel struct {
	world  *world
	index  int
	name   string
	traits payment.Traits
	probes pace
	calls  pace   // of all sales
	codec  *codec // nil: the model answers with verdicts

	orders    []*order
	byRequest map[string][]*order
	refunds   []*refund
	cancelled map[string]bool // request ids that were cancelled before they arrived
	missed    map[string]bool // request ids that were asked about and not known

	outage      outage
	outageUntil time.Duration
	clockKnown  time.Duration // the terminal's clock error, as learnt from the last answer

	// Decided once.
	secondSend     secondSend
	unlisted       bool          // orders that nobody paid are not in the transaction list
	listLag        time.Duration // of a payment until it is listed
	forgetsCancels bool
	notifies       bool           // the shop relays its notifications
	notices        map[string]int // how often it told of a request id
	codeLife       time.Duration
	// windowEnd is when the day's cancels end, where a cancel gives money back: what
	// was paid before it is not cancelled after it. neverCancels: what is paid never is.
	windowEnd time.Duration
}

// secondSend is what a gateway that promises nothing makes of a second pay with
// one request id.
type secondSend int

const (
	secondSendKnown   secondSend = iota // it knows the order again
	secondSendRefused                   // F: the payment code was used
	secondSendOrders                    // another order
)

// order is one order at a gateway.
type order struct {
	gateway    *gatewayModel
	requestID  string
	paymentID  string
	subject    int // of its attempt, in decisions
	nth        int // of its request id, from 0
	instrument payment.Instrument
	amount     payment.Money // as it was taken
	asked      payment.Money
	code       string
	payload    string
	// doubled: a copy of a request made it that the caller sent once.
	doubled bool
	// unlisted: the order was refused with a code that no page lists.
	unlisted bool

	state     payment.Class // pending, paid, failed or closed
	was       payment.Class // before changedAt
	changedAt time.Duration
	madeAt    time.Duration
	closesAt  time.Duration
	reason    payment.Reason
	paidAt    time.Duration
	captured  bool      // money moved, whatever the state says
	reversed  bool      // by an Alipay+ cancel
	refunds   []*refund // of its capture
	// afterwards: the capture came when the gateway had already said that the order was closed.
	afterwards bool
	cancels    int
}

// orderLife is how long an unpaid order waits, sure for AlphaPay; Alipay+ order
// codes live three minutes.
const (
	orderLife     = 5 * time.Minute
	orderCodeLife = 3 * time.Minute
	shortCodeLife = 2 * time.Minute
)

// Wallets: what the customer's wallet makes of a code order that arrives.
const (
	walletPays = iota
	walletConfirms
	walletDeclines
	walletIgnores
	walletInvalidCode
	walletUnlistedNoOrder
	walletUnlistedFailed
	walletUnlistedPaid
)

var walletWeights = []int{20, 14, 6, 6, 4, 3, 2, 1}

var walletDelays = []time.Duration{2 * time.Second, 6 * time.Second, 25 * time.Second, 59 * time.Second, 75 * time.Second, 200 * time.Second, 295 * time.Second}

func newGateway(w *world, name string, traits payment.Traits) *gatewayModel {
	g := &gatewayModel{
		world: w, index: len(w.gateways), name: name, traits: traits,
		byRequest: make(map[string][]*order), cancelled: make(map[string]bool), missed: make(map[string]bool), codeLife: time.Hour, notices: make(map[string]int),
	}
	g.secondSend = secondSend(w.pick(siteSecondSend, g.index, 0, []int{1, 1, 2}))
	g.unlisted = w.pick(siteUnlisted, g.index, 0, []int{1, 1}) == 1
	g.listLag = []time.Duration{0, 90 * time.Second, 12 * time.Minute}[w.pick(siteListLag, g.index, 0, []int{2, 1, 1})]
	g.notifies = w.pick(siteNotifies, g.index, 0, []int{1, 1}) == 1
	g.forgetsCancels = w.pick(siteForgetsCancels, g.index, 0, []int{1, 1}) == 1
	g.windowEnd = []time.Duration{23*time.Hour + 15*time.Minute, 40 * time.Second, 75 * time.Second, 130 * time.Second, neverCancels}[w.pick(siteCancelWindow, g.index, 0, []int{3, 1, 1, 1, 1})]
	if w.pick(siteShortCodes, g.index, 0, []int{1, 1}) == 1 {
		g.codeLife = shortCodeLife
	}
	return g
}

// placeOrder lets a pay request arrive. It returns the order it speaks of, or a
// verdict where there is none.
func (g *gatewayModel) placeOrder(f *flight, doubled bool) (*order, *payment.Verdict) {
	w, a := g.world, f.attempt
	known := g.byRequest[a.RequestID]
	if len(known) > 0 {
		if o, v, placed := g.placeAgain(known); placed {
			return o, v
		}
		w.fired(faultSecondOrder)
		w.tell("  %s makes a second order of %s", g.name, a.RequestID)
	}
	if g.missed[a.RequestID] && len(known) == 0 {
		w.fired(faultAskedBeforePay)
	}
	if g.cancelled[a.RequestID] {
		w.fired(faultCancelBeforePay)
		return nil, g.failed(payment.ClassClosed, payment.ReasonCancelled, "ORDER_IS_CLOSED", true)
	}
	o := &order{
		gateway: g, requestID: a.RequestID, paymentID: g.name + "-" + strconv.Itoa(len(g.orders)+1), subject: f.subject, nth: len(known),
		instrument: a.Instrument, amount: w.oracle.amountOf(f.call.Sale), asked: w.oracle.amountOf(f.call.Sale), code: a.Code.Reveal(), doubled: doubled,
		state: payment.ClassPending, was: payment.ClassPending, changedAt: w.now, madeAt: w.now,
	}
	life := orderLife
	if a.Instrument == payment.InstrumentQR {
		o.payload = "https://pay.example/" + o.paymentID
		if g.traits.CancelReverses {
			life = orderCodeLife
		}
	}
	o.closesAt = w.now + life
	if o.instrument == payment.InstrumentCode {
		if v := g.askWallet(o); v != nil {
			return nil, v
		}
	}
	g.orders = append(g.orders, o)
	g.byRequest[o.requestID] = append(known, o)
	w.after(life, func() { o.end(payment.ClassClosed, payment.ReasonNotPaidInTime) })
	return o, nil
}

// placeAgain is what a known request id gets; placed is false for a second order.
func (g *gatewayModel) placeAgain(known []*order) (o *order, v *payment.Verdict, placed bool) {
	o = known[0]
	if g.traits.IdempotentPay {
		g.world.fired(faultSecondSendKnown)
		return o, nil, true
	}
	switch g.secondSend {
	case secondSendOrders:
		return nil, nil, false
	case secondSendRefused:
		g.world.fired(faultSecondSendRefused)
		return nil, g.failed(payment.ClassFailed, payment.ReasonInvalidCode, "INVALID_PAYMENT_CODE", true), true
	}
	if o.captured {
		return nil, &payment.Verdict{Class: payment.ClassAlreadyPaid, GatewayCode: "ORDER_PAID", Documented: true}, true
	}
	g.world.fired(faultSecondSendKnown)
	return o, nil, true
}

func (g *gatewayModel) failed(class payment.Class, why payment.Reason, code string, documented bool) *payment.Verdict {
	return &payment.Verdict{Class: class, Reason: why, GatewayCode: code, Documented: documented}
}

// askWallet lets the customer's wallet meet a new code order: it pays now or
// later, or it refuses. A verdict is returned where no order is made.
func (g *gatewayModel) askWallet(o *order) *payment.Verdict {
	w := g.world
	invalid := g.failed(payment.ClassFailed, payment.ReasonInvalidCode, "INVALID_PAYMENT_CODE", true)
	if !w.shop.codeGood(o.code, g.codeLife) {
		return invalid
	}
	way := walletPays
	if !w.healed {
		way = w.pick(siteWallet, o.subject, o.nth, walletWeights)
	}
	if g.traits.IdempotentPay && way >= walletUnlistedNoOrder {
		way = walletInvalidCode // its codes for this are documented
	}
	delay := walletDelays[w.pick(siteWalletDelay, o.subject, o.nth, []int{4, 3, 3, 2, 2, 1, 1})]
	if w.story != nil {
		w.tell("  the wallet %s", [...]string{"pays at once", "waits for the customer, who will pay", "waits for the customer, who will decline",
			"waits for the customer, who is gone", "does not know the code", "refuses, with a code that no page lists", "refuses so, and leaves a failed order",
			"refuses so, and yet will be paid"}[way])
	}
	switch way {
	case walletPays:
		o.pay()
	case walletConfirms:
		w.after(delay, o.pay)
	case walletDeclines:
		w.after(delay, func() { o.end(payment.ClassFailed, payment.ReasonDeclined) })
	case walletInvalidCode:
		return invalid
	case walletUnlistedNoOrder:
		w.fired(faultUnlistedFailure)
		return g.failed(payment.ClassFailed, payment.ReasonDeclined, "WALLET_SAYS_NO", false)
	case walletUnlistedFailed:
		w.fired(faultUnlistedFailure)
		o.unlisted = true
		o.end(payment.ClassFailed, payment.ReasonDeclined)
	case walletUnlistedPaid:
		w.fired(faultUnlistedFailure)
		o.unlisted = true
		w.after(delay, o.pay)
	}
	return nil
}

// pay captures the order's money, if it can still be paid.
func (o *order) pay() {
	w := o.gateway.world
	if o.state != payment.ClassPending {
		return
	}
	if o.code != "" && !w.shop.useCode(o) {
		o.end(payment.ClassFailed, payment.ReasonInvalidCode)
		return
	}
	if !w.healed && w.rarely(siteOtherSum, o.subject, o.nth) {
		w.fired(faultOtherSum)
		o.amount.Amount -= 100 // the wallet had a coupon
	}
	o.captured, o.paidAt = true, w.now
	o.change(payment.ClassPaid, "")
	w.oracle.captured(o)
}

// end closes an order that is not over, or lets it fail.
func (o *order) end(state payment.Class, why payment.Reason) {
	if o.state == payment.ClassPending {
		o.change(state, why)
	}
}

func (o *order) change(state payment.Class, why payment.Reason) {
	w := o.gateway.world
	o.was, o.state, o.changedAt, o.reason = o.state, state, w.now, why
	w.tell("  %s: order %s of %s is %s", o.gateway.name, o.paymentID, o.requestID, state)
	o.gateway.notify(o)
}

// payLate captures an order that the gateway has called closed: it should not happen.
func (o *order) payLate() {
	if o.captured || o.state != payment.ClassClosed {
		return
	}
	w := o.gateway.world
	w.fired(faultPaidAfterClosed)
	o.afterwards = true
	o.state = payment.ClassPending
	o.pay()
}

// standing is an order's state as an inquiry tells it; a stale one tells the one before.
func (o *order) standing(now time.Duration, stale bool) payment.Class {
	if stale && now-o.changedAt < time.Minute {
		return o.was
	}
	return o.state
}
