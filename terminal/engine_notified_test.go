package terminal_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"payscand/payment"
	"payscand/terminal"
)

// notify lets a gateway send something unasked, and returns its refusal.
func (w *world) notify(n payment.Notification) *terminal.Error {
	w.t.Helper()
	return refusalOf(w.turn(terminal.Notified{Notification: n})[0])
}

// A verified notification pays the sale that its request id names, at the gateway
// that the order is at, and at no other; of any sale but this terminal's it is
// refused, and changes nothing.
func TestNotificationPaysItsSale(t *testing.T) {
	w := newWorld(t)
	s := w.mustCreate(terminal.NewSale{})
	w.scan(code1)
	w.answer(w.call(payment.CallPay), payment.Verdict{Class: payment.ClassPending, RequestID: s.ID + "-1", PaymentID: "P-" + s.ID + "-1", Amount: s.Amount})
	paid := payment.Notification{Gateway: gatewayName, RequestID: s.ID + "-1", Verified: true, Verdict: w.paid(s)}
	for name, change := range map[string]func(*payment.Notification){
		"another gateway":   func(n *payment.Notification) { n.Gateway = "other" },
		"another attempt":   func(n *payment.Notification) { n.RequestID = s.ID + "-2" },
		"another sale":      func(n *payment.Notification) { n.RequestID = "01M80DNPN8TGAS1PYN6FB39999-1" },
		"no number":         func(n *payment.Notification) { n.RequestID = s.ID },
		"nothing":           func(n *payment.Notification) { n.RequestID = "" },
		"something foreign": func(n *payment.Notification) { n.RequestID = "order-17" },
	} {
		n := paid
		change(&n)
		if refused := w.notify(n); refused == nil || refused.Code != terminal.CodeNotFound {
			t.Errorf("%s: %v", name, refused)
		}
		if got := w.sale(s.ID); got.Status != payment.SaleProcessing {
			t.Fatalf("%s: the sale is %s", name, got.Status)
		}
	}
	if refused := w.notify(paid); refused != nil {
		t.Fatal(refused)
	}
	if got := w.sale(s.ID); got.Status != payment.SalePaid {
		t.Errorf("the sale is %s", got.Status)
	}
	if refused := w.notify(paid); refused != nil { // vendors repeat themselves
		t.Error(refused)
	}
}

// One that is not verified is no verdict: it brings the inquiry forward, and no
// sooner than one may come.
func TestUnverifiedNotificationAsks(t *testing.T) {
	w := newWorld(t)
	s := w.mustCreate(terminal.NewSale{})
	w.scan(code1)
	w.answer(w.call(payment.CallPay), payment.Verdict{Class: payment.ClassPending, RequestID: s.ID + "-1", PaymentID: "P-" + s.ID + "-1", Amount: s.Amount})
	w.pass(7 * time.Second)
	for w.calls(payment.CallInquire) > 0 {
		w.answer(w.call(payment.CallInquire), payment.Verdict{Class: payment.ClassPending, RequestID: s.ID + "-1", Amount: s.Amount})
	}
	forged := payment.Notification{Gateway: gatewayName, RequestID: s.ID + "-1", Verdict: w.paid(s)}
	for range 100 {
		if refused := w.notify(forged); refused != nil {
			t.Fatal(refused)
		}
	}
	if got := w.sale(s.ID); got.Status != payment.SaleProcessing {
		t.Errorf("the sale is %s", got.Status)
	}
	w.pass(w.policy.CheckPause)
	if n := w.calls(payment.CallInquire); n != 1 {
		t.Errorf("%d inquiries were started", n)
	}
}

// One about a refund brings the question about it forward.
func TestNotificationOfARefund(t *testing.T) {
	w := newWorld(t)
	s := w.mustCreate(terminal.NewSale{})
	w.scan(code1)
	w.answer(w.call(payment.CallPay), w.paid(s))
	w.turn(terminal.Refund{Sale: s.ID, Request: terminal.NewRefund{Key: "refund", Digest: "d"}})
	w.answer(w.call(payment.CallRefund), payment.Verdict{Class: payment.ClassAccepted, RequestID: s.ID + "-10", RefundID: "R1"})
	for end := w.now.Add(10 * time.Minute); w.now.Before(end); w.pass(time.Second) { // until its questions come minutes apart
		for w.calls(payment.CallInquireRefund) > 0 {
			w.answer(w.call(payment.CallInquireRefund), payment.Verdict{Class: payment.ClassPending, RequestID: s.ID + "-10", RefundID: "R1"})
		}
	}
	if refused := w.notify(payment.Notification{Gateway: "other", RequestID: s.ID + "-10", Verified: true}); refused == nil {
		t.Error("another gateway's is taken")
	}
	w.pass(w.policy.CheckPause)
	if n := w.calls(payment.CallInquireRefund); n != 0 {
		t.Fatalf("%d questions were asked", n)
	}
	if refused := w.notify(payment.Notification{Gateway: gatewayName, RequestID: s.ID + "-10", Verified: true}); refused != nil {
		t.Fatal(refused)
	}
	w.pass(w.policy.CheckPause)
	w.answer(w.call(payment.CallInquireRefund), payment.Verdict{Class: payment.ClassRefunded, RequestID: s.ID + "-10", RefundID: "R1", Amount: s.Amount})
	if got := w.sale(s.ID).Refunds[0].Status; got != payment.RefundSucceeded {
		t.Errorf("the refund is %s", got)
	}
}

// P10: whatever a gateway sends unasked, the second looks that follow keep to its slots.
func TestSlotsBoundNotifiedLateMoney(t *testing.T) {
	w := newWorld(t)
	var told []terminal.Input
	for i := range 3 * w.policy.Slots {
		s := w.silenced(terminal.NewSale{Separate: true}, fmt.Sprintf("2812345678901%05d", i))
		w.turn(terminal.Command{Sale: s.ID, Event: payment.CancelRequested{}})
		w.bringUp()
		told = append(told, terminal.Notified{Notification: payment.Notification{
			Gateway: gatewayName, RequestID: s.ID + "-1", Verified: true, Verdict: w.paid(s),
		}})
	}
	for len(w.started) > 0 {
		c := w.started[0]
		w.started = w.started[1:]
		w.answer(c, noAnswer)
	}
	w.turn(told...)
	if n := w.calls(payment.CallInquire); n > w.policy.Slots-1 {
		t.Errorf("%d second looks are under way", n)
	}
	looked := map[string]bool{}
	for end := w.now.Add(time.Minute); w.now.Before(end); w.pass(time.Second) {
		for len(w.started) > 0 {
			c := w.started[0]
			w.started = w.started[1:]
			looked[c.Sale] = looked[c.Sale] || c.Kind == payment.CallInquire
			w.answer(c, noAnswer)
		}
	}
	for _, in := range told {
		if sale, _, _ := strings.Cut(in.(terminal.Notified).RequestID, "-"); !looked[sale] {
			t.Errorf("sale %s was not looked at", sale)
		}
	}
}
