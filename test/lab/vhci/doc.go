// Package vhci plugs USB devices that are made of nothing but code into the
// running kernel: through its vhci_hcd driver and the USB/IP protocol, over a
// socket pair. To everything above the host controller they are real devices.
//
// The protocol is that of the kernel's Documentation/usb/usbip_protocol.rst.
// A device has one configuration with one HID interface, and one interrupt
// endpoint to send on. It runs as root in a guest of the lab, where it disturbs
// nobody.
package vhci
