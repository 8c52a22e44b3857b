package test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDemo: the demo ends with status 0 once every step went as described, or when it is told to stop at any moment. It
// leaves no process and no folder behind. One demo at a time: its ports are the documented ones.
func TestDemo(t *testing.T) { //nolint:tparallel // one demo at a time
	t.Parallel()
	for _, c := range []struct {
		name, arguments string
		// stopAt is printed when the demo is told to stop; empty: it ends by itself.
		stopAt string
		prints []string
	}{
		{name: "to its end", arguments: "demo --once", prints: []string{
			"1. A scanned sale is paid.", "2. A goods barcode is refused", "Refused: goods_barcode",
			"3. The gateway's answer is lost and the daemon is killed", "kill -9", "gets the same sale", "All went as described.",
		}},
		{name: "stopped within a step", arguments: "demo", stopAt: "2. A goods barcode"},
		{name: "stopped while it stays up", arguments: "demo", stopAt: "until Ctrl-C", prints: []string{"All went as described.", "curl", "Stopping."}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := shortDir(t)
			demo := start(t, []string{"TMPDIR=" + dir}, strings.Fields(c.arguments)...)
			if c.stopAt != "" {
				demo.awaitText(c.stopAt)
				demo.interrupt()
			}
			expectDemoOver(t, demo, dir)
			for _, text := range c.prints {
				if !strings.Contains(demo.out.String(), text) {
					t.Errorf("%q was not printed:\n%s", text, demo.out.String())
				}
			}
		})
	}
}

// TestDemoStoppedWhileItOpens: Ctrl-C while the demo's processes are starting ends it as cleanly.
func TestDemoStoppedWhileItOpens(t *testing.T) {
	t.Parallel()
	dir := shortDir(t)
	demo := start(t, []string{"TMPDIR=" + dir}, "demo")
	eventually(demo.ctx, t, "its first process", func() bool { return len(processesWith(t, dir)) > 0 })
	demo.interrupt()
	expectDemoOver(t, demo, dir)
}

func expectDemoOver(t *testing.T, demo *command, dir string) {
	t.Helper()
	if status := demo.exit(); status != 0 {
		t.Errorf("exit status %d:\n%s", status, demo.out.String())
	}
	if left := processesWith(t, dir); len(left) > 0 {
		t.Errorf("processes are left: %q", left)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("files are left: %v, %v", left, err)
	}
}

// processesWith lists the command lines of running processes that name a folder.
func processesWith(t *testing.T, dir string) (found []string) {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil || len(lines) == 0 {
		t.Fatalf("no processes found: %v", err)
	}
	for _, path := range lines {
		line, err := os.ReadFile(path)
		if err == nil && bytes.Contains(line, []byte(dir)) { // one that ended meanwhile cannot be read
			found = append(found, string(bytes.ReplaceAll(line, []byte{0}, []byte(" "))))
		}
	}
	return found
}
