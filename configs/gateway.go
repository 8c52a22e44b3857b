package configs

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Gateways are the [gateway.<name>] tables by name.
type Gateways map[string]Gateway

// Gateway is the account at one payment gateway. Exactly the field of its Type is set.
type Gateway struct {
	// Type is the protocol. It defaults to the gateway's name.
	Type       GatewayType `toml:"type"`
	AlphaPay   *AlphaPay   `toml:"-"`
	AlipayPlus *AlipayPlus `toml:"-"`
}

// Account is what the gateway's two kinds share, or nil for a type that is unknown.
func (g Gateway) Account() *Account {
	switch {
	case g.AlphaPay != nil:
		return &g.AlphaPay.Account
	case g.AlipayPlus != nil:
		return &g.AlipayPlus.Account
	}
	return nil
}

// GatewayType is a gateway's protocol.
type GatewayType string

const (
	// GatewayAlphaPay is the AlphaPay Unified Payment API v2.
	GatewayAlphaPay GatewayType = "alphapay"
	// GatewayAlipayPlus is the acquirer's side of Alipay+.
	GatewayAlipayPlus GatewayType = "alipayplus"
)

// GatewayTypes lists every protocol.
func GatewayTypes() []GatewayType { return []GatewayType{GatewayAlphaPay, GatewayAlipayPlus} }

// Account is how an account at a gateway is reached and proved.
type Account struct {
	// BaseURL is scheme and host, without a slash at its end: https, or http on loopback.
	BaseURL string `toml:"base_url"`
	// PrivateKeyFile holds the merchant's RSA key, which signs requests.
	PrivateKeyFile KeyFile `toml:"private_key_file"`
	// KeyVersion is the version under which the vendor knows the public half of that key, from 1.
	KeyVersion int `toml:"key_version"`
	// PlatformKeyFiles hold the vendor's public RSA keys, which verify answers.
	PlatformKeyFiles PlatformKeys `toml:"platform_key_file"`
	// CAFile holds PEM certificates to trust instead of the machine's; empty: the machine's.
	CAFile string `toml:"ca_file"`
}

// AlphaPay is a merchant's account at AlphaPay.
type AlphaPay struct {
	Account

	MerchantCode string `toml:"merchant_code"`
	// NotifyURL gets AlphaPay's notifications; empty: it sends none.
	NotifyURL string `toml:"notify_url"`
}

// PlatformKeys are files of a gateway's public keys by key version, from 1.
type PlatformKeys map[int]KeyFile

// Versions lists the key versions in order.
func (k PlatformKeys) Versions() []int { return slices.Sorted(maps.Keys(k)) }

// Names lists the gateways in order of their names.
func (g Gateways) Names() []string { return slices.Sorted(maps.Keys(g)) }

// practice reports whether every gateway is on this machine.
func (g Gateways) practice() bool {
	for _, gateway := range g {
		account := gateway.Account()
		if account == nil {
			return false
		}
		u, err := url.Parse(account.BaseURL)
		if err != nil || !isLoopback(u.Hostname()) {
			return false
		}
	}
	return true
}

// gateways reads each table by its type, so that only the keys of that type are known.
func (d *decoder) gateways(path string, value any, out *Gateways) {
	tables, ok := value.(map[string]any)
	if !ok {
		d.wrongType(path, "a table: write [gateway.<name>]", value)
		return
	}
	*out = Gateways{}
	for _, name := range sortedKeys(tables) {
		// Kept though it may be broken, so that routes find it.
		(*out)[name] = d.gateway(join(path, name), name, tables[name])
	}
}

func (d *decoder) gateway(path, name string, value any) Gateway {
	gateway := Gateway{Type: GatewayType(name)}
	table, ok := value.(map[string]any)
	if !ok {
		d.wrongType(path, "a table: write [gateway.<name>]", value)
		return gateway
	}
	given, isGiven := table["type"]
	if text, ok := given.(string); ok {
		gateway.Type = GatewayType(text)
	}
	switch {
	case gateway.Type == GatewayAlphaPay:
		gateway.AlphaPay = &AlphaPay{Account: Account{KeyVersion: 1}}
		d.table(path, table, &gateway, gateway.AlphaPay)
	case gateway.Type == GatewayAlipayPlus:
		gateway.AlipayPlus = &AlipayPlus{Account: Account{KeyVersion: 1}}
		d.table(path, table, &gateway, gateway.AlipayPlus)
	case isGiven: // of an unknown type no other key is known
		d.value(join(path, "type"), given, &gateway.Type)
	}
	return gateway
}

