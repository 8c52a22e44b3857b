package serialscan

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"payscand/device"
	"payscand/device/devicetest"
	"payscand/device/usb"
)

// serialTree is a machine on which tests plug USB scanners in serial mode.
type serialTree struct {
	usb.Tree
	t *testing.T
}

func newSerialTree(t *testing.T) serialTree {
	return serialTree{usb.Tree{Sys: t.TempDir(), Dev: t.TempDir()}, t}
}

// plug makes a port under a name, of the device with a serial number, and returns
// the scanner behind it.
func (m serialTree) plug(port, serial string, number int) *devicetest.PTY {
	m.t.Helper()
	folder := filepath.Join(m.Sys, "devices/usb1/1-"+port)
	below := filepath.Join(folder, "1-"+port+":1.0")
	for path, content := range map[string]string{
		filepath.Join(folder, "idVendor"): "05f9", filepath.Join(folder, "idProduct"): "4204", filepath.Join(folder, "serial"): serial,
		filepath.Join(folder, "busnum"): "1", filepath.Join(folder, "devnum"): fmt.Sprint(number),
		filepath.Join(below, "bInterfaceNumber"): "00",
	} {
		m.must(os.MkdirAll(filepath.Dir(path), 0o755))
		m.must(os.WriteFile(path, []byte(content+"\n"), 0o600))
	}
	tty := filepath.Join(m.Sys, "class/tty", port)
	m.must(os.MkdirAll(tty, 0o755))
	m.must(os.Symlink(below, filepath.Join(tty, "device")))
	virtual, err := devicetest.NewPTY(filepath.Join(m.Dev, port))
	m.must(err)
	m.t.Cleanup(func() { _ = virtual.Close() })
	return virtual
}

func (m serialTree) unplug(port string, virtual *devicetest.PTY) {
	m.t.Helper()
	m.must(os.RemoveAll(filepath.Join(m.Sys, "class/tty", port)))
	m.must(os.RemoveAll(filepath.Join(m.Sys, "devices/usb1/1-"+port)))
	m.must(virtual.Unplug())
}

func (m serialTree) must(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

// A scanner that is named by its USB ids is found whatever number its port has,
// when it is plugged in again too; ports of others are never opened.
func TestPortByUSBIdentity(t *testing.T) {
	machine := newSerialTree(t)
	other := machine.plug("ttyACM0", "another", 1)
	first := machine.plug("ttyACM1", "S1", 2)
	scanner, err := New(Config{USB: usb.ID{Vendor: 0x05f9, Product: 0x4204, Serial: "S1"}, Terminator: device.TerminatorCR}, new(device.Arming))
	machine.must(err)
	scanner.tree = machine.Tree
	sink, done := make(reports, 16), make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { defer close(done); scanner.Run(ctx, sink) }()
	defer func() { cancel(); <-done }()
	sink.expectState(t, device.StateReady)
	machine.must(other.Scan("91"))
	machine.must(first.Scan("281"))
	sink.expectScan(t, "281")
	machine.unplug("ttyACM1", first)
	status := sink.expectState(t, device.StateMissing)
	if status.Device != "serial:05f9:4204:S1" {
		t.Errorf("device %q", status.Device)
	}
	again := machine.plug("ttyACM5", "S1", 3)
	sink.expectState(t, device.StateReady)
	machine.must(again.Scan("282"))
	sink.expectScan(t, "282")
}

// What cannot be told for certain is refused, with the state and what to do.
func TestPathOf(t *testing.T) {
	machine := newSerialTree(t)
	id := usb.ID{Vendor: 0x05f9, Product: 0x4204}
	zero, one := 0, 1
	state := func(config Config) (string, *openError) {
		path, err := pathOf(config, machine.Tree)
		refused, _ := errors.AsType[*openError](err)
		return path, refused
	}
	if _, refused := state(Config{USB: id}); refused == nil || refused.state != device.StateMissing || !strings.Contains(refused.detail, "05f9:4204") {
		t.Errorf("nothing there: %v", refused)
	}
	machine.plug("ttyACM0", "S0", 1)
	for _, config := range []Config{{USB: id}, {USB: id, Interface: &zero}, {USB: usb.ID{Vendor: 0x05f9, Product: 0x4204, Serial: "S0"}}} {
		if path, refused := state(config); path != filepath.Join(machine.Dev, "ttyACM0") {
			t.Errorf("%+v: %q, %v", config, path, refused)
		}
	}
	if _, refused := state(Config{USB: id, Interface: &one}); refused == nil || refused.state != device.StateMissing {
		t.Errorf("another interface: %v", refused)
	}
	machine.plug("ttyACM1", "S1", 2)
	if _, refused := state(Config{USB: id}); refused == nil || refused.state != device.StateFailed || !strings.Contains(refused.detail, "serial number") {
		t.Errorf("two of them: %v", refused)
	}
}
