package payment

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Wallet is a family of wallets that shares its payment codes' form.
type Wallet string

const (
	WalletAlipayPlus Wallet = "alipayplus" // Alipay+, Alipay CN and HK within it
	WalletWeChat     Wallet = "wechat"     // WeChat Pay
	WalletUnionPay   Wallet = "unionpay"   // UnionPay QuickPass
)

// Wallets lists every wallet.
func Wallets() []Wallet { return []Wallet{WalletAlipayPlus, WalletWeChat, WalletUnionPay} }

// brand is the name that the wallet is known by in every language.
func (w Wallet) brand() string {
	switch w {
	case WalletAlipayPlus:
		return "Alipay+"
	case WalletWeChat:
		return "WeChat Pay"
	case WalletUnionPay:
		return "UnionPay"
	}
	return string(w)
}

// Limits of a rule. A code of digits shorter than 14 would be a goods barcode (EAN-13); EMVCo's consumer-presented QR
// codes end at 512 characters.
const (
	minDigits, maxDigits         = 14, 64
	minCharacters, maxCharacters = 10, 512
)

// tellingPrefix is the length in characters from which a prefix does not recur within a code by chance (48 bits of base64).
const tellingPrefix = 8

// CodeRule says what the payment codes of a wallet look like: a [[code]] table of the configuration. A rule is for codes
// of digits (Digits) or for codes of text (Characters), never both.
type CodeRule struct {
	Wallet Wallet `toml:"wallet" json:"wallet"`
	// Prefixes are digits ("62") or ranges of them, ends included ("25-30"); for text codes, text with at least one
	// character that is no digit ("hQVDUFYwM").
	Prefixes []string `toml:"prefixes" json:"prefixes"`
	// Digits is the shortest and the longest code that is accepted today, within 14 and 64. It is a slice because a
	// TOML decoder cuts or fills an array of the wrong length without a word.
	Digits []int `toml:"digits,omitempty" json:"digits,omitempty"`
	// MaxDigits, if not 0, is the longest code that is recognised: above Digits it is refused as a reserved length.
	MaxDigits int `toml:"max_digits,omitempty" json:"max_digits,omitempty"`
	// Characters is the shortest and the longest text code, within 10 and 512, of the base64 alphabet.
	Characters []int `toml:"characters,omitempty" json:"characters,omitempty"`
}

// DefaultCodeRules are the codes of the wallets that AlphaPay and Alipay+ take in a shop.
func DefaultCodeRules() []CodeRule {
	return []CodeRule{
		{Wallet: WalletAlipayPlus, Prefixes: []string{"25-30"}, Digits: []int{16, 24}, MaxDigits: 32},
		{Wallet: WalletWeChat, Prefixes: []string{"10-15"}, Digits: []int{18, 18}},
		{Wallet: WalletUnionPay, Prefixes: []string{"62"}, Digits: []int{19, 19}},
		// Alipay face pay.
		{Wallet: WalletAlipayPlus, Prefixes: []string{"fp"}, Characters: []int{35, 35}},
		// EMVCo consumer-presented QR: base64 of tag 85 "CPV01". The tenth character depends on what follows. Other
		// schemes use it too; UnionPay is the one met in shops. 24 characters hold the smallest useful content: the
		// format indicator and one application id of five bytes.
		{Wallet: WalletUnionPay, Prefixes: []string{"hQVDUFYwM"}, Characters: []int{24, 512}},
	}
}

// CodeRuleError is one mistake in the rules. Path is the key within the rule ("digits", "prefixes[1]") or, from
// ValidateCodeRules, within the configuration ("code[2].digits", counted from 0).
type CodeRuleError struct{ Path, Problem string }

func (e *CodeRuleError) Error() string { return e.Path + ": " + e.Problem }

// Validate returns every mistake of the rule, joined, each a *CodeRuleError.
func (r CodeRule) Validate() error { return joinRuleErrors("", r.mistakes()) }

