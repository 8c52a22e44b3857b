package hidscan

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"payscand/device"
	"payscand/device/usb"
)

// bootDescriptor is the keyboard of HID 1.11, appendix E.6, as scanners send it.
var bootDescriptor = []byte{
	0x05, 0x01, 0x09, 0x06, 0xa1, 0x01, // generic desktop, keyboard, application
	0x05, 0x07, 0x19, 0xe0, 0x29, 0xe7, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01, 0x95, 0x08, 0x81, 0x02, // modifiers
	0x95, 0x01, 0x75, 0x08, 0x81, 0x01, // reserved byte
	0x95, 0x05, 0x75, 0x01, 0x05, 0x08, 0x19, 0x01, 0x29, 0x05, 0x91, 0x02, // LEDs
	0x95, 0x01, 0x75, 0x03, 0x91, 0x01,
	0x95, 0x06, 0x75, 0x08, 0x15, 0x00, 0x25, 0x65, 0x05, 0x07, 0x19, 0x00, 0x29, 0x65, 0x81, 0x00, // keys
	0xc0,
}

// errGone is what the library returns from a read after an unplug.
var errGone = errors.New("hidapi: hid_error is not implemented yet")

// The characters of a US keyboard by usage, from 0x04 on, in two rows; a NUL is a
// key that types nothing. This is the tests' own table.
const (
	usPlain   = "abcdefghijklmnopqrstuvwxyz1234567890\r\x00\x00\t -=[]\\\\;'`,./"
	usShifted = "ABCDEFGHIJKLMNOPQRSTUVWXYZ!@#$%^&*()\r\x00\x00\x00 _+{}||:\"~<>?"
)

// strokes returns the boot reports that type text: each key goes down and up.
func strokes(text string) [][]byte {
	var reports [][]byte
	for _, character := range []byte(text) {
		modifiers, key := byte(0), strings.IndexByte(usPlain, character)
		if key < 0 {
			modifiers, key = 0x02, strings.IndexByte(usShifted, character)
		}
		if key < 0 || character == 0 {
			panic(fmt.Sprintf("no key types %q", character))
		}
		reports = append(reports, []byte{modifiers, 0, byte(key + 4), 0, 0, 0, 0, 0}, make([]byte, 8))
	}
	return reports
}

// fakeUSB is a USB bus with the sysfs and /dev trees of one virtual scanner, and
// the library that opens it. It implements conformance.Virtual.
type fakeUSB struct {
	t    *testing.T
	tree tree
	spec fakeDevice

	mu      sync.Mutex
	number  int
	opened  *fakeHandle // nil while not open
	gone    bool
	told    [][]byte // feature reports
	refuses bool     // to take them
	changed *sync.Cond
}

// fakeDevice is what sysfs shows.
type fakeDevice struct {
	name, vendor, product, serial string
	interfaces                    []fakeInterface
}

type fakeInterface struct {
	number     int
	class      string // default 03
	protocol   string // default 01: keyboard
	subclass   string // default 01: boot
	driver     string
	descriptor []byte
	packet     int // of its interrupt endpoint; 0: none
}

func zebra() fakeDevice {
	return fakeDevice{
		name: "1-1.2", vendor: "05e0", product: "1900", serial: "S/N:0001",
		interfaces: []fakeInterface{{driver: "usbhid", descriptor: bootDescriptor}},
	}
}

// newFakeUSB returns a bus with the device plugged in.
func newFakeUSB(t *testing.T, spec fakeDevice) *fakeUSB {
	t.Helper()
	u := &fakeUSB{t: t, tree: fakeTree(t), spec: spec, gone: true}
	u.changed = sync.NewCond(&u.mu)
	if err := u.Plug(); err != nil {
		t.Fatal(err)
	}
	return u
}

// scanner returns a scanner that reads u.
func (u *fakeUSB) scanner(t *testing.T, config Config, arming *device.Arming) *Scanner {
	t.Helper()
	config.VendorID, config.ProductID = 0x05e0, 0x1900
	s, err := New(config, arming)
	if err != nil {
		t.Fatal(err)
	}
	s.tree, s.open = u.tree, u.open
	s.listen = func() *device.PlugNews { return new(device.PlugNews) } // looks often, on a bubble's clock too
	return s
}

func (u *fakeUSB) Plug() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.gone {
		return nil
	}
	u.gone = false
	u.number++
	return u.tree.plug(u.spec, u.number)
}

func (u *fakeUSB) Unplug() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.gone {
		return nil
	}
	u.gone = true
	if u.opened != nil {
		u.opened.wake()
	}
	u.changed.Broadcast()
	return u.tree.unplug(u.spec)
}

// open is the library's Open.
func (u *fakeUSB) open(path string) (handle, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.gone || !strings.HasPrefix(path, u.spec.name+":") {
		return nil, errors.New("hidapi: failed to open device")
	}
	if u.opened != nil {
		u.t.Error("the device is opened a second time")
	}
	u.opened = &fakeHandle{usb: u, arrived: make(chan struct{}, 1)}
	u.changed.Broadcast()
	return u.opened, nil
}

// Write types text, each report as soon as the driver has found the queue empty:
// as slowly as a USB keyboard is, measured by its reader.
func (u *fakeUSB) Write(text []byte) (int, error) {
	for _, report := range strokes(string(text)) {
		if err := u.send(report); err != nil {
			return 0, err
		}
	}
	return len(text), nil
}

func (u *fakeUSB) Scan(code string) error {
	_, err := u.Write([]byte(code + "\r"))
	return err
}

func (u *fakeUSB) send(report []byte) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	for !u.gone && (u.opened == nil || !u.opened.foundEmpty) {
		u.changed.Wait()
	}
	if u.gone {
		return errors.New("the virtual scanner is unplugged")
	}
	u.opened.push(report)
	return nil
}

