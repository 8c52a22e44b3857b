package devices

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"payscand/device"
)

// Finding is what one scanned test code tells of a scanner's settings.
type Finding struct {
	// Right: the code came whole.
	Right bool `json:"right"`
	// Layout is the keyboard layout under which it is right; "" for a scanner
	// that is no keyboard.
	Layout string `json:"layout,omitempty"`
	// Prefix and Suffix surround the code, without AIM identifier and terminator.
	Prefix string `json:"prefix,omitempty"`
	Suffix string `json:"suffix,omitempty"`
	// Terminator is as in the configuration; "none" where nothing ends the code.
	Terminator string `json:"terminator,omitempty"`
	// AIM is the identifier that was sent in the text, such as "]Q1".
	AIM string `json:"aim,omitempty"`
	// Symbology is what the device says of the code.
	Symbology string `json:"symbology,omitempty"`
	// Advice says what is wrong and what to do; empty when all is right.
	Advice string `json:"advice,omitempty"`
}

// layoutOrder is how layouts are tried: those that read the same text are the
// same, and the first one is told.
var layoutOrder = []string{"", "us", "gb", "de", "fr"}

// Judge compares what a scanner sent with the test code that was to be scanned.
// Nothing of another code is repeated: it may be a customer's.
func Judge(shot device.Shot, code string) Finding {
	f := Finding{Symbology: shot.Symbology}
	for _, layout := range layoutOrder {
		text, ok := shot.Texts[layout]
		before, after, found := strings.Cut(text, code)
		if !ok || !found {
			continue
		}
		f.Layout = layout
		f.surround(before, after)
		switch {
		case shot.Lost:
			f.Advice = "parts of it were lost: this computer was too busy. Scan it again"
		case strings.Contains(after, code):
			f.Advice = "it came twice in one scan: the scanner sends no terminator. Set it to send one (Enter, CR)"
		case f.holdsAnother():
			f.Prefix, f.Suffix = "", "" // it may be a customer's
			f.Advice = "something else came with it that cannot be taken off: scan it alone; " +
				"if it happens every time, switch prefix and suffix off in the scanner's settings"
		case !f.reads(text, code):
			f.Advice = fmt.Sprintf("it came with a prefix %q and a suffix %q, which cannot be taken off: switch them off in the scanner's settings", f.Prefix, f.Suffix)
		default:
			f.Right = true
		}
		return f
	}
	f.Advice = explainWrong(shot, code)
	return f
}

// codeDigits is how many digits in a row may be a part of a payment code.
var codeDigits = regexp.MustCompile(`[0-9]{10}`)

// holdsAnother tells whether prefix or suffix may be another code.
func (f *Finding) holdsAnother() bool {
	return !f.affixes().Valid() || codeDigits.MatchString(f.Prefix) || codeDigits.MatchString(f.Suffix)
}

func (f *Finding) affixes() device.Affixes {
	return device.Affixes{Prefix: f.Prefix, Suffix: f.Suffix}
}

// reads tells whether a driver that is configured as found makes one scan, the
// code, of what was sent.
func (f *Finding) reads(text, code string) bool {
	framer := device.NewFramer("", device.Terminator(f.Terminator), 0)
	framer.Strip(f.affixes())
	scans, whole := 0, true
	count := func(frame device.Frame) {
		scans++
		whole = whole && frame.Kind == device.FrameScan && frame.Scan.Text == code
	}
	now := time.Time{}.Add(time.Hour)
	framer.Feed([]byte(text), 0, now, count)
	framer.Expire(now.Add(time.Hour), count)
	return scans == 1 && whole
}

// surround notes what stands before and after the code.
func (f *Finding) surround(before, after string) {
	f.Terminator = "none"
	for _, end := range []struct{ text, name string }{{"\r\n", "crlf"}, {"\r", "cr"}, {"\n", "lf"}, {"\t", "tab"}} {
		if rest, found := strings.CutSuffix(after, end.text); found {
			after, f.Terminator = rest, end.name
			break
		}
	}
	if rest, found := strings.CutPrefix(before, "\x02"); found { // STX, with its ETX
		before, after = rest, strings.TrimSuffix(after, "\x03")
	}
	for i := range before {
		if end := i + 3; end <= len(before) && device.SymbologyOf(before[i:end]) != "" && (i == 0 || end == len(before)) {
			f.AIM = before[i:end]
			before = before[:i] + before[end:]
			break
		}
	}
	f.Prefix, f.Suffix = before, after
}

