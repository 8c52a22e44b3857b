package store_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"payscand/payment"
	"payscand/store"
	"payscand/store/storetest"
)

const secretCode = "281234567890123456"

func TestStore(t *testing.T) {
	storetest.Run(t, func(dir string) (storetest.Store, error) {
		return store.Open(filepath.Join(dir, "payscand.db"))
	})
}

func open(t testing.TB, path string) *store.DB {
	t.Helper()
	db, err := store.Open(path)
	check(t, err)
	t.Cleanup(func() { check(t, db.Close()) })
	return db
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// life is a sale that is paid, one that waits, and some records: each a commit.
func life(till *storetest.Till) []payment.Change {
	made := till.Created()
	submitted := till.Submitted(made.After, "alphapay", secretCode)
	hidden := till.Rescheduled(submitted.After, 1)
	wiped := till.Wiped(hidden.After)
	other := till.Created()
	waiting := till.Submitted(other.After, "other", secretCode)
	return []payment.Change{made, submitted, hidden, till.ScanRefused(), other, waiting, wiped, till.Paid(wiped.After)}
}

// filled makes a database with a day in it, closed, and returns its path.
func filled(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "payscand.db")
	db := open(t, path)
	till := storetest.NewTill()
	for range 40 {
		check(t, db.Commit(life(till)))
	}
	check(t, db.Close())
	return path
}

// Payment codes and history are for payscand's user only; nothing but the
// database and its reserve is left in the folder. A missing folder is made.
func TestFilesAreForTheOwner(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "var", "payscand")
	path := filepath.Join(folder, "payscand.db")
	db := open(t, path)
	for file, want := range map[string]os.FileMode{folder: 0o700, path: 0o600, path + ".reserve": 0o600} {
		info, err := os.Stat(file)
		check(t, err)
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %o, want %o", filepath.Base(file), info.Mode().Perm(), want)
		}
	}
	entries, err := os.ReadDir(folder)
	check(t, err)
	if len(entries) != 2 {
		t.Errorf("the folder holds %v", entries)
	}
	check(t, db.Close())
	check(t, os.Chmod(path, 0o644)) // as a copy put back by hand
	open(t, path)
	info, err := os.Stat(path)
	check(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("opened again, the database has mode %o", info.Mode().Perm())
	}
}

// While one has the database open another gets a clear error and changes
// nothing; afterwards it may open it.
func TestSecondOpenerIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "payscand.db")
	db := open(t, path)
	_, err := store.Open(path)
	if !errors.Is(err, store.ErrLocked) || !strings.Contains(err.Error(), "another payscand is running") {
		t.Errorf("the second opener gets %v", err)
	}
	check(t, db.Commit(life(storetest.NewTill())))
	check(t, db.Close())
	open(t, path)
}

// Many that start at once on a new folder make one database, and one has it.
func TestRacingCreators(t *testing.T) {
	path := filepath.Join(t.TempDir(), "payscand.db")
	const racers = 8
	opened := make(chan *store.DB, racers)
	for range racers {
		go func() {
			db, _ := store.Open(path)
			opened <- db
		}()
	}
	var winners []*store.DB
	for range racers {
		if db := <-opened; db != nil {
			winners = append(winners, db)
		}
	}
	if len(winners) != 1 {
		t.Fatalf("%d have the database open, want 1", len(winners))
	}
	check(t, winners[0].Commit(life(storetest.NewTill())))
	check(t, winners[0].Close())
}

// The file, copied at any moment after a commit as a SIGKILL leaves it, opens
// and holds all that was acknowledged.
func TestCopyAfterEachCommitOpens(t *testing.T) {
	folder := t.TempDir()
	path, copied := filepath.Join(folder, "payscand.db"), filepath.Join(folder, "copy.db")
	db, till := open(t, path), storetest.NewTill()
	sales := map[string]payment.Sale{}
	records := uint64(0)
	for _, c := range slices.Concat(life(till), life(till), life(till)) {
		check(t, db.Commit([]payment.Change{c}))
		if c.After.ID != "" {
			sales[c.After.ID] = c.After
		}
		if c.Record != nil {
			records++
		}
		content, err := os.ReadFile(path)
		check(t, err)
		check(t, os.WriteFile(copied, content, 0o600))

		again, err := store.Open(copied)
		check(t, err)
		for id, want := range sales {
			got, err := again.Sale(id)
			if diff := storetest.Diff(want, got); err != nil || diff != "" {
				t.Errorf("%v (-acknowledged +read)\n%s", err, diff)
			}
		}
		if good, err := store.VerifyChain(again); good != records || err != nil {
			t.Errorf("%d records of the journal are good, %v; want %d", good, err, records)
		}
		check(t, again.Close())
	}
}

// No bucket but codes ever holds a payment code, and codes only those not wiped:
// a backup without that bucket holds none.
func TestCodesAreInOneBucketOnly(t *testing.T) {
	path := filled(t)
	codes := 0
	editFile(t, path, func(tx *bbolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
			return b.ForEach(func(key, value []byte) error {
				found := bytes.Contains(key, []byte(secretCode)) || bytes.Contains(value, []byte(secretCode))
				if found && string(name) != "codes" {
					t.Errorf("bucket %s holds a payment code under %q", name, key)
				}
				if string(name) == "codes" {
					codes++
				}
				return nil
			})
		})
	})
	if codes != 40 { // of the attempts that still wait
		t.Errorf("%d codes are kept, want 40", codes)
	}
}

// Every bucket that is derived holds exactly what the sales say, not an entry more.
func TestNoStrayIndexEntries(t *testing.T) {
	editFile(t, filled(t), func(tx *bbolt.Tx) error {
		for name, want := range map[string]int{
			"sales": 80, "open": 40, "due": 40, "keys": 80, "requests": 80, "codes": 40, "journal": 280,
		} {
			if got := tx.Bucket([]byte(name)).Stats().KeyN; got != want {
				t.Errorf("bucket %s has %d entries, want %d", name, got, want)
			}
		}
		return nil
	})
}
