package serialscan

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.bug.st/serial"

	"payscand/device"
)

// reading is what one read of a line finds, and how long it takes by the clock; 0:
// as long as it may.
type reading struct {
	data  string
	takes time.Duration
	arms  uint64 // a sale that is armed before it returns; 0: none
}

// fakeLine is a port whose reads are known, with a clock of its own. It ends what
// reads it when they are over.
type fakeLine struct {
	serial.Port
	arming  *device.Arming
	clock   time.Time
	timeout time.Duration
	left    []reading
	over    func()
}

func (l *fakeLine) SetReadTimeout(timeout time.Duration) error {
	l.timeout = timeout
	return nil
}

func (l *fakeLine) Read(buffer []byte) (int, error) {
	if len(l.left) == 0 {
		l.over()
		return 0, nil
	}
	r := l.left[0]
	l.left = l.left[1:]
	if r.takes == 0 {
		r.takes = l.timeout
	}
	l.clock = l.clock.Add(r.takes)
	if r.arms != 0 {
		l.arming.Arm(r.arms)
	}
	return copy(buffer, r.data), nil
}

// readAll reads a port that was just opened and returns what came of it: texts of
// scans with their tokens, and kinds of problems.
func readAll(t *testing.T, terminator device.Terminator, readings ...reading) (got []any) {
	t.Helper()
	arming := new(device.Arming)
	s, err := New(Config{Port: "/dev/ttyS9", Terminator: terminator}, arming)
	if err != nil {
		t.Fatal(err)
	}
	ctx, over := context.WithCancel(t.Context())
	line := &fakeLine{arming: arming, clock: time.Now(), left: readings, over: over}
	s.now = func() time.Time { return line.clock }
	port, buffer := &port{line: line}, make([]byte, readBytes)
	if err := s.settle(ctx, port, buffer); err != nil {
		t.Fatal(err)
	}
	err = s.read(ctx, port, buffer, func(f device.Frame) {
		switch f.Kind {
		case device.FrameScan:
			got = append(got, f.Scan.Text, f.Scan.Arming)
		case device.FrameDamaged:
			got = append(got, f.Problem.Kind)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

const (
	codeOne = "281234567890123456"
	codeTwo = "289876543210987654"
)

// A reader that is held up cuts no scan: whether bytes that are found after the
// time-out came before it, nobody knows.
func TestHeldUp(t *testing.T) {
	const long = 3 * time.Second
	for name, test := range map[string]struct {
		terminator device.Terminator
		readings   []reading
		want       []any
	}{
		"not at all": {device.TerminatorNone,
			[]reading{{}, {data: codeOne[:9], takes: 1}, {data: codeOne[9:], takes: 1}, {}, {data: codeTwo, takes: 1}, {}},
			[]any{codeOne, uint64(0), codeTwo, uint64(0)}},
		"no terminator": {device.TerminatorNone,
			[]reading{{}, {data: codeOne[:9], takes: 1}, {data: codeOne[9:], takes: long}, {}, {data: codeTwo, takes: 1}, {}},
			[]any{device.ProblemIncomplete, codeTwo, uint64(0)}},
		"a terminator that is not known yet": {device.TerminatorAuto,
			[]reading{{}, {data: codeOne[:9], takes: 1}, {data: codeOne[9:] + "\r", takes: long}, {data: codeTwo + "\r", takes: 1}},
			[]any{device.ProblemIncomplete, codeTwo, uint64(0)}},
		"a terminator": {device.TerminatorCR,
			[]reading{{}, {data: codeOne[:9], takes: 1}, {data: codeOne[9:] + "\r" + codeTwo + "\r", takes: long}},
			[]any{device.ProblemIncomplete, codeTwo, uint64(0)}},
		"after a read that found nothing": {device.TerminatorCR,
			[]reading{{}, {data: codeOne[:9], takes: 1}, {takes: long}, {data: codeOne[9:] + "\r", takes: 1}, {}},
			[]any{device.ProblemIncomplete}},
	} {
		if diff := cmp.Diff(test.want, readAll(t, test.terminator, test.readings...)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// What is left of a scan that is under way when the port is opened is no scan.
func TestOpenedInMidScan(t *testing.T) {
	for _, terminator := range []device.Terminator{device.TerminatorAuto, device.TerminatorCR, device.TerminatorNone} {
		var readings []reading
		for range settleLimit / (50 * time.Millisecond) {
			readings = append(readings, reading{data: codeTwo + "\r", takes: 50 * time.Millisecond})
		}
		readings = append(readings, reading{data: codeTwo[2:], takes: 1}, reading{data: "\r", takes: 1}, reading{}, reading{data: codeOne, takes: 1})
		if terminator != device.TerminatorNone {
			readings = append(readings, reading{data: "\r", takes: 1})
		}
		want := []any{device.ProblemIncomplete, codeOne, uint64(0)}
		if diff := cmp.Diff(want, readAll(t, terminator, append(readings, reading{})...)); diff != "" {
			t.Errorf("%s: %s", terminator, diff)
		}
	}
}

// Bytes that may have come before a sale was armed do not count for it, though they
// are read only after that; those that are read in time do.
func TestHeldUpWhileArmed(t *testing.T) {
	for takes, token := range map[time.Duration]uint64{50 * time.Millisecond: 7, 2 * time.Second: 0} {
		got := readAll(t, device.TerminatorCR, reading{},
			reading{data: codeOne + "\r", takes: takes, arms: 7}, reading{}, reading{data: codeTwo + "\r", takes: 1})
		if diff := cmp.Diff([]any{codeOne, token, codeTwo, uint64(7)}, got); diff != "" {
			t.Errorf("after %v: %s", takes, diff)
		}
	}
}
