package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// tester runs go test over mutated sources.
type tester struct {
	root  string // of the module
	dir   string // for the mutated files
	skip  string
	limit time.Duration
}

// failures are the tests that failed, in the order in which they ended: none
// where all passed.
type failures []string

// errBuild says that the sources do not compile.
var errBuild = errors.New("does not compile")

// overlay writes the mutated files and the JSON file that names them. An empty
// name means the sources as they are.
func (t *tester) overlay(number int, files map[string]string) (string, error) {
	replace := make(map[string]string, len(files))
	i := 0
	for name, text := range files {
		i++
		copied := filepath.Join(t.dir, fmt.Sprintf("%d-%d.go", number, i))
		if err := os.WriteFile(copied, []byte(text), 0o600); err != nil {
			return "", err
		}
		replace[filepath.Join(t.root, filepath.FromSlash(name))] = copied
	}
	encoded, err := json.Marshal(map[string]map[string]string{"Replace": replace})
	if err != nil {
		return "", err
	}
	name := filepath.Join(t.dir, strconv.Itoa(number)+".json")
	return name, os.WriteFile(name, encoded, 0o600)
}

// test runs one test over an overlay. The error wraps errBuild where there is
// nothing to be run.
func (t *tester) test(ctx context.Context, overlay string, test Test) (failures, error) {
	// Go vet has its own say elsewhere: a defect that only looks odd is no kill.
	args := []string{"test", "-json", "-count=1", "-vet=off", "-failfast", "-timeout=" + t.limit.String()}
	if overlay != "" {
		args = append(args, "-overlay="+overlay)
	}
	if test.Run != "" {
		args = append(args, "-run="+test.Run)
	}
	if t.skip != "" {
		args = append(args, "-skip="+t.skip)
	}
	args = append(args, test.Package)
	if t.usesRapid(test.Package) { // the same histories each time, and none left in the tree
		args = append(args, "-rapid.seed=1", "-rapid.nofailfile")
	}
	ctx, cancel := context.WithTimeout(ctx, 2*t.limit+time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, "go", args...)
	command.Dir = t.root
	command.WaitDelay = 5 * time.Second
	var stderr bytes.Buffer
	command.Stderr = &stderr
	output, err := command.Output()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	failed, reason := read(output)
	switch {
	case reason != nil:
		return nil, reason
	case err == nil && len(failed) == 0:
		return nil, nil
	case len(failed) == 0:
		return nil, fmt.Errorf("go test: %w: %s", err, strings.TrimSpace(stderr.String()))
	}
	return failed, nil
}

// testEvent is a line of go test -json, as far as it is looked at.
type testEvent struct {
	Action      string `json:"Action"`
	Package     string `json:"Package"`
	Test        string `json:"Test"`
	Output      string `json:"Output"`
	FailedBuild string `json:"FailedBuild"`
}

// read takes the failed tests from go test's report: only the innermost, or the
// package where no test of it is to blame.
func read(report []byte) (failures, error) {
	var failed failures
	var build strings.Builder
	ran := false
	for line := range bytes.Lines(report) {
		var e testEvent
		if json.Unmarshal(line, &e) != nil {
			continue
		}
		switch {
		case e.Action == "build-output":
			build.WriteString(e.Output)
		case e.FailedBuild != "":
			return nil, fmt.Errorf("%w: %s", errBuild, strings.TrimSpace(build.String()))
		case e.Action == "run":
			ran = true
		case e.Action == "fail" && e.Test != "":
			isParent := func(name string) bool { return strings.HasPrefix(name, e.Test+"/") }
			if !slices.ContainsFunc(failed, isParent) {
				failed = append(failed, e.Test)
			}
		case e.Action == "fail" && len(failed) == 0:
			failed = append(failed, e.Package)
		case e.Action == "pass" && e.Test == "" && !ran:
			return nil, errors.New("no test was run: the table names tests that are not there")
		}
	}
	return failed, nil
}

// usesRapid reports whether the package's tests know the flags of rapid.
func (t *tester) usesRapid(pkg string) bool {
	names, _ := filepath.Glob(filepath.Join(t.root, filepath.FromSlash(pkg), "*_test.go"))
	return slices.ContainsFunc(names, func(name string) bool {
		source, err := os.ReadFile(name)
		return err == nil && bytes.Contains(source, []byte(`"pgregory.net/rapid"`))
	})
}
