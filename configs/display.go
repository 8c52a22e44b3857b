package configs

import (
	"net"
	"regexp"
	"strings"
)

// Display is a [[display]] table. Exactly the field of its Type is set.
type Display struct {
	Type  DisplayType `toml:"type"`
	Kiosk *Kiosk      `toml:"-"`
}

// DisplayType is what a display is.
type DisplayType string

// DisplayKiosk is a web page for the customer, on a listener of its own.
const DisplayKiosk DisplayType = "kiosk"

// Kiosk is the customer's page.
type Kiosk struct {
	// Listen is a host and port. The page shows only what a customer may see, so
	// it may be served to a display elsewhere in the shop.
	Listen string `toml:"listen"`
	// Hosts are the names or addresses, without port, by which displays call it
	// besides those of this machine.
	Hosts []string `toml:"hosts"`
	// ShopName stands at the top of the page; empty: nothing does.
	ShopName string `toml:"shop_name"`
}

// DefaultKiosk is the page for a browser on this machine.
func DefaultKiosk() Kiosk { return Kiosk{Listen: "127.0.0.1:8481", Hosts: []string{}} }

// display reads the table by its type, so that only the keys of that type are known.
func (d *decoder) display(path string, value any, out *Display) {
	table, ok := value.(map[string]any)
	if !ok {
		d.wrongType(path, "a table: write [[display]]", value)
		return
	}
	given, isGiven := table["type"]
	if given == string(DisplayKiosk) {
		kiosk := DefaultKiosk()
		out.Kiosk = &kiosk
		d.table(path, table, out, out.Kiosk)
	} else if isGiven { // of an unknown type no other key is known
		d.value(join(path, "type"), given, &out.Type)
	}
}

const maxDisplays = 8

var hostName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$`)

func validateDisplays(p *collector, displays []Display) {
	if len(displays) > maxDisplays {
		p.addf(index("display", maxDisplays), "there are more than %d displays", maxDisplays)
		return
	}
	for i, display := range displays {
		display.validate(p, index("display", i))
	}
}

func (s Display) validate(p *collector, path string) {
	switch {
	case s.Type == "":
		p.addf(join(path, "type"), "is missing; use one of %s", DisplayKiosk)
	case s.Type != DisplayKiosk:
		p.addf(join(path, "type"), "unknown type of display; use one of %s", DisplayKiosk)
	case s.Kiosk == nil:
		p.addf(path, "the kiosk's settings are missing")
	default:
		s.Kiosk.validate(p, path)
	}
}

func (k Kiosk) validate(p *collector, path string) {
	host, port, err := net.SplitHostPort(k.Listen)
	if err != nil || host == "" || !isPort(port, 0) || strings.ContainsFunc(host, isControl) {
		p.addf(join(path, "listen"), `must be a host and a port, such as "127.0.0.1:8481"`)
	}
	for i, name := range k.Hosts {
		if !hostName.MatchString(name) {
			p.addf(index(join(path, "hosts"), i), "must be a name or an IPv4 address, without a port")
		}
	}
	if len(k.ShopName) > maxNameLength || strings.ContainsFunc(k.ShopName, isControl) {
		p.addf(join(path, "shop_name"), "must be at most %d bytes without control characters", maxNameLength)
	}
}
