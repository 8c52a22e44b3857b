package alphapay

import (
	"compress/gzip"
	"context"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"payscand/payment"
	"payscand/payment/exchange"
	"payscand/payment/exchange/exchangetest"
)

// What fails before there is a connection is not sent, and said so.
func TestNotSent(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused := "http://" + listener.Addr().String()
	_ = listener.Close()
	var arrived atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { arrived.Add(1) }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	plain := httptest.NewServer(server.Config.Handler)
	defer plain.Close()

	cancelledContext, cancel := context.WithCancel(context.Background())
	cancel()
	for name, test := range map[string]struct {
		url  string
		dial exchange.DialFunc
		over bool // the caller has given up
	}{
		"port refused": {url: refused},
		"name unknown": {url: "https://openapi.alphapay.ca", dial: func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.DNSError{Err: "no such host", Name: "openapi.alphapay.ca", IsNotFound: true}
		}},
		"certificate of an unknown authority":   {url: server.URL},
		"no TLS on the other side":              {url: strings.Replace(plain.URL, "http:", "https:", 1)},
		"given up before anything was done":     {url: plain.URL, over: true},
		"closed in the middle of the handshake": {url: "https://127.0.0.1", dial: brokenDial},
	} {
		t.Run(name, func(t *testing.T) {
			config := testConfig(test.url)
			if test.dial != nil {
				dialing(test.dial)(&config)
			}
			g := newGateway(t, config)
			ctx := context.Background()
			if test.over {
				ctx = cancelledContext
			}
			for _, kind := range append(kinds, refundKinds...) {
				r, err := g.Prepare(testSale(testAttempt(t, g)), callOf(kind), time.Now())
				if err != nil {
					t.Fatal(err)
				}
				exchangetest.AssertVerdict(t, g.Send(ctx, r), payment.ClassNotSent, payment.ReasonGatewayUnreachable)
			}
		})
	}
	if n := arrived.Load(); n != 0 {
		t.Errorf("%d requests arrived", n)
	}
}

func brokenDial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	return ours, theirs.Close()
}

// The same server is trusted once its authority is configured, and the answer of
// a trusted server still has to be signed.
func TestTLSWithConfiguredAuthority(t *testing.T) {
	f := &fake{t: t, reply: exchangetest.Always(payPending)}
	server := httptest.NewTLSServer(f)
	defer server.Close()
	config := testConfig(server.URL)
	config.RootCAs = x509.NewCertPool()
	config.RootCAs.AddCert(server.Certificate())
	g := newGateway(t, config)
	exchangetest.AssertVerdict(t, call(t, g, testAttempt(t, g), payment.CallPay), payment.ClassPending, "")
}

