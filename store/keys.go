package store

import (
	"encoding/binary"
	"fmt"
	"time"

	"payscand/payment"
)

// A due key is: length of the gateway's name (1 byte), the name, seconds since
// 1970 with the sign bit flipped (8 bytes, big-endian), nanoseconds (4), sale id.
// The length makes no name the beginning of another; within a gateway bytes sort
// by time, then by sale.

func duePrefix(gateway string) []byte {
	return append([]byte{byte(len(gateway))}, gateway...)
}

func dueTime(prefix []byte, at time.Time) []byte {
	key := binary.BigEndian.AppendUint64(prefix, uint64(at.Unix())^1<<63)
	return binary.BigEndian.AppendUint32(key, uint32(at.Nanosecond()))
}

// dueKeys are none for a sale that is not in the index.
func dueKeys(s *payment.Sale) (keys []string) {
	if s == nil {
		return nil
	}
	for _, d := range s.Dues() {
		keys = append(keys, string(append(dueTime(duePrefix(d.Gateway), d.At), s.ID...)))
	}
	return keys
}

const dueTimeSize = 8 + 4

func splitDueKey(key []byte) (gateway string, at time.Time, sale string, err error) {
	if len(key) == 0 || len(key) < 1+int(key[0])+dueTimeSize {
		return "", time.Time{}, "", fmt.Errorf("%w: a key of the due index is cut short", ErrDamaged)
	}
	name, rest := key[1:1+int(key[0])], key[1+int(key[0]):]
	seconds := int64(binary.BigEndian.Uint64(rest) ^ 1<<63)
	nanos := binary.BigEndian.Uint32(rest[8:])
	return string(name), time.Unix(seconds, int64(nanos)).UTC(), string(rest[dueTimeSize:]), nil
}

// afterPrefix is the first key after all that begin with the prefix. A due
// prefix begins with a length of at most maxGateway, so some byte can be raised.
func afterPrefix(prefix []byte) []byte {
	next := append([]byte(nil), prefix...)
	for i := len(next) - 1; i >= 0; i-- {
		if next[i] != 0xff {
			next[i]++
			return next[:i+1]
		}
	}
	return nil
}

func seqKey(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }

func readSeq(key []byte) (seq uint64, ok bool) {
	if len(key) != 8 {
		return 0, false
	}
	return binary.BigEndian.Uint64(key), true
}

// keyEntry is what the keys bucket holds for an idempotency key.
type keyEntry struct {
	Sale   string `json:"sale"`
	Digest string `json:"digest"`
}

// head is the journal's last record, as meta holds it: sequence, then hash.
type head struct {
	seq  uint64
	hash Hash
}

func (h head) encode() []byte { return append(seqKey(h.seq), h.hash[:]...) }

func readHead(stored string) (head, error) {
	h := head{}
	if len(stored) != 8+len(h.hash) {
		return h, fmt.Errorf("%w: the journal's head cannot be read", ErrDamaged)
	}
	h.seq = binary.BigEndian.Uint64([]byte(stored))
	copy(h.hash[:], stored[8:])
	return h, nil
}
