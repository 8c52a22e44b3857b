package terminal_test

import (
	"fmt"
	"testing"
	"time"

	"payscand/payment"
	"payscand/terminal"
)

func (w *world) refundElsewhere(key string, amount int64) terminal.RefundElsewhere {
	w.ids++
	return terminal.RefundElsewhere{
		ID: fmt.Sprintf("01M80DNPN8TGAS1PYN6FB3%04d", w.ids), Gateway: gatewayName, PaymentID: "P-7",
		Request: terminal.NewRefund{Key: key, Digest: key, Amount: amount},
	}
}

// late asks for a refund elsewhere and returns the reply that follows the
// gateway's answer.
func (w *world) late(in terminal.RefundElsewhere, v payment.Verdict) terminal.Reply {
	w.t.Helper()
	reply := w.turn(in)[0]
	if reply.Later == "" {
		return reply
	}
	result, err := w.engine.Turn(w.now, []terminal.Input{terminal.Answered{Call: w.call(payment.CallInquire), Verdict: v}})
	if err != nil || len(result.Late) != 1 || result.Late[0].Later != reply.Later {
		w.t.Fatalf("late replies %+v, %v", result.Late, err)
	}
	return result.Late[0].Reply
}

func elsewhereProof() payment.Verdict {
	return payment.Verdict{
		Class: payment.ClassPaid, RequestID: "other-till-7", PaymentID: "P-7",
		Amount: payment.Money{Amount: 2000, Currency: "CAD"}, Documented: true,
	}
}

// M13, P1: another terminal's payment is inquired first and its refund leaves
// after its commit; the same key gives the same refund, after a restart too; a
// second refund adds to the same record and never exceeds what was paid.
func TestM13RefundElsewhere(t *testing.T) {
	w := newWorld(t)
	first := w.late(w.refundElsewhere("r1", 1500), elsewhereProof())
	if first.Err != nil || first.Refund != 1 || !first.Sale.Elsewhere() || first.Sale.Status != payment.SalePaid {
		t.Fatalf("%+v, %v", first.Sale, first.Err)
	}
	w.answer(w.call(payment.CallRefund), w.refunded(first.Sale))
	w.restart()
	w.answerProbe(payment.Verdict{Class: payment.ClassNotFound})
	if again := w.turn(w.refundElsewhere("r1", 1500))[0]; !again.Replayed || again.Sale.ID != first.Sale.ID || again.Refund != 1 {
		t.Errorf("the same key: %+v, %v", again, again.Err)
	}
	other := w.refundElsewhere("r1", 1)
	other.Request.Digest = "other"
	if reply := w.turn(other)[0]; refusalOf(reply) == nil || refusalOf(reply).Code != terminal.CodeKeyReused {
		t.Errorf("the key with other content: %v", reply.Err)
	}
	if reply := w.late(w.refundElsewhere("r2", 501), elsewhereProof()); refusalOf(reply) == nil {
		t.Errorf("above what is left: refund %d", reply.Refund)
	}
	second := w.late(w.refundElsewhere("r3", 500), elsewhereProof())
	if second.Err != nil || second.Sale.ID != first.Sale.ID || second.Refund != 2 {
		t.Errorf("second refund: %d of %s, %v", second.Refund, second.Sale.ID, second.Err)
	}
}

