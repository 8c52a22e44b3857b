package terminal

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"payscand/payment"
)

// Store is what the engine needs of a store. Any error but payment-level
// refusals ends the process: a failed commit may still be on the disk, so the
// truth is read from it after a restart.
type Store interface { //nolint:interfacebloat // all that it needs, and no more
	// Commit makes all changes durable, or returns an error.
	Commit([]payment.Change) error
	// Sale returns a sale, or an error that wraps payment.ErrNotFound.
	Sale(id string) (payment.Sale, error)
	// ByKey returns the sale made with an idempotency key and the digest of its
	// request, or an error that wraps payment.ErrNotFound.
	ByKey(key string) (sale, digest string, err error)
	// ByRequest returns the sale that a request id belongs to, or an error that wraps
	// payment.ErrNotFound.
	ByRequest(requestID string) (sale string, err error)
	// Open pages through the sales that are not final, by id.
	Open(after string, limit int) ([]payment.Sale, error)
	DueIndex
	// Journal pages through the journal, and Head returns its last sequence number.
	Journal(after uint64, limit int) ([]payment.JournalRecord, error)
	Head() (seq uint64, epoch string)
	// Checkpoint is the last record of the journal that retention dropped, by its
	// sequence number and hash.
	Checkpoint() (seq uint64, hash payment.Hash)
	// Adopted reports whether this machine may act on the sales; else it only asks
	// about them.
	Adopted() bool
	// CheckRoom returns an error when there is no room for another sale.
	CheckRoom() error
}

// DueIndex is the store's index of when which gateway is to be asked.
type DueIndex interface {
	// Due returns the ids of a gateway's sales whose time has come, earliest first.
	Due(gateway string, until time.Time, limit int) ([]string, error)
	// DueAfter returns the ids of a gateway's sales that are due later than a time,
	// earliest first.
	DueAfter(gateway string, after time.Time, limit int) ([]string, error)
	// NextDue returns the earliest due time of a gateway's sales.
	NextDue(gateway string) (at time.Time, ok bool, err error)
}

// Executor makes gateway calls. Every started call brings exactly one Answered.
type Executor interface {
	// Compose builds a new attempt's pay request without its code.
	Compose(payment.Sale, payment.Attempt) (payment.Intent, error)
	// Prepare begins to make the request (body, signature) beside the commit.
	// The sale is as it will be committed; a probe comes with none.
	Prepare(payment.Sale, payment.Call, time.Time)
	// Start sends what Prepare made. Where an inquiry of the same attempt is
	// under way it is given up.
	Start(payment.Call)
}

// Options are what an engine is made of.
type Options struct {
	Policy payment.Policy
	Rules  []payment.CodeRule
	// Scanners that are configured: each counts as ready until ScannersReady says otherwise.
	Scanners int
	// CodeKey keys the hashes of submitted codes (M10); random, one per process.
	CodeKey [32]byte
}

// Engine decides everything; see the package comment. It is not safe for
// concurrent use.
type Engine struct {
	store    Store
	executor Executor
	policy   payment.Policy
	rules    []payment.CodeRule

	live       payment.Sale    // zero: none
	customer   payment.Sale    // see Result
	unresolved map[string]twin // by sale id
	gateways   map[string]*gateway
	sorted     []*gateway // by name
	codes      codeMemory
	refused    refusedScans
	scanners   int // ready
	reversals  reversals
	elsewhere  []*elsewhere // refunds that wait for an inquiry, oldest first

	turn turn
}

// turn holds what one Turn has decided and not yet committed.
type turn struct {
	now     time.Time
	sales   map[string]payment.Sale // as changed in this turn
	keys    map[string]string       // idempotency keys of sales made in this turn
	changes []payment.Change
	calls   []payment.Call
	probes  []payment.Call
	asks    []*elsewhere // inquiries to start
	late    []LateReply
	// recovering: not every open sale is taken up yet, so that nothing is asked.
	recovering bool
}

