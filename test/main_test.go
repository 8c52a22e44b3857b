// Package test holds the end-to-end tests: the program as it is built, at whole
// counters of practice gateway, daemon and virtual scanner.
package test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// program is the payscand that all tests run.
var program string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	flag.Parse()
	// The tests wait for processes most of the time: more of them fit side by side than there are processors.
	if err := flag.Set("test.parallel", "8"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	dir, err := os.MkdirTemp("", "ps")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "payscand")
	arguments := []string{"build", "-buildvcs=false", "-o", program}
	if raceDetector { // then in the daemon too; audit looks for what it found
		arguments = append(arguments, "-race")
	}
	build := exec.Command("go", append(arguments, "./cmd/payscand")...)
	build.Dir, build.Stdout, build.Stderr = "..", os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build payscand:", err)
		return 1
	}
	return m.Run()
}
