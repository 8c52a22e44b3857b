package serialscan

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"go.bug.st/serial"

	"payscand/device"
	"payscand/device/usb"
)

// Parity is the parity setting of a line.
type Parity string

// The parities that scanners offer.
const (
	ParityNone  Parity = "none"
	ParityEven  Parity = "even"
	ParityOdd   Parity = "odd"
	ParityMark  Parity = "mark"
	ParitySpace Parity = "space"
)

var libraryParity = map[Parity]serial.Parity{
	ParityNone:  serial.NoParity,
	ParityEven:  serial.EvenParity,
	ParityOdd:   serial.OddParity,
	ParityMark:  serial.MarkParity,
	ParitySpace: serial.SpaceParity,
}

var libraryStopBits = map[int]serial.StopBits{1: serial.OneStopBit, 2: serial.TwoStopBits}

// Limits of Config.
const (
	MinBaud      = 300
	MaxBaud      = 4_000_000
	MaxInterface = 255
)

// Config describes one serial scanner, by its port or by its USB device. Each
// other zero field has a default; the line settings default to 9600 8N1, as most
// scanners are delivered. USB scanners in serial mode ignore line settings.
type Config struct {
	// Port is the absolute path of the device node, or of a symbolic link to it;
	// empty where USB names a device.
	Port string
	// USB is the scanner or its adapter, with vendor and product at least. It is
	// found whatever number its port gets.
	USB usb.ID
	// Interface is the number of the USB interface that makes the port, 0 to
	// MaxInterface; nil: the only one.
	Interface *int
	// Name is what people call the scanner; default its device name, such as
	// "serial:/dev/ttyACM0" or "serial:05e0:1701".
	Name string
	// Baud is the line speed in bits per second, MinBaud to MaxBaud; default 9600.
	Baud int
	// DataBits is 7 or 8; default 8.
	DataBits int
	// Parity defaults to ParityNone.
	Parity Parity
	// StopBits is 1 or 2; default 1.
	StopBits int
	// Terminator defaults to device.TerminatorAuto.
	Terminator device.Terminator
	// IdleTimeout ends a scan where no terminator does, device.MinIdleTimeout to
	// device.MaxIdleTimeout; default device.DefaultIdleTimeout.
	IdleTimeout time.Duration
	// Affixes are what the scanner sends around each code.
	device.Affixes
}

// WithDefaults returns c with every zero field set to its default.
func (c Config) WithDefaults() Config {
	if c.Name == "" {
		c.Name = c.device()
	}
	if c.Baud == 0 {
		c.Baud = 9600
	}
	if c.DataBits == 0 {
		c.DataBits = 8
	}
	if c.Parity == "" {
		c.Parity = ParityNone
	}
	if c.StopBits == 0 {
		c.StopBits = 1
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
// first. It does not look whether the port exists: it may be plugged in later.
func (c Config) Validate() error {
	c = c.WithDefaults()
	var mistakes []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			mistakes = append(mistakes, fmt.Errorf(format, args...))
		}
	}
	if c.USB != (usb.ID{}) || c.Interface != nil {
		check(c.Port == "", "port %q: name the scanner by its port or by its USB ids, not by both", c.Port)
		check(c.USB.Vendor != 0, "the vendor id is missing: see it with payscand devices list")
		check(c.USB.Product != 0, "the product id is missing: see it with payscand devices list")
		check(len([]rune(c.USB.Serial)) <= usb.MaxSerialLength && !strings.ContainsFunc(c.USB.Serial, unicode.IsControl),
			"serial number: must be at most %d characters without control characters", usb.MaxSerialLength)
		check(c.Interface == nil || *c.Interface >= 0 && *c.Interface <= MaxInterface,
			"interface number: must be between 0 and %d", MaxInterface)
	} else {
		check(len(c.Port) > 1 && c.Port[0] == '/',
			"port %q is not an absolute path such as /dev/ttyACM0", c.Port)
	}
	check(c.Baud >= MinBaud && c.Baud <= MaxBaud,
		"baud %d is not between %d and %d", c.Baud, MinBaud, MaxBaud)
	check(c.DataBits == 7 || c.DataBits == 8,
		"data bits %d: a scanner has 7 or 8", c.DataBits)
	_, known := libraryParity[c.Parity]
	check(known, "parity %q is not one of none, even, odd, mark, space", c.Parity)
	_, known = libraryStopBits[c.StopBits]
	check(known, "stop bits %d: a scanner has 1 or 2", c.StopBits)
	return errors.Join(append(mistakes, device.CheckFraming(c.Terminator, c.IdleTimeout, c.Affixes)...)...)
}

// device is the stable name of the scanner in scans and statuses.
func (c Config) device() string {
	if c.Port != "" {
		return "serial:" + c.Port
	}
	name := fmt.Sprintf("serial:%04x:%04x", c.USB.Vendor, c.USB.Product)
	if c.USB.Serial != "" {
		name += ":" + c.USB.Serial
	}
	if c.Interface != nil {
		name += fmt.Sprintf("/%d", *c.Interface)
	}
	return name
}

func (c Config) mode() *serial.Mode {
	return &serial.Mode{
		BaudRate: c.Baud,
		DataBits: c.DataBits,
		Parity:   libraryParity[c.Parity],
		StopBits: libraryStopBits[c.StopBits],
		// No InitialStatusBits: a pseudo-terminal has no modem lines and
		// the open would fail.
	}
}
