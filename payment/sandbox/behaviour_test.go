package sandbox

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// For every behaviour of the table: what the first send is told, what is true
// then, what a second send of the same request is told, and what is true after
// the pending delay. Never is money taken twice, and the list of transactions
// always holds exactly what was captured.
func TestBehaviours(t *testing.T) {
	tests := map[string]struct {
		first      string // the answer to the first send, or
		firstError error
		truth      Status
		second     string // the answer to the second send
		later      Status // the truth after the pending delay
	}{
		"00": {"S SUCCESS", nil, StatusPaid, "F ORDER_PAID", StatusPaid},
		"01": {"U PAYMENT_IN_PROCESS", nil, StatusPending, "U PAYMENT_IN_PROCESS", StatusPaid},
		"02": {"U PAYMENT_IN_PROCESS", nil, StatusPending, "U PAYMENT_IN_PROCESS", StatusFailed},
		"03": {"U PAYMENT_IN_PROCESS", nil, StatusPending, "U PAYMENT_IN_PROCESS", StatusPending},
		"04": {"F INSUFFICIENT_BALANCE", nil, StatusFailed, "F INSUFFICIENT_BALANCE", StatusFailed},
		"05": {"F USER_BALANCE_NOT_ENOUGH", nil, StatusFailed, "F USER_BALANCE_NOT_ENOUGH", StatusFailed},
		"06": {"F INVALID_PAYMENT_CODE", nil, StatusFailed, "F INVALID_PAYMENT_CODE", StatusFailed},
		"07": {"F INVALID_PAYMENT_CODE", nil, StatusFailed, "F INVALID_PAYMENT_CODE", StatusFailed},
		"10": {"", errLost, StatusPaid, "F ORDER_PAID", StatusPaid},
		"11": {"", errLost, StatusAbsent, "S SUCCESS", StatusPaid},
		"20": {"", errHTTP, StatusAbsent, "", StatusAbsent},
		"21": {"", errHTTP, StatusPaid, "F ORDER_PAID", StatusPaid},
		"22": {"", errJSON, StatusPaid, "F ORDER_PAID", StatusPaid},
		"23": {"", errJSON, StatusPaid, "F ORDER_PAID", StatusPaid},
		"24": {"", errMisSign, StatusPaid, "F ORDER_PAID", StatusPaid},
		"25": {"", errUnsigned, StatusPaid, "F ORDER_PAID", StatusPaid},
		"26": {"S SUCCESS", nil, StatusPaid, "F ORDER_PAID", StatusPaid},
		"27": {"U PAYMENT_IN_PROCESS", nil, StatusPending, "U PAYMENT_IN_PROCESS", StatusPending},
		"30": {"S SUCCESS", nil, StatusPaid, "F ORDER_PAID", StatusPaid},
		"31": {"S SUCCESS", nil, StatusPaid, "F ORDER_PAID", StatusPaid},
		"32": {"U PAYMENT_IN_PROCESS", nil, StatusPending, "U PAYMENT_IN_PROCESS", StatusPending},
		"33": {"", errHTTP, StatusAbsent, "S SUCCESS", StatusPaid},
		"34": {"F SIGN_TIMEOUT", nil, StatusAbsent, "F SIGN_TIMEOUT", StatusAbsent},
		"40": {"S SUCCESS", nil, StatusPaid, "F ORDER_PAID", StatusPaid}, // 40 and on: see TestRefundBehaviours
		"41": {"S SUCCESS", nil, StatusPaid, "F ORDER_PAID", StatusPaid},
		"42": {"S SUCCESS", nil, StatusPaid, "F ORDER_PAID", StatusPaid},
		"43": {"S SUCCESS", nil, StatusPaid, "F ORDER_PAID", StatusPaid},
		"44": {"S SUCCESS", nil, StatusPaid, "F ORDER_PAID", StatusPaid},
		"45": {"S SUCCESS", nil, StatusPaid, "F ORDER_PAID", StatusPaid},
		"46": {"S SUCCESS", nil, StatusPaid, "F ORDER_PAID", StatusPaid},
		"47": {"S SUCCESS", nil, StatusPaid, "F ORDER_PAID", StatusPaid},
		"99": {"S SUCCESS", nil, StatusPaid, "F ORDER_PAID", StatusPaid}, // not in the table
	}
	for _, row := range Behaviours() {
		if _, tested := tests[row.Digits]; !tested || row.Name == "" || row.What == "" {
			t.Errorf("behaviour %q is not tested or not described", row.Digits)
		}
	}
	for digits, test := range tests {
		t.Run(digits, func(t *testing.T) {
			p := newPractice(t, func(c *Config) { c.After = instantly })
			body := codeBody("R-1", code(digits))
			first, err := p.do(p.request(payPath, body))
			if !errors.Is(err, test.firstError) || err == nil && first.String() != test.first {
				t.Fatalf("first answer %v, %v", first, err)
			}
			if got := p.truth("R-1"); got.Status != test.truth || got.Sends != 1 {
				t.Fatalf("truth after the first send: %+v", got)
			}
			second, err := p.do(p.request(payPath, body))
			if test.second == "" {
				if !errors.Is(err, errHTTP) {
					t.Fatalf("second answer %v, %v", second, err)
				}
			} else if err != nil || second.String() != test.second {
				t.Fatalf("second answer %v, %v", second, err)
			}
			if second.Result.ResultStatus == "U" && second.PaymentID != first.PaymentID {
				t.Errorf("payment id %q became %q", first.PaymentID, second.PaymentID)
			}
			if test.second == "F ORDER_PAID" && second.PaymentID != "" {
				t.Error("ORDER_PAID names a payment id, which the vendor does not promise")
			}
			p.clock.advance(3 * time.Second)
			truth := p.truth("R-1")
			if truth.Status != test.later || truth.Sends != 2 {
				t.Fatalf("truth in the end: %+v", truth)
			}
			p.checkTruthIsTold(truth)
		})
	}
}

