package test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"payscand/api/client"
	"payscand/store"
)

// badScans are what comes out of scanners and is no payment code. The long one is not the first: by then the daemon knows
// that this scanner ends its scans with CR, and a busy machine's pauses within one do not end it.
var badScans = []struct {
	name, text string
	// secret is what must not come out, text where empty; kind is how it is called when scanned, posted when posted.
	secret, kind, posted string
}{
	{name: "a URL", text: "https://qr.example.com/p/28123456789012340000", kind: "web_address"},
	{name: "5,000 bytes", text: strings.Repeat("281234567890123400", 278)[:5000], secret: "281234567890123400", kind: "oversize", posted: "too_long"},
	{name: "letters", text: "LOYALTY-CARD-0815-4711", kind: "text"},
	{name: "15 digits", text: "281234567890123", kind: "too_short"},
	{name: "25 digits", text: "2812345678901234567890123", kind: "reserved_length"},
	{name: "33 digits", text: "281234567890123456777777777777777", kind: "too_long"},
	{name: "a WeChat code of 17 digits", text: "13456789012345678", kind: "wrong_length"},
	{name: "a doubled code", text: "281234567890123400281234567890123400", secret: "281234567890123400", kind: "doubled_code"},
	{name: "a goods barcode", text: "4006381333931", kind: "goods_barcode"},
}

// TestBadScans: what is scanned and no payment code leaves the sale as it was. The terminal tells what it was, the journal
// keeps it masked, and the next right code pays (P9).
func TestBadScans(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	sale := s.sell(3100)
	for i, bad := range badScans {
		secret := bad.secret
		if secret == "" {
			secret = bad.text
		}
		s.secret(secret)
		if _, err := s.Scanner.Write([]byte(bad.text + "\r")); err != nil {
			t.Fatalf("%s: %v", bad.name, err)
		}
		state := s.awaitTerminal(func(t client.Terminal) bool { return t.RefusedScans > int64(i) })
		if refused := state.LastRefusedScan; state.RefusedScans != int64(i+1) || refused.Kind != bad.kind || refused.Sale != sale.ID ||
			refused.Device != state.Scanners[0].Device {
			t.Errorf("%s: refused scan %d is %+v, want %s", bad.name, state.RefusedScans, refused, bad.kind)
		}
		if now := s.get(sale.ID); now.Version != sale.Version || now.Status != client.StatusAwaitingCode {
			t.Errorf("%s changed the sale: version %d, %s", bad.name, now.Version, now.Status)
		}
	}
	s.pay(sale, s.code(paidAtOnce))

	s.must(s.StopDaemon())
	journalled := refusedScans(s.records().journal)
	if len(journalled) != len(badScans) {
		t.Fatalf("%d refused scans are in the journal, want %d", len(journalled), len(badScans))
	}
	for i, bad := range badScans {
		if detail := journalled[i].Detail; detail["kind"] != bad.kind || detail["sale"] != sale.ID || detail["device"] == "" {
			t.Errorf("%s: journalled as %v, want %s", bad.name, detail, bad.kind)
		}
	}
}

// TestManyBadScans: of a scanner that goes on and on, ten scans a minute are journalled and the others only counted (P10).
func TestManyBadScans(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	const scans, journalled = 15, 10
	var burst strings.Builder
	for i := range scans {
		fmt.Fprintf(&burst, "%s\r", s.secret(fmt.Sprintf("SHELF-LABEL-%04d", i)))
	}
	_, err := s.Scanner.Write([]byte(burst.String()))
	s.must(err)
	state := s.awaitTerminal(func(t client.Terminal) bool { return t.RefusedScans >= scans })
	if state.RefusedScans != scans || state.LastRefusedScan.Kind != "not_armed" || state.LastRefusedScan.Sale != "" {
		t.Errorf("%d refused scans, the last %+v; want %d, not_armed, of no sale", state.RefusedScans, state.LastRefusedScan, scans)
	}
	s.must(s.StopDaemon())
	if n := len(refusedScans(s.records().journal)); n != journalled {
		t.Errorf("%d refused scans are in the journal, want %d", n, journalled)
	}
}

func refusedScans(journal []store.JournalRecord) (refused []store.JournalRecord) {
	for _, record := range journal {
		if record.Type == "scan.refused" {
			refused = append(refused, record)
		}
	}
	return refused
}

// TestBadPostedCodes: what the register posts as a code and is none is refused with what it was; nothing is written.
func TestBadPostedCodes(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	sale := s.sell(3200)
	before := s.disk()
	for _, bad := range badScans {
		secret, kind := bad.secret, bad.posted
		if secret == "" {
			secret = bad.text
		}
		if kind == "" {
			kind = bad.kind
		}
		s.secret(secret)
		problem := s.call(http.MethodPost, "/v1/sales/"+sale.ID+"/code", client.PresentedCode{Code: bad.text}).
			refused(http.StatusUnprocessableEntity, client.CodeCodeRefused)
		if problem.Refusal == nil || problem.Refusal.Kind != kind || problem.Refusal.Length != len(bad.text) {
			t.Errorf("%s: refused as %+v, want %s", bad.name, problem.Refusal, kind)
		}
	}
	s.expectDisk(before)
	if now := s.get(sale.ID); now.Version != sale.Version {
		t.Errorf("the sale changed: %+v", now)
	}
	code := s.code(paidAtOnce)
	s.call(http.MethodPost, "/v1/sales/"+sale.ID+"/code", client.PresentedCode{Code: code}).expect(http.StatusOK)
	s.awaitStatus(sale.ID, client.StatusPaid)

	other := s.sell(3300) // the same code again, for another sale (M10)
	s.call(http.MethodPost, "/v1/sales/"+other.ID+"/code", client.PresentedCode{Code: code}).
		refused(http.StatusConflict, client.CodeCodeUsed)
}
