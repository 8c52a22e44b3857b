package terminal_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"payscand/payment"
	"payscand/store/memory"
	"payscand/terminal"
)

// unpreparable is a gateway that cannot make a request.
type unpreparable struct{ *fakeGateway }

func (unpreparable) Prepare(payment.Sale, payment.Call, time.Time) (payment.Request, error) {
	return nil, errors.New("the attempt has no code")
}

// calls starts an executor over a gateway; what it tells comes out of the channel.
func calls(g payment.Gateway) (*terminal.Calls, <-chan terminal.Answered) {
	answers := make(chan terminal.Answered, 8)
	return terminal.NewCalls([]payment.Gateway{g}, slog.New(slog.DiscardHandler), func(a terminal.Answered) { answers <- a }), answers
}

func start(c *terminal.Calls, kind payment.CallKind, seq, refund int) payment.Call {
	call := payment.Call{Sale: "S", Attempt: 1, Refund: refund, Seq: seq, Kind: kind, Gateway: gatewayName}
	sale := payment.Sale{ID: "S", Attempts: []payment.Attempt{{N: 1, RequestID: "S-1", Gateway: gatewayName}}}
	c.Prepare(sale, call, time.Time{})
	c.Start(call)
	return call
}

// A call that moves money is never given up for another one, and a stop waits
// until its outcome was taken in.
func TestMoneyIsAwaited(t *testing.T) {
	for _, test := range []struct {
		kind   payment.CallKind
		refund int
		after  payment.CallKind
	}{
		{payment.CallPay, 0, payment.CallInquire},
		{payment.CallCancel, 0, payment.CallInquire},
		{payment.CallRefund, 1, payment.CallInquireRefund},
	} {
		t.Run(string(test.kind), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				answered := make(chan struct{})
				c, answers := calls(&fakeGateway{answer: func(ctx context.Context, c payment.Call, _ payment.Attempt) payment.Verdict {
					if c.Kind == test.after {
						return payment.Verdict{Class: payment.ClassNotFound}
					}
					select {
					case <-answered:
						return payment.Verdict{Class: payment.ClassRetryLater}
					case <-ctx.Done():
						return payment.Verdict{Class: payment.ClassNoAnswer}
					}
				}})
				money := start(c, test.kind, 1, test.refund)
				start(c, test.after, 2, test.refund)
				if a := <-answers; a.Call.Kind != test.after {
					t.Fatalf("%s came to an end for a newer call: %s", a.Call.Kind, a.Verdict.Class)
				}
				synctest.Wait()
				if c.Settled() {
					t.Error("a stop would not wait for it")
				}
				close(answered)
				if a := <-answers; a.Call != money || a.Verdict.Class != payment.ClassRetryLater {
					t.Errorf("its outcome is %+v", a)
				}
				if c.Settled() {
					t.Error("a stop would not wait until its outcome is taken in")
				}
				c.Taken(money)
				if !c.Settled() {
					t.Error("a stop would wait for ever")
				}
				c.Close()
			})
		})
	}
}

// A stop waits for no question, a probe neither.
func TestCloseGivesUp(t *testing.T) {
	for _, kind := range []payment.CallKind{payment.CallInquire, payment.CallProbe} {
		t.Run(string(kind), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, _ := calls(hanging{&fakeGateway{}})
				start(c, kind, 1, 0)
				begin := time.Now()
				c.Close()
				if waited := time.Since(begin); waited > 0 {
					t.Errorf("a stop waited %s", waited)
				}
			})
		})
	}
}

// An inquiry that is given up while it still connects says nothing of the gateway
// (M14).
func TestGivenUpIsNoOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, answers := calls(hanging{&fakeGateway{}})
		given := start(c, payment.CallInquire, 1, 0)
		start(c, payment.CallInquire, 2, 0)
		if a := <-answers; a.Call != given || a.Verdict.Class != payment.ClassNoAnswer {
			t.Errorf("%+v", a)
		}
		c.Close()
	})
}

// hanging is a gateway that is never connected to.
type hanging struct{ *fakeGateway }

func (hanging) Send(ctx context.Context, _ payment.Request) payment.Verdict {
	<-ctx.Done()
	return payment.Verdict{Class: payment.ClassNotSent, Reason: payment.ReasonGatewayUnreachable}
}

// A gateway that panics has perhaps sent something: its outcome is no answer (M3),
// and the terminal goes on.
func TestGatewayPanics(t *testing.T) {
	c, answers := calls(&fakeGateway{answer: func(context.Context, payment.Call, payment.Attempt) payment.Verdict {
		panic("a bug")
	}})
	start(c, payment.CallPay, 1, 0)
	if a := <-answers; a.Verdict.Class != payment.ClassNoAnswer {
		t.Errorf("%s", a.Verdict.Class)
	}
	c.Close()
}

// panicking is a gateway that panics before anything is sent.
type panicking struct{ *fakeGateway }

func (panicking) Prepare(payment.Sale, payment.Call, time.Time) (payment.Request, error) {
	panic("a bug")
}

// A request that could not be made is not sent (M6), whatever kept it from being made.
func TestUnpreparableIsNotSent(t *testing.T) {
	fake := &fakeGateway{answer: func(context.Context, payment.Call, payment.Attempt) payment.Verdict {
		t.Error("it was sent")
		return payment.Verdict{}
	}}
	for _, g := range []payment.Gateway{unpreparable{fake}, panicking{fake}} {
		c, answers := calls(g)
		start(c, payment.CallPay, 1, 0)
		if a := <-answers; a.Verdict.Class != payment.ClassNotSent {
			t.Errorf("%T: %s", g, a.Verdict.Class)
		}
		c.Close()
	}
}

// While the daemon stops, outcomes count but no new request does (P6).
func TestStoppingRefusesRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memory.New("e")
		tm, end := run(t, terminal.Config{Store: store}, &fakeGateway{answer: func(ctx context.Context, c payment.Call, a payment.Attempt) payment.Verdict {
			<-time.After(2 * time.Second)
			return paidAnswer(ctx, c, a)
		}})
		s, _, err := tm.CreateSale(t.Context(), newSale)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tm.PresentCode(t.Context(), s.ID, code1); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error)
		go func() { ended <- end() }()
		synctest.Wait() // the stop waits for the pay
		if _, err := tm.Cancel(t.Context(), s.ID); refusalCode(err) != terminal.CodeStopping {
			t.Errorf("cancel while stopping: %v", err)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if got, _ := store.Sale(s.ID); got.Status != payment.SalePaid || got.CancelWanted {
			t.Errorf("the sale is %s, cancel wanted %v", got.Status, got.CancelWanted)
		}
	})
}

// The customer sees nothing that is not committed (P6).
func TestNothingUncommittedIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &brokenStore{Store: memory.New("e")}
		var shown []string
		tm, end := run(t, terminal.Config{Store: store, Show: func(customer payment.Sale, _ terminal.Scene, _ time.Time) {
			shown = append(shown, customer.ID)
		}}, &fakeGateway{})
		store.broken = true
		_, _, _ = tm.CreateSale(t.Context(), newSale)
		if err := end(); !errors.Is(err, errDisk) {
			t.Errorf("Run: %v", err)
		}
		for _, id := range shown {
			if id != "" {
				t.Errorf("sale %s was shown", id)
			}
		}
	})
}
