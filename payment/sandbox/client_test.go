package sandbox

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"payscand/payment/signature"
)

// The client of these tests is written from the vendor's page with the standard
// library's cryptography, so that it agrees with the gateway only where both read
// the page alike.

const (
	payPath          = "/api/v2.0/payments/pay"
	inquiryPath      = "/api/v2.0/payments/inquiryPayment"
	cancelPath       = "/api/v2.0/payments/cancel"
	refundPath       = "/api/v2.0/payments/refund"
	refundInquiry    = "/api/v2.0/payments/inquiryRefund"
	transactionsPath = "/api/v2.0/payments/transactions"
	settlementsPath  = "/api/v2.0/payments/settlements"
	merchantCode     = "M0001"
)

// keys are both parties' keys, as the gateway has them and as the client does.
type keys struct {
	merchant, platform signature.PrivateKey
	signing            *rsa.PrivateKey
	verifying          *rsa.PublicKey
	client, alipayPlus signature.PrivateKey
}

// testKeys makes the keys once: making and parsing them is slow.
var testKeys = sync.OnceValue(func() keys {
	merchant, merchantRSA := makeKey()
	platform, platformRSA := makeKey()
	client, _ := makeKey()
	alipayPlus, _ := makeKey()
	return keys{merchant, platform, merchantRSA, &platformRSA.PublicKey, client, alipayPlus}
})

func makeKey() (signature.PrivateKey, *rsa.PrivateKey) {
	made, err := signature.GenerateKey()
	if err != nil {
		panic(err)
	}
	block, _ := pem.Decode(made.PEM())
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		panic(err)
	}
	return made, parsed.(*rsa.PrivateKey)
}

// clock is a fake clock, and fake timers that fire when a test lets them.
type clock struct {
	mu      sync.Mutex
	now     time.Time
	waiting chan chan time.Time
}

