package configs

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Scanner is a [[scanner]] table. Exactly the field of its Type is set.
type Scanner struct {
	Type ScannerType `toml:"type"`
	// Name is what people call the scanner; empty: it is called after its device.
	Name   string         `toml:"name"`
	Serial *SerialScanner `toml:"-"`
	HID    *HIDScanner    `toml:"-"`
}

// ScannerType is the way a scanner is connected.
type ScannerType string

const (
	// ScannerSerial is a scanner on a serial port, USB scanners in serial mode included.
	ScannerSerial ScannerType = "serial"
	// ScannerHID is a USB scanner in HID POS, IBM or keyboard mode.
	ScannerHID ScannerType = "hid"
)

const scannerTypes = ScannerSerial + ", " + ScannerHID

// SerialScanner is a scanner on a serial port. Its fields have the values and
// limits of serialscan.Config.
type SerialScanner struct {
	// Port is the absolute path of the device node or of a symbolic link to it;
	// empty where VendorID and ProductID name a USB device instead.
	Port string `toml:"port"`
	// VendorID and ProductID are the USB ids of the scanner or of its adapter,
	// 0x0001 to 0xffff, both or neither.
	VendorID  int `toml:"vendor_id"`
	ProductID int `toml:"product_id"`
	// USBSerial is its USB serial number; empty: any.
	USBSerial string `toml:"serial"`
	// Interface is the number of the USB interface that makes the port, 0 to
	// 255; AnyInterface: the only one.
	Interface int `toml:"interface"`
	// Baud is in bits per second, 300 to 4,000,000.
	Baud     int    `toml:"baud"`
	DataBits int    `toml:"data_bits"` // 7 or 8
	Parity   string `toml:"parity"`    // one of Parities
	StopBits int    `toml:"stop_bits"` // 1 or 2
	// Terminator is one of Terminators.
	Terminator string `toml:"terminator"`
	// IdleTimeout ends a scan that has no terminator, 10 ms to 1 s.
	IdleTimeout time.Duration `toml:"idle_timeout"`
	// Prefix and Suffix are what the scanner sends around each code.
	Prefix string `toml:"prefix"`
	Suffix string `toml:"suffix"`
}

// HIDScanner is a USB scanner in HID POS, IBM or keyboard mode. Its fields have
// the values and limits of hidscan.Config.
type HIDScanner struct {
	// Mode is one of Modes.
	Mode string `toml:"mode"`
	// VendorID and ProductID are the USB ids, 0x0001 to 0xffff, both or neither;
	// in keyboard mode both.
	VendorID  int `toml:"vendor_id"`
	ProductID int `toml:"product_id"`
	// Serial is the USB serial number; empty: any.
	Serial string `toml:"serial"`
	// Interface is the number of the USB interface, 0 to 255; AnyInterface: the
	// only one of its mode.
	Interface int `toml:"interface"`
	// Layout is one of Layouts.
	Layout string `toml:"layout"`
	// Terminator is one of Terminators, for keyboard mode.
	Terminator string `toml:"terminator"`
	// IdleTimeout ends a scan that has no terminator, 10 ms to 1 s.
	IdleTimeout time.Duration `toml:"idle_timeout"`
	// Prefix and Suffix are what the scanner sends around each code.
	Prefix string `toml:"prefix"`
	Suffix string `toml:"suffix"`
}

// AnyInterface stands for the only USB interface that can be meant.
const AnyInterface = -1

// Modes lists the modes of USB scanners. A device that is not named by its ids is
// never a keyboard.
func Modes() []string { return []string{"auto", "pos", "ibm", "keyboard"} }

// Layouts lists the keyboard layouts that a scanner can type for.
func Layouts() []string { return []string{"cn", "de", "fr", "gb", "us"} }

// DefaultHIDScanner has no ids, so it is the HID POS scanner that is plugged in.
func DefaultHIDScanner() HIDScanner {
	return HIDScanner{Mode: "auto", Interface: AnyInterface, Layout: "us", Terminator: "auto", IdleTimeout: 50 * time.Millisecond}
}

// Parities lists the words for the parity bit.
func Parities() []string { return []string{"none", "even", "odd", "mark", "space"} }

