package sandbox

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// For every behaviour of the table, at Alipay+: what the first send is told, what
// is true then, what the same request is told again (it is processed once), and
// what is true after the pending delay.
func TestAlipayPlusBehaviours(t *testing.T) {
	tests := map[string]struct {
		first      string
		firstError error
		truth      Status
		second     string
		later      Status
	}{
		"00": {"S SUCCESS", nil, StatusPaid, "S SUCCESS", StatusPaid},
		"01": {"U PAYMENT_IN_PROCESS", nil, StatusPending, "U PAYMENT_IN_PROCESS", StatusPaid},
		"02": {"U PAYMENT_IN_PROCESS", nil, StatusPending, "U PAYMENT_IN_PROCESS", StatusFailed},
		"03": {"U PAYMENT_IN_PROCESS", nil, StatusPending, "U PAYMENT_IN_PROCESS", StatusPending},
		"04": {"F USER_BALANCE_NOT_ENOUGH", nil, StatusFailed, "F USER_BALANCE_NOT_ENOUGH", StatusFailed},
		"05": {"F WALLET_BALANCE_INSUFFICIENT", nil, StatusFailed, "F WALLET_BALANCE_INSUFFICIENT", StatusFailed},
		"06": {"F INVALID_CODE", nil, StatusFailed, "F INVALID_CODE", StatusFailed},
		"07": {"F EXPIRED_CODE", nil, StatusFailed, "F EXPIRED_CODE", StatusFailed},
		"10": {"", errLost, StatusPaid, "S SUCCESS", StatusPaid},
		"11": {"", errLost, StatusAbsent, "S SUCCESS", StatusPaid},
		"20": {"", errHTTP, StatusAbsent, "", StatusAbsent},
		"21": {"", errHTTP, StatusPaid, "S SUCCESS", StatusPaid},
		"22": {"", errJSON, StatusPaid, "S SUCCESS", StatusPaid},
		"23": {"", errJSON, StatusPaid, "S SUCCESS", StatusPaid},
		"24": {"", errMisSign, StatusPaid, "S SUCCESS", StatusPaid},
		"25": {"", errUnsigned, StatusPaid, "S SUCCESS", StatusPaid},
		"26": {"S SUCCESS", nil, StatusPaid, "S SUCCESS", StatusPaid},
		"27": {"U PAYMENT_IN_PROCESS", nil, StatusPending, "U PAYMENT_IN_PROCESS", StatusPending},
		"30": {"S SUCCESS", nil, StatusPaid, "S SUCCESS", StatusPaid},
		"31": {"S SUCCESS", nil, StatusPaid, "S SUCCESS", StatusPaid},
		"32": {"U PAYMENT_IN_PROCESS", nil, StatusPending, "U PAYMENT_IN_PROCESS", StatusPending},
		"33": {"U REQUEST_TRAFFIC_EXCEED_LIMIT", nil, StatusAbsent, "S SUCCESS", StatusPaid},
		"34": {"F INVALID_SIGNATURE", nil, StatusAbsent, "F INVALID_SIGNATURE", StatusAbsent},
		"99": {"S SUCCESS", nil, StatusPaid, "S SUCCESS", StatusPaid}, // not in the table
	}
	for _, row := range Behaviours() {
		if _, tested := tests[row.Digits]; !tested && row.refund == refundsAtOnce {
			t.Errorf("behaviour %q is not tested", row.Digits)
		}
	}
	for digits, test := range tests {
		t.Run(digits, func(t *testing.T) {
			p := newPlus(t, func(c *Config) { c.After = instantly })
			if got := p.look("R-1"); got.String() != "F ORDER_NOT_EXIST" {
				t.Errorf("inquiry before: %v", got)
			}
			request := codeOrder("R-1", code(digits))
			first, err := p.ask(p.plusRequest(plusPay, request))
			if !errors.Is(err, test.firstError) || err == nil && first.String() != test.first {
				t.Fatalf("first answer %v, %v", first, err)
			}
			if got := p.truth("R-1"); got.Status != test.truth || got.Gateway != GatewayAlipayPlus {
				t.Fatalf("truth after the first send: %+v", got)
			}
			p.checkPlusTruth(p.truth("R-1"))
			second, err := p.ask(p.plusRequest(plusPay, request))
			if test.second == "" && !errors.Is(err, errHTTP) || test.second != "" && (err != nil || second.String() != test.second) {
				t.Fatalf("second answer %v, %v", second, err)
			}
			wrong := digits == "26"
			if (first.PaymentAmount.Value == "1251") != wrong || second.PaymentAmount.Value == "1251" {
				t.Errorf("amounts %q, %q", first.PaymentAmount.Value, second.PaymentAmount.Value)
			}
			p.clock.advance(3 * time.Second)
			truth := p.truth("R-1")
			if truth.Status != test.later || truth.Sends != 2 {
				t.Fatalf("truth in the end: %+v", truth)
			}
			p.checkPlusTruth(truth)
		})
	}
}

