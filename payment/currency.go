package payment

import (
	"errors"
	"fmt"

	"github.com/bojanz/currency"
)

// Currency is an ISO 4217 alphabetic code in capitals, such as CAD.
type Currency string

// ErrUnknownCurrency is wrapped by every error about a currency that cannot be charged.
var ErrUnknownCurrency = errors.New("not an ISO 4217 code of money that a shop can take, such as CAD or USD")

// notTender lists the codes of ISO 4217 (List One) that have minor units but are units of account: fund codes (USN, BOV,
// MXV, CLF, COU, UYI, UYW), the WIR bank's (CHE, CHW) and the Arab accounting dinar (XAD). Codes without minor units
// (XXX, XTS, XAU, XDR and the like) are unknown to the currency library already.
var notTender = map[Currency]bool{
	"BOV": true, "CHE": true, "CHW": true, "CLF": true, "COU": true,
	"MXV": true, "USN": true, "UYI": true, "UYW": true, "XAD": true,
}

// ParseCurrency returns the currency with this code, three capitals. Everything that is not legal tender somewhere is
// refused with ErrUnknownCurrency. The error repeats the text only if it has the shape of a code: what is typed here by
// mistake may be a secret.
func ParseCurrency(text string) (Currency, error) {
	c := Currency(text)
	if c.known() {
		return c, nil
	}
	if len(text) != 3 || !isCapital(text[0]) || !isCapital(text[1]) || !isCapital(text[2]) {
		return "", fmt.Errorf("currency: %w", ErrUnknownCurrency)
	}
	return "", fmt.Errorf("currency %s: %w", text, ErrUnknownCurrency)
}

// Digits is the number of decimals of the currency by ISO 4217: 2 for CAD, 0 for JPY, 3 for KWD; 0 if it is unknown.
func (c Currency) Digits() int {
	digits, _ := currency.GetDigits(string(c))
	return int(digits)
}

func (c Currency) known() bool {
	_, ok := currency.GetDigits(string(c))
	return ok && !notTender[c]
}

func isCapital(b byte) bool { return 'A' <= b && b <= 'Z' }
