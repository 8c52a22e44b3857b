package test

import (
	"testing"

	"payscand/api/client"
	"payscand/payment"
)

// TestScannedSalePaid: a scanned code pays a sale. What the API answers is the gateway's truth: one order of one request,
// money taken once, the amount asked for.
func TestScannedSalePaid(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, behaviour string }{
		{"at once", paidAtOnce}, {"after the customer confirmed", pendingThenPaid},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := openShop(t)
			sale := s.sell(1234)
			if sale.Status != client.StatusAwaitingCode || len(sale.Attempts) != 0 || sale.Amount != 1234 || sale.Currency != "CAD" {
				t.Errorf("a new sale: %+v", sale)
			}
			sale = s.pay(sale, s.code(c.behaviour))
			if len(sale.Attempts) != 1 || sale.Receipt == nil || sale.Receipt.PaidAmount != 1234 || sale.Late {
				t.Fatalf("the paid sale: %+v, receipt %+v", sale, sale.Receipt)
			}
			order := s.expectCaptures(sale.Attempts[0].RequestID, 1)
			if order.Sends != 1 || order.Status != "paid" || order.PaymentID != sale.Receipt.PaymentID || order.PaymentID == "" {
				t.Errorf("the gateway's order: %+v, the receipt: %+v", order, sale.Receipt)
			}
			if live := s.terminal().Live; live != nil {
				t.Errorf("the terminal is not free: %+v", live)
			}
		})
	}
}

// TestInsufficientFunds: the cashier and the customer are told why the wallet refused, with the gateway's own code; nothing
// was charged, and the sale goes on with another code.
func TestInsufficientFunds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, behaviour, code string }{
		{"with an order to ask about", noBalance, "INSUFFICIENT_BALANCE"},
		{"without an order", noBalanceNoID, "USER_BALANCE_NOT_ENOUGH"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := openShop(t)
			sale := s.sell(1300)
			s.scan(s.code(c.behaviour))
			sale = s.awaitFailure(sale.ID, "insufficient_funds")
			if sale.LastFailure.GatewayCode != c.code || sale.Attempts[0].GatewayCode != c.code {
				t.Errorf("the gateway's code was %s: %+v, %+v", c.code, sale.LastFailure, sale.Attempts[0])
			}
			s.expectCaptures(sale.Attempts[0].RequestID, 0)
			s.pay(sale, s.code(paidAtOnce))
		})
	}
}

// TestScannerReplugged: a scanner that is unplugged and plugged in between two sales pays both. Its port has another
// number then, as a real one's does.
func TestScannerReplugged(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	s.pay(s.sell(1100), s.code(paidAtOnce))

	s.must(s.Scanner.Unplug())
	if missing := s.awaitScanner("missing"); missing.Detail == "" {
		t.Errorf("it is not said what to do: %+v", missing)
	}
	s.must(s.Scanner.Plug())
	if again := s.awaitScanner("ready"); again.Counters.Reconnects != 1 {
		t.Errorf("one reconnect is not counted as one: %+v", again.Counters)
	}

	s.pay(s.sell(2200), s.code(paidAtOnce))
}

// TestM9ScannerLostShowsTheQR: a scanner that is unplugged while a sale in auto mode waits for a code moves the sale to
// the QR, long before its scan window is over; scanned with the scanner back, the next sale is paid.
func TestM9ScannerLostShowsTheQR(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	sale, _ := s.create("auto-lost", client.NewSale{Amount: 1500, Currency: "CAD", Mode: client.ModeAuto})
	s.must(s.Scanner.Unplug())
	sale = s.await(sale.ID, "showing its QR", func(sale client.Sale) bool {
		return sale.Status == client.StatusShowingQR && sale.Attempts[0].QR != nil
	})
	if waited := sale.Attempts[0].SubmittedAt.Sub(sale.CreatedAt); waited >= payment.DefaultPolicy().ScanWindow {
		t.Errorf("the QR was asked for after %v: the scan window, not the lost scanner, brought it", waited)
	}
	s.cancel(sale.ID)
	s.awaitStatus(sale.ID, client.StatusCancelled)
	s.must(s.Scanner.Plug())
	s.awaitScanner("ready")
	s.pay(s.sell(2200), s.code(paidAtOnce))
}

// TestJournalFoldsToTheSales: whatever became of them, folding the journal gives the sales as the API showed them. The
// audit does the folding, for every test; here are the ends that sales can come to.
func TestJournalFoldsToTheSales(t *testing.T) {
	t.Parallel()
	s := openShop(t)

	failed := s.sell(1000) // fails, then is paid
	s.scan(s.code(noBalanceNoID))
	s.awaitFailure(failed.ID, "insufficient_funds")
	paid := s.pay(failed, s.code(pendingThenPaid))
	if len(paid.Attempts) != 2 || paid.LastFailure != nil {
		t.Errorf("the sale was paid with its second attempt: %+v", paid)
	}

	unused := s.sell(2000) // cancelled before any code
	s.cancel(unused.ID)
	s.awaitStatus(unused.ID, client.StatusCancelled)

	waiting := s.sell(3000) // cancelled while the customer is asked
	s.scan(s.code(neverConfirmed))
	s.awaitAttempt(waiting.ID, "pending")
	s.cancel(waiting.ID)
	s.awaitStatus(waiting.ID, client.StatusCancelled)

	qr, _ := s.create("qr-1", client.NewSale{Amount: 4000, Currency: "CAD", Mode: client.ModeQR, Reference: "till-1/4", Description: "Café"})
	qr = s.await(qr.ID, "showing its QR", func(sale client.Sale) bool {
		return sale.Status == client.StatusShowingQR && sale.Attempts[0].QR != nil
	})
	s.cancel(qr.ID)
	if qr = s.awaitStatus(qr.ID, client.StatusCancelled); qr.Attempts[0].QR != nil {
		t.Error("the QR of a cancelled sale is still told")
	}

	s.must(s.StopDaemon())
	if r := s.records(); len(r.sales) != 4 || len(s.shown) != 4 {
		t.Errorf("4 sales were made, %d are stored and %d were shown", len(r.sales), len(s.shown))
	}
}
