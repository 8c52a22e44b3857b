package terminal_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"payscand/device"
	"payscand/payment"
	"payscand/store/memory"
	"payscand/terminal"
)

// fakeGateway answers each call by a function.
type fakeGateway struct {
	mu     sync.Mutex
	answer func(context.Context, payment.Call, payment.Attempt) payment.Verdict
}

func (*fakeGateway) Name() string { return gatewayName }
func (*fakeGateway) Traits() payment.Traits {
	return payment.Traits{TransactionList: true, Currencies: []payment.Currency{"CAD"}}
}

func (*fakeGateway) Compose(payment.Sale, payment.Attempt) (payment.Intent, error) {
	return payment.Intent{Head: "{", Tail: "}"}, nil
}

type fakeRequest struct {
	call    payment.Call
	attempt payment.Attempt
}

func (*fakeGateway) Prepare(s payment.Sale, c payment.Call, _ time.Time) (payment.Request, error) {
	request := fakeRequest{call: c}
	if a := s.Attempt(c.Attempt); a != nil {
		request.attempt = *a
	}
	return request, nil
}

func (g *fakeGateway) Send(ctx context.Context, r payment.Request) payment.Verdict {
	request := r.(fakeRequest)
	g.mu.Lock()
	answer := g.answer
	g.mu.Unlock()
	if request.call.Kind == payment.CallProbe || answer == nil {
		return payment.Verdict{Class: payment.ClassNotFound}
	}
	return answer(ctx, request.call, request.attempt)
}

// paidAnswer proves an attempt paid.
func paidAnswer(_ context.Context, _ payment.Call, a payment.Attempt) payment.Verdict {
	return payment.Verdict{
		Class: payment.ClassPaid, RequestID: a.RequestID, PaymentID: "P1",
		Amount: payment.Money{Amount: 1234, Currency: "CAD"},
	}
}

// run starts a terminal and returns it when it is ready to sell; end stops it.
func run(t *testing.T, config terminal.Config, gateway *fakeGateway) (tm *terminal.Terminal, end func() error) {
	t.Helper()
	ready := make(chan struct{})
	policy := payment.DefaultPolicy()
	policy.Routes = []payment.Route{{Gateway: gatewayName}}
	config.Policy, config.Rules, config.Gateways = policy, payment.DefaultCodeRules(), []payment.Gateway{gateway}
	config.Log = slog.New(slog.DiscardHandler)
	if config.Arming == nil {
		config.Arming = new(device.Arming)
	}
	config.Ready = func() { close(ready) }
	tm, err := terminal.New(config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- tm.Run(ctx) }()
	<-ready
	synctest.Wait() // the start's probe is answered
	return tm, func() error { cancel(); return <-ended }
}

var newSale = terminal.NewSale{Key: "k", Digest: "d", Amount: payment.Money{Amount: 1234, Currency: "CAD"}, Mode: payment.ModeScan}

// A register that waits is woken by each change, and told the present state when its time is over.
func TestWaitSale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tm, end := run(t, terminal.Config{Store: memory.New("e")}, &fakeGateway{answer: paidAnswer})
		s, _, err := tm.CreateSale(t.Context(), newSale)
		if err != nil {
			t.Fatal(err)
		}
		bounded, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if same, err := tm.WaitSale(bounded, s.ID, s.Version); err != nil || same.Version != s.Version {
			t.Errorf("time over: version %d, %v", same.Version, err)
		}
		woken := make(chan payment.Sale)
		go func() {
			for s.Status != payment.SalePaid {
				s, _ = tm.WaitSale(t.Context(), s.ID, s.Version)
			}
			woken <- s
		}()
		if _, err := tm.PresentCode(t.Context(), s.ID, code1); err != nil {
			t.Fatal(err)
		}
		if got := <-woken; got.Receipt == nil || got.Receipt.PaymentID != "P1" {
			t.Errorf("woken with %+v", got.Receipt)
		}
		if err := end(); err != nil {
			t.Error(err)
		}
	})
}

// A stop waits for a call that moves money and takes its answer in; new requests are refused meanwhile.
func TestStopAwaitsMoney(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memory.New("e")
		gateway := &fakeGateway{answer: func(ctx context.Context, c payment.Call, a payment.Attempt) payment.Verdict {
			select {
			case <-time.After(2 * time.Second):
				return paidAnswer(ctx, c, a)
			case <-ctx.Done():
				return payment.Verdict{Class: payment.ClassNoAnswer, Reason: payment.ReasonNoAnswer}
			}
		}}
		tm, end := run(t, terminal.Config{Store: store}, gateway)
		s, _, err := tm.CreateSale(t.Context(), newSale)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tm.PresentCode(t.Context(), s.ID, code1); err != nil {
			t.Fatal(err)
		}
		if err := end(); err != nil {
			t.Error(err)
		}
		if got, _ := store.Sale(s.ID); got.Status != payment.SalePaid {
			t.Errorf("after the stop the sale is %s", got.Status)
		}
		if _, err := tm.Cancel(t.Context(), s.ID); refusalCode(err) != terminal.CodeStopping {
			t.Errorf("after the stop: %v", err)
		}
	})
}

