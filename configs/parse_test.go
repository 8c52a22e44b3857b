package configs

import (
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"payscand/payment"
)

// account is the least that a valid configuration needs.
const account = `
[gateway.alphapay]
base_url = "https://openapi.alphapay.ca"
merchant_code = "M1"
private_key_file = "private.pem"
platform_key_file = "public.pem"
`

// plus is the least that a valid configuration of Alipay+ needs.
const plus = `
[gateway.alipayplus]
base_url = "https://open-sea.alipayplus.com"
client_id = "5J0"
private_key_file = "private.pem"
platform_key_file = "public.pem"
notify_url = "https://shop.example/notify/alipayplus"
[gateway.alipayplus.merchant]
reference_id = "M1"
name = "Corner Shop"
mcc = "5411"
region = "CA"
[gateway.alipayplus.store]
reference_id = "S1"
name = "Main Street"
mcc = "5411"
`

// problemsOf parses and returns the mistakes, none for a valid configuration.
func problemsOf(t *testing.T, document string) Problems {
	t.Helper()
	config, err := Parse("/etc/payscand/payscand.toml", []byte(document))
	if err == nil {
		return nil
	}
	if config != nil {
		t.Error("there is a configuration beside the problems")
	}
	var problems Problems
	if !errors.As(err, &problems) {
		t.Fatalf("the error is a %T, not Problems: %v", err, err)
	}
	return problems
}

