package hidscan

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"payscand/device"
	"payscand/device/usb"
)

// listening runs Listen until the test ends and returns its shots, once it is ready.
func listening(t *testing.T, s *Scanner) (shots chan device.Shot, ended chan error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ready := make(chan struct{})
	shots, ended = make(chan device.Shot, 8), make(chan error, 1)
	go func() {
		ended <- s.Listen(ctx, func() { close(ready) }, func(shot device.Shot) { shots <- shot })
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("ended with %v", err)
		}
	})
	<-ready
	return shots, ended
}

// A keyboard's shot is read under each layout that can read it, with all that
// surrounds the code; a pause ends it.
func TestListenToAKeyboard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := newFakeUSB(t, zebra())
		shots, _ := listening(t, fake.scanner(t, Config{}, new(device.Arming)))
		_, err := fake.Write([]byte("yq1;\r"))
		must(t, err)
		want := device.Shot{Texts: map[string]string{"us": "yq1;\r", "cn": "yq1;\r", "gb": "yq1;\r", "de": "zq1ö\r", "fr": "ya&m\r"}}
		if diff := cmp.Diff(want, <-shots); diff != "" {
			t.Error(diff)
		}
		must(t, fake.Scan("2"))
		if got := <-shots; got.Texts["us"] != "2\r" {
			t.Errorf("%+v", got)
		}
		must(t, fake.Scan("[")) // a key that is no character in Germany and France
		got := <-shots
		if _, ok := got.Texts["fr"]; ok || got.Texts["us"] != "[\r" || got.Texts["de"] != "ü\r" {
			t.Errorf("%+v", got)
		}
	})
}

// A HID POS scanner's shot is the data of all its reports, and its symbology; too
// many reports at once are told as lost, and an unplugged scanner ends it.
func TestListenToPOS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := newFakeUSB(t, inMode("05e0", posDescriptorA))
		shots, ended := listening(t, fake.unnamed(t, Config{}))
		text := strings.Repeat("0123456789", 12)
		must(t, fake.sendAll(posShapes["A"].reports("]Q1", text)))
		if diff := cmp.Diff(device.Shot{Texts: map[string]string{"": text}, Symbology: "qr"}, <-shots); diff != "" {
			t.Error(diff)
		}
		fake.burst(posShapes["A"].reports("]Q1", strings.Repeat("5", 40*56))...)
		if got := <-shots; !got.Lost {
			t.Error("an overflow is not told")
		}
		must(t, fake.Unplug())
		err := <-ended
		if err == nil || !strings.Contains(err.Error(), "unplugged") {
			t.Errorf("ended with %v", err)
		}
		ended <- nil
	})
}

// What a scanner in IBM mode cannot send whole is told with the reason.
func TestListenToIBM(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := newFakeUSB(t, inMode("05e0", ibmDescriptor))
		shots, _ := listening(t, fake.unnamed(t, Config{Mode: ModeIBM}))
		must(t, fake.sendAll([][]byte{ibmReport(strings.Repeat("7", 57), "\x00\x33\x0b")}))
		if diff := cmp.Diff(device.Shot{Texts: map[string]string{}, Fault: faultIBMLong.detail}, <-shots); diff != "" {
			t.Error(diff)
		}
	})
}

// What cannot be opened is said, and without HID support that.
func TestListenRefused(t *testing.T) {
	fake := newFakeUSB(t, zebra())
	scanner := fake.unnamed(t, Config{})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	nothing := func() { t.Error("ready") }
	if err := scanner.Listen(ctx, nothing, nil); err == nil || !strings.Contains(err.Error(), "HID POS mode") {
		t.Errorf("%v", err)
	}
	scanner.open = nil
	var refused *refusal
	if err := scanner.Listen(ctx, nothing, nil); !errors.As(err, &refused) || refused.detail != noSupport {
		t.Errorf("%v", err)
	}
}

// The inventory tells each HID interface that a scanner can be, and no mouse.
func TestInventory(t *testing.T) {
	mouse := fakeDevice{name: "1-5", vendor: "046d", product: "c077", interfaces: []fakeInterface{{driver: "usbhid", protocol: "02",
		descriptor: []byte{0x05, 0x01, 0x09, 0x02, 0xa1, 0x01, 0xc0}}}}
	held := inMode("05e0", nil)
	held.name, held.interfaces[0].driver = "1-6", "usbfs"
	pos := inMode("0c2e", posDescriptorA)
	odd := zebra()
	odd.name, odd.interfaces = "1-7", []fakeInterface{{driver: "usbhid", descriptor: bitmapDescriptor}}
	first := zebra()
	first.name = "1-1"
	type told struct {
		path       string
		mode       Mode
		understood bool
	}
	var got []told
	for _, f := range Inventory(emptyTree(t, first, pos, mouse, held, odd).Tree) {
		got = append(got, told{f.Interface.Path, f.Mode, f.Understood})
	}
	want := []told{{"1-1:1.0", ModeKeyboard, true}, {"1-1.2:1.0", ModePOS, true}, {"1-6:1.0", "", false}, {"1-7:1.0", ModeKeyboard, false}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(told{})); diff != "" {
		t.Error(diff)
	}
	if len(Inventory(usb.Tree{})) != 0 {
		t.Error("found something nowhere")
	}
}
