package client

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxEvent bounds an event and each of its lines, in bytes.
const maxEvent = 1 << 20

// block is what one blank line ends in a stream of server-sent events: an event,
// or without data an id to remember.
type block struct{ id, data string }

// eventReader reads the WHATWG's event stream format, as far as the terminal
// uses it: lines end with LF or CR LF, and what is not id or data is skipped.
type eventReader struct{ lines *bufio.Scanner }

func newEventReader(r io.Reader) *eventReader {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 4096), maxEvent)
	lines.Split(scanWholeLines)
	return &eventReader{lines}
}

// scanWholeLines drops a line that the end of the stream cut: half of a CR LF
// would pass for the blank line that ends an event.
func scanWholeLines(data []byte, atEOF bool) (advance int, line []byte, err error) {
	if atEOF && bytes.IndexByte(data, '\n') < 0 {
		return len(data), nil, nil
	}
	return bufio.ScanLines(data, atEOF)
}

// read returns the next block that holds an id or data; alive is called for
// every line, comments too. One that the end of the stream cut is dropped, and
// the error is io.EOF then, or that of the connection.
func (r *eventReader) read(alive func()) (block, error) {
	var b block
	var data []string
	size := 0
	for r.lines.Scan() {
		alive()
		line := r.lines.Text()
		if line == "" {
			if b.data = strings.Join(data, "\n"); b != (block{}) {
				return b, nil
			}
			data, size = nil, 0
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch name {
		case "id":
			if !strings.ContainsRune(value, 0) {
				b.id = value
			}
		case "data":
			if size += len(value) + 1; size > maxEvent {
				return block{}, errors.New("terminal: an event is too long")
			}
			data = append(data, value)
		}
	}
	if err := r.lines.Err(); err != nil {
		return block{}, fmt.Errorf("terminal: reading its events: %w", err)
	}
	return block{}, io.EOF
}
