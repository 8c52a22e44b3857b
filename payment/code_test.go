package payment_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pelletier/go-toml/v2"

	"payscand/payment"
)

const (
	secretText = "281234567890123456"
	secretMask = "28…3456"
)

type exportedHolder struct {
	ID   string
	Code payment.Code
}

type hiddenHolder struct {
	id    string
	code  payment.Code
	ptr   *payment.Code
	list  []payment.Code
	byID  map[string]payment.Code
	inner struct{ code payment.Code }
}

// A code's text comes out of Reveal only; everything else shows the mask.
func TestCode(t *testing.T) {
	code := payment.NewCode(secretText)
	if code.Reveal() != secretText || code.Mask() != secretMask || code.String() != secretMask || code.IsZero() {
		t.Errorf("Reveal %q, Mask %q, String %q", code.Reveal(), code.Mask(), code.String())
	}
	var none payment.Code
	if !none.IsZero() || none.Reveal() != "" || none.Mask() != "" || !payment.NewCode("").IsZero() {
		t.Errorf("zero code: Reveal %q, Mask %q", none.Reveal(), none.Mask())
	}
	if !code.Equal(payment.NewCode(secretText)) || code.Equal(none) || code.Equal(payment.NewCode(secretText+"7")) {
		t.Error("Equal must compare the texts")
	}
	if !reflect.DeepEqual(code, payment.NewCode(secretText)) || reflect.DeepEqual(code, none) {
		t.Error("reflect.DeepEqual must compare the texts")
	}
	if reflect.TypeFor[payment.Code]().Comparable() {
		t.Error("== would compare addresses: the type must not allow it")
	}
}

// The mask shows six characters at most, never of a short code, and only printable ASCII.
func TestCodeMask(t *testing.T) {
	for text, want := range map[string]string{
		"1": "****", "123456789": "****", "1234567890": "12…7890", "fp" + strings.Repeat("a", 29) + "WXYZ": "fp…WXYZ",
		"12\n4567890123": "12…0123", "\n234567890123": "****", "123456789012\x1b": "****", "１２３４５６": "****", "12345678é": "****",
	} {
		if got := payment.NewCode(text).Mask(); got != want {
			t.Errorf("mask of %q is %q, want %q", text, got, want)
		}
	}
}

// No verb, flag or nesting of fmt prints more than the mask; where the value's own methods are called, it is the mask.
func TestCodeInFmt(t *testing.T) {
	code := payment.NewCode(secretText)
	hidden := hiddenHolder{id: "h", code: code, ptr: &code, list: []payment.Code{code}, byID: map[string]payment.Code{"a": code}}
	hidden.inner.code = code
	verbs := []string{"%v", "%+v", "%#v", "%s", "%+s", "%#s", "%q", "%+q", "%#q", "%x", "%X", "% x", "%#x", "%d", "%o", "%b", "%c",
		"%U", "%e", "%f", "%g", "%t", "%p", "%w", "%T", "%z", "%30v", "%-30s", "%.3s", "%030d"}
	values := map[string]any{
		"code": code, "pointer": &code, "slice": []payment.Code{code}, "array": [1]payment.Code{code},
		"map": map[string]payment.Code{"a": code}, "exported": exportedHolder{"e", code}, "to exported": &exportedHolder{"e", code},
		"hidden": hidden, "to hidden": &hidden, "hidden slice": []hiddenHolder{hidden}, "hidden pointers": []*hiddenHolder{&hidden},
		"anonymous": struct{ payment.Code }{code}, "anonymous pointer": struct{ *payment.Code }{&code},
		"any": []any{code}, "reflect": reflect.ValueOf(code), "reflect field": reflect.ValueOf(hidden).Field(1),
		"reflect text": reflect.ValueOf(code).FieldByName("text"),
	}
	for name, value := range values {
		for _, verb := range verbs {
			assertNoSecret(t, name+" "+verb, fmt.Sprintf(verb, value))
		}
		assertNoSecret(t, name+" Sprint", fmt.Sprint(value), fmt.Sprintln(value))
	}
	for verb, want := range map[string]string{
		"%v": secretMask, "%+v": secretMask, "%s": secretMask, "%x": secretMask, "%d": secretMask, "%q": `"28…3456"`,
		"%#v": `payment.Code("28…3456")`, "%9s": "  " + secretMask, "%-9v": secretMask + "  ",
	} {
		if got := fmt.Sprintf(verb, code); got != want {
			t.Errorf("%s prints %q, want %q", verb, got, want)
		}
		if got := fmt.Sprintf(verb, &code); got != want {
			t.Errorf("%s of a pointer prints %q, want %q", verb, got, want)
		}
	}
	if got, want := fmt.Sprintf("%+v", exportedHolder{"e", code}), "{ID:e Code:28…3456}"; got != want {
		t.Errorf("in a struct it prints %q, want %q", got, want)
	}
	err := fmt.Errorf("wrapped: %w", fmt.Errorf("of %v and %+v", code, hidden))
	assertNoSecret(t, "error", err.Error())
}

