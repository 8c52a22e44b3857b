//go:build !cgo

package hidscan

import (
	"testing"

	"payscand/device"
)

// A program without cgo makes scanners that know they have no HID support.
func TestNoSupport(t *testing.T) {
	scanner, err := New(Config{VendorID: 0x05e0, ProductID: 0x1900}, new(device.Arming))
	if err != nil || scanner.open != nil {
		t.Errorf("scanner %+v, %v", scanner, err)
	}
}
