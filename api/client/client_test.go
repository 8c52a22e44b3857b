package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"payscand/api/client"
)

// seen is one request as a server got it.
type seen struct {
	line, body string
	header     http.Header
}

// answering serves every request with the same answer.
func answering(t *testing.T, status int, contentType, body string, header ...string) (*client.Client, <-chan seen) {
	t.Helper()
	got := make(chan seen, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got <- seen{r.Method + " " + r.URL.RequestURI(), string(b), r.Header}
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	c, err := client.New(server.URL, "token-1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, got
}

const sale = `{"id":"S","version":3,"status":"processing","amount":5,"currency":"CAD","a_field_of_tomorrow":1}`

// Each method makes the request that the API describes and returns its answer,
// fields that are not known yet left out.
func TestCalls(t *testing.T) {
	type call func(context.Context, *client.Client) (client.Sale, error)
	for _, test := range []struct {
		name, line, body string
		call             call
	}{
		{"CreateSale", "POST /v1/sales", `{"amount":5,"currency":"CAD"}`, func(ctx context.Context, c *client.Client) (client.Sale, error) {
			s, replayed, err := c.CreateSale(ctx, "key-1", client.NewSale{Amount: 5, Currency: "CAD"})
			if !replayed {
				return s, errors.Join(err, errors.New("not replayed"))
			}
			return s, err
		}},
		{"GetSale", "GET /v1/sales/S", "", func(ctx context.Context, c *client.Client) (client.Sale, error) { return c.GetSale(ctx, "S") }},
		{"GetSale of a bad id", "GET /v1/sales/a%2F..%3Fb", "", func(ctx context.Context, c *client.Client) (client.Sale, error) { return c.GetSale(ctx, "a/..?b") }},
		{"WaitSale", "GET /v1/sales/S?after=3&wait=25000ms", "", func(ctx context.Context, c *client.Client) (client.Sale, error) {
			return c.WaitSale(ctx, "S", 3, 25*time.Second)
		}},
		{"WaitSale for long", "GET /v1/sales/S?after=3&wait=60000ms", "", func(ctx context.Context, c *client.Client) (client.Sale, error) {
			return c.WaitSale(ctx, "S", 3, time.Hour)
		}},
		{"PostCode", "POST /v1/sales/S/code", `{"code":"281234567890123456"}`, func(ctx context.Context, c *client.Client) (client.Sale, error) {
			return c.PostCode(ctx, "S", "281234567890123456")
		}},
		{"ShowQR", "POST /v1/sales/S/qr", "", func(ctx context.Context, c *client.Client) (client.Sale, error) { return c.ShowQR(ctx, "S") }},
		{"Cancel", "POST /v1/sales/S/cancel", "", func(ctx context.Context, c *client.Client) (client.Sale, error) { return c.Cancel(ctx, "S") }},
		{"Check", "POST /v1/sales/S/check", "", func(ctx context.Context, c *client.Client) (client.Sale, error) { return c.Check(ctx, "S") }},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, requests := answering(t, 200, "application/json", sale, "Idempotency-Replayed", "true")
			got, err := test.call(t.Context(), c)
			if err != nil || got.ID != "S" || got.Version != 3 || got.Status != client.StatusProcessing || got.Amount != 5 {
				t.Errorf("%v, %+v", err, got)
			}
			request := <-requests
			if request.line != test.line || request.body != test.body || request.header.Get("Authorization") != "Bearer token-1" {
				t.Errorf("request %+v", request)
			}
			if key := request.header.Get("Idempotency-Key"); (key == "key-1") != (test.name == "CreateSale") {
				t.Errorf("key %q", key)
			}
			if (request.header.Get("Content-Type") == "application/json") != (test.body != "") {
				t.Errorf("Content-Type %q for body %q", request.header.Get("Content-Type"), test.body)
			}
		})
	}
}

