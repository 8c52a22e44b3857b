package terminal

import (
	"fmt"
	"time"

	"payscand/payment"
)

// maxDueSteps bounds how often one sale may be due in one turn; Step always
// moves Due forward, so that it is never reached.
const maxDueSteps = 16

// runDue gives every due event that its gateway has room for.
func (e *Engine) runDue() error {
	now := e.turn.now
	for range maxDueSteps {
		if e.live.ID == "" || e.live.CounterDue.IsZero() || now.Before(e.live.CounterDue) {
			break
		}
		if _, err := e.step(e.live, payment.Due{}); err != nil {
			return fmt.Errorf("sale %s: due: %w", e.live.ID, err)
		}
	}
	for _, g := range e.sorted {
		if err := e.sweep(g); err != nil {
			return err
		}
		e.askElsewhere(g)
		if err := e.runDueOf(g); err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) runDueOf(g *gateway) error {
	room := e.room(g)
	if room <= 0 || g.state == GatewayDown {
		return nil
	}
	ids, err := e.store.Due(g.name, e.turn.now, room)
	if err != nil {
		return fmt.Errorf("gateway %s: due sales: %w", g.name, err)
	}
	for _, id := range ids {
		s, err := e.sale(id)
		if err != nil {
			return fmt.Errorf("gateway %s: due sale %s: %w", g.name, id, err)
		}
		if room, err = e.serve(g, s, room); err != nil {
			return fmt.Errorf("sale %s: due: %w", id, err)
		}
	}
	return nil
}

// serve starts the calls of a due sale that its gateway has room for, one by one.
// It returns the room that is left.
func (e *Engine) serve(g *gateway, s payment.Sale, room int) (int, error) {
	for room > 0 {
		if at := s.DueAt(g.name); at.IsZero() || e.turn.now.Before(at) {
			break
		}
		before := len(e.turn.calls)
		next, err := e.step(s, payment.Due{Gateway: g.name})
		calls := len(e.turn.calls) - before
		if err != nil || calls == 0 { // it is due for the counter only, or moved on
			return room, err
		}
		g.spend(e.turn.now, calls)
		s, room = next, room-calls
	}
	return room, nil
}

// room is how many calls the resolver may start at a gateway now, with those that
// this turn has decided on already.
func (e *Engine) room(g *gateway) int {
	room := g.room(e.turn.now)
	for _, c := range e.turn.calls {
		if c.Gateway == g.name {
			room--
		}
	}
	for _, w := range e.turn.asks {
		if w.call.Gateway == g.name {
			room--
		}
	}
	return room
}

// wake is the earliest time at which something is due without any input.
func (e *Engine) wake() (time.Time, error) {
	wake := e.live.CounterDue
	sooner := func(at time.Time) { wake = payment.Earlier(wake, at) }
	for _, g := range e.sorted {
		sooner(g.nextProbe(e.probing(g)))
		if g.sweeping {
			sooner(e.turn.now)
		}
		if g.state == GatewayDown || g.inFlight >= g.slots-1 {
			continue // an answer or a probe wakes the engine
		}
		if e.waitsElsewhere(g) {
			sooner(g.tokenAt(e.turn.now))
		}
		next, ok, err := e.store.NextDue(g.name)
		if err != nil {
			return wake, fmt.Errorf("gateway %s: next due: %w", g.name, err)
		}
		if ok {
			if token := g.tokenAt(e.turn.now); next.Before(token) {
				next = token
			}
			sooner(next)
		}
	}
	return wake, nil
}