// checkPlusTruth holds what an inquiry says, by either id, against the truth.
func (p *plusClient) checkPlusTruth(truth Order) {
	p.t.Helper()
	answer := p.look(truth.RequestID)
	if truth.Status == StatusAbsent {
		if answer.String() != "F ORDER_NOT_EXIST" {
			p.t.Errorf("inquiry of a request that never arrived: %v", answer)
		}
		return
	}
	want := map[Status]string{StatusPaid: "S SUCCESS", StatusPending: "U PAYMENT_IN_PROCESS", StatusClosed: "F ORDER_IS_CLOSED",
		StatusReversed: "F ORDER_IS_CLOSED", StatusFailed: "F " + plusFailures[truth.Failure].Code}[truth.Status]
	paid := truth.Status == StatusPaid
	if answer.String() != "S SUCCESS" || answer.payment() != want || answer.PaymentRequestId != truth.RequestID || answer.PaymentId != truth.PaymentID ||
		answer.PaymentAmount.Value != fmt.Sprint(truth.Amount) || answer.PaymentAmount.Currency != truth.Currency ||
		(answer.PaymentTime != "") != paid || (answer.WalletBrandName != "") != paid || answer.AcquirerId == "" {
		p.t.Errorf("inquiry says %+v, the truth is %+v", answer, truth)
	}
	if again := p.tell(plusInq, obj{"paymentId": truth.PaymentID}); fmt.Sprint(again) != fmt.Sprint(answer) || again.PaymentId != answer.PaymentId {
		p.t.Errorf("by payment id: %+v", again)
	}
	captures := map[Status]int{StatusPaid: 1, StatusReversed: 1}[truth.Status]
	if truth.Captures != captures {
		p.t.Errorf("%d captures of a %s order", truth.Captures, truth.Status)
	}
}

// A paid answer holds what the vendor's page promises.
func TestAlipayPlusPaid(t *testing.T) {
	p := newPlus(t)
	got := p.scan("R-1", "00")
	if got.PaymentId != p.truth("R-1").PaymentID || got.AcquirerId == "" || got.PspId == "" || got.CustomerId == "" || got.WalletBrandName == "" ||
		got.MppPaymentId == "" || got.PaymentTime != "2026-03-15T04:00:00+08:00" || got.PaymentAmount.Value != "1250" || got.PaymentAmount.Currency != "CAD" ||
		got.SettlementAmount != got.PaymentAmount {
		t.Errorf("%+v", got)
	}
}

