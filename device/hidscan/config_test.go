package hidscan

import (
	"strings"
	"testing"
	"time"

	"payscand/device"
)

// Nothing at all means the HID POS scanner that is plugged in, and never a
// keyboard.
func TestNothingMeansPOS(t *testing.T) {
	if got := (Config{}).WithDefaults(); got.Mode != ModePOS || got.Name != "hid:pos" || got.Validate() != nil {
		t.Errorf("%+v, %v", got, got.Validate())
	}
}

// Two ids are a whole configuration: US layout, automatic terminator.
func TestDefaults(t *testing.T) {
	got := Config{VendorID: 0x05e0, ProductID: 0x1900}.WithDefaults()
	want := Config{
		VendorID: 0x05e0, ProductID: 0x1900, Name: "hid:05e0:1900", Mode: ModeAuto, Layout: "us",
		Terminator: device.TerminatorAuto, IdleTimeout: 50 * time.Millisecond,
	}
	if got != want {
		t.Errorf("defaults %+v, want %+v", got, want)
	}
	scanner, err := New(Config{VendorID: 0x05e0, ProductID: 0x1900}, new(device.Arming))
	if err != nil {
		t.Fatal(err)
	}
	if s := scanner.Status(); s.State != device.StateStopped || s.Device != "hid:05e0:1900" {
		t.Errorf("at first: %+v", s)
	}
}

// The device name tells apart what the configuration tells apart.
func TestDeviceNames(t *testing.T) {
	second := 2
	for want, config := range map[string]Config{
		"hid:0c2e:0901":       {VendorID: 0x0c2e, ProductID: 0x901},
		"hid:05e0:1900:S/N 1": {VendorID: 0x05e0, ProductID: 0x1900, Serial: "S/N 1"},
		"hid:05e0:1900:7/2":   {VendorID: 0x05e0, ProductID: 0x1900, Serial: "7", Interface: &second},
		"hid:pos":             {Mode: ModePOS},
		"hid:ibm:8":           {Mode: ModeIBM, Serial: "8"},
	} {
		if got := config.device(); got != want {
			t.Errorf("device %q, want %q", got, want)
		}
	}
}

// Every mistake is reported, all at once, and no scanner is made. A keyboard
// without both ids is refused: it might be anybody's.
func TestMistakes(t *testing.T) {
	number := 256
	scanner, err := New(Config{
		Mode: "wedge", ProductID: 1, Affixes: device.Affixes{Prefix: "\r"}, Serial: "a\x07", Interface: &number, Layout: "dvorak", Terminator: "enter", IdleTimeout: 2 * time.Second,
	}, new(device.Arming))
	if err == nil || scanner != nil {
		t.Fatal("a scanner was made of a wrong configuration")
	}
	for _, part := range []string{"vendor id", `"wedge"`, "prefix", "serial number", "interface number", `"dvorak"`, `"enter"`, "2s"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not name %s: %v", part, err)
		}
	}
	negative := -1
	for _, config := range []Config{
		{Mode: ModeKeyboard}, {VendorID: 1}, {ProductID: 1}, {Mode: ModeKeyboard, VendorID: 1}, {Mode: ModePOS, VendorID: 1},
		{VendorID: 1, ProductID: 1, Serial: strings.Repeat("x", MaxSerialLength+1)},
		{VendorID: 1, ProductID: 1, Interface: &negative},
		{VendorID: 1, ProductID: 1, IdleTimeout: device.MinIdleTimeout - 1},
	} {
		if config.Validate() == nil {
			t.Errorf("%+v was accepted", config)
		}
	}
}
