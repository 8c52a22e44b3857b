package hidscan

import "payscand/device"

// decoder makes text of whole input reports. One goroutine uses it.
type decoder interface {
	// decode appends to text what a report says. A fault makes all of it, and
	// what came around it, unfit for use.
	decode(text, report []byte) (decoded, *fault)
	// resync is called between two scans after a fault; lost: reports were lost.
	resync(lost bool)
	// breakOff is called when the rest of a scan did not come in time.
	breakOff()
}

// decoded is what one report says.
type decoded struct {
	text []byte
	// ends: the scan ends with this report, and has this symbology; "" unknown.
	ends      bool
	symbology string
}

// fault says why what a scanner sent cannot be trusted.
type fault struct {
	kind   device.ProblemKind
	detail string
}

// protocol is how an interface tells what was scanned.
type protocol struct {
	mode    Mode
	newWith func(layout *layout) decoder
	// lengths are the lengths of input reports by id, that byte included; id 0
	// where reports have none.
	lengths map[byte]int
}

// newProtocol chooses how to read an interface of a mode by its description;
// false where nothing that it sends is understood.
func newProtocol(mode Mode, d description) (protocol, bool) {
	p := protocol{mode: mode, lengths: d.inputBytes}
	switch mode {
	case ModeKeyboard:
		format, ok := keyboardFormatOf(d)
		p.newWith = func(l *layout) decoder { return &keyboard{format: format, layout: l} }
		return p, ok
	case ModePOS:
		format, ok := posFormatOf(d)
		p.newWith = func(*layout) decoder { return &pos{format: format} }
		return p, ok
	case ModeIBM:
		format, ok := ibmFormatOf(d)
		p.newWith = func(*layout) decoder { return ibm{format} }
		return p, ok
	}
	return p, false
}

// bootProtocol is that of a boot keyboard without a report descriptor.
func bootProtocol() protocol {
	return protocol{
		mode:    ModeKeyboard,
		lengths: map[byte]int{0: bootFormat.length},
		newWith: func(l *layout) decoder { return &keyboard{format: bootFormat, layout: l} },
	}
}
