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
	"strconv"
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
	commits int
	size    int
}

func (a tillArguments) command() []string {
	return []string{"till", a.path, strconv.FormatUint(a.seed, 10), strconv.Itoa(a.commits), strconv.Itoa(a.size)}
}

func parseTill(arguments []string) (a tillArguments, err error) {
	if len(arguments) != 4 {
		return a, errors.New("till: want a path, a seed, a number of commits and a size")
	}
	var errs [3]error
	a.path = arguments[0]
	a.seed, errs[0] = strconv.ParseUint(arguments[1], 10, 64)
	a.commits, errs[1] = strconv.Atoi(arguments[2])
	a.size, errs[2] = strconv.Atoi(arguments[3])
	return a, errors.Join(errs[:]...)
}

func (a tillArguments) run(out io.Writer) error {
	db, err := store.Open(a.path)
	if err != nil {
		return err
	}
	_, epoch := db.Head()
	fmt.Fprintf(out, "epoch %s\n", epoch)
	day := newTillDay(a.seed, a.size)
	for n := range a.commits {
		if err := db.Commit(day.commit()); err != nil {
			return errors.Join(err, db.Close())
		}
		fmt.Fprintf(out, "ack %d\n", n+1)
	}
	return db.Close()
}

// RecordTill records a day on a store that does not exist before. With lying,
// fdatasync does nothing and says that it did: the control.
func RecordTill(ctx context.Context, dir string, commits, size int, lying bool) (crash.Run, error) {
	const seed = 1
	run := crash.Run{Dir: dir, Prefix: database, Skip: []string{".reserve"}}
	a := tillArguments{path: filepath.Join(dir, database), seed: seed, commits: commits, size: size}
	t := trace{dir: dir, record: dir + ".ops"}
	if lying {
		t.faults = []string{"fdatasync:1-:OK"}
	}
	if err := t.run(ctx, a.command()); err != nil {
		return run, err
	}
	var err error
	run.Ops, err = t.load()
	states := statesOf(a)
	run.Judge = func() crash.Judge { return &tillJudge{states: states, known: make(folds)} }
	return run, errors.Join(err, os.Remove(t.record))
}

// statesOf are the sums of the sales after each commit, the first for none.
func statesOf(a tillArguments) [][sha256.Size]byte {
	day := newTillDay(a.seed, a.size)
	sales := make(map[string][sha256.Size]byte)
	states := make([][sha256.Size]byte, 1, a.commits+1)
	sum := states[0]
	for range a.commits {
		for _, c := range day.commit() {
			if id := c.After.ID; id != "" {
				xor(&sum, sales[id])
				sales[id] = sumOf(c.After)
				xor(&sum, sales[id])
			}
		}
		states = append(states, sum)
	}
	return states
}

// tillJudge: the database opens, holds exactly the state after one of the
// commits, and none before the last that was acknowledged; it can be written to.
type tillJudge struct {
	states [][sha256.Size]byte
	epoch  string
	acked  int
	checks int
	known  folds
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
	j.checks++
	db, err := store.Open(filepath.Join(dir, database))
	if err != nil {
		return err
	}
	err = j.check(db)
	if err == nil && j.checks%goOnEvery == 0 {
		err = goOn(db, j.known)
	}
	return errors.Join(err, db.Close())
}

func (j *tillJudge) check(db *store.DB) error {
	c, err := readWhole(db, j.known)
	switch {
	case err != nil:
		return err
	case j.epoch != "" && c.epoch != j.epoch:
		return errors.New("the journal is another one than was acknowledged: the database was forgotten")
	case !slices.Contains(j.states[j.acked:], c.sum):
		return fmt.Errorf("it holds %d sales in a state that is not one after commit %d or later", len(c.sales), j.acked)
	}
	return nil
}

// goOnEvery: so many states are only read for one that is also written to.
const goOnEvery = 16

// goOn commits to a database that survived.
func goOn(db *store.DB, known folds) error {
	before, _ := db.Head()
	till := storetest.NewTill()
	till.Wait(365 * 24 * time.Hour)
	if err := db.Commit([]payment.Change{till.Created(), till.ScanRefused()}); err != nil {
		return fmt.Errorf("it cannot be written to: %w", err)
	}
	c, err := readWhole(db, known)
	if err == nil && uint64(len(c.chain)) != before+2 {
		err = fmt.Errorf("2 records were added to %d, and it has %d", before, len(c.chain))
	}
	return err
}
