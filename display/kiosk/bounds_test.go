package kiosk

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"payscand/display"
)

// pipes accepts the server's ends of connections in memory, on the bubble's clock.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	conn, open := <-p
	if !open {
		return nil, net.ErrClosed
	}
	return conn, nil
}
func (p pipes) Close() error   { return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// connect returns a connection to a server as the daemon runs it; it lasts until the test's end.
func connect(t *testing.T) net.Conn {
	t.Helper()
	s, err := New(Config{Board: display.NewBoard(), Languages: display.Languages()})
	if err != nil {
		t.Fatal(err)
	}
	listener, server := make(pipes), s.HTTPServer()
	go func() { _ = server.Serve(listener) }()
	ours, theirs := net.Pipe()
	listener <- theirs
	t.Cleanup(func() {
		_ = ours.Close()
		close(listener)
		_ = s.Close()
		_ = server.Close()
		synctest.Wait()
	})
	return ours
}

// Nobody holds a connection for ever: not with a head or a body that does not come, and not by taking nothing in.
func TestStuckConnectionsEnd(t *testing.T) {
	const rest = " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"
	for sent, within := range map[string]time.Duration{
		"GET / HTTP/1.1\r\nHost": 5 * time.Second,
		"POST /" + rest:          bodyBound,
		"GET /" + rest:           bodyBound,
		"GET /nowhere" + rest:    bodyBound,
	} {
		synctest.Test(t, func(t *testing.T) {
			conn, began := connect(t), time.Now()
			go func() { _, _ = io.WriteString(conn, sent) }()
			ended := make(chan struct{})
			go func() { _, _ = io.Copy(io.Discard, conn); close(ended) }()
			select {
			case <-ended:
			case <-time.After(time.Hour):
			}
			if took := time.Since(began); took > within+time.Second {
				t.Errorf("%q held a connection for %s", sent, took)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		conn, began := connect(t), time.Now()
		const ask = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
		for { // asks until the server is stuck with an answer, and then until it has given up
			_ = conn.SetWriteDeadline(time.Now().Add(time.Hour))
			if _, err := io.WriteString(conn, ask); err != nil {
				break
			}
		}
		if took := time.Since(began); took > answerBound+time.Second {
			t.Errorf("an answer that nobody takes in held a connection for %s", took)
		}
	})
}

// The bounds of all else do not end a stream.
func TestStreamOutlastsTheBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := connect(t)
		go func() { _, _ = io.WriteString(conn, "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n") }()
		var heard strings.Builder
		_ = conn.SetReadDeadline(time.Now().Add(5 * time.Minute))
		_, _ = io.Copy(&heard, conn)
		if events := strings.Count(heard.String(), "data: "); events < 150 {
			t.Errorf("%d events in 5 minutes", events)
		}
	})
}

// QRs are drawn one at a time, whoever asks: the memory of many large ones at once would have no bound. A QR that left
// the screen meanwhile is not drawn any more, and who went away takes no turn.
func TestQRsAreDrawnInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		board := display.NewBoard()
		s, err := New(Config{Board: board, Languages: display.Languages()})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		board.Show(qrScreen(someQR, time.Now().Add(time.Minute)), time.Now())
		ctx, leave := context.WithCancel(t.Context())
		ask := func(ctx context.Context) <-chan *httptest.ResponseRecorder {
			answers := make(chan *httptest.ResponseRecorder, 1)
			r := httptest.NewRequest(http.MethodGet, "http://localhost/qr/"+s.qrName(someQR), nil).WithContext(ctx)
			go func() {
				w := httptest.NewRecorder()
				s.Handler().ServeHTTP(w, r)
				answers <- w
			}()
			return answers
		}
		s.drawing <- struct{}{} // somebody draws
		late, gone := ask(t.Context()), ask(ctx)
		synctest.Wait()
		if len(late)+len(gone) != 0 {
			t.Error("two are drawn at a time")
		}
		leave()
		if w := <-gone; w.Body.Len() != 0 {
			t.Errorf("who went away was answered: %d bytes", w.Body.Len())
		}
		<-time.After(time.Minute) // the QR's time is over
		<-s.drawing
		if w := <-late; w.Code != http.StatusGone {
			t.Errorf("a QR that left the screen: status %d", w.Code)
		}
		board.Show(qrScreen(someQR, time.Now().Add(time.Minute)), time.Now())
		for range 2 {
			if w := <-ask(t.Context()); w.Code != http.StatusOK || w.Body.Len() == 0 {
				t.Errorf("the place was not given back: status %d", w.Code)
			}
		}
	})
}
