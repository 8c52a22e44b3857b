package client_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"payscand/api"
	"payscand/api/client"
	"payscand/device"
	"payscand/payment"
	"payscand/store"
	"payscand/terminal"
)

// shop is a whole terminal in one process, on the clock of its bubble: API,
// terminal, database on disk, and a gateway that answers by the sale's amount.
type shop struct {
	dir     string
	network network
	gateway *gateway

	db   *store.DB
	stop func(*testing.T)
}

// open starts the terminal on what the database holds and lets it be called.
func (s *shop) open(t *testing.T) {
	t.Helper()
	db, err := store.Open(filepath.Join(s.dir, "payscand.db"))
	if err != nil {
		t.Fatal(err)
	}
	ready := make(chan struct{})
	policy := payment.DefaultPolicy()
	policy.Routes = []payment.Route{{Gateway: s.gateway.Name()}}
	tm, err := terminal.New(terminal.Config{
		Code: "L1", Store: db, Gateways: []payment.Gateway{s.gateway}, Policy: policy, Rules: payment.DefaultCodeRules(),
		Arming: new(device.Arming), Log: slog.New(slog.DiscardHandler), Ready: func() { close(ready) },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- tm.Run(ctx) }()
	<-ready
	tokens, err := api.OpenTokens(filepath.Join(s.dir, "tokens"))
	if err != nil {
		t.Fatal(err)
	}
	server, err := api.NewServer(api.Config{Terminal: tm, Words: words, Tokens: tokens, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	listener := &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
	h := server.HTTPServer(server.SocketHandler())
	served := make(chan error, 1)
	go func() { served <- h.Serve(listener) }()
	s.network.set(listener)
	s.db = db
	synctest.Wait() // the gateway is proved
	s.stop = func(t *testing.T) {
		t.Helper()
		s.stop = func(*testing.T) {}
		s.network.set(nil)
		server.StopWaiting()
		if err := h.Shutdown(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
		cancel()
		if err := errors.Join(<-ended, db.Close()); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	}
}

func words(r payment.Reason, refund bool) (message, customerMessage string) {
	if refund {
		return "refund, cashier: " + string(r), "refund, customer: " + string(r)
	}
	return "cashier: " + string(r), "customer: " + string(r)
}

// network carries connections to whatever terminal is up.
type network struct {
	mu       sync.Mutex
	listener *pipeListener
}

func (n *network) set(l *pipeListener) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.listener = l
}

// client returns one that calls over the network. cut says after how many bytes
// the terminal's answers on a new connection break off; 0: never.
func (n *network) client(t *testing.T, cut func() int) *client.Client {
	t.Helper()
	c, err := client.New("http://127.0.0.1:1", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	c.SetTransport(&http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		n.mu.Lock()
		l := n.listener
		n.mu.Unlock()
		if l == nil {
			return nil, syscall.ECONNREFUSED
		}
		ours, theirs := net.Pipe()
		if most := cut(); most > 0 {
			theirs = &cutConn{Conn: theirs, left: most}
		}
		select {
		case l.conns <- theirs:
			return ours, nil
		case <-l.done:
			return nil, syscall.ECONNREFUSED
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}})
	return c
}

// cutConn breaks after so many bytes were written.
type cutConn struct {
	net.Conn
	left int
}

func (c *cutConn) Write(b []byte) (int, error) {
	if len(b) <= c.left {
		c.left -= len(b)
		return c.Conn.Write(b)
	}
	n, _ := c.Conn.Write(b[:c.left])
	c.left = 0
	_ = c.Conn.Close()
	return n, io.ErrClosedPipe
}

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

// What the gateway does with an order, by the last digit of its amount.
const (
	paysAtOnce = iota
	declines
	paysAfterAWhile
	waitsForever // until it is cancelled
	losesTheAnswer
	behaviours
)

// gateway answers calls by the amount of the sale, at its own pace.
type gateway struct {
	mu        sync.Mutex
	random    *rand.Rand
	inquiries map[string]int // by request id
}

func (*gateway) Name() string { return "practice" }
func (*gateway) Traits() payment.Traits {
	return payment.Traits{IdempotentPay: true, InquireByRequestID: true}
}

func (*gateway) Compose(s payment.Sale, _ payment.Attempt) (payment.Intent, error) {
	return payment.Intent{Head: strconv.FormatInt(s.Amount.Amount, 10)}, nil
}

type order struct {
	call    payment.Call
	attempt payment.Attempt
	refund  payment.Refund
}

func (*gateway) Prepare(s payment.Sale, c payment.Call, _ time.Time) (payment.Request, error) {
	o := order{call: c}
	if a := s.Attempt(c.Attempt); a != nil {
		o.attempt = *a
	}
	if c.Refund > 0 {
		o.refund = s.Refunds[c.Refund-1]
	}
	return o, nil
}

func (g *gateway) Send(ctx context.Context, r payment.Request) payment.Verdict {
	o := r.(order)
	g.mu.Lock()
	pace := time.Duration(g.random.Int64N(int64(time.Second)))
	g.mu.Unlock()
	select {
	case <-time.After(pace):
	case <-ctx.Done():
		return payment.Verdict{Class: payment.ClassNoAnswer, Reason: payment.ReasonNoAnswer}
	}
	return g.answer(o)
}

func (g *gateway) answer(o order) payment.Verdict {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch o.call.Kind {
	case payment.CallProbe:
		return payment.Verdict{Class: payment.ClassNotFound}
	case payment.CallRefund: // first it is only taken
		return payment.Verdict{Class: payment.ClassAccepted, RequestID: o.refund.RequestID, RefundID: "R" + o.refund.RequestID}
	case payment.CallInquireRefund:
		return payment.Verdict{
			Class: payment.ClassRefunded, RequestID: o.refund.RequestID, RefundID: "R" + o.refund.RequestID, Amount: o.refund.Amount,
		}
	}
	amount, _ := strconv.ParseInt(o.attempt.Intent.Head, 10, 64)
	id := o.attempt.RequestID
	v := payment.Verdict{
		RequestID: id, PaymentID: "P" + id, Amount: payment.Money{Amount: amount, Currency: "CAD"},
		QR: &payment.QR{Payload: "https://pay.example/" + id},
	}
	inquiry := o.call.Kind == payment.CallInquire
	if inquiry {
		g.inquiries[id]++
	}
	switch behaviour := amount % 10; {
	case o.call.Kind == payment.CallCancel:
		v.Class = payment.ClassCancelAccepted
	case behaviour == declines:
		v.Class, v.Reason, v.GatewayCode = payment.ClassFailed, payment.ReasonInsufficientFunds, "USER_BALANCE_NOT_ENOUGH"
	case behaviour == losesTheAnswer && !inquiry:
		return payment.Verdict{Class: payment.ClassNoAnswer, Reason: payment.ReasonNoAnswer}
	case behaviour == waitsForever && g.inquiries[id] > 8: // and cancelled meanwhile
		v.Class, v.Reason = payment.ClassClosed, payment.ReasonCancelled
	case behaviour == waitsForever, behaviour == paysAfterAWhile && g.inquiries[id] < 2:
		v.Class = payment.ClassPending
	default:
		v.Class = payment.ClassPaid
	}
	return v
}
