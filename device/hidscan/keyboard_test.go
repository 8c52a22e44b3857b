package hidscan

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"payscand/device"
)

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// recorder is a stream that keeps its frames.
type recorder struct {
	*stream
	frames []device.Frame
}

func newRecorder(terminator device.Terminator, format keyboardFormat) *recorder {
	r := &recorder{}
	r.stream = &stream{
		decoder: &keyboard{format: format, layout: layouts["us"]},
		framer:  device.NewFramer("test", terminator, 0),
		passOn:  func(f device.Frame) { r.frames = append(r.frames, f) },
	}
	return r
}

// at takes reports that come one after the other at a time.
func (r *recorder) at(after time.Duration, reports ...[]byte) {
	now := epoch.Add(after)
	for _, report := range reports {
		r.take(batch{reports: [][]byte{report}, emptyAt: now, at: now, token: 1})
	}
}

// summary writes frames as "scan:text", kind of problem, or kind of frame.
func summary(frames []device.Frame) []string {
	var out []string
	for _, f := range frames {
		switch f.Kind {
		case device.FrameScan:
			out = append(out, "scan:"+f.Scan.Text)
		case device.FrameDamaged:
			out = append(out, string(f.Problem.Kind))
		default:
			out = append(out, string(f.Kind))
		}
	}
	return out
}

func expectFrames(t *testing.T, frames []device.Frame, want ...string) {
	t.Helper()
	if got := summary(frames); !slices.Equal(got, want) {
		t.Errorf("frames %q, want %q", got, want)
	}
}

// play feeds a recording: lines of seconds and the bytes of a report.
func (r *recorder) play(t *testing.T, name string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	var last time.Duration
	for line := range strings.Lines(string(data)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Fields(line)
		seconds, err := strconv.ParseFloat(fields[0], 64)
		if err != nil {
			t.Fatalf("%s: %q: %v", name, line, err)
		}
		report, err := hex.DecodeString(strings.Join(fields[1:], ""))
		if err != nil {
			t.Fatalf("%s: %q: %v", name, line, err)
		}
		last = time.Duration(seconds * float64(time.Second))
		r.at(last, report)
	}
	r.silence(epoch.Add(last + time.Minute))
}

// A recorded scan is the code that its keys type on a US keyboard, or is refused
// where its reports do not tell for certain; what follows a pause is whole again.
func TestRecordings(t *testing.T) {
	numbered := keyboardFormat{id: 1, modifiers: 1, keys: 3, slots: 6, length: 9}
	const code = "scan:281234567890123456"
	for _, test := range []struct {
		name   string
		format keyboardFormat
		want   []string
	}{
		{"zebra-digits", bootFormat, []string{code}},
		{"zebra-shift", bootFormat, []string{"scan:fp1Ab2CD3zZ"}},
		{"honeywell-fast", numbered, []string{"scan:HQ5566a77B"}},
		{"caps-lock", bootFormat, []string{"scan:AbC12d", "scan:ab"}},
		{"rollover", bootFormat, []string{"incomplete", code}},
		{"two-keys", bootFormat, []string{"scan:12345678906"}},
		{"repeated-digits", bootFormat, []string{"scan:1122233334444455555566"}},
		{"repeated-digits-no-key-up", bootFormat, []string{"incomplete", "scan:2811"}},
		{"keypad", bootFormat, []string{"scan:2800123456789.5"}},
		{"alt-keypad", bootFormat, []string{"scan:28"}},
		{"control-prefix", bootFormat, []string{"scan:281234567890"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRecorder(device.TerminatorAuto, test.format)
			r.play(t, test.name)
			expectFrames(t, r.frames, test.want...)
			for _, frame := range r.frames {
				if detail := frame.Problem.Detail; strings.Contains(detail, "28") {
					t.Errorf("the problem tells what was typed: %s", detail)
				}
			}
		})
	}
	r := newRecorder(device.TerminatorAuto, bootFormat)
	r.play(t, "control-prefix")
	if got := r.frames[0].Scan.Symbology; got != "qr" {
		t.Errorf("symbology %q", got)
	}
}

// Every key of a US keyboard types its character, alone, with either Shift, and
// inverted by Caps Lock if it is a letter; any other key spoils the scan.
func TestUSLayout(t *testing.T) {
	type keys struct{ modifiers, key byte }
	want := map[keys]rune{}
	for i := range usPlain {
		for _, k := range []struct {
			modifiers byte
			row       string
		}{{0, usPlain}, {0x02, usShifted}, {0x20, usShifted}, {0x22, usShifted}} {
			if c := k.row[i]; c != 0 {
				want[keys{k.modifiers, byte(i + 4)}] = rune(c)
			}
		}
	}
	for i, c := range "/*-+\r1234567890." {
		want[keys{0, byte(0x54 + i)}] = c
	}
	want[keys{0, 0x67}] = '='
	for _, modifiers := range []byte{0x02, 0x20, 0x22} {
		want[keys{modifiers, 0x58}] = '\r'
	}
	for key := 4; key < 256; key++ {
		if key == capsLock || key == numLock || key == scrollLock {
			continue
		}
		for _, modifiers := range []byte{0, 0x02, 0x20, 0x22} {
			for _, caps := range []bool{false, true} {
				k := &keyboard{format: bootFormat, layout: layouts["us"], caps: caps}
				got, fault := k.types(nil, []byte{modifiers, 0, byte(key), 0, 0, 0, 0, 0})
				wanted := string(want[keys{modifiers, byte(key)}])
				if caps && key <= 0x1d { // the letters
					wanted = string(want[keys{modifiers ^ 0x02, byte(key)}])
					if modifiers == 0x20 || modifiers == 0x22 {
						wanted = string(want[keys{0, byte(key)}])
					}
				}
				if wanted == "\x00" {
					wanted = ""
				}
				if string(got) != wanted || (fault == nil) != (wanted != "") {
					t.Errorf("key 0x%02x, modifiers 0x%02x, caps %v: %q %v, want %q", key, modifiers, caps, got, fault, wanted)
				}
			}
		}
	}
}

