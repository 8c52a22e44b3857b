package hidscan

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"payscand/device"
)

// posDescriptorA is arrangement A, as scanners of Honeywell have it: id 2, byte
// count, AIM identifier, 56 bytes of data, two bytes of the maker, one byte whose
// lowest bit says that the next report goes on.
var posDescriptorA = []byte{
	0x05, 0x8c, 0x09, 0x02, 0xa1, 0x01, 0x09, 0x12, 0xa1, 0x02, 0x85, 0x02, 0x15, 0x00, 0x26, 0xff, 0x00, 0x75, 0x08, 0x95, 0x01,
	0x05, 0x01, 0x09, 0x3b, 0x81, 0x02, 0x95, 0x03, 0x05, 0x8c, 0x09, 0xfb, 0x09, 0xfc, 0x09, 0xfd, 0x81, 0x02,
	0x95, 0x38, 0x09, 0xfe, 0x82, 0x02, 0x01, 0x06, 0x66, 0xff, 0x95, 0x02, 0x09, 0x04, 0x09, 0x00, 0x81, 0x02,
	0x05, 0x8c, 0x25, 0x01, 0x75, 0x01, 0x95, 0x01, 0x09, 0xff, 0x81, 0x02, 0x95, 0x07, 0x81, 0x03, 0xc0,
	0x85, 0xfe, 0x75, 0x08, 0x95, 0x01, 0x06, 0x66, 0xff, 0x09, 0x01, 0xb1, 0x02, 0xc0,
}

// posDescriptorB is arrangement B, as scanners of Newland have it: byte count, 56
// bytes of data, four that are reserved, one of the maker, and a whole byte that
// says that the next report goes on.
var posDescriptorB = []byte{
	0x05, 0x8c, 0x09, 0x02, 0xa1, 0x01, 0x09, 0x12, 0xa1, 0x02, 0x85, 0x02, 0x15, 0x00, 0x26, 0xff, 0x00, 0x75, 0x08, 0x95, 0x01,
	0x05, 0x01, 0x09, 0x3b, 0x81, 0x02, 0x05, 0x8c, 0x95, 0x38, 0x09, 0xfe, 0x82, 0x02, 0x01,
	0x95, 0x04, 0x81, 0x03, 0x06, 0x00, 0xff, 0x95, 0x01, 0x09, 0x01, 0x81, 0x02,
	0x05, 0x8c, 0x09, 0xff, 0x81, 0x02, 0xc0, 0xc0,
}

// posDescriptorC has the fields in yet another order: the identifier behind the data.
var posDescriptorC = []byte{
	0x05, 0x8c, 0x09, 0x02, 0xa1, 0x01, 0x85, 0x05, 0x15, 0x00, 0x26, 0xff, 0x00, 0x75, 0x08, 0x95, 0x38, 0x09, 0xfe, 0x82, 0x02, 0x01,
	0x95, 0x03, 0x09, 0xfb, 0x09, 0xfc, 0x09, 0xfd, 0x81, 0x02, 0x95, 0x01, 0x05, 0x01, 0x09, 0x3b, 0x81, 0x02,
	0x05, 0x8c, 0x75, 0x01, 0x95, 0x07, 0x81, 0x03, 0x95, 0x01, 0x09, 0xff, 0x81, 0x02, 0xc0,
}

// posShape is the tests' own knowledge of an arrangement.
type posShape struct {
	descriptor       []byte
	id               byte
	count, aim, data int
	continued, bytes int
	goesOn           byte
	symbology        string // of ]Q1
}

var posShapes = map[string]posShape{
	"A": {posDescriptorA, 2, 1, 2, 5, 63, 64, 0x01, "qr"},
	"B": {posDescriptorB, 2, 1, 58, 2, 63, 64, 0x01, ""},
	"C": {posDescriptorC, 5, 60, 57, 1, 61, 62, 0x80, "qr"},
}

