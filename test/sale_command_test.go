package test

import (
	"encoding/json"
	"strings"
	"testing"

	"payscand/api/client"
)

// TestSaleCommand: payscand sale takes an amount with a code that is typed; its exit status says how the sale ended.
func TestSaleCommand(t *testing.T) {
	t.Parallel()
	s := openShop(t)

	paid := s.startSale("12.34")
	paid.awaitText("awaiting_code")
	paid.typeLine(s.code(pendingThenPaid))
	if status := paid.exit(); status != 0 || !strings.Contains(paid.out.String(), "paid") {
		t.Errorf("a paid sale: exit status %d:\n%s", status, paid.out.String())
	}

	unpaid := s.startSale("56.78")
	unpaid.awaitText("awaiting_code")
	unpaid.typeLine("4006381333931") // a slip: it is told, and the sale goes on
	unpaid.awaitText("goods barcode")
	unpaid.typeLine(s.code(noBalanceNoID))
	unpaid.awaitText("attempt 1 code failed")
	unpaid.interrupt()
	if status := unpaid.exit(); status != 3 || !strings.Contains(unpaid.out.String(), "cancelled") {
		t.Errorf("a sale that was cancelled after its code was refused: exit status %d, want 3:\n%s", status, unpaid.out.String())
	}
	if live := s.terminal().Live; live != nil {
		t.Errorf("the terminal is not free: %+v", live)
	}
}

// TestSaleCommandJSON: with --json each state of the sale is a line that a register's program can read as what the API
// answers, the versions rising up to the end.
func TestSaleCommandJSON(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	command := s.startSale("12.34", "--json", "--mode", "scan", "--reference", "till-1/5")
	command.awaitText("awaiting_code")
	command.typeLine(s.code(pendingThenPaid))
	if status := command.exit(); status != 0 {
		t.Fatalf("exit status %d:\n%s", status, command.out.String())
	}
	var last client.Sale
	for line := range strings.Lines(command.printed.String()) {
		if !json.Valid([]byte(line)) {
			t.Fatalf("not a line of JSON: %s", line)
		}
		var sale client.Sale
		if err := decodeStrictly([]byte(line), &sale); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if sale.Version <= last.Version || last.ID != "" && sale.ID != last.ID {
			t.Errorf("version %d of sale %s follows version %d of sale %s", sale.Version, sale.ID, last.Version, last.ID)
		}
		last = sale
	}
	if last.Status != client.StatusPaid || last.Amount != 1234 || last.Reference != "till-1/5" || last.Receipt == nil {
		t.Errorf("the last line is not the paid sale: %+v", last)
	}
	s.mu.Lock()
	s.shown[last.ID] = last // for the audit
	s.mu.Unlock()
}

// startSale runs payscand sale at the shop. What it prints is audited.
func (s *shop) startSale(arguments ...string) *command {
	s.t.Helper()
	var c *command
	s.t.Cleanup(func() { // after the command has ended
		if c != nil {
			s.hear([]byte(c.out.String()))
		}
	})
	c = start(s.t, nil, append([]string{"sale", "--config", s.Config()}, arguments...)...)
	return c
}
