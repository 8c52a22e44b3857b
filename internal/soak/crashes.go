package soak

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"payscand/internal/crash"
)

// Crashes replays every crash point of recorded runs. A run without syncs, the
// control, must be caught: else the replay proves nothing.
type Crashes struct {
	Setting
	Bound crash.Bound
	// Commits on a bare store, and sales at the daemon.
	Commits, Sales int
}

// CrashResult is what Crashes counted.
type CrashResult struct {
	Runs    []CrashRun
	Control int // states of the control that were found wrong, up to a bound
}

// CrashRun is one recorded run.
type CrashRun struct {
	Name string
	crash.Result
}

// States is how many states were judged, the control's left out.
func (r CrashResult) States() (n int) {
	for _, run := range r.Runs {
		n += run.States
	}
	return n
}

// recording is a run to record: to have one more is to add a line.
type recording struct {
	name   string
	record func(ctx context.Context, dir string) (crash.Run, error)
}

func (c Crashes) recordings() []recording {
	return []recording{
		{"first creation", func(ctx context.Context, dir string) (crash.Run, error) {
			return RecordTill(ctx, dir, 1, 0, false)
		}},
		{"sales", func(ctx context.Context, dir string) (crash.Run, error) {
			return RecordTill(ctx, dir, c.Commits, 0, false)
		}},
		{"growth", func(ctx context.Context, dir string) (crash.Run, error) {
			return RecordTill(ctx, dir, c.Commits/2, 3000, false)
		}},
		{"the daemon's sales", func(ctx context.Context, _ string) (crash.Run, error) {
			return RecordDaemon(ctx, c.Setting, c.Sales)
		}},
	}
}

// Run runs the campaign.
func (c Crashes) Run(ctx context.Context) (r CrashResult, err error) {
	options := crash.Options{Bound: c.Bound, Seed: c.Seed}
	for _, recording := range c.recordings() {
		run, err := c.record(ctx, recording)
		if err != nil {
			return r, fmt.Errorf("record %s: %w", recording.name, err)
		}
		result, err := crash.Replay(ctx, run, options)
		if err != nil {
			return r, fmt.Errorf("replay %s: %w", recording.name, err)
		}
		r.Runs = append(r.Runs, CrashRun{recording.name, result})
		c.log("%s: %d calls, %d crashes, %d states, %d wrong", recording.name, result.Calls, result.Crashes, result.States, len(result.Wrong))
		if len(result.Wrong) > 0 {
			return r, fmt.Errorf("%s: %w", recording.name, result.Wrong[0])
		}
		if result.States == 0 {
			return r, fmt.Errorf("%s: nothing was recorded", recording.name)
		}
	}
	control, err := c.record(ctx, recording{"control", func(ctx context.Context, dir string) (crash.Run, error) {
		return RecordTill(ctx, dir, 10, 0, true)
	}})
	if err != nil {
		return r, fmt.Errorf("record the control: %w", err)
	}
	result, err := crash.Replay(ctx, control, options)
	if r.Control = len(result.Wrong); err == nil && r.Control == 0 {
		err = errors.New("a disk that does not sync was not noticed: the replay proves nothing")
	}
	return r, err
}

func (c Crashes) record(ctx context.Context, of recording) (crash.Run, error) {
	parent, err := os.MkdirTemp(c.Dir, "r")
	if err != nil {
		return crash.Run{}, err
	}
	dir := filepath.Join(parent, "db")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return crash.Run{}, err
	}
	return of.record(ctx, dir)
}
