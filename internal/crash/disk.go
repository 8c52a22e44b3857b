package crash

import (
	"bytes"
	"maps"
	"path/filepath"
	"slices"

	"payscand/internal/tracer"
)

// sector is what a disk writes whole or not at all, in bytes.
const sector = 512

// disk is what is durable, and what is not yet.
type disk struct {
	files   []content      // by inode
	names   map[string]int // inodes by path: what is durable
	current map[string]int // what the program sees
	pending []change
}

// content is a file's bytes.
type content struct{ data []byte }

// change is a call that nothing made durable yet.
type change struct {
	op    tracer.Op
	inode int // whose bytes it changes; -1 for a change of names
	moved int // the inode that gets a name
}

func newDisk() *disk { return &disk{names: make(map[string]int), current: make(map[string]int)} }

func (c change) ofNames() bool { return c.inode < 0 }

// inodeOf is the file of that name; one that was there before the recording
// began must have been loaded.
func (d *disk) inodeOf(path string) int {
	if i, known := d.current[path]; known {
		return i
	}
	return -1
}

// load puts a file that was there before the recording.
func (d *disk) load(path string, data []byte) {
	d.files = append(d.files, content{bytes.Clone(data)})
	d.names[path], d.current[path] = len(d.files)-1, len(d.files)-1
}

// take adds a call that is not a Sync.
func (d *disk) take(op tracer.Op) {
	switch op.Kind {
	case tracer.Create:
		d.files = append(d.files, content{})
		d.current[op.Path] = len(d.files) - 1
		d.pending = append(d.pending, change{op, -1, len(d.files) - 1})
	case tracer.Rename:
		i := d.inodeOf(op.Path)
		delete(d.current, op.Path)
		d.current[op.To] = i
		d.pending = append(d.pending, change{op, -1, i})
	case tracer.Link: // recorded as it began: from no file, or to a name that is taken, it fails
		if i := d.inodeOf(op.Path); i >= 0 && d.inodeOf(op.To) < 0 {
			d.current[op.To] = i
			d.pending = append(d.pending, change{op, -1, i})
		}
	case tracer.Remove:
		if i := d.inodeOf(op.Path); i >= 0 {
			delete(d.current, op.Path)
			d.pending = append(d.pending, change{op, -1, i})
		}
	case tracer.Write, tracer.Truncate:
		if i := d.inodeOf(op.Path); i >= 0 {
			d.pending = append(d.pending, change{op, i, -1})
		}
	case tracer.Sync, tracer.Said:
	}
}

// sync makes durable what a Sync of path does: a file's bytes, or a folder's names.
func (d *disk) sync(path string) {
	inode, copied := d.inodeOf(path), false
	rest := d.pending[:0]
	for _, c := range d.pending {
		switch {
		case c.ofNames() && (filepath.Dir(c.op.Path) == path || filepath.Dir(c.op.To) == path):
			rename(d.names, c)
		case !c.ofNames() && c.inode == inode:
			if !copied { // what was given out stays as it is
				d.files[inode].data, copied = bytes.Clone(d.files[inode].data), true
			}
			d.files[inode].data = apply(d.files[inode].data, c.op, nil)
		default:
			rest = append(rest, c)
		}
	}
	d.pending = rest
}

func rename(names map[string]int, c change) {
	switch c.op.Kind {
	case tracer.Create:
		names[c.op.Path] = c.moved
	case tracer.Rename:
		delete(names, c.op.Path)
		names[c.op.To] = c.moved
	case tracer.Link:
		names[c.op.To] = c.moved
	default:
		delete(names, c.op.Path)
	}
}

// apply changes bytes as a call would; of a write only the sectors that torn
// lists, counted from the write's first byte, or all when torn is nil.
func apply(data []byte, op tracer.Op, torn []bool) []byte {
	if op.Kind == tracer.Truncate {
		return resized(data, int(op.Offset))
	}
	for from := 0; from < len(op.Data); from += sector {
		to := min(from+sector, len(op.Data))
		if torn != nil && !torn[from/sector] {
			continue
		}
		if end := int(op.Offset) + to; end > len(data) {
			data = resized(data, end)
		}
		copy(data[int(op.Offset)+from:], op.Data[from:to])
	}
	return data
}

func resized(data []byte, size int) []byte {
	if size <= len(data) {
		return data[:size:size]
	}
	return append(slices.Clip(data), make([]byte, size-len(data))...)
}

// state is one way in which a crash may leave the disk: what is durable, and
// these of the pending changes, in order.
type state struct {
	kept []bool // by index in pending
	torn []bool // sectors of the write that is torn
	of   int    // its index; -1 for none
}

// lists the names and the bytes of every file in a state. Nobody writes into the
// bytes: they may be the disk's own.
func (d *disk) lists(s state) map[string][]byte {
	names := maps.Clone(d.names)
	changed := make(map[int][]byte)
	for i, c := range d.pending {
		switch {
		case !s.kept[i]:
		case c.ofNames():
			rename(names, c)
		default:
			data, ok := changed[c.inode]
			if !ok {
				data = bytes.Clone(d.files[c.inode].data)
			}
			var torn []bool
			if i == s.of {
				torn = s.torn
			}
			changed[c.inode] = apply(data, c.op, torn)
		}
	}
	files := make(map[string][]byte, len(names))
	for path, inode := range names {
		data, ok := changed[inode]
		if !ok {
			data = d.files[inode].data
		}
		files[path] = data
	}
	return files
}