// Encoders of structs write the mask, or nothing.
func TestCodeInEncoders(t *testing.T) {
	code := payment.NewCode(secretText)
	hidden := hiddenHolder{id: "h", code: code, ptr: &code}
	for _, value := range []any{code, &code, exportedHolder{"e", code}, []payment.Code{code}, map[string]any{"c": code}, hidden, &hidden} {
		data, err := json.Marshal(value)
		if err != nil {
			t.Errorf("JSON: %v", err)
		}
		assertNoSecret(t, "JSON", string(data))
		data, err = toml.Marshal(map[string]any{"value": value})
		assertNoSecret(t, "TOML", string(data), fmt.Sprint(err))
		data, err = xml.Marshal(value)
		assertNoSecret(t, "XML", string(data), fmt.Sprint(err))
		var buffer bytes.Buffer
		err = gob.NewEncoder(&buffer).Encode(value)
		assertNoSecret(t, "gob", buffer.String(), fmt.Sprint(err))
	}
	if data, err := json.Marshal(exportedHolder{"e", code}); err != nil || string(data) != `{"ID":"e","Code":"28…3456"}` {
		t.Errorf("JSON %s, %v", data, err)
	}
	if text, err := code.MarshalText(); err != nil || string(text) != secretMask {
		t.Errorf("text %s, %v", text, err)
	}
	if data, err := json.Marshal(payment.Code{}); err != nil || string(data) != `""` {
		t.Errorf("JSON of the zero code: %s, %v", data, err)
	}
	if err := json.Unmarshal([]byte(`"`+secretText+`"`), &code); err == nil {
		t.Error("a code was decoded from JSON: it must go through Recognise")
	}
}

// Neither slog handler, nor a diff in a failing test, shows more than the mask.
func TestCodeInLogs(t *testing.T) {
	code := payment.NewCode(secretText)
	hidden := hiddenHolder{id: "h", code: code, ptr: &code, list: []payment.Code{code}}
	var out bytes.Buffer
	options := &slog.HandlerOptions{Level: slog.LevelDebug}
	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, options), slog.NewJSONHandler(&out, options)} {
		out.Reset()
		logger := slog.New(handler).With("with", code)
		logger.Info("scan", "code", code, "pointer", &code, "list", []payment.Code{code}, "exported", exportedHolder{"e", code},
			"hidden", hidden, "to_hidden", &hidden, "group", slog.GroupValue(slog.Any("code", code)), "nil", (*payment.Code)(nil))
		assertNoSecret(t, "slog", out.String())
		if strings.Count(out.String(), secretMask) < 5 {
			t.Errorf("slog shows the mask too seldom: %s", out.String())
		}
	}
	if value := slog.AnyValue(code).Resolve(); value.Kind() != slog.KindString || value.String() != secretMask {
		t.Errorf("a handler of another kind gets %v", value)
	}
	other := payment.NewCode("139876543210987654")
	diff := cmp.Diff(exportedHolder{"e", code}, exportedHolder{"e", other})
	assertNoSecret(t, "cmp", diff)
	if diff == "" || strings.Contains(diff, "139876543210987654") || !cmp.Equal(code, payment.NewCode(secretText)) {
		t.Errorf("cmp must compare by Equal: %s", diff)
	}
}

// assertNoSecret looks for the text itself, for it in hex, and for its bytes and runes in decimal.
func assertNoSecret(t *testing.T, what string, outputs ...string) {
	t.Helper()
	decimal := strings.Trim(fmt.Sprint([]byte(secretText)), "[]")
	forms := []string{secretText, secretText[2:14], fmt.Sprintf("%x", secretText), fmt.Sprintf("% x", secretText), decimal,
		strings.ReplaceAll(decimal, " ", ", ")}
	for _, output := range outputs {
		for _, form := range forms {
			if strings.Contains(strings.ToLower(output), form) {
				t.Errorf("%s leaks the code: %s", what, output)
			}
		}
	}
}

