package crash_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"payscand/internal/crash"
	"payscand/internal/tracer"
)

// seen collects every state that is judged: the files as text.
type seen struct {
	states map[string]int
	said   *int
}

func (s seen) Said([]byte) { *s.said++ }

func (s seen) Check(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	text := ""
	for _, e := range entries {
		content, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		text += fmt.Sprintf("%s=%s ", e.Name(), content)
	}
	s.states[text]++
	return nil
}

// replay returns the states that a crash of the calls may leave.
func replay(t *testing.T, before map[string][]byte, ops ...tracer.Op) []string {
	t.Helper()
	s := seen{make(map[string]int), new(int)}
	result, err := crash.Replay(t.Context(), crash.Run{
		Dir: "/d", Before: before, Ops: ops, Judge: func() crash.Judge { return s },
	}, crash.Options{Bound: crash.Bound{AllOf: 10}, Workers: 1})
	if err != nil || len(result.Wrong) > 0 {
		t.Fatalf("%+v, %v", result, err)
	}
	return slices.Sorted(maps.Keys(s.states))
}

func want(t *testing.T, got []string, states ...string) {
	t.Helper()
	slices.Sort(states)
	if !slices.Equal(got, states) {
		t.Errorf("states\n%q, want\n%q", got, states)
	}
}

// Writes that were not synced are on the disk in any combination; those that were, for certain.
func TestUnsyncedWrites(t *testing.T) {
	before := map[string][]byte{"f": []byte("....")}
	write := func(at int64, text string) tracer.Op {
		return tracer.Op{Kind: tracer.Write, Path: "/d/f", Offset: at, Data: []byte(text)}
	}
	sync := tracer.Op{Kind: tracer.Sync, Path: "/d/f"}
	want(t, replay(t, before, write(0, "a"), write(1, "b")), "f=.... ", "f=a... ", "f=.b.. ", "f=ab.. ")
	want(t, replay(t, before, write(0, "a"), sync, write(1, "b")), "f=.... ", "f=a... ", "f=ab.. ")
	want(t, replay(t, before, write(5, "z")), "f=.... ", "f=....\x00z ")
	want(t, replay(t, before, tracer.Op{Kind: tracer.Truncate, Path: "/d/f", Offset: 2}, sync), "f=.... ", "f=.. ")
}

// A name lasts when its folder is synced, whatever becomes of the bytes; a rename is whole or not at all.
func TestNames(t *testing.T) {
	create := tracer.Op{Kind: tracer.Create, Path: "/d/new"}
	write := tracer.Op{Kind: tracer.Write, Path: "/d/new", Data: []byte("x")}
	rename := tracer.Op{Kind: tracer.Rename, Path: "/d/new", To: "/d/f"}
	file, renamed, folder := tracer.Op{Kind: tracer.Sync, Path: "/d/new"}, tracer.Op{Kind: tracer.Sync, Path: "/d/f"}, tracer.Op{Kind: tracer.Sync, Path: "/d"}
	want(t, replay(t, nil, create, write, file, rename, folder), "", "new= ", "new=x ", "f=x ")
	want(t, replay(t, nil, create, write, rename, folder, renamed), "", "new= ", "new=x ", "f= ", "f=x ")
	link := tracer.Op{Kind: tracer.Link, Path: "/d/f", To: "/d/kept"}
	old := map[string][]byte{"f": []byte("old")}
	want(t, replay(t, old, link, write, folder), "f=old ", "f=old kept=old ")
	want(t, replay(t, nil, link), "")
	want(t, replay(t, map[string][]byte{"f": []byte("old"), "kept": nil}, link), "f=old kept= ")
	want(t, replay(t, old, link, create, folder, rename), "f=old ", "f=old kept=old ", "f=old new= ", "f=old kept=old new= ", "f= kept=old ")
	want(t, replay(t, old, tracer.Op{Kind: tracer.Remove, Path: "/d/f"}), "f=old ", "")
}

// Of a torn write some sectors are there, and each is whole.
func TestTornWrites(t *testing.T) {
	data := make([]byte, 3*512)
	for i := range data {
		data[i] = byte('a' + i/512)
	}
	s := seen{make(map[string]int), new(int)}
	_, err := crash.Replay(t.Context(), crash.Run{
		Dir: "/d", Before: map[string][]byte{"f": make([]byte, len(data))},
		Ops:   []tracer.Op{{Kind: tracer.Write, Path: "/d/f", Data: data}},
		Judge: func() crash.Judge { return s },
	}, crash.Options{Bound: crash.Bound{AllOf: 10, Torn: 200}, Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.states) != 8 { // each of three sectors there or not
		t.Errorf("%d states of three sectors, want 8", len(s.states))
	}
	for state, times := range s.states {
		if times > 1 {
			t.Errorf("one state is judged %d times, and counted", times)
		}
		content := state[len("f="):]
		for sector := range 3 {
			part := content[sector*512 : sector*512+512]
			for i := range part {
				if part[i] != part[0] {
					t.Fatal("a sector is torn")
				}
			}
		}
	}
}

// What a judge finds wrong is told with the state; what it does to the files is undone.
func TestJudges(t *testing.T) {
	spoils := judge(func(dir string) error {
		path := filepath.Join(dir, "f")
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, "other"), nil, 0o600); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte("spoilt"), 0o600); err != nil {
			return err
		}
		if string(content) == "ab" || string(content) == ".." {
			return nil
		}
		return errors.New("half: " + string(content))
	})
	result, err := crash.Replay(t.Context(), crash.Run{
		Dir: "/d", Before: map[string][]byte{"f": []byte("..")},
		Ops: []tracer.Op{
			{Kind: tracer.Write, Path: "/d/f", Data: []byte("a")},
			{Kind: tracer.Said, Data: []byte("x")},
			{Kind: tracer.Write, Path: "/d/f", Offset: 1, Data: []byte("b")},
		},
		Judge: func() crash.Judge { return spoils },
	}, crash.Options{Bound: crash.Bound{AllOf: 10}, Workers: 1})
	if err != nil || result.States != 4 || result.Calls != 2 || len(result.Wrong) != 2 {
		t.Errorf("%+v, %v; want 4 states, 2 of them wrong", result, err)
	}
}

type judge func(dir string) error

func (judge) Said([]byte)              {}
func (j judge) Check(dir string) error { return j(dir) }
