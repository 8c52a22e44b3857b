package hidscan

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"payscand/device"
	"payscand/device/usb"
)

// tree is where the kernel shows USB devices, and how it is asked for a driver.
type tree struct {
	usb.Tree
	// attach asks the kernel to bind its driver to an interface of the device
	// whose node is given.
	attach func(node string, i usb.Interface) error
}

func systemTree() tree { return tree{usb.System(), attachDriver} }

// target is an interface to open.
type target struct {
	// path is the library's name of the interface, which is sysfs's too.
	path     string
	node     string // under /dev/bus/usb
	protocol protocol
	packet   int    // bytes of a full packet
	greeting []byte // a feature report to send after opening; nil for none
}

// refusal says why a scanner cannot be used now.
type refusal struct {
	state  device.State
	detail string
}

func (r *refusal) Error() string { return r.detail }

func refuse(state device.State, format string, args ...any) *refusal {
	return &refusal{state, fmt.Sprintf(format, args...)}
}

// candidate is a HID interface that may be the scanner.
type candidate struct {
	usb.Interface
	device      usb.Device
	mode        Mode // "" for none of a scanner
	description description
	described   bool
}

// candidates lists the HID interfaces of the devices that config means, and
// says how many devices those are.
func (t tree) candidates(config Config) (found []candidate, devices int) {
	for _, d := range t.Devices() {
		if !d.Is(config.id()) {
			continue
		}
		devices++
		for _, i := range d.Interfaces() {
			if i.Class == usb.ClassHID && (config.Interface == nil || i.Number == *config.Interface) {
				found = append(found, newCandidate(d, i))
			}
		}
	}
	return found, devices
}

func newCandidate(d usb.Device, i usb.Interface) candidate {
	c := candidate{Interface: i, device: d}
	if i.Descriptor != nil {
		description, err := parseDescriptor(i.Descriptor)
		c.description, c.described = description, err == nil
	}
	switch {
	case !c.described && i.IsBootKeyboard():
		c.mode = ModeKeyboard
	case c.description.is(usageHIDPOS):
		c.mode = ModePOS
	case c.description.is(usageIBMHandHeld), c.description.is(usageIBMTableTop):
		c.mode = ModeIBM
	case c.description.is(usageKeyboard):
		c.mode = ModeKeyboard
	}
	return c
}

// rebind gives interfaces back to the kernel that a killed program left without
// a driver: only with a driver does the kernel show what they are. Of a scanner
// that is not named, keyboards and mice are left alone.
func (t tree) rebind(config Config) {
	found, _ := t.candidates(config)
	for _, c := range found {
		if c.Driver == "" && (config.named() || c.Subclass == 0) {
			_ = t.attach(c.device.Node, c.Interface) // find tells what is still missing
		}
	}
}

// find returns the interface of the scanner that config means. It only reads
// sysfs: nothing is opened. The error is a *refusal.
func (t tree) find(config Config) (target, error) {
	found, devices := t.candidates(config)
	if config.named() {
		switch {
		case devices == 0:
			return target{}, refuse(device.StateMissing, "no USB device %s: plug the scanner in, or mend its ids in the configuration (payscand devices list shows them)", describe(config))
		case devices > 1:
			return target{}, refuse(device.StateFailed, "%d USB devices are %s, and nothing says which one is meant: configure the serial number, or unplug the others",
				devices, describe(config))
		}
	}
	chosen, err := choose(config, found)
	if err != nil {
		return target{}, err
	}
	if chosen.Driver == "usbfs" {
		return target{}, refuse(device.StateBusy, "%s is held by another program or by another scanner entry: stop it", describe(config))
	}
	protocol, err := chosen.protocol(config)
	if err != nil {
		return target{}, err
	}
	return target{
		path: chosen.Path, node: chosen.device.Node, protocol: protocol, packet: chosen.Packet, greeting: chosen.greeting(),
	}, nil
}

func describe(config Config) string {
	switch {
	case !config.named():
		return "the scanner in " + modeNames[config.Mode]
	case config.Serial == "":
		return config.ids()
	}
	return fmt.Sprintf("%s with serial number %q", config.ids(), config.Serial)
}

// modeNames are what manuals call the modes.
var modeNames = map[Mode]string{
	ModeAuto: "HID mode", ModePOS: "HID POS mode", ModeIBM: "IBM mode", ModeKeyboard: "keyboard mode",
}

