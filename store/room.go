package store

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

const (
	// reserveSize is what the reserve file keeps allocated: some thousand commits.
	reserveSize = 8 << 20
	// roomFloor is the free space below which no new sale begins. bbolt grows its
	// file by 16 MiB at a time, without allocating them.
	roomFloor = 32 << 20
)

// CheckRoom says whether a new sale may begin: before money moves there must be
// room to write down how it ended. ErrFull and ErrReadOnly say what is wrong.
//
// New sales are refused while less than 32 MiB are free, so that the sales under
// way can still be finished. Should the disk be filled by others all the same,
// the failing commit deletes the reserve file (8 MiB, beside the database) and
// ends the process; the next start finishes its open sales in that room.
// CheckRoom makes the reserve again once there is space.
func (db *DB) CheckRoom() error {
	if err := db.usable(); err != nil {
		return err
	}
	stat, err := db.stat(db.path)
	if err != nil {
		return err
	}
	if stat.Flags&unix.ST_RDONLY != 0 {
		return fmt.Errorf("%w: %s; remount it and look for disk errors in the system's log", ErrReadOnly, db.path)
	}
	need := int64(roomFloor)
	if !db.hasReserve() {
		need += reserveSize
	}
	if free := freeBytes(stat); free < need {
		return fmt.Errorf("%w: %d MiB are free beside %s, %d are needed; delete something", ErrFull, free>>20, db.path, need>>20)
	}
	if err := db.keepReserve(); err != nil {
		return fmt.Errorf("%w: the reserve file cannot be made: %w", ErrFull, err)
	}
	return nil
}

// DiskFree returns the bytes that are free for payscand where the database is.
func (db *DB) DiskFree() (int64, error) {
	stat, err := db.stat(db.path)
	return freeBytes(stat), err
}

func (db *DB) stat(path string) (unix.Statfs_t, error) {
	var stat unix.Statfs_t
	if err := db.statfs(path, &stat); err != nil {
		return stat, fmt.Errorf("free space beside %s: %w", path, err)
	}
	return stat, nil
}

// freeBytes leaves out what is kept for root.
func freeBytes(stat unix.Statfs_t) int64 {
	return int64(stat.Bavail) * stat.Frsize
}

func (db *DB) reservePath() string { return db.path + ".reserve" }

func (db *DB) hasReserve() bool {
	info, err := os.Stat(db.reservePath())
	return err == nil && info.Size() == reserveSize
}

// keepReserve makes the reserve file unless it is there.
func (db *DB) keepReserve() error {
	db.room.Lock()
	defer db.room.Unlock()
	if db.hasReserve() {
		return nil
	}
	file, err := os.OpenFile(db.reservePath(), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	err = unix.Fallocate(int(file.Fd()), 0, 0, reserveSize)
	if errors.Is(err, unix.EOPNOTSUPP) {
		_, err = file.WriteAt(make([]byte, reserveSize), 0)
	}
	if err == nil {
		err = errors.Join(ownedAsFolder(db.reservePath()), file.Sync())
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(err, os.Remove(db.reservePath()))
	}
	return nil
}

// releaseReserve gives the reserve's room to the database. If that fails too,
// CheckRoom still refuses new sales.
func (db *DB) releaseReserve() {
	db.room.Lock()
	defer db.room.Unlock()
	_ = os.Remove(db.reservePath())
}