// Ctrl makes the control characters that scanners send as prefixes; Alt and the
// logo keys make nothing that could be taken for the key's own character.
func TestModifiers(t *testing.T) {
	for _, test := range []struct {
		modifiers, key byte
		want           string
	}{
		{0x01, 0x05, "\x02"}, {0x10, 0x05, "\x02"}, {0x03, 0x05, "\x02"},
		{0x01, 0x0d, "\n"}, {0x01, 0x30, "\x1d"},
		{0x01, 0x1e, ""}, {0x01, 0x28, ""},
		{0x04, 0x1e, ""}, {0x40, 0x1e, ""}, {0x08, 0x04, ""}, {0x80, 0x59, ""}, {0x05, 0x04, ""},
	} {
		k := &keyboard{format: bootFormat, layout: layouts["us"]}
		got, fault := k.types(nil, []byte{test.modifiers, 0, test.key, 0, 0, 0, 0, 0})
		if string(got) != test.want || (fault == nil) != (test.want != "") {
			t.Errorf("modifiers 0x%02x key 0x%02x: %q %v, want %q", test.modifiers, test.key, got, fault, test.want)
		}
	}
}

// Reports that no scanner sends on purpose spoil the scan that they are in and
// nothing after it; those that only look unusual do not.
func TestInconsistentReports(t *testing.T) {
	key := func(modifiers byte, keys ...byte) []byte {
		return append([]byte{modifiers, 0}, append(keys, make([]byte, 6-len(keys))...)...)
	}
	for _, test := range []struct {
		name    string
		reports [][]byte // between "1" and "2"
		want    string
	}{
		{"nothing", nil, "scan:12"},
		{"key-up twice", [][]byte{key(0), key(0)}, "scan:12"},
		{"modifier alone", [][]byte{key(2), key(2), key(0)}, "scan:12"},
		{"modifier up before its key", [][]byte{key(2, 4), key(0, 4), key(0)}, "scan:1A2"},
		{"rolling", [][]byte{key(0, 4), key(0, 4, 5), key(0, 5), key(0)}, "scan:1ab2"},
		{"empty place first", [][]byte{key(0, 0, 4), key(0)}, "scan:1a2"},
		{"num lock", [][]byte{key(0, numLock), key(0)}, "scan:12"},
		{"key held", [][]byte{key(0, 4), key(0, 4), key(0)}, "incomplete"},
		{"key held, its place changes", [][]byte{key(0, 4), key(0, 0, 4), key(0)}, "incomplete"},
		{"modifier down after its key", [][]byte{key(0, 4), key(2, 4), key(0)}, "incomplete"},
		{"other modifier", [][]byte{key(2, 4), key(1, 4), key(0)}, "incomplete"},
		{"rollover", [][]byte{key(0, 1, 1, 1, 1, 1, 1), key(0)}, "incomplete"},
		{"error", [][]byte{key(0, 3), key(0)}, "incomplete"},
		{"key in two places", [][]byte{key(0, 4, 4), key(0)}, "noise"},
		{"modifier in the key array", [][]byte{key(0, 0xe1), key(0)}, "noise"},
		{"short report", [][]byte{{0, 0, 4}, key(0)}, "incomplete"},
		{"empty report", [][]byte{{}, key(0)}, "incomplete"},
		{"long report without descriptor", [][]byte{append(key(0, 4), 0), key(0)}, "incomplete"},
		{"escape", [][]byte{key(0, 0x29), key(0)}, "noise"},
		{"backspace", [][]byte{key(0, 0x2a), key(0)}, "noise"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRecorder(device.TerminatorCR, bootFormat)
			r.at(0, strokes("1")...)
			r.at(0, test.reports...)
			r.at(0, strokes("2\r")...)
			r.at(inStep, strokes("345\r")...)
			expectFrames(t, r.frames, test.want, "scan:345")
		})
	}
}

// A fault is told even where nothing else of the scan could be read, and until
// the scanner was silent for a while no scan is trusted.
func TestFaultSpoilsUntilSilence(t *testing.T) {
	r := newRecorder(device.TerminatorCR, bootFormat)
	r.at(0, []byte{1, 1, 1, 1, 1, 1, 1, 1}, make([]byte, 8))
	r.silence(epoch.Add(device.StallTimeout))
	expectFrames(t, r.frames, "incomplete")
	if got := r.frames[0].Problem.Detail; got != faultRollover.detail {
		t.Errorf("detail %q", got)
	}
	r.at(2*time.Second, strokes("12\r")...)
	r.at(3*time.Second, []byte{0, 0, 0x3a, 0, 0, 0, 0, 0}, make([]byte, 8))
	r.at(3*time.Second, strokes("34\r")...)
	r.at(3*time.Second+inStep-1, strokes("56\r")...)
	r.at(3*time.Second+2*inStep-1, strokes("78\r")...)
	expectFrames(t, r.frames, "incomplete", "scan:12", "noise", "noise", "scan:78")
}

// No typed character stays behind in the decoder once its frame is over.
func TestStreamIsWiped(t *testing.T) {
	r := newRecorder(device.TerminatorCR, bootFormat)
	r.at(0, strokes("281234567890123456\r")...)
	if kept := strings.Trim(string(r.text[:cap(r.text)]), "\x00"); kept != "" {
		t.Errorf("%d bytes stay in memory", len(kept))
	}
}
