package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
)

// outcome is what became of a mutant.
type outcome struct {
	killedBy failures // empty: it survived, or err is set
	by       Test
	took     time.Duration
	err      error // it could not be tried
}

var errUnsound = errors.New("the tests fail without any defect: mend them first")

// trial tries every mutant and prints the kill table. It returns an error when
// one survived or could not be tried.
func trial(ctx context.Context, t *tester, mutants []Mutant, workers int, out io.Writer) error {
	if err := sound(ctx, t, mutants, workers); err != nil {
		return err
	}
	outcomes := make([]chan outcome, len(mutants))
	for i := range outcomes {
		outcomes[i] = make(chan outcome, 1)
	}
	jobs := make(chan int)
	var running sync.WaitGroup
	for range workers {
		running.Go(func() {
			for i := range jobs {
				outcomes[i] <- try(ctx, t, i+1, mutants[i])
			}
		})
	}
	go func() {
		defer close(jobs)
		for i := range mutants {
			jobs <- i
		}
	}()
	defer running.Wait()
	return printTable(mutants, outcomes, out)
}

// printTable prints each outcome as soon as all before it are printed.
func printTable(mutants []Mutant, outcomes []chan outcome, out io.Writer) error {
	widest, rule := 0, 0
	for _, m := range mutants {
		widest, rule = max(widest, len(m.Name)), max(rule, len(m.Rule))
	}
	row := fmt.Sprintf("%%-%ds  %%-%ds  %%7s  %%s\n", widest, rule)
	_, _ = fmt.Fprintf(out, row, "mutant", "breaks", "seconds", "killed by")
	start := time.Now()
	killed, survived, broken := 0, 0, 0
	for i, m := range mutants {
		o := <-outcomes[i]
		var verdict string
		switch {
		case o.err != nil:
			broken++
			verdict = "ERROR " + o.err.Error()
		case len(o.killedBy) == 0:
			survived++
			verdict = "SURVIVED"
		default:
			killed++
			verdict = o.by.Package + " " + strings.Join(o.killedBy[:1], " ")
		}
		if _, err := fmt.Fprintf(out, row, m.Name, m.Rule, fmt.Sprintf("%.1f", o.took.Seconds()), verdict); err != nil {
			return err
		}
	}
	_, _ = fmt.Fprintf(out, "%d mutants: %d killed, %d survived, %d errors, in %s\n",
		len(mutants), killed, survived, broken, time.Since(start).Round(time.Second))
	if survived+broken > 0 {
		return fmt.Errorf("%d mutants survived and %d could not be tried", survived, broken)
	}
	return nil
}

// sound runs the tests of all mutants without any defect: only a test that
// passes then can kill.
func sound(ctx context.Context, t *tester, mutants []Mutant, workers int) error {
	var tests []Test
	for _, m := range mutants {
		for _, test := range m.Tests {
			if all := (Test{Package: test.Package}); !slices.Contains(tests, all) { // holds the narrower ones
				tests = append(tests, all)
			}
		}
	}
	problems := make([]error, len(tests))
	slots := make(chan struct{}, workers)
	var running sync.WaitGroup
	for i, test := range tests {
		running.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			failed, err := t.test(ctx, "", test)
			switch {
			case err != nil:
				problems[i] = fmt.Errorf("%s: %w", test.Package, err)
			case len(failed) > 0:
				problems[i] = fmt.Errorf("%s %s: %w", test.Package, strings.Join(failed, " "), errUnsound)
			}
		})
	}
	running.Wait()
	return errors.Join(problems...)
}

// try runs a mutant's tests until one fails.
func try(ctx context.Context, t *tester, number int, m Mutant) (o outcome) {
	start := time.Now()
	defer func() { o.took = time.Since(start) }()
	files, err := m.Mutate(t.root)
	if err != nil {
		return outcome{err: err}
	}
	overlay, err := t.overlay(number, files)
	if err != nil {
		return outcome{err: err}
	}
	for _, test := range m.Tests {
		failed, err := t.test(ctx, overlay, test)
		if err != nil {
			return outcome{err: err}
		}
		if len(failed) > 0 {
			return outcome{killedBy: failed, by: test}
		}
	}
	return outcome{}
}
