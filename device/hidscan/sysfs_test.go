package hidscan

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"payscand/device"
)

func emptyTree(t *testing.T, devices ...fakeDevice) tree {
	t.Helper()
	tree := fakeTree(t)
	for i, d := range devices {
		if err := tree.plug(d, i+1); err != nil {
			t.Fatal(err)
		}
	}
	return tree
}

func configured() Config { return Config{VendorID: 0x05e0, ProductID: 0x1900}.WithDefaults() }

// The configured scanner is found beside other devices, by its ids and where
// need be by serial number or interface, and its reports' form is known before
// it is opened.
func TestFind(t *testing.T) {
	keyboard := fakeDevice{name: "1-1", vendor: "046d", product: "c31c",
		interfaces: []fakeInterface{{driver: "usbhid", descriptor: bootDescriptor}}}
	second := zebra()
	second.name, second.serial = "2-3.4.1", "S/N:0002"
	twoKeyboards := zebra()
	twoKeyboards.interfaces = append(twoKeyboards.interfaces, fakeInterface{number: 1, driver: "usbhid", descriptor: compositeDescriptor})
	withPOS := zebra()
	withPOS.interfaces = []fakeInterface{
		{number: 0, driver: "usbhid", protocol: "00", descriptor: posDescriptor},
		{number: 1, class: "08"},
		{number: 12, driver: "usbhid", descriptor: bootDescriptor},
	}
	killed := zebra()
	killed.interfaces = []fakeInterface{{}}
	pos := fakeDevice{name: "3-1", vendor: "0c2e", product: "0b01",
		interfaces: []fakeInterface{{driver: "usbhid", subclass: "00", protocol: "00", descriptor: posDescriptorA, packet: 64}}}
	ibm := fakeDevice{name: "3-2", vendor: "05e0", product: "1300",
		interfaces: []fakeInterface{{driver: "usbhid", subclass: "00", protocol: "00", descriptor: ibmDescriptor, packet: 64}}}
	one := 1
	byMode := func(mode Mode) func(*Config) { return func(c *Config) { *c = Config{Mode: mode}.WithDefaults() } }
	type want struct {
		path, node string
		mode       Mode
		packet     int
	}
	for _, test := range []struct {
		name    string
		devices []fakeDevice
		change  func(*Config)
		want    want
	}{
		{"alone", []fakeDevice{zebra()}, nil, want{"1-1.2:1.0", "001/001", ModeKeyboard, 0}},
		{"beside a keyboard", []fakeDevice{keyboard, zebra()}, nil, want{"1-1.2:1.0", "001/002", ModeKeyboard, 0}},
		{"by serial number", []fakeDevice{zebra(), second}, func(c *Config) { c.Serial = "S/N:0002" }, want{"2-3.4.1:1.0", "001/002", ModeKeyboard, 0}},
		{"by interface", []fakeDevice{twoKeyboards}, func(c *Config) { c.Interface = &one }, want{"1-1.2:1.1", "001/001", ModeKeyboard, 0}},
		{"HID POS before keyboard", []fakeDevice{withPOS}, nil, want{"1-1.2:1.0", "001/001", ModePOS, 0}},
		{"the only keyboard of a device", []fakeDevice{withPOS}, func(c *Config) { c.Mode = ModeKeyboard }, want{"1-1.2:1.12", "001/001", ModeKeyboard, 0}},
		{"without a driver after a kill", []fakeDevice{killed}, nil, want{"1-1.2:1.0", "001/001", ModeKeyboard, 0}},
		{"HID POS by type alone", []fakeDevice{keyboard, pos, ibm}, byMode(""), want{"3-1:1.0", "001/002", ModePOS, 64}},
		{"IBM by type alone", []fakeDevice{keyboard, pos, ibm}, byMode(ModeIBM), want{"3-2:1.0", "001/003", ModeIBM, 64}},
	} {
		t.Run(test.name, func(t *testing.T) {
			tree, config := emptyTree(t, test.devices...), configured()
			if test.change != nil {
				test.change(&config)
			}
			got, err := tree.find(config)
			if err != nil {
				t.Fatal(err)
			}
			test.want.node = filepath.Join(tree.Dev, "bus/usb", test.want.node)
			if found := (want{got.path, got.node, got.protocol.mode, got.packet}); found != test.want {
				t.Errorf("found %+v, want %+v", found, test.want)
			}
		})
	}
}

// change2 is two devices with another descriptor.
func change2(descriptor []byte) []fakeDevice {
	first, second := zebra(), zebra()
	second.name = "1-2"
	first.interfaces[0].descriptor = descriptor
	second.interfaces = []fakeInterface{first.interfaces[0]}
	return []fakeDevice{first, second}
}

