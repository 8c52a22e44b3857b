//go:build !cgo

package hidscan

// openUSB is nil: the library needs cgo.
var openUSB opener
