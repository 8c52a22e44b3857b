package payment_test

import (
	"errors"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
	"pgregory.net/rapid"

	"payscand/payment"
)

// digitsRule and textRule are valid rules to change one thing of.
func digitsRule() payment.CodeRule {
	return payment.CodeRule{Wallet: payment.WalletAlipayPlus, Prefixes: []string{"25-30"}, Digits: []int{16, 24}, MaxDigits: 32}
}

func textRule() payment.CodeRule {
	return payment.CodeRule{Wallet: payment.WalletUnionPay, Prefixes: []string{"fp"}, Characters: []int{35, 40}}
}

// rulePaths returns the sorted paths of all mistakes within err, each of which must be a *CodeRuleError that says something.
func rulePaths(t *testing.T, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	var paths []string
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			paths = append(paths, rulePaths(t, e)...)
		}
		slices.Sort(paths)
		return paths
	}
	mistake, ok := errors.AsType[*payment.CodeRuleError](err)
	if !ok || mistake.Problem == "" || mistake.Error() != mistake.Path+": "+mistake.Problem {
		t.Errorf("%v is no CodeRuleError with a problem", err)
		return nil
	}
	return []string{mistake.Path}
}

// The default rules are valid and cover every wallet.
func TestDefaultCodeRules(t *testing.T) {
	rules := payment.DefaultCodeRules()
	if err := payment.ValidateCodeRules(rules); err != nil {
		t.Error(err)
	}
	for _, wallet := range payment.Wallets() {
		if !slices.ContainsFunc(rules, func(r payment.CodeRule) bool { return r.Wallet == wallet }) {
			t.Errorf("no rule for %s", wallet)
		}
	}
	rules[0].Digits[0] = 99
	if payment.DefaultCodeRules()[0].Digits[0] == 99 {
		t.Error("a caller's change reaches the next caller")
	}
}

// Each mistake in a rule is reported at its own key, all of them at once.
func TestCodeRuleValidate(t *testing.T) {
	for _, c := range []struct {
		name   string
		rule   payment.CodeRule
		change func(*payment.CodeRule)
		paths  []string
	}{
		{"digits", digitsRule(), func(*payment.CodeRule) {}, nil},
		{"text", textRule(), func(*payment.CodeRule) {}, nil},
		{"no reserved lengths", digitsRule(), func(r *payment.CodeRule) { r.MaxDigits = 0 }, nil},
		{"none above digits", digitsRule(), func(r *payment.CodeRule) { r.MaxDigits = 24 }, nil},
		{"limits of digits", digitsRule(), func(r *payment.CodeRule) { r.Digits, r.MaxDigits = []int{14, 64}, 64 }, nil},
		{"limits of characters", textRule(), func(r *payment.CodeRule) { r.Characters = []int{10, 512} }, nil},
		{"one-digit prefix", digitsRule(), func(r *payment.CodeRule) { r.Prefixes = []string{"9", "0-1"} }, nil},
		{"range of one", digitsRule(), func(r *payment.CodeRule) { r.Prefixes = []string{"25-25"} }, nil},
		{"no wallet", digitsRule(), func(r *payment.CodeRule) { r.Wallet = "" }, []string{"wallet"}},
		{"any wallet", digitsRule(), func(r *payment.CodeRule) { r.Wallet = "*" }, []string{"wallet"}},
		{"no prefix", digitsRule(), func(r *payment.CodeRule) { r.Prefixes = nil }, []string{"prefixes"}},
		{"no length", digitsRule(), func(r *payment.CodeRule) { r.Digits = nil }, []string{"digits"}},
		{"both lengths", digitsRule(), func(r *payment.CodeRule) { r.Characters = []int{35, 35} }, []string{"characters"}},
		{"empty digits", digitsRule(), func(r *payment.CodeRule) { r.Digits = []int{} }, []string{"digits"}},
		{"one length", digitsRule(), func(r *payment.CodeRule) { r.Digits = []int{16} }, []string{"digits"}},
		{"three lengths", digitsRule(), func(r *payment.CodeRule) { r.Digits = []int{16, 24, 32} }, []string{"digits"}},
		{"lengths turned round", digitsRule(), func(r *payment.CodeRule) { r.Digits = []int{24, 16} }, []string{"digits"}},
		{"goods barcodes", digitsRule(), func(r *payment.CodeRule) { r.Digits = []int{13, 24} }, []string{"digits"}},
		{"negative length", digitsRule(), func(r *payment.CodeRule) { r.Digits = []int{-1, 24} }, []string{"digits"}},
		{"too many digits", digitsRule(), func(r *payment.CodeRule) { r.Digits = []int{16, 65} }, []string{"digits"}},
		{"max_digits too small", digitsRule(), func(r *payment.CodeRule) { r.MaxDigits = 23 }, []string{"max_digits"}},
		{"max_digits too large", digitsRule(), func(r *payment.CodeRule) { r.MaxDigits = 65 }, []string{"max_digits"}},
		{"max_digits negative", digitsRule(), func(r *payment.CodeRule) { r.MaxDigits = -1 }, []string{"max_digits"}},
		{"max_digits of text", textRule(), func(r *payment.CodeRule) { r.MaxDigits = 40 }, []string{"max_digits"}},
		{"too few characters", textRule(), func(r *payment.CodeRule) { r.Characters = []int{9, 35} }, []string{"characters"}},
		{"too many characters", textRule(), func(r *payment.CodeRule) { r.Characters = []int{35, 513} }, []string{"characters"}},
		{"bad digit prefixes", digitsRule(), func(r *payment.CodeRule) {
			r.Prefixes = []string{"25", "", "-", "25-", "-30", "30-25", "5-10", "25-30-35", "2x", " 25", "fp", "２５", strings.Repeat("1", 17)}
		}, []string{"prefixes[10]", "prefixes[11]", "prefixes[12]", "prefixes[1]", "prefixes[2]", "prefixes[3]", "prefixes[4]",
			"prefixes[5]", "prefixes[6]", "prefixes[7]", "prefixes[8]", "prefixes[9]"}},
		{"bad text prefixes", textRule(), func(r *payment.CodeRule) {
			r.Prefixes = []string{"fp", "", "28", "a-b", "a b", "fp=", "é", strings.Repeat("a", 36)}
		}, []string{"prefixes[1]", "prefixes[2]", "prefixes[3]", "prefixes[4]", "prefixes[5]", "prefixes[6]", "prefixes[7]"}},
		{"all at once", digitsRule(), func(r *payment.CodeRule) { r.Wallet, r.Prefixes, r.MaxDigits = "x", []string{"y"}, 1 },
			[]string{"max_digits", "prefixes[0]", "wallet"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.change(&c.rule)
			err := c.rule.Validate()
			if paths := rulePaths(t, err); !slices.Equal(paths, c.paths) {
				t.Errorf("mistakes at %q, want %q: %v", paths, c.paths, err)
			}
		})
	}
}

