package configs

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"payscand/payment"
)

func (c Config) validate() Problems {
	var p collector
	c.Terminal.validate(&p)
	c.API.validate(&p)
	if !isFilePath(c.Store.Path) {
		p.addf("store.path", "must be the path of the database file, such as /var/lib/payscand/payscand.db")
	}
	if c.Store.RetentionDays < MinRetentionDays || c.Store.RetentionDays > MaxRetentionDays {
		p.addf("store.retention_days", "must be %d to %d days", MinRetentionDays, MaxRetentionDays)
	}
	if !isFilePath(c.Store.BackupDir) {
		p.addf("store.backup_dir", "must be the path of a folder, such as /var/lib/payscand/backups")
	}
	if c.Store.KeepBackups < 1 || c.Store.KeepBackups > 1000 {
		p.addf("store.keep_backups", "must be 1 to 1000")
	}
	c.Gateways.validate(&p)
	c.validateRoutes(&p)
	validateCodes(&p, c.Codes)
	validateScanners(&p, c.Scanners)
	validateDisplays(&p, c.Displays)
	c.Notify.validate(&p)
	c.validateListeners(&p)
	c.Policy.validate(&p, c.Gateways)
	return p.found
}

var terminalCode = regexp.MustCompile(`^[A-Z0-9]{1,3}$`)

func (t Terminal) validate(p *collector) {
	if !terminalCode.MatchString(t.Code) {
		p.addf("terminal.code", `must be 1 to 3 characters of A–Z and 0–9, such as "L1"`)
	}
	if _, err := payment.ParseCurrency(string(t.Currency)); err != nil {
		p.addf("terminal.currency", "%v", payment.ErrUnknownCurrency)
	}
	if len(t.Languages) == 0 {
		p.addf("terminal.languages", "is empty: name at least one of %s", words(Languages()))
	}
	for i, language := range t.Languages {
		switch {
		case !slices.Contains(Languages(), language):
			p.addf(index("terminal.languages", i), "use one of %s", words(Languages()))
		case slices.Contains(t.Languages[:i], language):
			p.addf(index("terminal.languages", i), "is named twice")
		}
	}
	if _, err := t.Location(); err != nil {
		p.addf("terminal.timezone", `no such time zone; use a name such as "America/Vancouver" or "UTC"`)
	}
	if t.DayStart.Hour < 0 || t.DayStart.Hour > 23 || t.DayStart.Minute < 0 || t.DayStart.Minute > 59 {
		p.addf("terminal.day_start", `must be within "00:00" and "23:59"`)
	}
}

// maxSocketPath is what fits into sockaddr_un of Linux with its final zero (unix(7)).
const maxSocketPath = 107

func (a API) validate(p *collector) {
	if a.Listen == "" && a.Socket == "" {
		p.addf("api", "set listen or socket: without both the register could not reach payscand")
	}
	if a.Listen != "" && !isLoopbackAddress(a.Listen) {
		p.addf("api.listen", `must be an address of this machine only, with a port, such as "127.0.0.1:8480" or "[::1]:8480"`)
	}
	switch {
	case a.Socket == "":
	case !isFilePath(a.Socket):
		p.addf("api.socket", "must be the path of the socket, such as /run/payscand/api.sock")
	case len(a.Socket) > maxSocketPath:
		p.addf("api.socket", "the path is longer than the %d bytes that a Unix socket may have", maxSocketPath)
	}
	if !isFilePath(a.TokenDir) {
		p.addf("api.token_dir", "must be the path of a folder, such as /var/lib/payscand/tokens")
	}
	for i, origin := range a.AllowedOrigins {
		switch {
		case !isOrigin(origin):
			p.addf(index("api.allowed_origins", i), `must be an origin as browsers send it, such as "https://till.example" or "http://127.0.0.1:3000": `+
				"lower case, no path, no slash at the end, no *")
		case slices.Contains(a.AllowedOrigins[:i], origin):
			p.addf(index("api.allowed_origins", i), "is named twice")
		}
	}
}

func (n Notify) validate(p *collector) {
	if n.Listen != "" {
		if host, port, err := net.SplitHostPort(n.Listen); err != nil || !isPort(port, 0) || strings.ContainsFunc(host, isControl) {
			p.addf("notify.listen", `must be a host and a port, such as "127.0.0.1:8482"`)
		}
	}
	if strings.ContainsFunc(n.CertFile, isControl) {
		p.addf("notify.cert_file", "must be the path of a file")
	}
	switch hasKey := n.KeyFile != (KeyFile{}); {
	case n.CertFile != "" && !hasKey:
		p.addf("notify.key_file", "is missing; name the file of the certificate's private key")
	case n.CertFile == "" && hasKey:
		p.addf("notify.cert_file", "is missing; name the file of the certificate")
	case hasKey:
		n.KeyFile.validate(p, "notify.key_file", "is missing")
	}
}

// validateListeners finds an address that two are to listen on: the second could not.
func (c Config) validateListeners(p *collector) {
	seen := map[string]string{}
	listen := func(address, path string) {
		if address != "" && !strings.HasSuffix(address, ":0") {
			once(p, seen, address, path, "listen")
		}
	}
	listen(c.API.Listen, "api")
	for i, display := range c.Displays[:min(len(c.Displays), maxDisplays)] {
		if display.Kiosk != nil {
			listen(display.Kiosk.Listen, index("display", i))
		}
	}
	listen(c.Notify.Listen, "notify")
}

const maxRules = 64 // routes and code rules, each; every pair is compared

