package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"payscand/api"
	"payscand/api/client"
)

// stream is an answer of GET /v1/events while it goes on.
type stream struct {
	*http.Response
	lines *bufio.Reader
	seen  []client.Event
	data  []string
}

// block returns the next lines up to a blank one.
func (s *stream) block() (string, error) {
	var block strings.Builder
	for {
		line, err := s.lines.ReadString('\n')
		if err != nil || line == "\n" {
			return block.String(), err
		}
		block.WriteString(line)
	}
}

func (s *stream) mustBlock(t *testing.T) string {
	t.Helper()
	block, err := s.block()
	if err != nil {
		t.Fatalf("%v after %d events", err, len(s.seen))
	}
	return block
}

// event returns the next block, which must be an event.
func (s *stream) event(t *testing.T) client.Event {
	t.Helper()
	block := s.mustBlock(t)
	lines := strings.Split(block, "\n")
	if len(lines) != 4 || lines[3] != "" || !strings.HasPrefix(lines[0], "id: ") || !strings.HasPrefix(lines[1], "event: ") || !strings.HasPrefix(lines[2], "data: ") {
		t.Fatalf("no event: %q", block)
	}
	var e client.Event
	data := strings.TrimPrefix(lines[2], "data: ")
	if err := json.Unmarshal([]byte(data), &e); err != nil {
		t.Fatalf("%v in %s", err, block)
	}
	if lines[0] != "id: "+e.ID || lines[1] != "event: "+e.Type {
		t.Errorf("id or type is not the data's: %q", block)
	}
	s.seen, s.data = append(s.seen, e), append(s.data, data)
	return e
}

// begin reads what a stream begins with: its place.
func (s *stream) begin(t *testing.T, place string) *stream {
	t.Helper()
	if got := s.mustBlock(t); s.StatusCode != 200 || s.Header.Get("Content-Type") != "text/event-stream" || got != "id: "+place+"\n" {
		t.Fatalf("status %d, begins with %q, not with place %s", s.StatusCode, got, place)
	}
	return s
}

// follow opens a stream over TCP and reads its begin.
func (c *counter) follow(t *testing.T, lastID string) *stream {
	t.Helper()
	return c.open(t, "/v1/events?after="+lastID).begin(t, lastID)
}

// open makes a request and leaves the answer's body to be read.
func (c *counter) open(t *testing.T, path string, edits ...edit) *stream {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+c.tokens[api.RoleRegister])
	for _, e := range edits {
		e(r)
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	return &stream{Response: response, lines: bufio.NewReader(response.Body)}
}

// events opens a stream on a connection of a bubble. A header is "Name: value".
func events(t *testing.T, conn net.Conn, query string, headers ...string) *stream {
	t.Helper()
	head := "GET /v1/events" + query + " HTTP/1.1\r\nHost: x\r\n" + strings.Join(append(headers, ""), "\r\n") + "\r\n"
	if _, err := conn.Write([]byte(head)); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	return &stream{Response: response, lines: bufio.NewReader(response.Body)}
}

// From every place of the journal a reader gets exactly what came after it, in
// order, and then what comes; the header goes before the query.
func TestEventsResumeAtEveryPlace(t *testing.T) {
	const records = 70 // more than a page
	synctest.Test(t, func(t *testing.T) {
		fake, _, dial := servePipes(t)
		fake.record(records, 0)
		for place := range records + 1 {
			conn, total := dial(), records+place
			var s *stream
			switch place % 3 {
			case 0:
				s = events(t, conn, "", "Last-Event-ID: "+idOf(place))
			case 1:
				s = events(t, conn, "?after="+idOf(place))
			default:
				s = events(t, conn, "?after="+idOf(1), "Last-Event-ID: "+idOf(place))
			}
			s.begin(t, idOf(place))
			for seq := place + 1; seq <= total; seq++ {
				if e := s.event(t); e.ID != idOf(seq) {
					t.Fatalf("after %d came %s, want %d", place, e.ID, seq)
				}
			}
			synctest.Wait() // it waits at the end
			fake.record(1, 0)
			if e := s.event(t); e.ID != idOf(total+1) {
				t.Fatalf("live after %d came %s, want %d", place, e.ID, total+1)
			}
			_ = conn.Close()
		}
	})
}

// Without an id a stream begins at the end, and says where that is.
func TestEventsFromNow(t *testing.T) {
	for _, before := range []int{0, 3} {
		synctest.Test(t, func(t *testing.T) {
			fake, _, dial := servePipes(t)
			fake.record(before, 0)
			s := events(t, dial(), "?after=", "Last-Event-ID: ").begin(t, idOf(before))
			fake.record(200, 0) // in one commit
			for seq := before + 1; seq <= before+200; seq++ {
				if e := s.event(t); e.ID != idOf(seq) {
					t.Fatalf("%s came, want %d", e.ID, seq)
				}
			}
		})
	}
}

