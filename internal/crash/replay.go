package crash

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"payscand/internal/tracer"
)

// Judge knows what must be found after a crash.
type Judge interface {
	// Said is told, in order, what the run said to others before the crash.
	Said(data []byte)
	// Check says what is wrong with the files in a folder.
	Check(dir string) error
}

// Run is a recorded run and how it is judged.
type Run struct {
	// Dir is the folder of the run; files in it whose names begin with Prefix, and
	// do not end in one of Skip, are the subject.
	Dir, Prefix string
	Skip        []string
	// Before are the subject's files as they were before the run, by base name.
	Before map[string][]byte
	Ops    []tracer.Op
	Judge  func() Judge // one for each worker
}

// Options bound a replay.
type Options struct {
	Bound   Bound
	Workers int    // 0: as many as there are processors
	Scratch string // a folder on a fast file system; empty: one is chosen
	Seed    uint64
}

// Result is what a replay found.
type Result struct {
	Crashes int // moments between two syncs
	Calls   int // that changed files
	States  int // judged
	Wrong   []Failure
}

// Failure is a state that was judged wrong.
type Failure struct {
	Call  int    // in Run.Ops: the crash is before it
	State string // what of the unsynced calls is on the disk
	Err   error
}

func (f Failure) Error() string {
	return fmt.Sprintf("crash before call %d, on the disk are %s: %v", f.Call, f.State, f.Err)
}

// maxFailures are kept; the replay ends with the last one.
const maxFailures = 20

// Replay judges every state in which a crash may leave the files of the run.
func Replay(ctx context.Context, run Run, o Options) (Result, error) {
	if o.Workers == 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	scratch, err := scratchFolder(o.Scratch)
	if err != nil {
		return Result{}, err
	}
	defer os.RemoveAll(scratch)
	var (
		workers sync.WaitGroup
		failed  atomic.Int64
		results = make([]Result, o.Workers)
		errs    = make([]error, o.Workers)
	)
	for w := range o.Workers {
		dir := filepath.Join(scratch, fmt.Sprint(w))
		if err := os.Mkdir(dir, 0o700); err != nil {
			return Result{}, err
		}
		worker := &worker{
			run: run, options: o, number: w, failed: &failed, judge: run.Judge(), disk: newDisk(),
			place: place{dir: dir}, result: &results[w],
		}
		workers.Go(func() { errs[w] = worker.replay(ctx) })
	}
	workers.Wait()
	total := results[0]
	for _, r := range results[1:] {
		total.States += r.States
		total.Wrong = append(total.Wrong, r.Wrong...)
	}
	slices.SortFunc(total.Wrong, func(a, b Failure) int { return a.Call - b.Call })
	return total, errors.Join(errs...)
}

// scratchFolder prefers memory: nothing there needs to last.
func scratchFolder(parent string) (string, error) {
	if parent == "" {
		if dir, err := os.MkdirTemp("/dev/shm", "payscand-crash"); err == nil {
			return dir, nil
		}
	}
	return os.MkdirTemp(parent, "payscand-crash")
}

// worker replays the whole run, and judges its share of the states.
type worker struct {
	run     Run
	options Options
	number  int
	failed  *atomic.Int64
	judge   Judge
	disk    *disk
	place   place
	result  *Result
	next    int // counts states over all workers
}

func (w *worker) replay(ctx context.Context) error {
	for name, data := range w.run.Before {
		w.disk.load(filepath.Join(w.run.Dir, name), data)
	}
	for i, op := range w.run.Ops {
		switch {
		case op.Kind == tracer.Said:
			w.judge.Said(op.Data)
		case op.Kind == tracer.Sync && (op.Path == w.run.Dir || w.subject(op.Path)):
			// A crash before this sync was done leaves any part of what is pending, and so
			// do all crashes since the last one.
			if err := w.crash(ctx, i); err != nil {
				return err
			}
			w.disk.sync(op.Path)
		case w.subject(op.Path) || op.To != "" && w.subject(op.To):
			w.result.Calls++
			w.disk.take(op)
		}
	}
	return w.crash(ctx, len(w.run.Ops))
}

func (w *worker) subject(path string) bool {
	name, below := strings.CutPrefix(path, w.run.Dir+"/")
	return below && strings.HasPrefix(name, w.run.Prefix) &&
		!slices.ContainsFunc(w.run.Skip, func(suffix string) bool { return strings.HasSuffix(name, suffix) })
}

// crash judges the states of one moment.
func (w *worker) crash(ctx context.Context, call int) (err error) {
	w.result.Crashes++
	random := rand.New(rand.NewPCG(w.options.Seed, uint64(call))) //nolint:gosec // repeatable
	w.options.Bound.each(w.disk.pending, random, func(s state) bool {
		w.next++
		if w.next%w.options.Workers != w.number {
			return true
		}
		if err = ctx.Err(); err != nil || w.failed.Load() >= maxFailures {
			return false
		}
		if err = w.place.put(w.run.Dir, w.disk.lists(s)); err != nil {
			return false
		}
		w.result.States++
		if wrong := w.judge.Check(w.place.dir); wrong != nil {
			w.failed.Add(1)
			w.result.Wrong = append(w.result.Wrong, Failure{call, w.disk.describe(s), wrong})
		}
		return true
	})
	return err
}

// describe names the unsynced calls that a state holds.
func (d *disk) describe(s state) string {
	var text []string
	for i, c := range d.pending {
		if !s.kept[i] {
			continue
		}
		part := fmt.Sprintf("%s %s", c.op.Kind, filepath.Base(c.op.Path))
		if c.op.Kind == tracer.Write {
			part += fmt.Sprintf(" %d+%d", c.op.Offset, len(c.op.Data))
		}
		if i == s.of {
			part += fmt.Sprintf(" torn %v", s.torn)
		}
		text = append(text, part)
	}
	return fmt.Sprintf("%d of %d unsynced calls [%s]", len(text), len(d.pending), strings.Join(text, ", "))
}
