package hidscan

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"payscand/device"
)

// tree is where the kernel shows USB devices: /sys and /dev, or folders of a test.
type tree struct{ sys, dev string }

var systemTree = tree{sys: "/sys", dev: "/dev"}

// target is a keyboard interface to open.
type target struct {
	// path is the library's name of the interface, which is sysfs's too, such as
	// "1-1.2:1.0": bus, ports, configuration, interface.
	path   string
	node   string // under /dev/bus/usb
	format keyboardFormat
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

// usbDevice is a device as sysfs shows it.
type usbDevice struct {
	folder string // such as …/bus/usb/devices/1-1.2
	node   string // such as /dev/bus/usb/001/004
}

// hidInterface is a HID interface of a device. Its description is empty while
// no driver is bound to it.
type hidInterface struct {
	path         string
	number       int
	bootKeyboard bool
	driver       string // "" when none is bound
	described    bool
	description  description
}

// find returns the interface of the scanner that config names. It only reads
// sysfs: nothing is opened. The error is a *refusal.
func (t tree) find(config Config) (target, error) {
	devices := t.devices(config)
	switch {
	case len(devices) == 0:
		return target{}, refuse(device.StateMissing, "no USB device %s: plug the scanner in, or mend its ids in the configuration (lsusb shows them)", describe(config))
	case len(devices) > 1:
		return target{}, refuse(device.StateFailed, "%d USB devices are %s, and nothing says which one is meant: configure the serial number, or unplug the others",
			len(devices), describe(config))
	}
	interfaces := devices[0].interfaces()
	chosen, err := choose(config, interfaces)
	if err != nil {
		return target{}, err
	}
	if chosen.driver == "usbfs" {
		return target{}, refuse(device.StateBusy, "%s is held by another program or by another scanner entry: stop it", describe(config))
	}
	format, err := chosen.format(config)
	if err != nil {
		return target{}, err
	}
	return target{path: chosen.path, node: devices[0].node, format: format}, nil
}

func describe(config Config) string {
	if config.Serial == "" {
		return config.ids()
	}
	return fmt.Sprintf("%s with serial number %q", config.ids(), config.Serial)
}

// devices lists the devices with the ids, and the serial number, of config.
func (t tree) devices(config Config) []usbDevice {
	root := filepath.Join(t.sys, "bus/usb/devices")
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil // no USB at all
	}
	var found []usbDevice
	for _, entry := range entries {
		if strings.Contains(entry.Name(), ":") { // an interface
			continue
		}
		folder := filepath.Join(root, entry.Name())
		if attributeNumber(folder, "idVendor", 16) != int(config.VendorID) ||
			attributeNumber(folder, "idProduct", 16) != int(config.ProductID) {
			continue
		}
		if config.Serial != "" && attribute(folder, "serial") != strings.TrimSpace(config.Serial) {
			continue
		}
		bus, number := attributeNumber(folder, "busnum", 10), attributeNumber(folder, "devnum", 10)
		if bus < 0 || number < 0 {
			continue // being unplugged
		}
		found = append(found, usbDevice{
			folder: folder,
			node:   filepath.Join(t.dev, "bus/usb", fmt.Sprintf("%03d/%03d", bus, number)),
		})
	}
	return found
}

// interfaces lists the HID interfaces of a device.
func (d usbDevice) interfaces() []hidInterface {
	folders, err := filepath.Glob(d.folder + ":*") // beside the device in bus/usb/devices
	if err != nil {
		return nil
	}
	const classHID, subclassBoot, protocolKeyboard = 3, 1, 1
	var found []hidInterface
	for _, folder := range folders {
		if attributeNumber(folder, "bInterfaceClass", 16) != classHID {
			continue
		}
		i := hidInterface{
			path:   filepath.Base(folder),
			number: attributeNumber(folder, "bInterfaceNumber", 16),
			bootKeyboard: attributeNumber(folder, "bInterfaceSubClass", 16) == subclassBoot &&
				attributeNumber(folder, "bInterfaceProtocol", 16) == protocolKeyboard,
		}
		if link, err := os.Readlink(filepath.Join(folder, "driver")); err == nil {
			i.driver = filepath.Base(link)
		}
		i.description, i.described = readDescription(folder)
		found = append(found, i)
	}
	return found
}

