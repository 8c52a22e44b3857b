package store

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/oklog/ulid/v2"
	"go.etcd.io/bbolt"
)

// schema is the version of the layout. A file of a newer one is refused, one of
// an older one is migrated.
const schema = 2

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
	metaBase    = []byte("base")
)

func buckets() [][]byte {
	return [][]byte{
		bucketMeta, bucketSales, bucketOpen, bucketDue, bucketKeys, bucketRequests, bucketCodes, bucketJournal,
	}
}

// meta is what the meta bucket says.
type meta struct {
	schema  int
	epoch   string
	machine string // whose sales these are: machine(), or with one of the words below
	head    head   // the journal's last record
	base    head   // the last record that retention dropped
}

const (
	// machineOfBackup stands in every backup: it is nobody's until it is adopted.
	machineOfBackup = "backup"
	// machineVisited, before a machine's name: it has the file but did not adopt it.
	machineVisited = "not adopted by "
)

func newMeta() meta {
	return meta{schema: schema, epoch: ulid.Make().String(), machine: machine()}
}

func putMeta(tx *bbolt.Tx, m meta) error {
	b := tx.Bucket(bucketMeta)
	if err := b.Put(metaSchema, strconv.AppendInt(nil, schema, 10)); err != nil {
		return err
	}
	return putMetaChanges(b, nil, m)
}

// putMetaChanges writes the entries that differ; all when was is nil.
func putMetaChanges(b *bbolt.Bucket, was *meta, is meta) error {
	all := was == nil
	if all {
		was = new(meta)
	}
	for _, entry := range []struct {
		key     []byte
		changed bool
		value   func() []byte
	}{
		{metaEpoch, was.epoch != is.epoch, func() []byte { return []byte(is.epoch) }},
		{metaMachine, was.machine != is.machine, func() []byte { return []byte(is.machine) }},
		{metaHead, was.head != is.head, is.head.encode},
		{metaBase, was.base != is.base, is.base.encode},
	} {
		if !entry.changed && !all {
			continue
		}
		if err := put(b, bucketMeta, entry.key, entry.value()); err != nil {
			return err
		}
	}
	return nil
}

func createBuckets(tx *bbolt.Tx) error {
	for _, name := range buckets() {
		if _, err := tx.CreateBucket(name); err != nil {
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

// readMeta refuses what no version of the program up to this one wrote.
func readMeta(tx *bbolt.Tx) (meta, error) {
	m := meta{}
	b := tx.Bucket(bucketMeta)
	if b == nil {
		return m, fmt.Errorf("%w: it is a bbolt file, but not payscand's", ErrDamaged)
	}
	var err error
	if m.schema, err = readSchema(b); err != nil {
		return m, err
	}
	for _, name := range buckets() {
		if tx.Bucket(name) == nil {
			return m, fmt.Errorf("%w: its bucket %s is missing", ErrDamaged, name)
		}
	}
	text := func(key []byte) string {
		value, openErr := layout(m.schema).open(bucketMeta, key, b.Get(key))
		err = errors.Join(err, openErr)
		return string(value)
	}
	link := func(key []byte) head {
		h, linkErr := readHead(text(key))
		err = errors.Join(err, linkErr)
		return h
	}
	m.epoch, m.machine, m.head = text(metaEpoch), text(metaMachine), link(metaHead)
	if m.schema >= 2 {
		m.base = link(metaBase)
	}
	if err != nil {
		return m, err
	}
	return m, checkHead(tx, m)
}

func readSchema(b *bbolt.Bucket) (int, error) {
	version, err := strconv.Atoi(string(b.Get(metaSchema)))
	switch {
	case err != nil || version < 1:
		return 0, &EntryError{string(bucketMeta), string(metaSchema), "the schema version cannot be read"}
	case version <= schema:
		return version, nil
	}
	if _, err := unseal(bucketMeta, metaEpoch, b.Get(metaEpoch)); err == nil {
		return 0, &EntryError{string(bucketMeta), string(metaSchema),
			fmt.Sprintf("it says schema %d, but the entries beside it are of schema %d: it was altered", version, schema)}
	}
	return 0, fmt.Errorf("%w (schema %d, this one knows %d); install that version again, or restore a backup made before it",
		ErrNewer, version, schema)
}

// checkHead compares the journal's last record with what meta says it is.
func checkHead(tx *bbolt.Tx, m meta) error {
	key, stored := tx.Bucket(bucketJournal).Cursor().Last()
	if key == nil && m.head == m.base {
		return nil
	}
	if string(key) != string(seqKey(m.head.seq)) {
		return &ChainError{m.head.seq, "it should be the last record, but is not"}
	}
	r, err := readRecord(m.head.seq, stored)
	if err != nil {
		return err
	}
	if r.Hash != m.head.hash {
		return &ChainError{m.head.seq, "it does not match the head of the chain: it was replaced"}
	}
	return nil
}

// layout is a schema version, as far as reading entries goes.
type layout int

// open returns the value of an entry as it was before it was stored.
func (l layout) open(bucket, key, stored []byte) ([]byte, error) {
	switch {
	case stored == nil:
		return nil, &EntryError{string(bucket), string(key), "it is missing"}
	case l < 2 || !isSealed(bucket, key):
		return stored, nil
	}
	return unseal(bucket, key, stored)
}

func isSealed(bucket, key []byte) bool {
	switch string(bucket) {
	case "sales", "keys", "requests", "codes":
		return true
	case "meta":
		return string(key) != string(metaSchema)
	}
	return false
}
