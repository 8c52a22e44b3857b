package storetest

import (
	"errors"
	"math"
	"slices"
	"testing"

	"payscand/payment"
	"payscand/store"
)

// The journal is read in pages without gaps, from anywhere; what comes after its
// end is nothing; every record is there as it was given.
func testJournalPages(t *testing.T, open Opener) {
	s, till := newStore(t, open), NewTill()
	if seq, epoch := s.Head(); seq != 0 || epoch == "" {
		t.Errorf("a new store's head is %d, epoch %q", seq, epoch)
	}
	var want []payment.Change
	sale := commit(t, s, till.Created())
	want = append(want, payment.Change{After: sale, Record: record(sale)})
	for range store.MaxPage {
		refused := till.ScanRefused()
		hidden := till.Rescheduled(sale, 1)
		sale = commit(t, s, refused, hidden) // a change that nobody sees has no record
		want = append(want, refused)
	}
	seq, _ := s.Head()
	if seq != uint64(len(want)) {
		t.Fatalf("the journal has %d records, want %d", seq, len(want))
	}
	for _, limit := range []int{1, 100, store.MaxPage, 1000, 0} {
		var got []store.JournalRecord
		for {
			page, err := s.Journal(uint64(len(got)), limit)
			check(t, err)
			if len(page) == 0 {
				break
			}
			if len(page) > store.PageSize(limit) {
				t.Fatalf("limit %d: a page of %d", limit, len(page))
			}
			got = append(got, page...)
		}
		wantRecords(t, want, got)
	}
	for _, after := range []uint64{seq, seq + 1, math.MaxUint64} {
		page, err := s.Journal(after, 0)
		if len(page) != 0 || err != nil {
			t.Errorf("after record %d: %d records, %v", after, len(page), err)
		}
	}
}

func wantRecords(t *testing.T, want []payment.Change, got []store.JournalRecord) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d records, want %d", len(got), len(want))
	}
	for i, r := range got {
		w := want[i].Record
		if r.Seq != uint64(i)+1 || !r.At.Equal(w.At) || r.Type != w.Type || r.Sale != w.Sale || r.Version != w.Version ||
			Diff(w.Detail, r.Detail) != "" {
			t.Errorf("record %d is %+v, want %+v", i+1, r, *w)
		}
		if (r.Fields != nil) != (r.Sale != "") {
			t.Errorf("record %d of sale %q has the fields %s", r.Seq, r.Sale, r.Fields)
		}
	}
}

// altered gives out a journal that somebody changed.
type altered struct {
	Store
	alter func(records []store.JournalRecord) []store.JournalRecord
}

func (a altered) Journal(after uint64, _ int) ([]store.JournalRecord, error) {
	all, err := a.Store.Journal(0, store.MaxPage)
	all = a.alter(all)
	i := slices.IndexFunc(all, func(r store.JournalRecord) bool { return r.Seq > after })
	if i < 0 {
		return nil, err
	}
	return all[i:min(i+3, len(all))], err
}

// VerifyChain passes a journal as it was written, and names the first record
// that was altered, taken away, doubled or put elsewhere.
func testChainNames(t *testing.T, open Opener) {
	s, till := newStore(t, open), NewTill()
	for range 4 {
		sale := commit(t, s, till.Created())
		commit(t, s, till.Submitted(sale, "alphapay", secretCode), till.ScanRefused())
	}
	if good, err := store.VerifyChain(s); good != 12 || err != nil {
		t.Fatalf("the journal as written: %d good, %v", good, err)
	}
	for _, test := range []struct {
		name  string
		alter func(r []store.JournalRecord) []store.JournalRecord
		bad   uint64
	}{
		{"type", func(r []store.JournalRecord) []store.JournalRecord { r[6].Type += "x"; return r }, 7},
		{"time", func(r []store.JournalRecord) []store.JournalRecord { r[0].At = r[0].At.Add(1); return r }, 1},
		{"version", func(r []store.JournalRecord) []store.JournalRecord { r[1].Version++; return r }, 2},
		{"fields", func(r []store.JournalRecord) []store.JournalRecord {
			r[3].Fields = []byte(`{"amount":1}`)
			return r
		}, 4},
		{"detail", func(r []store.JournalRecord) []store.JournalRecord {
			r[2].Detail = map[string]string{"kind": "text"}
			return r
		}, 3},
		{"hash", func(r []store.JournalRecord) []store.JournalRecord { r[4].Hash[0] ^= 1; return r }, 5},
		{"last hash", func(r []store.JournalRecord) []store.JournalRecord { r[11].Hash[31] ^= 0x80; return r }, 12},
		{"prev", func(r []store.JournalRecord) []store.JournalRecord { r[5].Prev[0] ^= 1; return r }, 6},
		{"removed", func(r []store.JournalRecord) []store.JournalRecord { return slices.Delete(r, 6, 7) }, 7},
		{"first removed", func(r []store.JournalRecord) []store.JournalRecord { return r[1:] }, 1},
		{"last removed", func(r []store.JournalRecord) []store.JournalRecord { return r[:11] }, 12},
		{"swapped", func(r []store.JournalRecord) []store.JournalRecord { r[7], r[8] = r[8], r[7]; return r }, 8},
		{"replaced by its neighbour", func(r []store.JournalRecord) []store.JournalRecord { r[9] = r[8]; return r }, 10},
		{"number skipped", func(r []store.JournalRecord) []store.JournalRecord {
			r[11], _, _ = store.Seal(13, r[10].Hash, payment.Change{Record: &payment.Record{Type: "x"}})
			return r
		}, 12},
		{"another chain's record", func(r []store.JournalRecord) []store.JournalRecord {
			r[9], _, _ = store.Seal(10, store.Hash{1}, payment.Change{Record: &payment.Record{Type: "x"}})
			return r
		}, 10},
	} {
		t.Run(test.name, func(t *testing.T) {
			good, err := store.VerifyChain(altered{s, test.alter})
			var bad *store.ChainError
			if !errors.As(err, &bad) || bad.Seq != test.bad || good != test.bad-1 {
				t.Errorf("%d good, then %v; want record %d named", good, err, test.bad)
			}
			if !errors.Is(err, store.ErrDamaged) {
				t.Errorf("%v does not wrap ErrDamaged", err)
			}
		})
	}
}
