package test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"payscand/api/client"
	"payscand/internal/counter"
)

// The gateways of a counter with both vendors, and how their wallets' codes begin.
const (
	alphaPay   = counter.GatewayAlphaPay
	alipayPlus = counter.GatewayAlipayPlus

	weChat   = "13"
	plusCode = "28"
	unionPay = "620" // its codes are a digit longer
)

// Alipay+'s calls.
const (
	plusPay     = "/aps/api/v1/payments/pay"
	plusInquiry = "/aps/api/v1/payments/inquiryPayment"
	plusCancel  = "/aps/api/v1/payments/cancelPayment"
	plusRefund  = "/aps/api/v1/payments/refund"
)

// withBothGateways is a counter with accounts at AlphaPay and Alipay+.
func withBothGateways(o *counter.Options) { o.AlipayPlus = true }

// withNotifications takes what both gateways send unasked. What was not acknowledged comes again when the vendors say, which
// no test waits for.
func withNotifications(o *counter.Options) {
	o.AlipayPlus, o.Notify = true, true
	o.SandboxArgs = append(o.SandboxArgs, "--notify-speed", "1")
}

// expectAt fails unless a sale was paid once, with its last attempt, at a gateway.
func (s *shop) expectAt(gateway string, sale client.Sale) {
	s.t.Helper()
	last := sale.Attempts[len(sale.Attempts)-1]
	order := s.expectCaptures(last.RequestID, 1)
	if last.Gateway != gateway || order.Gateway != gateway || order.Amount != sale.Amount || order.PaymentID != sale.Receipt.PaymentID {
		s.t.Errorf("the sale is to be paid at %s: attempt %+v, order %+v", gateway, last, order)
	}
}

// giveBack refunds an amount of a sale, or with 0 all that is left, and waits until the gateway has done it.
func (s *shop) giveBack(sale client.Sale, key string, amount int64) {
	s.t.Helper()
	refund, _, err := s.Register.Refund(s.ctx, sale.ID, key, client.NewRefund{Amount: amount})
	s.must(err)
	s.awaitRefund(refund)
}

func (s *shop) awaitRefund(refund client.SaleRefund) {
	s.t.Helper()
	for !refund.Final() {
		var err error
		refund, err = s.Register.WaitRefund(s.ctx, refund.Sale, refund.N, refund.Version, 20*time.Second)
		s.must(err)
	}
	if refund.Status != client.RefundSucceeded {
		s.t.Errorf("refund %d is %s: %+v", refund.N, refund.Status, refund.Reason)
	}
}

// expectGivenBack fails unless gateway and terminal agree on what was given back of a sale.
func (s *shop) expectGivenBack(sale client.Sale, amount int64) counter.Order {
	s.t.Helper()
	order, err := s.Order(sale.Attempts[len(sale.Attempts)-1].RequestID)
	s.must(err)
	if here := s.get(sale.ID).RefundedAmount; order.Refunded != amount || here != amount {
		s.t.Errorf("given back at the gateway %d, here %d, want %d", order.Refunded, here, amount)
	}
	return order
}

// offerQR makes a sale with a QR and waits until a customer can scan it.
func (s *shop) offerQR(key string, amount int64) client.Sale {
	s.t.Helper()
	sale, _ := s.create(key, client.NewSale{Amount: amount, Currency: "CAD", Mode: client.ModeQR})
	return s.await(sale.ID, "showing its QR", func(sale client.Sale) bool {
		return sale.Status == client.StatusShowingQR && sale.Attempts[0].QR != nil
	})
}

// payQR is a customer who scans the QR and presses Pay.
func (s *shop) payQR(sale client.Sale) client.Sale {
	s.t.Helper()
	page, err := s.PayPage(sale.Attempts[0].RequestID)
	s.must(err)
	if page != sale.Attempts[0].QR.Payload {
		s.t.Errorf("the QR leads to %s, the order's page is %s", sale.Attempts[0].QR.Payload, page)
	}
	s.must(s.Pay(page))
	return s.awaitStatus(sale.ID, client.StatusPaid)
}

// routeQR is the shop's IT who have the QR codes made by another gateway.
func (s *shop) routeQR(gateway string) {
	s.t.Helper()
	s.must(s.StopDaemon())
	s.must(s.RouteQR(gateway))
	s.must(s.StartDaemon(s.ctx))
	s.must(s.AwaitReady(s.ctx))
}

