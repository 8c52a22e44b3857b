package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"time"
)

// Heartbeat is how often the terminal sends something to a reader of events,
// even when nothing happens.
const Heartbeat = 10 * time.Second

const (
	// silence is how long a stream may bring nothing, its begin included, before
	// its connection counts as lost.
	silence = 3 * Heartbeat
	// The pauses before a stream is opened again double from the first to the
	// longest while no event comes.
	firstPause   = 250 * time.Millisecond
	longestPause = 5 * time.Second
)

// EventReset is the type of an event that says: where you wanted to go on, this
// terminal cannot; you are at its ID now.
const EventReset = "reset"

// Event is one thing that happened at the terminal.
type Event struct {
	// ID is the place in the terminal's journal: go on after it.
	ID string    `json:"id" doc:"The place to go on after."`
	At time.Time `json:"at" doc:"UTC."`
	// Type is "sale." and the sale's status, such as sale.paid; "refund." or
	// "reversal." and a refund's status; sale.late_capture, refund.found,
	// sale.elsewhere; scan.refused, gateway.state, terminal.adopted, or EventReset.
	// Expect others.
	Type string `json:"type" doc:"Of a sale: sale. and its status, such as sale.paid. Where the status stays and something else changed: refund. or reversal. and the status of that refund, such as refund.succeeded; sale.late_capture, money was found that should not have been taken; refund.found, somebody else gave money back; sale.elsewhere, the payment of another terminal is to be refunded here. Of no sale: scan.refused, gateway.state, terminal.adopted (a restored or moved database may act again), reset. Others may come. What changed is in fields, whatever the type." example:"sale.paid"`
	// Sale, Version and Fields are those of an event of a sale. See [Sale.Fold].
	Sale    string                     `json:"sale,omitempty" doc:"The sale's id, for an event of a sale."`
	Version int64                      `json:"version,omitempty" doc:"The sale's version, which each event of it raises by one."`
	Fields  map[string]json.RawMessage `json:"fields,omitempty" doc:"The fields of the sale that changed, as in Sale, each replaced whole; null: taken away."`
	// Detail is that of an event that belongs to no sale.
	Detail map[string]string `json:"detail,omitempty" doc:"Of scan.refused: device, kind, mask, sale. Of gateway.state: gateway, state, reason. Of terminal.adopted: open_sales."`
}

// Fold returns the sale as it is after an event of it. All events of a sale from
// its first on, folded into the zero Sale, give what GetSale answers; an event
// that the sale knows already changes nothing. An error means that events
// between the two are missing, or that the event is another sale's: get the sale.
func (s Sale) Fold(e Event) (Sale, error) {
	switch {
	case e.Sale == "" || s.ID != "" && s.ID != e.Sale:
		return s, fmt.Errorf("event %s is not of sale %s", e.ID, s.ID)
	case e.Version <= s.Version:
		return s, nil
	case e.Version > s.Version+1:
		return s, fmt.Errorf("sale %s has version %d, event %s brings version %d: those between are missing", e.Sale, s.Version, e.ID, e.Version)
	}
	known, err := json.Marshal(s)
	if err != nil {
		return s, err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(known, &fields); err != nil {
		return s, err
	}
	maps.Copy(fields, e.Fields)
	folded, err := json.Marshal(fields)
	if err != nil {
		return s, err
	}
	var sale Sale // a null leaves a field of it as it is: empty
	if err := json.Unmarshal(folded, &sale); err != nil {
		return s, fmt.Errorf("event %s: %w", e.ID, err)
	}
	return sale, nil
}

// Events calls handle with each event after the one that lastID names, in order,
// none left out and none twice, until ctx ends or handle returns an error. It
// opens the stream again whenever it breaks, for as long as it takes.
//
// Keep the ID of an event once it is dealt with, and begin there next time. To
// begin with a known state, read it with [Client.Terminal] and follow its
// LastEventID. An empty lastID begins with what happens from now on.
//
// An event of type [EventReset] says that the terminal does not know lastID: its
// database is another one, or no longer holds what came after. Read anew what is
// of interest; the events go on after the reset's ID.
//
// The error is that of ctx or of handle, a *Problem that waiting does not mend,
// such as a wrong token, or says that what answers is not a terminal.
func (c *Client) Events(ctx context.Context, lastID string, handle func(Event) error) error {
	pause := firstPause
	for {
		f := follower{client: c, lastID: lastID, handle: handle}
		err := f.follow(ctx)
		lastID = f.lastID
		if fatal := new(fatalError); errors.As(err, &fatal) {
			return fatal.error
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if f.handled > 0 { // it made progress, so it may go on at once
			pause = firstPause
			continue
		}
		select {
		case <-time.After(pause):
			pause = min(2*pause, longestPause)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// fatalError is one that opening the stream again does not mend.
type fatalError struct{ error }

// follower reads one stream.
type follower struct {
	client  *Client
	lastID  string
	handle  func(Event) error
	handled int
}

// follow returns when the stream is over or broken.
func (f *follower) follow(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	lost := time.AfterFunc(silence, cancel)
	defer lost.Stop()
	request, err := f.client.request(ctx, http.MethodGet, "/v1/events", nil)
	if err != nil {
		return &fatalError{err}
	}
	if f.lastID != "" {
		request.Header.Set("Last-Event-ID", f.lastID)
	}
	response, err := f.client.http.Do(request)
	if err != nil {
		return fmt.Errorf("terminal: %w", err)
	}
	defer response.Body.Close()
	mediaType, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if response.StatusCode != http.StatusOK || mediaType != "text/event-stream" {
		return refusedStream(response)
	}
	blocks := newEventReader(response.Body)
	for {
		b, err := blocks.read(func() { lost.Reset(silence) })
		if err != nil {
			return err
		}
		lost.Stop() // handle may take as long as it likes
		if err := f.take(b); err != nil {
			return err
		}
		lost.Reset(silence)
	}
}

// refusedStream tells an answer that is no stream: only "not now" passes by itself.
func refusedStream(response *http.Response) error {
	err := read(response, new(json.RawMessage))
	if err == nil {
		err = errors.New("terminal: its answer is no stream of events: is this payscand's address?")
	}
	if response.StatusCode == http.StatusServiceUnavailable {
		return err
	}
	return &fatalError{err}
}

// take deals with one block: an event, or an id alone.
func (f *follower) take(b block) error {
	if b.data != "" {
		var e Event
		if err := json.Unmarshal([]byte(b.data), &e); err != nil {
			return &fatalError{fmt.Errorf("terminal: an event cannot be read: %w", err)}
		}
		if err := f.handle(e); err != nil {
			return &fatalError{err}
		}
		f.handled++
	}
	if b.id != "" {
		f.lastID = b.id
	}
	return nil
}
