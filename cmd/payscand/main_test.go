package main

import (
	"errors"
	"io"
	"strings"
	"testing"
)

// TestWrongWords: a word that no command knows is told, with the status for wrong words; a mistyped command of a group is
// not taken for a wish to read its help, which would end with status 0. A group alone tells of its commands.
func TestWrongWords(t *testing.T) {
	for _, c := range []struct{ words, want string }{
		{"cheque", `no command "cheque" of payscand; see payscand --help`},
		{"chekc", `no command "chekc" of payscand; is check meant`},
		{"config chekc", `no command "chekc" of payscand config; is check meant`},
		{"journal prove", `no command "prove" of payscand journal; see payscand journal --help`},
		{"devices lst", "is list or test meant"},
		{"version one", `unknown command "one"`},
		{"--verbose", "unknown flag"},
		{"sale 1.00 --verbose", "unknown flag"},
		{"config", ""},
		{"", ""},
	} {
		root := newRoot()
		root.SetArgs(strings.Fields(c.words))
		root.SetOut(io.Discard)
		err := root.ExecuteContext(t.Context())
		exit := new(exitError)
		switch isExit := errors.As(err, &exit); {
		case c.want == "" && err != nil:
			t.Errorf("%q: %v", c.words, err)
		case c.want != "" && (!isExit || exit.code != exitUsage || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%q: %v (%T), want status %d and %q", c.words, err, err, exitUsage, c.want)
		}
	}
}
