package hidscan

import "payscand/device"

// pieces puts reports together: one that is longer than a packet of its
// endpoint arrives as several reads, of which only the first has the report's
// id. A packet that is not full ends a report early (USB 2.0, 5.7.3).
type pieces struct {
	lengths map[byte]int // of reports by their id
	packet  int          // bytes of a full packet (wMaxPacketSize); 0: not known, reads are whole reports
	begun   []byte       // of a report that goes on
}

var faultCut = &fault{device.ProblemIncomplete,
	"a part of what the scanner sent is missing: scan again; if it happens every time, unplug the scanner and plug it in again"}

// strange reports whether a read begins no report that the device describes though
// its reports come in pieces: it is the middle of one whose beginning was taken for
// the end of another.
func (p *pieces) strange(read []byte) bool {
	if p.packet == 0 || len(p.begun) > 0 || p.length(read) > 0 {
		return false
	}
	for _, length := range p.lengths {
		if length > p.packet {
			return true
		}
	}
	return false
}

// nameless reports whether reports have no ids, so that one's middle looks like
// another's beginning.
func (p *pieces) nameless() bool {
	_, ok := p.lengths[0]
	return ok
}

// add takes what one read brought and returns the report that is whole with it,
// or nil. The report is valid until the next call.
func (p *pieces) add(read []byte) []byte {
	if len(p.begun) == 0 && (p.packet == 0 || len(read) < p.packet || len(read) >= p.length(read)) {
		return read
	}
	p.begun = append(p.begun, read...)
	if len(read) == p.packet && len(p.begun) < p.length(p.begun) {
		return nil
	}
	whole := p.begun
	p.begun = p.begun[:0]
	return whole
}

// length is how long the report becomes that begins so.
func (p *pieces) length(report []byte) int {
	if p.nameless() || len(report) == 0 {
		return p.lengths[0]
	}
	return p.lengths[report[0]]
}

// drop forgets a report that was not finished, and tells whether there was one.
func (p *pieces) drop() bool {
	begun := len(p.begun) > 0
	clear(p.begun)
	p.begun = p.begun[:0]
	return begun
}

// wipe leaves no copy of a payment code behind.
func (p *pieces) wipe() { clear(p.begun[len(p.begun):cap(p.begun)]) }
