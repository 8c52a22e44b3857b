package kiosk

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"payscand/display"
)

// fakePage takes events in, and notes when each came.
type fakePage struct {
	header    http.Header
	broken    atomic.Bool
	deadlines []time.Time
	cameAt    []time.Duration
	start     time.Time
	last      bytes.Buffer
}

func (p *fakePage) Header() http.Header { return p.header }
func (p *fakePage) WriteHeader(int)     {}
func (p *fakePage) Flush()              { p.cameAt = append(p.cameAt, time.Since(p.start)) }

func (p *fakePage) Write(b []byte) (int, error) {
	if p.broken.Load() {
		return 0, errors.New("the page takes nothing in")
	}
	p.last.Reset()
	return p.last.Write(b)
}

func (p *fakePage) SetWriteDeadline(at time.Time) error {
	p.deadlines = append(p.deadlines, at)
	return nil
}

// watch runs a stream in a bubble's time; ended is closed when it is over.
func watch(ctx context.Context, t *testing.T) (p *fakePage, board *display.Board, ended chan struct{}) {
	t.Helper()
	board = display.NewBoard()
	s, err := New(Config{Board: board, Languages: display.Languages()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	p = &fakePage{header: make(http.Header), start: time.Now()}
	ended = make(chan struct{})
	r := httptest.NewRequest(http.MethodGet, "http://localhost/events", nil).WithContext(ctx)
	go func() {
		defer close(ended)
		s.Handler().ServeHTTP(p, r)
	}()
	synctest.Wait()
	return p, board, ended
}

// The screen comes at once, then every 2 s for as long as the page is there: one that hears nothing for 5 s knows that
// the daemon is gone. No write may take longer than 4 s. Time is synctest's.
func TestHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, leave := context.WithCancel(t.Context())
		p, _, ended := watch(ctx, t)
		<-time.After(61 * time.Second)
		leave()
		<-ended
		if len(p.cameAt) != 31 {
			t.Fatalf("%d events in 61 s", len(p.cameAt))
		}
		for i, at := range p.cameAt {
			if at != time.Duration(i)*2*time.Second {
				t.Fatalf("event %d came after %s", i, at)
			}
			if bound := p.deadlines[i].Sub(p.start) - at; bound != writeBound {
				t.Fatalf("event %d had %s to be written", i, bound)
			}
		}
	})
}

// A change does not wait for a heartbeat, and the end of a QR's time is one.
func TestChangesComeAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, leave := context.WithCancel(t.Context())
		p, board, ended := watch(ctx, t)
		<-time.After(500 * time.Millisecond)
		board.Show(qrScreen(someQR, time.Now().Add(700*time.Millisecond)), time.Now())
		<-time.After(time.Second)
		leave()
		<-ended
		want := []time.Duration{0, 500 * time.Millisecond, 1200 * time.Millisecond}
		if len(p.cameAt) != 3 || p.cameAt[1] != want[1] || p.cameAt[2] != want[2] {
			t.Errorf("events came after %v, want %v", p.cameAt, want)
		}
		if bytes.Contains(p.last.Bytes(), []byte("/qr/")) {
			t.Errorf("the last event has a QR: %s", &p.last)
		}
	})
}

// A page that takes nothing in loses its stream, and its place.
func TestStuckPageIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _, ended := watch(t.Context(), t)
		p.broken.Store(true)
		<-time.After(heartbeat)
		synctest.Wait()
		select {
		case <-ended:
		default:
			t.Error("the stream goes on")
		}
	})
}