// readDescription reads the report descriptor below an interface. There is none
// while no driver is bound; 0003 is the bus number of USB in the name.
func readDescription(folder string) (description, bool) {
	files, err := filepath.Glob(filepath.Join(folder, "0003:*", "report_descriptor"))
	if err != nil || len(files) != 1 {
		return description{}, false
	}
	data, err := os.ReadFile(files[0])
	if err != nil || len(data) == 0 {
		return description{}, false
	}
	found, err := parseDescriptor(data)
	return found, err == nil
}

// choose returns the interface to open: the configured one, or the only one
// that is a keyboard. The error is a *refusal.
func choose(config Config, interfaces []hidInterface) (hidInterface, error) {
	var keyboards []hidInterface
	var others []string
	for _, i := range interfaces {
		switch {
		case config.Interface != nil && i.number != *config.Interface:
		case i.isKeyboard():
			keyboards = append(keyboards, i)
		default:
			others = append(others, i.mode())
		}
	}
	switch {
	case len(keyboards) == 1:
		return keyboards[0], nil
	case len(keyboards) > 1:
		return hidInterface{}, refuse(device.StateFailed, "%s is %d keyboards at once: configure the number of the interface that types the scans",
			describe(config), len(keyboards))
	case len(others) > 0:
		return hidInterface{}, refuse(device.StateFailed, "%s is no keyboard but %s: set the scanner to USB keyboard mode, or to serial mode and configure it as such",
			describe(config), strings.Join(others, ", "))
	case config.Interface != nil:
		return hidInterface{}, refuse(device.StateFailed, "%s has no HID interface with number %d: mend it in the configuration", describe(config), *config.Interface)
	}
	return hidInterface{}, refuse(device.StateFailed, "%s is no HID device: set the scanner to USB keyboard mode, or configure it as a serial scanner", describe(config))
}

// isKeyboard goes by the report descriptor, without one by the boot protocol.
func (i hidInterface) isKeyboard() bool {
	if !i.described {
		return i.bootKeyboard
	}
	return slices.Contains(i.description.applications, usageKeyboard)
}

// mode names what an interface that is no keyboard is.
func (i hidInterface) mode() string {
	if !i.described {
		return "something that it does not describe (unplug it and plug it in again)"
	}
	for _, application := range i.description.applications {
		switch application {
		case usageHIDPOS:
			return "a scanner in HID POS mode"
		case usageIBMHandHeld, usageIBMTableTop:
			return "a scanner in IBM mode"
		}
	}
	return "another kind of HID device"
}

// format is the form of a keyboard's reports. After a program that held it was
// killed, no driver is bound and nothing describes the reports: then a boot
// keyboard is taken to send the reports of the boot protocol.
func (i hidInterface) format(config Config) (keyboardFormat, error) {
	switch {
	case !i.described && i.driver == "":
		return bootFormat, nil
	case !i.described:
		return keyboardFormat{}, refuse(device.StateFailed, "the report descriptor of %s cannot be read: unplug the scanner and plug it in again", describe(config))
	case i.description.keyboard == nil:
		return keyboardFormat{}, refuse(device.StateFailed, "%s is a keyboard whose reports have a form that is not read: set the scanner to another USB keyboard mode, or to serial mode",
			describe(config))
	}
	return *i.description.keyboard, nil
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
		return refuse(device.StateDenied, "not allowed to open %s: give the group of this service access with a udev rule, "+
			`SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_device", ATTR{idVendor}=="%04x", ATTR{idProduct}=="%04x", MODE="0660", GROUP="payscand" `+
			"in /etc/udev/rules.d/70-payscand-scanner.rules, then udevadm control --reload and plug the scanner in again",
			node, config.VendorID, config.ProductID)
	case errors.Is(err, fs.ErrNotExist):
		return refuse(device.StateFailed, "there is no %s: this service must see /dev/bus/usb (systemd: no PrivateDevices=)", node)
	case errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENXIO):
		return refuse(device.StateMissing, "%s was unplugged: plug it in again", describe(config))
	}
	return refuse(device.StateFailed, "cannot open %s: %v", node, err)
}

// attribute reads one value of sysfs; "" when there is none.
func attribute(folder, name string) string {
	data, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}

// attributeNumber reads a number of sysfs; -1 when there is none.
func attributeNumber(folder, name string, base int) int {
	number, err := strconv.ParseUint(attribute(folder, name), base, 16)
	if err != nil {
		return -1
	}
	return int(number)
}
