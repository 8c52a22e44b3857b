package simulation

import (
	"errors"
	"maps"
	"slices"
	"time"

	"payscand/payment"
	"payscand/terminal"
)

// config is how the operator has configured the terminal, from its next start on.
type config int

const (
	configWhole config = iota
	configWithoutFirst
	configWithoutSecond
	configFirstGivenUp // it is kept for refunds, and no route uses it
	configSecondGivenUp
	configRoutesChanged // what went to one gateway goes to the other
)

// of is the policy of a process that starts with this configuration.
func (c config) of(w *world) payment.Policy {
	p := w.policy
	if len(w.gateways) < 2 || c == configWhole {
		return p
	}
	spared := w.gateways[int(c-configWithoutFirst)%2].name // of those that are gone or given up
	p.Routes = slices.Clone(p.Routes)
	for i, r := range p.Routes {
		other := w.gateways[0].name
		if r.Gateway == other {
			other = w.gateways[1].name
		}
		if c == configRoutesChanged || r.Gateway == spared {
			p.Routes[i].Gateway = other
		}
	}
	if c.leavesOut() {
		p.Gateways = maps.Clone(p.Gateways)
		delete(p.Gateways, spared)
	}
	return p
}

// leavesOut reports whether a gateway is not configured at all.
func (c config) leavesOut() bool { return c == configWithoutFirst || c == configWithoutSecond }

// refused reports whether the engine refuses to start without a gateway at which
// business is open (M7). The operator puts it back.
func (c *config) refused(w *world, err error) bool {
	if !c.leavesOut() || !errors.Is(err, terminal.ErrConfiguration) {
		return false
	}
	w.fired(faultConfigRefused)
	w.oracle.holdConfigRefused(w.gateways[*c-configWithoutFirst].name)
	*c = configWhole
	return true
}

// reconfigure lets the operator change the configuration and restart the daemon.
func (w *world) reconfigure(i int) {
	if w.healed || !w.running {
		return
	}
	w.config = configWithoutFirst + config(w.pick(siteReconfigureHow, i, 0, []int{1, 1, 1, 1, 1}))
	switch {
	case w.config.leavesOut():
		w.fired(faultGatewayGone)
	case w.config == configRoutesChanged:
		w.fired(faultRoutesChanged)
	default:
		w.fired(faultGatewayGivenUp)
	}
	w.die("the operator changes the configuration")
}

// move lets the database wake up on another machine, until it is adopted there.
func (w *world) move(i int) {
	if w.healed || !w.running {
		return
	}
	w.fired(faultMoved)
	w.disk.Move(true)
	w.die("it moves to another machine")
	adoptAfter := []time.Duration{time.Minute, 12 * time.Minute, 3 * time.Hour}
	w.after(adoptAfter[w.pick(siteAdopted, i, 0, []int{3, 2, 1})], func() {
		if w.healed || w.disk.Adopted() {
			return
		}
		w.fired(faultAdopted)
		w.disk.Move(false)
		w.die("it was adopted")
	})
}

// putRight undoes, at the end of all trouble, what a restart takes.
func (w *world) putRight() {
	if w.config == configWhole && w.disk.Adopted() {
		return
	}
	w.config = configWhole
	w.disk.Move(false)
	w.die("it is put right")
}
