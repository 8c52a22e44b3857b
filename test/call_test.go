package test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"payscand/api/client"
)

// answer is what the API answered.
type answer struct {
	shop   *shop
	t      *testing.T
	status int
	header http.Header
	body   []byte
}

// edit changes a request before it is sent.
type edit func(*http.Request)

func withKey(key string) edit         { return withHeader("Idempotency-Key", key) }
func withToken(token string) edit     { return withHeader("Authorization", "Bearer "+token) }
func withHost(host string) edit       { return func(r *http.Request) { r.Host = host } }
func withHeader(n, value string) edit { return func(r *http.Request) { r.Header.Set(n, value) } }

// call calls the API over its socket. A body of bytes is sent as it is, any other as JSON.
func (s *shop) call(method, path string, body any, edits ...edit) answer {
	s.t.Helper()
	return s.callOver(s.socket, "http://payscand"+path, method, body, edits...)
}

// callTCP calls the API over TCP, without a token.
func (s *shop) callTCP(method, path string, body any, edits ...edit) answer {
	s.t.Helper()
	return s.callOver(s.tcp, s.API+path, method, body, edits...)
}

func (s *shop) callOver(over *http.Client, url, method string, body any, edits ...edit) answer {
	s.t.Helper()
	content, isRaw := body.([]byte)
	if body != nil && !isRaw {
		var err error
		content, err = json.Marshal(body)
		s.must(err)
	}
	request, err := http.NewRequestWithContext(s.ctx, method, url, bytes.NewReader(content))
	s.must(err)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	for _, e := range edits {
		e(request)
	}
	response, err := over.Do(request)
	s.must(err)
	defer response.Body.Close()
	received, err := io.ReadAll(response.Body)
	s.must(err)
	var head bytes.Buffer
	s.must(response.Header.Write(&head))
	s.hear(head.Bytes(), received)
	return answer{shop: s, t: s.t, status: response.StatusCode, header: response.Header, body: received}
}

// hear notes what came out, for the audit.
func (s *shop) hear(texts ...[]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard = append(s.heard, texts...)
}

func (a answer) expect(status int) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("status %d, want %d: %s", a.status, status, a.body)
	}
	return a
}

// decode reads the answer strictly: a register may rely on every field being documented.
func (a answer) decode(into any) {
	a.t.Helper()
	if err := decodeStrictly(a.body, into); err != nil {
		a.t.Fatalf("answer %s: %v", a.body, err)
	}
}

func decodeStrictly(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	return decoder.Decode(into)
}

func (a answer) sale() client.Sale {
	a.t.Helper()
	var sale client.Sale
	a.decode(&sale)
	a.shop.mu.Lock()
	defer a.shop.mu.Unlock()
	a.shop.shown[sale.ID] = sale
	return sale
}

// refused expects a problem, whose detail is the clear error that people read.
func (a answer) refused(status int, code client.ErrorCode) client.Problem {
	a.t.Helper()
	a.expect(status)
	if mediaType := a.header.Get("Content-Type"); mediaType != "application/problem+json" {
		a.t.Errorf("a refusal of type %q", mediaType)
	}
	var problem client.Problem
	a.decode(&problem)
	if problem.Code != code || problem.Status != status || problem.Title == "" || problem.Detail == "" {
		a.t.Errorf("want code %s, title and detail: %s", code, a.body)
	}
	return problem
}
