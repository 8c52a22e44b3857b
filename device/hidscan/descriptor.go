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
	firstModifier     usage = 0x07_00e0
	lastModifier      usage = 0x07_00e7
	noKey             usage = 0x07_0000
	maxReportBits           = 8 * 1024
	maxDescriptorSize       = 4096 // HID_MAX_DESCRIPTOR_SIZE of Linux
)

// description is what a report descriptor says of interest here.
type description struct {
	// applications are the top-level collections: what the interface is.
	applications []usage
	// keyboard is the form of its keyboard reports; nil where it has none that
	// has a modifier byte and an array of keys.
	keyboard *keyboardFormat
}

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

	collections []usage           // open ones
	bits        map[uint32]uint32 // length of each input report so far, by its id
	found       description
	fields      map[uint32]*keyboardFields
}

// keyboardFields are the fields of one report inside a keyboard collection, at
// byte offsets counted without a report id.
type keyboardFields struct {
	modifiers, keys uint32
	slots           uint32
	hasModifiers    bool
}

func parseDescriptor(data []byte) (description, error) {
	p := descriptorParser{bits: map[uint32]uint32{}, fields: map[uint32]*keyboardFields{}}
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
	case 0x90, 0xb0: // Output, Feature
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

// input notes a field of an input report.
func (p *descriptorParser) input(flags uint32) bool {
	defer p.forgetLocals()
	if p.size > maxReportBits || p.count > maxReportBits || p.size*p.count > maxReportBits {
		return false
	}
	at := p.bits[p.report]
	p.bits[p.report] = at + p.size*p.count
	if p.bits[p.report] > maxReportBits {
		return false
	}
	const constant, variable = 1, 2
	if flags&constant != 0 || at%8 != 0 || !slices.Contains(p.collections, usageKeyboard) {
		return true
	}
	fields := p.fields[p.report]
	if fields == nil {
		fields = &keyboardFields{}
		p.fields[p.report] = fields
	}
	isVariable := flags&variable != 0
	switch {
	case isVariable && p.size == 1 && p.count == 8 && p.usageMin == firstModifier && p.usageMax == lastModifier:
		fields.modifiers, fields.hasModifiers = at/8, true
	case !isVariable && p.size == 8 && p.count > 0 && p.usageMin == noKey && p.logicalMin == 0 && p.usageMax > noKey:
		fields.keys, fields.slots = at/8, p.count
	}
	return true
}

// finish chooses the first report, by id, that a keyboard's keys are in.
func (p *descriptorParser) finish() {
	for id := range uint32(256) {
		fields := p.fields[id]
		if fields == nil || !fields.hasModifiers || fields.slots == 0 {
			continue
		}
		form := keyboardFormat{
			modifiers: int(fields.modifiers), keys: int(fields.keys),
			slots: int(fields.slots), length: int(p.bits[id]+7) / 8,
		}
		if id != 0 {
			form = form.withID(byte(id))
		}
		p.found.keyboard = &form
		return
	}
}
