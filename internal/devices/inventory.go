// Package devices finds out what scanners a machine has, how they are set up, and
// what to write into the configuration: the work of the devices commands. It
// reads sysfs and opens only what it is told to, or what cannot be a keyboard.
package devices

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"payscand/device/hidscan"
	"payscand/device/usb"
)

// Device is something on this machine that a scanner can be.
type Device struct {
	// Type and Mode are as in the configuration; Type is "" for a maker's device
	// in a mode that payscand does not read, Mode for a serial port.
	Type string `json:"type,omitempty"`
	Mode string `json:"mode,omitempty"`
	// What says in words what it is.
	What  string `json:"what"`
	Maker string `json:"maker,omitempty"` // of scanners, by the vendor id
	Name  string `json:"name,omitempty"`  // what it calls itself
	// VendorID and ProductID are four hexadecimal digits; empty for a port of the
	// computer.
	VendorID  string `json:"vendor_id,omitempty"`
	ProductID string `json:"product_id,omitempty"`
	Serial    string `json:"serial,omitempty"`
	Interface *int   `json:"interface,omitempty"`
	Port      string `json:"port,omitempty"`
	// Node is what payscand opens.
	Node string `json:"node"`
	// Holder says who has it open: a program with its process id, "another
	// program" where that cannot be seen, or empty.
	Holder string `json:"holder,omitempty"`
	// Allowed tells whether the user that was asked about may open it.
	Allowed bool `json:"allowed"`
	// Advice says what to do, if anything.
	Advice string `json:"advice,omitempty"`

	usbNode string // another one whenever it is plugged in again
	byPath  string // what to name its port by, where another device has the same ids; else ""
	twin    bool   // the same device has another interface of this kind
	baud    int    // at which it is read; 0: the default
}

// makers of scanners by USB vendor id.
var makers = map[uint16]string{
	0x05e0: "Zebra (Symbol)", 0x0c2e: "Honeywell", 0x0536: "Honeywell (Hand Held Products)", 0x05f9: "Datalogic (PSC)", 0x080c: "Datalogic",
	0x1eab: "Newland", 0x065a: "Opticon", 0x067e: "Honeywell (Intermec)", 0x11fa: "Code",
}

// ID names the device, as --device takes it: its USB ids with its serial number,
// or its port.
func (d Device) ID() string {
	switch {
	case d.VendorID == "":
		return d.Port
	case d.Serial == "":
		return d.VendorID + ":" + d.ProductID
	}
	return d.VendorID + ":" + d.ProductID + ":" + d.Serial
}

// mayBeKeyboard tells whether opening it could take somebody's keyboard away.
func (d Device) mayBeKeyboard() bool {
	return d.Mode == string(hidscan.ModeKeyboard) || d.Mode == "" && d.Type == typeHID
}

// tellsEnd tells whether the device itself says where a scan ends.
func (d Device) tellsEnd() bool { return d.Type == typeHID && !d.mayBeKeyboard() }

const (
	typeHID    = "hid"
	typeSerial = "serial"
)

// SystemTree is the machine's own tree.
func SystemTree() usb.Tree { return usb.System() }

// List finds the devices that a scanner can be, the best ones first, and says of
// each what a user may do with it. It opens none of them.
func List(tree usb.Tree, user User) []Device {
	holders := findHolders()
	var found []Device
	seen := map[string]bool{}
	for _, f := range hidscan.Inventory(tree) {
		d := describeUSB(f.Device)
		number := f.Interface.Number
		d.Type, d.Mode, d.Interface = typeHID, string(f.Mode), &number
		d.What, d.Advice = whatHID(f, d.Maker)
		d.Holder = holders[d.Node]
		if f.Interface.Driver == "usbfs" && d.Holder == "" {
			d.Holder = anotherProgram
		}
		if f.Interface.Driver != "usbfs" {
			d.Holder = "" // the node is open for another interface
		}
		seen[d.Node] = true
		found = append(found, d)
	}
	for _, p := range tree.Ports() {
		d := Device{What: "a serial port of this computer", Node: p.Path,
			Advice: "if a scanner is on it: type = \"serial\" with this port"}
		if p.Device != nil {
			d = describeUSB(*p.Device)
			d.What = "a USB serial port: a scanner in serial mode, or another device"
			if d.Maker != "" {
				d.What = "a scanner in USB serial mode"
			}
			seen[d.Node] = true
			d.Interface, d.Node = &p.Interface, p.Path
		}
		d.Type, d.Port, d.Holder = typeSerial, p.Path, holders[p.Path]
		found = append(found, d)
	}
	found = append(found, unread(tree, seen)...)
	for i := range found {
		found[i].judge(user)
		for j := range found {
			if found[i].Type == typeSerial && found[i].usbNode != found[j].usbNode && found[i].isSame(found[j]) {
				found[i].byPath = linkTo(found[i].Port, filepath.Join(tree.Dev, "serial/by-path"))
			}
			found[i].twin = found[i].twin || i != j && found[i].usbNode != "" && found[i].usbNode == found[j].usbNode &&
				found[i].Type == found[j].Type && found[i].Mode == found[j].Mode
		}
	}
	slices.SortStableFunc(found, func(a, b Device) int { return rank(a) - rank(b) })
	return found
}

