package storetest

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"payscand/payment"
	"payscand/store"
)

// Retention drops what is old and over, with its keys and request ids, and
// nothing else: a sale stays while it is open, due, watched, or has a refund that
// is not over, however old it is, and goes once it is over and old again.
func testPrune(t *testing.T, open Opener) {
	s, till, w := newStore(t, open), NewTill(), newWorld()
	keep, paid := w.keeping(t, s, till)
	over, refunding, refunded := paid(), paid(), paid()
	refunding = keep(till.refunding(refunding, "of one that goes on", refunding.ID+"-10"))
	refunded = keep(till.refunded(keep(till.refunding(refunded, "of one that is over", refunded.ID+"-10"))))
	unresolved := keep(till.Unresolved(keep(till.Submitted(keep(till.Created()), "alphapay", secretCode))))
	watched := keep(till.Changed(keep(till.Submitted(keep(till.Created()), "alphapay", secretCode)), func(s *payment.Sale) {
		a := s.LiveAttempt()
		a.Status, a.Code, a.Call, a.Watch = payment.AttemptClosed, payment.Code{}, nil, &payment.Watch{}
		s.Status, s.Due = payment.SaleExpired, till.Now().Add(time.Hour)
	}))
	keep(till.ScanRefused())
	till.Wait(400 * 24 * time.Hour)
	young := keep(till.Cancelled(keep(till.Created())))

	if more, err := s.Prune(time.Time{}, 0); more || err != nil {
		t.Fatalf("nothing is that old: %v, %v", more, err)
	}
	w.check(t, s)
	before := till.Now().Add(-24 * time.Hour)
	pruneAll(t, s, w, before, 3)
	for _, sale := range []payment.Sale{over, refunded} {
		wantUnknown(t, s, sale)
	}
	if _, _, err := s.ByKey("of one that is over"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the refund's key is still kept: %v", err)
	}
	for _, sale := range []payment.Sale{refunding, unresolved, watched, young} {
		if got, err := s.Sale(sale.ID); err != nil || Diff(sale, got) != "" {
			t.Errorf("sale %s must be kept: %v\n%s", sale.ID, err, Diff(sale, got))
		}
	}

	// What was kept goes on, and its new records stand on a chain without a beginning.
	unresolved = keep(till.Paid(unresolved))
	keep(till.refunded(refunding))
	w.check(t, s)
	till.Wait(400 * 24 * time.Hour)
	last := keep(till.Created())
	pruneAll(t, s, w, till.Now(), 0)
	wantUnknown(t, s, unresolved)
	if _, err := s.Sale(last.ID); err != nil {
		t.Errorf("the last record's sale: %v", err)
	}
}

// pruneAll prunes in steps, and compares after each.
func pruneAll(t *testing.T, s Store, w *world, before time.Time, limit int) {
	t.Helper()
	for more := true; more; {
		var err error
		more, err = s.Prune(before, limit)
		check(t, err)
		if want := w.prune(before, store.PageSize(limit)); more != want {
			t.Errorf("more to prune: %v, want %v", more, want)
		}
		w.check(t, s)
	}
}

// Whatever happens between them, retention's steps leave the chain whole and
// every index as the sales say, also when the store is opened again.
func testPruneRandomly(t *testing.T, open Opener) {
	reopened(t, open, func(t *rapid.T, s Store, w *world) {
		day := &randomDay{till: NewTill()}
		for range rapid.IntRange(1, 5).Draw(t, "rounds") {
			day.commit(t, s, w)
			if len(w.recorded) == 0 {
				continue
			}
			at := rapid.IntRange(0, len(w.recorded)-1).Draw(t, "before")
			before, limit := w.recorded[at].Record.At, rapid.IntRange(1, 6).Draw(t, "limit")
			more, err := s.Prune(before, limit)
			if want := w.prune(before, limit); more != want || err != nil {
				t.Fatalf("more to prune: %v, %v; want %v", more, err, want)
			}
			w.check(t, s)
		}
	})
}
