package device

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	// StallTimeout is how long the rest of a scan is waited for where only a
	// terminator ends it. Pauses of a busy USB bus are shorter, the time that a
	// person needs to scan again is longer. What has come by then is reported
	// as ProblemIncomplete, so that it is not glued to the next scan.
	StallTimeout = time.Second
	// DoubledWindow is how long the same text from the same scanner under the
	// same arming token counts as read twice.
	DoubledWindow = 2 * time.Second
)

const (
	stx = 0x02
	etx = 0x03

	// maxFrameBytes is the longest text plus what can surround it: STX, an AIM
	// identifier, affixes, ETX and a CRLF.
	maxFrameBytes = MaxScanBytes + aimLength + 2*MaxAffix + 4
)

// FrameKind says what a frame turned out to be.
type FrameKind string

const (
	FrameScan    FrameKind = "scan"    // Frame.Scan is set
	FrameDamaged FrameKind = "damaged" // Frame.Problem is set
	FrameDoubled FrameKind = "doubled" // the same scan again: to be counted only
	FrameEmpty   FrameKind = "empty"   // nothing between two terminators: to be counted only
)

// Frame is what a Framer found between two ends.
type Frame struct {
	Kind    FrameKind
	Scan    Scan
	Problem Problem
}

// Framer assembles the bytes of one scanner into frames. It strips an STX
// prefix (and the ETX that belongs to it) and an AIM identifier, refuses what is
// longer than MaxScanBytes or is not printable UTF-8, and recognises a scan
// that is read twice. A code doubled inside one frame is one text.
//
// Times that go backwards end nothing; give times with a monotonic clock. A
// Framer is not safe for concurrent use and must be made by NewFramer.
type Framer struct {
	device     string
	terminator Terminator
	idle       time.Duration
	affixes    Affixes

	frame      []byte // what came since the last end, up to maxFrameBytes
	began      bool
	oversize   bool   // reported; discarding up to the end
	doubt      string // why it cannot be trusted; "" when it can
	firstAt    time.Time
	lastAt     time.Time
	token      uint64
	ignoreLF   bool // a CR ended the last frame: an LF belongs to it
	terminated bool // a scan was ended by a terminator since the last Abandon

	seed      maphash.Seed // the last text is remembered as a hash, not kept
	lastText  uint64
	lastScan  time.Time
	lastToken uint64
}

// NewFramer returns the framer for the scanner called device. The zero
// terminator stands for TerminatorAuto, an idle of 0 for DefaultIdleTimeout.
func NewFramer(device string, terminator Terminator, idle time.Duration) *Framer {
	if terminator == "" {
		terminator = TerminatorAuto
	}
	if idle <= 0 {
		idle = DefaultIdleTimeout
	}
	return &Framer{device: device, terminator: terminator, idle: idle, seed: maphash.MakeSeed()}
}

// Strip sets what the scanner sends around each code. It is called before the
// first Feed.
func (f *Framer) Strip(affixes Affixes) { f.affixes = affixes }

// Feed takes bytes that arrived at now while token was armed, and calls emit
// for each frame that ends with them. First it does what Expire does, so the
// frames do not depend on how often Expire is called, nor on how bytes of the
// same time are divided between calls.
func (f *Framer) Feed(data []byte, token uint64, now time.Time, emit func(Frame)) {
	f.Expire(now, emit)
	for _, b := range data {
		belongsToCR := f.ignoreLF && b == '\n'
		f.ignoreLF = false
		switch {
		case belongsToCR:
		case f.ends(b):
			f.end(b, token, now, emit)
		default:
			f.add(b, token, now, emit)
		}
	}
}

// End ends the frame under way, for TerminatorDevice. The symbology is the
// device's name for it, "" where it does not say; an AIM identifier in the text
// takes precedence.
func (f *Framer) End(symbology string, token uint64, now time.Time, emit func(Frame)) {
	f.Expire(now, emit)
	if !f.began {
		f.begin(token, now)
	}
	f.frame = cutTerminator(f.frame)
	f.finish(symbology, emit)
}