// A cancel closes an unpaid order, and gives a paid one's money back until 00:15
// in UTC+8 of the next day; sent again it says the same, and changes nothing.
func TestAlipayPlusCancel(t *testing.T) {
	for name, test := range map[string]struct {
		digits string
		after  time.Duration // from the payment, 04:00 in UTC+8
		want   string
		truth  Status
	}{
		"paid":           {"00", time.Second, "S SUCCESS", StatusReversed},
		"paid yesterday": {"00", 20*time.Hour + 15*time.Minute - time.Second, "S SUCCESS", StatusReversed},
		"window over":    {"00", 20*time.Hour + 15*time.Minute, "F CANCEL_WINDOW_EXCEED", StatusPaid},
		"pending":        {"03", time.Second, "S SUCCESS", StatusClosed},
		"expired":        {"03", time.Hour, "S SUCCESS", StatusClosed},
		"failed":         {"04", time.Second, "S SUCCESS", StatusFailed},
		"U for ever":     {"27", time.Hour, "U UNKNOWN_EXCEPTION", StatusPending},
		"then paid":      {"32", time.Second, "S SUCCESS", StatusClosed},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlus(t)
			p.scan("R-1", test.digits)
			p.clock.advance(test.after)
			for range 2 {
				if got := p.undo("R-1"); got.String() != test.want {
					t.Fatalf("cancel: %v", got)
				}
				if got := p.truth("R-1"); got.Status != test.truth {
					t.Fatalf("truth: %+v", got)
				}
				p.checkPlusTruth(p.truth("R-1"))
			}
			if got := p.tell(plusPay, codeOrder("R-1", code(test.digits))); test.truth == StatusReversed && got.String() != "F ORDER_IS_CLOSED" {
				t.Errorf("pay again: %v", got)
			}
			if test.digits != "32" {
				return
			}
			p.clock.advance(3 * time.Second) // the wallet pays all the same, and gets its money back
			if got := p.truth("R-1"); got.Status != StatusReversed || got.Captures != 1 || got.Refundable() != 0 {
				t.Errorf("truth in the end: %+v", got)
			}
			p.checkPlusTruth(p.truth("R-1"))
		})
	}
	p := newPlus(t)
	if got := p.undo("R-1"); got.String() != "F ORDER_NOT_EXIST" {
		t.Errorf("cancel of nothing: %v", got)
	}
	p.scan("R-2", "00")
	p.giveBack("R-2", "F-1", "1")
	if got := p.undo("R-2"); got.String() != "F PROCESS_FAIL" || p.truth("R-2").Status != StatusPaid {
		t.Errorf("cancel after a refund: %v", got)
	}
}

// Refunds are partial and several, never above what was paid, and made once for
// each refundRequestId, whatever was lost.
func TestAlipayPlusRefunds(t *testing.T) {
	p := newPlus(t)
	p.scan("R-1", "00")
	p.scan("R-2", "00")
	for n, step := range []struct {
		order, id, amount, want string
		refunded                int64
	}{
		{"R-1", "F-1", "1251", "F REFUND_AMOUNT_EXCEED", 0},
		{"R-1", "F-1", "1000", "S SUCCESS", 1000},
		{"R-1", "F-1", "1000", "S SUCCESS", 1000}, // again
		{"R-1", "F-1", "999", "F REPEAT_REQ_INCONSISTENT", 1000},
		{"R-2", "F-1", "1000", "F REPEAT_REQ_INCONSISTENT", 0},
		{"R-1", "F-2", "251", "F REFUND_AMOUNT_EXCEED", 1000},
		{"R-1", "F-2", "250", "S SUCCESS", 1250},
		{"R-1", "F-3", "1", "F REFUND_AMOUNT_EXCEED", 1250},
		{"R-9", "F-4", "1", "F ORDER_NOT_EXIST", 0},
	} {
		got := p.giveBack(step.order, step.id, step.amount)
		if got.String() != step.want {
			t.Fatalf("step %d: %v", n, got)
		}
		if order, err := p.Order(step.order); err == nil && order.Refunded != step.refunded {
			t.Errorf("step %d: refunded %d", n, order.Refunded)
		}
		if got.Result.ResultStatus == "S" && (got.RefundId == "" || got.RefundTime == "" || got.RefundAmount.Value != step.amount || got.AcquirerId == "") {
			t.Errorf("step %d: %+v", n, got)
		}
	}
	told := p.look("R-1")
	if len(told.Transactions) != 2 || told.Transactions[0].TransactionRequestId != "F-1" || told.Transactions[1].TransactionAmount.Value != "250" ||
		told.Transactions[0].TransactionType != "REFUND" || told.payment() != "S SUCCESS" {
		t.Errorf("inquiry: %+v", told)
	}
	for digits, want := range map[string]string{"03": "F ORDER_STATUS_INVALID", "04": "F ORDER_IS_CLOSED"} {
		p.scan("R-"+digits, digits)
		if got := p.giveBack("R-"+digits, "F-"+digits, "1"); got.String() != want {
			t.Errorf("refund of %s: %v", digits, got)
		}
	}
	p.clock.advance(367 * 24 * time.Hour)
	if got := p.giveBack("R-2", "F-9", "1"); got.String() != "F REFUND_WINDOW_EXCEED" {
		t.Errorf("after a year: %v", got)
	}
}

