package api_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"payscand/api"
	"payscand/device"
	"payscand/payment"
	"payscand/terminal"
)

const (
	saleID = "01K9ZJ5Y7T3N8QW2R6V4X0M1BC"
	noSale = "01K9ZJ5Y7T3N8QW2R6V4X0M1BD"
)

// fakeTerminal answers with one sale, or with err, and keeps what it was asked.
type fakeTerminal struct {
	mu        sync.Mutex
	sale      payment.Sale
	status    terminal.Status
	err       error
	byKey     map[string]terminal.NewSale
	created   []terminal.NewSale
	codes     []string
	refunds   []terminal.NewRefund
	elsewhere []terminal.RefundElsewhere
	decided   []payment.Resolved
	queries   []payment.SaleQuery
	page      payment.SalePage
	calls     []string
	// waits, when not nil, hears of each WaitSale that began to wait.
	waits   chan struct{}
	changed chan struct{} // closed when sale changes
	panics  any
	journal fakeJournal
}

func newFake() *fakeTerminal {
	return &fakeTerminal{sale: wholeSale(), status: wholeStatus(), byKey: make(map[string]terminal.NewSale), changed: make(chan struct{})}
}

func (f *fakeTerminal) enter(call, id string) (payment.Sale, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, call)
	if f.panics != nil {
		panic(f.panics)
	}
	if f.err != nil {
		return payment.Sale{}, f.err
	}
	if id != "" && id != saleID {
		// As a careless terminal would: the id in both message and Sale.
		return payment.Sale{}, &terminal.Error{Code: terminal.CodeNotFound, Message: "no sale " + id, Sale: id}
	}
	return f.sale, nil
}

func (f *fakeTerminal) CreateSale(_ context.Context, wanted terminal.NewSale) (payment.Sale, bool, error) {
	sale, err := f.enter("create", "")
	if err != nil {
		return payment.Sale{}, false, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.created = append(f.created, wanted)
	before, replayed := f.byKey[wanted.Key]
	if replayed && before.Digest != wanted.Digest {
		return payment.Sale{}, false, &terminal.Error{Code: terminal.CodeKeyReused, Message: "the key came with another sale", Sale: saleID}
	}
	f.byKey[wanted.Key] = wanted
	return sale, replayed, nil
}

func (f *fakeTerminal) Sale(_ context.Context, id string) (payment.Sale, error) {
	return f.enter("sale", id)
}

func (f *fakeTerminal) WaitSale(ctx context.Context, id string, after int64) (payment.Sale, error) {
	for {
		sale, err := f.enter("wait", id)
		if err != nil || sale.Version > after {
			return sale, err
		}
		f.mu.Lock()
		changed := f.changed
		f.mu.Unlock()
		if f.waits != nil {
			f.waits <- struct{}{}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return f.enter("wait", id)
			}
			return payment.Sale{}, ctx.Err()
		}
	}
}

// advance raises the sale's version and wakes who waits.
func (f *fakeTerminal) advance() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sale.Version++
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *fakeTerminal) PresentCode(_ context.Context, id, text string) (payment.Sale, error) {
	f.mu.Lock()
	f.codes = append(f.codes, text)
	f.mu.Unlock()
	return f.enter("code", id)
}

func (f *fakeTerminal) ShowQR(_ context.Context, id string) (payment.Sale, error) {
	return f.enter("qr", id)
}

func (f *fakeTerminal) Cancel(_ context.Context, id string) (payment.Sale, error) {
	return f.enter("cancel", id)
}

func (f *fakeTerminal) Check(_ context.Context, id string) (payment.Sale, error) {
	return f.enter("check", id)
}

