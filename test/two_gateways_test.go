package test

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"testing"
	"time"

	"payscand/api/client"
)

// plusSection configures Alipay+ beside AlphaPay: Alipay+ codes and the QR go there, WeChat's codes stay at AlphaPay.
func plusSection(gateway, notify string) string {
	return fmt.Sprintf(`
[gateway.alipayplus]
base_url = %q
client_id = "PRACTICE_CLIENT1"
private_key_file = "keys/alipayplus_client_private.pem"
platform_key_file = "keys/alipayplus_platform_public.pem"
notify_url = "http://%s/notify/alipayplus"
[gateway.alipayplus.merchant]
reference_id = "M0001"
name = "Maple & Rye"
mcc = "5411"
region = "CA"
[gateway.alipayplus.store]
reference_id = "S0001"
name = "Maple & Rye, Main Street"
mcc = "5411"
[notify]
listen = %q
[[route]]
wallet = "alipayplus"
instrument = "code"
gateway = "alipayplus"
[[route]]
instrument = "qr"
gateway = "alipayplus"
[[route]]
gateway = "alphapay"
`, gateway, notify, notify)
}

// TestTwoGateways: a day with both gateways. Each wallet's code goes where its route says, a failed code's sale goes on at
// the other gateway, the QR is Alipay+'s, each takes its refunds, and a cancel at Alipay+ gives nothing away.
func TestTwoGateways(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	s.reconfigure(plusSection(s.Gateway, ownHost()+":8482"))
	s.awaitTerminal(func(now client.Terminal) bool {
		for _, g := range now.Gateways {
			if g.State != "up" {
				return false
			}
		}
		return len(now.Gateways) == 2
	})
	wechat := s.secret("10" + s.code(paidAtOnce)[2:])
	at := func(sale client.Sale, n int, gateway string) {
		t.Helper()
		if got := sale.Attempts[n-1].Gateway; got != gateway {
			t.Errorf("attempt %d is at %s, want %s", n, got, gateway)
		}
	}

	sale := s.pay(s.sell(1000), wechat)
	at(sale, 1, "alphapay")
	refunds := []client.Sale{sale}

	sale = s.sell(1100)
	s.scan("10" + s.code(noBalance)[2:]) // WeChat declines, Alipay+ pays
	s.awaitFailure(sale.ID, "insufficient_funds")
	sale = s.pay(sale, s.code(pendingThenPaid))
	at(sale, 1, "alphapay")
	at(sale, 2, "alipayplus")
	refunds = append(refunds, sale)

	sale = s.sell(1200)
	s.scan(s.code(answerLost))
	sale = s.awaitStatus(sale.ID, client.StatusPaid)
	at(sale, 1, "alipayplus")

	sale, _ = s.create(rand.Text(), client.NewSale{Amount: 1300, Currency: "CAD", Mode: client.ModeQR})
	sale = s.await(sale.ID, "a QR", func(now client.Sale) bool { return len(now.Attempts) > 0 && now.Attempts[0].QR != nil })
	s.must(s.Pay(sale.Attempts[0].QR.Payload))
	sale = s.awaitStatus(sale.ID, client.StatusPaid)
	at(sale, 1, "alipayplus")
	refunds = append(refunds, sale)

	sale = s.sell(1400)
	s.scan(s.code(neverConfirmed))
	s.awaitAttempt(sale.ID, "pending")
	s.cancel(sale.ID)
	sale = s.awaitStatus(sale.ID, client.StatusCancelled)
	at(sale, 1, "alipayplus")

	for _, sold := range refunds {
		refund, _, err := s.Register.Refund(s.ctx, sold.ID, "refund-"+sold.ID, client.NewRefund{Amount: 400})
		s.must(err)
		for !refund.Final() {
			refund, err = s.Register.WaitRefund(s.ctx, sold.ID, refund.N, refund.Version, 20*time.Second)
			s.must(err)
		}
		paid := sold.Attempts[len(sold.Attempts)-1]
		order, err := s.Order(paid.RequestID)
		s.must(err)
		if refund.Status != client.RefundSucceeded || order.Refunded != 400 || order.Captures != 1 {
			t.Errorf("the refund at %s is %s, and the gateway has %+v", paid.Gateway, refund.Status, order)
		}
	}
}

// TestNotificationListener: what nobody signed is turned away without a word, on a listener that has no other door.
func TestNotificationListener(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	notify := ownHost() + ":8482"
	s.reconfigure(plusSection(s.Gateway, notify))
	for path, status := range map[string]int{
		"/notify/alipayplus": http.StatusUnauthorized, "/notify/alphapay": http.StatusUnauthorized,
		"/notify/paypal": http.StatusNotFound, "/v1/terminal": http.StatusNotFound,
	} {
		response, err := http.Post("http://"+notify+path, "application/json", http.NoBody)
		s.must(err)
		s.must(response.Body.Close())
		if response.StatusCode != status {
			t.Errorf("%s: status %d, want %d", path, response.StatusCode, status)
		}
	}
}
