package alipayplus

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"payscand/payment"
	"payscand/payment/exchange/exchangetest"
	"payscand/payment/signature"
)

const notifyPath = "/notify/alipayplus"

func noticeOf(status, code string) string {
	return `{"paymentResult":{"resultCode":"` + code + `","resultMessage":"words","resultStatus":"` + status + `"},` + requestIs + "," + paymentIs + "," +
		amountIs + `,"paymentTime":"2025-06-03T15:05:24-08:00","acquirerId":"A","pspId":"P","customerId":"C","walletBrandName":"Wallet"}`
}

// signedNotice is the header of a notification that key signed for path.
func signedNotice(t testing.TB, path, body string, key signature.PrivateKey) http.Header {
	t.Helper()
	at := time.Now().UTC().Format(time.RFC3339)
	signed, err := signature.Signer{Algorithm: signature.RSA256, KeyVersion: 1, Key: key}.Sign(
		[]byte("POST " + path + "\n" + testClient + "." + at + "." + body))
	if err != nil {
		t.Fatal(err)
	}
	return http.Header{"Client-Id": {testClient}, "Request-Time": {at}, "Signature": {signed}}
}

// A notification is believed when Alipay+ signed it for this client and for the
// path that it was told; it then says paid, failed or closed of the order that it
// names. Any other comes back unverified, naming the order at most.
func TestNotification(t *testing.T) {
	g := newGateway(t, testConfig("https://open-sea.alipayplus.com"))
	platform := exchangetest.Keys().Platform
	paid := noticeOf("S", "SUCCESS")
	for name, test := range map[string]struct {
		body   string
		header http.Header
		class  payment.Class
		reason payment.Reason
	}{
		"paid":             {paid, signedNotice(t, notifyPath, paid, platform), payment.ClassPaid, ""},
		"failed":           {noticeOf("F", "RISK_REJECT"), nil, payment.ClassFailed, payment.ReasonDeclined},
		"closed":           {noticeOf("F", "ORDER_IS_CLOSED"), nil, payment.ClassClosed, payment.ReasonNotPaidInTime},
		"failed, unlisted": {noticeOf("F", "SOMETHING"), nil, payment.ClassFailed, payment.ReasonDeclined},
		"waiting":          {noticeOf("U", "PAYMENT_IN_PROCESS"), nil, "", ""},
		"contradicts":      {noticeOf("S", "RISK_REJECT"), nil, "", ""},
		"no result":        {`{` + requestIs + `}`, nil, "", ""},
		"no order":         {strings.Replace(paid, requestIs+",", "", 1), nil, "", ""},
		"twice a name":     {strings.Replace(paid, "{", `{"paymentResult":{"resultStatus":"F"},`, 1), nil, "", ""},
		"a stranger's":     {paid, signedNotice(t, notifyPath, paid, exchangetest.Keys().Stranger), "", ""},
		"our own":          {paid, signedNotice(t, notifyPath, paid, exchangetest.Keys().Merchant), "", ""},
		"another path's":   {paid, signedNotice(t, payPath, paid, platform), "", ""},
		"another body's":   {paid, signedNotice(t, notifyPath, paid+" ", platform), "", ""},
		"another client's": {paid, without(signedNotice(t, notifyPath, paid, platform), "Client-Id", "OTHER"), "", ""},
		"unsigned":         {paid, without(signedNotice(t, notifyPath, paid, platform), "Signature", ""), "", ""},
		"without a time":   {paid, without(signedNotice(t, notifyPath, paid, platform), "Request-Time", ""), "", ""},
		"not JSON":         {"<html>", nil, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			header := test.header
			if header == nil {
				header = signedNotice(t, notifyPath, test.body, platform)
			}
			n, err := g.Notified("/relayed/elsewhere", header, []byte(test.body))
			if n.Verified != (test.class != "") || (err == nil) != n.Verified || n.Verdict.Class != test.class || n.Verdict.Reason != test.reason {
				t.Errorf("got %+v, %v", n, err)
			}
			if n.Verified && (n.RequestID != testRequestID || n.Verdict.RequestID != testRequestID || n.Verdict.PaymentID != testPaymentID || n.Verdict.Amount != testMoney) {
				t.Errorf("about %+v", n)
			}
			if n.RequestID != "" && n.RequestID != testRequestID || n.Gateway != g.Name() {
				t.Errorf("names %q at %q", n.RequestID, n.Gateway)
			}
		})
	}
}

func without(h http.Header, name, instead string) http.Header {
	h.Del(name)
	if instead != "" {
		h.Set(name, instead)
	}
	return h
}

// The acknowledgement is what the vendor asks for, signed by this client for the
// path of the notification.
func TestAcknowledge(t *testing.T) {
	g := newGateway(t, testConfig("https://open-sea.alipayplus.com"))
	header, body, err := g.Acknowledge("/relayed/elsewhere")
	if err != nil {
		t.Fatal(err)
	}
	if string(body) != `{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"}}` {
		t.Errorf("got %s", body)
	}
	content := "POST " + notifyPath + "\n" + testClient + "." + header.Get("Response-Time") + "." + string(body)
	verifier := signature.Verifier{Algorithm: signature.RSA256, Keys: map[int]signature.PublicKey{1: exchangetest.Keys().Merchant.Public()}}
	if err := verifier.Verify([]byte(content), header.Get("Signature")); err != nil || header.Get("Client-Id") != testClient {
		t.Errorf("%v: %v", header, err)
	}
}

// Whatever a notification is, reading it neither panics nor believes what is not
// signed, and a verified one names its order.
func FuzzNotification(f *testing.F) {
	g := newGateway(f, testConfig("https://open-sea.alipayplus.com"))
	for _, body := range []string{noticeOf("S", "SUCCESS"), noticeOf("F", "ORDER_IS_CLOSED"), "{}", "null", `{"paymentRequestId":1}`, `{"refundRequestId":"x"}`} {
		f.Add([]byte(body), "algorithm=RSA256, keyVersion=1, signature=AAAA", true)
		f.Add([]byte(body), "", false)
	}
	f.Fuzz(func(t *testing.T, body []byte, header string, signed bool) {
		h := http.Header{"Client-Id": {testClient}, "Request-Time": {header}, "Signature": {header}}
		if signed {
			h = signedNotice(t, notifyPath, string(body), exchangetest.Keys().Platform)
		}
		n, err := g.Notified(notifyPath, h, body)
		switch {
		case (err == nil) != n.Verified, n.Verified && !signed:
			t.Errorf("got %+v, %v", n, err)
		case n.Verified && (n.RequestID == "" || n.Verdict.RequestID != n.RequestID):
			t.Errorf("verified, of no order: %+v", n)
		case !n.Verified && n.Verdict != (payment.Verdict{}):
			t.Errorf("unverified, yet it says %+v", n.Verdict)
		}
	})
}
