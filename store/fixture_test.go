package store_test

import (
	"compress/gzip"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"payscand/payment"
	"payscand/store/storetest"
)

var updateFixture = flag.String("update-fixture", "", "write the database that this version of the program makes to testdata/`NAME`.db.gz")

// fixtureDay is what every fixture holds: the same changes, whatever version of
// the program wrote them.
func fixtureDay() [][]payment.Change {
	till := storetest.NewTill()
	var commits [][]payment.Change
	for range 3 {
		for _, c := range life(till) {
			commits = append(commits, []payment.Change{c})
		}
	}
	made := till.Created()
	submitted := till.Submitted(made.After, "alphapay", secretCode)
	unresolved := till.Unresolved(submitted.After)
	late := till.Paid(unresolved.After)
	failing := till.Created()
	tried := till.Submitted(failing.After, "alphapay", secretCode)
	failed := till.Failed(tried.After)
	return append(commits, []payment.Change{made, submitted, unresolved, late}, []payment.Change{failing, tried, failed, till.Cancelled(failed.After)})
}

// fixtureSales are the sales of fixtureDay as they end, by id.
func fixtureSales() map[string]payment.Sale {
	sales := map[string]payment.Sale{}
	for _, c := range slices.Concat(fixtureDay()...) {
		if c.After.ID != "" {
			sales[c.After.ID] = c.After
		}
	}
	return sales
}

// TestWriteFixture writes a fixture with -update-fixture NAME. Each is made once,
// by the code of the first release that has its schema.
func TestWriteFixture(t *testing.T) {
	if *updateFixture == "" {
		t.Skip("nothing to write without -update-fixture")
	}
	path := filepath.Join(t.TempDir(), "payscand.db")
	db := open(t, path)
	for _, changes := range fixtureDay() {
		check(t, db.Commit(changes))
	}
	check(t, db.Close())
	content, err := os.ReadFile(path)
	check(t, err)
	file, err := os.Create(filepath.Join("testdata", *updateFixture+".db.gz"))
	check(t, err)
	packed, err := gzip.NewWriterLevel(file, gzip.BestCompression)
	check(t, err)
	_, err = packed.Write(content)
	check(t, err)
	check(t, packed.Close())
	check(t, file.Close())
}

// fixture unpacks the database that a version of the program wrote, and returns its path.
func fixture(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "payscand.db")
	check(t, storetest.Unpack(filepath.Join("testdata", name+".db.gz"), path))
	return path
}
