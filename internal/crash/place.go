package crash

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// place is a folder that holds one state after the other. Only what differs from
// the state before is written.
type place struct {
	dir   string
	files map[string]*placed // by base name
	puts  int64
}

// placed is a file as it was put there.
type placed struct {
	data []byte
	mark time.Time // its time of change, which is in the past unless the judge wrote to it
}

const block = 4096

// put makes the folder hold the files, whose paths begin with from. What a judge
// put beside them (a reserve, a lock) stays.
func (p *place) put(from string, files map[string][]byte) error {
	if p.files == nil {
		p.files = make(map[string]*placed)
	}
	for name := range p.files {
		if _, wanted := files[filepath.Join(from, name)]; !wanted {
			if err := os.Remove(filepath.Join(p.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			delete(p.files, name)
		}
	}
	for path, data := range files {
		if err := p.putFile(strings.TrimPrefix(path, from+"/"), data); err != nil {
			return err
		}
	}
	return p.removeOthers(from, files)
}

// removeOthers removes what a judge made that a state must not hold: a database
// where there is none, or a temporary one.
func (p *place) removeOthers(from string, files map[string][]byte) error {
	entries, err := os.ReadDir(p.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if _, wanted := files[filepath.Join(from, e.Name())]; !wanted && !strings.HasSuffix(e.Name(), ".reserve") {
			if err := os.RemoveAll(filepath.Join(p.dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *place) putFile(name string, data []byte) error {
	path := filepath.Join(p.dir, name)
	known := p.files[name]
	info, err := os.Stat(path)
	if known == nil || err != nil || !info.ModTime().Equal(known.mark) || info.Size() != int64(len(known.data)) {
		// The judge changed it, or it is new. A new file: its old one may still be mapped.
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			return err
		}
	} else if same(known.data, data) {
		return nil
	} else if err := rewrite(path, known.data, data); err != nil {
		return err
	}
	p.puts++
	mark := time.Unix(p.puts, 0)
	p.files[name] = &placed{data, mark}
	return os.Chtimes(path, mark, mark)
}

// same reports whether two are the very same bytes.
func same(a, b []byte) bool { return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0]) }

// rewrite writes the blocks in which the file differs.
func rewrite(path string, before, after []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	if len(before) != len(after) {
		if err := file.Truncate(int64(len(after))); err != nil {
			return err
		}
		before = resized(bytes.Clone(before), len(after))
	}
	for from := 0; from < len(after); from += block {
		to := min(from+block, len(after))
		if bytes.Equal(before[from:to], after[from:to]) {
			continue
		}
		if _, err := file.WriteAt(after[from:to], int64(from)); err != nil {
			return err
		}
	}
	return nil
}
