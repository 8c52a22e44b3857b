package storetest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"payscand/payment"
	"payscand/store"
)

// Open gives every sale that is not final, once, in the order of ids, in pages
// of at most store.MaxPage whatever is asked for, until a short page ends it.
func testOpenPages(t *testing.T, open Opener) {
	s, till := newStore(t, open), NewTill()
	var want []string
	var changes []payment.Change
	for i := range store.MaxPage + 10 {
		c := till.Created()
		changes = append(changes, c)
		if i%20 == 7 {
			changes = append(changes, till.Cancelled(c.After))
		} else {
			want = append(want, c.After.ID)
		}
	}
	commit(t, s, changes...)
	for _, limit := range []int{1, 100, store.MaxPage, store.MaxPage + 1, 0, -1} {
		var got []string
		for after := ""; ; after = got[len(got)-1] {
			page, err := s.Open(after, limit)
			check(t, err)
			if len(page) > store.PageSize(limit) {
				t.Fatalf("limit %d: a page of %d", limit, len(page))
			}
			got = append(got, ids(page)...)
			if len(page) < store.PageSize(limit) {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("limit %d: %d open sales, want %d", limit, len(got), len(want))
		}
	}
	// An id that is no open sale is still a place in the order.
	page, err := s.Open(want[5]+"x", 1)
	check(t, err)
	if got := ids(page); len(got) != 1 || got[0] != want[6] {
		t.Errorf("after a made-up id: %v, want %s", got, want[6])
	}
}

// Due gives what is due until then, earliest first, to the nanosecond, also
// before 1970; a final sale stays in the index while its Due is set.
func testDueOrder(t *testing.T, open Opener) {
	s, till := newStore(t, open), NewTill()
	base := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	dues := []time.Time{
		base, base.Add(1), base.Add(-1), base.Add(time.Hour), base.Add(-time.Hour),
		time.Unix(-1, 999_999_999), time.Unix(0, 0), time.Date(2400, 1, 1, 0, 0, 0, 0, time.UTC), base,
	}
	type entry struct {
		at time.Time
		id string
	}
	var want []entry
	for i, at := range dues {
		c := till.Created()
		c.After.Due = at
		if i == 3 {
			c.After.Status = payment.SalePaid
		}
		commit(t, s, c)
		want = append(want, entry{at, c.After.ID})
	}
	slices.SortFunc(want, func(a, b entry) int {
		if c := a.at.Compare(b.at); c != 0 {
			return c
		}
		return strings.Compare(a.id, b.id)
	})
	for _, until := range append(dues, base.Add(-2*time.Hour), time.Unix(-2, 0)) {
		var due, later []string
		for _, e := range want {
			if !e.at.After(until) {
				due = append(due, e.id)
			} else {
				later = append(later, e.id)
			}
		}
		for _, limit := range []int{1, 4, 100} {
			got, err := s.Due("", until, limit)
			check(t, err)
			if !slices.Equal(got, due[:min(limit, len(due))]) {
				t.Errorf("due until %v, %d at most: %v, want %v", until, limit, got, due)
			}
			got, err = s.DueAfter("", until, limit)
			check(t, err)
			if !slices.Equal(got, later[:min(limit, len(later))]) {
				t.Errorf("due after %v, %d at most: %v, want %v", until, limit, got, later)
			}
		}
	}
	next, ok, err := s.NextDue("")
	if !next.Equal(want[0].at) || !ok || err != nil {
		t.Errorf("next due at %v, %v, %v; want %v", next, ok, err, want[0].at)
	}
}

// However many sales wait for one gateway, another gateway's come at once, and
// none of one comes with the other's, also where one name begins with the other.
func testDueFairness(t *testing.T, open Opener) {
	s, till := newStore(t, open), NewTill()
	gateways := []string{"alpha", "alphapay", "b"}
	want := map[string][]string{}
	var changes []payment.Change
	for i := range 700 {
		gateway := gateways[0]
		if i%100 == 99 {
			gateway = gateways[1+i/100%2]
		}
		c := till.Created()
		submitted := till.Submitted(c.After, gateway, secretCode)
		changes = append(changes, c, submitted)
		want[gateway] = append(want[gateway], c.After.ID)
	}
	commit(t, s, changes...)
	names, err := s.DueGateways()
	check(t, err)
	if !slices.Equal(names, gateways) {
		t.Errorf("gateways with due sales: %v, want %v", names, gateways)
	}
	for _, gateway := range append(gateways, "", "alp", "alphapay2", "unknown", strings.Repeat("long", 100)) {
		got, err := s.Due(gateway, till.Now().Add(time.Hour), 0)
		check(t, err)
		if w := want[gateway]; !slices.Equal(got, w[:min(len(w), store.MaxPage)]) {
			t.Errorf("gateway %.20q: %d due sales, want %d", gateway, len(got), len(w))
		}
		got, err = s.DueAfter(gateway, till.Now().Add(-100*time.Hour), 0)
		check(t, err)
		if w := want[gateway]; !slices.Equal(got, w[:min(len(w), store.MaxPage)]) {
			t.Errorf("gateway %.20q: %d sales due after long ago, want %d", gateway, len(got), len(w))
		}
		_, ok, err := s.NextDue(gateway)
		if ok != (len(want[gateway]) > 0) || err != nil {
			t.Errorf("gateway %.20q: next due %v, %v", gateway, ok, err)
		}
	}
}

// A search gives exactly the sales that match, newest first, each once, whatever
// the size of its pages.
func testSearch(t *testing.T, open Opener) {
	s, till := newStore(t, open), NewTill()
	var all []payment.Sale
	for i := range 60 {
		till.Wait(10 * time.Minute)
		c := till.Created()
		sale := commit(t, s, c)
		if i%3 == 0 {
			sale = commit(t, s, till.Cancelled(sale))
		}
		all = append([]payment.Sale{sale}, all...)
	}
	first, last := all[len(all)-1].CreatedAt, all[0].CreatedAt
	for _, q := range []store.Query{
		{},
		{Status: payment.SaleCancelled},
		{Status: payment.SalePaid},
		{Reference: all[3].Reference},
		{Reference: all[3].Reference, Status: payment.SaleAwaitingCode},
		{From: first.Add(time.Hour)},
		{To: last.Add(-time.Hour)},
		{From: all[40].CreatedAt, To: all[20].CreatedAt},
		{From: last, To: first},
		{From: last.Add(time.Millisecond)},
		{To: first},
		{From: time.Date(1950, 1, 1, 0, 0, 0, 0, time.UTC), To: time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC)},
		{To: time.Date(1950, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		var want []string
		for _, sale := range all {
			if q.Matches(sale) {
				want = append(want, sale.ID)
			}
		}
		for _, limit := range []int{1, 7, 0} {
			q.Limit = limit
			if got := searchAll(t, s, q); !slices.Equal(got, want) {
				t.Errorf("%+v: %d sales, want %d", q, len(got), len(want))
			}
		}
	}
}

func searchAll(t *testing.T, s Store, q store.Query) []string {
	t.Helper()
	var found []string
	for range 1000 {
		page, err := s.Sales(q)
		check(t, err)
		if len(page.Sales) > store.PageSize(q.Limit) {
			t.Fatalf("a page of %d, limit %d", len(page.Sales), q.Limit)
		}
		found = append(found, ids(page.Sales)...)
		if page.Cursor == "" {
			return found
		}
		if q.Cursor != "" && page.Cursor >= q.Cursor {
			t.Fatalf("the cursor went from %q to %q", q.Cursor, page.Cursor)
		}
		q.Cursor = page.Cursor
	}
	t.Fatal("the search does not end")
	return nil
}

// A search for what is rare looks at a bounded number of sales a page, and still
// comes to it. Sales outside the time asked for are not looked at.
func testSearchBounds(t *testing.T, open Opener) {
	s, till := newStore(t, open), NewTill()
	c := till.Created()
	c.After.Reference = "rare"
	rare := c.After
	changes := []payment.Change{c}
	till.Wait(time.Hour)
	for range 2*store.MaxPage + 1 {
		changes = append(changes, till.Created())
	}
	commit(t, s, changes...)
	for i, want := range []int{0, 0, 1} {
		page, err := s.Sales(store.Query{Reference: "rare", Cursor: cursorOf(t, s, i)})
		check(t, err)
		if len(page.Sales) != want {
			t.Errorf("page %d holds %d sales, want %d", i+1, len(page.Sales), want)
		}
	}
	page, err := s.Sales(store.Query{Reference: "rare", From: rare.CreatedAt, To: rare.CreatedAt.Add(time.Second)})
	check(t, err)
	if len(page.Sales) != 1 {
		t.Errorf("searching its own second, the first page holds %d sales, want 1", len(page.Sales))
	}
}

// cursorOf is the cursor of the n-th next page of the search for "rare".
func cursorOf(t *testing.T, s Store, n int) string {
	t.Helper()
	cursor := ""
	for range n {
		page, err := s.Sales(store.Query{Reference: "rare", Cursor: cursor})
		check(t, err)
		if page.Cursor == "" {
			t.Fatalf("the search ends before page %d", n+1)
		}
		cursor = page.Cursor
	}
	return cursor
}
