package simulation

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Campaign is many seeds, played by some workers at once.
type Campaign struct {
	From, To uint64 // seeds, From included, To not
	Workers  int
	// Violations is how many are looked for before the campaign stops early.
	Violations int
	// Progress is called now and then with the number of seeds played; nil: never.
	Progress func(done uint64)
}

// Report is what a campaign brought.
type Report struct {
	Result

	Elapsed    time.Duration
	CPU        time.Duration // of the whole process, its garbage collector included
	Violations []*Violation  // by seed
}

// block is how many seeds a worker takes at a time.
const block = 64

// Run plays the campaign. What a seed brings does not depend on the workers; the
// sum over all seeds neither.
func (c Campaign) Run(ctx context.Context) *Report {
	var (
		report = &Report{}
		next   atomic.Uint64
		mu     sync.Mutex
		wait   sync.WaitGroup
	)
	next.Store(c.From)
	begin, cpu := time.Now(), cpuTime()
	for range max(c.Workers, 1) {
		wait.Go(func() {
			for ctx.Err() == nil {
				from := next.Add(block) - block
				if from >= c.To {
					return
				}
				part := play(from, min(from+block, c.To))
				mu.Lock()
				report.add(part)
				if len(report.Violations) >= max(c.Violations, 1) {
					next.Store(c.To)
				}
				mu.Unlock()
				if c.Progress != nil {
					c.Progress(min(from+block, c.To) - c.From)
				}
			}
		})
	}
	wait.Wait()
	report.Elapsed, report.CPU = time.Since(begin), cpuTime()-cpu
	return report
}

// cpuTime is the processor time that this process has used.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func play(from, to uint64) *Report {
	part := &Report{}
	for seed := from; seed < to; seed++ {
		r, err := Run(seed)
		if v, broken := errors.AsType[*Violation](err); broken {
			part.Violations = append(part.Violations, v)
			continue
		}
		part.Add(&r)
	}
	return part
}

func (r *Report) add(part *Report) {
	r.Add(&part.Result)
	r.Violations = append(r.Violations, part.Violations...)
	for i := len(r.Violations) - 1; i > 0 && r.Violations[i].Seed < r.Violations[i-1].Seed; i-- {
		r.Violations[i], r.Violations[i-1] = r.Violations[i-1], r.Violations[i]
	}
}

// NeverFired lists the faults that no run met: the campaign proves nothing of them.
func (r *Result) NeverFired() []string {
	var names []string
	for f := fault(fateFine) + 1; f < faults; f++ {
		if r.Fired[f] == 0 {
			names = append(names, f.String())
		}
	}
	for x := wireFine + 1; x < wireWays; x++ {
		if r.Wire[x] == 0 {
			names = append(names, "wire: "+x.String())
		}
	}
	return names
}
