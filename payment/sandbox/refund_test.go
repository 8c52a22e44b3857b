package sandbox

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"
)

// statuses writes an order's refunds down, the oldest first.
func statuses(order Order) string {
	list := []string{}
	for _, refund := range order.Refunds {
		list = append(list, string(refund.Status))
	}
	return strings.Join(list, " ")
}

// For every behaviour of refunds: what a first refund in part is told and what is
// true then, what the same request is told when it is sent again at once, what is
// true after the pending delay, and what a new request is told then. Inquiries and
// list always tell the truth, lost answers or not.
func TestRefundBehaviours(t *testing.T) {
	tests := map[string]struct {
		first      string // the answer to the first request, or
		firstError error
		named      bool // whether that answer names the refund
		truth      string
		again      string // the answer to the same request, sent again
		later      string // the truth after the pending delay
		next       string // the answer to a new request
		refunded   int64  // in the end
	}{
		"00": {"S SUCCESS", nil, true, "succeeded", "S SUCCESS", "succeeded succeeded", "S SUCCESS", 1200},
		"40": {"S SUCCESS", nil, true, "pending", "F EXIST_PROCESSING_REFUND", "succeeded", "S SUCCESS", 800},
		"41": {"", errLost, false, "succeeded", "S SUCCESS", "succeeded succeeded", "S SUCCESS", 1200},
		"42": {"", errLost, false, "", "S SUCCESS", "succeeded", "S SUCCESS", 800},
		"43": {"U REFUND_NEED_REVIEW", nil, true, "pending", "F EXIST_PROCESSING_REFUND", "succeeded", "S SUCCESS", 800},
		"44": {"F REFUND_NOT_ENOUGH_BALANCE", nil, false, "", "F REFUND_NOT_ENOUGH_BALANCE", "", "F REFUND_NOT_ENOUGH_BALANCE", 0},
		"45": {"S SUCCESS", nil, true, "pending", "F EXIST_PROCESSING_REFUND", "failed", "S SUCCESS", 400},
		"46": {"F REFUND_NEED_REVIEW", nil, false, "pending", "F EXIST_PROCESSING_REFUND", "succeeded", "S SUCCESS", 800},
		"47": {"", errLost, false, "succeeded", "S SUCCESS", "succeeded", "S SUCCESS", 800},
	}
	for _, row := range Behaviours() {
		if _, tested := tests[row.Digits]; !tested && row.refund != refundsAtOnce {
			t.Errorf("behaviour %s is not tested", row.Digits)
		}
	}
	for digits, test := range tests {
		t.Run(digits, func(t *testing.T) {
			p := newDirectPractice(t)
			paymentID := p.pay("R-1", digits).PaymentID
			holds := func(when, want string) {
				t.Helper()
				if got := p.truth("R-1"); statuses(got) != want {
					t.Errorf("%s: %q, want %q: %+v", when, statuses(got), want, got)
				}
				p.checkTruthIsTold(p.truth("R-1"))
			}
			first, err := p.do(p.request(refundPath, refundBody(paymentID, "F-1", "400")))
			if !errors.Is(err, test.firstError) || err == nil && first.String() != test.first || (first.RefundID != "") != test.named {
				t.Fatalf("first answer %+v, %v", first, err)
			}
			holds("after the first request", test.truth)
			if test.named && first.RefundID != p.truth("R-1").Refunds[0].RefundID {
				t.Errorf("the answer names %q", first.RefundID)
			}
			again := p.refund(paymentID, "F-1", "400")
			if again.String() != test.again {
				t.Errorf("sent again: %v", again)
			}
			p.clock.advance(3 * time.Second)
			holds("after the pending delay", test.later)
			if next := p.refund(paymentID, "F-2", "400"); next.String() != test.next {
				t.Errorf("the next request: %v", next)
			}
			if got := p.truth("R-1"); got.Refunded != test.refunded || got.RefundSends != 3 || got.Status != StatusPaid || got.Captures != 1 {
				t.Errorf("in the end: %+v", got)
			}
			p.checkTruthIsTold(p.truth("R-1"))
		})
	}
}

