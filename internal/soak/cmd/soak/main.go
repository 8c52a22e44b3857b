// Command soak tries the real program against power cuts, failing disks, SIGKILL
// and a long day, and prints one table. It ends with 1 when anything was wrong.
//
//	soak [-only crashes,io,kills,day] [-commits n] [-kills n] [-sales n] [-seed n] [-brief]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"payscand/internal/crash"
	"payscand/internal/soak"
)

func main() {
	if status, asked := soak.Helper(os.Args[1:]); asked {
		os.Exit(status)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	only := flag.String("only", "crashes,io,kills,day", "the campaigns to run")
	commits := flag.Int("commits", 24, "commits on a bare store that are recorded")
	kills := flag.Int("kills", 250, "how often the daemon is killed")
	sales := flag.Int("sales", 10_000, "sales of the long day")
	brief := flag.Bool("brief", false, "judge some thousand crash states only, as the tests do")
	seed := flag.Uint64("seed", uint64(time.Now().Unix()), "decides every random choice")
	flag.Parse()
	dir, err := os.MkdirTemp("", "ps")
	if err != nil {
		return err
	}
	defer func() {
		if err == nil {
			err = os.RemoveAll(dir)
		} else {
			err = fmt.Errorf("%w\nlogs and databases are in %s", err, dir)
		}
	}()
	began := time.Now()
	setting := soak.Setting{Program: filepath.Join(dir, "payscand"), Dir: dir, Seed: *seed, Log: func(format string, args ...any) {
		fmt.Fprintf(os.Stderr, "%7s  %s\n", time.Since(began).Round(time.Second), fmt.Sprintf(format, args...))
	}}
	setting.Log("seed %d", *seed)
	build := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", setting.Program, "./cmd/payscand")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("build payscand: %w", err)
	}
	s := campaigns{setting: setting, commits: *commits, kills: *kills, sales: *sales, brief: *brief}
	err = s.run(ctx, strings.Split(*only, ","))
	s.report.Print(os.Stdout)
	return err
}

// campaigns are all that there are, and what they found.
type campaigns struct {
	setting               soak.Setting
	commits, kills, sales int
	brief                 bool
	report                soak.Report
}

// run runs those that are named side by side: they wait for processes and the disk
// most of the time.
func (c *campaigns) run(ctx context.Context, names []string) error {
	all := []struct {
		name string
		run  func(context.Context) error
	}{{"crashes", c.crashes}, {"io", c.ioErrors}, {"kills", c.killing}, {"day", c.day}}
	errs := make([]error, len(all))
	var running sync.WaitGroup
	for i, campaign := range all {
		if !slices.Contains(names, campaign.name) {
			continue
		}
		running.Go(func() {
			if err := campaign.run(ctx); err != nil {
				errs[i] = fmt.Errorf("%s, seed %d: %w", campaign.name, c.setting.Seed, err)
			}
		})
	}
	running.Wait()
	return errors.Join(errs...)
}

func (c *campaigns) crashes(ctx context.Context) error {
	older, err := filepath.Glob("store/testdata/schema-*.db.gz")
	if err != nil || len(older) == 0 {
		return fmt.Errorf("run it in the project's root folder: store/testdata is not here (%w)", err)
	}
	campaign := soak.Crashes{
		Setting: c.setting, Commits: c.commits, Sales: c.commits / 10, Older: older,
		Bound: crash.Bound{AllOf: 9, Samples: 100, Torn: 12},
	}
	if c.brief {
		campaign.Commits, campaign.Sales, campaign.Least = 24, 3, 5000
		campaign.Bound = crash.Bound{AllOf: 5, Samples: 10, Torn: 5}
	}
	r, err := campaign.Run(ctx)
	c.report.Crashes = &r
	return err
}

func (c *campaigns) ioErrors(ctx context.Context) error {
	r, err := soak.IOErrors{Setting: c.setting, Every: 1}.Run(ctx)
	c.report.IO = &r
	return err
}

func (c *campaigns) killing(ctx context.Context) error {
	r, err := soak.Kills{Setting: c.setting, Kills: c.kills, Speed: 120, SettleEvery: 100, Bound: 5 * time.Minute}.Run(ctx)
	c.report.Kills = &r
	return err
}

func (c *campaigns) day(ctx context.Context) error {
	setting := c.setting
	var err error
	if setting.Dir, err = inMemory(setting.Dir); err != nil {
		return err
	}
	r, err := soak.Day{Setting: setting, Sales: c.sales, Speed: 240, Length: 24 * time.Hour, Bound: 5 * time.Minute}.Run(ctx)
	c.report.Day = &r
	if err != nil {
		return fmt.Errorf("%w\nits files are in %s", err, setting.Dir)
	}
	return os.RemoveAll(setting.Dir)
}

// inMemory makes a folder on a RAM disk, where there is one with room: a long day shows
// what the program keeps, and would wait for the disk most of the time.
func inMemory(otherwise string) (string, error) {
	const ramDisk, room = "/dev/shm", 1 << 30
	var stat syscall.Statfs_t
	if err := syscall.Statfs(ramDisk, &stat); err != nil || stat.Bavail*uint64(stat.Bsize) < room {
		return os.MkdirTemp(otherwise, "d")
	}
	return os.MkdirTemp(ramDisk, "ps")
}
