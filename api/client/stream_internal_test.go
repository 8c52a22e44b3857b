package client

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func readBlocks(r io.Reader) (blocks []block, err error) {
	reader := newEventReader(r)
	for {
		b, err := reader.read(func() {})
		if err != nil {
			return blocks, err
		}
		blocks = append(blocks, b)
	}
}

// The event stream format, as the WHATWG describes it, but for lines that end
// with CR alone, which the terminal never sends.
func TestEventReader(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       []block
	}{
		{"nothing", "", nil},
		{"an event", "id: a-1\nevent: sale.paid\ndata: {}\n\n", []block{{"a-1", "{}"}}},
		{"CR LF", "id: a-1\r\ndata: {}\r\n\r\n", []block{{"a-1", "{}"}}},
		{"an id alone", "id: a-1\n\n", []block{{"a-1", ""}}},
		{"data alone", "data: {}\n\n", []block{{"", "{}"}}},
		{"comments", ":\n\n: beat\n\ndata: 1\n:\nid: a\n\n", []block{{"a", "1"}}},
		{"lines of data", "data: 1\ndata\ndata:2\n\n", []block{{"", "1\n\n2"}}},
		{"one space is dropped", "data:  1\n\n", []block{{"", " 1"}}},
		{"empty data is no event", "data\n\ndata: 1\n\n", []block{{"", "1"}}},
		{"the last id counts", "id: a\nid: b\ndata: 1\n\n", []block{{"b", "1"}}},
		{"an id with NUL is none", "id: a\x00\ndata: 1\n\n", []block{{"", "1"}}},
		{"unknown fields", "retry: 1\nfoo: 2\nevent: x\n\ndata: 1\n\n", []block{{"", "1"}}},
		{"cut before the blank line", "data: 1\n\nid: b\ndata: 2\n", []block{{"", "1"}}},
		{"cut within a line", "data: 1\n\ndata: 2", []block{{"", "1"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := readBlocks(strings.NewReader(test.text))
			if !slices.Equal(got, test.want) || !errors.Is(err, io.EOF) {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

// An event has a bound, on one line or on many.
func TestEventReaderIsBounded(t *testing.T) {
	for name, text := range map[string]string{
		"a line": "data: " + strings.Repeat("x", maxEvent), "lines": strings.Repeat("data: "+strings.Repeat("x", 1000)+"\n", maxEvent/1000),
	} {
		if got, err := readBlocks(strings.NewReader(text + "\n\n")); len(got) != 0 || errors.Is(err, io.EOF) {
			t.Errorf("%s: %d events, %v", name, len(got), err)
		}
	}
}

// Whatever comes, in whatever pieces, the same blocks are read, none is empty,
// and what ends the stream only adds to them: a cut changes no block before it.
func FuzzEventReader(f *testing.F) {
	f.Add([]byte("id: a-1\nevent: e\ndata: {}\n\n:\n\nid: a-2\r\ndata\r\n\r\n"), 30)
	f.Add([]byte("\xef\xbb\xbfdata: \xff\n\n"), 3)
	f.Fuzz(func(t *testing.T, text []byte, cut int) {
		whole, err := readBlocks(bytes.NewReader(text))
		pieces, pieceErr := readBlocks(iotest.OneByteReader(bytes.NewReader(text)))
		if !slices.Equal(whole, pieces) || errors.Is(err, io.EOF) != errors.Is(pieceErr, io.EOF) {
			t.Fatalf("whole %q, %v; in pieces %q, %v", whole, err, pieces, pieceErr)
		}
		if slices.Contains(whole, block{}) {
			t.Fatalf("an empty block in %q", whole)
		}
		if cut < 0 || cut > len(text) {
			return
		}
		before, _ := readBlocks(bytes.NewReader(text[:cut]))
		if len(before) > len(whole) || !slices.Equal(before, whole[:len(before)]) {
			t.Fatalf("%q, but cut after %d bytes %q", whole, cut, before)
		}
	})
}
