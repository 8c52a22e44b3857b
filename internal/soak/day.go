package soak

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"payscand/api/client"
	"payscand/internal/counter"
)

// Day is a long day: sales as a shop has them, a scanner that is pulled out and put
// back, gateways that fail, and nothing that grows but the database.
type Day struct {
	Setting
	Sales int
	// Speed is by how much the money rules' pauses are divided; the day lasts at
	// least Length of their time.
	Speed  int
	Length time.Duration
	Bound  time.Duration // until all is decided at its end
}

// Usage is what the daemon takes at a moment.
type Usage struct {
	Sales       int
	Anonymous   int64 // resident anonymous memory, bytes
	Resident    int64 // all resident memory, bytes
	Descriptors int
	Threads     int
	Database    int64 // bytes on the disk
}

// DayResult is what a day counted.
type DayResult struct {
	settled
	Took             time.Duration
	Speed            int
	Replugs, Outages int
	Start, End       Usage // after a twentieth of the sales, and after all
	Samples          []Usage
	Goroutines       [2]int // after the first sales, and after the last
}

// Run runs the day.
func (d Day) Run(ctx context.Context) (r DayResult, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	sh, err := openShop(ctx, d.Setting, d.Speed, "[log]\nlevel = \"warn\"\n", "")
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, sh.close()) }()
	r.Speed = d.Speed
	visits := newVisits(d.Setting, sh)
	visits.mix = dayMix
	if r.Goroutines[0], err = d.goroutinesAfter(ctx, sh, visits, 10); err != nil {
		return r, err
	}
	began := time.Now()
	every := max(1, d.Sales/20)
	for n := 1; n <= d.Sales || time.Since(began)*time.Duration(d.Speed) < d.Length; n++ {
		if err := d.trouble(ctx, sh, n, &r); err != nil {
			return r, err
		}
		if err := visits.visit(ctx); err != nil {
			return r, err
		}
		if n%every == 0 && n <= d.Sales {
			u, err := usage(sh, n)
			if err != nil {
				return r, err
			}
			r.Samples = append(r.Samples, u)
			d.log("%d sales: %+v", n, u)
		}
		if n > d.Sales { // the day is longer than its sales
			if err := pause(ctx, 500*time.Millisecond); err != nil {
				return r, err
			}
		}
	}
	r.Took = time.Since(began).Round(time.Second)
	r.Start, r.End = r.Samples[0], r.Samples[len(r.Samples)-1]
	if err := sh.heal(); err != nil {
		return r, err
	}
	if r.settled, err = sh.settle(ctx, d.Bound); err != nil {
		return r, err
	}
	if r.Goroutines[1], err = d.goroutines(ctx, sh); err != nil {
		return r, err
	}
	return r, errors.Join(r.enough(), r.flat(), sh.StartDaemon(ctx), sh.StopDaemon())
}

// trouble: every so often the scanner is pulled out, or a gateway is out.
func (d Day) trouble(ctx context.Context, sh *shop, n int, r *DayResult) error {
	switch {
	case n%100 == 50:
		r.Replugs++
		if err := sh.Scanner.Unplug(); err != nil {
			return err
		}
		if err := sh.Await(ctx, func(t client.Terminal) bool { return t.Scanners[0].State != "ready" }); err != nil {
			return err
		}
		if err := sh.Scanner.Plug(); err != nil {
			return err
		}
		return sh.Await(ctx, func(t client.Terminal) bool { return t.Scanners[0].State == "ready" })
	case n%100 == 0:
		r.Outages++
		l := sh.ledgers[n/100%len(sh.ledgers)]
		if err := l.Faults(`{"down": true}`); err != nil {
			return err
		}
		time.AfterFunc(300*time.Millisecond, func() { _ = l.Faults(`{"down": false}`) })
	}
	return nil
}

// goroutinesAfter has a daemon of its own make some sales and counts its goroutines.
func (d Day) goroutinesAfter(ctx context.Context, sh *shop, v *visits, sales int) (n int, err error) {
	for range sales {
		if err := v.visit(ctx); err != nil {
			return 0, err
		}
	}
	if _, err := sh.settle(ctx, d.Bound); err != nil {
		return 0, err
	}
	if n, err = d.goroutines(ctx, sh); err != nil {
		return n, err
	}
	if err := sh.StartDaemon(ctx); err != nil {
		return n, err
	}
	return n, sh.AwaitReady(ctx)
}

