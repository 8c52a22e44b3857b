package serialscan

import (
	"strings"
	"testing"
	"time"

	"payscand/device"
	"payscand/device/usb"
)

// A port alone is a whole configuration: 9600 8N1, automatic terminator.
func TestDefaults(t *testing.T) {
	got := Config{Port: "/dev/ttyACM0"}.WithDefaults()
	want := Config{
		Port: "/dev/ttyACM0", Name: "serial:/dev/ttyACM0", Baud: 9600, DataBits: 8, Parity: ParityNone, StopBits: 1,
		Terminator: device.TerminatorAuto, IdleTimeout: 50 * time.Millisecond,
	}
	if got != want {
		t.Errorf("defaults %+v, want %+v", got, want)
	}
	if err := (Config{Port: "/dev/ttyACM0"}).Validate(); err != nil {
		t.Error(err)
	}
}

// Every mistake is reported, all at once, with the value that is wrong, and no
// scanner is made.
func TestMistakes(t *testing.T) {
	config := Config{
		Port: "ttyACM0", Baud: 7, DataBits: 9, Parity: "both", StopBits: 3,
		Terminator: "enter", IdleTimeout: 2 * time.Second,
	}
	scanner, err := New(config, new(device.Arming))
	if err == nil || scanner != nil {
		t.Fatal("a scanner was made of a wrong configuration")
	}
	for _, part := range []string{`"ttyACM0"`, "baud 7", "data bits 9", `"both"`, "stop bits 3", `"enter"`, "2s"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not name %s: %v", part, err)
		}
	}
	for _, config := range []Config{
		{}, {Port: "/"}, {Port: "/dev/x", Baud: -9600}, {Port: "/dev/x", Baud: MaxBaud + 1},
		{USB: usb.ID{Vendor: 1}}, {USB: usb.ID{Product: 1}}, {USB: usb.ID{Serial: "1"}}, {Port: "/dev/x", USB: usb.ID{Vendor: 1, Product: 1}},
		{Port: "/dev/x", Affixes: device.Affixes{Suffix: "\r"}},
		{Port: "/dev/x", DataBits: 5}, {Port: "/dev/x", IdleTimeout: -1}, {Port: "/dev/x", IdleTimeout: device.MinIdleTimeout - 1},
	} {
		if config.Validate() == nil {
			t.Errorf("%+v was accepted", config)
		}
	}
}