func instantly(time.Duration) <-chan time.Time {
	fire := make(chan time.Time, 1)
	fire <- time.Time{}
	return fire
}

// checkTruthIsTold holds what inquiries and today's list say against the truth.
func (p *practice) checkTruthIsTold(truth Order) {
	p.t.Helper()
	captures := 0
	if truth.Status == StatusPaid {
		captures = 1
	}
	if truth.Captures != captures {
		p.t.Errorf("%d captures of a %s order", truth.Captures, truth.Status)
	}
	if truth.Status != StatusAbsent {
		answer := p.inquire(truth.PaymentID)
		want := map[Status]string{StatusPaid: "SUCCESS", StatusPending: "PAYMENT_IN_PROCESS", StatusFailed: "FAILED", StatusClosed: "CLOSED"}[truth.Status]
		if truth.Refunded > 0 {
			want = map[bool]string{true: "FULL_REFUND", false: "PARTIAL_REFUND"}[truth.Refunded == truth.Amount]
		}
		if answer.Status != want || answer.RequestID != truth.RequestID || answer.PaymentID != truth.PaymentID ||
			answer.Order.OrderAmount.Value != fmt.Sprint(truth.Amount) || answer.Order.OrderAmount.Currency != truth.Currency ||
			(answer.PaymentTime != "") != (captures == 1) {
			p.t.Errorf("inquiry says %+v, the truth is %+v", answer, truth)
		}
	}
	rows := 0
	for _, row := range p.list("Credit") {
		if row["requestId"] == truth.RequestID {
			rows++
			if row["transactionId"] != truth.PaymentID || row["amount"] != fmt.Sprint(truth.Amount) || row["transactionType"] != "Credit" || row["transactionTime"] == "" {
				p.t.Errorf("row %v, the truth is %+v", row, truth)
			}
		}
	}
	if rows != captures {
		p.t.Errorf("%d rows for %d captures", rows, captures)
	}
	p.checkRefundsAreTold(truth)
}

func (p *practice) checkRefundsAreTold(truth Order) {
	p.t.Helper()
	debits := map[string]string{}
	for _, row := range p.list("Debit") {
		debits[row["transactionId"]] = strings.Join([]string{row["transactionType"], row["requestId"], row["amount"], row["currency"]}, " ")
	}
	refunded := int64(0)
	for _, refund := range truth.Refunds {
		answer := p.inquireRefund(refund.RefundID)
		want := map[RefundStatus]string{RefundPending: "REFUND_IN_PROCESS", RefundSucceeded: "SUCCESS", RefundFailed: "FAILED"}[refund.Status]
		if answer.RefundStatus != want || answer.RefundID != refund.RefundID || answer.RefundRequestID != refund.RequestID ||
			answer.PaymentID != truth.PaymentID || answer.RefundTime == "" ||
			answer.Refund.RefundAmount.Value != fmt.Sprint(refund.Amount) || answer.Refund.RefundAmount.Currency != truth.Currency {
			p.t.Errorf("refund inquiry says %+v, the truth is %+v", answer, refund)
		}
		want = ""
		if refund.Status == RefundSucceeded {
			want = fmt.Sprintf("Debit %s %d %s", refund.RequestID, refund.Amount, truth.Currency)
			refunded += refund.Amount
		}
		if debits[refund.RefundID] != want {
			p.t.Errorf("Debit row %q, want %q", debits[refund.RefundID], want)
		}
	}
	if refunded != truth.Refunded || refunded > truth.Amount*int64(truth.Captures) {
		p.t.Errorf("refunds of %d, refunded %d: %+v", refunded, truth.Refunded, truth)
	}
}

