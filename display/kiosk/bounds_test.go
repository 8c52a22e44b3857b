package kiosk

import (
	"io"
	"net"
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
