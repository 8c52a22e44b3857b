package device

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Arming holds the token of the sale that scans count for now. One Arming is
// shared by all scanners of a terminal; the zero value has nobody armed. It is
// safe for concurrent use.
type Arming struct{ token atomic.Uint64 }

// Arm makes token the current one. Frames whose first byte came earlier keep
// the token of their time. Arm(0) is Disarm; give every arming a new token.
func (a *Arming) Arm(token uint64) { a.token.Store(token) }

// Disarm says that no sale waits for a scan.
func (a *Arming) Disarm() { a.token.Store(0) }

// Token returns the current token, 0 when nobody is armed.
func (a *Arming) Token() uint64 { return a.token.Load() }

// Scanner drives one configured scanner.
type Scanner interface {
	// Run opens the scanner, reads it and opens it again whenever it is lost,
	// until ctx ends; when it returns, the device is closed and nothing of
	// Run is left running. Failures are told to sink as statuses, each change
	// once. Run must not be called again before it returned.
	Run(ctx context.Context, sink Sink)
	// Status returns the present state and counters. It may be called at any
	// time from any goroutine.
	Status() Status
}

// Sink receives what scanners report. Its methods are called from the goroutine
// that reads the device and must return at once (hand over to a bounded queue,
// drop and count when it is full): while they run, bytes wait in the kernel and
// would be stamped with a token armed after they came. Several scanners may
// share a sink, so its methods must be safe for concurrent use.
type Sink interface {
	Scanned(Scan)
	Problem(Problem)
	// Status is called when State changes, not when only counters do.
	Status(Status)
}

// State says whether a scanner can be used.
type State string

const (
	// StateStopped: Run has not been called, or has returned.
	StateStopped State = "stopped"
	// StateReady: scans will be read.
	StateReady State = "ready"
	// StateMissing: nothing is plugged in there, or it was unplugged.
	StateMissing State = "missing"
	// StateDenied: the operating system does not let this program open it.
	StateDenied State = "denied"
	// StateBusy: another program, or another scanner of this configuration,
	// holds it.
	StateBusy State = "busy"
	// StateFailed: it is there but cannot be used; Detail says why.
	StateFailed State = "failed"
)

// Status is the state of one scanner.
type Status struct {
	// Device is the stable name of the scanner, such as "serial:/dev/ttyACM0".
	Device string
	// Name is what people call it; Device when the configuration has no name.
	Name  string
	State State
	// Detail says why it is not ready and what to do; empty when ready.
	Detail string
	// At is when State was entered.
	At       time.Time
	Counters Counters
}

// Counters count since the scanner was made. They only grow.
type Counters struct {
	Bytes      uint64 // read from the device and framed; grows without Scans when line settings are wrong
	Scans      uint64 // delivered
	Doubled    uint64 // read again within DoubledWindow and left out
	Empty      uint64 // a terminator with nothing before it
	Oversize   uint64 // refused as ProblemOversize
	Noise      uint64 // refused as ProblemNoise
	Incomplete uint64 // refused as ProblemIncomplete
	Reconnects uint64 // times it became ready again after it was lost
}

// Damaged is the number of scans refused because they were not whole.
func (c Counters) Damaged() uint64 { return c.Oversize + c.Noise + c.Incomplete }

// Reporter keeps the Status of one scanner and passes on to a Sink what its
// driver finds. Drivers use it so that all count and report alike.
type Reporter struct {
	mu     sync.Mutex
	status Status
	ready  bool // has been ready before
}

// NewReporter returns the reporter of the scanner called device, in
// StateStopped. An empty name stands for device.
func NewReporter(device, name string) *Reporter {
	if name == "" {
		name = device
	}
	return &Reporter{status: Status{Device: device, Name: name, State: StateStopped}}
}

// Status returns the present state and counters.
func (r *Reporter) Status() Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.status
}

// Enter notes the scanner's state and tells sink if it is another one. While
// the state stays the same, so does its time; the detail is always the last one,
// since what is to be done may have changed.
func (r *Reporter) Enter(sink Sink, state State, detail string, now time.Time) {
	r.mu.Lock()
	changed := state != r.status.State
	if changed {
		r.status.State, r.status.At = state, now
		if state == StateReady {
			if r.ready {
				r.status.Counters.Reconnects++
			}
			r.ready = true
		}
	}
	r.status.Detail = detail
	status := r.status
	r.mu.Unlock()
	if changed {
		sink.Status(status)
	}
}

// Stop notes that Run has returned. No sink hears of it: a scanner that was
// stopped on purpose is not lost.
func (r *Reporter) Stop(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status.State, r.status.Detail, r.status.At = StateStopped, "", now
}

// Frame counts a frame and passes a scan or a problem on to sink.
func (r *Reporter) Frame(sink Sink, frame Frame) {
	r.count(frame)
	switch frame.Kind {
	case FrameScan:
		sink.Scanned(frame.Scan)
	case FrameDamaged:
		sink.Problem(frame.Problem)
	}
}

// Received counts bytes that were read from the device, once they are framed.
func (r *Reporter) Received(bytes int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status.Counters.Bytes += uint64(bytes)
}

func (r *Reporter) count(frame Frame) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := &r.status.Counters
	switch frame.Kind {
	case FrameScan:
		c.Scans++
	case FrameDoubled:
		c.Doubled++
	case FrameEmpty:
		c.Empty++
	case FrameDamaged:
		switch frame.Problem.Kind {
		case ProblemOversize:
			c.Oversize++
		case ProblemNoise:
			c.Noise++
		case ProblemIncomplete:
			c.Incomplete++
		}
	}
}
