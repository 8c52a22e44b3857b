package sandbox

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Names of the files of a certificate. The authority's is for clients to trust
// (ca_file); its private key is thrown away, so that it can vouch for nothing else.
const (
	authorityFile      = "tls_ca.pem"
	certificateFile    = "tls_certificate.pem"
	certificateKeyFile = "tls_key.pem"
)

const (
	certificateLife  = 2 * 365 * 24 * time.Hour
	certificateSpare = 30 * 24 * time.Hour // a certificate that ends sooner is made anew
)

// LoadOrMakeCertificate returns the certificate in dir for host, and the path of
// the authority's certificate that a client must trust. A certificate that is
// missing, for another host, or about to end is made anew, with its authority;
// localhost and the loopback addresses are always in it. The folder must exist.
func LoadOrMakeCertificate(dir, host string, now time.Time) (certificate tls.Certificate, authority string, err error) {
	if dir, err = filepath.Abs(dir); err != nil {
		return tls.Certificate{}, "", err
	}
	authority = filepath.Join(dir, authorityFile)
	loaded, err := tls.LoadX509KeyPair(filepath.Join(dir, certificateFile), filepath.Join(dir, certificateKeyFile))
	if err == nil && serves(loaded.Leaf, authority, host, now) {
		return loaded, authority, nil
	}
	made, err := makeCertificate(host, now)
	if err != nil {
		return tls.Certificate{}, "", fmt.Errorf("make a certificate: %w", err)
	}
	// The one for others to trust comes last: it never stands there without the rest.
	for _, file := range []struct {
		name string
		text []byte
		mode os.FileMode
	}{{certificateKeyFile, made.key, 0o600}, {certificateFile, made.certificate, 0o644}, {authorityFile, made.authority, 0o644}} {
		if err := replaceFile(filepath.Join(dir, file.name), file.text, file.mode); err != nil {
			return tls.Certificate{}, "", err
		}
	}
	certificate, err = tls.X509KeyPair(made.certificate, made.key)
	return certificate, authority, err
}

// serves says whether clients that trust the authority take the certificate for
// host for some time yet.
func serves(leaf *x509.Certificate, authority, host string, now time.Time) bool {
	text, err := os.ReadFile(authority)
	trusted := x509.NewCertPool()
	if err != nil || !trusted.AppendCertsFromPEM(text) {
		return false
	}
	_, err = leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: trusted, CurrentTime: now.Add(certificateSpare)})
	return err == nil && !leaf.NotBefore.After(now)
}

// certificateFiles are PEM texts.
type certificateFiles struct{ authority, certificate, key []byte }

func makeCertificate(host string, now time.Time) (certificateFiles, error) {
	signer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return certificateFiles{}, err
	}
	holder, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return certificateFiles{}, err
	}
	authority := &x509.Certificate{
		Subject:   pkix.Name{CommonName: "payscand practice gateway, authority"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(certificateLife),
		KeyUsage: x509.KeyUsageCertSign, BasicConstraintsValid: true, IsCA: true, MaxPathLenZero: true,
	}
	server := &x509.Certificate{
		Subject:   pkix.Name{CommonName: "payscand practice gateway"},
		NotBefore: authority.NotBefore, NotAfter: authority.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	if address := net.ParseIP(host); address != nil {
		server.IPAddresses = append(server.IPAddresses, address)
	} else {
		server.DNSNames = append(server.DNSNames, host)
	}
	authorityDER, authorityErr := x509.CreateCertificate(rand.Reader, authority, authority, &signer.PublicKey, signer)
	serverDER, serverErr := x509.CreateCertificate(rand.Reader, server, authority, &holder.PublicKey, signer)
	keyDER, keyErr := x509.MarshalPKCS8PrivateKey(holder)
	return certificateFiles{
		authority:   pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authorityDER}),
		certificate: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: serverDER}),
		key:         pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}),
	}, errors.Join(authorityErr, serverErr, keyErr)
}

// replaceFile puts text in the place of path in one step, unless it is there
// already.
func replaceFile(path string, text []byte, mode os.FileMode) error {
	if there, err := os.ReadFile(path); err == nil && bytes.Equal(there, text) {
		return nil
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // gone if all went well
	_, err = file.Write(text)
	return errors.Join(err, file.Chmod(mode), file.Close(), os.Rename(file.Name(), path))
}
