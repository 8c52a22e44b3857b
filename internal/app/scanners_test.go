package app

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"payscand/configs"
	"payscand/device"
	"payscand/device/hidscan"
	"payscand/device/serialscan"
)

const port = "/dev/ttyACM0"

// TestSerialScannerDefaults: a [[scanner]] that names its port only is the serial scanner with nothing set but its port.
func TestSerialScannerDefaults(t *testing.T) {
	scanner := configs.DefaultSerialScanner()
	scanner.Port = port
	want := serialscan.Config{Port: port}.WithDefaults()
	got := serialConfig(scanner)
	got.Name = want.Name // empty in the configuration: called after its device
	if difference := cmp.Diff(want, got); difference != "" {
		t.Errorf("the configuration's defaults differ (-serialscan +configs):\n%s", difference)
	}
}

// TestSerialScannerLimits: package configs, which must not import device/serialscan, takes for a serial scanner exactly the
// words and numbers that it takes, and each becomes a scanner. (Zero is left out: serialscan reads it as the default.)
func TestSerialScannerLimits(t *testing.T) {
	settings := map[string]func(*configs.SerialScanner){}
	add := func(set func(*configs.SerialScanner), name string, value any) {
		settings[fmt.Sprintf("%s %v", name, value)] = set
	}
	for _, baud := range []int{-1, 1, serialscan.MinBaud - 1, serialscan.MinBaud, 9600, 115200, serialscan.MaxBaud, serialscan.MaxBaud + 1} {
		add(func(s *configs.SerialScanner) { s.Baud = baud }, "baud", baud)
	}
	for bits := 1; bits <= 10; bits++ {
		add(func(s *configs.SerialScanner) { s.DataBits = bits }, "data bits", bits)
		add(func(s *configs.SerialScanner) { s.StopBits = bits }, "stop bits", bits)
	}
	for _, idle := range []time.Duration{
		-time.Second, 1, device.MinIdleTimeout - 1, device.MinIdleTimeout, device.DefaultIdleTimeout,
		device.MaxIdleTimeout, device.MaxIdleTimeout + 1,
	} {
		add(func(s *configs.SerialScanner) { s.IdleTimeout = idle }, "idle time-out", idle)
	}
	parities := []string{
		string(serialscan.ParityNone), string(serialscan.ParityEven), string(serialscan.ParityOdd),
		string(serialscan.ParityMark), string(serialscan.ParitySpace), "None", "n", " none",
	}
	for _, parity := range append(parities, configs.Parities()...) {
		add(func(s *configs.SerialScanner) { s.Parity = parity }, "parity", parity)
	}
	terminators := []string{
		string(device.TerminatorAuto), string(device.TerminatorCR), string(device.TerminatorLF),
		string(device.TerminatorCRLF), string(device.TerminatorTAB), string(device.TerminatorNone), "CR", "enter", "\r",
	}
	for _, terminator := range append(terminators, configs.Terminators()...) {
		add(func(s *configs.SerialScanner) { s.Terminator = terminator }, "terminator", terminator)
	}

	taken, refused := 0, 0
	for name, set := range settings {
		scanner := configs.DefaultSerialScanner()
		scanner.Port = port
		set(&scanner)
		config := configs.Default()
		config.Scanners = []configs.Scanner{{Type: configs.ScannerSerial, Serial: &scanner}}
		problem := scannerProblem(t, config)
		_, err := scannersOf(&config, new(device.Arming))
		if (problem == "") != (err == nil) {
			t.Errorf("%s: configs says %q, serialscan %v", name, problem, err)
		}
		if err == nil {
			taken++
		} else {
			refused++
		}
	}
	if taken == 0 || refused == 0 {
		t.Errorf("nothing was compared: %d taken, %d refused", taken, refused)
	}
}

// TestSerialScannerWords: the words that a configuration's error offers are all that there are.
func TestSerialScannerWords(t *testing.T) {
	for _, parity := range []serialscan.Parity{
		serialscan.ParityNone, serialscan.ParityEven, serialscan.ParityOdd, serialscan.ParityMark, serialscan.ParitySpace,
	} {
		if !slices.Contains(configs.Parities(), string(parity)) {
			t.Errorf("parity %q is not offered", parity)
		}
	}
	for _, terminator := range []device.Terminator{
		device.TerminatorAuto, device.TerminatorCR, device.TerminatorLF, device.TerminatorCRLF, device.TerminatorTAB, device.TerminatorNone,
	} {
		if !slices.Contains(configs.Terminators(), string(terminator)) {
			t.Errorf("terminator %q is not offered", terminator)
		}
	}
}

// scannerProblem is what Validate says about the scanner, empty for nothing. Other parts of the configuration are not set.
func scannerProblem(t *testing.T, config configs.Config) string {
	t.Helper()
	var problems configs.Problems
	if !errors.As(config.Validate(), &problems) {
		t.Fatal("a configuration without a gateway has problems")
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Path, "scanner") {
			return p.String()
		}
	}
	return ""
}

// serialConfig is the scanner as scannersOf would make it.
func serialConfig(s configs.SerialScanner) serialscan.Config {
	return serialscan.Config{
		Port: s.Port, Baud: s.Baud, DataBits: s.DataBits, Parity: serialscan.Parity(s.Parity), StopBits: s.StopBits,
		Terminator: device.Terminator(s.Terminator), IdleTimeout: s.IdleTimeout,
	}
}

// TestHIDScannerWords: the configuration offers the modes and layouts that there are, takes a HID scanner as hidscan does,
// and means the same by nothing.
func TestHIDScannerWords(t *testing.T) {
	modes := make([]string, 0, len(hidscan.Modes()))
	for _, mode := range hidscan.Modes() {
		modes = append(modes, string(mode))
	}
	if difference := cmp.Diff(modes, configs.Modes()); difference != "" {
		t.Errorf("modes (-hidscan +configs):\n%s", difference)
	}
	if difference := cmp.Diff(hidscan.Layouts(), configs.Layouts()); difference != "" {
		t.Errorf("layouts (-hidscan +configs):\n%s", difference)
	}
	taken, refused := 0, 0
	for _, mode := range append(modes, "wedge") {
		for _, ids := range [][2]int{{0, 0}, {1, 0}, {0, 1}, {0x05e0, 0x1900}} {
			for _, prefix := range []string{"", "S1", "\r"} {
				h := configs.DefaultHIDScanner()
				h.Mode, h.VendorID, h.ProductID, h.Prefix = mode, ids[0], ids[1], prefix
				config := configs.Default()
				config.Scanners = []configs.Scanner{{Type: configs.ScannerHID, HID: &h}}
				problem := scannerProblem(t, config)
				_, err := scannersOf(&config, new(device.Arming))
				if (problem == "") != (err == nil) {
					t.Errorf("%s %x %q: configs says %q, hidscan %v", mode, ids, prefix, problem, err)
				}
				if err == nil {
					taken++
				} else {
					refused++
				}
			}
		}
	}
	if taken == 0 || refused == 0 {
		t.Errorf("nothing was compared: %d taken, %d refused", taken, refused)
	}
}
