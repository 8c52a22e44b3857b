package simulation

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"payscand/device"
	"payscand/payment"
	"payscand/store/memory"
	"payscand/terminal"
)

// smallWorld is one sale at a counter whose every next step is chosen from
// outside: a value that can be copied and gone on with in many ways.
type smallWorld struct {
	shape  *smallShape
	now    time.Time
	disk   smallDisk
	engine *terminal.Engine
	wake   time.Time
	arming uint64

	made    []smallFlight // requests that a commit is waited for
	flights []smallFlight // calls under way
	adrift  []smallFlight // requests that may still arrive, though nobody waits for them
	orders  []smallOrder
	shown   []string // QR payloads that were on the screen

	// What may still happen.
	scans, cancels, qrs, checks, crashes int

	trail  *step
	broken error
}

// smallShape is what all worlds of one search share.
type smallShape struct {
	name   string
	traits payment.Traits
	mode   payment.Mode
	second secondSend
	policy payment.Policy
}

// step is what happened last, and before it.
type step struct {
	name   string
	before *step
}

type smallFlight struct {
	call    payment.Call
	attempt payment.Attempt
	refund  payment.Refund
}

type smallOrder struct {
	requestID, paymentID, payload string
	state                         payment.Class
	closesAt                      time.Time
	reversed                      bool
	refund                        string // the request id under which it was given back
}

// smallDisk is the store of a small world: with the crash that the next commit meets.
type smallDisk struct {
	*memory.Store
	world *smallWorld
	crash crashPoint
}

const (
	smallSale  = "01JNB6Z7Y0C0VNTERSA1E00001"
	smallName  = "gateway"
	smallLife  = 40 * time.Second // of an unpaid order
	smallCodes = 2                // scans
)

var smallSum = payment.Money{Amount: 1000, Currency: "CAD"}

// smallPolicy has the same phases as the real one, each of a few questions.
func smallPolicy(traits payment.Traits) payment.Policy {
	const s = time.Second
	p := payment.DefaultPolicy()
	p.ScanWindow, p.SaleDeadline, p.FastPhase = 8*s, 60*s, 6*s
	p.CodeInquiries = []time.Duration{3 * s}
	p.Resends = []time.Duration{2 * s, 4 * s}
	p.CancelRetries = []time.Duration{2 * s}
	p.CancelBound, p.SwitchBound = 4*s, 3*s
	p.QRFast, p.QRSlow, p.QRFastFor, p.QRMargin, p.QRLife, p.QRRetry = 15*s, 15*s, 15*s, 5*s, smallLife, 2*s
	p.PaidLookups, p.Lookups = 5*s, []time.Duration{20 * s, 50 * s}
	p.Slow, p.SlowHourly, p.SlowDaily = []time.Duration{10 * s}, 60*s, 200*s
	p.ProbePause, p.DownProbePause = 24*time.Hour, 5*s
	p.Routes = []payment.Route{{Gateway: smallName}}
	p.Gateways = map[string]payment.Traits{smallName: traits}
	return p
}

// newSmallWorld opens the sale.
func newSmallWorld(shape *smallShape) *smallWorld {
	w := &smallWorld{shape: shape, now: dayOne, scans: smallCodes, cancels: 1, qrs: 1, checks: 1, crashes: 1}
	w.disk = smallDisk{Store: memory.New("small"), world: w}
	w.boot()
	wish := terminal.NewSale{Key: "key", Digest: "digest", Amount: smallSum, Mode: shape.mode}
	w.turn(terminal.Create{ID: smallSale, Sale: wish})
	return w
}

// clone copies the world; what is in it is never written into.
func (w *smallWorld) clone() *smallWorld {
	c := *w
	c.disk = smallDisk{Store: w.disk.Clone(), world: &c}
	c.engine = w.engine.Clone(&c.disk, &c)
	c.flights, c.adrift = slices.Clone(w.flights), slices.Clone(w.adrift)
	c.orders, c.shown = slices.Clone(w.orders), slices.Clone(w.shown)
	return &c
}

func (w *smallWorld) fail(format string, args ...any) {
	if w.broken == nil {
		w.broken = fmt.Errorf(format, args...)
	}
}

func (w *smallWorld) sale() payment.Sale {
	s, err := w.disk.Sale(smallSale)
	if err != nil && !errors.Is(err, payment.ErrNotFound) {
		w.fail("%v", err)
	}
	return s
}

// boot starts a process on what the disk holds.
func (w *smallWorld) boot() {
	w.engine = terminal.NewEngine(&w.disk, w, terminal.Options{Policy: w.shape.policy, Rules: payment.DefaultCodeRules(), Scanners: 1})
	w.turn(terminal.Recover{})
}

