package soak

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"payscand/internal/crash"
)

func TestMain(m *testing.M) {
	if status, asked := Helper(os.Args[1:]); asked {
		os.Exit(status)
	}
	os.Exit(run(m))
}

// setting is what the tests' campaigns have in common.
var setting Setting

func run(m *testing.M) int {
	flag.Parse()
	dir, err := os.MkdirTemp("", "ps")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	setting = Setting{Program: filepath.Join(dir, "payscand"), Dir: dir, Seed: 1}
	build := exec.Command("go", "build", "-buildvcs=false", "-o", setting.Program, "./cmd/payscand")
	build.Dir, build.Stdout, build.Stderr = "../..", os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build payscand:", err)
		return 1
	}
	return m.Run()
}

func TestCrashTill(t *testing.T) {
	dir := t.TempDir() + "/db"
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	run, err := RecordTill(t.Context(), dir, "sales", 40, 0, false)
	if err != nil {
		t.Fatal(err)
	}
	result, err := crash.Replay(t.Context(), run, crash.Options{Bound: crash.Bound{AllOf: 6, Samples: 20, Torn: 2}})
	t.Logf("%d ops, %+v %v", len(run.Ops), result, err)
}

func TestCrashControl(t *testing.T) {
	dir := t.TempDir() + "/db"
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	run, err := RecordTill(t.Context(), dir, "sales", 10, 0, true)
	if err != nil {
		t.Fatal(err)
	}
	result, err := crash.Replay(t.Context(), run, crash.Options{Bound: crash.Bound{AllOf: 6, Samples: 20, Torn: 2}})
	t.Logf("%d ops, %+v %v", len(run.Ops), result, err)
}

func TestIOErrors(t *testing.T) {
	s := setting
	s.Log = t.Logf
	result, err := IOErrors{Setting: s, Every: 1}.Run(t.Context())
	t.Logf("%+v", result)
	if err != nil {
		t.Fatal(err)
	}
}

func TestDaemonCrash(t *testing.T) {
	run, err := RecordDaemon(t.Context(), setting, 6)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(told(run))
	result, err := crash.Replay(t.Context(), run, crash.Options{Bound: crash.Bound{AllOf: 4, Samples: 10, Torn: 1}})
	t.Logf("%d ops, %+v %v", len(run.Ops), result, err)
}

func TestKills(t *testing.T) {
	s := setting
	s.Log = t.Logf
	result, err := Kills{Setting: s, Kills: 50, Speed: 60, SettleEvery: 25, Bound: 3 * time.Minute}.Run(t.Context())
	t.Logf("%+v", result)
	if err != nil {
		t.Fatal(err)
	}
}

func TestDay(t *testing.T) {
	s := setting
	s.Log = t.Logf
	result, err := Day{Setting: s, Sales: 400, Speed: 240, Bound: time.Minute}.Run(t.Context())
	t.Logf("%+v", result)
	if err != nil {
		t.Fatal(err)
	}
}
