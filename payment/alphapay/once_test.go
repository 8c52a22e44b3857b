package alphapay

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"payscand/payment"
	"payscand/payment/exchange/exchangetest"
)

// A pay on a kept connection that turns out to be dead is not sent again by the
// HTTP library: it is no answer, and whether to send again is Step's to say.
func TestNeverSentTwiceByItself(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	f := &fake{t: t}
	var pays, connections atomic.Int32
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			go func() {
				defer func() { _ = conn.Close() }()
				reader := bufio.NewReader(conn)
				for n := 0; ; n++ {
					r, err := http.ReadRequest(reader)
					if err != nil {
						return
					}
					if r.URL.Path == payPath {
						pays.Add(1)
					}
					if n > 0 {
						return // hangs up on the second request of a connection, unread
					}
					_, _ = io.Copy(io.Discard, r.Body)
					recorder := httptest.NewRecorder()
					body := exchangetest.Result("F", "ORDER_MISMATCH")
					f.sign(recorder, r.URL.Path, body, exchangetest.Keys().Platform)
					_, _ = io.WriteString(recorder, body)
					answer := recorder.Result()
					answer.ContentLength = int64(len(body))
					_ = answer.Write(conn)
				}
			}()
		}
	}()
	g := newGateway(t, testConfig("http://"+listener.Addr().String()))
	const rounds = 20
	for range rounds {
		if v := probe(t, g); v.Class != payment.ClassNotFound {
			t.Fatalf("probe: %+v", v)
		}
		exchangetest.AssertVerdict(t, call(t, g, testAttempt(t, g), payment.CallPay), payment.ClassNoAnswer, payment.ReasonNoAnswer)
	}
	if n := pays.Load(); n != rounds {
		t.Errorf("%d pays arrived for %d sent", n, rounds)
	}
	if n := connections.Load(); n != rounds {
		t.Errorf("%d connections for %d rounds: the pay did not ride the probe's", n, rounds)
	}
}

// brittleConn takes no further byte once it is broken.
type brittleConn struct {
	net.Conn
	broken *atomic.Bool
}

func (c brittleConn) Write(p []byte) (int, error) {
	if c.broken.Load() {
		return 0, net.ErrClosed
	}
	return c.Conn.Write(p)
}

// Not even a request of which no byte left a kept connection is sent again by the
// HTTP library, which would do so if it could rewind the body.
func TestNotRewound(t *testing.T) {
	var dialed atomic.Int32
	var broken atomic.Bool
	f, g := newFake(t, exchangetest.Always(payPending), dialing(func(ctx context.Context, network, address string) (net.Conn, error) {
		dialed.Add(1)
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		return brittleConn{conn, &broken}, err
	}))
	a := testAttempt(t, g)
	exchangetest.AssertVerdict(t, call(t, g, a, payment.CallPay), payment.ClassPending, "")
	broken.Store(true)
	exchangetest.AssertVerdict(t, call(t, g, a, payment.CallPay), payment.ClassNoAnswer, payment.ReasonNoAnswer)
	if arrived := len(f.calls()); arrived != 1 || dialed.Load() != 1 {
		t.Errorf("%d pays arrived over %d connections", arrived, dialed.Load())
	}
	broken.Store(false)
	exchangetest.AssertVerdict(t, call(t, g, a, payment.CallPay), payment.ClassPending, "")
}

// The server may also close an idle connection while the pay is on its way: the
// pay arrives once or not at all, and an answer that was not had is never guessed.
func TestConnectionClosedWhileIdle(t *testing.T) {
	f, g := newFake(t, func(path string, _ map[string]any) string {
		if path == payPath {
			return payPending
		}
		return exchangetest.Result("F", "ORDER_MISMATCH")
	})
	f.spoil = func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
		if r.URL.Path == payPath {
			return false
		}
		recorder := httptest.NewRecorder()
		body := exchangetest.Result("F", "ORDER_MISMATCH")
		f.sign(recorder, r.URL.Path, body, exchangetest.Keys().Platform)
		_, _ = io.WriteString(recorder, body)
		answer := recorder.Result()
		answer.ContentLength = int64(len(body))
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return true
		}
		var raw bytes.Buffer
		_ = answer.Write(&raw)
		_, _ = conn.Write(raw.Bytes()) // says that it keeps the connection, and hangs up
		_ = conn.Close()
		return true
	}
	for round := range 20 {
		probe(t, g)
		before := len(f.calls())
		v := call(t, g, testAttempt(t, g), payment.CallPay)
		arrived := len(f.calls()) - before
		switch {
		case v.Class == payment.ClassPending && arrived == 1:
		case v.Class == payment.ClassNoAnswer && arrived == 0: // found dead when it was written to
		default:
			t.Errorf("round %d: %s, and %d arrived", round, v.Class, arrived)
		}
	}
}
