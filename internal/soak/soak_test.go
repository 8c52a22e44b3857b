package soak

import (
	"os"
	"testing"

	"payscand/internal/crash"
)

func TestMain(m *testing.M) {
	if status, asked := Helper(os.Args[1:]); asked {
		os.Exit(status)
	}
	os.Exit(m.Run())
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
