package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"

	"go.etcd.io/bbolt"

	"payscand/payment"
)

// ErrBusy: a backup is being made already.
var ErrBusy = errors.New("a backup is being made already")

// Backup says what a backup holds.
type Backup struct {
	Path    string
	Bytes   int64
	Sales   int
	Records uint64 // of the journal
	Last    uint64 // sequence number of its last record
	Epoch   string // of the journal that it was taken from
}

// tap collects the sales that are committed while a backup copies the others.
type tap struct {
	mu    sync.Mutex
	sales map[string]struct{}
}

// tapped notes what was committed. Readers are still kept out.
func (db *DB) tapped(changes []payment.Change) {
	t := db.tap.Load()
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range changes {
		if c.After.ID != "" {
			t.sales[c.After.ID] = struct{}{}
		}
	}
}

// take returns up to a page of the ids, and whether they were all.
func (t *tap) take() (ids []string, all bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for id := range t.sales {
		if len(ids) == MaxPage {
			return ids, false
		}
		ids = append(ids, id)
		delete(t.sales, id)
	}
	return ids, true
}

// Backup writes the database as it is at one moment, without payment codes, to a
// new file at path (mode 0600), and checks it before it gets that name. Commits
// go on meanwhile: it reads pages of at most 256 entries, and at the end those
// that were committed since. What is damaged is not backed up: the error says
// where. A file that is there already is left alone.
//
// The file holds none of the bytes of this one but what was read: nothing that
// was in a freed page gets there. It may not act on its sales until it was
// restored and adopted.
func (db *DB) Backup(ctx context.Context, path string) (Backup, error) {
	b, err := db.backUp(ctx, path)
	if err != nil {
		return Backup{}, fmt.Errorf("back up to %s: %w", path, err)
	}
	return b, nil
}

func (db *DB) backUp(ctx context.Context, path string) (made Backup, err error) {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return made, errors.Join(err, fs.ErrExist)
	}
	if err := db.roomForBackup(path); err != nil {
		return made, err
	}
	t := &tap{sales: map[string]struct{}{}}
	if err := db.install(t); err != nil {
		return made, err
	}
	defer db.tap.Store(nil)
	temporary, err := temporaryBeside(path)
	if err != nil {
		return made, err
	}
	dst, err := newFile(temporary)
	if err != nil {
		return made, err
	}
	c := &copier{db: db, dst: dst, tap: t, state: *db.state.Load()}
	c.state.machine, c.state.head = machineOfBackup, c.state.base
	if err := c.run(ctx); err != nil {
		return made, errors.Join(err, dst.Close(), os.Remove(temporary))
	}
	if err := closeSynced(dst, temporary); err != nil {
		return made, errors.Join(err, os.Remove(temporary))
	}
	made, err = proven(ctx, temporary)
	if err != nil {
		return made, errors.Join(err, os.Remove(temporary))
	}
	made.Path = path
	return made, moveInto(temporary, path)
}

// roomForBackup refuses a backup that would take the room of sales.
func (db *DB) roomForBackup(path string) error {
	used := int64(0)
	err := db.view(func(tx *bbolt.Tx) error {
		used = tx.Size()
		return nil
	})
	return errors.Join(err, db.roomFor(used, path))
}

func (db *DB) install(t *tap) error {
	db.durable.Lock() // between two commits
	defer db.durable.Unlock()
	if err := db.usable(); err != nil {
		return err
	}
	if !db.tap.CompareAndSwap(nil, t) {
		return ErrBusy
	}
	return nil
}

// proven checks a database that was just made.
func proven(ctx context.Context, path string) (Backup, error) {
	report, err := Check(ctx, path)
	if err != nil {
		return Backup{}, err
	}
	if len(report.Findings) > 0 {
		return Backup{}, fmt.Errorf("%w: what was written reads otherwise: %v", ErrDamaged, report.Findings[0])
	}
	return Backup{
		Path: path, Bytes: report.Bytes, Sales: report.Sales, Records: report.Records, Last: report.Last, Epoch: report.Epoch,
	}, nil
}

// copier copies a database that others go on writing.
type copier struct {
	db    *DB
	dst   *bbolt.DB
	tap   *tap
	state meta // of the copy, so far
	dirty int  // entries since the copy was last put on the disk
}

// syncEvery is how many entries wait to be put on the disk: all at once they
// would hold up the sales that wait for the same disk.
const syncEvery = 16 * MaxPage

