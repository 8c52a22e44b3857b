package api_test

import (
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"payscand/api"
	"payscand/api/client"
	"payscand/payment"
)

// The same key and content, however it is written, is the same request; other
// content is another one.
func TestIdempotency(t *testing.T) {
	c := serve(t)
	const first = `{"amount":100,"currency":"CAD","reference":"é"}`
	same := []string{
		first,
		"{ \"reference\" : \"\\u00e9\",\n \"currency\":\"CAD\", \"amount\":100 }",
		`{"amount":100,"currency":"CAD","reference":"é","mode":"auto"}`,
		`{"amount":100,"currency":"CAD","reference":"é","mode":null,"description":"","replaces":"","separate":false}`,
	}
	others := []string{
		`{"amount":101,"currency":"CAD","reference":"é"}`,
		`{"amount":100,"currency":"USD","reference":"é"}`,
		`{"amount":100,"currency":"CAD","reference":"e"}`,
		`{"amount":100,"currency":"CAD","description":"é"}`,
		`{"amount":100,"currency":"CAD","reference":"é","mode":"qr"}`,
		`{"amount":100,"currency":"CAD","reference":"é","separate":true}`,
		`{"amount":100,"currency":"CAD","reference":"é","replaces":"` + noSale + `"}`,
	}
	a := c.send(t, "POST", "/v1/sales", first)
	if a.StatusCode != 201 || a.Header.Get("Idempotency-Replayed") != "" || a.Header.Get("Location") != "/v1/sales/"+saleID {
		t.Fatal(a.raw())
	}
	for _, body := range same {
		again := c.send(t, "POST", "/v1/sales", body)
		if again.StatusCode != 200 || again.Header.Get("Idempotency-Replayed") != "true" || again.body != a.body {
			t.Errorf("%s: %s", body, again.raw())
		}
	}
	for _, body := range others {
		if got := problemOf(t, c.send(t, "POST", "/v1/sales", body)); got.Code != client.CodeKeyReused || got.Sale != saleID {
			t.Errorf("%s: %+v", body, got)
		}
	}
	digests := make(map[string]bool)
	for _, wanted := range c.terminal.created {
		digests[wanted.Digest] = true
	}
	if len(digests) != 1+len(others) {
		t.Errorf("%d digests for %d requests", len(digests), 1+len(others))
	}
	// Kept with every sale: a change of the canonical form would refuse the
	// repetition of a request that was made before an update.
	if want := "f3132dc00521a0d030d72f6639ed9b35c592c5cddfbf90333888808284c92919"; c.terminal.created[0].Digest != want {
		t.Errorf("digest of %s is %s, was %s", first, c.terminal.created[0].Digest, want)
	}
}

// A new sale needs one idempotency key of printable ASCII.
func TestIdempotencyKey(t *testing.T) {
	c := serve(t)
	const body = `{"amount":1,"currency":"CAD"}`
	if got := problemOf(t, c.send(t, "POST", "/v1/sales", body, without("Idempotency-Key"))); got.Status != 400 || got.Code != client.CodeKeyMissing {
		t.Errorf("no key: %+v", got)
	}
	if got := problemOf(t, c.send(t, "POST", "/v1/sales", body, header("Idempotency-Key", ""))); got.Code != client.CodeKeyMissing {
		t.Errorf("an empty key: %+v", got)
	}
	for _, bad := range []string{strings.Repeat("k", 256), "é", "a\tb"} {
		got := problemOf(t, c.send(t, "POST", "/v1/sales", body, header("Idempotency-Key", bad)))
		if got.Status != 422 || got.Field != "Idempotency-Key" {
			t.Errorf("key %.10q: %+v", bad, got)
		}
	}
	if n := c.terminal.changes(); n != 0 {
		t.Errorf("%d sales were made", n)
	}
	for _, good := range []string{"k", strings.Repeat("k", 255), `"quoted key"`, "~!"} {
		if a := c.send(t, "POST", "/v1/sales", body, header("Idempotency-Key", good)); a.StatusCode != 201 {
			t.Errorf("key %.10q: %s", good, a.raw())
		}
		if got := c.terminal.created[len(c.terminal.created)-1].Key; got != good {
			t.Errorf("the terminal got key %q, not %q", got, good)
		}
	}
}