// reports are what a scanner with that arrangement sends for a code.
func (s posShape) reports(aim, code string) [][]byte {
	var sent [][]byte
	for {
		report := make([]byte, s.bytes)
		report[0] = s.id
		copy(report[s.aim:], aim)
		report[s.count] = byte(copy(report[s.data:s.data+56], code))
		code = code[report[s.count]:]
		if code != "" {
			report[s.continued] = s.goesOn
		}
		sent = append(sent, report)
		if code == "" {
			return sent
		}
	}
}

func protocolOf(t testing.TB, mode Mode, descriptor []byte) protocol {
	t.Helper()
	found, err := parseDescriptor(descriptor)
	if err != nil {
		t.Fatal(err)
	}
	p, ok := newProtocol(mode, found)
	if !ok {
		t.Fatalf("%s: the descriptor is not understood", mode)
	}
	return p
}

// newDeviceRecorder reads a device that tells itself where a scan ends.
func newDeviceRecorder(p protocol, packet int) *recorder {
	r := newRecorder(device.TerminatorDevice, bootFormat)
	r.pieces = pieces{lengths: p.lengths, packet: packet}
	r.decoder = p.newWith(nil)
	return r
}

// Both arrangements are read by the usages of their descriptors: short codes,
// codes that fill a report, and codes that go on in the next ones, with the AIM
// identifier as the symbology.
func TestPOSArrangements(t *testing.T) {
	for name, shape := range posShapes {
		t.Run(name, func(t *testing.T) {
			p := protocolOf(t, ModePOS, shape.descriptor)
			for _, length := range []int{1, 18, 55, 56, 57, 112, 113, 500, device.MaxScanBytes} {
				code := strings.Repeat("1234567", length/7+1)[:length]
				r := newDeviceRecorder(p, 64)
				r.at(0, shape.reports("]Q1", code)...)
				if len(r.frames) != 1 || r.frames[0].Scan.Text != code || r.frames[0].Scan.Symbology != shape.symbology {
					t.Fatalf("%d characters: %v", length, summary(r.frames))
				}
			}
		})
	}
	r := newDeviceRecorder(protocolOf(t, ModePOS, posDescriptor), 0) // neither identifier nor continuation
	report := make([]byte, 58)
	report[0], report[1] = 2, 4
	copy(report[2:], "28\x00\x00")
	r.at(0, report)
	copy(report[2:], "2812\r")
	report[1] = 5 // a suffix that the scanner adds
	r.at(0, report)
	expectFrames(t, r.frames, "noise", "scan:2812")
}

// Data that does not end where it says, parts of two codes, and reports that are
// cut spoil the scan that they are in, and nothing after a silence.
func TestPOSDamage(t *testing.T) {
	shape := posShapes["A"]
	long := shape.reports("]Q1", strings.Repeat("28", 60))
	other := shape.reports("]C0", strings.Repeat("91", 60))
	count := bytes.Clone(long[0])
	count[1] = 57
	for _, test := range []struct {
		name string
		sent [][]byte
		want string
	}{
		{"more bytes than there is room for", [][]byte{count}, "noise"},
		{"parts of two codes", [][]byte{long[0], other[2]}, "incomplete"},
		{"cut report", [][]byte{long[0], long[1][:63], long[2]}, "incomplete"},
		{"no last part", long[:2], "incomplete"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newDeviceRecorder(protocolOf(t, ModePOS, shape.descriptor), 0)
			r.at(0, test.sent...)
			r.silence(epoch.Add(2 * device.StallTimeout))
			r.at(4*time.Second, shape.reports("]C0", "281")...)
			expectFrames(t, r.frames, test.want, "scan:281")
		})
	}
}

