package display

import (
	"fmt"
	"slices"

	"github.com/bojanz/currency"

	"payscand/payment"
)

// Language is a BCP 47 tag of a language that the customer's display speaks.
type Language string

const (
	English            Language = "en"
	French             Language = "fr" // as written in Canada
	SimplifiedChinese  Language = "zh-Hans"
	TraditionalChinese Language = "zh-Hant"
)

// Languages lists every language.
func Languages() []Language {
	return []Language{English, French, SimplifiedChinese, TraditionalChinese}
}

// ParseLanguages reads tags such as "en" and "zh-Hans", exactly as Languages spells them. It refuses an empty list, an
// unknown tag and one that comes twice.
func ParseLanguages(tags []string) ([]Language, error) {
	if len(tags) == 0 {
		return nil, fmt.Errorf("languages: name at least one of %v", Languages())
	}
	languages := make([]Language, 0, len(tags))
	for _, tag := range tags {
		l := Language(tag)
		if !slices.Contains(Languages(), l) {
			return nil, fmt.Errorf("languages: %q is unknown: use %v", tag, Languages())
		}
		if slices.Contains(languages, l) {
			return nil, fmt.Errorf("languages: %q comes twice: name it once", tag)
		}
		languages = append(languages, l)
	}
	return languages, nil
}

// locales are those of a shop in Canada, where there are such in CLDR: there a dollar is "$" to those who read English
// or French. Readers of Chinese see "CA$", as CLDR writes it for them everywhere.
var locales = map[Language]string{
	English: "en-CA", French: "fr-CA", SimplifiedChinese: "zh-Hans", TraditionalChinese: "zh-Hant",
}

// FormatAmount writes an amount by the rules of CLDR for the language: "$1,234.50" or "1 234,50 $" for 123450 cents of
// CAD. A language that is unknown is taken as English.
func FormatAmount(l Language, m payment.Money) string {
	locale, known := locales[l]
	if !known {
		locale = locales[English]
	}
	amount, err := currency.NewAmountFromInt64(m.Amount, string(m.Currency))
	if err != nil { // a currency that payment would not have let in
		return fmt.Sprint(m.Amount, " ", m.Currency)
	}
	return currency.NewFormatter(currency.NewLocale(locale)).Format(amount)
}
