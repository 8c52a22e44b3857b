package hidscan

import (
	"time"

	"payscand/device"
)

// inStep is how long the scanner must have been silent before what comes is
// trusted again after a fault: longer than a scanner pauses within a scan,
// shorter than a person needs to scan again.
const inStep = 250 * time.Millisecond

// lateRest is how long after a report broke off its rest may still come, where
// reports have no id: it would pass for the beginning of another one.
const lateRest = 10 * time.Second

// spoiler is a byte that is fed into a frame to spoil it: a framer refuses
// control characters, and no key types NUL.
const spoiler = 0

var (
	faultLost = &fault{device.ProblemIncomplete,
		"this computer was too busy to take all that the scanner sent: scan again"}
	faultPause = &fault{device.ProblemIncomplete,
		"this computer was too busy to tell where the scan ended: scan again; if it happens often, set a terminator (Enter) on the scanner"}
)

// stream makes frames of batches. A single goroutine uses it.
type stream struct {
	pieces  pieces
	decoder decoder
	framer  *device.Framer
	passOn  func(device.Frame)

	fault *fault    // why what comes is not trusted; nil when it is
	last  time.Time // when reports came last
	cut   time.Time // when a report broke off whose rest could not be told from another one; zero: its rest cannot come
	token uint64    // armed then
	text  []byte
}

// take decodes a batch and returns how many bytes of text it held.
func (s *stream) take(b batch) (typed int) {
	_, waiting := s.framer.Deadline()
	if b.lost {
		if waiting { // at a time that cannot end the frame before it is spoiled
			s.distrust(faultLost, b.token, s.last)
		}
		s.last = b.emptyAt // the latest at which what is missing came
		s.pieces.drop()
	}
	s.silence(b.emptyAt)
	if len(b.reports) == 0 {
		if b.lost && !waiting { // whole scans are missing: that too must be told
			s.distrust(faultLost, b.token, b.emptyAt)
		}
		return 0
	}
	if b.lost {
		s.distrust(faultLost, b.token, b.at)
	} else if due, waiting := s.framer.Deadline(); waiting && due.After(b.emptyAt) && !due.After(b.at) {
		// The frame's time-out was over when these reports were read but not
		// when the queue was last seen empty: they may belong to it or not.
		s.distrust(faultPause, b.token, b.emptyAt)
	}
	for _, read := range b.reports {
		if s.pieces.strange(read) {
			s.distrust(faultCut, b.token, b.at)
		}
		if report := s.pieces.add(read); report != nil {
			typed += s.report(report, b)
		}
	}
	s.pieces.wipe()
	s.last, s.token = b.at, b.token
	return typed
}

// report decodes one whole report and returns how many bytes of text it held.
func (s *stream) report(report []byte, b batch) int {
	result, fault := s.decoder.decode(s.text[:0], report)
	if fault != nil {
		s.distrust(fault, b.token, b.at)
	}
	s.feed(result.text, b)
	if result.ends {
		s.framer.End(result.symbology, b.token, b.at, s.emit)
	}
	s.text = result.text[:0]
	clear(result.text)
	return len(result.text)
}

// end says that the device is closed. A report that was not finished is a damaged scan.
func (s *stream) end() {
	if s.pieces.drop() {
		s.distrust(faultCut, s.token, s.last)
	}
	s.framer.Abandon(s.emit)
}

// silence notes that no report that came before now is missing.
func (s *stream) silence(now time.Time) {
	quiet := now.Sub(s.last) >= inStep
	if quiet && s.pieces.drop() {
		s.distrust(faultCut, s.token, s.last)
		if s.pieces.nameless() {
			s.cut = s.last
		}
	}
	_, waited := s.framer.Deadline()
	s.framer.Expire(now, s.emit)
	_, waiting := s.framer.Deadline()
	if waited && !waiting {
		s.decoder.breakOff()
	}
	if s.fault == nil || waiting || !quiet || s.last.Equal(s.cut) && now.Sub(s.cut) < lateRest {
		return
	}
	s.decoder.resync(s.fault == faultLost)
	s.fault = nil
}

// distrust spoils the frame under way, or the one that begins here, and all that
// follow until the scanner is in step again.
func (s *stream) distrust(f *fault, token uint64, now time.Time) {
	if s.fault == nil || f == faultLost {
		s.fault = f
	}
	s.framer.Feed([]byte{spoiler}, token, now, s.emit)
}

func (s *stream) feed(text []byte, b batch) {
	if s.fault == nil {
		s.framer.Feed(text, b.token, b.at, s.emit)
		return
	}
	for _, character := range text {
		s.framer.Feed([]byte{spoiler, character}, b.token, b.at, s.emit)
	}
}

// emit passes a frame on, with the fault as the reason where one spoiled it.
func (s *stream) emit(frame device.Frame) {
	if s.fault != nil && frame.Kind == device.FrameDamaged && frame.Problem.Kind != device.ProblemOversize {
		frame.Problem.Kind, frame.Problem.Detail = s.fault.kind, s.fault.detail
	}
	s.passOn(frame)
}
