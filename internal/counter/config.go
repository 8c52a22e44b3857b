package counter

import (
	"fmt"
	"net"
	"os"
	"strings"
)

// The names of the gateways in the daemon's configuration, which are the vendors'.
const (
	GatewayAlphaPay   = "alphapay"
	GatewayAlipayPlus = "alipayplus"
)

// RouteQR has the daemon, once it is started again, get its QR codes from another
// of the two gateways.
func (c *Counter) RouteQR(gateway string) error {
	c.qr = gateway
	return c.configure()
}

// findAddresses finds free ports for the daemon.
func (c *Counter) findAddresses() error {
	for port, url := range map[string]*string{"8480": &c.API, "8481": &c.Kiosk, "8482": &c.Notify} {
		address, err := freeAddress(c.options.Host, port)
		if err != nil {
			return err
		}
		*url = "http://" + address
	}
	return nil
}

// freeAddress returns the host with the port, or with another one when it is taken.
func freeAddress(host, port string) (string, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(host, port))
	if err != nil {
		if listener, err = net.Listen("tcp", net.JoinHostPort(host, "0")); err != nil {
			return "", err
		}
	}
	return listener.Addr().String(), listener.Close()
}

// configure writes what a shop's IT would write.
func (c *Counter) configure() error {
	text := fmt.Sprintf(`[terminal]
code = "L1"
currency = "CAD"

[api]
listen = %q
socket = "api.sock"
token_dir = "tokens"

[store]
path = %q
backup_dir = "backups"
keep_backups = 3

[[scanner]]
type = "serial"
port = %q

[[display]]
type = "kiosk"
listen = %q
shop_name = "Maple & Rye"

[gateway.alphapay]
base_url = %q
merchant_code = "PRACTICE1"
private_key_file = "keys/merchant_private.pem"
platform_key_file = "keys/platform_public.pem"
`, addressOf(c.API), c.options.Database, c.Scanner.Path(), addressOf(c.Kiosk), c.Gateway)
	if c.options.AlipayPlus {
		text += c.secondGateway()
	}
	if c.options.Notify {
		text += fmt.Sprintf("\n[notify]\nlisten = %q\n", addressOf(c.Notify))
	}
	return os.WriteFile(c.Config(), []byte(text+"\n"+c.options.Extra), 0o600)
}

// secondGateway goes on in the section of the first.
func (c *Counter) secondGateway() string {
	return fmt.Sprintf(`notify_url = "%[1]s/notify/alphapay"

[gateway.alipayplus]
base_url = %[2]q
client_id = "PRACTICE_CLIENT1"
notify_url = "%[1]s/notify/alipayplus"
private_key_file = "keys/alipayplus_client_private.pem"
platform_key_file = "keys/alipayplus_platform_public.pem"

%[4]s
[[route]]
wallet = "alipayplus"
instrument = "code"
gateway = "alipayplus"

[[route]]
instrument = "qr"
gateway = %[3]q

[[route]]
gateway = "alphapay"
`, c.Notify, c.Gateway, c.qr, AlipayPlusShop)
}

// AlipayPlusShop is what the configuration tells Alipay+ of the practised shop.
const AlipayPlusShop = `[gateway.alipayplus.merchant]
reference_id = "M0001"
name = "Maple & Rye"
mcc = "5411"
region = "CA"

[gateway.alipayplus.store]
reference_id = "S0001"
name = "Maple & Rye"
mcc = "5411"
`

// addressOf is the host and port of a base URL.
func addressOf(url string) string { return strings.TrimPrefix(url, "http://") }