// ValidateCodeRules returns every mistake, joined, each a *CodeRuleError. No text may fit two rules: rules whose
// prefixes meet must differ in length, reserved lengths included.
func ValidateCodeRules(rules []CodeRule) error {
	if len(rules) == 0 {
		return &CodeRuleError{Path: "code", Problem: "there is no rule, so no payment code could be recognised"}
	}
	var errs []error
	for i, rule := range rules {
		path := fmt.Sprintf("code[%d]", i)
		if mistakes := rule.mistakes(); len(mistakes) > 0 {
			errs = append(errs, joinRuleErrors(path+".", mistakes))
			continue
		}
		for j, earlier := range rules[:i] {
			if len(earlier.mistakes()) == 0 && rule.overlaps(earlier) {
				problem := fmt.Sprintf("a code could fit this rule and code[%d]: prefix and length meet", j)
				errs = append(errs, &CodeRuleError{Path: path + ".prefixes", Problem: problem})
			}
		}
	}
	return errors.Join(errs...)
}

func joinRuleErrors(parent string, mistakes []CodeRuleError) error {
	errs := make([]error, len(mistakes))
	for i, m := range mistakes {
		errs[i] = &CodeRuleError{Path: parent + m.Path, Problem: m.Problem}
	}
	return errors.Join(errs...)
}

func (r CodeRule) mistakes() []CodeRuleError {
	var found []CodeRuleError
	add := func(path, format string, args ...any) {
		found = append(found, CodeRuleError{path, fmt.Sprintf(format, args...)})
	}
	if !slices.Contains(Wallets(), r.Wallet) {
		add("wallet", "must be one of %v", Wallets())
	}
	if len(r.Prefixes) == 0 {
		add("prefixes", "is empty: name at least one")
	}
	switch {
	case r.Digits == nil && r.Characters == nil:
		add("digits", "is missing: give the shortest and longest length, such as [16, 24] (or characters for codes of text)")
		return found
	case r.Digits != nil && r.Characters != nil:
		add("characters", "cannot stand beside digits: make two rules")
		return found
	}
	key, lengths, least, most := "digits", r.Digits, minDigits, maxDigits
	if r.isText() {
		key, lengths, least, most = "characters", r.Characters, minCharacters, maxCharacters
	}
	if len(lengths) != 2 || lengths[0] < least || lengths[0] > lengths[1] || lengths[1] > most {
		add(key, "must be [shortest, longest] within %d and %d", least, most)
		return found
	}
	for i, prefix := range r.Prefixes {
		if problem := r.prefixProblem(prefix); problem != "" {
			add(fmt.Sprintf("prefixes[%d]", i), "%s", problem)
		}
	}
	switch {
	case r.isText() && r.MaxDigits != 0:
		add("max_digits", "is for codes of digits only")
	case !r.isText() && r.MaxDigits != 0 && (r.MaxDigits < lengths[1] || r.MaxDigits > maxDigits):
		add("max_digits", "must be within the longest of digits, %d, and %d", lengths[1], maxDigits)
	}
	return found
}

func (r CodeRule) prefixProblem(prefix string) string {
	if r.isText() {
		if len(prefix) > r.Characters[0] || allDigits(prefix) || strings.HasSuffix(prefix, "=") || !isCodeText(prefix) {
			return `must be text such as "fp", of letters, digits, + and /, not only digits, no longer than a code`
		}
		return ""
	}
	low, high := prefixRange(prefix)
	if !allDigits(low) || !allDigits(high) || len(low) != len(high) || low > high || len(low) > r.Digits[0] {
		return `must be digits such as "62" or a range such as "25-30", both ends as long, no longer than a code`
	}
	return ""
}

// overlaps reports whether a text could fit both rules. Digits never fit a rule for text, because its prefixes are not
// only digits.
func (r CodeRule) overlaps(other CodeRule) bool {
	if r.isText() != other.isText() {
		return false
	}
	shortest, longest := r.lengths()
	otherShortest, otherLongest := other.lengths()
	if shortest > otherLongest || otherShortest > longest {
		return false
	}
	for _, a := range r.Prefixes {
		for _, b := range other.Prefixes {
			if r.prefixesMeet(a, b) {
				return true
			}
		}
	}
	return false
}

