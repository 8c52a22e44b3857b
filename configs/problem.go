package configs

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one mistake in a configuration. It holds no value of the file.
type Problem struct {
	// File is the configuration's name as given to Load or Parse; empty from Validate.
	File string
	// Line is counted from 1; 0 if nothing in the file could be pointed at.
	Line int
	// Column is counted in bytes from 1, for syntax errors only; else 0.
	Column int
	// Path names the key, such as scanner[1].baud (counted from 0) or
	// gateway.alphapay.base_url; empty for a syntax error.
	Path string
	// Message says what is wrong and what to write instead.
	Message string
}

// String is the problem on one line, such as
//
//	payscand.toml:17: scanner[1].baud: must be within 300 and 4000000
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
	}
	if p.Column > 0 {
		fmt.Fprintf(&b, ":%d", p.Column)
	}
	if b.Len() > 0 {
		b.WriteString(": ")
	}
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.Message)
	return b.String()
}

// Problems is every mistake in a configuration, by line; those without a line
// come last.
type Problems []Problem

// maxPrinted bounds the lines of an error.
const maxPrinted = 100

// Error is one line for each problem, at most 100 and the number of the rest.
func (p Problems) Error() string {
	lines := make([]string, 0, len(p))
	for i, problem := range p {
		if i == maxPrinted {
			lines = append(lines, fmt.Sprintf("… and %d more", len(p)-i))
			break
		}
		lines = append(lines, problem.String())
	}
	return strings.Join(lines, "\n")
}

// isWithin reports whether the path is the ancestor or something in it.
func isWithin(path, ancestor string) bool {
	rest, ok := strings.CutPrefix(path, ancestor)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// locate sets file and line of every problem and sorts by line.
func (p Problems) locate(file string, lines lineIndex) {
	for i := range p {
		p[i].File, p[i].Line = file, lines.of(p[i].Path)
	}
	slices.SortStableFunc(p, func(a, b Problem) int {
		if (a.Line == 0) != (b.Line == 0) {
			return cmp.Compare(b.Line, a.Line)
		}
		return cmp.Compare(a.Line, b.Line)
	})
}

// err is nil when there is no problem.
func (p Problems) err() error {
	if len(p) == 0 {
		return nil
	}
	return p
}

// collector gathers problems, before their lines are known.
type collector struct{ found Problems }

func (c *collector) addf(path, format string, args ...any) {
	c.found = append(c.found, Problem{Path: path, Message: fmt.Sprintf(format, args...)})
}

// addNew adds what a later check found, but nothing about a value that an
// earlier check refused: it would be about the default that took its place.
func (c *collector) addNew(later Problems) {
	refused := slices.Clone(c.found)
	for _, problem := range later {
		if !slices.ContainsFunc(refused, func(earlier Problem) bool {
			return isWithin(problem.Path, earlier.Path) || strings.HasPrefix(earlier.Path, problem.Path+"[")
		}) {
			c.found = append(c.found, problem)
		}
	}
}