// Doubt says why the frame under way, or the one that begins here, may not be
// whole: it is refused when it ends.
func (f *Framer) Doubt(detail string, token uint64, now time.Time) {
	if !f.began {
		f.begin(token, now)
	}
	f.doubt = detail
}

// Expire ends or reports the frame under way if nothing came for too long.
func (f *Framer) Expire(now time.Time, emit func(Frame)) {
	if deadline, waiting := f.Deadline(); !waiting || now.Before(deadline) {
		return
	}
	switch {
	case f.idleEnds():
		f.finish("", emit)
	case f.terminator == TerminatorDevice:
		f.incomplete("the scanner sent only a part of the scan: scan again", emit)
	default:
		f.incomplete("the scan stopped before its terminator: scan again; "+
			"if it happens every time, set the terminator that the scanner sends", emit)
	}
}

// Deadline returns when Expire is due, and whether a frame is under way at all.
func (f *Framer) Deadline() (time.Time, bool) {
	if f.idleEnds() {
		return f.lastAt.Add(f.idle), f.began
	}
	return f.lastAt.Add(StallTimeout), f.began
}

// Abandon says that the device is gone: a frame under way is reported as
// incomplete, and whether the scanner sends terminators is to be learned anew.
func (f *Framer) Abandon(emit func(Frame)) {
	if f.began {
		f.incomplete("the connection to the scanner ended in the middle of a scan: scan again", emit)
	}
	f.ignoreLF, f.terminated = false, false
}

func (f *Framer) idleEnds() bool {
	return f.terminator == TerminatorNone || f.terminator == TerminatorAuto && !f.terminated
}

func (f *Framer) ends(b byte) bool {
	switch f.terminator {
	case TerminatorAuto:
		return b == '\r' || b == '\n' || b == '\t'
	case TerminatorCR:
		return b == '\r'
	case TerminatorLF, TerminatorCRLF:
		return b == '\n'
	case TerminatorTAB:
		return b == '\t'
	}
	return false
}

func (f *Framer) begin(token uint64, now time.Time) {
	f.began, f.firstAt, f.lastAt, f.token = true, now, now, token
}

func (f *Framer) add(b byte, token uint64, now time.Time, emit func(Frame)) {
	if !f.began {
		f.begin(token, now)
	}
	f.lastAt = now
	if f.oversize {
		return
	}
	if len(f.frame) == maxFrameBytes {
		f.refuseOversize(emit)
		f.oversize = true
		return
	}
	f.frame = append(f.frame, b)
}

// end handles a terminator.
func (f *Framer) end(b byte, token uint64, now time.Time, emit func(Frame)) {
	f.ignoreLF = b == '\r'
	if !f.began {
		f.begin(token, now)
	}
	if last := len(f.frame) - 1; b == '\n' && last >= 0 && f.frame[last] == '\r' {
		f.frame = f.frame[:last]
	}
	if f.finish("", emit) {
		f.terminated = true
	}
}

// finish emits the whole frame and tells whether it was a scan. The symbology
// is what the device says of it.
func (f *Framer) finish(symbology string, emit func(Frame)) bool {
	defer f.reset()
	if f.oversize {
		return false
	}
	if f.doubt != "" {
		f.refuse(ProblemIncomplete, f.doubt, emit)
		return false
	}
	if len(f.frame) == 0 {
		emit(Frame{Kind: FrameEmpty})
		return false
	}
	text, identified, whole := f.affixes.cut(f.frame)
	if identified != "" {
		symbology = identified
	}
	switch fault := findNoise(text); {
	case fault == "" && !whole:
		f.refuse(ProblemIncomplete, "the prefix or suffix that is configured is missing, so other characters may be missing too: "+
			"scan again; if it happens every time, set prefix and suffix as the scanner sends them", emit)
		return false
	case len(text) == 0:
		emit(Frame{Kind: FrameEmpty})
		return false
	case len(text) > MaxScanBytes:
		f.refuseOversize(emit)
		return false
	case fault != "":
		f.refuse(ProblemNoise, fault, emit)
		return false
	case f.isDoubled(text):
		emit(Frame{Kind: FrameDoubled})
		return true
	}
	f.lastText, f.lastScan, f.lastToken = maphash.Bytes(f.seed, text), f.firstAt, f.token
	emit(Frame{Kind: FrameScan, Scan: Scan{
		Text:      string(text),
		Symbology: symbology,
		Device:    f.device,
		At:        f.firstAt,
		Arming:    f.token,
	}})
	return true
}

