package store

import "golang.org/x/sys/unix"

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
