package exchange

import (
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"payscand/payment/signature"
)

// Time-outs where Config says nothing.
const (
	DefaultConnectTimeout = 3 * time.Second
	DefaultAnswerTimeout  = 15 * time.Second
)

const maxTimeout = 2 * time.Minute

// Scheme is how a vendor signs, and what it calls the account.
type Scheme struct {
	Vendor    string // for people: AlphaPay
	Algorithm signature.Algorithm
	// AccountHeader names the account in a request; AccountKey is its key in the
	// configuration.
	AccountHeader, AccountKey string
	// Nonce: requests and answers carry one.
	Nonce bool
	// Content is what is signed; nonce is "" without Nonce.
	Content func(method, path, account, time, nonce string, body []byte) []byte
	// Documented reports whether the vendor's pages have the result code.
	Documented func(code string) bool
}

// Config is one account at a vendor's.
type Config struct {
	Scheme Scheme
	// Name of the gateway, as routes use it: 1 to 32 of a–z, 0–9, '-', '_'.
	Name string
	// BaseURL is scheme and host: https, or http for a loopback address.
	BaseURL string
	// Account is 1 to 64 letters, digits, '-' and '_'.
	Account string
	// TerminalCode tells the terminal's orders apart: 1 to 3 letters or digits.
	TerminalCode string
	// NotifyURL is where the vendor sends notifications; empty: nowhere.
	NotifyURL string
	// PrivateKey signs requests, as KeyVersion (0 means 1).
	PrivateKey signature.PrivateKey
	KeyVersion int
	// PlatformKeys are the vendor's public keys by key version.
	PlatformKeys map[int]signature.PublicKey
	// CAFile holds PEM certificates to trust in place of the system's. RootCAs
	// says the same as a pool; set at most one of the two.
	CAFile  string
	RootCAs *x509.CertPool
	// ConnectTimeout bounds name resolution, connection and TLS handshake together;
	// AnswerTimeout all that follows. 0 means the defaults of 3 s and 15 s.
	ConnectTimeout, AnswerTimeout time.Duration
	// Logger gets one line when calls begin to fail, for another reason or again;
	// repetitions are logged at debug level. nil: nothing is logged.
	Logger *slog.Logger
	// Outside is zero but in a simulation and in tests.
	Outside Outside
}

// ConfigError is one mistake in a Config. Field is the key of the configuration
// file that the mistake is in.
type ConfigError struct{ Field, Problem string }

func (e *ConfigError) Error() string { return e.Field + ": " + e.Problem }

