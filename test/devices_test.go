package test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"payscand/device/devicetest"
	"payscand/internal/devices"
)

// scanTheSheet plugs a virtual serial scanner, runs a devices command that asks it for the codes of the sheet, and sends
// each with a prefix and Enter.
func scanTheSheet(t *testing.T, prefix string, arguments ...string) (c *command, port string) {
	t.Helper()
	folder := t.TempDir()
	virtual, err := devicetest.NewPTY(filepath.Join(folder, "scanner"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = virtual.Close() })
	sheet := filepath.Join(folder, "sheet.html")
	c = start(t, nil, append([]string{"devices"}, append(arguments, "--device", virtual.Path(), "--sheet", sheet)...)...)
	codes := devices.Codes()
	if arguments[0] == "pair" {
		codes = codes[:1]
	}
	for _, code := range codes {
		c.awaitText("scan code " + code.Name)
		if err := virtual.Scan(prefix + code.Text); err != nil {
			t.Fatal(err)
		}
	}
	if page, err := os.ReadFile(sheet); err != nil || !strings.Contains(string(page), "data:image/png") {
		t.Errorf("the sheet was not written: %v", err)
	}
	return c, virtual.Path()
}

// TestDevicesTest: a scanner that is set up in one way for all codes is right, and the lines that are printed make a
// configuration that is good and reads it.
func TestDevicesTest(t *testing.T) {
	t.Parallel()
	c, port := scanTheSheet(t, "]C0S1-", "test")
	if status := c.exit(); status != 0 {
		t.Fatalf("status %d:\n%s", status, c.out.String())
	}
	for _, part := range []string{"[[scanner]]", `port = "` + port + `"`, `terminator = "cr"`, `prefix = "S1-"`} {
		if !strings.Contains(c.printed.String(), part) {
			t.Errorf("%s is not in what was printed:\n%s", part, c.printed.String())
		}
	}
}

// TestDevicesPairWrites: pairing adds the scanner to a configuration once, and leaves one alone that would not be good
// with it.
func TestDevicesPairWrites(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	before, err := os.ReadFile(s.Config())
	s.must(err)
	path := filepath.Join(filepath.Dir(s.Config()), "paired.toml") // beside the keys that it names
	s.must(os.WriteFile(path, before, 0o600))

	c, port := scanTheSheet(t, "", "pair", "--json", "--write", "--config", path)
	if status := c.exit(); status != 0 {
		t.Fatalf("status %d:\n%s", status, c.out.String())
	}
	var report devices.Report
	if err := json.Unmarshal([]byte(c.printed.String()), &report); err != nil || !report.Right || report.Device.Port != port {
		t.Errorf("%+v, %v:\n%s", report, err, c.printed.String())
	}
	after, err := os.ReadFile(path)
	s.must(err)
	if !bytes.HasPrefix(after, before) || !strings.HasSuffix(string(after), report.Configuration) {
		t.Errorf("the configuration now is:\n%s", after)
	}
	if printed, status := runProgram(t, "config", "check", path, "--without-keys"); status != 0 {
		t.Errorf("config check: %s", printed)
	}

	s.must(os.WriteFile(path, []byte("[terminal]\ncode = 5\n"), 0o600))
	c, _ = scanTheSheet(t, "", "pair", "--write", "--config", path)
	if status := c.exit(); status != 78 || !strings.Contains(c.out.String(), "nothing was written") {
		t.Errorf("status %d:\n%s", status, c.out.String())
	}
	if now, err := os.ReadFile(path); err != nil || string(now) != "[terminal]\ncode = 5\n" {
		t.Errorf("the configuration now is %q, %v", now, err)
	}
}

// TestDevicesPairOnAFullDisk: a configuration for which there is no room stays as it was, not with half a table.
func TestDevicesPairOnAFullDisk(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	before, err := os.ReadFile(s.Config())
	s.must(err)
	path := filepath.Join(filepath.Dir(s.Config()), "full.toml")
	s.must(os.WriteFile(path, before, 0o600))
	virtual, err := devicetest.NewPTY(filepath.Join(t.TempDir(), "scanner"))
	s.must(err)
	t.Cleanup(func() { _ = virtual.Close() })
	c := start(t, nil, "devices", "pair", "--write", "--config", path, "--device", virtual.Path(), "--sheet", "")
	c.awaitText("scan code A")
	room := uint64(len(before) + 20)
	s.must(unix.Prlimit(c.cmd.Process.Pid, unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: room, Max: room}, nil))
	s.must(virtual.Scan(devices.Codes()[0].Text))
	if status := c.exit(); status != 1 || !strings.Contains(c.out.String(), "nothing was written") {
		t.Errorf("status %d:\n%s", status, c.out.String())
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, before) {
		t.Errorf("the configuration now ends with %q, %v", after[len(before):], err)
	}
}

// TestDevicesSayWhoHolds: a scanner that the daemon reads is left to it, and the command says so.
func TestDevicesSayWhoHolds(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	printed, status := runProgram(t, "devices", "test", "--device", s.Scanner.Path(), "--sheet", "")
	if status != 1 || !strings.Contains(printed, "payscand (process") || !strings.Contains(printed, "stop the daemon first") {
		t.Errorf("status %d: %s", status, printed)
	}
	s.pay(s.sell(2200), s.code(paidAtOnce))
}

// TestDevicesList: the list is JSON line by line, and a device that is not there is said not to be.
func TestDevicesList(t *testing.T) {
	t.Parallel()
	c := start(t, nil, "devices", "list", "--json")
	if status := c.exit(); status != 0 {
		t.Fatalf("status %d: %s", status, c.out.String())
	}
	for line := range strings.Lines(c.printed.String()) {
		var d devices.Device
		if err := json.Unmarshal([]byte(line), &d); err != nil || d.What == "" || d.Node == "" {
			t.Errorf("%s: %v", line, err)
		}
	}
	printed, status := runProgram(t, "devices", "test", "--device", "ffff:ffff", "--sheet", "")
	if status != 1 || !strings.Contains(printed, "no such device") {
		t.Errorf("status %d: %s", status, printed)
	}
}
