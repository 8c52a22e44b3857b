package terminal_test

import (
	"fmt"
	"testing"
	"time"

	"payscand/payment"
	"payscand/terminal"
)

// watchedSale makes a sale that is over after some attempts that the wallet
// refused for a reason that no page lists, so that each is watched.
func (w *world) watchedSale(attempts int) {
	w.t.Helper()
	s := w.mustCreate(terminal.NewSale{Separate: true})
	for range attempts {
		w.turn(terminal.Post{Sale: s.ID, Text: payment.NewCode(fmt.Sprintf("28%016d", w.ids))})
		w.answer(w.call(payment.CallPay), payment.Verdict{Class: payment.ClassFailed, Reason: payment.ReasonDeclined})
	}
	w.turn(terminal.Command{Sale: s.ID, Event: payment.CancelRequested{}})
	if s = w.sale(s.ID); s.Status != payment.SaleCancelled || s.Attempts[attempts-1].Watch == nil {
		w.t.Fatalf("the sale is %s, its last attempt %+v", s.Status, s.Attempts[attempts-1])
	}
}

// P10: of a sale whose many attempts are due at once no more questions start than
// the slots allow that are not the live sale's; the rest follows as answers come.
func TestSlotsBoundOneSalesQuestions(t *testing.T) {
	w := newWorld(t)
	const attempts = 7
	w.watchedSale(attempts)
	w.pass(w.policy.Watch[0] + time.Second)
	for asked := range attempts {
		if under, want := w.calls(payment.CallLookup), min(w.policy.Slots-1, attempts-asked); under != want {
			t.Fatalf("%d questions are under way after %d answers, want %d", under, asked, want)
		}
		w.answer(w.call(payment.CallLookup), payment.Verdict{Class: payment.ClassNotFound})
		w.pass(time.Second)
	}
}

// P10: refunds that the register asks for wait for a slot as well, in whatever
// turn they come, and none is lost.
func TestSlotsBoundRefunds(t *testing.T) {
	w := newWorld(t)
	const sales = 7
	var inputs []terminal.Input
	for i := range sales {
		s := w.paidSale(fmt.Sprintf("2812345678901234%02d", i))
		n := terminal.NewRefund{Key: fmt.Sprintf("r%d", i), Digest: "d"}
		inputs = append(inputs, terminal.Refund{Sale: s.ID, Request: n})
	}
	for i, reply := range w.turn(inputs...) {
		if reply.Err != nil {
			t.Errorf("refund %d: %v", i, reply.Err)
		}
	}
	for done := range sales {
		if under, want := w.calls(payment.CallRefund), min(w.policy.Slots-1, sales-done); under != want {
			t.Fatalf("%d refunds are under way after %d, want %d", under, done, want)
		}
		c := w.call(payment.CallRefund)
		w.answer(c, w.refunded(w.sale(c.Sale)))
		w.pass(time.Second)
	}
}

// M12: watches that a clock which was set back left years away are asked about
// after the restart as the policy says, however many they are.
func TestFarWatchesAreTakenUp(t *testing.T) {
	w := newWorld(t)
	const sales = 300 // more than a page
	for range sales {
		w.watchedSale(1)
	}
	w.now = w.now.AddDate(-2, 0, 0)
	w.restart()
	w.answerProbe(payment.Verdict{Class: payment.ClassNotFound})
	asked := map[string]bool{}
	for _, c := range w.passAnswering(w.policy.Watch[0]+3*time.Minute, payment.Verdict{Class: payment.ClassNotFound}) {
		if c.Kind == payment.CallLookup {
			asked[c.Sale] = true
		}
	}
	if len(asked) != sales {
		t.Errorf("%d of %d watched sales were asked about", len(asked), sales)
	}
}

// A start asks nothing before every open sale is taken up: a call that a page of them
// began would be taken for one that was under way before, and its answer be lost.
func TestStartTakesAllUpBeforeItAsks(t *testing.T) {
	w := newWorld(t)
	var sales []payment.Sale
	for i := range 260 { // more than a page
		s := w.mustCreate(terminal.NewSale{Separate: true})
		w.scan(fmt.Sprintf("2812345678901%05d", i))
		w.answer(w.call(payment.CallPay), w.paid(s))
		sales = append(sales, s)
	}
	last := sales[len(sales)-1]
	for _, s := range append(sales[:w.policy.Slots-1:w.policy.Slots-1], last) { // the last one waits for a slot
		w.refund(s.ID, terminal.NewRefund{Key: s.ID, Digest: "d", Amount: 1})
	}
	w.now = w.now.Add(time.Second)
	for _, s := range sales[w.policy.Slots-1 : len(sales)-1] {
		w.refund(s.ID, terminal.NewRefund{Key: s.ID, Digest: "d", Amount: 1})
	}
	w.restart()
	for _, c := range w.started {
		if c.Sale == last.ID {
			r := w.sale(last.ID).Refunds[0]
			w.answer(c, payment.Verdict{Class: payment.ClassRefunded, RequestID: r.RequestID, RefundID: "R", Amount: r.Amount})
		}
	}
	if r := w.sale(last.ID).Refunds[0]; r.Doubted || r.Status != payment.RefundSucceeded {
		t.Errorf("the refund is %s, doubted %v, next %s", r.Status, r.Doubted, r.Next)
	}
}
