package hidscan

import (
	"fmt"
	"slices"
	"unicode"
	"unicode/utf8"

	"payscand/device"
)

// Usages of page 0x07 that are not characters.
const (
	lastError  = 0x03 // ErrorRollOver, POSTFail, ErrorUndefined
	capsLock   = 0x39
	scrollLock = 0x47
	numLock    = 0x53
)

// Modifier bits, left and right.
const (
	modifierCtrl    = 0x11
	modifierShift   = 0x22
	modifierLeftAlt = 0x04
	modifierAltGr   = 0x40
	modifierLogo    = 0x88
)

var (
	// faultAlt: with Alt held, digits of the keypad spell a character's number.
	faultAlt = &fault{device.ProblemNoise,
		"the scanner typed something with the Alt key that is no character's number: scan again; if it happens every time, " +
			"set it to a keyboard without Alt mode, or better to USB HID POS or serial mode"}
	faultModifier = &fault{device.ProblemNoise,
		"the scanner pressed a key together with a logo key: remove prefix and suffix keys in its settings"}
	// faultCaps: whether Caps Lock turns digits into signs is another matter on
	// each system with this layout.
	faultCaps = &fault{device.ProblemNoise,
		"the scanner typed a digit or a sign with Caps Lock on, which means one thing here and another there: " +
			"switch Caps Lock off in its settings, or set it to USB HID POS or serial mode"}
)

// keyboard decodes the reports of a keyboard wedge: a character is typed when a
// key goes down. Keys that go down in one report are typed in the order of its
// array; the HID specification leaves that order open, Linux and Windows take it
// so. Caps Lock is what the scanner itself made of it since it was opened.
type keyboard struct {
	format keyboardFormat
	layout *layout
	down   keyState
	caps   bool
	alt    []byte // digits typed since Alt went down
}

// resync forgets Caps Lock, which may be among the reports that were lost:
// scanners that use it press it twice, around a text. The keys that are down
// need no such care; the last report tells them.
func (k *keyboard) resync(lost bool) {
	if lost {
		k.caps = false
	}
	k.alt = k.alt[:0]
}

// breakOff changes nothing: the keys that are down are down still.
func (k *keyboard) breakOff() {}

func (k *keyboard) decode(text, report []byte) (decoded, *fault) {
	text, fault := k.types(text, report)
	return decoded{text: text}, fault
}

// types appends to text what a report types.
func (k *keyboard) types(text, report []byte) ([]byte, *fault) {
	now, fault := k.format.parse(report)
	if now == nil {
		return text, fault
	}
	before := k.down
	k.down = *now
	if fault == nil && isHeld(before, *now) {
		return text, faultHeld
	}
	if before.modifiers&^now.modifiers&modifierLeftAlt != 0 {
		character, f := k.releaseAlt()
		if f != nil {
			fault = f
		} else {
			text = utf8.AppendRune(text, character)
		}
	}
	for _, key := range now.keys {
		if slices.Contains(before.keys, key) {
			continue
		}
		character, f := k.press(key, now.modifiers)
		if f != nil {
			fault = f
		} else if character != 0 {
			text = utf8.AppendRune(text, character)
		}
	}
	return text, fault
}

// isHeld tells whether keys stayed down while none came or went. A report is
// sent when something changes, and letting a modifier go is the only change that
// this can be; else the key-up and what was between was lost.
func isHeld(before, now keyState) bool {
	if len(now.keys) == 0 || len(now.keys) != len(before.keys) {
		return false
	}
	for _, key := range now.keys {
		if !slices.Contains(before.keys, key) {
			return false
		}
	}
	letGo := before.modifiers &^ now.modifiers
	added := now.modifiers &^ before.modifiers
	return letGo == 0 || added != 0
}

// press returns the character of a key that goes down; 0 for a key that only
// changes a state.
func (k *keyboard) press(key, modifiers byte) (rune, *fault) {
	switch key {
	case capsLock:
		k.caps = !k.caps
		return 0, nil
	case numLock, scrollLock:
		return 0, nil
	}
	if modifiers&modifierLeftAlt != 0 {
		return 0, k.pressWithAlt(key, modifiers)
	}
	if modifiers&modifierLogo != 0 {
		return 0, faultModifier
	}
	shift := modifiers&modifierShift != 0
	printed := k.layout.keys[key]
	if k.caps && printed.isCased() {
		shift = !shift
	} else if k.caps && k.layout.capsDiffers && printed.plain != printed.shifted && printed.shifted != 0 {
		return 0, faultCaps
	}
	character := printed.plain
	switch {
	case modifiers&modifierAltGr != 0 && (shift || modifiers&modifierCtrl != 0):
		character = 0
	case modifiers&modifierAltGr != 0:
		character = printed.altGr
	case shift:
		character = printed.shifted
	}
	if modifiers&modifierCtrl != 0 {
		character = control(character)
	}
	if character == 0 {
		return 0, &fault{device.ProblemNoise, fmt.Sprintf("the scanner pressed a key that is no character of the layout (usage 0x%02x, modifiers 0x%02x): "+
			"set the layout that the scanner types for, and remove prefix and suffix keys in its settings", key, modifiers)}
	}
	return character, nil
}

// maxAltDigits is the longest number that is typed with Alt: a leading 0 and
// three digits.
const maxAltDigits = 4

// pressWithAlt notes a digit of a character's number.
func (k *keyboard) pressWithAlt(key, modifiers byte) *fault {
	const keypad1, keypad0 = 0x59, 0x62
	if modifiers != modifierLeftAlt || key < keypad1 || key > keypad0 || len(k.alt) == maxAltDigits {
		k.alt = k.alt[:0]
		return faultAlt
	}
	k.alt = append(k.alt, (key-keypad1+1)%10)
	return nil
}

// releaseAlt returns the character whose number was typed while Alt was down.
// Only ASCII means the same in every code page. A control character, which may
// end the scan, must be written with leading zeros, so that a digit that is
// missing from another number does not make one.
func (k *keyboard) releaseAlt() (rune, *fault) {
	number, digits := rune(0), len(k.alt)
	for _, digit := range k.alt {
		number = 10*number + rune(digit)
	}
	padded := digits >= 3 && k.alt[0] == 0
	clear(k.alt)
	k.alt = k.alt[:0]
	isText := number >= ' ' && number <= '~'
	isControl := number > 0 && number < ' ' && padded
	if digits < 2 || !isText && !isControl {
		return 0, faultAlt
	}
	return number, nil
}

// control is what a key types with Ctrl: scanners send STX, GS and the like so.
// It is 0 where that is no control character, and NUL counts as none.
func control(character rune) rune {
	if upper := unicode.ToUpper(character); upper > '@' && upper <= '_' {
		return upper - '@'
	}
	return 0
}