// Rules that one text could fit are refused; rules that differ in prefix or in length, reserved lengths included, stand.
func TestValidateCodeRules(t *testing.T) {
	rule := func(prefix string, lengths ...int) payment.CodeRule {
		r := payment.CodeRule{Wallet: payment.WalletWeChat, Prefixes: []string{prefix}, Digits: lengths[:2]}
		if len(lengths) > 2 {
			r.MaxDigits = lengths[2]
		}
		return r
	}
	text := func(prefix string, lengths ...int) payment.CodeRule {
		return payment.CodeRule{Wallet: payment.WalletUnionPay, Prefixes: []string{prefix}, Characters: lengths}
	}
	for _, c := range []struct {
		name  string
		rules []payment.CodeRule
		paths []string
	}{
		{"none", nil, []string{"code"}},
		{"apart in prefix", []payment.CodeRule{rule("25-30", 16, 24), rule("31", 16, 24)}, nil},
		{"apart in length", []payment.CodeRule{rule("28", 16, 18), rule("28", 19, 24)}, nil},
		{"digits beside text", []payment.CodeRule{text("2a", 16, 18), rule("25-30", 16, 18), text("2b", 16, 18)}, nil},
		{"the same", []payment.CodeRule{rule("28", 16, 18), rule("28", 16, 18)}, []string{"code[1].prefixes"}},
		{"within a range", []payment.CodeRule{rule("25-30", 16, 24), rule("28", 18, 18)}, []string{"code[1].prefixes"}},
		{"longer prefix within a range", []payment.CodeRule{rule("25-30", 16, 24), rule("3099", 18, 18)}, []string{"code[1].prefixes"}},
		{"longer prefix beside a range", []payment.CodeRule{rule("25-30", 16, 24), rule("3100", 18, 18)}, nil},
		{"range across a prefix", []payment.CodeRule{rule("1", 16, 24), rule("099-100", 18, 18)}, []string{"code[1].prefixes"}},
		{"reserved length taken", []payment.CodeRule{rule("28", 16, 18, 24), rule("28", 20, 20)}, []string{"code[1].prefixes"}},
		{"text within text", []payment.CodeRule{text("fp", 35, 35), text("fpa", 20, 40)}, []string{"code[1].prefixes"}},
		{"text beside text", []payment.CodeRule{text("fp", 35, 35), text("fP", 20, 40)}, nil},
		{"mistakes of several rules", []payment.CodeRule{rule("x", 16, 18), rule("28", 18, 16), rule("28", 16, 16), rule("28", 16, 16)},
			[]string{"code[0].prefixes[0]", "code[1].digits", "code[3].prefixes"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := payment.ValidateCodeRules(c.rules)
			if paths := rulePaths(t, err); !slices.Equal(paths, c.paths) {
				t.Errorf("mistakes at %q, want %q: %v", paths, c.paths, err)
			}
		})
	}
}

