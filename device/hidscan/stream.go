package hidscan

import (
	"time"

	"payscand/device"
)

// inStep is how long the scanner must have been silent before what comes is
// trusted again after a fault: longer than a scanner pauses within a scan,
// shorter than a person needs to scan again.
const inStep = 250 * time.Millisecond

// spoiler is a byte that is fed into a frame to spoil it: a framer refuses
// control characters, and no key types NUL.
const spoiler = 0

var (
	faultLost = &fault{device.ProblemIncomplete,
		"this computer was too busy to take all that the scanner typed: scan again"}
	faultPause = &fault{device.ProblemIncomplete,
		"this computer was too busy to tell where the scan ended: scan again; if it happens often, set a terminator (Enter) on the scanner"}
)

// stream makes frames of batches. A single goroutine uses it.
type stream struct {
	keyboard *keyboard
	framer   *device.Framer
	passOn   func(device.Frame)

	fault *fault    // why what comes is not trusted; nil when it is
	last  time.Time // when reports came last
	text  []byte
}

// take decodes a batch and returns how many bytes were typed.
func (s *stream) take(b batch) (typed int) {
	_, waiting := s.framer.Deadline()
	if b.lost {
		if waiting { // at a time that cannot end the frame before it is spoiled
			s.distrust(faultLost, b.token, s.last)
		}
		s.last = b.emptyAt // the latest at which what is missing came
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
	for _, report := range b.reports {
		var fault *fault
		s.text, fault = s.keyboard.decode(s.text[:0], report)
		if fault != nil {
			s.distrust(fault, b.token, b.at)
		}
		s.feed(s.text, b)
		typed += len(s.text)
		clear(s.text)
	}
	s.last = b.at
	return typed
}

// end says that the device is closed.
func (s *stream) end() { s.framer.Abandon(s.emit) }

// silence notes that no report that came before now is missing.
func (s *stream) silence(now time.Time) {
	s.framer.Expire(now, s.emit)
	_, waiting := s.framer.Deadline()
	if s.fault == nil || waiting || now.Sub(s.last) < inStep {
		return
	}
	if s.fault == faultLost {
		s.keyboard.forgetCapsLock()
	}
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