func (c Config) validateRoutes(p *collector) {
	names := c.Gateways.Names()
	choice := gatewayChoice(names)
	if len(c.Routes) > maxRules {
		p.addf(index("route", maxRules), "there are more than %d routes", maxRules)
		return
	}
	if len(c.Routes) == 0 && len(names) > 1 {
		p.addf("route", "there are %d gateways: say with [[route]] what goes to which", len(names))
	}
	for i, route := range c.Routes {
		path := index("route", i)
		if !isAny(string(route.Wallet)) && !slices.Contains(payment.Wallets(), route.Wallet) {
			p.addf(join(path, "wallet"), "use one of %s, or * for any", words(payment.Wallets()))
		}
		instruments := []payment.Instrument{payment.InstrumentCode, payment.InstrumentQR}
		if !isAny(string(route.Instrument)) && !slices.Contains(instruments, route.Instrument) {
			p.addf(join(path, "instrument"), "use one of %s, or * for any", words(instruments))
		}
		switch {
		case route.Gateway == "":
			p.addf(join(path, "gateway"), "is missing; configured: %s", choice)
		case !slices.Contains(names, route.Gateway):
			p.addf(join(path, "gateway"), "no gateway of this name is configured; configured: %s", choice)
		}
		for j, earlier := range c.Routes[:i] {
			if covers(earlier, route) {
				p.addf(path, "is never used: route[%d] comes first and takes all of it", j)
				break
			}
		}
	}
	c.validateQRRoutes(p)
}

// validateQRRoutes wants a notify_url where QR codes are made by Alipay+.
func (c Config) validateQRRoutes(p *collector) {
	policy := c.PaymentPolicy()
	name, routed := policy.Route("", payment.InstrumentQR)
	if account := c.Gateways[name].AlipayPlus; routed && account != nil && account.NotifyURL == "" {
		p.addf(join(join("gateway", name), "notify_url"),
			"is missing; Alipay+ makes no QR codes without it: set it, or route the instrument \"qr\" elsewhere or not at all")
	}
}

// gatewayChoice lists the gateways for a message; their names come from the file.
func gatewayChoice(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	keys := make([]string, len(names))
	for i, name := range names {
		keys[i] = join("", name)
	}
	return strings.Join(keys, ", ")
}

// covers reports whether whatever matches the route matches the earlier one.
func covers(earlier, route payment.Route) bool {
	return (isAny(string(earlier.Wallet)) || earlier.Wallet == route.Wallet) &&
		(isAny(string(earlier.Instrument)) || earlier.Instrument == route.Instrument)
}

func isAny(text string) bool { return text == "" || text == "*" }

func validateCodes(p *collector, rules []payment.CodeRule) {
	if len(rules) > maxRules {
		p.addf(index("code", maxRules), "there are more than %d rules", maxRules)
		return
	}
	addCodeRuleErrors(p, payment.ValidateCodeRules(rules))
}

// addCodeRuleErrors takes joined errors apart.
func addCodeRuleErrors(p *collector, err error) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			addCodeRuleErrors(p, e)
		}
		return
	}
	if mistake, ok := errors.AsType[*payment.CodeRuleError](err); ok {
		p.addf(mistake.Path, "%s", mistake.Problem)
	}
}

const (
	minScanWindow, maxScanWindow     = time.Second, 10 * time.Minute
	minSaleDeadline, maxSaleDeadline = 10 * time.Second, time.Hour
	maxSpeed                         = 1000
)

func (policy Policy) validate(p *collector, gateways Gateways) {
	if policy.ScanWindow < minScanWindow || policy.ScanWindow > maxScanWindow {
		p.addf("policy.scan_window", `must be within "%v" and "%v"`, minScanWindow, maxScanWindow)
	}
	switch {
	case policy.SaleDeadline < minSaleDeadline || policy.SaleDeadline > maxSaleDeadline:
		p.addf("policy.sale_deadline", `must be within "%v" and "%v"`, minSaleDeadline, maxSaleDeadline)
	case policy.SaleDeadline <= policy.ScanWindow:
		p.addf("policy.sale_deadline", "must be longer than scan_window: else no QR would ever be shown")
	}
	switch {
	case policy.Speed < 1 || policy.Speed > maxSpeed:
		p.addf("policy.speed", "must be within 1 and %d", maxSpeed)
	case policy.Speed > 1 && !gateways.practice():
		p.addf("policy.speed", "must be 1: only with practice gateways on this machine (127.0.0.1) may time be cut short")
	}
}

// words joins names with commas, for "use one of".
func words[T ~string](names []T) string {
	texts := make([]string, len(names))
	for i, name := range names {
		texts[i] = string(name)
	}
	return strings.Join(texts, ", ")
}

func isLoopbackAddress(address string) bool {
	host, port, err := net.SplitHostPort(address)
	return err == nil && isPort(port, 0) && isLoopback(host)
}

// isPort takes port 0, any free one, only where least is 0.
func isPort(text string, least uint64) bool {
	port, err := strconv.ParseUint(text, 10, 16)
	return err == nil && port >= least
}

// isLoopback takes no other names than localhost: what a name means is decided elsewhere.
func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

// isOrigin knows an origin in the one form that browsers send (RFC 6454, section 6.2).
func isOrigin(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && u.User == nil &&
		!strings.HasSuffix(u.Host, ":") && (u.Port() == "" || isPort(u.Port(), 1)) && !strings.ContainsAny(u.Host, "*%") &&
		text == u.Scheme+"://"+strings.ToLower(u.Host)
}

func isFilePath(path string) bool {
	return path != "" && !strings.ContainsFunc(path, isControl)
}

func isControl(r rune) bool { return unicode.IsControl(r) }
