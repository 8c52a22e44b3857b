package terminal_test

import (
	"strings"
	"testing"
	"time"

	"payscand/payment"
	"payscand/terminal"
)

// paidSale makes a sale that was paid with a code.
func (w *world) paidSale(code string) payment.Sale {
	w.t.Helper()
	s := w.mustCreate(terminal.NewSale{Separate: true})
	w.scan(code)
	w.answer(w.call(payment.CallPay), w.paid(s))
	return w.sale(s.ID)
}

func (w *world) refund(sale string, n terminal.NewRefund) terminal.Reply {
	w.t.Helper()
	return w.turn(terminal.Refund{Sale: sale, Request: n})[0]
}

func (w *world) refunded(s payment.Sale) payment.Verdict {
	r := w.sale(s.ID).Refunds[len(w.sale(s.ID).Refunds)-1]
	return payment.Verdict{Class: payment.ClassRefunded, RequestID: r.RequestID, RefundID: "R-" + r.RequestID, Amount: r.Amount}
}

// M13: refunds never exceed what was paid, go out once each, and the same key is
// the same refund, after a restart too.
func TestM13Refunds(t *testing.T) {
	w := newWorld(t)
	s := w.paidSale(code1)
	total := s.Amount.Amount
	first := w.refund(s.ID, terminal.NewRefund{Key: "r1", Digest: "d1", Amount: 300, Note: "returned"})
	if first.Err != nil || first.Refund != 1 || first.Replayed {
		t.Fatalf("first refund: %+v, %v", first.Refund, first.Err)
	}
	if again := w.refund(s.ID, terminal.NewRefund{Key: "r2", Digest: "d2", Amount: 1}); refusalOf(again) == nil {
		t.Error("a second refund began while the first is not over")
	}
	w.answer(w.call(payment.CallRefund), w.refunded(s))
	w.restart()
	w.answerProbe(payment.Verdict{Class: payment.ClassNotFound})
	if replay := w.refund(s.ID, terminal.NewRefund{Key: "r1", Digest: "d1", Amount: 300, Note: "returned"}); !replay.Replayed || replay.Refund != 1 {
		t.Errorf("same key after a restart: refund %d, replayed %v, %v", replay.Refund, replay.Replayed, replay.Err)
	}
	for name, n := range map[string]terminal.NewRefund{
		"other content":  {Key: "r1", Digest: "x", Amount: 1},
		"the sale's key": {Key: s.Key, Digest: "x", Amount: 1},
		"too much":       {Key: "r3", Digest: "d3", Amount: total - 299},
		"negative":       {Key: "r4", Digest: "d4", Amount: -1},
		"no key":         {Digest: "d5", Amount: 1},
	} {
		if r := w.refund(s.ID, n); refusalOf(r) == nil {
			t.Errorf("%s: refund %d was begun", name, r.Refund)
		}
	}
	if rest := w.refund(s.ID, terminal.NewRefund{Key: "r6", Digest: "d6"}); rest.Err != nil {
		t.Fatal(rest.Err)
	}
	w.answer(w.call(payment.CallRefund), w.refunded(s))
	if got := w.sale(s.ID); got.Refunded() != total || got.Refundable() != 0 {
		t.Errorf("refunded %d of %d, refundable %d", got.Refunded(), total, got.Refundable())
	}
}

// A refund whose request may be out when the daemon dies is taken up again, and
// only a whole one is sent again.
func TestRefundAfterCrash(t *testing.T) {
	for name, amount := range map[string]int64{"whole": 0, "part": 100} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			s := w.paidSale(code1)
			w.refund(s.ID, terminal.NewRefund{Key: "r", Digest: "d", Amount: amount})
			w.restart()
			w.answerProbe(payment.Verdict{Class: payment.ClassNotFound})
			w.pass(time.Second)
			again, looked := w.calls(payment.CallRefund), w.calls(payment.CallLookupRefund)
			if whole := amount == 0; whole && again != 1 || !whole && (again != 0 || looked != 1) {
				t.Errorf("%d sent again, %d looked up", again, looked)
			}
		})
	}
}

