package device

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

var terminators = []Terminator{
	TerminatorAuto, TerminatorCR, TerminatorLF, TerminatorCRLF, TerminatorTAB, TerminatorNone,
}

// gaps are the pauses that a fuzzed plan chooses from: within a scan, around the
// time-outs and the doubled window.
var gaps = []time.Duration{
	0, time.Millisecond, DefaultIdleTimeout - 1, DefaultIdleTimeout, StallTimeout - 1, StallTimeout, DoubledWindow,
}

// chunk is what one read brings.
type chunk struct {
	data  []byte
	token uint64
	at    time.Time
}

// divide cuts data as plan says: each byte of plan gives a length and the pause
// before it. Each chunk has a token of its own.
func divide(data, plan []byte) []chunk {
	var chunks []chunk
	at := epoch
	for len(data) > 0 {
		size := len(data)
		if len(plan) > 0 {
			size = min(size, 1+int(plan[0]>>3))
			at = at.Add(gaps[int(plan[0]&7)%len(gaps)])
			plan = plan[1:]
		}
		chunks = append(chunks, chunk{data[:size], uint64(len(chunks) + 1), at})
		data = data[size:]
	}
	return chunks
}

// FuzzFramer: whatever comes in whatever pieces, the framer does not panic, its
// memory is bounded, every scan is a clean piece of what was fed with the token
// of its first byte, the frames do not depend on how bytes of one time are
// divided or on when Expire is called, and without pauses the scans are exactly
// those that an independent, much simpler reader finds.
func FuzzFramer(f *testing.F) {
	f.Add([]byte("281234567890123456\r289876543210987654\r\n"), []byte{}, uint8(0), uint16(0))
	f.Add([]byte("\x02]Q1281234567890123456\x03\t1234\x001234\t"), []byte{0x13, 0x22, 0x05}, uint8(4), uint16(0))
	f.Add([]byte("1234512345"), []byte{0x23, 0x23}, uint8(5), uint16(0))
	f.Add([]byte("1234\r1234\r1234\r\n\n"), []byte{0x20, 0x2e, 0x21}, uint8(0), uint16(0))
	f.Add([]byte("5\r5\r"), []byte{0xff, 0xfd}, uint8(1), uint16(MaxScanBytes))
	f.Add([]byte("\r12\r\n34\n\xff\xfe\n]C1\n"), []byte{0x0c, 0x0d}, uint8(3), uint16(2))
	f.Fuzz(func(t *testing.T, data, plan []byte, choice uint8, digits uint16) {
		// Long scans by number: the fuzzer is slow with long inputs.
		data = append(bytes.Repeat([]byte("7"), int(digits)%(MaxScanBytes+16)), data...)
		terminator := terminators[int(choice)%len(terminators)]
		chunks := divide(data, plan)
		end := epoch
		if len(chunks) > 0 {
			end = chunks[len(chunks)-1].at.Add(time.Minute)
		}

		whole := newRecorder(terminator)
		for _, c := range chunks {
			whole.Feed(c.data, c.token, c.at, whole.emit)
			if cap(whole.frame) > 2*maxFrameBytes {
				t.Fatalf("%d bytes of memory for one frame", cap(whole.frame))
			}
		}
		whole.Expire(end, whole.emit)

		pieces := newRecorder(terminator)
		for _, c := range chunks {
			if due, waiting := pieces.Deadline(); waiting && due.Before(c.at) {
				pieces.Expire(due, pieces.emit)
			}
			for i := range c.data {
				pieces.Feed(c.data[i:i+1], c.token, c.at, pieces.emit)
				pieces.Expire(c.at, pieces.emit)
			}
		}
		pieces.Expire(end, pieces.emit)
		if !slices.Equal(whole.frames, pieces.frames) {
			t.Fatalf("frames depend on the division of bytes: %q against %q",
				summary(whole.frames), summary(pieces.frames))
		}

		for _, frame := range whole.frames {
			checkFrame(t, frame, data, chunks)
		}
		checkAgainstReference(t, data, terminator)
	})
}

func checkFrame(t *testing.T, frame Frame, data []byte, chunks []chunk) {
	switch frame.Kind {
	case FrameScan:
		s := frame.Scan
		if s.Text == "" || len(s.Text) > MaxScanBytes || !utf8.ValidString(s.Text) ||
			strings.ContainsFunc(s.Text, unicode.IsControl) {
			t.Fatalf("bad text %q", s.Text)
		}
		if !bytes.Contains(data, []byte(s.Text)) {
			t.Fatalf("%q was not scanned", s.Text)
		}
		if first := chunks[s.Arming-1]; !first.at.Equal(s.At) || !beginsIn(first, s) {
			t.Fatalf("scan %q does not begin in the bytes of token %d", s.Text, s.Arming)
		}
	case FrameDamaged:
		if p := frame.Problem; p.Kind == "" || p.Detail == "" || p.Bytes == 0 || p.Bytes > maxFrameBytes {
			t.Fatalf("bad problem %+v", p)
		}
	}
}

// beginsIn tells whether the first byte of the scan's frame can be in c: the
// text's own first byte, or that of a prefix before it.
func beginsIn(c chunk, s Scan) bool {
	return bytes.IndexByte(c.data, s.Text[0]) >= 0 ||
		bytes.IndexByte(c.data, stx) >= 0 || bytes.IndexByte(c.data, ']') >= 0
}

// checkAgainstReference feeds all at one time and compares the texts with those
// of a reader that knows only how to split. Tokens differ, so nothing is doubled.
func checkAgainstReference(t *testing.T, data []byte, terminator Terminator) {
	line := map[Terminator]string{
		TerminatorAuto: "\r\n\t", TerminatorCR: "\r", TerminatorLF: "\n", TerminatorCRLF: "\n", TerminatorTAB: "\t",
	}[terminator]
	if line == "" {
		return
	}
	var want []string
	rest := string(data)
	for {
		at := strings.IndexAny(rest, line)
		if at < 0 {
			break
		}
		text := rest[:at]
		ended := rest[at]
		rest = rest[at+1:]
		if ended == '\r' {
			rest = strings.TrimPrefix(rest, "\n")
		}
		if ended == '\n' {
			text = strings.TrimSuffix(text, "\r")
		}
		if after, found := strings.CutPrefix(text, "\x02"); found {
			text = strings.TrimSuffix(after, "\x03")
		}
		stripped, _ := cutAIM([]byte(text))
		text = string(stripped)
		if text != "" && len(text) <= MaxScanBytes && utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl) {
			want = append(want, text)
		}
	}
	var got []string
	framer := NewFramer("test", terminator, 0)
	for i, b := range data {
		framer.Feed([]byte{b}, uint64(i), epoch, func(f Frame) {
			if f.Kind == FrameScan {
				got = append(got, f.Scan.Text)
			}
		})
	}
	if !slices.Equal(got, want) {
		t.Fatalf("%s: scans %q, want %q", terminator, got, want)
	}
}