// An answer holds what was asked and what was made of it; an inquiry holds the
// same, with the status, with or without the request id.
func TestRefundAnswer(t *testing.T) {
	p := newDirectPractice(t)
	paymentID := p.pay("R-1", "40").PaymentID
	p.clock.advance(time.Minute)
	body := strings.Replace(refundBody(paymentID, "F-1", "250"), `"refund":{`, `"refund":{"description":"café","notifyUrl":"https://shop.example/",`, 1)
	got := p.call(refundPath, body)
	want := told{RefundID: got.RefundID, PaymentID: paymentID, RefundRequestID: "F-1", RefundTime: "2026-03-14T12:01:00-08:00", Result: got.Result}
	want.Refund.RefundAmount.Value, want.Refund.RefundAmount.Currency = "250", "CAD"
	want.Refund.Description, want.Refund.NotifyURL = "café", "https://shop.example/"
	if !reflect.DeepEqual(got, want) || len(got.RefundID) != 36 || got.String() != "S SUCCESS" {
		t.Errorf("answer %+v, want %+v", got, want)
	}
	p.clock.advance(time.Minute)
	want.RefundStatus = "SUCCESS"
	for _, inquiry := range []string{`{"refundId":"` + got.RefundID + `"}`, `{"refundId":"` + got.RefundID + `","refundRequestId":"F-1"}`} {
		if told := p.call(refundInquiry, inquiry); !reflect.DeepEqual(told, want) {
			t.Errorf("inquiry %+v, want %+v", told, want)
		}
	}
	for _, inquiry := range []string{`{"refundId":"` + got.RefundID + `","refundRequestId":"F-2"}`, `{"refundId":"F-1"}`, `{"refundId":"` + paymentID + `"}`} {
		if told := p.call(refundInquiry, inquiry); told.String() != "F ORDER_MISMATCH" || told.RefundID != "" {
			t.Errorf("%s: %+v", inquiry, told)
		}
	}
}

// Refunds in part add up to the whole and to no minor unit more; the payment's
// status follows them, and it stays a paid order.
func TestRefundsAddUp(t *testing.T) {
	p := newDirectPractice(t)
	paymentID := p.pay("R-1", "00").PaymentID
	for n, step := range []struct{ amount, answer, status string }{
		{"1251", "F INVALID_REFUND_AMOUNT", "SUCCESS"},
		{"1", "S SUCCESS", "PARTIAL_REFUND"},
		{"1250", "F INVALID_REFUND_AMOUNT", "PARTIAL_REFUND"},
		{"1000", "S SUCCESS", "PARTIAL_REFUND"},
		{"250", "F INVALID_REFUND_AMOUNT", "PARTIAL_REFUND"},
		{"249", "S SUCCESS", "FULL_REFUND"},
		{"1", "F FULL_REFUND_COMPLETED", "FULL_REFUND"},
		{"1250", "F FULL_REFUND_COMPLETED", "FULL_REFUND"},
	} {
		if got := p.refund(paymentID, fmt.Sprintf("F-%d", n), step.amount); got.String() != step.answer {
			t.Errorf("refund of %s: %v", step.amount, got)
		}
		if got := p.inquire(paymentID); got.Status != step.status || got.PaymentTime == "" {
			t.Errorf("after %s: %+v", step.amount, got)
		}
		p.checkTruthIsTold(p.truth("R-1"))
	}
	if got := p.call(cancelPath, idBody(paymentID)); got.String() != "F ORDER_PAID" {
		t.Errorf("cancel: %v", got)
	}
	if got := p.pay("R-1", "00"); got.String() != "F ORDER_PAID" {
		t.Errorf("paid again: %v", got)
	}
	if got := p.truth("R-1"); got.Refunded != 1250 || got.Refundable() != 0 {
		t.Errorf("%+v", got)
	}
}

// While a whole refund is in process the payment stands as it was, and no other
// begins: not over the wire, not in the portal. An Order that was read before the
// refund is done does not change by it.
func TestOneRefundAtATime(t *testing.T) {
	p := newDirectPractice(t)
	paymentID := p.pay("R-1", "40").PaymentID
	p.refund(paymentID, "F-1", "1250")
	if got := p.inquire(paymentID); got.Status != "SUCCESS" {
		t.Errorf("in process: %s", got.Status)
	}
	if got := p.refund(paymentID, "F-2", "1"); got.String() != "F EXIST_PROCESSING_REFUND" {
		t.Errorf("another: %v", got)
	}
	if _, err := p.Refund("R-1", 0); !errors.Is(err, errRefunding) {
		t.Errorf("in the portal: %v", err)
	}
	read := p.truth("R-1")
	p.clock.advance(3 * time.Second)
	if got := p.inquire(paymentID); got.Status != "FULL_REFUND" {
		t.Errorf("done: %s", got.Status)
	}
	if statuses(read) != "pending" {
		t.Errorf("read before it was done: %+v", read)
	}
	p.checkTruthIsTold(p.truth("R-1"))
}

