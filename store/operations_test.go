package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"

	"payscand/payment"
	"payscand/store"
	"payscand/store/storetest"
)

// checked fails unless all of the file is as it was written.
func checked(t testing.TB, path string) store.Report {
	t.Helper()
	report, err := store.Check(context.Background(), path)
	check(t, err)
	for _, f := range report.Findings {
		t.Errorf("%s: %v", filepath.Base(path), f)
	}
	return report
}

// wantSales fails unless the database holds exactly these sales, without codes.
func wantSales(t testing.TB, db *store.DB, want map[string]payment.Sale) {
	t.Helper()
	got := map[string]payment.Sale{}
	for q, more := (store.Query{}), true; more; {
		page, err := db.Sales(q)
		check(t, err)
		for _, s := range page.Sales {
			got[s.ID] = s
		}
		q.Cursor, more = page.Cursor, page.Cursor != ""
	}
	if diff := storetest.Diff(want, got); diff != "" {
		t.Errorf("sales (-want +got)\n%s", diff)
	}
}

// withoutCodes are the sales as a backup has them.
func withoutCodes(sales map[string]payment.Sale) map[string]payment.Sale {
	stripped := map[string]payment.Sale{}
	for id, s := range sales {
		s.Attempts = slices.Clone(s.Attempts)
		for i := range s.Attempts {
			s.Attempts[i].Code = payment.Code{}
		}
		stripped[id] = s
	}
	return stripped
}

// A file of each schema that a release wrote opens, with every sale and the whole
// journal, and is of the present schema then. What the older program can read is
// kept beside it, without payment codes; the new file has them still (M7).
func TestMigration(t *testing.T) {
	for version := 1; version <= 2; version++ {
		t.Run(fmt.Sprintf("schema %d", version), func(t *testing.T) {
			path := fixture(t, fmt.Sprintf("schema-%d", version))
			before := checked(t, path)
			if before.Schema != version {
				t.Fatalf("the fixture is of schema %d", before.Schema)
			}
			old, err := os.ReadFile(path)
			check(t, err)
			if !bytes.Contains(old, []byte(secretCode)) {
				t.Fatal("the fixture has no payment code, so that nothing is proved about codes")
			}
			db := open(t, path)
			wantSales(t, db, fixtureSales())
			if good, err := store.VerifyChain(db); good != before.Records || err != nil {
				t.Errorf("%d records are good, %v; want %d", good, err, before.Records)
			}
			check(t, db.Commit([]payment.Change{storetest.NewTill().ScanRefused()}))
			check(t, db.Close())
			if after := checked(t, path); after.Schema != 2 || after.Records != before.Records+1 {
				t.Errorf("migrated: %+v", after)
			}
			backup := path + fmt.Sprintf(".schema-%d", version)
			content, err := os.ReadFile(backup)
			if version == 2 {
				if !errors.Is(err, os.ErrNotExist) {
					t.Errorf("nothing was to be migrated, yet there is a backup (%v)", err)
				}
				return
			}
			check(t, err)
			if bytes.Contains(content, []byte(secretCode)) {
				t.Error("the backup holds a payment code")
			}
			if kept := checked(t, backup); kept.Schema != version || kept.Records != before.Records || kept.Sales != before.Sales {
				t.Errorf("the backup: %+v", kept)
			}
		})
	}
}

// A migration that finds no room changes nothing and says what it needs.
func TestMigrationNeedsRoom(t *testing.T) {
	path := fixture(t, "schema-1")
	old, err := os.ReadFile(path)
	check(t, err)
	defer store.PretendFree(1 << 20)()
	if _, err := store.Open(path); !errors.Is(err, store.ErrFull) || !strings.Contains(err.Error(), "are needed") {
		t.Errorf("%v, want ErrFull", err)
	}
	now, err := os.ReadFile(path)
	check(t, err)
	if !bytes.Equal(old, now) {
		t.Error("the file was changed")
	}
	if files, _ := filepath.Glob(path + "*"); len(files) != 1 {
		t.Errorf("it left %q", files)
	}
}

