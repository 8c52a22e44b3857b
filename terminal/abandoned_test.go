package terminal_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"payscand/device"
	"payscand/payment"
	"payscand/terminal"
)

// takenOut ends the sale's second attempt, at AlphaPay, without proof too, and
// starts again without Alipay+ in the configuration.
func (w *world) takenOut(s payment.Sale) {
	w.t.Helper()
	w.scan(wechatCode)
	w.answer(w.asked(s, payment.CallPay, time.Second), payment.Verdict{
		Class: payment.ClassFailed, Reason: payment.ReasonDeclined, RequestID: s.ID + "-2", PaymentID: "P-2",
	})
	w.answer(w.asked(s, payment.CallInquire, time.Second), noAnswer)
	w.turn(terminal.Command{Sale: s.ID, Event: payment.CancelRequested{}})
	delete(w.policy.Gateways, plusName)
	w.policy.Routes = []payment.Route{{Gateway: gatewayName}}
	w.restart()
}

// mustAsk wants an inquiry about the sale under way at the gateway.
func (w *world) mustAsk(s payment.Sale, gateway string) {
	w.t.Helper()
	for _, c := range w.started {
		if c.Kind == payment.CallInquire && c.Gateway == gateway && c.Sale == s.ID {
			return
		}
	}
	w.t.Fatalf("%s is not asked; started: %v", gateway, w.started)
}

// P5: a gateway that was taken out of the configuration while a sale is watched
// there takes nothing from its watch at another gateway, where a late capture is
// found and given back; and it is watched again once it is put back.
func TestP5GatewayTakenOut(t *testing.T) {
	w := newTwoGateways(t)
	traits, s := w.policy.Gateways[plusName], w.watchedAtPlus()
	w.takenOut(s)
	captured := payment.Verdict{Class: payment.ClassPaid, RequestID: s.ID + "-2", PaymentID: "P-2", Amount: s.Amount}
	w.answer(w.asked(s, payment.CallInquire, 2*time.Minute), captured)
	w.answer(w.asked(s, payment.CallInquire, time.Second), captured)
	refund := w.asked(s, payment.CallRefund, time.Second)
	w.restart() // with a refund at AlphaPay that is not over
	w.turn(terminal.Command{Sale: s.ID, Event: payment.CheckRequested{}})
	if got := w.sale(s.ID); refund.Attempt != 2 || got.Attempts[0].Watch == nil || got.DueAt(plusName).IsZero() {
		t.Fatalf("%v; the watch at Alipay+ is %+v, due %v", refund, got.Attempts[0].Watch, got.DueAt(plusName))
	}
	w.policy.Gateways[plusName] = traits
	w.restart()
	w.pass(time.Second)
	w.mustAsk(s, plusName)
}

// A question that a stop broke off is asked again once its gateway is put back, and
// neither a start nor a clock that was set back ends a watch meanwhile.
func TestWatchAtAGatewayTakenOutIsKept(t *testing.T) {
	w := newTwoGateways(t)
	traits, s := w.policy.Gateways[plusName], w.watchedAtPlus()
	w.pass(w.policy.DownProbePause)
	w.answerAll("") // it is up again, and asked
	w.pass(w.policy.Watch[0])
	w.mustAsk(s, plusName)
	w.turn(terminal.Command{Sale: s.ID, Event: payment.CancelRequested{}})
	delete(w.policy.Gateways, plusName)
	w.policy.Routes = []payment.Route{{Gateway: gatewayName}}
	w.now = w.now.Add(-time.Hour)
	w.restart()
	w.policy.Gateways[plusName] = traits
	w.restart()
	w.pass(time.Second)
	w.mustAsk(s, plusName)
}

// A check of what was paid at a gateway that is gone plans no question that nobody
// could ask, and does not keep the sale from being forgotten one day.
func TestCheckAtAGatewayThatIsGone(t *testing.T) {
	w := newTwoGateways(t)
	s := w.paidSale(wechatCode)
	delete(w.policy.Gateways, gatewayName)
	w.policy.Routes = []payment.Route{{Gateway: plusName}}
	w.restart()
	w.turn(terminal.Command{Sale: s.ID, Event: payment.CheckRequested{}})
	if got := w.sale(s.ID); !got.Due.IsZero() {
		t.Errorf("it is due at %v for %q", got.Due, got.Gateway())
	}
}

// A refund that nobody asks about any more needs no gateway, and a check does not
// change that.
func TestGivenUpRefundNeedsNoGateway(t *testing.T) {
	w := newTwoGateways(t)
	s := w.paidSale(wechatCode)
	w.refund(s.ID, terminal.NewRefund{Key: "r", Digest: "d", Amount: 1})
	for end := w.now.Add(2 * w.policy.GiveUpAfter); w.now.Before(end) && !w.sale(s.ID).Due.IsZero() || len(w.started) > 0; w.pass(w.policy.SlowHourly) {
		for len(w.started) > 0 {
			c := w.started[0]
			w.started = w.started[1:]
			verdict := noAnswer
			if c.Kind == payment.CallProbe {
				verdict = payment.Verdict{Class: payment.ClassNotFound}
			}
			w.answer(c, verdict)
		}
	}
	if r := w.sale(s.ID).Refunds[0]; r.Reason != payment.ReasonRefundUnproved || r.Status.Final() {
		t.Fatalf("%+v", r)
	}
	delete(w.policy.Gateways, gatewayName)
	w.policy.Routes = []payment.Route{{Gateway: plusName}}
	for range 2 {
		w.restart()
		w.turn(terminal.Command{Sale: s.ID, Event: payment.CheckRequested{}})
	}
}

// A start says which sales are watched at a gateway that the configuration does not
// name any more, and what to do.
func TestAbandonedWatchesAreTold(t *testing.T) {
	w := newTwoGateways(t)
	s := w.watchedAtPlus()
	w.turn(terminal.Command{Sale: s.ID, Event: payment.CancelRequested{}})
	var log bytes.Buffer
	policy := payment.DefaultPolicy()
	policy.Routes = []payment.Route{{Gateway: gatewayName}}
	tm, err := terminal.New(terminal.Config{
		Store: w.store, Gateways: []payment.Gateway{&fakeGateway{}}, Policy: policy, Rules: payment.DefaultCodeRules(),
		Arming: new(device.Arming), Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	over, stop := context.WithCancel(t.Context())
	stop()
	if err := tm.Run(over); err != nil {
		t.Fatal(err)
	}
	told := log.String()
	for _, want := range []string{"level=ERROR", "gateway=" + plusName, s.ID} {
		if !strings.Contains(told, want) {
			t.Errorf("the log has no %q:\n%s", want, told)
		}
	}
	if strings.Contains(told, "gateway="+gatewayName+" sales") {
		t.Errorf("the log names a gateway that is there:\n%s", told)
	}
}
