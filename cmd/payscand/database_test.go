package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"payscand/store"
)

// TestBackupWithoutAToken: a token that cannot be read is told, and not taken for a daemon that does not run.
func TestBackupWithoutAToken(t *testing.T) {
	terminal := httptest.NewServer(http.NotFoundHandler())
	defer terminal.Close()
	dir := t.TempDir()
	config := filepath.Join(dir, "payscand.toml")
	if err := os.WriteFile(config, fmt.Appendf(nil, `[terminal]
code = "L1"
[api]
listen = %q
socket = ""
token_dir = "tokens"
[store]
path = "payscand.db"
[gateway.alphapay]
base_url = "https://openapi.alphapay.ca"
merchant_code = "M1"
private_key_file = "private.pem"
platform_key_file = "public.pem"
`, terminal.Listener.Addr()), 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(filepath.Join(dir, "payscand.db")) // as a daemon has it
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	root := newRoot()
	root.SetArgs([]string{"backup", "--config", config, "--token-file", filepath.Join(dir, "none")})
	if err := root.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), "token: ") {
		t.Errorf("%v; want that there is no token", err)
	}
}
