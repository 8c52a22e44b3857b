package sandbox

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
)

// Whatever the body of a well signed request to AlphaPay, its answer is JSON and
// has a result, and money is taken only where that says so. Signatures are left
// out: they have tests of their own, and take most of the time.
func FuzzAlphaPayRequest(f *testing.F) {
	for n, body := range []string{codeBody("R-1", code("00")), idBody("1"), idBody("1"), refundBody("1", "F-1", "100"), `{"refundId":"1"}`,
		`{"date":"20260314","page":1,"pageLimit":10,"transactionType":"All"}`, `{"date":"20260314"}`} {
		f.Add(byte(n), body)
	}
	for _, body := range []string{qrBody("R-1"), codeBody("R-1", "x"), "", "{}", "null", `{"order":null}`} {
		f.Add(byte(0), body)
	}
	f.Fuzz(func(t *testing.T, which byte, body string) {
		p := newDirectPractice(t, func(c *Config) { c.After = instantly })
		a := p.vendors[GatewayAlphaPay].(*alphaPay)
		calls := []func(*wireCall) any{a.pay, a.inquire, a.cancel, a.refund, a.inquireRefund, a.transactions, a.settlements}
		call := &wireCall{request: httptest.NewRequest(http.MethodPost, payPath, nil), body: []byte(body)}
		content := calls[int(which)%len(calls)](call)
		checkFuzzed(t, p, content, call.result, call.raw, int(which)%len(calls) == 0)
	})
}

// The same for Alipay+.
func FuzzAlipayPlusRequest(f *testing.F) {
	f.Add(byte(0), marshalled(f, codeOrder("R-1", code("00"))))
	f.Add(byte(0), marshalled(f, orderCode("R-1")))
	f.Add(byte(1), `{"paymentRequestId":"R-0"}`)
	f.Add(byte(2), `{"paymentId":"1"}`)
	f.Add(byte(3), marshalled(f, refundOrder("R-0", "F-1", "100")))
	f.Fuzz(func(t *testing.T, which byte, body string) {
		p := newDirectPractice(t, func(c *Config) { c.After = instantly })
		a := p.vendors[GatewayAlipayPlus].(*alipayPlus)
		calls := []func(*wireCall) any{a.pay, a.inquire, a.cancel, a.refund}
		call := &wireCall{request: httptest.NewRequest(http.MethodPost, plusPay, nil), body: []byte(body)}
		content := calls[int(which)%len(calls)](call)
		checkFuzzed(t, p, content, call.result, call.raw, int(which)%len(calls) == 0)
	})
}

func checkFuzzed(t *testing.T, p *practice, content any, result wireResult, raw *reply, pays bool) {
	t.Helper()
	orders := p.Orders()
	if raw == nil {
		body, err := json.Marshal(content)
		if err != nil || !strings.Contains(string(body), `"result":{"resultCode":"`) || result.Code == "" || len(result.Status) != 1 {
			t.Fatalf("%s, %v, %+v", body, err, result)
		}
	} else if len(orders) == 0 {
		t.Fatal("no answer, and no behaviour that asks for it")
	}
	if illegal := result.Code == "PARAM_INVALID" || result.Code == "PARAM_ILLEGAL"; illegal && len(orders) > 0 {
		t.Fatalf("%+v: %+v", result, orders)
	}
	if pays && raw == nil && result.Status == "S" && (len(orders) != 1 || orders[0].Captures != 1) {
		t.Fatalf("%+v: %+v", result, orders)
	}
	if len(orders) > 1 || len(orders) == 1 && orders[0].Captures > 0 && raw == nil && result.Status != "S" {
		t.Fatalf("%+v: %+v", result, orders)
	}
}

// A JSON text that passes onlyStrings and decodeStrictly holds strings only, none
// of them empty.
func FuzzOnlyStrings(f *testing.F) {
	f.Add(`{"paymentId":"1"}`)
	f.Add(`{"a":{"b":[null,"x"]}}`)
	f.Add(`{"":""}`)
	f.Add(`[1,true]`)
	f.Fuzz(func(t *testing.T, text string) {
		var into any
		if where, what := decodeStrictly([]byte(text), &into); what != "" {
			if strings.ContainsAny(where, "\n") && len(where) > 100 {
				t.Fatalf("place %q", where)
			}
			return
		}
		_, what := onlyStrings([]byte(text))
		if (what == "") != stringsOnly(into) {
			t.Fatalf("%q: %q", text, what)
		}
	})
}

func stringsOnly(value any) bool {
	switch value := value.(type) {
	case nil:
		return true
	case string:
		return value != ""
	case []any:
		for _, element := range value {
			if !stringsOnly(element) {
				return false
			}
		}
		return true
	case map[string]any:
		for _, member := range value {
			if !stringsOnly(member) {
				return false
			}
		}
		return true
	}
	return false
}
