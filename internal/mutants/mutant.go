package main

import (
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Mutant is one deliberate defect.
type Mutant struct {
	Name string // what the defective program does
	Rule string // the money rule (M…) or promise (P…) that this breaks, or an invariant's name
	// Edits make the defect; their files are compiled together.
	Edits []Edit
	// Tests should notice, the narrowest first; the first that fails kills the mutant.
	Tests []Test
}

// Edit replaces one piece of a source file.
type Edit struct {
	File string // slash-separated, from the module's root
	// Old must be in the file exactly once where Nth is 0; otherwise the Nth one (1-based) is replaced.
	Old, New string
	Nth      int
}

// Test is one run of go test.
type Test struct {
	Package string // as go test takes it, from the module's root
	Run     string // as go test -run takes it; empty: all tests of the package
}

// is reports whether the mutant is one of those that the pattern means.
func (m Mutant) is(pattern *regexp.Regexp) bool {
	return pattern.MatchString(m.Name) || pattern.MatchString(m.Rule) ||
		slices.ContainsFunc(m.Edits, func(e Edit) bool { return pattern.MatchString(e.File) })
}

// Mutate returns the mutated text of each file that the edits touch, by its path
// from the module's root. It returns an error when a text to be replaced is not
// there as often as it should be, or when the result is not Go.
func (m Mutant) Mutate(root string) (map[string]string, error) {
	files := make(map[string]string)
	for _, e := range m.Edits {
		text, begun := files[e.File]
		if !begun {
			source, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(e.File)))
			if err != nil {
				return nil, err
			}
			text = string(source)
		}
		mutated, err := e.apply(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e.File, err)
		}
		files[e.File] = mutated
	}
	for name, text := range files {
		if _, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution); err != nil {
			return nil, fmt.Errorf("the mutated file is not Go: %w", err)
		}
	}
	return files, nil
}

var errSame = errors.New("the edit changes nothing")

func (e Edit) apply(text string) (string, error) {
	if e.Old == e.New || e.Old == "" {
		return "", errSame
	}
	count := strings.Count(text, e.Old)
	if count == 0 {
		return "", fmt.Errorf("the text to be replaced is not there any more: %q", e.Old)
	}
	if e.Nth == 0 && count > 1 {
		return "", fmt.Errorf("the text to be replaced is there %d times: %q", count, e.Old)
	}
	if e.Nth > count {
		return "", fmt.Errorf("the text to be replaced is there only %d times: %q", count, e.Old)
	}
	at := 0
	for range max(1, e.Nth) {
		at += strings.Index(text[at:], e.Old) + len(e.Old)
	}
	return text[:at-len(e.Old)] + e.New + text[at:], nil
}
