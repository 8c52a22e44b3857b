package simulation

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"time"

	"payscand/payment"
)

// Exploration is what a search through small worlds found.
type Exploration struct {
	Depth  int // events, every interleaving of which was tried
	States int // different ones
	Steps  int // events that were tried; most are a turn of the engine, some several
	Healed int // states from which the end was seen to come
	Shapes []Explored
}

// Explored is what was found in the worlds of one shape: a kind of gateway, and a
// kind of sale.
type Explored struct {
	Name          string
	States, Steps int
}

// Explore goes through all interleavings of one sale with up to depth events:
// answers of every kind, losses, late arrivals, the customer's payment, the
// passing of time, scans, the cashier, and one crash at any commit, beginning
// with a new sale and with one that silence left unresolved. From every
// state that is met at the last depth the trouble ends, and the sale must become
// final or be excused. It returns an error with the whole story of the first
// violation, or ctx's error.
func Explore(ctx context.Context, depth int) (Exploration, error) {
	return explore(depth, func() bool { return ctx.Err() != nil }, ctx.Err)
}

// explore goes on until stopped, and then returns why it was.
func explore(depth int, stopped func() bool, why func() error) (Exploration, error) {
	total := Exploration{Depth: depth}
	for _, shape := range smallShapes() {
		s := &search{stopped: stopped, seed: maphash.MakeSeed(), visited: make(map[uint64]int8)}
		s.visit(newSmallWorld(shape), depth)
		if s.found == nil {
			s.visit(newSmallWorld(shape).silenced(), depth)
		}
		total.States += len(s.visited)
		total.Steps += s.steps
		total.Healed += s.healed
		total.Shapes = append(total.Shapes, Explored{shape.name, len(s.visited), s.steps})
		if s.found != nil {
			return total, fmt.Errorf("%s: %w", shape.name, s.found)
		}
		if stopped() {
			return total, why()
		}
	}
	return total, nil
}

func smallShapes() []*smallShape {
	alphaPay, alipay := payment.Traits{TransactionList: true}, alipay
	shapes := []*smallShape{
		{name: "AlphaPay, a second send makes a second order", traits: alphaPay, mode: payment.ModeScan, second: secondSendOrders},
		{name: "AlphaPay, a second send is refused", traits: alphaPay, mode: payment.ModeScan, second: secondSendRefused},
		{name: "AlphaPay, a second send is known again, QR", traits: alphaPay, mode: payment.ModeAuto, second: secondSendKnown},
		{name: "Alipay+", traits: alipay, mode: payment.ModeScan},
		{name: "Alipay+, QR", traits: alipay, mode: payment.ModeAuto},
	}
	for _, s := range shapes {
		s.policy = smallPolicy(s.traits)
	}
	return shapes
}

// search is a depth-first search that goes on from each state once, or again
// where it is met with more events to go.
type search struct {
	stopped func() bool
	seed    maphash.Seed
	visited map[uint64]int8 // state → events that were left
	steps   int
	healed  int
	found   error
}

func (s *search) visit(w *smallWorld, left int) {
	key := w.key(s.seed)
	if before, seen := s.visited[key]; seen && int(before) >= left {
		return
	}
	s.visited[key] = int8(left)
	if left == 0 {
		s.healed++
		s.heal(w.clone())
		return
	}
	if s.steps%1024 == 0 && s.stopped() {
		return
	}
	for _, a := range w.actions() {
		next := w.clone()
		next.trail = &step{a.name, w.trail}
		next.disk.crash = a.crash
		a.do(next)
		next.disk.crash = crashNever
		s.steps++
		if next.broken != nil {
			s.found = fmt.Errorf("%w\n%s", next.broken, next.trail)
			return
		}
		if s.visit(next, left-1); s.found != nil || s.stopped() {
			return
		}
	}
}

