package hidscan

import (
	"bytes"
	"slices"
	"testing"
)

// bitmapDescriptor is a keyboard that tells every key by a bit.
var bitmapDescriptor = []byte{
	0x05, 0x01, 0x09, 0x06, 0xa1, 0x01, 0x05, 0x07,
	0x19, 0xe0, 0x29, 0xe7, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01, 0x95, 0x08, 0x81, 0x02,
	0x19, 0x00, 0x29, 0x77, 0x95, 0x78, 0x81, 0x02, 0xc0,
}

// compositeDescriptor has consumer keys as report 2 before the keyboard as
// report 1, the keyboard with ten keys and a byte of padding.
var compositeDescriptor = []byte{
	0x05, 0x0c, 0x09, 0x01, 0xa1, 0x01, 0x85, 0x02, 0x19, 0x00, 0x2a, 0x3c, 0x02, 0x15, 0x00, 0x26, 0x3c, 0x02,
	0x75, 0x10, 0x95, 0x01, 0x81, 0x00, 0xc0,
	0x05, 0x01, 0x09, 0x06, 0xa1, 0x01, 0x85, 0x01, 0x05, 0x07,
	0x75, 0x08, 0x95, 0x01, 0x81, 0x01, // the padding, here first
	0x19, 0xe0, 0x29, 0xe7, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01, 0x95, 0x08, 0x81, 0x02,
	0x19, 0x00, 0x2a, 0xff, 0x00, 0x15, 0x00, 0x26, 0xff, 0x00, 0x75, 0x08, 0x95, 0x0a, 0x81, 0x00, 0xc0,
}

// posDescriptor is a scanner in HID POS mode.
var posDescriptor = []byte{
	0x05, 0x8c, 0x09, 0x02, 0xa1, 0x01, 0x09, 0x12, 0xa1, 0x02, 0x85, 0x02, 0x15, 0x00, 0x26, 0xff, 0x00, 0x75, 0x08, 0x95, 0x01,
	0x05, 0x01, 0x09, 0x3b, 0x81, 0x02, 0x05, 0x8c, 0x09, 0xfe, 0x95, 0x38, 0x82, 0x02, 0x01, 0xc0, 0xc0,
}

// The form of keyboard reports is read from the descriptor, wherever the
// keyboard stands in it; what has no modifier byte and key array has none.
func TestDescriptors(t *testing.T) {
	boot := keyboardFormat{modifiers: 0, keys: 2, slots: 6, length: 8}
	for _, test := range []struct {
		name         string
		data         []byte
		applications []usage
		keyboard     *keyboardFormat
	}{
		{"boot", bootDescriptor, []usage{usageKeyboard}, &boot},
		{"composite", compositeDescriptor, []usage{0x0c_0001, usageKeyboard},
			&keyboardFormat{id: 1, modifiers: 2, keys: 3, slots: 10, length: 13}},
		{"bitmap", bitmapDescriptor, []usage{usageKeyboard}, nil},
		{"HID POS", posDescriptor, []usage{usageHIDPOS}, nil},
		{"IBM", []byte{0x06, 0x45, 0xff, 0x0a, 0x00, 0x4b, 0xa1, 0x01, 0xc0}, []usage{usageIBMHandHeld}, nil},
		{"usage with its page", []byte{0x0b, 0x06, 0x00, 0x01, 0x00, 0xa1, 0x01, 0xc0}, []usage{usageKeyboard}, nil},
		{"keys outside a keyboard", bytes.Replace(bootDescriptor, []byte{0x09, 0x06}, []byte{0x09, 0x02}, 1), []usage{0x01_0002}, nil},
		{"pushed and popped", slices.Concat(bootDescriptor[:6], []byte{0xa4, 0x05, 0x0c, 0x75, 0x07, 0xb4}, bootDescriptor[6:]), []usage{usageKeyboard}, &boot},
		{"long item", slices.Concat([]byte{0xfe, 2, 0, 9, 9}, bootDescriptor), []usage{usageKeyboard}, &boot},
		{"nothing", nil, nil, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := parseDescriptor(test.data)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got.applications, test.applications) {
				t.Errorf("applications %x, want %x", got.applications, test.applications)
			}
			switch keyboard, ok := keyboardFormatOf(got); {
			case ok != (test.keyboard != nil):
				t.Errorf("keyboard %+v %v, want %+v", keyboard, ok, test.keyboard)
			case ok && keyboard != *test.keyboard:
				t.Errorf("keyboard %+v, want %+v", keyboard, *test.keyboard)
			}
		})
	}
}

// A malformed descriptor is refused, not half understood.
func TestMalformedDescriptors(t *testing.T) {
	for name, data := range map[string][]byte{
		"cut":                 bootDescriptor[:len(bootDescriptor)-2],
		"cut long item":       {0xfe, 9, 0, 1},
		"end without begin":   {0xc0},
		"pop without push":    {0xb4},
		"report id 0":         {0x85, 0x00},
		"endless field":       {0x77, 0xff, 0xff, 0xff, 0xff, 0x97, 0xff, 0xff, 0xff, 0xff, 0x81, 0x02},
		"endless report":      bytes.Repeat([]byte{0x75, 0x80, 0x95, 0x20, 0x81, 0x02}, 3),
		"longer than allowed": make([]byte, maxDescriptorSize+1),
	} {
		if _, err := parseDescriptor(data); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

// FuzzDescriptor: whatever a device says of itself, the parser does not panic,
// and each form that it finds lies within its report.
func FuzzDescriptor(f *testing.F) {
	for _, seed := range [][]byte{bootDescriptor, compositeDescriptor, bitmapDescriptor, posDescriptor, posDescriptorA, posDescriptorB, posDescriptorC, ibmDescriptor} {
		f.Add(seed)
	}
	f.Fuzz(func(_ *testing.T, data []byte) {
		found, err := parseDescriptor(data)
		if err != nil {
			return
		}
		for _, mode := range Modes() {
			p, ok := newProtocol(mode, found)
			if !ok {
				continue
			}
			for id, length := range p.lengths {
				for _, filling := range []byte{0, 4, 0xff} {
					report := bytes.Repeat([]byte{filling}, length)
					if id != 0 {
						report[0] = id
					}
					for cut := range []int{0, 1, 2} {
						p.newWith(layouts["us"]).decode(nil, report[:max(0, len(report)-cut)])
					}
				}
			}
		}
	})
}
