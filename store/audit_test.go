package store_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"maps"
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

// audited makes a small database with something in every bucket, refunds and a
// pruned journal included, and returns its bytes.
func audited(t testing.TB) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "payscand.db")
	db, till := open(t, path), storetest.NewTill()
	for range 4 {
		check(t, db.Commit(life(till)))
	}
	made := till.Created()
	submitted := till.Submitted(made.After, "alphapay", secretCode)
	paid := till.Paid(submitted.After)
	refunding := till.Changed(paid.After, func(s *payment.Sale) {
		s.Refunds = []payment.Refund{{
			N: 1, RequestID: s.ID + "-10", Attempt: 1, Amount: s.Amount, Status: payment.RefundSubmitting, Key: "key of a refund", Digest: "digest",
		}}
	})
	check(t, db.Commit([]payment.Change{made, submitted, paid, refunding}))
	more, err := db.Prune(till.Now(), 7)
	check(t, err)
	if !more {
		t.Fatal("nothing is left of the journal")
	}
	check(t, db.Close())
	checked(t, path)
	content, err := os.ReadFile(path)
	check(t, err)
	return content
}

// findings of a file with that content.
func findings(t testing.TB, path string, content []byte) []store.Finding {
	t.Helper()
	check(t, os.WriteFile(path, content, 0o600))
	report, err := store.Check(context.Background(), path)
	if err != nil {
		return []store.Finding{{Problem: err.Error()}}
	}
	return report.Findings
}

// content is all that a reader of the file can get at, by bucket and key.
func contentOf(t testing.TB, path string) map[string]string {
	t.Helper()
	all := map[string]string{}
	bolt, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true, PreLoadFreelist: false})
	check(t, err)
	defer bolt.Close()
	check(t, bolt.View(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
			return b.ForEach(func(key, value []byte) error {
				all[fmt.Sprintf("%s\x00%s", name, key)] = string(value)
				return nil
			})
		})
	}))
	return all
}

// Every bit of every record of every bucket, flipped alone, is found, and its
// bucket and entry, or its sale, are named. No finding shows a payment code.
func TestCheckNamesEveryFlippedBit(t *testing.T) {
	whole := audited(t)
	path := filepath.Join(t.TempDir(), "flipped.db")
	counts := map[string]int{}
	check(t, os.WriteFile(path, whole, 0o600))
	for at, value := range contentOf(t, path) {
		bucket, key, _ := strings.Cut(at, "\x00")
		place := locate(t, whole, bucket, []byte(key), []byte(value))
		for i := 0; i < len(key)+len(value); i += stride(29) {
			flipped := bytes.Clone(whole)
			flipped[place+i] ^= 1 << (i % 8)
			found := findings(t, path, flipped)
			named := slices.ContainsFunc(found, func(f store.Finding) bool {
				text := f.String()
				return f.Bucket == bucket || strings.Contains(text, key)
			})
			if !named {
				t.Fatalf("bucket %s, key %q, byte %d of key and value: %v", bucket, key, i, found)
			}
			for _, f := range found {
				if strings.Contains(f.String(), secretCode) {
					t.Fatalf("a finding shows a payment code: %v", f)
				}
			}
			counts[bucket]++
		}
	}
	for _, bucket := range []string{"sales", "open", "due", "keys", "requests", "codes", "journal", "meta"} {
		if counts[bucket] == 0 {
			t.Errorf("no byte of bucket %s was tried", bucket)
		}
	}
	t.Logf("bytes tried: %v", counts)
}

// locate finds where bbolt stored an entry: its key and, right behind, its value.
// The same bytes stand in freed pages, and a key within other entries: the place
// whose change is a change of this bucket alone is it.
func locate(t testing.TB, whole []byte, bucket string, key, value []byte) int {
	t.Helper()
	text := slices.Concat(key, value)
	path := filepath.Join(t.TempDir(), "locate.db")
	check(t, os.WriteFile(path, whole, 0o600))
	want := contentOf(t, path)
	for from := 0; ; {
		i := bytes.Index(whole[from:], text)
		if i < 0 {
			t.Fatalf("entry %q of bucket %s is nowhere", key, bucket)
		}
		at := from + i
		changed := bytes.Clone(whole)
		changed[at+len(text)-1] ^= 1
		check(t, os.WriteFile(path, changed, 0o600))
		got := contentOf(t, path)
		differs := func(other string) bool { return got[other] != want[other] }
		others := slices.DeleteFunc(slices.Collect(maps.Keys(want)), func(e string) bool { return strings.HasPrefix(e, bucket+"\x00") })
		_, there := got[bucket+"\x00"+string(key)]
		if (!there || differs(bucket+"\x00"+string(key))) && !slices.ContainsFunc(others, differs) {
			return at
		}
		from = at + 1
	}
}

// stride is how many places a test goes on at a time: all of them take minutes.
func stride(short int) int {
	if *everyByte {
		return 1
	}
	return short
}

