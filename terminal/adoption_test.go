package terminal_test

import (
	"testing"
	"testing/synctest"
	"time"

	"payscand/payment"
	"payscand/store/memory"
	"payscand/terminal"
)

// A database that was restored, or woke up on another machine, begins nothing:
// sales, codes, QRs, cancels and refunds are refused with not_adopted, no scanner is
// armed and no sale is shown; what was made before is told, and asked about. Once
// it is adopted, the next start takes sales (P1, P2).
func TestNotAdopted(t *testing.T) {
	w := newWorld(t)
	wanted := terminal.NewSale{Key: "before", Digest: "d"}
	paid := w.mustCreate(wanted)
	w.scan(code1)
	w.answer(w.call(payment.CallPay), w.paid(paid))
	live := w.mustCreate(terminal.NewSale{Key: "live", Mode: payment.ModeAuto})
	w.scan(code2)
	if w.calls(payment.CallPay) != 1 {
		t.Fatal("nothing was under way")
	}

	w.store.Move(true)
	w.restart()
	refused := func(what string, in terminal.Input) {
		t.Helper()
		why := refusalOf(w.turn(in)[0])
		if why == nil || why.Code != terminal.CodeNotAdopted {
			t.Errorf("%s: %v, want not_adopted", what, why)
		}
	}
	for _, mode := range []payment.Mode{payment.ModeScan, payment.ModeQR, payment.ModeAuto} {
		refused("a sale", terminal.Create{ID: "01M80DNPN8TGAS1PYN6FB39999", Sale: terminal.NewSale{
			Key: "new", Amount: payment.Money{Amount: 1, Currency: "CAD"}, Mode: mode,
		}})
	}
	refused("a code", terminal.Post{Sale: live.ID, Text: payment.NewCode(code1)})
	refused("a QR", terminal.Command{Sale: live.ID, Event: payment.QRRequested{}})
	refused("a cancel", terminal.Command{Sale: live.ID, Event: payment.CancelRequested{}})
	refused("a refund", terminal.Refund{Sale: paid.ID, Request: terminal.NewRefund{Key: "refund", Digest: "d"}})
	replay := w.turn(terminal.Create{ID: "01M80DNPN8TGAS1PYN6FB39998", Sale: terminal.NewSale{
		Key: "before", Digest: "d", Amount: paid.Amount, Mode: payment.ModeScan,
	}})[0]
	if replay.Err != nil || !replay.Replayed || replay.Sale.ID != paid.ID {
		t.Errorf("a request that was answered before: %+v", replay)
	}
	if reply := w.turn(terminal.Command{Sale: live.ID, Event: payment.CheckRequested{}})[0]; reply.Err != nil {
		t.Errorf("a check: %v", reply.Err)
	}
	if w.arming != 0 {
		t.Error("a scanner is armed")
	}
	result, err := w.engine.Turn(w.now, nil)
	if err != nil || result.Customer.ID != "" || !result.OutOfOrder {
		t.Errorf("the customer sees sale %q, out of order %v, %v", result.Customer.ID, result.OutOfOrder, err)
	}
	w.answerProbe(payment.Verdict{Class: payment.ClassNotFound})
	for range 300 {
		w.pass(time.Minute)
		for len(w.started) > 0 {
			c := w.started[0]
			w.started = w.started[1:]
			if c.Kind == payment.CallPay || c.Kind == payment.CallCancel || c.Kind == payment.CallRefund {
				t.Fatalf("a %s was sent", c.Kind)
			}
			w.answer(c, payment.Verdict{Class: payment.ClassNotFound})
		}
	}
	if s := w.sale(live.ID); s.Status.Live() {
		t.Errorf("the sale that was live is still %s", s.Status)
	}

	w.store.Move(false)
	w.restart()
	w.answerProbe(payment.Verdict{Class: payment.ClassNotFound})
	w.mustCreate(terminal.NewSale{Separate: true})
}

// Retention runs by itself, soon after the start and then daily, once a gateway
// answered; never while a sale is live. What is young, or not over, stays.
func TestRetention(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memory.New("e")
		config := terminal.Config{Store: store, Retention: 30 * 24 * time.Hour}
		gateway := &fakeGateway{answer: paidAnswer}
		tm, end := run(t, config, gateway)
		sell := func(key string) payment.Sale {
			t.Helper()
			wanted := newSale
			wanted.Key = key
			s, _, err := tm.CreateSale(t.Context(), wanted)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		first := sell("first")
		if _, err := tm.PresentCode(t.Context(), first.ID, code1); err != nil {
			t.Fatal(err)
		}
		time.Sleep(29 * 24 * time.Hour) //nolint:forbidigo // synctest's clock
		if _, err := store.Sale(first.ID); err != nil {
			t.Fatalf("after 29 days: %v", err)
		}
		second := sell("second")
		if _, err := tm.PresentCode(t.Context(), second.ID, code2); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * 24 * time.Hour) //nolint:forbidigo // synctest's clock
		if _, err := store.Sale(first.ID); err == nil {
			t.Error("after 32 days the sale is still there")
		}
		if _, err := store.Sale(second.ID); err != nil {
			t.Errorf("a young sale is gone: %v", err)
		}
		if err := end(); err != nil {
			t.Error(err)
		}
	})
}