var goroutine = regexp.MustCompile(`(?m)^goroutine [0-9]+ `)

// goroutines ends the daemon by SIGQUIT, upon which Go's runtime prints them.
func (d Day) goroutines(ctx context.Context, sh *shop) (int, error) {
	sh.Register.Close()                                      // its connections are not the daemon's
	if err := pause(ctx, 500*time.Millisecond); err != nil { // until their goroutines have ended
		return 0, err
	}
	before, err := os.ReadFile(sh.DaemonLog())
	if err != nil {
		return 0, err
	}
	if err := sh.SignalDaemon(syscall.SIGQUIT); err != nil {
		return 0, err
	}
	if _, err := sh.DaemonExited(ctx); err != nil {
		return 0, err
	}
	sh.KillDaemon() // only its log is closed
	after, err := os.ReadFile(sh.DaemonLog())
	if err != nil {
		return 0, err
	}
	n := len(goroutine.FindAll(after[len(before):], -1))
	if n == 0 {
		return 0, fmt.Errorf("no goroutines were printed:\n%s", counter.Tail(sh.DaemonLog(), 10))
	}
	return n, nil
}

// usage reads what /proc tells of the daemon.
func usage(sh *shop, sales int) (u Usage, err error) {
	proc := fmt.Sprintf("/proc/%d", sh.DaemonPID())
	u.Sales = sales
	status, err := os.ReadFile(proc + "/status")
	if err != nil {
		return u, err
	}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		n, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		switch name {
		case "RssAnon":
			u.Anonymous = n << 10
		case "VmRSS":
			u.Resident = n << 10
		case "Threads":
			u.Threads = int(n)
		}
	}
	descriptors, err := os.ReadDir(proc + "/fd")
	if err != nil {
		return u, err
	}
	u.Descriptors = len(descriptors)
	var stat syscall.Stat_t
	if err := syscall.Stat(sh.Database(), &stat); err != nil {
		return u, err
	}
	u.Database = stat.Blocks * 512
	return u, nil
}

// enough: a day on which hardly anything is paid says nothing of a shop's.
func (r DayResult) enough() error {
	if r.Paid < r.Sales/2 || r.Paid == 0 {
		return fmt.Errorf("this was no day: %d of %d sales are paid", r.Paid, r.Sales)
	}
	return nil
}

// flat says what grew that should not have. The bounds leave room for what a
// garbage collector and connection pools do, and none for a leak: ten thousand
// sales that leave a kilobyte each are 10 MB.
func (r DayResult) flat() error {
	const mib = 1 << 20
	half := len(r.Samples) / 2
	median := func(of []Usage, value func(Usage) int64) int64 {
		values := make([]int64, len(of))
		for i, u := range of {
			values[i] = value(u)
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	var errs []error
	anonymous := func(u Usage) int64 { return u.Anonymous }
	if early, late := median(r.Samples[:half], anonymous), median(r.Samples[half:], anonymous); late > early+early/4+2*mib {
		errs = append(errs, fmt.Errorf("anonymous memory grew from %d to %d KiB", early>>10, late>>10))
	}
	if r.End.Descriptors > r.Start.Descriptors+10 {
		errs = append(errs, fmt.Errorf("descriptors grew from %d to %d", r.Start.Descriptors, r.End.Descriptors))
	}
	if r.Goroutines[1] > r.Goroutines[0]+10 { // each idle connection to a gateway has two
		errs = append(errs, fmt.Errorf("goroutines grew from %d to %d", r.Goroutines[0], r.Goroutines[1]))
	}
	middle := r.Samples[half]
	first, second := middle.Database-r.Start.Database, r.End.Database-middle.Database
	if second > first+first/2+16*mib { // bbolt allocates in steps of up to 16 MiB
		errs = append(errs, fmt.Errorf("the database grew by %d KiB in the first half and %d in the second", first>>10, second>>10))
	}
	return errors.Join(errs...)
}
