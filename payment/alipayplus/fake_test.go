package alipayplus

import (
	"context"
	"encoding/json"
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
	testClient    = "5J00000000000001"
	testCode      = "281234567890123456"
	testSale      = "01JZ8M3V0QK6T9X2B4C5D7E8F9"
	testRequestID = testSale + "-1"
	testRefundReq = testSale + "-10"
	testPaymentID = "20250603190741010007000000050000000"
	testRefundID  = "20250603190741020007000000050000000"
	testNotifyURL = "https://shop.example/notify/alipayplus"
)

var (
	testMoney    = payment.Money{Amount: 1234, Currency: "CAD"}
	testRefunded = payment.Money{Amount: 500, Currency: "CAD"}
	testAt       = time.Date(2025, 6, 3, 22, 5, 24, 0, time.UTC)
)

func testConfig(baseURL string) Config {
	keys := exchangetest.Keys()
	return Config{
		Name: "alipayplus", BaseURL: baseURL, ClientID: testClient, TerminalCode: "L1",
		PrivateKey:   keys.Merchant,
		PlatformKeys: keys.PlatformKeys(),
		Merchant: Merchant{
			ReferenceID: "M0001", Name: "Corner Shop", MCC: "5411",
			Address: Address{Region: "CA", City: "Vancouver"},
		},
		Store:     Store{ReferenceID: "S0001", Name: "Corner Shop Main Street", MCC: "5411"},
		NotifyURL: testNotifyURL,
	}
}

func newGateway(t testing.TB, config Config) *Gateway {
	t.Helper()
	g, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g
}

// attemptOf is an attempt as Step makes it, with its intent.
func attemptOf(t testing.TB, g *Gateway, instrument payment.Instrument) payment.Attempt {
	t.Helper()
	a := payment.Attempt{
		N: 1, RequestID: testRequestID, Gateway: g.Name(), Instrument: instrument, SubmittedAt: testAt, Sends: 1,
	}
	if instrument == payment.InstrumentCode {
		a.Code = payment.NewCode(testCode)
	}
	intent, err := g.Compose(payment.Sale{ID: testSale, Amount: testMoney, Reference: "bill 7", Description: "two coffees"}, a)
	if err != nil {
		t.Fatal(err)
	}
	a.Intent = intent
	return a
}

// saleOf is a sale with the attempt and a refund of it in part.
func saleOf(a payment.Attempt) payment.Sale {
	return payment.Sale{
		ID: testSale, Amount: testMoney, Attempts: []payment.Attempt{a},
		Refunds: []payment.Refund{{N: 1, RequestID: testRefundReq, Attempt: 1, Amount: testRefunded, Note: "one\tcup was cold"}},
	}
}

func callOf(kind payment.CallKind) payment.Call {
	c := payment.Call{Attempt: 1, Seq: 1, Kind: kind, Gateway: "alipayplus"}
	if kind == payment.CallRefund {
		c.Refund = 1
	}
	return c
}

