// Package configs is the configuration of a terminal: one TOML file, typed,
// with every key documented in payscand.toml, which is also the default.
//
// Load and Parse report every mistake at once, each with its line and its path.
// What the file says is never repeated in a message: a key or a password may
// stand in the wrong place. The line says where to look.
package configs

import (
	_ "embed"
	"fmt"
	_ "time/tzdata" // a terminal without the tzdata package still knows its time zone

	"log/slog"
	"slices"
	"time"

	"payscand/payment"
)

// Documented is the documented default configuration, payscand.toml. What it
// sets is what Default returns; its optional parts are commented out.
//
//go:embed payscand.toml
var Documented string

// Config is a whole configuration. One that Load or Parse returned is valid and
// ready to use: paths are absolute or relative to the working directory, defaults
// are filled in.
type Config struct {
	Terminal Terminal `toml:"terminal"`
	API      API      `toml:"api"`
	Store    Store    `toml:"store"`
	// Gateways by name, at least one.
	Gateways Gateways `toml:"gateway"`
	// Routes as written; PaymentPolicy adds the default one.
	Routes []payment.Route `toml:"route"`
	// Codes replace the default rules as soon as the file has one.
	Codes    []payment.CodeRule `toml:"code"`
	Scanners []Scanner          `toml:"scanner"`
	Displays []Display          `toml:"display"`
	Notify   Notify             `toml:"notify"`
	Policy   Policy             `toml:"policy"`
	Log      Log                `toml:"log"`
}

// Terminal says which counter this is.
type Terminal struct {
	// Code is 1 to 3 characters A–Z, 0–9, unique among the merchant's terminals.
	Code     string           `toml:"code"`
	Currency payment.Currency `toml:"currency"`
	// Languages of the customer's display, the first one first.
	Languages []Language `toml:"languages"`
	// Timezone is an IANA name, such as America/Vancouver.
	Timezone string    `toml:"timezone"`
	DayStart TimeOfDay `toml:"day_start"`
}

// Location is the time zone of the terminal. It does not fail for a valid configuration.
func (t Terminal) Location() (*time.Location, error) {
	// LoadLocation takes these two as UTC and as the machine's setting.
	if t.Timezone == "" || t.Timezone == "Local" {
		return nil, fmt.Errorf("time zone %q is not an IANA name", t.Timezone)
	}
	return time.LoadLocation(t.Timezone)
}

// Language is a BCP 47 tag of a language that the customer's display speaks.
type Language string

const (
	LanguageEnglish            Language = "en"
	LanguageFrench             Language = "fr"
	LanguageSimplifiedChinese  Language = "zh-Hans"
	LanguageTraditionalChinese Language = "zh-Hant"
)

// Languages lists every language.
func Languages() []Language {
	return []Language{LanguageEnglish, LanguageFrench, LanguageSimplifiedChinese, LanguageTraditionalChinese}
}

// API is the local HTTP API. At least one of Listen and Socket is set.
type API struct {
	// Listen is a loopback host and port; empty: no TCP listener. Port 0 is any free one.
	Listen string `toml:"listen"`
	// Socket is the path of the Unix socket; empty: none.
	Socket   string `toml:"socket"`
	TokenDir string `toml:"token_dir"`
	// AllowedOrigins are CORS origins, compared exactly, such as https://till.example.
	AllowedOrigins []string `toml:"allowed_origins"`
}

// Notify takes gateways' notifications. It is off without Listen.
type Notify struct {
	// Listen is a host and port. Port 0 is any free one.
	Listen string `toml:"listen"`
	// CertFile and KeyFile make it https: a certificate chain and its private key, PEM.
	CertFile string  `toml:"cert_file"`
	KeyFile  KeyFile `toml:"key_file"`
}

// Store is the database.
type Store struct {
	Path string `toml:"path"`
	// RetentionDays is how long what is over is kept, MinRetentionDays to MaxRetentionDays.
	RetentionDays int `toml:"retention_days"`
	// BackupDir is where backups are put, and KeepBackups how many of them stay, 1 to 1000.
	BackupDir   string `toml:"backup_dir"`
	KeepBackups int    `toml:"keep_backups"`
}

// Bounds of [store] retention_days. A gateway is asked about an order for 30
// days, so nothing younger may be forgotten.
const (
	MinRetentionDays = 60
	MaxRetentionDays = 3660
)

// Retention is RetentionDays as a duration.
func (s Store) Retention() time.Duration { return time.Duration(s.RetentionDays) * 24 * time.Hour }

// Policy holds the numbers of payment.Policy that a shop may tune.
type Policy struct {
	// ScanWindow is how long a sale in auto mode waits for a scan before its QR is shown.
	ScanWindow time.Duration `toml:"scan_window"`
	// SaleDeadline ends a sale that nobody pays.
	SaleDeadline time.Duration `toml:"sale_deadline"`
	// Speed divides every pause and bound; above 1 with practice gateways only.
	Speed int `toml:"speed"`
}

// Log says what is logged.
type Log struct {
	Level slog.Level `toml:"level"`
}

// Default is the configuration of a file that sets nothing. It names no gateway,
// so by itself it is not valid.
func Default() Config {
	policy := payment.DefaultPolicy()
	return Config{
		Terminal: Terminal{
			Code: "L1", Currency: "CAD",
			Languages: []Language{LanguageEnglish, LanguageFrench, LanguageSimplifiedChinese},
			Timezone:  "America/Vancouver", DayStart: TimeOfDay{Hour: 4},
		},
		API: API{
			Listen: "127.0.0.1:8480", Socket: "/run/payscand/api.sock",
			TokenDir: "/var/lib/payscand/tokens", AllowedOrigins: []string{},
		},
		Store: Store{
			Path: "/var/lib/payscand/payscand.db", RetentionDays: 400, BackupDir: "/var/lib/payscand/backups", KeepBackups: 7,
		},
		Codes:  payment.DefaultCodeRules(),
		Policy: Policy{ScanWindow: policy.ScanWindow, SaleDeadline: policy.SaleDeadline, Speed: policy.Speed},
		Log:    Log{Level: slog.LevelInfo},
	}
}

// PaymentPolicy is payment.DefaultPolicy with the shop's numbers and routes. The
// gateways' traits are the caller's to add.
//
// Without any route, everything goes to the gateway if there is just one.
func (c Config) PaymentPolicy() payment.Policy {
	policy := payment.DefaultPolicy()
	policy.ScanWindow = c.Policy.ScanWindow
	policy.SaleDeadline = c.Policy.SaleDeadline
	policy.Routes = slices.Clone(c.Routes)
	if names := c.Gateways.Names(); len(c.Routes) == 0 && len(names) == 1 {
		policy.Routes = []payment.Route{{Wallet: "*", Instrument: "*", Gateway: names[0]}}
	}
	return policy.Faster(c.Policy.Speed)
}

// TimeOfDay is a wall clock time, to the minute.
type TimeOfDay struct{ Hour, Minute int }

// UnmarshalText reads HH:MM, 00:00 to 23:59. The error holds nothing of the text.
func (t *TimeOfDay) UnmarshalText(text []byte) error {
	at, err := time.Parse("15:04", string(text))
	if err != nil || len(text) != len("15:04") {
		return fmt.Errorf(`must be a time of day such as "04:00", within "00:00" and "23:59"`)
	}
	t.Hour, t.Minute = at.Hour(), at.Minute()
	return nil
}

// String is the time as HH:MM.
func (t TimeOfDay) String() string { return fmt.Sprintf("%02d:%02d", t.Hour, t.Minute) }