// die loses the process: what it has sent may still arrive.
func (w *smallWorld) die() {
	for _, f := range w.flights {
		if moves(f.call.Kind) {
			w.adrift = append(w.adrift, f)
		}
	}
	w.flights, w.made, w.disk.crash = nil, nil, crashNever
	w.crashes--
	w.boot()
}

// turn runs the engine's turn, and those that follow from it at once.
func (w *smallWorld) turn(inputs ...terminal.Input) {
	result, err := w.engine.Turn(w.now, inputs)
	switch {
	case w.disk.crash != crashNever && err != nil:
		w.die()
		return
	case err != nil:
		w.fail("the engine ends the process: %v", err)
		return
	}
	w.wake, w.arming = result.Wake, result.Arming
	s := w.sale()
	if qr := s.VisibleQR(); qr != nil && !slices.Contains(w.shown, qr.Payload) {
		w.shown = append(w.shown, qr.Payload)
	}
	for i, f := range w.flights {
		if f.call.Kind == payment.CallProbe {
			w.flights = slices.Delete(w.flights, i, i+1)
			w.turn(terminal.Answered{Call: f.call, Verdict: notFound})
			return
		}
	}
}

// Commit keeps the changes, or loses the process on the way.
func (d *smallDisk) Commit(changes []payment.Change) error {
	if d.crash == crashLost {
		return errPower
	}
	for _, c := range changes {
		if c.After.ID != "" {
			d.world.hold(c.Before, c.After)
		}
	}
	if err := d.Store.Commit(changes); err != nil {
		return err
	}
	if d.crash == crashStuck {
		return errPower
	}
	return nil
}

// Compose, Prepare and Start are the executor: nothing moves by itself.
func (w *smallWorld) Compose(_ payment.Sale, a payment.Attempt) (payment.Intent, error) {
	intent := payment.Intent{Head: `{"id":"` + a.RequestID}
	if a.Instrument == payment.InstrumentCode {
		intent.Tail = `"}`
	}
	return intent, nil
}

// Prepare keeps the attempt as the request is made from it.
func (w *smallWorld) Prepare(s payment.Sale, c payment.Call, _ time.Time) {
	w.made = append(w.made, smallFlight{call: c, attempt: attemptOf(s, c), refund: refundOf(s, c)})
}

// Start holds P1: what leaves is on the disk. An inquiry of the same attempt is
// given up.
func (w *smallWorld) Start(c payment.Call) {
	w.flights = append(w.flights, w.made[0]) // they start in the order in which they were made
	w.made = w.made[1:]
	if c.Kind == payment.CallProbe {
		return
	}
	s := w.sale()
	if len(s.Attempts) < c.Attempt {
		w.fail("P1: %s leaves, and the disk knows nothing of it", c.Kind)
		return
	}
	a := s.Attempts[c.Attempt-1]
	intent := a.Call
	if c.Refund > 0 {
		intent = refundOf(s, c).Call
	}
	if intent == nil || intent.Seq != c.Seq || intent.Kind != c.Kind {
		w.fail("P1: %s leaves, and the disk has another intent", c.Kind)
	}
	if c.Kind == payment.CallPay && (a.Intent.Head == "" || a.Intent.FillsCode() && a.Code.IsZero()) {
		w.fail("P1: pay leaves without its stored request or code")
	}
	for i, f := range w.flights {
		if f.call.Attempt != c.Attempt || f.call.Refund != c.Refund || f.call.Seq == c.Seq {
			continue
		}
		if moves(f.call.Kind) {
			w.fail("P2: %s leaves while %s is under way", c.Kind, f.call.Kind)
		}
		w.flights = slices.Delete(w.flights, i, i+1) // its silence, which nobody listens to, is left out
		return
	}
}

// pass lets time go to the engine's next due time.
func (w *smallWorld) pass() {
	if w.wake.After(w.now) {
		w.now = w.wake
	}
	for i := range w.orders {
		if o := &w.orders[i]; o.state == payment.ClassPending && !w.now.Before(o.closesAt) {
			o.state = payment.ClassClosed
		}
	}
	w.turn()
}

func (w *smallWorld) scan() {
	w.scans--
	code := paymentCode(0, w.scans)
	w.turn(terminal.Scanned{Scan: device.Scan{Text: code, Device: scannerName, At: w.now, Arming: w.arming}})
}

func (w *smallWorld) command(e payment.Event) { w.turn(terminal.Command{Sale: smallSale, Event: e}) }