// Every mistake is reported once, with the line and the path of the key it is
// about and a message that says what to write. The line expected is the one
// marked with #! (0: there is none).
func TestEachMistakeNamesItsLineAndPath(t *testing.T) {
	scanner := func(lines string) string {
		return account + "[[scanner]]\ntype = \"serial\"\nport = \"/dev/ttyACM0\"\n" + lines
	}
	hid := func(lines string) string { return account + "[[scanner]]\ntype = \"hid\"\n" + lines }
	const ids = "vendor_id = 1\nproduct_id = 2\n"
	code := func(lines string) string { return account + "[[code]]\n" + lines }
	route := func(lines string) string {
		return account + "[[route]]\ngateway = \"alphapay\"\ninstrument = \"code\"\n" + lines
	}
	// changed is account with one line changed; without is account without one: then its header is marked.
	changed := func(key, line string) string {
		return regexp.MustCompile("(?m)^"+key+" = .*$").ReplaceAllLiteralString(account, line+" #!")
	}
	without := func(key string) string {
		return strings.Replace(regexp.MustCompile("(?m)^"+key+" = .*\n").ReplaceAllLiteralString(account, ""), "]", "] #!", 1)
	}
	plusChanged := func(key, line string) string {
		first := regexp.MustCompile("(?m)^" + key + " = .*$").FindString(plus)
		return strings.Replace(plus, first, line+" #!", 1)
	}
	plusWithoutIn := func(table, key string) string {
		before, after, _ := strings.Cut(plus, table+"]")
		first := regexp.MustCompile("(?m)^" + key + " = .*\n").FindString(after)
		return before + table + "] #!" + strings.Replace(after, first, "", 1)
	}
	plusWithout := func(key string) string { return plusWithoutIn("alipayplus", key) }
	tests := []struct{ name, document, path, message string }{
		{"unknown key", "[terminal]\ncolour = \"red\" #!\n" + account, "terminal.colour", "unknown key; known here: code, currency"},
		{"unknown section", account + "[nothing] #!\na = 1\nb = 2", "nothing", "unknown key; known here: terminal, api"},
		{"unknown list of tables", account + "[[printer]] #!\ntype = \"pole\"", "printer", "unknown key"},
		{"key at the top", "baud = 9600 #!\n" + account, "baud", "unknown key"},
		{"key in capitals", "[terminal]\nCode = \"L2\" #!\n" + account, "terminal.Code", "unknown key"},
		{"unknown key that needs quotes", "[terminal]\n\"a.b\\nc\" = 1 #!\n" + account, `terminal."a.b\nc"`, "unknown key"},
		{"dotted unknown key", "terminal.colour = 1 #!\n" + account, "terminal.colour", "unknown key"},

		{"number for a string", "[terminal]\ncode = 17 #!\n" + account, "terminal.code", "must be a string in quotes, not a whole number"},
		{"string for a number", scanner(`baud = "9600" #!`), "scanner[0].baud", "must be a whole number, not a string"},
		{"fraction for a number", scanner(`baud = 9600.5 #!`), "scanner[0].baud", "not a number with a decimal point"},
		{"truth for a string", "[store]\npath = true #!\n" + account, "store.path", "not true or false"},
		{"string for a list", "[terminal]\nlanguages = \"en\" #!\n" + account, "terminal.languages", "must be a list in brackets, not a string"},
		{"value for a table", "terminal = 1 #!\n" + account, "terminal", "must be a table, not a whole number"},
		{"list for a table", "[[terminal]] #!\ncode = \"L1\"\n" + account, "terminal", "must be a table, not a list"},
		{"table for a list", account + "[scanner] #!\ntype = \"serial\"", "scanner", "write [[scanner]] for each, not a table"},
		{"element of the wrong type", code("wallet = \"wechat\"\nprefixes = [\n\"10\",\n 11, #!\n]\ndigits = [18, 18]"), "code[0].prefixes[1]", "string in quotes"},
		{"length of the wrong type", code("wallet = \"wechat\"\nprefixes = [\"10\"]\ndigits = [18, \"18\"] #!"), "code[0].digits[1]", "whole number"},
		{"gateways are no tables", "gateway = \"alphapay\" #!", "gateway", "write [gateway.<name>]"},
		{"gateway is no table", "[gateway]\nalphapay = \"https://…\" #!", "gateway.alphapay", "write [gateway.<name>]"},
		{"scanner is no table", "scanner = [\"/dev/ttyACM0\"] #!\n" + account, "scanner[0]", "write [[scanner]]"},

		{"terminal code", "[terminal]\ncode = \"l1\" #!\n" + account, "terminal.code", "A–Z and 0–9"},
		{"terminal code too long", "[terminal]\ncode = \"L100\" #!\n" + account, "terminal.code", "1 to 3"},
		{"currency of nothing", "[terminal]\ncurrency = \"XXX\" #!\n" + account, "terminal.currency", "ISO 4217"},
		{"currency in small letters", "[terminal]\ncurrency = \"cad\" #!\n" + account, "terminal.currency", "ISO 4217"},
		{"no language", "[terminal]\nlanguages = [] #!\n" + account, "terminal.languages", "at least one of en, fr"},
		{"unknown language", "[terminal]\nlanguages = [\"en\",\n\"xx\"] #!\n" + account, "terminal.languages[1]", "use one of en, fr, zh-Hans, zh-Hant"},
		{"language twice", "[terminal]\nlanguages = [\"en\", \"en\"] #!\n" + account, "terminal.languages[1]", "twice"},
		{"time zone", "[terminal]\ntimezone = \"America/Vancuver\" #!\n" + account, "terminal.timezone", "America/Vancouver"},
		{"time zone of the machine", "[terminal]\ntimezone = \"Local\" #!\n" + account, "terminal.timezone", "no such time zone"},
		{"time of day", "[terminal]\nday_start = \"24:00\" #!\n" + account, "terminal.day_start", `such as "04:00"`},
		{"short time of day", "[terminal]\nday_start = \"4:00\" #!\n" + account, "terminal.day_start", `such as "04:00"`},
		{"time of day without quotes", "[terminal]\nday_start = 04:00:00 #!\n" + account, "terminal.day_start", "not a date or time"},

		{"listening to the world", "[api]\nlisten = \"0.0.0.0:8480\" #!\n" + account, "api.listen", "this machine only"},
		{"listening to everything", "[api]\nlisten = \":8480\" #!\n" + account, "api.listen", "this machine only"},
		{"listening by a name", "[api]\nlisten = \"till.example:8480\" #!\n" + account, "api.listen", "this machine only"},
		{"no port", "[api]\nlisten = \"127.0.0.1\" #!\n" + account, "api.listen", "with a port"},
		{"port too large", "[api]\nlisten = \"127.0.0.1:65536\" #!\n" + account, "api.listen", "with a port"},
		{"no way in", "[api] #!\nlisten = \"\"\nsocket = \"\"\n" + account, "api", "set listen or socket"},
		{"socket path too long", "[api]\nsocket = \"/" + strings.Repeat("s", 107) + "\" #!\n" + account, "api.socket", "107 bytes"},
		{"socket path", "[api]\nsocket = \"/run/\\u0000\" #!\n" + account, "api.socket", "path of the socket"},
		{"no token folder", "[api]\ntoken_dir = \"\" #!\n" + account, "api.token_dir", "path of a folder"},
		{"any origin", "[api]\nallowed_origins = [\"*\"] #!\n" + account, "api.allowed_origins[0]", "https://till.example"},
		{"origin with a slash", "[api]\nallowed_origins = [\"https://a.example/\"] #!\n" + account, "api.allowed_origins[0]", "no slash"},
		{"origin in capitals", "[api]\nallowed_origins = [\"https://A.example\"] #!\n" + account, "api.allowed_origins[0]", "lower case"},
		{"origin twice", "[api]\nallowed_origins = [\"https://a.example\", \"https://a.example\"] #!\n" + account, "api.allowed_origins[1]", "twice"},
		{"no database", "[store]\npath = \"\" #!\n" + account, "store.path", "database file"},

		{"no client id", plusWithout("client_id"), "gateway.alipayplus.client_id", "Developer Center"},
		{"client id with a dot", plusChanged("client_id", `client_id = "a.b"`), "gateway.alipayplus.client_id", "letters, digits"},
		{"Alipay+ without a base url", plusWithout("base_url"), "gateway.alipayplus.base_url", "such as https://open-sea.alipayplus.com"},
		{"Alipay+ without a platform key", plusWithout("platform_key_file"), "gateway.alipayplus.platform_key_file", "Alipay+'s public key"},
		{"notify url without a path", plusChanged("notify_url", `notify_url = "https://shop.example"`), "gateway.alipayplus.notify_url", "must have a path"},
		{"notify url with a password", plusChanged("notify_url", `notify_url = "https://a:b@shop.example/x"`), "gateway.alipayplus.notify_url", "password"},
		{"no notify url, yet a QR route", plusWithout("notify_url"), "gateway.alipayplus.notify_url", "is missing"},
		{"settlement currency", plusChanged("client_id", "client_id = \"5J\"\nsettlement_currency = \"dollar\""), "gateway.alipayplus.settlement_currency", "ISO 4217"},
		{"merchant without a name", plusWithoutIn("merchant", "name"), "gateway.alipayplus.merchant.name", "is missing"},
		{"merchant's category", plusChanged("mcc", `mcc = "54"`), "gateway.alipayplus.merchant.mcc", "four digits"},
		{"merchant's region", plusChanged("region", `region = "Canada"`), "gateway.alipayplus.merchant.region", "two capitals"},
		{"merchant's city", plusChanged("region", "region = \"CA\"\ncity = \"a\\u0007\""), "gateway.alipayplus.merchant.city", "control characters"},
		{"state in full", plusChanged("region", "region = \"CA\"\nstate = \"British Columbia\""), "gateway.alipayplus.merchant.state", "8 characters"},
		{"store without an id", plusWithoutIn("store", "reference_id"), "gateway.alipayplus.store.reference_id", "is missing"},
		{"key of AlphaPay's", plusChanged("region", "region = \"CA\"\nmerchant_code = \"M1\""), "gateway.alipayplus.merchant.merchant_code", "unknown key"},

		{"no gateway", "[terminal]\ncode = \"L2\"", "gateway", "[gateway.alphapay]"},
		{"unknown type by name", account + "[gateway.other] #!\nclient_id = 5\n[[route]]\ngateway = \"alphapay\"", "gateway.other.type", `type = "alphapay" or "alipayplus"`},
		{"unknown type", account + "[gateway.two]\ntype = \"two\" #!\n[[route]]\ngateway = \"alphapay\"", "gateway.two.type", `type = "alphapay" or "alipayplus"`},
		{"type of the wrong type", account + "type = 1 #!", "gateway.alphapay.type", "string in quotes"},
		{"gateway's name", strings.Replace(account, ".alphapay]", ".\"A|b\"] #!\ntype = \"alphapay\"", 1), `gateway."A|b"`, "only a–z"},
		{"no base url", without("base_url"), "gateway.alphapay.base_url", "is missing; use https://openapi.alphapay.ca"},
		{"http", changed("base_url", `base_url = "http://openapi.alphapay.ca"`), "gateway.alphapay.base_url", "must be https"},
		{"http on something like loopback", changed("base_url", `base_url = "http://127.0.0.1.example"`), "gateway.alphapay.base_url", "must be https"},
		{"base url with a path", changed("base_url", `base_url = "https://a.example/api"`), "gateway.alphapay.base_url", "after the host"},
		{"base url with a query", changed("base_url", `base_url = "https://a.example?"`), "gateway.alphapay.base_url", "after the host"},
		{"base url with a user", changed("base_url", `base_url = "https://me:secret@a.example"`), "gateway.alphapay.base_url", "user name or password"},
		{"base url without a scheme", changed("base_url", `base_url = "openapi.alphapay.ca"`), "gateway.alphapay.base_url", "such as https://openapi.alphapay.ca"},
		{"base url with a port too large", changed("base_url", `base_url = "https://a.example:70000"`), "gateway.alphapay.base_url", "65535"},
		{"no merchant code", without("merchant_code"), "gateway.alphapay.merchant_code", "is missing"},
		{"merchant code with a space", changed("merchant_code", `merchant_code = "M 1"`), "gateway.alphapay.merchant_code", "letters, digits"},
		{"merchant code with a dot", changed("merchant_code", `merchant_code = "M.1"`), "gateway.alphapay.merchant_code", "letters, digits"},
		{"version of the merchant's key", account + "key_version = 0 #!", "gateway.alphapay.key_version", "1 or more"},
		{"base url with an empty fragment", changed("base_url", `base_url = "https://a.example#"`), "gateway.alphapay.base_url", "after the host"},
		{"no private key", without("private_key_file"), "gateway.alphapay.private_key_file", "is missing"},
		{"private key is a number", changed("private_key_file", "private_key_file = 5"), "gateway.alphapay.private_key_file", "path of a file, in quotes"},
		{"credential without a name", changed("private_key_file", `private_key_file = "credential:"`), "gateway.alphapay.private_key_file", "credential:alphapay-key"},
		{"credential's name is a path", changed("private_key_file", `private_key_file = "credential:../x"`), "gateway.alphapay.private_key_file", "credential's name"},
		{"no platform key", without("platform_key_file"), "gateway.alphapay.platform_key_file", "is missing"},
		{"no platform key in the table", changed("platform_key_file", "platform_key_file = {}"), "gateway.alphapay.platform_key_file", "is missing"},
		{"platform key is a list", changed("platform_key_file", "platform_key_file = [1]"), "gateway.alphapay.platform_key_file", "path of a file"},
		{"key version", changed("platform_key_file", `platform_key_file = { v1 = "a" }`), "gateway.alphapay.platform_key_file", "whole numbers from 1"},
		{"key version with a zero", changed("platform_key_file", `platform_key_file = { 01 = "a" }`), "gateway.alphapay.platform_key_file", "whole numbers from 1"},
		{"key version's file", changed("platform_key_file", "platform_key_file = { 1 = \"a\",\n2 = 5 }"), "gateway.alphapay.platform_key_file.2", "path of a file"},
		{"key of another type", account + "client_id = \"x\" #!", "gateway.alphapay.client_id", "unknown key; known here: type, base_url"},
		{"certificates", account + "ca_file = \"a\\n\" #!", "gateway.alphapay.ca_file", "path of a file"},

		{"route to a missing gateway", account + "[[route]]\ngateway = \"alipayplus\" #!", "route[0].gateway", "configured: alphapay"},
		{"route to nowhere", account + "[[route]] #!\nwallet = \"wechat\"", "route[0].gateway", "is missing"},
		{"route of an unknown wallet", route("wallet = \"paypal\" #!"), "route[0].wallet", "use one of alipayplus, wechat, unionpay"},
		{"route of an unknown instrument", account + "[[route]]\ngateway = \"alphapay\"\ninstrument = \"nfc\" #!", "route[0].instrument", "use one of code, qr"},
		{"route never used", route("[[route]] #!\ngateway = \"alphapay\"\nwallet = \"wechat\"\ninstrument = \"code\""), "route[1]", "route[0] comes first"},
		{"no route, two gateways", account + strings.Replace(account, "alphapay]", "two]\ntype = \"alphapay\"", 1), "route", "there are 2 gateways"},

		{"no code rule", "code = [] #!\n" + account, "code", "no payment code could be recognised"},
		{"code rule of an unknown wallet", code("wallet = \"x\" #!\nprefixes = [\"10\"]\ndigits = [18, 18]"), "code[0].wallet", "must be one of"},
		{"code rule without prefixes", code("wallet = \"wechat\"\nprefixes = [] #!\ndigits = [18, 18]"), "code[0].prefixes", "at least one"},
		{"code rule with one length", code("wallet = \"wechat\"\nprefixes = [\"10\"]\ndigits = [18] #!"), "code[0].digits", "[shortest, longest]"},
		{"code rules overlap", code("wallet = \"wechat\"\nprefixes = [\"10-15\"]\ndigits = [18, 18]\n\n[[code]]\nwallet = \"unionpay\"\n" +
			"prefixes = [\"15\"] #!\ndigits = [16, 19]"), "code[1].prefixes", "code[0]"},

		{"notifications without a port", "[notify]\nlisten = \"shop.example\" #!\n" + account, "notify.listen", "a host and a port"},
		{"certificate without a key", "[notify] #!\ncert_file = \"a.pem\"\n" + account, "notify.key_file", "is missing"},
		{"key without a certificate", "[notify] #!\nkey_file = \"a.pem\"\n" + account, "notify.cert_file", "is missing"},
		{"AlphaPay's notify url", account + "notify_url = \"shop.example\" #!", "gateway.alphapay.notify_url", "https://shop.example/notify"},

		{"scanner without a type", account + "[[scanner]] #!\nport = \"/dev/ttyACM0\"", "scanner[0].type", "is missing; use one of serial, hid"},
		{"scanner of an unknown type", account + "[[scanner]]\ntype = \"usb\" #!\nvendor_id = 0x05e0", "scanner[0].type", "use one of serial, hid"},
		{"scanner without a port", account + "[[scanner]] #!\ntype = \"serial\"", "scanner[0].port", "/dev/ttyACM0"},
		{"scanner with a short port", account + "[[scanner]]\ntype = \"serial\"\nport = \"ttyACM0\" #!", "scanner[0].port", "/dev/ttyACM0"},
		{"same scanner twice", scanner("[[scanner]]\ntype = \"serial\"\nport = \"/dev//ttyACM0\" #!"), "scanner[1].port", "is that of scanner[0] already"},
		{"same name twice", scanner("name = \"left\"\n[[scanner]]\ntype = \"serial\"\nport = \"/dev/ttyACM1\"\nname = \"left\" #!"), "scanner[1].name", "is that of scanner[0] already"},
		{"second scanner", scanner("[[scanner]]\ntype = \"serial\"\nport = \"/dev/ttyACM1\"\nbaud = 96 #!"), "scanner[1].baud", "within 300 and 4000000"},
		{"scanner's name", scanner("name = \"a\\u0007\" #!"), "scanner[0].name", "control characters"},
		{"baud of nothing", scanner("baud = 0 #!"), "scanner[0].baud", "within 300"},
		{"data bits", scanner("data_bits = 9 #!"), "scanner[0].data_bits", "7 or 8"},
		{"parity", scanner("parity = \"maybe\" #!"), "scanner[0].parity", "use one of none, even, odd, mark, space"},
		{"stop bits", scanner("stop_bits = 3 #!"), "scanner[0].stop_bits", "1 or 2"},
		{"terminator", scanner("terminator = \"\\r\" #!"), "scanner[0].terminator", "use one of auto, cr"},
		{"idle time-out", scanner("idle_timeout = \"5s\" #!"), "scanner[0].idle_timeout", `within "10ms" and "1s"`},
		{"display without a type", account + "[[display]] #!\nlisten = \"127.0.0.1:1\"", "display[0].type", "is missing; use one of kiosk"},
		{"display of an unknown type", account + "[[display]]\ntype = \"neon\" #!", "display[0].type", "use one of kiosk"},
		{"kiosk's address", account + "[[display]]\ntype = \"kiosk\"\nlisten = \"8481\" #!", "display[0].listen", "a host and a port"},
		{"kiosk's host", account + "[[display]]\ntype = \"kiosk\"\nhosts = [\"http://x\"] #!", "display[0].hosts[0]", "without a port"},
		{"same kiosk twice", account + "[[display]]\ntype = \"kiosk\"\n[[display]] #!\ntype = \"kiosk\"", "display[1].listen", "is that of display[0] already"},
		{"key of a display", account + "[[display]]\ntype = \"kiosk\"\ncolour = 1 #!", "display[0].colour", "unknown key; known here: type, listen"},
		{"USB scanner with half of its ids, vendor", account + "[[scanner]] #!\ntype = \"hid\"\nproduct_id = 1", "scanner[0].vendor_id", "devices list"},
		{"USB scanner with half of its ids, product", account + "[[scanner]] #!\ntype = \"hid\"\nvendor_id = 1", "scanner[0].product_id", "devices list"},
		{"vendor id", hid("vendor_id = 0x10000 #!\nproduct_id = 1"), "scanner[0].vendor_id", "within 0x0001 and 0xffff"},
		{"vendor id in quotes", hid("vendor_id = \"05e0\" #!\nproduct_id = 1"), "scanner[0].vendor_id", "must be a whole number, not a string"},
		{"product id", hid("vendor_id = 1\nproduct_id = -1 #!"), "scanner[0].product_id", "within 0x0001 and 0xffff"},
		{"serial number", hid(ids + "serial = \"a\\u0007\" #!"), "scanner[0].serial", "control characters"},
		{"interface", hid(ids + "interface = 256 #!"), "scanner[0].interface", "within 0 and 255"},
		{"layout", hid(ids + "layout = \"dvorak\" #!"), "scanner[0].layout", "use one of cn, de, fr, gb, us"},
		{"keyboard scanner's terminator", hid(ids + "terminator = \"enter\" #!"), "scanner[0].terminator", "use one of auto, cr"},
		{"keyboard scanner's idle time-out", hid(ids + "idle_timeout = \"5ms\" #!"), "scanner[0].idle_timeout", `within "10ms" and "1s"`},
		{"key of another type", hid(ids + "baud = 9600 #!"), "scanner[0].baud", "unknown key; known here: type, name, mode, vendor_id"},
		{"a kiosk where the API is", account + "[[display]]\ntype = \"kiosk\"\nlisten = \"127.0.0.1:8480\" #!", "display[0].listen", "is that of api already"},
		{"notifications where the kiosk is", "[notify]\nlisten = \"127.0.0.1:8481\" #!\n" + account + "[[display]]\ntype = \"kiosk\"", "notify.listen", "is that of display[0] already"},
		{"same keyboard scanner twice", hid(ids + "[[scanner]]\ntype = \"hid\"\nvendor_id = 0x1\nproduct_id = 0x2 #!"), "scanner[1].product_id", "is that of scanner[0] already"},
		{"USB mode", hid("mode = \"wedge\" #!"), "scanner[0].mode", "use one of auto, pos, ibm, keyboard"},
		{"keyboard that is not named", account + "[[scanner]] #!\ntype = \"hid\"\nmode = \"keyboard\"", "scanner[0].vendor_id", "anybody's keyboard"},
		{"two that are not named", hid("[[scanner]]\ntype = \"hid\"\nmode = \"pos\" #!"), "scanner[1].mode", "is that of scanner[0] already"},
		{"prefix that ends a scan", hid(ids + "prefix = \"\\r\" #!"), "scanner[0].prefix", "without CR"},
		{"long suffix", scanner("suffix = \"123456789012345678901234567890123\" #!"), "scanner[0].suffix", "at most 32 bytes"},
		{"port and ids", account + "[[scanner]]\ntype = \"serial\"\nvendor_id = 1\nproduct_id = 2\nport = \"/dev/ttyACM0\" #!", "scanner[0].port", "not by both"},
		{"serial scanner with half of its ids", account + "[[scanner]] #!\ntype = \"serial\"\nvendor_id = 1", "scanner[0].product_id", "devices list"},
		{"same serial device twice", account + "[[scanner]]\ntype = \"serial\"\n" + ids + "[[scanner]]\ntype = \"serial\"\nvendor_id = 0x1\nproduct_id = 0x2 #!", "scanner[1].product_id", "is that of scanner[0] already"},
		{"key of a scanner", scanner("bauds = 1 #!"), "scanner[0].bauds", "unknown key; known here: type, name, port"},

		{"duration without a unit", "[policy]\nscan_window = \"30\" #!\n" + account, "policy.scan_window", `such as "50ms"`},
		{"duration as a number", "[policy]\nscan_window = 30 #!\n" + account, "policy.scan_window", "duration in quotes"},
		{"scan window", "[policy]\nscan_window = \"0s\" #!\n" + account, "policy.scan_window", "within"},
		{"sale deadline", "[policy]\nsale_deadline = \"2h\" #!\n" + account, "policy.sale_deadline", "within"},
		{"speed of nothing", "[policy]\nspeed = 0 #!\n" + account, "policy.speed", "within 1 and"},
		{"speed with a real gateway", "[policy]\nspeed = 2 #!\n" + account, "policy.speed", "practice gateways"},
		{"deadline before the window's end", "[policy]\nscan_window = \"1m\"\nsale_deadline = \"1m\" #!\n" + account, "policy.sale_deadline", "longer than scan_window"},
		{"log level", "[log]\nlevel = \"loud\" #!\n" + account, "log.level", "use one of debug, info, warn, error"},
		{"log level of the library", "[log]\nlevel = \"INFO+1\" #!\n" + account, "log.level", "use one of debug"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			problems := problemsOf(t, test.document)
			if len(problems) != 1 {
				t.Fatalf("%d problems instead of one:\n%v", len(problems), problems)
			}
			got := problems[0]
			if want := markedLine(test.document); got.Line != want {
				t.Errorf("line %d, want %d", got.Line, want)
			}
			if got.Path != test.path {
				t.Errorf("path %s, want %s", got.Path, test.path)
			}
			if !strings.Contains(got.Message, test.message) {
				t.Errorf("message %q does not say %q", got.Message, test.message)
			}
			if got.File != "/etc/payscand/payscand.toml" {
				t.Errorf("file %q", got.File)
			}
		})
	}
}

