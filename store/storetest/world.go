package storetest

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"time"

	"payscand/payment"
	"payscand/store"
)

// tb is what testing.T and rapid.T have in common.
type tb interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// world is what a store should hold: the sales and the changes that wrote
// records. All else is recomputed from them.
type world struct {
	sales    map[string]payment.Sale
	recorded []payment.Change
	pruned   int                     // of recorded, that retention dropped
	views    map[string]payment.View // of sales, as the last record dropped left them
}

func newWorld() *world {
	return &world{sales: map[string]payment.Sale{}, views: map[string]payment.View{}}
}

func (w *world) apply(changes ...payment.Change) {
	for _, c := range changes {
		if c.After.ID != "" {
			w.sales[c.After.ID] = c.After
		}
		if c.Record != nil {
			w.recorded = append(w.recorded, c)
		}
	}
}

// sorted gives the sales by id.
func (w *world) sorted() []payment.Sale {
	return slices.SortedFunc(maps.Values(w.sales), func(a, b payment.Sale) int { return cmp.Compare(a.ID, b.ID) })
}

// prune is what retention must do: records before a time go, all but the last
// one, and a sale goes with its last record unless something of it is open, due
// or watched.
func (w *world) prune(before time.Time, limit int) (more bool) {
	for range limit {
		if w.pruned+1 >= len(w.recorded) || !w.recorded[w.pruned].Record.At.Before(before) {
			return false
		}
		c := w.recorded[w.pruned]
		w.pruned++
		id := c.Record.Sale
		if id == "" {
			continue
		}
		w.views[id] = c.After.View()
		s := w.sales[id]
		watched := slices.ContainsFunc(s.Attempts, func(a payment.Attempt) bool { return a.Watch != nil })
		if s.Version == c.Record.Version && !s.Open() && s.Due.IsZero() && !watched {
			delete(w.sales, id)
			delete(w.views, id)
		}
	}
	return true
}

// check compares everything the store can tell with what it should hold.
func (w *world) check(t tb, s Store) {
	t.Helper()
	w.checkSales(t, s)
	w.checkOpen(t, s)
	w.checkDue(t, s)
	w.checkJournal(t, s)
}

func (w *world) checkSales(t tb, s Store) {
	t.Helper()
	for id, want := range w.sales {
		got, err := s.Sale(id)
		if diff := Diff(want, got); err != nil || diff != "" {
			t.Errorf("sale %s: %v (-want +got)\n%s", id, err, diff)
		}
		keyed, digest, err := s.ByKey(want.Key)
		if keyed != id || digest != want.Digest || err != nil {
			t.Errorf("ByKey(%q) = %s, %s, %v; want %s, %s", want.Key, keyed, digest, err, id, want.Digest)
		}
		for _, a := range want.Attempts {
			if sale, err := s.ByRequest(a.RequestID); sale != id || err != nil {
				t.Errorf("ByRequest(%s) = %s, %v; want %s", a.RequestID, sale, err, id)
			}
		}
	}
	want := w.sorted()
	slices.Reverse(want)
	var got []payment.Sale
	for q, more := (store.Query{}), true; more; {
		page, err := s.Sales(q)
		if err != nil {
			t.Fatalf("search: %v", err)
		}
		got = append(got, page.Sales...)
		q.Cursor, more = page.Cursor, page.Cursor != ""
	}
	if diff := Diff(want, got); diff != "" {
		t.Errorf("all sales (-want +got)\n%s", diff)
	}
}

func (w *world) checkOpen(t tb, s Store) {
	t.Helper()
	want := slices.DeleteFunc(w.sorted(), func(s payment.Sale) bool { return !s.Open() })
	var got []payment.Sale
	for after, more := "", true; more; {
		page, err := s.Open(after, 0)
		if err != nil {
			t.Fatalf("open sales: %v", err)
		}
		got = append(got, page...)
		if more = len(page) == store.MaxPage; more {
			after = page[len(page)-1].ID
		}
	}
	if diff := Diff(want, got); diff != "" {
		t.Errorf("open sales (-want +got)\n%s", diff)
	}
}

func (w *world) checkDue(t tb, s Store) {
	t.Helper()
	due := map[string][]payment.Sale{}
	for _, sale := range w.sorted() {
		for _, d := range sale.Dues() {
			due[d.Gateway] = append(due[d.Gateway], sale)
		}
	}
	gateways, err := s.DueGateways()
	if want := slices.Sorted(maps.Keys(due)); err != nil || !slices.Equal(gateways, want) {
		t.Errorf("gateways with due sales: %q, %v; want %q", gateways, err, want)
	}
	for gateway, sales := range due {
		slices.SortStableFunc(sales, func(a, b payment.Sale) int { return a.DueAt(gateway).Compare(b.DueAt(gateway)) })
		want := ids(sales)
		got, err := s.Due(gateway, time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC), 0)
		if err != nil || !slices.Equal(got, want[:min(len(want), store.MaxPage)]) {
			t.Errorf("due at %q: %v, %v; want %v", gateway, got, err, want)
		}
		next, ok, err := s.NextDue(gateway)
		if !next.Equal(sales[0].DueAt(gateway)) || !ok || err != nil {
			t.Errorf("next due at %q: %v, %v, %v; want %v", gateway, next, ok, err, sales[0].DueAt(gateway))
		}
	}
}

// checkJournal: the records are those of the changes, the chain holds, and
// folding gives every sale as the API shows it.
func (w *world) checkJournal(t tb, s Store) {
	t.Helper()
	if good, err := store.VerifyChain(s); err != nil || good != uint64(len(w.recorded)-w.pruned) {
		t.Errorf("%d records of the journal are good, %v; want %d", good, err, len(w.recorded)-w.pruned)
	}
	if seq, _ := s.Checkpoint(); seq != uint64(w.pruned) {
		t.Errorf("the journal begins after record %d, want %d", seq, w.pruned)
	}
	if w.pruned > 0 {
		if page, err := s.Journal(uint64(w.pruned)-1, 0); !errors.Is(err, store.ErrNotFound) || len(page) > 0 {
			t.Errorf("from a record that was dropped: %d records, %v; want ErrNotFound", len(page), err)
		}
	}
	views := maps.Clone(w.views)
	for after := uint64(w.pruned); ; {
		page, err := s.Journal(after, 0)
		if err != nil {
			t.Fatalf("journal: %v", err)
		}
		if len(page) == 0 {
			break
		}
		for _, r := range page {
			after = r.Seq
			if r.Sale == "" {
				continue
			}
			view, err := payment.Fold(views[r.Sale], r.Fields)
			if err != nil || view.Version != r.Version {
				t.Errorf("folding record %d gives version %d, %v; want %d", r.Seq, view.Version, err, r.Version)
			}
			views[r.Sale] = view
		}
	}
	want := map[string]payment.View{}
	for id, sale := range w.sales {
		want[id] = sale.View()
	}
	if diff := Diff(want, views); diff != "" {
		t.Errorf("the journal folded (-want +got)\n%s", diff)
	}
}
