package hidscan

import (
	"bytes"
	"fmt"

	"payscand/device"
)

// ibmFormat is the scanned data report of the IBM OEM scanner protocol, hand-held
// or table-top: a byte with the number of bytes that are used, itself included,
// three bytes of status, the data, and the symbology: one byte below 0x20 for
// EAN and UPC, or 0x00, one byte and 0x0b for all others. EAN and UPC come as
// digits or as the bare values 0 to 9. The protocol's specification is not public;
// the symbologies are those that Honeywell's manuals list (Voyager 1250g user
// guide, "USB IBM SurePos"), the rest is what scanners of two makers send.
type ibmFormat struct {
	id     byte // 0: reports have no id
	length int
}

const (
	ibmHeader   = 4 // length and status
	ibmTrailer  = 0x0b
	ibmTrailing = 3 // bytes of a long symbology
	// minIBMReport leaves room for a character and its symbology.
	minIBMReport = ibmHeader + 1 + ibmTrailing
)

// ibmShort and ibmLong name the symbologies of one byte and of three.
var (
	ibmShort = map[byte]string{0x0a: "upce", 0x0c: "ean8", 0x0d: "upca", 0x16: "ean13"}
	ibmLong  = map[byte]string{0x0a: "code39", 0x0d: "itf", 0x0e: "codabar", 0x18: "code128", 0x19: "code93",
		0x2e: "pdf417", 0x32: "datamatrix", 0x33: "qr"}
)

// ibmFormatOf finds the first input report of the application; false where there
// is none that can hold a scan.
func ibmFormatOf(d description) (ibmFormat, bool) {
	for _, f := range d.inputs {
		if f.application != usageIBMHandHeld && f.application != usageIBMTableTop || f.constant || f.size != 8 {
			continue
		}
		format := ibmFormat{id: f.report, length: d.inputBytes[f.report]}
		return format, len(format.body(make([]byte, format.length))) >= minIBMReport
	}
	return ibmFormat{}, false
}

// body is the report without its id.
func (f ibmFormat) body(report []byte) []byte {
	if f.id != 0 {
		return report[1:]
	}
	return report
}

// ibm decodes the reports of a scanner in IBM mode, each a whole scan.
type ibm struct{ format ibmFormat }

var (
	faultIBMShort = &fault{device.ProblemIncomplete,
		"the scanner sent a shorter report than it describes: scan again; if it happens every time, unplug the scanner and plug it in again"}
	faultIBMLong = &fault{device.ProblemOversize,
		"the code is longer than a report of IBM mode, so its end may be missing: set the scanner to USB HID POS or serial mode"}
	faultIBMForm = &fault{device.ProblemNoise,
		"the scanner sent a report of a form that is not known: scan again; if it happens every time, set the scanner to USB HID POS or serial mode"}
)

func (ibm) resync(bool) {}
func (ibm) breakOff()   {}

func (i ibm) decode(text, report []byte) (decoded, *fault) {
	none := decoded{text: text}
	if i.format.id != 0 && (len(report) == 0 || report[0] != i.format.id) {
		return none, nil
	}
	if len(report) < i.format.length {
		return none, faultIBMShort
	}
	body := i.format.body(report)
	switch used := int(body[0]); {
	case used <= ibmHeader:
		return none, nil // a status without data
	case used >= len(body):
		return none, faultIBMLong
	default:
		data, symbology, ok := splitIBM(body[ibmHeader:used])
		if !ok {
			return none, faultIBMForm
		}
		return decoded{text: append(text, data...), ends: true, symbology: symbology}, nil
	}
}

// splitIBM takes the symbology off the data; false where what it is cannot be
// told for certain.
func splitIBM(label []byte) (data []byte, symbology string, ok bool) {
	last := len(label) - 1
	if at := last - ibmTrailing + 1; at > 0 && label[at] == 0 && label[last] == ibmTrailer {
		return label[:at], ibmNamed(ibmLong, label[at+1]), !bytes.ContainsRune(label[:at], 0)
	}
	kind, data := label[last], label[:last]
	if last == 0 || kind == 0 || kind == ibmTrailer || kind >= ' ' {
		return nil, "", false
	}
	if data[0] <= 9 { // bare values
		digits := make([]byte, len(data))
		for i, value := range data {
			if value > 9 {
				return nil, "", false
			}
			digits[i] = '0' + value
		}
		return digits, ibmNamed(ibmShort, kind), true
	}
	return data, ibmNamed(ibmShort, kind), !bytes.ContainsRune(data, 0)
}

func ibmNamed(names map[byte]string, kind byte) string {
	if name, ok := names[kind]; ok {
		return name
	}
	return fmt.Sprintf("ibm-0x%02x", kind)
}
