// Package signature makes and checks the RSA request signatures that AlphaPay
// and Alipay+ share: RSA-SHA256 with PKCS#1 v1.5 padding, standard base64,
// URL-escaped, carried in a header of the form
//
//	Signature: algorithm=RS256,keyVersion=1,signature=<sig>
//
// The two vendors differ only in the algorithm's name and in the signed
// content. Both sign the bytes of the body as they travel, so a signature is
// checked before any JSON is decoded, never after.
//
// Source: the vendors' key and signing pages, and their public SDKs.
package signature

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Algorithm is the name a vendor gives, in the header, to RSA-SHA256 with
// PKCS#1 v1.5 padding.
type Algorithm string

const (
	RS256  Algorithm = "RS256"  // AlphaPay
	RSA256 Algorithm = "RSA256" // Alipay+
)

// Errors of Verify and ParseHeader. They are wrapped: test with errors.Is.
var (
	ErrMissing    = errors.New("no signature")                  // the header is absent or empty
	ErrMalformed  = errors.New("malformed signature header")    // the header cannot be read
	ErrAlgorithm  = errors.New("wrong signature algorithm")     // another algorithm than the vendor's
	ErrKeyVersion = errors.New("unknown key version")           // signed with a key that is not configured
	ErrSignature  = errors.New("signature does not match")      // signed by another key, or other content
	ErrKey        = errors.New("unusable RSA key")              // a key that cannot be read, or is too short
	ErrNoKey      = errors.New("no key to sign or verify with") // a zero Signer or Verifier
)

// AlphaPayContent is what AlphaPay signs: in a request, method and path of the
// call with the request's time and nonce; in an answer, the same method and
// path with the answer's time and nonce. The body is the raw bytes sent.
func AlphaPayContent(method, path, merchantCode, time, nonce string, body []byte) []byte {
	return content(method, path, body, merchantCode, time, nonce)
}

// AlipayPlusContent is what Alipay+ signs: in a request, method and path of the
// call with the request's time; in an answer, the same method and path with the
// answer's time. The body is the raw bytes sent.
func AlipayPlusContent(method, path, clientID, time string, body []byte) []byte {
	return content(method, path, body, clientID, time)
}

// content is METHOD SP path LF, then each field and a dot, then the body.
func content(method, path string, body []byte, fields ...string) []byte {
	size := len(method) + len(path) + len(body) + 2
	for _, field := range fields {
		size += len(field) + 1
	}
	out := make([]byte, 0, size)
	out = append(out, method...)
	out = append(out, ' ')
	out = append(out, path...)
	out = append(out, '\n')
	for _, field := range fields {
		out = append(out, field...)
		out = append(out, '.')
	}
	return append(out, body...)
}

// Signer signs with one private key. The zero Signer refuses to sign.
type Signer struct {
	Algorithm  Algorithm
	KeyVersion int // the version under which the vendor knows the public half; 1 or more
	Key        PrivateKey
}

// Sign returns the value of the Signature header for content, or ErrNoKey.
func (s Signer) Sign(content []byte) (string, error) {
	if s.Key.key == nil {
		return "", ErrNoKey
	}
	digest := sha256.Sum256(content)
	raw, err := rsa.SignPKCS1v15(rand.Reader, s.Key.key, crypto.SHA256, digest[:])
	if err != nil {
		return "", fmt.Errorf("RSA signature: %w", err)
	}
	return Header{Algorithm: s.Algorithm, KeyVersion: s.KeyVersion, Signature: raw}.String(), nil
}

// Verifier checks signatures against the signing party's public keys, by key
// version. The zero Verifier accepts nothing.
type Verifier struct {
	Algorithm Algorithm
	Keys      map[int]PublicKey
}

// Verify returns nil only when header is a signature of exactly content under a
// configured key. Its errors are ErrMissing, ErrMalformed, ErrAlgorithm,
// ErrKeyVersion, ErrSignature and ErrNoKey.
func (v Verifier) Verify(content []byte, header string) error {
	parsed, err := ParseHeader(header)
	if err != nil {
		return err
	}
	if len(v.Keys) == 0 {
		return ErrNoKey
	}
	if parsed.Algorithm != v.Algorithm {
		return fmt.Errorf("%w: want %s", ErrAlgorithm, v.Algorithm)
	}
	key, known := v.Keys[parsed.KeyVersion]
	if !known || key.key == nil {
		return fmt.Errorf("%w %d: configured are %v", ErrKeyVersion, parsed.KeyVersion, slices.Sorted(maps.Keys(v.Keys)))
	}
	digest := sha256.Sum256(content)
	if rsa.VerifyPKCS1v15(key.key, crypto.SHA256, digest[:], parsed.Signature) != nil {
		return fmt.Errorf("%w under key version %d", ErrSignature, parsed.KeyVersion)
	}
	return nil
}