// NewEngine returns an engine that knows nothing yet: give it Recover inputs
// until they say that all is read, before anything else.
func NewEngine(store Store, executor Executor, o Options) *Engine {
	e := &Engine{
		store: store, executor: executor, policy: o.Policy, rules: o.Rules,
		unresolved: make(map[string]twin), gateways: make(map[string]*gateway),
		codes: newCodeMemory(o.CodeKey), scanners: o.Scanners,
	}
	for _, name := range slices.Sorted(maps.Keys(o.Policy.Gateways)) {
		e.gateways[name] = newGateway(name, o.Policy)
		e.sorted = append(e.sorted, e.gateways[name])
	}
	e.policy.InquireOnly = !store.Adopted()
	return e
}

// Result is what a turn brings.
type Result struct {
	// Replies are parallel to the inputs.
	Replies []Reply
	// Wake is when the next Turn is due without any input; zero: never.
	Wake time.Time
	// Changed are the sales whose version rose, as committed.
	Changed []payment.Sale
	// Arming is the token that scans must carry now; 0: nobody is armed.
	Arming uint64
	// Customer is the sale that the customer at the counter sees: the live one,
	// or the last that was, as it was when it stopped being live. Zero: none yet.
	Customer payment.Sale
	// Late are the replies to inputs of earlier turns.
	Late []LateReply
	// OutOfOrder: no gateway takes sales, and none is still being proved.
	OutOfOrder bool
}

// Reply answers one input.
type Reply struct {
	Sale     payment.Sale
	Refund   int // the refund that Refund began
	Replayed bool
	// More is the id to continue Recover after; empty: all is read.
	More string
	// Later is not empty where the reply follows in a Result's Late, by this name.
	Later string
	// Err is an *Error: the input was refused and changed nothing.
	Err error
}

// LateReply answers an input of an earlier turn, that which was given Reply.Later.
type LateReply struct {
	Later string
	Reply Reply
}

// Turn takes inputs in order, commits everything that they and the due times
// change, and starts the calls. An error means that the store failed: end the
// process.
func (e *Engine) Turn(now time.Time, inputs []Input) (Result, error) {
	now = now.UTC().Truncate(time.Millisecond)
	e.turn = turn{now: now, sales: make(map[string]payment.Sale), keys: make(map[string]string)}
	replies := make([]Reply, len(inputs))
	for i, in := range inputs {
		reply, err := e.take(in)
		var refused *Error
		if err != nil && !errors.As(err, &refused) {
			return Result{}, err
		}
		reply.Err = err
		replies[i] = reply
	}
	if !e.turn.recovering {
		if err := e.runDue(); err != nil {
			return Result{}, err
		}
	}
	e.runProbes()
	if err := e.commit(); err != nil {
		return Result{}, err
	}
	wake, err := e.wake()
	return Result{
		Replies: replies, Wake: wake, Changed: e.changed(),
		Arming: e.arming(), Customer: e.shown(), Late: e.turn.late, OutOfOrder: e.outOfOrder(),
	}, err
}

// commit makes the turn's changes durable, then starts its calls (P1, M1).
func (e *Engine) commit() error {
	t := &e.turn
	calls := t.calls[:0]
	for _, c := range t.calls { // one superseded within the turn never starts
		if s := t.sales[c.Sale]; underWay(s, c) {
			e.executor.Prepare(s, c, t.now)
			calls = append(calls, c)
		}
	}
	for _, c := range t.probes {
		e.executor.Prepare(payment.Sale{}, c, t.now)
	}
	for _, w := range t.asks {
		e.executor.Prepare(w.asked, w.call, t.now)
		calls = append(calls, w.call)
	}
	if len(t.changes) > 0 {
		if err := e.store.Commit(t.changes); err != nil {
			return fmt.Errorf("commit %d changes: %w", len(t.changes), err)
		}
	}
	for _, c := range append(calls, t.probes...) {
		e.gateways[c.Gateway].started(c)
		e.executor.Start(c)
	}
	return nil
}

// underWay reports whether the sale still waits for the call's outcome.
func underWay(s payment.Sale, c payment.Call) bool {
	call := s.Attempts[c.Attempt-1].Call
	if c.Refund > 0 {
		call = s.Refunds[c.Refund-1].Call
	}
	return call != nil && call.Seq == c.Seq
}

