package api_test

import (
	"strings"
	"testing"

	"payscand/api/client"
	"payscand/payment"
	"payscand/terminal"
)

const elsewherePath = "/v1/refunds"

// A refund of another terminal's payment is begun once a key, and what the
// terminal gets is what was sent.
func TestRefundElsewhere(t *testing.T) {
	c := serve(t)
	const first = `{"gateway":"alphapay","payment_id":"2026010112345","amount":1000,"currency":"CAD","reason":"é"}`
	a := c.send(t, "POST", elsewherePath, first)
	if a.StatusCode != 201 || a.Header.Get("Location") != refundsPath+"/1" || a.Header.Get("Idempotency-Replayed") != "" {
		t.Fatal(a.raw())
	}
	if again := c.send(t, "POST", elsewherePath, first); again.StatusCode != 200 || again.Header.Get("Idempotency-Replayed") != "true" || again.body != a.body {
		t.Error(again.raw())
	}
	got := c.terminal.elsewhere[0]
	want := terminal.RefundElsewhere{
		Gateway: "alphapay", PaymentID: "2026010112345", Currency: "CAD",
		Request: terminal.NewRefund{Key: "key-1", Digest: got.Request.Digest, Amount: 1000, Note: "é"},
	}
	if got != want || len(got.Request.Digest) != 64 {
		t.Errorf("the terminal got %+v", got)
	}
	for _, other := range []string{
		strings.Replace(first, "1000", "1001", 1), strings.Replace(first, "12345", "12346", 1), strings.Replace(first, "CAD", "USD", 1),
		strings.Replace(first, "alphapay", "alphapay2", 1), strings.Replace(first, "é", "e", 1),
	} {
		if got := problemOf(t, c.send(t, "POST", elsewherePath, other)); got.Code != client.CodeKeyReused {
			t.Errorf("%s: %+v", other, got)
		}
	}
}

// A body that is not one acceptable refund names its field and reaches nobody.
func TestBadRefundElsewhere(t *testing.T) {
	c := serve(t)
	const good = `{"gateway":"alphapay","payment_id":"P1","amount":1}`
	for _, test := range []struct {
		was, is string
		status  int
		field   string
	}{
		{`"alphapay"`, `""`, 422, "gateway"},
		{`"alphapay"`, `7`, 422, "gateway"},
		{`"P1"`, `""`, 422, "payment_id"},
		{`"P1"`, `"P 1"`, 422, "payment_id"},
		{`"P1"`, `"é"`, 422, "payment_id"},
		{`"P1"`, `"` + strings.Repeat("1", 65) + `"`, 422, "payment_id"},
		{`"P1"`, `1`, 422, "payment_id"},
		{`:1}`, `:0}`, 422, "amount"},
		{`:1}`, `:-1}`, 422, "amount"},
		{`:1}`, `:"1"}`, 422, "amount"},
		{`:1}`, `:1.5}`, 422, "amount"},
		{`,"amount":1}`, `}`, 422, "amount"},
		{`:1}`, `:1,"currency":"cad"}`, 422, "currency"},
		{`:1}`, `:1,"currency":"XXX"}`, 422, "currency"},
		{`:1}`, `:1,"reason":"` + strings.Repeat("x", 101) + `"}`, 422, "reason"},
		{`:1}`, `:1,"code":"281234567890123456"}`, 422, ""},
		{good, ``, 400, ""},
		{good, `null`, 422, "gateway"},
	} {
		body := strings.Replace(good, test.was, test.is, 1)
		got := problemOf(t, c.send(t, "POST", elsewherePath, body, header("Content-Type", "application/json")))
		if got.Status != test.status || got.Field != test.field || got.Detail == "" {
			t.Errorf("%s: %+v", body, got)
		}
	}
	if got := problemOf(t, c.send(t, "POST", elsewherePath, good, without("Idempotency-Key"))); got.Code != client.CodeKeyMissing {
		t.Errorf("no key: %+v", got)
	}
	if n := c.terminal.changes(); n != 0 {
		t.Errorf("%d bad refunds reached the terminal", n)
	}
}

// Money that somebody else gave back, and another terminal's payment, are told as
// such.
func TestReturnedAndElsewhereAreTold(t *testing.T) {
	c := serve(t)
	c.terminal.sale.Attempts[0].Instrument = payment.InstrumentElsewhere
	c.terminal.sale.Attempts = c.terminal.sale.Attempts[:1]
	c.terminal.sale.Attempts[0].Returned = &payment.Returned{
		Extent: payment.ReturnedInFull, Amount: payment.Money{Amount: 1000, Currency: "CAD"}, FoundAt: moment,
	}
	a := c.send(t, "GET", "/v1/sales/"+saleID, "")
	for _, want := range []string{`"elsewhere":true`, `"instrument":"elsewhere"`, `"returned":{"extent":"full","amount":1000,"currency":"CAD","found_at":`} {
		if !strings.Contains(a.body, want) {
			t.Errorf("%s is not in %s", want, a.body)
		}
	}
}
