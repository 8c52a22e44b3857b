package terminal_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"payscand/payment"
	"payscand/terminal"
)

const (
	plusName   = "alipayplus"
	wechatCode = "101234567890123456"
)

// newTwoGateways is a counter where Alipay+ codes and QRs go to Alipay+, and all
// other codes to AlphaPay.
func newTwoGateways(t *testing.T) *world {
	w := newWorld(t)
	w.policy.Routes = []payment.Route{
		{Wallet: payment.WalletAlipayPlus, Instrument: payment.InstrumentCode, Gateway: plusName},
		{Wallet: "*", Instrument: payment.InstrumentQR, Gateway: plusName},
		{Wallet: "*", Instrument: "*", Gateway: gatewayName},
	}
	w.policy.Gateways[plusName] = payment.Traits{
		IdempotentPay: true, IdempotentRefund: true, InquireByRequestID: true, CancelReverses: true, OrderLife: 3 * time.Minute,
	}
	w.restart()
	for range 2 {
		w.answerProbe(payment.Verdict{Class: payment.ClassNotFound})
	}
	return w
}

// A sale's next attempt goes to another gateway where its wallet is routed there:
// a WeChat code to AlphaPay, an Alipay+ code to Alipay+, a QR to Alipay+.
func TestNextAttemptAtAnotherGateway(t *testing.T) {
	w := newTwoGateways(t)
	s := w.mustCreate(terminal.NewSale{Mode: payment.ModeAuto})
	for n, attempt := range []struct {
		start   func()
		gateway string
	}{
		{func() { w.scan(wechatCode) }, gatewayName},
		{func() { w.scan(code1) }, plusName},
		{func() { w.turn(terminal.Command{Sale: s.ID, Event: payment.QRRequested{}}) }, plusName},
	} {
		attempt.start()
		c := w.call(payment.CallPay)
		if c.Gateway != attempt.gateway || c.Attempt != n+1 {
			t.Fatalf("attempt %d went to %s as %d, want %s", n+1, c.Gateway, c.Attempt, attempt.gateway)
		}
		w.answer(c, payment.Verdict{Class: payment.ClassFailed, Reason: payment.ReasonDeclined, Documented: true})
		if got := w.sale(s.ID); got.Status != payment.SaleAwaitingCode {
			t.Fatalf("the sale is %s", got.Status)
		}
	}
}

// One gateway that does not answer neither takes the other's slots nor stops its
// sales (M14, fairness).
func TestOneGatewayDownDoesNotHoldUpTheOther(t *testing.T) {
	w := newTwoGateways(t)
	for i := range 8 {
		w.silenced(terminal.NewSale{Separate: true}, fmt.Sprintf("1012345678901234%02d", i))
		w.bringUp()
	}
	w.pass(2 * w.policy.SlowDaily) // all of AlphaPay's are due, and none of its calls is answered
	if n := w.calls(payment.CallLookup); n < w.policy.Slots-1 {
		t.Fatalf("%d calls to AlphaPay are under way, want all slots taken but the live sale's", n)
	}
	w.started = nil
	s := w.mustCreate(terminal.NewSale{Separate: true})
	w.scan(code1)
	c := w.call(payment.CallPay)
	if c.Gateway != plusName || c.Sale != s.ID {
		t.Fatalf("%v was started", c)
	}
	w.answer(c, payment.Verdict{Class: payment.ClassPending, RequestID: s.ID + "-1", Amount: s.Amount})
	w.pass(2 * time.Second)
	c = w.call(payment.CallInquire)
	if c.Gateway != plusName || c.Sale != s.ID {
		t.Fatalf("the inquiry is held up: %v", w.started)
	}
	w.answer(c, w.paid(s))
	if got := w.sale(s.ID); got.Status != payment.SalePaid {
		t.Errorf("the sale is %s", got.Status)
	}
}

