package usb_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"payscand/device/usb"
)

// machine is a tree with files as the kernel shows them.
func machine(t *testing.T, files map[string]string, links map[string]string) usb.Tree {
	t.Helper()
	tree := usb.Tree{Sys: t.TempDir(), Dev: "/dev"}
	for path, content := range files {
		path = filepath.Join(tree.Sys, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for path, target := range links {
		path = filepath.Join(tree.Sys, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join(tree.Sys, target), path); err != nil {
			t.Fatal(err)
		}
	}
	return tree
}

// counter is a counter's machine: a scanner in HID mode, one in CDC-ACM mode, an
// adapter with a scanner on it, a port of the computer, one that the kernel only
// thinks of, and a console.
func counter(t *testing.T) usb.Tree {
	return machine(t, map[string]string{
		"devices/usb1/1-1/idVendor": "05e0\n", "devices/usb1/1-1/idProduct": "1900\n", "devices/usb1/1-1/serial": "S/N:0001\n",
		"devices/usb1/1-1/busnum": "1\n", "devices/usb1/1-1/devnum": "12\n", "devices/usb1/1-1/manufacturer": "Symbol\n",
		"devices/usb1/1-1/product":                           "Bar Code Scanner \n",
		"devices/usb1/1-1/1-1:1.0/bInterfaceNumber":          "00\n",
		"devices/usb1/1-1/1-1:1.0/bInterfaceClass":           "03\n",
		"devices/usb1/1-1/1-1:1.0/bInterfaceSubClass":        "01\n",
		"devices/usb1/1-1/1-1:1.0/bInterfaceProtocol":        "01\n",
		"devices/usb1/1-1/1-1:1.0/ep_82/type":                "Bulk\n",
		"devices/usb1/1-1/1-1:1.0/ep_82/wMaxPacketSize":      "0200\n",
		"devices/usb1/1-1/1-1:1.0/ep_83/type":                "Interrupt\n",
		"devices/usb1/1-1/1-1:1.0/ep_83/wMaxPacketSize":      "1040\n",
		"devices/usb1/1-1/1-1:1.0/0003:X/report_descriptor":  "\x05\x01",
		"devices/usb1/1-2/idVendor":                          "05f9\n",
		"devices/usb1/1-2/idProduct":                         "4204\n",
		"devices/usb1/1-2/busnum":                            "1\n",
		"devices/usb1/1-2/devnum":                            "3\n",
		"devices/usb1/1-2/1-2:1.0/bInterfaceNumber":          "00\n",
		"devices/usb1/1-2/1-2:1.0/bInterfaceClass":           "02\n",
		"devices/usb1/1-2/1-2:1.0/tty/ttyACM7/dev":           "166:7\n",
		"devices/usb1/1-3/idVendor":                          "0403\n",
		"devices/usb1/1-3/idProduct":                         "6001\n",
		"devices/usb1/1-3/busnum":                            "1\n",
		"devices/usb1/1-3/devnum":                            "104\n",
		"devices/usb1/1-3/1-3:1.1/bInterfaceNumber":          "01\n",
		"devices/usb1/1-3/1-3:1.1/bInterfaceClass":           "ff\n",
		"devices/usb1/1-3/1-3:1.1/ttyUSB0/tty/ttyUSB0/dev":   "188:0\n",
		"devices/usb1/1-9/idVendor":                          "1111\n", // being unplugged
		"devices/pnp0/serial/tty/ttyS0/type":                 "4\n",
		"devices/pnp0/serial/tty/ttyS1/type":                 "0\n",
		"class/tty/console/dev":                              "5:1\n",
		"devices/usb1/1-1/1-1:1.0/drivers/usbhid/module_ref": "",
	}, map[string]string{
		"bus/usb/devices/1-1": "devices/usb1/1-1", "bus/usb/devices/1-1:1.0": "devices/usb1/1-1/1-1:1.0",
		"bus/usb/devices/1-2": "devices/usb1/1-2", "bus/usb/devices/1-2:1.0": "devices/usb1/1-2/1-2:1.0",
		"bus/usb/devices/1-3": "devices/usb1/1-3", "bus/usb/devices/1-3:1.1": "devices/usb1/1-3/1-3:1.1",
		"bus/usb/devices/1-9":                                 "devices/usb1/1-9",
		"devices/usb1/1-1/1-1:1.0/driver":                     "bus/usb/drivers/usbhid",
		"class/tty/ttyACM7":                                   "devices/usb1/1-2/1-2:1.0/tty/ttyACM7",
		"class/tty/ttyUSB0":                                   "devices/usb1/1-3/1-3:1.1/ttyUSB0/tty/ttyUSB0",
		"class/tty/ttyS0":                                     "devices/pnp0/serial/tty/ttyS0",
		"class/tty/ttyS1":                                     "devices/pnp0/serial/tty/ttyS1",
		"devices/usb1/1-2/1-2:1.0/tty/ttyACM7/device":         "devices/usb1/1-2/1-2:1.0",
		"devices/usb1/1-3/1-3:1.1/ttyUSB0/tty/ttyUSB0/device": "devices/usb1/1-3/1-3:1.1/ttyUSB0",
		"devices/pnp0/serial/tty/ttyS0/device":                "devices/pnp0/serial",
		"devices/pnp0/serial/tty/ttyS1/device":                "devices/pnp0/serial",
	})
}

// A device is told by its ids, names and node, its interfaces by what they are;
// one that is half gone is not told.
func TestDevices(t *testing.T) {
	devices := counter(t).Devices()
	if len(devices) != 3 {
		t.Fatalf("%d devices: %+v", len(devices), devices)
	}
	d := devices[0]
	if d.ID != (usb.ID{Vendor: 0x05e0, Product: 0x1900, Serial: "S/N:0001"}) || d.Node != "/dev/bus/usb/001/012" ||
		d.Manufacturer != "Symbol" || d.Name != "Bar Code Scanner" {
		t.Errorf("%+v", d)
	}
	want := []usb.Interface{{Path: "1-1:1.0", Class: 3, Subclass: 1, Protocol: 1, Driver: "usbhid", Packet: 64, Descriptor: []byte{5, 1}}}
	if diff := cmp.Diff(want, d.Interfaces()); diff != "" {
		t.Error(diff)
	}
	if !d.Interfaces()[0].IsBootKeyboard() || devices[1].Interfaces()[0].IsBootKeyboard() {
		t.Error("which one is a keyboard")
	}
	for id, is := range map[usb.ID]bool{
		{}: true, {Vendor: 0x05e0}: true, {Vendor: 0x05e0, Product: 0x1900, Serial: " S/N:0001 "}: true,
		{Vendor: 0x05e1}: false, {Product: 0x1901}: false, {Serial: "S/N:0002"}: false,
	} {
		if d.Is(id) != is {
			t.Errorf("%+v: %v", id, !is)
		}
	}
	if found := (usb.Tree{Sys: "/nowhere", Dev: "/dev"}).Devices(); found != nil {
		t.Errorf("without USB: %+v", found)
	}
}

// A port is told with the USB device that makes it, directly or through an
// adapter's driver; ports without a chip are not told.
func TestPorts(t *testing.T) {
	type port struct {
		path    string
		product uint16
		number  int
	}
	var got []port
	for _, p := range counter(t).Ports() {
		found := port{path: p.Path, number: p.Interface}
		if p.Device != nil {
			found.product = p.Device.Product
		}
		got = append(got, found)
	}
	want := []port{{"/dev/ttyACM7", 0x4204, 0}, {"/dev/ttyS0", 0, -1}, {"/dev/ttyUSB0", 0x6001, 1}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(port{})); diff != "" {
		t.Error(diff)
	}
}

// Control characters in what a device calls itself are left out.
func TestControlCharacters(t *testing.T) {
	tree := machine(t, map[string]string{
		"bus/usb/devices/1-1/idVendor": "05e0\n", "bus/usb/devices/1-1/idProduct": "1900\n",
		"bus/usb/devices/1-1/busnum": "1\n", "bus/usb/devices/1-1/devnum": "12\n",
		"bus/usb/devices/1-1/serial":  "S1\x01\u0085\n",
		"bus/usb/devices/1-1/product": "\x1b]0;Bar\x07 code\tscanner\n",
	}, nil)
	for _, d := range tree.Devices() {
		if d.Serial != "S1" || d.Name != "]0;Bar codescanner" {
			t.Errorf("serial number %q, name %q", d.Serial, d.Name)
		}
	}
	if n := len(tree.Devices()); n != 1 {
		t.Errorf("%d devices", n)
	}
}