// key hashes everything that decides how the world goes on.
func (w *smallWorld) key(seed maphash.Seed) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	sale := w.sale()
	encoded, err := json.Marshal(sale)
	if err != nil {
		w.fail("%v", err)
	}
	h.Write(encoded)
	for _, a := range sale.Attempts {
		fmt.Fprint(&h, a.Code.IsZero())
	}
	h.Write(w.engine.AppendState(nil))
	fmt.Fprint(&h, w.now.UnixMilli(), w.wake.UnixMilli(), w.scans, w.cancels, w.qrs, w.checks, w.crashes, w.shown)
	for _, o := range w.orders {
		fmt.Fprint(&h, o.requestID, o.paymentID, o.state, o.closesAt.UnixMilli(), o.reversed, o.refund)
	}
	for _, flights := range [][]smallFlight{w.flights, w.adrift} {
		fmt.Fprint(&h, "|")
		for _, f := range flights {
			fmt.Fprint(&h, f.call, f.attempt.PaymentID, f.attempt.Sends, f.refund.N)
		}
	}
	return h.Sum64()
}

type action struct {
	name  string
	crash crashPoint
	do    func(*smallWorld)
}

// silenced goes on to an unresolved sale: the customer's order is placed and
// waits, and no answer ever comes back.
func (w *smallWorld) silenced() *smallWorld {
	w.trail = &step{name: "(the order waits, all answers are lost, until the sale is unresolved)"}
	if w.arming != 0 {
		w.scan()
	}
	for range 100 {
		switch {
		case w.sale().Status == payment.SaleUnresolved:
			return w
		case len(w.flights) > 0:
			w.arrives(w.flights[0], smallWaits)
			w.answer(0, silence(payment.ReasonNoAnswer))
		default:
			w.pass()
		}
	}
	w.fail("after silence alone the sale is %s", w.sale().Status)
	return w
}

// actions are all things that can happen next.
func (w *smallWorld) actions() []action {
	var all []action
	turns := func(name string, do func(*smallWorld)) {
		all = append(all, action{name, crashNever, do})
		if w.crashes > 0 {
			all = append(all, action{name + "; crash before the commit", crashLost, do}, action{name + "; crash, the commit stuck", crashStuck, do})
		}
	}
	quiet := func(name string, do func(*smallWorld)) { all = append(all, action{name, crashNever, do}) }
	w.answers(turns)
	w.arrivals(quiet)
	s := w.sale()
	if !w.wake.IsZero() {
		turns("time passes", (*smallWorld).pass)
	}
	if w.scans > 0 && w.arming != 0 {
		turns("scan", (*smallWorld).scan)
	}
	if w.cancels > 0 && !s.Status.Final() {
		turns("cancel", func(w *smallWorld) { w.cancels--; w.command(payment.CancelRequested{}) })
	}
	if w.qrs > 0 && w.shape.mode != payment.ModeScan && s.Status == payment.SaleAwaitingCode {
		turns("QR wanted", func(w *smallWorld) { w.qrs--; w.command(payment.QRRequested{}) })
	}
	if w.checks > 0 && s.Status == payment.SaleUnresolved {
		turns("check", func(w *smallWorld) { w.checks--; w.command(payment.CheckRequested{}) })
	}
	if w.crashes > 0 {
		quiet("power cut", (*smallWorld).die)
	}
	return all
}

// answers are what can become of each call under way.
func (w *smallWorld) answers(turns func(string, func(*smallWorld))) {
	for i, f := range w.flights {
		kind := string(f.call.Kind)
		carried := func(wallet smallWallet, lost bool) func(*smallWorld) {
			return func(w *smallWorld) {
				v := w.arrives(w.flights[i], wallet)
				if lost {
					v = silence(payment.ReasonNoAnswer)
				}
				w.answer(i, v)
			}
		}
		turns(kind+" is answered", carried(smallPays, false))
		turns(kind+" is done, its answer lost", carried(smallPays, true))
		turns(kind+" is lost", func(w *smallWorld) { w.answer(i, silence(payment.ReasonNoAnswer)) })
		turns(kind+" is answered: come back later", func(w *smallWorld) { w.answer(i, busy) })
		switch f.call.Kind {
		case payment.CallPay:
			turns("pay is answered: waiting", carried(smallWaits, false))
			turns("pay waits, its answer lost", carried(smallWaits, true))
			turns("pay is answered: refused", carried(smallRefuses, false))
			turns("pay is not sent", func(w *smallWorld) { w.answer(i, notSent) })
			fallthrough
		case payment.CallCancel:
			turns(kind+" goes adrift", func(w *smallWorld) {
				w.adrift = append(w.adrift, w.flights[i])
				w.answer(i, silence(payment.ReasonNoAnswer))
			})
		}
	}
}