// linkTo is the link in a folder to a port, or the port where there is none.
func linkTo(port, folder string) string {
	links, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		return port
	}
	for _, link := range links {
		if target, err := filepath.EvalSymlinks(link); err == nil && target == port {
			return link
		}
	}
	return port
}

func describeUSB(d usb.Device) Device {
	return Device{
		Maker: makers[d.Vendor], Name: strings.TrimSpace(d.Manufacturer + " " + d.Name),
		VendorID: fmt.Sprintf("%04x", d.Vendor), ProductID: fmt.Sprintf("%04x", d.Product), Serial: d.Serial, Node: d.Node, usbNode: d.Node,
	}
}

func whatHID(f hidscan.Found, maker string) (what, advice string) {
	switch {
	case f.Mode == "" && f.Interface.Driver == "usbfs":
		return "a USB HID device that a program holds", ""
	case f.Mode == "":
		return "a USB HID device that does not say what it is", "unplug it and plug it in again"
	case !f.Understood:
		return "a USB HID device with reports of a form that is not read", "set the scanner to USB HID POS or serial mode"
	case f.Mode == hidscan.ModePOS:
		return "a scanner in USB HID POS mode", ""
	case f.Mode == hidscan.ModeIBM:
		return "a scanner in IBM mode", "USB HID POS mode is better where the scanner has it: longer codes, and the kind of bar code"
	case maker != "":
		return "a scanner in keyboard mode", "set it to USB HID POS or serial mode if it has one; else name it in the configuration"
	}
	return "a keyboard, or a scanner in keyboard mode", "payscand leaves it alone unless it is named in the configuration"
}

// unread lists devices of scanner makers that nothing else was said about.
func unread(tree usb.Tree, seen map[string]bool) []Device {
	var found []Device
	for _, d := range tree.Devices() {
		if makers[d.Vendor] == "" || seen[d.Node] || isHub(d) {
			continue
		}
		device := describeUSB(d)
		device.What = "a scanner in a mode that payscand does not read"
		device.Advice = "set it to USB HID POS or serial mode, as its manual says"
		found = append(found, device)
	}
	return found
}

func isHub(d usb.Device) bool {
	return slices.ContainsFunc(d.Interfaces(), func(i usb.Interface) bool { return i.Class == usb.ClassHub })
}

// judge notes whether a user may open the device, and what to do if not.
func (d *Device) judge(user User) {
	d.Allowed = user.mayOpen(d.Node)
	switch {
	case d.Type == "":
	case strings.HasPrefix(d.Holder, daemonName+" "):
		if d.Type == typeHID && d.Mode == "" {
			d.What = "a scanner that payscand's daemon reads"
		}
		d.Advice = "payscand's daemon reads it; to test it, stop the daemon first (systemctl stop payscand)"
	case d.Holder != "":
		d.Advice = "stop the program that holds it"
	case !d.Allowed && d.Type == typeSerial:
		d.Advice = fmt.Sprintf("user %s may not open it: add the user to the group that owns %s (dialout on Debian)", user.Name, d.Node)
	case !d.Allowed && d.Maker == "": // the rules do not know it
		doubt := ""
		if d.mayBeKeyboard() {
			doubt = "if it is a scanner, "
		}
		d.Advice = fmt.Sprintf("user %s may not open it; %sadd to /etc/udev/rules.d/70-payscand-scanner.rules: "+
			`SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_device", ATTR{idVendor}=="%s", ATTR{idProduct}=="%s", MODE="0660", GROUP="payscand"`+
			"; then udevadm control --reload, and plug it in again", user.Name, doubt, d.VendorID, d.ProductID)
	case !d.Allowed:
		d.Advice = fmt.Sprintf("user %s may not open it: install systemd/70-payscand-scanner.rules as "+
			"/etc/udev/rules.d/70-payscand-scanner.rules, then udevadm control --reload, and plug it in again", user.Name)
	}
}

func rank(d Device) int {
	switch {
	case d.Mode == string(hidscan.ModePOS):
		return 0
	case d.Mode == string(hidscan.ModeIBM):
		return 1
	case d.Type == typeSerial && d.Maker != "":
		return 2
	case d.Type == "":
		return 3
	case d.Maker != "":
		return 4
	case d.Type == typeSerial && d.VendorID != "":
		return 5
	case d.Type == typeSerial:
		return 6
	}
	return 7
}
