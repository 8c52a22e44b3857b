package store

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/oklog/ulid/v2"
	"go.etcd.io/bbolt"
)

// schema is the version of the layout. A file of another version is refused.
const schema = 1

var (
	bucketMeta     = []byte("meta")
	bucketSales    = []byte("sales")
	bucketOpen     = []byte("open")
	bucketDue      = []byte("due")
	bucketKeys     = []byte("keys")
	bucketRequests = []byte("requests")
	bucketCodes    = []byte("codes")
	bucketJournal  = []byte("journal")

	metaSchema  = []byte("schema")
	metaEpoch   = []byte("epoch")
	metaMachine = []byte("machine")
	metaHead    = []byte("head")
)

func buckets() [][]byte {
	return [][]byte{
		bucketMeta, bucketSales, bucketOpen, bucketDue, bucketKeys, bucketRequests, bucketCodes, bucketJournal,
	}
}

func writeMeta(tx *bbolt.Tx) error {
	for _, name := range buckets() {
		if _, err := tx.CreateBucket(name); err != nil {
			return err
		}
	}
	meta := tx.Bucket(bucketMeta)
	for _, entry := range []struct{ key, value []byte }{
		{metaSchema, strconv.AppendInt(nil, schema, 10)},
		{metaEpoch, []byte(ulid.Make().String())},
		{metaMachine, []byte(machine())},
		{metaHead, head{}.encode()},
	} {
		if err := meta.Put(entry.key, entry.value); err != nil {
			return err
		}
	}
	return nil
}

// machine identifies this installation: an HMAC of /etc/machine-id, which must
// not be told as it is (machine-id(5)). It is empty where there is none.
func machine() string {
	id, err := os.ReadFile("/etc/machine-id")
	if err != nil || strings.TrimSpace(string(id)) == "" {
		return ""
	}
	sum := hmac.New(sha256.New, []byte(strings.TrimSpace(string(id))))
	sum.Write([]byte("payscand database"))
	return hex.EncodeToString(sum.Sum(nil))
}

// readMeta refuses what this version of the program did not write.
func (db *DB) readMeta(tx *bbolt.Tx) error {
	meta := tx.Bucket(bucketMeta)
	if meta == nil {
		return fmt.Errorf("%w: it is a bbolt file, but not payscand's", ErrDamaged)
	}
	version, err := strconv.Atoi(string(meta.Get(metaSchema)))
	switch {
	case err != nil || version < schema:
		return fmt.Errorf("%w: its schema version cannot be read", ErrDamaged)
	case version > schema:
		return fmt.Errorf("%w (schema %d, this one knows %d); install that version again, or restore a backup made before it",
			ErrNewer, version, schema)
	}
	for _, name := range buckets() {
		if tx.Bucket(name) == nil {
			return fmt.Errorf("%w: its bucket %s is missing", ErrDamaged, name)
		}
	}
	last, err := readHead(meta.Get(metaHead))
	if err != nil {
		return err
	}
	if err := checkHead(tx, last); err != nil {
		return err
	}
	db.head.Store(&last)
	db.epoch = string(meta.Get(metaEpoch))
	return nil
}

// checkHead compares the journal's last record with what meta says it is.
func checkHead(tx *bbolt.Tx, last head) error {
	key, stored := tx.Bucket(bucketJournal).Cursor().Last()
	if key == nil && last.seq == 0 {
		return nil
	}
	if string(key) != string(seqKey(last.seq)) {
		return &ChainError{last.seq, "it should be the last record, but is not"}
	}
	r, err := readRecord(last.seq, stored)
	if err != nil {
		return err
	}
	if r.Hash != last.hash {
		return &ChainError{last.seq, "it does not match the head of the chain: it was replaced"}
	}
	return nil
}