// Terminators lists the words for what ends a scan.
func Terminators() []string { return []string{"auto", "cr", "lf", "crlf", "tab", "none"} }

// DefaultSerialScanner is 9600 8N1, as most scanners are delivered, without a port.
func DefaultSerialScanner() SerialScanner {
	return SerialScanner{
		Interface: AnyInterface, Baud: 9600, DataBits: 8, Parity: "none", StopBits: 1,
		Terminator: "auto", IdleTimeout: 50 * time.Millisecond,
	}
}

// scanner reads the table by its type, so that only the keys of that type are known.
func (d *decoder) scanner(path string, value any, out *Scanner) {
	table, ok := value.(map[string]any)
	if !ok {
		d.wrongType(path, "a table: write [[scanner]]", value)
		return
	}
	given, isGiven := table["type"]
	switch {
	case given == string(ScannerSerial):
		serial := DefaultSerialScanner()
		out.Serial = &serial
		d.table(path, table, out, out.Serial)
	case given == string(ScannerHID):
		hid := DefaultHIDScanner()
		out.HID = &hid
		d.table(path, table, out, out.HID)
	case isGiven: // of an unknown type no other key is known
		d.value(join(path, "type"), given, &out.Type)
	}
}

const (
	maxScanners    = 16
	maxNameLength  = 64
	minBaud        = 300
	maxBaud        = 4_000_000
	minIdleTimeout = 10 * time.Millisecond
	maxIdleTimeout = time.Second
	maxUSBID       = 0xffff
	maxUSBSerial   = 126 // characters
	maxInterface   = 255
	maxAffix       = 32 // bytes
)

func validateScanners(p *collector, scanners []Scanner) {
	if len(scanners) > maxScanners {
		p.addf(index("scanner", maxScanners), "there are more than %d scanners", maxScanners)
		return
	}
	ports, devices, names := map[string]string{}, map[string]string{}, map[string]string{}
	for i, scanner := range scanners {
		path := index("scanner", i)
		scanner.validate(p, path)
		if scanner.Serial != nil && scanner.Serial.Port != "" {
			once(p, ports, filepath.Clean(scanner.Serial.Port), path, "port")
		}
		scanner.onceByID(p, devices, path)
		if scanner.Name != "" {
			once(p, names, scanner.Name, path, "name")
		}
	}
}

// onceByID reports the USB ids that an earlier scanner has already. Two that name
// no ids are apart by their modes.
func (s Scanner) onceByID(p *collector, devices map[string]string, path string) {
	switch {
	case s.HID != nil && s.HID.VendorID == 0 && s.HID.ProductID == 0:
		mode := s.HID.Mode
		if mode == "auto" {
			mode = "pos"
		}
		once(p, devices, fmt.Sprintf("%s:%d:%s", mode, s.HID.Interface, s.HID.Serial), path, "mode")
	case s.HID != nil:
		once(p, devices, fmt.Sprintf("%d:%d:%d:%s", s.HID.VendorID, s.HID.ProductID, s.HID.Interface, s.HID.Serial), path, "product_id")
	case s.Serial != nil && s.Serial.ProductID != 0:
		once(p, devices, fmt.Sprintf("%d:%d:%d:%s", s.Serial.VendorID, s.Serial.ProductID, s.Serial.Interface, s.Serial.USBSerial), path, "product_id")
	}
}

// once reports a value that an earlier scanner has already.
func once(p *collector, seen map[string]string, value, path, key string) {
	if earlier, ok := seen[value]; ok {
		p.addf(join(path, key), "is that of %s already", earlier)
		return
	}
	seen[value] = path
}

func (s Scanner) validate(p *collector, path string) {
	if len(s.Name) > maxNameLength || strings.ContainsFunc(s.Name, isControl) {
		p.addf(join(path, "name"), "must be at most %d bytes without control characters", maxNameLength)
	}
	switch {
	case s.Type == "":
		p.addf(join(path, "type"), "is missing; use one of %s", scannerTypes)
	case s.Type == ScannerSerial && s.Serial != nil:
		s.Serial.validate(p, path)
	case s.Type == ScannerHID && s.HID != nil:
		s.HID.validate(p, path)
	case s.Type == ScannerSerial || s.Type == ScannerHID:
		p.addf(path, "the settings of type %s are missing", s.Type)
	default:
		p.addf(join(path, "type"), "unknown type of scanner; use one of %s", scannerTypes)
	}
}