// What cannot be opened for certain is not opened: the refusal has the state and
// says what to do. A keyboard that was not configured is never a candidate.
func TestRefusals(t *testing.T) {
	change := func(change func(*fakeDevice)) []fakeDevice {
		d := zebra()
		change(&d)
		return []fakeDevice{d}
	}
	twin := zebra()
	twin.name = "1-2"
	nine := 9
	for _, test := range []struct {
		name    string
		devices []fakeDevice
		change  func(*Config)
		state   device.State
		says    string
	}{
		{"no USB", nil, nil, device.StateMissing, "05e0:1900"},
		{"other keyboard only", change(func(d *fakeDevice) { d.product = "1901" }), nil, device.StateMissing, "devices list"},
		{"other vendor", change(func(d *fakeDevice) { d.vendor = "05e1" }), nil, device.StateMissing, "devices list"},
		{"other serial number", []fakeDevice{zebra()}, func(c *Config) { c.Serial = "S/N:0002" }, device.StateMissing, `"S/N:0002"`},
		{"two of a kind", []fakeDevice{zebra(), twin}, nil, device.StateFailed, "serial number"},
		{"two with one serial number", []fakeDevice{zebra(), twin}, func(c *Config) { c.Serial = "S/N:0001" }, device.StateFailed, "unplug the others"},
		{"two keyboards in one", change(func(d *fakeDevice) {
			d.interfaces = append(d.interfaces, fakeInterface{number: 1, driver: "usbhid", descriptor: bootDescriptor})
		}), nil, device.StateFailed, "number of the interface"},
		{"no such interface", []fakeDevice{zebra()}, func(c *Config) { c.Interface = &nine }, device.StateFailed, "number 9"},
		{"HID POS, not asked for", change(func(d *fakeDevice) { d.interfaces[0].descriptor = posDescriptorA }), func(c *Config) { c.Mode = ModeKeyboard }, device.StateFailed, "HID POS"},
		{"keyboard, by type alone", []fakeDevice{zebra()}, func(c *Config) { *c = Config{}.WithDefaults() }, device.StateMissing, "HID POS mode"},
		{"two HID POS scanners, by type alone", change2(posDescriptorA), func(c *Config) { *c = Config{}.WithDefaults() }, device.StateFailed, "vendor_id"},
		{"HID POS without data", change(func(d *fakeDevice) { d.interfaces[0].descriptor = []byte{0x05, 0x8c, 0x09, 0x02, 0xa1, 0x01, 0xc0} }), nil, device.StateFailed, "form"},
		{"serial mode", change(func(d *fakeDevice) { d.interfaces[0].class = "02" }), nil, device.StateFailed, "serial scanner"},
		{"bitmap keyboard", change(func(d *fakeDevice) { d.interfaces[0].descriptor = bitmapDescriptor }), nil, device.StateFailed, "form"},
		{"malformed descriptor", change(func(d *fakeDevice) { d.interfaces[0].descriptor = []byte{0xc0} }), nil, device.StateFailed, "plug it in again"},
		{"held by another program", change(func(d *fakeDevice) { d.interfaces[0].driver, d.interfaces[0].descriptor = "usbfs", nil }), nil, device.StateBusy, "another program"},
		{"driverless, not a boot keyboard", change(func(d *fakeDevice) { d.interfaces[0] = fakeInterface{protocol: "00"} }), nil, device.StateFailed, "plug it in again"},
	} {
		t.Run(test.name, func(t *testing.T) {
			config := configured()
			if test.change != nil {
				test.change(&config)
			}
			_, err := emptyTree(t, test.devices...).find(config)
			var refused *refusal
			if !errors.As(err, &refused) || refused.state != test.state || !strings.Contains(refused.detail, test.says) {
				t.Errorf("%v, want state %s with %q", err, test.state, test.says)
			}
		})
	}
}

// Each cause of a device node that cannot be opened has the state that tells
// people what to do; without access, the detail names the udev rule.
func TestExplainAccess(t *testing.T) {
	for cause, want := range map[error]device.State{
		unix.EACCES: device.StateDenied,
		unix.EPERM:  device.StateDenied,
		unix.ENODEV: device.StateMissing,
		unix.ENXIO:  device.StateMissing,
		unix.ENOENT: device.StateFailed,
		unix.EMFILE: device.StateFailed,
	} {
		if got := explainAccess(configured(), "/dev/bus/usb/001/004", fmt.Errorf("wrapped: %w", cause)); got.state != want {
			t.Errorf("%v: %s, want %s", cause, got.state, want)
		}
	}
	denied := explainAccess(configured(), "/dev/bus/usb/001/004", fs.ErrPermission).detail
	for _, part := range []string{"/dev/bus/usb/001/004", "70-payscand-scanner.rules", "udevadm control --reload"} {
		if !strings.Contains(denied, part) {
			t.Errorf("the detail lacks %s: %s", part, denied)
		}
	}
	node := filepath.Join(t.TempDir(), "node")
	if err := checkAccess(configured(), node); err == nil {
		t.Error("a node that is not there can be opened")
	}
	if err := os.WriteFile(node, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := checkAccess(configured(), node); err != nil {
		t.Error(err)
	}
}