// Whatever happens after the connection is there is no answer, never not sent.
// What is no 200, not whole or too long is no answer.
func TestNoAnswer(t *testing.T) {
	hijack := func(write func(net.Conn)) func(http.ResponseWriter, *http.Request, []byte) bool {
		return func(w http.ResponseWriter, _ *http.Request, _ []byte) bool {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return true
			}
			write(conn)
			_ = conn.Close()
			return true
		}
	}
	says := func(status int, body string) func(http.ResponseWriter, *http.Request, []byte) bool {
		return func(w http.ResponseWriter, _ *http.Request, _ []byte) bool {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
			return true
		}
	}
	signed := func(change func(http.ResponseWriter, string) string) func(f *fake) func(http.ResponseWriter, *http.Request, []byte) bool {
		return func(f *fake) func(http.ResponseWriter, *http.Request, []byte) bool {
			return func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
				f.sign(w, r.URL.Path, payAccepted, exchangetest.Keys().Platform)
				_, _ = io.WriteString(w, change(w, payAccepted))
				return true
			}
		}
	}
	at := time.Now().UTC().Format(time.RFC3339)
	signedWith := func(at, nonce string) func(f *fake) func(http.ResponseWriter, *http.Request, []byte) bool {
		return func(f *fake) func(http.ResponseWriter, *http.Request, []byte) bool {
			return func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
				f.signWith(w, r.URL.Path, payAccepted, exchangetest.Keys().Platform, at, nonce)
				_, _ = io.WriteString(w, payAccepted)
				return true
			}
		}
	}
	plain := func(spoil func(http.ResponseWriter, *http.Request, []byte) bool) func(*fake) func(http.ResponseWriter, *http.Request, []byte) bool {
		return func(*fake) func(http.ResponseWriter, *http.Request, []byte) bool { return spoil }
	}
	for name, test := range map[string]struct {
		spoil  func(*fake) func(http.ResponseWriter, *http.Request, []byte) bool
		reason payment.Reason
	}{
		"closed without an answer": {plain(hijack(func(net.Conn) {})), payment.ReasonNoAnswer},
		"not HTTP":                 {plain(hijack(func(c net.Conn) { _, _ = io.WriteString(c, "hello\r\n\r\n") })), payment.ReasonNoAnswer},
		"headers cut":              {plain(hijack(func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nSign") })), payment.ReasonNoAnswer},
		"body cut": {plain(hijack(func(c net.Conn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"+payAccepted)
		})), payment.ReasonNoAnswer},
		"chunked body cut": {plain(hijack(func(c net.Conn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"a\":\r\n")
		})), payment.ReasonNoAnswer},
		"headers without end": {plain(hijack(func(c net.Conn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nX: "+strings.Repeat("x", 2*exchange.MaxHeaders)+"\r\n\r\n")
		})), payment.ReasonNoAnswer},
		"HTML 500":       {plain(says(500, "<html>500</html>")), payment.ReasonGatewayError},
		"502":            {plain(says(502, "")), payment.ReasonGatewayError},
		"429":            {plain(says(429, "")), payment.ReasonRateLimited},
		"204":            {plain(says(204, "")), payment.ReasonGatewayError},
		"201":            {plain(says(201, payAccepted)), payment.ReasonGatewayError},
		"200 HTML":       {plain(says(200, "<html>welcome</html>")), payment.ReasonAnswerUnverified},
		"200 unsigned":   {plain(says(200, payAccepted)), payment.ReasonAnswerUnverified},
		"200 empty":      {plain(says(200, "")), payment.ReasonAnswerUnverified},
		"over 1 MiB":     {plain(says(200, strings.Repeat(" ", exchange.MaxAnswer+1))), payment.ReasonAnswerMalformed},
		"body changed":   {signed(func(_ http.ResponseWriter, body string) string { return body + " " }), payment.ReasonAnswerUnverified},
		"body unchanged": {signed(func(_ http.ResponseWriter, body string) string { return body }), ""},
		"no signature": {signed(func(w http.ResponseWriter, body string) string {
			w.Header().Del("Signature")
			return body
		}), payment.ReasonAnswerUnverified},
		"two signatures": {signed(func(w http.ResponseWriter, body string) string {
			w.Header().Add("Signature", w.Header().Get("Signature"))
			return body
		}), payment.ReasonAnswerUnverified},
		"no time": {signed(func(w http.ResponseWriter, body string) string {
			w.Header().Del("Response-Time")
			return body
		}), payment.ReasonAnswerUnverified},
		"no nonce": {signed(func(w http.ResponseWriter, body string) string {
			w.Header().Del("Nonce")
			return body
		}), payment.ReasonAnswerUnverified},
		"signed without a Nonce":         {signedWith(at, ""), payment.ReasonAnswerUnverified},
		"signed without a Response-Time": {signedWith("", strings.Repeat("7", 32)), payment.ReasonAnswerUnverified},
		"another nonce": {signed(func(w http.ResponseWriter, body string) string {
			w.Header().Set("Nonce", strings.Repeat("0", 32))
			return body
		}), payment.ReasonAnswerUnverified},
		"another time": {signed(func(w http.ResponseWriter, body string) string {
			w.Header().Set("Response-Time", "2019-05-28T12:12:12+08:00")
			return body
		}), payment.ReasonAnswerUnverified},
		"another key version": {signed(func(w http.ResponseWriter, body string) string {
			w.Header().Set("Signature", strings.Replace(w.Header().Get("Signature"), "keyVersion=1", "keyVersion=2", 1))
			return body
		}), payment.ReasonAnswerUnverified},
		"a stranger's key": {func(f *fake) func(http.ResponseWriter, *http.Request, []byte) bool {
			return func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
				f.sign(w, r.URL.Path, payAccepted, exchangetest.Keys().Stranger)
				_, _ = io.WriteString(w, payAccepted)
				return true
			}
		}, payment.ReasonAnswerUnverified},
		"the merchant's own key": {func(f *fake) func(http.ResponseWriter, *http.Request, []byte) bool {
			return func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
				f.sign(w, r.URL.Path, payAccepted, exchangetest.Keys().Merchant)
				_, _ = io.WriteString(w, payAccepted)
				return true
			}
		}, payment.ReasonAnswerUnverified},
		"another call's answer": {func(f *fake) func(http.ResponseWriter, *http.Request, []byte) bool {
			return func(w http.ResponseWriter, _ *http.Request, _ []byte) bool {
				f.sign(w, cancelPath, payAccepted, exchangetest.Keys().Platform)
				_, _ = io.WriteString(w, payAccepted)
				return true
			}
		}, payment.ReasonAnswerUnverified},
		"the request sent back": {func(*fake) func(http.ResponseWriter, *http.Request, []byte) bool {
			return func(w http.ResponseWriter, r *http.Request, body []byte) bool {
				for _, name := range []string{"Nonce", "Signature"} {
					w.Header().Set(name, r.Header.Get(name))
				}
				w.Header().Set("Response-Time", r.Header.Get("Request-Time"))
				_, _ = w.Write(body)
				return true
			}
		}, payment.ReasonAnswerUnverified},
		"compressed, though not asked for": {func(f *fake) func(http.ResponseWriter, *http.Request, []byte) bool {
			return func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
				if r.Header.Get("Accept-Encoding") != "" {
					t.Error("compression was asked for")
				}
				f.sign(w, r.URL.Path, payAccepted, exchangetest.Keys().Platform) // over what it was before
				w.Header().Set("Content-Encoding", "gzip")
				zip := gzip.NewWriter(w)
				_, _ = io.WriteString(zip, payAccepted)
				_ = zip.Close()
				return true
			}
		}, payment.ReasonAnswerUnverified},
		"signed but malformed": {func(f *fake) func(http.ResponseWriter, *http.Request, []byte) bool {
			return func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
				body := payAccepted[:40]
				f.sign(w, r.URL.Path, body, exchangetest.Keys().Platform)
				_, _ = io.WriteString(w, body)
				return true
			}
		}, payment.ReasonAnswerMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			f, g := newFake(t, exchangetest.Always(payAccepted))
			f.spoil = test.spoil(f)
			v := call(t, g, testAttempt(t, g), payment.CallPay)
			if test.reason == "" {
				exchangetest.AssertVerdict(t, v, payment.ClassAccepted, "")
			} else {
				exchangetest.AssertVerdict(t, v, payment.ClassNoAnswer, test.reason)
			}
			if n := len(f.calls()); n != 1 {
				t.Errorf("pay arrived %d times", n)
			}
		})
	}
}

// A redirect is no answer, and nothing follows it: the code would go astray.
func TestRedirectsAreNotFollowed(t *testing.T) {
	var visits atomic.Int32
	target := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { visits.Add(1) }))
	defer target.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		f, g := newFake(t, exchangetest.Always(payAccepted))
		f.spoil = func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
			http.Redirect(w, r, target.URL, status)
			return true
		}
		exchangetest.AssertVerdict(t, call(t, g, testAttempt(t, g), payment.CallPay), payment.ClassNoAnswer, payment.ReasonGatewayError)
	}
	if n := visits.Load(); n != 0 {
		t.Errorf("%d redirects were followed", n)
	}
}
