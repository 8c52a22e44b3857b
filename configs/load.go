package configs

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"

	"github.com/pelletier/go-toml/v2"
)

// maxFileSize bounds a configuration, in bytes; one with everything in it has a tenth.
const maxFileSize = 64 << 10

// Options say how Load treats the files that a configuration names.
type Options struct {
	// CredentialsDirectory is where systemd puts the service's credentials:
	// $CREDENTIALS_DIRECTORY. Empty: there are none.
	CredentialsDirectory string
	// WithoutKeys leaves keys and certificates unread, for commands that need only
	// addresses and are run by users who may not read keys.
	WithoutKeys bool
	// PrivateKey and PublicKey say what is wrong with a gateway's key, if anything:
	// this package knows no kinds of keys. nil: whatever is in the file will do.
	PrivateKey, PublicKey func(text []byte) error
}

// Load reads the configuration at path and, unless told otherwise, checks that
// the key and certificate files it names can be read and hold what they should,
// and that nobody else can read the private ones. Relative paths in it start at its folder. Mistakes are
// returned as Problems, all of them at once; another error means that the file
// could not be read.
func Load(path string, options Options) (*Config, error) {
	data, err := readConfiguration(path)
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	return parse(path, data, func(c *Config, p *collector) {
		c.Gateways.findCredentials(options.CredentialsDirectory)
		c.Notify.KeyFile = c.Notify.KeyFile.found(options.CredentialsDirectory)
		if !options.WithoutKeys {
			c.Gateways.checkFiles(p, options)
			c.Notify.checkFiles(p)
		}
	})
}

// Parse reads a configuration from memory and touches no file. The name stands
// in messages; relative paths start at its folder. Mistakes are returned as
// Problems, all of them at once, except that a syntax error is returned alone.
func Parse(name string, data []byte) (*Config, error) {
	return parse(name, data, func(*Config, *collector) {})
}

// Validate returns all mistakes as Problems, without lines. It touches no file.
func (c Config) Validate() error {
	return c.validate().err()
}

func readConfiguration(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	return io.ReadAll(io.LimitReader(file, maxFileSize+1)) // parse refuses one byte too many
}

func parse(name string, data []byte, checkFiles func(*Config, *collector)) (*Config, error) {
	if len(data) > maxFileSize {
		return nil, Problems{{File: name, Message: fmt.Sprintf("the file is larger than %d bytes", maxFileSize)}}
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) // editors on Windows put a byte order mark there
	document := map[string]any{}
	if err := toml.Unmarshal(data, &document); err != nil {
		return nil, Problems{syntaxError(name, err)}
	}
	config, problems := decode(document)
	resolvePaths(&config, filepath.Dir(name))
	problems.addNew(config.validate())
	var inFiles collector
	checkFiles(&config, &inFiles)
	problems.addNew(inFiles.found)
	if len(problems.found) > 0 {
		problems.found.locate(name, indexLines(data))
		return nil, problems.found
	}
	return &config, nil
}

// decode is the default with what the document sets.
func decode(document map[string]any) (Config, collector) {
	config := Default()
	var d decoder
	d.table("", document, &config)
	return config, d.problems
}

func syntaxError(name string, err error) Problem {
	problem := Problem{File: name, Message: "this is not TOML"}
	if position, ok := errors.AsType[*toml.DecodeError](err); ok {
		problem.Line, problem.Column = position.Position()
		problem.Message = oneLine(strings.TrimPrefix(position.Error(), "toml: "))
	}
	return problem
}

// oneLine bounds the library's message, which may hold a key of the file.
func oneLine(text string) string {
	const longest = 160
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + "…"
	}
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(text) // makes control characters visible
	}
	return text
}

func resolvePaths(c *Config, folder string) {
	for _, path := range []*string{&c.API.Socket, &c.API.TokenDir, &c.Store.Path, &c.Store.BackupDir} {
		*path = resolvePath(folder, *path)
	}
	c.Notify.CertFile = resolvePath(folder, c.Notify.CertFile)
	c.Notify.KeyFile = c.Notify.KeyFile.resolved(folder)
	for _, gateway := range c.Gateways {
		account := gateway.Account()
		if account == nil {
			continue
		}
		account.BaseURL = strings.TrimSuffix(account.BaseURL, "/")
		account.CAFile = resolvePath(folder, account.CAFile)
		changeKeys(account, func(k KeyFile) KeyFile { return k.resolved(folder) })
	}
}

// resolvePath makes a relative path start at the folder; nothing stays nothing.
func resolvePath(folder, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(folder, path)
}

// changeKeys changes every key file of the account.
func changeKeys(account *Account, change func(KeyFile) KeyFile) {
	account.PrivateKeyFile = change(account.PrivateKeyFile)
	for version, file := range account.PlatformKeyFiles {
		account.PlatformKeyFiles[version] = change(file)
	}
}

func (g Gateways) findCredentials(folder string) {
	for _, gateway := range g {
		if account := gateway.Account(); account != nil {
			changeKeys(account, func(k KeyFile) KeyFile { return k.found(folder) })
		}
	}
}

// checkFiles reports the files that cannot be used.
func (g Gateways) checkFiles(p *collector, options Options) {
	check := func(err error, path string) {
		if err != nil {
			p.addf(path, "%v", err)
		}
	}
	checkKey := func(text []byte, err error, isKey func([]byte) error, path string) {
		if err == nil && isKey != nil {
			err = isKey(text)
		}
		check(err, path)
	}
	for _, name := range g.Names() {
		account, path := g[name].Account(), join("gateway", name)
		if account == nil {
			continue
		}
		text, err := account.PrivateKeyFile.ReadPrivate()
		checkKey(text, err, options.PrivateKey, join(path, "private_key_file"))
		for _, version := range account.PlatformKeyFiles.Versions() {
			text, err := account.PlatformKeyFiles[version].ReadPublic()
			checkKey(text, err, options.PublicKey, account.platformKeyPath(path, version))
		}
		if account.CAFile != "" {
			_, err := readCertificates(account.CAFile)
			check(err, join(path, "ca_file"))
		}
	}
}

func (n Notify) checkFiles(p *collector) {
	if n.CertFile == "" {
		return
	}
	certificates, err := readCertificates(n.CertFile)
	if err != nil {
		p.addf("notify.cert_file", "%v", err)
	}
	key, keyErr := n.KeyFile.ReadPrivate()
	if err == nil && keyErr == nil {
		_, keyErr = tls.X509KeyPair(certificates, key)
	}
	if keyErr != nil {
		p.addf("notify.key_file", "%v", keyErr)
	}
}

func readCertificates(path string) ([]byte, error) {
	content, _, err := readSmallFile(path)
	if err == nil && !x509.NewCertPool().AppendCertsFromPEM(content) {
		err = errors.New("the file holds no certificate in PEM form")
	}
	return content, err
}
