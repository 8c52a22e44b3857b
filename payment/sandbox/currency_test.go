package sandbox

import (
	"strings"
	"testing"
)

// At Alipay+ alone any currency is practised with, in its own decimals; AlphaPay has
// two hosts.
func TestCurrencies(t *testing.T) {
	yen := func(c *Config) { c.MerchantCode, c.Currency = "", "JPY" }
	p := newPlus(t, yen)
	request := codeOrder("R-1", code("00"))
	amount := obj{"currency": "JPY", "value": "1250"}
	request["paymentAmount"], request["order"].(obj)["orderAmount"] = amount, amount
	if got := p.tell(plusPay, request); got.String() != "S SUCCESS" || got.PaymentAmount.Currency != "JPY" {
		t.Errorf("%+v", got)
	}
	if _, err := p.Refund("R-1", 250); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string][]string{"/": {">1250 JPY<", ">250 JPY<"}, p.truth("R-1").PayPath: {">1250 JPY<", ">250 JPY refunded<"}} {
		_, page := p.get(path)
		for _, shown := range want {
			if !strings.Contains(page, shown) {
				t.Errorf("%s does not show %q", path, shown)
			}
		}
	}
	if got := p.scan("R-2", "00"); got.String() != "F CURRENCY_NOT_SUPPORT" {
		t.Errorf("in CAD: %v", got)
	}
	for _, merchant := range []string{"", merchantCode} {
		for code, good := range map[string]bool{"CAD": true, "KWD": merchant == "", "XYZ": false} {
			config := testConfig(newClock())
			config.MerchantCode, config.Currency = merchant, code
			if _, err := New(config); (err == nil) != good {
				t.Errorf("%s with AlphaPay merchant %q: %v", code, merchant, err)
			}
		}
	}
	if got := money(1005, "KWD"); got != "1.005 KWD" {
		t.Error(got)
	}
}
