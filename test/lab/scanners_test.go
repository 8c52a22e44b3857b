package lab

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"payscand/test/lab/vhci"
	"payscand/test/lab/wire"
)

// scanner is one kind of scanner at the lab's counter.
type scanner struct {
	mode   string // as the table calls it
	config string // the [[scanner]] table that a shop would write
	device string // how the daemon calls it
	id     wire.Identity
	// hid: payscand takes it from the kernel's driver, and must be allowed to.
	hid bool
	cable
}

// cable is how a test handles a scanner.
type cable interface {
	plug(t *testing.T, m *machine)
	unplug(t *testing.T, m *machine)
	// scan sends a whole code, and begin only its first characters.
	scan(t *testing.T, m *machine, code string)
	begin(t *testing.T, m *machine, part string)
}

// scanners are all that the counter has, one of each kind, or those of the flag.
func scanners() []scanner {
	wanted := regexp.MustCompile(*only)
	return slices.DeleteFunc([]scanner{
		keyboardWedge(), qemuKeyboard(),
		posScanner("HID POS, layout A", 2, wire.Identity{VendorID: 0x0c2e, ProductID: 0x0b81}, layoutA),
		posScanner("HID POS, layout B", 3, wire.Identity{VendorID: 0x1eab, ProductID: 0x0010}, layoutB),
		ibmScanner("IBM hand-held", 4, wire.Identity{VendorID: 0x05f9, ProductID: 0x1203}, ibmHandHeld, 64),
		ibmScanner("IBM table-top", 5, wire.Identity{VendorID: 0x05f9, ProductID: 0x2202}, ibmTableTop, 16),
		serialGadget(), qemuSerial(),
	}, func(s scanner) bool { return !wanted.MatchString(s.mode) })
}

func keyboardWedge() scanner {
	return emulated("keyboard wedge", 0, bootKeyboardDevice(wire.Identity{VendorID: 0x05e0, ProductID: 0x1200}), keyboardReports)
}

func bootKeyboardDevice(id wire.Identity) vhci.Descriptor {
	return vhci.Descriptor{
		VendorID: id.VendorID, ProductID: id.ProductID, Manufacturer: "Lab", Product: "Keyboard", Serial: "K1",
		Speed: vhci.Full, Subclass: 1, Protocol: 1, Report: bootKeyboard, MaxPacket: 8,
	}
}

// posScanner sends nothing until it is told to, as the scanners with layout A do. Its strings cannot be had, as with
// some of those with layout B.
func posScanner(mode string, port int, id wire.Identity, layout posLayout) scanner {
	return emulated(mode, port, vhci.Descriptor{
		VendorID: id.VendorID, ProductID: id.ProductID, Manufacturer: "Lab", Product: "POS scanner", Serial: "P1",
		StallStrings: layout.stallStrings, SwitchedOnBy: layout.switchedOnBy,
		Speed: vhci.Full, Report: layout.descriptor, MaxPacket: 64,
	}, layout.reports)
}

// ibmScanner has reports of 64 bytes, which take several packets where these are smaller.
func ibmScanner(mode string, port int, id wire.Identity, descriptor []byte, packet uint16) scanner {
	return emulated(mode, port, vhci.Descriptor{
		VendorID: id.VendorID, ProductID: id.ProductID, Manufacturer: "Lab", Product: "IBM scanner", Serial: "I1",
		Speed: vhci.Full, Report: descriptor, MaxPacket: packet,
	}, ibmReports)
}

func emulated(mode string, port int, device vhci.Descriptor, encode func(string, bool) [][]byte) scanner {
	cable := usbCable{port, device, encode}
	return hidScanner(mode, cable.id(), cable)
}

func hidScanner(mode string, id wire.Identity, cable cable) scanner {
	return scanner{
		mode: mode, id: id, hid: true, cable: cable, device: fmt.Sprintf("hid:%04x:%04x", id.VendorID, id.ProductID),
		config: fmt.Sprintf("[[scanner]]\ntype = \"hid\"\nvendor_id = 0x%04x\nproduct_id = 0x%04x\nterminator = \"cr\"\n", id.VendorID, id.ProductID),
	}
}

// usbCable is a scanner of the lab's own making.
type usbCable struct {
	port   int
	device vhci.Descriptor
	// encode makes the reports of a whole scan, or of the beginning of one.
	encode func(text string, whole bool) [][]byte
}

func (c usbCable) id() wire.Identity {
	return wire.Identity{VendorID: c.device.VendorID, ProductID: c.device.ProductID}
}

func (c usbCable) plug(t *testing.T, m *machine) {
	t.Helper()
	do[wire.Nothing](t, m, wire.Plug, wire.PlugIn{Port: c.port, Device: c.device})
}

func (c usbCable) unplug(t *testing.T, m *machine) {
	t.Helper()
	do[wire.Nothing](t, m, wire.Unplug, wire.PortNumber{Port: c.port})
}

func (c usbCable) scan(t *testing.T, m *machine, code string) {
	t.Helper()
	c.send(t, m, c.packets(c.encode(code, true)))
}

func (c usbCable) begin(t *testing.T, m *machine, part string) {
	t.Helper()
	packets := c.packets(c.encode(part, false))
	if len(packets) > 1 { // else it is the first of several reports that a scan takes
		packets = packets[:len(packets)-1]
	}
	c.send(t, m, packets)
}

