package payment

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// Code is a wallet's payment code: a one-time secret that moves money for about a minute. However it is printed, it
// prints masked; Reveal is the only way to its text. It is not comparable with ==; use Equal. It cannot be decoded:
// decode a string and give it to Recognise.
//
// The text is kept behind a pointer to a string because fmt walks unexported fields of other structs without calling
// any method: there it meets a pointer, of which it prints the address.
type Code struct {
	_    [0]func() // == would compare the pointers
	text *string
}

// NewCode keeps the text as it is. Text from a scanner or a register goes through Recognise, which checks it.
func NewCode(text string) Code {
	if text == "" {
		return Code{}
	}
	return Code{text: &text}
}

// Reveal returns the whole code, for the gateway request and nothing else.
func (c Code) Reveal() string {
	if c.text == nil {
		return ""
	}
	return *c.text
}

// Mask returns what may be shown of the code: its first two and last four characters, "28…3456". A code under 10
// characters, or one whose ends are not printable ASCII, is all stars; the stars do not tell its length.
func (c Code) Mask() string { return maskText(c.Reveal()) }

// IsZero reports whether there is no code.
func (c Code) IsZero() bool { return c.text == nil }

// Equal reports whether both are the same code.
func (c Code) Equal(other Code) bool { return c.Reveal() == other.Reveal() }

// String returns the mask.
func (c Code) String() string { return c.Mask() }

// GoString returns the mask as Go would name it.
func (c Code) GoString() string { return fmt.Sprintf("payment.Code(%q)", c.Mask()) }

// Format prints the mask for every verb: %x and %d would otherwise print the fields.
func (c Code) Format(state fmt.State, verb rune) {
	switch {
	case verb == 'v' && state.Flag('#'):
		_, _ = io.WriteString(state, c.GoString())
	case verb == 'q':
		_, _ = fmt.Fprintf(state, fmt.FormatString(state, 'q'), c.Mask())
	default:
		_, _ = fmt.Fprintf(state, fmt.FormatString(state, 's'), c.Mask())
	}
}

// MarshalText returns the mask.
func (c Code) MarshalText() ([]byte, error) { return []byte(c.Mask()), nil }

// MarshalJSON returns the mask as a JSON string.
func (c Code) MarshalJSON() ([]byte, error) { return json.Marshal(c.Mask()) }

// LogValue returns the mask.
func (c Code) LogValue() slog.Value { return slog.StringValue(c.Mask()) }

func maskText(text string) string {
	const head, tail, shortest = 2, 4, 10
	if text == "" {
		return ""
	}
	if len(text) < shortest || !isPrintable(text[:head]) || !isPrintable(text[len(text)-tail:]) {
		return "****"
	}
	return text[:head] + "…" + text[len(text)-tail:]
}

// maxScanLength bounds what is looked into, in bytes: two of the longest codes. Longer scans are refused unread.
const maxScanLength = 2 * maxCharacters

// Recognise says which wallet's payment code was scanned. Spaces around it are dropped. The rules must have passed
// ValidateCodeRules. What is not exactly one code is refused; the error is then always a *Refusal, and holds no more of
// the text than a mask.
//
// A code read more than once is refused even where its length would do: sent on, it would be an unknown code to the
// gateway and the customer's code would be spent for nothing. Two different codes in one scan are told apart from one
// only where their joint length is no code's.
func Recognise(rules []CodeRule, scanned string) (Wallet, Code, error) {
	text := strings.Trim(scanned, " ")
	if kind := notCodeAtAll(text); kind != "" {
		return "", Code{}, &Refusal{Kind: kind, Length: len(text)}
	}
	refuse := func(kind RefusalKind, wallet Wallet) (Wallet, Code, error) {
		return "", Code{}, &Refusal{Kind: kind, Wallet: wallet, Length: len(text), Mask: maskText(text)}
	}
	if len(text) > maxScanLength {
		return refuse(RefusalTooLong, "")
	}
	if isRepeatedCode(rules, text) {
		return refuse(RefusalDoubledCode, "")
	}
	rule := acceptingRule(rules, text)
	if rule == nil {
		return refuse(explain(rules, text))
	}
	if rule.startsAgain(text) {
		return refuse(RefusalTwoCodes, "")
	}
	return rule.Wallet, NewCode(text), nil
}

