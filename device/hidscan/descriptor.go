package hidscan

import (
	"errors"
	"slices"
)

// usage is a HID usage with its page in the upper 16 bits.
type usage uint32

const (
	usageKeyboard     usage = 0x01_0006
	usageHIDPOS       usage = 0x8c_0002
	usageIBMTableTop  usage = 0xff45_4a00
	usageIBMHandHeld  usage = 0xff45_4b00
	maxReportBits           = 8 * 1024
	maxDescriptorSize       = 4096 // HID_MAX_DESCRIPTOR_SIZE of Linux
)

// description is what a report descriptor says of interest here.
type description struct {
	// applications are the top-level collections: what the interface is.
	applications []usage
	// inputs are the fields of all input reports, in the order of the descriptor.
	inputs []field
	// inputBytes and featureBytes are the lengths of reports by their id, the
	// byte of an id other than 0 included.
	inputBytes, featureBytes map[byte]int
}

// field is one Input item: count elements of size bits each.
type field struct {
	application usage // the top-level collection that it is in
	report      byte  // 0: reports have no id
	at          int   // in bits from the start of the report, its id included
	size, count int
	// usages are those named one by one: of the first elements, the last one of
	// all that remain. usageMin and usageMax are a range instead.
	usages             []usage
	usageMin, usageMax usage
	logicalMin         uint32
	constant, variable bool
}

// usageOf names the element with an index.
func (f field) usageOf(index int) usage {
	switch {
	case len(f.usages) > 0:
		return f.usages[min(index, len(f.usages)-1)]
	case f.usageMin != 0 || f.usageMax != 0:
		return min(f.usageMin+usage(index), f.usageMax)
	}
	return 0
}

// isBytes tells whether the elements are whole bytes of the report.
func (f field) isBytes() bool { return f.size == 8 && f.at%8 == 0 && f.count > 0 }

func (d description) is(application usage) bool { return slices.Contains(d.applications, application) }

var errDescriptor = errors.New("the report descriptor is malformed")

// globals are the global items' state (HID 1.11, 6.2.2.7).
type globals struct {
	page                usage
	logicalMin          uint32
	size, count, report uint32
}

// descriptorParser walks the items of a report descriptor (HID 1.11, 6.2.2).
type descriptorParser struct {
	globals
	saved []globals // by Push

	usages             []usage // local items
	usageMin, usageMax usage

	collections     []usage           // open ones
	inputs, feature map[uint32]uint32 // bits of each report so far, by its id
	found           description
}

func parseDescriptor(data []byte) (description, error) {
	p := descriptorParser{inputs: map[uint32]uint32{}, feature: map[uint32]uint32{}}
	if len(data) > maxDescriptorSize {
		return description{}, errDescriptor
	}
	for len(data) > 0 {
		prefix := data[0]
		if prefix == 0xfe { // long item: size, tag, data; none is defined
			if len(data) < 3 || len(data) < 3+int(data[1]) {
				return description{}, errDescriptor
			}
			data = data[3+int(data[1]):]
			continue
		}
		size := int(prefix & 3)
		if size == 3 {
			size = 4
		}
		if len(data) < 1+size {
			return description{}, errDescriptor
		}
		var value uint32
		for i, b := range data[1 : 1+size] {
			value |= uint32(b) << (8 * i)
		}
		if !p.item(prefix&^3, value, size) {
			return description{}, errDescriptor
		}
		data = data[1+size:]
	}
	p.finish()
	return p.found, nil
}

// item handles a short item by its tag and type; false: the descriptor is malformed.
func (p *descriptorParser) item(kind byte, value uint32, size int) bool {
	switch kind {
	case 0x80: // Input
		return p.input(value)
	case 0xb0: // Feature
		defer p.forgetLocals()
		_, ok := p.extend(p.feature)
		return ok
	case 0x90: // Output
		p.forgetLocals()
	case 0xa0: // Collection
		return p.open(value)
	case 0xc0: // End Collection
		if len(p.collections) == 0 {
			return false
		}
		p.collections = p.collections[:len(p.collections)-1]
		p.forgetLocals()
	case 0x08, 0x18, 0x28: // Usage, Usage Minimum, Usage Maximum
		p.local(kind, value, size)
	default:
		return p.global(kind, value)
	}
	return true
}

func (p *descriptorParser) global(kind byte, value uint32) bool {
	switch kind {
	case 0x04:
		p.page = usage(value&0xffff) << 16
	case 0x14:
		p.logicalMin = value
	case 0x74:
		p.size = value
	case 0x84:
		if value == 0 || value > 255 {
			return false
		}
		p.report = value
	case 0x94:
		p.count = value
	case 0xa4: // Push
		p.saved = append(p.saved, p.globals)
	case 0xb4: // Pop
		if len(p.saved) == 0 {
			return false
		}
		p.globals = p.saved[len(p.saved)-1]
		p.saved = p.saved[:len(p.saved)-1]
	}
	return true
}

func (p *descriptorParser) local(kind byte, value uint32, size int) {
	full := usage(value)
	if size < 4 { // else the item brings its own page
		full |= p.page
	}
	switch kind {
	case 0x08:
		p.usages = append(p.usages, full)
	case 0x18:
		p.usageMin = full
	case 0x28:
		p.usageMax = full
	}
}

func (p *descriptorParser) forgetLocals() { p.usages, p.usageMin, p.usageMax = nil, 0, 0 }

func (p *descriptorParser) open(kind uint32) bool {
	var name usage
	if len(p.usages) > 0 {
		name = p.usages[0]
	}
	const application = 1
	if kind == application && len(p.collections) == 0 {
		p.found.applications = append(p.found.applications, name)
	}
	p.collections = append(p.collections, name)
	p.forgetLocals()
	return len(p.collections) <= maxDescriptorSize
}

// extend adds a field to a report and returns where in bits it begins; false:
// the report is longer than any.
func (p *descriptorParser) extend(reports map[uint32]uint32) (at uint32, ok bool) {
	if p.size > maxReportBits || p.count > maxReportBits || p.size*p.count > maxReportBits {
		return 0, false
	}
	at = reports[p.report]
	reports[p.report] = at + p.size*p.count
	return at, reports[p.report] <= maxReportBits
}

// input notes a field of an input report.
func (p *descriptorParser) input(flags uint32) bool {
	defer p.forgetLocals()
	at, ok := p.extend(p.inputs)
	if !ok {
		return false
	}
	const constant, variable = 1, 2
	f := field{
		report: byte(p.report), at: int(at) + idBits(p.report), size: int(p.size), count: int(p.count),
		usages: p.usages, usageMin: p.usageMin, usageMax: p.usageMax, logicalMin: p.logicalMin,
		constant: flags&constant != 0, variable: flags&variable != 0,
	}
	if len(p.collections) > 0 {
		f.application = p.collections[0]
	}
	p.found.inputs = append(p.found.inputs, f)
	return true
}

func idBits(report uint32) int {
	if report == 0 {
		return 0
	}
	return 8
}

func (p *descriptorParser) finish() {
	p.found.inputBytes, p.found.featureBytes = reportBytes(p.inputs), reportBytes(p.feature)
}

func reportBytes(bits map[uint32]uint32) map[byte]int {
	lengths := make(map[byte]int, len(bits))
	for id, n := range bits {
		lengths[byte(id)] = (int(n) + idBits(id) + 7) / 8
	}
	return lengths
}
