package configs

import (
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pelletier/go-toml/v2"

	"payscand/payment"
)

// uncomment switches on every setting of the documented configuration that is
// switched off: # without a space behind it.
func uncomment(document string) string {
	return regexp.MustCompile(`(?m)^#([^ #\n])`).ReplaceAllString(document, "$1")
}

func decodeText(t *testing.T, text string) Config {
	t.Helper()
	document := map[string]any{}
	if err := toml.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(err)
	}
	config, problems := decode(document)
	if len(problems.found) > 0 {
		t.Fatal(problems.found)
	}
	return config
}

// What the documented configuration sets is the default, and its only mistake
// is the gateway that a shop must add.
func TestDocumentedIsTheDefault(t *testing.T) {
	if diff := cmp.Diff(Default(), decodeText(t, Documented)); diff != "" {
		t.Errorf("payscand.toml differs from Default (-code +file):\n%s", diff)
	}
	problems := problemsOf(t, Documented)
	if len(problems) != 1 || problems[0].Path != "gateway" {
		t.Errorf("mistakes in payscand.toml: %v", problems)
	}
	policy := payment.DefaultPolicy()
	if got := Default().PaymentPolicy(); !cmp.Equal(got, policy) {
		t.Errorf("the default changes the money rules: %s", cmp.Diff(policy, got))
	}
}

// With everything switched on, the documented configuration is valid, and what
// it shows for optional keys are their defaults.
func TestDocumentedOptionsAreTheDefaults(t *testing.T) {
	got, err := Parse("/etc/payscand/payscand.toml", []byte(uncomment(Documented)))
	if err != nil {
		t.Fatal(err)
	}
	want, err := Parse("/etc/payscand/payscand.toml", []byte(`
[gateway.alphapay]
base_url = "https://openapi.alphapay.ca"
merchant_code = "M0000001"
private_key_file = "alphapay-private.pem"
platform_key_file = "alphapay-public.pem"
[gateway.alipayplus]
base_url = "https://open-sea.alipayplus.com"
client_id = "5J00000000000000"
private_key_file = "alipayplus-private.pem"
platform_key_file = "alipayplus-public.pem"
notify_url = "https://shop.example/notify/alipayplus"
[gateway.alipayplus.merchant]
reference_id = "M0001"
name = "Corner Shop"
mcc = "5411"
region = "CA"
[gateway.alipayplus.store]
reference_id = "S0001"
name = "Corner Shop, Main Street"
mcc = "5411"
[[route]]
wallet = "*"
instrument = "*"
gateway = "alphapay"
[[scanner]]
type = "serial"
port = "/dev/ttyACM0"
[[scanner]]
type = "hid"
[[display]]
type = "kiosk"
`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.PaymentPolicy(), got.PaymentPolicy()); diff != "" {
		t.Errorf("the route shown is not the default one: %s", diff)
	}
	got.Routes, want.Routes = nil, nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("a documented option is not the default (-default +file):\n%s", diff)
	}
}

// Every key that the code knows is in the documented configuration, and the
// comment over it says the default, or that there is none.
func TestEveryKeyIsDocumented(t *testing.T) {
	document := uncomment(Documented)
	documented := indexLines([]byte(document))
	lines := strings.Split(document, "\n")
	keys := keysOf("", reflect.TypeFor[Config]())
	keys = append(keys, keysOf("gateway.alphapay", reflect.TypeFor[Gateway]())...)
	keys = append(keys, keysOf("gateway.alphapay", reflect.TypeFor[AlphaPay]())...)
	keys = append(keys, keysOf("gateway.alipayplus", reflect.TypeFor[Gateway]())...)
	keys = append(keys, keysOf("gateway.alipayplus", reflect.TypeFor[AlipayPlus]())...)
	keys = append(keys, keysOf("scanner[0]", reflect.TypeFor[SerialScanner]())...)
	keys = append(keys, keysOf("scanner[1]", reflect.TypeFor[HIDScanner]())...)
	keys = append(keys, keysOf("display[0]", reflect.TypeFor[Kiosk]())...)
	if len(keys) < 30 {
		t.Fatalf("only %d keys were found: %v", len(keys), keys)
	}
	for _, key := range keys {
		if strings.HasPrefix(key, "code[") { // described together, over the rules
			name := key[strings.LastIndex(key, ".")+1:]
			if !strings.Contains(Documented, "\n#   "+name+" ") {
				t.Errorf("%s is not described", key)
			}
			continue
		}
		line, ok := documented[key]
		if !ok {
			t.Errorf("%s is missing", key)
			continue
		}
		var comment string
		for i := line - 2; i >= 0 && strings.HasPrefix(lines[i], "# "); i-- {
			comment = strings.TrimPrefix(lines[i], "# ") + " " + comment
		}
		if !strings.Contains(comment, "Default: ") && !strings.Contains(strings.ToLower(comment), "no default") {
			t.Errorf("the comment of %s does not say its default: %q", key, comment)
		}
		_, value, _ := strings.Cut(lines[line-1], " = ")
		if said := regexp.MustCompile(`Default: ("[^"]*"|\[[^]]*\]|\d+)`).FindStringSubmatch(comment); said != nil && said[1] != value {
			t.Errorf("the comment of %s says the default is %s; it is %s", key, said[1], value)
		}
	}
}

// keysOf lists the paths of a struct's keys, of the first element in lists.
func keysOf(path string, structure reflect.Type) []string {
	var keys []string
	for _, field := range reflect.VisibleFields(structure) {
		name := tomlName(field)
		if name == "" {
			continue
		}
		below := join(path, name)
		switch kind := field.Type; {
		case kind == reflect.TypeFor[Gateways]():
		case kind.Kind() == reflect.Slice && kind.Elem().Kind() == reflect.Struct:
			keys = append(keys, keysOf(index(below, 0), kind.Elem())...)
		case kind.Kind() == reflect.Struct && kind != reflect.TypeFor[TimeOfDay]() && kind != reflect.TypeFor[KeyFile]():
			keys = append(keys, keysOf(below, kind)...)
		default:
			keys = append(keys, below)
		}
	}
	return keys
}
