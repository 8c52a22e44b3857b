package hidscan

import (
	"maps"
	"slices"
	"unicode"
)

// layout says what the keys of a keyboard type, by HID usage of page 0x07 (HID
// Usage Tables 1.12, chapter 10).
type layout struct {
	keys [256]key
	// capsDiffers: what Caps Lock makes of keys that are no letters depends on
	// the operating system, so what is typed with it is not read.
	capsDiffers bool
}

// key is the character alone, with Shift and with AltGr; 0 where there is none,
// and for dead keys, which wait for another one.
type key struct{ plain, shifted, altGr rune }

// isCased tells whether Shift makes a capital of the key's letter.
func (k key) isCased() bool { return k.plain != k.shifted && unicode.ToUpper(k.plain) == k.shifted }

// layouts are the keyboard layouts by name.
var layouts = map[string]*layout{
	"us": usLayout(),
	"cn": usLayout(), // Chinese keyboards are US ones; their input method is the computer's affair
	"gb": gbLayout(),
	"de": deLayout(),
	"fr": frLayout(),
}

// Layouts lists the names of keyboard layouts.
func Layouts() []string { return slices.Sorted(maps.Keys(layouts)) }

// usLayout is the US layout. Usage 0x64, the key that US keyboards lack, types
// nothing.
func usLayout() *layout {
	l := newLayout("abcdefghijklmnopqrstuvwxyz")
	l.row(0x1e, "1!2@3#4$5%6^7&8*9(0)")
	l.row(0x2c, "  -_=+[{]}\\|\\|;:'\"`~,<.>/?") // 0x32 is the key beside Enter
	return l
}

// gbLayout is the layout of the United Kingdom.
func gbLayout() *layout {
	l := newLayout("abcdefghijklmnopqrstuvwxyz")
	l.row(0x1e, "1!2\"3£4$5%6^7&8*9(0)")
	l.row(0x2c, "  -_=+[{]}#~#~;:'@`¬,<.>/?")
	l.row(0x64, "\\|")
	l.altGr(map[byte]rune{0x21: '€', 0x35: '¦'})
	return l
}

// deLayout is the German layout. Circumflex, acute and grave are dead keys.
func deLayout() *layout {
	l := newLayout("abcdefghijklmnopqrstuvwxzy")
	l.row(0x1e, "1!2\"3§4$5%6&7/8(9)0=")
	l.row(0x2c, "  ß?\x00\x00üÜ+*#'#'öÖäÄ\x00°,;.:-_")
	l.row(0x64, "<>")
	l.altGr(map[byte]rune{
		0x14: '@', 0x08: '€', 0x10: 'µ', 0x1f: '²', 0x20: '³',
		0x24: '{', 0x25: '[', 0x26: ']', 0x27: '}', 0x2d: '\\', 0x30: '~', 0x64: '|',
	})
	l.keys[0x63] = key{} // the keypad's decimal key: a comma or a point
	l.capsDiffers = true
	return l
}

// frLayout is the French layout, with digits on Shift. Circumflex and diaeresis
// are dead keys, with AltGr also tilde and grave.
func frLayout() *layout {
	l := newLayout("qbcdefghijkl,noparstuvzxyw")
	l.row(0x10, ",?")
	l.row(0x1e, "&1é2\"3'4(5-6è7_8ç9à0")
	l.row(0x2c, "  )°=+\x00\x00$£*µ*µmMù%²\x00;.:/!§")
	l.row(0x64, "<>")
	l.altGr(map[byte]rune{
		0x20: '#', 0x21: '{', 0x22: '[', 0x23: '|', 0x25: '\\', 0x26: '^', 0x27: '@',
		0x2d: ']', 0x2e: '}', 0x08: '€', 0x30: '¤',
	})
	l.capsDiffers = true
	return l
}

// newLayout has the letters of usages 0x04 to 0x1d, what ends a scan, and the
// keypad.
func newLayout(letters string) *layout {
	l := new(layout)
	for i, letter := range letters {
		l.letter(0x04+byte(i), letter)
	}
	l.commonKeys()
	return l
}

func (l *layout) letter(usage byte, letter rune) {
	l.keys[usage] = key{plain: letter, shifted: unicode.ToUpper(letter)}
}

// row sets keys of ascending usages; each has two characters in pairs.
func (l *layout) row(usage byte, pairs string) {
	characters := []rune(pairs)
	for i := 0; i < len(characters); i += 2 {
		l.keys[usage] = key{plain: characters[i], shifted: characters[i+1]}
		usage++
	}
}

func (l *layout) altGr(characters map[byte]rune) {
	for usage, character := range characters {
		l.keys[usage].altGr = character
	}
}

// commonKeys sets the keys that are alike everywhere: what ends a scan, and the
// keypad with Num Lock on. With Shift the keypad moves the cursor instead on
// some systems, so it types nothing here.
func (l *layout) commonKeys() {
	const enter, tab, keypadEnter = 0x28, 0x2b, 0x58
	l.keys[enter] = key{plain: '\r', shifted: '\r'}
	l.keys[keypadEnter] = key{plain: '\r', shifted: '\r'}
	l.keys[tab].plain = '\t'
	for usage, character := range map[byte]rune{
		0x54: '/', 0x55: '*', 0x56: '-', 0x57: '+',
		0x59: '1', 0x5a: '2', 0x5b: '3', 0x5c: '4', 0x5d: '5', 0x5e: '6', 0x5f: '7', 0x60: '8', 0x61: '9', 0x62: '0',
		0x63: '.', 0x67: '=',
	} {
		l.keys[usage].plain = character
	}
}
