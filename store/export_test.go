package store

import (
	"errors"
	"os"
	"reflect"

	"golang.org/x/sys/unix"
)

// SetStatfs lets a test say what the file system answers.
func (db *DB) SetStatfs(statfs func(path string, stat *unix.Statfs_t) error) { db.statfs = statfs }

// PretendFree has every database that is opened find so many bytes free, until
// the returned function is called.
func PretendFree(bytes int64) (restore func()) {
	was := statfs
	statfs = func(_ string, stat *unix.Statfs_t) error {
		stat.Bavail, stat.Frsize = uint64(bytes/4096), 4096
		return nil
	}
	return func() { statfs = was }
}

// PagesAtStart counts the pages of a file that are looked at before a start goes on.
func PagesAtStart(path string) (n int, err error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	p := &pages{file: file, tell: func(string, string) {}}
	p.enter = p.readAtStart
	_, err = p.walk()
	for _, use := range p.used {
		if use == 1 {
			n++
		}
	}
	return n, errors.Join(err, file.Close())
}

// ReopenEvery has each database opened anew after so many commits, until the returned
// function is called.
func ReopenEvery(commits int) (restore func()) {
	was := reopenEvery
	reopenEvery = commits
	return func() { reopenEvery = was }
}

// Migrate migrates a database that was just found to be of an older schema.
func Migrate(path string, from int) error {
	return (&DB{path: path, machine: machine(), statfs: statfs}).migrate(from)
}

// OpenToWrite has the database opened once more, as after a compaction.
func (db *DB) OpenToWrite() error { return db.openToWrite() }

// PagesRemembered is how many pages bbolt remembers to have taken from its free list.
// It keeps that to itself: another version may call it otherwise.
func (db *DB) PagesRemembered() int {
	return reflect.ValueOf(db.bolt).Elem().FieldByName("freelist").Elem().Elem().FieldByName("shared").Elem().FieldByName("allocs").Len()
}
