package exchange

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// The title starts with the terminal's code, never exceeds 128 characters, stays
// readable, and holds no character that breaks a line, a display or a database.
func TestDescription(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"", "L1"},
		{"  two\t\ncoffees ", "L1 two coffees"},
		{"小浣熊干脆面 x3", "L1 小浣熊干脆面 x3"},
		{"caf\u00e9 \U0001F370 cake", "L1 café cake"},
		{"a\x00b\u202ec\xffd", "L1 a bcd"},
		{strings.Repeat("x", 125), "L1 " + strings.Repeat("x", 125)},
		{strings.Repeat("x", 126), "L1 " + strings.Repeat("x", 124) + "…"},
		{strings.Repeat("x", 110) + " " + strings.Repeat("y", 50), "L1 " + strings.Repeat("x", 110) + "…"},
		{strings.Repeat("x", 123) + "e\u0301 more", "L1 " + strings.Repeat("x", 123) + "…"},
		{strings.Repeat("好", 200), "L1 " + strings.Repeat("好", 124) + "…"},
	} {
		got := Describe(128, "L1", "", test.in)
		if got != test.want || utf8.RuneCountInString(got) > 128 {
			t.Errorf("%q: got %q (%d), want %q", test.in, got, utf8.RuneCountInString(got), test.want)
		}
	}
}
