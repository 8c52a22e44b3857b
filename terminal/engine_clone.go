package terminal

import (
	"encoding/binary"
	"maps"
	"slices"
	"time"
)

// Clone returns an engine in the same state over another store and executor. It
// is for searches that go on from one state in many ways; the engine must be
// between two turns.
func (e *Engine) Clone(store Store, executor Executor) *Engine {
	c := *e
	c.store, c.executor, c.turn = store, executor, turn{}
	c.unresolved = maps.Clone(e.unresolved)
	c.codes.used = maps.Clone(e.codes.used)
	c.elsewhere = slices.Clone(e.elsewhere)
	c.gateways = make(map[string]*gateway, len(e.gateways))
	c.sorted = make([]*gateway, len(e.sorted))
	for i, g := range e.sorted {
		same := *g
		c.sorted[i], c.gateways[g.name] = &same, &same
	}
	return &c
}

// AppendState appends what the engine knows besides its store, in a form that is
// the same for engines that will go on in the same way. What only the status
// shows is left out.
func (e *Engine) AppendState(b []byte) []byte {
	b = append(b, e.live.ID...)
	b = append(b, flag(e.live.Next != nil), byte(e.scanners), byte(len(e.codes.used)))
	for _, g := range e.sorted {
		b = append(b, g.name...)
		b = append(b, g.state...)
		b = append(b, g.sweepAfter...)
		b = append(b, byte(g.inFlight), flag(g.probe), flag(g.clockRetried), flag(g.sweeping))
		for _, at := range []time.Time{g.probedAt, g.lastAnswer, g.filled} {
			b = binary.LittleEndian.AppendUint64(b, uint64(at.UnixMilli()))
		}
		b = binary.LittleEndian.AppendUint64(b, uint64(g.tokens*1000))
	}
	return b
}

func flag(set bool) byte {
	if set {
		return 1
	}
	return 0
}