// What a customer's wallet refuses is no trouble of the gateway's.
func TestDeclineIsNoTroubleOfTheGateway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tm, end := run(t, terminal.Config{Store: memory.New("e")}, &fakeGateway{answer: func(context.Context, payment.Call, payment.Attempt) payment.Verdict {
			return payment.Verdict{Class: payment.ClassFailed, Reason: payment.ReasonInsufficientFunds, Documented: true}
		}})
		s, _, err := tm.CreateSale(t.Context(), newSale)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tm.PresentCode(t.Context(), s.ID, code1); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		status, err := tm.Status(t.Context())
		if err != nil || status.Live == nil || status.Live.LastFailure == nil || status.Gateways[0].LastReason != "" {
			t.Errorf("%v; the gateway's last trouble is %+v", err, status.Gateways)
		}
		if err := end(); err != nil {
			t.Error(err)
		}
	})
}

// Who waits for a sale is answered with it when the time is over, also where the
// loop had no time for the question.
func TestWaitEndsWithTheSale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memory.New("e")
		unresolved := payment.Sale{
			ID: "01M80DNPN8TGAS1PYN6FB30001", Key: "k", Version: 1, Status: payment.SaleUnresolved, Mode: payment.ModeScan, CreatedAt: time.Now(),
			Amount: payment.Money{Amount: 1, Currency: "CAD"}, Attempts: []payment.Attempt{{
				N: 1, RequestID: "01M80DNPN8TGAS1PYN6FB30001-1", Gateway: gatewayName, Instrument: payment.InstrumentCode,
				Status: payment.AttemptUnknown, SubmittedAt: time.Now(),
			}},
		}
		record := &payment.Record{At: time.Now(), Type: "sale.unresolved", Sale: unresolved.ID, Version: 1}
		if err := store.Commit([]payment.Change{{After: unresolved, Record: record}}); err != nil {
			t.Fatal(err)
		}
		tm, end := run(t, terminal.Config{Store: store}, &fakeGateway{})
		over, cancel := context.WithCancel(t.Context())
		cancel()
		for range 20 {
			if s, err := tm.WaitSale(over, unresolved.ID, 99); err != nil || s.ID != unresolved.ID {
				t.Fatalf("sale %q, %v", s.ID, err)
			}
		}
		if err := end(); err != nil {
			t.Error(err)
		}
	})
}

// A cancel gives up an inquiry that hangs, but never a pay.
func TestCancelGivesUpAnInquiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		givenUp := make(chan payment.CallKind, 8)
		gateway := &fakeGateway{answer: func(ctx context.Context, c payment.Call, a payment.Attempt) payment.Verdict {
			if c.Kind == payment.CallPay {
				return payment.Verdict{Class: payment.ClassPending, RequestID: a.RequestID, PaymentID: "P1"}
			}
			<-ctx.Done()
			if errors.Is(context.Cause(ctx), context.Canceled) {
				givenUp <- c.Kind
			}
			return payment.Verdict{Class: payment.ClassNoAnswer, Reason: payment.ReasonNoAnswer}
		}}
		tm, end := run(t, terminal.Config{Store: memory.New("e")}, gateway)
		s, _, err := tm.CreateSale(t.Context(), newSale)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tm.PresentCode(t.Context(), s.ID, code1); err != nil {
			t.Fatal(err)
		}
		<-time.After(1500 * time.Millisecond) // of the bubble's clock: the first inquiry hangs
		before := time.Now()
		if _, err := tm.Cancel(t.Context(), s.ID); err != nil {
			t.Fatal(err)
		}
		if kind := <-givenUp; kind != payment.CallInquire || time.Since(before) > time.Second {
			t.Errorf("%s given up after %v", kind, time.Since(before))
		}
		if err := end(); err != nil {
			t.Error(err)
		}
	})
}

// brokenStore fails from some moment on.
type brokenStore struct {
	*memory.Store
	broken bool
}

var errDisk = errors.New("input/output error")

func (s *brokenStore) Commit(c []payment.Change) error {
	if s.broken {
		return errDisk
	}
	return s.Store.Commit(c)
}

// A store that fails ends the loop. What it was to keep may be on the disk all the same: whoever waits is not told that
// nothing was changed. Who comes later is.
func TestStoreErrorEndsTheLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &brokenStore{Store: memory.New("e")}
		tm, end := run(t, terminal.Config{Store: store}, &fakeGateway{})
		store.broken = true
		if _, _, err := tm.CreateSale(t.Context(), newSale); !errors.Is(err, terminal.ErrOutcomeUnknown) || refusalCode(err) != "" {
			t.Errorf("CreateSale: %v", err)
		}
		if err := end(); !errors.Is(err, errDisk) {
			t.Errorf("Run: %v", err)
		}
		if _, _, err := tm.CreateSale(t.Context(), newSale); refusalCode(err) != terminal.CodeStopping {
			t.Errorf("CreateSale after the end: %v", err)
		}
	})
}

// The watchdog is fed by the loop, idle or not.
func TestHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		beats := 0
		_, end := run(t, terminal.Config{
			Store: memory.New("e"), Heartbeat: func() { beats++ }, HeartbeatEvery: 10 * time.Second,
		}, &fakeGateway{})
		<-time.After(65 * time.Second) // of the bubble's clock
		if err := end(); err != nil {
			t.Error(err)
		}
		if beats != 6 {
			t.Errorf("%d beats in 65 s, want 6", beats)
		}
	})
}

func refusalCode(err error) terminal.ErrorCode {
	if refused, ok := errors.AsType[*terminal.Error](err); ok {
		return refused.Code
	}
	return ""
}
