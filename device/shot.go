package device

import "time"

// Shot is all that a scanner sent for one scan, as it came: for finding out how
// the scanner is set up, not for taking money. Its texts may be a payment code
// that somebody scanned by mistake: print none that is not known to be a test.
type Shot struct {
	// Texts is what was sent, control characters included, by the keyboard layout
	// under which it was read; of scanners that are no keyboards by "". A layout
	// under which it cannot be read is missing.
	Texts map[string]string
	// Symbology is what the device says of the code, "" for nothing.
	Symbology string
	// Fault says why it cannot be read, and what to do, where a scanner that is no
	// keyboard sent it.
	Fault string
	// Lost: parts may be missing.
	Lost bool
}

// ShotSilence is how long a scanner is silent before what it sent is one Shot:
// longer than any pause within a scan.
const ShotSilence = 300 * time.Millisecond