// digitsOf returns n digits that begin with the prefix and repeat no shorter code.
func digitsOf(prefix string, n int) string {
	const tail = "31415926535897932384626433832795028841971693993751058209749445923078164062862089986280348253421170679"
	return prefix + tail[:n-len(prefix)]
}

const (
	alipayCode   = "281234567890123456"
	weChatCode   = "134567890123456789"
	unionPayCode = "6212345678901234567"
	facePayCode  = "fp0123456789abcdefghijklmnopqrstuvw"
	emvCode      = "hQVDUFYwMWETTwegAAADMwEBVwliI0VniQEj0="
)

// Every code of every wallet is recognised, spaces around it dropped, at both ends of its prefixes and lengths.
func TestRecogniseCodes(t *testing.T) {
	for text, want := range map[string]payment.Wallet{
		alipayCode: payment.WalletAlipayPlus, weChatCode: payment.WalletWeChat, unionPayCode: payment.WalletUnionPay,
		facePayCode: payment.WalletAlipayPlus, emvCode: payment.WalletUnionPay,
		digitsOf("25", 16): payment.WalletAlipayPlus, digitsOf("30", 16): payment.WalletAlipayPlus,
		digitsOf("25", 24): payment.WalletAlipayPlus, digitsOf("30", 24): payment.WalletAlipayPlus,
		digitsOf("10", 18): payment.WalletWeChat, digitsOf("15", 18): payment.WalletWeChat,
		"fpfp" + facePayCode[4:]:              payment.WalletAlipayPlus, // a short prefix may come again by chance
		"hQVDUFYwM" + strings.Repeat("x", 15): payment.WalletUnionPay, "hQVDUFYwM" + strings.Repeat("y", 503): payment.WalletUnionPay,
	} {
		for _, scanned := range []string{text, "  " + text + " "} {
			wallet, code, err := payment.Recognise(payment.DefaultCodeRules(), scanned)
			if err != nil || wallet != want || code.Reveal() != text {
				t.Errorf("%q: %s %v, %v; want %s", scanned, wallet, code, err, want)
			}
		}
	}
}

