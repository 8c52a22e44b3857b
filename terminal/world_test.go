package terminal_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"payscand/device"
	"payscand/payment"
	"payscand/store/memory"
	"payscand/terminal"
)

// world is an engine on a clock of its own, with a store in memory and an
// executor that only writes down what it is asked to do.
type world struct {
	t      *testing.T
	now    time.Time
	policy payment.Policy
	store  *recordingStore
	engine *terminal.Engine

	composed error // what Compose returns
	started  []payment.Call
	wake     time.Time
	arming   uint64
	ids      int
}

const gatewayName = "alphapay"

func newWorld(t *testing.T) *world {
	policy := payment.DefaultPolicy()
	policy.Routes = []payment.Route{{Wallet: "*", Instrument: "*", Gateway: gatewayName}}
	policy.Gateways = map[string]payment.Traits{gatewayName: {
		TransactionList: true, MaxAmount: 9_999_999, Currencies: []payment.Currency{"CAD"},
	}}
	w := &world{
		t: t, now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), policy: policy,
		store: &recordingStore{Store: memory.New("test")},
	}
	w.store.world = w
	w.restart()
	w.turn()
	w.answerProbe(payment.Verdict{Class: payment.ClassNotFound})
	return w
}

// restart begins a new engine on what the store holds.
func (w *world) restart() {
	w.engine = terminal.NewEngine(w.store, w, terminal.Options{Policy: w.policy, Rules: payment.DefaultCodeRules(), Scanners: 1})
	w.started = nil
	for after := ""; ; {
		reply := w.turn(terminal.Recover{After: after})[0]
		if after = reply.More; after == "" {
			return
		}
	}
}

func (w *world) turn(inputs ...terminal.Input) []terminal.Reply {
	w.t.Helper()
	result, err := w.engine.Turn(w.now, inputs)
	if err != nil {
		w.t.Fatalf("turn: %v", err)
	}
	w.wake, w.arming = result.Wake, result.Arming
	if !w.wake.IsZero() && w.wake.Before(w.now.Add(-time.Hour)) {
		w.t.Fatalf("the engine wants to be woken at %v, long before now", w.wake)
	}
	return result.Replies
}

// pass lets time go by, turning whenever the engine wants to.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	until := w.now.Add(d)
	for turns := 0; ; turns++ {
		if w.wake.IsZero() || w.wake.After(until) {
			w.now = until
			w.turn()
			return
		}
		if w.wake.After(w.now) {
			w.now = w.wake
			turns = 0
		} else if turns > 200 {
			w.t.Fatalf("the engine turns for ever at %v", w.now)
		}
		w.turn()
	}
}

func (w *world) create(n terminal.NewSale) (payment.Sale, *terminal.Error) {
	w.t.Helper()
	w.ids++
	if n.Key == "" {
		n.Key = fmt.Sprintf("key-%d", w.ids)
	}
	if n.Amount.Amount == 0 {
		n.Amount = payment.Money{Amount: 1000 + int64(w.ids), Currency: "CAD"}
	}
	if n.Mode == "" {
		n.Mode = payment.ModeScan
	}
	reply := w.turn(terminal.Create{ID: fmt.Sprintf("01M80DNPN8TGAS1PYN6FB3%04d", w.ids), Sale: n})[0]
	return reply.Sale, refusalOf(reply)
}

func (w *world) mustCreate(n terminal.NewSale) payment.Sale {
	w.t.Helper()
	s, refused := w.create(n)
	if refused != nil {
		w.t.Fatalf("create: %v", refused)
	}
	return s
}

func refusalOf(r terminal.Reply) *terminal.Error {
	var refused *terminal.Error
	errors.As(r.Err, &refused)
	return refused
}

func (w *world) scan(text string) { w.scanAs(text, w.arming) }

func (w *world) scanAs(text string, token uint64) {
	w.t.Helper()
	w.turn(terminal.Scanned{Scan: device.Scan{Text: text, Device: "serial:/dev/test", At: w.now, Arming: token}})
}

