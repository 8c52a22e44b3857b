package hidscan

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"payscand/device"
	"payscand/device/devicetest/conformance"
	"payscand/device/usb"
)

// inMode is a scanner that sends whole reports, of one mode.
func inMode(vendor string, descriptor []byte) fakeDevice {
	return fakeDevice{
		name: "1-1.2", vendor: vendor, product: "1900", serial: "S/N:0001",
		interfaces: []fakeInterface{{driver: "usbhid", subclass: "00", protocol: "00", descriptor: descriptor, packet: 64}},
	}
}

// posVirtual sends each part of a code as reports of a HID POS scanner.
type posVirtual struct {
	*fakeUSB
	shape posShape
}

func (v posVirtual) Write(text []byte) (int, error) {
	reports := v.shape.reports("]Q1", string(text))
	reports[len(reports)-1][v.shape.continued] |= v.shape.goesOn
	return len(text), v.sendAll(reports)
}

func (v posVirtual) Scan(code string) error { return v.sendAll(v.shape.reports("]Q1", code)) }

func (u *fakeUSB) sendAll(reports [][]byte) error {
	for _, report := range reports {
		if err := u.send(report); err != nil {
			return err
		}
	}
	return nil
}

// ibmVirtual sends a code as one report, whose length byte is too large for a
// code that does not fit.
type ibmVirtual struct{ *fakeUSB }

func (v ibmVirtual) Scan(code string) error {
	return v.send(ibmReport(code[:min(len(code), 57)], "\x00\x33\x0b"))
}

// TestConformanceOfModes: HID POS and IBM keep every promise of a device.Scanner.
func TestConformanceOfModes(t *testing.T) {
	t.Run("HID POS", func(t *testing.T) {
		conformance.TestScanner(t, func(t *testing.T) conformance.Harness {
			fake, arming := newFakeUSB(t, inMode("05e0", posDescriptorA)), new(device.Arming)
			return conformance.Harness{Scanner: fake.scanner(t, Config{}, arming), Arming: arming, Virtual: posVirtual{fake, posShapes["A"]}}
		})
	})
	t.Run("IBM", func(t *testing.T) {
		conformance.TestScanner(t, func(t *testing.T) conformance.Harness {
			fake, arming := newFakeUSB(t, inMode("05e0", ibmDescriptor)), new(device.Arming)
			return conformance.Harness{Scanner: fake.scanner(t, Config{Mode: ModeIBM}, arming), Arming: arming, Virtual: ibmVirtual{fake}, WholeScans: true}
		})
	})
}

// A Honeywell scanner in HID POS mode is told to send to that interface; one that
// refuses, as those do that have no other one, is ready all the same.
func TestHoneywellIsGreeted(t *testing.T) {
	for _, test := range []struct {
		name, vendor string
		number       int
		refuses      bool
		want         []byte
	}{
		{"Honeywell", "0c2e", 0, false, []byte{254, 1}},
		{"Honeywell's second interface", "0c2e", 2, false, []byte{254, 2}},
		{"Hand Held Products", "0536", 1, false, []byte{254, 1}},
		{"Honeywell refuses", "0c2e", 0, true, nil},
		{"another maker", "05e0", 0, false, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				spec := inMode(test.vendor, posDescriptorA)
				spec.interfaces[0].number = test.number
				fake := newFakeUSB(t, spec)
				fake.refuses = test.refuses
				run(t, fake.unnamed(t, Config{})).expectState(t, device.StateReady)
				if told := bytes.Join(fake.told, nil); !bytes.Equal(told, test.want) {
					t.Errorf("told %v", fake.told)
				}
			})
		})
	}
}

// unnamed is a scanner that is configured by its mode alone.
func (u *fakeUSB) unnamed(t *testing.T, config Config) *Scanner {
	t.Helper()
	s, err := New(config, new(device.Arming))
	if err != nil {
		t.Fatal(err)
	}
	s.tree, s.open = u.tree, u.open
	s.listen = func() *device.PlugNews { return new(device.PlugNews) }
	return s
}

