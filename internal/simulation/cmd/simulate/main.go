// Command simulate plays seeds of counter days against the money rules and
// prints one table. It ends with 1 when a promise was broken, with the shrunk
// story of the first seed that did it, and when a kind of fault never fired.
//
//	simulate -seeds 0-100000          seeds 0 to 99999; go on with 100000-200000
//	simulate -tell 4711               one seed as a story
//	simulate -replay 'fate/17/1=2 …'  one schedule, as a failing seed prints it
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"payscand/internal/simulation"
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	debug.SetGCPercent(400) // runs are short-lived; memory is plenty
	err := simulate(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "simulate:", err)
		return 1
	}
	return 0
}

func simulate(ctx context.Context) error {
	seeds := flag.String("seeds", "0-100000", "the seeds `A-B`, A included, B not")
	workers := flag.Int("workers", runtime.GOMAXPROCS(0), "how many play at once")
	small := flag.Duration("small-worlds", time.Minute, "how long small worlds are explored; 0: not at all")
	tell := flag.String("tell", "", "tell this `seed` as a story")
	replay := flag.String("replay", "", "tell this `schedule` as a story")
	flag.Parse()
	switch {
	case *tell != "":
		return tellSeed(*tell)
	case *replay != "":
		return replaySchedule(*replay)
	}
	from, to, err := seedRange(*seeds)
	if err != nil {
		return err
	}
	report := simulation.Campaign{From: from, To: to, Workers: *workers, Progress: progress(to - from)}.Run(ctx)
	report.Print(os.Stdout)
	if len(report.Violations) > 0 {
		return violated(report.Violations[0])
	}
	if err := explore(ctx, *small); err != nil {
		return err
	}
	if never := report.NeverFired(); len(never) > 0 {
		return fmt.Errorf("these faults never fired, so nothing was proved of them: %s", strings.Join(never, ", "))
	}
	return ctx.Err()
}

func seedRange(text string) (from, to uint64, err error) {
	a, b, found := strings.Cut(text, "-")
	from, err1 := strconv.ParseUint(a, 10, 64)
	to, err2 := strconv.ParseUint(b, 10, 64)
	if !found || err1 != nil || err2 != nil || from >= to {
		return 0, 0, fmt.Errorf("-seeds %q is not A-B with A below B", text)
	}
	return from, to, nil
}

// progress prints how far the campaign is, at most once a second.
func progress(all uint64) func(uint64) {
	if !watched(os.Stderr) {
		return nil
	}
	begin := time.Now()
	ticks := make(chan time.Time, 1)
	ticks <- begin
	return func(done uint64) {
		select {
		case last := <-ticks:
			if time.Since(last) > time.Second {
				last = time.Now()
				fmt.Fprintf(os.Stderr, "\r\033[K%d of %d seeds in %s", done, all, last.Sub(begin).Round(time.Second))
			}
			ticks <- last
		default: // another worker prints
		}
	}
}

// watched reports whether somebody sits before the file.
func watched(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func tellSeed(text string) error {
	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return fmt.Errorf("-tell %q is not a seed", text)
	}
	story, decisions, err := simulation.Tell(seed)
	fmt.Printf("%s\n\nschedule: %s\n", story, decisions)
	return err
}

func replaySchedule(text string) error {
	schedule, err := simulation.ParseSchedule(text)
	if err != nil {
		return err
	}
	story, err := simulation.Replay(schedule)
	fmt.Println(story)
	return err
}

// violated tells the shortest story that breaks the same promise.
func violated(v *simulation.Violation) error {
	_, decisions, _ := simulation.Tell(v.Seed)
	short := simulation.Shrink(decisions)
	story, err := simulation.Replay(short)
	if err == nil {
		return fmt.Errorf("%w (its schedule alone does not repeat it: use -tell %d)", v, v.Seed)
	}
	fmt.Printf("\nseed %d, shrunk from %d decisions to %d:\n\n%s\n\nschedule: %s\n", v.Seed, len(decisions), len(short), story, short)
	return errors.Join(v, err)
}

// explore goes through small worlds, as deep as the time allows.
func explore(ctx context.Context, bound time.Duration) error {
	if bound <= 0 {
		return nil
	}
	found, err := simulation.ExploreFor(ctx, bound)
	found.Print(os.Stdout)
	return err
}