// TestTwoGatewayDay: at a counter with both vendors each wallet's code goes where its route says, and so does the QR, whichever
// gateway makes it; a sale that one gateway declined is paid at the other; and money goes back, in part and whole, to where
// it came from. What each gateway kept of each sale is, to the cent, what the terminal says.
func TestTwoGatewayDay(t *testing.T) {
	t.Parallel()
	s := openShop(t, withBothGateways)
	var sales []client.Sale
	for n, c := range []struct{ prefix, gateway, wallet string }{
		{weChat, alphaPay, "wechat"}, {plusCode, alipayPlus, "alipayplus"}, {unionPay, alphaPay, "unionpay"},
	} {
		sale := s.pay(s.sell(int64(1000+n)), s.codeOf(c.prefix, pendingThenPaid))
		s.expectAt(c.gateway, sale)
		if sale.Receipt.Wallet != c.wallet {
			t.Errorf("the receipt says %s, the customer paid with %s", sale.Receipt.Wallet, c.wallet)
		}
		sales = append(sales, sale)
	}

	declined := s.sell(1100)
	s.scan(s.codeOf(plusCode, noBalance))
	declined = s.awaitFailure(declined.ID, "insufficient_funds")
	s.expectCaptures(declined.Attempts[0].RequestID, 0)
	declined = s.pay(declined, s.codeOf(weChat, paidAtOnce))
	if len(declined.Attempts) != 2 || declined.Attempts[0].Gateway != alipayPlus {
		t.Errorf("declined at Alipay+, then paid at AlphaPay: %+v", declined.Attempts)
	}
	s.expectAt(alphaPay, declined)

	for _, gateway := range []string{alphaPay, alipayPlus} {
		if gateway != alphaPay {
			s.routeQR(gateway)
		}
		qr := s.payQR(s.offerQR("qr at "+gateway, 1200))
		s.expectAt(gateway, qr)
		sales = append(sales, qr)
	}
	for n, sale := range sales {
		s.giveBack(sale, "part of "+sale.ID, 300)
		s.expectGivenBack(sale, 300)
		if n != 2 { // one stays refunded in part
			s.giveBack(sale, "rest of "+sale.ID, 0)
			s.expectGivenBack(sale, sale.Amount)
		}
	}
	s.giveBack(declined, "all of "+declined.ID, 0)
	s.expectGivenBack(declined, declined.Amount)
	again := s.pay(s.sell(1300), s.codeOf(plusCode, paidAtOnce))
	s.giveBack(again, "all of "+again.ID, 0)
	s.expectGivenBack(again, again.Amount)
}

// TestAlipayPlusAnswerLost: a payment at Alipay+ whose answer is lost is found under its own request id, and the money
// taken once; a refund whose answer is lost is asked for by the same request again, and the money given back once (M13).
func TestAlipayPlusAnswerLost(t *testing.T) {
	t.Parallel()
	s := openShop(t, withBothGateways)
	sale := s.pay(s.sell(1400), s.codeOf(plusCode, answerLost))
	s.expectAt(alipayPlus, sale)
	orders, err := s.Orders()
	if s.must(err); len(orders) != 1 || len(sale.Attempts) != 1 {
		t.Errorf("one payment became the orders %+v, the attempts %+v", orders, sale.Attempts)
	}

	const refundLost = "41"
	sale = s.pay(s.sell(1500), s.codeOf(plusCode, refundLost))
	s.giveBack(sale, "refund-1", 600)
	if order := s.expectGivenBack(sale, 600); order.RefundSends < 2 {
		t.Errorf("the refund, whose answer was lost, was sent %d times", order.RefundSends)
	}
}

// TestAlipayPlusKilled: killed in the middle of a payment or a refund at Alipay+, the daemon finds after its start what
// became of it: the money taken once, and given back once (P1, P5, M13).
func TestAlipayPlusKilled(t *testing.T) {
	t.Parallel()
	s := openShop(t, withBothGateways)
	delayed := func(path string) {
		t.Helper()
		s.must(s.Faults(`{"faults": [{"path": "` + path + `", "kind": "delay", "delay_ms": 60000, "times": 1}]}`))
	}
	killed := func() {
		t.Helper()
		s.KillDaemon()
		s.must(s.StartDaemon(s.ctx))
	}
	sale := s.sell(1600)
	delayed(plusPay)
	s.scan(s.codeOf(plusCode, paidAtOnce))
	s.order(sale.ID+"-1", func(o counter.Order) bool { return o.Captures == 1 })
	killed()
	sale = s.awaitStatus(sale.ID, client.StatusPaid)
	if len(sale.Attempts) != 1 {
		t.Errorf("%d attempts, want 1", len(sale.Attempts))
	}
	s.expectAt(alipayPlus, sale)

	delayed(plusRefund)
	refund, _, err := s.Register.Refund(s.ctx, sale.ID, "refund-1", client.NewRefund{Amount: 700})
	s.must(err)
	s.order(sale.ID+"-1", func(o counter.Order) bool { return o.Refunded == 700 })
	killed()
	again, replayed, err := s.Register.Refund(s.ctx, sale.ID, "refund-1", client.NewRefund{Amount: 700})
	if s.must(err); !replayed || again.N != refund.N {
		t.Errorf("the same key began refund %d after %d", again.N, refund.N)
	}
	s.awaitRefund(again)
	s.expectGivenBack(sale, 700)
}