// prefixesMeet compares as many characters as the shorter prefix has: cut to that length, a range is still a range.
func (r CodeRule) prefixesMeet(a, b string) bool {
	lowA, highA := r.prefixBounds(a)
	lowB, highB := r.prefixBounds(b)
	n := min(len(lowA), len(lowB))
	return lowA[:n] <= highB[:n] && lowB[:n] <= highA[:n]
}

// prefixBounds returns the first and the last text of the prefix, both of the same length in a valid rule.
func (r CodeRule) prefixBounds(prefix string) (low, high string) {
	if r.isText() {
		return prefix, prefix
	}
	return prefixRange(prefix)
}

func prefixRange(prefix string) (low, high string) {
	low, high, isRange := strings.Cut(prefix, "-")
	if !isRange {
		high = low
	}
	return low, high
}

func (r CodeRule) isText() bool { return r.Characters != nil }

// lengths returns the shortest and the longest code, reserved lengths included.
func (r CodeRule) lengths() (shortest, longest int) {
	if r.isText() {
		return r.Characters[0], r.Characters[1]
	}
	return r.Digits[0], max(r.Digits[1], r.MaxDigits)
}

// accepts reports whether the text is a code of this rule.
func (r CodeRule) accepts(text string) bool {
	if r.isText() {
		return len(text) >= r.Characters[0] && len(text) <= r.Characters[1] && r.hasPrefix(text) && isCodeText(text)
	}
	return len(text) >= r.Digits[0] && len(text) <= r.Digits[1] && r.hasPrefix(text) && allDigits(text)
}

func (r CodeRule) hasPrefix(text string) bool {
	return slices.ContainsFunc(r.Prefixes, func(prefix string) bool {
		low, high := r.prefixBounds(prefix)
		return len(text) >= len(low) && low <= text[:len(low)] && text[:len(low)] <= high
	})
}

// reserves reports whether a code of this length is for later.
func (r CodeRule) reserves(length int) bool {
	return !r.isText() && length > r.Digits[1] && length <= r.MaxDigits
}

// startsAgain reports whether a code of text holds the beginning of a second one.
func (r CodeRule) startsAgain(text string) bool {
	return slices.ContainsFunc(r.Prefixes, func(prefix string) bool {
		return r.isText() && len(prefix) >= tellingPrefix && strings.HasPrefix(text, prefix) && strings.Contains(text[1:], prefix)
	})
}

func acceptingRule(rules []CodeRule, text string) *CodeRule {
	for i := range rules {
		if rules[i].accepts(text) {
			return &rules[i]
		}
	}
	return nil
}

// rulesWithPrefix returns the rules whose codes begin like the text: for all digits the rules for digits, else those for text.
func rulesWithPrefix(rules []CodeRule, text string) []CodeRule {
	var alike []CodeRule
	for _, rule := range rules {
		if rule.isText() != allDigits(text) && rule.hasPrefix(text) {
			alike = append(alike, rule)
		}
	}
	return alike
}

// lengthBounds returns the shortest and the longest code, reserved lengths included, over the rules for digits or for
// text; 0 and the scan's bound when there is none.
func lengthBounds(rules []CodeRule, digits bool) (shortest, longest int) {
	shortest, longest = 0, 0
	for _, rule := range rules {
		if rule.isText() == digits {
			continue
		}
		low, high := rule.lengths()
		if shortest == 0 || low < shortest {
			shortest = low
		}
		longest = max(longest, high)
	}
	if longest == 0 {
		longest = maxScanLength
	}
	return shortest, longest
}

// isCodeText reports whether the text is of the base64 alphabet, with at most two = at its end.
func isCodeText(text string) bool {
	body := strings.TrimSuffix(strings.TrimSuffix(text, "="), "=")
	for i := range len(body) {
		b := body[i]
		if (b < '0' || b > '9') && (b < 'A' || b > 'Z') && (b < 'a' || b > 'z') && b != '+' && b != '/' {
			return false
		}
	}
	return body != ""
}
