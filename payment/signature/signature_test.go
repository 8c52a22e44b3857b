package signature

import (
	"bytes"
	"encoding/base64"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var vectors = []string{"alphapay", "alipayplus", "empty-body", "binary"}

func testdata(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func testKey(t testing.TB) PrivateKey {
	t.Helper()
	key, err := ParsePrivateKey(testdata(t, "private.pkcs8.pem"))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func testSigner(t testing.TB) Signer {
	return Signer{Algorithm: RS256, KeyVersion: 1, Key: testKey(t)}
}

func testVerifier(t testing.TB) Verifier {
	t.Helper()
	key, err := ParsePublicKey(testdata(t, "public.pem"))
	if err != nil {
		t.Fatal(err)
	}
	return Verifier{Algorithm: RS256, Keys: map[int]PublicKey{1: key}}
}

// What openssl signed verifies, and what we sign is, byte for byte, what openssl
// signed: the padding has no randomness.
func TestVectorsMadeByOpenSSL(t *testing.T) {
	escape := strings.NewReplacer("+", "%2B", "/", "%2F", "=", "%3D")
	for _, name := range vectors {
		t.Run(name, func(t *testing.T) {
			content := testdata(t, name+".content")
			header := "algorithm=RS256,keyVersion=1,signature=" + escape.Replace(string(testdata(t, name+".signature")))
			if err := testVerifier(t).Verify(content, header); err != nil {
				t.Errorf("openssl's signature is refused: %v", err)
			}
			ours, err := testSigner(t).Sign(content)
			if err != nil {
				t.Fatal(err)
			}
			if ours != header {
				t.Errorf("signature differs from openssl's:\n got %s\nwant %s", ours, header)
			}
		})
	}
}

// openssl accepts what we sign with a key we made, and we accept what openssl
// signs with it.
func TestAgainstOpenSSLLive(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("openssl is not installed, and CI must have it")
		}
		t.Skip("openssl is not installed")
	}
	key, err := GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	content := AlphaPayContent("POST", "/api/v2.0/payments/pay", "M1", "2019-05-28T12:12:12+08:00", strings.Repeat("n", 32), []byte("{}\xff"))
	contentFile := write("content", content)

	header, err := Signer{Algorithm: RS256, KeyVersion: 1, Key: key}.Sign(content)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := ParseHeader(header)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(openssl, "dgst", "-sha256", "-verify", write("public.pem", key.Public().PEM()),
		"-signature", write("signature", parsed.Signature), contentFile).CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("Verified OK")) {
		t.Errorf("openssl refuses our signature: %v: %s", err, out)
	}

	raw, err := exec.Command(openssl, "dgst", "-sha256", "-sign", write("private.pem", key.PEM()), contentFile).Output()
	if err != nil {
		t.Fatalf("openssl refuses our key file: %v", err)
	}
	verifier := Verifier{Algorithm: RS256, Keys: map[int]PublicKey{1: key.Public()}}
	if err := verifier.Verify(content, Header{RS256, 1, raw}.String()); err != nil {
		t.Errorf("openssl's signature is refused: %v", err)
	}
}

// The content is, to the byte, what the vendors' pages show.
func TestContents(t *testing.T) {
	body := []byte("{\"a\": 1}\n")
	got := AlphaPayContent("POST", "/api/v2.0/payments/pay", "M1", "2019-05-28T12:12:12+08:00", "abc", body)
	if want := "POST /api/v2.0/payments/pay\nM1.2019-05-28T12:12:12+08:00.abc.{\"a\": 1}\n"; string(got) != want {
		t.Errorf("AlphaPay content %q, want %q", got, want)
	}
	got = AlipayPlusContent("POST", "/aps/api/v1/payments/pay", "C1", "2021-04-21T01:47:04Z", body)
	if want := "POST /aps/api/v1/payments/pay\nC1.2021-04-21T01:47:04Z.{\"a\": 1}\n"; string(got) != want {
		t.Errorf("Alipay+ content %q, want %q", got, want)
	}
}

