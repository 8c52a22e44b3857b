package sandbox

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// FaultKind is what a fault does to one call.
type FaultKind string

const (
	FaultDrop   FaultKind = "drop"   // the request never reaches the gateway; the connection is cut
	FaultCut    FaultKind = "cut"    // the request is dealt with; the connection is cut without an answer
	FaultDelay  FaultKind = "delay"  // the request is dealt with; the answer comes late
	FaultLate   FaultKind = "late"   // the request reaches the gateway late; then it is dealt with and answered
	FaultStatus FaultKind = "status" // the request never reaches the gateway; an HTTP error with an HTML page answers
)

// Fault spoils the next Times calls to Path.
type Fault struct {
	Path    string    `json:"path"` // of a vendor's call, such as /api/v2.0/payments/pay; "*" for any
	Kind    FaultKind `json:"kind"`
	Times   int       `json:"times"`             // 1 to 1,000,000
	DelayMS int       `json:"delay_ms,omitzero"` // of delay and late; milliseconds, at most 10 min
	Status  int       `json:"status,omitzero"`   // of status; 400 to 599
}

func (f Fault) validate() error {
	var problems []error
	if f.Path != "*" && !strings.HasPrefix(f.Path, "/") {
		problems = append(problems, errors.New(`path: want the path of a call, or "*"`))
	}
	if f.Times < 1 || f.Times > 1_000_000 {
		problems = append(problems, errors.New("times: want 1 to 1,000,000"))
	}
	needsDelay := f.Kind == FaultDelay || f.Kind == FaultLate
	if !slices.Contains([]FaultKind{FaultDrop, FaultCut, FaultDelay, FaultLate, FaultStatus}, f.Kind) {
		problems = append(problems, errors.New("kind: want drop, cut, delay, late or status"))
	}
	if needsDelay && (f.DelayMS < 1 || f.DelayMS > 600_000) || !needsDelay && f.DelayMS != 0 {
		problems = append(problems, errors.New("delay_ms: want 1 to 600,000 for delay and late, and none for other kinds"))
	}
	if f.Kind == FaultStatus && (f.Status < 400 || f.Status > 599) || f.Kind != FaultStatus && f.Status != 0 {
		problems = append(problems, errors.New("status: want 400 to 599 for status, and none for other kinds"))
	}
	return errors.Join(problems...)
}

const maxFaults = 100

// faults are what the control API has set.
type faults struct {
	mu   sync.Mutex
	down bool
	list []Fault
}

// SetDown makes the gateway answer nothing at all to the vendor's calls, or ends
// that. Pages and control API go on.
func (s *Server) SetDown(down bool) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.down = down
}

// AddFaults queues faults behind those already set, all or none of them. A call
// uses up the first fault that fits its path.
func (s *Server) AddFaults(added ...Fault) error {
	for n, fault := range added {
		if err := fault.validate(); err != nil {
			return fmt.Errorf("fault %d: %w", n+1, err)
		}
	}
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	if len(s.faults.list)+len(added) > maxFaults {
		return fmt.Errorf("more than %d faults are set", maxFaults)
	}
	s.faults.list = append(s.faults.list, added...)
	return nil
}

// ClearFaults ends all faults, and the state set by SetDown.
func (s *Server) ClearFaults() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.down, s.faults.list = false, nil
}

// Faults returns what is set and not yet used up, and whether the gateway is
// down.
func (s *Server) Faults() (down bool, list []Fault) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	return s.faults.down, append([]Fault{}, s.faults.list...)
}

// next uses up one fault for a call; its Kind is empty if none fits.
func (f *faults) next(path string) Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down {
		return Fault{Kind: FaultDrop}
	}
	for n := range f.list {
		if fault := &f.list[n]; fault.Path == path || fault.Path == "*" {
			used := *fault
			if fault.Times--; fault.Times == 0 {
				f.list = slices.Delete(f.list, n, n+1)
			}
			return used
		}
	}
	return Fault{}
}

// spoiled serves a vendor's call, or what a fault leaves of it. A body that is too
// long is another answer's affair.
func (s *Server) spoiled(call func(*http.Request, []byte) reply, tooLong func(*http.Request) reply) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := readBody(w, r)
		if tooMuch := new(http.MaxBytesError); errors.As(err, &tooMuch) {
			s.send(w, tooLong(r))
			return
		} else if err != nil {
			s.send(w, reply{lost: true}) // the sender broke off
			return
		}
		fault := s.faults.next(r.URL.Path)
		delay := time.Duration(fault.DelayMS) * time.Millisecond
		switch {
		case fault.Kind == FaultDrop:
			s.send(w, reply{lost: true})
			return
		case fault.Kind == FaultStatus:
			s.send(w, htmlReply(fault.Status))
			return
		case fault.Kind == FaultLate && !s.wait(delay):
			s.send(w, reply{lost: true})
			return
		}
		out := call(r, body)
		switch fault.Kind {
		case FaultCut:
			out.lost = true
		case FaultDelay:
			out.late += delay
		}
		s.send(w, out)
	}
}
