package lab

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// property is what is proved of a scanner: a column of the table.
type property int

const (
	sale property = iota
	together
	replug
	cutScan
	lostScanner
	overflow
	silent
	killed
	givenBack
	denied
	replugs
	properties
)

// words are what docs/scanners.md says of the properties.
var words = [properties]string{
	sale:        "a whole sale: the gateway is asked to charge exactly the code that was scanned",
	together:    "the same with all other scanners plugged in",
	replug:      "unplugged: said; plugged in again: ready, and the next sale is taken",
	cutScan:     "pulled out in the middle of a scan: told as damaged, never a shorter code",
	lostScanner: "pulled out while an `auto` sale waits for a scan: the QR is shown at once",
	overflow:    "more reports than the USB library keeps while the daemon is held up: told as damaged",
	silent:      "what is scanned reaches no window; another keyboard, which nothing names, stays a keyboard",
	killed:      "read again after the daemon was killed and started anew",
	givenBack:   "given back to the kernel's driver at a stop, also after an earlier kill; a scanner in keyboard mode types again",
	denied:      "a daemon outside of the group that the udev rule names is refused, and says what to do",
	replugs:     "56 replugs (`make lab`: 1,000): neither descriptors, threads, goroutines nor memory leak",
}

// appliesTo tells whether a scanner can have the property at all.
func appliesTo(s scanner, p property) bool {
	_, ours := s.cable.(usbCable)
	switch p {
	case cutScan: // a scan that is one packet has no middle
		return s.mode != "IBM hand-held"
	case overflow: // serial ports hold what is not read, and QEMU does not say when its keys were taken
		return s.hid && ours
	case silent:
		return strings.HasPrefix(s.mode, "keyboard")
	case givenBack:
		return s.hid
	default:
		return true
	}
}

// proven holds what the tests of this run have shown.
var proven = map[string]*[properties]bool{}

// prove runs a test of one property of a scanner, if it can have it, and notes that it passed. What comes after one that
// failed would only fail too.
func (s *shop) prove(scanner scanner, p property, test func()) {
	s.t.Helper()
	if !appliesTo(scanner, p) {
		return
	}
	passed := s.part(fmt.Sprintf("%s/%d", scanner.mode, p+1), func() {
		test()
		if proven[scanner.mode] == nil {
			proven[scanner.mode] = new([properties]bool)
		}
		proven[scanner.mode][p] = !s.t.Failed()
	})
	if !passed {
		s.t.FailNow()
	}
}

const (
	page  = "../../docs/scanners.md"
	begin = "<!-- lab-table:begin -->\n"
	end   = "<!-- lab-table:end -->\n"
)

// TestTable: docs/scanners.md shows what the tests before this one have proved, no more and no less. It needs all of them.
func TestTable(t *testing.T) {
	if len(proven) == 0 {
		t.Skip("nothing was proved in this run")
	}
	table := table()
	t.Log("\n" + table)
	if *only != "" || strings.Contains(table, "| no |") {
		t.Skip("not all tests ran, or not all passed")
	}
	text, err := os.ReadFile(page)
	must(t, err)
	head, rest, opened := bytes.Cut(text, []byte(begin))
	shown, foot, closed := bytes.Cut(rest, []byte(end))
	if !opened || !closed {
		t.Fatalf("%s has no place for the table", page)
	}
	if *update {
		must(t, os.WriteFile(page, bytes.Join([][]byte{head, []byte(begin + "\n" + table + "\n" + end), foot}, nil), 0o644))
		return
	}
	if difference := cmp.Diff("\n"+table+"\n", string(shown)); difference != "" {
		t.Errorf("%s (-proved +shown); go test ./test/lab -update writes it:\n%s", page, difference)
	}
}

// table has a row for each scanner and a column for each property, and explains the columns.
func table() string {
	var b strings.Builder
	b.WriteString("| Scanner |")
	for p := range properties {
		fmt.Fprintf(&b, " %d |", p+1)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", int(properties)) + "\n")
	for _, scanner := range scanners() {
		fmt.Fprintf(&b, "| %s |", scanner.mode)
		for p := range properties {
			cell := "no"
			switch shown := proven[scanner.mode]; {
			case !appliesTo(scanner, p):
				cell = "–"
			case shown != nil && shown[p]:
				cell = "yes"
			}
			fmt.Fprintf(&b, " %s |", cell)
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
	for p := range properties {
		fmt.Fprintf(&b, "%d. %s\n", p+1, words[p])
	}
	return b.String()
}
