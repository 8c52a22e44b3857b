package display

import (
	"sync"
	"time"
)

// Board holds the screen that is up and tells the outputs when another one is. It has no queue: an output that is slow
// misses screens, never the last one. Its methods may be called from any goroutine and never wait for an output.
type Board struct {
	mu      sync.Mutex
	screen  Screen
	version uint64
	// ends is when the screen gives way, on the monotonic clock, and wallEnds on the wall clock; zero: it stays.
	ends, wallEnds time.Time

	timer   *time.Timer
	changed map[chan struct{}]struct{}
	closed  bool
}

// Shown is the screen that is up.
type Shown struct {
	Screen Screen
	// Version rises by one with every screen.
	Version uint64
	// Left is the time until the screen gives way by itself, above 0; 0: it stays.
	Left time.Duration
}

// NewBoard returns a board that asks for patience until the first Show.
func NewBoard() *Board {
	return &Board{screen: Screen{Kind: KindWait}, version: 1, changed: make(map[chan struct{}]struct{})}
}

// Show puts a screen up. now is the time by which it was made: what is left until s.Until is counted from it on a clock
// that does not jump.
func (b *Board) Show(s Screen, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.giveWay()
	if s = s.At(now); s == b.screen {
		return
	}
	b.put(s, s.Until.Sub(now))
}

// Current returns the screen that is up.
func (b *Board) Current() Shown {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.giveWay()
	shown := Shown{Screen: b.screen, Version: b.version}
	if !b.ends.IsZero() {
		shown.Left = b.ends.Sub(now)
	}
	return shown
}

// Subscribe returns a channel that gets a value, or keeps the one it has, whenever Current may return another screen
// than before; Close closes it. stop ends the subscription.
func (b *Board) Subscribe() (changed <-chan struct{}, stop func()) {
	c := make(chan struct{}, 1)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		close(c)
		return c, func() {}
	}
	b.changed[c] = struct{}{}
	return c, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.changed, c)
	}
}

// Close ends every subscription. Current goes on to tell the screen.
func (b *Board) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	for c := range b.changed {
		close(c)
	}
	clear(b.changed)
	b.stopTimer()
}

// put makes the screen the one that is up. left counts only if the screen has an end.
func (b *Board) put(s Screen, left time.Duration) {
	b.screen = s
	b.version++
	b.stopTimer()
	b.ends, b.wallEnds = time.Time{}, time.Time{}
	if !s.Until.IsZero() {
		b.ends = time.Now().Add(left)
		b.wallEnds = b.ends.Round(0)
	}
	if !b.ends.IsZero() && !b.closed {
		b.timer = time.AfterFunc(left, func() { b.Current() })
	}
	for c := range b.changed {
		select {
		case c <- struct{}{}:
		default: // it has not seen the last one yet
		}
	}
}

// giveWay lets the next screen in if the time of this one is over, and returns the time. The wall clock counts too:
// while the machine slept, the monotonic one stood still and the gateway's did not.
func (b *Board) giveWay() time.Time {
	now := time.Now()
	if !b.ends.IsZero() && (!now.Before(b.ends) || !now.Round(0).Before(b.wallEnds)) {
		b.put(b.screen.after(), 0)
	}
	return now
}

func (b *Board) stopTimer() {
	if b.timer != nil {
		b.timer.Stop()
		b.timer = nil
	}
}
