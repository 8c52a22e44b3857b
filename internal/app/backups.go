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
	if err := os.MkdirAll(b.config.BackupDir, 0o700); err != nil {
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
	if err := b.deleteOldest(); err != nil { // the new one is good all the same
		b.log.Warn("old backups not deleted", "error", err)
	}
	return client.Backup{
		Path: made.Path, Bytes: made.Bytes, Sales: made.Sales, Records: made.Records,
		LastEventID: fmt.Sprintf("%s-%d", made.Epoch, made.Last),
	}, nil
}

// deleteOldest keeps the newest of this terminal's backups: their names sort by
// time. Whatever else is in the folder is left alone, except for what a backup
// that was cut off has left.
func (b backups) deleteOldest() error {
	pattern := filepath.Join(b.config.BackupDir, "payscand-"+b.code+"-????????T??????.???Z.db")
	found, err := filepath.Glob(pattern)
	if err != nil {
		return err
	}
	cut, err := filepath.Glob(pattern + ".new")
	if err != nil {
		return err
	}
	slices.Sort(found)
	var errs []error
	for _, path := range append(found[:max(0, len(found)-b.config.KeepBackups)], cut...) {
		if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
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
