package exchange

import (
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"payscand/payment"
)

// Result is what every answer of either vendor begins with.
type Result struct {
	Code   string `json:"resultCode"`
	Status string `json:"resultStatus"` // S, F or U
}

// Amount is an amount in minor units as vendors write it.
type Amount struct {
	Value    Text `json:"value"`
	Currency Text `json:"currency"`
}

// Text is a JSON string, or the digits of a JSON number as they stand: vendors'
// own SDKs take either for the other. Anything else reads as missing.
type Text string

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (t *Text) UnmarshalJSONFrom(decoder *jsontext.Decoder) error {
	value, err := decoder.ReadValue()
	if err != nil {
		return err
	}
	*t = ""
	switch value.Kind() {
	case '"':
		var s string
		if err := json.Unmarshal(value, &s); err != nil {
			return err
		}
		*t = Text(s)
	case '0':
		*t = Text(value)
	}
	return nil
}

// Decode reads a body strictly: names exactly as documented, none given twice,
// valid UTF-8, nothing behind the object. Its error says where, never what: an
// answer may repeat the payment code.
func Decode[T any](body []byte) (T, error) {
	var decoded, none T
	err := json.Unmarshal(body, &decoded)
	if err == nil {
		return decoded, nil
	}
	what, offset := "not the documented JSON", int64(0)
	var syntactic *jsontext.SyntacticError
	var semantic *json.SemanticError
	switch {
	case errors.As(err, &syntactic):
		what, offset = "not valid JSON", syntactic.ByteOffset
		if errors.Is(err, jsontext.ErrDuplicateName) {
			what = "a name is given twice"
		}
	case errors.As(err, &semantic):
		what, offset = "not the documented type", semantic.ByteOffset
	}
	return none, fmt.Errorf("the answer is malformed at byte %d: %s", offset, what)
}

// ErrMismatch is wrapped by every error about an answer to something else.
var ErrMismatch = errors.New("the answer is about something else")

// NoVerdict is an answer that means nothing.
func NoVerdict(reason payment.Reason, code string) payment.Verdict {
	return payment.Verdict{Class: payment.ClassNoAnswer, Reason: reason, GatewayCode: code}
}

// Unread is NoVerdict for an answer that err found wanting.
func Unread(err error, code string) payment.Verdict {
	if errors.Is(err, ErrMismatch) {
		return NoVerdict(payment.ReasonAnswerMismatch, code)
	}
	return NoVerdict(payment.ReasonAnswerMalformed, code)
}

var (
	digitsForm   = regexp.MustCompile(`^\d{1,15}$`)
	currencyForm = regexp.MustCompile(`^[A-Z]{3}$`)
	longDigits   = regexp.MustCompile(`\d{8,}`)
)

// Money reads the amount, where it can be read as one.
func (a Amount) Money() (payment.Money, bool) {
	if !digitsForm.MatchString(string(a.Value)) || !currencyForm.MatchString(string(a.Currency)) {
		return payment.Money{}, false
	}
	amount, err := strconv.ParseInt(string(a.Value), 10, 64)
	return payment.Money{Amount: amount, Currency: payment.Currency(a.Currency)}, err == nil
}

// MaxID is the length of a vendor's longest id, in characters.
const MaxID = 64

// IsID reports whether s can be a vendor's id: 1 to 64 visible characters.
func IsID(s string) bool { return IsVisible(s, MaxID) }

// IsVisible reports whether s is 1 to limit characters of ASCII without spaces.
func IsVisible(s string, limit int) bool {
	return s != "" && len(s) <= limit && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// MaxQRPayload bounds what a QR shows, in bytes; one of level M holds 2,331.
const MaxQRPayload = 1024

// maxImage bounds a ready-made QR image, which is stored with the sale.
const maxImage = 32 << 10

// ImageURI returns a ready-made QR image as a data URI, or "" where it is not a
// PNG or JPEG in base64, with the URI's prefix or without.
func ImageURI(image string) string {
	if !strings.HasPrefix(image, "data:") {
		image = "data:image/png;base64," + image
	}
	for _, prefix := range []string{"data:image/png;base64,", "data:image/jpeg;base64,", "data:image/jpg;base64,"} {
		if data, found := strings.CutPrefix(image, prefix); found && len(image) <= maxImage && data != "" {
			if _, err := base64.StdEncoding.DecodeString(data); err == nil {
				return image
			}
		}
	}
	return ""
}

// maxCode bounds a result code that is passed on, in characters.
const maxCode = 64

// Printable makes a result code fit for logs and answers: at most 64 characters
// of printable ASCII, without anything that could be a payment code.
func Printable(code string, secret payment.Code) string {
	code = Redact(strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, code), secret)
	return code[:min(len(code), maxCode)]
}

// Redact takes the payment code out of a text that others had a part in, and all
// that has as many digits as one.
func Redact(text string, secret payment.Code) string {
	if HoldsCode(text, secret) {
		text = strings.ReplaceAll(text, secret.Reveal(), "[payment code]")
	}
	return longDigits.ReplaceAllString(text, "[digits]")
}

// HoldsCode reports whether the payment code is in s.
func HoldsCode(s string, secret payment.Code) bool {
	return !secret.IsZero() && strings.Contains(s, secret.Reveal())
}
