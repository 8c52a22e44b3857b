package alphapay

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"payscand/payment"
	"payscand/payment/exchange"
	"payscand/payment/exchange/exchangetest"
)

// pipes is a listener and a dialer without a network, for fake time.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
	dialed atomic.Int32
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	p.dialed.Add(1)
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-p.closed:
		return nil, errors.New("connection refused")
	}
}

// fakeTime runs a test in a bubble of fake time, against a fake over pipes.
func fakeTime(t *testing.T, test func(t *testing.T, f *fake, g *Gateway, p *pipes)) {
	exchangetest.Keys()
	synctest.Test(t, func(t *testing.T) {
		p := newPipes()
		f := &fake{t: t, reply: exchangetest.Always(payPending)}
		server := &http.Server{Handler: f}
		go func() { _ = server.Serve(p) }()
		g := newGateway(t, testConfig("http://127.0.0.1"), dialing(p.dial))
		test(t, f, g, p)
		elapse(10 * time.Minute) // handlers that still pause
		g.Close()
		_ = server.Close()
		synctest.Wait()
	})
}

// elapse lets time go by. It is fake everywhere it is used.
func elapse(d time.Duration) { <-time.After(d) }

// An answer within 15 s counts, however slowly it comes; after that it is none.
// The caller's own end ends the wait sooner.
func TestAnswerTimeout(t *testing.T) {
	fakeTime(t, func(t *testing.T, f *fake, g *Gateway, _ *pipes) {
		var pause atomic.Int64 // a handler may outlive its call
		f.spoil = func(http.ResponseWriter, *http.Request, []byte) bool {
			elapse(time.Duration(pause.Load())) // fake time
			return false
		}
		for _, test := range []struct {
			pause  time.Duration
			class  payment.Class
			reason payment.Reason
		}{
			{14 * time.Second, payment.ClassPending, ""},
			{16 * time.Second, payment.ClassNoAnswer, payment.ReasonNoAnswer},
		} {
			pause.Store(int64(test.pause))
			start := time.Now()
			exchangetest.AssertVerdict(t, call(t, g, testAttempt(t, g), payment.CallPay), test.class, test.reason)
			if took := time.Since(start); took != min(test.pause, exchange.DefaultAnswerTimeout) {
				t.Errorf("took %v", took)
			}
			elapse(time.Minute)
		}
		pause.Store(int64(10 * time.Second))
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		r, err := g.Prepare(testSale(testAttempt(t, g)), callOf(payment.CallInquire), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		exchangetest.AssertVerdict(t, g.Send(ctx, r), payment.ClassNoAnswer, payment.ReasonNoAnswer)
	})
}

// The body of an answer has to be there within the time-out too.
func TestAnswerThatTrickles(t *testing.T) {
	fakeTime(t, func(t *testing.T, f *fake, g *Gateway, _ *pipes) {
		f.spoil = func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
			f.sign(w, r.URL.Path, payPending, exchangetest.Keys().Platform)
			for i := range payPending {
				_, _ = io.WriteString(w, payPending[i:i+1])
				_ = http.NewResponseController(w).Flush()
				elapse(time.Second)
			}
			return true
		}
		exchangetest.AssertVerdict(t, call(t, g, testAttempt(t, g), payment.CallPay), payment.ClassNoAnswer, payment.ReasonNoAnswer)
	})
}

// A connection that cannot be had within 3 s is given up, as not sent.
func TestConnectTimeout(t *testing.T) {
	exchangetest.Keys()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		g := newGateway(t, testConfig("https://127.0.0.1"), dialing(func(context.Context, string, string) (net.Conn, error) {
			<-release
			return nil, errors.New("too late")
		}))
		start := time.Now()
		exchangetest.AssertVerdict(t, call(t, g, testAttempt(t, g), payment.CallPay), payment.ClassNotSent, payment.ReasonGatewayUnreachable)
		if took := time.Since(start); took != exchange.DefaultConnectTimeout {
			t.Errorf("took %v", took)
		}
		close(release)
		synctest.Wait()
	})
}

// A TLS handshake that does not end is not sent either, within the same 3 s.
func TestHandshakeTimeout(t *testing.T) {
	exchangetest.Keys()
	synctest.Test(t, func(t *testing.T) {
		silent := make(chan net.Conn, 1)
		g := newGateway(t, testConfig("https://127.0.0.1"), dialing(func(context.Context, string, string) (net.Conn, error) {
			elapse(2 * time.Second)
			ours, theirs := net.Pipe()
			silent <- theirs
			go func() { _, _ = io.Copy(io.Discard, theirs) }()
			return ours, nil
		}))
		start := time.Now()
		exchangetest.AssertVerdict(t, call(t, g, testAttempt(t, g), payment.CallPay), payment.ClassNotSent, payment.ReasonGatewayUnreachable)
		if took := time.Since(start); took != exchange.DefaultConnectTimeout {
			t.Errorf("took %v", took)
		}
		elapse(time.Minute) // the handshake's own bound
		_ = (<-silent).Close()
		synctest.Wait()
	})
}

// No call rides a connection that was idle for over 10 s; within them it does.
func TestIdleConnections(t *testing.T) {
	fakeTime(t, func(t *testing.T, _ *fake, g *Gateway, p *pipes) {
		for _, test := range []struct {
			idle time.Duration
			want int32 // connections so far
		}{{0, 1}, {9 * time.Second, 1}, {9900 * time.Millisecond, 1}, {10100 * time.Millisecond, 2}, {time.Hour, 3}} {
			elapse(test.idle)
			exchangetest.AssertVerdict(t, call(t, g, testAttempt(t, g), payment.CallPay), payment.ClassPending, "")
			if got := p.dialed.Load(); got != test.want {
				t.Errorf("after %v idle: %d connections, want %d", test.idle, got, test.want)
			}
		}
	})
}
