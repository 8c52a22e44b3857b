package alphapay

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"payscand/payment"
	"payscand/payment/exchange/exchangetest"
)

// All pages of a day are read; a list that is not whole, refused or not readable
// is an error and no half of a day.
func TestTransactions(t *testing.T) {
	day := time.Date(2025, 6, 4, 3, 0, 0, 0, time.UTC) // June 3 in UTC-8
	l := &list{days: map[string][]string{}}
	_, g := newFake(t, l.reply)
	l.days["20250603"] = append(others(250),
		row(testRefundReq, testRefundID, "Debit", "500", "2025-06-03T16:05:24-08:00"))
	got, err := g.Transactions(context.Background(), day)
	if err != nil || len(got) != 251 {
		t.Fatalf("%d rows, %v", len(got), err)
	}
	want := payment.Transaction{
		RequestID: testRefundReq, ID: testRefundID, Refund: true, Amount: testRefunded, Wallet: payment.WalletWeChat,
		CreatedAt: time.Date(2025, 6, 4, 0, 5, 24, 0, time.UTC), At: time.Date(2025, 6, 4, 0, 5, 24, 0, time.UTC),
	}
	if got[250] != want {
		t.Errorf("got %+v, want %+v", got[250], want)
	}
	if pages := strings.Join(l.asked, " "); pages != "20250603/1 20250603/2 20250603/3" {
		t.Errorf("asked for %s", pages)
	}
	if none, err := g.Transactions(context.Background(), day.AddDate(0, 0, 5)); err != nil || len(none) != 0 {
		t.Errorf("a day without sales: %v, %v", none, err)
	}
	for name, spoil := range map[string]func(){
		"more than it says":    func() { l.total = func(int, int) int { return 250 } },
		"fewer than it says":   func() { l.total = func(int, int) int { return 252 } },
		"changed meanwhile":    func() { l.total = func(page, n int) int { return n + page } },
		"no total":             func() { l.answer = func(int) string { return exchangetest.With("S", "SUCCESS", `"transactions":[]`) } },
		"refused":              func() { l.answer = func(int) string { return exchangetest.Result("F", "INVALID_SIGN") } },
		"unknown":              func() { l.answer = func(int) string { return exchangetest.Result("U", "SYSTEMERROR") } },
		"not JSON":             func() { l.answer = func(int) string { return "<html>" } },
		"a row without amount": func() { l.days["20250603"] = []string{row("R", "T", "Credit", "1.5", "")} },
		"a row of no kind":     func() { l.days["20250603"] = []string{row("R", "T", "credit", "15", "")} },
		"a row without an id":  func() { l.days["20250603"] = []string{row("R", "", "Credit", "15", "")} },
	} {
		l.total, l.answer = nil, nil
		spoil()
		if rows, err := g.Transactions(context.Background(), day); err == nil || rows != nil || !strings.Contains(err.Error(), "20250603") {
			t.Errorf("%s: %d rows, %v", name, len(rows), err)
		}
	}
}

// A day's payouts are read, whole or not at all.
func TestSettlements(t *testing.T) {
	info := func(net string) string {
		return fmt.Sprintf(`{"settleInfo":{"settleNo":"S1","creditNum":"3","debitNum":1,"creditAmount":"3000","debitAmount":"3500",`+
			`"netAmount":%q,"serviceFee":"45","settleAmount":"-545"},"bankInfo":{"accountNo":"1"}}`, net)
	}
	var answer string
	f, g := newFake(t, func(string, map[string]any) string { return answer })
	answer = exchangetest.With("S", "SUCCESS", `"settlements":[`+info("-500")+`]`)
	got, err := g.Settlements(context.Background(), time.Date(2025, 6, 4, 3, 0, 0, 0, time.UTC))
	want := payment.Settlement{Number: "S1", Captures: 3, Refunds: 1, Captured: 3000, Refunded: 3500, Net: -500, Fee: 45, Paid: -545}
	if err != nil || len(got) != 1 || got[0] != want {
		t.Errorf("got %+v, %v", got, err)
	}
	sent := f.calls()[0]
	if sent.path != settlementsPath || string(sent.body) != `{"date":"20250603"}` {
		t.Errorf("sent %s to %s", sent.body, sent.path)
	}
	for _, answer = range []string{
		exchangetest.With("S", "SUCCESS", `"settlements":[`+info("1.5")+`]`), exchangetest.With("S", "SUCCESS", `"settlements":[{}]`),
		exchangetest.Result("F", "PARAM_INVALID"), exchangetest.Result("U", "SYSTEMERROR"), "",
	} {
		if got, err := g.Settlements(context.Background(), time.Now()); err == nil {
			t.Errorf("%s: got %+v", answer, got)
		}
	}
	answer = exchangetest.With("S", "SUCCESS", `"settlements":[]`)
	if got, err := g.Settlements(context.Background(), time.Now()); err != nil || len(got) != 0 {
		t.Errorf("a day without payouts: %+v, %v", got, err)
	}
}
