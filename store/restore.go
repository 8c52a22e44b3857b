package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"

	"payscand/payment"
)

// ErrExists: there is a database where one is to be restored.
var ErrExists = errors.New("there is a database already")

// Restored says what Restore did.
type Restored struct {
	Backup
	// Kept is where the database that was there before was put; empty: none was.
	Kept string
}

// Restore puts a backup, or any other whole database file, in the place of the
// database at path. It is checked first, of an older schema migrated, and payment
// codes are left out. Until Adopt it only asks about its old attempts.
//
// A database that is there is refused with ErrExists and said to be newer or not,
// unless replace is set: then it is kept under another name, beside. One that is
// in use is refused either way (ErrLocked).
func Restore(ctx context.Context, backup, path string, replace bool) (Restored, error) {
	r, err := restore(ctx, backup, path, replace)
	if err != nil {
		return Restored{}, fmt.Errorf("restore %s to %s: %w", backup, path, err)
	}
	return r, nil
}

func restore(ctx context.Context, backup, path string, replace bool) (r Restored, err error) {
	report, err := Check(ctx, backup)
	if err != nil {
		return r, err
	}
	if n := len(report.Findings); n > 0 {
		return r, fmt.Errorf("%w: the backup has %d faults, the first: %v", ErrDamaged, n, report.Findings[0])
	}
	if err := MakeFolder(filepath.Dir(path)); err != nil {
		return r, err
	}
	unlock, err := lockFolder(filepath.Dir(path))
	if err != nil {
		return r, err
	}
	defer unlock()
	release, err := takePlace(path, report, replace)
	if err != nil {
		return r, err
	}
	defer release()
	temporary, err := temporaryBeside(path)
	if err != nil {
		return r, err
	}
	if err := rewriteForRestore(backup, temporary); err != nil {
		return r, err
	}
	if r.Backup, err = proven(ctx, temporary); err != nil {
		return r, errors.Join(err, os.Remove(temporary))
	}
	if r.Kept, err = keepAside(path); err != nil {
		return r, errors.Join(err, os.Remove(temporary))
	}
	r.Path = path
	return r, moveInto(temporary, path)
}

// takePlace makes sure that nobody has the database open, until release.
func takePlace(path string, backup Report, replace bool) (release func(), err error) {
	nothing := func() {}
	err = lookForFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nothing, nil
	case err != nil && !errors.Is(err, ErrDamaged):
		return nothing, err
	}
	var old *bbolt.DB
	if err == nil {
		old, _, err = openBolt(path, true)
	}
	switch {
	case errors.Is(err, ErrLocked):
		return nothing, err
	case old == nil && replace: // damaged: locked by nobody, or openBolt had said so
		return nothing, nil
	case err != nil:
		return nothing, fmt.Errorf("%w, and it cannot be read (%w); with --replace it is kept under another name", ErrExists, err)
	case replace:
		return func() { _ = old.Close() }, nil // it was only read
	}
	m, err := look(old)
	err = errors.Join(err, old.Close())
	if err != nil {
		return nothing, fmt.Errorf("%w, and it cannot be read (%w); with --replace it is kept under another name", ErrExists, err)
	}
	how := "it is another one"
	switch {
	case m.head.seq > backup.Last:
		how = fmt.Sprintf("it is newer: its journal has %d records more", m.head.seq-backup.Last)
	case m.head.seq == backup.Last && m.head.hash == backup.LastHash:
		how = "it is as new as the backup"
	}
	return nothing, fmt.Errorf("%w, and %s; with --replace it is kept under another name", ErrExists, how)
}

func rewriteForRestore(backup, temporary string) (err error) {
	src, _, err := openBolt(backup, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	m, err := look(src)
	if err != nil {
		return err
	}
	from := m.schema
	m.machine = machineOfBackup
	return rewrite(src, temporary, &m, withoutCodes(steps(from)))
}

// keepAside gives the database a second name, which lasts before another file can
// take the first one. The first one goes on naming a database at every moment:
// where none is, a start would make a new one.
func keepAside(path string) (string, error) {
	stamp := time.Now().UTC().Format("20060102T150405Z")
	for n := range 100 {
		aside := fmt.Sprintf("%s.replaced-%s", path, stamp)
		if n > 0 {
			aside += fmt.Sprintf("-%d", n)
		}
		err := os.Link(path, aside)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return "", nil
		case err == nil:
			return aside, syncFolder(filepath.Dir(path))
		case !errors.Is(err, fs.ErrExist):
			return "", fmt.Errorf("keep the database that is there: %w", err)
		}
	}
	return "", errors.New("keep the database that is there: no name is left")
}

// Adopted says what Adopt found.
type Adopted struct {
	Epoch   string
	Open    int  // sales that are not over
	Already bool // nothing was to be done
}

// Adopt lets this machine act on the sales of the database at path, from the
// next start on. The daemon must not run (ErrLocked). The journal gets a record.
func Adopt(path string, now time.Time) (a Adopted, err error) {
	if err := lookForFile(path); err != nil { // it is not to be made
		return a, fmt.Errorf("adopt database %s: %w", path, err)
	}
	db, err := Open(path)
	if err != nil {
		return a, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	_, a.Epoch = db.Head()
	a.Already = db.Adopted()
	for after, more := "", true; more; {
		page, err := db.Open(after, MaxPage)
		if err != nil {
			return a, err
		}
		a.Open += len(page)
		if more = len(page) == MaxPage; more {
			after = page[len(page)-1].ID
		}
	}
	if a.Already {
		return a, nil
	}
	db.durable.Lock()
	defer db.durable.Unlock()
	return a, db.write(func(w *writer) error {
		w.state.machine = db.machine
		return w.addRecord(payment.Change{Record: &payment.Record{
			At: now.UTC().Truncate(time.Millisecond), Type: payment.RecordAdopted,
			Detail: map[string]string{"open_sales": fmt.Sprint(a.Open)},
		}})
	})
}
