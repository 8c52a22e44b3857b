package device

import (
	"slices"
	"strings"
	"testing"
	"time"
)

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// recorder feeds a framer at times relative to epoch and keeps its frames.
type recorder struct {
	*Framer
	frames []Frame
}

func newRecorder(terminator Terminator) *recorder {
	return &recorder{Framer: NewFramer("test", terminator, 0)}
}

func (r *recorder) emit(f Frame) { r.frames = append(r.frames, f) }

func (r *recorder) feed(after time.Duration, token uint64, data string) {
	r.Feed([]byte(data), token, epoch.Add(after), r.emit)
}

func (r *recorder) expire(after time.Duration) { r.Expire(epoch.Add(after), r.emit) }

// summary writes frames as "text", kind of problem, or kind of frame.
func summary(frames []Frame) []string {
	var out []string
	for _, f := range frames {
		switch f.Kind {
		case FrameScan:
			out = append(out, "scan:"+f.Scan.Text)
		case FrameDamaged:
			out = append(out, string(f.Problem.Kind))
		default:
			out = append(out, string(f.Kind))
		}
	}
	return out
}

func expectFrames(t *testing.T, frames []Frame, want ...string) {
	t.Helper()
	if got := summary(frames); !slices.Equal(got, want) {
		t.Errorf("frames %q, want %q", got, want)
	}
}

// Each terminator ends a scan and is no part of it; what another setting would
// take as a terminator is either part of the same line end or noise, never data.
func TestTerminators(t *testing.T) {
	for _, test := range []struct {
		terminator Terminator
		fed        string
		want       []string
	}{
		{TerminatorAuto, "1234\r5678\n9012\t", []string{"scan:1234", "scan:5678", "scan:9012"}},
		{TerminatorAuto, "1234\r\n5678\r\n", []string{"scan:1234", "scan:5678"}},
		{TerminatorAuto, "\r\n\r\n\t", []string{"empty", "empty", "empty"}},
		{TerminatorAuto, "1234\n\r", []string{"scan:1234", "empty"}},
		{TerminatorCR, "1234\r5678\r", []string{"scan:1234", "scan:5678"}},
		{TerminatorCR, "1234\r\n5678\r\n", []string{"scan:1234", "scan:5678"}},
		{TerminatorCR, "12\n34\r", []string{"noise"}},
		{TerminatorLF, "1234\n5678\r\n\r\n", []string{"scan:1234", "scan:5678", "empty"}},
		{TerminatorLF, "12\r34\n", []string{"noise"}},
		{TerminatorCRLF, "1234\r\n5678\n", []string{"scan:1234", "scan:5678"}},
		{TerminatorTAB, "1234\t5678\t", []string{"scan:1234", "scan:5678"}},
		{TerminatorTAB, "1234\r\t", []string{"noise"}},
		{TerminatorNone, "1234\r", nil},
	} {
		r := newRecorder(test.terminator)
		r.feed(0, 1, test.fed)
		if got := summary(r.frames); !slices.Equal(got, test.want) {
			t.Errorf("%s fed %q: %q, want %q", test.terminator, test.fed, got, test.want)
		}
	}
}

// STX and AIM identifier are taken off, the identifier names the symbology, and
// an identifier without a name is kept as it is.
func TestPrefixes(t *testing.T) {
	for _, test := range []struct{ fed, text, symbology string }{
		{"2812345678901234", "2812345678901234", ""},
		{"\x022812345678901234", "2812345678901234", ""},
		{"\x022812345678901234\x03", "2812345678901234", ""},
		{"]C12812345678901234", "2812345678901234", "code128"},
		{"\x02]Q12812345678901234", "2812345678901234", "qr"},
		{"]E04006381333931", "4006381333931", "ean13"},
		{"]E496385074", "96385074", "ean8"},
		{"]E396385074", "96385074", "ean"},
		{"]L0abc", "abc", "pdf417"},
		{"]d1abc", "abc", "datamatrix"},
		{"]m0abc", "abc", "]m0"},
		{"]1abc", "]1abc", ""},
		{"]Q1]Q1abc", "]Q1abc", "qr"},
		{"fp中文", "fp中文", ""},
	} {
		r := newRecorder(TerminatorCR)
		r.feed(0, 1, test.fed+"\r")
		expectFrames(t, r.frames, "scan:"+test.text)
		if got := r.frames[0].Scan.Symbology; got != test.symbology {
			t.Errorf("fed %q: symbology %q, want %q", test.fed, got, test.symbology)
		}
	}
	r := newRecorder(TerminatorCR)
	r.feed(0, 1, "]C1\r\x02\x03\r")
	expectFrames(t, r.frames, "empty", "empty")
}

