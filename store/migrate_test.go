package store_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"payscand/store"
)

// Of two processes that find an old database at the same moment, the second finds
// it migrated when its turn comes: what is migrated once more could not be read.
func TestMigrateOnce(t *testing.T) {
	path := fixture(t, "schema-1")
	check(t, open(t, path).Close())
	before, err := os.ReadFile(path)
	check(t, err)
	if err := store.Migrate(path, 1); !errors.Is(err, store.ErrLocked) {
		t.Errorf("migrated from schema 1 again: %v", err)
	}
	after, err := os.ReadFile(path)
	check(t, err)
	left, err := filepath.Glob(path + "*")
	check(t, err)
	if !bytes.Equal(before, after) || len(left) != 3 { // itself, its reserve, the backup of the first time
		t.Errorf("the database was changed, or beside it something is left: %v", left)
	}
}
