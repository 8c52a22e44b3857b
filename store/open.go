package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
	"golang.org/x/sys/unix"
)

// lockTimeout is how long Open waits for another process to let go of the file.
const lockTimeout = time.Second

// DB is the store on disk. One goroutine at a time may commit; any may read.
type DB struct {
	path string
	bolt *bbolt.DB
	// durable keeps readers from a commit until it is on the disk.
	durable sync.RWMutex
	file    *os.File // bolt's
	machine string   // this one
	commits int      // since bolt was opened; the writer's

	state  atomic.Pointer[meta]
	tap    atomic.Pointer[tap]   // of the backup that is being made
	broken atomic.Pointer[error] // why nothing is answered any more

	room   sync.Mutex                                   // the reserve file
	statfs func(path string, stat *unix.Statfs_t) error // unix.Statfs
}

var statfs = unix.Statfs // a test replaces it

// Open opens the database at path, and makes it (mode 0600, its folder 0700)
// when there is none. One process at a time has it open: bbolt locks the file.
//
// A file that is no database of payscand (ErrDamaged), that a newer payscand
// wrote (ErrNewer) or that another process has open (ErrLocked, after a second)
// is refused and left as it is. One of an older schema is migrated, a backup of
// it made first; one that is over half empty is made anew without the empty
// pages. Each is written whole beside the old file before it takes its place.
func Open(path string) (*DB, error) {
	db := &DB{path: path, machine: machine(), statfs: statfs}
	err := db.open()
	switch {
	case errors.Is(err, ErrDamaged):
		return nil, fmt.Errorf("open database %s: %w; move the file away and restore a backup, but keep it: "+
			"it may hold sales that the backup does not", path, err)
	case err != nil:
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	return db, nil
}

func (db *DB) open() error {
	if err := lookForFile(db.path); errors.Is(err, fs.ErrNotExist) {
		if err := create(db.path); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	// Looked at read-only first: bbolt may write to a file merely by opening it.
	found, err := inspect(db.path)
	if err != nil {
		return err
	}
	if found.schema < schema {
		if err := db.migrate(found.schema); err != nil {
			return fmt.Errorf("migrate it from schema %d to %d: %w", found.schema, schema, err)
		}
	}
	if err := db.openToWrite(); err != nil {
		return err
	}
	if err := db.settle(); err != nil {
		return errors.Join(err, db.bolt.Close())
	}
	// Makes the reserve where there is room for it. On a disk that is still full its
	// room is what the sales under way are finished in.
	_ = db.CheckRoom()
	return nil
}

// lookForFile refuses what bbolt would take for a new database.
func lookForFile(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return errors.New("it is not a file; set [store] path to the file")
	case info.Size() == 0:
		// bbolt would take it for a new one, and the sales that were in it would be forgotten.
		return fmt.Errorf("%w: the file is empty", ErrDamaged)
	}
	return nil
}

// openToWrite takes the file; from then on nobody else writes it.
func (db *DB) openToWrite() error {
	bolt, file, err := openBolt(db.path, false)
	if err != nil {
		return err // what was open before can still be closed, twice
	}
	state, err := look(bolt) // again, as nobody else can write now
	if err == nil && state.schema != schema {
		err = fmt.Errorf("%w: its schema changed while it was opened", ErrLocked)
	}
	if err != nil {
		return errors.Join(err, bolt.Close())
	}
	db.bolt, db.file = bolt, file
	db.state.Store(&state)
	db.commits = 0
	return nil
}

// settle makes of a file that can be written what the daemon works on.
func (db *DB) settle() error {
	info, err := os.Stat(db.path)
	if err != nil {
		return err
	}
	if info.Mode().Perm() != 0o600 { // a file put back by hand is often 0644
		if err := os.Chmod(db.path, 0o600); err != nil {
			return err
		}
	}
	if db.mostlyFree(info.Size()) {
		if err := db.compact(); err != nil {
			return fmt.Errorf("compact it: %w", err)
		}
	}
	return db.wake()
}

// wake notes that the file is on a machine that may not act on its sales. Its
// journal goes on another way than that of the database it was, under an epoch
// of its own.
func (db *DB) wake() error {
	visited := machineVisited + db.machine
	if m := db.state.Load().machine; m == db.machine || m == visited {
		return nil
	}
	return db.write(func(w *writer) error {
		w.state.machine, w.state.epoch = visited, newMeta().epoch
		return nil
	})
}

// inspect reads meta without writing anything.
func inspect(path string) (meta, error) {
	bolt, _, err := openBolt(path, true)
	if err != nil {
		return meta{}, err
	}
	found, err := look(bolt)
	return found, errors.Join(err, bolt.Close())
}

// openBolt opens an existing file. bbolt panics, or reads beyond the end of its
// memory map, on some damaged files: both become errors. Others lead it in a circle
// for ever: opened read-only, as each is at first, a file's pages are looked at
// before anything is read.
func openBolt(path string, readOnly bool) (db *bbolt.DB, file *os.File, err error) {
	err = guarded(func() (err error) {
		db, err = bbolt.Open(path, 0o600, &bbolt.Options{
			ReadOnly: readOnly,
			Timeout:  lockTimeout,
			// The free list is written with every commit, so that opening does not
			// have to find the free pages by reading the whole file. It is short
			// while little is deleted. A map, as an array is searched for each page.
			NoFreelistSync: false,
			FreelistType:   bbolt.FreelistMapType,
			OpenFile: func(name string, flag int, mode os.FileMode) (*os.File, error) {
				var err error
				file, err = os.OpenFile(name, flag&^os.O_CREATE, mode)
				return file, err
			},
		})
		return err
	})
	switch {
	case err == nil:
		// Whoever waited for the lock may have got it on a file that was replaced
		// meanwhile (compaction, restore): two would write their own.
		if !isAt(file, path) {
			return nil, nil, errors.Join(fmt.Errorf("%w: the file was just replaced; try again", ErrLocked), db.Close())
		}
		if readOnly {
			if err := checkPages(file, true); err != nil {
				return nil, nil, errors.Join(err, db.Close())
			}
		}
		return db, file, nil
	case errors.Is(err, berrors.ErrTimeout):
		err = fmt.Errorf("%w; stop it first (systemctl stop payscand)", ErrLocked)
	case errors.Is(err, ErrDamaged):
		_ = letGo(file) // bbolt panicked: nobody else does
	case !errors.As(err, new(*fs.PathError)):
		err = fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return nil, nil, err
}

// guarded turns a panic of bbolt and a fault in its memory map into ErrDamaged.
func guarded(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", ErrDamaged, p)
		}
	}()
	return f()
}

