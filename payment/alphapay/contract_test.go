package alphapay

import (
	"context"
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

// parameter is one row of a vendor page's parameter table. A number is one only
// where the page has a number.
type parameter struct {
	path     string
	required bool
	longest  int // characters; 0: the page names none
	form     *regexp.Regexp
}

var (
	minorUnits = regexp.MustCompile(`^[1-9]\d{0,6}$`)
	oneOf      = func(words ...string) *regexp.Regexp {
		return regexp.MustCompile("^(" + strings.Join(words, "|") + ")$")
	}
	aDay    = regexp.MustCompile(`^\d{8}$`)
	aNumber = regexp.MustCompile(`^number \d+$`)
	tooLong = 32 // of a request id: not documented, kept to be safe
)

// tables are the vendor's pages of each call: every parameter that may be sent in
// an in-store scenario, and which must be. A scanned code goes in paymentCode
// without a paymentMethodType, a QR order has no paymentMethod (vendor's SDK).
var tables = map[string][]parameter{
	"pay OFFLINE": {
		{"scenarioCode", true, 0, oneOf("OFFLINE")},
		{"paymentRequestId", true, tooLong, nil},
		{"order.orderAmount.value", true, 7, minorUnits},
		{"order.orderAmount.currency", true, 3, oneOf("CAD", "USD", "CNY")},
		{"order.description", true, 128, nil},
		{"order.notifyUrl", false, 0, nil},
		{"paymentMethod.paymentCode", true, 0, nil},
	},
	"pay OFFLINE_QRCODE": {
		{"scenarioCode", true, 0, oneOf("OFFLINE_QRCODE")},
		{"paymentRequestId", true, tooLong, nil},
		{"order.orderAmount.value", true, 7, minorUnits},
		{"order.orderAmount.currency", true, 3, oneOf("CAD", "USD", "CNY")},
		{"order.description", true, 128, nil},
		{"order.notifyUrl", false, 0, nil},
	},
	"inquiryPayment": {{"paymentId", true, 0, nil}},
	"cancel":         {{"paymentId", true, 0, nil}},
	"refund": {
		{"paymentId", true, 0, nil},
		{"refundRequestId", true, tooLong, nil},
		{"refund.refundAmount.value", true, 7, minorUnits},
		{"refund.refundAmount.currency", true, 3, oneOf("CAD", "USD", "CNY")},
		{"refund.description", false, 128, nil},
	},
	"inquiryRefund": {
		{"refundId", true, 0, nil},
		{"refundRequestId", false, tooLong, nil},
	},
	"transactions": {
		{"date", true, 8, aDay},
		{"page", true, 0, aNumber},
		{"pageLimit", true, 0, regexp.MustCompile(`^number (\d\d|100)$`)},
		{"transactionType", true, 0, oneOf("All", "Credit", "Debit")},
	},
	"settlements": {{"date", true, 8, aDay}},
}

// leaves are the scalars of a JSON object by their path; numbers are marked.
func leaves(t *testing.T, prefix string, value any, into map[string]string) {
	t.Helper()
	switch value := value.(type) {
	case map[string]any:
		for name, member := range value {
			leaves(t, strings.TrimPrefix(prefix+"."+name, "."), member, into)
		}
	case string:
		if value == "" {
			t.Errorf("%s is empty", prefix)
		}
		into[prefix] = value
	case float64:
		into[prefix] = fmt.Sprint("number ", value)
	default:
		t.Errorf("%s is a %T", prefix, value)
	}
}

// Each request that can leave holds what the vendor's page requires, nothing that
// it does not have, no value longer than allowed and each of its type, whatever
// the register says.
func TestRequestsKeepTheVendorsTables(t *testing.T) {
	seen := map[string]bool{}
	check := func(sent received) {
		t.Helper()
		var decoded map[string]any
		if err := json.Unmarshal(sent.body, &decoded); err != nil {
			t.Fatal(err)
		}
		table := strings.TrimPrefix(sent.path, "/api/v2.0/payments/")
		if table == "pay" {
			table += " " + fmt.Sprint(decoded["scenarioCode"])
		}
		seen[table] = true
		if _, known := tables[table]; !known {
			t.Fatalf("%s is no call of the vendor's", table)
		}
		values := map[string]string{}
		leaves(t, "", decoded, values)
		for _, p := range tables[table] {
			value, given := values[p.path]
			delete(values, p.path)
			switch {
			case !given && p.required:
				t.Errorf("%s: %s is missing", table, p.path)
			case given && p.longest > 0 && utf8.RuneCountInString(value) > p.longest:
				t.Errorf("%s: %s has %d characters, at most %d are allowed", table, p.path, utf8.RuneCountInString(value), p.longest)
			case given && p.form != nil && !p.form.MatchString(value):
				t.Errorf("%s: %s is %q", table, p.path, value)
			}
		}
		if len(values) > 0 {
			t.Errorf("%s: sent, but not on the page: %v", table, slices.Sorted(maps.Keys(values)))
		}
	}
	f, g := newFake(t, exchangetest.Always(exchangetest.Result("U", "SYSTEMERROR")), notifying)
	for _, words := range []string{"", "two coffees", strings.Repeat("好 ", 500), "\x00\u202e\U0001F370"} {
		for _, instrument := range []payment.Instrument{payment.InstrumentCode, payment.InstrumentQR} {
			a := testAttempt(t, g)
			a.Instrument = instrument
			intent, err := g.Compose(payment.Sale{ID: "x", Amount: testMoney, Reference: words, Description: words}, a)
			if err != nil {
				t.Fatal(err)
			}
			a.Intent = intent
			s := testSale(a)
			s.Refunds[0].Note = words
			for _, kind := range slices.Concat(kinds, refundKinds) {
				before := len(f.calls())
				r, err := g.Prepare(s, callOf(kind), time.Now())
				if err != nil {
					t.Fatal(err)
				}
				_ = g.Send(context.Background(), r)
				for _, sent := range f.calls()[before:] {
					check(sent)
				}
			}
		}
	}
	before := len(f.calls())
	_, _ = g.Transactions(context.Background(), time.Now())
	_, _ = g.Settlements(context.Background(), time.Now())
	for _, sent := range f.calls()[before:] {
		check(sent)
	}
	for table := range tables {
		if !seen[table] {
			t.Errorf("%s was never sent", table)
		}
	}
}
