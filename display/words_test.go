package display

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"payscand/payment"
)

// everything calls f with every text of a language and a name for it.
func everything(l Language, f func(name, text string, sentence bool)) {
	for _, kind := range Kinds() {
		w := catalogue[l].screens[kind]
		f(string(kind)+" title", w.Title, false)
		if kind != KindDeclined {
			f(string(kind)+" hint", w.Hint, true)
		}
	}
	f("offline title", OfflineWords(l).Title, false)
	f("offline hint", OfflineWords(l).Hint, true)
	f("time left", TimeLeft(l), false)
	for _, reason := range payment.Reasons() {
		w := WordsIn(l, reason)
		f(string(reason)+" to the cashier", w.Cashier, true)
		f(string(reason)+" to the customer", w.Customer, true)
	}
	for reason, w := range refundWords[l] {
		f(string(reason)+" of a refund, to the cashier", w.Cashier, true)
		f(string(reason)+" of a refund, to the customer", w.Customer, true)
	}
}

// What a refund may have as its reason has words made for refunds, in every
// language: none tells the cashier to charge, to scan, or to take another payment.
func TestRefundsHaveWordsOfTheirOwn(t *testing.T) {
	ofPayments := []payment.Reason{
		payment.ReasonInsufficientFunds, payment.ReasonDeclined, payment.ReasonInvalidCode, payment.ReasonExpiredCode,
		payment.ReasonNotPaidInTime, payment.ReasonCancelled, payment.ReasonQRNotShown, payment.ReasonAbsent, payment.ReasonOverridden,
		payment.ReasonAmountLimit, payment.ReasonCountLimit, payment.ReasonMethodUnavailable, payment.ReasonWalletAccount, payment.ReasonNotVerified,
		payment.ReasonScanDamaged,
	}
	aboutPaying := []string{
		"charge", "scan", "way to pay", "pay again", "your payment or", "encaissez", "balayez", "mode de paiement", "payer", "收款", "扫描", "掃描", "付款方式", "再次付款",
	}
	for _, l := range Languages() {
		if len(refundWords[l]) != len(refundWords[English]) {
			t.Errorf("%s has words for %d reasons of refunds", l, len(refundWords[l]))
		}
		for _, reason := range payment.Reasons() {
			if slices.Contains(ofPayments, reason) {
				continue
			}
			w := RefundWordsIn(l, reason)
			for _, text := range []string{w.Cashier, w.Customer} {
				for _, about := range aboutPaying {
					if strings.Contains(strings.ToLower(text), about) {
						t.Errorf("%s: %s of a refund speaks of paying: %q", l, reason, text)
					}
				}
			}
		}
	}
}

// Every screen and every reason has words in every language, in that language's script; sentences end as sentences, and
// titles do not.
func TestCatalogueIsComplete(t *testing.T) {
	for _, l := range Languages() {
		chinese := l == SimplifiedChinese || l == TraditionalChinese
		everything(l, func(name, text string, sentence bool) {
			if text == "" || strings.TrimSpace(text) != text {
				t.Errorf("%s: %s is %q", l, name, text)
				return
			}
			last, _ := utf8.DecodeLastRuneInString(text)
			if ends := strings.ContainsRune(".!。！", last); ends != sentence {
				t.Errorf("%s: %s ends with %q", l, name, last)
			}
			if han := strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Han, r) }); han != chinese {
				t.Errorf("%s: %s is in another script: %q", l, name, text)
			}
		})
		if extra := len(catalogue[l].screens) - len(Kinds()); extra != 0 {
			t.Errorf("%s has words for %d screens more than there are", l, extra)
		}
		if extra := len(catalogue[l].reasons) - len(payment.Reasons()); extra != 0 {
			t.Errorf("%s has words for %d reasons more than there are", l, extra)
		}
	}
	if len(catalogue) != len(Languages()) {
		t.Errorf("the catalogue has %d languages, Languages has %d", len(catalogue), len(Languages()))
	}
}

// No French text is the English one left as it was, and the two Chinese scripts are not mixed up: none of the characters
// that differ between them stands in the other's texts.
func TestTextsAreTranslated(t *testing.T) {
	in := map[Language]map[string]string{}
	for _, l := range Languages() {
		in[l] = map[string]string{}
		everything(l, func(name, text string, _ bool) { in[l][name] = text })
	}
	const simplifiedOnly, traditionalOnly = "请码这钱应动查询网终认为无检复标图", "請碼這錢應動查詢網終認為無檢複標圖"
	both := "查" // the same in either
	for name, text := range in[English] {
		if in[French][name] == text {
			t.Errorf("%s: French is the English %q", name, text)
		}
		if i := strings.IndexAny(in[SimplifiedChinese][name], strings.ReplaceAll(traditionalOnly, both, "")); i >= 0 {
			t.Errorf("%s: simplified Chinese has the traditional character %q", name, in[SimplifiedChinese][name][i:i+3])
		}
		if i := strings.IndexAny(in[TraditionalChinese][name], strings.ReplaceAll(simplifiedOnly, both, "")); i >= 0 {
			t.Errorf("%s: traditional Chinese has the simplified character %q", name, in[TraditionalChinese][name][i:i+3])
		}
	}
}

