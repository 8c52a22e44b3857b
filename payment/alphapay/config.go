package alphapay

import (
	"crypto/x509"
	"log/slog"
	"slices"
	"time"

	"payscand/payment"
	"payscand/payment/exchange"
	"payscand/payment/signature"
)

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
	// NotifyURL gets the vendor's notifications; empty: it sends none.
	NotifyURL string
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

// ConfigError is one mistake in a Config. Field is the key of the configuration
// file that the mistake is in.
type ConfigError = exchange.ConfigError

// Gateway is one AlphaPay account. It is safe for use by several goroutines.
type Gateway struct {
	config Config
	client *exchange.Client
}

var _ payment.Gateway = (*Gateway)(nil)

// scheme is AlphaPay's, by its documentation and its SDK.
var scheme = exchange.Scheme{
	Vendor: "AlphaPay", Algorithm: signature.RS256,
	AccountHeader: "Merchant-Code", AccountKey: "merchant_code",
	Nonce: true, Content: signature.AlphaPayContent,
	Documented: func(code string) bool { _, listed := meanings[code]; return listed },
}

// New makes a gateway. It sends nothing. Its error joins everything that is wrong
// with the configuration, each a *ConfigError.
func New(config Config) (*Gateway, error) {
	client, err := exchange.New(exchange.Config{
		Scheme: scheme, Name: config.Name, BaseURL: config.BaseURL, Account: config.MerchantCode,
		TerminalCode: config.TerminalCode, NotifyURL: config.NotifyURL,
		PrivateKey: config.PrivateKey, KeyVersion: config.KeyVersion, PlatformKeys: config.PlatformKeys,
		CAFile: config.CAFile, RootCAs: config.RootCAs,
		ConnectTimeout: config.ConnectTimeout, AnswerTimeout: config.AnswerTimeout,
		Logger: config.Logger, Outside: config.Outside,
	})
	if err != nil {
		return nil, err
	}
	return &Gateway{config: config, client: client}, nil
}

// Name is the configured name.
func (g *Gateway) Name() string { return g.client.Name() }

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

// Now is the gateway's time (UTC), or this machine's until the gateway's is known.
func (g *Gateway) Now() time.Time { return g.client.Now() }

// ClockOffset is the gateway's clock minus this machine's wall clock, as exchange says.
func (g *Gateway) ClockOffset() time.Duration { return g.client.ClockOffset() }

// Close lets go of idle connections. Calls under way go on.
func (g *Gateway) Close() { g.client.Close() }
