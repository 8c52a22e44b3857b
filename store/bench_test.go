package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"payscand/payment"
	"payscand/store"
	"payscand/store/storetest"
)

// BenchmarkCommit sets commits of one and of 64 changes beside what the disk
// itself takes: a page written and synced twice, as bbolt must.
func BenchmarkCommit(b *testing.B) {
	b.Run("floor", benchmarkFloor)
	b.Run("changes=1", func(b *testing.B) { benchmarkCommit(b, 1) })
	b.Run("changes=64", func(b *testing.B) { benchmarkCommit(b, 64) })
}

func benchmarkFloor(b *testing.B) {
	file, err := os.Create(filepath.Join(b.TempDir(), "floor"))
	check(b, err)
	defer file.Close()
	page := make([]byte, 4*os.Getpagesize())
	_, err = file.WriteAt(page, 0)
	check(b, err)
	check(b, file.Sync())
	for b.Loop() {
		for range 2 {
			_, err := file.WriteAt(page, 0)
			check(b, err)
			check(b, syscall.Fdatasync(int(file.Fd())))
		}
	}
}

// benchmarkCommit counts commits, and reports changes a second beside them.
func benchmarkCommit(b *testing.B, group int) {
	db := open(b, filepath.Join(b.TempDir(), "payscand.db"))
	till := storetest.NewTill()
	sales := make([]payment.Sale, group)
	changes := make([]payment.Change, group)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		for i, sale := range sales {
			changes[i] = nextChange(till, sale)
			sales[i] = changes[i].After
		}
		b.StartTimer()
		check(b, db.Commit(changes))
	}
	b.ReportMetric(float64(b.N*group)/b.Elapsed().Seconds(), "changes/s")
}

// nextChange goes through a sale's life, and on to the next sale.
func nextChange(till *storetest.Till, s payment.Sale) payment.Change {
	switch {
	case s.ID == "" || s.Status.Final():
		return till.Created()
	case s.Status == payment.SaleAwaitingCode:
		return till.Submitted(s, "alphapay", secretCode)
	case s.LiveAttempt().Status == payment.AttemptSubmitting:
		return till.Wiped(s)
	}
	return till.Paid(s)
}

// BenchmarkOpen opens databases with more and more finished sales, where the time is
// the same, and with open ones, whose way is walked before they are read.
func BenchmarkOpen(b *testing.B) {
	for _, sales := range []struct{ finished, open int }{{100, 0}, {10_000, 0}, {10_000, 1000}} {
		b.Run(fmt.Sprintf("finished=%d,open=%d", sales.finished, sales.open), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "payscand.db")
			fill(b, path, sales.finished, sales.open)
			for b.Loop() {
				db, err := store.Open(path)
				check(b, err)
				check(b, db.Close())
			}
		})
	}
}

// fill commits so many sales, those that stay open spread among the others.
func fill(b *testing.B, path string, finished, unfinished int) {
	db := open(b, path)
	till := storetest.NewTill()
	all := finished + unfinished
	for made := 0; made < all; made += 100 {
		var changes []payment.Change
		for n := range 100 {
			created := till.Created()
			submitted := till.Submitted(created.After, "alphapay", secretCode)
			changes = append(changes, created, submitted)
			if (made+n)*unfinished/all == (made+n+1)*unfinished/all {
				changes = append(changes, till.Paid(submitted.After))
			}
		}
		check(b, db.Commit(changes))
	}
	check(b, db.Close())
}
