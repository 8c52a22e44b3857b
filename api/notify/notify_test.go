package notify_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"payscand/api/notify"
	"payscand/payment"
	"payscand/payment/alipayplus"
	"payscand/payment/exchange/exchangetest"
	"payscand/payment/signature"
	"payscand/terminal"
)

// counter writes down what it is told.
type counter struct {
	mu   sync.Mutex
	told []payment.Notification
	err  error
}

func (c *counter) Notify(_ context.Context, n payment.Notification) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.told = append(c.told, n)
	return c.err
}

const requestID = "01JZ8M3V0QK6T9X2B4C5D7E8F9-1"

const paid = `{"paymentResult":{"resultCode":"SUCCESS","resultStatus":"S"},"paymentRequestId":"` + requestID +
	`","paymentId":"P1","paymentAmount":{"value":"1234","currency":"CAD"}}`

// open serves a handler, whose clock stands still but for later.
func open(t *testing.T, c *counter, log io.Writer) (h *notify.Handler, url string, later func(time.Duration)) {
	t.Helper()
	var elapsed atomic.Int64
	g, err := alipayplus.New(alipayplus.Config{
		Name: "plus", BaseURL: "https://open-sea.alipayplus.com", ClientID: "5J0", TerminalCode: "L1",
		PrivateKey: exchangetest.Keys().Merchant, PlatformKeys: exchangetest.Keys().PlatformKeys(),
		NotifyURL: "https://shop.example/from/alipay",
		Merchant:  alipayplus.Merchant{ReferenceID: "M1", Name: "Shop", MCC: "5411", Address: alipayplus.Address{Region: "CA"}},
		Store:     alipayplus.Store{ReferenceID: "S1", Name: "Shop", MCC: "5411"},
	})
	if err != nil {
		t.Fatal(err)
	}
	h = notify.New(notify.Config{
		Terminal: c, Gateways: map[string][]notify.Gateway{"alipayplus": {g}}, Log: slog.New(slog.NewTextHandler(log, nil)),
		Now: func() time.Time { return time.Unix(1_800_000_000, elapsed.Load()) },
	})
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return h, server.URL, func(d time.Duration) { elapsed.Add(int64(d)) }
}

// post sends the notification that the order was paid, as key signs it.
func post(t *testing.T, url string, key signature.PrivateKey) (*http.Response, string) {
	t.Helper()
	at := time.Now().UTC().Format(time.RFC3339)
	signed, err := signature.Signer{Algorithm: signature.RSA256, KeyVersion: 1, Key: key}.Sign(
		[]byte("POST /from/alipay\n5J0." + at + "." + paid))
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequest(http.MethodPost, url, strings.NewReader(paid))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{"Client-Id": {"5J0"}, "Request-Time": {at}, "Signature": {signed}}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(answer)
}

// A verified notification reaches the terminal with its verdict and is acknowledged
// with a signature, also one of an order that is not this terminal's.
func TestVerified(t *testing.T) {
	for _, err := range []error{nil, &terminal.Error{Code: terminal.CodeNotFound}} {
		c := &counter{err: err}
		h, url, _ := open(t, c, io.Discard)
		response, body := post(t, url+"/notify/alipayplus", exchangetest.Keys().Platform)
		verifier := signature.Verifier{Algorithm: signature.RSA256, Keys: map[int]signature.PublicKey{1: exchangetest.Keys().Merchant.Public()}}
		content := "POST /from/alipay\n5J0." + response.Header.Get("Response-Time") + "." + body
		if err := verifier.Verify([]byte(content), response.Header.Get("Signature")); err != nil || response.StatusCode != 200 ||
			!strings.Contains(body, `"resultCode":"SUCCESS"`) {
			t.Errorf("status %d, %s: %v", response.StatusCode, body, err)
		}
		if len(c.told) != 1 || !c.told[0].Verified || c.told[0].RequestID != requestID || c.told[0].Gateway != "plus" || c.told[0].Verdict.Class != payment.ClassPaid {
			t.Errorf("told %+v", c.told)
		}
		if h.Unverified() != 0 {
			t.Error("counted as unverified")
		}
	}
}

// A notification that the terminal did not take in is not acknowledged.
func TestNotTakenIn(t *testing.T) {
	c := &counter{err: errors.New("stopping")}
	_, url, _ := open(t, c, io.Discard)
	if response, body := post(t, url+"/notify/alipayplus", exchangetest.Keys().Platform); response.StatusCode != http.StatusServiceUnavailable || body != "" {
		t.Errorf("status %d, %q", response.StatusCode, body)
	}
}