// What is not one code is refused, with what it was; the refusal shows no more than a mask, and nothing of texts that
// are no wallet's whatever the rules.
func TestRecogniseRefusals(t *testing.T) {
	for _, c := range []struct {
		name, text string
		kind       payment.RefusalKind
		wallet     payment.Wallet
	}{
		{"nothing", "", payment.RefusalEmpty, ""},
		{"spaces", "   ", payment.RefusalEmpty, ""},
		{"5,000 digits", "28" + strings.Repeat("1234567890", 500)[:4998], payment.RefusalTooLong, ""},
		{"5,000 letters", strings.Repeat("abcdefghij", 500), payment.RefusalTooLong, ""},
		{"URL", "https://example.com/coupon?id=281234567890123456", payment.RefusalWebAddress, ""},
		{"URL in capitals", "HTTPS://QR.EXAMPLE.COM/281234567890123456", payment.RefusalWebAddress, ""},
		{"static merchant QR", "wxp://f2f0abcdefghijklmnop", payment.RefusalWebAddress, ""},
		{"URL without scheme", "WWW.example.com", payment.RefusalWebAddress, ""},
		{"letters", "ABCDEFGHIJKLMNOPQR", payment.RefusalText, ""},
		{"Code 128 with letters", "LOT-2024-000123", payment.RefusalText, ""},
		{"code with a letter", "28123456789012345O", payment.RefusalText, ""},
		{"code with a space", "2812 3456 7890 1234", payment.RefusalText, ""},
		{"15 digits", digitsOf("28", 15), payment.RefusalTooShort, payment.WalletAlipayPlus},
		{"25 digits", digitsOf("28", 25), payment.RefusalReservedLength, payment.WalletAlipayPlus},
		{"32 digits", digitsOf("28", 32), payment.RefusalReservedLength, payment.WalletAlipayPlus},
		{"33 digits", digitsOf("28", 33), payment.RefusalTooLong, payment.WalletAlipayPlus},
		{"WeChat code of 17", weChatCode[:17], payment.RefusalWrongLength, payment.WalletWeChat},
		{"WeChat code of 19", weChatCode + "0", payment.RefusalWrongLength, payment.WalletWeChat},
		{"UnionPay code of 18", unionPayCode[:18], payment.RefusalWrongLength, payment.WalletUnionPay},
		{"prefix 24", digitsOf("24", 18), payment.RefusalUnknownPrefix, ""},
		{"prefix 31", digitsOf("31", 18), payment.RefusalUnknownPrefix, ""},
		{"prefix 16", digitsOf("16", 18), payment.RefusalUnknownPrefix, ""},
		{"prefix 09", digitsOf("09", 18), payment.RefusalUnknownPrefix, ""},
		{"EAN-13", "4006381333931", payment.RefusalGoodsBarcode, ""},
		{"EAN-13 of the shop's own, begins like Alipay+", "2812345678909", payment.RefusalGoodsBarcode, ""},
		{"UPC-A", "036000291452", payment.RefusalGoodsBarcode, ""},
		{"EAN-8", "96385074", payment.RefusalGoodsBarcode, ""},
		{"13 digits, wrong check digit", "4006381333932", payment.RefusalTooShort, ""},
		{"12 digits, wrong check digit", "036000291453", payment.RefusalTooShort, ""},
		{"8 digits, wrong check digit", "96385075", payment.RefusalTooShort, ""},
		{"one digit", "7", payment.RefusalTooShort, ""},
		{"doubled 18", alipayCode + alipayCode, payment.RefusalDoubledCode, ""},
		{"doubled 16, of a reserved length", digitsOf("28", 16) + digitsOf("28", 16), payment.RefusalDoubledCode, ""},
		{"doubled 24", digitsOf("28", 24) + digitsOf("28", 24), payment.RefusalDoubledCode, ""},
		{"tripled 16", strings.Repeat(digitsOf("28", 16), 3), payment.RefusalDoubledCode, ""},
		{"doubled WeChat", weChatCode + weChatCode, payment.RefusalDoubledCode, ""},
		{"doubled UnionPay", unionPayCode + unionPayCode, payment.RefusalDoubledCode, ""},
		{"doubled face pay", facePayCode + facePayCode, payment.RefusalDoubledCode, ""},
		{"doubled EMV", emvCode + emvCode, payment.RefusalDoubledCode, ""},
		{"doubled longest EMV", strings.Repeat("hQVDUFYwM"+strings.Repeat("y", 503), 2), payment.RefusalDoubledCode, ""},
		{"doubled, the second cut", alipayCode + alipayCode[:10], payment.RefusalReservedLength, payment.WalletAlipayPlus},
		{"tripled, the third cut", alipayCode + alipayCode + alipayCode[:9], payment.RefusalDoubledCode, ""},
		{"two codes", weChatCode + alipayCode, payment.RefusalTwoCodes, ""},
		{"two WeChat codes", weChatCode + digitsOf("10", 18), payment.RefusalTwoCodes, ""},
		{"digits and text", alipayCode + facePayCode, payment.RefusalTwoCodes, ""},
		{"two EMV codes", strings.TrimRight(emvCode, "=") + "hQVDUFYwM" + strings.Repeat("x", 20), payment.RefusalTwoCodes, ""},
		{"EMV, cut", emvCode[:20], payment.RefusalTooShort, payment.WalletUnionPay},
		{"EMV, too long", "hQVDUFYwM" + strings.Repeat("x", 504), payment.RefusalTooLong, payment.WalletUnionPay},
		{"EMV in other case", strings.ToLower(emvCode), payment.RefusalText, ""},
		{"EMV with a bad character", emvCode[:20] + "!" + emvCode[20:], payment.RefusalText, ""},
		{"face pay, cut", facePayCode[:34], payment.RefusalWrongLength, payment.WalletAlipayPlus},
		{"face pay in other case", strings.ToUpper(facePayCode), payment.RefusalText, ""},
		{"full-width digits", "２８１２３４５６７８９０１２３４５６", payment.RefusalNonASCII, ""},
		{"not UTF-8", "28123456\xff890123456", payment.RefusalNonASCII, ""},
		{"control character inside", "281234567\x1d890123456", payment.RefusalControlCharacter, ""},
		{"terminator left", alipayCode + "\r", payment.RefusalControlCharacter, ""},
		{"DEL", alipayCode + "\x7f", payment.RefusalControlCharacter, ""},
		{"NUL", "\x00" + alipayCode, payment.RefusalControlCharacter, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			wallet, code, err := payment.Recognise(payment.DefaultCodeRules(), c.text)
			refusal, ok := errors.AsType[*payment.Refusal](err)
			if !ok || wallet != "" || !code.IsZero() {
				t.Fatalf("got %s %v, %v; want a refusal", wallet, code, err)
			}
			length := len(strings.Trim(c.text, " "))
			if refusal.Kind != c.kind || refusal.Wallet != c.wallet || refusal.Length != length {
				t.Errorf("got %+v, want %s of %q, length %d", *refusal, c.kind, c.wallet, length)
			}
			assertRefusalHides(t, refusal, c.text)
			switch c.kind {
			case payment.RefusalEmpty, payment.RefusalWebAddress, payment.RefusalNonASCII, payment.RefusalControlCharacter:
				if refusal.Mask != "" {
					t.Errorf("mask %q of a %s", refusal.Mask, c.kind)
				}
			}
		})
	}
}