// A place that the journal does not have brings a reset to its end, which does
// not repeat what was sent; then it goes on live.
func TestEventsReset(t *testing.T) {
	const pruned, records = 4, 9
	tests := map[string]string{
		"another epoch": "01K9ZJ5Y7T3N8QW2R6V4X0M1BX-5", "ahead": idOf(records + 1), "pruned": idOf(pruned - 1), "all pruned": idOf(0),
		"no number": epoch + "-", "no epoch": "-5", "no dash": epoch, "a word": "x", "a leading zero": epoch + "-05", "a sign": epoch + "-+5",
		"a negative": epoch + "--5", "over 64 bits": epoch + "-18446744073709551616", "the largest": epoch + "-18446744073709551615",
		"a payment code": "281234567890123456", "long": strings.Repeat("9", 4000),
	}
	for name, id := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fake, _, dial := servePipes(t)
				fake.record(records, pruned)
				s := events(t, dial(), "", "Last-Event-ID: "+id)
				if strings.Contains(name, "pruned") {
					s.begin(t, id)
				}
				e := s.event(t)
				if e.Type != client.EventReset || e.ID != idOf(records) || !e.At.Equal(time.Now()) || e.Sale != "" || e.Detail != nil || e.Fields != nil {
					t.Errorf("no reset: %+v", e)
				}
				if strings.Contains(strings.ReplaceAll(s.data[0], idOf(records), ""), id) {
					t.Errorf("what was sent came back: %s", s.data[0])
				}
				fake.record(1, pruned)
				if e := s.event(t); e.ID != idOf(records+1) || e.Type != "gateway.state" {
					t.Errorf("after the reset: %+v", e)
				}
			})
		})
	}
}

// The oldest place that is kept is no reset; a reader that the pruning overtakes
// gets one.
func TestEventsPrunedMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake, _, dial := servePipes(t)
		fake.record(5, 4)
		s := events(t, dial(), "", "Last-Event-ID: "+idOf(4)).begin(t, idOf(4))
		if e := s.event(t); e.ID != idOf(5) {
			t.Errorf("%+v", e)
		}
		synctest.Wait()
		fake.record(5, 8)
		if e := s.event(t); e.Type != client.EventReset || e.ID != idOf(10) {
			t.Errorf("%+v", e)
		}
	})
}

// An idle stream brings a comment every ten seconds, for longer than any other
// answer may take.
func TestEventsHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake, _, dial := servePipes(t)
		s := events(t, dial(), "").begin(t, idOf(0))
		began := time.Now()
		for n := range 30 {
			if block := s.mustBlock(t); block != ":\n" || time.Since(began) != time.Duration(n+1)*10*time.Second {
				t.Fatalf("after %s: %q", time.Since(began), block)
			}
		}
		fake.record(1, 0)
		if e := s.event(t); e.ID != idOf(1) {
			t.Errorf("%+v", e)
		}
	})
}

// A reader that takes nothing in is dropped and leaves nothing behind; from the
// last whole event it got it goes on, with nothing missed and nothing twice.
func TestSlowReaderIsDropped(t *testing.T) {
	const records = 1000
	synctest.Test(t, func(t *testing.T) {
		fake, _, dial := servePipes(t)
		fake.record(records, 0)
		place, drops := 0, 0
		for place < records {
			s := events(t, dial(), "?after="+idOf(place)).begin(t, idOf(place))
			for range 100 { // then it stops reading for a while
				if place++; s.event(t).ID != idOf(place) {
					t.Fatalf("%s came, want %d", s.seen[len(s.seen)-1].ID, place)
				}
				if place == records {
					break
				}
			}
			<-time.After(6 * time.Second) // of the bubble's clock
			if place == records {
				break
			}
			if n := fake.following(); n != 0 {
				t.Fatalf("%d readers are still served", n)
			}
			var err error
			for err == nil { // what was under way still comes
				var block string
				if block, err = s.block(); err == nil {
					if place++; !strings.HasPrefix(block, "id: "+idOf(place)+"\n") {
						t.Fatalf("%q came, want %d", block, place)
					}
				}
			}
			if drops++; errors.Is(err, io.EOF) {
				t.Error("a stream that was cut ended as if it were whole")
			}
		}
		if place != records || drops < 5 {
			t.Errorf("place %d after %d drops", place, drops)
		}
	})
}

