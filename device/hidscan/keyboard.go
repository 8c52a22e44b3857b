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
	modifierCtrl  = 0x11
	modifierShift = 0x22
	modifierOther = 0xcc // Alt and the logo keys
)

// faultAlt: with Alt held, digits of the keypad spell a character's number and
// are no digits of the code.
var faultAlt = &fault{device.ProblemNoise,
	"the scanner types with the Alt key, which is not read: set it to a US keyboard without Alt mode, or better to USB serial mode"}

// keyboard decodes the reports of a keyboard wedge: a character is typed when a
// key goes down. Keys that go down in one report are typed in the order of its
// array; the HID specification leaves that order open, Linux and Windows take it
// so. Caps Lock is what the scanner itself made of it since it was opened.
type keyboard struct {
	format keyboardFormat
	layout *layout
	down   keyState
	caps   bool
}

// forgetCapsLock is called between two scans after reports were lost, which may
// have held a Caps Lock: scanners that use it press it twice, around a text. The
// keys that are down need no such care; the last report tells them.
func (k *keyboard) forgetCapsLock() { k.caps = false }

// decode appends to text what a report types. A fault makes all of it, and what
// was typed around it, unfit for use.
func (k *keyboard) decode(text, report []byte) ([]byte, *fault) {
	now, fault := k.format.parse(report)
	if now == nil {
		return text, fault
	}
	before := k.down
	k.down = *now
	if fault == nil && isHeld(before, *now) {
		return text, faultHeld
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
	if modifiers&modifierOther != 0 {
		return 0, faultAlt
	}
	shift := modifiers&modifierShift != 0
	if unicode.IsLetter(k.layout[key].plain) && k.caps {
		shift = !shift
	}
	character := k.layout[key].plain
	if shift {
		character = k.layout[key].shifted
	}
	if modifiers&modifierCtrl != 0 {
		character = control(character)
	}
	if character == 0 {
		return 0, &fault{device.ProblemNoise, fmt.Sprintf("the scanner pressed a key that is no character (usage 0x%02x, modifiers 0x%02x): "+
			"remove prefix and suffix keys in its settings, and set it to a US keyboard", key, modifiers)}
	}
	return character, nil
}

// control is what a key types with Ctrl: scanners send STX, GS and the like so.
// It is 0 where that is no control character, and NUL counts as none.
func control(character rune) rune {
	if upper := unicode.ToUpper(character); upper > '@' && upper <= '_' {
		return upper - '@'
	}
	return 0
}
