package storetest

import (
	"errors"
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"payscand/payment"
	"payscand/store"
)

// reopened lets act do what it will with an empty store and its world, drawn anew
// each time, and then opens the store again: it holds the same.
func reopened(t *testing.T, open Opener, act func(t *rapid.T, s Store, w *world)) {
	parent := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp(parent, "") //nolint:usetesting // rapid's T has no TempDir, and each check wants its own
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		s, err := open(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		w := newWorld()
		act(t, s, w)
		w.check(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if s, err = open(dir); err != nil {
			t.Fatal(err)
		}
		w.check(t, s)
	})
}

// After any commits, good and refused, single and grouped, every index is what
// the sales say, the journal folds to them, and a store opened again holds the
// same.
func testRandom(t *testing.T, open Opener) {
	reopened(t, open, func(t *rapid.T, s Store, w *world) {
		day := &randomDay{till: NewTill()}
		for range rapid.IntRange(1, 6).Draw(t, "commits") {
			day.commit(t, s, w)
		}
	})
}

type randomDay struct{ till *Till }

// commit commits one to eight changes; one commit in six ends with one that does not fit.
func (d *randomDay) commit(t *rapid.T, s Store, w *world) {
	next := &world{sales: maps.Clone(w.sales), recorded: slices.Clone(w.recorded), pruned: w.pruned, views: maps.Clone(w.views)}
	var changes []payment.Change
	for range rapid.IntRange(1, 8).Draw(t, "changes") {
		c := d.change(t, next)
		changes = append(changes, c)
		next.apply(c)
	}
	if rapid.IntRange(1, 6).Draw(t, "misfit") == 6 {
		changes = append(changes, d.till.Cancelled(d.till.Created().After)) // of an unknown sale
		if err := s.Commit(changes); !errors.Is(err, store.ErrRefused) {
			t.Fatalf("a change of an unknown sale: %v, want ErrRefused", err)
		}
		return
	}
	if err := s.Commit(changes); err != nil {
		t.Fatalf("commit: %v", err)
	}
	*w = *next
}

// change draws something that may happen now.
func (d *randomDay) change(t *rapid.T, w *world) payment.Change {
	kind := rapid.SampledFrom([]string{"sale", "sale", "step", "step", "step", "step", "reschedule", "record"}).Draw(t, "kind")
	sales := w.sorted()
	switch {
	case kind == "record":
		return d.till.ScanRefused()
	case kind == "sale" || len(sales) == 0:
		return d.till.Created()
	}
	sale := sales[rapid.IntRange(0, len(sales)-1).Draw(t, "sale")]
	if kind == "reschedule" {
		return d.till.Rescheduled(sale, rapid.SampledFrom([]time.Duration{0, 1, time.Second, time.Hour}).Draw(t, "pause"))
	}
	return d.step(t, sale)
}

func (d *randomDay) step(t *rapid.T, sale payment.Sale) payment.Change {
	if sale.Status.Final() { // found in the vendor's portal, watched further
		return d.till.Changed(sale, func(s *payment.Sale) {
			s.Late = !s.Late
			s.Due = d.till.Now().Add(time.Hour)
			s.AlsoDue = nil
			if rapid.Bool().Draw(t, "another gateway") {
				s.AlsoDue = []payment.GatewayDue{{Gateway: "another", At: d.till.Now().Add(time.Minute)}}
			}
		})
	}
	live := sale.LiveAttempt() != nil
	switch kind := rapid.IntRange(0, 3).Draw(t, "step"); {
	case live && kind == 0:
		return d.till.Wiped(sale)
	case live && kind == 1:
		return d.till.Failed(sale)
	case live && kind == 2:
		return d.till.Unresolved(sale)
	case live:
		return d.till.Paid(sale)
	case kind == 0:
		return d.till.Cancelled(sale)
	}
	gateway := rapid.SampledFrom([]string{"alpha", "alphapay", "b\x00"}).Draw(t, "gateway")
	return d.till.Submitted(sale, gateway, secretCode)
}
