package soak

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"payscand/internal/crash"
	"payscand/store"
)

// recordMigration records the first start on a database that an earlier version
// of the program wrote.
func recordMigration(ctx context.Context, dir, packed string) (crash.Run, error) {
	run, t := storeRun(dir)
	a := tillArguments{path: filepath.Join(dir, database)}
	reference := filepath.Join(filepath.Dir(dir), "migrated.db")
	if err := errors.Join(unpack(packed, a.path), unpack(packed, reference)); err != nil {
		return run, err
	}
	all, err := opened(reference)
	if err != nil {
		return run, err
	}
	run.Judge = func() crash.Judge { return &tillJudge{states: [][sha256.Size]byte{all.sum}} }
	return run, t.follow(ctx, &run, a.path, a.command())
}

func unpack(packed, path string) error {
	file, err := os.Open(packed)
	if err != nil {
		return err
	}
	defer file.Close()
	reader, err := gzip.NewReader(file)
	if err != nil {
		return err
	}
	content, err := io.ReadAll(reader)
	if err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o600)
}

// restoreArguments are those of the program that restores a backup over a
// database, and then says "restored" on its standard output.
type restoreArguments struct{ backup, path string }

func (a restoreArguments) command() []string { return []string{"restore", a.backup, a.path} }

func (a restoreArguments) run(ctx context.Context, out io.Writer) error {
	if _, err := store.Restore(ctx, a.backup, a.path, true); err != nil {
		return err
	}
	_, err := fmt.Fprintln(out, restored)
	return err
}

const restored = "restored"

// recordRestore records how a backup of an earlier moment takes a database's place.
func recordRestore(ctx context.Context, dir string, seed uint64) (crash.Run, error) {
	run, t := storeRun(dir)
	early := tillArguments{path: filepath.Join(filepath.Dir(dir), "early.db"), seed: seed, done: 20, commits: 20}
	late := tillArguments{path: filepath.Join(dir, database), seed: seed, done: 40, commits: 40}
	again := filepath.Join(filepath.Dir(dir), "again.db")
	backup := filepath.Join(filepath.Dir(dir), "backup.db")
	if err := errors.Join(early.prepare(), late.prepare()); err != nil {
		return run, err
	}
	if err := backUp(ctx, early.path, backup); err != nil {
		return run, err
	}
	if _, err := store.Restore(ctx, backup, again, false); err != nil {
		return run, err
	}
	want, err := opened(again)
	if err != nil {
		return run, err
	}
	states := statesOf(late)
	run.Judge = func() crash.Judge { return &restoreJudge{old: states[len(states)-1], backup: want.sum} }
	return run, t.follow(ctx, &run, late.path, restoreArguments{backup, late.path}.command())
}

func backUp(ctx context.Context, path, backup string) error {
	db, err := store.Open(path)
	if err != nil {
		return err
	}
	_, err = db.Backup(ctx, backup)
	return errors.Join(err, db.Close())
}

// restoreJudge: the database is the one that was there, or the backup, which waits
// to be adopted; in that case the one that was there is whole beside it.
type restoreJudge struct {
	old, backup [sha256.Size]byte
	said        bool
	checks      int
}

func (j *restoreJudge) Said(data []byte) { j.said = j.said || bytes.Contains(data, []byte(restored)) }

func (j *restoreJudge) Check(dir string) error {
	path := filepath.Join(dir, database)
	adopted, err := isAdopted(path)
	if err != nil {
		return err
	}
	c, err := readWhole(path)
	switch {
	case err != nil:
		return err
	case adopted && c.sum == j.old && !j.said:
	case !adopted && c.sum == j.backup:
		if err := j.kept(dir); err != nil {
			return err
		}
	default:
		return fmt.Errorf("it holds %d sales, adopted %t, restored %t: neither the old ones nor the backup's", len(c.sales), adopted, j.said)
	}
	if j.checks++; j.checks%goOnEvery > 0 {
		return nil
	}
	if a, err := store.Adopt(path, time.Now()); err != nil {
		return err
	} else if !a.Already {
		return goOn(path, len(c.chain)+1)
	}
	return goOn(path, len(c.chain))
}

// kept looks for the database that was replaced.
func (j *restoreJudge) kept(dir string) error {
	aside, err := filepath.Glob(filepath.Join(dir, database+".replaced-*"))
	if err != nil {
		return err
	}
	if len(aside) != 1 {
		return fmt.Errorf("the database that was replaced is kept %d times, want once", len(aside))
	}
	c, err := readWhole(aside[0])
	if err == nil && c.sum != j.old {
		err = errors.New("it holds other sales than it did")
	}
	if err != nil {
		return fmt.Errorf("the database that was replaced: %w", err)
	}
	return nil
}

func isAdopted(path string) (bool, error) {
	db, err := store.Open(path)
	if err != nil {
		return false, err
	}
	return db.Adopted(), db.Close()
}
