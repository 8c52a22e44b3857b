package payment

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// Hash is a SHA-256 sum, written as 64 hexadecimal digits.
type Hash [sha256.Size]byte

// String returns the 64 digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText returns the 64 digits.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads 64 hexadecimal digits.
func (h *Hash) UnmarshalText(text []byte) error {
	if len(text) != hex.EncodedLen(len(h)) {
		return fmt.Errorf("a hash has %d hexadecimal digits, not %d", hex.EncodedLen(len(h)), len(text))
	}
	_, err := hex.Decode(h[:], text)
	return err
}

// JournalRecord is one link of the journal's chain. Its JSON is what is stored
// and hashed: printed one a line, sha256sum of a line is the next line's prev.
type JournalRecord struct {
	Seq  uint64     `json:"seq"` // from 1, without gaps
	At   time.Time  `json:"at"`  // UTC
	Type RecordType `json:"type"`
	// Sale, Version and Fields are those of a record of a sale. Fields are the
	// public fields that changed; Fold applies them.
	Sale    string          `json:"sale,omitempty"`
	Version int64           `json:"version,omitempty"`
	Fields  json.RawMessage `json:"fields,omitempty"`
	// Detail is that of a record that belongs to no sale.
	Detail map[string]string `json:"detail,omitempty"`
	// Prev is the hash of the record before; all zeros in the first.
	Prev Hash `json:"prev"`
	// Hash is the SHA-256 of the record's JSON.
	Hash Hash `json:"-"`
}
