package hidscan

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"payscand/device"
	"payscand/device/devicetest/conformance"
)

// TestConformance: hidscan keeps every promise of a device.Scanner. A terminator
// is configured, so that a pause of a busy test machine ends no scan.
func TestConformance(t *testing.T) {
	conformance.TestScanner(t, func(t *testing.T) conformance.Harness {
		usb, arming := newFakeUSB(t, zebra()), new(device.Arming)
		scanner := usb.scanner(t, Config{Terminator: device.TerminatorCR}, arming)
		return conformance.Harness{Scanner: scanner, Arming: arming, Virtual: &paced{fakeUSB: usb, scanner: scanner}}
	})
}

// paced types no faster than the scanner decodes: a real keyboard takes a
// millisecond for each report, which is far longer than that.
type paced struct {
	*fakeUSB
	scanner *Scanner
}

func (p *paced) Write(text []byte) (int, error) {
	const ahead = 64 // characters, 128 batches
	for written := 0; written < len(text); written += ahead {
		part := text[written:min(written+ahead, len(text))]
		decoded := p.scanner.Status().Counters.Bytes + uint64(len(part))
		if n, err := p.fakeUSB.Write(part); err != nil {
			return written + n, err
		}
		for limit := time.After(10 * time.Second); written+ahead < len(text) && p.scanner.Status().Counters.Bytes < decoded; {
			select {
			case <-time.After(100 * time.Microsecond):
			case <-limit:
				return written, errors.New("the scanner does not decode")
			}
		}
	}
	return len(text), nil
}

func (p *paced) Scan(code string) error {
	_, err := p.Write([]byte(code + "\r"))
	return err
}

// reports is a sink for tests: a queue of device.Scan, device.Problem and
// device.Status.
type reports chan any

func (r reports) Scanned(s device.Scan)    { r <- s }
func (r reports) Problem(p device.Problem) { r <- p }
func (r reports) Status(s device.Status)   { r <- s }

func (r reports) next(t *testing.T) any {
	t.Helper()
	select {
	case report := <-r:
		return report
	case <-time.After(time.Minute): // of a bubble's clock
		t.Fatal("no report came")
		return nil
	}
}

func (r reports) expectState(t *testing.T, state device.State) device.Status {
	t.Helper()
	report := r.next(t)
	status, ok := report.(device.Status)
	if !ok || status.State != state {
		t.Fatalf("got %+v, want state %s", report, state)
	}
	return status
}

func (r reports) expectScan(t *testing.T, text string) {
	t.Helper()
	report := r.next(t)
	if scan, ok := report.(device.Scan); !ok || scan.Text != text {
		t.Fatalf("got %v, want a scan of %q", report, text)
	}
}

func (r reports) expectProblem(t *testing.T, detail string) {
	t.Helper()
	report := r.next(t)
	if problem, ok := report.(device.Problem); !ok || !strings.Contains(problem.Detail, detail) {
		t.Fatalf("got %v, want a problem with %q", report, detail)
	}
}

