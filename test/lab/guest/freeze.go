//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// freezer holds a process up as an overloaded machine may: all its threads but
// those of its USB library, which go on taking reports from the kernel until
// their queue overflows. Threads are traced by one thread, which must live as long.
type freezer struct {
	release chan struct{}
	done    chan error
}

func freeze(pid int) (*freezer, error) {
	f := &freezer{release: make(chan struct{}), done: make(chan error, 1)}
	stopped := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		threads, err := stopThreads(pid)
		stopped <- err
		if err == nil {
			<-f.release
		}
		for _, thread := range threads {
			err = errors.Join(err, ignoreGone(unix.PtraceDetach(thread)))
		}
		f.done <- err
	}()
	if err := <-stopped; err != nil {
		<-f.done
		return nil, err
	}
	return f, nil
}

func (f *freezer) thaw() error {
	close(f.release)
	return <-f.done
}

// stopThreads stops every thread that is not waiting for USB in poll, until no
// new thread has come meanwhile.
func stopThreads(pid int) ([]int, error) {
	stopped, library := map[int]bool{}, 0
	for again := true; again; {
		again = false
		folders, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
		if err != nil {
			return nil, err
		}
		library = 0
		for _, folder := range folders {
			thread, err := strconv.Atoi(filepath.Base(folder))
			if err != nil || stopped[thread] {
				continue
			}
			if inPoll(folder) {
				library++
				continue
			}
			if err := stopThread(thread); err != nil {
				return keys(stopped), err
			}
			stopped[thread], again = true, true
		}
	}
	if library == 0 {
		return keys(stopped), errors.New("no thread waits for USB")
	}
	return keys(stopped), nil
}

func keys(set map[int]bool) []int {
	var all []int
	for key := range set {
		all = append(all, key)
	}
	return all
}

func stopThread(thread int) error {
	if err := unix.PtraceSeize(thread); err != nil {
		return ignoreGone(err)
	}
	if err := unix.PtraceInterrupt(thread); err != nil {
		return ignoreGone(err)
	}
	var status unix.WaitStatus
	_, err := unix.Wait4(thread, &status, unix.WALL, nil)
	return ignoreGone(err)
}

// inPoll tells whether a thread waits in poll, as none of Go's own does.
func inPoll(folder string) bool {
	content, err := os.ReadFile(filepath.Join(folder, "syscall"))
	if err != nil {
		return false
	}
	number, _, _ := strings.Cut(string(content), " ")
	return number == strconv.Itoa(unix.SYS_POLL) || number == strconv.Itoa(unix.SYS_PPOLL)
}

// ignoreGone takes a thread that has ended for one that is stopped.
func ignoreGone(err error) error {
	if errors.Is(err, unix.ESRCH) || errors.Is(err, unix.ECHILD) {
		return nil
	}
	return err
}
