package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"payscand/payment"
	"payscand/store"
	"payscand/store/storetest"
)

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
		{"half", whole[:len(whole)/2], store.ErrDamaged, "bytes are left of"},
		{"meta pages overwritten", append(bytes.Clone(garbage[:8192]), whole[8192:]...), store.ErrDamaged, "restore"},
		{"all but the meta pages overwritten", append(bytes.Clone(whole[:8192]), bytes.Repeat([]byte{0xa5}, len(whole)-8192)...), store.ErrDamaged, "restore"},
		{"newer schema", edited(t, whole, newer), store.ErrNewer, "schema 3"},
		{"schema altered", edited(t, whole, setSchema("3")), store.ErrDamaged, "altered"},
		{"epoch altered", edited(t, whole, func(tx *bbolt.Tx) error { return tx.Bucket([]byte("meta")).Put([]byte("epoch"), []byte("xxxxabc")) }), store.ErrDamaged, "epoch"},
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

// newer makes a file that a later schema might be: its entries are not of this one.
func newer(tx *bbolt.Tx) error {
	return errors.Join(setSchema("3")(tx), tx.Bucket([]byte("meta")).Put([]byte("epoch"), []byte("written otherwise")))
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
		for _, i := range []int{0, 31, 32, 34, 40, len(stored) / 2, len(stored) - 1} {
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

// Retention that comes to an entry that was altered drops nothing and says which: the
// daemon, whose sales are of today, goes on, and is not started again for it each day.
func TestRetentionOfADamagedSale(t *testing.T) {
	path := filepath.Join(t.TempDir(), "payscand.db")
	db, till := open(t, path), storetest.NewTill()
	var old payment.Sale
	for _, c := range life(till) {
		check(t, db.Commit([]payment.Change{c}))
		if c.After.ID != "" {
			old = c.After
		}
	}
	till.Wait(24 * time.Hour)
	check(t, db.Commit([]payment.Change{till.Created()}))
	check(t, db.Close())
	editFile(t, path, func(tx *bbolt.Tx) error {
		sales := tx.Bucket([]byte("sales"))
		value := bytes.Clone(sales.Get([]byte(old.ID)))
		value[len(value)-1] ^= 1
		return sales.Put([]byte(old.ID), value)
	})

	db = open(t, path)
	if _, err := db.Prune(till.Now(), 0); !errors.Is(err, store.ErrDamaged) || !strings.Contains(err.Error(), old.ID) {
		t.Errorf("dropping a damaged sale: %v", err)
	}
	if seq, _ := db.Checkpoint(); seq != 0 {
		t.Errorf("the journal was dropped up to record %d", seq)
	}
	check(t, db.Commit([]payment.Change{till.Created()}))
}
