package simulation

import (
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"time"

	"payscand/payment"
	"payscand/terminal"
)

// world is one run: a counter, its machine, its gateways and its people.
type world struct {
	*decider
	policy   payment.Policy
	queue    queue
	now      time.Duration // true time since dayOne
	clock    clock
	disk     *disk
	network  *network
	gateways []*gatewayModel
	oracle   *oracle
	shop     *shop
	healed   bool
	healedAt time.Duration

	// The process.
	engine      *terminal.Engine
	process     int // its number, from 1
	running     bool
	startedAt   time.Duration // it, or its wake-up from a sleep
	asleepUntil time.Duration
	arming      uint64
	inbox       []message
	turnPlanned bool
	wake        int // number of the timer's last setting
	wakeAt      time.Duration
	later       map[string]func(terminal.Reply, bool) // replies that follow
	config      config
	routed      []string // gateways that a sale could use
	leaps       int      // of the terminal's clock, starts among them

	story  *story
	result Result
	broken error
}

// message is an input on its way to the engine. reply is told how it went, or
// that the process died before it could say.
type message struct {
	input terminal.Input
	reply func(r terminal.Reply, answered bool)
}

// horizon ends every run: faults heal long before.
const horizon = 40 * 24 * time.Hour

func newWorld(d *decider) *world {
	w := &world{decider: d, policy: payment.DefaultPolicy()}
	w.oracle = newOracle(w)
	w.disk = newDisk(w)
	w.network = newNetwork(w)
	w.openShop()
	return w
}

// run plays the world to its end. A defect of the product, found by the oracle
// or by a panic, is left in broken.
func (w *world) run() {
	defer func() {
		if problem := recover(); problem != nil {
			w.fail("panic: %v\n%s", problem, debug.Stack())
		}
		w.result.Virtual = w.now
	}()
	w.start()
	w.planTroubles()
	w.shop.open()
	for w.broken == nil {
		e, ok := w.queue.pop()
		if !ok || e.at > horizon {
			break
		}
		w.now = e.at
		e.do()
		if w.healed && w.oracle.settled() {
			break
		}
	}
	if w.broken == nil {
		w.oracle.atTheEnd()
	}
}

// after plans something for later.
func (w *world) after(d time.Duration, do func()) { w.queue.push(w.now+d, do) }

func (w *world) fail(format string, args ...any) {
	if w.broken == nil {
		w.broken = fmt.Errorf(format, args...)
		w.tell("VIOLATION: %v", w.broken)
	}
}

func (w *world) fired(f fault) { w.result.Fired[f]++ }

// rarelyHere is rarely, as long as there is trouble.
func (w *world) rarelyHere(s site, subject, nth int, f fault) bool {
	if w.healed || !w.rarely(s, subject, nth) {
		return false
	}
	w.fired(f)
	return true
}

// start begins a process on what the disk holds.
func (w *world) start() {
	w.process++
	w.leaps++
	w.running, w.startedAt = true, w.now
	w.inbox, w.turnPlanned, w.arming = nil, false, 0
	w.later = map[string]func(terminal.Reply, bool){}
	w.clock.restart()
	for _, g := range w.gateways {
		if g.codec != nil {
			g.codec.restarted()
		}
	}
	w.tell("the daemon starts")
	policy := w.config.of(w)
	w.routed = policy.RoutesFor(payment.ModeAuto)
	w.engine = terminal.NewEngine(w.disk, w.network, terminal.Options{
		Policy: policy, Rules: payment.DefaultCodeRules(), Scanners: 1,
	})
	w.oracle.restarted()
	for after, first := "", true; first || after != ""; first = false {
		w.disk.recovering = true
		replies, alive := w.turn([]message{{input: terminal.Recover{After: after}}})
		w.disk.recovering = false
		if !alive {
			return
		}
		after = replies[0].More
	}
	w.oracle.holdConfig(policy)
	w.shop.restarted()
}

