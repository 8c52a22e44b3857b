package lab

import (
	"bytes"
	"fmt"
	"os"
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
	hid   bool
	cable cable
}

// cable is how a test handles a scanner.
type cable interface {
	plug(t *testing.T, m *machine)
	unplug(t *testing.T, m *machine)
	// scan sends a whole code, and begin only its first characters.
	scan(t *testing.T, m *machine, code string)
	begin(t *testing.T, m *machine, part string)
}

// keyboardWedge types as a boot keyboard.
func keyboardWedge(port int) scanner {
	id := wire.Identity{VendorID: 0x05e0, ProductID: 0x1200}
	return scanner{
		mode: "keyboard wedge", id: id, hid: true, device: "hid:05e0:1200",
		config: hidConfig(id),
		cable: usbCable{port: port, encode: keyboardReports, device: vhci.Descriptor{
			VendorID: id.VendorID, ProductID: id.ProductID, Manufacturer: "Lab", Product: "Keyboard scanner", Serial: "K1",
			Speed: vhci.Full, Subclass: 1, Protocol: 1, Report: bootKeyboard, MaxPacket: 8,
		}},
	}
}

func hidConfig(id wire.Identity) string {
	return fmt.Sprintf("[[scanner]]\ntype = \"hid\"\nvendor_id = 0x%04x\nproduct_id = 0x%04x\n", id.VendorID, id.ProductID)
}

// usbCable is a scanner of the lab's own making.
type usbCable struct {
	port   int
	device vhci.Descriptor
	// encode makes the packets of a whole scan, or of the beginning of one.
	encode func(text string, whole bool) [][]byte
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
	c.send(t, m, c.encode(code, true))
}

func (c usbCable) begin(t *testing.T, m *machine, part string) {
	t.Helper()
	c.send(t, m, c.encode(part, false))
}

func (c usbCable) send(t *testing.T, m *machine, packets [][]byte) {
	t.Helper()
	in := wire.Packets{Port: c.port}
	for _, packet := range packets {
		in.Packets = append(in.Packets, vhci.Packet{Data: packet})
	}
	do[wire.Nothing](t, m, wire.Send, in)
}

// bootKeyboard is the report descriptor of a boot keyboard (HID 1.11, appendix E.6).
var bootKeyboard = []byte{
	0x05, 0x01, 0x09, 0x06, 0xa1, 0x01, // a keyboard
	0x05, 0x07, 0x19, 0xe0, 0x29, 0xe7, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01, 0x95, 0x08, 0x81, 0x02, // modifiers
	0x95, 0x01, 0x75, 0x08, 0x81, 0x01, // a byte of nothing
	0x95, 0x05, 0x75, 0x01, 0x05, 0x08, 0x19, 0x01, 0x29, 0x05, 0x91, 0x02, 0x95, 0x01, 0x75, 0x03, 0x91, 0x01, // lamps
	0x95, 0x06, 0x75, 0x08, 0x15, 0x00, 0x25, 0x65, 0x05, 0x07, 0x19, 0x00, 0x29, 0x65, 0x81, 0x00, // six keys
	0xc0,
}

// keyboardReports types a text on a US keyboard, and Enter after a whole one: each key down, then up.
func keyboardReports(text string, whole bool) [][]byte {
	const shift = 0x02
	var reports [][]byte
	press := func(modifiers, key byte) {
		reports = append(reports, []byte{modifiers, 0, key, 0, 0, 0, 0, 0}, make([]byte, 8))
	}
	for _, r := range text {
		switch {
		case r == '0':
			press(0, 0x27)
		case '1' <= r && r <= '9':
			press(0, byte(0x1e+r-'1'))
		case 'a' <= r && r <= 'z':
			press(0, byte(0x04+r-'a'))
		case 'A' <= r && r <= 'Z':
			press(shift, byte(0x04+r-'A'))
		default:
			panic(fmt.Sprintf("the lab's keyboard has no %q", r))
		}
	}
	if whole {
		press(0, 0x28)
	}
	return reports
}

// scanners are all that the counter has.
func scanners() []scanner { return []scanner{keyboardWedge(0)} }

// installedRule is the project's udev rule as a shop's IT would install it for the lab's scanners: with a line for each.
func installedRule() ([]byte, error) {
	shipped, err := os.ReadFile("../../systemd/70-payscand-scanner.rules")
	if err != nil {
		return nil, err
	}
	var installed bytes.Buffer
	for line := range strings.Lines(string(shipped)) {
		if !strings.Contains(line, `"05e0"`) {
			installed.WriteString(line)
			continue
		}
		for _, s := range scanners() {
			if s.hid {
				replace := strings.NewReplacer("05e0", fmt.Sprintf("%04x", s.id.VendorID), "1900", fmt.Sprintf("%04x", s.id.ProductID))
				installed.WriteString(replace.Replace(line))
			}
		}
	}
	return installed.Bytes(), nil
}