var everyByte = flag.Bool("every-byte", false, "flip every byte there is, one after the other")

// Whatever byte of the file is flipped, it is either found, or nothing that
// anybody reads is different: it lies in an empty page, or in the unused rest of
// one. Never a panic.
func TestCheckFindsEveryFlippedByte(t *testing.T) {
	whole := audited(t)
	path := filepath.Join(t.TempDir(), "flipped.db")
	check(t, os.WriteFile(path, whole, 0o600))
	want := contentOf(t, path)
	told, silent := 0, 0
	for i := 0; i < len(whole); i += stride(401) {
		flipped := bytes.Clone(whole)
		flipped[i] ^= 1 << (i % 8)
		if len(findings(t, path, flipped)) > 0 {
			told++
			continue
		}
		silent++
		if !maps.Equal(contentOf(t, path), want) {
			t.Errorf("byte %d of page %d: not found, though what is read is different", i%4096, i/4096)
		}
	}
	t.Logf("%d flipped bytes told, %d in places that nobody reads", told, silent)
	if told == 0 || silent == 0 {
		t.Error("nothing was compared")
	}
}

// What a bug or a hand in the file might do is told, with bucket, entry and sale.
func TestCheckNamesWhatIsWrong(t *testing.T) {
	whole := audited(t)
	path := filepath.Join(t.TempDir(), "edited.db")
	bucket := func(tx *bbolt.Tx, name string) *bbolt.Bucket { return tx.Bucket([]byte(name)) }
	first := func(tx *bbolt.Tx, name string) (key, value []byte) {
		k, v := bucket(tx, name).Cursor().First()
		return bytes.Clone(k), bytes.Clone(v)
	}
	remove := func(name string) func(tx *bbolt.Tx) (string, error) {
		return func(tx *bbolt.Tx) (string, error) {
			key, _ := first(tx, name)
			return string(key), bucket(tx, name).Delete(key)
		}
	}
	swap := func(name string) func(tx *bbolt.Tx) (string, error) {
		return func(tx *bbolt.Tx) (string, error) {
			b := bucket(tx, name)
			k1, v1 := first(tx, name)
			c := b.Cursor()
			c.First()
			k2, v2 := c.Next()
			k2, v2 = bytes.Clone(k2), bytes.Clone(v2)
			if err := b.Put(k1, v2); err != nil {
				return "", err
			}
			return string(k1), b.Put(k2, v1)
		}
	}
	extra := func(name, like string) func(tx *bbolt.Tx) (string, error) {
		return func(tx *bbolt.Tx) (string, error) {
			_, value := first(tx, name)
			return like, bucket(tx, name).Put([]byte(like), value)
		}
	}
	due := string(slices.Concat([]byte{8}, []byte("alphapay"), make([]byte, 12), []byte("nobody")))
	number := func(name string, key string) string {
		if name == "journal" && len(key) == 8 {
			return fmt.Sprint(binary.BigEndian.Uint64([]byte(key)))
		}
		return key
	}
	for _, test := range []struct {
		name, bucket string
		edit         func(tx *bbolt.Tx) (key string, err error)
		words        string
	}{
		{"sale removed", "sales", func(tx *bbolt.Tx) (string, error) {
			key, _ := bucket(tx, "sales").Cursor().Last()
			return string(key), bucket(tx, "sales").Delete(bytes.Clone(key))
		}, "missing"},
		{"open entry removed", "open", remove("open"), "missing"},
		{"due entry removed", "due", remove("due"), "missing"},
		{"key removed", "keys", remove("keys"), "missing"},
		{"request id removed", "requests", remove("requests"), "missing"},
		{"record removed", "journal", remove("journal"), "missing"},
		{"meta entry removed", "meta", remove("meta"), "missing"},
		{"sales exchanged", "sales", swap("sales"), "checksum"},
		{"keys exchanged", "keys", swap("keys"), "checksum"},
		{"requests exchanged", "requests", swap("requests"), "checksum"},
		{"codes exchanged", "codes", swap("codes"), "checksum"},
		{"records exchanged", "journal", swap("journal"), "in its place"},
		{"open entry too many", "open", extra("open", "nobody"), "a sale that is missing"},
		{"due entry too many", "due", extra("due", due), "a sale that is missing"},
		{"key too many", "keys", extra("keys", "another key"), "checksum"},
		{"request id too many", "requests", extra("requests", "another-1"), "checksum"},
		{"code too many", "codes", extra("codes", "another-1"), "checksum"},
		{"open entry of a sale that is over", "open", func(tx *bbolt.Tx) (string, error) {
			c := bucket(tx, "sales").Cursor()
			for id, _ := c.First(); id != nil; id, _ = c.Next() {
				if bucket(tx, "open").Get(id) == nil && !isOpen(tx, id) {
					return string(id), bucket(tx, "open").Put(bytes.Clone(id), nil)
				}
			}
			return "", fmt.Errorf("all sales are open")
		}, "says otherwise"},
		{"record after the last", "journal", func(tx *bbolt.Tx) (string, error) {
			key, value := bucket(tx, "journal").Cursor().Last()
			next := binary.BigEndian.AppendUint64(nil, binary.BigEndian.Uint64(key)+1)
			return string(next), bucket(tx, "journal").Put(next, bytes.Clone(value))
		}, ""},
		{"foreign bucket", "other", func(tx *bbolt.Tx) (string, error) {
			_, err := tx.CreateBucket([]byte("other"))
			return "other", err
		}, "no such bucket"},
	} {
		t.Run(test.name, func(t *testing.T) {
			check(t, os.WriteFile(path, whole, 0o600))
			key := ""
			editFile(t, path, func(tx *bbolt.Tx) (err error) {
				key, err = test.edit(tx)
				return err
			})
			content, err := os.ReadFile(path)
			check(t, err)
			found := findings(t, path, content)
			if !slices.ContainsFunc(found, func(f store.Finding) bool {
				text := f.String()
				return strings.Contains(text, test.bucket) && strings.Contains(text, test.words) &&
					(strings.Contains(text, number(test.bucket, key)) || test.bucket == "due" || test.bucket == "keys")
			}) {
				t.Errorf("want %s, %q and %q; found %v", test.bucket, number(test.bucket, key), test.words, found)
			}
		})
	}
}