// The longer codes that Alipay+ reserves are accepted once the shop raises digits; a doubled code still is not.
func TestRecogniseRaisedDigits(t *testing.T) {
	rules := payment.DefaultCodeRules()
	rules[0].Digits = []int{16, 32}
	for _, n := range []int{16, 24, 25, 32} {
		text := digitsOf("28", n)
		if wallet, code, err := payment.Recognise(rules, text); err != nil || wallet != payment.WalletAlipayPlus || code.Reveal() != text {
			t.Errorf("%d digits: %s, %v", n, wallet, err)
		}
	}
	_, _, err := payment.Recognise(rules, digitsOf("28", 16)+digitsOf("28", 16))
	if refusal, ok := errors.AsType[*payment.Refusal](err); !ok || refusal.Kind != payment.RefusalDoubledCode {
		t.Errorf("doubled 16 digits: %v", err)
	}
}

// Lengths are judged by the rules given: between two lengths of one prefix there is a gap; without rules nothing is a code.
func TestRecogniseOtherRules(t *testing.T) {
	rules := []payment.CodeRule{
		{Wallet: payment.WalletWeChat, Prefixes: []string{"1"}, Digits: []int{16, 16}},
		{Wallet: payment.WalletUnionPay, Prefixes: []string{"1"}, Digits: []int{20, 20}},
	}
	if err := payment.ValidateCodeRules(rules); err != nil {
		t.Fatal(err)
	}
	for n, want := range map[int]payment.Wallet{16: payment.WalletWeChat, 20: payment.WalletUnionPay} {
		if wallet, _, err := payment.Recognise(rules, digitsOf("1", n)); wallet != want {
			t.Errorf("%d digits: %s, %v; want %s", n, wallet, err, want)
		}
	}
	for _, c := range []struct {
		rules []payment.CodeRule
		text  string
		kind  payment.RefusalKind
	}{
		{rules, digitsOf("1", 18), payment.RefusalWrongLength},
		{rules, facePayCode, payment.RefusalText},
		{nil, alipayCode, payment.RefusalUnknownPrefix},
		{nil, facePayCode, payment.RefusalText},
	} {
		_, _, err := payment.Recognise(c.rules, c.text)
		if refusal, ok := errors.AsType[*payment.Refusal](err); !ok || refusal.Kind != c.kind {
			t.Errorf("%d characters by %d rules: %v, want %s", len(c.text), len(c.rules), err, c.kind)
		}
	}
}

// Each kind is listed once, in snake case, and has words of its own that end in what to do.
func TestRefusalKinds(t *testing.T) {
	snakeCase := regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	kindOf := map[string]payment.RefusalKind{}
	for _, kind := range payment.RefusalKinds() {
		message := (&payment.Refusal{Kind: kind, Wallet: payment.WalletWeChat, Length: 17, Mask: "13…5678"}).Error()
		what, todo, _ := strings.Cut(message, "; ")
		if what == "scanned 17 characters (13…5678): " || todo == "" || strings.ContainsAny(message, "{}%") || !snakeCase.MatchString(string(kind)) {
			t.Errorf("%s says %q", kind, message)
		}
		if twin, taken := kindOf[message]; taken {
			t.Errorf("%s and %s say the same: %q", kind, twin, message)
		}
		kindOf[message] = kind
	}
	refusal := &payment.Refusal{Kind: payment.RefusalWrongLength, Wallet: payment.WalletWeChat, Length: 17, Mask: "13…5678"}
	const want = "scanned 17 characters (13…5678): it begins like a code of WeChat Pay, which has another length; " +
		"scan the customer's payment code again, once"
	if refusal.Error() != want {
		t.Errorf("got %q\nwant %q", refusal.Error(), want)
	}
}