// notCodeAtAll names what no wallet's code can be, whatever the rules. Nothing of such a text is shown.
func notCodeAtAll(text string) RefusalKind {
	switch {
	case text == "":
		return RefusalEmpty
	case isWebAddress(text):
		return RefusalWebAddress
	}
	for i := range len(text) {
		switch b := text[i]; {
		case b >= 0x80:
			return RefusalNonASCII
		case b < ' ' || b == 0x7f:
			return RefusalControlCharacter
		}
	}
	return ""
}

// explain names what was scanned when no rule accepts the text, and the wallet whose code it begins like, if any.
func explain(rules []CodeRule, text string) (RefusalKind, Wallet) {
	alike := rulesWithPrefix(rules, text)
	for _, rule := range alike {
		if rule.reserves(len(text)) {
			return RefusalReservedLength, rule.Wallet
		}
	}
	digits := allDigits(text)
	shortest, longest := lengthBounds(rules, digits)
	var wallet Wallet
	if len(alike) > 0 {
		wallet = alike[0].Wallet
	}
	switch {
	case isTwoCodes(rules, text):
		return RefusalTwoCodes, ""
	case digits && isGoodsBarcode(text):
		return RefusalGoodsBarcode, ""
	case !digits && (wallet == "" || !isCodeText(text)):
		return RefusalText, ""
	case len(text) < shortest:
		return RefusalTooShort, wallet
	case len(text) > longest:
		return RefusalTooLong, wallet
	case wallet != "":
		return RefusalWrongLength, wallet
	default:
		return RefusalUnknownPrefix, ""
	}
}

// isRepeatedCode reports whether the text is one code two or more times over, the last one perhaps cut: a scanner that
// fired again.
func isRepeatedCode(rules []CodeRule, text string) bool {
	for n := 1; n <= len(text)/2; n++ {
		periodic := text[n:] == text[:len(text)-n]
		if periodic && acceptingRule(rules, text[:n]) != nil {
			return true
		}
	}
	return false
}

// isTwoCodes reports whether the text is two codes without anything between them.
func isTwoCodes(rules []CodeRule, text string) bool {
	for i := 1; i < len(text); i++ {
		if acceptingRule(rules, text[:i]) != nil && acceptingRule(rules, text[i:]) != nil {
			return true
		}
	}
	return false
}

// isWebAddress knows an address with a scheme (https://, wxp://, also in the capitals of dense QR codes) or with www.
func isWebAddress(text string) bool {
	return strings.Contains(text, "://") || len(text) >= 4 && strings.EqualFold(text[:4], "www.")
}

// isGoodsBarcode reports whether the digits are an EAN-8, UPC-A (12) or EAN-13 with its check digit right (GS1 General
// Specifications, 7.9: weights 3 and 1 from the right).
func isGoodsBarcode(digits string) bool {
	if n := len(digits); n != 8 && n != 12 && n != 13 {
		return false
	}
	sum := 0
	for i := range len(digits) {
		weight := 1
		if (len(digits)-i)%2 == 0 {
			weight = 3
		}
		sum += weight * int(digits[i]-'0')
	}
	return sum%10 == 0
}

func allDigits(text string) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return text != ""
}

