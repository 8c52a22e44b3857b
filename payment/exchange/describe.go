package exchange

import (
	"strings"
	"unicode"
)

// Describe joins words to a text of at most limit characters for the customer's
// bill. Control and invisible characters are left out, as are those beyond the
// basic plane, which a reader that counts or stores in UTF-16 or three-byte UTF-8
// gets wrong. A long text is cut at a word's end where one is near.
func Describe(limit int, parts ...string) string {
	var words []string
	for _, part := range parts {
		clean := strings.Map(func(r rune) rune {
			switch {
			case unicode.IsSpace(r) || unicode.IsControl(r):
				return ' '
			case !unicode.IsGraphic(r) || r > 0xffff || r == unicode.ReplacementChar:
				return -1
			}
			return r
		}, part)
		words = append(words, strings.Fields(clean)...)
	}
	return cut(strings.Join(words, " "), limit)
}

// cut shortens text to limit characters, at a word's end where one is near.
func cut(text string, limit int) string {
	runes := []rune(text)
	if len(runes) <= limit {
		return text
	}
	const near = 20
	end := limit - 1
	for back := end; back > max(0, end-near); back-- {
		if runes[back] == ' ' {
			end = back
			break
		}
	}
	for end > 0 && unicode.Is(unicode.M, runes[end]) { // never an accent without its letter, nor a letter without its accent
		end--
	}
	return strings.TrimRight(string(runes[:end]), " ") + "…"
}
