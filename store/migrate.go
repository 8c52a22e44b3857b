package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// migrations lead from a schema version to the next: what becomes of an entry
// of any bucket but meta, which is made anew.
var migrations = map[int]editor{
	1: sealAll,
}

// sealAll is schema 2: values got checksums.
func sealAll(bucket, key, value []byte) ([]byte, bool, error) {
	if isSealed(bucket, key) {
		value = seal(bucket, key, value)
	}
	return value, true, nil
}

// steps are the migrations from a schema version to the present one, as one.
func steps(from int) editor {
	return func(bucket, key, value []byte) ([]byte, bool, error) {
		for version := from; version < schema; version++ {
			edited, keep, err := migrations[version](bucket, key, value)
			if err != nil || !keep {
				return nil, false, err
			}
			value = edited
		}
		return value, true, nil
	}
}

// migrate replaces a file of an older schema by one of the present, after it has
// written a backup that the older program can still read. Whatever ends it
// early, the old file or the whole new one is in its place.
func (db *DB) migrate(from int) (err error) {
	unlock, err := lockFolder(filepath.Dir(db.path))
	if err != nil {
		return err
	}
	defer unlock()
	info, err := os.Stat(db.path)
	if err != nil {
		return err
	}
	if err := db.roomFor(2*info.Size(), db.path); err != nil {
		return err
	}
	old, _, err := openBolt(db.path, false) // to write, so that nobody else does
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, old.Close()) }()
	found, err := look(old) // again, as nobody else can write now
	if err != nil {
		return err
	}
	if found.schema != from { // what is migrated twice is garbage
		return fmt.Errorf("%w: its schema changed meanwhile; try again", ErrLocked)
	}
	temporary, err := temporaryBeside(db.path)
	if err != nil {
		return err
	}
	backup, err := backupName(db.path, from)
	if err != nil {
		return err
	}
	if err := rewrite(old, temporary, nil, withoutCodes(asItIs)); err != nil {
		return fmt.Errorf("back it up first: %w", err)
	}
	if err := moveInto(temporary, backup); err != nil {
		return fmt.Errorf("back it up first: %w", err)
	}
	if err := rewrite(old, temporary, &found, steps(from)); err != nil {
		return err
	}
	return moveInto(temporary, db.path)
}

// backupName is that of a file that is not there yet.
func backupName(path string, version int) (string, error) {
	for n := 1; n < 100; n++ {
		name := fmt.Sprintf("%s.schema-%d", path, version)
		if n > 1 {
			name += "." + strconv.Itoa(n)
		}
		if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) {
			return name, nil
		} else if err != nil {
			return "", err
		}
	}
	return "", fmt.Errorf("there are a hundred backups of schema %d beside it already: move them away", version)
}

func withoutCodes(edit editor) editor {
	return func(bucket, key, value []byte) ([]byte, bool, error) {
		if string(bucket) == string(bucketCodes) {
			return nil, false, nil
		}
		return edit(bucket, key, value)
	}
}