// platformKeys takes a path, which is key version 1, or a table of paths by key version.
func (d *decoder) platformKeys(path string, value any, out *PlatformKeys) {
	*out = PlatformKeys{}
	table, ok := value.(map[string]any)
	if !ok {
		var file KeyFile
		d.value(path, value, &file)
		(*out)[1] = file
		return
	}
	for _, text := range sortedKeys(table) {
		version, err := strconv.Atoi(text)
		if err != nil || version < 1 || strconv.Itoa(version) != text {
			d.problems.addf(path, "the keys of this table must be key versions: whole numbers from 1")
			continue
		}
		var file KeyFile
		d.value(join(path, text), table[text], &file)
		(*out)[version] = file
	}
}

const maxGateways = 16

// gatewayName fits metrics, routes and database keys.
var gatewayName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,31}$`)

func (g Gateways) validate(p *collector) {
	if len(g) == 0 {
		p.addf("gateway", "no gateway is configured, so nothing could be paid; write [gateway.alphapay] or [gateway.alipayplus]")
	}
	if len(g) > maxGateways {
		p.addf("gateway", "there are more than %d gateways", maxGateways)
		return
	}
	for _, name := range g.Names() {
		path := join("gateway", name)
		if !gatewayName.MatchString(name) {
			p.addf(path, "the name must begin with a–z and hold only a–z, 0–9, - and _, at most 32 characters")
		}
		switch gateway := g[name]; {
		case !slices.Contains(GatewayTypes(), gateway.Type):
			p.addf(join(path, "type"), "unknown type of gateway (by default the gateway's name); use type = %q or %q", GatewayAlphaPay, GatewayAlipayPlus)
		case gateway.AlphaPay != nil:
			gateway.AlphaPay.validate(p, path)
		case gateway.AlipayPlus != nil:
			gateway.AlipayPlus.validate(p, path)
		default:
			p.addf(path, "the account is missing")
		}
	}
}

// accountCode has no '.', which ends it in the signed content.
var accountCode = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

func (a AlphaPay) validate(p *collector, path string) {
	a.Account.validate(p, path, "AlphaPay",
		"https://openapi.alphapay.ca (CAD merchants) or https://openapi.alphapay.com (USD merchants)", "https://openapi.alphapay.ca")
	switch {
	case a.MerchantCode == "":
		p.addf(join(path, "merchant_code"), "is missing; AlphaPay gives it to the merchant")
	case !accountCode.MatchString(a.MerchantCode):
		p.addf(join(path, "merchant_code"), "must be 1 to 64 letters, digits, - and _")
	}
	if problem := notifyURLProblem(a.NotifyURL, "AlphaPay"); problem != "" {
		p.addf(join(path, "notify_url"), "%s", problem)
	}
}

func (a Account) validate(p *collector, path, vendor, hosts, host string) {
	if problem := baseURLProblem(a.BaseURL, hosts, host); problem != "" {
		p.addf(join(path, "base_url"), "%s", problem)
	}
	if a.KeyVersion < 1 {
		p.addf(join(path, "key_version"), "must be 1 or more")
	}
	a.PrivateKeyFile.validate(p, join(path, "private_key_file"), "is missing; name the file of the merchant's private key")
	if len(a.PlatformKeyFiles) == 0 {
		p.addf(join(path, "platform_key_file"), "is missing; name the file of %s's public key", vendor)
	}
	for _, version := range a.PlatformKeyFiles.Versions() {
		a.PlatformKeyFiles[version].validate(p, a.platformKeyPath(path, version), "is empty; name the file of "+vendor+"'s public key")
	}
	if strings.ContainsFunc(a.CAFile, isControl) {
		p.addf(join(path, "ca_file"), "must be the path of a file")
	}
}

// platformKeyPath is where a version's file is named: a single one may stand without its version.
func (a Account) platformKeyPath(path string, version int) string {
	path = join(path, "platform_key_file")
	if len(a.PlatformKeyFiles) == 1 {
		return path
	}
	return join(path, strconv.Itoa(version))
}

func baseURLProblem(text, hosts, host string) string {
	if text == "" {
		return "is missing; use " + hosts
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.Opaque != "" || u.Scheme != "https" && u.Scheme != "http":
		return "must be the address of the gateway, such as " + host
	case u.User != nil:
		return "must not hold a user name or password"
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.ForceQuery || strings.Contains(text, "#"):
		return "must end after the host and port: the signature covers the path that follows"
	case u.Port() != "" && !isPort(u.Port(), 1):
		return "must have a port within 1 and 65535"
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return "must be https; http is only for a practice gateway on this machine (127.0.0.1)"
	}
	return ""
}