// P7: a scan carries the token and the time of its first byte, whatever is armed
// by its last; the next frame of the same bytes carries the new one.
func TestTokenOfFirstByte(t *testing.T) {
	r := newRecorder(TerminatorCR)
	r.feed(0, 1, "12")
	r.feed(20*time.Millisecond, 2, "34\r56\r")
	r.feed(30*time.Millisecond, 3, "7")
	r.feed(40*time.Millisecond, 0, "8\r9\r")
	want := []Scan{
		{Text: "1234", Device: "test", At: epoch, Arming: 1},
		{Text: "56", Device: "test", At: epoch.Add(20 * time.Millisecond), Arming: 2},
		{Text: "78", Device: "test", At: epoch.Add(30 * time.Millisecond), Arming: 3},
		{Text: "9", Device: "test", At: epoch.Add(40 * time.Millisecond), Arming: 0},
	}
	var got []Scan
	for _, f := range r.frames {
		got = append(got, f.Scan)
	}
	if !slices.Equal(got, want) {
		for i := range got {
			t.Errorf("scan %d: %v %s", i, got[i], got[i].Text)
		}
	}
}

// A pause ends a scan only where no terminator is to be expected; elsewhere the
// rest is waited for, and a scan that never ends is a problem, not a code.
func TestPauses(t *testing.T) {
	const idle, stall = DefaultIdleTimeout, StallTimeout
	for _, test := range []struct {
		name       string
		terminator Terminator
		play       func(*recorder)
		want       []string
	}{
		{"none: idle ends", TerminatorNone,
			func(r *recorder) { r.feed(0, 1, "1234"); r.expire(idle) }, []string{"scan:1234"}},
		{"none: not before", TerminatorNone,
			func(r *recorder) { r.feed(0, 1, "1234"); r.expire(idle - 1) }, nil},
		{"none: each byte begins the wait anew", TerminatorNone,
			func(r *recorder) { r.feed(0, 1, "12"); r.feed(idle-1, 1, "34"); r.expire(2*idle - 2) }, nil},
		{"none: the next bytes find the end too", TerminatorNone,
			func(r *recorder) { r.feed(0, 1, "12"); r.feed(idle, 1, "34"); r.expire(2 * idle) }, []string{"scan:12", "scan:34"}},
		{"auto: idle ends while no terminator was seen", TerminatorAuto,
			func(r *recorder) { r.feed(0, 1, "1234"); r.expire(idle) }, []string{"scan:1234"}},
		{"auto: a pause within a scan is bridged once a terminator was seen", TerminatorAuto,
			func(r *recorder) { r.feed(0, 1, "1234\r56"); r.expire(idle); r.feed(stall-1, 1, "78\r") },
			[]string{"scan:1234", "scan:5678"}},
		{"auto: a scan that stalls is incomplete once a terminator was seen", TerminatorAuto,
			func(r *recorder) { r.feed(0, 1, "1234\r56"); r.expire(stall) }, []string{"scan:1234", "incomplete"}},
		{"auto: a line end alone teaches nothing", TerminatorAuto,
			func(r *recorder) { r.feed(0, 1, "\r\x00\r1234"); r.expire(idle) }, []string{"empty", "noise", "scan:1234"}},
		{"auto: learnt anew after a replug", TerminatorAuto,
			func(r *recorder) { r.feed(0, 1, "1234\r"); r.Abandon(r.emit); r.feed(1, 1, "56"); r.expire(2 * idle) },
			[]string{"scan:1234", "scan:56"}},
		{"cr: a pause is bridged", TerminatorCR,
			func(r *recorder) { r.feed(0, 1, "12"); r.expire(idle); r.feed(stall-1, 1, "34\r") }, []string{"scan:1234"}},
		{"cr: a stalled scan is not glued to the next", TerminatorCR,
			func(r *recorder) { r.feed(0, 1, "12"); r.feed(stall, 2, "34\r") }, []string{"incomplete", "scan:34"}},
		{"cr: lost in the middle", TerminatorCR,
			func(r *recorder) { r.feed(0, 1, "12"); r.Abandon(r.emit); r.feed(1, 1, "34\r") }, []string{"incomplete", "scan:34"}},
		{"cr: lost between scans", TerminatorCR,
			func(r *recorder) { r.feed(0, 1, "12\r"); r.Abandon(r.emit) }, []string{"scan:12"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRecorder(test.terminator)
			test.play(r)
			expectFrames(t, r.frames, test.want...)
		})
	}
}

