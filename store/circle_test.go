package store_test

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"payscand/payment"
	"payscand/store"
	"payscand/store/storetest"
)

// pageSize is that of the files that the tests make.
var pageSize = os.Getpagesize()

// withOpenSales fills a database with sales that are over and, spread among them,
// sales that are not.
func withOpenSales(t testing.TB, finished, unfinished int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "payscand.db")
	db, till := open(t, path), storetest.NewTill()
	for n := range finished + unfinished {
		made := till.Created()
		submitted := till.Submitted(made.After, "alphapay", secretCode)
		changes := []payment.Change{made, submitted}
		if n%((finished+unfinished)/unfinished) > 0 {
			changes = append(changes, till.Paid(submitted.After))
		}
		check(t, db.Commit(changes))
	}
	check(t, db.Close())
	return path
}

// rootOf is the page that a bucket's tree begins with.
func rootOf(t testing.TB, path, bucket string) (id uint64) {
	t.Helper()
	bolt, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true})
	check(t, err)
	check(t, bolt.View(func(tx *bbolt.Tx) error {
		id = uint64(tx.Bucket([]byte(bucket)).Root())
		return nil
	}))
	check(t, bolt.Close())
	return id
}

// A file whose pages lead in a circle, as a disk that lies leaves it, is refused when
// a start would follow them, in words that say what to do (P9). bbolt never ends on
// it, or ends the process.
func TestOpenRefusesPagesInACircle(t *testing.T) {
	t.Parallel()
	const branch, element = 0x01, 16
	order := binary.NativeEndian
	for _, test := range []struct {
		name, bucket string
		edit         func(page []byte, id uint64)
	}{
		{"the journal's end", "journal", func(page []byte, id uint64) {
			last := int(order.Uint16(page[10:]))
			order.PutUint64(page[element*last+8:], id)
		}},
		{"the way to an open sale", "sales", func(page []byte, id uint64) {
			for i := range int(order.Uint16(page[10:])) {
				order.PutUint64(page[element*(i+1)+8:], id)
			}
		}},
		{"a page that names itself otherwise", "journal", func(page []byte, id uint64) { order.PutUint64(page, id+1) }},
		{"a child that is no page", "journal", func(page []byte, _ uint64) {
			last := int(order.Uint16(page[10:]))
			order.PutUint64(page[element*last+8:], 1<<40)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := withOpenSales(t, 120, 4)
			id := rootOf(t, path, test.bucket)
			content, err := os.ReadFile(path)
			check(t, err)
			page := content[int(id)*pageSize:][:pageSize]
			if order.Uint16(page[8:]) != branch {
				t.Fatalf("bucket %s has one page only: the test needs more sales", test.bucket)
			}
			test.edit(page, id)
			check(t, os.WriteFile(path, content, 0o600))
			if _, err := store.Open(path); !errors.Is(err, store.ErrDamaged) || !strings.Contains(err.Error(), "restore a backup") {
				t.Errorf("%v, want ErrDamaged and what to do", err)
			}
			now, err := os.ReadFile(path)
			check(t, err)
			if string(now) != string(content) {
				t.Error("the file was changed")
			}
		})
	}
}

// A start looks at as many pages after a long history as after a short one, but for
// the depth of the trees: what it checks is what it reads.
func TestStartLooksAtFewPages(t *testing.T) {
	t.Parallel()
	count := func(finished int) int {
		n, err := store.PagesAtStart(withOpenSales(t, finished, 4))
		check(t, err)
		return n
	}
	short, long := count(60), count(600)
	t.Logf("%d pages after 60 sales, %d after 600", short, long)
	if long > short+12 {
		t.Errorf("%d pages are looked at after 60 sales, %d after 600", short, long)
	}
}
