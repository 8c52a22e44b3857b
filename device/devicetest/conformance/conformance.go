// Package conformance is the suite that every device.Scanner passes.
package conformance

import (
	"context"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"payscand/device"
)

// patience is how long an awaited report may take before the test fails. It is
// no measure of speed.
const patience = 10 * time.Second

// Virtual is a scanner as a test drives it. Plug and Unplug are idempotent.
type Virtual interface {
	// Writer sends characters without ending the scan.
	io.Writer
	// Scan sends a code and what ends it.
	Scan(code string) error
	Plug() error
	Unplug() error
}

// Harness is a driver and the virtual scanner that it reads, plugged in.
type Harness struct {
	Scanner device.Scanner
	Arming  *device.Arming
	Virtual Virtual
	// WholeScans: the scanner can send no part of a scan, and Write is not called.
	WholeScans bool
}

// TestScanner runs the suite. Each test calls open for a fresh harness; the
// driver must take a terminator as the end of a scan, and open cleans up after
// itself with t.Cleanup. Tests count the process's file descriptors, so nothing
// else may run in parallel.
func TestScanner(t *testing.T, open func(t *testing.T) Harness) {
	for _, test := range []struct {
		name  string
		run   func(*testing.T, *session)
		parts bool // parts of scans are sent
	}{
		{"ScanCarriesTheArmedToken", testArmedToken, false},
		{"ScanBegunBeforeArmingKeepsItsToken", testBegunBeforeArming, true},
		{"DifferentScansArriveInOrder", testDifferentScans, false},
		{"DoubledScanIsCountedOnly", testDoubled, false},
		{"UnplugAndReplug", testReplug, false},
		{"UnplugInTheMiddleOfAScan", testUnplugMidScan, true},
		{"StartsWithoutTheScanner", testStartUnplugged, false},
		{"OversizeScanIsOneProblem", testOversize, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := open(t)
			if test.parts && h.WholeScans {
				t.Skip("this scanner sends whole scans only")
			}
			test.run(t, start(t, h))
		})
	}
	t.Run("LeavesNothingBehind", func(t *testing.T) { testLeaks(t, open(t)) })
}

const (
	codeA = "281234567890123456"
	codeB = "289876543210987654"
)

// testArmedToken: a scan carries the token armed at its first byte, 0 when
// nobody is armed, and names its device.
func testArmedToken(t *testing.T, s *session) {
	s.expectReady()
	s.scan(codeA)
	s.expectScan(codeA, 0)
	s.Arming.Arm(7)
	s.scan(codeB)
	scan := s.expectScan(codeB, 7)
	if scan.Device != s.Scanner.Status().Device || scan.Device == "" {
		t.Errorf("scan says device %q, status %q", scan.Device, s.Scanner.Status().Device)
	}
	if scan.At.IsZero() {
		t.Error("scan has no time")
	}
	s.Arming.Disarm()
	s.scan(codeA)
	s.expectScan(codeA, 0)
}

// testBegunBeforeArming: P7. A scan whose first byte came before the arming
// never carries the new token, even though its last byte came after.
func testBegunBeforeArming(_ *testing.T, s *session) {
	s.expectReady()
	s.Arming.Arm(1)
	s.begin(codeA[:5])
	s.Arming.Arm(2)
	s.scan(codeA[5:])
	s.expectScan(codeA, 1)
	s.scan(codeA) // the same code again, now for the new sale: not a doubled scan
	s.expectScan(codeA, 2)
}

// testDifferentScans: scans that follow each other at once all arrive, in order.
func testDifferentScans(_ *testing.T, s *session) {
	s.expectReady()
	s.Arming.Arm(3)
	s.scan(codeA)
	s.scan(codeB)
	s.expectScan(codeA, 3)
	s.expectScan(codeB, 3)
}

// testDoubled: the same code at once again is counted and not delivered.
func testDoubled(t *testing.T, s *session) {
	s.expectReady()
	s.Arming.Arm(4)
	s.scan(codeA)
	s.scan(codeA)
	s.scan(codeB)
	s.expectScan(codeA, 4)
	s.expectScan(codeB, 4)
	if c := s.Scanner.Status().Counters; c.Doubled != 1 || c.Scans != 2 {
		t.Errorf("counters after a doubled scan: %+v", c)
	}
}

// testReplug: unplugging is told as missing, replugging as ready, and scans
// come again, time after time.
func testReplug(t *testing.T, s *session) {
	s.expectReady()
	const replugs = 3
	for i := range replugs {
		s.must(s.Virtual.Unplug())
		if status := s.expectStatus(device.StateMissing); status.Detail == "" {
			t.Error("a missing scanner without a word on what to do")
		}
		s.must(s.Virtual.Plug())
		s.expectReady()
		s.Arming.Arm(uint64(10 + i))
		s.scan(codeA)
		s.expectScan(codeA, uint64(10+i))
	}
	if c := s.Scanner.Status().Counters; c.Reconnects != replugs {
		t.Errorf("reconnects = %d, want %d", c.Reconnects, replugs)
	}
}

// testUnplugMidScan: half a scan is a problem, and no part of it shows up in
// what is scanned after the replug.
func testUnplugMidScan(_ *testing.T, s *session) {
	s.expectReady()
	s.begin(codeA[:9])
	s.must(s.Virtual.Unplug())
	s.expectProblem(device.ProblemIncomplete)
	s.expectStatus(device.StateMissing)
	s.must(s.Virtual.Plug())
	s.expectReady()
	s.scan(codeB)
	s.expectScan(codeB, 0)
}

