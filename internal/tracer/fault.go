package tracer

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Fault makes calls on the folder's files fail, as a broken or full disk does.
type Fault struct {
	Call  string // fdatasync, fsync, pwrite64 or ftruncate
	First int    // the first call that fails, counted from 1 over all threads since the fault was armed
	Last  int    // the last one; 0: all that follow
	Errno unix.Errno
}

var faultyCalls = map[uint64]string{
	unix.SYS_FDATASYNC: "fdatasync", unix.SYS_FSYNC: "fsync", unix.SYS_PWRITE64: "pwrite64", unix.SYS_FTRUNCATE: "ftruncate",
}

var errnos = map[string]unix.Errno{"EIO": unix.EIO, "ENOSPC": unix.ENOSPC, "EROFS": unix.EROFS, "EDQUOT": unix.EDQUOT, "OK": 0}

// String is the form that ParseFault reads.
func (f Fault) String() string {
	last := strconv.Itoa(f.Last)
	if f.Last == 0 {
		last = ""
	}
	for name, errno := range errnos {
		if errno == f.Errno {
			return fmt.Sprintf("%s:%d-%s:%s", f.Call, f.First, last, name)
		}
	}
	return fmt.Sprintf("%s:%d-%s:%d", f.Call, f.First, last, int(f.Errno))
}

// ParseFault reads call:first-last:errno, such as fdatasync:3-3:EIO. Without a
// last one all that follow fail. The errno OK lets the program believe in a call
// that did nothing.
func ParseFault(text string) (f Fault, err error) {
	wrong := fmt.Errorf("fault %q: want call:first-last:errno, such as fdatasync:3-3:EIO", text)
	parts := strings.Split(text, ":")
	if len(parts) != 3 {
		return f, wrong
	}
	first, last, ranged := strings.Cut(parts[1], "-")
	if f.First, err = strconv.Atoi(first); err != nil || f.First < 1 || !ranged {
		return f, wrong
	}
	if last != "" {
		if f.Last, err = strconv.Atoi(last); err != nil || f.Last < f.First {
			return f, wrong
		}
	}
	errno, known := errnos[parts[2]]
	if f.Call, f.Errno = parts[0], errno; !known || !slices.Contains(slices.Collect(maps.Values(faultyCalls)), f.Call) {
		return f, wrong
	}
	return f, nil
}

func (f Fault) hits(call string, n int) bool {
	return call == f.Call && n >= f.First && (f.Last == 0 || n <= f.Last)
}
