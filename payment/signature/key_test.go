package signature

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// A private key is read in every form that openssl and the vendors write, and is
// each time the same key.
func TestParsePrivateKey(t *testing.T) {
	want := testKey(t)
	forms := map[string][]byte{
		"PKCS#8 PEM":          testdata(t, "private.pkcs8.pem"),
		"PKCS#1 PEM":          testdata(t, "private.pkcs1.pem"),
		"PKCS#8 base64":       testdata(t, "private.pkcs8.base64"),
		"PKCS#1 base64 lines": testdata(t, "private.pkcs1.base64"),
		"our own PEM":         want.PEM(),
		"CRLF line ends":      bytes.ReplaceAll(testdata(t, "private.pkcs8.pem"), []byte("\n"), []byte("\r\n")),
		"byte order mark":     append([]byte("\xef\xbb\xbf"), testdata(t, "private.pkcs8.base64")...),
	}
	for name, text := range forms {
		t.Run(name, func(t *testing.T) {
			got, err := ParsePrivateKey(text)
			if err != nil {
				t.Fatal(err)
			}
			if !got.Public().Equal(want.Public()) || got.IsZero() {
				t.Error("another key was read")
			}
		})
	}
}

// A public key is read as PEM and as bare base64.
func TestParsePublicKey(t *testing.T) {
	want := testKey(t).Public()
	for _, text := range [][]byte{testdata(t, "public.pem"), testdata(t, "public.base64"), want.PEM()} {
		got, err := ParsePublicKey(text)
		if err != nil {
			t.Fatal(err)
		}
		if !got.Equal(want) || got.IsZero() {
			t.Error("another key was read")
		}
	}
}

// What is not a usable key of the asked kind is refused with words that name the
// trouble and no part of the key.
func TestKeysRefused(t *testing.T) {
	private, public := string(testdata(t, "private.pkcs8.pem")), string(testdata(t, "public.pem"))
	for name, test := range map[string]struct {
		text    string
		asks    string // "private", "public" or both
		mention string
	}{
		"empty":             {"", "private public", "empty"},
		"only spaces":       {" \n", "private public", "empty"},
		"text":              {"not a key!", "private public", "neither PEM nor base64"},
		"base64 of nothing": {"AAAA", "private public", ErrKey.Error()},
		"cut PEM":           {private[:200], "private public", "broken PEM"},
		"two keys":          {private + private, "private public", "more than one"},
		"too long":          {strings.Repeat("A", 70_000), "private public", "longer than"},
		"encrypted":         {string(testdata(t, "private.encrypted.pem")), "private public", "passphrase"},
		"certificate":       {string(testdata(t, "certificate.pem")), "private public", "CERTIFICATE"},
		"1024 bits":         {string(testdata(t, "short.pem")), "private", "1024 bits"},
		"1024 bits, public": {string(testdata(t, "short.public.pem")), "public", "1024 bits"},
		"elliptic":          {string(testdata(t, "ec.pem")), "private", "not RSA"},
		"elliptic, public":  {string(testdata(t, "ec.public.pem")), "public", "not RSA"},
		"public as private": {public, "private", "PUBLIC KEY"},
		"private as public": {private, "public", "PRIVATE KEY"},
		"bare, swapped":     {string(testdata(t, "public.base64")), "private", ErrKey.Error()},
		"bare, swapped too": {string(testdata(t, "private.pkcs8.base64")), "public", ErrKey.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			check := func(err error) {
				t.Helper()
				if !errors.Is(err, ErrKey) {
					t.Fatalf("got %v, want an ErrKey", err)
				}
				if !strings.Contains(err.Error(), test.mention) {
					t.Errorf("%q does not mention %q", err, test.mention)
				}
				if len(test.text) > 100 && strings.Contains(err.Error(), test.text[60:90]) {
					t.Errorf("the error shows the key: %v", err)
				}
			}
			if strings.Contains(test.asks, "private") {
				_, err := ParsePrivateKey([]byte(test.text))
				check(err)
			}
			if strings.Contains(test.asks, "public") {
				_, err := ParsePublicKey([]byte(test.text))
				check(err)
			}
		})
	}
}

// A private key shows in no format, encoding or log, alone or inside other
// values (P8).
func TestPrivateKeyIsMasked(t *testing.T) {
	key := testKey(t)
	type exported struct{ Key PrivateKey }
	type hidden struct{ key PrivateKey }
	values := []any{key, &key, exported{key}, &exported{key}, hidden{key}, []PrivateKey{key}, map[string]any{"k": key},
		Signer{RS256, 1, key}, &Signer{RS256, 1, key}}

	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t"} {
		for _, value := range values {
			fmt.Fprintf(&out, verb+"\n", value)
		}
	}
	text := slog.New(slog.NewTextHandler(&out, nil))
	structured := slog.New(slog.NewJSONHandler(&out, nil))
	for _, value := range values {
		text.Info("key", "value", value)
		structured.Info("key", "value", value)
		encoded, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(encoded)
	}
	fmt.Fprintln(&out, fmt.Errorf("wrapped: %v", key), key.String())

	printed := strings.ToLower(out.String())
	for name, secret := range map[string]string{
		"private exponent": key.key.D.String(),
		"prime":            key.key.Primes[0].String(),
		"prime, hex":       key.key.Primes[0].Text(16),
		"exponent, hex":    key.key.D.Text(16),
		"PEM":              strings.ToLower(string(key.PEM()[100:140])),
	} {
		if strings.Contains(printed, secret[:20]) {
			t.Errorf("the %s is printed", name)
		}
	}
	if !strings.Contains(printed, masked) {
		t.Error("nothing was printed")
	}
}

// The zero keys are harmless.
func TestZeroKeys(t *testing.T) {
	if !(PrivateKey{}).IsZero() || !(PrivateKey{}).Public().IsZero() || (PrivateKey{}).PEM() != nil || (PublicKey{}).PEM() != nil {
		t.Error("a zero key is not empty")
	}
	if (PublicKey{}).Equal(testKey(t).Public()) || !(PublicKey{}).Equal(PublicKey{}) {
		t.Error("a zero key equals a real one, or not itself")
	}
}