// run runs a scanner until the test ends.
func run(t *testing.T, scanner *Scanner) reports {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done, sink := make(chan struct{}), make(reports, 64)
	go func() {
		defer close(done)
		scanner.Run(ctx, sink)
	}()
	t.Cleanup(func() { cancel(); <-done })
	return sink
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A scan that came whole while nobody read is a scan if all its reports fit in
// the library's queue, and one damaged scan if they did not: never a shorter one.
func TestOverflowIsADamagedScan(t *testing.T) {
	const digits = "2812345678901234567890123456789012345678"
	for length := 1; length <= len(digits); length++ {
		synctest.Test(t, func(t *testing.T) {
			usb := newFakeUSB(t, zebra())
			sink := run(t, usb.scanner(t, Config{}, new(device.Arming)))
			sink.expectState(t, device.StateReady)
			synctest.Wait()
			code := digits[:length]
			usb.burst(strokes(code + "\r")...)
			if 2*(length+1) < libraryQueue {
				sink.expectScan(t, code)
			} else {
				sink.expectProblem(t, "too busy")
			}
			<-time.After(inStep + idleWait)
			must(t, usb.Scan("999"))
			sink.expectScan(t, "999")
		})
	}
}

// blockingSink blocks at the first scan until it is released.
type blockingSink struct {
	reports
	release chan struct{}
}

func (b blockingSink) Scanned(s device.Scan) {
	<-b.release
	b.reports.Scanned(s)
}

// A sink that blocks does not hold the reader up, so that the library's queue
// does not overflow; what is too much for the queue behind the reader is told as
// damaged scans, and none is shorter than it was.
func TestBlockedSink(t *testing.T) {
	for _, test := range []struct {
		name       string
		terminator device.Terminator
		typed      []string
		trailing   string // typed without an end before the sink is released
		want       []string
		damaged    bool
	}{
		{"within the queue", device.TerminatorCR, []string{"111", "281234567890123456"}, "", []string{"111", "281234567890123456"}, false},
		{"beyond it", device.TerminatorCR, []string{"111", strings.Repeat("2", 200), strings.Repeat("3", 100), "444"}, "",
			[]string{"111", strings.Repeat("2", 200)}, true},
		{"beyond it, ended by a pause", device.TerminatorNone, []string{"111"}, strings.Repeat("23", 140), []string{"111"}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				usb := newFakeUSB(t, zebra())
				scanner := usb.scanner(t, Config{Terminator: test.terminator}, new(device.Arming))
				sink := blockingSink{make(reports, 64), make(chan struct{})}
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan struct{})
				go func() { defer close(done); scanner.Run(ctx, sink) }()
				defer func() { cancel(); <-done }()
				sink.expectState(t, device.StateReady)
				for _, code := range test.typed {
					if test.terminator == device.TerminatorNone {
						_, err := usb.Write([]byte(code))
						must(t, err)
						<-time.After(time.Second)
					} else {
						must(t, usb.Scan(code))
					}
				}
				_, err := usb.Write([]byte(test.trailing))
				must(t, err)
				synctest.Wait()
				if len(sink.reports) > 0 {
					t.Fatal("the sink did not block")
				}
				close(sink.release)
				<-time.After(3 * time.Second)
				var scans []string
				damaged := false
				for len(sink.reports) > 0 {
					switch report := (<-sink.reports).(type) {
					case device.Scan:
						scans = append(scans, report.Text)
					case device.Problem:
						damaged = true
					}
				}
				if !slices.Equal(scans, test.want) || damaged != test.damaged {
					t.Errorf("scans %q, damaged %v; want %q, %v", scans, damaged, test.want, test.damaged)
				}
			})
		})
	}
}

// The rest of a scan that began before the scanner was opened is not scanned,
// neither when it ends soon nor when the scanner goes on and on.
func TestOpenedInTheMiddleOfAScan(t *testing.T) {
	for _, length := range []time.Duration{300 * time.Millisecond, 900 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			usb := newFakeUSB(t, zebra())
			must(t, usb.Unplug())
			sink := run(t, usb.scanner(t, Config{Terminator: device.TerminatorCR}, new(device.Arming)))
			sink.expectState(t, device.StateMissing)
			must(t, usb.Plug())
			for end := time.Now().Add(length + 500*time.Millisecond); time.Now().Before(end); {
				must(t, usb.Scan("5"))
				<-time.After(20 * time.Millisecond)
			}
			sink.expectState(t, device.StateReady)
			<-time.After(time.Second)
			for len(sink) > 0 {
				if scan, ok := (<-sink).(device.Scan); ok {
					t.Errorf("got %q", scan.Text)
				}
			}
			must(t, usb.Scan("281234567890123456"))
			sink.expectScan(t, "281234567890123456")
		})
	}
}

// Without a terminator a pause ends the scan, a shorter one inside does not.
func TestIdleEndsAScan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		usb := newFakeUSB(t, zebra())
		sink := run(t, usb.scanner(t, Config{Terminator: device.TerminatorNone, IdleTimeout: 40 * time.Millisecond}, new(device.Arming)))
		sink.expectState(t, device.StateReady)
		for _, part := range []string{"2812", "3456", "7890"} {
			_, err := usb.Write([]byte(part))
			must(t, err)
			<-time.After(25 * time.Millisecond)
		}
		sink.expectScan(t, "281234567890")
	})
}