// A sale that only the gateway which is down could take is refused, with what would
// still work; one that the other takes too is not.
func TestM14OnlyTheGatewayThatIsNeeded(t *testing.T) {
	w := newTwoGateways(t)
	w.silenced(terminal.NewSale{Mode: payment.ModeScan, Separate: true}, code1) // Alipay+ is down
	_, refused := w.create(terminal.NewSale{Mode: payment.ModeQR, Separate: true})
	if refused == nil || refused.Code != terminal.CodeGatewayDown || !slices.Equal(refused.Offers, []payment.Instrument{payment.InstrumentCode}) {
		t.Errorf("a QR that only Alipay+ makes: %+v", refused)
	}
	tooMuch := payment.Money{Amount: w.policy.Gateways[gatewayName].MaxAmount + 1, Currency: "CAD"}
	_, refused = w.create(terminal.NewSale{Mode: payment.ModeQR, Separate: true, Amount: tooMuch})
	if refused == nil || refused.Code != terminal.CodeGatewayDown || len(refused.Offers) > 0 {
		t.Errorf("a QR of more than AlphaPay takes: %+v", refused)
	}
	s := w.mustCreate(terminal.NewSale{Mode: payment.ModeScan, Separate: true})
	w.turn(terminal.Command{Sale: s.ID, Event: payment.CancelRequested{}})
	for w.calls(payment.CallProbe) > 0 {
		w.answerProbe(noAnswer) // AlphaPay is down too
	}
	w.pass(w.policy.DownProbePause)
	if _, refused = w.create(terminal.NewSale{Separate: true}); refused == nil || len(refused.Offers) > 0 {
		t.Errorf("with both gateways down: %+v", refused)
	}
}

// M14: a code of a gateway that is known not to answer is not sent: the sale waits
// for another code at once, which may be the other gateway's, and nobody wonders
// whether the first was charged. Once the gateway answers, the same code is taken.
func TestM14CodeOfTheGatewayThatIsDown(t *testing.T) {
	w := newTwoGateways(t)
	w.silenced(terminal.NewSale{Separate: true}, code1) // Alipay+ is down
	s := w.mustCreate(terminal.NewSale{Mode: payment.ModeScan, Separate: true})
	refused := func(attempts int) {
		t.Helper()
		got := w.sale(s.ID)
		if got.Status != payment.SaleAwaitingCode || got.LastFailure == nil || got.LastFailure.Reason != payment.ReasonGatewayUnreachable ||
			len(got.Attempts) != attempts || got.Attempts[attempts-1].Status != payment.AttemptFailed || !got.Attempts[attempts-1].Code.IsZero() {
			t.Fatalf("the sale is %s after %+v: %+v", got.Status, got.LastFailure, got.Attempts)
		}
		if n := w.calls(payment.CallPay); n != 0 {
			t.Fatalf("%d pay calls were started: %v", n, w.started)
		}
	}
	w.scan(code2)
	refused(1)
	w.turn(terminal.Command{Sale: s.ID, Event: payment.QRRequested{}}) // Alipay+ makes it
	refused(2)
	w.pass(w.policy.DownProbePause)
	for w.calls(payment.CallProbe) > 0 {
		w.answerProbe(payment.Verdict{Class: payment.ClassNotFound})
	}
	w.scan(code2)
	if c := w.call(payment.CallPay); c.Gateway != plusName || c.Attempt < 3 {
		t.Fatalf("%v was started", c)
	}
}

// M14: while one gateway is down, a customer with the other's wallet pays in the
// same sale.
func TestM14TheOtherGatewayTakesTheSale(t *testing.T) {
	w := newTwoGateways(t)
	w.silenced(terminal.NewSale{Separate: true}, code1) // Alipay+ is down
	s := w.mustCreate(terminal.NewSale{Mode: payment.ModeScan, Separate: true})
	w.scan(code2)
	w.scan(wechatCode)
	c := w.call(payment.CallPay)
	if c.Gateway != gatewayName || c.Attempt != 2 {
		t.Fatalf("%v was started", c)
	}
	w.answer(c, w.paid(s))
	if got := w.sale(s.ID); got.Status != payment.SalePaid {
		t.Errorf("the sale is %s", got.Status)
	}
}

// A gateway that no route uses, such as one that is kept for refunds, takes no
// sales: the terminal is out of order when the others do not answer.
func TestOutOfOrderWithoutARoutedGateway(t *testing.T) {
	w := newTwoGateways(t)
	w.policy.Routes = []payment.Route{{Gateway: plusName}}
	w.restart()
	for range 2 {
		probe := w.call(payment.CallProbe)
		verdict := payment.Verdict{Class: payment.ClassNotFound}
		if probe.Gateway == plusName {
			verdict = noAnswer
		}
		w.answer(probe, verdict)
	}
	result, err := w.engine.Turn(w.now, nil)
	if _, refused := w.create(terminal.NewSale{}); err != nil || refused == nil || !result.OutOfOrder {
		t.Errorf("%v; a sale is refused with %v, out of order %v", err, refused, result.OutOfOrder)
	}
}
