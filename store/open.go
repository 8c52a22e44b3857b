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
	epoch   string

	head   atomic.Pointer[head]
	broken atomic.Pointer[error] // why nothing is answered any more

	room   sync.Mutex                                   // the reserve file
	statfs func(path string, stat *unix.Statfs_t) error // unix.Statfs
}

// Open opens the database at path, and makes it (mode 0600, its folder 0700)
// when there is none. One process at a time has it open: bbolt locks the file.
//
// A file that is no database of payscand (ErrDamaged), that a newer payscand
// wrote (ErrNewer) or that another process has open (ErrLocked, after a second)
// is refused and left as it is.
func Open(path string) (*DB, error) { return openWith(path, unix.Statfs) }

func openWith(path string, statfs func(string, *unix.Statfs_t) error) (*DB, error) {
	db := &DB{path: path, statfs: statfs}
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
	info, err := os.Stat(db.path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := create(db.path); err != nil {
			return err
		}
		info, err = os.Stat(db.path)
	}
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return errors.New("it is not a file; set [store] path to the file")
	case info.Size() == 0:
		// bbolt would take it for a new one, and the sales that were in it would be forgotten.
		return fmt.Errorf("%w: the file is empty", ErrDamaged)
	}
	// Looked at read-only first: bbolt may write to a file merely by opening it.
	if err := db.inspect(); err != nil {
		return err
	}
	if db.bolt, db.file, err = openBolt(db.path, false); err != nil {
		return err
	}
	if err := db.check(db.bolt); err != nil { // again, as nobody else can write now
		return errors.Join(err, db.bolt.Close())
	}
	if info.Mode().Perm() != 0o600 { // a file put back by hand is often 0644
		if err := os.Chmod(db.path, 0o600); err != nil {
			return errors.Join(err, db.bolt.Close())
		}
	}
	// Makes the reserve where there is room for it. On a disk that is still full its
	// room is what the sales under way are finished in.
	_ = db.CheckRoom()
	return nil
}

func (db *DB) inspect() error {
	bolt, _, err := openBolt(db.path, true)
	if err != nil {
		return err
	}
	return errors.Join(db.check(bolt), bolt.Close())
}

// openBolt opens an existing file. bbolt panics, or reads beyond the end of its
// memory map, on some damaged files: both become errors.
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

// check reads meta, and nothing that grows with the history.
func (db *DB) check(bolt *bbolt.DB) error {
	info, err := os.Stat(db.path)
	if err != nil {
		return err
	}
	return guarded(func() error {
		return bolt.View(func(tx *bbolt.Tx) error {
			if tx.Size() > info.Size() {
				return fmt.Errorf("%w: %d bytes of %d are left", ErrDamaged, info.Size(), tx.Size())
			}
			return db.readMeta(tx)
		})
	})
}

// create makes the database in a temporary file and renames it into place, so
// that a power cut leaves either none or a whole one: bbolt cannot open, or
// panics on, a file whose first pages were not all written.
func create(path string) error {
	folder := filepath.Dir(path)
	if err := makeFolder(folder); err != nil {
		return err
	}
	dir, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer dir.Close() // lets go of the lock
	if err := unix.Flock(int(dir.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return fmt.Errorf("lock its folder to make it: %w; is another payscand just starting?", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err // made in the meantime
	}
	temporary := path + ".new"
	if err := os.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := writeNew(temporary); err != nil {
		return errors.Join(fmt.Errorf("make a new database: %w", err), os.Remove(temporary))
	}
	if err := os.Rename(temporary, path); err != nil {
		return err
	}
	return dir.Sync()
}

func makeFolder(folder string) error {
	if _, err := os.Stat(folder); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	parent, err := os.Open(filepath.Dir(folder))
	if err != nil {
		return err
	}
	defer parent.Close()
	return parent.Sync()
}

func writeNew(path string) error {
	bolt, err := bbolt.Open(path, 0o600, &bbolt.Options{FreelistType: bbolt.FreelistMapType})
	if err != nil {
		return err
	}
	if err := bolt.Update(writeMeta); err != nil {
		return errors.Join(err, bolt.Close())
	}
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
