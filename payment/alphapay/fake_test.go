package alphapay

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"payscand/payment"
	"payscand/payment/exchange"
	"payscand/payment/exchange/exchangetest"
	"payscand/payment/signature"
)

const (
	testMerchant  = "9FEOWJ"
	testCode      = "281234567890123456"
	testRequestID = "01JZ8M3V0QK6T9X2B4C5D7E8F9-1"
	testPaymentID = "2506031505244756658153857"
	testRefundID  = "3d0a4f5e-1f0c-4c0e-8a53-5e0d3c5b7a10"
	testRefundReq = "01JZ8M3V0QK6T9X2B4C5D7E8F9-10"
)

var (
	testMoney      = payment.Money{Amount: 1234, Currency: "CAD"}
	testRefunded   = payment.Money{Amount: 500, Currency: "CAD"}
	testRefundNote = "one\tcup was cold"
)

func testConfig(baseURL string) Config {
	keys := exchangetest.Keys()
	return Config{
		Name: "alphapay", BaseURL: baseURL, MerchantCode: testMerchant, TerminalCode: "L1",
		PrivateKey:   keys.Merchant,
		PlatformKeys: keys.PlatformKeys(),
	}
}

func newGateway(t testing.TB, config Config, changes ...func(*Config)) *Gateway {
	t.Helper()
	for _, change := range changes {
		change(&config)
	}
	g, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g
}

// dialing makes a gateway open its connections by dial.
func dialing(dial exchange.DialFunc) func(*Config) {
	return func(c *Config) {
		c.Outside.Transport = exchange.NewTransport(dial, nil, exchange.DefaultConnectTimeout)
	}
}

// testAttempt is an attempt with a scanned code as Step makes it, with its intent.
func testAttempt(t testing.TB, g *Gateway) payment.Attempt {
	t.Helper()
	a := payment.Attempt{
		N: 1, RequestID: testRequestID, Gateway: g.Name(), Instrument: payment.InstrumentCode,
		PaymentID: testPaymentID, SubmittedAt: time.Now().UTC(), Sends: 1, Code: payment.NewCode(testCode),
	}
	intent, err := g.Compose(payment.Sale{ID: "01JZ8M3V0QK6T9X2B4C5D7E8F9", Amount: testMoney, Description: "two coffees"}, a)
	if err != nil {
		t.Fatal(err)
	}
	a.Intent = intent
	return a
}

// testSale is a sale with the attempt and a refund of it in part, whose refund id is known.
func testSale(a payment.Attempt) payment.Sale {
	return payment.Sale{
		ID: "01JZ8M3V0QK6T9X2B4C5D7E8F9", Amount: testMoney, Attempts: []payment.Attempt{a},
		Refunds: []payment.Refund{{
			N: 1, RequestID: testRefundReq, Attempt: 1, Amount: testRefunded, Note: testRefundNote,
			RefundID: testRefundID, RequestedAt: a.SubmittedAt,
		}},
	}
}

// callOf is a call of the sale's attempt, or of its refund.
func callOf(kind payment.CallKind) payment.Call {
	c := payment.Call{Attempt: 1, Seq: 1, Kind: kind, Gateway: "alphapay"}
	if isRefundCall(kind) {
		c.Refund = 1
	}
	return c
}

// call prepares and sends one call of the attempt, or of the refund that testSale makes.
func call(t testing.TB, g *Gateway, a payment.Attempt, kind payment.CallKind) payment.Verdict {
	t.Helper()
	return callSale(t, g, testSale(a), kind)
}

func callSale(t testing.TB, g *Gateway, s payment.Sale, kind payment.CallKind) payment.Verdict {
	t.Helper()
	r, err := g.Prepare(s, callOf(kind), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return g.Send(context.Background(), r)
}

// probe sends a probe, which comes without a sale.
func probe(t testing.TB, g *Gateway) payment.Verdict {
	t.Helper()
	r, err := g.Prepare(payment.Sale{}, payment.Call{Kind: payment.CallProbe, Gateway: g.Name()}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return g.Send(context.Background(), r)
}

// fake is AlphaPay as far as a test needs it: it checks what it receives by code
// of its own, counts it, and signs what reply returns.
type fake struct {
	t     testing.TB
	reply func(path string, body map[string]any) string // the answer's body
	spoil func(w http.ResponseWriter, r *http.Request, body []byte) (over bool)
	shift time.Duration // of its clock

	mu       sync.Mutex
	received []received
}

type received struct {
	path, sent, nonce string
	body              []byte
}

// newFake serves a fake over plain HTTP on the loopback address.
func newFake(t testing.TB, reply func(path string, body map[string]any) string, changes ...func(*Config)) (*fake, *Gateway) {
	t.Helper()
	f := &fake{t: t, reply: reply}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	return f, newGateway(t, testConfig(server.URL), changes...)
}

func (f *fake) now() time.Time { return time.Now().Add(f.shift) }

func (f *fake) calls() []received {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]received(nil), f.received...)
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	h := r.Header
	f.mu.Lock()
	f.received = append(f.received, received{r.URL.Path, h.Get("Request-Time"), h.Get("Nonce"), body})
	f.mu.Unlock()
	if f.spoil != nil && f.spoil(w, r, body) {
		return
	}
	w.Header().Set("Date", f.now().UTC().Format(http.TimeFormat))
	var decoded map[string]any
	if err := json.Unmarshal(body, &decoded); err != nil {
		f.t.Errorf("%s: the request is not JSON: %v", r.URL.Path, err)
	}
	answer := f.check(r, body)
	if answer == "" {
		answer = f.reply(r.URL.Path, decoded)
	}
	f.sign(w, r.URL.Path, answer, exchangetest.Keys().Platform)
	_, _ = io.WriteString(w, answer)
}

