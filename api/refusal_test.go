package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"payscand/api"
	"payscand/api/client"
	"payscand/payment"
	"payscand/terminal"
)

func problemOf(t *testing.T, a answer) client.Problem {
	t.Helper()
	if got := a.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Fatalf("Content-Type %q of %s", got, a.raw())
	}
	var p client.Problem
	decoder := json.NewDecoder(strings.NewReader(a.body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&p); err != nil {
		t.Fatalf("%v in %s", err, a.body)
	}
	if p.Status != a.StatusCode || p.Title == "" || p.Type != "urn:payscand:problem:"+string(p.Code) {
		t.Errorf("status %d, but problem %+v", a.StatusCode, p)
	}
	return p
}

var refusals = map[terminal.ErrorCode]int{
	terminal.CodeInvalid: 422, terminal.CodeNotFound: 404, terminal.CodeConflict: 409, terminal.CodeTerminalBusy: 409,
	terminal.CodeUnresolvedTwin: 409, terminal.CodeKeyReused: 422, terminal.CodeCodeRefused: 422, terminal.CodeCodeUsed: 409,
	terminal.CodeGatewayDown: 503, terminal.CodeGatewayMisconfigured: 503, terminal.CodeNoRoute: 422,
	terminal.CodeStorageFull: 503, terminal.CodeStopping: 503, terminal.CodeTooManyWaiting: 429, terminal.CodeNotAdopted: 503,
	terminal.CodeBackupRunning: 409,
}

