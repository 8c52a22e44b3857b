package terminal_test

import (
	"fmt"
	"testing"
	"time"

	"payscand/payment"
	"payscand/terminal"
)

var comeBack = payment.Verdict{Class: payment.ClassRetryLater, Reason: payment.ReasonGatewayError, Documented: true}

// passAnswering lets time go by, answering every call alike.
func (w *world) passAnswering(d time.Duration, v payment.Verdict) (asked []payment.Call) {
	w.t.Helper()
	answer := func() {
		for len(w.started) > 0 {
			c := w.started[0]
			w.started = w.started[1:]
			asked = append(asked, c)
			w.answer(c, v)
		}
	}
	for until := w.now.Add(d); w.now.Before(until); {
		answer()
		w.pass(min(time.Second, until.Sub(w.now)))
	}
	answer()
	return asked
}

// takeDown lets the probe of an armed terminal go unanswered.
func (w *world) takeDown() {
	w.t.Helper()
	s := w.mustCreate(terminal.NewSale{Separate: true})
	w.pass(w.policy.ProbePause)
	w.answerProbe(noAnswer)
	w.turn(terminal.Command{Sale: s.ID, Event: payment.CancelRequested{}})
}

// M14: a gateway that answered is down once a probe is not answered.
func TestM14SilentProbe(t *testing.T) {
	w := newWorld(t)
	w.takeDown()
	if _, refused := w.create(terminal.NewSale{}); refused == nil || refused.Code != terminal.CodeGatewayDown {
		t.Errorf("a sale after a probe without an answer: %v", refused)
	}
}

// M14: what must be mended at a gateway is told until it is, whatever else an older
// call brings back meanwhile.
func TestM14WhatToMend(t *testing.T) {
	w := newWorld(t)
	w.silenced(terminal.NewSale{}, code1)
	w.bringUp()
	w.pass(2 * time.Second)
	older := w.call(payment.CallLookup)
	w.takeDown()
	w.pass(w.policy.DownProbePause)
	w.answerProbe(payment.Verdict{Class: payment.ClassRefused, Reason: payment.ReasonBadSignature})
	w.answer(older, noAnswer)
	if _, refused := w.create(terminal.NewSale{Separate: true}); refused == nil || refused.Reason != payment.ReasonBadSignature {
		t.Errorf("a new sale is refused with %+v, want %s", refused, payment.ReasonBadSignature)
	}
}

// M14: a gateway that answers is not down because a payment stays unknown.
func TestM14AnswersAreNoOutage(t *testing.T) {
	w := newWorld(t)
	s := w.mustCreate(terminal.NewSale{})
	w.scan(code1)
	for until := w.now.Add(w.policy.FastPhase + time.Second); w.sale(s.ID).Status != payment.SaleUnresolved; {
		if w.now.After(until) {
			t.Fatalf("the sale is %s", w.sale(s.ID).Status)
		}
		w.passAnswering(0, comeBack)
		w.pass(time.Second)
	}
	if _, refused := w.create(terminal.NewSale{Separate: true}); refused != nil {
		t.Errorf("a sale after an answered fast phase: %v", refused)
	}
}

// M14: the first answer after an outage brings forward what was due much later.
func TestM14ReturnHastens(t *testing.T) {
	w := newWorld(t)
	s := w.silenced(terminal.NewSale{}, code1)
	w.bringUp()
	w.passAnswering(3*time.Hour, comeBack)
	if due := w.sale(s.ID).Due; due.Before(w.now.Add(3 * time.Minute)) {
		w.passAnswering(10*time.Minute, comeBack)
	}
	later := w.sale(s.ID).Due
	w.takeDown()
	w.bringUp()
	w.pass(2 * time.Second)
	if !w.now.Before(later) {
		t.Fatalf("the question was due at %v anyway", later)
	}
	if n := w.calls(payment.CallLookup); n != 1 {
		t.Errorf("%d questions when the gateway came back, want 1", n)
	}
}

// M14: after an outage or a start a gateway is asked at most so often as its rate allows.
func TestM14RateIsLimited(t *testing.T) {
	w := newWorld(t)
	const sales = 8
	for i := range sales {
		w.silenced(terminal.NewSale{Separate: true}, fmt.Sprintf("2812345678901234%02d", i))
		w.bringUp()
	}
	w.policy.Burst, w.policy.Rate = 2, 1
	w.restart()
	w.answerProbe(payment.Verdict{Class: payment.ClassNotFound})
	soon := w.passAnswering(2*time.Second, comeBack)
	if len(soon) > 2+2 {
		t.Errorf("%d questions in 2 s, with a burst of 2 and 1 a second", len(soon))
	}
	rest := w.passAnswering(20*time.Second, comeBack)
	asked := make(map[string]bool)
	for _, c := range append(soon, rest...) {
		asked[c.Sale] = true
	}
	if len(asked) != sales {
		t.Errorf("%d of %d sales were asked about", len(asked), sales)
	}
}

// recomposing makes another body each time it is asked.
type recomposing struct {
	*world
	bodies int
}

func (r *recomposing) Compose(payment.Sale, payment.Attempt) (payment.Intent, error) {
	r.bodies++
	return payment.Intent{Account: "M", URL: "https://gateway.example/pay", Head: fmt.Sprint(r.bodies, `"`), Tail: `"`}, nil
}

