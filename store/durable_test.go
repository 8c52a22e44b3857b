package store_test

import (
	"path/filepath"
	"sync"
	"testing"

	"payscand/payment"
	"payscand/store/storetest"
)

// Whoever reads a sale reads what is on the disk: its record is counted by the
// head already, so that nobody acts on what a power cut would take back (P6).
func TestNothingIsReadBeforeItIsDurable(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "payscand.db"))
	till := storetest.NewTill()
	made := till.Created()
	check(t, db.Commit([]payment.Change{made}))
	const versions = 60 // each is one record
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for version := int64(0); version < versions; {
				s, err := db.Sale(made.After.ID)
				if err != nil {
					t.Error(err)
					return
				}
				version = s.Version
				if durable, _ := db.Head(); durable < uint64(version) {
					t.Errorf("version %d was read when %d records were durable", version, durable)
					return
				}
			}
		})
	}
	sale := made.After
	for sale.Version < versions {
		c := till.Changed(sale, func(s *payment.Sale) { s.Description += "." })
		check(t, db.Commit([]payment.Change{c}))
		sale = c.After
	}
	readers.Wait()
}
