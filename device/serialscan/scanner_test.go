package serialscan

import (
	"path/filepath"
	"testing"

	"payscand/device"
	"payscand/device/devicetest"
	"payscand/device/devicetest/conformance"
)

// TestConformance: serialscan keeps every promise of a device.Scanner. A
// terminator is configured, so that a pause of a busy test machine ends no scan.
func TestConformance(t *testing.T) {
	conformance.TestScanner(t, func(t *testing.T) conformance.Harness {
		virtual := newPTY(t)
		arming := new(device.Arming)
		scanner, err := New(Config{Port: virtual.Path(), Terminator: device.TerminatorCR}, arming)
		if err != nil {
			t.Fatal(err)
		}
		return conformance.Harness{Scanner: scanner, Arming: arming, Virtual: virtual}
	})
}

func newPTY(t *testing.T) *devicetest.PTY {
	t.Helper()
	virtual, err := devicetest.NewPTY(filepath.Join(t.TempDir(), "scanner"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := virtual.Close(); err != nil {
			t.Error(err)
		}
	})
	return virtual
}
