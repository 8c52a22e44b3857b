package hidscan

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"payscand/device"
)

// ibmDescriptor is an IBM hand-held scanner: 64 bytes in, 64 bytes out.
var ibmDescriptor = []byte{
	0x06, 0x45, 0xff, 0x0a, 0x00, 0x4b, 0xa1, 0x01, 0x09, 0x02, 0x15, 0x00, 0x26, 0xff, 0x00, 0x75, 0x08, 0x95, 0x40, 0x81, 0x02,
	0x09, 0x03, 0x95, 0x40, 0x91, 0x02, 0xc0,
}

// ibmReport is what a scanner sends for a code with a symbology.
func ibmReport(code, symbology string) []byte {
	report := make([]byte, 64)
	report[0] = byte(4 + len(code) + len(symbology))
	copy(report[1:], "\x10\x03\x00"+code+symbology)
	return report
}

// Codes with a symbology of one byte or of three are read whole, EAN as digits
// and as bare values; what the form does not tell for certain is refused.
func TestIBMReports(t *testing.T) {
	tableTop := bytes.Replace(ibmDescriptor, []byte{0x00, 0x4b}, []byte{0x00, 0x4a}, 1)
	for _, descriptor := range [][]byte{ibmDescriptor, tableTop} {
		p := protocolOf(t, ModeIBM, descriptor)
		long := ibmReport("28", "\x00\x33\x0b")
		long[0] = 64
		for _, test := range []struct {
			name            string
			report          []byte
			want, symbology string
		}{
			{"QR", ibmReport("281234567890123456", "\x00\x33\x0b"), "scan:281234567890123456", "qr"},
			{"Code 128", ibmReport("134567890123456789", "\x00\x18\x0b"), "scan:134567890123456789", "code128"},
			{"unknown symbology", ibmReport("28", "\x00\x77\x0b"), "scan:28", "ibm-0x77"},
			{"EAN-13", ibmReport("5901234123457", "\x16"), "scan:5901234123457", "ean13"},
			{"EAN-13 as values", ibmReport("\x05\x09\x00\x01\x02\x03\x04\x01\x02\x03\x04\x05\x07", "\x16"), "scan:5901234123457", "ean13"},
			{"UPC-A as values", ibmReport("\x07\x01\x00\x01\x02\x01\x00\x07\x00\x01\x00", "\x0d"), "scan:71012107010", "upca"},
			{"longest", ibmReport(strings.Repeat("7", 56), "\x00\x33\x0b"), "scan:" + strings.Repeat("7", 56), "qr"},
			{"full to the last byte", ibmReport(strings.Repeat("7", 57), "\x00\x33\x0b"), "oversize", ""},
			{"longer than the report", append([]byte{200}, ibmReport("28", "\x00\x33\x0b")[1:]...), "oversize", ""},
			{"values and digits", ibmReport("\x05901", "\x16"), "noise", ""},
			{"printable symbology", ibmReport("281234567890123456", "A"), "noise", ""},
			{"half a symbology", ibmReport("281234567890123456", "\x18\x0b"), "noise", ""},
			{"NUL inside", ibmReport("28\x0012", "\x00\x33\x0b"), "noise", ""},
			{"control character inside", ibmReport("28\x1d12", "\x00\x33\x0b"), "noise", ""},
			{"cut", ibmReport("28", "\x16")[:63], "incomplete", ""},
			{"nothing but its symbology", ibmReport("", "\x16"), "noise", ""},
		} {
			t.Run(test.name, func(t *testing.T) {
				r := newDeviceRecorder(p, 64)
				r.at(0, test.report)
				r.silence(epoch.Add(2 * device.StallTimeout))
				r.silence(epoch.Add(3 * device.StallTimeout))
				r.at(4*time.Second, ibmReport("99", "\x00\x33\x0b"))
				expectFrames(t, r.frames, test.want, "scan:99")
				if got := r.frames[0].Scan.Symbology; got != test.symbology {
					t.Errorf("symbology %q, want %q", got, test.symbology)
				}
			})
		}
	}
}

// A status without data says nothing about scans.
func TestIBMStatus(t *testing.T) {
	r := newDeviceRecorder(protocolOf(t, ModeIBM, ibmDescriptor), 64)
	r.at(0, make([]byte, 64), append([]byte{4, 1, 2, 3}, make([]byte, 60)...))
	r.silence(epoch.Add(2 * device.StallTimeout))
	expectFrames(t, r.frames)
}

// FuzzIBM: never a code that was not scanned. Whatever a scanner in IBM mode
// sends, every scan is the data of one report, all of it.
func FuzzIBM(f *testing.F) {
	f.Add([]byte("281234567890123456\x00\x33\x0b"), []byte{}, []byte{}, uint8(0))
	f.Add([]byte("5901234123457\x16"), []byte{3, 4}, []byte{8, 8}, uint8(3))
	f.Add([]byte("\x05\x09\x00\x16\xff\xff281\x00\x18\x0b"), []byte{}, []byte{}, uint8(1))
	f.Fuzz(func(t *testing.T, data, plan, holdUps []byte, choice uint8) {
		if len(data) > 400 {
			return
		}
		// Labels are separated by two 0xff; one of them sets the length byte apart.
		var sent [][]byte
		allowed := map[string]bool{}
		for i, label := range bytes.Split(data, []byte{0xff, 0xff}) {
			if len(label) > 60 {
				label = label[:60]
			}
			report := ibmReport(string(label), "")
			if i%7 == 6 {
				report[0] = choice
			}
			sent = append(sent, report)
			for _, text := range ibmModel(report) {
				allowed[text] = true
			}
		}
		packet := []int{64, 32, 8, 128}[choice&3]
		checkDevice(t, protocolOf(t, ModeIBM, ibmDescriptor), sent, packet, plan, holdUps, func(text string) bool { return allowed[text] })
	})
}

// ibmModel is an independent reading of one report: what it can say.
func ibmModel(report []byte) []string {
	used := int(report[0])
	if used < 6 || used >= 64 {
		return nil
	}
	label := string(report[4:used])
	var texts []string
	add := func(text string) {
		for _, end := range []string{"", "\r\n", "\r", "\n", "\t"} {
			if rest, found := strings.CutSuffix(text, end); found {
				texts = append(texts, stripped([]byte(rest)))
			}
		}
	}
	if n := len(label); n > 3 && label[n-3] == 0 && label[n-1] == 0x0b {
		add(label[:n-3])
		return texts
	}
	body := label[:len(label)-1]
	digits := strings.Map(func(r rune) rune {
		if r <= 9 {
			return '0' + r
		}
		return -1
	}, body)
	if len(digits) == len(body) {
		add(digits)
	} else {
		add(body)
	}
	return texts
}