// Only a paid order is refunded; nothing else changes by a try.
func TestRefundOfUnpaidOrder(t *testing.T) {
	p := newDirectPractice(t)
	for _, digits := range []string{"03", "04", "27"} {
		paymentID := p.pay("R-"+digits, digits).PaymentID
		for _, status := range []Status{p.truth("R-" + digits).Status, StatusClosed} {
			if got := p.refund(paymentID, "F-1", "100"); got.String() != "F ORDER_NOT_PAID" {
				t.Errorf("%s, %s: %v", digits, status, got)
			}
			if _, err := p.Refund("R-"+digits, 0); !errors.Is(err, errNotPaid) {
				t.Errorf("%s, %s, in the portal: %v", digits, status, err)
			}
			p.call(cancelPath, idBody(paymentID))
		}
		p.checkTruthIsTold(p.truth("R-" + digits))
	}
}

// A refund is taken up to one year from the date of the order; with behaviour 44,
// not within 24 hours after the payment.
func TestWhenRefundsAreTaken(t *testing.T) {
	p := newDirectPractice(t)
	ids := map[string]string{}
	for _, digits := range []string{"00", "44"} {
		ids[digits] = p.pay("R-"+digits, digits).PaymentID
	}
	start := p.clock.Now()
	for _, step := range []struct {
		at           time.Time
		digits, want string
	}{
		{start.Add(24*time.Hour - time.Second), "44", "F REFUND_NOT_ENOUGH_BALANCE"},
		{start.Add(24 * time.Hour), "44", "S SUCCESS"},
		{start.AddDate(1, 0, 0), "00", "S SUCCESS"},
		{start.AddDate(1, 0, 0).Add(time.Second), "00", "F REFUND_VALID_DATE_EXCEED"},
	} {
		p.clock.advance(step.at.Sub(p.clock.Now()))
		if got := p.refund(ids[step.digits], "F-1", "100"); got.String() != step.want {
			t.Errorf("%v later: %v, want %s", step.at.Sub(start), got, step.want)
		}
	}
}

