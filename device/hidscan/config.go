package hidscan

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"payscand/device"
)

// Limits of Config.
const (
	MinIdleTimeout  = 10 * time.Millisecond
	MaxIdleTimeout  = time.Second
	MaxSerialLength = 126 // characters of a USB string descriptor (USB 2.0, 9.6.7)
	MaxInterface    = 255
)

// Config names one scanner. VendorID and ProductID are required, each other zero
// field has a default.
type Config struct {
	// Name is what people call the scanner; default its device name, such as
	// "hid:05e0:1900".
	Name string
	// VendorID and ProductID are the scanner's USB ids.
	VendorID, ProductID uint16
	// Serial is the USB serial number, up to MaxSerialLength characters; empty:
	// any. It is needed where several scanners of one kind are plugged in.
	Serial string
	// Interface is the number of the USB interface, 0 to MaxInterface; nil: the
	// only one that is a keyboard.
	Interface *int
	// Layout is the keyboard layout that the scanner types for, one of
	// Layouts; default "us".
	Layout string
	// Terminator defaults to device.TerminatorAuto. Enter arrives as CR, the
	// tabulator key as TAB, Ctrl+J as LF.
	Terminator device.Terminator
	// IdleTimeout ends a scan where no terminator does, MinIdleTimeout to
	// MaxIdleTimeout; default device.DefaultIdleTimeout.
	IdleTimeout time.Duration
}

// WithDefaults returns c with every zero field set to its default.
func (c Config) WithDefaults() Config {
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
	check(c.VendorID != 0, "the vendor id is missing: see it with lsusb")
	check(c.ProductID != 0, "the product id is missing: see it with lsusb")
	check(len([]rune(c.Serial)) <= MaxSerialLength && !strings.ContainsFunc(c.Serial, unicode.IsControl),
		"serial number: must be at most %d characters without control characters", MaxSerialLength)
	check(c.Interface == nil || *c.Interface >= 0 && *c.Interface <= MaxInterface,
		"interface number: must be between 0 and %d", MaxInterface)
	check(layouts[c.Layout] != nil, "layout %q is not one of %s", c.Layout, strings.Join(Layouts(), ", "))
	check(c.Terminator.Valid(),
		"terminator %q is not one of auto, cr, lf, crlf, tab, none", c.Terminator)
	check(c.IdleTimeout >= MinIdleTimeout && c.IdleTimeout <= MaxIdleTimeout,
		"idle time-out %v is not between %v and %v", c.IdleTimeout, MinIdleTimeout, MaxIdleTimeout)
	return errors.Join(mistakes...)
}

// device is the stable name of the scanner in scans and statuses: hid:, vendor,
// product, and serial number and interface where they are configured.
func (c Config) device() string {
	name := "hid:" + c.ids()
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
