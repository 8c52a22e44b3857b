package hidscan

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"payscand/device"
	"payscand/device/usb"
)

// Mode is how a scanner presents itself on USB; it is a setting of the scanner.
type Mode string

const (
	// ModeAuto is whatever the named device is: HID POS before IBM before
	// keyboard. Without ids it is ModePOS.
	ModeAuto Mode = "auto"
	// ModePOS is a HID POS scanner (usage 0x8C/0x02).
	ModePOS Mode = "pos"
	// ModeIBM is an IBM hand-held or table-top scanner (usages 0xFF45/0x4B00 and 0x4A00).
	ModeIBM Mode = "ibm"
	// ModeKeyboard is a keyboard wedge (usage 0x01/0x06).
	ModeKeyboard Mode = "keyboard"
)

// Modes lists every mode.
func Modes() []Mode { return []Mode{ModeAuto, ModePOS, ModeIBM, ModeKeyboard} }

// Limits of Config.
const (
	MaxSerialLength = usb.MaxSerialLength
	MaxInterface    = 255
)

// Config names one scanner. Each zero field has a default. A keyboard is claimed
// only by VendorID and ProductID: without them Mode must be another one, and the
// only device in that mode is claimed.
type Config struct {
	// Name is what people call the scanner; default its device name, such as
	// "hid:05e0:1900" or "hid:pos".
	Name string
	// Mode defaults to ModeAuto.
	Mode Mode
	// VendorID and ProductID are the scanner's USB ids: both or neither.
	VendorID, ProductID uint16
	// Serial is the USB serial number, up to MaxSerialLength characters; empty:
	// any. It is needed where several scanners of one kind are plugged in.
	Serial string
	// Interface is the number of the USB interface, 0 to MaxInterface; nil: the
	// only one of its mode.
	Interface *int
	// Layout is the keyboard layout that the scanner types for, one of
	// Layouts; default "us". Other modes have none.
	Layout string
	// Terminator defaults to device.TerminatorAuto. Enter arrives as CR, the
	// tabulator key as TAB, Ctrl+J as LF. Other modes than keyboard tell
	// themselves where a scan ends.
	Terminator device.Terminator
	// IdleTimeout ends a scan of a keyboard where no terminator does,
	// device.MinIdleTimeout to device.MaxIdleTimeout; default device.DefaultIdleTimeout.
	IdleTimeout time.Duration
	// Affixes are what the scanner sends around each code.
	device.Affixes
}

// WithDefaults returns c with every zero field set to its default.
func (c Config) WithDefaults() Config {
	if c.Mode == "" {
		c.Mode = ModeAuto
	}
	if c.Mode == ModeAuto && c.VendorID == 0 && c.ProductID == 0 {
		c.Mode = ModePOS
	}
	if c.Name == "" {
		c.Name = c.device()
	}
	if c.Layout == "" {
		c.Layout = "us"
	}
	if c.Terminator == "" {
		c.Terminator = device.TerminatorAuto
	}
	if c.IdleTimeout == 0 {
		c.IdleTimeout = device.DefaultIdleTimeout
	}
	return c
}

// Validate returns every mistake in c at once, joined; defaults are applied
// first. It does not look whether the scanner is there: it may be plugged in
// later.
func (c Config) Validate() error {
	c = c.WithDefaults()
	var mistakes []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			mistakes = append(mistakes, fmt.Errorf(format, args...))
		}
	}
	check(slices.Contains(Modes(), c.Mode), "mode %q is not one of auto, pos, ibm, keyboard", c.Mode)
	check(c.VendorID != 0 || c.ProductID == 0 && c.Mode != ModeKeyboard, "the vendor id is missing: see it with payscand devices list")
	check(c.ProductID != 0 || c.VendorID == 0 && c.Mode != ModeKeyboard, "the product id is missing: see it with payscand devices list")
	check(len([]rune(c.Serial)) <= MaxSerialLength && !strings.ContainsFunc(c.Serial, unicode.IsControl),
		"serial number: must be at most %d characters without control characters", MaxSerialLength)
	check(c.Interface == nil || *c.Interface >= 0 && *c.Interface <= MaxInterface,
		"interface number: must be between 0 and %d", MaxInterface)
	check(layouts[c.Layout] != nil, "layout %q is not one of %s", c.Layout, strings.Join(Layouts(), ", "))
	return errors.Join(append(mistakes, device.CheckFraming(c.Terminator, c.IdleTimeout, c.Affixes)...)...)
}

// named tells whether c names a device, rather than any one of a mode.
func (c Config) named() bool { return c.VendorID != 0 }

func (c Config) id() usb.ID {
	return usb.ID{Vendor: c.VendorID, Product: c.ProductID, Serial: c.Serial}
}

// device is the stable name of the scanner in scans and statuses: hid:, vendor
// and product, or the mode of one that is not named, and serial number and
// interface where they are configured.
func (c Config) device() string {
	name := "hid:" + string(c.Mode)
	if c.named() {
		name = "hid:" + c.ids()
	}
	if c.Serial != "" {
		name += ":" + c.Serial
	}
	if c.Interface != nil {
		name += fmt.Sprintf("/%d", *c.Interface)
	}
	return name
}

// ids is vendor and product as lsusb writes them.
func (c Config) ids() string { return fmt.Sprintf("%04x:%04x", c.VendorID, c.ProductID) }
