package configs

import (
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"

	"payscand/payment"
)

// AlipayPlus is a client id at Alipay+. The package alipayplus says what its texts
// may be.
type AlipayPlus struct {
	Account

	ClientID string `toml:"client_id"`
	// NotifyURL gets Alipay+'s notifications; empty: there are no QR codes.
	NotifyURL string `toml:"notify_url"`
	// SettlementCurrency is empty where it is that of the sales.
	SettlementCurrency payment.Currency `toml:"settlement_currency"`
	Merchant           Merchant         `toml:"merchant"`
	Store              Shop             `toml:"store"`
}

// Merchant is who takes the money, as registered with Alipay+.
type Merchant struct {
	ReferenceID string `toml:"reference_id"`
	Name        string `toml:"name"`
	MCC         string `toml:"mcc"`    // four digits
	Region      string `toml:"region"` // ISO 3166-1 alpha-2
	State       string `toml:"state"`
	City        string `toml:"city"`
	Address1    string `toml:"address1"`
	Address2    string `toml:"address2"`
	ZipCode     string `toml:"zip_code"`
}

// Shop is where the terminal stands.
type Shop struct {
	ReferenceID string `toml:"reference_id"`
	Name        string `toml:"name"`
	MCC         string `toml:"mcc"` // four digits
}

var (
	categoryCode = regexp.MustCompile(`^\d{4}$`)
	regionCode   = regexp.MustCompile(`^[A-Z]{2}$`)
)

const (
	maxNotifyURL = 2048 // bytes (vendor page)
	maxReference = 64   // characters, of an id
	maxLine      = 256  // characters, of a name or a line of an address
	maxState     = 8
	maxCity      = 32
	maxZipCode   = 32
)

func (a AlipayPlus) validate(p *collector, path string) {
	a.Account.validate(p, path, "Alipay+", "the host that Alipay+ named for your region, such as https://open-sea.alipayplus.com",
		"https://open-sea.alipayplus.com")
	switch {
	case a.ClientID == "":
		p.addf(join(path, "client_id"), "is missing; it is in the Alipay+ Developer Center")
	case !accountCode.MatchString(a.ClientID):
		p.addf(join(path, "client_id"), "must be 1 to 64 letters, digits, - and _")
	}
	if problem := notifyURLProblem(a.NotifyURL, "Alipay+"); problem != "" {
		p.addf(join(path, "notify_url"), "%s", problem)
	}
	if a.SettlementCurrency != "" {
		if _, err := payment.ParseCurrency(string(a.SettlementCurrency)); err != nil {
			p.addf(join(path, "settlement_currency"), "%v", payment.ErrUnknownCurrency)
		}
	}
	a.Merchant.validate(p, join(path, "merchant"))
	a.Store.validate(p, join(path, "store"))
}

func (m Merchant) validate(p *collector, path string) {
	requiredText(p, join(path, "reference_id"), m.ReferenceID, maxReference, "your own id of the merchant, as registered with Alipay+")
	requiredText(p, join(path, "name"), m.Name, maxLine, "the merchant's name, as registered with Alipay+")
	checkForm(p, join(path, "mcc"), m.MCC, categoryCode, "the merchant category code, four digits, such as \"5411\"")
	checkForm(p, join(path, "region"), m.Region, regionCode, "the merchant's country or region, two capitals (ISO 3166-1), such as \"CA\"")
	checkText(p, join(path, "state"), m.State, maxState)
	checkText(p, join(path, "city"), m.City, maxCity)
	checkText(p, join(path, "address1"), m.Address1, maxLine)
	checkText(p, join(path, "address2"), m.Address2, maxLine)
	checkText(p, join(path, "zip_code"), m.ZipCode, maxZipCode)
}

func (s Shop) validate(p *collector, path string) {
	requiredText(p, join(path, "reference_id"), s.ReferenceID, maxReference, "your own id of the store")
	requiredText(p, join(path, "name"), s.Name, maxLine, "the store's name")
	checkForm(p, join(path, "mcc"), s.MCC, categoryCode, "the store's merchant category code, four digits, such as \"5411\"")
}

func requiredText(p *collector, path, text string, longest int, what string) {
	if text == "" {
		p.addf(path, "is missing; write %s", what)
		return
	}
	checkText(p, path, text, longest)
}

func checkText(p *collector, path, text string, longest int) {
	switch {
	case strings.ContainsFunc(text, isControl):
		p.addf(path, "must not hold control characters")
	case utf8.RuneCountInString(text) > longest:
		p.addf(path, "must be at most %d characters", longest)
	}
}

func checkForm(p *collector, path, text string, form *regexp.Regexp, what string) {
	switch {
	case text == "":
		p.addf(path, "is missing; write %s", what)
	case !form.MatchString(text):
		p.addf(path, "must be %s", what)
	}
}

func notifyURLProblem(text, vendor string) string {
	if text == "" {
		return ""
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.Opaque != "" || u.Scheme != "https" && u.Scheme != "http":
		return "must be the address at which " + vendor + " reaches you, such as https://shop.example/notify/payments"
	case u.User != nil:
		return "must not hold a user name or password"
	case u.Path == "" || u.Fragment != "" || strings.Contains(text, "#"):
		return "must have a path, and no fragment"
	case len(text) > maxNotifyURL:
		return "must be at most 2048 characters"
	}
	return ""
}
