package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"payscand/api"
	"payscand/api/client"
	"payscand/payment"
)

// fakeJournal keeps records as a store does, and wakes whoever asked for it.
type fakeJournal struct {
	mu      sync.Mutex
	records []payment.JournalRecord
	pruned  uint64 // the records up to this one are gone
	err     error  // of each read
	awake   map[chan struct{}]bool
}

const epoch = "01K9ZJ5Y7T3N8QW2R6V4X0M1BZ"

func (f *fakeTerminal) Head() (uint64, string) {
	f.journal.mu.Lock()
	defer f.journal.mu.Unlock()
	return uint64(len(f.journal.records)), epoch
}

func (f *fakeTerminal) Journal(after uint64, limit int) ([]payment.JournalRecord, error) {
	j := &f.journal
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err != nil {
		return nil, j.err
	}
	if after < j.pruned {
		return nil, fmt.Errorf("journal: %w", payment.ErrNotFound)
	}
	rest := j.records[min(after, uint64(len(j.records))):]
	return slices.Clone(rest[:min(limit, len(rest))]), nil
}

func (f *fakeTerminal) Committed() (committed <-chan struct{}, stop func()) {
	j := &f.journal
	j.mu.Lock()
	defer j.mu.Unlock()
	c := make(chan struct{}, 1)
	if j.awake == nil {
		j.awake = make(map[chan struct{}]bool)
	}
	j.awake[c] = true
	return c, func() {
		j.mu.Lock()
		defer j.mu.Unlock()
		delete(j.awake, c)
	}
}

// following is how many readers wait for records.
func (f *fakeTerminal) following() int {
	f.journal.mu.Lock()
	defer f.journal.mu.Unlock()
	return len(f.journal.awake)
}

// record adds records that belong to no sale, then prunes all up to one.
func (f *fakeTerminal) record(count int, pruned uint64) {
	records := make([]payment.JournalRecord, count)
	for i := range records {
		records[i] = payment.JournalRecord{At: moment, Type: payment.RecordGateway, Detail: map[string]string{"gateway": "alphapay", "state": "down"}}
	}
	f.add(pruned, records...)
}

