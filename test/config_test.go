package test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// badConfiguration has six mistakes of different kinds, each in a line that ends with a comment naming its path.
const badConfiguration = `[terminal]
code = "L1"
colour = "blue" # terminal.colour

[api]
listen = "0.0.0.0:8480" # api.listen
socket = "api.sock"
token_dir = "tokens"

[store]
path = "payscand.db"

[gateway.alphapay]
base_url = "https://openapi.alphapay.ca"
merchant_code = "M1"
private_key_file = "private.pem" # gateway.alphapay.private_key_file
platform_key_file = "public.pem" # gateway.alphapay.platform_key_file

[[route]]
wallet = "*"
gateway = "betapay" # route[0].gateway

[[scanner]]
type = "serial"
port = "/dev/ttyACM0"
baud = "fast" # scanner[0].baud
`

// TestBadConfiguration: config check and run report every mistake of a configuration at once, each with its line and its
// path and without its value, with exit status 78, and write nothing (P9).
func TestBadConfiguration(t *testing.T) {
	t.Parallel()
	dir := shortDir(t)
	path := filepath.Join(dir, "payscand.toml")
	for name, mode := range map[string]os.FileMode{"payscand.toml": 0o600, "private.pem": 0o644, "public.pem": 0o644} {
		content := "a key\n"
		if name == "payscand.toml" {
			content = badConfiguration
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), mode); err != nil {
			t.Fatal(err)
		}
	}
	var want []string
	for i, line := range strings.Split(badConfiguration, "\n") {
		if _, mistake, found := strings.Cut(line, " # "); found {
			want = append(want, path+":"+strconv.Itoa(i+1)+": "+mistake+": ")
		}
	}
	if len(want) != 6 {
		t.Fatalf("%d mistakes, want 6", len(want))
	}
	for _, arguments := range [][]string{{"config", "check", path}, {"run", "--config", path}} {
		printed, status := runProgram(t, arguments...)
		if status != 78 {
			t.Errorf("%v: exit status %d, want 78", arguments, status)
		}
		var got []string
		for line := range strings.Lines(strings.TrimPrefix(printed, "payscand: ")) {
			place, message := cutPlace(line)
			if strings.TrimSpace(message) == "" {
				t.Errorf("%v: it is not said what is wrong: %s", arguments, line)
			}
			got = append(got, place)
		}
		if difference := cmp.Diff(want, got); difference != "" {
			t.Errorf("%v (-want +got):\n%s\n%s", arguments, difference, printed)
		}
		for _, value := range []string{"blue", "0.0.0.0", "betapay", "fast"} {
			if strings.Contains(printed, value) {
				t.Errorf("%v: the value %q is repeated:\n%s", arguments, value, printed)
			}
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 3 {
		t.Errorf("files were made beside the configuration: %v, %v", left, err)
	}
}

// cutPlace cuts "file:line: path: " from what is wrong there.
func cutPlace(line string) (place, message string) {
	parts := strings.SplitN(line, ": ", 3)
	if len(parts) < 3 {
		return line, ""
	}
	return parts[0] + ": " + parts[1] + ": ", parts[2]
}

// TestGoodConfiguration: the configuration of a whole counter is good, and checking it needs no daemon.
func TestGoodConfiguration(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	s.pay(s.sell(1200), s.code(paidAtOnce))
	printed, status := runProgram(t, "config", "check", s.Config())
	if status != 0 || !strings.Contains(printed, "is good") {
		t.Errorf("exit status %d: %s", status, printed)
	}
}