// choose returns the interface to open: the only one of the mode that config
// asks for. The error is a *refusal.
func choose(config Config, found []candidate) (candidate, error) {
	mode := config.Mode
	if mode == ModeAuto {
		mode = bestMode(found)
	}
	var fit []candidate
	for _, c := range found {
		if c.mode == mode && mode != "" && (config.named() || c.described) {
			fit = append(fit, c)
		}
	}
	switch {
	case len(fit) == 1:
		return fit[0], nil
	case len(fit) > 1 && config.named():
		return candidate{}, refuse(device.StateFailed, "%s has %d interfaces in %s: configure the number of the interface that sends the scans",
			describe(config), len(fit), modeNames[mode])
	case len(fit) > 1:
		return candidate{}, refuse(device.StateFailed, "%d scanners in %s are plugged in, and nothing says which one is meant: configure vendor_id and product_id of each",
			len(fit), modeNames[mode])
	case !config.named():
		return candidate{}, refuse(device.StateMissing, "no scanner in %s that is free: plug it in, and set it to that mode as its manual says (payscand devices list shows what there is)",
			modeNames[mode])
	}
	return candidate{}, explainChoice(config, found)
}

// bestMode is the mode of an unspecified scanner: the one that tells most.
func bestMode(found []candidate) Mode {
	for _, mode := range []Mode{ModePOS, ModeIBM, ModeKeyboard} {
		if slices.ContainsFunc(found, func(c candidate) bool { return c.mode == mode }) {
			return mode
		}
	}
	return ""
}

// explainChoice says why a device that is there has no interface to open.
func explainChoice(config Config, found []candidate) *refusal {
	var others []string
	for _, c := range found {
		switch {
		case c.Driver == "usbfs":
			return refuse(device.StateBusy, "%s is held by another program or by another scanner entry: stop it", describe(config))
		case c.mode != "":
			others = append(others, "a scanner in "+modeNames[c.mode])
		case !c.described:
			others = append(others, "something that it does not describe (unplug it and plug it in again)")
		default:
			others = append(others, "another kind of HID device")
		}
	}
	switch {
	case len(others) > 0:
		return refuse(device.StateFailed, "%s is not in %s but %s: set the scanner to USB HID POS mode, or mend its mode in the configuration",
			describe(config), modeNames[config.Mode], strings.Join(others, ", "))
	case config.Interface != nil:
		return refuse(device.StateFailed, "%s has no HID interface with number %d: mend it in the configuration", describe(config), *config.Interface)
	}
	return refuse(device.StateFailed, "%s is no HID device: set the scanner to USB HID POS mode, or configure it as a serial scanner", describe(config))
}

// protocol is how to read the interface. After a program that held it was
// killed, no driver is bound and nothing describes the reports: then a boot
// keyboard is taken to send the reports of the boot protocol.
func (c candidate) protocol(config Config) (protocol, error) {
	switch {
	case !c.described && c.Driver == "":
		return bootProtocol(), nil
	case !c.described:
		return protocol{}, refuse(device.StateFailed, "the report descriptor of %s cannot be read: unplug the scanner and plug it in again", describe(config))
	}
	p, ok := newProtocol(c.mode, c.description)
	if !ok {
		return p, refuse(device.StateFailed, "%s is in %s, with reports of a form that is not read: set the scanner to another USB mode (HID POS or serial)",
			describe(config), modeNames[c.mode])
	}
	return p, nil
}

// Honeywell's scanners, of its own id and of Hand Held Products, that are a
// keyboard as well send to their HID POS interface only once feature report 254
// has named it, which is number 1 then. Others refuse the report, which its maker
// says to ignore (Hand Held Products, USB Interfaces application note, 2006,
// "Redirect Output").
const (
	vendorHoneywell       = 0x0c2e
	vendorHandHeld        = 0x0536
	honeywellRedirect     = 254
	honeywellHIDInterface = 1
)

func (c candidate) greeting() []byte {
	if c.mode != ModePOS || c.device.Vendor != vendorHoneywell && c.device.Vendor != vendorHandHeld {
		return nil
	}
	report := make([]byte, max(2, c.description.featureBytes[honeywellRedirect]))
	report[0], report[1] = honeywellRedirect, byte(max(honeywellHIDInterface, c.Number))
	return report
}

// checkAccess tells whether the target's device node can be opened, because the
// library does not say why it could not. The error is a *refusal.
func checkAccess(config Config, node string) error {
	file, err := os.OpenFile(node, os.O_RDWR, 0)
	if err != nil {
		return explainAccess(config, node, err)
	}
	return file.Close()
}

func explainAccess(config Config, node string, err error) *refusal {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return refuse(device.StateDenied, "not allowed to open %s: install systemd/70-payscand-scanner.rules as "+
			"/etc/udev/rules.d/70-payscand-scanner.rules, with the scanner's ids where its maker is not in it, "+
			"then udevadm control --reload and plug the scanner in again", node)
	case errors.Is(err, fs.ErrNotExist):
		return refuse(device.StateFailed, "there is no %s: this service must see /dev/bus/usb (systemd: no PrivateDevices=)", node)
	case errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENXIO):
		return refuse(device.StateMissing, "%s was unplugged: plug it in again", describe(config))
	}
	return refuse(device.StateFailed, "cannot open %s: %v", node, err)
}