// Each refusal is told apart by its sentinel, and says nothing of the key or the
// signature.
func TestVerifyRefuses(t *testing.T) {
	content := []byte("content")
	good, err := testSigner(t).Sign(content)
	if err != nil {
		t.Fatal(err)
	}
	other, err := GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	byOther, err := Signer{Algorithm: RS256, KeyVersion: 1, Key: other}.Sign(content)
	if err != nil {
		t.Fatal(err)
	}
	signature := good[strings.LastIndex(good, "=")+1:]
	tests := map[string]struct {
		content, header string
		want            error
	}{
		"good":                   {"content", good, nil},
		"no header":              {"content", "", ErrMissing},
		"blank header":           {"content", " \t", ErrMissing},
		"other content":          {"Content", good, ErrSignature},
		"shorter content":        {"conten", good, ErrSignature},
		"other key":              {"content", byOther, ErrSignature},
		"short signature":        {"content", "algorithm=RS256,keyVersion=1,signature=AAAA", ErrSignature},
		"other algorithm":        {"content", strings.Replace(good, "RS256", "RSA256", 1), ErrAlgorithm},
		"algorithm in lower":     {"content", strings.Replace(good, "RS256", "rs256", 1), ErrAlgorithm},
		"unknown key version":    {"content", strings.Replace(good, "keyVersion=1", "keyVersion=2", 1), ErrKeyVersion},
		"negative key version":   {"content", strings.Replace(good, "keyVersion=1", "keyVersion=-1", 1), ErrMalformed},
		"key version not number": {"content", strings.Replace(good, "keyVersion=1", "keyVersion=x", 1), ErrMalformed},
		"no key version":         {"content", strings.Replace(good, "keyVersion=1,", "", 1), ErrMalformed},
		"no algorithm":           {"content", "keyVersion=1,signature=" + signature, ErrMalformed},
		"no signature":           {"content", "algorithm=RS256,keyVersion=1", ErrMalformed},
		"empty signature":        {"content", "algorithm=RS256,keyVersion=1,signature=", ErrMalformed},
		"two signatures":         {"content", good + ",signature=" + signature, ErrMalformed},
		"not base64":             {"content", "algorithm=RS256,keyVersion=1,signature=%3F%3F%3F%3F", ErrMalformed},
		"broken escape":          {"content", "algorithm=RS256,keyVersion=1,signature=AAA%", ErrMalformed},
		"no fields":              {"content", "RS256", ErrMalformed},
		"too long":               {"content", good + "," + strings.Repeat("a", 4096) + "=", ErrMalformed},
	}
	verifier := testVerifier(t)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := verifier.Verify([]byte(test.content), test.header)
			if !errors.Is(err, test.want) {
				t.Fatalf("got %v, want %v", err, test.want)
			}
			if err != nil && strings.Contains(err.Error(), signature[:16]) {
				t.Errorf("the error shows the signature: %v", err)
			}
		})
	}
}