// explainWrong says what may be the matter with a shot in which the code is not.
func explainWrong(shot device.Shot, code string) string {
	if shot.Lost {
		return "parts of it were lost: this computer was too busy. Scan it again"
	}
	if shot.Fault != "" {
		return shot.Fault
	}
	if len(shot.Texts) == 0 {
		return "the scanner pressed keys that no layout here knows: set it to a US keyboard without Alt mode, or better to USB HID POS or serial mode"
	}
	texts := make([]string, 0, len(shot.Texts))
	for _, text := range shot.Texts {
		texts = append(texts, text)
	}
	is := func(f func(text string) bool) bool { return slices.ContainsFunc(texts, f) }
	switch {
	case is(func(text string) bool { return strings.Contains(strings.ToLower(text), strings.ToLower(code)) }):
		return "capitals and small letters are exchanged or all alike: switch Caps Lock and case conversion off in the scanner's settings"
	case is(func(text string) bool {
		return len(text) > 3 && strings.Contains(code, strings.TrimRight(text, "\r\n\t"))
	}):
		return "only a part of it came: scan it again; if it happens every time, slow the scanner's keyboard down, or set it to USB HID POS or serial mode"
	case is(func(text string) bool { return strings.Contains(text, "\ufffd") || strings.ContainsFunc(text, isOdd) }):
		return "it came garbled: check the speed, data bits and parity that the scanner is set to"
	}
	return "it is another code, or the scanner is set to a keyboard layout that is not known here: scan the code asked for; " +
		"if it was that one, set the scanner to a US keyboard, or better to USB HID POS or serial mode"
}

func isOdd(r rune) bool {
	return r < ' ' && !strings.ContainsRune("\r\n\t\x02\x03\x1d", r) || r > 0x7e && r < 0xa0
}

// Lines is the [[scanner]] table for the configuration: the device, and what
// differs from the defaults. Several findings of one device are put together.
func Lines(d Device, findings ...Finding) string {
	var lines []string
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	add("[[scanner]]")
	add("type = %q", d.Type)
	if d.Mode != "" {
		add("mode = %q", d.Mode)
	}
	if d.VendorID != "" && d.byPath == "" {
		add("vendor_id = 0x%s", d.VendorID)
		add("product_id = 0x%s", d.ProductID)
		if d.Serial != "" {
			add("serial = %s", tomlString(d.Serial))
		}
		if d.twin && d.Interface != nil {
			add("interface = %d", *d.Interface)
		}
	} else {
		add("port = %s", tomlString(cmp.Or(d.byPath, d.Port)))
	}
	if d.baud != 0 {
		add("baud = %d", d.baud)
	}
	f := common(findings)
	if f.Layout != "" && f.Layout != "us" {
		add("layout = %q", f.Layout)
	}
	if !d.tellsEnd() && f.Terminator != "" {
		add("terminator = %q", f.Terminator)
	}
	if f.Prefix != "" {
		add("prefix = %s", tomlString(f.Prefix))
	}
	if f.Suffix != "" {
		add("suffix = %s", tomlString(f.Suffix))
	}
	return strings.Join(lines, "\n") + "\n"
}

// common keeps what right findings agree in; a prefix that only some codes have
// cannot be configured.
func common(findings []Finding) Finding {
	var c Finding
	first := true
	for _, f := range findings {
		switch {
		case !f.Right:
		case first:
			c, first = f, false
		default:
			if f.Prefix != c.Prefix {
				c.Prefix = ""
			}
			if f.Suffix != c.Suffix {
				c.Suffix = ""
			}
			if f.Terminator != c.Terminator {
				c.Terminator = "auto"
			}
		}
	}
	return c
}

// tomlString is a basic string of TOML.
func tomlString(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
