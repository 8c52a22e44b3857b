package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"payscand/api/client"
	"payscand/configs"
	"payscand/store"
	"payscand/terminal"
)

// backups makes backups of an open database in the configured folder.
type backups struct {
	db     *store.DB
	config configs.Store
	code   string // the terminal's
	log    *slog.Logger
}

// BackUp writes one more backup, and then deletes the oldest beyond those to be
// kept. Its refusals are *terminal.Error.
func (b backups) BackUp(ctx context.Context) (client.Backup, error) {
	if err := store.MakeFolder(b.config.BackupDir); err != nil {
		return client.Backup{}, fmt.Errorf("folder of the backups: %w", err)
	}
	name := fmt.Sprintf("payscand-%s-%s.db", b.code, time.Now().UTC().Format("20060102T150405.000Z"))
	made, err := b.db.Backup(ctx, filepath.Join(b.config.BackupDir, name))
	switch {
	case errors.Is(err, store.ErrBusy):
		return client.Backup{}, &terminal.Error{Code: terminal.CodeBackupRunning, Message: "another backup is being made: wait for it"}
	case errors.Is(err, store.ErrFull):
		return client.Backup{}, &terminal.Error{Code: terminal.CodeStorageFull, Message: err.Error()}
	case err != nil:
		return client.Backup{}, err
	}
	if err := b.deleteOldest(name); err != nil { // the new one is good all the same
		b.log.Warn("old backups not deleted", "error", err)
	}
	return client.Backup{
		Path: made.Path, Bytes: made.Bytes, Sales: made.Sales, Records: made.Records,
		LastEventID: fmt.Sprintf("%s-%d", made.Epoch, made.Last),
	}, nil
}

// deleteOldest keeps the newest of this terminal's backups, by the time in their
// names. One that is from later than the newest, which was just made, is from when
// the clock was ahead: it counts as older than all others. Whatever else is in the
// folder is left alone, except for what a backup that was cut off has left.
func (b backups) deleteOldest(newest string) error {
	pattern := "payscand-" + b.code + "-????????T??????.???Z.db"
	found, err := matching(b.config.BackupDir, pattern)
	if err != nil {
		return err
	}
	cut, err := matching(b.config.BackupDir, pattern+".new")
	if err != nil {
		return err
	}
	slices.SortFunc(found, func(x, y string) int {
		switch ahead := x > newest; {
		case ahead == (y > newest):
			return strings.Compare(x, y)
		case ahead:
			return -1
		}
		return 1
	})
	var errs []error
	for _, name := range append(found[:max(0, len(found)-b.config.KeepBackups)], cut...) {
		if err := os.Remove(filepath.Join(b.config.BackupDir, name)); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// matching returns the names in a folder that match a pattern.
func matching(folder, pattern string) (names []string, err error) {
	entries, err := os.ReadDir(folder)
	for _, entry := range entries {
		if is, err := filepath.Match(pattern, entry.Name()); err == nil && is {
			names = append(names, entry.Name())
		}
	}
	return names, err
}

// BackUp backs up the database of a daemon that does not run.
func BackUp(ctx context.Context, config *configs.Config, log *slog.Logger) (made client.Backup, err error) {
	if _, err := os.Stat(config.Store.Path); err != nil { // it is not to be made
		return made, fmt.Errorf("back up database: %w", err)
	}
	db, err := store.Open(config.Store.Path)
	if err != nil {
		return made, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return backups{db: db, config: config.Store, code: config.Terminal.Code, log: log}.BackUp(ctx)
}

// Restore puts a backup in the place of the configured database; see store.Restore.
func Restore(ctx context.Context, config *configs.Config, backup string, replace bool) (store.Restored, error) {
	return store.Restore(ctx, backup, config.Store.Path, replace)
}

// Adopt lets this machine act on the sales of the configured database; see store.Adopt.
func Adopt(config *configs.Config) (store.Adopted, error) {
	return store.Adopt(config.Store.Path, time.Now())
}

// Report is what a look at a database found.
type Report = store.Report

// Check looks at all of a database file; see store.Check.
func Check(ctx context.Context, path string) (Report, error) { return store.Check(ctx, path) }

// VerifyJournal looks at the journal of a database file; see store.VerifyJournal.
func VerifyJournal(ctx context.Context, path string) (Report, error) {
	return store.VerifyJournal(ctx, path)
}
