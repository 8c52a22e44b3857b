package alipayplus

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"payscand/payment"
	"payscand/payment/exchange/exchangetest"
)

// parameter is one row of a vendor page's parameter table. All types are strings.
type parameter struct {
	path     string
	required bool
	longest  int // characters; 0: the page names none
	form     *regexp.Regexp
}

var (
	minorUnits = regexp.MustCompile(`^[1-9]\d*$`)
	iso4217    = regexp.MustCompile(`^[A-Z]{3}$`)
	iso8601    = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$`)
	exactly    = func(text string) *regexp.Regexp { return regexp.MustCompile("^" + regexp.QuoteMeta(text) + "$") }
)

// orderTable is the Order of both pay pages, as far as it is sent.
var orderTable = []parameter{
	{"order.referenceOrderId", true, 64, nil},
	{"order.orderDescription", true, 256, nil},
	{"order.orderAmount.currency", true, 3, iso4217},
	{"order.orderAmount.value", true, 0, minorUnits},
	{"order.merchant.referenceMerchantId", true, 64, nil},
	{"order.merchant.merchantName", true, 256, nil},
	{"order.merchant.merchantMCC", true, 32, nil},
	{"order.merchant.merchantAddress.region", true, 2, nil},
	{"order.merchant.merchantAddress.city", false, 32, nil},
	{"order.merchant.merchantAddress.state", false, 8, nil},
	{"order.merchant.merchantAddress.address1", false, 256, nil},
	{"order.merchant.merchantAddress.address2", false, 256, nil},
	{"order.merchant.merchantAddress.zipCode", false, 32, nil},
	{"order.merchant.store.referenceStoreId", true, 64, nil},
	{"order.merchant.store.storeName", true, 256, nil},
	{"order.merchant.store.storeMCC", true, 32, nil},
	{"order.env.storeTerminalId", true, 64, nil},
	{"order.env.storeTerminalRequestTime", true, 0, iso8601},
}

// tables are the vendor's pages of each call: every parameter that may be sent in
// this scenario, and which must be.
var tables = map[string][]parameter{
	"pay, PaymentCode": slices.Concat([]parameter{
		{"paymentRequestId", true, 64, nil},
		{"paymentAmount.currency", true, 3, iso4217},
		{"paymentAmount.value", true, 0, minorUnits},
		{"paymentMethod.paymentMethodType", true, 0, exactly("CONNECT_WALLET")},
		{"paymentMethod.paymentMethodId", true, 128, regexp.MustCompile(`^\d{16,24}$`)},
		{"paymentFactor.isInStorePayment", true, 0, exactly("true")},
		{"paymentFactor.inStorePaymentScenario", true, 0, exactly("PaymentCode")},
		{"paymentNotifyUrl", false, 2048, nil},
		{"settlementStrategy.settlementCurrency", false, 3, iso4217},
	}, orderTable),
	"pay, OrderCode": slices.Concat([]parameter{
		{"paymentRequestId", true, 64, nil},
		{"paymentAmount.currency", true, 3, iso4217},
		{"paymentAmount.value", true, 0, minorUnits},
		{"paymentMethod.paymentMethodType", true, 0, exactly("CONNECT_WALLET")},
		{"paymentFactor.isInStorePayment", true, 0, exactly("true")},
		{"paymentFactor.isCashierPayment", true, 0, exactly("true")},
		{"paymentFactor.inStorePaymentScenario", true, 0, exactly("OrderCode")},
		{"paymentExpiryTime", false, 0, iso8601},
		{"paymentNotifyUrl", true, 2048, nil},
		{"settlementStrategy.settlementCurrency", false, 3, iso4217},
		{"order.env.userAgent", true, 1024, nil},
	}, orderTable),
	"inquiryPayment": {{"paymentRequestId", true, 64, nil}},
	"cancelPayment":  {{"paymentRequestId", true, 64, nil}},
	"refund": {
		{"paymentRequestId", true, 64, nil},
		{"refundRequestId", true, 64, nil},
		{"refundAmount.currency", true, 3, iso4217},
		{"refundAmount.value", true, 0, minorUnits},
		{"refundReason", false, 256, nil},
	},
}

// leaves are the scalars of a JSON object by their path. Every one must be a
// string, and none empty (vendor page: set each field as String; never send "").
func leaves(t *testing.T, prefix string, value any, into map[string]string) {
	t.Helper()
	switch value := value.(type) {
	case map[string]any:
		if len(value) == 0 {
			t.Errorf("%s is an empty object", prefix)
		}
		for name, member := range value {
			leaves(t, strings.TrimPrefix(prefix+"."+name, "."), member, into)
		}
	case string:
		if value == "" {
			t.Errorf("%s is empty", prefix)
		}
		into[prefix] = value
	default:
		t.Errorf("%s is a %T, not a string", prefix, value)
	}
}

func checkContract(t *testing.T, table string, body []byte) {
	t.Helper()
	var decoded map[string]any
	if err := json.Unmarshal(body, &decoded); err != nil {
		t.Fatalf("%s: %v", table, err)
	}
	sent := map[string]string{}
	leaves(t, "", decoded, sent)
	for _, p := range tables[table] {
		value, given := sent[p.path]
		delete(sent, p.path)
		switch {
		case !given && p.required:
			t.Errorf("%s: %s is missing", table, p.path)
		case given && p.longest > 0 && utf8.RuneCountInString(value) > p.longest:
			t.Errorf("%s: %s has %d characters, at most %d are allowed", table, p.path, utf8.RuneCountInString(value), p.longest)
		case given && p.form != nil && !p.form.MatchString(value):
			t.Errorf("%s: %s is %q", table, p.path, value)
		}
	}
	if len(sent) > 0 {
		t.Errorf("%s: sent, but not on the page: %v", table, slices.Sorted(maps.Keys(sent)))
	}
}

// Each request that can leave holds what the vendor's page requires, nothing that
// it does not have, no value longer than allowed, and only strings; with the
// shortest and with the fullest configuration, and whatever the register says.
func TestRequestsKeepTheVendorsTables(t *testing.T) {
	full := func(c *Config) {
		c.SettlementCurrency = "USD"
		c.Merchant.Address = Address{"CA", "BC", "Vancouver", "1 Main Street", "Unit 2", "V5K 0A1"}
		c.Merchant.Name = strings.Repeat("店", 256)
		c.NotifyURL = "https://shop.example/" + strings.Repeat("n", 2000)
	}
	bare := func(c *Config) {
		c.Merchant.Address = Address{Region: "CA"}
	}
	for _, change := range []func(*Config){func(*Config) {}, full, bare} {
		f, g := newFake(t, func(string, map[string]any) string { return exchangetest.Result("U", "UNKNOWN_EXCEPTION") }, change)
		for _, words := range []string{"", "two coffees", strings.Repeat("好 ", 500), "\x00\u202e\U0001F370"} {
			for _, instrument := range []payment.Instrument{payment.InstrumentCode, payment.InstrumentQR} {
				a := attemptOf(t, g, instrument)
				s := saleOf(a)
				intent, err := g.Compose(payment.Sale{ID: testSale, Amount: testMoney, Reference: words, Description: words}, a)
				if err != nil {
					t.Fatal(err)
				}
				s.Attempts[0].Intent, s.Refunds[0].Note = intent, words
				for _, kind := range []payment.CallKind{payment.CallPay, payment.CallInquire, payment.CallCancel, payment.CallRefund, payment.CallProbe} {
					r, err := g.Prepare(s, callOf(kind), time.Now())
					if err != nil {
						t.Fatal(err)
					}
					_ = g.Send(t.Context(), r)
					sent := f.calls()[len(f.calls())-1]
					table := strings.TrimPrefix(sent.path, "/aps/api/v1/payments/")
					if kind == payment.CallPay {
						table += ", " + map[payment.Instrument]string{payment.InstrumentCode: "PaymentCode", payment.InstrumentQR: "OrderCode"}[instrument]
					}
					if _, known := tables[table]; !known {
						t.Fatalf("%s is no call of the vendor's", table)
					}
					checkContract(t, table, sent.body)
				}
			}
		}
	}
}

// The order code's expiry is ahead of the gateway's time and short of the three
// minutes above which the vendor ignores it, whatever this machine's clock says.
func TestOrderCodeExpiry(t *testing.T) {
	for _, wrong := range []time.Duration{0, 26 * time.Hour, -20 * time.Minute} {
		f, g := newFake(t, exchangetest.Always(exchangetest.Result("F", "ORDER_NOT_EXIST")))
		f.shift = wrong
		call(t, g, payment.Attempt{}, payment.CallProbe) // teaches the clock
		a := attemptOf(t, g, payment.InstrumentQR)
		a.SubmittedAt = time.Now()
		intent, err := g.Compose(payment.Sale{ID: testSale, Amount: testMoney}, a)
		if err != nil {
			t.Fatal(err)
		}
		var body payBody
		if err := json.Unmarshal([]byte(intent.Head), &body); err != nil {
			t.Fatal(err)
		}
		expiry, err := time.Parse(time.RFC3339, body.Expiry)
		if left := expiry.Sub(f.now()); err != nil || left < 2*time.Minute || left >= 3*time.Minute {
			t.Errorf("the gateway's clock is %v off: %v are left, %v", wrong, left, err)
		}
	}
}

// What cannot be said to Alipay+ is refused before anything is sent, with words
// that say what it is.
func TestComposeRefuses(t *testing.T) {
	g := newGateway(t, testConfig("https://open-sea.alipayplus.com"))
	noURL := testConfig("https://open-sea.alipayplus.com")
	noURL.NotifyURL = ""
	quiet := newGateway(t, noURL)
	good := payment.Sale{ID: testSale, Amount: testMoney}
	attempt := payment.Attempt{RequestID: testRequestID, Instrument: payment.InstrumentQR, SubmittedAt: testAt}
	if _, err := g.Compose(good, attempt); err != nil {
		t.Fatal(err)
	}
	for want, test := range map[string]struct {
		g      *Gateway
		change func(*payment.Sale, *payment.Attempt)
	}{
		"amount 0":           {g, func(s *payment.Sale, _ *payment.Attempt) { s.Amount.Amount = 0 }},
		"amount -1":          {g, func(s *payment.Sale, _ *payment.Attempt) { s.Amount.Amount = -1 }},
		"currency":           {g, func(s *payment.Sale, _ *payment.Attempt) { s.Amount.Currency = "cad" }},
		"request id":         {g, func(_ *payment.Sale, a *payment.Attempt) { a.RequestID = strings.Repeat("1", 65) }},
		"no instrument":      {g, func(_ *payment.Sale, a *payment.Attempt) { a.Instrument = "" }},
		"sale id":            {g, func(s *payment.Sale, _ *payment.Attempt) { s.ID = "" }},
		"when it was submit": {g, func(_ *payment.Sale, a *payment.Attempt) { a.SubmittedAt = time.Time{} }},
		"notify_url":         {quiet, func(*payment.Sale, *payment.Attempt) {}},
	} {
		s, a := good, attempt
		test.change(&s, &a)
		if intent, err := test.g.Compose(s, a); err == nil || !strings.Contains(err.Error(), want) || intent != (payment.Intent{}) {
			t.Errorf("%s: got %+v, %v", want, intent, err)
		}
	}
	scanned := attempt
	scanned.Instrument = payment.InstrumentCode
	if _, err := quiet.Compose(good, scanned); err != nil {
		t.Errorf("a scanned code needs no notify_url: %v", err)
	}
	traits := g.Traits()
	want := payment.Traits{IdempotentPay: true, IdempotentRefund: true, InquireByRequestID: true, CancelReverses: true, OrderLife: 3 * time.Minute}
	if fmt.Sprint(traits) != fmt.Sprint(want) {
		t.Errorf("traits %+v", traits)
	}
}

// Every mistake of the configuration is told, each with its key.
func TestNewRefuses(t *testing.T) {
	for field, change := range map[string]func(*Config){
		"name":                  func(c *Config) { c.Name = "A" },
		"base_url":              func(c *Config) { c.BaseURL = "http://example.com" },
		"client_id":             func(c *Config) { c.ClientID = "a.b" },
		"platform_key_file":     func(c *Config) { c.PlatformKeys = nil },
		"terminal.code":         func(c *Config) { c.TerminalCode = "LONG" },
		"merchant.reference_id": func(c *Config) { c.Merchant.ReferenceID = strings.Repeat("1", 65) },
		"merchant.name":         func(c *Config) { c.Merchant.Name = "" },
		"merchant.mcc":          func(c *Config) { c.Merchant.MCC = "54" },
		"merchant.region":       func(c *Config) { c.Merchant.Address.Region = "Canada" },
		"merchant.state":        func(c *Config) { c.Merchant.Address.State = "British Columbia" },
		"merchant.zip_code":     func(c *Config) { c.Merchant.Address.ZipCode = "a\nb" },
		"store.reference_id":    func(c *Config) { c.Store.ReferenceID = "" },
		"store.mcc":             func(c *Config) { c.Store.MCC = "" },
		"notify_url":            func(c *Config) { c.NotifyURL = "https://shop.example" },
		"settlement_currency":   func(c *Config) { c.SettlementCurrency = "dollars" },
	} {
		config := testConfig("https://open-sea.alipayplus.com")
		change(&config)
		if _, err := New(config); err == nil || !strings.Contains(err.Error(), field+": ") {
			t.Errorf("%s: got %v", field, err)
		}
	}
}
