package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"payscand/api"
	"payscand/api/client"
	"payscand/payment"
	"payscand/terminal"
)

// as calls with the token of a role.
func (c *counter) as(role api.Role) edit { return header("Authorization", "Bearer "+c.tokens[role]) }

const (
	refundsPath = "/v1/sales/" + saleID + "/refunds"
	resolvePath = "/v1/sales/" + saleID + "/resolve"
)

// A refund is begun once: the same key with the same content, however it is
// written, gives the same refund; with other content it is refused.
func TestRefund(t *testing.T) {
	c := serve(t)
	const first = `{"amount":1000,"reason":"é"}`
	a := c.send(t, "POST", refundsPath, first)
	if a.StatusCode != 201 || a.Header.Get("Idempotency-Replayed") != "" || a.Header.Get("Location") != refundsPath+"/1" {
		t.Fatal(a.raw())
	}
	var got client.SaleRefund
	if err := json.Unmarshal([]byte(a.body), &got); err != nil {
		t.Fatal(err)
	}
	want := client.SaleRefund{Sale: saleID, Version: 7, Refund: client.Refund{
		N: 1, RequestID: saleID + "-10", Attempt: 1, Amount: 1000, Status: client.RefundPending, GatewayCode: "NEED_REVIEW",
		Reason: &client.Reason{Code: "refund_in_review", Message: "refund, cashier: refund_in_review", CustomerMessage: "refund, customer: refund_in_review"},
		Note:   "goods returned", RefundID: "r-1", RequestedAt: moment,
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, same := range []string{first, "{ \"reason\":\"\\u00e9\", \"amount\" : 1000}"} {
		again := c.send(t, "POST", refundsPath, same)
		if again.StatusCode != 200 || again.Header.Get("Idempotency-Replayed") != "true" || again.body != a.body {
			t.Errorf("%s: %s", same, again.raw())
		}
	}
	for _, other := range []string{`{}`, `{"reason":"é"}`, `{"amount":1000}`, `{"amount":1001,"reason":"é"}`, `{"amount":1000,"reason":"e"}`} {
		if got := problemOf(t, c.send(t, "POST", refundsPath, other)); got.Code != client.CodeKeyReused {
			t.Errorf("%s: %+v", other, got)
		}
	}
	if len(c.terminal.refunds) != 1 {
		t.Errorf("the terminal began %+v", c.terminal.refunds)
	}
	if got := problemOf(t, c.send(t, "POST", "/v1/sales/"+noSale+"/refunds", `{}`)); got.Code != client.CodeNotFound {
		t.Errorf("no such sale: %+v", got)
	}
	if located := c.send(t, "GET", a.Header.Get("Location"), ""); located.StatusCode != 200 || located.body != a.body {
		t.Error(located.raw())
	}
}

// What the terminal gets is what was sent; an amount that was left out is all
// that is left.
func TestRefundRequest(t *testing.T) {
	// The digests are kept with every refund: a change of the canonical form would
	// refuse the repetition of a request that was made before an update.
	for body, want := range map[string]terminal.NewRefund{
		`{}`:                          {Digest: "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},
		`{"reason":null}`:             {Digest: "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},
		`{"amount":1}`:                {Amount: 1, Digest: "c2b11e657e12fd177359627ca89412018e2274d0873cfbfcf1fc50f685582e9e"},
		`{"amount":5,"reason":"a b"}`: {Amount: 5, Note: "a b", Digest: "042336277c31461456b52ab1ab2778efd4610e485aa54c003aabaa075be4b282"},
	} {
		c := serve(t)
		a := c.send(t, "POST", refundsPath, body)
		want.Key = "key-1"
		if a.StatusCode != 201 || len(c.terminal.refunds) != 1 || c.terminal.refunds[0] != want {
			t.Errorf("%s: %s; the terminal got %+v, want %+v", body, a.raw(), c.terminal.refunds, want)
		}
	}
}

// A body that is not one acceptable refund is refused with the field's rule and
// never becomes a refund of all that is left.
func TestBadRefund(t *testing.T) {
	c := serve(t)
	for _, test := range []struct {
		name, body string
		status     int
		code       client.ErrorCode
		field      string
	}{
		{"amount 0", `{"amount":0}`, 422, "invalid", "amount"},
		{"amount minus zero", `{"amount":-0}`, 422, "invalid", "amount"},
		{"amount negative", `{"amount":-9223372036854775808}`, 422, "invalid", "amount"},
		{"amount null", `{"amount":null}`, 422, "invalid", "amount"},
		{"amount with a fraction", `{"amount":1.0}`, 422, "invalid", "amount"},
		{"amount with an exponent", `{"amount":1e2}`, 422, "invalid", "amount"},
		{"amount in quotes", `{"amount":"1"}`, 422, "invalid", "amount"},
		{"amount empty", `{"amount":""}`, 422, "invalid", "amount"},
		{"amount false", `{"amount":false}`, 422, "invalid", "amount"},
		{"amount an object", `{"amount":{"a":1}}`, 422, "invalid", "amount"},
		{"amount an object with doubles", `{"amount":{"a":1,"a":1}}`, 422, "invalid", "amount"},
		{"amount over 64 bits", `{"amount":9223372036854775808}`, 422, "invalid", "amount"},
		{"amount twice", `{"amount":1,"amount":1}`, 422, "invalid", "amount"},
		{"amount in capitals", `{"Amount":1}`, 422, "invalid", ""},
		{"amount misspelt", `{"ammount":1}`, 422, "invalid", ""},
		{"a currency", `{"amount":1,"currency":"CAD"}`, 422, "invalid", ""},
		{"reason too long", `{"reason":"` + strings.Repeat("é", 101) + `"}`, 422, "invalid", "reason"},
		{"reason of two lines", `{"reason":"a\nb"}`, 422, "invalid", "reason"},
		{"reason a number", `{"reason":1}`, 422, "invalid", "reason"},
		{"no body", ``, 400, "malformed", ""},
		{"spaces", ` `, 400, "malformed", ""},
		{"null", ` null`, 422, "invalid", ""},
		{"an array", `[]`, 422, "invalid", ""},
		{"cut off", `{"amount":1`, 400, "malformed", ""},
		{"two values", `{}{}`, 400, "malformed", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := problemOf(t, c.send(t, "POST", refundsPath, test.body, header("Content-Type", "application/json")))
			if got.Status != test.status || got.Code != test.code || got.Field != test.field || got.Detail == "" {
				t.Errorf("got %+v", got)
			}
		})
	}
	if got := problemOf(t, c.send(t, "POST", refundsPath, `{}`, without("Idempotency-Key"))); got.Code != client.CodeKeyMissing {
		t.Errorf("no key: %+v", got)
	}
	if got := problemOf(t, c.send(t, "POST", refundsPath, `{}`, header("Content-Type", "text/plain"))); got.Code != client.CodeUnsupportedMediaType {
		t.Errorf("no JSON: %+v", got)
	}
	if n := c.terminal.changes(); n != 0 {
		t.Errorf("%d bad refunds reached the terminal", n)
	}
}

// A refund and a reversal are found by their numbers, and waited for by the
// sale's version.
func TestGetRefund(t *testing.T) {
	c := serve(t)
	for n, status := range map[string]client.RefundStatus{"1": client.RefundPending, "2": client.RefundSucceeded, "3": client.RefundFailed} {
		var got client.SaleRefund
		a := c.send(t, "GET", refundsPath+"/"+n, "")
		if err := json.Unmarshal([]byte(a.body), &got); err != nil || got.Status != status || got.Sale != saleID || got.Version != 7 {
			t.Errorf("%v: %s", err, a.raw())
		}
	}
	c.terminal.waits = make(chan struct{})
	answered := make(chan answer)
	go func() { answered <- c.send(t, "GET", refundsPath+"/1?after=7&wait=60s", "") }()
	<-c.terminal.waits
	c.terminal.advance()
	var got client.SaleRefund
	if a := <-answered; json.Unmarshal([]byte(a.body), &got) != nil || got.Version != 8 || got.N != 1 {
		t.Error(a.raw())
	}
}

const decision = `{"outcome":"not_paid","operator":"m.roy","reason":"the portal says so"}`

// An unresolved sale is decided by an operator only: no register may, and on the
// socket nobody without an operator's token.
func TestResolve(t *testing.T) {
	c := serve(t)
	for _, role := range []api.Role{api.RoleRegister, api.RoleMetrics} {
		if got := problemOf(t, c.send(t, "POST", resolvePath, decision, c.as(role))); got.Code != client.CodeForbidden {
			t.Errorf("%s: %+v", role, got)
		}
	}
	if got := problemOf(t, c.send(t, "POST", resolvePath, decision, without("Authorization"))); got.Code != client.CodeUnauthenticated {
		t.Errorf("nobody: %+v", got)
	}
	if n := c.terminal.changes(); n != 0 {
		t.Errorf("%d decisions reached the terminal", n)
	}
	a := c.send(t, "POST", resolvePath, decision, c.as(api.RoleOperator))
	var sale client.Sale
	if err := json.Unmarshal([]byte(a.body), &sale); err != nil || a.StatusCode != 200 || sale.ID != saleID || sale.Override == nil {
		t.Errorf("%v: %s", err, a.raw())
	}
	want := []payment.Resolved{{Outcome: payment.OverrideNotPaid, Operator: "m.roy", Note: "the portal says so"}}
	if diff := cmp.Diff(want, c.terminal.decided); diff != "" {
		t.Error(diff)
	}
}

func TestResolveOnTheSocket(t *testing.T) {
	c := serve(t)
	socketClient := func(token string) *client.Client {
		got, err := client.New(c.socket, token)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(got.Close)
		return got
	}
	made := client.Resolution{Outcome: client.OutcomePaid, Operator: "m.roy", Reason: "seen in the portal"}
	_, err := socketClient("").Resolve(t.Context(), saleID, made)
	if p, is := err.(*client.Problem); !is || p.Code != client.CodeForbidden || len(c.terminal.decided) != 0 { //nolint:errorlint // as it is
		t.Errorf("without a token: %v", err)
	}
	if _, err := socketClient(c.tokens[api.RoleOperator]).Resolve(t.Context(), saleID, made); err != nil || len(c.terminal.decided) != 1 {
		t.Errorf("an operator: %v", err)
	}
}

// A decision says what, who and why, or is refused.
func TestBadResolution(t *testing.T) {
	c := serve(t)
	for body, want := range map[string]string{
		`{}`:   "outcome",
		`null`: "outcome",
		`{"outcome":"failed","operator":"m","reason":"r"}`:                              "outcome",
		`{"outcome":1,"operator":"m","reason":"r"}`:                                     "outcome",
		`{"outcome":"paid","reason":"r"}`:                                               "operator",
		`{"outcome":"paid","operator":"` + strings.Repeat("m", 65) + `","reason":"r"}`:  "operator",
		`{"outcome":"paid","operator":"m\u0000","reason":"r"}`:                          "operator",
		`{"outcome":"paid","operator":"m"}`:                                             "reason",
		`{"outcome":"paid","operator":"m","reason":"` + strings.Repeat("é", 201) + `"}`: "reason",
		`{"outcome":"paid","operator":"m","reason":"r","at":"2026-01-02T03:04:05Z"}`:    "",
		`{"outcome":"paid","outcome":"not_paid","operator":"m","reason":"r"}`:           "outcome",
	} {
		got := problemOf(t, c.send(t, http.MethodPost, resolvePath, body, c.as(api.RoleOperator)))
		if got.Status != 422 || got.Code != client.CodeInvalid || got.Field != want || got.Detail == "" {
			t.Errorf("%s: %+v", body, got)
		}
	}
	if n := c.terminal.changes(); n != 0 {
		t.Errorf("%d bad decisions reached the terminal", n)
	}
}

// Nothing that a register sent by mistake comes back with a refusal.
func TestRefusalsDoNotEcho(t *testing.T) {
	const code = "281234567890123456"
	c := serve(t)
	for _, call := range []struct{ method, path, body string }{
		{"POST", refundsPath, `{"amount":"` + code + `"}`},
		{"POST", refundsPath, `{"amount":` + code + `0}`},
		{"POST", refundsPath, `{"` + code + `":1}`},
		{"POST", refundsPath, `{"reason":"` + code + `\n"}`},
		{"GET", refundsPath + "/" + code, ""},
		{"GET", refundsPath + "/1?" + code, ""},
		{"POST", "/v1/sales/" + code + "/refunds", `{}`},
		{"POST", resolvePath, `{"outcome":"` + code + `","operator":"m","reason":"r"}`},
		{"POST", resolvePath, `{"outcome":"paid","operator":"m\n` + code + `","reason":"r"}`},
		{"POST", "/v1/sales/" + code + "/resolve", decision},
		{"GET", "/v1/sales?status=" + code, ""},
		{"GET", "/v1/sales?reference=%0A" + code, ""},
		{"GET", "/v1/sales?from=" + code, ""},
		{"GET", "/v1/sales?limit=" + code, ""},
		{"GET", "/v1/sales?cursor=" + code, ""},
		{"GET", "/v1/sales?" + code + "=1", ""},
	} {
		a := c.send(t, call.method, call.path, call.body, c.as(api.RoleOperator))
		if a.StatusCode < 400 && call.body != `{"amount":`+code+`0}` || strings.Contains(a.raw()+c.log.String(), code) {
			t.Errorf("%s %s %s: %s", call.method, call.path, call.body, a.raw())
		}
	}
}
