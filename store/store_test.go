package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"

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

// A file that is no database of this payscand is refused, with words that say
// what it is and what to do, and is left byte for byte as it was.
func TestRefusedFilesAreLeftAlone(t *testing.T) {
	whole, err := os.ReadFile(filled(t))
	check(t, err)
	garbage := bytes.Repeat([]byte("no database\n"), 10_000)
	for _, test := range []struct {
		name    string
		content []byte
		want    error
		words   string
	}{
		{"empty", nil, store.ErrDamaged, "empty"},
		{"one byte", []byte{0}, store.ErrDamaged, "restore"},
		{"garbage", garbage, store.ErrDamaged, "restore"},
		{"zeros", make([]byte, 1<<20), store.ErrDamaged, "restore"},
		{"half a page", whole[:2048], store.ErrDamaged, "restore"},
		{"one page", whole[:4096], store.ErrDamaged, "restore"},
		{"both meta pages", whole[:8192], store.ErrDamaged, "restore"},
		{"half", whole[:len(whole)/2], store.ErrDamaged, "restore"},
		{"meta pages overwritten", append(bytes.Clone(garbage[:8192]), whole[8192:]...), store.ErrDamaged, "restore"},
		{"all but the meta pages overwritten", append(bytes.Clone(whole[:8192]), bytes.Repeat([]byte{0xa5}, len(whole)-8192)...), store.ErrDamaged, "restore"},
		{"newer schema", edited(t, whole, setSchema("2")), store.ErrNewer, "schema 2"},
		{"schema unreadable", edited(t, whole, setSchema("one")), store.ErrDamaged, "schema"},
		{"another program's", edited(t, whole, func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte("meta")) }), store.ErrDamaged, "not payscand's"},
		{"bucket missing", edited(t, whole, func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte("due")) }), store.ErrDamaged, "due"},
		{"last record gone", edited(t, whole, func(tx *bbolt.Tx) error {
			c := tx.Bucket([]byte("journal")).Cursor()
			c.Last()
			return c.Delete()
		}), store.ErrDamaged, "journal record 280"},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "payscand.db")
			check(t, os.WriteFile(path, test.content, 0o600))
			db, err := store.Open(path)
			if err == nil {
				t.Error(db.Close())
			}
			if !errors.Is(err, test.want) || !strings.Contains(fmt.Sprint(err), test.words) || !strings.Contains(fmt.Sprint(err), path) {
				t.Errorf("%v, want %v with %q and the path", err, test.want, test.words)
			}
			now, err := os.ReadFile(path)
			check(t, err)
			if !bytes.Equal(now, test.content) {
				t.Error("the file was changed")
			}
			// Nobody holds the lock of the refused file.
			file, err := os.Open(path)
			check(t, err)
			defer file.Close()
			check(t, syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB))
		})
	}
	if _, err := store.Open(t.TempDir()); err == nil {
		t.Error("a folder was opened")
	}
}

func setSchema(version string) func(tx *bbolt.Tx) error {
	return func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("meta")).Put([]byte("schema"), []byte(version))
	}
}

// edited is a database after a transaction that payscand would never make. Its
// free list is not written, as another version might choose: bbolt would write
// it when opening.
func edited(t testing.TB, whole []byte, edit func(tx *bbolt.Tx) error) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "edited.db")
	check(t, os.WriteFile(path, whole, 0o600))
	editFile(t, path, edit)
	content, err := os.ReadFile(path)
	check(t, err)
	return content
}

func editFile(t testing.TB, path string, edit func(tx *bbolt.Tx) error) {
	t.Helper()
	bolt, err := bbolt.Open(path, 0o600, &bbolt.Options{NoFreelistSync: true})
	check(t, err)
	check(t, bolt.Update(edit))
	check(t, bolt.Close())
}

// A bit flipped anywhere in a stored record of the journal is found, and the
// record named.
func TestFlippedBitsAreNamed(t *testing.T) {
	path := filled(t)
	for _, seq := range []uint64{1, 17, 256, 257, 279} {
		var stored []byte
		key := []byte{0, 0, 0, 0, 0, 0, byte(seq >> 8), byte(seq)}
		editFile(t, path, func(tx *bbolt.Tx) error {
			stored = bytes.Clone(tx.Bucket([]byte("journal")).Get(key))
			return nil
		})
		for _, i := range []int{0, 31, 32, 40, len(stored) / 2, len(stored) - 1} {
			flipped := bytes.Clone(stored)
			flipped[i] ^= 0x20 // the case of a letter: JSON would read many of them all the same
			put(t, path, key, flipped)
			db := open(t, path)
			good, err := store.VerifyChain(db)
			var bad *store.ChainError
			if !errors.As(err, &bad) || bad.Seq != seq || good != seq-1 {
				t.Errorf("byte %d of record %d: %d good, then %v", i, seq, good, err)
			}
			check(t, db.Close())
		}
		put(t, path, key, stored)
	}
	if good, err := store.VerifyChain(open(t, path)); good != 280 || err != nil {
		t.Errorf("mended: %d good, %v", good, err)
	}
}