// Refund answers with the sale's first refund.
func (f *fakeTerminal) Refund(_ context.Context, id string, wanted terminal.NewRefund) (payment.Sale, int, bool, error) {
	sale, err := f.enter("refund", id)
	if err != nil {
		return payment.Sale{}, 0, false, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, before := range f.refunds {
		if before.Key == wanted.Key && before.Digest != wanted.Digest {
			return payment.Sale{}, 0, false, &terminal.Error{Code: terminal.CodeKeyReused, Message: "the key came with another refund", Sale: saleID}
		}
		if before.Key == wanted.Key {
			return sale, 1, true, nil
		}
	}
	f.refunds = append(f.refunds, wanted)
	return sale, 1, false, nil
}

// RefundElsewhere answers with the sale's first refund.
func (f *fakeTerminal) RefundElsewhere(ctx context.Context, wanted terminal.RefundElsewhere) (payment.Sale, int, bool, error) {
	f.mu.Lock()
	f.elsewhere = append(f.elsewhere, wanted)
	f.mu.Unlock()
	return f.Refund(ctx, saleID, wanted.Request)
}

func (f *fakeTerminal) Resolve(_ context.Context, id string, decision payment.Resolved) (payment.Sale, error) {
	f.mu.Lock()
	f.decided = append(f.decided, decision)
	f.mu.Unlock()
	return f.enter("resolve", id)
}

func (f *fakeTerminal) Sales(_ context.Context, q payment.SaleQuery) (payment.SalePage, error) {
	_, err := f.enter("sales", "")
	f.mu.Lock()
	defer f.mu.Unlock()
	f.queries = append(f.queries, q)
	return f.page, err
}

func (f *fakeTerminal) Status(context.Context) (terminal.Status, error) {
	_, err := f.enter("status", "")
	return f.status, err
}

// changes is how many calls reached the terminal that could change something.
func (f *fakeTerminal) changes() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, call := range f.calls {
		if call != "sale" && call != "sales" && call != "wait" && call != "status" {
			n++
		}
	}
	return n
}

var moment = time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)

// wholeSale has every public field set that can be set at once.
func wholeSale() payment.Sale {
	cad := func(amount int64) payment.Money { return payment.Money{Amount: amount, Currency: "CAD"} }
	return payment.Sale{
		ID: saleID, Version: 7, Status: payment.SaleShowingQR, Amount: cad(1234), Reference: "till-1/42", Description: "Corner <shop>",
		Mode: payment.ModeAuto, CreatedAt: moment, UpdatedAt: moment.Add(time.Second), Deadline: moment.Add(5 * time.Minute), Late: true,
		Attempts: []payment.Attempt{
			{
				N: 1, RequestID: saleID + "-1", Gateway: "alphapay", Instrument: payment.InstrumentCode, Wallet: payment.WalletAlipayPlus,
				CodeMask: "28…3456", PaymentID: "p-1", Status: payment.AttemptFailed, Reason: payment.ReasonInsufficientFunds,
				GatewayCode: "BALANCE", SubmittedAt: moment, EndedAt: moment.Add(time.Second), ExpiresAt: moment.Add(time.Minute),
				Code: payment.NewCode("287654321098123456"), Intent: payment.Intent{Head: "secret body"},
				Capture: &payment.Capture{
					FoundAt: moment.Add(time.Minute), Amount: payment.Money{Amount: 1235, Currency: "USD"}, PaymentID: "p-1", Sightings: 2, Kept: payment.KeptByAmount,
				},
			},
			{
				N: 2, RequestID: saleID + "-2", Gateway: "alphapay", Instrument: payment.InstrumentQR, Status: payment.AttemptPending,
				SubmittedAt: moment, QR: &payment.QR{Payload: "https://pay.example/x?a=1&b=2", Image: "data:image/png;base64,AAAA"},
			},
		},
		LastFailure: &payment.Failure{Attempt: 1, Reason: payment.ReasonInsufficientFunds, GatewayCode: "BALANCE"},
		Receipt:     &payment.Receipt{Wallet: payment.WalletAlipayPlus, PaymentID: "p-1", PaidAmount: cad(1234), PaidAt: moment},
		Refunds: []payment.Refund{
			{
				N: 1, RequestID: saleID + "-10", Attempt: 1, Amount: cad(1000), Note: "goods returned", Status: payment.RefundPending,
				Reason: payment.ReasonRefundInReview, GatewayCode: "NEED_REVIEW", RefundID: "r-1", RequestedAt: moment,
				Key: "refund key", Digest: "refund digest", Call: &payment.InFlight{Seq: 1, Kind: payment.CallRefund},
			},
			{
				N: 2, RequestID: saleID + "-11", Attempt: 1, Amount: cad(200), Automatic: true, Status: payment.RefundSucceeded,
				RefundID: "r-2", RequestedAt: moment, EndedAt: moment.Add(time.Minute),
			},
			{
				N: 3, RequestID: saleID + "-12", Attempt: 1, Amount: cad(34), Status: payment.RefundFailed,
				Reason: payment.ReasonNotEnoughBalance, GatewayCode: "REFUND_NOT_ENOUGH_BALANCE", RequestedAt: moment, EndedAt: moment,
			},
		},
		Override: &payment.Override{Outcome: payment.OverridePaid, Operator: "m.roy", Note: "seen in the portal", At: moment},
		Key:      "register key", Digest: "digest",
	}
}