// die ends the process at once: what it had in memory is gone, what it had sent
// goes on its way, and nobody hears the answers.
func (w *world) die(why string) {
	if !w.running {
		return
	}
	w.running, w.arming = false, 0
	w.wake++
	if asleep := w.asleepUntil - w.now; asleep > 0 { // it is off now, not asleep
		w.asleepUntil = w.now
		w.clock.slept -= asleep
	}
	w.network.died()
	lost := w.inbox
	w.inbox = nil
	downtimes := []time.Duration{time.Second, 3 * time.Second, 30 * time.Second, 5 * time.Minute, 2 * time.Hour}
	down := time.Second
	if !w.healed {
		down = downtimes[w.pick(siteDowntime, 0, w.process, []int{8, 8, 4, 2, 1})]
	}
	w.tell("the daemon dies (%s), and is down for %s", why, down)
	w.after(down, w.start)
	for _, m := range lost {
		m.lost()
	}
	for _, id := range slices.Sorted(maps.Keys(w.later)) {
		w.later[id](terminal.Reply{}, false)
	}
	w.later = nil
}

func (m message) lost() {
	if m.reply != nil {
		m.reply(terminal.Reply{}, false)
	}
}

// send brings an input to the engine: with the next turn, together with whatever
// else arrives until then.
func (w *world) send(in terminal.Input, reply func(terminal.Reply, bool)) {
	m := message{in, reply}
	if !w.running {
		m.lost()
		return
	}
	w.inbox = append(w.inbox, m)
	if w.turnPlanned {
		return
	}
	w.turnPlanned = true
	delay := max(0, w.asleepUntil-w.now)
	if w.rarelyHere(siteSlowTurn, 0, w.result.Turns, faultSlowTurn) {
		delay += slowestTurn
	}
	process := w.process
	w.after(delay, func() {
		if w.running && w.process == process {
			w.turnPlanned = false
			batch := w.inbox
			w.inbox = nil
			w.turn(batch)
		}
	})
}

// slowestTurn is how long a commit may take before the next turn begins.
const slowestTurn = 700 * time.Millisecond

// turn runs one turn of the engine, and lets its callers know.
func (w *world) turn(batch []message) (replies []terminal.Reply, alive bool) {
	inputs := make([]terminal.Input, len(batch))
	for i, m := range batch {
		inputs[i] = m.input
		w.network.taken(m.input)
	}
	w.result.Turns++
	now := w.clock.read(w.now)
	result, err := w.engine.Turn(now, inputs)
	if crash := w.disk.takeCrash(); crash != "" || err != nil {
		if crash == "" && w.config.refused(w, err) {
			crash = "its configuration is not possible"
		}
		if crash == "" {
			w.fail("the engine ends the process: %v", err)
		}
		for _, m := range batch {
			if m.reply != nil {
				w.fired(faultReplyLost)
			}
			m.lost()
		}
		w.die(crash)
		return nil, false
	}
	w.arming = result.Arming
	w.oracle.turned(now, inputs, result)
	w.oracle.holdResult(result)
	w.setTimer(now, result.Wake, len(batch))
	for i, m := range batch {
		switch later := result.Replies[i].Later; {
		case later != "":
			w.later[later] = m.reply
		case m.reply != nil:
			m.reply(result.Replies[i], true)
		}
	}
	for _, late := range result.Late {
		reply := w.later[late.Later]
		delete(w.later, late.Later)
		reply(late.Reply, true)
	}
	for _, s := range result.Changed {
		w.shop.changed(s)
	}
	return result.Replies, true
}

// setTimer keeps one timer at the earliest due time. It runs on the monotonic
// clock, as the driver's does.
func (w *world) setTimer(now, wake time.Time, inputs int) {
	w.wake++
	if wake.IsZero() {
		return
	}
	pause := max(0, wake.Sub(now))
	if pause == 0 && inputs == 0 { // the turn took a while: the engine cuts its time to a millisecond, a due time may have a part of one
		pause = time.Millisecond
	}
	w.planWake(pause)
}

func (w *world) planWake(pause time.Duration) {
	number := w.wake
	w.wakeAt = w.now + pause
	w.queue.push(w.wakeAt, func() {
		if w.running && w.wake == number {
			w.oracle.woken()
			w.turn(nil)
		}
	})
}