func newClock() *clock {
	return &clock{now: time.Date(2026, 3, 14, 20, 0, 0, 0, time.UTC), waiting: make(chan chan time.Time, 10)}
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func (c *clock) After(time.Duration) <-chan time.Time {
	fire := make(chan time.Time, 1)
	c.waiting <- fire
	return fire
}

// practice is a gateway under test, with its client.
type practice struct {
	*Server
	t        testing.TB
	clock    *clock
	url      string
	log      *bytes.Buffer
	merchant *rsa.PrivateKey
	platform *rsa.PublicKey
	http     *http.Client
	nonces   int
}

func testConfig(clock *clock) Config {
	return Config{
		MerchantCode: merchantCode, MerchantKey: testKeys().merchant.Public(), PlatformKey: testKeys().platform,
		ClientID: clientID, ClientKey: testKeys().client.Public(), AlipayPlusKey: testKeys().alipayPlus,
		Seed: "test", Clock: clock.Now, After: clock.After,
	}
}

func newPractice(t testing.TB, change ...func(*Config)) *practice {
	t.Helper()
	p := newDirectPractice(t, change...)
	server := httptest.NewServer(p.Handler())
	t.Cleanup(func() {
		p.Close() // before the listener: it waits for held-up answers
		server.Close()
	})
	p.url, p.http = server.URL, server.Client()
	p.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return p
}

// newDirectPractice is one without sockets: its client calls the handler.
func newDirectPractice(t testing.TB, change ...func(*Config)) *practice {
	t.Helper()
	clock := newClock()
	config := testConfig(clock)
	log := &bytes.Buffer{}
	config.Logger = slog.New(slog.NewJSONHandler(&lockedWriter{to: log}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	for _, f := range change {
		f(&config)
	}
	server, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	return &practice{
		Server: server, t: t, clock: clock, log: log, url: "http://localhost", http: &http.Client{Transport: direct{server.Handler()}},
		merchant: testKeys().signing, platform: testKeys().verifying,
	}
}

type lockedWriter struct {
	mu sync.Mutex
	to io.Writer
}

func (w *lockedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.to.Write(p)
}

// direct is a connection that is cut when the handler panics with
// http.ErrAbortHandler.
type direct struct{ handler http.Handler }

func (d direct) RoundTrip(r *http.Request) (response *http.Response, err error) {
	defer func() {
		if cause := recover(); cause == http.ErrAbortHandler { //nolint:errorlint // a recovered value is not an error yet
			err = io.ErrUnexpectedEOF
		} else if cause != nil {
			panic(cause)
		}
	}()
	served := r.Clone(r.Context())
	served.Host, served.RequestURI = r.URL.Host, r.URL.RequestURI()
	recorder := httptest.NewRecorder()
	d.handler.ServeHTTP(recorder, served)
	return recorder.Result(), nil
}

// request builds a signed request, as the vendor's page says.
func (p *practice) request(path, body string) *http.Request {
	p.t.Helper()
	p.nonces++
	return p.signedRequest(path, body, p.clock.Now().Format("2006-01-02T15:04:05-07:00"), fmt.Sprintf("%032d", p.nonces))
}

func (p *practice) signedRequest(path, body, at, nonce string) *http.Request {
	p.t.Helper()
	digest := sha256.Sum256([]byte("POST " + path + "\n" + merchantCode + "." + at + "." + nonce + "." + body))
	raw, err := rsa.SignPKCS1v15(rand.Reader, p.merchant, crypto.SHA256, digest[:])
	if err != nil {
		p.t.Fatal(err)
	}
	r, err := http.NewRequest(http.MethodPost, p.url+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Merchant-Code", merchantCode)
	r.Header.Set("Request-Time", at)
	r.Header.Set("Nonce", nonce)
	r.Header.Set("Content-Type", "application/json; charset=UTF-8")
	r.Header.Set("Signature", "algorithm=RS256,keyVersion=1,signature="+url.QueryEscape(base64.StdEncoding.EncodeToString(raw)))
	return r
}

// told is an answer, of whatever call.
type told struct {
	ScenarioCode string `json:"scenarioCode"`
	RequestID    string `json:"paymentRequestId"`
	PaymentID    string `json:"paymentId"`
	Status       string `json:"paymentStatus"`
	PaymentTime  string `json:"paymentTime"`
	CancelTime   string `json:"cancelTime"`
	CreateTime   string `json:"paymentCreateTime"`
	ExpireTime   string `json:"paymentExpireTime"`
	Order        struct {
		OrderAmount struct{ Value, Currency string } `json:"orderAmount"`
		PayAmount   struct{ Value, Currency string } `json:"payAmount"`
		Description string                           `json:"description"`
		NotifyURL   string                           `json:"notifyUrl"`
		RedirectURL string                           `json:"redirectUrl"`
	} `json:"order"`
	Method struct {
		Type string `json:"paymentMethodType"`
		Code string `json:"paymentCode"`
	} `json:"paymentMethod"`
	Info struct {
		PaymentURL     string `json:"paymentUrl"`
		PaymentQRImage string `json:"paymentQRImage"`
		PayURL         string `json:"payUrl"`
	} `json:"paymentInfo"`
	RefundID        string `json:"refundId"`
	RefundRequestID string `json:"refundRequestId"`
	RefundTime      string `json:"refundTime"`
	RefundStatus    string `json:"refundStatus"`
	Refund          struct {
		RefundAmount struct{ Value, Currency string } `json:"refundAmount"`
		Description  string                           `json:"description"`
		NotifyURL    string                           `json:"notifyUrl"`
	} `json:"refund"`
	Settlements []struct {
		SettleInfo map[string]string `json:"settleInfo"`
		BankInfo   map[string]string `json:"bankInfo"`
	} `json:"settlements"`
	Transactions []map[string]string `json:"transactions"`
	Pagination   struct{ Page, PageLimit, TotalPage, Total int }
	Result       struct{ ResultCode, ResultMessage, ResultStatus string }
}

func (a told) String() string { return a.Result.ResultStatus + " " + a.Result.ResultCode }

// What can be wrong with an answer.
var (
	errLost     = errors.New("no answer")
	errHTTP     = errors.New("HTTP status")
	errUnsigned = errors.New("unsigned")
	errMisSign  = errors.New("wrong signature")
	errJSON     = errors.New("not JSON")
)

// do sends a request and takes only an answer that is right in every respect.
func (p *practice) do(r *http.Request) (answer told, err error) {
	if _, err = p.exchange(r, p.verify, &answer); err != nil {
		return told{}, err
	}
	return answer, nil
}

// exchange sends a request, and reads an answer that verify takes, and nothing else.
func (p *practice) exchange(r *http.Request, verify func(*http.Request, *http.Response, []byte) error, into any) (body []byte, err error) {
	response, err := p.http.Do(r)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", errLost, err)
	}
	defer response.Body.Close()
	body, err = io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", errLost, err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%w %d", errHTTP, response.StatusCode)
	}
	if err := verify(r, response, body); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(body, into, json.RejectUnknownMembers(true), json.MatchCaseInsensitiveNames(true)); err != nil {
		return nil, fmt.Errorf("%w: %v", errJSON, err)
	}
	return body, nil
}

func (p *practice) verify(r *http.Request, response *http.Response, body []byte) error {
	header := response.Header.Get("Signature")
	if header == "" {
		return errUnsigned
	}
	at, nonce := response.Header.Get("Response-Time"), response.Header.Get("Nonce")
	if _, err := time.Parse("2006-01-02T15:04:05-07:00", at); err != nil || len(nonce) != 32 {
		return fmt.Errorf("Response-Time %q, Nonce %q", at, nonce)
	}
	if date := response.Header.Get("Date"); date != p.clock.Now().Format(http.TimeFormat) {
		return fmt.Errorf("Date %q is not the gateway's clock", date)
	}
	escaped, found := strings.CutPrefix(header, "algorithm=RS256,keyVersion=1,signature=")
	if !found {
		return fmt.Errorf("%w: header %q", errMisSign, header)
	}
	encoded, err := url.QueryUnescape(escaped)
	if err != nil {
		return err
	}
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return err
	}
	content := "POST " + r.URL.Path + "\n" + r.Header.Get("Merchant-Code") + "." + at + "." + nonce + "." + string(body)
	digest := sha256.Sum256([]byte(content))
	if rsa.VerifyPKCS1v15(p.platform, crypto.SHA256, digest[:], raw) != nil {
		return errMisSign
	}
	return nil
}

