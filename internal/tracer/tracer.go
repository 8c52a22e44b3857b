package tracer

import (
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Options say what is followed, and what becomes of it. Its zero value but for
// Dir only counts.
type Options struct {
	Dir    string    // absolute; files below it are followed
	Record io.Writer // for Load; nil: nothing is recorded
	Faults []Fault
	// Disarmed: calls are not counted, and do not fail, until Toggle.
	Disarmed bool
	// Told gets the line "failed call:n" for each call made to fail; may be nil.
	Told io.Writer
}

// Tracer runs one program.
type Tracer struct {
	options Options
	encoder *gob.Encoder
	armed   atomic.Bool
	pid     atomic.Int64

	threads map[int]*thread
	counts  map[string]int
	broken  error // why the record is of no use
}

// thread is one thread of the program, and the call that it is in.
type thread struct {
	call    uint64
	args    [6]uint64
	inside  bool
	op      *Op         // recorded when the call succeeds
	errno   *unix.Errno // the result that is put in its place
	existed bool        // the file that openat makes was there before
}

// New returns a tracer for one run.
func New(o Options) *Tracer {
	t := &Tracer{options: o, threads: make(map[int]*thread), counts: make(map[string]int)}
	t.armed.Store(!o.Disarmed)
	if o.Record != nil {
		t.encoder = gob.NewEncoder(o.Record)
	}
	return t
}

// Toggle begins the counting of calls and their failing, or ends it. Safe from
// any goroutine.
func (t *Tracer) Toggle() { t.armed.Store(!t.armed.Load()) }

// Signal sends the program a signal.
func (t *Tracer) Signal(signal unix.Signal) {
	if pid := int(t.pid.Load()); pid != 0 {
		_ = unix.Kill(pid, signal) // it may have ended
	}
}

// Counts are how many calls were seen while armed, by name; after Run.
func (t *Tracer) Counts() map[string]int { return t.counts }

// Run runs the command, which must not be started and whose standard streams must
// be files, to its end and returns its exit status, 128 and more for a signal.
func (t *Tracer) Run(command *exec.Cmd) (status int, err error) {
	// The kernel knows a thread as the tracer, not the program.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	command.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	if err := command.Start(); err != nil {
		return 0, fmt.Errorf("trace %s: %w", command.Path, err)
	}
	pid := command.Process.Pid
	t.pid.Store(int64(pid))
	defer command.Process.Release() //nolint:errcheck // waited for here, not by exec
	var stop unix.WaitStatus
	if _, err := unix.Wait4(pid, &stop, 0, nil); err != nil {
		return 0, fmt.Errorf("trace %s: %w", command.Path, err)
	}
	const options = unix.PTRACE_O_EXITKILL | unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_TRACEFORK |
		unix.PTRACE_O_TRACEVFORK | unix.PTRACE_O_TRACESYSGOOD
	if err := unix.PtraceSetOptions(pid, options); err != nil {
		return 0, fmt.Errorf("trace %s: %w", command.Path, err)
	}
	t.threads[pid] = &thread{}
	resume(pid, 0)
	for {
		tid, err := unix.Wait4(-1, &stop, unix.WALL|unix.WNOTHREAD, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return 0, fmt.Errorf("trace %s: %w", command.Path, err)
		case stop.Exited() && tid == pid:
			return stop.ExitStatus(), t.broken
		case stop.Signaled() && tid == pid:
			return 128 + int(stop.Signal()), t.broken
		case stop.Stopped():
			resume(tid, t.stopped(tid, stop))
		default:
			delete(t.threads, tid)
		}
	}
}

// resume lets a thread go on to its next call; it may have been killed.
func resume(tid int, signal unix.Signal) { _ = unix.PtraceSyscall(tid, int(signal)) }

// stopped deals with a stop and returns the signal that the thread gets.
func (t *Tracer) stopped(tid int, stop unix.WaitStatus) unix.Signal {
	th, known := t.threads[tid]
	if !known {
		th = &thread{}
		t.threads[tid] = th
		if stop.StopSignal() == unix.SIGSTOP { // how a new thread begins
			return 0
		}
	}
	switch signal := stop.StopSignal(); {
	case signal == unix.SIGTRAP|0x80:
		t.syscall(tid, th)
		return 0
	case signal == unix.SIGTRAP && stop.TrapCause() > 0:
		return 0
	default:
		return signal
	}
}

// syscallInfo is the kernel's struct ptrace_syscall_info at an entry or exit.
type syscallInfo struct {
	op             uint8
	_              [3]uint8
	arch           uint32
	ip, sp         uint64
	numberOrResult uint64
	args           [6]uint64
	_              [8]uint64
}

const (
	opEntry = 1
	opExit  = 2
)

