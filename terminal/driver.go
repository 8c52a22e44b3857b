package terminal

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"payscand/device"
	"payscand/payment"
)

const (
	maxInputs    = 256             // drained into one turn and one commit
	maxScans     = 64              // waiting to be taken; more are dropped and counted
	stopGrace    = 5 * time.Second // for calls that move money to be answered at a stop
	requestQueue = 64
)

// Config is what a Terminal is made of.
type Config struct {
	Code     string // terminal.code
	Version  string
	Store    DriverStore
	Gateways []payment.Gateway
	Policy   payment.Policy // without gateways: their traits are filled in
	Rules    []payment.CodeRule
	Scanners []device.Scanner
	// Arming is what the scanners stamp their scans with.
	Arming *device.Arming
	Log    *slog.Logger
	// Show is told what the customer is to see, after each commit and before
	// anybody is answered; it must not block. See Result.
	Show func(customer payment.Sale, scene Scene, now time.Time)
	// Retention is how long what is over is kept; 0: for ever.
	Retention time.Duration
	// Ready is called once every open sale was recovered.
	Ready func()
	// Heartbeat is called by the loop itself at least every HeartbeatEvery, so
	// that a watchdog sees a loop that hangs.
	Heartbeat      func()
	HeartbeatEvery time.Duration
}

// DriverStore is the engine's store, read by callers beside the loop too.
type DriverStore interface {
	Store
	// DueGateways are the gateways that the due index has entries of.
	DueGateways() ([]string, error)
	// DiskFree is the room on the store's file system, in bytes.
	DiskFree() (int64, error)
	// Journal returns at most limit records after a sequence number, in order and
	// without gaps. Where some of them were pruned the error wraps payment.ErrNotFound.
	Journal(after uint64, limit int) ([]payment.JournalRecord, error)
	// Head returns the sequence number of the last record that is durable, 0 for
	// none, and the word that tells this journal from any other.
	Head() (seq uint64, epoch string)
	// Prune drops at most limit records of the journal that are older than before,
	// and what is over with them; more: there is more to drop.
	Prune(before time.Time, limit int) (more bool, err error)
	// Sales searches, newest first.
	Sales(payment.SaleQuery) (payment.SalePage, error)
}

// Scene is what the customer is to see besides the sale.
type Scene struct {
	// OutOfOrder: no sale could be taken now.
	OutOfOrder bool
	// DamagedAt is when the last scan for the sale that is armed did not arrive
	// whole; zero: none did. It is no part of the sale: such a scan changes nothing.
	DamagedAt time.Time
}

// Terminal is the loop around the engine, and its only caller.
type Terminal struct {
	config   Config
	engine   *Engine
	calls    *Calls
	watchers watchers
	clock    steadyClock
	started  time.Time
	damaged  struct { // the last damaged scan
		token uint64
		at    time.Time
	}

	requests chan request
	inspect  chan func()
	answers  chan Answered
	scans    chan Input
	scanners chan struct{}
	done     chan struct{}         // closed when Run has returned
	dropped  atomic.Int64          // scans that came faster than they could be taken
	later    map[string]chan Reply // callers whose reply follows; the loop's own
}

type request struct {
	input Input
	reply chan Reply
}

// New returns a terminal that does nothing until Run.
func New(c Config) (*Terminal, error) {
	t := &Terminal{
		config: c, watchers: newWatchers(),
		requests: make(chan request, requestQueue), inspect: make(chan func()), answers: make(chan Answered),
		scans: make(chan Input, maxScans), scanners: make(chan struct{}, 1), done: make(chan struct{}),
		later: make(map[string]chan Reply),
	}
	t.started = t.clock.now()
	o := Options{Policy: c.Policy, Rules: c.Rules, Scanners: len(c.Scanners)}
	if _, err := rand.Read(o.CodeKey[:]); err != nil {
		return nil, fmt.Errorf("random key: %w", err)
	}
	o.Policy.Gateways = make(map[string]payment.Traits)
	for _, g := range c.Gateways {
		traits := g.Traits()
		traits.OrderLife = c.Policy.Scaled(traits.OrderLife)
		o.Policy.Gateways[g.Name()] = traits
	}
	t.calls = NewCalls(c.Gateways, c.Log, func(a Answered) {
		select {
		case t.answers <- a:
		case <-t.done:
		}
	})
	t.engine = NewEngine(c.Store, t.calls, o)
	return t, nil
}

// Run recovers what was open, starts the scanners and runs the loop until ctx
// ends, or until the store fails: then the error says so and the process must
// end, since only the disk knows the truth.
func (t *Terminal) Run(ctx context.Context) error {
	var scanners sync.WaitGroup
	scanning, stopScanning := context.WithCancel(ctx)
	defer func() {
		stopScanning()
		scanners.Wait()
		close(t.done)
		t.calls.Close()
	}()
	if err := t.recoverAll(); err != nil {
		return err
	}
	if err := t.tellAbandoned(); err != nil {
		return err
	}
	for _, s := range t.config.Scanners {
		scanners.Go(func() { s.Run(scanning, sink{t}) })
	}
	if t.config.Ready != nil {
		t.config.Ready()
	}
	return t.loop(ctx)
}

func (t *Terminal) recoverAll() error {
	for after := ""; ; {
		result, err := t.engine.Turn(t.clock.now(), []Input{Recover{After: after}})
		if err != nil {
			return err
		}
		t.publish(result, t.clock.now())
		if after = result.Replies[0].More; after == "" {
			return nil
		}
	}
}

