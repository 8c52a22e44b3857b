package configs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// KeyFile is where a key is kept: a file, or a credential that systemd passes
// to the service (LoadCredential=). Its errors never hold its path: somebody may
// have written the key itself there.
type KeyFile struct {
	// Path of the file. For a credential it is set by Load.
	Path string
	// Credential is its name, empty for a plain file.
	Credential string
}

const (
	credentialPrefix = "credential:"
	maxKeySize       = 64 << 10 // bytes; an RSA key of 8192 bits has 6,500 in PEM
)

// ReadPrivate returns the file's content. It refuses a file that others than
// its owner may read or change. A credential has no such bits to check: systemd
// keeps its folder from everybody but the service, and grants the read by an
// access control list, which shows as a group's permission.
func (k KeyFile) ReadPrivate() ([]byte, error) { return k.read(k.Credential == "") }

// ReadPublic returns the file's content, whoever may read it.
func (k KeyFile) ReadPublic() ([]byte, error) { return k.read(false) }

func (k KeyFile) read(ownerOnly bool) ([]byte, error) {
	if k.Path == "" && k.Credential != "" {
		return nil, errors.New("the service got no credentials: set LoadCredential= in its systemd unit, or name a file")
	}
	content, mode, err := readSmallFile(k.Path)
	switch {
	case err != nil:
		return nil, err
	case ownerOnly && mode.Perm()&0o077 != 0:
		return nil, fmt.Errorf("others than the owner have access to the file (mode %04o): run chmod 600 on it and, "+
			"if it was there for long, have the key replaced", mode.Perm())
	case len(content) == 0:
		return nil, errors.New("the file is empty")
	}
	return content, nil
}

// readSmallFile reads a regular file of at most maxKeySize bytes.
func readSmallFile(path string) ([]byte, fs.FileMode, error) {
	// Asked before opening, because opening a named pipe would wait for a writer.
	if info, err := os.Stat(path); err != nil {
		return nil, 0, withoutPath(err)
	} else if !info.Mode().IsRegular() {
		return nil, 0, errors.New("this is not a regular file")
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, 0, withoutPath(err)
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return nil, 0, withoutPath(err)
	}
	content, err := io.ReadAll(io.LimitReader(file, maxKeySize+1))
	switch {
	case err != nil:
		return nil, 0, withoutPath(err)
	case len(content) > maxKeySize:
		return nil, 0, fmt.Errorf("the file is larger than %d bytes, so it is no key or certificate", maxKeySize)
	}
	return content, info.Mode(), nil
}

// withoutPath explains an error of the file system without the path in it.
func withoutPath(err error) error {
	var cause *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("there is no such file (a relative path starts at the configuration's folder)")
	case errors.Is(err, fs.ErrPermission):
		return errors.New("the user that payscand runs as may not read the file: give it to that user (chown)")
	case errors.As(err, &cause):
		return fmt.Errorf("the file cannot be read: %w", cause.Err)
	}
	return errors.New("the file cannot be read")
}

func (d *decoder) keyFile(path string, value any, out *KeyFile) {
	text, ok := value.(string)
	if !ok {
		d.wrongType(path, "the path of a file, in quotes", value)
		return
	}
	if name, ok := strings.CutPrefix(text, credentialPrefix); ok {
		out.Credential = name
		if name == "" {
			d.problems.addf(path, `must name the credential, such as "credential:alphapay-key"`)
		}
		return
	}
	out.Path = text
}

// resolved has a relative path start at the folder.
func (k KeyFile) resolved(folder string) KeyFile {
	if k.Credential == "" {
		k.Path = resolvePath(folder, k.Path)
	}
	return k
}

// found has the path of a credential, if the service got any.
func (k KeyFile) found(credentials string) KeyFile {
	if k.Credential != "" && credentials != "" {
		k.Path = filepath.Join(credentials, k.Credential)
	}
	return k
}

// credentialName is narrower than systemd's rule: what needs no quoting in a unit.
var credentialName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$`)

func (k KeyFile) validate(p *collector, path, missing string) {
	switch {
	case k.Path == "" && k.Credential == "":
		p.addf(path, "%s", missing)
	case k.Credential != "" && !credentialName.MatchString(k.Credential):
		p.addf(path, "a credential's name must begin with a letter or digit and hold only letters, digits, '.', '-' and '_'")
	case strings.Contains(k.Path, "-----BEGIN") || strings.ContainsFunc(k.Path, isControl):
		p.addf(path, "must be the path of a file, not the key itself: keep the key in a file of its own")
	}
}