func (t *Tracer) syscall(tid int, th *thread) {
	var info syscallInfo
	_, _, errno := unix.RawSyscall6(unix.SYS_PTRACE, unix.PTRACE_GET_SYSCALL_INFO, uintptr(tid),
		unsafe.Sizeof(info), uintptr(unsafe.Pointer(&info)), 0, 0) //nolint:gosec // ptrace(2) has no other way
	switch {
	case errno != 0: // killed in the meantime
	case info.op == opEntry:
		*th = thread{call: info.numberOrResult, args: info.args, inside: true}
		t.entered(tid, th)
	case info.op == opExit && th.inside:
		th.inside = false
		t.left(tid, th, int64(info.numberOrResult))
	}
}

// entered looks at a call before the kernel does.
func (t *Tracer) entered(tid int, th *thread) {
	if name, ok := faultyCalls[th.call]; ok && t.armed.Load() && t.follows(t.pathOf(tid, th.args[0])) {
		t.counts[name]++
		for _, f := range t.options.Faults {
			if f.hits(name, t.counts[name]) {
				t.fail(tid, th, name, f.Errno)
				return
			}
		}
	}
	if t.encoder != nil {
		th.op = t.opOf(tid, th)
		if th.op != nil && th.op.Kind != Sync && th.op.Kind != Create {
			t.record(th.op) // it may be on the disk from now on, whatever it returns
			th.op = nil
		}
	}
}

// fail has the call done on a file that is not open, which changes nothing, and
// notes the result that the program is told instead.
func (t *Tracer) fail(tid int, th *thread, name string, errno unix.Errno) {
	var regs unix.PtraceRegs
	if err := unix.PtraceGetRegs(tid, &regs); err != nil {
		return // killed in the meantime
	}
	setFirstArgument(&regs, uint64(0xffffffff))
	if err := unix.PtraceSetRegs(tid, &regs); err == nil {
		th.errno = &errno
		if t.options.Told != nil {
			fmt.Fprintf(t.options.Told, "failed %s:%d\n", name, t.counts[name])
		}
	}
}

func (t *Tracer) left(tid int, th *thread, result int64) {
	if th.errno != nil {
		var regs unix.PtraceRegs
		if err := unix.PtraceGetRegs(tid, &regs); err != nil {
			return
		}
		setResult(&regs, uint64(-int64(*th.errno)))
		if err := unix.PtraceSetRegs(tid, &regs); err != nil {
			t.broken = fmt.Errorf("a call that was to fail did not: %w", err)
		}
		return
	}
	if th.op != nil && result >= 0 && (th.op.Kind != Create || !th.existed) {
		t.record(th.op)
	}
}

func (t *Tracer) record(op *Op) {
	if err := t.encoder.Encode(op); err != nil && t.broken == nil {
		t.broken = err
	}
}

func (t *Tracer) follows(path string) bool { return strings.HasPrefix(path, t.options.Dir+"/") }

// pathOf is what an open descriptor leads to.
func (t *Tracer) pathOf(tid int, fd uint64) string {
	path, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", tid, int32(fd)))
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(path, " (deleted)")
}

func (t *Tracer) bytesAt(tid int, address, length uint64) []byte {
	if length == 0 {
		return nil
	}
	data := make([]byte, length)
	local := []unix.Iovec{{Base: &data[0]}}
	local[0].SetLen(len(data))
	n, err := unix.ProcessVMReadv(tid, local, []unix.RemoteIovec{{Base: uintptr(address), Len: int(length)}}, 0)
	if err != nil && t.broken == nil {
		t.broken = fmt.Errorf("read the traced program's memory: %w", err)
	}
	return data[:max(n, 0)]
}

// textAt reads a path; it is shorter than a page, but may end just before one
// that is not there.
func (t *Tracer) textAt(tid int, address uint64) string {
	var text []byte
	for {
		toPage := 4096 - address%4096
		part := t.bytesAt(tid, address, toPage)
		for i, b := range part {
			if b == 0 {
				return string(append(text, part[:i]...))
			}
		}
		if len(part) == 0 {
			return string(text)
		}
		text, address = append(text, part...), address+toPage
	}
}

// pathAt is the path argument of a call like openat.
func (t *Tracer) pathAt(tid int, dirfd, address uint64) string {
	path := t.textAt(tid, address)
	switch {
	case filepath.IsAbs(path):
	case int32(dirfd) == unix.AT_FDCWD:
		cwd, _ := os.Readlink("/proc/" + strconv.Itoa(tid) + "/cwd")
		path = filepath.Join(cwd, path)
	default:
		path = filepath.Join(t.pathOf(tid, dirfd), path)
	}
	return filepath.Clean(path)
}
