package display

import (
	"testing"
	"testing/synctest"
	"time"

	"payscand/payment"
)

func qrUntil(at time.Time) Screen {
	return Screen{Kind: KindQR, Amount: money, QR: someQR, Until: at, Then: KindWait}
}

func pending(c <-chan struct{}) bool {
	select {
	case _, open := <-c:
		return open
	default:
		return false
	}
}

// A board asks for patience until the first screen, and each screen has a version of its own; the same screen again is
// no change.
func TestBoardShows(t *testing.T) {
	b := NewBoard()
	if got := b.Current(); got.Screen != (Screen{Kind: KindWait}) {
		t.Fatalf("at first: %+v", got)
	}
	changed, stop := b.Subscribe()
	defer stop()
	b.Show(Screen{Kind: KindIdle}, noon)
	first := b.Current()
	if first.Screen.Kind != KindIdle || first.Left != 0 || !pending(changed) {
		t.Fatalf("shown: %+v", first)
	}
	b.Show(Screen{Kind: KindIdle}, noon.Add(time.Hour))
	if again := b.Current(); again.Version != first.Version || pending(changed) {
		t.Fatalf("the same again: %+v", again)
	}
	b.Show(Screen{Kind: KindAmount, Amount: money}, noon)
	if next := b.Current(); next.Version != first.Version+1 {
		t.Fatalf("the next: %+v", next)
	}
}

// An output that does not read holds nobody up, and then finds the last screen with one look.
func TestBoardKeepsOnlyTheLast(t *testing.T) {
	b := NewBoard()
	changed, stop := b.Subscribe()
	for amount := range int64(1000) {
		b.Show(Screen{Kind: KindAmount, Amount: payment.Money{Amount: amount, Currency: "CAD"}}, noon)
	}
	if !pending(changed) || pending(changed) {
		t.Error("there is not exactly one value waiting")
	}
	if got := b.Current().Screen.Amount.Amount; got != 999 {
		t.Errorf("the last screen is %d", got)
	}
	stop()
	b.Show(Screen{Kind: KindIdle}, noon)
	if pending(changed) {
		t.Error("told after stop")
	}
}

// M8: a QR gives way at its time by itself and tells the outputs; what is left is counted from the time that the screen
// was made by, whatever the machine's clock says. Time is synctest's.
func TestBoardTakesTheQRDownInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBoard()
		changed, stop := b.Subscribe()
		defer stop()
		b.Show(qrUntil(noon.Add(90*time.Second)), noon) // noon is not this clock's
		<-changed
		<-time.After(89 * time.Second) // of a fake clock
		if got := b.Current(); got.Screen.Kind != KindQR || got.Left != time.Second {
			t.Errorf("before its end: %+v", got)
		}
		<-changed // comes after the last second, without anybody asking
		if got := b.Current(); got.Screen != (Screen{Kind: KindWait, Amount: money}) || got.Left != 0 {
			t.Errorf("after its end: %+v", got)
		}
	})
}

// A screen whose time is over when it is put up is never seen, and a new one ends the old one's time.
func TestBoardNewScreenEndsTheOldTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBoard()
		b.Show(qrUntil(noon), noon)
		if got := b.Current().Screen; got != (Screen{Kind: KindWait, Amount: money}) {
			t.Errorf("a QR that is over: %+v", got)
		}
		b.Show(qrUntil(noon.Add(time.Second)), noon)
		b.Show(Screen{Kind: KindProcessing, Amount: money}, noon)
		<-time.After(time.Minute) // of a fake clock
		synctest.Wait()
		if got := b.Current().Screen.Kind; got != KindProcessing {
			t.Errorf("the old screen's end changed the new one to %s", got)
		}
	})
}

// Close ends subscriptions, also those that come after it, and a QR still goes in time.
func TestBoardClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBoard()
		b.Show(qrUntil(noon.Add(time.Second)), noon)
		before, stop := b.Subscribe()
		defer stop()
		b.Close()
		after, stopAfter := b.Subscribe()
		defer stopAfter()
		for _, c := range []<-chan struct{}{before, after} {
			if _, open := <-c; open {
				t.Error("a subscription outlives Close")
			}
		}
		<-time.After(time.Second) // of a fake clock
		if got := b.Current().Screen.Kind; got != KindWait {
			t.Errorf("after its end the QR is %s", got)
		}
		b.Show(Screen{Kind: KindIdle}, noon)
		b.Close()
	})
}