// A backup that is made while sales go on is the database of one moment: it is
// whole by itself, has every sale of the commits before it, and of those after it
// began each sale at one of its versions, with the journal to prove it.
func TestBackupWhileSalesRun(t *testing.T) {
	dir := t.TempDir()
	path, backup := filepath.Join(dir, "payscand.db"), filepath.Join(dir, "backup.db")
	db, till := open(t, path), storetest.NewTill()
	acknowledged := map[string]payment.Sale{}
	for range 150 { // more than a page of sales, and of records
		changes := life(till)
		check(t, db.Commit(changes))
		for _, c := range changes {
			if c.After.ID != "" {
				acknowledged[c.After.ID] = c.After
			}
		}
	}
	before, _ := db.Head()
	var waiting []payment.Sale
	for _, s := range acknowledged {
		if s.Status == payment.SaleProcessing {
			waiting = append(waiting, s)
		}
	}

	stop, busy := make(chan struct{}), sync.WaitGroup{}
	busy.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			changes := life(till)
			if n < len(waiting) { // also sales that were copied already
				wiped := till.Wiped(waiting[n])
				changes = append(changes, wiped, till.Rescheduled(wiped.After, time.Hour))
			}
			if err := db.Commit(changes); err != nil {
				t.Error(err)
				return
			}
		}
	})
	made, err := db.Backup(t.Context(), backup)
	close(stop)
	busy.Wait()
	check(t, err)
	report := checked(t, backup)
	if made.Last < before || made.Sales != report.Sales || report.Adopted {
		t.Errorf("made %+v (head before %d), found %+v", made, before, report)
	}
	info, err := os.Stat(backup)
	check(t, err)
	if info.Mode().Perm() != 0o600 || info.Size() != made.Bytes {
		t.Errorf("the backup has mode %o and %d bytes", info.Mode().Perm(), info.Size())
	}
	content, err := os.ReadFile(backup)
	check(t, err)
	if bytes.Contains(content, []byte(secretCode)) {
		t.Error("the backup holds a payment code")
	}
	live, err := os.ReadFile(path)
	check(t, err)
	if !bytes.Contains(live, []byte(secretCode)) {
		t.Error("the database holds no payment code, so that nothing is proved")
	}

	copied := open(t, backup)
	for id, want := range acknowledged {
		got, err := copied.Sale(id)
		if err == nil && got.Version == want.Version+1 && got.Attempts[0].Status == payment.AttemptPending && !want.Status.Final() {
			continue // changed meanwhile
		}
		if diff := storetest.Diff(withoutCodes(map[string]payment.Sale{"": want})[""], got); err != nil || diff != "" {
			t.Errorf("sale %s, committed before: %v (-committed +backup)\n%s", id, err, diff)
		}
	}
}

// While one backup is made another is refused; one that is given up, or finds no
// room, or a file in its place, leaves nothing behind and the next one is made.
func TestBackupRefusals(t *testing.T) {
	dir := t.TempDir()
	db := open(t, filepath.Join(dir, "payscand.db"))
	check(t, db.Commit(life(storetest.NewTill())))
	given, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := db.Backup(given, filepath.Join(dir, "a.db")); !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
	check(t, os.WriteFile(filepath.Join(dir, "b.db"), []byte("precious"), 0o600))
	if _, err := db.Backup(t.Context(), filepath.Join(dir, "b.db")); !errors.Is(err, os.ErrExist) {
		t.Errorf("over a file: %v", err)
	}
	db.SetStatfs(func(_ string, stat *unix.Statfs_t) error {
		stat.Bavail, stat.Frsize = 40<<20/4096, 4096
		return nil
	})
	if _, err := db.Backup(t.Context(), filepath.Join(dir, "c.db")); !errors.Is(err, store.ErrFull) {
		t.Errorf("without room: %v", err)
	}
	db.SetStatfs(unix.Statfs)
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	check(t, err)
	if len(files) != 3 { // database, reserve, b.db
		t.Errorf("left behind: %q", files)
	}
	if _, err := db.Backup(t.Context(), filepath.Join(dir, "d.db")); err != nil {
		t.Error(err)
	}
}

