package test

import "testing"

// TestWrongWords: words that no command knows end with status 64 at every depth, so that a timer with a misspelt command
// does not pass for done; a command that only holds others shows them.
func TestWrongWords(t *testing.T) {
	t.Parallel()
	for _, arguments := range [][]string{
		{"chekc"}, {"journal", "verfy"}, {"config", "chekc"}, {"devices", "lits"}, {"check", "--jsno"}, {"sale"}, {"version", "now"},
		{"sale", "1.00", "--mode", "foo"},
		{"sale", "0.00", "--currency", "CAD", "--address", "http://127.0.0.1:1"}, {"sales", "--status", "unresolvd"},
		{"help", "chekc"}, {"help", "journal", "verfy"}, {"completion", "bsah"}, {"completion", "bash", "now"},
	} {
		if printed, status := runProgram(t, arguments...); status != 64 {
			t.Errorf("%q: exit status %d, want 64:\n%s", arguments, status, printed)
		}
	}
	for _, arguments := range [][]string{{}, {"journal"}, {"config"}, {"devices"}, {"--version"}, {"help", "journal", "verify"}, {"completion", "bash"}} {
		if printed, status := runProgram(t, arguments...); status != 0 || printed == "" {
			t.Errorf("%q: exit status %d, want 0 and words:\n%s", arguments, status, printed)
		}
	}
}
