package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"payscand/api/client"
	"payscand/payment"
)

// eventPage bounds what is read and sent at once, and so the memory of a reader.
const eventPage = 64

// journalReader is a place in the journal and reads on from there, as the text
// of server-sent events.
type journalReader struct {
	journal Journal
	words   Words
	epoch   string
	seq     uint64 // of the last record that was read
}

func newJournalReader(j Journal, words Words) *journalReader {
	seq, epoch := j.Head()
	return &journalReader{journal: j, words: words, epoch: epoch, seq: seq}
}

// start goes to the place right after an event and returns what to say first: an
// id without data, which a reader remembers and takes for no event. Without an
// id it stays at the end; for one that is not of this journal that is a reset.
func (r *journalReader) start(lastID string) []byte {
	if lastID != "" {
		epoch, seq, ok := parseEventID(lastID)
		if !ok || epoch != r.epoch || seq > r.seq {
			return r.reset()
		}
		r.seq = seq
	}
	return []byte("id: " + eventID(r.epoch, r.seq) + "\n\n")
}

// next returns the events after those that were read, one page at most; nothing
// at the end of the journal.
func (r *journalReader) next() ([]byte, error) {
	records, err := r.journal.Journal(r.seq, eventPage)
	if errors.Is(err, payment.ErrNotFound) { // pruned while the reader was away, or slow
		return r.reset(), nil
	}
	if err != nil && len(records) == 0 {
		return nil, fmt.Errorf("journal after record %d: %w", r.seq, err)
	}
	var text bytes.Buffer
	for _, record := range records {
		event, err := wireEvent(r.epoch, record, r.words)
		if err != nil && text.Len() > 0 {
			break // what came before it goes out first
		}
		if err != nil {
			return nil, err
		}
		writeEvent(&text, event)
		r.seq = record.Seq
	}
	return text.Bytes(), nil
}

// reset goes to the end and returns the event that says so.
func (r *journalReader) reset() []byte {
	r.seq, r.epoch = r.journal.Head()
	var text bytes.Buffer
	writeEvent(&text, client.Event{
		ID: eventID(r.epoch, r.seq), At: time.Now().UTC().Truncate(time.Millisecond), Type: client.EventReset,
	})
	return text.Bytes()
}

// writeEvent writes one event of the WHATWG's event stream format. Neither id
// nor type holds a line's end, and JSON is on one line.
func writeEvent(text *bytes.Buffer, e client.Event) {
	fmt.Fprintf(text, "id: %s\nevent: %s\ndata: ", e.ID, e.Type)
	_ = marshal(text, e) // ends the line; strings, numbers and JSON that was read: can be encoded
	text.WriteByte('\n')
}

func eventID(epoch string, seq uint64) string { return epoch + "-" + strconv.FormatUint(seq, 10) }

func parseEventID(id string) (epoch string, seq uint64, ok bool) {
	dash := strings.LastIndexByte(id, '-')
	if dash < 0 {
		return "", 0, false
	}
	seq, err := strconv.ParseUint(id[dash+1:], 10, 64)
	return id[:dash], seq, err == nil && id == eventID(id[:dash], seq)
}

func wireEvent(epoch string, r payment.JournalRecord, words Words) (client.Event, error) {
	e := client.Event{
		ID: eventID(epoch, r.Seq), At: r.At, Type: string(r.Type), Sale: r.Sale, Version: r.Version, Detail: r.Detail,
	}
	if len(r.Fields) == 0 {
		return e, nil
	}
	var err error
	if e.Fields, err = wireFields(r.Fields, words); err != nil {
		return e, fmt.Errorf("journal record %d: %w", r.Seq, err)
	}
	return e, nil
}

// wireFields turns the changed fields of a sale's public view into the same
// fields of the sale on the wire; what was taken away is null.
func wireFields(changed json.RawMessage, words Words) (map[string]json.RawMessage, error) {
	view, err := payment.Fold(payment.View{}, changed)
	if err != nil {
		return nil, err
	}
	var encoded bytes.Buffer
	if err := marshal(&encoded, WireSale(view, words)); err != nil {
		return nil, err
	}
	var fields, sale map[string]json.RawMessage
	if err := errors.Join(json.Unmarshal(changed, &fields), json.Unmarshal(encoded.Bytes(), &sale)); err != nil {
		return nil, err
	}
	for name := range fields {
		value, there := sale[name]
		if !there {
			value = json.RawMessage("null")
		}
		fields[name] = value
	}
	return fields, nil
}