func isPrintable(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

// RefusalKind says what was scanned instead of a payment code. The set is closed: RefusalKinds lists it.
type RefusalKind string

const (
	RefusalEmpty            RefusalKind = "empty"             // nothing, or only spaces
	RefusalControlCharacter RefusalKind = "control_character" // as in GS1 codes, or a frame cut wrongly
	RefusalNonASCII         RefusalKind = "non_ascii"         // also full-width digits
	RefusalWebAddress       RefusalKind = "web_address"       // a coupon, or a QR code meant to be paid by the other side
	RefusalGoodsBarcode     RefusalKind = "goods_barcode"     // EAN-8, UPC-A or EAN-13 with a right check digit
	RefusalText             RefusalKind = "text"              // characters that are no wallet's, such as Code 128 with letters
	RefusalTooShort         RefusalKind = "too_short"         // fewer characters than any wallet's code
	RefusalTooLong          RefusalKind = "too_long"          // more characters than any wallet's code, reserved lengths included
	RefusalUnknownPrefix    RefusalKind = "unknown_prefix"    // digits that begin like no wallet's code
	RefusalWrongLength      RefusalKind = "wrong_length"      // begins like a wallet's code, which has another length
	RefusalReservedLength   RefusalKind = "reserved_length"   // begins like a wallet's code; above digits, up to max_digits
	RefusalDoubledCode      RefusalKind = "doubled_code"      // one code two or more times over
	RefusalTwoCodes         RefusalKind = "two_codes"         // two different codes in one scan
)

// RefusalKinds lists every kind.
func RefusalKinds() []RefusalKind {
	return []RefusalKind{
		RefusalEmpty, RefusalControlCharacter, RefusalNonASCII, RefusalWebAddress, RefusalGoodsBarcode, RefusalText,
		RefusalTooShort, RefusalTooLong, RefusalUnknownPrefix, RefusalWrongLength, RefusalReservedLength,
		RefusalDoubledCode, RefusalTwoCodes,
	}
}

// Refusal is the error of a scan that is not a payment code. It may be logged, journalled and answered as it is.
type Refusal struct {
	Kind   RefusalKind `json:"kind"`
	Wallet Wallet      `json:"wallet,omitempty"` // whose code it begins like: always for wrong_length and reserved_length
	Length int         `json:"length"`           // bytes, without the spaces around
	Mask   string      `json:"mask,omitempty"`   // as Code.Mask; none for empty, control_character, non_ascii and web_address
}

const (
	scanWallet = "scan the payment code in the customer's wallet app"
	scanAgain  = "scan the customer's payment code again, once"
)

// refusalWords says for each kind what the scan was, and what to do. {wallet} stands for the wallet's brand.
var refusalWords = map[RefusalKind]struct{ what, todo string }{
	RefusalEmpty:            {"an empty scan", "scan the customer's payment code again"},
	RefusalControlCharacter: {"it holds control characters, which no payment code does", scanAgain},
	RefusalNonASCII:         {"it holds signs outside ASCII, which no payment code does", scanWallet},
	RefusalWebAddress:       {"a web address, not a payment code", scanWallet},
	RefusalGoodsBarcode:     {"a goods barcode, not a payment code", scanWallet},
	RefusalText:             {"text, not a payment code", scanWallet},
	RefusalTooShort:         {"too short for a payment code", scanAgain},
	RefusalTooLong:          {"too long for a payment code", scanAgain},
	RefusalUnknownPrefix:    {"it begins like no wallet's payment code", scanWallet},
	RefusalWrongLength:      {"it begins like a code of {wallet}, which has another length", scanAgain},
	RefusalReservedLength: {"it begins like a code of {wallet}, in a length that is reserved for later",
		"if the wallet shows such codes now, raise digits in the configuration"},
	RefusalDoubledCode: {"one payment code, read more than once", scanAgain},
	RefusalTwoCodes:    {"two payment codes in one scan", scanAgain},
}

// Error says what was scanned and what to do, in English, for the cashier. It is made of the fields only.
func (r *Refusal) Error() string {
	words := refusalWords[r.Kind]
	scanned := fmt.Sprintf("scanned %d characters", r.Length)
	if r.Mask != "" {
		scanned += " (" + r.Mask + ")"
	}
	what := strings.ReplaceAll(words.what, "{wallet}", r.Wallet.brand())
	return scanned + ": " + what + "; " + words.todo
}