func put(t testing.TB, path string, key, value []byte) {
	t.Helper()
	editFile(t, path, func(tx *bbolt.Tx) error { return tx.Bucket([]byte("journal")).Put(key, value) })
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

// A commit that finds the disk full makes room for the next start, and leaves
// the outcome to it: nothing is answered any more. All that was acknowledged is
// there, and the journal goes on.
func TestDiskFullInCommit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "payscand.db")
	db, till := open(t, path), storetest.NewTill()
	made := till.Created()
	check(t, db.Commit([]payment.Change{made}))
	writesFail(t, path)

	submitted := till.Submitted(made.After, "alphapay", secretCode)
	err := db.Commit([]payment.Change{submitted})
	if !errors.Is(err, store.ErrFailed) || !errors.Is(err, store.ErrFull) || strings.Contains(err.Error(), secretCode) {
		t.Errorf("a commit on a full disk: %v, want ErrFailed and ErrFull", err)
	}
	wantUnusable(t, db, made.After.ID)
	if _, err := os.Stat(path + ".reserve"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the reserve is still there: %v", err)
	}
	_ = db.Close()

	again := open(t, path)
	got, err := again.Sale(made.After.ID)
	if diff := storetest.Diff(made.After, got); err != nil || diff != "" {
		t.Errorf("%v (-acknowledged +read)\n%s", err, diff)
	}
	check(t, again.Commit([]payment.Change{submitted}))
	if good, err := store.VerifyChain(again); good != 2 || err != nil {
		t.Errorf("%d records are good, %v", good, err)
	}
}

// writesFail puts /dev/full in the place of the open database file.
func writesFail(t *testing.T, path string) {
	t.Helper()
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	check(t, err)
	defer full.Close()
	descriptors, err := os.ReadDir("/proc/self/fd")
	check(t, err)
	for _, d := range descriptors {
		if target, _ := os.Readlink("/proc/self/fd/" + d.Name()); target == path {
			fd, err := strconv.Atoi(d.Name())
			check(t, err)
			check(t, unix.Dup3(int(full.Fd()), fd, unix.O_CLOEXEC))
			return
		}
	}
	t.Fatal("the database file is not open")
}

func wantUnusable(t *testing.T, db *store.DB, sale string) {
	t.Helper()
	_, saleErr := db.Sale(sale)
	_, openErr := db.Open("", 0)
	_, journalErr := db.Journal(0, 0)
	commitErr := db.Commit([]payment.Change{storetest.NewTill().ScanRefused()})
	for _, err := range []error{saleErr, openErr, journalErr, commitErr, db.CheckRoom()} {
		if !errors.Is(err, store.ErrFailed) {
			t.Errorf("after the failure: %v, want ErrFailed", err)
		}
	}
}

// Pages that are damaged under the running program are errors, never a panic.
func TestDamagedPagesAreErrors(t *testing.T) {
	path := filled(t)
	db, till := open(t, path), storetest.NewTill()
	sale := till.Created().After
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	check(t, err)
	defer file.Close()
	info, err := file.Stat()
	check(t, err)
	_, err = file.WriteAt(bytes.Repeat([]byte{0xa5}, int(info.Size())-8192), 8192)
	check(t, err)

	if _, err := db.Sale(sale.ID); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("reading a damaged page: %v, want ErrDamaged", err)
	}
	check(t, file.Truncate(8192)) // reading beyond the end of a mapped file is a fault
	if _, err := db.Sale(sale.ID); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("reading a page that is gone: %v, want ErrDamaged", err)
	}
	if err := db.Commit([]payment.Change{till.ScanRefused()}); !errors.Is(err, store.ErrFailed) || !errors.Is(err, store.ErrDamaged) {
		t.Errorf("committing to damaged pages: %v, want ErrFailed and ErrDamaged", err)
	}
	wantUnusable(t, db, sale.ID)
}

// A sale is refused before money moves when the disk has little room or can only
// be read, and taken again when it has; a reserve that is gone is made again.
func TestRoom(t *testing.T) {
	path := filepath.Join(t.TempDir(), "payscand.db")
	db := open(t, path)
	const mib = 1 << 20
	answer := func(free int64, flags int64) {
		db.SetStatfs(func(_ string, stat *unix.Statfs_t) error {
			stat.Bavail, stat.Frsize = uint64(free/4096), 4096
			stat.Flags |= flags
			return nil
		})
	}
	reserve := path + ".reserve"
	for _, test := range []struct {
		name       string
		free       int64
		flags      int64
		hasReserve bool
		want       error
		reserved   bool
	}{
		{"room", 32 * mib, 0, true, nil, true},
		{"little room", 32*mib - 4096, 0, true, store.ErrFull, true},
		{"none", 0, 0, true, store.ErrFull, true},
		{"read-only", 1 << 40, unix.ST_RDONLY, true, store.ErrReadOnly, true},
		{"no reserve and too little for one", 40*mib - 4096, 0, false, store.ErrFull, false},
		{"no reserve and room for one", 40 * mib, 0, false, nil, true},
	} {
		if !test.hasReserve {
			_ = os.Remove(reserve)
		}
		answer(test.free, test.flags)
		if err := db.CheckRoom(); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
		if free, err := db.DiskFree(); free != test.free || err != nil {
			t.Errorf("%s: %d bytes free, %v", test.name, free, err)
		}
		var stat unix.Stat_t
		err := unix.Stat(reserve, &stat)
		if reserved := err == nil && stat.Blocks*512 >= 8*mib; reserved != test.reserved {
			t.Errorf("%s: the reserve holds %d blocks, %v", test.name, stat.Blocks, err)
		}
	}
}