// call prepares and sends one call of the attempt, or of the refund that saleOf makes.
func call(t testing.TB, g *Gateway, a payment.Attempt, kind payment.CallKind) payment.Verdict {
	t.Helper()
	sale := saleOf(a)
	if kind == payment.CallProbe {
		sale = payment.Sale{}
	}
	r, err := g.Prepare(sale, callOf(kind), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return g.Send(context.Background(), r)
}

// fake is Alipay+ as far as a test needs it: it checks what it receives by code of
// its own, keeps it, and signs what reply returns.
type fake struct {
	t     testing.TB
	reply func(path string, body map[string]any) string // the answer's body
	spoil func(w http.ResponseWriter, r *http.Request) (over bool)
	shift time.Duration // of its clock

	mu       sync.Mutex
	received []received
}

type received struct {
	path string
	body []byte
}

func newFake(t testing.TB, reply func(path string, body map[string]any) string, changes ...func(*Config)) (*fake, *Gateway) {
	t.Helper()
	f := &fake{t: t, reply: reply}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	config := testConfig(server.URL)
	for _, change := range changes {
		change(&config)
	}
	return f, newGateway(t, config)
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
	f.mu.Lock()
	f.received = append(f.received, received{r.URL.Path, body})
	f.mu.Unlock()
	if f.spoil != nil && f.spoil(w, r) {
		return
	}
	var decoded map[string]any
	if err := json.Unmarshal(body, &decoded); err != nil {
		f.t.Errorf("%s: the request is not JSON: %v", r.URL.Path, err)
	}
	f.check(r, body)
	f.say(w, r.URL.Path, f.reply(r.URL.Path, decoded))
}

// check holds the headers against the vendor's pages, not against the client's code.
func (f *fake) check(r *http.Request, body []byte) {
	h := r.Header
	content := "POST " + r.URL.Path + "\n" + testClient + "." + h.Get("Request-Time") + "." + string(body)
	verifier := signature.Verifier{Algorithm: signature.RSA256, Keys: map[int]signature.PublicKey{1: exchangetest.Keys().Merchant.Public()}}
	if err := verifier.Verify([]byte(content), h.Get("Signature")); err != nil {
		f.t.Errorf("%s: the request's signature: %v", r.URL.Path, err)
	}
	if h.Get("Client-Id") != testClient || h.Get("Content-Type") != "application/json; charset=UTF-8" || h.Get("Nonce") != "" {
		f.t.Errorf("%s: headers are not as documented: %v", r.URL.Path, h)
	}
	if _, err := time.Parse(time.RFC3339, h.Get("Request-Time")); err != nil {
		f.t.Errorf("%s: Request-Time: %v", r.URL.Path, err)
	}
}

func (f *fake) say(w http.ResponseWriter, path, body string) {
	f.sign(w, path, body, exchangetest.Keys().Platform)
	_, _ = io.WriteString(w, body)
}

func (f *fake) sign(w http.ResponseWriter, path, body string, key signature.PrivateKey) {
	at := f.now().UTC().Format(time.RFC3339)
	header, err := signature.Signer{Algorithm: signature.RSA256, KeyVersion: 1, Key: key}.Sign(
		[]byte("POST " + path + "\n" + testClient + "." + at + "." + body))
	if err != nil {
		f.t.Error(err)
	}
	w.Header().Set("Client-Id", testClient)
	w.Header().Set("Response-Time", at)
	w.Header().Set("Signature", strings.ReplaceAll(header, ",", ", ")) // spaces occur
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
}

// inquiryAnswer is an inquiry that succeeded, with the payment's result.
func inquiryAnswer(status, code string) string {
	return exchangetest.With("S", "SUCCESS", requestIs+","+paymentIs+","+amountIs+`,"paymentTime":"2025-06-03T15:05:24-08:00",`+
		`"paymentResult":{"resultCode":"`+code+`","resultMessage":"words","resultStatus":"`+status+`"}`)
}

const (
	requestIs = `"paymentRequestId":"` + testRequestID + `"`
	paymentIs = `"paymentId":"` + testPaymentID + `"`
	amountIs  = `"paymentAmount":{"value":"1234","currency":"CAD"}`
	formIs    = `"orderCodeForm":{"paymentMethodType":"CONNECT_WALLET","expireTime":"2025-06-03T15:08:24-07:00","codeDetails":[` +
		`{"codeValueType":"BARCODE","codeValue":"281234","displayType":"TEXT"},` +
		`{"codeValueType":"QRCODE","codeValue":"https://global.alipay.com/281002040098wk","displayType":"TEXT"},` +
		`{"codeValueType":"QRCODE","codeValue":"aGVsbG8=","displayType":"MIDDLEIMAGE"}]}`
)

// dialing makes a gateway open its connections by dial.
func dialing(dial exchange.DialFunc) func(*Config) {
	return func(c *Config) {
		c.Outside.Transport = exchange.NewTransport(dial, nil, exchange.DefaultConnectTimeout)
	}
}

func lines(s string) []string { return strings.Split(strings.TrimSpace(s), "\n") }

// logging makes a gateway log there.
func logging(l *exchangetest.Logs) func(*Config) { return func(c *Config) { c.Logger = l.Logger() } }
