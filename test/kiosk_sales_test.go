package test

import (
	"testing"

	"payscand/api/client"
	"payscand/internal/browser"
)

func testScannedSaleOnThePage(t *testing.T, b *browser.Browser) {
	s := openShop(t)
	c := s.customer(b)
	sale := s.sell(123450)
	if seen := c.sees("amount"); seen.Amount != "$1,234.50" {
		t.Errorf("the amount is %q", seen.Amount)
	}
	s.scan(s.code(neverConfirmed))
	c.sees("processing")
	s.awaitAttempt(sale.ID, "pending")
	s.confirm(sale.ID + "-1")
	c.sees("approved")
	s.awaitStatus(sale.ID, client.StatusPaid)
	c.sees("idle")
	c.expect("idle amount processing approved idle")
}

// The customer follows the QR to the wallet's page and pays there.
func testQRSaleOnThePage(t *testing.T, b *browser.Browser) {
	s := openShop(t)
	c := s.customer(b)
	sale, seen := s.sellQR(c, 1650)
	if seen.Amount != "$16.50" {
		t.Errorf("the amount is %q", seen.Amount)
	}
	wallet := openPage(s.ctx, t, b, c.readQR(sale.ID), browser.Size{Width: 390, Height: 844})
	s.must(wallet.Click(s.ctx, "button.pay"))
	c.sees("approved")
	c.expectQRGone(seen)
	s.awaitStatus(sale.ID, client.StatusPaid)
	s.expectCaptures(sale.ID+"-1", 1)
	c.expect("idle (wait )?qr approved")
	if problems := wallet.Problems(); len(problems) > 0 {
		t.Errorf("the wallet's page did what it should not: %+v", problems)
	}
}

func testAutomaticQROnThePage(t *testing.T, b *browser.Browser) {
	s := openShop(t)
	s.reconfigure("[policy]\nscan_window = \"1s\"\n")
	c := s.customer(b)
	sale := s.sellAuto(c, 700)
	c.sees("qr")
	s.must(s.Pay(c.readQR(sale.ID)))
	c.sees("approved")
	s.awaitStatus(sale.ID, client.StatusPaid)
	c.expect("idle amount (wait )?qr approved")
}

// Each way to be declined says its reason, and for a while only: then the customer is asked for a code again.
func testDeclinedSaleOnThePage(t *testing.T, b *browser.Browser) {
	s := openShop(t)
	c := s.customer(b)
	sale := s.sellAuto(c, 2500)
	s.showQR(sale)
	seen := c.sees("qr")
	s.must(s.Decline(c.readQR(sale.ID)))
	inTheWallet := c.sees("declined")
	c.expectQRGone(seen)
	c.sees("amount")

	s.scan(s.code(noBalanceNoID))
	noMoney := c.sees("declined")
	for _, seen := range []browser.Seen{inTheWallet, noMoney} {
		if seen.Hints[0] == "" || seen.Amount != "$25.00" {
			t.Errorf("declined without a reason or amount: %+v", seen)
		}
	}
	if inTheWallet.Hints[0] == noMoney.Hints[0] {
		t.Errorf("two reasons have the same words: %q", noMoney.Hints[0])
	}
	s.cancel(sale.ID)
	c.sees("cancelled")
	s.awaitStatus(sale.ID, client.StatusCancelled)
	c.expect("idle amount (wait )?qr declined amount (processing )?declined cancelled")
}

// A sale can be cancelled while it waits for a code, and while its QR is shown: the QR is gone at once.
func testCancelledSaleOnThePage(t *testing.T, b *browser.Browser) {
	s := openShop(t)
	c := s.customer(b)
	scanned := s.sellAuto(c, 300)
	s.cancel(scanned.ID)
	c.sees("cancelled")
	c.sees("idle")

	qr, seen := s.sellQR(c, 400)
	s.cancel(qr.ID)
	c.sees("cancelled")
	c.expectQRGone(seen)
	s.awaitStatus(qr.ID, client.StatusCancelled)
	c.sees("idle")
	c.expect("idle amount cancelled idle (wait )?qr (wait )?cancelled idle")
}

// A scan while the QR is shown takes its place, and its order is closed before anything is asked of the scanned wallet.
func testSwitchedSaleOnThePage(t *testing.T, b *browser.Browser) {
	s := openShop(t)
	c := s.customer(b)
	sale := s.sellAuto(c, 900)
	s.showQR(sale)
	seen := c.sees("qr")
	c.readQR(sale.ID)
	s.scan(s.code(neverConfirmed))
	c.sees("processing")
	c.expectQRGone(seen)
	s.awaitAttempt(sale.ID, "pending")
	if order, err := s.Order(sale.ID + "-1"); err != nil || order.Status != "closed" {
		t.Errorf("the QR's order is %+v, %v", order, err)
	}
	s.confirm(sale.ID + "-2")
	c.sees("approved")
	s.awaitStatus(sale.ID, client.StatusPaid)
	s.expectCaptures(sale.ID+"-1", 0)
	s.expectCaptures(sale.ID+"-2", 1)
	c.expect("idle amount (wait )?qr (wait )?processing approved")
}

// A QR whose time is over leaves the page, and its sale ends.
func testExpiredQROnThePage(t *testing.T, b *browser.Browser) {
	s := openShop(t)
	s.reconfigure("[policy]\nscan_window = \"1s\"\nsale_deadline = \"10s\"\n")
	c := s.customer(b)
	sale, seen := s.sellQR(c, 500)
	c.readQR(sale.ID)
	c.sees("declined")
	c.expectQRGone(seen)
	s.awaitStatus(sale.ID, client.StatusExpired)
	c.expect("idle (wait )?qr (wait )?declined")
}

// A terminal that can take no payment says so before anybody tries.
func testOutOfOrderOnThePage(t *testing.T, b *browser.Browser) {
	s := openShop(t)
	c := s.customer(b)
	sale := s.sellAuto(c, 600)
	s.must(s.StopGateway())
	s.awaitGateway("down")
	s.cancel(sale.ID)
	c.sees("cancelled")
	c.sees("out_of_order")
	s.restartGateway()
	c.sees("idle")
	c.expect("idle amount cancelled out_of_order idle")
}