// The same text again within two seconds of the delivered one is left out; any
// other text, any later time and any other arming token is a scan of its own.
func TestDoubled(t *testing.T) {
	r := newRecorder(TerminatorCR)
	r.feed(0, 1, "1234\r")
	r.feed(DoubledWindow-1, 1, "1234\r")    // doubled
	r.feed(DoubledWindow, 1, "1234\r")      // counted from the delivered one
	r.feed(DoubledWindow+1, 2, "1234\r")    // new sale
	r.feed(DoubledWindow+2, 2, "5678\r")    // other text
	r.feed(DoubledWindow+3, 2, "1234\r")    // not the last text
	r.feed(DoubledWindow+4, 2, "]C11234\r") // same text
	expectFrames(t, r.frames, "scan:1234", "doubled", "scan:1234", "scan:1234", "scan:5678", "scan:1234", "doubled")

	r = newRecorder(TerminatorCR)
	r.feed(0, 1, "12341234\r") // a code twice in one frame is one text
	expectFrames(t, r.frames, "scan:12341234")
}

// 4,096 bytes are a scan; one more is one problem, however long it goes on, and
// the next scan is whole.
func TestOversize(t *testing.T) {
	longest := strings.Repeat("7", MaxScanBytes)
	for _, terminator := range []Terminator{TerminatorCR, TerminatorCRLF} {
		r := newRecorder(terminator)
		r.feed(0, 1, "\x02]Q1"+longest+"\x03\r\n")
		expectFrames(t, r.frames, "scan:"+longest)
	}
	for _, extra := range []int{1, 3, 6, 7, 904, 100_000} {
		r := newRecorder(TerminatorCR)
		r.feed(0, 1, longest+strings.Repeat("7", extra)+"\r1234\r")
		expectFrames(t, r.frames, "oversize", "scan:1234")
	}
	r := newRecorder(TerminatorCR)
	r.feed(0, 1, longest+longest)
	r.feed(StallTimeout, 1, "1234\r") // no terminator ever came
	expectFrames(t, r.frames, "oversize", "scan:1234")
}

// Control characters and bytes that are not text refuse the whole scan; the
// problem repeats none of it and has time, token and device.
func TestNoise(t *testing.T) {
	for _, noise := range []string{"\x00", "\x1b", "\x1d", "\x7f", "\x03", "\xff", "\xc3\x28", "\u0085"} {
		r := newRecorder(TerminatorCR)
		r.feed(time.Second, 5, "281234567"+noise+"890123456\r1234\r")
		expectFrames(t, r.frames, "noise", "scan:1234")
		p := r.frames[0].Problem
		if p.Device != "test" || p.Arming != 5 || !p.At.Equal(epoch.Add(time.Second)) || p.Bytes != 18+len(noise) {
			t.Errorf("noise %q: %+v", noise, p)
		}
		if p.Detail == "" || strings.Contains(p.String(), "2812") || strings.Contains(p.String(), "3456") {
			t.Errorf("noise %q: %v", noise, p)
		}
	}
}

// A frame that is over leaves no byte of it in the framer's memory.
func TestFrameIsWiped(t *testing.T) {
	r := newRecorder(TerminatorCR)
	r.feed(0, 1, "281234567890123456\r")
	if kept := strings.Trim(string(r.frame[:cap(r.frame)]), "\x00"); kept != "" {
		t.Errorf("%d bytes of a scan stay in memory", len(kept))
	}
}