// A Signer or Verifier without a key refuses; it neither panics nor accepts.
func TestZeroValuesRefuse(t *testing.T) {
	if _, err := (Signer{}).Sign(nil); !errors.Is(err, ErrNoKey) {
		t.Errorf("zero Signer: %v", err)
	}
	header, err := testSigner(t).Sign(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := (Verifier{Algorithm: RS256}).Verify(nil, header); !errors.Is(err, ErrNoKey) {
		t.Errorf("zero Verifier: %v", err)
	}
	if err := (Verifier{Algorithm: RS256, Keys: map[int]PublicKey{1: {}}}).Verify(nil, header); !errors.Is(err, ErrKeyVersion) {
		t.Errorf("zero PublicKey: %v", err)
	}
}

// Headers as they occur in practice verify: spaces after commas, fields in any
// order, unknown fields, '+' left unescaped, or turned into a space on its way.
func TestLenientHeaders(t *testing.T) {
	verifier, signer := testVerifier(t), testSigner(t)
	for n := range 10 {
		content := []byte{byte(n)}
		header, err := signer.Sign(content)
		if err != nil {
			t.Fatal(err)
		}
		signature := header[strings.LastIndex(header, "=")+1:]
		bare := strings.NewReplacer("%2B", "+", "%2F", "/", "%3D", "=").Replace(signature)
		if !strings.Contains(bare, "+") {
			t.Fatal("this signature has no '+': choose another content")
		}
		for _, variant := range []string{
			"algorithm=RS256, keyVersion=1, signature=" + signature,
			" algorithm = RS256 , keyVersion = 1 , signature = " + signature + " ",
			"signature=" + signature + ",keyVersion=1,algorithm=RS256",
			"algorithm=RS256,keyVersion=1,extra=x,signature=" + signature,
			"algorithm=RS256,keyVersion=1,signature=" + bare,
			"algorithm=RS256,keyVersion=1,signature=" + strings.ReplaceAll(bare, "+", " "),
			"algorithm=RS256,keyVersion=1,signature=" + strings.ReplaceAll(signature, "%2B", " "),
			"algorithm=RS256,keyVersion=1,signature=" + strings.NewReplacer("%2B", "%2b", "%2F", "%2f", "%3D", "%3d").Replace(signature),
		} {
			if err := verifier.Verify(content, variant); err != nil {
				t.Errorf("%s: %v", variant, err)
			}
		}
		if err := verifier.Verify(content, "algorithm=RS256,keyVersion=1,signature=%2F%2F%2F%2F"+signature); !errors.Is(err, ErrSignature) {
			t.Errorf("a signature with bytes too many: %v", err)
		}
	}
}

// A space at either end of a signature is read as the '+' it was, where the
// base64's length says so, and else as padding around the field.
func TestSpacesInSignature(t *testing.T) {
	for text, want := range map[string]string{
		"+AA+": "+AA+", " AA ": "+AA+", " AA%2B": "+AA+", "%2BAA%2B": "+AA+",
		" AAAA": "AAAA", "AAAA ": "AAAA", "  AA==  ": "AA==", "A A=": "A+A=",
	} {
		got, err := decodeSignature(text)
		if err != nil || base64.StdEncoding.EncodeToString(got) != want {
			t.Errorf("%q: got %x, %v, want %s", text, got, err, want)
		}
	}
}

// A header that is built is parsed back to itself, and the parser neither panics
// nor reads a header that it would then write differently.
func FuzzParseHeader(f *testing.F) {
	signer, verifier := testSigner(f), testVerifier(f)
	header, err := signer.Sign([]byte("seed"))
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		header, "", " ", "algorithm=RS256, keyVersion=1, signature=AA==", "algorithm=RS256,keyVersion=1,signature=+ +/",
		"signature=%2B%2F", ",,,", "=", "algorithm=RS256,keyVersion=99999999999999999999,signature=AAAA",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if parsed, err := ParseHeader(text); err == nil {
			again, err := ParseHeader(parsed.String())
			if err != nil {
				t.Fatalf("%q: parsed, but its own form is refused: %v", text, err)
			}
			if again.Algorithm != parsed.Algorithm || again.KeyVersion != parsed.KeyVersion || !bytes.Equal(again.Signature, parsed.Signature) {
				t.Fatalf("%q: %v became %v", text, parsed, again)
			}
		} else if !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrMissing) {
			t.Fatalf("%q: unexpected error %v", text, err)
		}
		// The same bytes as content: signed, parsed, verified; a changed byte is refused.
		header, err := signer.Sign([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := verifier.Verify([]byte(text), header); err != nil {
			t.Fatalf("own signature refused: %v", err)
		}
		if err := verifier.Verify([]byte(text+"x"), header); !errors.Is(err, ErrSignature) {
			t.Fatalf("signature of other content: %v", err)
		}
	})
}