// Each call of a sale does what it says, once, and answers with the sale.
func TestSaleCalls(t *testing.T) {
	for _, test := range []struct {
		method, rest, body string
		status             int
		call               string
	}{
		{"GET", "", "", 200, "sale"},
		{"GET", "?after=6", "", 200, "sale"},
		{"GET", "?wait=10s", "", 200, "wait"},
		{"GET", "?wait=10s&after=6", "", 200, "wait"},
		{"POST", "/code", `{"code":" 281234567890123456"}`, 200, "code"},
		{"POST", "/cancel", "", 202, "cancel"},
		{"POST", "/check", "", 200, "check"},
		{"POST", "/qr", "", 200, "qr"},
	} {
		t.Run(test.method+test.rest, func(t *testing.T) {
			c := serve(t)
			a := c.send(t, test.method, "/v1/sales/"+saleID+test.rest, test.body)
			var sale client.Sale
			if err := json.Unmarshal([]byte(a.body), &sale); err != nil || a.StatusCode != test.status || sale.ID != saleID || sale.Version != 7 {
				t.Errorf("%v: %s", err, a.raw())
			}
			if !slices.Equal(c.terminal.calls, []string{test.call}) {
				t.Errorf("the terminal was asked for %v", c.terminal.calls)
			}
			if test.call == "code" && !slices.Equal(c.terminal.codes, []string{" 281234567890123456"}) {
				t.Errorf("the terminal got codes %q", c.terminal.codes)
			}
		})
	}
}

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

// servePipe serves on the bubble's clock and returns a dialled connection.
func servePipe(t *testing.T) (*fakeTerminal, net.Conn) {
	t.Helper()
	tokens, err := api.OpenTokens(filepath.Join(t.TempDir(), "tokens"))
	if err != nil {
		t.Fatal(err)
	}
	fake := newFake()
	server, err := api.NewServer(api.Config{Terminal: fake, Words: words, Tokens: tokens})
	if err != nil {
		t.Fatal(err)
	}
	listener := &pipeListener{conns: make(chan net.Conn, 1), done: make(chan struct{})}
	run(t, server.HTTPServer(server.SocketHandler()), listener)
	ours, theirs := net.Pipe()
	listener.conns <- theirs
	t.Cleanup(func() { _ = ours.Close() })
	return fake, ours
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

// What the API answers is exactly what the client's types say, no field more or
// less: decoded strictly and encoded again it is the same.
func TestClientTypesAreTheWire(t *testing.T) {
	c := serve(t)
	bare := payment.Sale{
		ID: saleID, Version: 1, Status: payment.SaleAwaitingCode, Amount: payment.Money{Amount: 1, Currency: "JPY"}, Mode: payment.ModeScan,
		CreatedAt: moment, UpdatedAt: moment, Deadline: moment,
	}
	for name, sale := range map[string]payment.Sale{"whole": wholeSale(), "bare": bare} {
		c.terminal.sale = sale
		sameWire[client.Sale](t, name+" sale", c.send(t, "GET", "/v1/sales/"+saleID, "").body)
	}
	sameWire[client.Terminal](t, "whole terminal", c.send(t, "GET", "/v1/terminal", "").body)
	c.terminal.status = wholeStatus()
	c.terminal.status.Live, c.terminal.status.Scanners, c.terminal.status.Gateways, c.terminal.status.LastRefusedScan = nil, nil, nil, nil
	sameWire[client.Terminal](t, "bare terminal", c.send(t, "GET", "/v1/terminal", "").body)
	sameWire[client.Health](t, "health", c.send(t, "GET", "/healthz", "").body)
	sameWire[client.Problem](t, "problem", c.send(t, "GET", "/v1/nothing", "").body)
}

func sameWire[T any](t *testing.T, name, body string) {
	t.Helper()
	var typed T
	decoder := json.NewDecoder(strings.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&typed); err != nil {
		t.Fatalf("%s: %v in %s", name, err, body)
	}
	again, err := json.Marshal(typed)
	if err != nil {
		t.Fatal(err)
	}
	var was, is any
	if err := json.Unmarshal([]byte(body), &was); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(again, &is); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(was, is); diff != "" {
		t.Errorf("%s: %s", name, diff)
	}
}

// A sale on the wire holds every public field of the sale, and no other: what
// the terminal keeps for itself, the code above all, stays there.
func TestWireSale(t *testing.T) {
	c := serve(t)
	a := c.send(t, "GET", "/v1/sales/"+saleID, "")
	for _, secret := range []string{"287654321098123456", "secret body", "register key", "digest", "base64"} {
		if strings.Contains(a.body, secret) {
			t.Errorf("%q came out: %s", secret, a.body)
		}
	}
	var view map[string]any
	b, err := json.Marshal(wholeSale().View())
	if err != nil {
		t.Fatal(err)
	}
	var wire map[string]any
	if err := json.Unmarshal(b, &view); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(a.body), &wire); err != nil {
		t.Fatal(err)
	}
	for name := range view {
		if _, shown := wire[name]; !shown {
			t.Errorf("%s of the public view is not on the wire", name)
		}
	}
	for name := range wire {
		if _, public := view[name]; !public {
			t.Errorf("%s on the wire is not in the public view", name)
		}
	}
	attempt, qr := wire["attempts"].([]any)[0].(map[string]any), wire["attempts"].([]any)[1].(map[string]any)
	wantReason := map[string]any{"code": "insufficient_funds", "message": "cashier: insufficient_funds", "customer_message": "customer: insufficient_funds"}
	if diff := cmp.Diff(wantReason, attempt["reason"]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]any{"payload": "https://pay.example/x?a=1&b=2"}, qr["qr"]); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(a.body, `a=1&b=2`) {
		t.Error("the payment URL is escaped for HTML")
	}
}

