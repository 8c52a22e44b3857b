package tracer

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// opOf says what a call is about to do to the folder, nil for nothing.
func (t *Tracer) opOf(tid int, th *thread) *Op {
	a := th.args
	switch th.call {
	case unix.SYS_PWRITE64:
		if path := t.pathOf(tid, a[0]); t.follows(path) {
			return &Op{Kind: Write, Path: path, Offset: int64(a[3]), Data: t.bytesAt(tid, a[1], a[2])}
		}
	case unix.SYS_WRITE:
		return t.written(tid, a)
	case unix.SYS_FTRUNCATE:
		if path := t.pathOf(tid, a[0]); t.follows(path) {
			return &Op{Kind: Truncate, Path: path, Offset: int64(a[1])}
		}
	case unix.SYS_FSYNC, unix.SYS_FDATASYNC:
		if path := t.pathOf(tid, a[0]); t.follows(path) || path == t.options.Dir {
			return &Op{Kind: Sync, Path: path}
		}
	case unix.SYS_OPENAT:
		return t.opened(tid, th)
	case unix.SYS_RENAMEAT, unix.SYS_RENAMEAT2:
		if path, to := t.pathAt(tid, a[0], a[1]), t.pathAt(tid, a[2], a[3]); t.follows(path) || t.follows(to) {
			return &Op{Kind: Rename, Path: path, To: to}
		}
	case unix.SYS_LINKAT:
		if path, to := t.pathAt(tid, a[0], a[1]), t.pathAt(tid, a[2], a[3]); t.follows(path) || t.follows(to) {
			return &Op{Kind: Link, Path: path, To: to}
		}
	case unix.SYS_UNLINKAT:
		if path := t.pathAt(tid, a[0], a[1]); t.follows(path) {
			return &Op{Kind: Remove, Path: path}
		}
	case unix.SYS_WRITEV, unix.SYS_PWRITEV, unix.SYS_PWRITEV2, unix.SYS_SENDFILE:
		t.unknown(tid, a[0], "a gathered write")
	case unix.SYS_COPY_FILE_RANGE:
		t.unknown(tid, a[2], "copy_file_range")
	case unix.SYS_MMAP:
		if a[2]&unix.PROT_WRITE != 0 && a[3]&unix.MAP_TYPE == unix.MAP_SHARED && a[3]&unix.MAP_ANONYMOUS == 0 {
			t.unknown(tid, a[4], "a shared writable map")
		}
	}
	return nil
}

// unknown gives the record up where a file was changed in a way that it cannot tell.
func (t *Tracer) unknown(tid int, fd uint64, what string) {
	if path := t.pathOf(tid, fd); t.follows(path) && t.broken == nil {
		t.broken = fmt.Errorf("%s is changed by %s, which is not recorded", path, what)
	}
}

func (t *Tracer) written(tid int, a [6]uint64) *Op {
	switch path := t.pathOf(tid, a[0]); {
	case t.follows(path):
		return &Op{Kind: Write, Path: path, Offset: positionOf(tid, a[0]), Data: t.bytesAt(tid, a[1], a[2])}
	case strings.HasPrefix(path, "socket:"), a[0] == 1:
		return &Op{Kind: Said, Path: path, Data: t.bytesAt(tid, a[1], a[2])}
	}
	return nil
}

func (t *Tracer) opened(tid int, th *thread) *Op {
	a := th.args
	path := t.pathAt(tid, a[0], a[1])
	if !t.follows(path) {
		return nil
	}
	_, err := os.Lstat(path)
	th.existed = !errors.Is(err, fs.ErrNotExist)
	switch {
	case a[2]&unix.O_CREAT != 0 && !th.existed:
		return &Op{Kind: Create, Path: path}
	case a[2]&unix.O_TRUNC != 0:
		return &Op{Kind: Truncate, Path: path}
	}
	return nil
}

// positionOf is where a descriptor writes next.
func positionOf(tid int, fd uint64) (position int64) {
	file, err := os.Open(fmt.Sprintf("/proc/%d/fdinfo/%d", tid, int32(fd)))
	if err != nil {
		return 0
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if n, _ := fmt.Sscanf(lines.Text(), "pos: %d", &position); n == 1 {
			return position
		}
	}
	return 0
}