// markedLine is the number of the line that holds #!, 0 without one.
func markedLine(document string) int {
	before, _, found := strings.Cut(document, "#!")
	if !found {
		return 0
	}
	return 1 + strings.Count(before, "\n")
}

// Mistakes of every kind in one file are all reported, by line, in one go.
func TestAllMistakesAreReportedAtOnce(t *testing.T) {
	const document = `[terminal]
code = "L1"
timezone = "Mars/Olympus"
colour = "red"

[gateway.alphapay]
base_url = "https://openapi.alphapay.ca"
merchant_code = "M1"
private_key_file = "private.pem"
platform_key_file = "public.pem"

[[route]]
wallet = "*"
gateway = "alipayplus"

[[scanner]]
type = "serial"
port = "/dev/ttyACM0"
baud = "9600"
parity = "maybe"

[policy]
scan_window = "soon"

[api]
listen = "0.0.0.0:8480"
`
	_, err := Parse("payscand.toml", []byte(document))
	want := []string{
		`payscand.toml:3: terminal.timezone: no such time zone; use a name such as "America/Vancouver" or "UTC"`,
		`payscand.toml:4: terminal.colour: unknown key; known here: code, currency, languages, timezone, day_start`,
		`payscand.toml:14: route[0].gateway: no gateway of this name is configured; configured: alphapay`,
		`payscand.toml:19: scanner[0].baud: must be a whole number, not a string`,
		`payscand.toml:20: scanner[0].parity: use one of none, even, odd, mark, space`,
		`payscand.toml:23: policy.scan_window: must be a duration in quotes, such as "50ms", "30s" or "1m30s"`,
		`payscand.toml:26: api.listen: must be an address of this machine only, with a port, such as "127.0.0.1:8480" or "[::1]:8480"`,
	}
	if err == nil {
		t.Fatal("no mistake was found")
	}
	if diff := cmp.Diff(strings.Join(want, "\n"), err.Error()); diff != "" {
		t.Error(diff)
	}
}

