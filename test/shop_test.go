package test

import (
	"context"
	"crypto/rand"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"payscand/api/client"
	"payscand/internal/counter"
)

// patience bounds every wait. A test that reaches it has failed: nothing is proved by how long something took.
const patience = 90 * time.Second

// shop is the counter of one test, with everything that was said there.
type shop struct {
	*counter.Counter
	t   *testing.T
	ctx context.Context //nolint:containedctx // of the test, as t.Context is
	dir string

	socket, tcp *http.Client
	// gatewayForgot: the practice gateway was started again, and knows nothing of the orders before.
	gatewayForgot bool

	mu    sync.Mutex
	codes []string               // payment codes and what was scanned in their place
	heard [][]byte               // answers of the API, output of commands
	shown map[string]client.Sale // each sale as the API answered it last
}

// pendingDelay is how long the practice gateway takes over a payment that settles by itself.
const pendingDelay = "300ms"

// openShop opens a counter of its own for the test, with everything logged that can be; at the test's end it is closed
// and audited.
func openShop(t *testing.T, changes ...func(*counter.Options)) *shop {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	s := &shop{t: t, ctx: ctx, dir: shortDir(t), shown: make(map[string]client.Sale)}
	t.Cleanup(cancel)
	options := counter.Options{
		Program: program, Dir: s.dir, Host: ownHost(),
		Extra:       "[log]\nlevel = \"debug\"\n",
		SandboxArgs: []string{"--pending-delay", pendingDelay},
	}
	for _, change := range changes {
		change(&options)
	}
	c, err := counter.Open(ctx, options)
	if err != nil {
		t.Fatal(err)
	}
	s.Counter = c
	s.socket = &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true, // the daemon is killed and started again
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(s.dir, "api.sock"))
		},
	}}
	s.tcp = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	t.Cleanup(s.audit)
	return s
}

// shortDir is a folder for one test; the paths of sockets have at most 107 bytes.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ps") //nolint:usetesting // t.TempDir holds the test's name
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

var hosts atomic.Uint32

// ownHost is a loopback address that no other test uses, in this process or beside it: its first 17 bits are the
// process's, the last 6 count.
func ownHost() string {
	process := uint32(os.Getpid()) & 0x1ffff
	n := process<<6 | hosts.Add(1)&0x3f
	return fmt.Sprintf("127.%d.%d.%d", 1+n>>16, n>>8&0xff, n&0xff)
}

// must fails the test; what cannot go wrong unless the test's own ground gives way is not worth more words.
func (s *shop) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// Behaviours of the practice gateway: the last two digits of a code.
const (
	paidAtOnce      = "00"
	pendingThenPaid = "01"
	neverConfirmed  = "03"
	noBalance       = "04" // told with an order that can be asked about
	noBalanceNoID   = "05" // told without one
	answerLost      = "10"
)

// code makes an Alipay+ payment code of 18 digits that ends in the behaviour's digits.
func (s *shop) code(behaviour string) string {
	s.t.Helper()
	return s.codeOf("28", behaviour)
}

// codeOf makes a payment code that begins and ends with the given digits, and has 14 digits in between.
func (s *shop) codeOf(prefix, behaviour string) string {
	s.t.Helper()
	n, err := rand.Int(rand.Reader, big.NewInt(1e14))
	s.must(err)
	return s.secret(fmt.Sprintf("%s%014d%s", prefix, n, behaviour))
}

// secret notes a text that must not come out anywhere.
func (s *shop) secret(text string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.codes = append(s.codes, text)
	return text
}

// scan has the scanner read a code.
func (s *shop) scan(code string) {
	s.t.Helper()
	s.must(s.Scanner.Scan(s.secret(code)))
}

// sell makes a sale that waits for a scan only.
func (s *shop) sell(amount int64) client.Sale {
	s.t.Helper()
	sale, _ := s.create(rand.Text(), client.NewSale{Amount: amount, Currency: "CAD", Mode: client.ModeScan})
	return sale
}

// create makes a sale, or gets the one that was made with the key.
func (s *shop) create(key string, n client.NewSale) (sale client.Sale, replayed bool) {
	s.t.Helper()
	answer := s.call(http.MethodPost, "/v1/sales", n, withKey(key))
	replayed = answer.header.Get("Idempotency-Replayed") == "true"
	want := http.StatusCreated
	if replayed {
		want = http.StatusOK
	}
	if answer.status != want {
		s.t.Fatalf("POST /v1/sales: status %d: %s", answer.status, answer.body)
	}
	return answer.sale(), replayed
}

// pay scans a code for a sale and waits until it is paid.
func (s *shop) pay(sale client.Sale, code string) client.Sale {
	s.t.Helper()
	s.scan(code)
	return s.awaitStatus(sale.ID, client.StatusPaid)
}

