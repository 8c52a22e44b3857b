package app

import (
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"payscand/configs"
	"payscand/store"
)

// backUpInto makes a backup of an empty database in a folder that keeps three, and returns its name.
func backUpInto(t *testing.T, folder string) string {
	t.Helper()
	config := configs.Default()
	config.Terminal.Code = "L1"
	config.Store.Path = filepath.Join(t.TempDir(), "payscand.db")
	config.Store.BackupDir, config.Store.KeepBackups = folder, 3
	db, err := store.Open(config.Store.Path)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	made, err := BackUp(t.Context(), &config, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Base(made.Path)
}

// TestBackupsOfAClockThatWasAhead: backups from when the clock was ahead go first, however late their names say they are:
// the newest are those that were made last. Files of others stay, also in a folder whose name is a pattern.
func TestBackupsOfAClockThatWasAhead(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "of [all] tills")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	others := []string{"payscand-L2-20990101T000000.000Z.db", "notes.txt"}
	earlier := []string{"payscand-L1-20200101T000000.000Z.db"}
	for n := range 3 {
		earlier = append(earlier, fmt.Sprintf("payscand-L1-2099010%dT000000.000Z.db", n+1))
	}
	for _, name := range slices.Concat(others, earlier, []string{earlier[0] + ".new"}) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte("a backup"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for made := 1; made <= 3; made++ {
		now := backUpInto(t, folder)
		left, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		names := make([]string, 0, len(left))
		for _, entry := range left {
			names = append(names, entry.Name())
		}
		ours := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !strings.HasPrefix(name, "payscand-L1-") })
		if len(ours) != 3 || !slices.Contains(ours, now) || len(names) != len(ours)+len(others) {
			t.Fatalf("after backup %d, %s, there are %v", made, now, names)
		}
		// Of what was there before: 2020 and the last of 2099, then 2020, then nothing.
		if kept := slices.Contains(ours, earlier[0]); kept != (made < 3) {
			t.Errorf("after backup %d there are %v", made, ours)
		}
	}
}

// TestBackupFolderIsTheDaemons: the folders that root makes for backups belong to the daemon's user, who owns the folder
// that they are in, else the daemon's own backups would fail from then on.
func TestBackupFolderIsTheDaemons(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	const daemon = 65534
	state := t.TempDir()
	if err := os.Chown(state, daemon, daemon); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(state, "backups", "nightly")
	backUpInto(t, folder)
	if err := filepath.WalkDir(state, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		if stat, is := info.Sys().(*syscall.Stat_t); !is || stat.Uid != daemon || stat.Gid != daemon {
			t.Errorf("%s is not the daemon's", path)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}
