package serialscan

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.bug.st/serial"
	"golang.org/x/sys/unix"

	"payscand/device"
)

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
	case <-time.After(10 * time.Second):
		t.Fatal("no report came")
		return nil
	}
}

func (r reports) expectState(t *testing.T, state device.State) device.Status {
	t.Helper()
	status, ok := r.next(t).(device.Status)
	if !ok || status.State != state {
		t.Fatalf("got %+v, want state %s", status, state)
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

// run runs a scanner until the test ends.
func run(t *testing.T, config Config) reports {
	t.Helper()
	scanner, err := New(config, new(device.Arming))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done, sink := make(chan struct{}), make(reports, 64)
	go func() {
		defer close(done)
		scanner.Run(ctx, sink)
	}()
	t.Cleanup(func() { cancel(); <-done })
	return sink
}

// A scanner without a terminator works as it is delivered, and so does one that
// is said to have none.
func TestNoTerminator(t *testing.T) {
	for _, terminator := range []device.Terminator{"", device.TerminatorNone} {
		virtual := newPTY(t)
		sink := run(t, Config{Port: virtual.Path(), Terminator: terminator})
		sink.expectState(t, device.StateReady)
		if _, err := virtual.Write([]byte("]Q1281234567890123456")); err != nil {
			t.Fatal(err)
		}
		sink.expectScan(t, "281234567890123456")
	}
}

// Every line setting that Validate accepts opens a port.
func TestLineSettings(t *testing.T) {
	for _, config := range []Config{
		{Baud: 115200, DataBits: 7, Parity: ParityEven},
		{Baud: 300, StopBits: 2, Parity: ParityOdd},
		{Baud: MaxBaud, Parity: ParityMark},
		{Baud: 123456, Parity: ParitySpace},
	} {
		virtual := newPTY(t)
		config.Port = virtual.Path()
		sink := run(t, config)
		sink.expectState(t, device.StateReady)
		if err := virtual.Scan("281234567890123456"); err != nil {
			t.Fatal(err)
		}
		sink.expectScan(t, "281234567890123456")
	}
}

// What was sent before the port was opened is not scanned, whole or in part.
func TestDiscardsWhatCameBeforeOpen(t *testing.T) {
	virtual := newPTY(t)
	if err := virtual.Scan("111111111111111111"); err != nil {
		t.Fatal(err)
	}
	if _, err := virtual.Write([]byte("2222222222")); err != nil {
		t.Fatal(err)
	}
	sink := run(t, Config{Port: virtual.Path(), Terminator: device.TerminatorCR})
	sink.expectState(t, device.StateReady)
	if err := virtual.Scan("281234567890123456"); err != nil {
		t.Fatal(err)
	}
	sink.expectScan(t, "281234567890123456")
}

// A port that another scanner holds, though by another path, is busy, and is
// taken over when it is let go.
func TestBusyPort(t *testing.T) {
	virtual := newPTY(t)
	held, err := openPort(virtual.Path(), Config{}.WithDefaults())
	if err != nil {
		t.Fatal(err)
	}
	node, err := filepath.EvalSymlinks(virtual.Path())
	if err != nil {
		t.Fatal(err)
	}
	sink := run(t, Config{Port: node})
	if status := sink.expectState(t, device.StateBusy); !strings.Contains(status.Detail, node) {
		t.Errorf("detail %q does not name the port", status.Detail)
	}
	held.close()
	sink.expectState(t, device.StateReady)
}

// What is no serial port is told as that or as missing, names the path, and
// leaves no descriptor open.
func TestNotAPort(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	dangling := filepath.Join(folder, "dangling")
	if err := os.Symlink("/dev/pts/4000000", dangling); err != nil {
		t.Fatal(err)
	}
	before := descriptors(t)
	for path, want := range map[string]device.State{
		file:                            device.StateFailed,
		folder:                          device.StateFailed,
		"/dev/null":                     device.StateFailed,
		filepath.Join(file, "below"):    device.StateFailed,
		filepath.Join(folder, "absent"): device.StateMissing,
		dangling:                        device.StateMissing,
	} {
		_, err := openPort(path, Config{}.WithDefaults())
		var refused *openError
		if !errors.As(err, &refused) || refused.state != want || !strings.Contains(refused.detail, path) {
			t.Errorf("%s: %v, want state %s", path, err, want)
		}
	}
	if after := descriptors(t); after != before {
		t.Errorf("%d descriptors open, %d before", after, before)
	}
}

// Each cause of a failed open has the state that tells people what to do.
func TestExplainOpen(t *testing.T) {
	for cause, want := range map[error]device.State{
		unix.EACCES: device.StateDenied,
		unix.EPERM:  device.StateDenied,
		unix.EBUSY:  device.StateBusy,
		unix.ENXIO:  device.StateMissing,
		unix.ENODEV: device.StateMissing,
		unix.EIO:    device.StateMissing,
		unix.EINVAL: device.StateFailed,
	} {
		got := explainOpen("/dev/ttyS9", fmt.Errorf("wrapped: %w", cause))
		if got.state != want || !strings.Contains(got.detail, "/dev/ttyS9") || !errors.Is(got, cause) {
			t.Errorf("%v: %s %q, want %s", cause, got.state, got.detail, want)
		}
	}
	if !errors.Is(explainOpen("/dev/ttyS9", unix.ENOENT), fs.ErrNotExist) {
		t.Error("the cause is lost")
	}
}

// A pseudo-terminal is not left in exclusive mode, or a program killed while
// reading would shut out its successor.
func TestPseudoTerminalStaysOpenable(t *testing.T) {
	virtual := newPTY(t)
	p, err := openPort(virtual.Path(), Config{}.WithDefaults())
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	if exclusive, err := unix.IoctlGetInt(p.lock, unix.TIOCGEXCL); err != nil || exclusive != 0 {
		t.Errorf("exclusive mode %d, %v", exclusive, err)
	}
}

// With more files open than select can watch, a port is refused with a clear
// error instead of a panic, and one that was opened before goes on.
func TestTooManyDescriptors(t *testing.T) {
	early, late := newPTY(t), newPTY(t)
	before, err := openPort(early.Path(), Config{}.WithDefaults())
	if err != nil {
		t.Fatal(err)
	}
	defer before.close()
	fillDescriptors(t)

	_, err = openPort(late.Path(), Config{}.WithDefaults())
	var refused *openError
	if !errors.Is(err, errDescriptors) || !errors.As(err, &refused) || refused.state != device.StateFailed {
		t.Errorf("open beyond the limit: %v", err)
	}
	line, err := serial.Open(late.Path(), &serial.Mode{})
	if err != nil {
		t.Fatal(err)
	}
	defer line.Close()
	if _, err := (&port{line: line}).read(make([]byte, 1), 0); !errors.Is(err, errDescriptors) {
		t.Errorf("read beyond the limit: %v", err)
	}
	if _, err := before.read(make([]byte, 1), 0); err != nil {
		t.Errorf("read of a port opened before: %v", err)
	}
}

// fillDescriptors opens files until the next one is beyond select's set.
func fillDescriptors(t *testing.T) {
	t.Helper()
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if limit.Cur < unix.FD_SETSIZE+64 {
		t.Skipf("only %d files may be open here: select's set cannot be exceeded", limit.Cur)
	}
	for {
		fd, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = unix.Close(fd) })
		if fd >= unix.FD_SETSIZE {
			return
		}
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