// changed lists the sales whose version rose, in the order of their last change.
func (e *Engine) changed() []payment.Sale {
	var sales []payment.Sale
	seen := make(map[string]bool)
	for _, c := range slices.Backward(e.turn.changes) {
		if c.Record != nil && c.After.ID != "" && !seen[c.After.ID] {
			seen[c.After.ID] = true
			sales = append(sales, c.After)
		}
	}
	slices.Reverse(sales)
	return sales
}

// sale returns a sale as this turn sees it.
func (e *Engine) sale(id string) (payment.Sale, error) {
	if s, ok := e.turn.sales[id]; ok {
		return s, nil
	}
	if id == e.live.ID {
		return e.live, nil
	}
	s, err := e.store.Sale(id)
	return s, notFound(err, id)
}

// notFound turns a store's "not found" into a refusal.
func notFound(err error, id string) error {
	if errors.Is(err, payment.ErrNotFound) {
		return &Error{Code: CodeNotFound, Message: "there is no sale with this id", Sale: id}
	}
	return err
}

// step lets an event happen to a sale and keeps what follows for the commit.
func (e *Engine) step(s payment.Sale, event payment.Event) (payment.Sale, error) {
	change, calls, err := payment.Step(s, event, e.turn.now, e.policy)
	if err != nil {
		return s, refusal(err)
	}
	if change.After.ID == "" {
		return s, nil
	}
	unsendable := e.compose(change.After, calls)
	e.keep(change, calls)
	if unsendable != nil { // the gateway has no words for this sale: it fails unsent
		return e.step(change.After, *unsendable)
	}
	return change.After, nil
}

// compose fills in the intent of a new attempt (M7). It returns the outcome of
// an attempt that cannot be expressed to its gateway, or whose gateway is known
// not to answer: the customer is told at once, and nothing can be charged (M14).
func (e *Engine) compose(s payment.Sale, calls []payment.Call) *payment.Outcome {
	for _, c := range calls {
		a := &s.Attempts[c.Attempt-1]
		if c.Kind != payment.CallPay || a.Sends > 1 {
			continue
		}
		intent, err := e.executor.Compose(s, *a)
		if err != nil {
			return &payment.Outcome{Attempt: c.Attempt, Seq: c.Seq, Verdict: payment.Verdict{
				Class: payment.ClassRefused, Reason: payment.ReasonRequestRefused,
			}}
		}
		a.Intent = intent
		if e.gateways[c.Gateway].state == GatewayDown {
			return &payment.Outcome{Attempt: c.Attempt, Seq: c.Seq, Verdict: payment.Verdict{
				Class: payment.ClassNotSent, Reason: payment.ReasonGatewayUnreachable,
			}}
		}
	}
	return nil
}

func (e *Engine) keep(change payment.Change, calls []payment.Call) {
	t, s := &e.turn, change.After
	t.sales[s.ID] = s
	t.changes = append(t.changes, change)
	t.calls = append(t.calls, calls...)
	switch {
	case s.Status.Live():
		e.live, e.customer = s, s
	case e.live.ID == s.ID:
		e.live, e.customer = payment.Sale{}, s
	}
	e.reversals.note(change, t.now)
	if s.Status == payment.SaleUnresolved {
		e.unresolved[s.ID] = twinOf(s)
		if change.Before.Status != payment.SaleUnresolved {
			e.fastPhaseEnded(s)
		}
	} else {
		delete(e.unresolved, s.ID)
	}
}

// note adds a record that belongs to no sale.
func (e *Engine) note(kind payment.RecordType, detail map[string]string) {
	maps.DeleteFunc(detail, func(_, v string) bool { return v == "" })
	e.turn.changes = append(e.turn.changes, payment.Change{
		Record: &payment.Record{At: e.turn.now, Type: kind, Detail: detail},
	})
}

// refusal turns Step's refusals into the terminal's.
func refusal(err error) error {
	var conflict *payment.ConflictError
	var route *payment.RouteError
	switch {
	case errors.As(err, &conflict):
		return &Error{Code: CodeConflict, Message: conflict.Error(), Sale: conflict.Sale}
	case errors.As(err, &route):
		return &Error{Code: CodeNoRoute, Message: route.Error()}
	}
	return err
}