func wholeStatus() terminal.Status {
	live := wholeSale()
	return terminal.Status{
		Code: "L1", Version: "0.1.0", StartedAt: moment, Live: &live, Unresolved: 3, RefusedScans: 4, DiskFree: 5,
		Scanners: []device.Status{{
			Device: "serial:/dev/ttyACM0", Name: "counter", State: device.StateMissing, Detail: "plug it in", At: moment,
			Counters: device.Counters{Scans: 1, Doubled: 2, Empty: 3, Oversize: 4, Noise: 5, Incomplete: 6, Reconnects: 7},
		}},
		Gateways: []terminal.GatewayStatus{{
			Name: "alphapay", State: terminal.GatewayDown, Since: moment, LastAnswer: moment, LastReason: payment.ReasonNoAnswer,
			ClockOffset: -1500 * time.Millisecond,
		}},
		LastRefusedScan: &terminal.RefusedScan{At: moment, Device: "serial:/dev/ttyACM0", Kind: "goods_barcode", Mask: "40…5678", Sale: saleID},
	}
}

func words(reason payment.Reason, refund bool) (message, customerMessage string) {
	if refund {
		return "refund, cashier: " + string(reason), "refund, customer: " + string(reason)
	}
	return "cashier: " + string(reason), "customer: " + string(reason)
}

// lockedBuffer keeps the log of a server that answers in goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// counter is a terminal's API served on a real socket and a real TCP port.
type counter struct {
	terminal *fakeTerminal
	server   *api.Server
	log      *lockedBuffer
	url      string // http://127.0.0.1:port
	socket   string
	tokens   map[api.Role]string
	reload   func() error // of the tokens
}

func serve(t *testing.T) *counter {
	t.Helper()
	dir := t.TempDir()
	tokens, err := api.OpenTokens(filepath.Join(dir, "tokens"))
	if err != nil {
		t.Fatal(err)
	}
	c := &counter{terminal: newFake(), log: new(lockedBuffer), socket: filepath.Join(dir, "api.sock"), tokens: make(map[api.Role]string)}
	c.reload = tokens.Reload
	for _, role := range api.Roles() {
		c.tokens[role] = readToken(t, filepath.Join(dir, "tokens"), role)
	}
	c.server, err = api.NewServer(api.Config{
		Terminal: c.terminal, Backups: c.terminal, Words: words, Tokens: tokens, Version: "0.1.0",
		Origins: []string{"https://pos.example.com"},
		Log:     slog.New(slog.NewTextHandler(c.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	tcp, err := api.ListenTCP("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	socket, err := api.ListenSocket(c.socket)
	if err != nil {
		t.Fatal(err)
	}
	c.url = "http://" + tcp.Addr().String()
	run(t, c.server.HTTPServer(c.server.TCPHandler()), tcp)
	run(t, c.server.HTTPServer(c.server.SocketHandler()), socket)
	return c
}

func run(t *testing.T, server *http.Server, listener net.Listener) {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	t.Cleanup(func() {
		_ = server.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("server ended with %v", err)
		}
	})
}

func readToken(t *testing.T, dir string, role api.Role) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, string(role)+".token"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}

// answer is a response with its body read.
type answer struct {
	*http.Response
	body string
}

// raw returns everything of the answer that went over the wire, but for framing.
func (a answer) raw() string {
	var b strings.Builder
	b.WriteString(a.Status + "\n")
	_ = a.Header.Write(&b)
	return b.String() + a.body
}

type edit func(*http.Request)

func header(name, value string) edit {
	return func(r *http.Request) {
		if strings.EqualFold(name, "Host") {
			r.Host = value
			return
		}
		r.Header.Set(name, value)
	}
}

func without(name string) edit { return func(r *http.Request) { r.Header.Del(name) } }

// send calls over TCP with the register's token, an idempotency key for new
// sales and a JSON content type where there is a body, unless edited.
func (c *counter) send(t *testing.T, method, path, body string, edits ...edit) answer {
	t.Helper()
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, c.url+path, content)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+c.tokens[api.RoleRegister])
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if method == "POST" && (path == "/v1/sales" || strings.HasSuffix(path, "/refunds")) {
		r.Header.Set("Idempotency-Key", "key-1")
	}
	for _, e := range edits {
		e(r)
	}
	return do(t, http.DefaultTransport, r)
}

func do(t *testing.T, transport http.RoundTripper, r *http.Request) answer {
	t.Helper()
	response, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	b, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response, string(b)}
}

type newSale = terminal.NewSale

// post makes a new sale without a network.
func post(t *testing.T, handler http.Handler, body []byte) (status int) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/v1/sales", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", "k")
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w.Code
}