// A damaged sale is not carried into a backup as if nothing were: the backup is
// refused, the sale named, and nothing left behind.
func TestDamageIsNotBackedUp(t *testing.T) {
	path := filled(t)
	id := ""
	editFile(t, path, func(tx *bbolt.Tx) error {
		key, value := tx.Bucket([]byte("sales")).Cursor().First()
		id = string(key)
		flipped := bytes.Clone(value)
		flipped[len(flipped)/2] ^= 1
		return tx.Bucket([]byte("sales")).Put(bytes.Clone(key), flipped)
	})
	db := open(t, path)
	_, err := db.Backup(t.Context(), path+".backup")
	if !errors.Is(err, store.ErrDamaged) || !strings.Contains(fmt.Sprint(err), id) {
		t.Errorf("%v, want ErrDamaged and sale %s", err, id)
	}
	if _, err := os.Stat(path + ".backup"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a backup was left: %v", err)
	}
}

// A restored database holds what the backup does and may not act on its sales;
// its journal goes on under another epoch, the same one at every start. Adopting
// it is journalled, and lets it act.
func TestRestoreAndAdopt(t *testing.T) {
	dir := t.TempDir()
	path, backup, restored := filepath.Join(dir, "payscand.db"), filepath.Join(dir, "backup.db"), filepath.Join(dir, "new", "payscand.db")
	db, till := open(t, path), storetest.NewTill()
	check(t, db.Commit(life(till)))
	if !db.Adopted() {
		t.Error("a new database is not adopted by the machine that made it")
	}
	head, epoch := db.Head()
	_, err := db.Backup(t.Context(), backup)
	check(t, err)

	result, err := store.Restore(t.Context(), backup, restored, false)
	check(t, err)
	if result.Kept != "" || result.Last != head {
		t.Errorf("%+v", result)
	}
	epochs := map[string]bool{}
	for range 2 {
		again, err := store.Open(restored)
		check(t, err)
		seq, is := again.Head()
		if again.Adopted() || is == epoch || seq != head {
			t.Errorf("restored: adopted %v, epoch %s (was %s), head %d, want %d", again.Adopted(), is, epoch, seq, head)
		}
		epochs[is] = true
		check(t, again.Close())
	}
	if len(epochs) != 1 {
		t.Errorf("each start has an epoch of its own: %v", epochs)
	}
	adopted, err := store.Adopt(restored, till.Now())
	if err != nil || adopted.Already || adopted.Open != 1 {
		t.Errorf("%+v, %v", adopted, err)
	}
	again := open(t, restored)
	if seq, is := again.Head(); !again.Adopted() || seq != head+1 || !epochs[is] {
		t.Errorf("adopted %v, epoch %s, head %d", again.Adopted(), is, seq)
	}
	last, err := again.Journal(head, 0)
	if err != nil || len(last) != 1 || last[0].Type != payment.RecordAdopted {
		t.Errorf("the journal says %+v, %v", last, err)
	}
	if _, err := store.Adopt(restored, till.Now()); !errors.Is(err, store.ErrLocked) {
		t.Errorf("adopting what is in use: %v", err)
	}
	check(t, again.Close())
	if adopted, err := store.Adopt(restored, till.Now()); err != nil || !adopted.Already {
		t.Errorf("adopted twice: %+v, %v", adopted, err)
	}
	if _, err := store.Adopt(filepath.Join(dir, "none.db"), till.Now()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("adopting nothing: %v", err)
	}
	checked(t, restored)
}

// A file that wakes up on another machine may not act; nor may it back on the
// first one, where what happened meanwhile is not known.
func TestMovedFile(t *testing.T) {
	path := filled(t)
	check(t, storetest.Move(path, "another machine"))
	db := open(t, path)
	if db.Adopted() {
		t.Error("a file of another machine is adopted")
	}
	_, epoch := db.Head()
	check(t, db.Close())
	check(t, storetest.Move(path, "not adopted by a third machine"))
	db = open(t, path)
	if _, is := db.Head(); db.Adopted() || is == epoch {
		t.Errorf("moved on: adopted %v, the epoch %s stayed %v", db.Adopted(), is, is == epoch)
	}
}