// Every refund call that is not as the vendor's page says is refused with the
// vendor's own code, and changes nothing.
func TestRefundRequestsRefused(t *testing.T) {
	p := newDirectPractice(t)
	paymentID := p.pay("R-1", "00").PaymentID
	before := p.truth("R-1")
	good := refundBody(paymentID, "F-1", "100")
	body := func(old, replacement string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("%q is not in the request", old)
		}
		return strings.Replace(good, old, replacement, 1)
	}
	for name, test := range map[string]struct{ path, body, want string }{
		"no body":            {refundPath, "", "PARAM_INVALID"},
		"null":               {refundPath, "null", "PARAM_INVALID"},
		"no payment id":      {refundPath, body(`"paymentId":"`+paymentID+`",`, ``), "PARAM_INVALID"},
		"payment id long":    {refundPath, body(paymentID, strings.Repeat("1", 65)), "PARAM_INVALID"},
		"payment id, number": {refundPath, body(`"`+paymentID+`"`, paymentID), "PARAM_INVALID"},
		"no request id":      {refundPath, body(`"refundRequestId":"F-1",`, ``), "PARAM_INVALID"},
		"request id empty":   {refundPath, body(`"F-1"`, `""`), "PARAM_INVALID"},
		"request id blank":   {refundPath, body(`"F-1"`, `"F 1"`), "PARAM_INVALID"},
		"request id long":    {refundPath, body(`"F-1"`, `"`+strings.Repeat("F", 65)+`"`), "PARAM_INVALID"},
		"no refund":          {refundPath, `{"paymentId":"` + paymentID + `","refundRequestId":"F-1"}`, "PARAM_INVALID"},
		"no amount":          {refundPath, body(`"refundAmount":{"value":"100","currency":"CAD"}`, ``), "PARAM_INVALID"},
		"amount outside":     {refundPath, body(`"refund":{"refundAmount":{"value":"100","currency":"CAD"}}`, `"refundAmount":{"value":"100","currency":"CAD"}`), "PARAM_INVALID"},
		"amount a number":    {refundPath, body(`"100"`, `100`), "PARAM_INVALID"},
		"amount zero":        {refundPath, body(`"100"`, `"0"`), "PARAM_INVALID"},
		"amount negative":    {refundPath, body(`"100"`, `"-100"`), "PARAM_INVALID"},
		"amount fraction":    {refundPath, body(`"100"`, `"1.00"`), "PARAM_INVALID"},
		"amount long":        {refundPath, body(`"100"`, `"00000100"`), "PARAM_INVALID"},
		"no value":           {refundPath, body(`"value":"100",`, ``), "PARAM_INVALID"},
		"no currency":        {refundPath, body(`,"currency":"CAD"`, ``), "PARAM_INVALID"},
		"unknown currency":   {refundPath, body(`CAD`, `USD`), "PARAM_INVALID"},
		"other currency":     {refundPath, body(`CAD`, `CNY`), "INVALID_REFUND_AMOUNT"},
		"description long":   {refundPath, body(`"refund":{`, `"refund":{"description":"`+strings.Repeat("é", 129)+`",`), "PARAM_INVALID"},
		"name's case":        {refundPath, body(`refundRequestId`, `refundRequestID`), "PARAM_INVALID"},
		"unknown name":       {refundPath, body(`"refund":`, `"reason":"x","refund":`), "PARAM_INVALID"},
		"duplicate name":     {refundPath, body(`"value":"100"`, `"value":"100","value":"1000"`), "PARAM_INVALID"},
		"no such order":      {refundPath, body(paymentID, "2603141200000000123456789"), "ORDER_MISMATCH"},
		"by request id":      {refundPath, body(paymentID, "R-1"), "ORDER_MISMATCH"},

		"inquiry of nothing":       {refundInquiry, `{}`, "PARAM_INVALID"},
		"inquiry by request id":    {refundInquiry, `{"refundRequestId":"F-1"}`, "PARAM_INVALID"},
		"inquiry of a number":      {refundInquiry, `{"refundId":1}`, "PARAM_INVALID"},
		"inquiry, id blank":        {refundInquiry, `{"refundId":"1 2"}`, "PARAM_INVALID"},
		"inquiry, request id long": {refundInquiry, `{"refundId":"1","refundRequestId":"` + strings.Repeat("F", 65) + `"}`, "PARAM_INVALID"},
		"inquiry by payment id":    {refundInquiry, idBody(paymentID), "PARAM_INVALID"},
		"inquiry of no refund":     {refundInquiry, `{"refundId":"7d2c8f0e-0000-4000-8000-000000000000"}`, "ORDER_MISMATCH"},

		"settlements of no day":   {settlementsPath, `{}`, "PARAM_INVALID"},
		"settlements, day's form": {settlementsPath, `{"date":"2026-03-14"}`, "PARAM_INVALID"},
		"settlements, a number":   {settlementsPath, `{"date":20260314}`, "PARAM_INVALID"},
		"settlements, a page":     {settlementsPath, `{"date":"20260314","page":1}`, "PARAM_INVALID"},
	} {
		got := p.call(test.path, test.body)
		if got.String() != "F "+test.want || got.Result.ResultMessage == "" || got.RefundID != "" {
			t.Errorf("%s: %v %q", name, got, got.Result.ResultMessage)
		}
	}
	after := p.truth("R-1")
	after.RefundSends = before.RefundSends // one of them was well formed
	if !reflect.DeepEqual(after, before) {
		t.Errorf("%+v became %+v", before, after)
	}
	for _, taken := range []string{good, body(`"100"`, `"0000100"`), body(`"refund":{`, `"refund":{"description":"`+strings.Repeat("é", 128)+`",`)} {
		if got := p.call(refundPath, taken); got.String() != "S SUCCESS" {
			t.Errorf("%s: %v", taken, got)
		}
	}
}

// With behaviour 47 a request id stands for one refund: it finds that again, also
// when all is refunded, and is refused with other content.
func TestIdempotentRefunds(t *testing.T) {
	p := newDirectPractice(t)
	paymentID := p.pay("R-1", "47").PaymentID
	_, _ = p.do(p.request(refundPath, refundBody(paymentID, "F-1", "1250"))) // its answer is lost
	for range 2 {
		if got := p.refund(paymentID, "F-1", "1250"); got.String() != "S SUCCESS" || got.RefundID != p.truth("R-1").Refunds[0].RefundID {
			t.Errorf("sent again: %+v", got)
		}
	}
	if got := p.refund(paymentID, "F-1", "1249"); got.String() != "F PARAM_INVALID" {
		t.Errorf("with another amount: %v", got)
	}
	if got := p.refund(paymentID, "F-2", "1250"); got.String() != "F FULL_REFUND_COMPLETED" {
		t.Errorf("with another id: %v", got)
	}
	if got := p.truth("R-1"); len(got.Refunds) != 1 || got.Refunded != 1250 {
		t.Errorf("%+v", got)
	}
}