func isAt(file *os.File, path string) bool {
	opened, err := file.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(path)
	return err == nil && os.SameFile(opened, named)
}

// look reads meta, and nothing that grows with the history.
func look(bolt *bbolt.DB) (m meta, err error) {
	err = guarded(func() error {
		return bolt.View(func(tx *bbolt.Tx) (err error) {
			m, err = readMeta(tx)
			return err
		})
	})
	return m, err
}

// create makes the database in a temporary file and renames it into place, so
// that a power cut leaves either none or a whole one: bbolt cannot open, or
// panics on, a file whose first pages were not all written.
func create(path string) error {
	folder := filepath.Dir(path)
	if err := MakeFolder(folder); err != nil {
		return err
	}
	unlock, err := lockFolder(folder)
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err // made in the meantime
	}
	temporary, err := temporaryBeside(path)
	if err != nil {
		return err
	}
	if err := writeNew(temporary); err != nil {
		return errors.Join(fmt.Errorf("make a new database: %w", err), os.Remove(temporary))
	}
	return moveInto(temporary, path)
}

// lockFolder keeps others from putting a database into the folder.
func lockFolder(folder string) (unlock func(), err error) {
	dir, err := os.Open(folder)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(dir.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: lock its folder: %w; is another payscand just starting?", ErrLocked, err), dir.Close())
	}
	return func() { // closing alone would leave it locked where a process that is just being started has it open too
		_ = unix.Flock(int(dir.Fd()), unix.LOCK_UN)
		_ = dir.Close()
	}, nil
}

// temporaryBeside returns the name under which a database is written before it
// takes its place; what an earlier try left there is removed.
func temporaryBeside(path string) (string, error) {
	temporary := path + ".new"
	if err := os.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	return temporary, nil
}

// moveInto gives a file that is on the disk its name, for good.
func moveInto(temporary, path string) error {
	if err := os.Rename(temporary, path); err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	return syncFolder(filepath.Dir(path))
}

func syncFolder(folder string) error {
	dir, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

func writeNew(path string) error {
	bolt, err := bbolt.Open(path, 0o600, &bbolt.Options{FreelistType: bbolt.FreelistMapType})
	if err != nil {
		return err
	}
	if err := ownedAsFolder(path); err != nil {
		return errors.Join(err, bolt.Close())
	}
	if err := bolt.Update(func(tx *bbolt.Tx) error {
		if err := createBuckets(tx); err != nil {
			return err
		}
		return putMeta(tx, newMeta())
	}); err != nil {
		return errors.Join(err, bolt.Close())
	}
	return closeSynced(bolt, path)
}

// closeSynced closes a database that was just made, once all of it is on the disk.
func closeSynced(bolt *bbolt.DB, path string) error {
	if err := bolt.Close(); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

// Close waits for reads under way and lets go of the file. Closing twice is
// harmless.
func (db *DB) Close() error {
	if db.usable() != nil {
		// bbolt may still hold its locks, or have lost its memory map. The map goes
		// with the process.
		return letGo(db.file)
	}
	return db.bolt.Close()
}

// letGo unlocks and closes the file. Closing alone would leave it locked as long
// as it is mapped.
func letGo(file *os.File) error {
	if file == nil {
		return nil
	}
	unlocked := unix.Flock(int(file.Fd()), unix.LOCK_UN)
	err := file.Close()
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return errors.Join(unlocked, err)
}

// fail makes every later call answer with err.
func (db *DB) fail(err error) error {
	db.broken.CompareAndSwap(nil, &err)
	return err
}

func (db *DB) usable() error {
	if why := db.broken.Load(); why != nil {
		return *why
	}
	return nil
}
