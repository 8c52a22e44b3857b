package payment_test

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"payscand/payment"
)

// Only tender is a currency: unknown, testing, metal, fund and accounting codes are refused, and case matters.
func TestParseCurrency(t *testing.T) {
	for code, digits := range map[string]int{"CAD": 2, "USD": 2, "CNY": 2, "HKD": 2, "EUR": 2, "JPY": 0, "KRW": 0, "KWD": 3} {
		c, err := payment.ParseCurrency(code)
		if err != nil || string(c) != code || c.Digits() != digits {
			t.Errorf("ParseCurrency(%q) = %q with %d digits, %v; want %d digits", code, c, c.Digits(), err, digits)
		}
	}
	for _, code := range []string{
		"", "C", "CA", "CADX", "cad", "Cad", " CAD", "CAD ", "XXX", "XTS", "XAU", "XAG", "XDR", "XSU", "XUA", "ZZZ",
		"BOV", "CHE", "CHW", "CLF", "COU", "MXV", "USN", "UYI", "UYW", "XAD", "124", "C\x00D", "СAD",
	} {
		if c, err := payment.ParseCurrency(code); c != "" || !errors.Is(err, payment.ErrUnknownCurrency) {
			t.Errorf("ParseCurrency(%q) = %q, %v; want ErrUnknownCurrency", code, c, err)
		}
	}
}

// A secret typed in the place of a currency or an amount is not repeated by the error.
func TestMoneyErrorsDoNotEcho(t *testing.T) {
	const code = "281234567890123456"
	_, currencyErr := payment.ParseCurrency(code)
	_, moneyErr := payment.ParseMoney(code+"99", "CAD")
	_, currencyOfMoneyErr := payment.ParseMoney("1", code)
	_, letterErr := payment.ParseMoney("x"+code, "CAD")
	for _, err := range []error{currencyErr, moneyErr, currencyOfMoneyErr, letterErr} {
		if err == nil || strings.Contains(err.Error(), code) {
			t.Errorf("error %v: want one without the text", err)
		}
	}
}

// An amount is read exactly, or not at all: nothing is rounded, guessed or allowed to overflow.
func TestParseMoney(t *testing.T) {
	for _, c := range []struct {
		text     string
		currency payment.Currency
		amount   int64
	}{
		{"12.34", "CAD", 1234}, {"12.3", "CAD", 1230}, {"12", "CAD", 1200}, {"0", "CAD", 0}, {"0.01", "CAD", 1},
		{"007.50", "CAD", 750}, {"1234", "JPY", 1234}, {"1.234", "KWD", 1234}, {"1.2", "KWD", 1200},
		{"92233720368547758.07", "CAD", math.MaxInt64}, {"9223372036854775807", "JPY", math.MaxInt64},
	} {
		got, err := payment.ParseMoney(c.text, c.currency)
		if want := (payment.Money{Amount: c.amount, Currency: c.currency}); err != nil || !got.Equal(want) {
			t.Errorf("ParseMoney(%q, %s) = %+v, %v; want %+v", c.text, c.currency, got, err, want)
		}
	}
	for _, c := range []struct {
		text     string
		currency payment.Currency
		want     error
	}{
		{"", "CAD", payment.ErrAmount}, {".", "CAD", payment.ErrAmount}, {".5", "CAD", payment.ErrAmount},
		{"5.", "CAD", payment.ErrAmount}, {"-1", "CAD", payment.ErrAmount}, {"+1", "CAD", payment.ErrAmount},
		{"1.5", "JPY", payment.ErrAmount}, {"1.", "JPY", payment.ErrAmount}, {"1.005", "CAD", payment.ErrAmount},
		{"1.000", "CAD", payment.ErrAmount}, {"1,50", "CAD", payment.ErrAmount}, {"1,000.00", "CAD", payment.ErrAmount},
		{"1.2.3", "CAD", payment.ErrAmount}, {"1e3", "CAD", payment.ErrAmount}, {"0x10", "CAD", payment.ErrAmount},
		{"1_0", "CAD", payment.ErrAmount}, {" 1", "CAD", payment.ErrAmount}, {"1 ", "CAD", payment.ErrAmount},
		{"１２", "CAD", payment.ErrAmount}, {"1.-5", "CAD", payment.ErrAmount}, {"$5", "CAD", payment.ErrAmount},
		{"92233720368547758.08", "CAD", payment.ErrAmount}, {strings.Repeat("9", 5000), "CAD", payment.ErrAmount},
		{"12.34", "XXX", payment.ErrUnknownCurrency}, {"12.34", "", payment.ErrUnknownCurrency},
	} {
		if got, err := payment.ParseMoney(c.text, c.currency); got != (payment.Money{}) || !errors.Is(err, c.want) {
			t.Errorf("ParseMoney(%.30q, %s) = %+v, %v; want %v", c.text, c.currency, got, err, c.want)
		}
	}
}

