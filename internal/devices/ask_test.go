package devices

import (
	"context"
	"fmt"
	"testing"
	"time"

	"payscand/device"
)

// Who scans with another scanner uses up no try, and a scanner that was plugged in
// again, as some do when their settings change, is the same one.
func TestAsk(t *testing.T) {
	scanner := Device{Type: "serial", VendorID: "05e0", ProductID: "1701", Port: "/dev/ttyACM0", Node: "/dev/ttyACM0", usbNode: "/dev/bus/usb/001/004"}
	replugged := scanner
	replugged.Port, replugged.Node, replugged.usbNode = "/dev/ttyACM1", "/dev/ttyACM1", "/dev/bus/usb/001/005"
	other := Device{Type: "hid", Mode: "pos", VendorID: "0c2e", ProductID: "0b81"}
	code := Codes()[0]
	shots := make(chan heard, 16)
	send := func(d Device, text string) { shots <- heard{d, device.Shot{Texts: map[string]string{"": text}}} }
	s := &Station{Say: func(format string, args ...any) { t.Logf(format, args...) }}

	for name, test := range map[string]struct {
		with  Device
		texts []string
		right bool
	}{
		"right":            {scanner, []string{code.Text}, true},
		"wrong":            {scanner, []string{"x", "y", "z"}, false},
		"plugged in again": {replugged, []string{"x", code.Text}, true},
	} {
		report := Report{Device: scanner, Results: []Result{{}}}
		for range tries {
			send(other, code.Text)
		}
		for _, text := range test.texts {
			send(test.with, text)
		}
		ctx, cancel := context.WithTimeoutCause(t.Context(), 10*time.Second, fmt.Errorf("%s: it goes on asking", name))
		err := s.ask(ctx, code, &report, shots, 0)
		cancel()
		if err != nil || len(shots) > 0 || len(report.Results) != 2 || report.Results[1].Right != test.right || report.Device.Port != test.with.Port {
			t.Fatalf("%s: %v, %d shots left, %+v", name, err, len(shots), report)
		}
	}
}