// assertRefusalHides checks that a text of 7 bytes or more, however the refusal is shown, is not in it, unless it is one
// of the message's own words.
func assertRefusalHides(t *testing.T, refusal *payment.Refusal, text string) {
	t.Helper()
	text = strings.Trim(text, " ")
	if len(text) < 7 {
		return
	}
	show := func(r *payment.Refusal) []string {
		data, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		return []string{r.Error(), fmt.Sprintf("%+v", *r), fmt.Sprintf("%#v", *r), string(data)}
	}
	unmasked := *refusal
	unmasked.Mask = ""
	words := show(&unmasked)
	for i, shown := range show(refusal) {
		if strings.Contains(shown, text) && !strings.Contains(words[i], text) {
			t.Errorf("%q shows the whole of %q", shown, text)
		}
	}
	if len(refusal.Mask) > len("28…3456") {
		t.Errorf("mask %q is too long", refusal.Mask)
	}
}

// codeOracle restates the table of payment codes, apart from the code's own rules.
var codeOracle = []struct {
	wallet payment.Wallet
	form   *regexp.Regexp
}{
	{payment.WalletAlipayPlus, regexp.MustCompile(`^(2[5-9]|30)[0-9]{14,22}$`)},
	{payment.WalletWeChat, regexp.MustCompile(`^1[0-5][0-9]{16}$`)},
	{payment.WalletUnionPay, regexp.MustCompile(`^62[0-9]{17}$`)},
	{payment.WalletAlipayPlus, regexp.MustCompile(`^fp([A-Za-z0-9+/]{33}|[A-Za-z0-9+/]{32}=|[A-Za-z0-9+/]{31}==)$`)},
	{payment.WalletUnionPay, regexp.MustCompile(`^hQVDUFYwM[A-Za-z0-9+/]+={0,2}$`)},
}

func oracleWallets(text string) []payment.Wallet {
	var wallets []payment.Wallet
	for _, o := range codeOracle {
		if !o.form.MatchString(text) || text[0] == 'h' && (len(text) < 24 || len(text) > 512) {
			continue
		}
		wallets = append(wallets, o.wallet)
	}
	return wallets
}

// FuzzRecognise: exactly the codes of the oracle are accepted, except for what begins a second time; refusals are of the
// closed set, hide the text, and depend on nothing but it.
func FuzzRecognise(f *testing.F) {
	for _, seed := range []string{
		"", " ", alipayCode, weChatCode, unionPayCode, facePayCode, emvCode, emvCode + emvCode, alipayCode + weChatCode,
		weChatCode[:17], "4006381333931", "https://example.com/", "２８１２", "28\x1d", digitsOf("28", 32), "*******", "payment code",
	} {
		f.Add(seed)
	}
	rules := payment.DefaultCodeRules()
	f.Fuzz(func(t *testing.T, scanned string) {
		text := strings.Trim(scanned, " ")
		wallet, code, err := payment.Recognise(rules, scanned)
		oracle := oracleWallets(text)
		if len(oracle) > 1 {
			t.Fatalf("%q fits %v: the rules overlap", text, oracle)
		}
		if err == nil {
			if len(oracle) != 1 || oracle[0] != wallet || code.Reveal() != text {
				t.Fatalf("%q accepted as %s (%q), the oracle says %v", scanned, wallet, code.Reveal(), oracle)
			}
			if shown := fmt.Sprintf("%v %#v %x", code, code, code); strings.Contains(shown, text) {
				t.Fatalf("%q prints as %s", text, shown)
			}
			return
		}
		refusal, ok := errors.AsType[*payment.Refusal](err)
		if !ok || wallet != "" || !code.IsZero() || refusal.Length != len(text) {
			t.Fatalf("%q: %s %v, %v", scanned, wallet, code, err)
		}
		switch refusal.Kind {
		case payment.RefusalDoubledCode, payment.RefusalTwoCodes:
			// A code that begins twice may fit the oracle, as the EMV form is of any length.
			if len(oracle) == 1 && strings.Count(text, "hQVDUFYwM") < 2 {
				t.Fatalf("%q refused: %v", text, err)
			}
		default:
			if len(oracle) != 0 {
				t.Fatalf("%q refused: %v; the oracle says %v", text, err, oracle)
			}
		}
		if !strings.Contains(fmt.Sprint(payment.RefusalKinds()), string(refusal.Kind)) {
			t.Fatalf("%q: kind %q is not listed", text, refusal.Kind)
		}
		assertRefusalHides(t, refusal, scanned)
	})
}
