//go:build cgo

package hidscan

import "github.com/karalabe/hid"

// openUSB opens an interface by its path, detaching the kernel's driver from it.
// The library is not asked for a list of devices: that opens each of them.
var openUSB opener = func(path string) (handle, error) {
	return hid.DeviceInfo{Path: path}.Open()
}
