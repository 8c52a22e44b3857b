package test

import (
	"bytes"
	"crypto/sha256"
	"net/http"
	"os"
	"strings"
	"testing"

	"payscand/api/client"
)

// disk is the database as it is on the disk now: when not a byte of it differs, nothing was written.
func (s *shop) disk() [sha256.Size]byte {
	s.t.Helper()
	content, err := os.ReadFile(s.Database())
	s.must(err)
	return sha256.Sum256(content)
}

func (s *shop) expectDisk(before [sha256.Size]byte) {
	s.t.Helper()
	if s.disk() != before {
		s.t.Error("something was written to the database")
	}
}

// TestBadRequests: each bad request has its own clear refusal that repeats nothing of it, and nothing is written (P8, P9).
func TestBadRequests(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	register, err := s.Token("register")
	s.must(err)
	metrics, err := s.Token("metrics")
	s.must(err)
	const good = `{"amount": 1234, "currency": "CAD"}`
	before := s.disk()

	const sales, invalid = "/v1/sales", client.CodeInvalid
	code := s.secret("281234567890123400") // in every wrong place
	for _, c := range []struct {
		name, body string
		path       string // sales where empty
		overTCP    bool
		edits      []edit
		status     int
		code       client.ErrorCode
		field      string
	}{
		{name: "amount 0", body: `{"amount": 0, "currency": "CAD"}`, status: 422, code: invalid, field: "amount"},
		{name: "amount -1", body: `{"amount": -1, "currency": "CAD"}`, status: 422, code: invalid, field: "amount"},
		{name: "amount over the gateway's limit", body: `{"amount": 10000000, "currency": "CAD"}`, status: 422, code: invalid, field: "amount"},
		{name: "amount 1.5", body: `{"amount": 1.5, "currency": "CAD"}`, status: 422, code: invalid, field: "amount"},
		{name: "amount in quotes", body: `{"amount": "100", "currency": "CAD"}`, status: 422, code: invalid, field: "amount"},
		{name: "no amount", body: `{"currency": "CAD"}`, status: 422, code: invalid, field: "amount"},
		{name: "two amounts", body: `{"amount": 100, "amount": 200, "currency": "CAD"}`, status: 422, code: invalid, field: "amount"},
		{name: "currency XXX", body: `{"amount": 100, "currency": "XXX"}`, status: 422, code: invalid, field: "currency"},
		{name: "a currency the gateway does not take", body: `{"amount": 100, "currency": "JPY"}`, status: 422, code: invalid, field: "currency"},
		{name: "a code as amount", body: `{"amount": "` + code + `", "currency": "CAD"}`, status: 422, code: invalid, field: "amount"},
		{name: "a code as field", body: `{"amount": 100, "currency": "CAD", "` + code + `": 1}`, status: 422, code: invalid},
		{name: "a code as mode", body: `{"amount": 100, "currency": "CAD", "mode": "` + code + `"}`, status: 422, code: invalid, field: "mode"},
		{name: "a code as sale", path: sales + "/" + code + "/code", body: `{"code": "x"}`, status: 404, code: client.CodeNotFound},
		{name: "a code as query", path: sales + "/01M80E2WWNQ7T0RQ0DDERWJZSQ/check?code=" + code, status: 422, code: invalid},
		{name: "no JSON", body: `amount=100&code=` + code, status: 400, code: client.CodeMalformed},
		{name: "a body of 1 MiB", body: `{"description": "` + strings.Repeat("x", 1<<20) + `"}`, status: 413, code: client.CodeBodyTooLarge},
		{name: "not as JSON", body: good, edits: []edit{withHeader("Content-Type", "text/plain")}, status: 415, code: client.CodeUnsupportedMediaType},
		{name: "no key", body: good, edits: []edit{withKey("")}, status: 400, code: client.CodeKeyMissing, field: "Idempotency-Key"},
		{name: "no such path", path: "/v2/sales", body: good, status: 404, code: client.CodeNotFound},
		{name: "no token", body: good, overTCP: true, status: 401, code: client.CodeUnauthenticated},
		{name: "a wrong token", body: good, overTCP: true, edits: []edit{withToken(code)}, status: 401, code: client.CodeUnauthenticated},
		{name: "a token of another role", body: good, overTCP: true, edits: []edit{withToken(metrics)}, status: 403, code: client.CodeForbidden},
		{name: "another host's name", body: good, overTCP: true, edits: []edit{withToken(register), withHost("evil.example:8480")}, status: 421, code: client.CodeMisdirected},
		{name: "a web page of elsewhere", body: good, overTCP: true, edits: []edit{withToken(register), withHeader("Origin", "https://evil.example")}, status: 403, code: client.CodeOriginRefused},
	} {
		call, path := s.call, c.path
		if c.overTCP {
			call = s.callTCP
		}
		if path == "" {
			path = sales
		}
		answer := call(http.MethodPost, path, []byte(c.body), append([]edit{withKey("bad-request")}, c.edits...)...)
		t.Logf("%s: %s", c.name, bytes.TrimSpace(answer.body))
		if problem := answer.refused(c.status, c.code); problem.Field != c.field {
			t.Errorf("%s: it is about field %q, want %q: %s", c.name, problem.Field, c.field, answer.body)
		}
	}
	s.expectDisk(before)
	if state := s.terminal(); state.Live != nil {
		t.Errorf("a refused request made a sale: %+v", state.Live)
	}
	if r := s.callTCP(http.MethodPost, sales, []byte(good), withKey("good"), withToken(register)); r.status != http.StatusCreated {
		t.Errorf("the good request that all others differ from: %d %s", r.status, r.body)
	}
}

// TestBadRequestsWhileASaleIsLive: what is refused because of a sale that is there names it and leaves it as it is, and
// nothing is written.
func TestBadRequestsWhileASaleIsLive(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	wanted := client.NewSale{Amount: 3400, Currency: "CAD", Mode: client.ModeScan}
	sale, _ := s.create("key-1", wanted)
	before := s.disk()

	other := wanted
	other.Amount++
	reused := s.call(http.MethodPost, "/v1/sales", other, withKey("key-1")).refused(http.StatusUnprocessableEntity, client.CodeKeyReused)
	busy := s.call(http.MethodPost, "/v1/sales", wanted, withKey("key-2")).refused(http.StatusConflict, client.CodeTerminalBusy)
	if reused.Sale != sale.ID || busy.Sale != sale.ID {
		t.Errorf("the sale is not named: %+v, %+v", reused, busy)
	}
	if _, replayed := s.create("key-1", wanted); !replayed {
		t.Error("the same request made a sale again")
	}
	s.expectDisk(before)
	if now := s.get(sale.ID); now.Version != sale.Version {
		t.Errorf("the sale changed: %+v", now)
	}
}