func isOpen(tx *bbolt.Tx, id []byte) bool {
	return bytes.Contains(tx.Bucket([]byte("sales")).Get(id), []byte(`"processing"`)) ||
		bytes.Contains(tx.Bucket([]byte("sales")).Get(id), []byte(`"submitting"`))
}

// A sale that was put back to what it was before its last change, with a good
// checksum, is told by its journal.
func TestCheckTellsAnOlderSale(t *testing.T) {
	path := filepath.Join(t.TempDir(), "payscand.db")
	db, till := open(t, path), storetest.NewTill()
	made := till.Created()
	check(t, db.Commit([]payment.Change{made}))
	var old []byte
	check(t, db.Close())
	editFile(t, path, func(tx *bbolt.Tx) error {
		old = bytes.Clone(tx.Bucket([]byte("sales")).Get([]byte(made.After.ID)))
		return nil
	})
	db = open(t, path)
	check(t, db.Commit([]payment.Change{till.Changed(made.After, func(s *payment.Sale) { s.Description = "newer" })}))
	check(t, db.Close())
	editFile(t, path, func(tx *bbolt.Tx) error { return tx.Bucket([]byte("sales")).Put([]byte(made.After.ID), old) })
	report, err := store.Check(t.Context(), path)
	check(t, err)
	if len(report.Findings) != 1 || report.Findings[0].Sale != made.After.ID || !strings.Contains(report.Findings[0].Problem, "version 1") {
		t.Errorf("found %v", report.Findings)
	}
}

// A look at a database that is in use says who to stop; one at nothing, that
// there is nothing.
func TestCheckRefusals(t *testing.T) {
	path := filepath.Join(t.TempDir(), "payscand.db")
	db := open(t, path)
	if _, err := store.Check(t.Context(), path); !strings.Contains(fmt.Sprint(err), "stop it first") {
		t.Errorf("in use: %v", err)
	}
	check(t, db.Close())
	if _, err := store.Check(t.Context(), path+".none"); !os.IsNotExist(unwrapAll(err)) {
		t.Errorf("nothing: %v", err)
	}
	if _, err := os.Stat(path + ".none"); err == nil {
		t.Error("looking made a file")
	}
}

func unwrapAll(err error) error {
	for {
		next, ok := err.(interface{ Unwrap() error })
		if !ok {
			return err
		}
		if _, is := err.(*os.PathError); is { //nolint:errorlint // its own type is looked for
			return err
		}
		err = next.Unwrap()
	}
}

// FuzzDamagedFile: whatever bytes stand where in a file, looking at it and
// opening it end with an answer; what Check finds nothing wrong with opens, and
// reads as before.
func FuzzDamagedFile(f *testing.F) {
	whole := audited(f)
	for _, at := range []uint32{0, 16, 4096 + 70, 8192, 2*4096 + 10, 3*4096 + 20, 5*4096 + 16, 6*4096 + 100} {
		f.Add(at, []byte{0xff, 0xff, 0xff, 0xff})
		f.Add(at, []byte{0, 0, 0, 0, 0, 0, 0, 0})
	}
	f.Fuzz(func(t *testing.T, at uint32, bytesThere []byte) {
		content := bytes.Clone(whole)
		copy(content[int(at)%len(content):], bytesThere)
		path := filepath.Join(t.TempDir(), "damaged.db")
		if found := findings(t, path, content); len(found) > 0 {
			return
		}
		db, err := store.Open(path)
		if err != nil {
			t.Fatalf("nothing was found wrong, yet: %v", err)
		}
		if _, err := store.VerifyChain(db); err != nil {
			t.Error(err)
		}
		check(t, db.Close())
	})
}