// testStartUnplugged: a scanner that is not there at the start is missing and
// is found when it comes.
func testStartUnplugged(_ *testing.T, s *session) {
	s.expectReady()
	s.stop()
	s.must(s.Virtual.Unplug())
	s.start()
	s.expectStatus(device.StateMissing)
	s.must(s.Virtual.Plug())
	s.expectReady()
	s.scan(codeA)
	s.expectScan(codeA, 0)
}

// testOversize: 5,000 bytes are one problem, no scan, and the next scan is fine.
func testOversize(t *testing.T, s *session) {
	s.expectReady()
	s.scan(strings.Repeat("5", 5000))
	problem := s.expectProblem(device.ProblemOversize)
	if strings.Contains(problem.String(), "5555555555") {
		t.Errorf("the problem tells what was scanned: %v", problem)
	}
	s.scan(codeA)
	s.expectScan(codeA, 0)
	if c := s.Scanner.Status().Counters; c.Oversize != 1 || c.Damaged() != 1 || c.Scans != 1 {
		t.Errorf("counters after an oversize scan: %+v", c)
	}
}

// testLeaks: Run that ended has closed all that it opened and left no
// goroutine, however often it is started and stopped, also in mid scan.
func testLeaks(t *testing.T, h Harness) {
	const rounds = 5
	s := start(t, h) // the first round lets the runtime open what it keeps
	s.expectReady()
	s.stop()
	descriptors, goroutines := countDescriptors(t), runtime.NumGoroutine()
	for range rounds {
		s.start()
		s.expectReady()
		if h.WholeScans {
			s.scan(codeA)
		} else {
			s.begin(codeA[:3])
		}
		s.stop()
		if state := s.Scanner.Status().State; state != device.StateStopped {
			t.Fatalf("state after Run returned: %s", state)
		}
		s.drain()
	}
	if now := countDescriptors(t); now > descriptors {
		t.Errorf("open descriptors grew from %d to %d in %d rounds", descriptors, now, rounds)
	}
	// A goroutine that just ended may still be counted; one leaked per
	// round would be rounds of them.
	if now := runtime.NumGoroutine(); now >= goroutines+rounds {
		t.Errorf("goroutines grew from %d to %d in %d rounds", goroutines, now, rounds)
	}
}

func countDescriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// session is a running scanner and what it reported.
type session struct {
	Harness
	t      *testing.T
	inbox  chan any // device.Scan, device.Problem or device.Status
	cancel context.CancelFunc
	done   chan struct{}
}

func start(t *testing.T, h Harness) *session {
	t.Helper()
	s := &session{Harness: h, t: t, inbox: make(chan any, 64)}
	s.start()
	t.Cleanup(s.stop)
	return s
}

func (s *session) start() {
	var ctx context.Context
	ctx, s.cancel = context.WithCancel(context.Background())
	done := make(chan struct{})
	s.done = done
	go func() {
		defer close(done)
		s.Scanner.Run(ctx, (*sink)(s))
	}()
}

// stop ends Run and waits for its return.
func (s *session) stop() {
	s.t.Helper()
	s.cancel()
	select {
	case <-s.done:
	case <-time.After(patience):
		s.t.Fatal("Run did not return after its context ended")
	}
}

func (s *session) drain() {
	for len(s.inbox) > 0 {
		<-s.inbox
	}
}

func (s *session) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *session) scan(code string) {
	s.t.Helper()
	s.must(s.Virtual.Scan(code))
}

// begin sends the first characters of a scan and returns when the driver has
// read them.
func (s *session) begin(text string) {
	s.t.Helper()
	read := func() uint64 { return s.Scanner.Status().Counters.Bytes }
	wanted := read() + uint64(len(text))
	_, err := s.Virtual.Write([]byte(text))
	s.must(err)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for limit := time.After(patience); read() < wanted; {
		select {
		case <-tick.C:
		case <-limit:
			s.t.Fatalf("the driver did not read the beginning of a scan; status %+v", s.Scanner.Status())
		}
	}
}

// next returns the next report, which must be a T.
func next[T any](s *session) T {
	s.t.Helper()
	select {
	case report := <-s.inbox:
		if wanted, ok := report.(T); ok {
			return wanted
		}
		var want T
		s.t.Fatalf("got %T (%v), want %T", report, report, want)
	case <-time.After(patience):
		var want T
		s.t.Fatalf("no %T came; status %+v", want, s.Scanner.Status())
	}
	panic("unreachable")
}

func (s *session) expectReady() { s.t.Helper(); s.expectStatus(device.StateReady) }

func (s *session) expectStatus(state device.State) device.Status {
	s.t.Helper()
	status := next[device.Status](s)
	if status.State != state {
		s.t.Fatalf("status %+v, want state %s", status, state)
	}
	return status
}

func (s *session) expectScan(code string, token uint64) device.Scan {
	s.t.Helper()
	scan := next[device.Scan](s)
	if scan.Text != code || scan.Arming != token {
		s.t.Fatalf("got %q with token %d, want %q with token %d", scan.Text, scan.Arming, code, token)
	}
	return scan
}

func (s *session) expectProblem(kind device.ProblemKind) device.Problem {
	s.t.Helper()
	problem := next[device.Problem](s)
	if problem.Kind != kind {
		s.t.Fatalf("got problem %+v, want kind %s", problem, kind)
	}
	return problem
}

// sink is the session as the scanner sees it.
type sink session

func (s *sink) Scanned(scan device.Scan)    { s.inbox <- scan }
func (s *sink) Problem(p device.Problem)    { s.inbox <- p }
func (s *sink) Status(status device.Status) { s.inbox <- status }
