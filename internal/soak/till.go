package soak

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"payscand/internal/crash"
	"payscand/payment"
	"payscand/store"
	"payscand/store/storetest"
)

// database is the file's name in a folder of its own.
const database = "payscand.db"

// tillDay is a sequence of commits that a seed decides: sales, steps, groups of
// both, and changes that nobody sees.
type tillDay struct {
	till   *storetest.Till
	random *rand.Rand
	sales  []payment.Sale
	size   int // bytes of padding in each new sale, to make the file grow
}

func newTillDay(seed uint64, size int) *tillDay {
	return &tillDay{till: storetest.NewTill(), random: rand.New(rand.NewPCG(seed, 0)), size: size} //nolint:gosec // repeatable
}

// commit makes the changes of the next commit.
func (d *tillDay) commit() []payment.Change {
	changes := []payment.Change{d.change()}
	for d.random.IntN(4) == 0 { // a group: what several callers brought at once
		changes = append(changes, d.change())
	}
	return changes
}

// describe changes a sale's description, and nothing that anybody sees.
func (d *tillDay) describe(text string) []payment.Change {
	c := d.till.Rescheduled(d.sales[0], time.Minute)
	c.After.Description = text
	d.sales[0] = c.After
	return []payment.Change{c}
}

func (d *tillDay) change() payment.Change {
	switch n := d.random.IntN(10); {
	case n == 0:
		return d.till.ScanRefused()
	case n < 3 || len(d.sales) == 0:
		c := d.till.Created()
		c.After.Description = string(bytes.Repeat([]byte{'x'}, d.size))
		d.sales = append(d.sales, c.After)
		return c
	}
	// The last sales are the ones under way.
	i := max(0, len(d.sales)-1-d.random.IntN(4))
	c := d.step(d.sales[i])
	d.sales[i] = c.After
	return c
}

func (d *tillDay) step(s payment.Sale) payment.Change {
	n := d.random.IntN(4)
	switch live := s.LiveAttempt() != nil; {
	case n == 0 || s.Status.Final():
		return d.till.Rescheduled(s, time.Duration(d.random.IntN(3))*time.Second)
	case live && n == 1:
		return d.till.Wiped(s)
	case live && n == 2:
		return d.till.Failed(s)
	case live:
		return d.till.Paid(s)
	case len(s.Attempts) == 3:
		return d.till.Cancelled(s)
	}
	return d.till.Submitted(s, []string{"alphapay", "alipayplus"}[d.random.IntN(2)], fmt.Sprintf("2812345678901234%02d", d.random.IntN(100)))
}

// tillArguments are those of the program that plays a day on a store, with the
// acknowledgements on its standard output: "epoch e" once the database is open,
// "ack n" for each commit that returned.
type tillArguments struct {
	path    string
	seed    uint64
	done    int // commits that the database holds already
	commits int // of the whole day
	size    int // see tillDay
	balloon int // bytes that the last two of the commits done put into the file and take out again; 0: none
}

func (a tillArguments) command() []string {
	return []string{"till", fmt.Sprintf("%s %d %d %d %d %d", a.path, a.seed, a.done, a.commits, a.size, a.balloon)}
}

func parseTill(arguments []string) (a tillArguments, err error) {
	_, err = fmt.Sscanf(strings.Join(arguments, " "), "%s %d %d %d %d %d", &a.path, &a.seed, &a.done, &a.commits, &a.size, &a.balloon)
	return a, err
}

// each makes the commits of the day, in order; the first is number 1.
func (a tillArguments) each(visit func(n int, changes []payment.Change) error) error {
	day := newTillDay(a.seed, a.size)
	for n := 1; n <= a.commits; n++ {
		var changes []payment.Change
		switch {
		case a.balloon > 0 && n == a.done-1:
			changes = day.describe(strings.Repeat("x", a.balloon))
		case a.balloon > 0 && n == a.done:
			changes = day.describe("")
		default:
			changes = day.commit()
		}
		if err := visit(n, changes); err != nil {
			return fmt.Errorf("commit %d: %w", n, err)
		}
	}
	return nil
}

func (a tillArguments) run(out io.Writer) error {
	db, err := store.Open(a.path)
	if err != nil {
		return err
	}
	_, epoch := db.Head()
	fmt.Fprintf(out, "epoch %s\nack %d\n", epoch, a.done)
	err = a.each(func(n int, changes []payment.Change) error {
		if n <= a.done {
			return nil
		}
		if err := db.Commit(changes); err != nil {
			return err
		}
		fmt.Fprintf(out, "ack %d\n", n)
		return nil
	})
	return errors.Join(err, db.Close())
}

