// Package usb reads what Linux shows of USB devices in sysfs: who they are,
// their interfaces, and the serial ports that they make. It opens no device.
package usb

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Tree is where the kernel shows devices: /sys and /dev, or folders of a test.
type Tree struct{ Sys, Dev string }

// System is the machine's own tree.
func System() Tree { return Tree{Sys: "/sys", Dev: "/dev"} }

// ID says which devices are meant. A zero field means any.
type ID struct {
	Vendor, Product uint16
	Serial          string
}

// MaxSerialLength is the number of characters of the longest USB string
// descriptor (USB 2.0, 9.6.7).
const MaxSerialLength = 126

// Device is a USB device.
type Device struct {
	ID
	// Manufacturer and Name are what the device calls itself; they may be empty.
	Manufacturer, Name string
	// Node is its node below /dev, such as /dev/bus/usb/001/004.
	Node string

	folder string // such as …/bus/usb/devices/1-1.2
}

// Is tells whether the device is one that id means.
func (d Device) Is(id ID) bool {
	return (id.Vendor == 0 || id.Vendor == d.Vendor) && (id.Product == 0 || id.Product == d.Product) &&
		(id.Serial == "" || strings.TrimSpace(id.Serial) == d.Serial)
}

// Devices lists the devices in the order of their places on the bus. A machine
// without USB has none.
func (t Tree) Devices() []Device {
	root := filepath.Join(t.Sys, "bus/usb/devices")
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil
	}
	var found []Device
	for _, entry := range entries {
		if strings.Contains(entry.Name(), ":") { // an interface
			continue
		}
		if d, ok := t.device(filepath.Join(root, entry.Name())); ok {
			found = append(found, d)
		}
	}
	return found
}

// device reads the device of a folder; false while it is being unplugged.
func (t Tree) device(folder string) (Device, bool) {
	vendor, product := number(folder, "idVendor", 16), number(folder, "idProduct", 16)
	bus, place := number(folder, "busnum", 10), number(folder, "devnum", 10)
	if vendor < 0 || product < 0 || bus < 0 || place < 0 {
		return Device{}, false
	}
	return Device{
		ID:           ID{Vendor: uint16(vendor), Product: uint16(product), Serial: attribute(folder, "serial")},
		Manufacturer: attribute(folder, "manufacturer"),
		Name:         attribute(folder, "product"),
		Node:         filepath.Join(t.Dev, "bus/usb", pad(bus)+"/"+pad(place)),
		folder:       folder,
	}, true
}

func pad(n int) string { return strings.Repeat("0", max(0, 3-len(strconv.Itoa(n)))) + strconv.Itoa(n) }

// Interface is one interface of a device.
type Interface struct {
	// Path is its name in sysfs and in libusb, such as "1-1.2:1.0": bus, ports,
	// configuration, interface.
	Path                      string
	Number                    int
	Class, Subclass, Protocol int
	// Driver is the kernel's driver that is bound to it; "" for none, "usbfs"
	// while a program holds it.
	Driver string
	// Packet is the size in bytes of a full packet of its interrupt endpoint
	// towards the computer; 0 where it has none.
	Packet int
	// Descriptor is the HID report descriptor; nil while no driver is bound.
	Descriptor []byte
}

// Classes of interfaces (USB-IF, defined class codes).
const (
	ClassComm    = 0x02
	ClassHID     = 0x03
	ClassStorage = 0x08
	ClassHub     = 0x09
	ClassCDCData = 0x0a
	ClassVendor  = 0xff
)

// IsBootKeyboard tells whether the interface says that it is a keyboard which a
// computer can use before it has read the report descriptor.
func (i Interface) IsBootKeyboard() bool {
	return i.Class == ClassHID && i.Subclass == 1 && i.Protocol == 1
}

