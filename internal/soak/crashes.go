package soak

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

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
	// Least: fewer states prove nothing, and are an error.
	Least int
	// Older are databases of earlier versions, packed with gzip, to be migrated.
	Older []string
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

// Wrong is how many of them were judged wrong.
func (r CrashResult) Wrong() (n int) {
	for _, run := range r.Runs {
		n += len(run.Wrong)
	}
	return n
}

// recording is a run to record: to have one more is to add a line.
type recording struct {
	name   string
	record func(ctx context.Context, dir string) (crash.Run, error)
	// large: the files are, so that each state takes long, and few are made.
	large bool
	// control: its judge is one that the controls do not try. The same run must be
	// caught if all that it says is said before anything is on the disk.
	control bool
}

func (c Crashes) recordings() []recording {
	till := func(a tillArguments) func(context.Context, string) (crash.Run, error) {
		return func(ctx context.Context, dir string) (crash.Run, error) {
			a.path, a.seed = filepath.Join(dir, database), c.Seed
			return recordTill(ctx, a, false)
		}
	}
	list := []recording{
		{name: "first creation", record: till(tillArguments{commits: 1})},
		{name: "sales", record: till(tillArguments{commits: c.Commits})},
		{name: "growth", record: till(tillArguments{commits: c.Commits / 2, size: 3000})},
		{name: "the daemon's sales", control: true, record: func(ctx context.Context, _ string) (crash.Run, error) {
			return recordDaemon(ctx, c.Setting, c.Sales)
		}},
		{name: "compaction", large: true, record: till(tillArguments{done: 20, commits: 22, balloon: 24 << 20})},
		{name: "restore", control: true, record: func(ctx context.Context, dir string) (crash.Run, error) { return recordRestore(ctx, dir, c.Seed) }},
	}
	for _, packed := range c.Older {
		list = append(list, recording{name: "migration of " + filepath.Base(packed), record: func(ctx context.Context, dir string) (crash.Run, error) {
			return recordMigration(ctx, dir, packed)
		}})
	}
	return list
}

// Run runs the campaign.
func (c Crashes) Run(ctx context.Context) (r CrashResult, err error) {
	options := crash.Options{Bound: c.Bound, Seed: c.Seed}
	for _, recording := range c.recordings() {
		run, err := c.record(ctx, recording)
		if err != nil {
			return r, fmt.Errorf("record %s: %w", recording.name, err)
		}
		options := options
		if recording.large {
			options.Bound = crash.Bound{AllOf: 3, Torn: min(1, c.Bound.Torn)}
		}
		began := time.Now()
		result, err := crash.Replay(ctx, run, options)
		if err != nil {
			return r, fmt.Errorf("replay %s: %w", recording.name, err)
		}
		r.Runs = append(r.Runs, CrashRun{recording.name, result})
		c.log("%s: %d calls, %d crashes, %d states in %v, %d wrong", recording.name,
			result.Calls, result.Crashes, result.States, time.Since(began).Round(time.Millisecond), len(result.Wrong))
		if len(result.Wrong) > 0 {
			return r, fmt.Errorf("%s: %w", recording.name, result.Wrong[0])
		}
		if result.States == 0 {
			return r, fmt.Errorf("%s: nothing was recorded", recording.name)
		}
		if recording.control {
			run.Ops = saidFirst(run.Ops)
			if err := c.caught(ctx, &r, recording.name+", told before its time", run); err != nil {
				return r, err
			}
		}
	}
	if r.States() < c.Least {
		return r, fmt.Errorf("%d states are too few, want %d", r.States(), c.Least)
	}
	return r, c.controls(ctx, &r)
}

// controls are runs that a power cut must hurt: one on a disk that says that it
// synced and did not, one whose new file's name is never made to last.
func (c Crashes) controls(ctx context.Context, r *CrashResult) error {
	for _, control := range []struct {
		name  string
		lying bool
		leave func(tracer.Op, string) bool
	}{
		{name: "a disk that does not sync", lying: true},
		{name: "a folder that is not synced", leave: func(op tracer.Op, dir string) bool { return op.Kind == tracer.Sync && op.Path == dir }},
	} {
		run, err := c.record(ctx, recording{name: control.name, record: func(ctx context.Context, dir string) (crash.Run, error) {
			return recordTill(ctx, tillArguments{path: filepath.Join(dir, database), seed: c.Seed, commits: 10}, control.lying)
		}})
		if err != nil {
			return fmt.Errorf("record %s: %w", control.name, err)
		}
		if control.leave != nil {
			run.Ops = slices.DeleteFunc(run.Ops, func(op tracer.Op) bool { return control.leave(op, run.Dir) })
		}
		if err := c.caught(ctx, r, control.name, run); err != nil {
			return err
		}
	}
	return nil
}

// saidFirst puts what a run said before all that it did.
func saidFirst(ops []tracer.Op) []tracer.Op {
	var said, did []tracer.Op
	for _, op := range ops {
		if op.Kind == tracer.Said {
			said = append(said, op)
		} else {
			did = append(did, op)
		}
	}
	return append(said, did...)
}

// caught replays a run that must be judged wrong.
func (c Crashes) caught(ctx context.Context, r *CrashResult, name string, run crash.Run) error {
	result, err := crash.Replay(ctx, run, crash.Options{Bound: crash.Bound{AllOf: 5, Samples: 10, Torn: 3}, Seed: c.Seed})
	if err != nil {
		return err
	}
	if len(result.Wrong) == 0 {
		return fmt.Errorf("%s was not noticed: the replay proves nothing", name)
	}
	r.Caught = append(r.Caught, name)
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