// As many readers as there are places are served, the next is told to come back,
// and one that goes makes room.
func TestEventReadersAreBounded(t *testing.T) {
	const most = 32
	synctest.Test(t, func(t *testing.T) {
		fake, _, dial := servePipes(t)
		conns := make([]net.Conn, most)
		for i := range conns {
			conns[i] = dial()
			events(t, conns[i], "").begin(t, idOf(0))
		}
		refused := events(t, dial(), "")
		b, err := io.ReadAll(refused.Body)
		if err != nil {
			t.Fatal(err)
		}
		p := problemOf(t, answer{refused.Response, string(b)})
		if p.Code != client.CodeTooManyReaders || p.Status != 503 || refused.Header.Get("Retry-After") == "" {
			t.Errorf("%+v", p)
		}
		_ = conns[0].Close()
		synctest.Wait()
		if n := fake.following(); n != most-1 {
			t.Errorf("%d readers are served", n)
		}
		events(t, dial(), "").begin(t, idOf(0))
	})
}

// A stopping server ends streams as whole answers, idle for long or not, and
// begins no other.
func TestEventsEndWithTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake, server, dial := servePipes(t)
		fake.record(3, 0)
		s := events(t, dial(), "").begin(t, idOf(3))
		for range 5 {
			s.mustBlock(t)
		}
		<-time.After(9 * time.Second) // of the bubble's clock
		server.StopWaiting()
		if rest, err := io.ReadAll(s.lines); err != nil || len(rest) != 0 {
			t.Errorf("the stream ended with %q, %v", rest, err)
		}
		later := events(t, dial(), "?after="+idOf(0))
		b, err := io.ReadAll(later.Body)
		if err != nil {
			t.Fatal(err)
		}
		if p := problemOf(t, answer{later.Response, string(b)}); p.Code != client.CodeStopping {
			t.Errorf("%+v", p)
		}
	})
}

// A journal that cannot be read is an internal error, told once it is known
// before anything else is; a stream under way just ends.
func TestEventsOfABrokenJournal(t *testing.T) {
	c := serve(t)
	s := c.follow(t, idOf(0))
	c.terminal.failJournal(errors.New("record 1 was altered"))
	c.terminal.record(1, 0)
	if rest, err := io.ReadAll(s.lines); err != nil || len(rest) != 0 {
		t.Errorf("the stream ended with %q, %v", rest, err)
	}
	a := c.send(t, "GET", "/v1/events?after="+idOf(0), "")
	if p := problemOf(t, a); p.Code != client.CodeInternal || strings.Contains(a.body, "altered") || !strings.Contains(c.log.String(), "altered") {
		t.Errorf("%s, log %s", a.raw(), c.log.String())
	}
}

// Registers and operators may follow, over TCP with their token and on the
// socket without; the metrics role may not. Nobody else gets a place.
func TestEventRoles(t *testing.T) {
	c := serve(t)
	for role, status := range map[api.Role]int{api.RoleRegister: 200, api.RoleOperator: 200, api.RoleMetrics: 403} {
		if s := c.open(t, "/v1/events", header("Authorization", "Bearer "+c.tokens[role])); s.StatusCode != status {
			t.Errorf("%s: status %d", role, s.StatusCode)
		}
	}
	for name, e := range map[string]edit{
		"no token": without("Authorization"), "a wrong token": header("Authorization", "Bearer "+strings.Repeat("a", 52)),
	} {
		if s := c.open(t, "/v1/events", e); s.StatusCode != 401 {
			t.Errorf("%s: status %d", name, s.StatusCode)
		}
	}
	if s := c.open(t, "/v1/events", header("Host", "pos.example.com")); s.StatusCode != 421 {
		t.Errorf("a foreign Host: status %d", s.StatusCode)
	}
	conn, err := net.Dial("unix", c.socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	events(t, conn, "").begin(t, idOf(0))
}

// Bad requests are refused as everywhere; HEAD gets the head of the answer and
// no stream.
func TestEventRequests(t *testing.T) {
	c := serve(t)
	for _, query := range []string{"?after=1&after=2", "?since=1", "?%zz"} {
		if p := problemOf(t, c.send(t, "GET", "/v1/events"+query, "")); p.Code != client.CodeInvalid {
			t.Errorf("%s: %+v", query, p)
		}
	}
	if p := problemOf(t, c.send(t, "GET", "/v1/events", `{"code":"281234567890123456"}`)); p.Code != client.CodeInvalid {
		t.Errorf("a body: %+v", p)
	}
	if a := c.send(t, "HEAD", "/v1/events", ""); a.StatusCode != 200 || a.body != "" || a.Header.Get("Content-Type") != "text/event-stream" {
		t.Error(a.raw())
	}
	if a := c.send(t, "GET", "/v1/terminal", ""); !strings.Contains(a.body, `"last_event_id":"`+idOf(0)+`"`) {
		t.Error(a.raw())
	}
}
