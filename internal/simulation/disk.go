package simulation

import (
	"errors"
	"fmt"

	"payscand/payment"
	"payscand/store"
	"payscand/store/memory"
)

// disk is a store in memory that can crash the process at each commit, as power
// loss does on a disk: a commit is durable whole or not at all, and one that
// fails may be there all the same.
type disk struct {
	*memory.Store
	world      *world
	recovering bool
	crash      string // why the process dies with this turn
	damage     *damage
}

type crashPoint int

const (
	crashNever crashPoint = iota
	crashLost             // before the commit is durable
	crashStuck            // it is durable, and reported as failed
	crashAfter            // it is durable, its calls are started, nobody was told
)

var errPower = errors.New("the machine is gone")

func newDisk(w *world) *disk { return &disk{Store: memory.New("simulation"), world: w} }

// Commit holds the changes against the promises and keeps them, unless this is
// where the process ends.
func (d *disk) Commit(changes []payment.Change) error {
	w := d.world
	w.result.Commits++
	point := crashNever
	if !w.healed && w.rarely(siteCrash, 0, w.result.Commits) {
		point = crashLost + crashPoint(w.pick(siteCrash, 1, w.result.Commits, []int{1, 1, 1}))
		w.fired(faultCrashLost + fault(point-crashLost))
		if d.recovering {
			w.fired(faultCrashInRecovery)
		}
	}
	if point == crashLost {
		d.crash = "before a commit was durable"
		return errPower
	}
	w.oracle.commits(changes)
	if err := d.Store.Commit(changes); err != nil {
		return fmt.Errorf("the store refuses what the engine decided: %w", err)
	}
	switch point {
	case crashStuck:
		d.crash = "a commit that failed but stuck"
		return store.ErrFailed
	case crashAfter:
		d.crash = "after a commit"
	}
	return nil
}

// takeCrash returns why the process dies with this turn, empty when it lives.
func (d *disk) takeCrash() string {
	crash := d.crash
	d.crash = ""
	return crash
}

// CheckRoom now and then finds the disk full.
func (d *disk) CheckRoom() error {
	if d.world.rarelyHere(siteFull, 0, d.world.result.Turns, faultDiskFull) {
		return store.ErrFull
	}
	return nil
}
