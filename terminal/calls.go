package terminal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"payscand/payment"
)

// callBound ends a call that its gateway's own time-outs did not: longer than
// connecting (3 s) and answering (15 s) take together.
const callBound = 20 * time.Second

// searchBound ends a search of the transaction list, which takes many requests.
const searchBound = 2 * time.Minute

func boundOf(k payment.CallKind) time.Duration {
	if k == payment.CallLookup || k == payment.CallLookupRefund {
		return searchBound
	}
	return callBound
}

// Calls is the Executor that asks real gateways, one goroutine a call.
type Calls struct {
	gateways map[string]payment.Gateway
	answered func(Answered)
	log      *slog.Logger

	mu       sync.Mutex
	prepared map[payment.Call]*preparation
	running  map[subject]running
	money    int // pay and cancel calls whose outcome was not taken in yet
	wait     sync.WaitGroup
}

// subject is what a call is about: an attempt, or a refund of it; of a probe it is
// the gateway alone.
type subject struct {
	gateway, sale   string
	attempt, refund int
}

func subjectOf(c payment.Call) subject { return subject{c.Gateway, c.Sale, c.Attempt, c.Refund} }

type running struct {
	call   payment.Call
	cancel context.CancelFunc
}

// preparation is a request being made beside the commit.
type preparation struct {
	done    chan struct{}
	request payment.Request
	err     error
}

// NewCalls returns an Executor that tells each call's outcome to answered, from
// the call's own goroutine.
func NewCalls(gateways []payment.Gateway, log *slog.Logger, answered func(Answered)) *Calls {
	c := &Calls{
		gateways: make(map[string]payment.Gateway), answered: answered, log: log,
		prepared: make(map[payment.Call]*preparation), running: make(map[subject]running),
	}
	for _, g := range gateways {
		c.gateways[g.Name()] = g
	}
	return c
}

// Compose builds a new attempt's pay request without its code.
func (c *Calls) Compose(s payment.Sale, a payment.Attempt) (payment.Intent, error) {
	g, ok := c.gateways[a.Gateway]
	if !ok {
		return payment.Intent{}, fmt.Errorf("sale %s: no gateway is called %q", s.ID, a.Gateway)
	}
	return g.Compose(s, a)
}

// Prepare begins to make the request; it returns at once.
func (c *Calls) Prepare(s payment.Sale, call payment.Call, now time.Time) {
	p := &preparation{done: make(chan struct{})}
	c.mu.Lock()
	c.prepared[call] = p
	c.mu.Unlock()
	go func() {
		defer close(p.done)
		defer func() {
			if recover() != nil { // as in send; nothing has left
				p.err = errors.New("the gateway panicked")
			}
		}()
		p.request, p.err = c.gateways[call.Gateway].Prepare(s, call, now)
	}()
}

// Start sends the prepared request; it returns at once. An inquiry of the same
// attempt that is under way is given up: its outcome is no answer.
func (c *Calls) Start(call payment.Call) {
	ctx, cancel := context.WithTimeout(context.Background(), boundOf(call.Kind))
	key := subjectOf(call)
	c.mu.Lock()
	defer c.mu.Unlock()
	if before, ok := c.running[key]; ok && !moves(before.call) {
		before.cancel()
	}
	c.running[key] = running{call: call, cancel: cancel}
	if moves(call) {
		c.money++
	}
	p := c.prepared[call]
	delete(c.prepared, call)
	c.wait.Go(func() {
		defer cancel()
		verdict := c.send(ctx, call, p)
		c.finished(call)
		c.answered(Answered{Call: call, Verdict: verdict})
	})
}

// moves reports whether the call can move money.
func moves(c payment.Call) bool {
	return c.Kind == payment.CallPay || c.Kind == payment.CallCancel || c.Kind == payment.CallRefund
}

func (c *Calls) send(ctx context.Context, call payment.Call, p *preparation) (v payment.Verdict) {
	defer func() {
		if r := recover(); r != nil { // a gateway's bug must not end the counter's day
			c.log.Error("gateway panicked", "gateway", call.Gateway, "call", call.Kind, "sale", call.Sale)
			v = payment.Verdict{Class: payment.ClassNoAnswer, Reason: payment.ReasonNoAnswer}
		}
	}()
	<-p.done
	if p.err != nil {
		c.log.Error("gateway request not made", "gateway", call.Gateway, "call", call.Kind, "sale", call.Sale, "error", p.err)
		return payment.Verdict{Class: payment.ClassNotSent, Reason: payment.ReasonRequestRefused}
	}
	v = c.gateways[call.Gateway].Send(ctx, p.request)
	if v.Class == payment.ClassNotSent && errors.Is(ctx.Err(), context.Canceled) { // given up while it was connecting: no outage (M14)
		v.Class, v.Reason = payment.ClassNoAnswer, payment.ReasonNoAnswer
	}
	c.log.Debug("gateway answered", "gateway", call.Gateway, "call", call.Kind, "sale", call.Sale, "attempt", call.Attempt,
		"class", v.Class, "reason", v.Reason, "code", v.GatewayCode)
	return v
}

func (c *Calls) finished(call payment.Call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := subjectOf(call)
	if r, ok := c.running[key]; ok && r.call == call {
		delete(c.running, key)
	}
}

// Taken notes that a call's outcome reached the engine.
func (c *Calls) Taken(call payment.Call) {
	if moves(call) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.money--
	}
}

// Settled reports whether the outcome of every call that moves money was taken in.
func (c *Calls) Settled() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.money == 0
}

// Close gives up the calls that are under way and waits for every call's goroutine.
func (c *Calls) Close() {
	c.mu.Lock()
	for _, r := range c.running {
		r.cancel()
	}
	c.mu.Unlock()
	c.wait.Wait()
}