// check refuses what AlphaPay would: by the vendor's pages, not by the client's code.
func (f *fake) check(r *http.Request, body []byte) string {
	h := r.Header
	content := "POST " + r.URL.Path + "\n" + testMerchant + "." + h.Get("Request-Time") + "." + h.Get("Nonce") + "." + string(body)
	verifier := signature.Verifier{Algorithm: signature.RS256, Keys: map[int]signature.PublicKey{1: exchangetest.Keys().Merchant.Public()}}
	if err := verifier.Verify([]byte(content), h.Get("Signature")); err != nil {
		f.t.Errorf("%s: the request's signature: %v", r.URL.Path, err)
	}
	if h.Get("Merchant-Code") != testMerchant || len(h.Get("Nonce")) != 32 || h.Get("Content-Type") != "application/json; charset=UTF-8" {
		f.t.Errorf("%s: headers are not as documented", r.URL.Path)
	}
	sent, err := time.Parse(time.RFC3339, h.Get("Request-Time"))
	if err != nil {
		f.t.Errorf("%s: Request-Time: %v", r.URL.Path, err)
	}
	if f.now().Sub(sent).Abs() > 5*time.Minute {
		return exchangetest.Result("F", "SIGN_TIMEOUT")
	}
	return ""
}

func (f *fake) sign(w http.ResponseWriter, path, body string, key signature.PrivateKey) {
	f.signAt(w, path, body, key, f.now().UTC().Format(time.RFC3339))
}

func (f *fake) signAt(w http.ResponseWriter, path, body string, key signature.PrivateKey, at string) {
	f.signWith(w, path, body, key, at, fmt.Sprintf("%032d", time.Now().UnixNano()))
}

func (f *fake) signWith(w http.ResponseWriter, path, body string, key signature.PrivateKey, at, nonce string) {
	content := "POST " + path + "\n" + testMerchant + "." + at + "." + nonce + "." + body
	header, err := signature.Signer{Algorithm: signature.RS256, KeyVersion: 1, Key: key}.Sign([]byte(content))
	if err != nil {
		f.t.Error(err)
	}
	w.Header().Set("Response-Time", at)
	w.Header().Set("Nonce", nonce)
	w.Header().Set("Signature", header)
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
}

const (
	ids     = `"paymentRequestId":"` + testRequestID + `","paymentId":"` + testPaymentID + `"`
	orderIs = `"order":{"orderAmount":{"value":"1234","currency":"CAD"},"description":"words"}`
)

// answers of the calls when all goes well.
var (
	payAccepted = exchangetest.With("S", "SUCCESS", ids+","+orderIs)
	payPending  = exchangetest.With("U", "PAYMENT_IN_PROCESS", ids+","+orderIs)
	paid        = inquiryAnswer("SUCCESS")
	cancelled   = exchangetest.With("S", "SUCCESS", ids)
)

func inquiryAnswer(status string) string {
	return exchangetest.With("S", "SUCCESS", ids+","+orderIs+`,"paymentStatus":"`+status+`","paymentTime":"2025-06-03T15:05:24-08:00"`)
}

func lines(s string) []string { return strings.Split(strings.TrimSpace(s), "\n") }

// failing answers calls to one path with an HTTP status.
func failing(path string, status int) func(http.ResponseWriter, *http.Request, []byte) bool {
	return func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
		if r.URL.Path == path {
			w.WriteHeader(status)
		}
		return r.URL.Path == path
	}
}

// logging makes a gateway log there.
func logging(l *exchangetest.Logs) func(*Config) { return func(c *Config) { c.Logger = l.Logger() } }
