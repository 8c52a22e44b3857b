package alphapay

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"payscand/payment"
	"payscand/payment/exchange/exchangetest"
	"payscand/payment/signature"
)

const notifyPath = "/notify/alphapay"

func notifying(c *Config) { c.NotifyURL = "https://shop.example" + notifyPath }

// noticeOf is an inquiry's answer without its result.
func noticeOf(status string) string {
	return `{` + ids + "," + orderIs + `,"paymentStatus":"` + status + `","paymentTime":"2025-06-03T15:05:24-08:00"}`
}

// signedNotice is the header of a notification that key signed for path.
func signedNotice(t testing.TB, path, body string, key signature.PrivateKey) http.Header {
	t.Helper()
	at, nonce := time.Now().UTC().Format(time.RFC3339), strings.Repeat("n", 32)
	signed, err := signature.Signer{Algorithm: signature.RS256, KeyVersion: 1, Key: key}.Sign(
		[]byte("POST " + path + "\n" + testMerchant + "." + at + "." + nonce + "." + body))
	if err != nil {
		t.Fatal(err)
	}
	return http.Header{"Merchant-Code": {testMerchant}, "Request-Time": {at}, "Nonce": {nonce}, "Signature": {signed}}
}

// A notification is believed when AlphaPay signed it for this merchant and for the
// path that it was told. Any other comes back unverified, naming the order at most.
// Of a refund only the request id is told.
func TestNotification(t *testing.T) {
	g := newGateway(t, testConfig("https://openapi.alphapay.ca"), notifying)
	platform := exchangetest.Keys().Platform
	paid := noticeOf("SUCCESS")
	refund := `{"refundRequestId":"` + testRefundReq + `","refundId":"` + testRefundID + `","paymentId":"` + testPaymentID + `","refundStatus":"SUCCESS"}`
	spoiled := func(name, value string) http.Header {
		h := signedNotice(t, notifyPath, paid, platform)
		h.Del(name)
		if value != "" {
			h.Set(name, value)
		}
		return h
	}
	for name, test := range map[string]struct {
		body   string
		header http.Header
		class  payment.Class
		about  string
	}{
		"paid":               {paid, nil, payment.ClassPaid, testRequestID},
		"refunded in part":   {noticeOf("PARTIAL_REFUND"), nil, payment.ClassPaid, testRequestID},
		"closed":             {noticeOf("CLOSED"), nil, payment.ClassClosed, testRequestID},
		"a refund":           {refund, nil, payment.ClassPending, testRefundReq},
		"no status":          {`{` + ids + "," + orderIs + `}`, nil, "", testRequestID},
		"no amount":          {`{` + ids + `,"paymentStatus":"SUCCESS"}`, nil, "", testRequestID},
		"no order":           {`{` + orderIs + `,"paymentStatus":"SUCCESS"}`, nil, "", ""},
		"twice a name":       {strings.Replace(paid, "{", `{"paymentStatus":"CLOSED",`, 1), nil, "", ""},
		"a stranger's":       {paid, signedNotice(t, notifyPath, paid, exchangetest.Keys().Stranger), "", testRequestID},
		"another path's":     {paid, signedNotice(t, inquirePath, paid, platform), "", testRequestID},
		"another body's":     {paid, signedNotice(t, notifyPath, paid+" ", platform), "", testRequestID},
		"another merchant's": {paid, spoiled("Merchant-Code", "OTHER"), "", testRequestID},
		"unsigned":           {paid, spoiled("Signature", ""), "", testRequestID},
		"without a nonce":    {paid, spoiled("Nonce", ""), "", testRequestID},
		"not JSON":           {"<html>", nil, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			header := test.header
			if header == nil {
				header = signedNotice(t, notifyPath, test.body, platform)
			}
			n, err := g.Notified("/relayed/elsewhere", header, []byte(test.body))
			if n.Verified != (test.class != "") || (err == nil) != n.Verified || n.Verdict.Class != test.class || n.RequestID != test.about {
				t.Errorf("got %+v, %v", n, err)
			}
			if n.Verdict.Class == payment.ClassPaid && (n.Verdict.RequestID != testRequestID || n.Verdict.PaymentID != testPaymentID || n.Verdict.Amount != testMoney) {
				t.Errorf("about %+v", n)
			}
		})
	}
	header, body, err := g.Acknowledge(notifyPath)
	if err != nil || header.Get("Content-Type") == "" || string(body) != `{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"}}` {
		t.Errorf("acknowledged with %v %s, %v", header, body, err)
	}
}

// The order names where its notification goes, and nothing where there is none.
func TestNotifyURLIsSent(t *testing.T) {
	quiet := newGateway(t, testConfig("https://openapi.alphapay.ca"))
	telling := newGateway(t, testConfig("https://openapi.alphapay.ca"), notifying)
	if head := testAttempt(t, quiet).Intent.Head; strings.Contains(head, "notifyUrl") {
		t.Errorf("sent %s", head)
	}
	if head := testAttempt(t, telling).Intent.Head; !strings.Contains(head, `"notifyUrl":"https://shop.example/notify/alphapay"`) {
		t.Errorf("sent %s", head)
	}
}

// Whatever a notification is, reading it neither panics nor believes what is not
// signed, and a verified one names its order.
func FuzzNotification(f *testing.F) {
	g := newGateway(f, testConfig("https://openapi.alphapay.ca"), notifying)
	for _, body := range []string{noticeOf("SUCCESS"), noticeOf("CLOSED"), "{}", "null", `{"paymentRequestId":1}`, `{"refundRequestId":"x"}`} {
		f.Add([]byte(body), "algorithm=RS256,keyVersion=1,signature=AAAA", true)
		f.Add([]byte(body), "", false)
	}
	f.Fuzz(func(t *testing.T, body []byte, header string, signed bool) {
		h := http.Header{"Merchant-Code": {testMerchant}, "Request-Time": {header}, "Nonce": {header}, "Signature": {header}}
		if signed {
			h = signedNotice(t, notifyPath, string(body), exchangetest.Keys().Platform)
		}
		n, err := g.Notified(notifyPath, h, body)
		switch {
		case (err == nil) != n.Verified, n.Verified && !signed:
			t.Errorf("got %+v, %v", n, err)
		case n.Verified && n.RequestID == "", n.Verdict.Class == payment.ClassPaid && n.Verdict.RequestID != n.RequestID:
			t.Errorf("verified, of no order: %+v", n)
		case !n.Verified && n.Verdict != (payment.Verdict{}):
			t.Errorf("unverified, yet it says %+v", n.Verdict)
		}
	})
}
