package signature

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

const (
	minKeyBits  = 2048      // AlphaPay asks for RSA 2048; less is not safe to move money with
	maxKeyBits  = 8192      // a longer key only makes each check slow
	maxKeyBytes = 64 * 1024 // of a key's text
)

const masked = "[private key]"

// PrivateKey is an RSA private key of 2048 to 8192 bits. However it is printed,
// logged or encoded it shows as "[private key]"; only PEM reveals it.
type PrivateKey struct{ key *rsa.PrivateKey }

// PublicKey is an RSA public key of 2048 to 8192 bits.
type PublicKey struct{ key *rsa.PublicKey }

// GenerateKey makes a private key of 2048 bits, the size AlphaPay asks for.
func GenerateKey() (PrivateKey, error) {
	key, err := rsa.GenerateKey(rand.Reader, minKeyBits)
	if err != nil {
		return PrivateKey{}, fmt.Errorf("generate RSA key: %w", err)
	}
	return PrivateKey{key}, nil
}

// ParsePrivateKey reads a private key from PEM (PKCS#8 "PRIVATE KEY" or PKCS#1
// "RSA PRIVATE KEY"), or from the bare base64 of either, line breaks allowed, as
// vendors hand it out. Every error is an ErrKey and holds nothing of the key.
func ParsePrivateKey(text []byte) (PrivateKey, error) {
	der, label, err := decodeKey(text)
	if err != nil {
		return PrivateKey{}, err
	}
	var key *rsa.PrivateKey
	switch label {
	case "PRIVATE KEY":
		key, err = parsePKCS8(der)
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(der)
	case "":
		if key, err = parsePKCS8(der); err != nil {
			key, err = x509.ParsePKCS1PrivateKey(der)
		}
	default:
		err = fmt.Errorf("PEM block %q is not a private key in PKCS#8 or PKCS#1 form", label)
	}
	if err != nil {
		return PrivateKey{}, fmt.Errorf("%w: %v", ErrKey, err)
	}
	if err := checkSize(&key.PublicKey); err != nil {
		return PrivateKey{}, err
	}
	return PrivateKey{key}, nil
}

func parsePKCS8(der []byte) (*rsa.PrivateKey, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	key, isRSA := parsed.(*rsa.PrivateKey)
	if !isRSA {
		return nil, fmt.Errorf("the key is not RSA")
	}
	return key, nil
}

// ParsePublicKey reads a public key from PEM ("PUBLIC KEY", the X.509
// SubjectPublicKeyInfo form) or from its bare base64, line breaks allowed, as
// vendors hand it out. Every error is an ErrKey.
func ParsePublicKey(text []byte) (PublicKey, error) {
	der, label, err := decodeKey(text)
	if err != nil {
		return PublicKey{}, err
	}
	if label != "" && label != "PUBLIC KEY" {
		return PublicKey{}, fmt.Errorf("%w: PEM block %q is not a public key in X.509 form", ErrKey, label)
	}
	parsed, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return PublicKey{}, fmt.Errorf("%w: %v", ErrKey, err)
	}
	key, isRSA := parsed.(*rsa.PublicKey)
	if !isRSA {
		return PublicKey{}, fmt.Errorf("%w: the key is not RSA", ErrKey)
	}
	if err := checkSize(key); err != nil {
		return PublicKey{}, err
	}
	return PublicKey{key}, nil
}

// decodeKey returns the DER bytes and the PEM label, which is empty for bare
// base64.
func decodeKey(text []byte) (der []byte, label string, err error) {
	if len(text) > maxKeyBytes {
		return nil, "", fmt.Errorf("%w: longer than %d bytes", ErrKey, maxKeyBytes)
	}
	text = bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))) // editors on Windows add a byte order mark
	if len(text) == 0 {
		return nil, "", fmt.Errorf("%w: empty", ErrKey)
	}
	if !bytes.Contains(text, []byte("-----BEGIN")) {
		der, err = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(text)), ""))
		if err != nil {
			return nil, "", fmt.Errorf("%w: neither PEM nor base64", ErrKey)
		}
		return der, "", nil
	}
	block, rest := pem.Decode(text)
	switch {
	case block == nil:
		return nil, "", fmt.Errorf("%w: broken PEM", ErrKey)
	case block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "":
		return nil, "", fmt.Errorf("%w: encrypted with a passphrase; store it decrypted, readable by the service only", ErrKey)
	case len(bytes.TrimSpace(rest)) > 0:
		return nil, "", fmt.Errorf("%w: more than one PEM block", ErrKey)
	}
	return block.Bytes, block.Type, nil
}

func checkSize(key *rsa.PublicKey) error {
	if bits := key.N.BitLen(); bits < minKeyBits || bits > maxKeyBits {
		return fmt.Errorf("%w: %d bits, want %d to %d", ErrKey, bits, minKeyBits, maxKeyBits)
	}
	return nil
}

// IsZero says that there is no key.
func (k PrivateKey) IsZero() bool { return k.key == nil }

// Public is the public half. That of a zero key is the zero PublicKey.
func (k PrivateKey) Public() PublicKey {
	if k.key == nil {
		return PublicKey{}
	}
	return PublicKey{&k.key.PublicKey}
}

// PEM reveals the key, as PKCS#8 PEM. It is the only method that does, and is
// for writing a key file. It returns nil for a zero key.
func (k PrivateKey) PEM() []byte {
	if k.key == nil {
		return nil
	}
	der, err := x509.MarshalPKCS8PrivateKey(k.key)
	if err != nil {
		panic("signature: an RSA key that PKCS#8 cannot hold: " + err.Error())
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// Format prints "[private key]" whatever the verb.
func (PrivateKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, masked) }

// String returns "[private key]".
func (PrivateKey) String() string { return masked }

// MarshalText gives "[private key]", also as a JSON or TOML value.
func (PrivateKey) MarshalText() ([]byte, error) { return []byte(masked), nil }

// LogValue logs "[private key]".
func (PrivateKey) LogValue() slog.Value { return slog.StringValue(masked) }

// IsZero says that there is no key.
func (k PublicKey) IsZero() bool { return k.key == nil }

// Equal says whether both are the same key.
func (k PublicKey) Equal(other PublicKey) bool {
	if k.key == nil || other.key == nil {
		return k.key == other.key
	}
	return k.key.Equal(other.key)
}

// PEM is the key as X.509 SubjectPublicKeyInfo PEM, or nil for a zero key.
func (k PublicKey) PEM() []byte {
	if k.key == nil {
		return nil
	}
	der, err := x509.MarshalPKIXPublicKey(k.key)
	if err != nil {
		panic("signature: an RSA key that X.509 cannot hold: " + err.Error())
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}
