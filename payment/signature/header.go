package signature

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// maxHeaderBytes bounds what ParseHeader looks at. The longest accepted key
// (8192 bits) needs 1.4 kB, escaped about 1.6 kB.
const maxHeaderBytes = 4096

// Header is the decoded value of a Signature header.
type Header struct {
	Algorithm  Algorithm
	KeyVersion int
	Signature  []byte // raw RSA signature, as long as the key's modulus
}

// String is the header's value, in the vendors' order and without spaces.
func (h Header) String() string {
	return "algorithm=" + string(h.Algorithm) +
		",keyVersion=" + strconv.Itoa(h.KeyVersion) +
		",signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(h.Signature))
}

// ParseHeader reads the value of a Signature header. It takes the three fields
// in any order, with spaces around them, and a signature whose '+' was sent
// unescaped or has already become a space: all of these occur in practice.
// Fields that it does not know are passed over; a field given twice is refused.
// Its errors are ErrMissing and ErrMalformed; they never hold the input.
func ParseHeader(value string) (Header, error) {
	if strings.TrimSpace(value) == "" {
		return Header{}, ErrMissing
	}
	if len(value) > maxHeaderBytes {
		return Header{}, fmt.Errorf("%w: longer than %d bytes", ErrMalformed, maxHeaderBytes)
	}
	fields := map[string]string{}
	for part := range strings.SplitSeq(value, ",") {
		name, text, found := strings.Cut(part, "=")
		name = strings.TrimSpace(name)
		if !found {
			return Header{}, fmt.Errorf("%w: a part without '='", ErrMalformed)
		}
		if _, twice := fields[name]; twice {
			return Header{}, fmt.Errorf("%w: a field is given twice", ErrMalformed)
		}
		fields[name] = text
	}
	return decodeFields(fields)
}

func decodeFields(fields map[string]string) (Header, error) {
	algorithm := strings.TrimSpace(fields["algorithm"])
	if algorithm == "" {
		return Header{}, fmt.Errorf("%w: no algorithm", ErrMalformed)
	}
	version, err := strconv.ParseUint(strings.TrimSpace(fields["keyVersion"]), 10, 31)
	if err != nil {
		return Header{}, fmt.Errorf("%w: keyVersion is missing or not a whole number", ErrMalformed)
	}
	raw, err := decodeSignature(fields["signature"])
	if err != nil {
		return Header{}, err
	}
	return Header{Algorithm: Algorithm(algorithm), KeyVersion: int(version), Signature: raw}, nil
}

// decodeSignature undoes the escaping and the base64. PathUnescape leaves a
// bare '+' alone; a space can only be a '+' that some party has query-unescaped,
// or padding around the field. Padded base64 has a length divisible by four, so
// at most one of the two readings decodes.
func decodeSignature(text string) ([]byte, error) {
	for _, candidate := range []string{text, strings.TrimSpace(text)} {
		unescaped, err := url.PathUnescape(candidate)
		if err != nil {
			break
		}
		raw, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(unescaped, " ", "+"))
		if err == nil && len(raw) > 0 {
			return raw, nil
		}
	}
	return nil, fmt.Errorf("%w: signature is missing or not URL-escaped base64", ErrMalformed)
}
