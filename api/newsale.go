package api

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"payscand/api/client"
	"payscand/payment"
	"payscand/terminal"
)

const (
	maxKey         = 255 // characters
	maxReference   = 64  // characters
	maxDescription = 100 // characters
	ulidLength     = 26
)

// newSaleRules says what each field of a new sale must be, for refusals.
var newSaleRules = map[string]string{
	"amount":      "must be a whole number of minor units, 1 or more, without quotes, fraction or exponent.",
	"currency":    "must be an ISO 4217 code of money that a shop can take, three capitals such as CAD.",
	"reference":   "must be a string of at most 64 characters without control characters.",
	"description": "must be a string of at most 100 characters without control characters.",
	"mode":        "must be auto, scan or qr.",
	"replaces":    "must be the id of a sale, 26 characters.",
	"separate":    "must be true or false.",
}

// decodeNewSale reads the body of POST /v1/sales. What the terminal or a gateway
// would refuse further on is theirs to refuse.
func decodeNewSale(body []byte) (client.NewSale, *problem) {
	var sale client.NewSale
	if p := decode(body, &sale, newSaleRules); p != nil {
		return client.NewSale{}, p
	}
	if sale.Mode == "" {
		sale.Mode = client.ModeAuto
	}
	var field string
	switch _, err := payment.ParseCurrency(sale.Currency); {
	case sale.Amount < 1:
		field = "amount"
	case err != nil:
		field = "currency"
	case !isLine(sale.Reference, maxReference):
		field = "reference"
	case !isLine(sale.Description, maxDescription):
		field = "description"
	case !payment.Mode(sale.Mode).Valid():
		field = "mode"
	case sale.Replaces != "" && !isULID(sale.Replaces):
		field = "replaces"
	default:
		return sale, nil
	}
	return client.NewSale{}, invalid(field, field+" "+newSaleRules[field])
}

// isLine reports whether the text is one line of at most so many characters.
func isLine(text string, most int) bool {
	return utf8.RuneCountInString(text) <= most && !strings.ContainsFunc(text, func(r rune) bool {
		return unicode.IsControl(r) || r == '\u2028' || r == '\u2029'
	})
}

// isULID knows the canonical form: 26 characters of Crockford's base 32.
func isULID(id string) bool {
	if len(id) != ulidLength || id[0] > '7' {
		return false
	}
	for i := range len(id) {
		if !strings.ContainsRune("0123456789ABCDEFGHJKMNPQRSTVWXYZ", rune(id[i])) {
			return false
		}
	}
	return true
}

// idempotencyKey returns the request's key. Its form is the register's affair
// (draft-ietf-httpapi-idempotency-key-header), so quotes are part of it.
func idempotencyKey(header http.Header) (string, *problem) {
	const rule = "Send one Idempotency-Key of 1 to 255 printable ASCII characters, new for every sale or refund and the same for every repetition of one."
	given := header.Values("Idempotency-Key")
	if len(given) == 0 || len(given) == 1 && given[0] == "" {
		p := newProblem(client.CodeKeyMissing, rule)
		p.Field = "Idempotency-Key"
		return "", p
	}
	if len(given) > 1 || len(given[0]) > maxKey || strings.ContainsFunc(given[0], func(r rune) bool { return r < ' ' || r > '~' }) {
		return "", invalid("Idempotency-Key", rule)
	}
	return given[0], nil
}

// digest identifies what a request asks for, whatever the order, spacing and
// escapes of its JSON: SHA-256 over the decoded fields, those that are empty or
// have their default left out. A field added later therefore leaves the digests
// of old requests as they are. New fields go to the end.
func digest(sale client.NewSale) string {
	canonical, err := json.Marshal(struct {
		Amount      int64       `json:"amount"`
		Currency    string      `json:"currency"`
		Reference   string      `json:"reference,omitempty"`
		Description string      `json:"description,omitempty"`
		Mode        client.Mode `json:"mode"`
		Replaces    string      `json:"replaces,omitempty"`
		Separate    bool        `json:"separate,omitempty"`
	}(sale))
	return sha256Of(canonical, err)
}

func sha256Of(canonical []byte, err error) string {
	if err != nil {
		panic(err) // strings, numbers and bools: cannot fail
	}
	sum := sha256.Sum256(canonical)
	return hex.EncodeToString(sum[:])
}

func terminalSale(key string, sale client.NewSale) terminal.NewSale {
	return terminal.NewSale{
		Key: key, Digest: digest(sale),
		Amount:    payment.Money{Amount: sale.Amount, Currency: payment.Currency(sale.Currency)},
		Reference: sale.Reference, Description: sale.Description, Mode: payment.Mode(sale.Mode),
		Replaces: sale.Replaces, Separate: sale.Separate,
	}
}