// get asks for a sale.
func (s *shop) get(id string) client.Sale {
	s.t.Helper()
	return s.call(http.MethodGet, "/v1/sales/"+id, nil).expect(http.StatusOK).sale()
}

// cancel asks for the end of a sale.
func (s *shop) cancel(id string) {
	s.t.Helper()
	s.call(http.MethodPost, "/v1/sales/"+id+"/cancel", nil).expect(http.StatusAccepted)
}

// await follows a sale by long polls until it is as wanted.
func (s *shop) await(id, what string, wanted func(client.Sale) bool) client.Sale {
	s.t.Helper()
	sale := s.get(id)
	for !wanted(sale) {
		if sale.Final() {
			s.t.Fatalf("the sale is to be %s, and ended %s: %+v", what, sale.Status, sale.Attempts)
		}
		path := fmt.Sprintf("/v1/sales/%s?wait=10s&after=%d", id, sale.Version)
		sale = s.call(http.MethodGet, path, nil).expect(http.StatusOK).sale()
	}
	return sale
}

func (s *shop) awaitStatus(id string, status client.SaleStatus) client.Sale {
	s.t.Helper()
	return s.await(id, string(status), func(sale client.Sale) bool { return sale.Status == status })
}

// awaitAttempt waits until the last attempt of the sale has a status.
func (s *shop) awaitAttempt(id, status string) {
	s.t.Helper()
	s.await(id, "with attempt "+status, func(sale client.Sale) bool {
		n := len(sale.Attempts)
		return n > 0 && sale.Attempts[n-1].Status == status
	})
}

// awaitFailure waits until a sale is back where it waits for a code, because its attempt failed for a reason.
func (s *shop) awaitFailure(id, reason string) client.Sale {
	s.t.Helper()
	sale := s.await(id, "waiting for a code again", func(sale client.Sale) bool {
		return sale.Status == client.StatusAwaitingCode && sale.LastFailure != nil
	})
	if why := sale.LastFailure; why.Reason.Code != reason || why.Reason.Message == "" || why.Reason.CustomerMessage == "" {
		s.t.Errorf("the attempt failed because of %s with words: %+v", reason, why)
	}
	return sale
}

// terminal asks for the state of the terminal.
func (s *shop) terminal() client.Terminal {
	s.t.Helper()
	var state client.Terminal
	s.call(http.MethodGet, "/v1/terminal", nil).expect(http.StatusOK).decode(&state)
	return state
}

// awaitTerminal waits until the terminal is as wanted.
func (s *shop) awaitTerminal(wanted func(client.Terminal) bool) client.Terminal {
	s.t.Helper()
	s.must(s.Await(s.ctx, wanted))
	return s.terminal()
}

func (s *shop) awaitGateway(state string) {
	s.t.Helper()
	s.awaitGatewayNamed(counter.GatewayAlphaPay, state)
}

func (s *shop) awaitGatewayNamed(name, state string) client.Gateway {
	s.t.Helper()
	named := func(t client.Terminal) (g client.Gateway) {
		if n := slices.IndexFunc(t.Gateways, func(g client.Gateway) bool { return g.Name == name }); n >= 0 {
			g = t.Gateways[n]
		}
		return g
	}
	return named(s.awaitTerminal(func(t client.Terminal) bool { return named(t).State == state }))
}

func (s *shop) awaitScanner(state string) client.Scanner {
	s.t.Helper()
	return s.awaitTerminal(func(t client.Terminal) bool { return t.Scanners[0].State == state }).Scanners[0]
}

// order waits until the gateway's truth about an attempt is as wanted.
func (s *shop) order(requestID string, wanted func(counter.Order) bool) {
	s.t.Helper()
	s.eventually("order "+requestID, func() bool {
		orders, err := s.Orders()
		s.must(err)
		n := slices.IndexFunc(orders, func(o counter.Order) bool { return o.RequestID == requestID })
		return n >= 0 && wanted(orders[n])
	})
}

// expectCaptures fails unless the gateway took money for an attempt so many times.
func (s *shop) expectCaptures(requestID string, captures int) counter.Order {
	s.t.Helper()
	order, err := s.Order(requestID)
	s.must(err)
	if order.Captures != captures {
		s.t.Errorf("the gateway took the money %d times, want %d", order.Captures, captures)
	}
	return order
}

func (s *shop) eventually(what string, holds func() bool) {
	s.t.Helper()
	eventually(s.ctx, s.t, what, holds)
}

// eventually asks again and again, where nothing can be waited for.
func eventually(ctx context.Context, t *testing.T, what string, holds func() bool) {
	t.Helper()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for !holds() {
		select {
		case <-again.C:
		case <-ctx.Done():
			t.Fatalf("%s: %v", what, ctx.Err())
		}
	}
}