// No text fits two of a list of rules that was found valid: a regular expression per rule is the judge. Whoever accepts
// a text is the one rule whose expression it matches.
func TestValidRulesNeverMeet(t *testing.T) {
	t.Parallel()
	wallets := payment.Wallets()
	prefix := rapid.Custom(func(t *rapid.T) string {
		width := rapid.IntRange(1, 2).Draw(t, "width")
		top := map[int]int{1: 9, 2: 99}[width]
		low := rapid.IntRange(0, top).Draw(t, "low")
		high := rapid.IntRange(low, min(top, low+12)).Draw(t, "high")
		pad := func(n int) string { return strings.Repeat("0", width-len(strconv.Itoa(n))) + strconv.Itoa(n) }
		return pad(low) + "-" + pad(high)
	})
	rule := rapid.Custom(func(t *rapid.T) payment.CodeRule {
		shortest := rapid.IntRange(14, 18).Draw(t, "shortest")
		return payment.CodeRule{
			Wallet:   rapid.SampledFrom(wallets).Draw(t, "wallet"),
			Prefixes: rapid.SliceOfN(prefix, 1, 2).Draw(t, "prefixes"),
			Digits:   []int{shortest, rapid.IntRange(shortest, 19).Draw(t, "longest")},
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		rules := rapid.SliceOfN(rule, 1, 3).Draw(t, "rules")
		valid := payment.ValidateCodeRules(rules) == nil
		met := false
		for length := 13; length <= 20; length++ {
			for start := range 100 {
				text := string([]byte{'0' + byte(start/10), '0' + byte(start%10)}) + "3141592653589793238"[:length-2]
				var fitting []payment.Wallet
				for _, r := range rules {
					if ruleExpression(r).MatchString(text) {
						fitting = append(fitting, r.Wallet)
					}
				}
				met = met || len(fitting) > 1
				wallet, _, err := payment.Recognise(rules, text)
				if accepted := err == nil; valid && (accepted != (len(fitting) == 1) || accepted && wallet != fitting[0]) {
					t.Fatalf("%s: %s, %v; it fits %v", text, wallet, err, fitting)
				}
			}
		}
		if met == valid {
			t.Fatalf("rules valid: %v; a text fits two of them: %v", valid, met)
		}
	})
}

// ruleExpression spells a rule for digits out, prefix by prefix.
func ruleExpression(r payment.CodeRule) *regexp.Regexp {
	var forms []string
	for _, prefix := range r.Prefixes {
		low, high, _ := strings.Cut(prefix, "-")
		from, _ := strconv.Atoi(low)
		to, _ := strconv.Atoi(high)
		for n := from; n <= to; n++ {
			start := strconv.Itoa(n)
			start = strings.Repeat("0", len(low)-len(start)) + start
			forms = append(forms, start+`[0-9]{`+strconv.Itoa(r.Digits[0]-len(low))+`,`+strconv.Itoa(r.Digits[1]-len(low))+`}`)
		}
	}
	expression := strings.Join(forms, "|")
	compiled, ok := expressions[expression]
	if !ok {
		compiled = regexp.MustCompile(`^(` + expression + `)$`)
		expressions[expression] = compiled
	}
	return compiled
}

var expressions = map[string]*regexp.Regexp{}

// A rule is read from TOML under its documented keys, and written back the same; a list of the wrong length reaches Validate.
func TestCodeRuleTOML(t *testing.T) {
	const text = `
[[code]]
wallet = "alipayplus"
prefixes = ["25-30"]
digits = [16, 24]
max_digits = 32
[[code]]
wallet = "unionpay"
prefixes = ["fp"]
characters = [35, 40]
`
	type config struct {
		Code []payment.CodeRule `toml:"code"`
	}
	var read config
	if err := toml.NewDecoder(strings.NewReader(text)).DisallowUnknownFields().Decode(&read); err != nil {
		t.Fatal(err)
	}
	if want := (config{[]payment.CodeRule{digitsRule(), textRule()}}); !reflect.DeepEqual(read, want) {
		t.Errorf("read %+v, want %+v", read, want)
	}
	defaults := config{payment.DefaultCodeRules()}
	data, err := toml.Marshal(defaults)
	if err != nil {
		t.Fatal(err)
	}
	var back config
	if err := toml.Unmarshal(data, &back); err != nil || !reflect.DeepEqual(back, defaults) {
		t.Errorf("written as\n%s\nread back as %+v, %v", data, back, err)
	}
	for _, lengths := range []string{"[]", "[16]", "[16, 24, 32]"} {
		var rule payment.CodeRule
		if err := toml.Unmarshal([]byte("wallet = 'wechat'\nprefixes = ['1']\ndigits = "+lengths), &rule); err != nil {
			t.Fatal(err)
		}
		if paths := rulePaths(t, rule.Validate()); !slices.Equal(paths, []string{"digits"}) {
			t.Errorf("digits = %s: mistakes at %q", lengths, paths)
		}
	}
}