// A report that is longer than a packet arrives in pieces and is put together;
// one whose pieces are missing is a damaged scan, and the next one is whole.
func TestPOSPieces(t *testing.T) {
	shape := posShapes["A"]
	p := protocolOf(t, ModePOS, shape.descriptor)
	cut := func(report []byte, packet int) (pieces [][]byte) {
		for piece := range slices.Chunk(report, packet) {
			pieces = append(pieces, piece)
		}
		return pieces
	}
	for _, packet := range []int{8, 16, 32, 63, 64, 128} {
		r := newDeviceRecorder(p, packet)
		for _, report := range shape.reports("]Q1", strings.Repeat("28", 40)) {
			r.at(0, cut(report, packet)...)
		}
		expectFrames(t, r.frames, "scan:"+strings.Repeat("28", 40))
	}
	r := newDeviceRecorder(p, 8)
	pieces := cut(shape.reports("]Q1", "281234567890123456")[0], 8)
	r.at(0, pieces[:5]...)
	r.silence(epoch.Add(inStep))
	r.silence(epoch.Add(2 * device.StallTimeout))
	r.silence(epoch.Add(3 * device.StallTimeout))
	r.at(4*time.Second, pieces...)
	expectFrames(t, r.frames, "incomplete", "scan:281234567890123456")
	r.at(5*time.Second, pieces[:5]...)
	r.end() // pulled out in the middle of a report
	expectFrames(t, r.frames, "incomplete", "scan:281234567890123456", "incomplete")
}

// posStream composes reports from fuzzed data: codes in parts, with now and then
// a report that is odd, and returns beside them what was scanned, by its own
// reading: the text of each chain of reports, "" for one that is no scan.
func posStream(shape posShape, data []byte) (sent [][]byte) {
	digits := "28012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
	for len(data) >= 2 {
		length := 1 + int(data[1])%len(digits)
		reports := shape.reports([]string{"]Q1", "]C0", "\x00\x00\x00", "]E0"}[data[0]>>6], digits[:length])
		switch odd := data[0] & 0x3f; {
		case odd < 4: // a count that lies
			reports[len(reports)-1][shape.count] = data[1]
		case odd < 8: // goes on for ever
			reports[len(reports)-1][shape.continued] |= shape.goesOn
		case odd < 12: // its last part is missing
			reports = reports[:len(reports)-1]
		case odd < 14: // another report
			reports = append(reports, []byte{1, data[1], 3})
		case odd < 16:
			reports[0] = reports[0][:int(data[1])%len(reports[0])]
		}
		sent = append(sent, reports...)
		data = data[2:]
	}
	return sent
}

// posModel is an independent reading of what a stream of reports says: all texts
// that a scan can be.
func posModel(shape posShape, sent [][]byte) map[string]bool {
	texts := map[string]bool{}
	for first := range sent {
		text := ""
		for _, report := range sent[first:] {
			if len(report) == 0 || report[0] != shape.id {
				continue
			}
			whole := len(report) > shape.count && shape.data+int(report[shape.count]) <= len(report)
			if len(report) < shape.bytes && whole { // only what follows the code is missing: the code was scanned
				texts[text+string(report[shape.data:shape.data+int(report[shape.count])])] = true
			}
			if len(report) < shape.bytes || report[shape.count] > 56 {
				break
			}
			text += string(report[shape.data : shape.data+int(report[shape.count])])
			if report[shape.continued]&shape.goesOn == 0 {
				texts[text] = true
				break
			}
		}
	}
	return texts
}

// FuzzPOS: never a code that was not scanned. Whatever reports a HID POS scanner
// sends, in whatever pieces and with whatever pauses, and however long the reader
// is held up while the library's queue overflows, every scan is a whole chain of
// reports, from one that begins a scan to the one that ends it.
func FuzzPOS(f *testing.F) {
	f.Add([]byte{0x20, 17, 0x60, 80, 0xa0, 3}, []byte{}, []byte{}, uint8(0))
	f.Add([]byte{0x20, 90, 0x20, 91, 0x05, 60, 0x20, 17}, []byte{}, []byte{8, 8, 8, 8}, uint8(7))
	f.Add(bytes.Repeat([]byte{0x20, 70}, 40), []byte{}, []byte{0, 0, 8, 8}, uint8(1))
	f.Add([]byte{0x09, 90, 0x20, 17, 0x0d, 4, 0x0f, 20, 0x01, 70}, []byte{0, 5, 6, 7}, []byte{}, uint8(2))
	f.Fuzz(func(t *testing.T, data, plan, holdUps []byte, choice uint8) {
		if len(data) <= 200 {
			checkPOS(t, data, plan, holdUps, choice)
		}
	})
}

