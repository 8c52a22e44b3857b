package hidscan

import (
	"fmt"

	"payscand/device"
)

// keyboardFormat says where a keyboard's report holds what. Offsets and length
// are in bytes from the start of the report.
type keyboardFormat struct {
	id        byte // 0: reports have no id
	modifiers int  // offset of the modifier bits
	keys      int  // offset of the key array
	slots     int  // keys in the array
	length    int  // a shorter report is damaged
	// exact: a longer report is damaged too. Else what follows is padding.
	exact bool
}

// bootFormat is the report of the boot protocol (HID 1.11, appendix B.1). It is
// taken where there is no report descriptor to be had, so only what has exactly
// its length is trusted.
var bootFormat = keyboardFormat{modifiers: 0, keys: 2, slots: 6, length: 8, exact: true}

// Usages of the Keyboard page (HID Usage Tables 1.12, chapter 10).
const (
	firstModifier usage = 0x07_00e0
	lastModifier  usage = 0x07_00e7
	noKey         usage = 0x07_0000
)

// keyboardFormatOf finds the first report, by id, that has a byte of modifiers
// and an array of keys; false where there is none.
func keyboardFormatOf(d description) (keyboardFormat, bool) {
	for id := range 256 {
		f := keyboardFormat{id: byte(id), modifiers: -1, length: d.inputBytes[byte(id)]}
		for _, field := range d.inputs {
			if field.report == byte(id) && field.application == usageKeyboard && !field.constant {
				f.place(field)
			}
		}
		if f.modifiers >= 0 && f.slots > 0 {
			return f, true
		}
	}
	return keyboardFormat{}, false
}

func (f *keyboardFormat) place(field field) {
	switch {
	case field.at%8 != 0:
	case field.variable && field.size == 1 && field.count == 8 && field.usageMin == firstModifier && field.usageMax == lastModifier:
		f.modifiers = field.at / 8
	case !field.variable && field.isBytes() && field.usageMin == noKey && field.logicalMin == 0 && field.usageMax > noKey:
		f.keys, f.slots = field.at/8, field.count
	}
}

// keyState is which keys are down.
type keyState struct {
	modifiers byte
	keys      []byte // usages, in the order of the array, without empty places
}

var (
	faultRollover = &fault{device.ProblemIncomplete,
		"the scanner pressed more keys at once than a report can tell: scan again; if it happens every time, set a slower keyboard speed on it"}
	faultTwice = &fault{device.ProblemNoise,
		"the scanner sent one key in two places of a report: scan again; if it happens every time, replace the scanner"}
	faultHeld = &fault{device.ProblemIncomplete,
		"a key went down twice without coming up, so characters may be missing: scan again"}
)

// parse reads a report. The state is nil where the report does not tell it: with
// a fault, or without one for a report with another id, such as that of a
// scanner's volume keys.
func (f keyboardFormat) parse(report []byte) (*keyState, *fault) {
	if f.id != 0 && (len(report) == 0 || report[0] != f.id) {
		return nil, nil
	}
	if len(report) < f.length || f.exact && len(report) != f.length {
		return nil, &fault{device.ProblemIncomplete, fmt.Sprintf("the scanner sent a report of %d bytes where %d were expected: "+
			"scan again; if it happens every time, unplug the scanner and plug it in again", len(report), f.length)}
	}
	state := &keyState{modifiers: report[f.modifiers]}
	var seen [256]bool
	var twice *fault
	for _, key := range report[f.keys : f.keys+f.slots] {
		switch {
		case key == 0:
		case key <= lastError:
			return nil, faultRollover
		case seen[key]:
			twice = faultTwice
		default:
			seen[key] = true
			state.keys = append(state.keys, key)
		}
	}
	return state, twice
}