// Every result code of the vendor's list is answered by some call.
func TestEveryDocumentedCode(t *testing.T) {
	p := newDirectPractice(t)
	id := func(digits string) string {
		p.pay("R-"+digits, digits) // a second time it changes nothing
		return p.truth("R-" + digits).PaymentID
	}
	refund := func(digits, amount string) *http.Request {
		return p.request(refundPath, refundBody(id(digits), "F-1", amount))
	}
	changed := func(name, value string) *http.Request {
		r := p.request(inquiryPath, idBody("1"))
		r.Header.Set(name, value)
		return r
	}
	before := func(r *http.Request) { _, _ = p.do(r) }
	tests := map[string]func() *http.Request{
		"PAYMENT_IN_PROCESS":    func() *http.Request { return p.request(payPath, codeBody("new", code("03"))) },
		"ORDER_MISMATCH":        func() *http.Request { return p.request(inquiryPath, idBody("1")) },
		"ORDER_PAID":            func() *http.Request { return p.request(cancelPath, idBody(id("00"))) },
		"INVALID_MERCHANT_CODE": func() *http.Request { return changed("Merchant-Code", "M0002") },
		"SIGN_TIMEOUT":          func() *http.Request { return p.request(payPath, codeBody("new", code("34"))) },
		"INVALID_SIGN":          func() *http.Request { return changed("Nonce", strings.Repeat("x", 32)) },
		"PARAM_INVALID":         func() *http.Request { return p.request(inquiryPath, `{}`) },
		"INVALID_METHOD_TYPE": func() *http.Request {
			return p.request(payPath, strings.Replace(codeBody("new", code("00")), `"paymentCode"`, `"paymentMethodType":"alipay","paymentCode"`, 1))
		},
		"EXIST_PROCESSING_REFUND":   func() *http.Request { before(refund("40", "100")); return refund("40", "100") },
		"REFUND_NEED_REVIEW":        func() *http.Request { return refund("43", "100") },
		"INVALID_REFUND_AMOUNT":     func() *http.Request { return refund("00", "9999") },
		"REFUND_NOT_ENOUGH_BALANCE": func() *http.Request { return refund("44", "100") },
		"FULL_REFUND_COMPLETED":     func() *http.Request { before(refund("00", "1250")); return refund("00", "1") },
		"INVALID_PAYMENT_CODE":      func() *http.Request { return p.request(payPath, codeBody("new", code("06"))) },
		"REFUND_VALID_DATE_EXCEED": func() *http.Request {
			paid := id("00")
			p.clock.advance(366 * 24 * time.Hour)
			return p.request(refundPath, refundBody(paid, "F-1", "100"))
		},
		"SYSTEMERROR": func() *http.Request {
			p = newDirectPractice(t, func(c *Config) { c.MaxOrders = 1 })
			before(p.request(payPath, codeBody("R-1", code("03"))))
			return p.request(payPath, codeBody("R-2", code("03")))
		},
	}
	for want, request := range tests {
		p = newDirectPractice(t)
		r := request() // may set p anew
		if got, err := p.do(r); err != nil || got.Result.ResultCode != want || got.Result.ResultMessage == "" {
			t.Errorf("%v, %v, want %s", got, err, want)
		}
	}
}

// A request that is refused gives nothing back and uses nothing up: the behaviour is
// that of the first refund that is made.
func TestRefusedRefundUsesNoBehaviourUp(t *testing.T) {
	p := newPractice(t)
	paid := p.pay("R-1", "40").PaymentID
	if got := p.call(refundPath, refundBody(paid, "F-1", "1251")); got.String() != "F INVALID_REFUND_AMOUNT" {
		t.Fatal(got)
	}
	p.call(refundPath, refundBody(paid, "F-2", "250"))
	if got := p.truth("R-1").Refunds; len(got) != 1 || got[0].Status != RefundPending {
		t.Errorf("%+v", got)
	}
	p.clock.advance(3 * time.Second)
	p.call(refundPath, refundBody(paid, "F-3", "250"))
	if got := p.truth("R-1").Refunds; len(got) != 2 || got[1].Status != RefundSucceeded {
		t.Errorf("%+v", got)
	}
}
