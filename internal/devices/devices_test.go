package devices

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/oned"
	"github.com/makiuchi-d/gozxing/qrcode"

	"payscand/device"
	"payscand/device/devicetest"
	"payscand/device/usb"
	"payscand/payment"
)

const code = "payscand-A qwzaym 0123456789"

// What surrounds a test code is found out: layout, prefix, suffix, terminator and
// AIM identifier.
func TestJudgeRight(t *testing.T) {
	serial := func(text string) device.Shot { return device.Shot{Texts: map[string]string{"": text}, Symbology: ""} }
	for _, test := range []struct {
		name string
		shot device.Shot
		want Finding
	}{
		{"bare", serial(code), Finding{Right: true, Terminator: "none"}},
		{"Enter", serial(code + "\r"), Finding{Right: true, Terminator: "cr"}},
		{"CRLF", serial(code + "\r\n"), Finding{Right: true, Terminator: "crlf"}},
		{"AIM", serial("]Q1" + code + "\t"), Finding{Right: true, Terminator: "tab", AIM: "]Q1"}},
		{"STX and ETX", serial("\x02" + code + "\x03\n"), Finding{Right: true, Terminator: "lf"}},
		{"prefix and suffix", serial("S1-" + code + "##\r"), Finding{Right: true, Terminator: "cr", Prefix: "S1-", Suffix: "##"}},
		{"prefix before AIM", serial("S1]Q1" + code + "\r"), Finding{Right: true, Terminator: "cr", Prefix: "S1", AIM: "]Q1"}},
		{"AIM before prefix", serial("]Q1S1" + code + "\r"), Finding{Right: true, Terminator: "cr", Prefix: "S1", AIM: "]Q1"}},
		{"German", device.Shot{Texts: map[string]string{"us": "pazscand", "cn": "pazscand", "gb": "pazscand", "de": code + "\r"}}, Finding{Right: true, Layout: "de", Terminator: "cr"}},
		{"US", device.Shot{Texts: map[string]string{"us": code + "\r", "cn": code + "\r", "de": "x"}}, Finding{Right: true, Layout: "us", Terminator: "cr"}},
		{"told by the device", device.Shot{Texts: map[string]string{"": code}, Symbology: "qr"}, Finding{Right: true, Terminator: "none", Symbology: "qr"}},
	} {
		if diff := cmp.Diff(test.want, Judge(test.shot, code)); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}

// What is wrong is said with what to do, and nothing of another code is repeated.
func TestJudgeWrong(t *testing.T) {
	const secret = "281234567890123456"
	for name, test := range map[string]struct {
		shot device.Shot
		says string
	}{
		"another code":   {device.Shot{Texts: map[string]string{"us": secret + "\r"}}, "another code"},
		"case":           {device.Shot{Texts: map[string]string{"us": strings.ToUpper(code) + "\r"}}, "Caps Lock"},
		"a part":         {device.Shot{Texts: map[string]string{"": code[:9]}}, "only a part"},
		"garbled":        {device.Shot{Texts: map[string]string{"": "\xff\x81\x05"}}, "speed"},
		"no layout":      {device.Shot{Texts: map[string]string{}}, "no layout here knows"},
		"told by driver": {device.Shot{Texts: map[string]string{}, Fault: "longer than a report"}, "longer than a report"},
		"lost":           {device.Shot{Texts: map[string]string{"": code}, Lost: true}, "too busy"},
		"lost and wrong": {device.Shot{Texts: map[string]string{"": secret}, Lost: true}, "too busy"},
		"twice":          {device.Shot{Texts: map[string]string{"": code + code}}, "twice"},
		"before it":      {device.Shot{Texts: map[string]string{"": secret + code}}, "scan it alone"},
		"scanned before": {device.Shot{Texts: map[string]string{"": secret + "\r" + code + "\r"}}, "scan it alone"},
		"scanned after":  {device.Shot{Texts: map[string]string{"": code + "\r" + secret + "\r"}}, "scan it alone"},
		"long prefix":    {device.Shot{Texts: map[string]string{"": strings.Repeat("x", 40) + code}}, "cannot be taken off"},
	} {
		f := Judge(test.shot, code)
		if f.Right || !strings.Contains(f.Advice, test.says) || strings.Contains(fmt.Sprintf("%+v %s", f, f.Words()), secret[2:14]) {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

// Each code of the sheet is printed so that a reader reads it, in QR codes one
// that did not draw them, and is no payment code. The first one is another text
// under each other layout.
func TestSheet(t *testing.T) {
	var page bytes.Buffer
	if err := WriteSheet(&page); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(page.String(), "http") || strings.Contains(page.String(), "<script") {
		t.Error("the sheet wants something from outside")
	}
	pictures := regexp.MustCompile(`base64,([^"]+)"`).FindAllStringSubmatch(page.String(), -1)
	if len(pictures) != len(Codes()) {
		t.Fatalf("%d pictures", len(pictures))
	}
	for i, c := range Codes() {
		data, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(pictures[i][1], "&#43;", "+"))
		if err != nil {
			t.Fatal(err)
		}
		picture, err := png.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		bitmap, err := gozxing.NewBinaryBitmapFromImage(picture)
		if err != nil {
			t.Fatal(err)
		}
		reader := qrcode.NewQRCodeReader()
		if c.linear {
			reader = oned.NewCode128Reader()
		}
		read, err := reader.Decode(bitmap, nil)
		if err != nil || read.GetText() != c.Text {
			t.Errorf("%s reads %v, %v", c.Name, read, err)
		}
		if wallet, _, err := payment.Recognise(payment.DefaultCodeRules(), c.Text); err == nil {
			t.Errorf("%s is a payment code of %s", c.Name, wallet)
		}
	}
}

// counter is a station at a virtual serial scanner, which scans what it is asked
// for.
type counter struct {
	*Station
	virtual *devicetest.PTY
	said    []string
	answer  func(asked string) string // what is sent for a code's name
}

func newCounter(t *testing.T) *counter {
	t.Helper()
	virtual, err := devicetest.NewPTY(filepath.Join(t.TempDir(), "scanner"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = virtual.Close() })
	c := &counter{virtual: virtual}
	c.Station = &Station{Tree: usb.Tree{Sys: t.TempDir(), Dev: t.TempDir()}, Only: virtual.Path()}
	asked, wrong := "", 0
	c.Say = func(format string, args ...any) {
		said := fmt.Sprintf(format, args...)
		c.said = append(c.said, said)
		again := strings.Contains(said, "not right")
		if name, ok := strings.CutPrefix(said, "scan code "); ok {
			asked, wrong = name[:1], 0
		} else if again {
			wrong++
		}
		if strings.HasPrefix(said, "scan code ") || again && wrong < tries {
			if _, err := virtual.Write([]byte(c.answer(asked))); err != nil {
				t.Error(err)
			}
		}
	}
	return c
}

func textOf(name string) string {
	i := slices.IndexFunc(Codes(), func(c Code) bool { return c.Name == name })
	return Codes()[i].Text
}

// A scanner whose settings are consistent is found right, and the lines to paste
// hold them.
func TestStationRight(t *testing.T) {
	c := newCounter(t)
	c.answer = func(name string) string { return "P-" + textOf(name) + "\r" }
	report, err := c.Test(t.Context(), Codes(), 30*time.Second)
	if err != nil || !report.Right {
		t.Fatalf("%+v, %v\n%s", report, err, strings.Join(c.said, "\n"))
	}
	want := "[[scanner]]\ntype = \"serial\"\nport = \"" + c.virtual.Path() + "\"\nterminator = \"cr\"\nprefix = \"P-\"\n"
	if report.Configuration != want {
		t.Errorf("lines %q, want %q", report.Configuration, want)
	}
}

// A wrong code is asked for again, three times; prefixes that only some codes
// have are not right.
func TestStationWrong(t *testing.T) {
	c := newCounter(t)
	asked := map[string]int{}
	c.answer = func(name string) string {
		asked[name]++
		switch name {
		case "A":
			return textOf(name) + "\r"
		case "B":
			return "281234567890123456\r"
		}
		return "C:" + textOf(name) + "\r"
	}
	report, err := c.Test(t.Context(), Codes(), 30*time.Second)
	if err != nil || report.Right || asked["A"] != 1 || asked["B"] != tries {
		t.Fatalf("%+v, %v, asked %v", report, err, asked)
	}
	if report.Results[1].Right || report.Results[2].Right || !strings.Contains(report.Results[2].Advice, "prefix") {
		t.Errorf("%+v", report.Results)
	}
	if all := strings.Join(c.said, "\n"); strings.Contains(all, "1234567890123456") {
		t.Errorf("a payment code is repeated: %s", all)
	}
}

// A device that is not there, and one that nobody scans with, end a test with
// their own words.
func TestStationEnds(t *testing.T) {
	c := newCounter(t)
	c.answer = func(string) string { return "" }
	if _, err := c.Test(t.Context(), Codes(), 10*time.Millisecond); !errors.Is(err, ErrNothingScanned) {
		t.Errorf("nothing scanned: %v", err)
	}
	c.Only = "/dev/null"
	if _, err := c.Test(t.Context(), Codes(), 0); !errors.Is(err, ErrNotListening) || !strings.Contains(strings.Join(c.said, "\n"), "not a serial port") {
		t.Errorf("no scanner: %v, said %q", err, c.said)
	}
	c.Only = "05e0:1900"
	if _, err := c.Test(t.Context(), Codes(), time.Minute); !errors.Is(err, ErrNoSuchDevice) {
		t.Errorf("no such device: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	c.Only = c.virtual.Path()
	if _, err := c.Test(ended, Codes(), time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

// The lines name a USB scanner by its ids, with what differs from the defaults
// only, and strings in TOML's own form.
func TestLines(t *testing.T) {
	one := 1
	for name, test := range map[string]struct {
		device  Device
		finding Finding
		want    string
	}{
		"HID POS": {Device{Type: "hid", Mode: "pos", VendorID: "05e0", ProductID: "1900"}, Finding{Right: true, Terminator: "none"},
			"[[scanner]]\ntype = \"hid\"\nmode = \"pos\"\nvendor_id = 0x05e0\nproduct_id = 0x1900\n"},
		"keyboard": {Device{Type: "hid", Mode: "keyboard", VendorID: "05e0", ProductID: "1200", Serial: `a"b`}, Finding{Right: true, Layout: "fr", Terminator: "cr", Prefix: "\x02\\"},
			"[[scanner]]\ntype = \"hid\"\nmode = \"keyboard\"\nvendor_id = 0x05e0\nproduct_id = 0x1200\nserial = \"a\\\"b\"\nlayout = \"fr\"\nterminator = \"cr\"\nprefix = \"\\u0002\\\\\"\n"},
		"one of two ports, at its speed": {Device{Type: "serial", VendorID: "0403", ProductID: "6010", Interface: &one, Port: "/dev/ttyUSB1", twin: true, baud: 115200}, Finding{Right: true, Terminator: "lf"},
			"[[scanner]]\ntype = \"serial\"\nvendor_id = 0x0403\nproduct_id = 0x6010\ninterface = 1\nbaud = 115200\nterminator = \"lf\"\n"},
	} {
		if got := Lines(test.device, test.finding); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// A user may open what its owner, its group or everybody may read and write.
func TestMayOpen(t *testing.T) {
	if (User{id: 0}).mayOpen("/nowhere") {
		t.Error("what is not there can be opened")
	}
	for id, want := range map[uint32]bool{0: true, 12345: true} {
		if got := (User{id: id}).mayOpen("/dev/null"); got != want {
			t.Errorf("user %d and /dev/null: %v", id, got)
		}
	}
	if (User{id: 12345}).mayOpen("/proc/kmsg") {
		t.Error("user 12345 may read the kernel's log")
	}
}

// The udev rules let the group of the service open the USB device and the serial
// port of each maker that is known here, and nothing else that is switched on.
func TestRules(t *testing.T) {
	data, err := os.ReadFile("../../systemd/70-payscand-scanner.rules")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"usb": `ENV{DEVTYPE}=="usb_device", ATTR{idVendor}=="`, "tty": `SUBSYSTEMS=="usb", ATTRS{idVendor}=="`}
	for line := range strings.Lines(string(data)) {
		if strings.HasPrefix(line, "#") || strings.TrimSpace(line) == "" {
			continue
		}
		kind := line[len(`SUBSYSTEM=="`):][:3]
		_, rest, found := strings.Cut(line, want[kind])
		ids, rest, _ := strings.Cut(rest, `"`)
		if !found || want[kind] == "" || !strings.Contains(rest, `MODE="0660", GROUP="payscand"`) {
			t.Errorf("%q", line)
		}
		named := map[string]bool{}
		for id := range strings.SplitSeq(ids, "|") {
			named[id] = true
		}
		for id := range makers {
			if text := fmt.Sprintf("%04x", id); !named[text] {
				t.Errorf("%s: no access to %s", kind, text)
			} else {
				delete(named, text)
			}
		}
		if len(named) > 0 {
			t.Errorf("%s: access to unknown makers %v", kind, named)
		}
		delete(want, kind)
	}
	if len(want) > 0 {
		t.Errorf("no rule for %v", want)
	}
}

// Of each device it is said what to do: stop who holds it, or give the user the
// right to open it; of one that can be used as it is, nothing.
func TestAdvice(t *testing.T) {
	user := User{Name: "payscand", id: 12345, groups: map[uint32]bool{}}
	usbNode, port := "/proc/kmsg", "/proc/kmsg" // what nobody but root may open
	for name, test := range map[string]struct {
		device Device
		says   string
	}{
		"held by the daemon":   {Device{Type: "hid", Node: "/dev/null", Holder: "payscand (process 7)"}, "stop the daemon first"},
		"held by another":      {Device{Type: "serial", Node: "/dev/null", Holder: "ModemManager (process 7)"}, "stop the program"},
		"port without right":   {Device{Type: "serial", Node: port}, "dialout"},
		"POS without right":    {Device{Type: "hid", Mode: "pos", Maker: "Zebra", Node: usbNode}, "install systemd/70-payscand-scanner.rules"},
		"POS of another maker": {Device{Type: "hid", Mode: "pos", VendorID: "1234", ProductID: "5678", Node: usbNode}, `ATTR{idVendor}=="1234", ATTR{idProduct}=="5678"`},
		"keyboard of a maker":  {Device{Type: "hid", Mode: "keyboard", Maker: "Zebra", Node: usbNode}, "install systemd/70-payscand-scanner.rules"},
		"keyboard, no right":   {Device{Type: "hid", Mode: "keyboard", VendorID: "05e0", ProductID: "1200", Node: usbNode}, `ATTR{idProduct}=="1200"`},
		"POS with the right":   {Device{Type: "hid", Mode: "pos", Node: "/dev/null"}, ""},
		"a mode not read":      {Device{Advice: "set it", Node: usbNode}, "set it"},
		"advice that remains":  {Device{Type: "hid", Mode: "ibm", Advice: "HID POS is better", Node: "/dev/null"}, "HID POS is better"},
	} {
		test.device.judge(user)
		if advice := test.device.Advice; test.says == "" && advice != "" || !strings.Contains(advice, test.says) {
			t.Errorf("%s: %q", name, advice)
		}
	}
}

// FuzzJudge: whatever stands around a code, what is wrong is said, and plain
// prefixes and suffixes with a terminator are right: a driver that is configured
// so reads the code alone.
func FuzzJudge(f *testing.F) {
	for _, around := range [][2]string{{"", "\r"}, {"]Q1", "\r\n"}, {"\x02S1", "\x03\t"}, {"S1]C0", "##\n"}, {"", ""}, {"\x02", "x\x03"}, {"]", "\r\r"}, {"\r", "\r"}, {"]QQ]", "\r"}} {
		f.Add(around[0], around[1])
	}
	f.Fuzz(func(t *testing.T, before, after string) {
		found := Judge(device.Shot{Texts: map[string]string{"": before + code + after}}, code)
		if found.Right == (found.Advice != "") {
			t.Fatalf("%q %q: %+v", before, after, found)
		}
		plain := regexp.MustCompile(`^[a-z0-9]{0,9}$`)
		for _, end := range []string{"", "\r", "\n", "\t", "\r\n"} {
			if suffix, ends := strings.CutSuffix(after, end); ends && plain.MatchString(before) && plain.MatchString(suffix) &&
				(!found.Right || found.Prefix != before || found.Suffix != suffix) {
				t.Fatalf("%q %q: %+v", before, after, found)
			}
		}
	})
}
