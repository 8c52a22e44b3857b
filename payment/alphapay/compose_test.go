package alphapay

import (
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"payscand/payment"
	"payscand/payment/exchange/exchangetest"
	"payscand/payment/signature"
)

// Every mistake of a configuration is reported at once, each under the key it is
// in, and none of them repeats a secret.
func TestConfigReportsEveryMistake(t *testing.T) {
	notPEM := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(notPEM, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := New(Config{
		Name: "Alpha Pay", BaseURL: "https://user:geheim@openapi.alphapay.ca", MerchantCode: "9F.WJ", TerminalCode: "L123",
		KeyVersion: -1, CAFile: notPEM, ConnectTimeout: -time.Second, AnswerTimeout: time.Hour,
	})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, field := range lines("name\nbase_url\nmerchant_code\nterminal.code\nprivate_key_file\nkey_version\nplatform_key_file\nconnect_timeout\nanswer_timeout\nca_file") {
		if !strings.Contains(err.Error(), field+": ") {
			t.Errorf("%s is not reported", field)
		}
	}
	if strings.Contains(err.Error(), "geheim") {
		t.Errorf("the error repeats a password: %v", err)
	}
	if e := (*ConfigError)(nil); !errors.As(err, &e) {
		t.Error("no *ConfigError in it")
	}
}

// Single mistakes that would send money or codes astray are refused; what is right
// passes.
func TestConfigValues(t *testing.T) {
	keys := exchangetest.Keys()
	for name, test := range map[string]struct {
		change func(*Config)
		field  string // "": accepted
	}{
		"right":                 {func(*Config) {}, ""},
		"trailing slash":        {func(c *Config) { c.BaseURL += "/" }, ""},
		"http on loopback":      {func(c *Config) { c.BaseURL = "http://127.0.0.1:8443" }, ""},
		"http on IPv6 loopback": {func(c *Config) { c.BaseURL = "http://[::1]:8443" }, ""},
		"http elsewhere":        {func(c *Config) { c.BaseURL = "http://openapi.alphapay.ca" }, "base_url"},
		"http to a look-alike":  {func(c *Config) { c.BaseURL = "http://127.0.0.1.example.com" }, "base_url"},
		"no scheme":             {func(c *Config) { c.BaseURL = "openapi.alphapay.ca" }, "base_url"},
		"with a path":           {func(c *Config) { c.BaseURL += "/api/v2.0" }, "base_url"},
		"with a query":          {func(c *Config) { c.BaseURL += "?a=b" }, "base_url"},
		"with an empty query":   {func(c *Config) { c.BaseURL += "?" }, "base_url"},
		"with a fragment":       {func(c *Config) { c.BaseURL += "#" }, "base_url"},
		"own key as platform's": {func(c *Config) { c.PlatformKeys = map[int]signature.PublicKey{1: keys.Merchant.Public()} }, "platform_key_file"},
		"platform version 0":    {func(c *Config) { c.PlatformKeys = map[int]signature.PublicKey{0: keys.Platform.Public()} }, "platform_key_file"},
		"empty platform key":    {func(c *Config) { c.PlatformKeys = map[int]signature.PublicKey{2: {}} }, "platform_key_file"},
		"two trust sources":     {func(c *Config) { c.CAFile, c.RootCAs = "ca.pem", x509.NewCertPool() }, "ca_file"},
		"no such CA file":       {func(c *Config) { c.CAFile = filepath.Join(t.TempDir(), "none.pem") }, "ca_file"},
	} {
		t.Run(name, func(t *testing.T) {
			config := testConfig("https://openapi.alphapay.ca")
			test.change(&config)
			_, err := New(config)
			var mistake *ConfigError
			switch {
			case test.field == "" && err != nil:
				t.Error(err)
			case test.field != "" && (!errors.As(err, &mistake) || mistake.Field != test.field):
				t.Errorf("got %v, want a mistake in %s", err, test.field)
			}
		})
	}
}

// The pay request is the documented JSON, the code alone missing, and the same
// each time it is composed.
func TestComposedBytes(t *testing.T) {
	g := newGateway(t, testConfig("https://openapi.alphapay.ca"))
	sale := payment.Sale{ID: "S", Amount: testMoney, Reference: "bill 4711", Description: `2 "cafés" & <tea>`}
	order := `"paymentRequestId":"` + testRequestID + `","order":{"orderAmount":{"value":"1234","currency":"CAD"},` +
		`"description":"L1 bill 4711 2 \"cafés\" & <tea>"}`
	for instrument, want := range map[payment.Instrument]string{
		payment.InstrumentCode: `{"scenarioCode":"OFFLINE",` + order + `,"paymentMethod":{"paymentCode":"` + testCode + `"}}`,
		payment.InstrumentQR:   `{"scenarioCode":"OFFLINE_QRCODE",` + order + `}`,
	} {
		attempt := payment.Attempt{RequestID: testRequestID, Instrument: instrument}
		intent, err := g.Compose(sale, attempt)
		if err != nil {
			t.Fatal(err)
		}
		code := payment.Code{}
		if instrument == payment.InstrumentCode {
			code = payment.NewCode(testCode)
		}
		if got := string(intent.Body(code)); got != want {
			t.Errorf("%s:\n got %s\nwant %s", instrument, got, want)
		}
		if intent.FillsCode() != (instrument == payment.InstrumentCode) || intent.Account != testMerchant ||
			intent.URL != "https://openapi.alphapay.ca/api/v2.0/payments/pay" {
			t.Errorf("%s: %+v", instrument, intent)
		}
		if again, err := g.Compose(sale, attempt); err != nil || again != intent {
			t.Errorf("%s: composed differently the second time", instrument)
		}
	}
}

// A sale that AlphaPay cannot take is refused before anything is sent.
func TestComposeRefuses(t *testing.T) {
	g := newGateway(t, testConfig("https://openapi.alphapay.ca"))
	for name, test := range map[string]struct {
		money     payment.Money
		requestID string
		ok        bool
	}{
		"least":            {payment.Money{Amount: 1, Currency: "USD"}, testRequestID, true},
		"most":             {payment.Money{Amount: 9_999_999, Currency: "CNY"}, strings.Repeat("a", 32), true},
		"nought":           {payment.Money{Amount: 0, Currency: "CAD"}, testRequestID, false},
		"negative":         {payment.Money{Amount: -1, Currency: "CAD"}, testRequestID, false},
		"eight digits":     {payment.Money{Amount: 10_000_000, Currency: "CAD"}, testRequestID, false},
		"yen":              {payment.Money{Amount: 100, Currency: "JPY"}, testRequestID, false},
		"no currency":      {payment.Money{Amount: 100}, testRequestID, false},
		"no request id":    {testMoney, "", false},
		"long request id":  {testMoney, strings.Repeat("a", 33), false},
		"quote in the id":  {testMoney, `a"b`, false},
		"newline in an id": {testMoney, "a\n", false},
	} {
		_, err := g.Compose(payment.Sale{ID: "S", Amount: test.money}, payment.Attempt{RequestID: test.requestID, Instrument: payment.InstrumentCode})
		if (err == nil) != test.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := g.Compose(payment.Sale{Amount: testMoney}, payment.Attempt{RequestID: testRequestID}); err == nil {
		t.Error("an attempt without an instrument was composed")
	}
	traits := g.Traits()
	if traits.MaxAmount != 9_999_999 || traits.IdempotentPay || traits.InquireByRequestID || traits.CancelReverses || !traits.TransactionList ||
		traits.IdempotentRefund || traits.OrderLife != 5*time.Minute {
		t.Errorf("traits %+v", traits)
	}
}

// What cannot be sent as it was meant is not prepared at all, and the refusal does
// not show the code.
func TestPrepareRefuses(t *testing.T) {
	g := newGateway(t, testConfig("https://openapi.alphapay.ca"))
	for name, test := range map[string]struct {
		kind   payment.CallKind
		change func(*payment.Attempt)
	}{
		"pay, code wiped":           {payment.CallPay, func(a *payment.Attempt) { a.Code = payment.Code{} }},
		"pay, code with a quote":    {payment.CallPay, func(a *payment.Attempt) { a.Code = payment.NewCode(testCode + `"`) }},
		"pay, code with a space":    {payment.CallPay, func(a *payment.Attempt) { a.Code = payment.NewCode(testCode + " ") }},
		"pay, code beyond ASCII":    {payment.CallPay, func(a *payment.Attempt) { a.Code = payment.NewCode(testCode + "é") }},
		"pay, no intent":            {payment.CallPay, func(a *payment.Attempt) { a.Intent = payment.Intent{} }},
		"pay, damaged intent":       {payment.CallPay, func(a *payment.Attempt) { a.Intent.Head = a.Intent.Head[5:] }},
		"pay, another's intent":     {payment.CallPay, func(a *payment.Attempt) { a.RequestID += "0" }},
		"pay, another merchant":     {payment.CallPay, func(a *payment.Attempt) { a.Intent.Account = "OTHER" }},
		"pay, other path":           {payment.CallPay, func(a *payment.Attempt) { a.Intent.URL = "https://openapi.alphapay.ca/pay" }},
		"pay, plain http":           {payment.CallPay, func(a *payment.Attempt) { a.Intent.URL = "http://example.com" + payPath }},
		"inquire, another merchant": {payment.CallInquire, func(a *payment.Attempt) { a.Intent.Account = "OTHER" }},
		"inquire, no payment id":    {payment.CallInquire, func(a *payment.Attempt) { a.PaymentID = "" }},
		"cancel, no payment id":     {payment.CallCancel, func(a *payment.Attempt) { a.PaymentID = "" }},
		"inquire, odd payment id":   {payment.CallInquire, func(a *payment.Attempt) { a.PaymentID = "a b" }},
		"lookup, no request id":     {payment.CallLookup, func(a *payment.Attempt) { a.RequestID = "" }},
		"lookup, no time":           {payment.CallLookup, func(a *payment.Attempt) { a.SubmittedAt = time.Time{} }},
		"unknown call":              {"settle", func(*payment.Attempt) {}},
		"refund, no payment id":     {payment.CallRefund, func(a *payment.Attempt) { a.PaymentID = "" }},
		"refund, another merchant":  {payment.CallRefund, func(a *payment.Attempt) { a.Intent.Account = "OTHER" }},
		"refund lookup, no time":    {payment.CallLookupRefund, func(a *payment.Attempt) { a.SubmittedAt = time.Time{} }},
	} {
		t.Run(name, func(t *testing.T) {
			a := testAttempt(t, g)
			test.change(&a)
			r, err := g.Prepare(testSale(a), callOf(test.kind), time.Now())
			if err == nil || r != nil {
				t.Fatalf("prepared %v", r)
			}
			if strings.Contains(err.Error(), testCode) {
				t.Errorf("the error shows the code: %v", err)
			}
		})
	}
}

// A second send has the same body to the same address whatever the configuration
// says now, and fresh time, nonce and signature (M7).
func TestSecondSendIsTheSameRequest(t *testing.T) {
	old, first := newFake(t, exchangetest.Always(payPending))
	_, second := newFake(t, func(string, map[string]any) string {
		t.Error("an order that was sent elsewhere was asked about here")
		return payPending
	})
	second.config.TerminalCode = "ZZ9"
	a := testAttempt(t, first)
	call(t, first, a, payment.CallPay)
	a.Sends = 2
	call(t, second, a, payment.CallPay)
	call(t, second, a, payment.CallInquire)
	calls := old.calls()
	if len(calls) != 3 {
		t.Fatalf("%d calls arrived, want 3", len(calls))
	}
	if string(calls[0].body) != string(calls[1].body) {
		t.Errorf("bodies differ:\n%s\n%s", calls[0].body, calls[1].body)
	}
	if string(calls[0].body) != string(a.Intent.Body(a.Code)) {
		t.Errorf("sent %s, not what the intent says", calls[0].body)
	}
	if calls[0].nonce == calls[1].nonce {
		t.Error("the nonce was used twice")
	}
}

// A prepared request prints nothing of what it holds, in any way of printing.
func TestRequestPrintsNothing(t *testing.T) {
	g := newGateway(t, testConfig("https://openapi.alphapay.ca"))
	r, err := g.Prepare(testSale(testAttempt(t, g)), callOf(payment.CallPay), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	var l exchangetest.Logs
	l.Logger().Info("x", "request", r, "nested", struct{ R payment.Request }{r})
	hidden := struct{ r payment.Request }{r}
	for _, verb := range lines("%v\n%+v\n%#v\n%s\n%q\n%x\n%d") {
		l.Logger().Info(fmt.Sprintf(verb+verb, r, hidden))
	}
	if out := l.String(); strings.Contains(out, testCode) || strings.Contains(out, fmt.Sprintf("%x", testCode)) {
		t.Errorf("the code is shown: %s", out)
	}
}
