package terminal_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"payscand/device"
	"payscand/payment"
	"payscand/store/memory"
	"payscand/terminal"
)

// fakeScanner is a scanner that a test plugs, unplugs and scans with. It is the
// real Reporter that tells what it does.
type fakeScanner struct {
	*device.Reporter
	sink chan device.Sink
}

func newFakeScanner() *fakeScanner {
	return &fakeScanner{device.NewReporter("fake", ""), make(chan device.Sink, 1)}
}

func (s *fakeScanner) Run(ctx context.Context, sink device.Sink) {
	s.Enter(sink, device.StateReady, "", time.Now())
	s.sink <- sink
	<-ctx.Done()
	s.Stop(time.Now())
}

// M9: a sale in auto mode moves to the QR as soon as the last scanner is lost, and
// not while another one is ready.
func TestM9LastScannerLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := newFakeScanner(), newFakeScanner()
		tm, end := run(t, terminal.Config{Store: memory.New("e"), Scanners: []device.Scanner{first, second}}, &fakeGateway{})
		auto := newSale
		auto.Mode = payment.ModeAuto
		s, _, err := tm.CreateSale(t.Context(), auto)
		if err != nil {
			t.Fatal(err)
		}
		status := func() payment.SaleStatus {
			synctest.Wait()
			now, err := tm.Sale(t.Context(), s.ID)
			if err != nil {
				t.Fatal(err)
			}
			return now.Status
		}
		before := time.Now()
		first.Enter(<-first.sink, device.StateMissing, "unplugged", time.Now())
		if got := status(); got != payment.SaleAwaitingCode {
			t.Errorf("with a scanner left the sale is %s", got)
		}
		second.Enter(<-second.sink, device.StateFailed, "broken", time.Now())
		if got := status(); got != payment.SaleShowingQR {
			t.Errorf("without a scanner the sale is %s", got)
		}
		if waited := time.Since(before); waited > 0 {
			t.Errorf("the customer waited %v", waited)
		}
		_ = end()
	})
}

// A damaged scan is told to the customer whose sale is armed, counted and given a
// reason; one that began before is only counted. No sale changes (M10).
func TestDamagedScanIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		scanner, arming := newFakeScanner(), new(device.Arming)
		var last terminal.Scene
		tm, end := run(t, terminal.Config{
			Store: memory.New("e"), Scanners: []device.Scanner{scanner}, Arming: arming,
			Show: func(_ payment.Sale, scene terminal.Scene, _ time.Time) { last = scene },
		}, &fakeGateway{})
		s, _, err := tm.CreateSale(t.Context(), newSale)
		if err != nil {
			t.Fatal(err)
		}
		sink := <-scanner.sink
		damage := func(token uint64) terminal.Scene {
			scanner.Frame(sink, device.Frame{Kind: device.FrameDamaged, Problem: device.Problem{
				Kind: device.ProblemIncomplete, Device: "fake", At: time.Now(), Arming: token,
			}})
			synctest.Wait()
			return last
		}
		if scene := damage(arming.Token() - 1); !scene.DamagedAt.IsZero() {
			t.Errorf("a scan of before is told: %+v", scene)
		}
		if scene := damage(arming.Token()); scene.DamagedAt.IsZero() {
			t.Error("a damaged scan is not told")
		}
		status, err := tm.Status(t.Context())
		if err != nil || status.RefusedScans != 2 || status.LastRefusedScan.Reason != payment.ReasonScanDamaged {
			t.Errorf("status %+v, %v", status.LastRefusedScan, err)
		}
		if now, _ := tm.Sale(t.Context(), s.ID); now.Version != s.Version {
			t.Errorf("the sale changed: %+v", now)
		}
		if _, err := tm.Cancel(t.Context(), s.ID); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if !last.DamagedAt.IsZero() {
			t.Errorf("it is still told once nobody is armed: %+v", last)
		}
		_ = end()
	})
}