// Each refusal of the terminal has one HTTP status, the same for every call, and
// keeps its code, its words and what it is about.
func TestTerminalRefusals(t *testing.T) {
	c := serve(t)
	calls := []struct{ method, path, body string }{
		{"POST", "/v1/sales", `{"amount":1,"currency":"CAD"}`},
		{"GET", "/v1/sales/" + saleID, ""},
		{"GET", "/v1/sales/" + saleID + "?wait=1s&after=7", ""},
		{"POST", "/v1/sales/" + saleID + "/code", `{"code":"281234567890123456"}`},
		{"POST", "/v1/sales/" + saleID + "/cancel", ""},
		{"POST", "/v1/sales/" + saleID + "/check", ""},
		{"POST", "/v1/sales/" + saleID + "/qr", ""},
		{"POST", "/v1/sales/" + saleID + "/refunds", `{}`},
		{"POST", "/v1/refunds", `{"gateway":"alphapay","payment_id":"P1","amount":1}`},
		{"GET", "/v1/sales/" + saleID + "/refunds/1", ""},
		{"GET", "/v1/sales/" + saleID + "/refunds/1?wait=1s&after=7", ""},
		{"POST", "/v1/sales/" + saleID + "/resolve", `{"outcome":"paid","operator":"m","reason":"r"}`},
		{"GET", "/v1/sales", ""},
		{"GET", "/v1/terminal", ""},
	}
	for code, status := range refusals {
		refused := &terminal.Error{
			Code: code, Message: "words about it", Field: "amount", Sale: noSale, Gateway: "alphapay", Reason: payment.ReasonBadSignature,
			Refusal: &payment.Refusal{Kind: payment.RefusalGoodsBarcode, Wallet: payment.WalletWeChat, Length: 13, Mask: "40…5678"},
			Offers:  []payment.Instrument{payment.InstrumentQR},
		}
		want := client.Problem{
			Status: status, Code: client.ErrorCode(code), Detail: "words about it", Field: "amount", Sale: noSale, Gateway: "alphapay",
			Reason:  &client.Reason{Code: "bad_signature", Message: "cashier: bad_signature", CustomerMessage: "customer: bad_signature"},
			Refusal: &client.Refusal{Kind: "goods_barcode", Wallet: "wechat", Length: 13, Mask: "40…5678"},
			Offers:  []string{"qr"},
		}
		if code == terminal.CodeInvalid {
			want.Detail = "amount words about it"
		}
		if code == terminal.CodeNotFound {
			want = client.Problem{Status: 404, Code: "not_found", Detail: "There is no such sale on this terminal.", Field: "amount"}
		}
		c.terminal.err = fmt.Errorf("wrapped: %w", refused)
		for _, call := range calls {
			t.Run(string(code)+" "+call.method+" "+call.path, func(t *testing.T) {
				got := problemOf(t, c.send(t, call.method, call.path, call.body, c.as(api.RoleOperator)))
				got.Type, got.Title = "", ""
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
	if text := c.log.String(); text != "" {
		t.Errorf("a refusal is no failure, but was logged: %s", text)
	}
}

// Every code that the terminal declares is in the table above, and so in the API's.
func TestEveryTerminalCodeHasAStatus(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../terminal/errors.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	declared := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if name, ok := spec.Type.(*ast.Ident); !ok || name.Name != "ErrorCode" {
			return true
		}
		for _, value := range spec.Values {
			code, err := strconv.Unquote(value.(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			declared++
			if refusals[terminal.ErrorCode(code)] == 0 {
				t.Errorf("%s has no HTTP status", code)
			}
		}
		return true
	})
	if declared == 0 || declared != len(refusals) {
		t.Errorf("%d codes declared, %d in the table", declared, len(refusals))
	}
}

// What is no refusal is answered without detail, and logged with its route.
func TestInternalErrors(t *testing.T) {
	tests := []struct {
		name string
		err  error
		code client.ErrorCode
		log  string
	}{
		{"any other error", errors.New("disk on fire"), client.CodeInternal, "disk on fire"},
		{"an unknown code", &terminal.Error{Code: "brand_new", Message: "words"}, client.CodeInternal, ""},
		{"no answer in time", fmt.Errorf("loop: %w", context.DeadlineExceeded), client.CodeTimeout, ""},
		{"no answer before the end", terminal.ErrOutcomeUnknown, client.CodeTimeout, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := serve(t)
			c.terminal.err = test.err
			got := problemOf(t, c.send(t, "POST", "/v1/sales", `{"amount":1,"currency":"CAD"}`))
			if got.Code != test.code || strings.Contains(got.Detail, "fire") {
				t.Errorf("got %+v", got)
			}
			if log := c.log.String(); !strings.Contains(log, test.log) || test.log != "" && !strings.Contains(log, "POST /v1/sales") {
				t.Errorf("log %q", log)
			}
		})
	}
}

// A panic is answered as an internal error; neither answer nor log holds its value.
func TestPanic(t *testing.T) {
	c := serve(t)
	c.terminal.panics = "code 281234567890123456"
	a := c.send(t, "POST", "/v1/sales/"+saleID+"/code", `{"code":"281234567890123456"}`)
	if got := problemOf(t, a); got.Code != client.CodeInternal {
		t.Errorf("got %+v", got)
	}
	if log := c.log.String(); !strings.Contains(log, "panic with a string") || !strings.Contains(log, "presentCode") {
		t.Errorf("the log does not say where it was: %s", log)
	}
	if strings.Contains(a.raw()+c.log.String(), "281234567890123456") {
		t.Error("the panic's value came out")
	}
}

// A body that is not one acceptable new sale is refused with the field's rule,
// never reaches the terminal, and is not repeated.
func TestBadNewSale(t *testing.T) {
	const rest = `,"currency":"CAD"}`
	tests := []struct {
		name, body string
		status     int
		code       client.ErrorCode
		field      string
	}{
		{"amount 0", `{"amount":0` + rest, 422, "invalid", "amount"},
		{"amount negative", `{"amount":-1` + rest, 422, "invalid", "amount"},
		{"amount minus zero", `{"amount":-0` + rest, 422, "invalid", "amount"},
		{"amount with a fraction", `{"amount":1.5` + rest, 422, "invalid", "amount"},
		{"amount with a zero fraction", `{"amount":100.0` + rest, 422, "invalid", "amount"},
		{"amount with an exponent", `{"amount":1e2` + rest, 422, "invalid", "amount"},
		{"amount in quotes", `{"amount":"100"` + rest, 422, "invalid", "amount"},
		{"amount true", `{"amount":true` + rest, 422, "invalid", "amount"},
		{"amount null", `{"amount":null` + rest, 422, "invalid", "amount"},
		{"amount an object", `{"amount":{"value":1}` + rest, 422, "invalid", "amount"},
		{"amount over 64 bits", `{"amount":9223372036854775808` + rest, 422, "invalid", "amount"},
		{"amount missing", `{"currency":"CAD"}`, 422, "invalid", "amount"},
		{"amount with a leading zero", `{"amount":01` + rest, 400, "malformed", ""},
		{"amount NaN", `{"amount":NaN` + rest, 400, "malformed", ""},
		{"amount twice", `{"amount":1,"amount":2` + rest, 422, "invalid", "amount"},
		{"amount twice, once escaped", `{"amount":1,"\u0061mount":2` + rest, 422, "invalid", "amount"},
		{"amount in capitals", `{"Amount":1` + rest, 422, "invalid", ""},
		{"currency missing", `{"amount":1}`, 422, "invalid", "currency"},
		{"currency XXX", `{"amount":1,"currency":"XXX"}`, 422, "invalid", "currency"},
		{"currency in small letters", `{"amount":1,"currency":"cad"}`, 422, "invalid", "currency"},
		{"currency a number", `{"amount":1,"currency":124}`, 422, "invalid", "currency"},
		{"reference too long", `{"amount":1,"reference":"` + strings.Repeat("é", 65) + `"` + rest, 422, "invalid", "reference"},
		{"reference of two lines", `{"amount":1,"reference":"a\nb"` + rest, 422, "invalid", "reference"},
		{"description too long", `{"amount":1,"description":"` + strings.Repeat("a", 101) + `"` + rest, 422, "invalid", "description"},
		{"description with a NUL", `{"amount":1,"description":"\u0000"` + rest, 422, "invalid", "description"},
		{"mode unknown", `{"amount":1,"mode":"AUTO"` + rest, 422, "invalid", "mode"},
		{"replaces no id", `{"amount":1,"replaces":"1"` + rest, 422, "invalid", "replaces"},
		{"separate a string", `{"amount":1,"separate":"true"` + rest, 422, "invalid", "separate"},
		{"unknown field", `{"amount":1,"ammount":2` + rest, 422, "invalid", ""},
		{"unknown field twice", `{"x":1,"x":2,"amount":1` + rest, 422, "invalid", ""},
		{"no body", ``, 400, "malformed", ""},
		{"spaces", `   `, 400, "malformed", ""},
		{"null", `null`, 422, "invalid", "amount"},
		{"an array", `[]`, 422, "invalid", ""},
		{"a string", `"x"`, 422, "invalid", ""},
		{"cut off", `{"amount":1`, 400, "malformed", ""},
		{"two values", `{"amount":1,"currency":"CAD"}{}`, 400, "malformed", ""},
		{"a comment", `{"amount":1/*!*/,"currency":"CAD"}`, 400, "malformed", ""},
		{"not UTF-8", "{\"amount\":1,\"reference\":\"\xff\"" + rest, 400, "malformed", ""},
		{"half a surrogate", `{"amount":1,"reference":"\ud800"` + rest, 400, "malformed", ""},
		{"a deep nest", `{"amount":` + strings.Repeat("[", 60000), 400, "malformed", ""},
		{"1 MiB", `{"amount":1,"reference":"` + strings.Repeat("a", 1<<20) + `"` + rest, 413, "body_too_large", ""},
	}
	c := serve(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := problemOf(t, c.send(t, "POST", "/v1/sales", test.body, header("Content-Type", "application/json")))
			if got.Status != test.status || got.Code != test.code || got.Field != test.field || got.Detail == "" {
				t.Errorf("got %+v", got)
			}
		})
	}
	if n := c.terminal.changes(); n != 0 {
		t.Errorf("%d bad bodies reached the terminal", n)
	}
}

// The largest body and the longest fields are taken.
func TestLargestNewSale(t *testing.T) {
	c := serve(t)
	body := `{"amount":9223372036854775807,"currency":"KWD","reference":"` + strings.Repeat("é", 64) + `","description":"` +
		strings.Repeat("字", 100) + `","mode":"qr","replaces":"` + noSale + `"}`
	body += strings.Repeat(" ", 64<<10-len(body))
	a := c.send(t, "POST", "/v1/sales", body, header("Content-Type", "Application/JSON; charset=UTF-8"))
	if a.StatusCode != 201 {
		t.Fatal(a.raw())
	}
	got := c.terminal.created[0]
	if got.Amount != (payment.Money{Amount: 1<<63 - 1, Currency: "KWD"}) || got.Mode != payment.ModeQR || got.Replaces != noSale {
		t.Errorf("the terminal got %+v", got)
	}
	a = c.send(t, "POST", "/v1/sales", body+" ")
	if got := problemOf(t, a); got.Code != client.CodeBodyTooLarge {
		t.Errorf("one byte more: %+v", got)
	}
}

// Queries and bodies of the other calls are as strict.
func TestBadCalls(t *testing.T) {
	sale := "/v1/sales/" + saleID
	tests := []struct {
		method, path, body string
		status             int
		code               client.ErrorCode
		field              string
	}{
		{"GET", sale + "?wait=61s", "", 422, "invalid", "wait"},
		{"GET", sale + "?wait=-1s", "", 422, "invalid", "wait"},
		{"GET", sale + "?wait=25", "", 422, "invalid", "wait"},
		{"GET", sale + "?wait=", "", 422, "invalid", "wait"},
		{"GET", sale + "?after=-1", "", 422, "invalid", "after"},
		{"GET", sale + "?after=1.0", "", 422, "invalid", "after"},
		{"GET", sale + "?after=1&after=2", "", 422, "invalid", "after"},
		{"GET", sale + "?version=1", "", 422, "invalid", ""},
		{"GET", sale + "?after=%zz", "", 422, "invalid", ""},
		{"GET", sale + "?after=1;wait=2", "", 422, "invalid", ""},
		{"GET", "/v1/terminal?x=1", "", 422, "invalid", ""},
		{"GET", "/v1/terminal", "{\"x\":1}", 422, "invalid", ""},
		{"GET", sale, "[]", 422, "invalid", ""},
		{"POST", sale + "/cancel?now", "", 422, "invalid", ""},
		{"POST", sale + "/cancel", `{"reason":"x"}`, 422, "invalid", ""},
		{"POST", sale + "/check", `[]`, 422, "invalid", ""},
		{"POST", sale + "/qr", `{`, 400, "malformed", ""},
		{"POST", sale + "/code", ``, 400, "malformed", ""},
		{"POST", sale + "/code", `{}`, 422, "invalid", "code"},
		{"POST", sale + "/code", `{"code":""}`, 422, "invalid", "code"},
		{"POST", sale + "/code", `{"code":1}`, 422, "invalid", "code"},
		{"POST", sale + "/code", `{"code":"1","code":"2"}`, 422, "invalid", "code"},
		{"GET", "/v1/sales/" + noSale, "", 404, "not_found", ""},
		{"GET", "/v1/sales/1", "", 404, "not_found", ""},
		{"GET", "/v1/sales/" + strings.ToLower(saleID), "", 404, "not_found", ""},
		{"GET", "/v1/sales/8" + saleID[1:], "", 404, "not_found", ""},
		{"GET", "/v1/nothing", "", 404, "not_found", ""},
		{"GET", sale + "/", "", 404, "not_found", ""},
		{"GET", "/v1//sales/" + saleID, "", 404, "not_found", ""},
		{"GET", "/v1/../v1/sales/" + saleID, "", 404, "not_found", ""},
		{"GET", "/docs/other.js", "", 404, "not_found", ""},
		{"GET", sale + "/refunds/4", "", 404, "not_found", ""},
		{"GET", sale + "/refunds/0", "", 404, "not_found", ""},
		{"GET", sale + "/refunds/01", "", 404, "not_found", ""},
		{"GET", sale + "/refunds/+1", "", 404, "not_found", ""},
		{"GET", sale + "/refunds/281234567890123456", "", 404, "not_found", ""},
		{"GET", "/v1/sales/" + noSale + "/refunds/1", "", 404, "not_found", ""},
		{"GET", sale + "/refunds/1?wait=61s", "", 422, "invalid", "wait"},
		{"POST", "/v1/sales/1/refunds", "{}", 404, "not_found", ""},
		{"POST", sale + "/refunds?amount=1", "{}", 422, "invalid", ""},
		{"GET", "/v1/sales?status=", "", 422, "invalid", "status"},
		{"GET", "/v1/sales?status=PAID", "", 422, "invalid", "status"},
		{"GET", "/v1/sales?reference=", "", 422, "invalid", "reference"},
		{"GET", "/v1/sales?reference=a%0Ab", "", 422, "invalid", "reference"},
		{"GET", "/v1/sales?reference=" + strings.Repeat("a", 65), "", 422, "invalid", "reference"},
		{"GET", "/v1/sales?from=2026-01-02", "", 422, "invalid", "from"},
		{"GET", "/v1/sales?from=2026-01-02T00:00:00+01:00", "", 422, "invalid", "from"}, // a plus means a space
		{"GET", "/v1/sales?from=0001-01-01T00:00:00Z", "", 422, "invalid", "from"},
		{"GET", "/v1/sales?to=", "", 422, "invalid", "to"},
		{"GET", "/v1/sales?limit=0", "", 422, "invalid", "limit"},
		{"GET", "/v1/sales?limit=101", "", 422, "invalid", "limit"},
		{"GET", "/v1/sales?limit=1e1", "", 422, "invalid", "limit"},
		{"GET", "/v1/sales?cursor=1", "", 422, "invalid", "cursor"},
		{"GET", "/v1/sales?limit=1&limit=2", "", 422, "invalid", "limit"},
		{"GET", "/v1/sales?amount=1", "", 422, "invalid", ""},
		{"GET", "/v1/sales", "[]", 422, "invalid", ""},
		{"DELETE", "/v1/sales", "", 405, "method_not_allowed", ""},
		{"GET", sale + "/refunds", "", 405, "method_not_allowed", ""},
		{"POST", sale + "/refunds/1", "", 405, "method_not_allowed", ""},
		{"PUT", sale, "", 405, "method_not_allowed", ""},
		{"DELETE", sale, "", 405, "method_not_allowed", ""},
		{"GET", sale + "/cancel", "", 405, "method_not_allowed", ""},
		{"OPTIONS", sale, "", 405, "method_not_allowed", ""},
	}
	c := serve(t)
	for _, test := range tests {
		t.Run(test.method+" "+test.path+" "+test.body, func(t *testing.T) {
			a := c.send(t, test.method, test.path, test.body)
			got := problemOf(t, a)
			if got.Status != test.status || got.Code != test.code || got.Field != test.field {
				t.Errorf("got %+v", got)
			}
			if (got.Status == 405) != (a.Header.Get("Allow") != "") {
				t.Errorf("status %d with Allow %q", got.Status, a.Header.Get("Allow"))
			}
		})
	}
	if n := c.terminal.changes(); n != 0 {
		t.Errorf("%d bad calls reached the terminal", n)
	}
}

// A body must say that it is JSON.
func TestContentType(t *testing.T) {
	c := serve(t)
	const body = `{"amount":1,"currency":"CAD"}`
	for _, given := range []string{"", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1", "application/problem+json", "json"} {
		got := problemOf(t, c.send(t, "POST", "/v1/sales", body, header("Content-Type", given)))
		if got.Code != client.CodeUnsupportedMediaType {
			t.Errorf("Content-Type %q: %+v", given, got)
		}
	}
	got := problemOf(t, c.send(t, "POST", "/v1/sales", body, header("Content-Encoding", "gzip")))
	if got.Code != client.CodeUnsupportedMediaType {
		t.Errorf("gzip: %+v", got)
	}
	for _, body := range []string{"", "{}", " {} "} {
		if a := c.send(t, "POST", "/v1/sales/"+saleID+"/check", body); a.StatusCode != 200 {
			t.Errorf("check with body %q: %s", body, a.raw())
		}
	}
}
