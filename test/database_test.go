package test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"payscand/api/client"
	"payscand/store/storetest"
)

// operate runs a command of the shop's IT with the shop's configuration, and expects its exit status.
func (s *shop) operate(status int, arguments ...string) string {
	s.t.Helper()
	printed, got := runProgram(s.t, append(arguments, "--config", s.Config())...)
	s.hear([]byte(printed))
	if got != status {
		s.t.Fatalf("payscand %s: exit status %d, want %d:\n%s", strings.Join(arguments, " "), got, status, printed)
	}
	return printed
}

// backUp makes a backup by the command.
func (s *shop) backUp() client.Backup {
	s.t.Helper()
	var made client.Backup
	s.must(decodeStrictly([]byte(s.operate(0, "backup", "--json")), &made))
	return made
}

// TestBackup: a backup is made while the daemon runs and a customer pays. It is whole, for its owner alone, and holds no
// payment code, though the database beside it does (P8). With the daemon stopped the same command makes one too. Only so
// many as configured stay. What the register's token may not ask for is refused.
func TestBackup(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	paid := s.pay(s.sell(1100), s.code(paidAtOnce))
	waiting, code := s.sell(1200), s.code(answerLost)
	s.scan(code)
	s.awaitAttempt(waiting.ID, "unknown")
	first := s.backUp()

	info, err := os.Stat(first.Path)
	s.must(err)
	if info.Mode().Perm() != 0o600 || info.Size() != first.Bytes || first.Sales != 2 {
		t.Errorf("mode %o, %d bytes; told: %+v", info.Mode().Perm(), info.Size(), first)
	}
	content, err := os.ReadFile(first.Path)
	s.must(err)
	live, err := os.ReadFile(s.Database())
	s.must(err)
	if bytes.Contains(content, []byte(code)) || !bytes.Contains(live, []byte(code)) || !bytes.Contains(content, []byte(paid.ID)) {
		t.Error("the backup must hold the sales and no code, the database the code of the attempt under way")
	}
	for _, look := range [][]string{{"check", first.Path}, {"journal", "verify", first.Path}} {
		if said := s.operate(0, look...); !strings.Contains(said, "all is as it was written") || !strings.Contains(said, "not adopted") {
			t.Errorf("%v says %s", look, said)
		}
	}
	if said := s.operate(1, "check"); !strings.Contains(said, "stop it first") {
		t.Errorf("looking at the database of a running daemon: %s", said)
	}
	s.call(http.MethodPost, "/v1/backups", nil).refused(http.StatusForbidden, client.CodeForbidden)
	s.awaitStatus(waiting.ID, client.StatusPaid)
	for range 3 {
		s.backUp()
	}
	s.must(s.StopDaemon())
	last := s.backUp() // by itself
	files, err := os.ReadDir(filepath.Dir(last.Path))
	s.must(err)
	if len(files) != 3 {
		t.Errorf("%d backups are kept, want 3: %v", len(files), files)
	}
	if said := s.operate(0, "check", "--json"); !json.Valid([]byte(said)) || !strings.Contains(said, `"findings":[]`) {
		t.Errorf("check --json says %s", said)
	}

	damaged := filepath.Join(s.dir, "damaged.db")
	flipped := bytes.Clone(content)
	flipped[bytes.Index(flipped, []byte(`"amount":{"amount":1100`))+12] ^= 1
	s.must(os.WriteFile(damaged, flipped, 0o600))
	if said := s.operate(5, "check", damaged); !strings.Contains(said, paid.ID) {
		t.Errorf("the damaged sale is not named: %s", said)
	}
	if said := s.operate(1, "restore", damaged); !strings.Contains(said, paid.ID) {
		t.Errorf("a damaged backup is restored, or it is not said what is wrong: %s", said)
	}
}

