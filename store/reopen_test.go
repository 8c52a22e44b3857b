package store_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"payscand/payment"
	"payscand/store"
	"payscand/store/storetest"
)

// What bbolt remembers of the pages that it gave out is bounded, however many sales
// are made (P10).
func TestPagesAreForgotten(t *testing.T) {
	defer store.ReopenEvery(50)()
	db, till := open(t, filepath.Join(t.TempDir(), "payscand.db")), storetest.NewTill()
	var most [2]int // of the first sales, and of the others
	for n := range 200 {
		for _, c := range life(till)[:3] {
			check(t, db.Commit([]payment.Change{c}))
		}
		half := min(1, n/50)
		most[half] = max(most[half], db.PagesRemembered())
	}
	t.Logf("at most %d pages are remembered at first, %d later", most[0], most[1])
	if most[0] == 0 || most[1] > 2*most[0] {
		t.Errorf("bbolt remembers up to %d pages at first, up to %d later", most[0], most[1])
	}
}

// A database that is opened anew all the time holds what was committed, and takes more.
func TestReopenedDatabaseGoesOn(t *testing.T) {
	defer store.ReopenEvery(1)()
	path := filepath.Join(t.TempDir(), "payscand.db")
	db, till := open(t, path), storetest.NewTill()
	for range 10 {
		for _, c := range life(till) {
			check(t, db.Commit([]payment.Change{c}))
			if c.After.ID == "" {
				continue
			}
			if s, err := db.Sale(c.After.ID); err != nil || s.Version != c.After.Version {
				t.Fatalf("version %d after a commit of version %d, %v", s.Version, c.After.Version, err)
			}
		}
	}
	if good, err := store.VerifyChain(db); good != 70 || err != nil {
		t.Errorf("%d good records, %v", good, err)
	}
}

// A database that cannot be opened once more, after a compaction say, can be closed:
// the error is told, and nothing panics.
func TestCloseAfterAFailedReopening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "payscand.db")
	db := open(t, path)
	check(t, os.Rename(path, path+".away"))
	if err := db.OpenToWrite(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there was opened: %v", err)
	}
	check(t, db.Close())
	check(t, db.Close())
}