// burst sends reports that all come before the driver reads the first.
func (u *fakeUSB) burst(reports ...[]byte) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, report := range reports {
		u.opened.push(report)
	}
}

// fakeHandle is an open device with the library's queue. It reports what the
// real library answers with a crash: any use after Close or beside it.
type fakeHandle struct {
	usb        *fakeUSB
	queue      [][]byte
	foundEmpty bool // by the reader, since the last report
	reading    bool
	closed     bool
	arrived    chan struct{}
}

// push is hidapi's read_callback: 32 reports are kept, then the oldest is dropped.
func (h *fakeHandle) push(report []byte) {
	h.queue = append(h.queue, report)
	if len(h.queue) > 32 {
		h.queue = h.queue[1:]
	}
	h.foundEmpty = false
	h.wake()
}

func (h *fakeHandle) wake() {
	select {
	case h.arrived <- struct{}{}:
	default:
	}
}

func (h *fakeHandle) ReadTimeout(buffer []byte, milliseconds int) (int, error) {
	h.usb.mu.Lock()
	defer h.usb.mu.Unlock()
	if h.closed || h.reading {
		h.usb.t.Error("the device is read after its Close or twice at a time")
	}
	h.reading = true
	defer func() { h.reading = false }()
	var timeout <-chan time.Time
	if milliseconds > 0 {
		timer := time.NewTimer(time.Duration(milliseconds) * time.Millisecond)
		defer timer.Stop()
		timeout = timer.C
	}
	for {
		switch {
		case len(h.queue) > 0:
			n := copy(buffer, h.queue[0])
			h.queue = h.queue[1:]
			return n, nil
		case h.usb.gone:
			return 0, errGone
		}
		h.foundEmpty = true
		h.usb.changed.Broadcast()
		if milliseconds == 0 {
			return 0, nil
		}
		h.usb.mu.Unlock()
		expired := false
		select {
		case <-h.arrived:
		case <-timeout:
			expired = true
		}
		h.usb.mu.Lock()
		if expired {
			return 0, nil
		}
	}
}

func (h *fakeHandle) Close() error {
	h.usb.mu.Lock()
	defer h.usb.mu.Unlock()
	if h.reading {
		h.usb.t.Error("the device is closed while it is read")
	}
	h.closed = true
	h.usb.opened = nil
	return nil
}

// fakeTree is an empty tree in which no driver can be attached.
func fakeTree(t *testing.T) tree {
	return tree{usb.Tree{Sys: t.TempDir(), Dev: t.TempDir()}, func(string, usb.Interface) error { return os.ErrPermission }}
}

// SendFeatureReport keeps what the driver tells the scanner.
func (h *fakeHandle) SendFeatureReport(report []byte) (int, error) {
	h.usb.mu.Lock()
	defer h.usb.mu.Unlock()
	if h.usb.refuses {
		return -1, errors.New("hidapi: hid_error is not implemented yet")
	}
	h.usb.told = append(h.usb.told, bytes.Clone(report))
	return len(report), nil
}

// plug writes a device into the trees as the kernel would.
func (t tree) plug(d fakeDevice, number int) error {
	devices := filepath.Join(t.Sys, "bus/usb/devices")
	folder := filepath.Join(devices, d.name)
	files := map[string]string{
		filepath.Join(folder, "idVendor"):                             d.vendor,
		filepath.Join(folder, "idProduct"):                            d.product,
		filepath.Join(folder, "busnum"):                               "1",
		filepath.Join(folder, "devnum"):                               fmt.Sprint(number),
		filepath.Join(t.Dev, fmt.Sprintf("bus/usb/001/%03d", number)): "",
	}
	if d.serial != "" {
		files[filepath.Join(folder, "serial")] = d.serial
	}
	for _, i := range d.interfaces {
		below := filepath.Join(devices, fmt.Sprintf("%s:1.%d", d.name, i.number))
		files[filepath.Join(below, "bInterfaceNumber")] = fmt.Sprintf("%02x", i.number)
		files[filepath.Join(below, "bInterfaceClass")] = or(i.class, "03")
		files[filepath.Join(below, "bInterfaceSubClass")] = or(i.subclass, "01")
		if i.packet > 0 {
			files[filepath.Join(below, "ep_81/type")] = "Interrupt"
			files[filepath.Join(below, "ep_81/wMaxPacketSize")] = fmt.Sprintf("%04x", i.packet)
		}
		files[filepath.Join(below, "bInterfaceProtocol")] = or(i.protocol, "01")
		if i.descriptor != nil {
			files[filepath.Join(below, "0003:05E0:1900.0001/report_descriptor")] = string(i.descriptor)
		}
	}
	for path, content := range files {
		if content != "" && filepath.Base(path) != "report_descriptor" {
			content += "\n"
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			return err
		}
	}
	for _, i := range d.interfaces {
		if i.driver == "" {
			continue
		}
		link := filepath.Join(devices, fmt.Sprintf("%s:1.%d", d.name, i.number), "driver")
		if err := os.Symlink("../../../../bus/usb/drivers/"+i.driver, link); err != nil {
			return err
		}
	}
	return nil
}

func (t tree) unplug(d fakeDevice) error {
	devices := filepath.Join(t.Sys, "bus/usb/devices")
	err := os.RemoveAll(filepath.Join(devices, d.name))
	for _, i := range d.interfaces {
		err = errors.Join(err, os.RemoveAll(filepath.Join(devices, fmt.Sprintf("%s:1.%d", d.name, i.number))))
	}
	return err
}

func or(value, fallback string) string {
	if value == "" {
		return fallback
	}
	return value
}
