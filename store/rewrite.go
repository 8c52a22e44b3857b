package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

// editor says what becomes of an entry in the new file: its value there, and
// whether it is there at all.
type editor func(bucket, key, value []byte) (edited []byte, keep bool, err error)

// rewrite writes what a closed world holds (nobody else writes src) to a new file
// at path, entry by entry and in order, and returns once it is on the disk.
// Nothing of a page that src has freed gets there. The meta bucket is copied, or
// made of m when that is not nil.
func rewrite(src *bbolt.DB, path string, m *meta, edit editor) error {
	if err := checkAllPages(src.Path()); err != nil {
		return err
	}
	err := guarded(func() error {
		dst, err := newFile(path)
		if err != nil {
			return err
		}
		err = src.View(func(tx *bbolt.Tx) error {
			for _, name := range buckets() {
				if m != nil && string(name) == string(bucketMeta) {
					continue
				}
				if err := rewriteBucket(tx, dst, name, edit); err != nil {
					return fmt.Errorf("bucket %s: %w", name, err)
				}
			}
			return nil
		})
		if err == nil && m != nil {
			err = dst.Update(func(tx *bbolt.Tx) error { return putMeta(tx, *m) })
		}
		if err != nil {
			return errors.Join(err, dst.Close())
		}
		return closeSynced(dst, path)
	})
	if err != nil {
		return errors.Join(err, removeIfThere(path))
	}
	return nil
}

// checkAllPages refuses a file that bbolt would not come to the end of.
func checkAllPages(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(checkPages(file, false), file.Close())
}

func rewriteBucket(tx *bbolt.Tx, dst *bbolt.DB, name []byte, edit editor) error {
	b := tx.Bucket(name)
	if b == nil {
		return fmt.Errorf("%w: it is missing", ErrDamaged)
	}
	c := b.Cursor()
	key, value := c.First()
	for key != nil {
		err := dst.Update(func(tx *bbolt.Tx) error {
			b := tx.Bucket(name)
			b.FillPercent = 0.95 // in order
			for n := 0; key != nil && n < MaxPage; key, value = c.Next() {
				n++
				edited, keep, err := edit(name, key, value)
				if err != nil {
					return err
				}
				if !keep {
					continue
				}
				if err := b.Put(key, edited); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// newFile makes a database with empty buckets, mode 0600, to be filled fast: it
// is not on the disk before closeSynced.
func newFile(path string) (*bbolt.DB, error) {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", path, errors.Join(err, fs.ErrExist))
	}
	bolt, err := bbolt.Open(path, 0o600, &bbolt.Options{FreelistType: bbolt.FreelistMapType, NoSync: true})
	if err != nil {
		return nil, err
	}
	err = ownedAsFolder(path)
	if err == nil {
		err = bolt.Update(createBuckets)
	}
	if err != nil {
		return nil, errors.Join(err, bolt.Close(), os.Remove(path))
	}
	return bolt, nil
}

// MakeFolder makes a folder, and those above it that are missing, mode 0700 and for
// good. Those that root makes are the owner's of the folder that was there.
func MakeFolder(folder string) error {
	if _, err := os.Stat(folder); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	above := filepath.Dir(folder)
	if err := MakeFolder(above); err != nil {
		return err
	}
	if err := os.Mkdir(folder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := ownedAsFolder(folder); err != nil {
		return err
	}
	return syncFolder(above)
}

// ownedAsFolder gives what root makes to the owner of its folder, who is the
// daemon's user: restored, migrated or compacted by an administrator, the database
// must be one that the daemon can open.
func ownedAsFolder(path string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	var folder unix.Stat_t
	if err := unix.Stat(filepath.Dir(path), &folder); err != nil {
		return err
	}
	return os.Lchown(path, int(folder.Uid), int(folder.Gid))
}

func removeIfThere(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// compactFloor is the free room in a file below which it is left as it is, in bytes.
const compactFloor = 16 << 20

// mostlyFree reports whether over half of the file is empty pages.
func (db *DB) mostlyFree(size int64) bool {
	free := int64(db.bolt.Stats().FreePageN) * int64(db.bolt.Info().PageSize)
	return free >= compactFloor && free > size/2
}

// compact writes the database anew without its empty pages. Whatever ends it
// early, the old file or the whole new one is in its place.
func (db *DB) compact() error {
	unlock, err := lockFolder(filepath.Dir(db.path))
	if err != nil {
		return err
	}
	defer unlock()
	stats, pageSize := db.bolt.Stats(), int64(db.bolt.Info().PageSize)
	info, err := os.Stat(db.path)
	if err != nil {
		return err
	}
	if db.roomFor(info.Size()-int64(stats.FreePageN)*pageSize, db.path) != nil {
		return nil // there is no harm in the empty pages
	}
	temporary, err := temporaryBeside(db.path)
	if err != nil {
		return err
	}
	if err := rewrite(db.bolt, temporary, nil, asItIs); err != nil {
		return err
	}
	if err := moveInto(temporary, db.path); err != nil {
		return err
	}
	if err := db.bolt.Close(); err != nil { // only now: its lock kept others away
		return err
	}
	return db.openToWrite()
}

func asItIs(_, _, value []byte) ([]byte, bool, error) { return value, true, nil }

// roomFor refuses to write so many bytes beside a file where sales would then
// have no room.
func (db *DB) roomFor(bytes int64, path string) error {
	stat, err := db.stat(filepath.Dir(path))
	if err != nil {
		return err
	}
	if free, need := freeBytes(stat), bytes+roomFloor+reserveSize; free < need {
		return fmt.Errorf("%w: %d MiB are free beside %s, %d are needed; delete something", ErrFull, free>>20, path, need>>20)
	}
	return nil
}
