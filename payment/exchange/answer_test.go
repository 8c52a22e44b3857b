package exchange

import (
	"strings"
	"testing"

	"payscand/payment"
)

// A result code is passed on in at most 64 printable ASCII characters, and never
// holds a payment code, ours or one that looks like it.
func TestPrintableCode(t *testing.T) {
	secret := payment.NewCode("hQVDUFYwMWEXAMPLE")
	for in, want := range map[string]string{
		"ORDER_PAID":                         "ORDER_PAID",
		"A\x00B\u202eC\n":                    "ABC",
		strings.Repeat("A", 100):             strings.Repeat("A", 64),
		"CODE " + "281234567890123456":       "CODE [digits]",
		"2812345\x006789\t0123456":           "[digits]",
		"NO hQVDUFYwMWEXAMPLE":               "NO [payment code]",
		"hQVD\x7fUFYwMWEXAMPLE is not known": "[payment code] is not known",
	} {
		if got := Printable(in, secret); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