// Without HID support a scanner says so and what to do, and still stops.
func TestWithoutSupport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		scanner := newFakeUSB(t, zebra()).scanner(t, Config{}, new(device.Arming))
		scanner.open = nil
		ctx, cancel := context.WithCancel(t.Context())
		sink, done := make(reports, 4), make(chan struct{})
		go func() { defer close(done); scanner.Run(ctx, sink) }()
		status := sink.expectState(t, device.StateFailed)
		if !strings.Contains(status.Detail, "built without HID support") {
			t.Errorf("detail %q", status.Detail)
		}
		cancel()
		<-done
		if state := scanner.Status().State; state != device.StateStopped {
			t.Errorf("state %s after the stop", state)
		}
	})
}

// A scanner that is refused at first sight and not at the second is just ready:
// udev and the library need a moment. A refusal that stays is told, once, and
// ends when its cause does.
func TestRefusalsAreToldWhenTheyStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		usb := newFakeUSB(t, zebra())
		scanner := usb.scanner(t, Config{}, new(device.Arming))
		failures := 3
		scanner.open = func(path string) (handle, error) {
			if failures > 0 {
				failures--
				return nil, errors.New("hidapi: failed to open device")
			}
			return usb.open(path)
		}
		sink := run(t, scanner)
		sink.expectState(t, device.StateReady)

		must(t, usb.Unplug())
		sink.expectState(t, device.StateMissing)
		failures = 30
		must(t, usb.Plug())
		status := sink.expectState(t, device.StateFailed)
		if !strings.Contains(status.Detail, "05e0:1900") || !strings.Contains(status.Detail, "failed to open device") {
			t.Errorf("detail %q", status.Detail)
		}
		sink.expectState(t, device.StateReady)

		must(t, usb.Unplug())
		sink.expectState(t, device.StateMissing)
		twin := zebra()
		twin.name = "1-3"
		must(t, usb.tree.plug(twin, 77))
		must(t, usb.Plug())
		status = sink.expectState(t, device.StateFailed)
		if !strings.Contains(status.Detail, "serial number") {
			t.Errorf("detail %q", status.Detail)
		}
		must(t, usb.tree.unplug(twin))
		sink.expectState(t, device.StateReady)
		if got := scanner.Status().Counters.Reconnects; got != 2 {
			t.Errorf("%d reconnects", got)
		}
	})
}

// What the library did not open, though it could be, is told as what sysfs shows
// of it now.
func TestExplainOpen(t *testing.T) {
	usb := newFakeUSB(t, zebra())
	scanner := usb.scanner(t, Config{}, new(device.Arming))
	found, err := usb.tree.find(scanner.config)
	must(t, err)
	state := func() device.State {
		state, _ := scanner.explain(scanner.explainOpen(found, errors.New("hidapi: failed to open device")))
		return state
	}
	if got := state(); got != device.StateFailed {
		t.Errorf("still there: %s", got)
	}
	must(t, usb.Unplug())
	if got := state(); got != device.StateMissing {
		t.Errorf("unplugged: %s", got)
	}
	taken := zebra()
	taken.interfaces = []fakeInterface{{driver: "usbfs"}}
	must(t, usb.tree.plug(taken, 5))
	if got := state(); got != device.StateBusy {
		t.Errorf("taken: %s", got)
	}
	must(t, usb.tree.unplug(taken))
	moved := zebra()
	moved.name = "1-4"
	must(t, usb.tree.plug(moved, 6))
	if got := state(); got != device.StateMissing {
		t.Errorf("moved: %s", got)
	}
}

// A device node that is not there is told before the library is asked.
func TestMissingNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		usb := newFakeUSB(t, zebra())
		usb.tree.Dev = filepath.Join(t.TempDir(), "empty")
		scanner := usb.scanner(t, Config{}, new(device.Arming))
		scanner.open = func(string) (handle, error) {
			t.Error("the library was asked")
			return nil, errors.New("no")
		}
		status := run(t, scanner).expectState(t, device.StateFailed)
		if !strings.Contains(status.Detail, "PrivateDevices") {
			t.Errorf("detail %q", status.Detail)
		}
	})
}
