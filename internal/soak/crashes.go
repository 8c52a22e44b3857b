package soak

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"payscand/internal/crash"
	"payscand/internal/tracer"
)

// Crashes replays every crash point of recorded runs. Controls, which a power cut
// must hurt, must be caught: else the replay proves nothing.
type Crashes struct {
	Setting
	Bound crash.Bound
	// Commits on a bare store, and sales at the daemon.
	Commits, Sales int
}

// CrashResult is what Crashes counted.
type CrashResult struct {
	Runs   []CrashRun
	Caught []string // controls
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
	return r, c.controls(ctx, options, &r)
}

// controls are runs that a power cut must hurt: one on a disk that says that it
// synced and did not, one whose new file's name is never made to last.
func (c Crashes) controls(ctx context.Context, options crash.Options, r *CrashResult) error {
	for _, control := range []struct {
		name  string
		lying bool
		leave func(tracer.Op, string) bool
	}{
		{name: "a disk that does not sync", lying: true},
		{name: "a folder that is not synced", leave: func(op tracer.Op, dir string) bool { return op.Kind == tracer.Sync && op.Path == dir }},
	} {
		run, err := c.record(ctx, recording{control.name, func(ctx context.Context, dir string) (crash.Run, error) {
			return RecordTill(ctx, dir, 10, 0, control.lying)
		}})
		if err != nil {
			return fmt.Errorf("record %s: %w", control.name, err)
		}
		if control.leave != nil {
			run.Ops = slices.DeleteFunc(run.Ops, func(op tracer.Op) bool { return control.leave(op, run.Dir) })
		}
		result, err := crash.Replay(ctx, run, options)
		if err != nil {
			return err
		}
		if len(result.Wrong) == 0 {
			return fmt.Errorf("%s was not noticed: the replay proves nothing", control.name)
		}
		r.Caught = append(r.Caught, control.name)
	}
	return nil
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