// While money may have moved, nothing that the customer reads says that it did or that it did not.
func TestUncertaintyIsNotCalledAResult(t *testing.T) {
	results := []string{
		"fail", "declin", "refus", "cancel", "not completed", "approved", "success", "paid", "charged", "nothing",
		"échou", "échec", "annul", "approuvé", "réussi", "effectué", "débité",
		"失败", "失敗", "取消", "成功", "拒", "未完成", "扣款", "未付", "已付",
	}
	uncertain := []payment.Reason{
		payment.ReasonNoAnswer, payment.ReasonAnswerUnverified, payment.ReasonAnswerMalformed, payment.ReasonAnswerMismatch,
		payment.ReasonGatewayError, payment.ReasonRateLimited, payment.ReasonNotFound,
	}
	for _, l := range Languages() {
		texts := []string{OfflineWords(l).Title, OfflineWords(l).Hint}
		for _, kind := range []Kind{KindProcessing, KindWait, KindUnresolved} {
			w := Screen{Kind: kind}.Words(l)
			texts = append(texts, w.Title, w.Hint)
		}
		for _, reason := range uncertain {
			texts = append(texts, WordsIn(l, reason).Customer)
		}
		for _, text := range texts {
			for _, result := range results {
				if strings.Contains(strings.ToLower(text), result) {
					t.Errorf("%s: %q says %q", l, text, result)
				}
			}
		}
	}
}

// What a customer reads fits a screen: at most 120 characters.
func TestCustomerWordsAreShort(t *testing.T) {
	for _, l := range Languages() {
		everything(l, func(name, text string, _ bool) {
			if n := utf8.RuneCountInString(text); n > 120 && !strings.HasSuffix(name, "to the cashier") {
				t.Errorf("%s: %s has %d characters: %q", l, name, n, text)
			}
		})
	}
}

// Words gives both texts in English for every reason, and none for what is no reason.
func TestWords(t *testing.T) {
	for _, reason := range payment.Reasons() {
		message, customerMessage := Words(reason, false)
		if want := WordsIn(English, reason); message == "" || message != want.Cashier || customerMessage != want.Customer {
			t.Errorf("%s: message %q, customer message %q", reason, message, customerMessage)
		}
	}
	if message, customerMessage := Words("made up", false); message != "" || customerMessage != "" {
		t.Errorf("a reason that is none has words: %q, %q", message, customerMessage)
	}
}

// A declined screen tells the reason in the customer's words, every other one its own hint.
func TestScreenWords(t *testing.T) {
	for _, l := range Languages() {
		for _, reason := range payment.Reasons() {
			if got := (Screen{Kind: KindDeclined, Reason: reason}).Words(l); got.Hint != WordsIn(l, reason).Customer || got.Title == "" {
				t.Errorf("%s, %s: %+v", l, reason, got)
			}
		}
		if got := (Screen{Kind: KindIdle}).Words(l); got != catalogue[l].screens[KindIdle] {
			t.Errorf("%s: idle is %+v", l, got)
		}
	}
}

// Amounts are written as CLDR 46 does for English and French in Canada, and for Chinese.
func TestFormatAmount(t *testing.T) {
	const nbsp = "\u00a0"
	tests := []struct {
		amount int64
		in     payment.Currency
		want   [4]string // in the order of Languages
	}{
		{1234, "CAD", [4]string{"$12.34", "12,34" + nbsp + "$", "CA$12.34", "CA$12.34"}},
		{5, "CAD", [4]string{"$0.05", "0,05" + nbsp + "$", "CA$0.05", "CA$0.05"}},
		{123456789, "CAD", [4]string{"$1,234,567.89", "1" + nbsp + "234" + nbsp + "567,89" + nbsp + "$", "CA$1,234,567.89", "CA$1,234,567.89"}},
		{1234, "USD", [4]string{"US$12.34", "12,34" + nbsp + "$" + nbsp + "US", "US$12.34", "US$12.34"}},
		{1234, "CNY", [4]string{"CN¥12.34", "12,34" + nbsp + "CN¥", "¥12.34", "CN¥12.34"}},
		{1234, "JPY", [4]string{"JP¥1,234", "1" + nbsp + "234" + nbsp + "¥", "JP¥1,234", "¥1,234"}},
		{1234, "KWD", [4]string{"KWD" + nbsp + "1.234", "1,234" + nbsp + "KWD", "KWD" + nbsp + "1.234", "KWD" + nbsp + "1.234"}},
	}
	for _, tt := range tests {
		for i, l := range Languages() {
			if got := FormatAmount(l, payment.Money{Amount: tt.amount, Currency: tt.in}); got != tt.want[i] {
				t.Errorf("%d %s in %s: %q, want %q", tt.amount, tt.in, l, got, tt.want[i])
			}
		}
	}
}

// ParseLanguages keeps the order, and refuses what is empty, unknown or doubled.
func TestParseLanguages(t *testing.T) {
	got, err := ParseLanguages([]string{"zh-Hans", "en"})
	if err != nil || !slices.Equal(got, []Language{SimplifiedChinese, English}) {
		t.Errorf("got %v, %v", got, err)
	}
	for _, bad := range [][]string{nil, {}, {"de"}, {"EN"}, {""}, {"en", "fr", "en"}} {
		if got, err := ParseLanguages(bad); err == nil {
			t.Errorf("%q: got %v and no error", bad, got)
		}
	}
}
