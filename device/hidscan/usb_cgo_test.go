//go:build cgo

package hidscan

import "testing"

// The library is linked in, starts, and says no to a device that is not there.
func TestOpenOfNothing(t *testing.T) {
	if opened, err := openUSB("99-9.9:1.0"); err == nil {
		_ = opened.Close()
		t.Error("a device that is not there was opened")
	}
}
