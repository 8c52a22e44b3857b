package api_test

import (
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

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