func (w *world) sale(id string) payment.Sale {
	w.t.Helper()
	s, err := w.store.Sale(id)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// call returns the last call started, and forgets those before it.
func (w *world) call(kind payment.CallKind) payment.Call {
	w.t.Helper()
	for i, c := range slices.Backward(w.started) {
		if c.Kind == kind {
			w.started = append(w.started[:i:i], w.started[i+1:]...)
			return c
		}
	}
	w.t.Fatalf("no %s call was started; started: %v", kind, w.started)
	return payment.Call{}
}

func (w *world) calls(kind payment.CallKind) (n int) {
	for _, c := range w.started {
		if c.Kind == kind {
			n++
		}
	}
	return n
}

func (w *world) answer(c payment.Call, v payment.Verdict) {
	w.t.Helper()
	w.turn(terminal.Answered{Call: c, Verdict: v})
}

func (w *world) answerProbe(v payment.Verdict) {
	w.t.Helper()
	w.answer(w.call(payment.CallProbe), v)
}

// paid is the verdict that proves a sale's last attempt paid.
func (w *world) paid(s payment.Sale) payment.Verdict {
	a := w.sale(s.ID).LiveAttempt()
	return payment.Verdict{Class: payment.ClassPaid, RequestID: a.RequestID, PaymentID: "P-" + a.RequestID, Amount: s.Amount}
}

// silenced makes a scanned sale whose fast phase ends without any answer of its gateway.
func (w *world) silenced(n terminal.NewSale, code string) payment.Sale {
	w.t.Helper()
	s := w.mustCreate(n)
	w.scan(code)
	until := w.now.Add(2 * w.policy.FastPhase)
	for w.sale(s.ID).Status != payment.SaleUnresolved {
		for len(w.started) > 0 {
			c := w.started[0]
			w.started = w.started[1:]
			verdict := payment.Verdict{Class: payment.ClassNoAnswer, Reason: payment.ReasonNoAnswer}
			if c.Kind == payment.CallProbe && c.Gateway != w.sale(s.ID).Gateway() {
				verdict = payment.Verdict{Class: payment.ClassNotFound}
			}
			w.answer(c, verdict)
		}
		w.pass(time.Second)
		if w.now.After(until) {
			w.t.Fatalf("sale still %s", w.sale(s.ID).Status)
		}
	}
	return w.sale(s.ID)
}

func (w *world) records(kind payment.RecordType) (n int) {
	w.t.Helper()
	for after := uint64(0); ; {
		page, err := w.store.Journal(after, 256)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, r := range page {
			after = r.Seq
			if r.Type == kind {
				n++
			}
		}
		if len(page) == 0 {
			return n
		}
	}
}

// The executor.

func (w *world) Compose(_ payment.Sale, a payment.Attempt) (payment.Intent, error) {
	return payment.Intent{Account: "M", URL: "https://gateway.example/pay", Head: `{"id":"` + a.RequestID, Tail: `"}`}, w.composed
}

func (w *world) Prepare(payment.Sale, payment.Call, time.Time) {}

// Start checks M1: what is started is committed already.
func (w *world) Start(c payment.Call) {
	w.started = append(w.started, c)
	if c.Kind == payment.CallProbe {
		return
	}
	if _, err := w.store.Sale(c.Sale); err != nil && c.Kind == payment.CallInquire {
		return // before a refund elsewhere: it moves no money and is not stored
	}
	if c.Refund > 0 {
		if r := w.sale(c.Sale).Refunds[c.Refund-1]; r.Call == nil || r.Call.Seq != c.Seq || r.Call.Kind != c.Kind {
			w.t.Errorf("M1: %v was started, but the store holds %+v", c, r.Call)
		}
		return
	}
	a := w.sale(c.Sale).Attempts[c.Attempt-1]
	if a.Call == nil || a.Call.Seq != c.Seq || a.Call.Kind != c.Kind {
		w.t.Errorf("M1: %v was started, but the store holds %+v", c, a.Call)
	}
	if c.Kind == payment.CallPay && (a.Intent.Head == "" || a.Instrument == payment.InstrumentCode && a.Code.IsZero()) {
		w.t.Errorf("M7: pay %v was started without its stored intent or code", c)
	}
}

// recordingStore can be told to have no room, or to fail.
type recordingStore struct {
	*memory.Store
	world        *world
	full, broken error
	commits      int
}

func (s *recordingStore) CheckRoom() error { return s.full }

func (s *recordingStore) Commit(c []payment.Change) error {
	s.commits++
	if s.broken != nil {
		return s.broken
	}
	return s.Store.Commit(c)
}
