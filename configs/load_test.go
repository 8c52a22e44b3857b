package configs

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// certificate makes a self-signed certificate in PEM.
func certificate(t *testing.T) string {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	must(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func write(t *testing.T, folder, name, content string, mode fs.FileMode) string {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // WriteFile's mode is cut by the umask
		t.Fatal(err)
	}
	return path
}

// A key file is found beside the configuration and must be a readable file with
// something in it; a private one must be its owner's alone. Each mistake names
// the line of the key, never the path.
func TestLoadChecksKeyFiles(t *testing.T) {
	tests := []struct {
		name, path, message string
		spoil               func(t *testing.T, folder string)
	}{
		{name: "all well", spoil: func(*testing.T, string) {}},
		{"no private key", "gateway.alphapay.private_key_file", "no such file", remove("private.pem")},
		{"private key for the group", "gateway.alphapay.private_key_file", "mode 0640", chmod("private.pem", 0o640)},
		{"private key for everybody", "gateway.alphapay.private_key_file", "mode 0604", chmod("private.pem", 0o604)},
		{"private key that others may change", "gateway.alphapay.private_key_file", "mode 0602", chmod("private.pem", 0o602)},
		{"private key is empty", "gateway.alphapay.private_key_file", "is empty", rewrite("private.pem", "")},
		{"private key is huge", "gateway.alphapay.private_key_file", "larger than", rewrite("private.pem", strings.Repeat("x", maxKeySize+1))},
		{"private key is a folder", "gateway.alphapay.private_key_file", "not a regular file", func(t *testing.T, folder string) {
			remove("private.pem")(t, folder)
			must(t, os.Mkdir(filepath.Join(folder, "private.pem"), 0o700))
		}},
		{"private key is a pipe", "gateway.alphapay.private_key_file", "not a regular file", func(t *testing.T, folder string) {
			remove("private.pem")(t, folder)
			must(t, syscall.Mkfifo(filepath.Join(folder, "private.pem"), 0o600))
		}},
		{"link to a private key for everybody", "gateway.alphapay.private_key_file", "mode 0644", func(t *testing.T, folder string) {
			must(t, os.Rename(filepath.Join(folder, "private.pem"), filepath.Join(folder, "elsewhere.pem")))
			must(t, os.Symlink("elsewhere.pem", filepath.Join(folder, "private.pem")))
			chmod("elsewhere.pem", 0o644)(t, folder)
		}},
		{"no platform key", "gateway.alphapay.platform_key_file", "no such file", remove("public.pem")},
		{"platform key is empty", "gateway.alphapay.platform_key_file", "is empty", rewrite("public.pem", "")},
		{"no certificates", "gateway.alphapay.ca_file", "no such file", remove("ca.pem")},
		{"certificates are none", "gateway.alphapay.ca_file", "no certificate", rewrite("ca.pem", "a certificate")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			folder := t.TempDir()
			document := account + "ca_file = \"ca.pem\"\n"
			path := write(t, folder, "payscand.toml", document, 0o644)
			write(t, folder, "private.pem", "a private key", 0o600)
			write(t, folder, "public.pem", "a public key", 0o644)
			write(t, folder, "ca.pem", certificate(t), 0o644)
			test.spoil(t, folder)
			config, err := Load(path, Options{})
			if test.path == "" {
				if err != nil {
					t.Fatal(err)
				}
				key, err := config.Gateways["alphapay"].AlphaPay.PrivateKeyFile.ReadPrivate()
				if err != nil || string(key) != "a private key" {
					t.Errorf("key %q, %v", key, err)
				}
				return
			}
			var problems Problems
			if !errors.As(err, &problems) || len(problems) != 1 {
				t.Fatalf("want one problem, got %v", err)
			}
			p := problems[0]
			key := test.path[strings.LastIndex(test.path, ".")+1:]
			if p.Path != test.path || !strings.HasPrefix(strings.Split(document, "\n")[p.Line-1], key) {
				t.Errorf("line %d, path %s, want %s", p.Line, p.Path, test.path)
			}
			if !strings.Contains(p.Message, test.message) || strings.Contains(p.Message, ".pem") {
				t.Errorf("message %q must say %q and no path", p.Message, test.message)
			}
			if _, err := Load(path, Options{WithoutKeys: true}); err != nil {
				t.Errorf("a command that needs no keys is refused: %v", err)
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func remove(name string) func(*testing.T, string) {
	return func(t *testing.T, folder string) { must(t, os.Remove(filepath.Join(folder, name))) }
}

func chmod(name string, mode fs.FileMode) func(*testing.T, string) {
	return func(t *testing.T, folder string) { must(t, os.Chmod(filepath.Join(folder, name), mode)) }
}

func rewrite(name, content string) func(*testing.T, string) {
	return func(t *testing.T, folder string) {
		must(t, os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600))
	}
}

// A credential is read from the folder that systemd gives, whatever its mode
// bits; without such a folder the mistake says what to set.
func TestLoadFindsCredentials(t *testing.T) {
	folder, credentials := t.TempDir(), t.TempDir()
	path := write(t, folder, "payscand.toml", strings.Replace(account, `"private.pem"`, `"credential:alphapay-key"`, 1), 0o644)
	write(t, folder, "public.pem", "a public key", 0o644)
	write(t, credentials, "alphapay-key", "a private key", 0o440)

	config, err := Load(path, Options{CredentialsDirectory: credentials})
	must(t, err)
	key, err := config.Gateways["alphapay"].AlphaPay.PrivateKeyFile.ReadPrivate()
	if err != nil || string(key) != "a private key" {
		t.Errorf("key %q, %v", key, err)
	}
	_, err = Load(path, Options{})
	if err == nil || !strings.Contains(err.Error(), "LoadCredential=") {
		t.Errorf("without credentials: %v", err)
	}
	_, err = Load(path, Options{CredentialsDirectory: folder})
	if err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("with other credentials: %v", err)
	}
}

// A certificate for notifications and its key must be a pair. Whether a gateway's
// key is one is for whoever loads the configuration to say: each is asked about.
func TestLoadChecksWhatIsInKeyFiles(t *testing.T) {
	folder := t.TempDir()
	path := write(t, folder, "payscand.toml", "[notify]\ncert_file = \"ca.pem\"\nkey_file = \"private.pem\"\n"+account, 0o644)
	write(t, folder, "ca.pem", certificate(t), 0o644)
	write(t, folder, "private.pem", "a private key", 0o600)
	write(t, folder, "public.pem", "a public key", 0o644)
	_, err := Load(path, Options{
		PrivateKey: func(text []byte) error { return fmt.Errorf("%s is none", text) },
		PublicKey:  func(text []byte) error { return fmt.Errorf("%s is none", text) },
	})
	var problems Problems
	if !errors.As(err, &problems) || len(problems) != 3 {
		t.Fatalf("want three problems, got %v", err)
	}
	for i, want := range []string{
		":3: notify.key_file: tls: failed to find any PEM data in key input", ": gateway.alphapay.private_key_file: a private key is none",
		": gateway.alphapay.platform_key_file: a public key is none",
	} {
		if got := problems[i].String(); !strings.HasSuffix(got, want) {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// Problems with files are reported together with all others, by line; a key
// file that is not named properly is reported once.
func TestLoadReportsFilesWithTheRest(t *testing.T) {
	path := write(t, t.TempDir(), "payscand.toml", `[gateway.alphapay]
base_url = "http://openapi.alphapay.ca"
merchant_code = "M1"
private_key_file = "-----BEGIN PRIVATE KEY-----"
platform_key_file = { 1 = "none.pem",
  2 = "none.pem" }
`, 0o644)
	_, err := Load(path, Options{})
	var problems Problems
	if !errors.As(err, &problems) {
		t.Fatal(err)
	}
	var lines []int
	for _, p := range problems {
		lines = append(lines, p.Line)
	}
	if len(lines) != 4 || lines[0] != 2 || lines[1] != 4 || lines[2] != 5 || lines[3] != 6 {
		t.Errorf("lines %v, want 2, 4, 5, 6:\n%v", lines, err)
	}
}

// A configuration that cannot be read is an error of its own, which tells why.
func TestLoadOfAnUnreadableFile(t *testing.T) {
	folder := t.TempDir()
	if _, err := Load(filepath.Join(folder, "none.toml"), Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	if _, err := Load(folder, Options{}); err == nil {
		t.Error("a folder is taken as a configuration")
	}
	path := write(t, folder, "large.toml", strings.Repeat("#", maxFileSize+1), 0o600)
	if _, err := Load(path, Options{}); err == nil || !strings.Contains(err.Error(), "larger than 65536 bytes") {
		t.Errorf("large file: %v", err)
	}
}
