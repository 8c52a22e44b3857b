package device

// aimNames maps the letter of an AIM symbology identifier (ISO/IEC 15424) to
// the name that this project uses. E is not here: its modifier decides.
var aimNames = map[byte]string{
	'A': "code39",
	'C': "code128", // GS1-128 too, modifier 1
	'F': "codabar",
	'G': "code93",
	'H': "code11",
	'I': "itf",
	'L': "pdf417", // MicroPDF417 too
	'M': "msi",
	'P': "plessey",
	'Q': "qr", // Micro QR too
	'R': "industrial25",
	'S': "industrial25",
	'U': "maxicode",
	'd': "datamatrix",
	'e': "gs1databar",
	'h': "hanxin",
	'z': "aztec",
}

// aimLength is the length of an identifier: ']', a letter, a modifier.
const aimLength = 3

// cutAIM takes a leading AIM identifier off text and names its symbology; the
// identifier itself is the name where none is known. Without an identifier it
// returns text and "".
func cutAIM(text []byte) (rest []byte, symbology string) {
	if len(text) < aimLength || text[0] != ']' || !isLetter(text[1]) || !isLetter(text[2]) && !isDigit(text[2]) {
		return text, ""
	}
	return text[aimLength:], aimName(string(text[:aimLength]))
}

// SymbologyOf names the symbology of an AIM identifier such as "]Q1"; "" where
// it is none.
func SymbologyOf(identifier string) string {
	if rest, symbology := cutAIM([]byte(identifier)); len(rest) == 0 {
		return symbology
	}
	return ""
}

func aimName(identifier string) string {
	if identifier[1] == 'E' {
		switch identifier[2] {
		case '0': // EAN-13, UPC-A and UPC-E in the form of EAN-13
			return "ean13"
		case '4':
			return "ean8"
		default: // add-on symbols, alone or with their EAN-13
			return "ean"
		}
	}
	if name, ok := aimNames[identifier[1]]; ok {
		return name
	}
	return identifier
}

func isLetter(b byte) bool { return 'A' <= b && b <= 'Z' || 'a' <= b && b <= 'z' }
func isDigit(b byte) bool  { return '0' <= b && b <= '9' }
