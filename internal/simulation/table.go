package simulation

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"payscand/payment"
)

// Print writes the report as one table.
func (r *Report) Print(out io.Writer) {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	defer t.Flush()
	row := func(name string, cells ...string) { fmt.Fprintf(t, "%s\t%s\n", name, strings.Join(cells, "\t")) }
	cpu := max(r.CPU.Seconds(), 1e-9) // what one core would have needed, whatever else ran beside
	row("seeds", grouped(r.Seeds))
	row("schedules per second and core", grouped(int(float64(r.Seeds)/cpu)))
	row("turns", grouped(r.Turns))
	row("turns per second and core", grouped(int(float64(r.Turns)/cpu)))
	row("elapsed, processor time", brief(r.Elapsed), brief(r.CPU))
	row("commits", grouped(r.Commits))
	row("captures", grouped(r.Captures))
	row("automatic reversals", grouped(r.Reversals))
	row("seeds with the real codec", grouped(r.Wired))
	row("virtual time", fmt.Sprintf("%.1f years", r.Virtual.Hours()/24/365.25))
	fmt.Fprintln(t)
	row("", "count", "p50", "p99", "max", "bound")
	p := payment.DefaultPolicy()
	spread := func(name string, d *Durations, bound string) {
		row(name, grouped(d.count), brief(d.Quantile(0.5)), brief(d.Quantile(0.99)), brief(d.most), bound)
	}
	spread("unresolved until final", &r.Unknown, "–")
	spread("end of trouble until final", &r.Healed, brief(ResolveBound(p, false))+" (over a day old: "+brief(ResolveBound(p, true))+")")
	spread("a code holds the counter", &r.Blocked, brief(blockBound(p)+slack))
	fmt.Fprintln(t)
	row("fault", "fired")
	for f := fault(fateFine) + 1; f < faults; f++ {
		row("  "+f.String(), grouped(r.Fired[f]))
	}
	fmt.Fprintln(t)
	row("on the wire", "happened")
	for x := wireFine + 1; x < wireWays; x++ {
		row("  "+x.String(), grouped(r.Wire[x]))
	}
	fmt.Fprintln(t)
	row("gateway", r.gatewayCells(func(g *Traffic) string { return g.Name })...)
	for i, kind := range callKinds {
		row("  "+string(kind), r.gatewayCells(func(g *Traffic) string { return grouped(g.Calls[i]) })...)
	}
	row("  captures", r.gatewayCells(func(g *Traffic) string { return grouped(g.Captures) })...)
	fmt.Fprintln(t)
	row("excused, until the rules solve it", "attempts")
	for e := range excuses {
		row("  "+excuseNames[e], grouped(r.Excused[e]))
	}
}

// Print writes what the search through small worlds found.
func (e Exploration) Print(out io.Writer) {
	fmt.Fprintf(out, "\nsmall worlds: every interleaving of %d events: %s states by %s steps; from %s the end was seen to come\n",
		e.Depth, grouped(e.States), grouped(e.Steps), grouped(e.Healed))
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	defer t.Flush()
	for _, s := range e.Shapes {
		fmt.Fprintf(t, "  %s\t%s states\t%s steps\n", s.Name, grouped(s.States), grouped(s.Steps))
	}
}

// brief writes a duration to three figures.
func brief(d time.Duration) string {
	switch {
	case d >= time.Hour:
		return d.Round(time.Minute).String()
	case d >= time.Minute:
		return d.Round(time.Second).String()
	}
	return d.Round(10 * time.Millisecond).String()
}

// grouped writes a number with commas.
func grouped(n int) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
