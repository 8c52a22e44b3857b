package terminal_test

import (
	"testing"
	"time"

	"payscand/payment"
	"payscand/terminal"
)

// M11, M12: a sale that was over without payment, and for which money was taken all
// the same that is kept for a person, is not replaced: the customer would pay twice.
// Given back in the portal, it is.
func TestM11ReplacesWhatWasCapturedLate(t *testing.T) {
	w := newWorld(t)
	w.policy.ReverseLateCaptures = false
	w.restart()
	w.answerProbe(payment.Verdict{Class: payment.ClassNotFound})
	s := w.mustCreate(terminal.NewSale{})
	w.scan(code1)
	w.answer(w.call(payment.CallPay), payment.Verdict{
		Class: payment.ClassFailed, Reason: payment.ReasonDeclined, RequestID: s.ID + "-1", PaymentID: "P-1",
	})
	w.answer(w.call(payment.CallInquire), noAnswer) // a failure that the vendor does not list, not confirmed
	w.turn(terminal.Command{Sale: s.ID, Event: payment.CancelRequested{}})
	captured := payment.Verdict{Class: payment.ClassPaid, RequestID: s.ID + "-1", PaymentID: "P-1", Amount: s.Amount}
	w.pass(w.policy.Watch[0])
	for range 2 {
		w.answer(w.call(payment.CallInquire), captured)
	}
	if c := w.sale(s.ID).Attempts[0].Capture; c == nil || c.Kept != payment.KeptByPolicy {
		t.Fatalf("%+v", c)
	}
	if _, refused := w.create(terminal.NewSale{Replaces: s.ID}); refused == nil || refused.Code != terminal.CodeConflict || refused.Sale != s.ID {
		t.Errorf("replaced: %v", refused)
	}
	w.turn(terminal.Command{Sale: s.ID, Event: payment.CheckRequested{}})
	w.pass(time.Second)
	captured.Returned = payment.ReturnedInFull
	w.answer(w.call(payment.CallInquire), captured)
	w.mustCreate(terminal.NewSale{Replaces: s.ID})
}
