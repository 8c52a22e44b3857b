package exchange

import (
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"payscand/payment"
	"payscand/payment/signature"
)

// Timing, the fate of kept connections and what answers do are tested with the
// whole of a gateway, by payment/alphapay and payment/alipayplus.

// testKeys are made once: the merchant's and the platform's.
var testKeys = sync.OnceValue(func() (keys struct{ merchant, platform signature.PrivateKey }) {
	for _, key := range []*signature.PrivateKey{&keys.merchant, &keys.platform} {
		made, err := signature.GenerateKey()
		if err != nil {
			panic(err)
		}
		*key = made
	}
	return keys
})

// testConfig has a scheme without a nonce; the gateway tests have one with.
func testConfig(baseURL string) Config {
	keys := testKeys()
	return Config{
		Scheme: Scheme{
			Vendor: "Vendor", Algorithm: signature.RSA256, AccountHeader: "Client-Id", AccountKey: "client_id",
			Content: func(method, path, account, time, _ string, body []byte) []byte {
				return signature.AlipayPlusContent(method, path, account, time, body)
			},
			Documented: func(code string) bool { return code == "INVALID_SIGNATURE" },
		},
		Name: "vendor", BaseURL: baseURL, Account: "C1", PrivateKey: keys.merchant,
		PlatformKeys: map[int]signature.PublicKey{1: keys.platform.Public()},
	}
}

func newClient(t testing.TB, config Config) *Client {
	t.Helper()
	c, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// platform signs as the vendor does.
func platform(t testing.TB) *Client {
	keys := testKeys()
	config := testConfig("http://127.0.0.1")
	config.PrivateKey, config.PlatformKeys = keys.platform, map[int]signature.PublicKey{1: keys.merchant.Public()}
	return newClient(t, config)
}

// A message is verified by the other side, and the answer by this one; a header
// that is missing, doubled or changed makes the answer unverified, and a
// documented code in it is told as a hint only.
func TestExchange(t *testing.T) {
	vendor := platform(t)
	const body = `{"result":{"resultCode":"INVALID_SIGNATURE","resultStatus":"F"}}`
	for name, test := range map[string]struct {
		spoil func(http.Header)
		hint  string
	}{
		"whole":         {func(http.Header) {}, ""},
		"no signature":  {func(h http.Header) { h.Del("Signature") }, "it says INVALID_SIGNATURE"},
		"no time":       {func(h http.Header) { h.Del("Response-Time") }, "it says INVALID_SIGNATURE"},
		"two times":     {func(h http.Header) { h.Add("Response-Time", h.Get("Response-Time")) }, "it says"},
		"another time":  {func(h http.Header) { h.Set("Response-Time", "2019-05-28T12:12:12+08:00") }, "it says"},
		"two signed":    {func(h http.Header) { h.Add("Signature", h.Get("Signature")) }, "it says"},
		"key version 2": {func(h http.Header) { h.Set("Signature", strings.Replace(h.Get("Signature"), "=1", "=2", 1)) }, "it says"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				raw, err := io.ReadAll(r.Body)
				if err != nil {
					t.Error(err)
				}
				if _, err := vendor.believe(r.URL.Path, "Request-Time", r.Header, raw); err != nil {
					t.Errorf("the request: %v", err)
				}
				header, err := vendor.SignReply(r.URL.Path, []byte(body), time.Now())
				if err != nil {
					t.Error(err)
				}
				test.spoil(header)
				maps.Copy(w.Header(), header)
				_, _ = io.WriteString(w, body)
			}))
			defer server.Close()
			c := newClient(t, testConfig(server.URL))
			m, err := c.Sign(c.BaseURL(), "/v1/pay", []byte(`{"a":"b"}`), time.Now())
			if err != nil {
				t.Fatal(err)
			}
			got, answered, f := c.Exchange(context.Background(), m)
			switch {
			case test.hint == "" && (f != nil || string(got) != body || time.Since(answered).Abs() > time.Minute):
				t.Errorf("got %s, %v, %v", got, answered, f)
			case test.hint != "" && (f == nil || f.Class != payment.ClassNoAnswer || f.Reason != payment.ReasonAnswerUnverified ||
				!strings.Contains(f.Error(), test.hint)):
				t.Errorf("got %s, %v", got, f)
			}
		})
	}
}

// What fails before there is a connection was not sent; from then on it may have
// been.
func TestNotSentIsOnlyBeforeTheConnection(t *testing.T) {
	c := newClient(t, testConfig("http://127.0.0.1"))
	m, err := c.Sign(c.BaseURL(), "/v1/pay", nil, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := net.Pipe()
	_ = theirs.Close()
	for _, test := range []struct {
		dial  DialFunc
		class payment.Class
	}{
		{func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("refused") }, payment.ClassNotSent},
		{func(context.Context, string, string) (net.Conn, error) { return ours, nil }, payment.ClassNoAnswer},
	} {
		c.transport = NewTransport(test.dial, nil, time.Second)
		if _, _, f := c.Exchange(context.Background(), m); f == nil || f.Class != test.class || f.Verdict().Class != test.class {
			t.Errorf("got %v, want %s", f, test.class)
		}
	}
}

// A stored URL is taken only as scheme and host with the vendor's path.
func TestBaseOf(t *testing.T) {
	for stored, want := range map[string]string{
		"https://gateway.example/v1/pay":             "https://gateway.example",
		"http://127.0.0.1:8490/v1/pay":               "http://127.0.0.1:8490",
		"http://gateway.example/v1/pay":              "",
		"https://gateway.example/v1/refund":          "",
		"https://user:secret@gateway.example/v1/pay": "",
		"/v1/pay": "",
	} {
		base, err := BaseOf(stored, "/v1/pay")
		if base != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v", stored, base, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the error shows the URL: %v", err)
		}
	}
}

// Proxies named in the environment are not used: they would see the headers, and
// answer in the gateway's place.
func TestNoProxyFromTheEnvironment(t *testing.T) {
	if NewTransport(nil, nil, time.Second).Proxy != nil {
		t.Error("the transport asks for a proxy")
	}
}
