package client_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"payscand/api/client"
)

// streams answers each request for events with the next of its streams; after
// the last one nobody answers.
type streams struct {
	mu      sync.Mutex
	answers []func(*http.Request) (*http.Response, error)
	asked   []string // Last-Event-ID of each request
	at      []time.Time
}

func (s *streams) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, r.Header.Get("Last-Event-ID"))
	s.at = append(s.at, time.Now())
	if r.Method+" "+r.URL.Path != "GET /v1/events" {
		return nil, errors.New("unexpected request")
	}
	if len(s.answers) == 0 {
		return nil, errors.New("connection refused")
	}
	answer := s.answers[0]
	s.answers = s.answers[1:]
	return answer(r)
}

func text(status int, contentType, body string) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: status, Header: http.Header{"Content-Type": {contentType}}, Body: io.NopCloser(strings.NewReader(body)),
		}, nil
	}
}

func stream(body string) func(*http.Request) (*http.Response, error) {
	return text(200, "text/event-stream", body)
}

// silent brings a text and then nothing more, until the request is given up.
func silent(body string) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		reader, writer := io.Pipe()
		go func() {
			_, _ = io.WriteString(writer, body)
			<-r.Context().Done()
			writer.CloseWithError(r.Context().Err())
		}()
		response, _ := stream("")(r)
		response.Body = reader
		return response, nil
	}
}

func refused(_ *http.Request) (*http.Response, error) { return nil, errors.New("connection refused") }

var errEnough = errors.New("enough")

// until follows events from an id, until one with the last id came.
func until(t *testing.T, s *streams, from, last string) (got []string, err error) {
	t.Helper()
	c, err := client.New("http://127.0.0.1:1", "token-1")
	if err != nil {
		t.Fatal(err)
	}
	c.SetTransport(s)
	err = c.Events(t.Context(), from, func(e client.Event) error {
		got = append(got, e.ID)
		if e.ID == last {
			return errEnough
		}
		return nil
	})
	return got, err
}

func event(id string) string {
	return "id: " + id + "\nevent: sale.paid\ndata: {\"id\":\"" + id + "\",\"type\":\"sale.paid\",\"a_field_of_tomorrow\":1}\n\n"
}

// Whatever breaks a stream, the next one goes on after the last event that was
// handled, or where the stream said it began.
func TestEventsGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &streams{}
		s.answers = append(s.answers,
			refused,
			text(503, "application/problem+json", `{"code":"stopping","status":503}`),
			stream("id: e-4\n\n"),                       // over before anything happened
			stream("id: e-4\n\n"+event("e-5")),          // over
			stream(event("e-6")+event("e-7")[:20]),      // cut within an event
			silent(":\n\n"+event("e-7")),                // lost
			stream("id: e-7\n\n:\n\n"+event("e-8")[:8]), // cut within an id
			text(503, "text/html", "a proxy's page"),
			stream("id: e-1\nevent: reset\ndata: {\"id\":\"e-1\",\"type\":\"reset\"}\n\n"),
			stream(event("e-2")),
		)
		got, err := until(t, s, "", "e-2")
		if !errors.Is(err, errEnough) || !slices.Equal(got, []string{"e-5", "e-6", "e-7", "e-1", "e-2"}) {
			t.Errorf("%v, %v", got, err)
		}
		if want := []string{"", "", "", "e-4", "e-5", "e-6", "e-7", "e-7", "e-7", "e-1"}; !slices.Equal(s.asked, want) {
			t.Errorf("asked after %q, want %q", s.asked, want)
		}
	})
}

// What waiting does not mend ends Events with its reason.
func TestEventsEnd(t *testing.T) {
	for name, test := range map[string]struct {
		answer func(*http.Request) (*http.Response, error)
		code   client.ErrorCode // empty: no problem
	}{
		"a wrong token":      {text(401, "application/problem+json", `{"code":"unauthenticated","status":401}`), client.CodeUnauthenticated},
		"a wrong role":       {text(403, "application/problem+json", `{"code":"forbidden","status":403}`), client.CodeForbidden},
		"an internal error":  {text(500, "application/problem+json", `{"code":"internal","status":500}`), client.CodeInternal},
		"another program":    {text(200, "text/html", "<html>"), ""},
		"another API":        {text(200, "application/json", "{}"), ""},
		"a path not there":   {text(404, "text/plain", "404"), ""},
		"events of no sense": {stream("data: {\n\n"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &streams{answers: []func(*http.Request) (*http.Response, error){test.answer}}
				_, err := until(t, s, "e-1", "")
				problem := new(client.Problem)
				if errors.As(err, &problem); err == nil || problem.Code != test.code || len(s.asked) != 1 {
					t.Errorf("%v after %d requests", err, len(s.asked))
				}
			})
		})
	}
}

// A terminal that is away is asked again ever more slowly, up to every five
// seconds, until ctx ends; one that sends events is asked again at once. A
// stream may be silent for thirty seconds, however long an event is handled.
func TestEventsTiming(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &streams{answers: []func(*http.Request) (*http.Response, error){silent(event("e-1")), silent("id: e-1\n\n")}}
		c, err := client.New("http://127.0.0.1:1", "")
		if err != nil {
			t.Fatal(err)
		}
		c.SetTransport(s)
		ctx, cancel := context.WithTimeout(t.Context(), 150*time.Second)
		defer cancel()
		err = c.Events(ctx, "", func(client.Event) error {
			<-time.After(time.Minute) // of the bubble's clock
			return nil
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		var pauses []time.Duration
		for i := range s.at[1:] {
			pauses = append(pauses, s.at[i+1].Sub(s.at[i]))
		}
		const ms = time.Millisecond
		want := []time.Duration{90 * time.Second, 30*time.Second + 250*ms, 500 * ms, 1000 * ms, 2000 * ms, 4000 * ms, 5000 * ms, 5000 * ms, 5000 * ms, 5000 * ms}
		if !slices.Equal(pauses, want) {
			t.Errorf("pauses %v, want %v", pauses, want)
		}
	})
}

// A stream on which nothing happens stays open as long as heartbeats come.
func TestHeartbeatsKeepTheStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reader, writer := io.Pipe()
		s := &streams{answers: []func(*http.Request) (*http.Response, error){func(r *http.Request) (*http.Response, error) {
			response, _ := stream("")(r)
			response.Body = reader
			return response, nil
		}}}
		go func() {
			for range 60 {
				_, _ = io.WriteString(writer, ":\n\n")
				<-time.After(client.Heartbeat) // of the bubble's clock
			}
			_, _ = io.WriteString(writer, event("e-1"))
		}()
		if got, err := until(t, s, "", "e-1"); !errors.Is(err, errEnough) || len(got) != 1 || len(s.asked) != 1 {
			t.Errorf("%v, %v after %d requests", got, err, len(s.asked))
		}
	})
}
