package test

import (
	"net/http"
	"testing"

	"payscand/api/client"
	"payscand/internal/counter"
)

// notified reports whether the shop acknowledged the order's last notification.
func notified(o counter.Order) bool {
	n := len(o.Notifications)
	return n > 0 && !o.Notifications[n-1].AcknowledgedAt.IsZero()
}

// alphaInquiry is AlphaPay's call that asks about an order.
const alphaInquiry = "/api/v2.0/payments/inquiryPayment"

// TestNotificationBringsTheVerdict: while no question of the daemon is answered, a gateway's own word that the customer paid
// ends the sale, and is acknowledged. Words that are damaged, of another amount or of nobody end nothing (P4).
func TestNotificationBringsTheVerdict(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		gateway, inquiry string
		atOnce           int // tries of a notification that nobody takes, before the vendor waits
		// pending makes a sale that only its customer can end.
		pending func(s *shop, key string) client.Sale
	}{
		{alphaPay, alphaInquiry, 3, func(s *shop, _ string) client.Sale {
			sale := s.sell(2300)
			s.scan(s.codeOf(weChat, neverConfirmed))
			s.awaitAttempt(sale.ID, "pending")
			return sale
		}},
		{alipayPlus, plusInquiry, 1, func(s *shop, key string) client.Sale { return s.offerQR(key, 2400) }},
	} {
		t.Run(c.gateway, func(t *testing.T) {
			t.Parallel()
			s := openShop(t, withNotifications)
			if c.gateway != alphaPay {
				s.routeQR(c.gateway)
			}
			sale := c.pending(s, "told")
			s.drop(c.inquiry)
			s.confirm(sale.ID + "-1")
			s.expectAt(c.gateway, s.awaitStatus(sale.ID, client.StatusPaid))
			s.order(sale.ID+"-1", notified)
			s.must(s.ClearFaults())
			s.awaitGatewayNamed(c.gateway, "up")

			sale = c.pending(s, "untold") // the customer pays while the daemon is down
			s.KillDaemon()
			s.drop(c.inquiry)
			s.confirm(sale.ID + "-1")
			s.order(sale.ID+"-1", func(o counter.Order) bool { return len(o.Notifications) == 1 && o.Notifications[0].Tries == c.atOnce })
			s.must(s.StartDaemon(s.ctx))
			s.forge(sale, c.gateway)
			s.must(s.Ledger.Notify(sale.ID+"-1", ""))
			s.expectAt(c.gateway, s.awaitStatus(sale.ID, client.StatusPaid))
			s.order(sale.ID+"-1", notified)
			t.Logf("%d questions were not answered", s.dropped(c.inquiry))
			s.must(s.ClearFaults())
		})
	}
}

// forge sends notifications that nobody may believe, of an order that is paid and whose sale does not know it yet.
func (s *shop) forge(sale client.Sale, gateway string) {
	s.t.Helper()
	unmoved := func(by string) {
		s.t.Helper()
		if now := s.get(sale.ID); now.Final() || now.Receipt != nil || now.Attempts[0].Status == "paid" {
			s.t.Errorf("by a notification that is %s the sale became %s: %+v", by, now.Status, now.Attempts)
		}
	}
	for _, damage := range []string{"malformed", "duplicate_names", "wrong_signature", "unsigned", "wrong_amount"} {
		s.must(s.Ledger.Notify(sale.ID+"-1", damage))
		unmoved(damage)
	}
	body := []byte(`{"result":{"resultStatus":"S","resultCode":"SUCCESS"},"paymentResult":{"resultStatus":"S","resultCode":"SUCCESS"},` +
		`"paymentStatus":"SUCCESS","paymentRequestId":"` + sale.ID + `-1"}`)
	s.callOver(s.tcp, s.Counter.Notify+"/notify/"+gateway, http.MethodPost, body).expect(http.StatusUnauthorized)
	unmoved("a stranger's")
	s.callOver(s.tcp, s.Counter.Notify+"/notify/nobody", http.MethodPost, body).expect(http.StatusNotFound)
}
