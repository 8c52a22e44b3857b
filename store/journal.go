package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"

	"payscand/payment"
)

// JournalRecord is the domain's, since the API reads it too.
type JournalRecord = payment.JournalRecord

// Hash is the domain's, as JournalRecord is.
type Hash = payment.Hash

// Seal makes the record of a change, the next after prev. c.Record must not be
// nil. It returns the record's JSON beside it.
func Seal(seq uint64, prev Hash, c payment.Change) (JournalRecord, []byte, error) {
	r := JournalRecord{
		Seq: seq, At: c.Record.At.UTC(), Type: c.Record.Type,
		Sale: c.Record.Sale, Version: c.Record.Version, Detail: validUTF8(c.Record.Detail), Prev: prev,
	}
	var err error
	if c.After.ID != "" {
		if r.Fields, err = payment.ChangedFields(c.Before, c.After); err != nil {
			return r, nil, fmt.Errorf("journal record %d: %w", seq, err)
		}
	}
	encoded, err := json.Marshal(r)
	if err != nil {
		return r, nil, fmt.Errorf("journal record %d: %w", seq, err)
	}
	r.Hash = sha256.Sum256(encoded)
	return r, encoded, nil
}

// validUTF8 copies the detail as JSON can give it back: a USB device may name
// itself in anything.
func validUTF8(detail map[string]string) map[string]string {
	if len(detail) == 0 {
		return nil
	}
	valid := make(map[string]string, len(detail))
	for name, value := range detail {
		valid[strings.ToValidUTF8(name, "\uFFFD")] = strings.ToValidUTF8(value, "\uFFFD")
	}
	return valid
}

// ChainError names the first record of the journal that is not as it was written.
type ChainError struct {
	Seq     uint64
	Problem string
}

func (e *ChainError) Error() string {
	return fmt.Sprintf("journal record %d: %s", e.Seq, e.Problem)
}

// Unwrap returns ErrDamaged.
func (e *ChainError) Unwrap() error { return ErrDamaged }

// storedRecord is a record as the journal bucket holds it: hash, then JSON. The
// hash is kept beside the record, and not in the next one only, so that a
// damaged record is told from a damaged neighbour.
func storedRecord(r JournalRecord, encoded []byte) []byte {
	return append(r.Hash[:], encoded...)
}

// readRecord checks the bytes before it believes them: JSON alone forgives much
// that a flipped bit can do.
func readRecord(seq uint64, stored []byte) (JournalRecord, error) {
	r := JournalRecord{}
	if len(stored) < len(r.Hash) {
		return r, &ChainError{seq, "it is cut short"}
	}
	encoded := stored[copy(r.Hash[:], stored):]
	if sha256.Sum256(encoded) != r.Hash {
		return r, &ChainError{seq, "it does not match its hash: it was altered"}
	}
	if err := json.Unmarshal(encoded, &r); err != nil {
		return r, &ChainError{seq, fmt.Sprintf("it cannot be read: %v", err)}
	}
	if r.Seq != seq {
		return r, &ChainError{seq, fmt.Sprintf("record %d is in its place", r.Seq)}
	}
	return r, nil
}

// Journal is what VerifyChain reads.
type Journal interface {
	Journal(after uint64, limit int) ([]JournalRecord, error)
	Head() (seq uint64, epoch string)
	Checkpoint() (seq uint64, hash Hash)
}

// VerifyChain reads the whole journal, page by page, from the checkpoint that
// retention left up to the record that is the last when it begins. It returns how
// many records it found good, and a *ChainError for the first that is altered,
// missing or out of order.
func VerifyChain(j Journal) (good uint64, err error) {
	last, _ := j.Head()
	first, prev := j.Checkpoint()
	for at := first; at < last; {
		page, readErr := j.Journal(at, MaxPage)
		for _, r := range page {
			if err := checkLink(at+1, prev, r); err != nil {
				return at - first, err
			}
			at, prev = r.Seq, r.Hash
			good = at - first
		}
		if readErr != nil {
			return good, readErr
		}
		if len(page) == 0 {
			return good, &ChainError{at + 1, fmt.Sprintf("it is missing: the journal goes up to %d", last)}
		}
	}
	return good, nil
}

func checkLink(seq uint64, prev Hash, r JournalRecord) error {
	if r.Seq != seq {
		return &ChainError{seq, fmt.Sprintf("it is missing: record %d follows", r.Seq)}
	}
	encoded, err := json.Marshal(r)
	if err != nil {
		return &ChainError{seq, err.Error()}
	}
	if sum := sha256.Sum256(encoded); !bytes.Equal(sum[:], r.Hash[:]) {
		return &ChainError{seq, "it does not match its hash: it was altered"}
	}
	if r.Prev != prev {
		return &ChainError{seq, "it does not follow from the record before: one of the two was replaced"}
	}
	return nil
}
