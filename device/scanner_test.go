package device

import (
	"slices"
	"testing"
	"time"
)

// The zero Arming has nobody armed; the last Arm or Disarm counts.
func TestArming(t *testing.T) {
	var arming Arming
	for i, step := range []struct {
		do   func()
		want uint64
	}{
		{func() {}, 0},
		{func() { arming.Arm(7) }, 7},
		{func() { arming.Arm(8) }, 8},
		{arming.Disarm, 0},
	} {
		step.do()
		if got := arming.Token(); got != step.want {
			t.Errorf("step %d: token %d, want %d", i, got, step.want)
		}
	}
}

// log is a sink that keeps what it is told.
type log struct {
	scans    []Scan
	problems []Problem
	states   []State
}

func (l *log) Scanned(s Scan)    { l.scans = append(l.scans, s) }
func (l *log) Problem(p Problem) { l.problems = append(l.problems, p) }
func (l *log) Status(s Status)   { l.states = append(l.states, s.State) }

// A state is told once, when it is entered; its reason is the last one; becoming
// ready again counts as a reconnect; a stop on purpose is told to nobody.
func TestReporterStates(t *testing.T) {
	var sink log
	r := NewReporter("serial:/dev/ttyACM0", "")
	if s := r.Status(); s.State != StateStopped || s.Name != "serial:/dev/ttyACM0" {
		t.Errorf("at first: %+v", s)
	}
	for i, state := range []State{StateMissing, StateMissing, StateReady, StateReady, StateMissing, StateDenied, StateReady} {
		r.Enter(&sink, state, string(state), epoch.Add(time.Duration(i)))
	}
	want := []State{StateMissing, StateReady, StateMissing, StateDenied, StateReady}
	if !slices.Equal(sink.states, want) {
		t.Errorf("told %v, want %v", sink.states, want)
	}
	if s := r.Status(); s.Counters.Reconnects != 1 || !s.At.Equal(epoch.Add(6)) {
		t.Errorf("at the end: %+v", s)
	}
	r.Enter(&sink, StateFailed, "two of them are plugged in", epoch.Add(6))
	r.Enter(&sink, StateFailed, "it is in another mode", epoch.Add(7))
	if s := r.Status(); s.Detail != "it is in another mode" || !s.At.Equal(epoch.Add(6)) || sink.states[len(want)] != StateFailed || len(sink.states) != len(want)+1 {
		t.Errorf("with another reason: %+v, told %v", s, sink.states)
	}
	want = append(want, StateFailed)
	r.Stop(epoch.Add(7))
	if s := r.Status(); s.State != StateStopped || s.Detail != "" || len(sink.states) != len(want) {
		t.Errorf("after the stop: %+v, told %v", s, sink.states)
	}
}

// Every frame is counted by its kind; only scans and problems are passed on.
func TestReporterFrames(t *testing.T) {
	var sink log
	r := NewReporter("test", "till 1")
	for _, f := range []Frame{
		{Kind: FrameScan, Scan: Scan{Text: "1"}},
		{Kind: FrameScan, Scan: Scan{Text: "2"}},
		{Kind: FrameDoubled},
		{Kind: FrameEmpty},
		{Kind: FrameDamaged, Problem: Problem{Kind: ProblemNoise}},
		{Kind: FrameDamaged, Problem: Problem{Kind: ProblemOversize}},
		{Kind: FrameDamaged, Problem: Problem{Kind: ProblemIncomplete}},
	} {
		r.Frame(&sink, f)
	}
	r.Received(12)
	want := Counters{Bytes: 12, Scans: 2, Doubled: 1, Empty: 1, Oversize: 1, Noise: 1, Incomplete: 1}
	if got := r.Status().Counters; got != want || got.Damaged() != 3 {
		t.Errorf("counters %+v, want %+v", got, want)
	}
	if len(sink.scans) != 2 || len(sink.problems) != 3 {
		t.Errorf("passed on %d scans and %d problems", len(sink.scans), len(sink.problems))
	}
}