// For every behaviour of refunds, at Alipay+: what the first request is told, what
// is given back then, and what the same request is told after the pending delay.
// In the end the money went back once, or not at all.
func TestAlipayPlusRefundBehaviours(t *testing.T) {
	tests := map[string]struct {
		first    string // "" is lost
		refunded int64
		second   string
		later    int64
	}{
		"00": {"S SUCCESS", 500, "S SUCCESS", 500},
		"40": {"U UNKNOWN_EXCEPTION", 0, "S SUCCESS", 500},
		"41": {"", 500, "S SUCCESS", 500},
		"42": {"", 0, "S SUCCESS", 500},
		"43": {"U UNKNOWN_EXCEPTION", 0, "S SUCCESS", 500},
		"44": {"F MERCHANT_BALANCE_NOT_ENOUGH", 0, "F MERCHANT_BALANCE_NOT_ENOUGH", 0},
		"45": {"U UNKNOWN_EXCEPTION", 0, "F PROCESS_FAIL", 0},
		"46": {"F PROCESS_FAIL", 0, "S SUCCESS", 500},
		"47": {"", 500, "S SUCCESS", 500},
	}
	for _, row := range Behaviours() {
		if _, tested := tests[row.Digits]; !tested && row.refund != refundsAtOnce {
			t.Errorf("behaviour %q is not tested", row.Digits)
		}
	}
	for digits, test := range tests {
		t.Run(digits, func(t *testing.T) {
			p := newPlus(t)
			p.scan("R-1", digits)
			first, err := p.ask(p.plusRequest(plusRefund, refundOrder("R-1", "F-1", "500")))
			if (test.first == "") != errors.Is(err, errLost) || err == nil && first.String() != test.first || p.truth("R-1").Refunded != test.refunded {
				t.Fatalf("first: %v, %v, %+v", first, err, p.truth("R-1"))
			}
			p.clock.advance(3 * time.Second)
			if got := p.giveBack("R-1", "F-1", "500"); got.String() != test.second || p.truth("R-1").Refunded != test.later {
				t.Errorf("second: %v, %+v", got, p.truth("R-1"))
			}
			if got := len(p.truth("R-1").Refunds); got > 1 {
				t.Errorf("%d refunds", got)
			}
		})
	}
}

// An order code waits with all that the shop needs to show it, expires after three
// minutes or sooner where asked, and is paid on its page.
func TestAlipayPlusOrderCode(t *testing.T) {
	p := newPlus(t)
	got := p.tell(plusPay, orderCode("R-1"))
	form := got.OrderCodeForm
	if got.String() != "U PAYMENT_IN_PROCESS" || got.PaymentId == "" || got.AcquirerId == "" || got.PaymentAmount.Value != "1250" ||
		form.PaymentMethodType != "CONNECT_WALLET" || form.ExpireTime != "2026-03-15T04:03:00+08:00" || len(form.CodeDetails) != 2 {
		t.Fatalf("%+v", got)
	}
	for _, detail := range form.CodeDetails {
		if detail.CodeValueType != "QRCODE" {
			t.Errorf("%+v", detail)
		}
		path := strings.TrimPrefix(detail.CodeValue, p.url)
		want := map[string]string{"TEXT": "text/html; charset=utf-8", "BIGIMAGE": "image/png"}[detail.DisplayType]
		if response, _ := p.get(path); response.Header.Get("Content-Type") != want || want == "" {
			t.Errorf("%+v: %d %s", detail, response.StatusCode, response.Header.Get("Content-Type"))
		}
	}
	if again := p.tell(plusPay, orderCode("R-1")); fmt.Sprintf("%+v", again) != fmt.Sprintf("%+v", got) {
		t.Errorf("a repeat: %+v", again)
	}
	p.post(strings.TrimPrefix(form.CodeDetails[1].CodeValue, p.url)+"/pay", "")
	if got := p.look("R-1"); got.payment() != "S SUCCESS" {
		t.Errorf("after the pay page: %+v", got)
	}
	for expiry, want := range map[string]string{"2026-03-14T20:01:30Z": "2026-03-15T04:01:30+08:00", "2026-03-15T04:30:00+08:00": "2026-03-15T04:03:00+08:00"} {
		request := orderCode("R-" + want)
		request["paymentExpiryTime"] = expiry
		if got := p.tell(plusPay, request); got.OrderCodeForm.ExpireTime != want {
			t.Errorf("expiry %s: %+v", expiry, got)
		}
	}
	p.tell(plusPay, orderCode("R-2"))
	p.clock.advance(3 * time.Minute)
	if got := p.look("R-2"); got.payment() != "F ORDER_IS_CLOSED" {
		t.Errorf("after three minutes: %+v", got)
	}
}

