package test

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"payscand/api/client"
)

// TestCrashIsStartedAgain: a daemon that crashes, as Go programs do, or that systemd's watchdog ends, does not end with a
// status after which the unit leaves it down, else what it did not know would stay unknown (P5). After a configuration that
// is refused, and words that are wrong, it is left down.
func TestCrashIsStartedAgain(t *testing.T) {
	t.Parallel()
	leftDown := statusesLeftDown(t)
	s := openShop(t)
	s.must(s.StopDaemon())
	// What WatchdogSec= sends, and what people send to see where a daemon hangs. To either the Go runtime does as after a
	// panic: it prints the goroutines and exits.
	for _, signal := range []syscall.Signal{syscall.SIGABRT, syscall.SIGQUIT} {
		c := start(t, nil, "run", "--config", s.Config())
		c.awaitText("msg=ready")
		s.must(c.cmd.Process.Signal(signal))
		status := c.exit()
		if status < 1 || leftDown[status] || !strings.Contains(c.out.String(), "goroutine ") {
			t.Errorf("%v ends the daemon with status %d, after which it stays down, or not as a crash:\n%s", signal, status, c.out.String())
		}
	}

	none := filepath.Join(s.dir, "none.toml")
	for _, arguments := range [][]string{{"run", "--config", none}, {"run", "--confg", none}, {"run", "daemon"}} {
		if printed, status := runProgram(t, arguments...); !leftDown[status] {
			t.Errorf("%v ends with status %d, and would be started again for ever:\n%s", arguments, status, printed)
		}
	}
}

// statusesLeftDown reads from the unit after which exit statuses systemd does not start the daemon again.
func statusesLeftDown(t *testing.T) map[int]bool {
	t.Helper()
	unit, err := os.ReadFile(filepath.Join("..", "systemd", "payscand.service"))
	if err != nil {
		t.Fatal(err)
	}
	statuses := map[int]bool{}
	for line := range strings.Lines(string(unit)) {
		words, found := strings.CutPrefix(line, "RestartPreventExitStatus=")
		if !found {
			continue
		}
		for word := range strings.FieldsSeq(words) {
			status, err := strconv.Atoi(word)
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			statuses[status] = true
		}
	}
	if len(statuses) == 0 || !strings.Contains(string(unit), "\nRestart=always\n") {
		t.Fatal("the unit does not say when the daemon is started again")
	}
	return statuses
}

// TestDroppedGateway: a configuration that does not name a gateway any more where a payment is not known yet is refused at
// the start, with what to do and a status that leaves the daemon down. Put back, the payment is found (M7, P5).
func TestDroppedGateway(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	sale := s.sell(1300)
	s.scan(s.code(neverConfirmed))
	s.awaitAttempt(sale.ID, "pending")
	s.KillDaemon()
	printed, status := runProgram(t, "run", "--config", s.otherGateway())
	s.hear([]byte(printed))
	if !statusesLeftDown(t)[status] || !strings.Contains(printed, sale.ID) || !strings.Contains(printed, "put it back") || strings.Contains(printed, "started again") {
		t.Errorf("status %d:\n%s", status, printed)
	}
	s.must(s.StartDaemon(s.ctx))
	s.confirm(sale.ID + "-1")
	s.awaitStatus(sale.ID, client.StatusPaid)
}

// otherGateway writes a configuration that names the gateway otherwise, and returns its path.
func (s *shop) otherGateway() string {
	s.t.Helper()
	config, err := os.ReadFile(s.Config())
	s.must(err)
	path := filepath.Join(s.dir, "other.toml")
	config = bytes.ReplaceAll(config, []byte("[gateway.alphapay]"), []byte("[gateway.other]\ntype = \"alphapay\""))
	s.must(os.WriteFile(path, config, 0o600))
	return path
}

// TestGatewayTakenOut: where a sale is only watched at a gateway that the configuration does not name any more, the daemon
// takes sales, and says which one and what to do (P5).
func TestGatewayTakenOut(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	sale := s.sell(1300)
	s.scan(s.code(neverConfirmed))
	s.awaitAttempt(sale.ID, "pending")
	s.cancel(sale.ID)
	s.awaitStatus(sale.ID, client.StatusCancelled)
	s.KillDaemon()
	c := start(t, nil, "run", "--config", s.otherGateway())
	c.awaitText("ready")
	c.interrupt()
	printed := ""
	if status := c.exit(); status == 0 {
		printed = c.out.String()
	}
	s.hear([]byte(printed))
	for _, want := range []string{"watched at a gateway", "gateway=alphapay", sale.ID, "put its section back"} {
		if !strings.Contains(printed, want) {
			t.Errorf("%q is not told:\n%s", want, printed)
		}
	}
}
