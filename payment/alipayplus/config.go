package alipayplus

import (
	"crypto/x509"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"payscand/payment"
	"payscand/payment/exchange"
	"payscand/payment/signature"
)

// orderLife is how long an unpaid order lives: an order code at most three
// minutes (vendor page), a scanned code about one.
const orderLife = 3 * time.Minute

// Config is one Alipay+ client id as this terminal uses it.
type Config struct {
	// Name of the gateway, as routes use it: 1 to 32 of a–z, 0–9, '-', '_'.
	Name string
	// BaseURL is the regional host, such as https://open-sea.alipayplus.com: scheme
	// and host only. The sandbox has the same; its client id differs. http is
	// accepted for a loopback address, where the practice gateway runs.
	BaseURL string
	// ClientID is the account, as Alipay+ gave it.
	ClientID string
	// PrivateKey signs requests, as KeyVersion (0 means 1).
	PrivateKey signature.PrivateKey
	KeyVersion int
	// PlatformKeys are Alipay+'s public keys by key version. They verify answers.
	PlatformKeys map[int]signature.PublicKey
	// CAFile holds PEM certificates to trust in place of the system's. RootCAs
	// says the same as a pool; set at most one of the two.
	CAFile  string
	RootCAs *x509.CertPool
	// Merchant is who takes the money, Store where.
	Merchant Merchant
	Store    Store
	// NotifyURL gets the vendor's notifications: an address with a path, at most
	// 2,048 characters. Without it there are no order codes.
	NotifyURL string
	// SettlementCurrency is needed where it is not the currency of the sales.
	SettlementCurrency payment.Currency
	// TerminalCode tells this terminal's orders apart: 1 to 3 letters or digits.
	TerminalCode string
	// ConnectTimeout bounds name resolution, connection and TLS handshake together;
	// AnswerTimeout all that follows. 0 means the defaults of 3 s and 15 s.
	ConnectTimeout, AnswerTimeout time.Duration
	// Logger gets one line when calls begin to fail, for another reason or again;
	// repetitions are logged at debug level. nil: nothing is logged.
	Logger *slog.Logger
	// Outside is zero but in a simulation and in tests.
	Outside Outside
}

// Outside is the world as a simulation makes it.
type Outside = exchange.Outside

// Merchant is who takes the money, as registered with Alipay+.
type Merchant struct {
	ReferenceID string // the acquirer's id of the merchant, at most 64 characters
	Name        string // at most 256 characters
	MCC         string // ISO 18245 merchant category code, four digits
	Address     Address
}

// Address is a merchant's or a store's. Region is required; what is empty is not sent.
type Address struct {
	Region   string // ISO 3166-1 alpha-2
	State    string
	City     string
	Address1 string
	Address2 string
	ZipCode  string
}

// Store is where the terminal stands; a scanned code requires it.
type Store struct {
	ReferenceID string // at most 64 characters
	Name        string // at most 256 characters
	MCC         string // four digits
}

// ConfigError is one mistake in a Config. Field is the key of the configuration
// file that the mistake is in.
type ConfigError = exchange.ConfigError

// Gateway is one Alipay+ client id. It is safe for use by several goroutines.
type Gateway struct {
	config Config
	client *exchange.Client
}

var _ payment.Gateway = (*Gateway)(nil)

// scheme is Alipay+'s: no nonce, otherwise as its public SDKs sign.
var scheme = exchange.Scheme{
	Vendor: "Alipay+", Algorithm: signature.RSA256,
	AccountHeader: "Client-Id", AccountKey: "client_id",
	Content: func(method, path, account, time, _ string, body []byte) []byte {
		return signature.AlipayPlusContent(method, path, account, time, body)
	},
	Documented: func(code string) bool { _, listed := meanings[code]; return listed },
}

