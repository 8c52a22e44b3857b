package sandbox

import (
	"fmt"
	"strings"
	"testing"
)

// AlphaPay's URLs must be URLs too, of the length of Alipay+'s: they are kept.
func TestAlphaPayNotifyURL(t *testing.T) {
	p := newPractice(t)
	withURL := func(id, address string) string {
		return strings.Replace(codeBody(id, code("00")), `"description"`, fmt.Sprintf(`"notifyUrl":%q,"description"`, address), 1)
	}
	paid := p.call(payPath, withURL("R-1", "https://shop.example/notify")).PaymentID
	if paid == "" {
		t.Fatal("a good URL is refused")
	}
	long := "http://127.0.0.1/" + strings.Repeat("x", 2048)
	for n, bad := range []string{long, "127.0.0.1:8482/notify", "ftp://127.0.0.1/notify", "/notify", "http://"} {
		if got := p.call(payPath, withURL(fmt.Sprint("R-bad-", n), bad)); got.String() != "F PARAM_INVALID" {
			t.Errorf("pay with %.40q: %v", bad, got)
		}
		refund := strings.Replace(refundBody(paid, fmt.Sprint("F-", n), "1"), `"refundAmount"`, fmt.Sprintf(`"notifyUrl":%q,"refundAmount"`, bad), 1)
		if got := p.call(refundPath, refund); got.String() != "F PARAM_INVALID" {
			t.Errorf("refund with %.40q: %v", bad, got)
		}
	}
}
