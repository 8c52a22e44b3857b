// Command mutants proves that the tests hold the promises: it puts one deliberate
// defect at a time into the real source, through go test -overlay, and runs the
// tests that should notice. A defect that nothing notices is a missing test.
//
//	go run ./internal/mutants [-run regexp] [-skip regexp] [-j n] [-limit d]
//
// It prints one line for each mutant and exits with 1 when one survived or could
// not be tried. No file of the tree is changed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if errors.Is(err, flag.ErrHelp) {
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("mutants", flag.ContinueOnError)
	chosen := flags.String("run", "", "try only mutants whose name, rule or mutated file matches this `regexp`")
	skip := flags.String("skip", "", "leave out tests that match this `regexp`, as go test -skip does")
	workers := flags.Int("j", 2, "mutants tried at the same time")
	limit := flags.Duration("limit", 3*time.Minute, "time limit of one go test, compiling not included")
	if err := flags.Parse(args); err != nil {
		return err
	}
	match, err := regexp.Compile(*chosen)
	if err != nil {
		return fmt.Errorf("-run: %w", err)
	}
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()

	var wanted []Mutant
	for _, m := range table() {
		if m.is(match) {
			wanted = append(wanted, m)
		}
	}
	if len(wanted) == 0 {
		return fmt.Errorf("no mutant matches %q", *chosen)
	}
	t := &tester{root: root, dir: dir, skip: *skip, limit: *limit}
	return trial(ctx, t, wanted, max(1, *workers), out)
}

// moduleRoot is the directory of the go.mod above the working directory.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no go.mod above the working directory: run it inside the checkout")
		}
		dir = parent
	}
}