// A refund elsewhere that cannot be proved, or that is too high, stores nothing
// and says why.
func TestRefundElsewhereRefused(t *testing.T) {
	spoilt := func(spoil func(*payment.Verdict)) payment.Verdict {
		v := elsewhereProof()
		spoil(&v)
		return v
	}
	w := newWorld(t)
	commits := w.store.commits
	for name, c := range map[string]struct {
		change func(*terminal.RefundElsewhere)
		answer payment.Verdict
		want   terminal.ErrorCode
	}{
		"silence":         {nil, noAnswer, terminal.CodeGatewayDown},
		"trouble":         {nil, comeBack, terminal.CodeGatewayDown},
		"refused id":      {nil, payment.Verdict{Class: payment.ClassRefused, Reason: payment.ReasonRequestRefused}, terminal.CodeInvalid},
		"not known":       {nil, payment.Verdict{Class: payment.ClassNotFound}, terminal.CodeNotFound},
		"not paid":        {nil, spoilt(func(v *payment.Verdict) { v.Class = payment.ClassClosed }), terminal.CodeConflict},
		"another payment": {nil, spoilt(func(v *payment.Verdict) { v.PaymentID = "P-8" }), terminal.CodeConflict},
		"all given back":  {nil, spoilt(func(v *payment.Verdict) { v.Returned = payment.ReturnedInFull }), terminal.CodeConflict},
		"too much":        {func(in *terminal.RefundElsewhere) { in.Request.Amount = 2001 }, elsewhereProof(), terminal.CodeConflict},
		"other currency":  {func(in *terminal.RefundElsewhere) { in.Currency = "USD" }, elsewhereProof(), terminal.CodeInvalid},
		"no gateway":      {func(in *terminal.RefundElsewhere) { in.Gateway = "none" }, elsewhereProof(), terminal.CodeInvalid},
		"no amount":       {func(in *terminal.RefundElsewhere) { in.Request.Amount = 0 }, elsewhereProof(), terminal.CodeInvalid},
		"no payment id":   {func(in *terminal.RefundElsewhere) { in.PaymentID = "" }, elsewhereProof(), terminal.CodeInvalid},
		"spaces":          {func(in *terminal.RefundElsewhere) { in.PaymentID = "P 7" }, elsewhereProof(), terminal.CodeInvalid},
		"no key":          {func(in *terminal.RefundElsewhere) { in.Request.Key = "" }, elsewhereProof(), terminal.CodeInvalid},
	} {
		in := w.refundElsewhere("key-"+name, 100)
		if c.change != nil {
			c.change(&in)
		}
		reply := w.late(in, c.answer)
		if refused := refusalOf(reply); refused == nil || refused.Code != c.want || refused.Message == "" {
			t.Errorf("%s: %v, want %s", name, reply.Err, c.want)
		}
	}
	if w.calls(payment.CallRefund) > 0 || w.store.commits != commits {
		t.Errorf("%d refunds left, %d commits", w.calls(payment.CallRefund), w.store.commits-commits)
	}
}

// P2: two calls with one key, or for one payment, that wait at the same time begin
// one refund after the other, on one record.
func TestRefundElsewhereAtOnce(t *testing.T) {
	w := newWorld(t)
	replies := w.turn(w.refundElsewhere("r1", 700), w.refundElsewhere("r1", 700), w.refundElsewhere("r2", 700))
	var answers []terminal.Input
	for range replies {
		answers = append(answers, terminal.Answered{Call: w.call(payment.CallInquire), Verdict: elsewhereProof()})
	}
	result, err := w.engine.Turn(w.now, answers)
	if err != nil || len(result.Late) != 3 {
		t.Fatalf("%d late replies, %v", len(result.Late), err)
	}
	begun, replayed, refused := 0, 0, 0
	for _, late := range result.Late {
		switch {
		case late.Reply.Err != nil:
			refused++
		case late.Reply.Replayed:
			replayed++
		default:
			begun++
		}
	}
	// r1 is asked for twice and begins once; r2 must wait for its end, or the other way round.
	if begun != 1 || begun+replayed+refused != 3 || w.calls(payment.CallRefund) != 1 {
		t.Errorf("%d begun, %d replayed, %d refused, %d refunds left", begun, replayed, refused, w.calls(payment.CallRefund))
	}
}