func (t *Terminal) loop(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	beat := time.NewTicker(max(t.config.HeartbeatEvery, time.Second))
	defer beat.Stop()
	if t.config.Heartbeat == nil {
		beat.Stop()
	}
	retention := time.NewTimer(retentionFirst)
	defer retention.Stop()
	stop, grace := ctx.Done(), (<-chan time.Time)(nil)
	for {
		var batch []request
		select {
		case <-stop:
			stop, grace = nil, time.After(stopGrace)
		case <-grace:
			return nil
		case <-beat.C:
			t.config.Heartbeat()
			continue
		case look := <-t.inspect:
			look()
			continue
		case <-retention.C:
			retention.Reset(t.prune())
			continue
		case r := <-t.requests:
			batch = append(batch, r)
		case a := <-t.answers:
			batch = append(batch, request{input: a})
		case s := <-t.scans:
			batch = append(batch, request{input: s})
		case <-t.scanners:
			batch = append(batch, request{input: t.countScanners()})
		case <-timer.C:
		}
		if err := t.turn(t.drain(batch), timer, grace != nil); err != nil {
			return err
		}
		if grace != nil && t.calls.Settled() {
			return nil
		}
	}
}

// drain adds what else is waiting, without waiting for more.
func (t *Terminal) drain(batch []request) []request {
	for len(batch) < maxInputs {
		select {
		case r := <-t.requests:
			batch = append(batch, r)
		case a := <-t.answers:
			batch = append(batch, request{input: a})
		case s := <-t.scans:
			batch = append(batch, request{input: s})
		default:
			return batch
		}
	}
	return batch
}

// turn runs one turn of the engine and tells everybody what it committed.
func (t *Terminal) turn(batch []request, timer *time.Timer, stopping bool) error {
	if stopping {
		batch = refuseRequests(batch)
	}
	inputs := make([]Input, len(batch))
	now := t.clock.now()
	for i, r := range batch {
		inputs[i] = r.input
		switch in := r.input.(type) {
		case Answered:
			t.calls.Taken(in.Call)
		case Damaged:
			t.damaged.token, t.damaged.at = in.Problem.Arming, now
		}
	}
	result, err := t.engine.Turn(now, inputs)
	if err != nil {
		return err
	}
	t.publish(result, now)
	for i, r := range batch {
		switch reply := result.Replies[i]; {
		case r.reply == nil:
		case reply.Later != "":
			t.later[reply.Later] = r.reply
		default:
			r.reply <- reply
		}
	}
	for _, late := range result.Late {
		t.later[late.Later] <- late.Reply
		delete(t.later, late.Later)
	}
	if !result.Wake.IsZero() {
		timer.Reset(max(0, result.Wake.Sub(now)))
	} else {
		timer.Stop()
	}
	return nil
}

// publish lets out what follows from what is committed: who may scan, what the
// customer sees, who is woken.
func (t *Terminal) publish(r Result, now time.Time) {
	t.config.Arming.Arm(r.Arming)
	if t.config.Show != nil {
		scene := Scene{OutOfOrder: r.OutOfOrder}
		if r.Arming != 0 && r.Arming == t.damaged.token {
			scene.DamagedAt = t.damaged.at
		}
		t.config.Show(r.Customer, scene, now)
	}
	t.watchers.tell(r.Changed)
}

// refuseRequests answers callers while the daemon stops; outcomes still count.
func refuseRequests(batch []request) []request {
	kept := batch[:0]
	for _, r := range batch {
		if r.reply != nil {
			r.reply <- Reply{Err: &Error{Code: CodeStopping, Message: "the daemon is stopping: try again in a moment"}}
			continue
		}
		kept = append(kept, r)
	}
	return kept
}

func (t *Terminal) countScanners() ScannersReady {
	ready := 0
	for _, s := range t.config.Scanners {
		if state := s.Status().State; state == device.StateReady || state == device.StateStopped {
			ready++ // one that was not tried yet counts as there
		}
	}
	return ScannersReady{Count: ready}
}

// sink takes what scanners report, from their goroutines; it never blocks.
type sink struct{ t *Terminal }

func (s sink) Scanned(scan device.Scan) { s.offer(Scanned{Scan: scan}) }
func (s sink) Problem(p device.Problem) { s.offer(Damaged{Problem: p}) }

func (s sink) Status(status device.Status) {
	s.t.config.Log.Info("scanner", "device", status.Device, "state", status.State, "detail", status.Detail)
	select {
	case s.t.scanners <- struct{}{}:
	default: // a count is due anyway
	}
}

func (s sink) offer(in Input) {
	select {
	case s.t.scans <- in:
	default:
		s.t.dropped.Add(1)
	}
}

// steadyClock is the wall clock, but it never goes back: after a jump back it
// goes on by elapsed time until the wall clock has caught up or the daemon is
// started again.
type steadyClock struct {
	mu      sync.Mutex
	reading time.Time // of the system, with its monotonic part
	told    time.Time
}

func (c *steadyClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	reading := time.Now()
	wall := reading.Round(0)
	if !c.reading.IsZero() {
		if steady := c.told.Add(reading.Sub(c.reading)); steady.After(wall) {
			wall = steady
		}
	}
	c.reading, c.told = reading, wall
	return wall
}