// What a killed program left without a driver is given back before it is opened,
// so that it can be told what it is: the named scanner's interfaces, and of those
// that are not named no keyboard's. Where that is not allowed, a named keyboard is
// read all the same, and a scanner in HID POS mode is missing.
func TestDriverIsGivenBack(t *testing.T) {
	for _, test := range []struct {
		name      string
		spec      fakeDevice
		config    Config
		allowed   bool
		state     device.State
		attempted bool
	}{
		{"HID POS by type", inMode("05e0", posDescriptorA), Config{}, true, device.StateReady, true},
		{"HID POS by type, not allowed", inMode("05e0", posDescriptorA), Config{}, false, device.StateMissing, true},
		{"HID POS by name", inMode("05e0", posDescriptorA), Config{VendorID: 0x05e0, ProductID: 0x1900}, true, device.StateReady, true},
		{"keyboard by name, not allowed", zebra(), Config{VendorID: 0x05e0, ProductID: 0x1900}, false, device.StateReady, true},
		{"keyboard, HID POS wanted", zebra(), Config{}, true, device.StateMissing, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				whole := test.spec
				test.spec.interfaces = []fakeInterface{whole.interfaces[0]}
				test.spec.interfaces[0].driver, test.spec.interfaces[0].descriptor = "", nil
				fake := newFakeUSB(t, test.spec)
				attempted := false
				fake.tree.attach = func(_ string, i usb.Interface) error {
					attempted = true
					if i.Path != "1-1.2:1.0" || !test.allowed {
						return errors.New("not permitted")
					}
					return errors.Join(fake.tree.unplug(test.spec), fake.tree.plug(whole, fake.number))
				}
				run(t, fake.unnamed(t, test.config)).expectState(t, test.state)
				if attempted != test.attempted {
					t.Errorf("attempted: %v", attempted)
				}
			})
		})
	}
}

// A scanner that is plugged in and out all day leaves nothing behind: no goroutine
// and no descriptor, and every scan between is whole.
func TestReplugsLeaveNothingBehind(t *testing.T) {
	count := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		must(t, err)
		return len(entries)
	}
	synctest.Test(t, func(t *testing.T) {
		fake := newFakeUSB(t, inMode("05e0", posDescriptorA))
		scanner := fake.unnamed(t, Config{})
		sink := run(t, scanner)
		sink.expectState(t, device.StateReady)
		synctest.Wait() // what reads it is begun after it is said to be ready
		descriptors, goroutines := count(), running()
		for i := range 60 {
			code := fmt.Sprintf("2812%014d", i)
			must(t, fake.sendAll(posShapes["A"].reports("]Q1", code)))
			sink.expectScan(t, code)
			before := time.Now()
			must(t, fake.Unplug())
			sink.expectState(t, device.StateMissing)
			must(t, fake.Plug())
			sink.expectState(t, device.StateReady)
			if took := time.Since(before); took > time.Second {
				t.Fatalf("a replug took %v of the bubble's time", took)
			}
		}
		synctest.Wait()
		if now := count(); now > descriptors {
			t.Errorf("%d descriptors, then %d", descriptors, now)
		}
		if now := running(); now > goroutines {
			t.Errorf("%d goroutines, then %d", goroutines, now)
		}
		if got := scanner.Status().Counters.Reconnects; got != 60 {
			t.Errorf("%d reconnects", got)
		}
	})
}

// running counts the goroutines that run code of this project: Go's runtime has now
// and then one more of its own.
func running() (n int) {
	stacks := make([]byte, 1<<20)
	for stack := range strings.SplitSeq(string(stacks[:runtime.Stack(stacks, true)]), "\n\n") {
		if strings.Contains(stack, "payscand/device") {
			n++
		}
	}
	return n
}