// The answer of behaviour 26, and only that, names another amount.
func TestWrongAmount(t *testing.T) {
	p := newPractice(t)
	if got := p.pay("R-1", "26").Order; got.OrderAmount.Value != "1251" || got.PayAmount.Value != "1251" {
		t.Errorf("behaviour 26 answers %+v", got)
	}
	if got := p.pay("R-2", "00").Order; got.OrderAmount.Value != "1250" || got.PayAmount.Value != "1250" {
		t.Errorf("behaviour 00 answers %+v", got)
	}
	if got := p.truth("R-1").Amount; got != 1250 {
		t.Errorf("captured %d", got)
	}
}

// A late answer: the money is taken while the shop still waits.
func TestLateAnswer(t *testing.T) {
	p := newPractice(t)
	request, answered := p.request(payPath, codeBody("R-1", code("30"))), make(chan string, 1)
	go func() {
		answer, err := p.do(request)
		answered <- fmt.Sprint(answer, err)
	}()
	fire := <-p.clock.waiting
	if got := p.truth("R-1"); got.Status != StatusPaid {
		t.Errorf("while the answer is held up: %+v", got)
	}
	select {
	case answer := <-answered:
		t.Errorf("answered early: %s", answer)
	default:
	}
	fire <- time.Time{}
	if got := <-answered; got != "S SUCCESS <nil>" {
		t.Errorf("answer %s", got)
	}
}

// A late delivery whose sender has gone still arrives. The second send, which
// overtook it, was the one that was charged.
func TestLateDelivery(t *testing.T) {
	for _, overtaken := range []bool{false, true} {
		t.Run(fmt.Sprintf("overtaken=%v", overtaken), func(t *testing.T) {
			results := make(chan string, 10)
			p := newPractice(t, func(c *Config) { c.OnCall = func(_, _, code string) { results <- code } })
			body := codeBody("R-1", code("31"))
			first, gone := p.request(payPath, body), make(chan error, 1)
			ctx, leave := cancelled(first)
			go func() {
				_, err := p.do(ctx)
				gone <- err
			}()
			fire := <-p.clock.waiting
			leave()
			if err := <-gone; !errors.Is(err, errLost) {
				t.Fatalf("the sender did not leave: %v", err)
			}
			if got := p.truth("R-1"); got.Status != StatusAbsent {
				t.Errorf("before the delivery: %+v", got)
			}
			want := "SUCCESS"
			if overtaken {
				if second := p.call(payPath, body); second.String() != "S SUCCESS" {
					t.Errorf("second send: %v", second)
				}
				<-results
				want = "ORDER_PAID"
			}
			fire <- time.Time{}
			if got := <-results; got != want {
				t.Errorf("the late delivery ended as %s, want %s", got, want)
			}
			p.checkTruthIsTold(p.truth("R-1"))
			if got := p.truth("R-1"); got.Status != StatusPaid {
				t.Errorf("in the end: %+v", got)
			}
		})
	}
}

// An unpaid order closes when its life is over, and money can no longer be taken
// on it; one that is unknown for ever neither closes nor can be cancelled, until
// the wallet decides.
func TestExpiry(t *testing.T) {
	p := newPractice(t)
	waiting, forever := p.pay("R-1", "03"), p.pay("R-2", "27")
	if waiting.ExpireTime != "2026-03-14T12:05:00-08:00" {
		t.Errorf("expires at %s", waiting.ExpireTime)
	}
	p.clock.advance(5*time.Minute - time.Second)
	if got := p.inquire(waiting.PaymentID); got.Status != "PAYMENT_IN_PROCESS" {
		t.Errorf("a second before: %s", got.Status)
	}
	p.clock.advance(time.Second)
	if got := p.inquire(waiting.PaymentID); got.Status != "CLOSED" {
		t.Errorf("at its expiry: %s", got.Status)
	}
	if _, err := p.Pay("R-1"); err == nil {
		t.Error("a closed order was paid")
	}
	if got := p.pay("R-1", "03"); got.String() != "F ORDER_CLOSED" {
		t.Errorf("sent again: %v", got)
	}
	p.clock.advance(30 * 24 * time.Hour)
	if got := p.inquire(forever.PaymentID); got.Status != "PAYMENT_IN_PROCESS" {
		t.Errorf("for ever: %s", got.Status)
	}
	if got := p.call(cancelPath, idBody(forever.PaymentID)); got.String() != "U PAYMENT_IN_PROCESS" {
		t.Errorf("cancel of the one for ever: %v", got)
	}
	if _, err := p.Pay("R-2"); err != nil {
		t.Error(err)
	}
	p.checkTruthIsTold(p.truth("R-2"))
}