// New makes a gateway. It sends nothing. Its error joins everything that is wrong
// with the configuration, each a *ConfigError.
func New(config Config) (*Gateway, error) {
	client, err := exchange.New(exchange.Config{
		Scheme: scheme, Name: config.Name, BaseURL: config.BaseURL, Account: config.ClientID,
		TerminalCode: config.TerminalCode, NotifyURL: config.NotifyURL,
		PrivateKey: config.PrivateKey, KeyVersion: config.KeyVersion, PlatformKeys: config.PlatformKeys,
		CAFile: config.CAFile, RootCAs: config.RootCAs,
		ConnectTimeout: config.ConnectTimeout, AnswerTimeout: config.AnswerTimeout,
		Logger: config.Logger, Outside: config.Outside,
	}, config.check()...)
	if err != nil {
		return nil, err
	}
	return &Gateway{config: config, client: client}, nil
}

var (
	mccForm      = regexp.MustCompile(`^\d{4}$`)
	regionForm   = regexp.MustCompile(`^[A-Z]{2}$`)
	currencyForm = regexp.MustCompile(`^[A-Z]{3}$`)
)

// Lengths in characters. maxID is the pages'; the others are those of
// the vendor's public data dictionary (inferred where a page does not repeat them).
const (
	maxID          = 64
	maxName        = 256
	maxDescription = 256
	maxReason      = 256
	maxState       = 8
	maxCity        = 32
	maxAddressLine = 256
	maxZip         = 32
)

func (c Config) check() (problems []error) {
	wrong := func(field, problem string) {
		problems = append(problems, &ConfigError{Field: field, Problem: problem})
	}
	text := func(field, value string, limit int, required bool) {
		switch {
		case value == "" && required:
			wrong(field, "is missing")
		case !utf8.ValidString(value) || strings.ContainsFunc(value, isControl):
			wrong(field, "want printable text")
		case utf8.RuneCountInString(value) > limit:
			wrong(field, fmt.Sprintf("want at most %d characters", limit))
		}
	}
	form := func(field, value string, form *regexp.Regexp, want string, required bool) {
		if (value != "" || required) && !form.MatchString(value) {
			wrong(field, want)
		}
	}
	text("merchant.reference_id", c.Merchant.ReferenceID, maxID, true)
	text("merchant.name", c.Merchant.Name, maxName, true)
	form("merchant.mcc", c.Merchant.MCC, mccForm, "want four digits", true)
	address := c.Merchant.Address
	form("merchant.region", address.Region, regionForm, "want two capitals, such as CA", true)
	text("merchant.state", address.State, maxState, false)
	text("merchant.city", address.City, maxCity, false)
	text("merchant.address1", address.Address1, maxAddressLine, false)
	text("merchant.address2", address.Address2, maxAddressLine, false)
	text("merchant.zip_code", address.ZipCode, maxZip, false)
	text("store.reference_id", c.Store.ReferenceID, maxID, true)
	text("store.name", c.Store.Name, maxName, true)
	form("store.mcc", c.Store.MCC, mccForm, "want four digits", true)
	form("settlement_currency", string(c.SettlementCurrency), currencyForm, "want three capitals, such as CAD", false)
	return problems
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// Name is the configured name.
func (g *Gateway) Name() string { return g.client.Name() }

// Traits are Alipay+'s. No limit of the amount is documented: the wallets have
// their own.
func (g *Gateway) Traits() payment.Traits {
	return payment.Traits{
		IdempotentPay:      true,
		IdempotentRefund:   true,
		InquireByRequestID: true,
		CancelReverses:     true,
		OrderLife:          orderLife,
	}
}

// Now is the gateway's time (UTC), or this machine's until the gateway's is known.
func (g *Gateway) Now() time.Time { return g.client.Now() }

// ClockOffset is the gateway's clock minus this machine's wall clock, as exchange says.
func (g *Gateway) ClockOffset() time.Duration { return g.client.ClockOffset() }

// Close lets go of idle connections. Calls under way go on.
func (g *Gateway) Close() { g.client.Close() }
