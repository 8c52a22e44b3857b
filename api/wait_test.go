package api_test

import (
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"payscand/api"
	"payscand/api/client"
)

// A long poll is answered by the change it waits for.
func TestWaitForChange(t *testing.T) {
	c := serve(t)
	c.terminal.waits = make(chan struct{}, 1)
	answered := make(chan answer)
	go func() { answered <- c.send(t, "GET", "/v1/sales/"+saleID+"?wait=60s&after=7", "") }()
	<-c.terminal.waits
	c.terminal.advance()
	if a := <-answered; a.StatusCode != 200 || !strings.Contains(a.body, `"version":8`) {
		t.Error(a.raw())
	}
}

// A stopping server answers those that wait with the sale as it is, those that
// come later at once, and is not ready.
func TestStopWaiting(t *testing.T) {
	c := serve(t)
	c.terminal.waits = make(chan struct{}, 1)
	answered := make(chan answer)
	go func() { answered <- c.send(t, "GET", "/v1/sales/"+saleID+"?wait=60s&after=7", "") }()
	<-c.terminal.waits
	c.server.StopWaiting()
	later := c.send(t, "GET", "/v1/sales/"+saleID+"?wait=60s&after=7", "")
	for _, a := range []answer{<-answered, later} {
		if a.StatusCode != 200 || !strings.Contains(a.body, `"version":7`) {
			t.Error(a.raw())
		}
	}
	if got := problemOf(t, c.send(t, "GET", "/readyz", "")); got.Code != client.CodeStopping {
		t.Errorf("readyz: %+v", got)
	}
	if a := c.send(t, "GET", "/healthz", ""); a.StatusCode != 200 {
		t.Errorf("healthz: %s", a.raw())
	}
}

// At most 64 wait at once; the next is told to ask without waiting, and may.
func TestTooManyWaiting(t *testing.T) {
	c := serve(t)
	c.terminal.waits = make(chan struct{}, 64)
	var done sync.WaitGroup
	for range 64 {
		done.Go(func() {
			if a := c.send(t, "GET", "/v1/sales/"+saleID+"?wait=60s&after=7", ""); a.StatusCode != 200 {
				t.Error(a.raw())
			}
		})
	}
	for range 64 {
		<-c.terminal.waits
	}
	a := c.send(t, "GET", "/v1/sales/"+saleID+"?wait=60s&after=7", "")
	if got := problemOf(t, a); got.Code != client.CodeTooManyWaiting || a.Header.Get("Retry-After") == "" {
		t.Error(a.raw())
	}
	if a := c.send(t, "GET", "/v1/sales/"+saleID, ""); a.StatusCode != 200 {
		t.Error(a.raw())
	}
	c.terminal.advance()
	done.Wait()
	if a := c.send(t, "GET", "/v1/sales/"+saleID+"?wait=60s&after=7", ""); a.StatusCode != 200 {
		t.Errorf("places were not given back: %s", a.raw())
	}
}

// pipeListener accepts the server's ends of in-memory connections, which have a
// fake clock in a synctest bubble.
type pipeListener struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}
func (l *pipeListener) Close() error   { l.once.Do(func() { close(l.done) }); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

// servePipes serves on the bubble's clock; dial returns one more connection.
func servePipes(t *testing.T) (fake *fakeTerminal, server *api.Server, dial func() net.Conn) {
	t.Helper()
	tokens, err := api.OpenTokens(filepath.Join(t.TempDir(), "tokens"))
	if err != nil {
		t.Fatal(err)
	}
	fake = newFake()
	server, err = api.NewServer(api.Config{Terminal: fake, Words: words, Tokens: tokens})
	if err != nil {
		t.Fatal(err)
	}
	listener := &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
	run(t, server.HTTPServer(server.SocketHandler()), listener)
	return fake, server, func() net.Conn {
		ours, theirs := net.Pipe()
		listener.conns <- theirs
		t.Cleanup(func() { _ = ours.Close() })
		return ours
	}
}

// servePipe serves one connection on the bubble's clock.
func servePipe(t *testing.T) (*fakeTerminal, net.Conn) {
	t.Helper()
	fake, _, dial := servePipes(t)
	return fake, dial()
}

// A long poll of 60 s, longer than any other time-out of the server, is answered
// when its wait is over, with the sale as it is.
func TestWaitToTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, conn := servePipe(t)
		began := time.Now()
		response := exchange(t, conn, "GET /v1/sales/"+saleID+"?wait=60s&after=7 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		if !strings.HasPrefix(response, "HTTP/1.1 200 ") || !strings.Contains(response, `"version":7`) {
			t.Errorf("answer %s", response)
		}
		if waited := time.Since(began); waited != time.Minute {
			t.Errorf("answered after %s", waited)
		}
	})
}

// A body that does not come is given up after 10 s, a head after 5 s: nobody can
// hold a connection for ever, whatever the call, with or without a token.
func TestSlowRequests(t *testing.T) {
	const rest = " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n"
	const head = "POST /v1/sales/" + saleID + "/code" + rest
	for _, test := range []struct {
		sent, answer string
		after        time.Duration
	}{
		{head + "\r\n" + `{"code":"28`, "HTTP/1.1 408 ", 10 * time.Second},
		{head + "Authorization: Bearer wrong\r\n\r\n" + `{"code":"28`, "HTTP/1.1 401 ", 10 * time.Second},
		{"POST /v1/nothing" + rest + "\r\n{", "HTTP/1.1 404 ", 10 * time.Second},
		{"GET /v1/terminal" + rest + "\r\n{", "HTTP/1.1 408 ", 10 * time.Second},
		{"GET /docs" + rest + "\r\n{", "HTTP/1.1 408 ", 10 * time.Second},
		{head[:40], "", 5 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			fake, conn := servePipe(t)
			began := time.Now()
			response := exchange(t, conn, test.sent)
			if !strings.HasPrefix(response, test.answer) || time.Since(began) < test.after || time.Since(began) > test.after+time.Second {
				t.Errorf("after %s: %q", time.Since(began), response)
			}
			if fake.changes() != 0 {
				t.Error("the terminal was asked")
			}
		})
	}
}

// exchange sends a request and returns all that comes back until the server closes.
func exchange(t *testing.T, conn net.Conn, request string) string {
	t.Helper()
	go func() { _, _ = conn.Write([]byte(request)) }()
	var all strings.Builder
	b := make([]byte, 4096)
	for {
		n, err := conn.Read(b)
		all.Write(b[:n])
		if err != nil {
			return all.String()
		}
	}
}