// Interfaces lists the interfaces of a device.
func (d Device) Interfaces() []Interface {
	folders, err := filepath.Glob(d.folder + ":*") // beside the device in bus/usb/devices
	if err != nil {
		return nil
	}
	found := make([]Interface, 0, len(folders))
	for _, folder := range folders {
		i := Interface{
			Path:   filepath.Base(folder),
			Number: number(folder, "bInterfaceNumber", 16),
			Class:  number(folder, "bInterfaceClass", 16), Subclass: number(folder, "bInterfaceSubClass", 16),
			Protocol:   number(folder, "bInterfaceProtocol", 16),
			Packet:     packet(folder),
			Descriptor: descriptor(folder),
		}
		if link, err := os.Readlink(filepath.Join(folder, "driver")); err == nil {
			i.Driver = filepath.Base(link)
		}
		if i.Number >= 0 && i.Class >= 0 {
			found = append(found, i)
		}
	}
	return found
}

// descriptor reads the report descriptor below an interface; 0003 is the bus
// number of USB in the name.
func descriptor(folder string) []byte {
	files, err := filepath.Glob(filepath.Join(folder, "0003:*", "report_descriptor"))
	if err != nil || len(files) != 1 {
		return nil
	}
	data, err := os.ReadFile(files[0])
	if err != nil || len(data) == 0 {
		return nil
	}
	return data
}

func packet(folder string) int {
	endpoints, err := filepath.Glob(filepath.Join(folder, "ep_8?"))
	if err != nil {
		return 0
	}
	for _, endpoint := range endpoints {
		if attribute(endpoint, "type") == "Interrupt" {
			return max(0, number(endpoint, "wMaxPacketSize", 16)) & 0x7ff // above: packets each microframe
		}
	}
	return 0
}

// Port is a serial port.
type Port struct {
	// Path is its node, such as /dev/ttyACM0.
	Path string
	// Device is the USB device that makes it; nil for a port of the computer.
	Device *Device
	// Interface is the number of the USB interface that makes it.
	Interface int
}

// Ports lists the serial ports that have hardware behind them, in the order of
// their names. None is opened: that would disturb whoever uses it.
func (t Tree) Ports() []Port {
	root := filepath.Join(t.Sys, "class/tty")
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil
	}
	var found []Port
	for _, entry := range entries {
		folder, err := filepath.EvalSymlinks(filepath.Join(root, entry.Name(), "device"))
		if err != nil {
			continue // a console or another terminal without a device
		}
		port := Port{Path: filepath.Join(t.Dev, entry.Name()), Interface: -1}
		if d, number, ok := t.behind(folder); ok {
			port.Device, port.Interface = &d, number
		} else if !isUART(filepath.Join(root, entry.Name())) {
			continue
		}
		found = append(found, port)
	}
	slices.SortFunc(found, func(a, b Port) int { return strings.Compare(a.Path, b.Path) })
	return found
}

// behind climbs from a port's device to the USB interface and the device above.
func (t Tree) behind(folder string) (d Device, interfaceNumber int, ok bool) {
	interfaceNumber = -1
	const levels = 4 // port, interface, device, and one to spare
	for range levels {
		if n := number(folder, "bInterfaceNumber", 16); n >= 0 {
			interfaceNumber = n
		}
		if d, ok := t.device(folder); ok {
			return d, interfaceNumber, true
		}
		folder = filepath.Dir(folder)
	}
	return Device{}, -1, false
}

// isUART tells whether there is a chip behind a port of the computer: Linux lists
// more ports than there are, with type 0 (PORT_UNKNOWN).
func isUART(folder string) bool {
	kind := attribute(folder, "type")
	return kind != "" && kind != "0"
}

// attribute reads one value of sysfs; "" when there is none or it is not text. What a
// device says of itself may hold anything: control characters are left out, since
// people's terminals and configurations would obey or refuse them.
func attribute(folder, name string) string {
	data, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil || !utf8.Valid(data) {
		return ""
	}
	text := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, string(data))
	return strings.TrimSpace(text)
}

// number reads a number of sysfs; -1 when there is none.
func number(folder, name string, base int) int {
	n, err := strconv.ParseUint(attribute(folder, name), base, 16)
	if err != nil {
		return -1
	}
	return int(n)
}
