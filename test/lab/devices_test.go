package lab

import (
	"strings"
	"syscall"
	"testing"

	"payscand/api/client"
	"payscand/internal/devices"
	"payscand/test/lab/wire"
)

// TestDevices: payscand devices test reads a scanner that is plugged in while it runs and says how it is set up, and
// devices watch tells it once when it comes and once when it goes, though a program took it meanwhile.
func TestDevices(t *testing.T) {
	const watching, trying = "watching", "trying"
	m := guest(t)
	register, err := client.New(m.api.URL, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(register.Close)
	s := &shop{machine: m, t: t, register: register}
	begin := func(name string, arguments ...string) {
		as := member
		as.Name, as.Args = name, append([]string{"devices"}, arguments...)
		do[wire.Nothing](t, m, wire.Start, as)
	}
	inspect := func(name string) wire.Process {
		return do[wire.Process](t, m, wire.Inspect, wire.Name{Name: name})
	}
	says := func(name, text string) {
		s.until(name+" says "+text, func() bool { return strings.Contains(inspect(name).Output, text) })
	}
	scanner := posScanner("HID POS", 2, wire.Identity{VendorID: 0x0c2e, ProductID: 0x0b81}, layoutA)

	begin(watching, "watch")
	says(watching, "present")
	begin(trying, "test", "--sheet", "")
	says(trying, "scan code A")
	scanner.plug(t, m)
	says(trying, "listening to")
	for _, code := range devices.Codes() {
		says(trying, "scan code "+code.Name)
		scanner.scan(t, m, code.Text)
	}
	s.until("the test is over", func() bool { return !inspect(trying).Running })
	scanner.unplug(t, m)
	says(watching, "unplugged")
	do[wire.Nothing](t, m, wire.Signal, wire.SignalProcess{Name: watching, Signal: int(syscall.SIGINT), Ends: true})

	ended := inspect(trying)
	if ended.Status != 0 || !strings.Contains(ended.Output, "product_id = 0x0b81") || strings.Contains(ended.Output, "is held by") {
		t.Errorf("devices test ended with status %d:\n%s", ended.Status, ended.Output)
	}
	if told := inspect(watching).Output; strings.Count(told, "0c2e:0b81") != 2 {
		t.Errorf("devices watch said:\n%s", told)
	}
}
