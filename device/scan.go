package device

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"time"
	"unicode/utf8"
)

// MaxScanBytes is the length of the longest text that is taken as a scan.
// Anything longer is reported as [ProblemOversize]. A wallet's payment code has
// at most a few hundred characters; 4,096 leaves room for coupons and links, so
// that they can be refused by what they are.
const MaxScanBytes = 4096

// Scan is one code as a scanner read it.
//
// It prints masked (see [Scan.Masked]) with every verb of fmt, in JSON and in
// slog. Scan has no way back from JSON: a masked scan is of no use to a program.
type Scan struct {
	// Text is what was read, without prefix, AIM identifier and terminator:
	// 1 to MaxScanBytes bytes of UTF-8 without control characters. It may be
	// a payment code: never log it, never put it in an error.
	Text string
	// Symbology names the kind of bar code, such as "qr", "code128" or "ean13";
	// a raw AIM identifier, such as "]m0", where there is no name for it; empty
	// when the scanner does not say.
	Symbology string
	// Device is the stable name of the scanner, such as "serial:/dev/ttyACM0".
	Device string
	// At is when the first byte arrived.
	At time.Time
	// Arming is the token that was armed when the first byte arrived; 0 when
	// nobody was.
	Arming uint64
}

// Masked returns the text fit for people and logs: its first two and last four
// characters when it has ten or more, else nothing of it.
func (s Scan) Masked() string {
	if utf8.RuneCountInString(s.Text) < 10 {
		return "…"
	}
	runes := []rune(s.Text)
	return string(runes[:2]) + "…" + string(runes[len(runes)-4:])
}

// String describes the scan with its text masked.
func (s Scan) String() string {
	return fmt.Sprintf("scan %q (%d bytes, symbology %q) from %s, arming %d",
		s.Masked(), len(s.Text), s.Symbology, s.Device, s.Arming)
}

// Format prints String whatever the verb: %d or %#v of a plain struct would
// show the text.
func (s Scan) Format(f fmt.State, _ rune) {
	_, _ = f.Write([]byte(s.String()))
}

// GoString is String: the text stays masked under %#v.
func (s Scan) GoString() string { return s.String() }

// LogValue gives slog the scan with its text masked.
func (s Scan) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("text", s.Masked()),
		slog.Int("bytes", len(s.Text)),
		slog.String("symbology", s.Symbology),
		slog.String("device", s.Device),
		slog.Time("at", s.At),
		slog.Uint64("arming", s.Arming),
	)
}

// MarshalJSON writes the scan with its text masked.
func (s Scan) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Text      string    `json:"text"`
		Bytes     int       `json:"bytes"`
		Symbology string    `json:"symbology"`
		Device    string    `json:"device"`
		At        time.Time `json:"at"`
		Arming    uint64    `json:"arming"`
	}{s.Masked(), len(s.Text), s.Symbology, s.Device, s.At, s.Arming})
}

// ProblemKind says what is wrong with bytes that came but are not a scan.
type ProblemKind string

const (
	// ProblemOversize: more than MaxScanBytes without an end. The rest is
	// discarded up to the end of the frame.
	ProblemOversize ProblemKind = "oversize"
	// ProblemNoise: a control character or bytes that are not text, as a wrong
	// line speed, a loose plug or a half configured scanner send them.
	ProblemNoise ProblemKind = "noise"
	// ProblemIncomplete: the scan stopped before its terminator, or the scanner
	// was lost in the middle of it.
	ProblemIncomplete ProblemKind = "incomplete"
)

// Problem is a damaged scan: the customer or the cashier must scan again. It
// holds no part of what was read.
type Problem struct {
	Kind ProblemKind
	// Detail says what was found and what to do, for the shop's staff.
	Detail string
	// Bytes is how many bytes the frame had when the problem was found.
	Bytes int
	// Device, At and Arming are as in Scan.
	Device string
	At     time.Time
	Arming uint64
}

// String describes the problem in one line.
func (p Problem) String() string {
	return fmt.Sprintf("%s scan from %s: %s", p.Kind, p.Device, p.Detail)
}