// arrivals are what can happen at the gateway by itself.
func (w *smallWorld) arrivals(quiet func(string, func(*smallWorld))) {
	for i, f := range w.adrift {
		for wallet, name := range []string{"pays", "waits", "refuses"} {
			if f.call.Kind == payment.CallPay || wallet == 0 {
				quiet(string(f.call.Kind)+" arrives late, the wallet "+name, func(w *smallWorld) {
					late := w.adrift[i]
					w.adrift = slices.Delete(w.adrift, i, i+1)
					w.arrives(late, smallWallet(wallet))
				})
			}
		}
	}
	for i, o := range w.orders {
		if w.payable(o) && !w.captured(o.requestID) {
			quiet("the customer pays "+o.paymentID, func(w *smallWorld) { w.orders[i].state = payment.ClassPaid })
			quiet("the customer declines "+o.paymentID, func(w *smallWorld) { w.orders[i].state = payment.ClassFailed })
		}
	}
}

// heal ends all trouble: late requests arrive, every call is answered, time
// passes. The sale must become final within the policy's bound, or be excused.
func (s *search) heal(w *smallWorld) {
	for len(w.adrift) > 0 {
		late := w.adrift[0]
		w.adrift = w.adrift[1:]
		w.arrives(late, smallPays)
	}
	end := w.now.Add(ResolveBound(w.shape.policy, true))
	for range 1000 {
		switch {
		case w.broken != nil:
			s.found = fmt.Errorf("after the trouble ended: %w\n%s", w.broken, w.trail)
			return
		case w.sale().Status.Final() || w.sale().ID == "" || len(w.flights) == 0 && w.excused():
			return
		case len(w.flights) > 0:
			w.answer(0, w.arrives(w.flights[0], smallPays))
			continue
		case w.wake.IsZero() || w.now.After(end):
			s.found = fmt.Errorf("P5: %s and nothing moves it, %s after the trouble ended\n%s", w.sale().Status, w.now.Sub(end)+ResolveBound(w.shape.policy, true), w.trail)
			return
		}
		w.pass()
	}
	s.found = fmt.Errorf("the engine turns for ever\n%s", w.trail)
}

// excused reports whether the sale is unresolved as excuseAbsence says.
func (w *smallWorld) excused() bool {
	sale := w.sale()
	a := sale.LiveAttempt()
	if a == nil || sale.Status != payment.SaleUnresolved || w.captured(a.RequestID) {
		return false
	}
	known := w.known(a.RequestID)
	for _, i := range known {
		if w.orders[i].state == payment.ClassPending {
			return false
		}
	}
	return len(known) == 0 || !w.shape.traits.InquireByRequestID && a.Sends > 1
}

func (t *step) String() string {
	var lines []string
	for ; t != nil; t = t.before {
		lines = append(lines, "  "+t.name)
	}
	slices.Reverse(lines)
	return strings.Join(lines, "\n")
}

// errTimeOver ends a search whose processor time is used up.
var errTimeOver = errors.New("the time for small worlds is over")

// ExploreFor goes deeper as long as the processor time lasts, and returns the
// deepest search that came to its end. The time is one core's, so that the depth
// hangs little on what else the machine does; nothing else of this process may run
// beside it.
func ExploreFor(ctx context.Context, bound time.Duration) (Exploration, error) {
	begin := cpuTime()
	over := func() bool { return ctx.Err() != nil || cpuTime()-begin > bound }
	why := func() error { return cmp.Or(ctx.Err(), errTimeOver) }
	var deepest Exploration
	for depth := 1; ; depth++ {
		e, err := explore(depth, over, why)
		switch {
		case errors.Is(err, errTimeOver) && deepest.Depth > 0:
			return deepest, nil
		case err != nil:
			return e, err
		}
		deepest = e
	}
}
