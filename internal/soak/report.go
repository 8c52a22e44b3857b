package soak

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Report is what the campaigns found; those that did not run are nil.
type Report struct {
	Crashes *CrashResult
	IO      *IOResult
	Kills   *KillResult
	Day     *DayResult
}

// Print writes the table. Of a campaign that failed it holds what was counted until
// then; that it held is said by its error, or by none.
func (r Report) Print(out io.Writer) {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	defer table.Flush()
	row := func(name, format string, values ...any) {
		fmt.Fprintf(table, "%s\t%s\n", name, fmt.Sprintf(format, values...))
	}
	if c := r.Crashes; c != nil {
		row("crash states", "%d, %d of them wrong", c.States(), c.Wrong())
		for _, run := range c.Runs {
			row("  "+run.Name, "%d states at %d crash points of %d calls", run.States, run.Crashes, run.Calls)
		}
		row("  controls caught", "%s", strings.Join(c.Caught, ", "))
	}
	if i := r.IO; i != nil {
		row("I/O errors injected", "%d", i.Total())
		for _, name := range slices.Sorted(maps.Keys(i.Failed)) {
			row("  "+name, "%d", i.Failed[name])
		}
		row("  full and read-only file system", "%s", i.FullDisk)
	}
	if k := r.Kills; k != nil {
		row("kills", "%d, with %d faults of the gateways", k.Kills, k.Faults)
		for _, status := range append(statuses, aStart) {
			row("  that hit "+status, "%d", k.Hit[status])
		}
		printBooks(row, k.settled)
		row("  events", "%d", k.Events)
		row("  from restart to resolved", "p50 %v, p99 %v, max %v; in the counter's time p50 %v, p99 %v, max %v (%d sales)",
			k.Resolution(0.5), k.Resolution(0.99), k.Resolution(1), k.counterTime(0.5), k.counterTime(0.99), k.counterTime(1), len(k.Resolved))
	}
	if d := r.Day; d != nil {
		row("the long day", "%v, %v in the counter's time; %d replugs of the scanner, %d outages", d.Took, d.Took*time.Duration(d.Speed), d.Replugs, d.Outages)
		printBooks(row, d.settled)
		row("  anonymous memory", "%d KiB at %d sales, %d KiB at %d", d.Start.Anonymous>>10, d.Start.Sales, d.End.Anonymous>>10, d.End.Sales)
		row("  all resident memory", "%d KiB, %d KiB", d.Start.Resident>>10, d.End.Resident>>10)
		row("  descriptors, threads", "%d, %d at first; %d, %d at the end", d.Start.Descriptors, d.Start.Threads, d.End.Descriptors, d.End.Threads)
		row("  goroutines", "%d after the first sales, %d after the last", d.Goroutines[0], d.Goroutines[1])
		row("  database", "%d KiB, %d KiB: %d bytes a sale", d.Start.Database>>10, d.End.Database>>10,
			(d.End.Database-d.Start.Database)/int64(max(1, d.End.Sales-d.Start.Sales)))
	}
}

func printBooks(row func(name, format string, values ...any), s settled) {
	row("  sales", "%d, of them %d paid, %d refunds (%d for a person to look at), %d reversals", s.Sales, s.Paid, s.Refunds, s.ForPerson, s.Reversals)
	row("  captures", "%d; %d.%02d brought in at the gateways, %d.%02d here", s.Captures,
		s.Gateways/100, s.Gateways%100, s.Terminal/100, s.Terminal%100)
	row("  cents of difference", "%d", s.Difference)
}

// counterTime is Resolution as the money rules count it.
func (r KillResult) counterTime(q float64) time.Duration {
	return (r.Resolution(q) * time.Duration(r.Speed)).Round(time.Second)
}
