// Package storetest is the suite that every store of the terminal passes.
package storetest

import (
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"payscand/payment"
	"payscand/store"
)

// Store is all that a store does.
type Store interface { //nolint:interfacebloat // all that a store is; who uses one declares less
	Commit(changes []payment.Change) error
	Sale(id string) (payment.Sale, error)
	ByKey(key string) (saleID, digest string, err error)
	ByRequest(requestID string) (saleID string, err error)
	Open(after string, limit int) ([]payment.Sale, error)
	Due(gateway string, until time.Time, limit int) ([]string, error)
	DueAfter(gateway string, after time.Time, limit int) ([]string, error)
	NextDue(gateway string) (next time.Time, ok bool, err error)
	DueGateways() ([]string, error)
	Sales(q store.Query) (store.Page, error)
	Journal(after uint64, limit int) ([]store.JournalRecord, error)
	Head() (seq uint64, epoch string)
	Checkpoint() (seq uint64, hash store.Hash)
	Prune(before time.Time, limit int) (more bool, err error)
	Adopted() bool
	CheckRoom() error
	DiskFree() (int64, error)
	Close() error
}

// Opener opens the store that lives in a folder, and makes it when the folder is
// empty. The suite closes a store before it opens its folder again.
type Opener func(dir string) (Store, error)

// Run runs the whole suite.
func Run(t *testing.T, open Opener) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, open Opener)
	}{
		{"EveryFieldComesBack", testRoundTrip},
		{"CodeComesBackUntilWiped", testCodes},
		{"KeysAndRequests", testKeysAndRequests},
		{"Refunds", testRefunds},
		{"OddCharacters", testOddCharacters},
		{"OpenPages", testOpenPages},
		{"DueOrder", testDueOrder},
		{"DueIsFairToGateways", testDueFairness},
		{"Search", testSearch},
		{"SearchReadsBoundedPages", testSearchBounds},
		{"JournalPages", testJournalPages},
		{"ChainNamesFirstBadRecord", testChainNames},
		{"RefusedChangesWriteNothing", testRefusals},
		{"LaterChangesSeeEarlierOnes", testGroupCommit},
		{"NothingToCommit", testNothing},
		{"CallersKeepTheirCopies", testCopies},
		{"ReadersBesideTheWriter", testReaders},
		{"Reopen", testReopen},
		{"Room", testRoom},
		{"RandomChanges", testRandom},
		{"PruneKeepsWhatIsOpen", testPrune},
		{"PruneRandomly", testPruneRandomly},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, open) })
	}
}

func newStore(t *testing.T, open Opener) Store {
	t.Helper()
	s, err := open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// commit returns the sale as the last change leaves it.
func commit(t *testing.T, s Store, changes ...payment.Change) payment.Sale {
	t.Helper()
	if err := s.Commit(changes); err != nil {
		t.Fatal(err)
	}
	return changes[len(changes)-1].After
}

// check is for errors that no test is about.
func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var sameSale = cmp.Options{
	cmp.Comparer(func(a, b payment.Code) bool { return a.Equal(b) }),
	cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) }),
	cmpopts.EquateEmpty(),
}

// Diff compares sales (or slices or maps of them) by what they mean: codes by
// their text, times by their instant, nil slices like empty ones.
func Diff(want, got any) string {
	if reflect.DeepEqual(want, got) { // much faster, and nearly always so
		return ""
	}
	return cmp.Diff(want, got, sameSale)
}

func ids(sales []payment.Sale) []string {
	list := make([]string, len(sales))
	for i, s := range sales {
		list[i] = s.ID
	}
	return list
}

// keeping returns how a test's changes are made, in the store and in the world, and
// a sale that was paid that way.
func (w *world) keeping(t *testing.T, s Store, till *Till) (keep func(payment.Change) payment.Sale, paid func() payment.Sale) {
	t.Helper()
	keep = func(c payment.Change) payment.Sale {
		t.Helper()
		w.apply(c)
		return commit(t, s, c)
	}
	paid = func() payment.Sale {
		t.Helper()
		return keep(till.Paid(keep(till.Submitted(keep(till.Created()), "alphapay", secretCode))))
	}
	return keep, paid
}
