package store

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// Values of sales, keys, requests, codes and meta are sealed: a checksum comes
// before them. bbolt has none for what it stores, JSON forgives much that a
// flipped bit can do, and not all of a sale is in the journal, which has hashes
// of its own. The checksum covers bucket and key too, so that a value under
// another's key is found. CRC-32C finds every flipped bit, and every burst of up
// to 32 bits; it is no protection against somebody who wants to deceive.

const sealSize = crc32.Size

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sum's salt changes with the schema: an entry says which one wrote it.
func sum(bucket, key, value []byte) uint32 {
	crc := crc32.Update(0, castagnoli, []byte("payscand 2\x00"))
	crc = crc32.Update(crc, castagnoli, bucket)
	crc = crc32.Update(crc, castagnoli, []byte{0})
	crc = crc32.Update(crc, castagnoli, key)
	return crc32.Update(crc, castagnoli, value)
}

// seal returns the value as it is stored.
func seal(bucket, key, value []byte) []byte {
	stored := make([]byte, sealSize, sealSize+len(value))
	binary.BigEndian.PutUint32(stored, sum(bucket, key, value))
	return append(stored, value...)
}

// unseal returns the value that was stored, within stored, or an *EntryError.
func unseal(bucket, key, stored []byte) ([]byte, error) {
	if len(stored) < sealSize {
		return nil, &EntryError{string(bucket), string(key), "it is cut short"}
	}
	value := stored[sealSize:]
	if sum(bucket, key, value) != binary.BigEndian.Uint32(stored) {
		return nil, &EntryError{string(bucket), string(key), "it does not match its checksum: it was altered"}
	}
	return value, nil
}

// EntryError names an entry of the database that is not as it was written.
type EntryError struct {
	Bucket, Key string
	Problem     string
}

func (e *EntryError) Error() string {
	return fmt.Sprintf("bucket %s, entry %s: %s", e.Bucket, printable(e.Bucket, []byte(e.Key)), e.Problem)
}

// Unwrap returns ErrDamaged.
func (e *EntryError) Unwrap() error { return ErrDamaged }

// printable names an entry. An idempotency key is the register's word, in which
// a payment code may stand by mistake: its ends have to do.
func printable(bucket string, key []byte) string {
	switch bucket {
	case string(bucketJournal):
		if len(key) == 8 {
			return fmt.Sprint(binary.BigEndian.Uint64(key))
		}
	case string(bucketDue):
		if gateway, at, sale, err := splitDueKey(key); err == nil {
			return fmt.Sprintf("%.64q at %s of sale %.64q", gateway, at.Format("2006-01-02T15:04:05.000Z"), sale)
		}
	case string(bucketKeys):
		if len(key) > 12 {
			return fmt.Sprintf("%q…%q", key[:2], key[len(key)-4:])
		}
		return fmt.Sprintf("of %d bytes", len(key))
	}
	return fmt.Sprintf("%.64q", key)
}