// isDoubled compares with the last scan that was delivered, not with the last
// doubled one: who holds a code before the scanner gets it again after the
// window. A new arming token makes a new scan: what was read before the sale
// was armed must not swallow what is meant for it.
func (f *Framer) isDoubled(text []byte) bool {
	return !f.lastScan.IsZero() &&
		f.token == f.lastToken &&
		f.firstAt.Sub(f.lastScan) < DoubledWindow &&
		maphash.Bytes(f.seed, text) == f.lastText
}

func (f *Framer) incomplete(detail string, emit func(Frame)) {
	defer f.reset()
	if !f.oversize {
		f.refuse(ProblemIncomplete, detail, emit)
	}
}

func (f *Framer) refuseOversize(emit func(Frame)) {
	f.refuse(ProblemOversize, fmt.Sprintf("more than %d bytes without an end: "+
		"not a payment code, or the scanner sends no terminator", MaxScanBytes), emit)
}

func (f *Framer) refuse(kind ProblemKind, detail string, emit func(Frame)) {
	emit(Frame{Kind: FrameDamaged, Problem: Problem{
		Kind:   kind,
		Detail: detail,
		Bytes:  len(f.frame),
		Device: f.device,
		At:     f.firstAt,
		Arming: f.token,
	}})
}

// reset forgets the frame, its bytes included.
func (f *Framer) reset() {
	clear(f.frame)
	f.frame, f.began, f.oversize, f.doubt = f.frame[:0], false, false, ""
}

// cut takes off STX with its ETX, the affixes, and an AIM identifier, which may
// stand before or after the prefix. It tells whether the affixes were there.
func (a Affixes) cut(frame []byte) (text []byte, symbology string, whole bool) {
	if !strings.HasPrefix(a.Prefix, string(rune(stx))) {
		frame = cutSTX(frame)
	}
	text, suffixed := bytes.CutSuffix(frame, []byte(a.Suffix))
	text, prefixed := bytes.CutPrefix(text, []byte(a.Prefix))
	text, symbology = cutAIM(text)
	if !prefixed {
		text, prefixed = bytes.CutPrefix(text, []byte(a.Prefix))
	}
	return text, symbology, prefixed && suffixed
}

// cutTerminator takes off one CR, LF, CRLF or TAB at the end.
func cutTerminator(frame []byte) []byte {
	for _, end := range []string{"\r\n", "\r", "\n", "\t"} {
		if rest, found := bytes.CutSuffix(frame, []byte(end)); found {
			return rest
		}
	}
	return frame
}

// cutSTX takes off a leading STX, and the ETX at the end that belongs to it.
func cutSTX(frame []byte) []byte {
	if len(frame) == 0 || frame[0] != stx {
		return frame
	}
	frame = frame[1:]
	if last := len(frame) - 1; last >= 0 && frame[last] == etx {
		frame = frame[:last]
	}
	return frame
}

// findNoise says what in text cannot be part of a code; "" when nothing. Only
// the value of a control character is told, never what stands around it.
func findNoise(text []byte) string {
	if !utf8.Valid(text) {
		return "bytes that are not text: check that baud, data bits and parity are as the scanner has them"
	}
	for _, r := range string(text) {
		if unicode.IsControl(r) {
			return fmt.Sprintf("control character 0x%02x inside: scan again; "+
				"if it happens every time, check terminator, prefix, suffix and baud", r)
		}
	}
	return ""
}
