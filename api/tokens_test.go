package api_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"payscand/api"
)

// The first start makes one random token a role, readable by owner and group
// only; later starts keep them.
func TestOpenTokensMakesThem(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "tokens")
	if _, err := api.OpenTokens(dir); err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]api.Role)
	for _, role := range api.Roles() {
		info, err := os.Stat(filepath.Join(dir, string(role)+".token"))
		if err != nil || info.Mode() != 0o640 {
			t.Fatalf("%s: %v, mode %v", role, err, info.Mode())
		}
		token := readToken(t, dir, role)
		if !regexp.MustCompile(`^[a-z2-7]{52}$`).MatchString(token) { // 52 × 5 bits hold 256
			t.Errorf("%s has token %q", role, token)
		}
		if other, twice := seen[token]; twice {
			t.Errorf("%s and %s have the same token", role, other)
		}
		seen[token] = role
	}
	if _, err := api.OpenTokens(dir); err != nil {
		t.Fatal(err)
	}
	for token, role := range seen {
		if readToken(t, dir, role) != token {
			t.Errorf("%s's token was changed", role)
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != len(api.Roles()) {
		t.Errorf("%v; files %v", err, files)
	}
}

// Every mistake in token files is reported, with its place and without a token.
func TestBadTokenFiles(t *testing.T) {
	const good, shared = "abcdefghijklmnopqrstuvwxyz0123456789", "zyxwvutsrqponmlkjihgfedcba9876543210"
	dir := t.TempDir()
	write := func(role api.Role, content string, mode os.FileMode) {
		t.Helper()
		path := filepath.Join(dir, string(role)+".token")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name                        string
		register, operator, metrics string
		mode                        os.FileMode
		want                        []string // "" for none: all is well
	}{
		{"several, with comments", "# old\n" + good + "\n\n  " + shared + "  \r\n", good + "1\n", good + "2", 0o640, nil},
		{"too short", "short\n", good, good + "2", 0o640, []string{"register.token:1:"}},
		{"a space within", "# c\n" + good + " " + good + "\n", good, good + "2", 0o600, []string{"register.token:2:"}},
		{"empty", "", "# nothing\n", good, 0o640, []string{"register.token holds no token", "operator.token holds no token"}},
		{"shared by roles", shared, shared, good, 0o640, []string{"register and operator"}},
		{"others may read", good, good + "1", good + "2", 0o644, []string{"register.token has mode 0644"}},
		{"group may write", good, good + "1", good + "2", 0o660, []string{"register.token has mode 0660"}},
		{"too long a file", strings.Repeat(good+"\n", 4000), good + "1", good + "2", 0o640, []string{"65536"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			write(api.RoleRegister, test.register, test.mode)
			write(api.RoleOperator, test.operator, 0o640)
			write(api.RoleMetrics, test.metrics, 0o640)
			_, err := api.OpenTokens(dir)
			if (err == nil) != (test.want == nil) {
				t.Fatalf("error %v", err)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %v does not say %q", err, want)
				}
			}
			if err != nil && (strings.Contains(err.Error(), good) || strings.Contains(err.Error(), shared) || strings.Contains(err.Error(), "short")) {
				t.Errorf("a token came out: %v", err)
			}
		})
	}
}

// A token is replaced without an interruption; a reload that fails changes nothing.
func TestReload(t *testing.T) {
	c := serve(t)
	dir := filepath.Join(filepath.Dir(c.socket), "tokens")
	path := filepath.Join(dir, "register.token")
	old, fresh := c.tokens[api.RoleRegister], strings.Repeat("f", 40)
	status := func(token string) int {
		return c.send(t, "GET", "/v1/terminal", "", header("Authorization", "Bearer "+token)).StatusCode
	}
	steps := []struct {
		content    string
		reloads    bool
		old, fresh int
	}{
		{old + "\n" + fresh + "\n", true, 200, 200},
		{"bad\n", false, 200, 200},
		{fresh + "\n", true, 401, 200},
	}
	for _, step := range steps {
		if err := os.WriteFile(path, []byte(step.content), 0o640); err != nil {
			t.Fatal(err)
		}
		if err := c.reload(); (err == nil) != step.reloads {
			t.Fatalf("reload: %v", err)
		}
		if a, b := status(old), status(fresh); a != step.old || b != step.fresh {
			t.Errorf("old token: status %d, want %d; fresh one: %d, want %d", a, step.old, b, step.fresh)
		}
	}
}