type entry struct{ key, value []byte }

func (c *copier) run(ctx context.Context) error {
	if err := c.dst.Update(func(tx *bbolt.Tx) error { return putMeta(tx, c.state) }); err != nil {
		return err
	}
	for after, more := []byte(nil), true; more; {
		if err := ctx.Err(); err != nil {
			return err
		}
		page, err := c.salesAfter(after)
		if err != nil {
			return err
		}
		if err := c.putSales(page); err != nil {
			return err
		}
		if more = len(page) == MaxPage; more {
			after = page[len(page)-1].key
		}
	}
	for done := false; !done; {
		if err := ctx.Err(); err != nil {
			return err
		}
		var err error
		if done, err = c.catchUp(); err != nil {
			return err
		}
	}
	return nil
}

func (c *copier) salesAfter(after []byte) (page []entry, err error) {
	err = c.db.view(func(tx *bbolt.Tx) error {
		cursor := tx.Bucket(bucketSales).Cursor()
		id, stored := cursor.Seek(after)
		if id != nil && bytes.Equal(id, after) {
			id, stored = cursor.Next()
		}
		for ; id != nil && len(page) < MaxPage; id, stored = cursor.Next() {
			page = append(page, entry{bytes.Clone(id), bytes.Clone(stored)})
		}
		return nil
	})
	return page, err
}

// catchUp copies a page of the sales that were committed meanwhile and a page of
// the journal. When both were the last, the copy is what the database was in
// that one read transaction: everything copied before has not changed since.
func (c *copier) catchUp() (done bool, err error) {
	var sales, records []entry
	err = c.db.view(func(tx *bbolt.Tx) error {
		ids, all := c.tap.take()
		slices.Sort(ids)
		for _, id := range ids {
			sales = append(sales, entry{[]byte(id), bytes.Clone(tx.Bucket(bucketSales).Get([]byte(id)))})
		}
		cursor := tx.Bucket(bucketJournal).Cursor()
		next := seqKey(c.state.head.seq + 1)
		for key, stored := cursor.Seek(next); key != nil && len(records) < MaxPage; key, stored = cursor.Next() {
			records = append(records, entry{bytes.Clone(key), bytes.Clone(stored)})
		}
		head := c.db.state.Load().head
		done = all && c.state.head.seq+uint64(len(records)) == head.seq
		return nil
	})
	if err != nil {
		return false, err
	}
	if err := c.putSales(sales); err != nil {
		return false, err
	}
	return done, c.putRecords(records)
}

func (c *copier) putSales(page []entry) error {
	return c.write(func(w *writer) error {
		for _, e := range page {
			s, err := decodeSale(schema, e.value, string(e.key))
			if err != nil {
				return err
			}
			var before *payment.Sale
			if copied, err := readSale(w.sales, w.codes, s.ID); err == nil {
				before = &copied
			} else if !errors.Is(err, ErrNotFound) {
				return err
			}
			if err := w.putSale(before, &s); err != nil {
				return fmt.Errorf("%w: %w", ErrDamaged, err)
			}
		}
		return nil
	}, len(page))
}

// putRecords follows the chain: a journal that does not hold is not backed up.
func (c *copier) putRecords(page []entry) error {
	return c.write(func(w *writer) error {
		for _, e := range page {
			seq := w.state.head.seq + 1
			if !bytes.Equal(e.key, seqKey(seq)) {
				return &ChainError{seq, "it is missing"}
			}
			r, err := readRecord(seq, e.value)
			if err != nil {
				return err
			}
			if err := checkLink(seq, w.state.head.hash, r); err != nil {
				return err
			}
			if err := w.journal.Put(e.key, e.value); err != nil {
				return err
			}
			w.state.head = head{seq: seq, hash: r.Hash}
		}
		return nil
	}, len(page))
}

func (c *copier) write(f func(w *writer) error, entries int) error {
	err := guarded(func() error {
		return c.dst.Update(func(tx *bbolt.Tx) error {
			w := newWriter(tx, c.state)
			if err := f(w); err != nil {
				return err
			}
			was := c.state
			c.state = w.state
			return putMetaChanges(w.meta, &was, c.state)
		})
	})
	if c.dirty += entries; err == nil && c.dirty >= syncEvery {
		c.dirty = 0
		return c.dst.Sync()
	}
	return err
}