func (f *fakeTerminal) add(pruned uint64, records ...payment.JournalRecord) {
	j := &f.journal
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, r := range records {
		r.Seq = uint64(len(j.records)) + 1
		j.records = append(j.records, r)
	}
	j.pruned = pruned
	for c := range j.awake {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

func (f *fakeTerminal) failJournal(err error) {
	f.journal.mu.Lock()
	defer f.journal.mu.Unlock()
	f.journal.err = err
}

func idOf(seq int) string { return epoch + "-" + strconv.Itoa(seq) }

// states are one sale after the other as it may change: each with something that
// came, changed or went.
func states() []payment.Sale {
	created := wholeSale()
	created.Version, created.Status, created.Late = 1, payment.SaleAwaitingCode, false
	created.Attempts, created.LastFailure, created.Receipt, created.Refunds, created.Override = nil, nil, nil, nil, nil
	failed := wholeSale()
	failed.Version, failed.Status, failed.Late, failed.Receipt = 2, payment.SaleAwaitingCode, false, nil
	failed.Attempts = failed.Attempts[:1]
	showing := wholeSale()
	showing.Version, showing.Receipt, showing.LastFailure, showing.Late = 3, nil, nil, false
	paid := wholeSale()
	paid.Version, paid.Status, paid.LastFailure = 4, payment.SalePaid, nil
	paid.Attempts[1].Status, paid.Attempts[1].QR, paid.Attempts[1].EndedAt = payment.AttemptPaid, nil, moment
	bare := payment.Sale{
		ID: saleID, Version: 5, Status: payment.SaleExpired, Amount: payment.Money{Amount: 1, Currency: "JPY"}, Mode: payment.ModeScan,
		CreatedAt: moment, UpdatedAt: moment, Deadline: moment,
	}
	whole := wholeSale()
	whole.Version = 6
	refunded := wholeSale()
	refunded.Version, refunded.Override = 7, nil
	refunded.Refunds[0].Status, refunded.Refunds[0].Reason = payment.RefundSucceeded, ""
	refunded.Attempts[0].Capture = nil
	return []payment.Sale{created, failed, showing, paid, bare, whole, refunded}
}

// Folding a sale's events gives, after each of them, exactly what GET answers,
// words and all; an event holds only what changed.
func TestFoldingEventsGivesTheSale(t *testing.T) {
	c := serve(t)
	var before payment.Sale
	for _, after := range states() {
		fields, err := payment.ChangedFields(before, after)
		if err != nil {
			t.Fatal(err)
		}
		c.terminal.add(0, payment.JournalRecord{
			At: moment, Type: payment.RecordType("sale." + after.Status), Sale: after.ID, Version: after.Version, Fields: fields,
		})
		before = after
	}
	s := c.follow(t, idOf(0))
	var folded client.Sale
	for i, want := range states() {
		e := s.event(t)
		if e.ID != idOf(i+1) || e.Type != "sale."+string(want.Status) || e.Sale != saleID || e.Version != want.Version || !e.At.Equal(moment) {
			t.Errorf("event %+v", e)
		}
		var err error
		if folded, err = folded.Fold(e); err != nil {
			t.Fatal(err)
		}
		c.terminal.mu.Lock()
		c.terminal.sale = want
		c.terminal.mu.Unlock()
		b, err := json.Marshal(folded)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(object(t, c.send(t, "GET", "/v1/sales/"+saleID, "").body), object(t, string(b))); diff != "" {
			t.Errorf("state %d (-GET +folded)\n%s", i, diff)
		}
		if again, err := folded.Fold(e); err != nil || !cmp.Equal(again, folded) {
			t.Errorf("event %d again: %v, %s", i, err, cmp.Diff(folded, again))
		}
	}
	if e := s.seen[2]; !slices.Equal(slices.Sorted(maps.Keys(e.Fields)), []string{"attempts", "last_failure", "status", "version"}) {
		t.Errorf("only what changed: %v", slices.Sorted(maps.Keys(e.Fields)))
	}
	if _, err := (client.Sale{ID: saleID, Version: 1}).Fold(s.seen[3]); err == nil {
		t.Error("events that are missing were not missed")
	}
	if _, err := (client.Sale{ID: noSale, Version: 1}).Fold(s.seen[1]); err == nil {
		t.Error("another sale's event was folded")
	}
}

// A record that cannot be shown holds back none of those before it.
func TestEventsBeforeABadRecord(t *testing.T) {
	c := serve(t)
	c.terminal.record(3, 0)
	c.terminal.add(0, payment.JournalRecord{At: moment, Type: "sale.paid", Sale: saleID, Version: 1, Fields: json.RawMessage(`{"attempts":1}`)})
	s := c.follow(t, idOf(0))
	for seq := range 3 {
		if e := s.event(t); e.ID != idOf(seq+1) {
			t.Errorf("%s came, want %d", e.ID, seq+1)
		}
	}
	if block, err := s.block(); err == nil {
		t.Errorf("%q came", block)
	}
	if p := problemOf(t, c.send(t, "GET", "/v1/events?after="+idOf(3), "")); p.Code != client.CodeInternal {
		t.Errorf("%+v", p)
	}
}

func object(t *testing.T, text string) (all map[string]any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return all
}

// What goes out is what the client's type says, and no secret of the sale.
func TestEventsAreTheClients(t *testing.T) {
	c := serve(t)
	sale := wholeSale()
	fields, err := payment.ChangedFields(payment.Sale{}, sale)
	if err != nil {
		t.Fatal(err)
	}
	c.terminal.add(0, payment.JournalRecord{At: moment, Type: "sale.showing_qr", Sale: sale.ID, Version: sale.Version, Fields: fields})
	c.terminal.record(1, 0)
	s := c.follow(t, idOf(0))
	whole, bare := s.event(t), s.event(t)
	for _, data := range s.data {
		sameWire[client.Event](t, "event", data)
	}
	if bare.Fields != nil || whole.Detail != nil || bare.Detail["state"] != "down" {
		t.Errorf("%+v, %+v", whole, bare)
	}
	want := api.WireSale(sale.View(), words)
	b, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if got, all := len(whole.Fields), len(object(t, string(b))); got != all {
		t.Errorf("a new sale has %d fields, its first event %d", all, got)
	}
}