// Restoring never takes away what is there unless told, and then keeps it.
func TestRestoreRefusals(t *testing.T) {
	dir := t.TempDir()
	path, backup := filepath.Join(dir, "payscand.db"), filepath.Join(dir, "backup.db")
	db, till := open(t, path), storetest.NewTill()
	check(t, db.Commit(life(till)))
	_, err := db.Backup(t.Context(), backup)
	check(t, err)
	check(t, db.Commit(life(till)))
	for _, replace := range []bool{false, true} {
		if _, err := store.Restore(t.Context(), backup, path, replace); !errors.Is(err, store.ErrLocked) {
			t.Errorf("over one in use, replace %v: %v", replace, err)
		}
	}
	check(t, db.Close())
	before, err := os.ReadFile(path)
	check(t, err)
	_, err = store.Restore(t.Context(), backup, path, false)
	if !errors.Is(err, store.ErrExists) || !strings.Contains(fmt.Sprint(err), "newer: its journal has 7 records more") {
		t.Errorf("over a newer one: %v", err)
	}
	broken := filepath.Join(dir, "broken.db")
	whole, err := os.ReadFile(backup)
	check(t, err)
	check(t, os.WriteFile(broken, edited(t, whole, func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("open")).Put([]byte("nobody"), nil)
	}), 0o600))
	if _, err := store.Restore(t.Context(), broken, path, true); !errors.Is(err, store.ErrDamaged) || !strings.Contains(fmt.Sprint(err), "nobody") {
		t.Errorf("a damaged backup: %v", err)
	}
	now, err := os.ReadFile(path)
	check(t, err)
	if !bytes.Equal(before, now) {
		t.Error("a refusal changed the database")
	}

	result, err := store.Restore(t.Context(), backup, path, true)
	check(t, err)
	kept, err := os.ReadFile(result.Kept)
	if err != nil || !bytes.Equal(kept, before) {
		t.Errorf("what was there is not kept whole: %v", err)
	}
	checked(t, path)
	check(t, os.WriteFile(path, []byte("no database any more"), 0o600))
	if _, err := store.Restore(t.Context(), backup, path, false); !errors.Is(err, store.ErrExists) {
		t.Errorf("over a damaged one: %v", err)
	}
	result, err = store.Restore(t.Context(), backup, path, true)
	check(t, err)
	if kept, err := os.ReadFile(result.Kept); err != nil || string(kept) != "no database any more" {
		t.Errorf("the damaged one is not kept: %q, %v", kept, err)
	}
	old := fixture(t, "schema-1")
	if _, err := store.Restore(t.Context(), old, filepath.Join(dir, "older.db"), false); err != nil {
		t.Error(err)
	}
	again := open(t, filepath.Join(dir, "older.db"))
	wantSales(t, again, withoutCodes(fixtureSales()))
	if again.Adopted() {
		t.Error("an older file that was restored is adopted")
	}
}

// A file over half empty is smaller after the next start, with all that was in
// it, codes included, and of mode 0600; one that is not is left as it is.
func TestCompaction(t *testing.T) {
	path := filepath.Join(t.TempDir(), "payscand.db")
	db, till := open(t, path), storetest.NewTill()
	big := strings.Repeat("a long description of what was bought ", 1000)
	for range 8 {
		var changes []payment.Change
		for range 60 {
			made := till.Created()
			done := till.Changed(made.After, func(s *payment.Sale) {
				s.Description, s.Status, s.Due = big, payment.SaleCancelled, time.Time{}
			})
			changes = append(changes, made, done)
		}
		check(t, db.Commit(changes))
	}
	till.Wait(time.Hour)
	kept := life(till)
	check(t, db.Commit(kept))
	for more := true; more; {
		var err error
		more, err = db.Prune(kept[0].Record.At, 0)
		check(t, err)
	}
	check(t, db.Close())
	before, err := os.Stat(path)
	check(t, err)

	db = open(t, path)
	after, err := os.Stat(path)
	check(t, err)
	if after.Size() > before.Size()/4 || after.Mode().Perm() != 0o600 {
		t.Errorf("%d of %d bytes are left, mode %o", after.Size(), before.Size(), after.Mode().Perm())
	}
	wantSales(t, db, map[string]payment.Sale{kept[7].After.ID: kept[7].After, kept[5].After.ID: kept[5].After})
	if base, _ := db.Checkpoint(); base == 0 {
		t.Error("the checkpoint is gone")
	}
	if _, err := store.VerifyChain(db); err != nil {
		t.Error(err)
	}
	check(t, db.Commit(life(till)))
	check(t, db.Close())
	checked(t, path)
	inode := func() uint64 {
		var stat unix.Stat_t
		check(t, unix.Stat(path, &stat))
		return stat.Ino
	}
	was := inode()
	check(t, open(t, path).Close())
	if inode() != was {
		t.Error("a file that is mostly full was written anew")
	}
}
