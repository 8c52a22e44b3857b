package devicetest

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func newPTY(t *testing.T, link string) *PTY {
	t.Helper()
	p, err := NewPTY(link)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// open opens the port as a driver would, without changing its settings.
func open(t *testing.T, p *PTY) *os.File {
	t.Helper()
	port, err := os.OpenFile(p.Path(), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = port.Close() })
	return port
}

// What is written arrives byte for byte, control characters included, though
// the reader sets nothing; nothing is echoed back to the scanner.
func TestBytesArriveRaw(t *testing.T) {
	p := newPTY(t, filepath.Join(t.TempDir(), "port"))
	port := open(t, p)
	const sent = "\x03\x04\x112812\n34\t\x7f\x00\xff"
	if _, err := p.Write([]byte(sent)); err != nil {
		t.Fatal(err)
	}
	if err := p.Scan("56"); err != nil {
		t.Fatal(err)
	}
	var got []byte
	for buffer := make([]byte, 64); len(got) < len(sent)+3; {
		n, err := port.Read(buffer)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, buffer[:n]...)
	}
	if string(got) != sent+"56\r" {
		t.Errorf("got %q", got)
	}
	// What the reader writes is what the scanner finds first: no echo before it.
	if _, err := port.WriteString("!"); err != nil {
		t.Fatal(err)
	}
	back := make([]byte, 64)
	if n, err := p.master.Read(back); err != nil || string(back[:n]) != "!" {
		t.Errorf("the scanner received %q, %v", back[:n], err)
	}
}

// Unplugging removes the port, hangs up its reader and refuses writes; plugging
// brings the port back under the same path. Both can be repeated.
func TestUnplugAndPlug(t *testing.T) {
	p := newPTY(t, filepath.Join(t.TempDir(), "port"))
	for range 3 {
		port := open(t, p)
		for range 2 {
			if err := p.Unplug(); err != nil {
				t.Fatal(err)
			}
		}
		if n, err := port.Read(make([]byte, 8)); err == nil {
			t.Errorf("read %d bytes of an unplugged scanner", n)
		}
		if _, err := os.Lstat(p.Path()); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the port is still there: %v", err)
		}
		if err := p.Scan("1234"); !errors.Is(err, ErrUnplugged) {
			t.Errorf("scan of an unplugged scanner: %v", err)
		}
		for range 2 {
			if err := p.Plug(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// A link left by a killed program is replaced; a file is not.
func TestLinkPath(t *testing.T) {
	folder := t.TempDir()
	stale := filepath.Join(folder, "stale")
	if err := os.Symlink("/dev/pts/4000000", stale); err != nil {
		t.Fatal(err)
	}
	open(t, newPTY(t, stale))

	file := filepath.Join(folder, "file")
	if err := os.WriteFile(file, []byte("keep"), 0o600); err != nil {
		t.Fatal(err)
	}
	if p, err := NewPTY(file); err == nil {
		_ = p.Close()
		t.Error("a file was replaced")
	}
	if kept, err := os.ReadFile(file); err != nil || string(kept) != "keep" {
		t.Errorf("the file now holds %q, %v", kept, err)
	}
	if _, err := NewPTY(filepath.Join(folder, "absent", "port")); err == nil {
		t.Error("a scanner without a folder for its port")
	}
	left, err := os.ReadDir(folder)
	if err != nil || len(left) != 2 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