// call sends a good request and must get a good answer.
func (p *practice) call(path, body string) told {
	p.t.Helper()
	answer, err := p.do(p.request(path, body))
	if err != nil {
		p.t.Fatalf("%s: %v", path, err)
	}
	return answer
}

func codeBody(requestID, code string) string {
	return fmt.Sprintf(`{"scenarioCode":"OFFLINE","paymentRequestId":%q,"order":{"orderAmount":{"value":"1250","currency":"CAD"},`+
		`"description":"L1 café"},"paymentMethod":{"paymentCode":%q}}`, requestID, code)
}

func qrBody(requestID string) string {
	return fmt.Sprintf(`{"scenarioCode":"OFFLINE_QRCODE","paymentRequestId":%q,"order":{"orderAmount":{"value":"1250","currency":"CAD"},`+
		`"description":"L1 café","notifyUrl":"https://shop.example/notify","redirectUrl":"https://shop.example/"}}`, requestID)
}

func idBody(paymentID string) string { return fmt.Sprintf(`{"paymentId":%q}`, paymentID) }

func refundBody(paymentID, requestID, amount string) string {
	return fmt.Sprintf(`{"paymentId":%q,"refundRequestId":%q,"refund":{"refundAmount":{"value":%q,"currency":"CAD"}}}`, paymentID, requestID, amount)
}

func code(digits string) string { return "28123456789012" + "34" + digits }

func (p *practice) pay(requestID, digits string) told {
	p.t.Helper()
	return p.call(payPath, codeBody(requestID, code(digits)))
}

func (p *practice) inquire(paymentID string) told {
	p.t.Helper()
	answer := p.call(inquiryPath, idBody(paymentID))
	if answer.String() != "S SUCCESS" {
		p.t.Fatalf("inquiry: %v", answer)
	}
	return answer
}

func (p *practice) refund(paymentID, requestID, amount string) told {
	p.t.Helper()
	return p.call(refundPath, refundBody(paymentID, requestID, amount))
}

func (p *practice) inquireRefund(refundID string) told {
	p.t.Helper()
	answer := p.call(refundInquiry, fmt.Sprintf(`{"refundId":%q}`, refundID))
	if answer.String() != "S SUCCESS" {
		p.t.Fatalf("refund inquiry: %v", answer)
	}
	return answer
}

// list returns all rows of a type on the clock's day.
func (p *practice) list(kind string) []map[string]string {
	p.t.Helper()
	day := p.clock.Now().In(time.FixedZone("", -8*60*60)).Format("20060102")
	answer := p.call(transactionsPath, fmt.Sprintf(`{"date":%q,"page":1,"pageLimit":100,"transactionType":%q}`, day, kind))
	if answer.String() != "S SUCCESS" {
		p.t.Fatalf("transactions: %v", answer)
	}
	return answer.Transactions
}

func (p *practice) truth(requestID string) Order {
	p.t.Helper()
	order, err := p.Order(requestID)
	if err != nil {
		p.t.Fatalf("order %s: %v", requestID, err)
	}
	return order
}

// get and post use the pages and the control API, as a browser or a test would.
func (p *practice) get(path string) (*http.Response, string) {
	p.t.Helper()
	return p.fetch(http.MethodGet, path, "")
}

func (p *practice) post(path, body string) (*http.Response, string) {
	p.t.Helper()
	return p.fetch(http.MethodPost, path, body)
}

func (p *practice) fetch(method, path, body string) (*http.Response, string) {
	p.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, p.url+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	response, err := p.http.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return response, string(text)
}

// cancelled returns the request with a context of its own, and how to end that.
func cancelled(r *http.Request) (*http.Request, context.CancelFunc) {
	ctx, cancel := context.WithCancel(r.Context())
	return r.WithContext(ctx), cancel
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func writeFile(t testing.TB, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