// M7: a second send has the stored body, though the gateway would make another one now.
func TestM7SecondSendIsNotComposedAnew(t *testing.T) {
	w := newWorld(t)
	w.engine = terminal.NewEngine(w.store, &recomposing{world: w}, terminal.Options{Policy: w.policy, Rules: payment.DefaultCodeRules(), Scanners: 1})
	w.turn(terminal.Recover{})
	w.answerProbe(payment.Verdict{Class: payment.ClassNotFound})
	s := w.mustCreate(terminal.NewSale{})
	w.scan(code1)
	first := w.sale(s.ID).Attempts[0].Intent
	w.answer(w.call(payment.CallPay), noAnswer)
	w.pass(w.policy.Resends[0])
	w.call(payment.CallPay)
	if again := w.sale(s.ID).Attempts[0].Intent; again != first {
		t.Errorf("sent %q first, then %q", first.Head, again.Head)
	}
}

// M6: a cancel that overtakes a scan within one turn takes the pay back: nothing
// was sent, so nothing was charged.
func TestM6CancelBeforeTheSend(t *testing.T) {
	w := newWorld(t)
	s := w.mustCreate(terminal.NewSale{})
	w.turn(terminal.Post{Sale: s.ID, Text: payment.NewCode(code1)}, terminal.Command{Sale: s.ID, Event: payment.CancelRequested{}})
	if n := w.calls(payment.CallPay); n != 0 {
		t.Errorf("%d pay calls were started", n)
	}
	if got := w.sale(s.ID); got.Status != payment.SaleCancelled || got.Attempts[0].Status != payment.AttemptFailed {
		t.Errorf("the sale is %s, its attempt %s", got.Status, got.Attempts[0].Status)
	}
}

// P2: the same refund asked for twice within one turn is one refund.
func TestRefundTwiceInOneTurn(t *testing.T) {
	w := newWorld(t)
	s := w.paidSale(code1)
	n := terminal.NewRefund{Key: "r", Digest: "d", Amount: 100}
	replies := w.turn(terminal.Refund{Sale: s.ID, Request: n}, terminal.Refund{Sale: s.ID, Request: n})
	if replies[0].Err != nil || replies[1].Err != nil || replies[0].Refund != 1 || replies[1].Refund != 1 || !replies[1].Replayed {
		t.Errorf("refund %d (%v), then refund %d (%v), replayed %v",
			replies[0].Refund, replies[0].Err, replies[1].Refund, replies[1].Err, replies[1].Replayed)
	}
	if got := len(w.sale(s.ID).Refunds); got != 1 {
		t.Errorf("%d refunds were begun", got)
	}
}

// M12: reversals are limited without a restart too, and what the limit kept is
// given back a day later.
func TestM12LimitOfOneLife(t *testing.T) {
	w := newWorld(t)
	w.policy.MaxReversalsPerDay = 1
	w.restart()
	w.answerProbe(payment.Verdict{Class: payment.ClassNotFound})
	var sales []payment.Sale
	var proof payment.Verdict
	for _, code := range []string{code1, code2} {
		s := w.silenced(terminal.NewSale{Separate: true}, code)
		w.turn(terminal.Command{Sale: s.ID, Event: payment.CancelRequested{}})
		w.bringUp()
		proof = w.paid(s)
		w.pass(2 * time.Second)
		w.answer(w.call(payment.CallLookup), proof)
		w.answer(w.call(payment.CallInquire), proof)
		if len(sales) == 0 {
			w.answer(w.call(payment.CallRefund), w.refunded(s))
		}
		sales = append(sales, w.sale(s.ID))
	}
	if first, second := len(sales[0].Refunds), len(sales[1].Refunds); first != 1 || second != 0 {
		t.Fatalf("%d and %d reversals, want 1 and 0", first, second)
	}
	w.started = nil
	w.pass(w.policy.SlowDaily + time.Minute)
	w.answer(w.call(payment.CallInquire), proof)
	if got := w.sale(sales[1].ID); len(got.Refunds) != 1 || !got.Refunds[0].Automatic {
		t.Errorf("a day later it is not given back: %+v", got.Attempts[0].Capture)
	}
}

// M14: a contract that does not allow one thing, such as refunds or one wallet, does
// not close the counter to all else; a probe that is refused for it does.
func TestM14NotPermitted(t *testing.T) {
	notPermitted := payment.Verdict{Class: payment.ClassRefused, Reason: payment.ReasonNotPermitted, GatewayCode: "BUSINESS_NOT_SUPPORT", Documented: true}
	w := newWorld(t)
	s := w.paidSale(code1)
	w.refund(s.ID, terminal.NewRefund{Key: "r"})
	w.answer(w.call(payment.CallRefund), notPermitted)
	if got := w.sale(s.ID).Refunds[0]; got.Status != payment.RefundFailed || got.Reason != payment.ReasonNotPermitted {
		t.Errorf("the refund is %+v", got)
	}
	w.mustCreate(terminal.NewSale{})
	w.scan(code2)
	w.answer(w.call(payment.CallPay), notPermitted) // this wallet's
	w.scan("281234567890123499")
	w.call(payment.CallPay) // another wallet's

	w = newWorld(t)
	w.restart()
	w.answerProbe(notPermitted)
	if _, refused := w.create(terminal.NewSale{}); refused == nil || refused.Code != terminal.CodeGatewayMisconfigured {
		t.Errorf("got %v", refused)
	}
}
