package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"payscand/api/client"
)

const (
	// maxReaders bounds the streams of events that are open at once.
	maxReaders = 32
	// streamBound is how long a reader may take to take in what is sent at once,
	// a page of events at most, before it is dropped.
	streamBound = 5 * time.Second
)

const aboutEvents = `Server-sent events: everything that happened at this terminal, in order, from its journal. Every change of a sale that can be seen in this API is one event; so are refused scans and the state of gateways.

The data of each event is the object described here, on one line; id and event repeat its id and type. The fields of a sale's event are those of the sale that changed, as GET shows them, each replaced whole; null: taken away. All events of a sale, applied in order, give the sale.

Send the id of the last event that was dealt with as Last-Event-ID, or as ?after= (the header wins), and the stream goes on right after it: nothing is missed and nothing comes twice, whatever broke in between, also across restarts of the terminal. Without it the stream begins with what happens from now on; last_event_id of GET /v1/terminal is the place to go on from after reading that state. The stream begins with an id alone, which says where it stands.

An id that this journal does not know, of another database or older than what is kept, brings an event of type reset: read anew what you need, and go on after its id.

A comment comes every 10 seconds; after 30 seconds without a byte the connection is lost. A reader that takes nothing in for 5 seconds is dropped; it too goes on where it was.`

func (s *Server) addEvents() {
	register(s, operation{
		method: http.MethodGet, path: "/v1/events", id: "followEvents", roles: registers,
		summary: "Follow everything that happens", description: aboutEvents,
		stream: client.Event{}, errors: []int{503},
		parameters: []*huma.Param{
			{
				Name: "Last-Event-ID", In: "header", Description: "Id of the last event that was dealt with.",
				Schema: &huma.Schema{Type: huma.TypeString},
			},
			{
				Name: "after", In: "query", Description: "The same, for those who cannot set a header.",
				Schema: &huma.Schema{Type: huma.TypeString},
			},
		},
	}, s.followEvents)
}

func (s *Server) followEvents(_ context.Context, in *request, _ *struct{}) (*huma.StreamResponse, *problem) {
	values, p := queryValues(in.query, "after")
	if p != nil {
		return nil, p
	}
	lastID := in.header.Get("Last-Event-ID")
	if lastID == "" {
		lastID = values.Get("after")
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		r, w := humago.Unwrap(ctx)
		if p := s.stream(w, r, lastID); p != nil {
			p.write(w)
		}
	}}, nil
}

// stream sends events until the reader goes, is too slow, or the server stops.
// A problem is returned only while nothing was sent.
func (s *Server) stream(w http.ResponseWriter, r *http.Request, lastID string) *problem {
	select {
	case s.readers <- struct{}{}:
		defer func() { <-s.readers }()
	default:
		return newProblem(client.CodeTooManyReaders, "As many programs as the terminal serves follow its events already: end one of them.")
	}
	if s.stopping.Err() != nil {
		return newProblem(client.CodeStopping, "")
	}
	committed, stop := s.terminal.Committed()
	defer stop()
	reader := newJournalReader(s.terminal, s.words)
	begin := reader.start(lastID)
	page, err := reader.next()
	if err != nil {
		return s.refusal(r.Context(), "GET /v1/events", err)
	}
	w.Header().Set("Content-Type", "text/event-stream")
	if r.Method == http.MethodHead {
		return nil
	}
	s.follow(w, r, reader, append(begin, page...), committed)
	return nil
}

// follow sends what the reader has next, and waits for more when that is nothing.
// Between two pages it keeps nothing for its reader but the place in the journal.
func (s *Server) follow(w http.ResponseWriter, r *http.Request, reader *journalReader, text []byte, committed <-chan struct{}) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(s.stopping, cancel)()
	beat := time.NewTicker(client.Heartbeat)
	defer beat.Stop()
	for ctx.Err() == nil {
		if len(text) > 0 && sendBounded(w, text) != nil {
			return // gone or too slow: it goes on after the last event that it got
		}
		var err error
		if text, err = reader.next(); err != nil {
			break // it comes again, and is told then; so is the log
		}
		if len(text) > 0 {
			continue
		}
		select {
		case <-committed:
		case <-beat.C:
			text = []byte(":\n\n")
		case <-ctx.Done():
		}
	}
	// The end has to be written too, and the last deadline may have passed.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(streamBound))
}

// sendBounded sends at once, or fails when the caller does not take it in time.
func sendBounded(w http.ResponseWriter, text []byte) error {
	control := http.NewResponseController(w)
	if err := control.SetWriteDeadline(time.Now().Add(streamBound)); err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	return control.Flush()
}
