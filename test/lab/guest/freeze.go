//go:build linux

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// freezer holds a process up as an overloaded machine may: all its threads but
// those of its USB library, which go on taking reports from the kernel until
// their queue overflows. Stopped threads are traced, and what a tracer of the
// same process as the parent waits for, the parent's wait gets too: hence a
// process of its own, whose end lets the threads go on.
type freezer struct {
	helper *exec.Cmd
	hold   io.Closer
}

// freezeArgument makes this program the helper.
const freezeArgument = "freeze"

func freeze(pid int) (*freezer, error) {
	helper := exec.Command("/proc/self/exe", freezeArgument, strconv.Itoa(pid)) //nolint:noctx // until thaw
	helper.Stderr = os.Stderr
	hold, err := helper.StdinPipe()
	if err != nil {
		return nil, err
	}
	said, err := helper.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := helper.Start(); err != nil {
		return nil, err
	}
	f := &freezer{helper, hold}
	if _, err := bufio.NewReader(said).ReadString('\n'); err != nil {
		return nil, errors.Join(errors.New("the process could not be stopped"), f.thaw())
	}
	return f, nil
}

func (f *freezer) thaw() error {
	return errors.Join(f.hold.Close(), f.helper.Wait())
}

// runFreezer is the helper: it stops the threads, says so, and ends with its input.
func runFreezer(pid string) error {
	runtime.LockOSThread() // the thread that traces
	if err := stopThreads(pid); err != nil {
		return err
	}
	fmt.Println("stopped")
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// stopThreads stops every thread that is not waiting for USB in poll, until no
// new thread has come meanwhile.
func stopThreads(pid string) error {
	stopped, library := map[int]bool{}, 0
	for again := true; again; {
		again, library = false, 0
		folders, err := filepath.Glob(filepath.Join("/proc", pid, "task", "*"))
		if err != nil {
			return err
		}
		for _, folder := range folders {
			thread, err := strconv.Atoi(filepath.Base(folder))
			switch {
			case err != nil || stopped[thread]:
				continue
			case inPoll(folder):
				library++
				continue
			}
			if err := stopThread(thread); err != nil {
				return fmt.Errorf("stop thread %d: %w", thread, err)
			}
			stopped[thread], again = true, true
		}
	}
	if library == 0 {
		return errors.New("no thread waits for USB")
	}
	return nil
}

// stopThread stops a thread, unless it has ended.
func stopThread(thread int) error {
	err := unix.PtraceSeize(thread)
	if err == nil {
		err = unix.PtraceInterrupt(thread)
	}
	for err == nil || errors.Is(err, unix.EINTR) {
		var status unix.WaitStatus
		if _, err = unix.Wait4(thread, &status, unix.WALL, nil); err == nil {
			return nil
		}
	}
	if errors.Is(err, unix.ESRCH) || errors.Is(err, unix.ECHILD) {
		return nil
	}
	return err
}

// inPoll tells whether a thread waits in poll, as none of Go's own does.
func inPoll(folder string) bool {
	content, err := os.ReadFile(filepath.Join(folder, "syscall")) //nolint:gosec // of /proc
	if err != nil {
		return false
	}
	number, _, _ := strings.Cut(string(content), " ")
	return number == strconv.Itoa(unix.SYS_POLL) || number == strconv.Itoa(unix.SYS_PPOLL)
}