// A repeat with another amount, factor, strategy or method type is refused; one
// that differs otherwise is the same request.
func TestAlipayPlusRepeats(t *testing.T) {
	p := newPlus(t)
	p.scan("R-1", "00")
	same := codeOrder("R-1", code("04"))
	same["order"].(obj)["orderDescription"] = "other"
	if got := p.tell(plusPay, same); got.String() != "S SUCCESS" {
		t.Errorf("another description: %v", got)
	}
	amount := codeOrder("R-1", code("00"))
	amount["paymentAmount"] = obj{"currency": "CAD", "value": "1251"}
	strategy := codeOrder("R-1", code("00"))
	strategy["settlementStrategy"] = obj{"settlementCurrency": "CAD"}
	factor := orderCode("R-1")
	for name, request := range map[string]obj{"amount": amount, "strategy": strategy, "factor": factor} {
		if got := p.tell(plusPay, request); got.String() != "F REPEAT_REQ_INCONSISTENT" {
			t.Errorf("another %s: %v", name, got)
		}
	}
	if got := p.truth("R-1"); got.Captures != 1 || got.Amount != 1250 {
		t.Errorf("%+v", got)
	}
}

// The two vendors know nothing of each other's orders, even under one id.
func TestVendorsAreApart(t *testing.T) {
	p := newPlus(t)
	p.scan("R-1", "00")
	p.pay("R-1", "03")
	if got := p.look("R-1"); got.payment() != "S SUCCESS" {
		t.Errorf("Alipay+: %+v", got)
	}
	paid, pending := p.Orders()[1], p.Orders()[0]
	if paid.Status != StatusPaid || pending.Status != StatusPending || paid.PaymentID == pending.PaymentID || paid.PayPath == pending.PayPath {
		t.Errorf("%+v\n%+v", paid, pending)
	}
	if got := p.call(inquiryPath, idBody(paid.PaymentID)); got.String() != "F ORDER_MISMATCH" {
		t.Errorf("AlphaPay knows of %v", got)
	}
	if got := p.tell(plusInq, obj{"paymentId": pending.PaymentID}); got.String() != "F ORDER_NOT_EXIST" {
		t.Errorf("Alipay+ knows of %v", got)
	}
	if rows := p.list("All"); len(rows) != 0 {
		t.Errorf("AlphaPay lists %v", rows)
	}
}

// Without a client Alipay+ is not served, and without a merchant AlphaPay is not.
func TestOneVendorOnly(t *testing.T) {
	p := newPractice(t, func(c *Config) { c.ClientID = "" })
	if response, _ := p.post(plusPay, "{}"); response.StatusCode != http.StatusNotFound {
		t.Errorf("Alipay+: %d", response.StatusCode)
	}
	p = newPractice(t, func(c *Config) { c.MerchantCode = "" })
	if response, _ := p.post(payPath, "{}"); response.StatusCode != http.StatusNotFound {
		t.Errorf("AlphaPay: %d", response.StatusCode)
	}
}
