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
	s, captured := capturedLate(w)
	if c := w.sale(s.ID).Attempts[0].Capture; c == nil || c.Kept != payment.KeptByPolicy {
		t.Fatalf("%+v", c)
	}
	onlyGivenBackIsReplaced(w, s, captured)
}

// M11: one that was made when the sale to be replaced was too old to look like it was
// not asked about, so that naming the old one does not say what it is.
func TestM11ReplacesOneOfLongAgo(t *testing.T) {
	w := newWorld(t)
	amount := payment.Money{Amount: 500, Currency: "CAD"}
	first := w.silenced(terminal.NewSale{Amount: amount}, code1)
	w.bringUp()
	w.now = w.now.Add(w.policy.TwinWindow + time.Minute)
	second := w.silenced(terminal.NewSale{Amount: amount}, code2)
	w.bringUp()
	n := terminal.NewSale{Amount: amount, Replaces: first.ID}
	if _, refused := w.create(n); refused == nil || refused.Code != terminal.CodeUnresolvedTwin || refused.Sale != second.ID {
		t.Errorf("%v, want it to be asked about %s", refused, second.ID)
	}
	n.Replaces = second.ID
	w.mustCreate(n)
}

// capturedLate is a sale that was cancelled after its payment had failed, and of
// which the watch then sees twice that it was paid.
func capturedLate(w *world) (payment.Sale, payment.Verdict) {
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
	return s, captured
}

// onlyGivenBackIsReplaced: the sale of a late payment cannot be replaced before that
// was given back in the portal.
func onlyGivenBackIsReplaced(w *world, s payment.Sale, captured payment.Verdict) {
	w.t.Helper()
	if _, refused := w.create(terminal.NewSale{Replaces: s.ID}); refused == nil || refused.Code != terminal.CodeConflict || refused.Sale != s.ID {
		w.t.Errorf("replaced: %v", refused)
	}
	w.turn(terminal.Command{Sale: s.ID, Event: payment.CheckRequested{}})
	w.pass(time.Second)
	captured.Returned = payment.ReturnedInFull
	w.answer(w.call(payment.CallInquire), captured)
	w.mustCreate(terminal.NewSale{Replaces: s.ID})
}

// M11, M12: nor is one whose late payment could not be given back.
func TestM11ReplacesWhatWasNotGivenBack(t *testing.T) {
	w := newWorld(t)
	s, captured := capturedLate(w)
	w.answer(w.call(payment.CallRefund), payment.Verdict{Class: payment.ClassFailed, Reason: payment.ReasonRefundTooLate})
	if r := w.sale(s.ID).Refunds; len(r) != 1 || r[0].Status != payment.RefundFailed {
		t.Fatalf("%+v", r)
	}
	onlyGivenBackIsReplaced(w, s, captured)
}