// A payment that this terminal took itself is refunded on its own sale.
func TestRefundElsewhereOfOurOwn(t *testing.T) {
	w := newWorld(t)
	s := w.paidSale(code1)
	v := elsewhereProof()
	v.RequestID, v.Amount = s.Attempts[0].RequestID, s.Amount
	v.PaymentID = s.Attempts[0].PaymentID
	in := w.refundElsewhere("r1", s.Amount.Amount)
	in.PaymentID = v.PaymentID
	reply := w.late(in, v)
	if reply.Err != nil || reply.Sale.ID != s.ID || reply.Sale.Elsewhere() {
		t.Errorf("sale %s, %v", reply.Sale.ID, reply.Err)
	}
}

// The payment that was asked for is refunded, or none: not the one that paid its sale.
func TestRefundElsewhereOfALateCapture(t *testing.T) {
	w := newWorld(t)
	s := w.mustCreate(terminal.NewSale{})
	w.scan(code1)
	w.answer(w.call(payment.CallPay), payment.Verdict{Class: payment.ClassFailed, Reason: payment.ReasonDeclined}) // captured after all
	w.scan(code2)
	w.answer(w.call(payment.CallPay), w.paid(s))
	v := elsewhereProof()
	v.RequestID, v.Amount = w.sale(s.ID).Attempts[0].RequestID, s.Amount
	reply := w.late(w.refundElsewhere("r1", s.Amount.Amount), v)
	if refused := refusalOf(reply); refused == nil || refused.Code != terminal.CodeConflict || w.calls(payment.CallRefund) > 0 {
		t.Errorf("refunds %+v, %v", reply.Sale.Refunds, reply.Err)
	}
}

// Of two orders that two sends of one request made (M4) the one that was asked for is
// refunded, or none.
func TestRefundElsewhereOfASecondOrder(t *testing.T) {
	w := newWorld(t)
	s := w.paidSale(code1)
	v := elsewhereProof() // with another payment id
	v.RequestID, v.Amount = s.Attempts[0].RequestID, s.Amount
	v.PaymentID = "P-other"
	in := w.refundElsewhere("r1", s.Amount.Amount)
	in.PaymentID = v.PaymentID
	reply := w.late(in, v)
	if refused := refusalOf(reply); refused == nil || refused.Code != terminal.CodeConflict || w.calls(payment.CallRefund) > 0 {
		t.Errorf("refunds %+v, %v", reply.Sale.Refunds, reply.Err)
	}
}

// P4: what the gateway says of a payment of a sale of this terminal counts for that
// sale. One that is unresolved is paid by it, and refunded.
func TestP4RefundElsewhereOfAnUnresolvedSale(t *testing.T) {
	w := newWorld(t)
	s := w.silenced(terminal.NewSale{}, code1)
	w.bringUp()
	v := elsewhereProof()
	v.RequestID, v.Amount = s.Attempts[0].RequestID, s.Amount
	w.pass(time.Second)
	w.started = nil
	reply := w.late(w.refundElsewhere("r1", s.Amount.Amount), v)
	got := w.sale(s.ID)
	if reply.Err != nil || got.Status != payment.SalePaid || !got.Late || len(got.Refunds) != 1 || w.calls(payment.CallRefund) != 1 {
		t.Errorf("%v; the sale is %s, refunds %+v", reply.Err, got.Status, got.Refunds)
	}
}

// One that a person called paid, whose payment id nobody knew, is refunded by the id
// that the gateway has just confirmed.
func TestRefundElsewhereOfASaleThatAPersonDecided(t *testing.T) {
	w := newWorld(t)
	s := w.silenced(terminal.NewSale{}, code1)
	w.turn(terminal.Command{Sale: s.ID, Event: payment.Resolved{Outcome: payment.OverridePaid, Operator: "ann", Note: "seen in the portal"}})
	w.bringUp()
	v := elsewhereProof()
	v.RequestID, v.Amount = s.Attempts[0].RequestID, s.Amount
	w.pass(time.Second)
	reply := w.late(w.refundElsewhere("r1", s.Amount.Amount), v)
	if got := w.sale(s.ID); reply.Err != nil || got.Receipt.PaymentID != v.PaymentID || w.calls(payment.CallRefund) != 1 {
		t.Errorf("%v; receipt %+v, refunds %+v", reply.Err, got.Receipt, got.Refunds)
	}
}