// Each call of a refund makes the request that the API describes and returns its
// answer, fields that are not known yet left out.
func TestRefundCalls(t *testing.T) {
	const answer = `{"sale":"S","version":3,"n":2,"amount":5,"status":"failed","reason":{"code":"r"},"a_field_of_tomorrow":1}`
	type call func(context.Context, *client.Client) (client.SaleRefund, error)
	refund := func(wanted client.NewRefund) call {
		return func(ctx context.Context, c *client.Client) (client.SaleRefund, error) {
			r, replayed, err := c.Refund(ctx, "S", "key-1", wanted)
			if !replayed {
				return r, errors.Join(err, errors.New("not replayed"))
			}
			return r, err
		}
	}
	for _, test := range []struct {
		name, line, body string
		call             call
	}{
		{"Refund", "POST /v1/sales/S/refunds", `{"amount":5,"reason":"r"}`, refund(client.NewRefund{Amount: 5, Reason: "r"})},
		{"Refund of all", "POST /v1/sales/S/refunds", `{}`, refund(client.NewRefund{})},
		{"GetRefund", "GET /v1/sales/S/refunds/2", "", func(ctx context.Context, c *client.Client) (client.SaleRefund, error) {
			return c.GetRefund(ctx, "S", 2)
		}},
		{"WaitRefund", "GET /v1/sales/S/refunds/2?after=3&wait=60000ms", "", func(ctx context.Context, c *client.Client) (client.SaleRefund, error) {
			return c.WaitRefund(ctx, "S", 2, 3, time.Hour)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, requests := answering(t, 200, "application/json", answer, "Idempotency-Replayed", "true")
			got, err := test.call(t.Context(), c)
			if err != nil || got.Sale != "S" || got.Version != 3 || got.N != 2 || got.Amount != 5 || !got.Final() || got.Reason.Code != "r" {
				t.Errorf("%v, %+v", err, got)
			}
			request := <-requests
			if request.line != test.line || request.body != test.body || (request.header.Get("Idempotency-Key") == "key-1") != (test.body != "") {
				t.Errorf("request %+v", request)
			}
		})
	}
}

func TestResolve(t *testing.T) {
	c, requests := answering(t, 200, "application/json", sale)
	got, err := c.Resolve(t.Context(), "S", client.Resolution{Outcome: client.OutcomeNotPaid, Operator: "m", Reason: "r"})
	if err != nil || got.ID != "S" {
		t.Errorf("%v, %+v", err, got)
	}
	if request := <-requests; request.line != "POST /v1/sales/S/resolve" || request.body != `{"outcome":"not_paid","operator":"m","reason":"r"}` {
		t.Errorf("request %+v", request)
	}
}

// A search asks for what was set, and for nothing else.
func TestSales(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600))
	for line, query := range map[string]client.SaleQuery{
		"GET /v1/sales": {},
		"GET /v1/sales?cursor=C&limit=7&reference=a%2Fb+c&status=paid":              {Status: client.StatusPaid, Reference: "a/b c", Limit: 7, Cursor: "C"},
		"GET /v1/sales?from=2026-01-02T02%3A04%3A05Z&to=2026-01-02T02%3A04%3A06.5Z": {From: at, To: at.Add(1500 * time.Millisecond)},
	} {
		c, requests := answering(t, 200, "application/json", `{"sales":[`+sale+`],"cursor":"N"}`)
		page, err := c.Sales(t.Context(), query)
		if err != nil || len(page.Sales) != 1 || page.Sales[0].ID != "S" || page.Cursor != "N" {
			t.Errorf("%v, %+v", err, page)
		}
		if request := <-requests; request.line != line {
			t.Errorf("request %s, want %s", request.line, line)
		}
	}
}

func TestTerminal(t *testing.T) {
	c, requests := answering(t, 200, "application/json", `{"code":"L1","unresolved":2,"scanners":[{"state":"ready"}]}`)
	got, err := c.Terminal(t.Context())
	if err != nil || got.Code != "L1" || got.Unresolved != 2 || got.Scanners[0].State != "ready" {
		t.Errorf("%v, %+v", err, got)
	}
	if request := <-requests; request.line != "GET /v1/terminal" {
		t.Errorf("request %+v", request)
	}
}

