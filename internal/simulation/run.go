package simulation

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// journalEvery: in one seed of so many the journal is read by a register, and
// verified. It costs more than the rest of the run.
const journalEvery = 8

// Run plays one seed. The error is a *Violation, and the run's result is worth
// nothing then.
func Run(seed uint64) (Result, error) {
	w := newWorld(newDecider(seed))
	if seed%journalEvery == 0 {
		w.oracle.stream = newRegister(w)
	}
	w.run()
	w.result.Seeds = 1
	if w.broken != nil {
		return w.result, &Violation{Seed: seed, Err: w.broken}
	}
	return w.result, nil
}

// Violation says that a seed found a defect.
type Violation struct {
	Seed uint64
	Err  error
}

func (v *Violation) Error() string { return fmt.Sprintf("seed %d: %v", v.Seed, v.Err) }

// Unwrap returns what was violated.
func (v *Violation) Unwrap() error { return v.Err }

// Tell plays a seed as a story. err is what was violated, if anything was.
func Tell(seed uint64) (text string, decisions Schedule, err error) {
	return tell(newDecider(seed))
}

// Replay plays a schedule as a story.
func Replay(s Schedule) (text string, err error) {
	text, _, err = tell(newScriptedDecider(s))
	return text, err
}

func tell(d *decider) (text string, decisions Schedule, err error) {
	d.recording = true
	w := newWorld(d)
	w.story = &story{}
	w.oracle.stream = newRegister(w)
	w.run()
	return w.story.String(), d.made, w.broken
}

// Fingerprint hashes the whole story of a seed: the same seed and commit give
// the same one.
func Fingerprint(seed uint64) string {
	text, decisions, err := Tell(seed)
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%v", text, decisions, err))
	return hex.EncodeToString(sum[:])
}