// The layouts type what the keyboards of their countries do: each row as it is
// printed on the keys, written here a second time.
func TestLayouts(t *testing.T) {
	numbers := []byte{0x1e, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x2d, 0x2e}
	upper := []byte{0x14, 0x1a, 0x08, 0x15, 0x17, 0x1c, 0x18, 0x0c, 0x12, 0x13, 0x2f, 0x30}
	home := []byte{0x04, 0x16, 0x07, 0x09, 0x0a, 0x0b, 0x0d, 0x0e, 0x0f, 0x33, 0x34, 0x32}
	lower := []byte{0x64, 0x1d, 0x1b, 0x06, 0x19, 0x05, 0x11, 0x10, 0x36, 0x37, 0x38}
	rows := [][]byte{numbers, upper, home, lower}
	const none = '·' // a dead key, or nothing
	for name, want := range map[string]struct{ plain, shifted string }{
		"us": {"1234567890-= qwertyuiop[] asdfghjkl;'\\ ·zxcvbnm,./", `!@#$%^&*()_+ QWERTYUIOP{} ASDFGHJKL:"| ·ZXCVBNM<>?`},
		"cn": {"1234567890-= qwertyuiop[] asdfghjkl;'\\ ·zxcvbnm,./", `!@#$%^&*()_+ QWERTYUIOP{} ASDFGHJKL:"| ·ZXCVBNM<>?`},
		"gb": {"1234567890-= qwertyuiop[] asdfghjkl;'# \\zxcvbnm,./", `!"£$%^&*()_+ QWERTYUIOP{} ASDFGHJKL:@~ |ZXCVBNM<>?`},
		"de": {"1234567890ß· qwertzuiopü+ asdfghjklöä# <yxcvbnm,.-", `!"§$%&/()=?· QWERTZUIOPÜ* ASDFGHJKLÖÄ' >YXCVBNM;:_`},
		"fr": {"&é\"'(-è_çà)= azertyuiop·$ qsdfghjklmù* <wxcvbn,;:!", `1234567890°+ AZERTYUIOP·£ QSDFGHJKLM%µ >WXCVBN?./§`},
	} {
		for modifiers, printed := range map[byte]string{0: want.plain, 0x02: want.shifted} {
			for i, row := range strings.Fields(printed) {
				for j, character := range []rune(row) {
					k := &keyboard{format: bootFormat, layout: layouts[name]}
					typed, fault := k.types(nil, []byte{modifiers, 0, rows[i][j], 0, 0, 0, 0, 0})
					if character == none && fault == nil || character != none && string(typed) != string(character) {
						t.Errorf("%s: key 0x%02x with modifiers %x types %q, want %q", name, rows[i][j], modifiers, typed, character)
					}
				}
			}
		}
	}
	if got := Layouts(); !slices.Equal(got, []string{"cn", "de", "fr", "gb", "us"}) {
		t.Errorf("layouts %v", got)
	}
}

// AltGr types the third character of a key; Caps Lock makes capitals, and where
// countries differ in what it makes of digits, those are not read.
func TestAltGrAndCapsLock(t *testing.T) {
	for _, test := range []struct {
		layout         string
		caps           bool
		modifiers, key byte
		want           string
	}{
		{"de", false, 0x40, 0x14, "@"}, {"de", false, 0x40, 0x64, "|"}, {"gb", false, 0x40, 0x21, "€"},
		{"fr", false, 0x40, 0x27, "@"}, {"fr", false, 0x40, 0x1f, ""}, {"us", false, 0x40, 0x14, ""},
		{"de", false, 0x42, 0x14, ""}, {"de", false, 0x41, 0x14, ""},
		{"de", true, 0, 0x1c, "Z"}, {"de", true, 0x02, 0x1c, "z"}, {"de", true, 0, 0x1e, ""}, {"de", true, 0, 0x28, "\r"},
		{"fr", true, 0, 0x14, "A"}, {"fr", true, 0, 0x1f, ""}, {"fr", true, 0x02, 0x1e, ""},
		{"us", true, 0, 0x1e, "1"}, {"de", false, 0, 0x63, ""}, {"fr", true, 0, 0x59, "1"},
	} {
		k := &keyboard{format: bootFormat, layout: layouts[test.layout], caps: test.caps}
		got, fault := k.types(nil, []byte{test.modifiers, 0, test.key, 0, 0, 0, 0, 0})
		if string(got) != test.want || (fault == nil) != (test.want != "") {
			t.Errorf("%s, caps %v, modifiers 0x%02x, key 0x%02x: %q %v, want %q", test.layout, test.caps, test.modifiers, test.key, got, fault, test.want)
		}
	}
}

// With Alt a character is typed by its number: what is no whole number of an
// ASCII character is no character, and a control character needs its zeros.
func TestAltNumbers(t *testing.T) {
	for number, want := range map[string]string{
		"50": "2", "056": "8", "0126": "~", "97": "a", "013": "\r", "0013": "\r", "002": "\x02",
		"13": "", "10": "", "5": "", "": "", "0": "", "000": "", "127": "", "0233": "", "00050": "", "300": "",
	} {
		k := &keyboard{format: bootFormat, layout: layouts["us"]}
		var text []byte
		var bad *fault
		send := func(report ...byte) {
			typed, fault := k.types(text, append(report, make([]byte, 8-len(report))...))
			if text = typed; fault != nil {
				bad = fault
			}
		}
		send(4)
		for _, digit := range []byte(number) {
			send(4, 0, 0x59+(digit-'1'+10)%10)
			send(4)
		}
		send(0)
		if bad != nil {
			text = nil
		}
		if string(text) != want {
			t.Errorf("Alt+%s types %q, want %q (%v)", number, text, want, bad)
		}
	}
}