// A payment at a gateway that the configuration does not name any more can be
// refunded in the gateway's portal only, and the register is told.
func TestRefundAtAGatewayThatIsGone(t *testing.T) {
	w := newTwoGateways(t)
	s := w.paidSale(wechatCode)
	delete(w.policy.Gateways, gatewayName)
	w.policy.Routes = []payment.Route{{Gateway: plusName}}
	w.restart()
	w.answerProbe(payment.Verdict{Class: payment.ClassNotFound})
	reply := w.refund(s.ID, terminal.NewRefund{Key: "r", Digest: "d"})
	if refused := refusalOf(reply); refused == nil || refused.Code != terminal.CodeConflict || len(w.sale(s.ID).Refunds) > 0 {
		t.Errorf("%v, refunds %+v", reply.Err, w.sale(s.ID).Refunds)
	}
	w.restart() // nothing is open at it
}

// M12: what is captured though cancel was wanted is given back after a second
// look, three times a day at most, restarts included.
func TestM12ReversalsAreLimited(t *testing.T) {
	w := newWorld(t)
	codes := []string{"281234567890123401", "281234567890123402", "281234567890123403", "281234567890123404"}
	for i, code := range codes {
		s := w.silenced(terminal.NewSale{Separate: true}, code)
		w.turn(terminal.Command{Sale: s.ID, Event: payment.CancelRequested{}})
		w.bringUp()
		proof := w.paid(s)
		w.pass(2 * time.Second)
		w.answer(w.call(payment.CallLookup), proof)
		w.answer(w.call(payment.CallInquire), proof)
		got := w.sale(s.ID)
		reversed := len(got.Refunds) == 1 && got.Refunds[0].Automatic
		if want := i < w.policy.MaxReversalsPerDay; reversed != want {
			t.Fatalf("sale %d: reversed %v, want %v; capture %+v", i+1, reversed, want, got.Attempts[0].Capture)
		}
		if !reversed {
			if kept := got.Attempts[0].Capture.Kept; kept != payment.KeptByLimit {
				t.Errorf("kept by %q", kept)
			}
			continue
		}
		w.answer(w.call(payment.CallRefund), w.refunded(s))
		w.restart()
		w.answerProbe(payment.Verdict{Class: payment.ClassNotFound})
	}
}

// M11, M12: a sale that was to be replaced and was paid after all is given back by
// itself. Until that has begun the register is not told that it has its money, and
// from then on the sale can be replaced again.
func TestM11ReplacesWhatIsGivenBack(t *testing.T) {
	w := newWorld(t)
	old := w.silenced(terminal.NewSale{}, code1)
	w.bringUp()
	second := w.mustCreate(terminal.NewSale{Replaces: old.ID})
	w.turn(terminal.Command{Sale: second.ID, Event: payment.CancelRequested{}})
	proof := w.paid(old)
	w.pass(2 * time.Second)
	w.answer(w.call(payment.CallLookup), proof)
	if _, refused := w.create(terminal.NewSale{Replaces: old.ID}); refused == nil || strings.Contains(refused.Message, "do not charge") {
		t.Errorf("before the second look: %v", refused)
	}
	w.answer(w.call(payment.CallInquire), proof)
	w.call(payment.CallRefund)
	if _, refused := w.create(terminal.NewSale{Replaces: old.ID}); refused != nil {
		t.Errorf("while it is given back: %v", refused)
	}
}

// A person may decide an unresolved sale, and must say who and why.
func TestResolve(t *testing.T) {
	w := newWorld(t)
	s := w.silenced(terminal.NewSale{}, code1)
	for name, r := range map[string]payment.Resolved{
		"no operator": {Outcome: payment.OverridePaid, Note: "seen on the phone"},
		"no reason":   {Outcome: payment.OverridePaid, Operator: "ann"},
		"no outcome":  {Operator: "ann", Note: "x"},
	} {
		if reply := w.turn(terminal.Command{Sale: s.ID, Event: r})[0]; refusalOf(reply) == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	reply := w.turn(terminal.Command{Sale: s.ID, Event: payment.Resolved{Outcome: payment.OverrideNotPaid, Operator: "ann", Note: "customer left"}})[0]
	if reply.Err != nil || reply.Sale.Status != payment.SaleExpired || reply.Sale.Override == nil {
		t.Errorf("sale is %s, %v", reply.Sale.Status, reply.Err)
	}
	if reply.Sale.Attempts[0].Watch == nil {
		t.Error("P3: the attempt is not watched")
	}
}