// The client's names for statuses and modes are the domain's.
func TestNamesAreTheDomains(t *testing.T) {
	statuses := []client.SaleStatus{
		client.StatusAwaitingCode, client.StatusProcessing, client.StatusShowingQR, client.StatusSwitching, client.StatusCancelling,
		client.StatusUnresolved, client.StatusPaid, client.StatusCancelled, client.StatusExpired,
	}
	domain := payment.SaleStatuses()
	if len(statuses) != len(domain) {
		t.Fatalf("%d statuses, the domain has %d", len(statuses), len(domain))
	}
	for i, status := range statuses {
		if string(status) != string(domain[i]) || (client.Sale{Status: status}).Final() != domain[i].Final() {
			t.Errorf("%s is %s in the domain", status, domain[i])
		}
	}
	for _, mode := range []client.Mode{client.ModeAuto, client.ModeScan, client.ModeQR} {
		if !payment.Mode(mode).Valid() {
			t.Errorf("mode %s is not the domain's", mode)
		}
	}
}

// Whatever the body, the answer is a sale within the rules or a refusal that the
// API knows; and the terminal never gets a sale that breaks the rules.
func FuzzNewSale(f *testing.F) {
	for _, seed := range []string{
		`{"amount":100,"currency":"CAD","reference":"r","description":"d","mode":"qr","replaces":"` + noSale + `","separate":true}`,
		`{"amount":1e2,"currency":"CAD"}`, `{"amount":1,"amount":2}`, `{"287654321098123456":1}`, `[]`, `nul`, "{\"a\":\"\xff\"}",
	} {
		f.Add([]byte(seed))
	}
	dir := f.TempDir()
	tokens, err := api.OpenTokens(dir)
	if err != nil {
		f.Fatal(err)
	}
	fake := newFake()
	server, err := api.NewServer(api.Config{Terminal: fake, Words: words, Tokens: tokens})
	if err != nil {
		f.Fatal(err)
	}
	handler := server.SocketHandler()
	f.Fuzz(func(t *testing.T, body []byte) {
		fake.created, fake.calls, fake.byKey = nil, nil, map[string]newSale{}
		status := post(t, handler, body)
		if status != 201 {
			if len(fake.calls) != 0 || !slices.Contains([]int{400, 413, 422}, status) {
				t.Fatalf("status %d, terminal asked for %v", status, fake.calls)
			}
			return
		}
		got := fake.created[0]
		_, unknown := payment.ParseCurrency(string(got.Amount.Currency))
		if got.Amount.Amount < 1 || unknown != nil || !got.Mode.Valid() || len([]rune(got.Reference)) > 64 || len([]rune(got.Description)) > 100 {
			t.Fatalf("the terminal got %+v", got)
		}
		again, err := json.Marshal(client.NewSale{
			Amount: got.Amount.Amount, Currency: string(got.Amount.Currency), Reference: got.Reference, Description: got.Description,
			Mode: client.Mode(got.Mode), Replaces: got.Replaces, Separate: got.Separate,
		})
		if err != nil {
			t.Fatal(err)
		}
		if status := post(t, handler, again); status != 200 {
			t.Fatalf("the same sale written otherwise: status %d", status)
		}
	})
}

func TestMain(m *testing.M) {
	code := m.Run()
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	os.Exit(code)
}
