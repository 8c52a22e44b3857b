package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"payscand/payment"
	"payscand/store"
	"payscand/store/storetest"
)

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

// A commit that finds the disk full makes room for the next start, and leaves
// the outcome to it: nothing is answered any more. All that was acknowledged is
// there, and the journal goes on.
func TestDiskFullInCommit(t *testing.T) {
	path := filled(t) // large enough not to grow
	db, till := open(t, path), storetest.NewTill()
	till.Wait(24 * time.Hour)
	made := till.Created()
	check(t, db.Commit([]payment.Change{made}))
	records, _ := db.Head()
	mend := writesFail(t, path)

	submitted := till.Submitted(made.After, "alphapay", secretCode)
	err := db.Commit([]payment.Change{submitted})
	if !errors.Is(err, store.ErrFailed) || !errors.Is(err, store.ErrFull) || strings.Contains(err.Error(), secretCode) {
		t.Errorf("a commit on a full disk: %v, want ErrFailed and ErrFull", err)
	}
	wantUnusable(t, db, made.After.ID)
	if _, err := os.Stat(path + ".reserve"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the reserve is still there: %v", err)
	}
	mend()
	check(t, db.Close())

	again := open(t, path)
	got, err := again.Sale(made.After.ID)
	if diff := storetest.Diff(made.After, got); err != nil || diff != "" {
		t.Errorf("%v (-acknowledged +read)\n%s", err, diff)
	}
	check(t, again.Commit([]payment.Change{submitted}))
	if good, err := store.VerifyChain(again); good != records+1 || err != nil {
		t.Errorf("%d records are good, %v; want %d", good, err, records+1)
	}
}

// A start on a disk that is still full leaves the room of the reserve, which the
// failing commit gave up, to the sales that are open.
func TestReserveIsNotTakenBack(t *testing.T) {
	path := filled(t)
	check(t, os.Remove(path+".reserve"))
	t.Cleanup(store.PretendFree(8 << 20))
	db, err := store.Open(path)
	check(t, err)
	t.Cleanup(func() { check(t, db.Close()) })
	if _, err := os.Stat(path + ".reserve"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the reserve was made again: %v", err)
	}
	check(t, db.Commit([]payment.Change{storetest.NewTill().ScanRefused()}))
}

// writesFail puts /dev/full in the place of the open database file, until mend.
func writesFail(t *testing.T, path string) (mend func()) {
	t.Helper()
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	check(t, err)
	defer full.Close()
	fd := descriptorOf(t, path)
	whole, err := unix.Dup(fd)
	check(t, err)
	check(t, unix.Dup3(int(full.Fd()), fd, unix.O_CLOEXEC))
	return func() {
		check(t, unix.Dup3(whole, fd, unix.O_CLOEXEC))
		check(t, unix.Close(whole))
	}
}

func descriptorOf(t *testing.T, path string) int {
	t.Helper()
	const folder = "/proc/self/fd/"
	descriptors, err := os.ReadDir(folder)
	check(t, err)
	for _, d := range descriptors {
		if target, _ := os.Readlink(folder + d.Name()); target == path {
			fd, err := strconv.Atoi(d.Name())
			check(t, err)
			return fd
		}
	}
	t.Fatal("the database file is not open")
	return -1
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
