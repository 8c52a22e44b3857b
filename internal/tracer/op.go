package tracer

import (
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"
)

// Kind is what one recorded call did.
type Kind string

const (
	Create   Kind = "create"   // Path began to exist, empty
	Write    Kind = "write"    // Data at Offset of Path
	Truncate Kind = "truncate" // Path has Offset bytes from now on
	Sync     Kind = "sync"     // fsync or fdatasync of Path, a file or folder, returned
	Rename   Kind = "rename"   // Path is called To
	Link     Kind = "link"     // Path is called To as well
	Remove   Kind = "remove"   // Path is gone
	Said     Kind = "said"     // Data went to a socket or to standard output: what follows from it is acknowledged
)

// Op is one call that succeeded. Calls stand in the order of their begin, but for
// Sync, which stands where it returned.
type Op struct {
	Kind     Kind
	Path, To string
	Offset   int64
	Data     []byte
}

// Load reads what Run recorded.
func Load(path string) ([]Op, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var ops []Op
	for decoder := gob.NewDecoder(file); ; {
		var op Op
		if err := decoder.Decode(&op); errors.Is(err, io.EOF) {
			return ops, nil
		} else if err != nil {
			return nil, fmt.Errorf("recorded system calls in %s: %w", path, err)
		}
		ops = append(ops, op)
	}
}