// packets cuts reports to the size of a packet.
func (c usbCable) packets(reports [][]byte) []vhci.Packet {
	var packets []vhci.Packet
	for _, report := range reports {
		for piece := range slices.Chunk(report, int(c.device.MaxPacket)) {
			packets = append(packets, vhci.Packet{Data: piece})
		}
	}
	return packets
}

func (c usbCable) send(t *testing.T, m *machine, packets []vhci.Packet) {
	t.Helper()
	do[wire.Nothing](t, m, wire.Send, wire.Packets{Port: c.port, Packets: packets})
}

// serialGadget is a scanner in serial mode whose protocol is the kernel's own. It is named by its USB ids.
func serialGadget() scanner {
	return scanner{
		mode: "USB serial (CDC-ACM)", cable: gadgetCable{}, device: "serial:065a:a002",
		config: "[[scanner]]\ntype = \"serial\"\nvendor_id = 0x065a\nproduct_id = 0xa002\n",
	}
}

type gadgetCable struct{}

func (gadgetCable) plug(t *testing.T, m *machine) {
	t.Helper()
	do[wire.Nothing](t, m, wire.GadgetPlug, wire.Gadget{VendorID: 0x065a, ProductID: 0xa002, Serial: "S1"})
}

func (gadgetCable) unplug(t *testing.T, m *machine) {
	t.Helper()
	do[wire.Nothing](t, m, wire.GadgetPull, wire.Nothing{})
}

func (g gadgetCable) scan(t *testing.T, m *machine, code string) {
	t.Helper()
	g.begin(t, m, code+"\r")
}

func (gadgetCable) begin(t *testing.T, m *machine, part string) {
	t.Helper()
	do[wire.Nothing](t, m, wire.GadgetSend, wire.Text{Text: part})
}

// qemuSerial is QEMU's serial adapter, a scanner on RS-232 behind it. It is named by its port.
func qemuSerial() scanner {
	return scanner{
		mode: "RS-232 behind an FTDI adapter (QEMU's)", cable: qemuSerialCable{}, device: "serial:/dev/ttyUSB0",
		config: "[[scanner]]\ntype = \"serial\"\nport = \"/dev/ttyUSB0\"\n",
	}
}

type qemuSerialCable struct{}

func (qemuSerialCable) plug(t *testing.T, m *machine) {
	t.Helper()
	must(t, m.qmp.plug("usb-serial", "serial0", map[string]any{"chardev": "serial", "port": "1"}))
}

func (qemuSerialCable) unplug(t *testing.T, m *machine) {
	t.Helper()
	must(t, m.qmp.unplug("serial0"))
}

func (q qemuSerialCable) scan(t *testing.T, m *machine, code string) {
	t.Helper()
	q.begin(t, m, code+"\r")
}

func (qemuSerialCable) begin(t *testing.T, m *machine, part string) {
	t.Helper()
	_, err := m.scanner.Write([]byte(part))
	must(t, err)
}

// qemuKeyboard is QEMU's keyboard, typed on by QEMU.
func qemuKeyboard() scanner {
	id := wire.Identity{VendorID: 0x0627, ProductID: 0x0001}
	return hidScanner("keyboard wedge (QEMU's keyboard)", id, qemuKeyboardCable{})
}

type qemuKeyboardCable struct{}

func (qemuKeyboardCable) plug(t *testing.T, m *machine) {
	t.Helper()
	must(t, m.qmp.plug("usb-kbd", "keyboard0", map[string]any{"port": "2"}))
}

func (qemuKeyboardCable) unplug(t *testing.T, m *machine) {
	t.Helper()
	must(t, m.qmp.unplug("keyboard0"))
}

func (q qemuKeyboardCable) scan(t *testing.T, m *machine, code string) {
	t.Helper()
	must(t, m.qmp.typeKeys(append(strings.Split(code, ""), "ret")...))
}

func (qemuKeyboardCable) begin(t *testing.T, m *machine, part string) {
	t.Helper()
	must(t, m.qmp.typeKeys(strings.Split(part, "")...))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// bystander is a keyboard that no configuration names, of the maker of one that is: the rule lets the daemon open it, and
// only the daemon's own care keeps it a keyboard.
var bystander = usbCable{
	port: 6, encode: keyboardReports,
	device: bootKeyboardDevice(wire.Identity{VendorID: 0x05e0, ProductID: 0x1201}),
}

// stranger is a keyboard whose maker the rule does not name either.
var stranger = usbCable{
	port: 7, encode: keyboardReports,
	device: bootKeyboardDevice(wire.Identity{VendorID: 0x046d, ProductID: 0xc31c}),
}

// installedRule is the project's udev rule as a shop's IT would install it: as it is shipped, with its example filled in
// for the one scanner in the lab whose maker it does not name.
func installedRule() ([]byte, error) {
	shipped, err := os.ReadFile("../../systemd/70-payscand-scanner.rules")
	if err != nil {
		return nil, err
	}
	const example = `#SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_device", ATTR{idVendor}=="1234", ATTR{idProduct}=="5678"`
	other := qemuKeyboard().id
	line := fmt.Sprintf(`SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_device", ATTR{idVendor}=="%04x", ATTR{idProduct}=="%04x"`, other.VendorID, other.ProductID)
	if !bytes.Contains(shipped, []byte(example)) {
		return nil, errors.New("the udev rule has no example to fill in")
	}
	return bytes.Replace(shipped, []byte(example), []byte(line), 1), nil
}