func (s HIDScanner) validate(p *collector, path string) {
	check := func(ok bool, key, format string, args ...any) {
		if !ok {
			p.addf(join(path, key), format, args...)
		}
	}
	check(slices.Contains(Modes(), s.Mode), "mode", "use one of %s", strings.Join(Modes(), ", "))
	checkUSB(check, s.VendorID, s.ProductID, s.Serial, s.Interface)
	check(s.Mode != "keyboard" || s.VendorID != 0 || s.ProductID != 0, "vendor_id",
		"a scanner in keyboard mode must be named by vendor_id and product_id: else anybody's keyboard could be taken")
	check(slices.Contains(Layouts(), s.Layout), "layout", "use one of %s", strings.Join(Layouts(), ", "))
	checkFraming(check, s.Terminator, s.IdleTimeout)
	checkAffixes(check, s.Prefix, s.Suffix)
}

// checkUSB checks what names a USB device.
func checkUSB(check func(ok bool, key, format string, args ...any), vendor, product int, serial string, number int) {
	const ids = "must be within 0x0001 and 0xffff: the scanner's as payscand devices list shows it, such as %s"
	isNamed := vendor != 0 || product != 0
	check(!isNamed || vendor > 0 && vendor <= maxUSBID, "vendor_id", ids, "0x05e0")
	check(!isNamed || product > 0 && product <= maxUSBID, "product_id", ids, "0x1900")
	check(utf8.RuneCountInString(serial) <= maxUSBSerial && !strings.ContainsFunc(serial, isControl),
		"serial", "must be at most %d characters without control characters", maxUSBSerial)
	check(number >= AnyInterface && number <= maxInterface,
		"interface", "must be within 0 and %d, or %d for the only one", maxInterface, AnyInterface)
}

func checkAffixes(check func(ok bool, key, format string, args ...any), prefix, suffix string) {
	fits := func(s string) bool {
		return len(s) <= maxAffix && utf8.ValidString(s) && !strings.ContainsAny(s, "\r\n\t\x00")
	}
	const message = "must be at most %d bytes without CR, LF, TAB and NUL (what ends a scan is the terminator)"
	check(fits(prefix), "prefix", message, maxAffix)
	check(fits(suffix), "suffix", message, maxAffix)
}

func checkFraming(check func(ok bool, key, format string, args ...any), terminator string, idle time.Duration) {
	check(slices.Contains(Terminators(), terminator), "terminator", "use one of %s", strings.Join(Terminators(), ", "))
	check(idle >= minIdleTimeout && idle <= maxIdleTimeout,
		"idle_timeout", `must be within "%v" and "%v"`, minIdleTimeout, maxIdleTimeout)
}

func (s SerialScanner) validate(p *collector, path string) {
	check := func(ok bool, key, format string, args ...any) {
		if !ok {
			p.addf(join(path, key), format, args...)
		}
	}
	isNamed := s.VendorID != 0 || s.ProductID != 0
	check(s.Port == "" && isNamed || filepath.IsAbs(s.Port) && len(s.Port) > 1 && !strings.ContainsFunc(s.Port, isControl),
		"port", "must be the whole path of the device, such as /dev/ttyACM0 or /dev/serial/by-id/…, or name the USB device by vendor_id and product_id")
	check(s.Port == "" || !isNamed && s.USBSerial == "" && s.Interface == AnyInterface, "port",
		"name the scanner by its port or by its USB ids, not by both")
	checkUSB(check, s.VendorID, s.ProductID, s.USBSerial, s.Interface)
	check(s.Baud >= minBaud && s.Baud <= maxBaud, "baud", "must be within %d and %d, such as 9600 or 115200", minBaud, maxBaud)
	check(s.DataBits == 7 || s.DataBits == 8, "data_bits", "must be 7 or 8")
	check(slices.Contains(Parities(), s.Parity), "parity", "use one of %s", strings.Join(Parities(), ", "))
	check(s.StopBits == 1 || s.StopBits == 2, "stop_bits", "must be 1 or 2")
	checkFraming(check, s.Terminator, s.IdleTimeout)
	checkAffixes(check, s.Prefix, s.Suffix)
}