// plain is summary with the texts of scans alone.
func plain(frames []Frame) []string {
	told := summary(frames)
	for i := range told {
		told[i] = strings.TrimPrefix(told[i], "scan:")
	}
	return told
}

// What the scanner sends around each code is taken off; where it is missing, the
// beginning or the end of the code may be too, so the scan is damaged.
func TestAffixes(t *testing.T) {
	for _, test := range []struct {
		affixes Affixes
		data    string
		want    []string
	}{
		{Affixes{Prefix: "QR:"}, "QR:2812\r", []string{"2812"}},
		{Affixes{Prefix: "QR:"}, "2812\r", []string{"incomplete"}},
		{Affixes{Prefix: "QR:"}, ":2812\rQR:2812\r", []string{"incomplete", "2812"}},
		{Affixes{Prefix: "QR:"}, "]Q1QR:2812\r", []string{"2812"}},
		{Affixes{Prefix: "QR:"}, "QR:]Q12812\r", []string{"2812"}},
		{Affixes{Prefix: "\x02"}, "\x022812\r", []string{"2812"}},
		{Affixes{Prefix: "A", Suffix: "Z"}, "\x02A2812Z\x03\r", []string{"2812"}},
		{Affixes{Suffix: "##"}, "2812##\r", []string{"2812"}},
		{Affixes{Suffix: "##"}, "2812#\r", []string{"incomplete"}},
		{Affixes{Suffix: "##"}, "2812\r\n12##\r\n", []string{"incomplete", "12"}},
		{Affixes{Prefix: "A", Suffix: "Z"}, "AZ\rA28Z\r", []string{"empty", "28"}},
		{Affixes{Prefix: "A", Suffix: "Z"}, "\rA28\x00\r", []string{"empty", "noise"}},
	} {
		r := newRecorder(TerminatorAuto)
		r.Strip(test.affixes)
		for i := range test.data {
			r.feed(0, uint64(i), test.data[i:i+1])
		}
		if got := plain(r.frames); !slices.Equal(got, test.want) {
			t.Errorf("%+v, %q: %q, want %q", test.affixes, test.data, got, test.want)
		}
	}
	for _, bad := range []Affixes{{Prefix: "\r"}, {Suffix: "a\n"}, {Prefix: "\t"}, {Suffix: "\x00"}, {Prefix: "\xff"}, {Suffix: strings.Repeat("x", MaxAffix+1)}} {
		if bad.Valid() {
			t.Errorf("%+v is valid", bad)
		}
	}
}

// Two codes that a scanner reads in one shot are two scans where it ends each;
// where it does not, and gives them one end, they are one text, in which the
// recogniser of payment codes sees two.
func TestTwoCodesInOneShot(t *testing.T) {
	r := newRecorder(TerminatorAuto)
	r.feed(0, 1, "5901234123457\r281234567890123456\r")
	r.feed(time.Minute, 1, "5901234123457281234567890123456\r")
	want := []string{"5901234123457", "281234567890123456", "5901234123457281234567890123456"}
	if got := plain(r.frames); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// A device that tells itself where a scan ends: a terminator that it sends as well
// is taken off, one inside is noise, and a scan that it does not end is damaged.
func TestEndByTheDevice(t *testing.T) {
	r := newRecorder(TerminatorDevice)
	for i, text := range []string{"2812", "2813\r", "2814\r\n", "2815\n", "2816\t", "28\r17", "", "]C02818"} {
		now := epoch.Add(time.Duration(i) * time.Minute)
		r.Feed([]byte(text), 1, now, r.emit)
		r.End("qr", 1, now, r.emit)
	}
	r.feed(time.Hour, 1, "2819")
	r.expire(time.Hour + StallTimeout - 1)
	r.expire(time.Hour + StallTimeout)
	want := []string{"2812", "2813", "2814", "2815", "2816", "noise", "empty", "2818", "incomplete"}
	if got := plain(r.frames); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if first, last := r.frames[0].Scan.Symbology, r.frames[7].Scan.Symbology; first != "qr" || last != "code128" {
		t.Errorf("symbologies %q and %q", first, last)
	}
	if TerminatorDevice.Valid() {
		t.Error("it is a setting")
	}
}