// A refusal is a *Problem with all that the API said.
func TestProblem(t *testing.T) {
	want := client.Problem{
		Type: "urn:payscand:problem:terminal_busy", Title: "Another sale is live", Status: 409, Code: client.CodeTerminalBusy, Sale: "S2",
		Reason: &client.Reason{Code: "r"}, Refusal: &client.Refusal{Kind: "k"}, Offers: []string{"qr"},
	}
	body, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	c, _ := answering(t, 409, "application/problem+json; charset=utf-8", string(body))
	_, err = c.GetSale(t.Context(), "S")
	problem := new(client.Problem)
	if !errors.As(err, &problem) || problem.Code != want.Code || problem.Sale != "S2" || problem.Refusal.Kind != "k" || problem.Offers[0] != "qr" {
		t.Fatalf("%v", err)
	}
	if text := err.Error(); text != "terminal_busy: Another sale is live (sale S2)" {
		t.Errorf("text %q", text)
	}
	if text := (&client.Problem{Code: "c", Title: "t", Detail: "d"}).Error(); text != "c: d" {
		t.Errorf("text %q", text)
	}
}

// What is not the API's answer is an error that is no refusal: the outcome is
// not known.
func TestUnreadableAnswers(t *testing.T) {
	for _, test := range []struct {
		name        string
		status      int
		contentType string
		body        string
	}{
		{"a web page", 200, "text/html", "<html>"},
		{"an error page", 502, "text/html", "<html>"},
		{"a refusal that is no problem", 500, "application/json", "{}"},
		{"a success that is a problem", 200, "application/problem+json", "{}"},
		{"no JSON", 200, "application/json", "{"},
		{"no JSON in a problem", 409, "application/problem+json", "["},
		{"another type", 200, "application/json", `{"version":"x"}`},
		{"too long", 200, "application/json", `{"id":"` + strings.Repeat("a", 16<<20) + `"}`},
		{"a redirect", 307, "text/plain", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, requests := answering(t, test.status, test.contentType, test.body, "Location", "/elsewhere")
			_, err := c.PostCode(t.Context(), "S", "281234567890123456")
			if problem := new(client.Problem); err == nil || errors.As(err, &problem) {
				t.Errorf("got %v", err)
			}
			<-requests
			select {
			case request := <-requests:
				t.Errorf("a second request: %+v", request)
			default:
			}
		})
	}
}

// A connection that breaks after the request was read is not tried again: the
// caller decides, with the key.
func TestNothingIsRetried(t *testing.T) {
	var requests atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1) == 1 {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, sale)
			return
		}
		_, _ = io.ReadAll(r.Body)
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(server.Close)
	c, err := client.New(server.URL, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	// The first call leaves a kept connection, on which net/http would retry.
	if _, err := c.GetSale(t.Context(), "S"); err != nil {
		t.Fatal(err)
	}
	_, _, err = c.CreateSale(t.Context(), "key-1", client.NewSale{Amount: 1, Currency: "CAD"})
	if problem := new(client.Problem); err == nil || errors.As(err, &problem) {
		t.Errorf("got %v", err)
	}
	if n := requests.Load(); n != 2 {
		t.Errorf("%d requests for 2 calls", n)
	}
}

// The socket can be named by its path or by a URL.
func TestSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "api.sock")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("a token was sent although there is none")
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, sale)
	})}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	t.Cleanup(func() { _, _ = server.Close(), <-ended })
	for _, address := range []string{path, "unix://" + path} {
		c, err := client.New(address, "")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := c.GetSale(t.Context(), "S"); err != nil || got.ID != "S" {
			t.Errorf("%s: %v, %+v", address, err, got)
		}
		c.Close()
	}
}

func TestBadAddresses(t *testing.T) {
	for _, address := range []string{"", "api.sock", "127.0.0.1:8480", "https://127.0.0.1:8480", "http://", "http://h/v1", "http://h?x", "http://u:p@h", "http://a b"} {
		if _, err := client.New(address, ""); err == nil {
			t.Errorf("%q was taken", address)
		}
	}
}