var (
	terminalForm = regexp.MustCompile(`^[A-Za-z0-9]{1,3}$`)
	nameForm     = regexp.MustCompile(`^[a-z0-9_-]{1,32}$`)
	accountForm  = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`) // no '.', which separates it in the signed content
)

// Client exchanges messages with one account's gateway. It is safe for use by
// several goroutines.
type Client struct {
	config    Config
	signer    Signer
	verifier  Verifier
	transport http.RoundTripper
	clock     clock
	trouble   trouble
}

// New makes a client. It sends nothing. more are mistakes that the caller found in
// its own part of the configuration; New's error joins them and everything else
// that is wrong, each a *ConfigError.
func New(config Config, more ...error) (*Client, error) {
	pool, problems := config.check()
	if problems = append(problems, more...); len(problems) > 0 {
		return nil, fmt.Errorf("gateway %s: %w", nameOf(config), errors.Join(problems...))
	}
	config.BaseURL = strings.TrimSuffix(config.BaseURL, "/")
	if config.KeyVersion == 0 {
		config.KeyVersion = 1
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = DefaultConnectTimeout
	}
	if config.AnswerTimeout == 0 {
		config.AnswerTimeout = DefaultAnswerTimeout
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	c := &Client{
		config: config, signer: config.Outside.Signer, verifier: config.Outside.Verifier, transport: config.Outside.Transport,
	}
	if c.signer == nil {
		c.signer = signature.Signer{Algorithm: config.Scheme.Algorithm, KeyVersion: config.KeyVersion, Key: config.PrivateKey}
	}
	if c.verifier == nil {
		c.verifier = signature.Verifier{Algorithm: config.Scheme.Algorithm, Keys: maps.Clone(config.PlatformKeys)}
	}
	if c.transport == nil {
		dialer := &net.Dialer{Timeout: config.ConnectTimeout}
		c.transport = NewTransport(dialer.DialContext, pool, config.ConnectTimeout)
	}
	if c.clock.machine = config.Outside.Clock; c.clock.machine == nil {
		c.clock.machine = machineClock{time.Now()}
	}
	return c, nil
}

func nameOf(config Config) string {
	if nameForm.MatchString(config.Name) {
		return config.Name
	}
	return "(without a name)"
}

// Name is the configured name.
func (c *Client) Name() string { return c.config.Name }

// Account is the configured account.
func (c *Client) Account() string { return c.config.Account }

// BaseURL is scheme and host, without a slash behind them.
func (c *Client) BaseURL() string { return c.config.BaseURL }

// Close lets go of idle connections. Calls under way go on.
func (c *Client) Close() {
	if t, ok := c.transport.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

func (c Config) check() (pool *x509.CertPool, problems []error) {
	wrong := func(field, problem string) { problems = append(problems, &ConfigError{field, problem}) }
	if !nameForm.MatchString(c.Name) {
		wrong("name", "want 1 to 32 of a–z, 0–9, '-' and '_'")
	}
	if err := checkBase(c.BaseURL); err != nil {
		wrong("base_url", err.Error())
	}
	if !accountForm.MatchString(c.Account) {
		wrong(c.Scheme.AccountKey, "want 1 to 64 letters, digits, '-' or '_'")
	}
	if !terminalForm.MatchString(c.TerminalCode) {
		wrong("terminal.code", "want 1 to 3 letters or digits")
	}
	if err := checkNotifyURL(c.NotifyURL); err != nil {
		wrong("notify_url", err.Error())
	}
	if c.PrivateKey.IsZero() && c.Outside.Signer == nil {
		wrong("private_key_file", "no private key")
	}
	if c.KeyVersion < 0 {
		wrong("key_version", "want 1 or more")
	}
	if problem := c.platformKeyProblem(); problem != "" && c.Outside.Verifier == nil {
		wrong("platform_key_file", problem)
	}
	if c.ConnectTimeout < 0 || c.ConnectTimeout > maxTimeout {
		wrong("connect_timeout", "want more than 0 and at most 2 min")
	}
	if c.AnswerTimeout < 0 || c.AnswerTimeout > maxTimeout {
		wrong("answer_timeout", "want more than 0 and at most 2 min")
	}
	pool, err := c.roots()
	if err != nil {
		wrong("ca_file", err.Error())
	}
	return pool, problems
}

func (c Config) platformKeyProblem() string {
	if len(c.PlatformKeys) == 0 {
		return "no key of " + c.Scheme.Vendor + "'s, so no answer could be believed"
	}
	for version, key := range c.PlatformKeys {
		switch {
		case version < 1:
			return "a key version below 1"
		case key.IsZero():
			return fmt.Sprintf("no key for version %d", version)
		case key.Equal(c.PrivateKey.Public()):
			// Both keys are on the same page of the merchant portal.
			return fmt.Sprintf("key version %d is the public half of the merchant's own key: %s's is wanted", version, c.Scheme.Vendor)
		}
	}
	return ""
}

func (c Config) roots() (*x509.CertPool, error) {
	if c.CAFile == "" {
		return c.RootCAs, nil // nil: the system's
	}
	if c.RootCAs != nil {
		return nil, errors.New("given twice, as a file and as a pool")
	}
	text, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s: no certificate in PEM form", c.CAFile)
	}
	return pool, nil
}

// checkBase wants scheme and host. Its errors do not repeat the text, which may
// hold a password.
func checkBase(text string) error {
	base, err := url.Parse(text)
	switch {
	case err != nil || base.Hostname() == "" || base.Opaque != "" || !slices.Contains([]string{"http", "https"}, base.Scheme):
		return errors.New("want https:// and a host")
	case base.User != nil || base.Path != "" && base.Path != "/" || base.RawQuery != "" || base.ForceQuery || strings.Contains(text, "#"):
		return errors.New("want scheme and host only, without user, path, query or fragment")
	case base.Scheme == "http" && !isLoopback(base.Hostname()):
		return errors.New("http would show payment codes to everybody on the way: want https (http is for loopback addresses)")
	}
	return nil
}

func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}