// TestRestoredOrMoved: a database that was restored, or wakes up on another machine, with a payment whose outcome is not
// known: it is asked about and found paid, nothing is sent again, no sale is taken, what the register asked for before is
// answered. Once it is adopted the terminal sells again (P1, P2, P4, P5).
func TestRestoredOrMoved(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		// change happens to the database while no daemon runs.
		change func(s *shop, backup client.Backup)
	}{
		{"restored", func(s *shop, backup client.Backup) {
			if said := s.operate(1, "restore", backup.Path); !strings.Contains(said, "--replace") {
				s.t.Errorf("restoring over a database: %s", said)
			}
			s.operate(0, "restore", backup.Path, "--replace")
			if kept, err := filepath.Glob(s.Database() + ".replaced-*"); err != nil || len(kept) != 1 {
				s.t.Errorf("the database that was there is not kept: %v, %v", kept, err)
			}
		}},
		{"moved", func(s *shop, _ client.Backup) { s.must(storetest.Move(s.Database(), "another machine")) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := openShop(t)
			key, wanted := rand.Text(), client.NewSale{Amount: 4200, Currency: "CAD", Mode: client.ModeScan, Reference: "till-1/77"}
			sale, _ := s.create(key, wanted)
			s.scan(s.code(answerLost))
			s.awaitAttempt(sale.ID, "unknown")
			backup := s.backUp()
			s.KillDaemon()
			c.change(s, backup)
			sent, err := s.Order(sale.ID + "-1")
			s.must(err)

			s.must(s.StartDaemon(s.ctx))
			if s.terminal().Adopted {
				t.Error("the terminal says that it is adopted")
			}
			other := client.NewSale{Amount: 900, Currency: "CAD", Mode: client.ModeScan}
			s.call(http.MethodPost, "/v1/sales", other, withKey("new")).refused(http.StatusServiceUnavailable, client.CodeNotAdopted)
			if again, replayed := s.create(key, wanted); !replayed || again.ID != sale.ID {
				t.Errorf("the repeated request got sale %s, replayed %v; want %s again", again.ID, replayed, sale.ID)
			}
			paid := s.awaitStatus(sale.ID, client.StatusPaid)
			refund := s.call(http.MethodPost, "/v1/sales/"+sale.ID+"/refunds", client.NewRefund{}, withKey("refund"))
			refund.refused(http.StatusServiceUnavailable, client.CodeNotAdopted)
			if now := s.expectCaptures(paid.Attempts[0].RequestID, 1); now.Sends != sent.Sends || now.Refunded != 0 {
				t.Errorf("it was sent %d times, now %d; %d given back", sent.Sends, now.Sends, now.Refunded)
			}
			if said := s.operate(1, "adopt"); !strings.Contains(said, "stop it first") {
				t.Errorf("adopting under a running daemon: %s", said)
			}

			s.must(s.StopDaemon())
			s.operate(0, "adopt")
			if said := s.operate(0, "adopt"); !strings.Contains(said, "already") {
				t.Errorf("adopting again: %s", said)
			}
			s.must(s.StartDaemon(s.ctx))
			s.must(s.AwaitReady(s.ctx))
			if !s.terminal().Adopted {
				t.Error("adopted, the terminal says that it is not")
			}
			s.pay(s.sell(900), s.code(paidAtOnce))
		})
	}
}

// TestOlderAndNewerDatabase: a file that the first release wrote is restored, brought to the present schema and whole; one
// of a newer release is refused by every command that would open it, with what to do, and left as it is.
func TestOlderAndNewerDatabase(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	s.must(s.StopDaemon())
	before, err := os.ReadFile(s.Database())
	s.must(err)
	s.must(storetest.Newer(s.Database()))
	newer, err := os.ReadFile(s.Database())
	s.must(err)
	for _, command := range [][]string{{"run"}, {"check"}, {"backup"}, {"adopt"}} {
		if said := s.operate(1, command...); !strings.Contains(said, "newer payscand") || !strings.Contains(said, "install that version again") {
			t.Errorf("%v says %s", command, said)
		}
	}
	if now, err := os.ReadFile(s.Database()); err != nil || !bytes.Equal(now, newer) {
		t.Errorf("the newer file was changed: %v", err)
	}
	s.must(os.WriteFile(s.Database(), before, 0o600))

	old := filepath.Join(s.dir, "schema-1.db")
	s.must(storetest.Unpack(filepath.Join("..", "store", "testdata", "schema-1.db.gz"), old))
	if said := s.operate(0, "check", old); !strings.Contains(said, "schema 1") {
		t.Errorf("check of the old file says %s", said)
	}
	other := filepath.Join(s.dir, "other")
	s.must(os.Mkdir(other, 0o700))
	config, err := os.ReadFile(s.Config())
	s.must(err)
	path := filepath.Join(other, "payscand.toml")
	config = bytes.ReplaceAll(config, []byte(s.Database()), []byte(filepath.Join(other, "payscand.db")))
	s.must(os.WriteFile(path, config, 0o600))
	if said, status := runProgram(t, "restore", old, "--config", path); status != 0 {
		t.Fatalf("restore: exit status %d: %s", status, said)
	}
	if said, status := runProgram(t, "check", "--config", path); status != 0 || !strings.Contains(said, "schema 2") {
		t.Errorf("check of what was restored: exit status %d: %s", status, said)
	}
}
