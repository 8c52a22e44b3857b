package tracer_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"payscand/internal/tracer"
)

// The test runs itself as the program that is traced.
func TestMain(m *testing.M) {
	if dir := os.Getenv("TRACED"); dir != "" {
		if err := traced(dir); err != nil {
			fmt.Println(err)
			os.Exit(3)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// traced writes from many threads, one after the other: 20 pwrites of 8 bytes, each followed by fdatasync.
func traced(dir string) error {
	file, err := os.Create(filepath.Join(dir, "new"))
	if err != nil {
		return err
	}
	for i := range uint64(20) {
		var one sync.WaitGroup
		var failed error
		one.Go(func() {
			runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
			_, failed = file.WriteAt(binary.BigEndian.AppendUint64(nil, i), int64(i)*8)
			if failed == nil {
				failed = unix.Fdatasync(int(file.Fd()))
			}
		})
		if one.Wait(); failed != nil {
			return fmt.Errorf("%d: %w", i, failed)
		}
	}
	if err := file.Truncate(100); err != nil {
		return err
	}
	if err := os.Link(file.Name(), filepath.Join(dir, "second")); err != nil {
		return err
	}
	if err := os.Rename(file.Name(), filepath.Join(dir, "file")); err != nil {
		return err
	}
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	if err := folder.Sync(); err != nil {
		return err
	}
	fmt.Println("done")
	return os.Remove(filepath.Join(dir, "file"))
}

func run(t *testing.T, o tracer.Options) (status int, out string, tr *tracer.Tracer) {
	t.Helper()
	o.Dir = t.TempDir()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), "TRACED="+o.Dir)
	said, err := os.Create(filepath.Join(t.TempDir(), "said"))
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	command.Stdout = said
	tr = tracer.New(o)
	if status, err = tr.Run(command); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(said.Name())
	if err != nil {
		t.Fatal(err)
	}
	return status, string(text), tr
}

// Everything that a program does to the folder is recorded in its order, and what it said between.
func TestRecord(t *testing.T) {
	record, err := os.Create(filepath.Join(t.TempDir(), "ops"))
	if err != nil {
		t.Fatal(err)
	}
	status, out, tr := run(t, tracer.Options{Record: record})
	if status != 0 {
		t.Fatalf("status %d: %s", status, out)
	}
	ops, err := tracer.Load(record.Name())
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	for _, op := range ops {
		text := string(op.Kind) + " " + filepath.Base(op.Path)
		switch op.Kind {
		case tracer.Write:
			text += fmt.Sprintf(" %d %d", op.Offset, binary.BigEndian.Uint64(op.Data))
		case tracer.Truncate:
			text += fmt.Sprintf(" %d", op.Offset)
		case tracer.Rename, tracer.Link:
			text += " " + filepath.Base(op.To)
		case tracer.Said:
			text = "said " + strings.TrimSpace(string(op.Data))
		case tracer.Create, tracer.Sync, tracer.Remove:
		}
		got = append(got, text)
	}
	want = append(want, "create new")
	for i := range 20 {
		want = append(want, fmt.Sprintf("write new %d %d", i*8, i), "sync new")
	}
	dir := filepath.Base(filepath.Dir(ops[0].Path))
	want = append(want, "truncate new 100", "link new second", "rename new file", "sync "+dir, "said done", "remove file")
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("recorded\n%q\nwant\n%q", got, want)
	}
	if c := tr.Counts(); c["pwrite64"] != 20 || c["fdatasync"] != 20 || c["ftruncate"] != 1 {
		t.Errorf("counted %v", c)
	}
}

// The n-th call of all threads fails, with the error asked for, and has not been done.
func TestFault(t *testing.T) {
	for _, c := range []struct{ fault, said string }{
		{"pwrite64:7-7:EIO", "6: write"},
		{"pwrite64:20-:ENOSPC", "no space left on device"},
		{"fdatasync:5-5:EIO", "4: input/output error"},
		{"ftruncate:1-1:EROFS", "read-only file system"},
		{"fdatasync:1-:OK", "done"},
		{"fdatasync:21-:EIO", "done"},
	} {
		fault, err := tracer.ParseFault(c.fault)
		if err != nil || fault.String() != c.fault {
			t.Fatalf("%s is read as %s, %v", c.fault, fault, err)
		}
		var told bytes.Buffer
		status, out, _ := run(t, tracer.Options{Faults: []tracer.Fault{fault}, Told: &told})
		if fails := c.said != "done"; (status == 3) != fails || !strings.Contains(out, c.said) {
			t.Errorf("%s: status %d, said %q, want %q", c.fault, status, out, c.said)
		}
		if missed := c.fault == "fdatasync:21-:EIO"; (told.Len() == 0) != missed {
			t.Errorf("%s: told %q", c.fault, &told)
		}
	}
	for _, wrong := range []string{"", "fdatasync", "fdatasync:0-1:EIO", "fdatasync:2-1:EIO", "fdatasync:1:EIO", "read:1-1:EIO", "fsync:1-1:EWHAT"} {
		if _, err := tracer.ParseFault(wrong); err == nil {
			t.Errorf("%q is read as a fault", wrong)
		}
	}
}
