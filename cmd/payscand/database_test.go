package main

import (
	"fmt"
	"io"
	"net"
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
	config := tcpConfig(t, dir, terminal.Listener.Addr())
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

// TestBackupBeforeTheFirstStart: where no daemon ran yet, as on a machine whose database was restored, there are no tokens,
// and the backup is made all the same.
func TestBackupBeforeTheFirstStart(t *testing.T) {
	nobody := httptest.NewServer(http.NotFoundHandler())
	address := nobody.Listener.Addr()
	nobody.Close()
	dir := t.TempDir()
	config := tcpConfig(t, dir, address)
	db, err := store.Open(filepath.Join(dir, "payscand.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	root := newRoot()
	root.SetOut(io.Discard)
	root.SetArgs([]string{"backup", "--config", config})
	if err := root.ExecuteContext(t.Context()); err != nil {
		t.Error(err)
	}
	if made, err := filepath.Glob(filepath.Join(dir, "backups", "*.db")); err != nil || len(made) != 1 {
		t.Errorf("%v, %v; want a backup", made, err)
	}
}

// tcpConfig writes the configuration of a terminal without a socket into dir, and returns its path.
func tcpConfig(t *testing.T, dir string, listen net.Addr) string {
	t.Helper()
	config := filepath.Join(dir, "payscand.toml")
	if err := os.WriteFile(config, fmt.Appendf(nil, `[terminal]
code = "L1"
[api]
listen = %q
socket = ""
token_dir = "tokens"
[store]
path = "payscand.db"
backup_dir = "backups"
[gateway.alphapay]
base_url = "https://openapi.alphapay.ca"
merchant_code = "M1"
private_key_file = "private.pem"
platform_key_file = "public.pem"
`, listen), 0o600); err != nil {
		t.Fatal(err)
	}
	return config
}
