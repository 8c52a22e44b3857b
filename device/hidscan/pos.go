package hidscan

import (
	"bytes"

	"payscand/device"
)

// Usages of a scanner in HID POS mode (HID Point of Sale Usage Tables 1.02,
// chapter 4; Byte Count is of the Generic Desktop page).
const (
	usageByteCount   usage = 0x01_003b
	usageAIM1        usage = 0x8c_00fb
	usageDecodedData usage = 0x8c_00fe
	usageContinued   usage = 0x8c_00ff
)

const aimLength = 3

// posFormat says where a HID POS report holds what, by the usages of its
// descriptor: two arrangements are known, and neither is a standard. Offsets
// are in bytes from the start of the report; -1: the report has none.
type posFormat struct {
	id     byte // 0: reports have no id
	length int
	// count is the number of bytes of data that are used.
	count int
	// aim are the three characters of the AIM identifier.
	aim [aimLength]int
	// data and size are the decoded data.
	data, size int
	// continued is the byte, and continuedMask its bits, that are set when the
	// next report goes on with the same scan.
	continued     int
	continuedMask byte
}

// posFormatOf finds the scanned data report, the first one that holds decoded
// data; false where there is none that can be read.
func posFormatOf(d description) (posFormat, bool) {
	f := posFormat{count: -1, aim: [aimLength]int{-1, -1, -1}, data: -1, continued: -1}
	for _, field := range d.inputs {
		if field.application == usageHIDPOS && !field.constant && field.isBytes() && field.usageOf(0) == usageDecodedData {
			f.id, f.length, f.data, f.size = field.report, d.inputBytes[field.report], field.at/8, field.count
			break
		}
	}
	if f.data < 0 {
		return f, false
	}
	for _, field := range d.inputs {
		if field.application != usageHIDPOS || field.constant || field.report != f.id {
			continue
		}
		for i := range field.count {
			f.place(field.usageOf(i), field.at+i*field.size, field.size)
		}
	}
	return f, f.continued != f.data
}

// place notes one element of the report that a usage names.
func (f *posFormat) place(what usage, at, bits int) {
	isByte := bits == 8 && at%8 == 0
	switch {
	case what == usageByteCount && isByte:
		f.count = at / 8
	case what >= usageAIM1 && what < usageAIM1+aimLength && isByte:
		f.aim[what-usageAIM1] = at / 8
	case what == usageContinued && f.continued < 0 && at%8+bits <= 8:
		f.continued, f.continuedMask = at/8, byte(1<<bits-1)<<(at%8)
	}
}

// pos decodes the reports of a HID POS scanner: each tells its data, and
// whether the next report goes on with it.
type pos struct {
	format posFormat
	begun  bool            // a scan is under way, …
	aim    [aimLength]byte // … with this identifier
}

var (
	faultPOSShort = &fault{device.ProblemIncomplete,
		"the scanner sent a shorter report than it describes: scan again; if it happens every time, unplug the scanner and plug it in again"}
	faultPOSCount = &fault{device.ProblemNoise,
		"the scanner tells of more characters than its report can hold: scan again; if it happens every time, replace the scanner"}
	faultPOSMixed = &fault{device.ProblemIncomplete,
		"the parts of the scan are of two different bar codes: scan again, with one code before the scanner"}
)

func (p *pos) resync(bool) { p.begun = false }
func (p *pos) breakOff()   { p.begun = false }

func (p *pos) decode(text, report []byte) (decoded, *fault) {
	f := &p.format
	if f.id != 0 && (len(report) == 0 || report[0] != f.id) {
		return decoded{text: text}, nil // a status or an answer, no scan
	}
	if len(report) < f.length {
		return decoded{text: text}, faultPOSShort
	}
	data := report[f.data : f.data+f.size]
	if f.count >= 0 {
		count := int(report[f.count])
		if count > len(data) {
			return decoded{text: text}, faultPOSCount
		}
		data = data[:count]
	} else {
		data = bytes.TrimRight(data, "\x00") // the rest is padding
	}
	aim := f.aimOf(report)
	if p.begun && aim == [aimLength]byte{} {
		aim = p.aim // told with the first part only
	}
	mixed := p.begun && aim != p.aim
	p.aim = aim
	p.begun = f.continued >= 0 && report[f.continued]&f.continuedMask != 0
	result := decoded{text: append(text, data...), ends: !p.begun, symbology: device.SymbologyOf(string(aim[:]))}
	if mixed {
		return result, faultPOSMixed
	}
	return result, nil
}

// aimOf is the report's AIM identifier, zero where it has none.
func (f *posFormat) aimOf(report []byte) (aim [aimLength]byte) {
	for i, at := range f.aim {
		if at < 0 {
			return [aimLength]byte{}
		}
		aim[i] = report[at]
	}
	return aim
}