// A pending order whose settlement would fall after its expiry closes.
func TestExpiryBeforeSettlement(t *testing.T) {
	p := newPractice(t, func(c *Config) { c.OrderLife = time.Second })
	p.pay("R-1", "01")
	p.clock.advance(time.Minute)
	if got := p.truth("R-1"); got.Status != StatusClosed {
		t.Errorf("%+v", got)
	}
}

// Cancel closes an unpaid order for good, a second time too; a paid one says so
// and stays paid; a failed one stays failed.
func TestCancel(t *testing.T) {
	p := newPractice(t)
	for digits, want := range map[string]struct {
		answer string
		after  Status
	}{
		"00": {"F ORDER_PAID", StatusPaid},
		"01": {"S SUCCESS", StatusClosed},
		"03": {"S SUCCESS", StatusClosed},
		"04": {"S SUCCESS", StatusFailed},
	} {
		id := "R-" + digits
		paymentID := p.pay(id, digits).PaymentID
		for range 2 {
			got := p.call(cancelPath, idBody(paymentID))
			if got.String() != want.answer {
				t.Errorf("%s: cancel: %v", digits, got)
			}
			if got.Result.ResultStatus == "S" && (got.PaymentID != paymentID || got.RequestID != id || got.CancelTime == "") {
				t.Errorf("%s: cancel answers %+v", digits, got)
			}
			p.clock.advance(time.Minute)
			if truth := p.truth(id); truth.Status != want.after {
				t.Errorf("%s: %+v", digits, truth)
			}
			p.checkTruthIsTold(p.truth(id))
		}
	}
}

// Behaviour 32: the cancel is accepted, an inquiry sees the order closed, and
// then it is paid.
func TestPaidAfterCancel(t *testing.T) {
	p := newPractice(t)
	paymentID := p.pay("R-1", "32").PaymentID
	p.clock.advance(time.Minute)
	if got := p.call(cancelPath, idBody(paymentID)); got.String() != "S SUCCESS" {
		t.Fatalf("cancel: %v", got)
	}
	if got := p.inquire(paymentID); got.Status != "CLOSED" {
		t.Errorf("after the cancel: %s", got.Status)
	}
	p.clock.advance(3 * time.Second)
	if got := p.inquire(paymentID); got.Status != "SUCCESS" {
		t.Errorf("in the end: %s", got.Status)
	}
	if got := p.call(cancelPath, idBody(paymentID)); got.String() != "F ORDER_PAID" {
		t.Errorf("second cancel: %v", got)
	}
	p.checkTruthIsTold(p.truth("R-1"))
}

// A code is recognised as a wallet's by its form; one of no wallet is invalid,
// whatever its last digits.
func TestWallets(t *testing.T) {
	for text, want := range map[string]Wallet{
		"251234567890123400":                  WalletAlipay,
		"301234567890123456789012":            WalletAlipay,
		"28" + strings.Repeat("1", 30):        WalletAlipay,
		"28" + strings.Repeat("1", 31):        "",
		"28123456789012":                      "",
		"241234567890123400":                  "",
		"101234567890123400":                  WalletWeChat,
		"151234567890123400":                  WalletWeChat,
		"161234567890123400":                  "",
		"10123456789012340":                   "",
		"6212345678901234500":                 WalletUnionPay,
		"621234567890123450":                  "",
		"hQVDUFYwMWEaTwegAAACRxABUA==":        WalletUnionPay,
		"fp0123456789abcdef0123456789abcdef0": WalletAlipay,
		"4006381333931":                       "",
		"https://example.com/00":              "",
		"":                                    "",
		"28123456789012\x0034":                "",
		"２８1234567890123400":                  "",
	} {
		if got := walletOf(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
		if row := behaviourOf(text); want == "" && row.Digits != "06" {
			t.Errorf("%q chooses %s", text, row.Digits)
		}
	}
	if row := behaviourOf("hQVDUFYwMWEaTwegAAACRxABUA=="); row.Digits != "00" {
		t.Errorf("a code that does not end in digits chooses %s", row.Digits)
	}
}

// The table is in order, and no digits are in it twice.
func TestBehavioursAreOrdered(t *testing.T) {
	digits := []string{}
	for _, row := range Behaviours() {
		digits = append(digits, row.Digits)
	}
	if !slices.IsSorted(digits) || len(slices.Compact(slices.Clone(digits))) != len(digits) {
		t.Error(digits)
	}
}