// prepare makes the database that the run finds.
func (a tillArguments) prepare() error {
	db, err := store.Open(a.path)
	if err != nil {
		return err
	}
	err = a.each(func(n int, changes []payment.Change) error {
		if n > a.done {
			return nil
		}
		return db.Commit(changes)
	})
	return errors.Join(err, db.Close())
}

// recordTill records a day on a store in a folder of its own. With lying,
// fdatasync does nothing and says that it did.
func recordTill(ctx context.Context, a tillArguments, lying bool) (crash.Run, error) {
	run, t := storeRun(filepath.Dir(a.path))
	if a.done > 0 {
		if err := a.prepare(); err != nil {
			return run, err
		}
	}
	if lying {
		t.faults = []string{"fdatasync:1-:OK"}
	}
	states := statesOf(a)
	run.Judge = func() crash.Judge { return &tillJudge{states: states, acked: a.done} }
	return run, t.follow(ctx, &run, a.path, a.command())
}

// storeRun is a run on the database of a folder, and what records it.
func storeRun(dir string) (crash.Run, trace) {
	return crash.Run{Dir: dir, Prefix: database, Skip: []string{".reserve"}}, trace{dir: dir, record: dir + ".ops"}
}

// follow runs this program with other arguments, traced, on the database as it is.
func (t trace) follow(ctx context.Context, run *crash.Run, path string, arguments []string) (err error) {
	run.Before = make(map[string][]byte)
	if content, err := os.ReadFile(path); err == nil {
		run.Before[database] = content
	}
	if err := t.run(ctx, arguments); err != nil {
		return err
	}
	run.Ops, err = t.load()
	return errors.Join(err, os.Remove(t.record))
}

// statesOf are the sums of the sales after each commit, the first for none.
func statesOf(a tillArguments) [][sha256.Size]byte {
	sales := make(map[string][sha256.Size]byte)
	states := make([][sha256.Size]byte, 1, a.commits+1)
	sum := states[0]
	_ = a.each(func(_ int, changes []payment.Change) error { // what visits never fails
		for _, c := range changes {
			if id := c.After.ID; id != "" {
				xor(&sum, sales[id])
				sales[id] = sumOf(c.After)
				xor(&sum, sales[id])
			}
		}
		states = append(states, sum)
		return nil
	})
	return states
}

// tillJudge: the database opens, holds exactly the state after one of the
// commits, and none before the last that was acknowledged; it can be written to.
type tillJudge struct {
	states [][sha256.Size]byte
	epoch  string
	acked  int
	checks int
}

func (j *tillJudge) Said(data []byte) {
	for line := range bytes.Lines(data) {
		var n int
		var epoch string
		if got, _ := fmt.Sscanf(string(line), "ack %d", &n); got == 1 {
			j.acked = max(j.acked, n)
		} else if got, _ := fmt.Sscanf(string(line), "epoch %s", &epoch); got == 1 {
			j.epoch = epoch
		}
	}
}

func (j *tillJudge) Check(dir string) error {
	path := filepath.Join(dir, database)
	c, err := opened(path)
	switch {
	case err != nil:
		return err
	case j.epoch != "" && c.epoch != j.epoch:
		return errors.New("the journal is another one than was acknowledged: the database was forgotten")
	case !slices.Contains(j.states[j.acked:], c.sum):
		return fmt.Errorf("it holds %d sales in a state that is not one after commit %d or later", len(c.sales), j.acked)
	}
	if j.checks++; j.checks%goOnEvery == 0 {
		return goOn(path, len(c.chain))
	}
	return nil
}

// opened opens a database as a start does, which may mend it, and reads it.
func opened(path string) (contents, error) {
	db, err := store.Open(path)
	if err != nil {
		return contents{}, err
	}
	if err := db.Close(); err != nil {
		return contents{}, err
	}
	return readWhole(path)
}

// goOnEvery: so many states are only read for one that is also written to.
const goOnEvery = 16

// goOn commits to a database that survived with so many records.
func goOn(path string, records int) error {
	db, err := store.Open(path)
	if err != nil {
		return err
	}
	till := storetest.NewTill()
	till.Wait(365 * 24 * time.Hour)
	if err := db.Commit([]payment.Change{till.Created(), till.ScanRefused()}); err != nil {
		return errors.Join(fmt.Errorf("it cannot be written to: %w", err), db.Close())
	}
	if err := db.Close(); err != nil {
		return err
	}
	c, err := readWhole(path)
	if err == nil && len(c.chain) != records+2 {
		err = fmt.Errorf("2 records were added to %d, and it has %d", records, len(c.chain))
	}
	return err
}