// Amounts print with their currency's decimals, whatever their sign and size.
func TestMoneyString(t *testing.T) {
	for want, m := range map[string]payment.Money{
		"12.34 CAD":                 {Amount: 1234, Currency: "CAD"},
		"0.05 CAD":                  {Amount: 5, Currency: "CAD"},
		"0.00 CAD":                  {Currency: "CAD"},
		"-0.05 CAD":                 {Amount: -5, Currency: "CAD"},
		"1234 JPY":                  {Amount: 1234, Currency: "JPY"},
		"1.234 KWD":                 {Amount: 1234, Currency: "KWD"},
		"-92233720368547758.08 CAD": {Amount: math.MinInt64, Currency: "CAD"},
		"92233720368547758.07 CAD":  {Amount: math.MaxInt64, Currency: "CAD"},
		"1234 minor units XXX":      {Amount: 1234, Currency: "XXX"},
		"0 minor units":             {},
	} {
		if got := m.String(); got != want {
			t.Errorf("%#v prints %q, want %q", m, got, want)
		}
	}
}

// What an amount prints, without its currency, is read back as the same amount.
func TestMoneyRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := payment.Money{
			Amount:   rapid.Int64Min(0).Draw(t, "amount"),
			Currency: rapid.SampledFrom([]payment.Currency{"CAD", "JPY", "KWD", "CLP", "CNY"}).Draw(t, "currency"),
		}
		decimal, _, _ := strings.Cut(m.String(), " ")
		if back, err := payment.ParseMoney(decimal, m.Currency); err != nil || back != m {
			t.Fatalf("%v read back as %v, %v", m, back, err)
		}
	})
}

// Money in JSON is minor units and an ISO code, and differs if either does.
func TestMoneyJSONAndEqual(t *testing.T) {
	m := payment.Money{Amount: 1234, Currency: "CAD"}
	data, err := json.Marshal(m)
	if err != nil || string(data) != `{"amount":1234,"currency":"CAD"}` {
		t.Errorf("JSON %s, %v", data, err)
	}
	for _, other := range []payment.Money{{Amount: 1235, Currency: "CAD"}, {Amount: 1234, Currency: "USD"}, {}} {
		if m.Equal(other) {
			t.Errorf("%v equals %v", m, other)
		}
	}
	if m.IsZero() || !(payment.Money{Currency: "CAD"}).IsZero() {
		t.Error("IsZero is about the amount")
	}
}

func FuzzParseMoney(f *testing.F) {
	for _, seed := range []string{"12.34", "0.01", "1e3", "-1", "92233720368547758.08", "１２", "."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := payment.ParseMoney(text, "CAD")
		if err != nil {
			if !errors.Is(err, payment.ErrAmount) || m != (payment.Money{}) {
				t.Fatalf("ParseMoney(%q) = %v, %v", text, m, err)
			}
			return
		}
		// An independent reading: pad, drop the point, compare without leading zeros.
		whole, fraction, _ := strings.Cut(text, ".")
		want := strings.TrimLeft(whole+(fraction + "00")[:2], "0")
		got := strings.TrimLeft(strings.Replace(strings.TrimSuffix(m.String(), " CAD"), ".", "", 1), "0")
		if got != want || m.Amount < 0 {
			t.Fatalf("ParseMoney(%q) = %v", text, m)
		}
	})
}
