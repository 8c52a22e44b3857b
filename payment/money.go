package payment

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Money is an amount in minor units of its currency: {1234, "CAD"} is 12.34 Canadian dollars, {1234, "JPY"} 1,234 yen.
type Money struct {
	Amount   int64    `json:"amount"`
	Currency Currency `json:"currency"`
}

// ErrAmount is wrapped by every error about an amount that cannot be read.
var ErrAmount = errors.New("not an amount such as 12.34")

// ParseMoney reads an amount as people type it: digits, then at most as many decimals after a point as the currency has
// ("12.34", "12.3" and "12" are CAD; JPY takes no point). Signs, spaces, thousands separators, exponents and anything
// that would have to be rounded are refused with ErrAmount, an unknown currency with ErrUnknownCurrency. Errors never
// repeat the text: a payment code typed in the amount's place must not be printed.
func ParseMoney(decimal string, currency Currency) (Money, error) {
	if !currency.known() {
		_, err := ParseCurrency(string(currency))
		return Money{}, err
	}
	whole, fraction, hasPoint := strings.Cut(decimal, ".")
	if !allDigits(whole) || hasPoint && !allDigits(fraction) {
		return Money{}, fmt.Errorf("amount: %w", ErrAmount)
	}
	digits := currency.Digits()
	if len(fraction) > digits {
		return Money{}, fmt.Errorf("amount: %w: %s has %d decimals", ErrAmount, currency, digits)
	}
	amount, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", digits-len(fraction)), 10, 64)
	if err != nil {
		return Money{}, fmt.Errorf("amount: %w: it is too large", ErrAmount)
	}
	return Money{Amount: amount, Currency: currency}, nil
}

// IsZero reports whether the amount is nought, in whatever currency.
func (m Money) IsZero() bool { return m.Amount == 0 }

// Equal reports whether amount and currency are both the same. Nought dollars are not nought yen.
func (m Money) Equal(other Money) bool { return m == other }

// String is for logs and the command line: "12.34 CAD", "1234 JPY". What customers see is formatted by their language
// elsewhere. Without a known currency the minor units are shown as such.
func (m Money) String() string {
	if !m.Currency.known() {
		return strings.TrimSpace(fmt.Sprintf("%d minor units %s", m.Amount, m.Currency))
	}
	sign, units := "", uint64(m.Amount) //nolint:gosec // the sign is taken off below
	if m.Amount < 0 {
		sign, units = "-", -units // two's complement: right for the smallest int64 too
	}
	digits := m.Currency.Digits()
	text := fmt.Sprintf("%0*d", digits+1, units)
	if digits > 0 {
		point := len(text) - digits
		text = text[:point] + "." + text[point:]
	}
	return sign + text + " " + string(m.Currency)
}