// A syntax error, and a key or table that is there twice, is reported alone with
// line and column: what follows could mean anything.
func TestSyntaxErrorIsReportedAlone(t *testing.T) {
	tests := []struct{ name, document, want string }{
		{"no quotes", "[terminal]\nbogus = 1\ncode = L1\n", "payscand.toml:3:8: unexpected character U+004C 'L' at start of value"},
		{"open string", "[terminal]\ncode = \"L1\nbogus = 1\n", "payscand.toml:2:11: basic strings cannot have new lines"},
		{"key twice", "bogus = 1\n[terminal]\ncode = \"L1\"\ncode = \"L2\"\n", "payscand.toml:4:1: key code is already defined"},
		{"table twice", "[api]\nbogus = 1\n[store]\n[api]\n", "payscand.toml:4:2: table api already exists"},
		{"not UTF-8", "[terminal]\ncode = \"\xff\"\n", "payscand.toml:2:9: invalid UTF-8 character in basic string"},
		{"unprintable key", "\"a\\nb\" = 1\n\"a\\nb\" = 2", `payscand.toml:2:1: "key a\nb is already defined"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Parse("payscand.toml", []byte(test.document))
			if err == nil || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

// No message holds anything that stands in the place of a value.
func TestNoMessageRepeatsAValue(t *testing.T) {
	const secret = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"
	pem := `"""-----BEGIN PRIVATE KEY-----
` + secret + `
-----END PRIVATE KEY-----"""`
	values := []string{`"` + secret + `"`, pem, `["` + secret + `"]`, `{ x = "` + secret + `" }`, `{ 2 = ` + pem + ` }`, `"credential:../` + secret + `"`}
	keys := []string{
		"terminal.code", "terminal.currency", "terminal.languages", "terminal.timezone", "terminal.day_start",
		"api.listen", "api.socket", "api.token_dir", "api.allowed_origins", "store.path", "store.retention_days", "store.backup_dir", "store.keep_backups",
		"gateway.alphapay.type", "gateway.alphapay.base_url", "gateway.alphapay.merchant_code", "gateway.alphapay.private_key_file",
		"gateway.alphapay.platform_key_file", "gateway.alphapay.ca_file", "gateway.alphapay.private_key",
		"gateway.alipayplus.client_id", "gateway.alipayplus.notify_url", "gateway.alipayplus.merchant", "gateway.alipayplus.merchant.name",
		"policy.scan_window", "log.level", "private_key", "route", "code", "scanner",
	}
	folder := t.TempDir()
	for _, key := range keys {
		for _, value := range values {
			document := key + " = " + value
			path := write(t, folder, "payscand.toml", document, 0o600)
			_, err := Load(path, Options{})
			if err == nil {
				t.Fatalf("%s is taken", document)
			}
			if strings.Contains(err.Error(), secret[:12]) {
				t.Errorf("%s: the value is repeated:\n%v", key, err)
			}
		}
	}
}

// What a file does not set is as in Default, what it sets is as written, and
// relative paths start at its folder.
func TestParseFillsInDefaults(t *testing.T) {
	const document = "\xef\xbb\xbf" + `
[terminal]
code = "K7"
timezone = "Europe/Paris"
day_start = "23:59"

[api]
listen = "[::1]:0"
socket = ""

[store]
path = "../data/payscand.db"

[gateway.main]
type = "alphapay"
base_url = "http://127.0.0.1:9000/"
merchant_code = "M1"
private_key_file = "keys/private.pem"
platform_key_file = { 1 = "one.pem", 12 = "credential:two" }
ca_file = "/ca.pem"

[[scanner]]
type = "serial"
port = "/dev/ttyUSB0"
baud = 115200
idle_timeout = "80ms"

[[scanner]]
type = "serial"
vendor_id = 0x05f9
product_id = 0x4204
suffix = "#"

[[scanner]]
type = "hid"
name = "left"
mode = "keyboard"
prefix = "\u0002"
vendor_id = 0x0C2E
product_id = 2817
serial = "S/N 1"
interface = 0
terminator = "cr"

[policy]
scan_window = "45s"

[log]
level = "debug"
`
	config, err := Parse("/etc/payscand/payscand.toml", []byte(document))
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Terminal.Code, want.Terminal.Timezone, want.Terminal.DayStart = "K7", "Europe/Paris", TimeOfDay{23, 59}
	want.API.Listen, want.API.Socket = "[::1]:0", ""
	want.Store.Path = "/etc/data/payscand.db"
	want.Gateways = Gateways{"main": {Type: GatewayAlphaPay, AlphaPay: &AlphaPay{MerchantCode: "M1", Account: Account{
		BaseURL: "http://127.0.0.1:9000", KeyVersion: 1, CAFile: "/ca.pem",
		PrivateKeyFile:   KeyFile{Path: "/etc/payscand/keys/private.pem"},
		PlatformKeyFiles: PlatformKeys{1: {Path: "/etc/payscand/one.pem"}, 12: {Credential: "two"}},
	}}}}
	serial := DefaultSerialScanner()
	serial.Port, serial.Baud, serial.IdleTimeout = "/dev/ttyUSB0", 115200, 80*time.Millisecond
	byUSB := DefaultSerialScanner()
	byUSB.VendorID, byUSB.ProductID, byUSB.Suffix = 0x05f9, 0x4204, "#"
	hid := DefaultHIDScanner()
	hid.Mode, hid.Prefix = "keyboard", "\x02"
	hid.VendorID, hid.ProductID, hid.Serial, hid.Interface, hid.Terminator = 0x0c2e, 0x0b01, "S/N 1", 0, "cr"
	want.Scanners = []Scanner{{Type: ScannerSerial, Serial: &serial}, {Type: ScannerSerial, Serial: &byUSB}, {Type: ScannerHID, Name: "left", HID: &hid}}
	want.Policy.ScanWindow = 45 * time.Second
	want.Log.Level = slog.LevelDebug
	if diff := cmp.Diff(want, *config); diff != "" {
		t.Error(diff)
	}
	location, err := config.Terminal.Location()
	if err != nil || location.String() != "Europe/Paris" {
		t.Errorf("location %v, %v", location, err)
	}
	if text := config.Terminal.DayStart.String(); text != "23:59" {
		t.Errorf("day start prints as %s", text)
	}
}

// The money rules get the shop's numbers and routes, and else their own
// defaults; the only gateway takes everything unless routes say otherwise.
func TestPaymentPolicy(t *testing.T) {
	second := strings.Replace(account, "alphapay]", "second]\ntype = \"alphapay\"", 1)
	tests := []struct {
		name, document string
		want           []payment.Route
	}{
		{"one gateway", account, []payment.Route{{Wallet: "*", Instrument: "*", Gateway: "alphapay"}}},
		{"one gateway, one route", account + "[[route]]\nwallet = \"wechat\"\ngateway = \"alphapay\"",
			[]payment.Route{{Wallet: "wechat", Gateway: "alphapay"}}},
		{"two gateways", account + second + "[[route]]\ninstrument = \"qr\"\ngateway = \"second\"\n[[route]]\ngateway = \"alphapay\"",
			[]payment.Route{{Instrument: "qr", Gateway: "second"}, {Gateway: "alphapay"}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			config, err := Parse("payscand.toml", []byte("policy.sale_deadline = \"7m\"\n"+test.document))
			if err != nil {
				t.Fatal(err)
			}
			want := payment.DefaultPolicy()
			want.SaleDeadline = 7 * time.Minute
			want.Routes = test.want
			if diff := cmp.Diff(want, config.PaymentPolicy()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Validate finds the same mistakes in a configuration made in code, without lines.
func TestValidateOfAConfigurationMadeInCode(t *testing.T) {
	config := Default()
	config.Terminal.Code = ""
	config.Gateways = Gateways{"alphapay": {Type: GatewayAlphaPay}}
	config.Scanners = []Scanner{{Type: ScannerSerial}, {Type: ScannerHID}}
	var problems Problems
	if !errors.As(config.Validate(), &problems) {
		t.Fatal("no problems")
	}
	var got []string
	for _, p := range problems {
		got = append(got, fmt.Sprintf("%q %d %s", p.File, p.Line, p.Path))
	}
	want := []string{`"" 0 terminal.code`, `"" 0 gateway.alphapay`, `"" 0 scanner[0]`, `"" 0 scanner[1]`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// However large or deep a document is, checking it is quick and its error is short.
func TestHostileDocumentsAreBounded(t *testing.T) {
	fill := func(part string) string { return strings.Repeat(part, maxFileSize/len(part)) }
	documents := map[string]string{
		"too large":     strings.Repeat("#", maxFileSize+1),
		"deep list":     "a = " + strings.Repeat("[", 9000) + strings.Repeat("]", 9000),
		"deep key":      strings.Repeat("a.", maxFileSize/2-4) + "a = 1",
		"long key":      strings.Repeat("a", maxFileSize-8) + " = 1",
		"long key, two": strings.Repeat(strings.Repeat("a", maxFileSize/2-8)+" = 1\n", 2),
		"scanners":      fill("[[scanner]]\n"),
		"routes":        fill("[[route]]\n"),
		"codes":         fill("[[code]]\nwallet='wechat'\nprefixes=['10']\ndigits=[18,18]\n"),
	}
	var gateways strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&gateways, "[gateway.g%d]\n[bogus%d]\n", i, i)
	}
	documents["gateways"] = gateways.String()
	for name, document := range documents {
		t.Run(name, func(t *testing.T) {
			text := problemsOf(t, document).Error()
			if len(text) == 0 || len(text) > 32<<10 {
				t.Errorf("the error has %d bytes", len(text))
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(Documented))
	f.Add([]byte(uncomment(Documented)))
	f.Add([]byte(account))
	f.Add([]byte("[terminal]\ncode = 5\ncolour = \"x\"\n[[scanner]]\ntype = \"serial\"\nbaud = \"x\"\n" + account))
	f.Add([]byte("gateway.a.b = [[1, {c = 1}]]\n\"\\n\" = 2020-01-01\nscanner = [{type = \"serial\", port = \"/dev/a\"}]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		config, err := Parse("payscand.toml", data)
		if err == nil {
			if err := config.Validate(); err != nil {
				t.Fatalf("a configuration was taken that is not valid: %v", err)
			}
			return
		}
		problems, ok := errors.AsType[Problems](err)
		if !ok || len(problems) == 0 || config != nil {
			t.Fatalf("neither problems nor a configuration: %T %v", err, err)
		}
		lines := 1 + strings.Count(string(data), "\n")
		last := 0
		for _, p := range problems {
			if p.File != "payscand.toml" || p.Message == "" || p.Line > lines {
				t.Errorf("incomplete problem %#v in %d lines", p, lines)
			}
			if p.Line > 0 && p.Line < last || p.Line > 0 && last == -1 {
				t.Errorf("line %d after line %d", p.Line, last)
			}
			last = p.Line
			if p.Line == 0 {
				last = -1
			}
			if strings.ContainsFunc(p.String(), isControl) {
				t.Errorf("control characters in %q", p)
			}
		}
	})
}
