package store

import "golang.org/x/sys/unix"

// OpenWith lets a test say what the file system answers from the start.
var OpenWith = openWith

// SetStatfs lets a test say what the file system answers.
func (db *DB) SetStatfs(statfs func(path string, stat *unix.Statfs_t) error) { db.statfs = statfs }