// The same property for streams that mostly are scans.
func TestRandomPOSStreams(t *testing.T) {
	scans := 0
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 1))
		data := make([]byte, 2*(1+random.IntN(30)))
		for i := range data {
			data[i] = byte(random.IntN(256))
			if i%2 == 0 && random.IntN(6) > 0 {
				data[i] |= 0x20
			}
		}
		plan, holdUps := make([]byte, 4*len(data)), make([]byte, 8*len(data))
		for i := range plan {
			if random.IntN(8) == 0 {
				plan[i] = byte(random.IntN(8))
			}
		}
		for i := range holdUps {
			if random.IntN(30) == 0 {
				holdUps[i] = byte(random.IntN(256))
			}
		}
		scans += checkPOS(t, data, plan, holdUps, uint8(seed))
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	if scans < 200 {
		t.Errorf("only %d scans came through", scans)
	}
	t.Logf("%d scans", scans)
}

func checkPOS(t *testing.T, data, plan, holdUps []byte, choice uint8) int {
	t.Helper()
	shape := posShapes[[]string{"A", "B", "C"}[choice%3]]
	packet := []int{64, 64, 32, 8}[choice>>2&3]
	sent := posStream(shape, data)
	allowed := posModel(shape, sent)
	return checkDevice(t, protocolOf(t, ModePOS, shape.descriptor), sent, packet, plan, holdUps, func(text string) bool { return allowed[text] })
}

// checkDevice plays reports, in pieces of a packet, through the reader and the
// decoder, and returns how many scans came of them.
func checkDevice(t *testing.T, p protocol, sent [][]byte, packet int, plan, holdUps []byte, isScan func(string) bool) (scans int) {
	t.Helper()
	var schedule []arrival
	at := epoch
	for _, report := range sent {
		for piece := range slices.Chunk(report, packet) {
			gap := time.Millisecond
			if len(plan) > 0 {
				gap, plan = gapTimes[plan[0]&7], plan[1:]
			}
			at = at.Add(gap)
			schedule = append(schedule, arrival{at, piece})
		}
	}
	sim := &simulation{clock: epoch, schedule: schedule, holdUps: holdUps, arming: new(device.Arming), armedAt: []time.Time{epoch}}
	reader := newReader(sim, sim.arming, sim.now)
	recorder := newDeviceRecorder(p, packet)
	for silent := time.Duration(0); silent < 3*device.StallTimeout; silent += busyWait {
		b, err := reader.next(busyWait)
		if err != nil {
			t.Fatal(err)
		}
		if len(b.reports) > 0 || len(sim.schedule) > 0 {
			silent = 0
		}
		recorder.take(b)
	}
	for _, frame := range recorder.frames {
		switch frame.Kind {
		case device.FrameScan:
			scans++
			if !isScan(frame.Scan.Text) {
				t.Errorf("%q was not scanned (overflow: %v)", frame.Scan.Text, sim.overflow)
			}
		case device.FrameDamaged:
			if frame.Problem.Detail == "" {
				t.Errorf("a problem without a word: %+v", frame.Problem)
			}
		}
	}
	if sim.overflow && !slices.ContainsFunc(recorder.frames, func(f device.Frame) bool { return f.Kind == device.FrameDamaged }) {
		t.Error("reports were lost and nobody was told")
	}
	return scans
}
