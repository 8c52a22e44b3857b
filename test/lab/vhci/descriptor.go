package vhci

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"time"
	"unicode/utf16"
)

// Speed of a device, as the kernel numbers them.
type Speed int

const (
	Low  Speed = 1
	Full Speed = 2
	High Speed = 3
)

// Descriptor is what a device says of itself.
type Descriptor struct {
	VendorID, ProductID           uint16
	Manufacturer, Product, Serial string // empty: it has none
	// StallStrings has every request for a string refused, as cheap devices do.
	StallStrings bool
	Speed        Speed
	// Subclass and Protocol of the HID interface: 1 and 1 for a boot keyboard.
	Subclass, Protocol byte
	// Report is the HID report descriptor.
	Report []byte
	// MaxPacket is the most that the endpoint sends in one packet, in bytes.
	MaxPacket uint16
	// SwitchedOnBy is the id of a feature report that must be set before the device sends anything; 0: none.
	SwitchedOnBy byte
	// Interval is the time from one packet to the next, 1 to 255 ms; 0 is 8 ms, which many scanners have.
	Interval uint8
}

func (d Descriptor) milliseconds() uint8 { return cmp.Or(d.Interval, 8) }

func (d Descriptor) interval() time.Duration {
	return time.Duration(d.milliseconds()) * time.Millisecond
}

// USB 2.0, table 9-5, and HID 1.11, 7.1: the descriptors.
const (
	typeDevice = iota + 1
	typeConfiguration
	typeString
	typeInterface
	typeEndpoint

	typeHID    = 0x21
	typeReport = 0x22

	classHID   = 3
	endpointIn = 0x81
)

// device is the device descriptor.
func (d Descriptor) device() []byte {
	firstPacket := byte(64)
	if d.Speed == Low {
		firstPacket = 8
	}
	b := []byte{18, typeDevice, 0x00, 0x02, 0, 0, 0, firstPacket}
	b = binary.LittleEndian.AppendUint16(b, d.VendorID)
	b = binary.LittleEndian.AppendUint16(b, d.ProductID)
	b = binary.LittleEndian.AppendUint16(b, 0x0100)
	for i, text := range d.strings() {
		if text == "" {
			b = append(b, 0)
		} else {
			b = append(b, byte(i+1))
		}
	}
	return append(b, 1)
}

// configuration is the configuration descriptor with all that belongs to it.
func (d Descriptor) configuration() []byte {
	interval := d.milliseconds()
	if d.Speed == High { // 2^(interval-1) × 125 µs
		interval = byte(bits.Len8(interval)) + 3
	}
	rest := []byte{
		9, typeInterface, 0, 0, 1, classHID, d.Subclass, d.Protocol, 0,
		9, typeHID, 0x11, 0x01, 0, 1, typeReport, byte(len(d.Report)), byte(len(d.Report) >> 8),
		7, typeEndpoint, endpointIn, 3, byte(d.MaxPacket), byte(d.MaxPacket >> 8), interval,
	}
	const busPowered = 0x80
	return append([]byte{9, typeConfiguration, byte(9 + len(rest)), 0, 1, 1, 0, busPowered, 50}, rest...)
}

func (d Descriptor) strings() [3]string { return [3]string{d.Manufacturer, d.Product, d.Serial} }

// string is a string descriptor; 0 lists the languages.
func (d Descriptor) string(index byte) ([]byte, bool) {
	all := d.strings()
	switch {
	case d.StallStrings, int(index) > len(all):
		return nil, false
	case index == 0:
		return []byte{4, typeString, 0x09, 0x04}, true
	}
	b := []byte{0, typeString}
	for _, unit := range utf16.Encode([]rune(all[index-1])) {
		b = binary.LittleEndian.AppendUint16(b, unit)
	}
	b[0] = byte(len(b))
	return b, true
}

// Requests (USB 2.0, tables 9-3 and 9-4; HID 1.11, 7.2).
const (
	getStatus, clearFeature, setConfiguration, getDescriptor, setInterface = 0x00, 0x01, 0x09, 0x06, 0x0b
	setReport, setIdle, setProtocol                                        = 0x09, 0x0a, 0x0b
	fromDevice, fromInterface, toDevice, toInterface, toEndpoint           = 0x80, 0x81, 0x00, 0x01, 0x02

	class         = 0x20
	featureReport = 3
)

// switchesOn tells whether a control request is the one that the device waits for.
func (d Descriptor) switchesOn(setup [8]byte) bool {
	return setup[0] == toInterface|class && setup[1] == setReport && setup[2] == d.SwitchedOnBy && setup[3] == featureReport
}

// answer answers a control request; false: the device refuses it (a stall).
func (d Descriptor) answer(setup [8]byte) ([]byte, bool) {
	index, kind := setup[2], setup[3]
	switch [2]byte{setup[0], setup[1]} {
	case [2]byte{fromDevice, getDescriptor}:
		switch kind {
		case typeDevice:
			return d.device(), true
		case typeConfiguration:
			return d.configuration(), true
		case typeString:
			return d.string(index)
		}
	case [2]byte{fromInterface, getDescriptor}:
		if kind == typeReport {
			return d.Report, true
		}
	case [2]byte{fromDevice, getStatus}, [2]byte{fromInterface, getStatus}:
		return []byte{0, 0}, true
	case [2]byte{toDevice, setConfiguration}, [2]byte{toInterface, setInterface},
		[2]byte{toDevice, clearFeature}, [2]byte{toEndpoint, clearFeature},
		[2]byte{toInterface | class, setReport}, [2]byte{toInterface | class, setIdle}, [2]byte{toInterface | class, setProtocol}:
		return nil, true
	}
	return nil, false
}
