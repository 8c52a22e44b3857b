package alphapay

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

	"payscand/payment"
	"payscand/payment/signature"
)

// Time-outs where Config says nothing.
const (
	DefaultConnectTimeout = 3 * time.Second
	DefaultAnswerTimeout  = 15 * time.Second
)

const maxTimeout = 2 * time.Minute

// orderLife is how long an unpaid order lives (vendor's documentation).
const orderLife = 5 * time.Minute

// Config is one AlphaPay account as this terminal uses it.
type Config struct {
	// Name of the gateway, as routes use it: 1 to 32 of a–z, 0–9, '-', '_'.
	Name string
	// BaseURL is https://openapi.alphapay.ca (CAD merchants) or
	// https://openapi.alphapay.com (USD merchants): scheme and host only. http is
	// accepted for a loopback address, where the practice gateway runs.
	BaseURL string
	// MerchantCode is the account, as AlphaPay gave it.
	MerchantCode string
	// PrivateKey signs requests.
	PrivateKey signature.PrivateKey
	// KeyVersion is the version under which AlphaPay knows the public half of
	// PrivateKey; 0 means 1.
	KeyVersion int
	// PlatformKeys are AlphaPay's public keys by key version. They verify answers.
	PlatformKeys map[int]signature.PublicKey
	// CAFile holds PEM certificates to trust in place of the system's. RootCAs
	// says the same as a pool; set at most one of the two.
	CAFile  string
	RootCAs *x509.CertPool
	// TerminalCode tells this terminal's orders apart in the merchant's account:
	// 1 to 3 letters or digits.
	TerminalCode string
	// ConnectTimeout bounds name resolution, connection and TLS handshake together;
	// AnswerTimeout all that follows. 0 means the defaults of 3 s and 15 s.
	ConnectTimeout, AnswerTimeout time.Duration
	// Logger gets one line when calls begin to fail, for another reason or again;
	// repetitions are logged at debug level. nil: nothing is logged.
	Logger *slog.Logger
	// Outside is zero but in a simulation.
	Outside Outside
}

// ConfigError is one mistake in a Config. Field is the key of the configuration
// file that the mistake is in.
type ConfigError struct{ Field, Problem string }

func (e *ConfigError) Error() string { return e.Field + ": " + e.Problem }

var (
	nameForm     = regexp.MustCompile(`^[a-z0-9_-]{1,32}$`)
	merchantForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`) // no '.', which separates it in the signed content
	terminalForm = regexp.MustCompile(`^[A-Za-z0-9]{1,3}$`)
)

// Gateway is one AlphaPay account. It is safe for use by several goroutines.
type Gateway struct {
	config    Config
	signer    Signer
	verifier  Verifier
	transport http.RoundTripper
	clock     clock
	trouble   trouble
}

var _ payment.Gateway = (*Gateway)(nil)

// New makes a gateway. It sends nothing. Its error joins everything that is wrong
// with the configuration, each a *ConfigError.
func New(config Config) (*Gateway, error) {
	pool, problems := config.check()
	if len(problems) > 0 {
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
	g := &Gateway{config: config, signer: config.Outside.Signer, verifier: config.Outside.Verifier, transport: config.Outside.Transport}
	if g.signer == nil {
		g.signer = signature.Signer{Algorithm: signature.RS256, KeyVersion: config.KeyVersion, Key: config.PrivateKey}
	}
	if g.verifier == nil {
		g.verifier = signature.Verifier{Algorithm: signature.RS256, Keys: maps.Clone(config.PlatformKeys)}
	}
	if g.transport == nil {
		dialer := &net.Dialer{Timeout: config.ConnectTimeout}
		g.transport = newTransport(dialer.DialContext, pool, config.ConnectTimeout)
	}
	if g.clock.machine = config.Outside.Clock; g.clock.machine == nil {
		g.clock.machine = machineClock{time.Now()}
	}
	return g, nil
}

func nameOf(config Config) string {
	if nameForm.MatchString(config.Name) {
		return config.Name
	}
	return "(without a name)"
}

func (c Config) check() (pool *x509.CertPool, problems []error) {
	wrong := func(field, problem string) { problems = append(problems, &ConfigError{field, problem}) }
	if !nameForm.MatchString(c.Name) {
		wrong("name", "want 1 to 32 of a–z, 0–9, '-' and '_'")
	}
	if err := checkBase(c.BaseURL); err != nil {
		wrong("base_url", err.Error())
	}
	if !merchantForm.MatchString(c.MerchantCode) {
		wrong("merchant_code", "want 1 to 64 letters, digits, '-' or '_'")
	}
	if !terminalForm.MatchString(c.TerminalCode) {
		wrong("terminal.code", "want 1 to 3 letters or digits")
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
		return "no key of AlphaPay's, so no answer could be believed"
	}
	for version, key := range c.PlatformKeys {
		switch {
		case version < 1:
			return "a key version below 1"
		case key.IsZero():
			return fmt.Sprintf("no key for version %d", version)
		case key.Equal(c.PrivateKey.Public()):
			// Both keys are on the same page of the merchant portal.
			return fmt.Sprintf("key version %d is the public half of the merchant's own key: AlphaPay's is wanted", version)
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

// Name is the configured name.
func (g *Gateway) Name() string { return g.config.Name }

// Traits are AlphaPay's. That pay or refund are idempotent is documented nowhere,
// so it is not relied on (M4, M13); an order is inquired by payment id only.
func (g *Gateway) Traits() payment.Traits {
	return payment.Traits{
		TransactionList: true,
		OrderLife:       orderLife,
		MaxAmount:       maxAmount,
		Currencies:      slices.Clone(currencies),
	}
}

// Close lets go of idle connections. Calls under way go on.
func (g *Gateway) Close() {
	if t, real := g.transport.(*http.Transport); real {
		t.CloseIdleConnections()
	}
}