// TestM5CancelGivesAlipayPlusMoneyBack: a customer who pays after the cancel was sent and before Alipay+ has it is given the
// money back by that cancel. Nobody is told that the sale was paid, whatever Alipay+ notifies meanwhile.
func TestM5CancelGivesAlipayPlusMoneyBack(t *testing.T) {
	t.Parallel()
	s := openShop(t, withNotifications)
	sale := s.sell(1700)
	s.scan(s.codeOf(plusCode, neverConfirmed))
	s.awaitAttempt(sale.ID, "pending")
	s.drop(plusCancel)
	s.cancel(sale.ID)
	s.eventually("the cancel is lost on its way", func() bool { return s.dropped(plusCancel) > 0 })
	s.confirm(sale.ID + "-1")
	s.order(sale.ID+"-1", notified)
	if now := s.get(sale.ID); now.Status == client.StatusPaid || now.Attempts[0].Status == "paid" {
		t.Errorf("after the cancel was sent the sale is %s: %+v", now.Status, now.Attempts)
	}
	s.must(s.ClearFaults())
	s.awaitStatus(sale.ID, client.StatusCancelled)
	if order := s.expectCaptures(sale.ID+"-1", 1); order.Status != "reversed" {
		t.Errorf("the order is %s: the money is not back", order.Status)
	}
}

// TestM14OneGatewayDown: while Alipay+ answers nothing, AlphaPay's customers pay as ever; a code of Alipay+ is not sent, the
// customer is told at once and pays with another wallet in the same sale; what only Alipay+ could do is refused with its
// name; and when it answers again everything goes on by itself.
func TestM14OneGatewayDown(t *testing.T) {
	t.Parallel()
	s := openShop(t, withBothGateways)
	earlier := s.pay(s.sell(1800), s.codeOf(plusCode, paidAtOnce))
	s.routeQR(alipayPlus)
	armed := s.sell(1900)
	s.drop(plusPay, plusInquiry, plusCancel, plusRefund)
	if down := s.awaitGatewayNamed(alipayPlus, "down"); down.LastReason == nil || down.LastReason.Message == "" {
		t.Errorf("it is not said what is wrong with Alipay+: %+v", down)
	}
	s.awaitGatewayNamed(alphaPay, "up")
	s.expectAt(alphaPay, s.pay(armed, s.codeOf(weChat, paidAtOnce)))

	sale := s.sell(2000)
	s.scan(s.codeOf(plusCode, paidAtOnce))
	s.awaitFailure(sale.ID, "gateway_unreachable")
	sale = s.pay(sale, s.codeOf(unionPay, paidAtOnce))
	if len(sale.Attempts) != 2 || sale.Attempts[0].Gateway != alipayPlus {
		t.Errorf("not sent to Alipay+, then paid at AlphaPay: %+v", sale.Attempts)
	}
	s.expectAt(alphaPay, sale)
	if n := s.dropped(plusPay); n != 0 {
		t.Errorf("%d payments were sent to a gateway that is down", n)
	}

	qr := client.NewSale{Amount: 2100, Currency: "CAD", Mode: client.ModeQR}
	refused := s.call(http.MethodPost, "/v1/sales", qr, withKey("qr")).refused(http.StatusServiceUnavailable, client.CodeGatewayDown)
	if refused.Gateway != alipayPlus || !slices.Equal(refused.Offers, []string{"code"}) {
		t.Errorf("which gateway is down, and what would still work? %+v", refused)
	}
	back := client.NewRefund{Amount: 500}
	refused = s.call(http.MethodPost, "/v1/sales/"+earlier.ID+"/refunds", back, withKey("refund")).
		refused(http.StatusServiceUnavailable, client.CodeGatewayDown)
	if refused.Gateway != alipayPlus {
		t.Errorf("which gateway is down? %+v", refused)
	}

	s.must(s.ClearFaults())
	s.awaitGatewayNamed(alipayPlus, "up")
	s.expectAt(alipayPlus, s.payQR(s.offerQR("qr", 2100)))
	s.expectAt(alipayPlus, s.pay(s.sell(2200), s.codeOf(plusCode, paidAtOnce)))
	s.giveBack(earlier, "refund", 500)
	s.expectGivenBack(earlier, 500)
}