// P4, M12: one that was over without payment, and is watched no more, is looked into.
func TestM12RefundElsewhereFindsALateCapture(t *testing.T) {
	w := newWorld(t)
	s := w.mustCreate(terminal.NewSale{})
	w.scan(code1)
	w.answer(w.call(payment.CallPay), payment.Verdict{Class: payment.ClassFailed, Reason: payment.ReasonDeclined, Documented: true})
	w.turn(terminal.Command{Sale: s.ID, Event: payment.CancelRequested{}})
	v := elsewhereProof()
	v.RequestID, v.Amount = s.ID+"-1", s.Amount
	reply := w.late(w.refundElsewhere("r1", s.Amount.Amount), v)
	if refused := refusalOf(reply); refused == nil || refused.Code != terminal.CodeConflict || refused.Sale != s.ID {
		t.Errorf("%v", reply.Err)
	}
	for range 2 {
		w.pass(time.Second)
		w.answer(w.call(payment.CallInquire), v)
	}
	if c := w.call(payment.CallRefund); !w.sale(s.ID).Refunds[0].Automatic || c.Sale != s.ID {
		t.Errorf("refunds %+v", w.sale(s.ID).Refunds)
	}
}

// P10: inquiries before such refunds keep to the gateway's slots, only so many
// wait, and a gateway that goes down leaves none waiting.
func TestRefundElsewhereIsBounded(t *testing.T) {
	w := newWorld(t)
	var inputs []terminal.Input
	for i := range 20 {
		inputs = append(inputs, w.refundElsewhere(fmt.Sprint("r", i), 100))
	}
	refused := 0
	for _, reply := range w.turn(inputs...) {
		if r := refusalOf(reply); r != nil && r.Code == terminal.CodeTooManyWaiting {
			refused++
		}
	}
	w.pass(time.Second)
	if under := w.calls(payment.CallInquire); refused != 4 || under != w.policy.Slots-1 {
		t.Errorf("%d refused, %d under way", refused, under)
	}
	w.answer(w.call(payment.CallInquire), payment.Verdict{Class: payment.ClassNotFound})
	w.pass(time.Second)
	if under := w.calls(payment.CallInquire); under != w.policy.Slots-1 {
		t.Errorf("%d under way after an answer", under)
	}
	notSent := payment.Verdict{Class: payment.ClassNotSent, Reason: payment.ReasonGatewayUnreachable}
	result, err := w.engine.Turn(w.now, []terminal.Input{terminal.Answered{Call: w.call(payment.CallInquire), Verdict: notSent}})
	if err != nil || len(result.Late) != 16-1-2 { // all but the one that was answered and two that are under way
		t.Errorf("%d late replies, %v", len(result.Late), err)
	}
}

// P2: a call that was repeated while the first still waited finds the refund that
// the first began, also when that is over by then.
func TestRefundElsewhereRepeatedWhileWaiting(t *testing.T) {
	w := newWorld(t)
	w.turn(w.refundElsewhere("r1", 700), w.refundElsewhere("r1", 700))
	first, second := w.call(payment.CallInquire), w.call(payment.CallInquire)
	w.answer(first, elsewhereProof())
	refund := w.call(payment.CallRefund)
	w.answer(refund, w.refunded(w.sale(refund.Sale)))
	result, err := w.engine.Turn(w.now, []terminal.Input{terminal.Answered{Call: second, Verdict: elsewhereProof()}})
	if err != nil || len(result.Late) != 1 || !result.Late[0].Reply.Replayed || w.calls(payment.CallRefund) != 0 || len(w.sale(refund.Sale).Refunds) != 1 {
		t.Errorf("%v, %+v, %d more refunds", err, result.Late, w.calls(payment.CallRefund))
	}
}
