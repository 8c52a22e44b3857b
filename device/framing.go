package device

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// This file is what a scanner's configuration says about where its scans begin
// and end; framer.go goes by it.

// Terminator says what ends a scan in a byte stream.
type Terminator string

const (
	// TerminatorAuto ends at CR, LF, CRLF or TAB. Until the first scan that
	// ends so, the idle time-out ends a scan as well, because many scanners are
	// delivered without a terminator. From then on a pause is no end, so that a
	// stalled line cannot make a shorter code.
	TerminatorAuto Terminator = "auto"
	// TerminatorCR ends at CR; an LF after it is ignored.
	TerminatorCR Terminator = "cr"
	// TerminatorLF and TerminatorCRLF both end at LF, and take a CR just before
	// it as part of the terminator.
	TerminatorLF   Terminator = "lf"
	TerminatorCRLF Terminator = "crlf"
	// TerminatorTAB ends at TAB.
	TerminatorTAB Terminator = "tab"
	// TerminatorNone ends at the idle time-out only; CR, LF and TAB are noise.
	TerminatorNone Terminator = "none"
	// TerminatorDevice ends where the driver says so with Framer.End, because
	// the device itself tells where a scan ends. One CR, LF, CRLF or TAB just
	// before is taken off. It is no setting of a scanner: Valid refuses it.
	TerminatorDevice Terminator = "device"
)

// Valid tells whether t is one of the settings of a scanner.
func (t Terminator) Valid() bool {
	switch t {
	case TerminatorAuto, TerminatorCR, TerminatorLF, TerminatorCRLF, TerminatorTAB, TerminatorNone:
		return true
	}
	return false
}

// The idle time-out ends a scan that has no terminator.
const (
	// DefaultIdleTimeout is long enough: scanners leave at most a few milliseconds
	// between two characters.
	DefaultIdleTimeout = 50 * time.Millisecond
	// MinIdleTimeout and MaxIdleTimeout are the limits of one that is configured.
	MinIdleTimeout = 10 * time.Millisecond
	MaxIdleTimeout = time.Second
)

// Affixes are what a scanner was told to send around each code, and what is
// taken off again: "" for nothing. A scan without them is refused as
// ProblemIncomplete, since its first or last characters may be missing too.
type Affixes struct{ Prefix, Suffix string }

// MaxAffix is the length in bytes of the longest prefix or suffix.
const MaxAffix = 32

// Valid tells whether both are at most MaxAffix bytes of UTF-8 in which
// nothing ends a scan (CR, LF, TAB) and no NUL is.
func (a Affixes) Valid() bool {
	fits := func(s string) bool {
		return len(s) <= MaxAffix && utf8.ValidString(s) && !strings.ContainsAny(s, "\r\n\t\x00")
	}
	return fits(a.Prefix) && fits(a.Suffix)
}

// CheckFraming returns every mistake in a scanner's settings.
func CheckFraming(terminator Terminator, idle time.Duration, affixes Affixes) (mistakes []error) {
	if !terminator.Valid() {
		mistakes = append(mistakes, fmt.Errorf("terminator %q is not one of auto, cr, lf, crlf, tab, none", terminator))
	}
	if idle < MinIdleTimeout || idle > MaxIdleTimeout {
		mistakes = append(mistakes, fmt.Errorf("idle time-out %v is not between %v and %v", idle, MinIdleTimeout, MaxIdleTimeout))
	}
	if !affixes.Valid() {
		mistakes = append(mistakes, fmt.Errorf("prefix and suffix: at most %d bytes each, without CR, LF, TAB and NUL", MaxAffix))
	}
	return mistakes
}
