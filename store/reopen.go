package store

import (
	"errors"
	"fmt"
)

// reopenEvery so many commits bbolt is opened anew. It remembers each page that it
// took from the free list and that is still in use, for as long as it is open: the
// whole history, page by page, would be kept in memory (P10).
var reopenEvery = 10_000

// reopen lets bbolt forget what it need not know. Readers must be kept out (durable).
// For less than a millisecond nobody has the file locked; who takes it then ends
// this process, as when a commit fails.
func (db *DB) reopen() {
	if err := errors.Join(db.bolt.Close(), db.openToWrite()); err != nil {
		_ = db.fail(fmt.Errorf("%w: open it anew: %w", ErrFailed, err))
	}
}