// Strangers who send their bodies slowly, or never, do not hold the vendor up.
func TestSlowStrangers(t *testing.T) {
	c := &counter{}
	_, url, _ := open(t, c, io.Discard)
	for range 20 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		// It asks for a go-ahead, which comes once the handler reads the body.
		if _, err := io.WriteString(conn, "POST /notify/alipayplus HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(line, "100") {
			t.Fatalf("its headers were answered with %q, %v", line, err)
		}
	}
	if response, _ := post(t, url+"/notify/alipayplus", exchangetest.Keys().Platform); response.StatusCode != http.StatusOK {
		t.Errorf("status %d", response.StatusCode)
	}
}

// What nobody signed is counted, answered with nothing, and makes the terminal ask
// about the order that it names, without a verdict and once a second at most; the
// log has one line of it.
func TestUnverified(t *testing.T) {
	var log bytes.Buffer
	c := &counter{}
	h, url, later := open(t, c, &log)
	for range 20 {
		if response, body := post(t, url+"/notify/alipayplus", exchangetest.Keys().Merchant); response.StatusCode != http.StatusUnauthorized || body != "" {
			t.Fatalf("status %d, %q", response.StatusCode, body)
		}
	}
	if h.Unverified() != 20 {
		t.Errorf("%d counted", h.Unverified())
	}
	if len(c.told) != 1 || c.told[0].Verified || c.told[0].RequestID != requestID || c.told[0].Verdict.Class != "" {
		t.Errorf("told %d times: %+v", len(c.told), c.told)
	}
	if n := strings.Count(log.String(), "\n"); n != 1 {
		t.Errorf("%d lines logged", n)
	}
	for _, d := range []time.Duration{time.Second, 59 * time.Second} { // then again, and after a minute another line
		later(d)
		post(t, url+"/notify/alipayplus", exchangetest.Keys().Merchant)
	}
	if n := strings.Count(log.String(), "\n"); n != 2 || len(c.told) != 3 {
		t.Errorf("%d lines logged, told %d times", n, len(c.told))
	}
}

// Everything else is refused without a word of it.
func TestRefused(t *testing.T) {
	const secret = "281234567890123456"
	for name, test := range map[string]struct {
		method, path, body string
		status             int
	}{
		"another vendor":   {http.MethodPost, "/notify/" + secret, paid, http.StatusNotFound},
		"another path":     {http.MethodPost, "/" + secret, paid, http.StatusNotFound},
		"an unclean path":  {http.MethodPost, "/notify//" + secret, paid, http.StatusNotFound},
		"a GET of it":      {http.MethodGet, "/notify/../" + secret, "", http.StatusNotFound},
		"a GET":            {http.MethodGet, "/notify/alipayplus?" + secret, "", http.StatusMethodNotAllowed},
		"a long body":      {http.MethodPost, "/notify/alipayplus", strings.Repeat(secret, 4000), http.StatusRequestEntityTooLarge},
		"no JSON":          {http.MethodPost, "/notify/alipayplus", secret, http.StatusUnauthorized},
		"an odd order":     {http.MethodPost, "/notify/alipayplus", `{"paymentRequestId":"` + secret + ` "}`, http.StatusUnauthorized},
		"an empty body":    {http.MethodPost, "/notify/alipayplus", "", http.StatusUnauthorized},
		"a name too often": {http.MethodPost, "/notify/alipayplus", `{"` + secret + `":1,"` + secret + `":2}`, http.StatusUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			c := &counter{}
			_, url, _ := open(t, c, &log)
			r, err := http.NewRequest(test.method, url+test.path, strings.NewReader(test.body))
			if err != nil {
				t.Fatal(err)
			}
			response, err := http.DefaultTransport.RoundTrip(r) // which follows nothing
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			body, _ := io.ReadAll(response.Body)
			if response.StatusCode != test.status || len(body) != 0 || response.Header.Get("Location") != "" {
				t.Errorf("status %d, %q, %s", response.StatusCode, body, response.Header)
			}
			if strings.Contains(log.String(), secret) {
				t.Errorf("logged %s", log.String())
			}
			if len(c.told) != 0 {
				t.Errorf("told %+v", c.told)
			}
		})
	}
}
