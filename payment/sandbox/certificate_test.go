package sandbox

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A certificate is made once, serves its host and this machine's names to clients
// that trust the authority beside it, and is made anew only when it would no
// longer do; its key is its owner's.
func TestLoadOrMakeCertificate(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	certificate, authority, err := LoadOrMakeCertificate(dir, "practice.example", now)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(authority)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(dir, certificateKeyFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key file: %v, %v", info, err)
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(text)
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	server.StartTLS()
	defer server.Close()
	for host, good := range map[string]bool{"practice.example": true, "localhost": true, "127.0.0.1": true, "other.example": false} {
		client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted, ServerName: host}}}
		response, err := client.Get(server.URL)
		if err == nil {
			response.Body.Close()
		}
		if (err == nil) != good {
			t.Errorf("%s: %v", host, err)
		}
	}
	serial := func(host string, at time.Time) string {
		t.Helper()
		again, _, err := LoadOrMakeCertificate(dir, host, at)
		if err != nil {
			t.Fatal(err)
		}
		return again.Leaf.SerialNumber.String()
	}
	first := certificate.Leaf.SerialNumber.String()
	if serial("practice.example", now.Add(time.Minute)) != first || serial("127.0.0.1", now) != first {
		t.Error("made anew without need")
	}
	second := serial("other.example", now)
	third := serial("other.example", now.Add(certificateLife-certificateSpare+time.Hour))
	if second == first || third == second {
		t.Error("not made anew")
	}
}
