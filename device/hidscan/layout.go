package hidscan

import (
	"maps"
	"slices"
)

// layout says what the keys of a keyboard type: by HID usage of page 0x07 (HID
// Usage Tables 1.12, chapter 10) the character alone and with Shift; 0 where
// there is none.
type layout [256]struct{ plain, shifted rune }

// layouts are the keyboard layouts by name.
var layouts = map[string]*layout{"us": usLayout()}

// Layouts lists the names of keyboard layouts.
func Layouts() []string { return slices.Sorted(maps.Keys(layouts)) }

// usLayout is the US layout. Usage 0x64, the key that US keyboards lack, types
// nothing.
func usLayout() *layout {
	var l layout
	for i := range rune(26) {
		l[0x04+i].plain, l[0x04+i].shifted = 'a'+i, 'A'+i
	}
	l.row(0x1e, "1!2@3#4$5%6^7&8*9(0)")
	l.row(0x2c, "  -_=+[{]}\\|\\|;:'\"`~,<.>/?") // 0x32 is the key beside Enter
	l.commonKeys()
	return &l
}

// row sets keys of ascending usages; each has two characters in pairs.
func (l *layout) row(usage byte, pairs string) {
	characters := []rune(pairs)
	for i := 0; i < len(characters); i += 2 {
		l[usage].plain, l[usage].shifted = characters[i], characters[i+1]
		usage++
	}
}

// commonKeys sets the keys that are alike everywhere: what ends a scan, and the
// keypad with Num Lock on. With Shift the keypad moves the cursor instead on
// some systems, so it types nothing here.
func (l *layout) commonKeys() {
	const enter, tab, keypadEnter = 0x28, 0x2b, 0x58
	l[enter].plain, l[enter].shifted = '\r', '\r'
	l[keypadEnter].plain, l[keypadEnter].shifted = '\r', '\r'
	l[tab].plain = '\t'
	for usage, character := range map[byte]rune{
		0x54: '/', 0x55: '*', 0x56: '-', 0x57: '+',
		0x59: '1', 0x5a: '2', 0x5b: '3', 0x5c: '4', 0x5d: '5', 0x5e: '6', 0x5f: '7', 0x60: '8', 0x61: '9', 0x62: '0',
		0x63: '.', 0x67: '=',
	} {
		l[usage].plain = character
	}
}
