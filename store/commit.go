package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"

	"payscand/payment"
)

// Commit writes all changes, or none, in one transaction that is on the disk
// when it returns nil. Later changes may build on earlier ones of the same
// commit. Changes that hold nothing are skipped; without any other the disk is
// not touched.
//
// A change that does not fit what is stored is refused with ErrRefused, one of an
// entry that was altered with ErrDamaged: nothing is written. After any other
// error of the disk nobody knows whether the commit is on it (a failed fdatasync
// of bbolt's meta page leaves it there): the error wraps ErrFailed, ErrFull beside
// it where the disk was full, and so does the error of every later call.
func (db *DB) Commit(changes []payment.Change) error {
	if err := db.usable(); err != nil {
		return err
	}
	if !anyChanged(changes) {
		return nil
	}
	db.durable.Lock()
	defer db.durable.Unlock()
	err := db.write(func(w *writer) error {
		for _, c := range changes {
			if err := w.apply(c); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		db.tapped(changes)
		if db.commits >= reopenEvery {
			db.reopen()
		}
	}
	return err
}

// write lets f write in one transaction, and is the only one that does while the
// store is open. Readers must be kept out (durable).
func (db *DB) write(f func(w *writer) error) error {
	var last meta
	applied := false // all that is left is to write it
	refused := false // by f: nothing was written, and bbolt is as it was
	err := guarded(func() error {
		return db.bolt.Update(func(tx *bbolt.Tx) error {
			w := newWriter(tx, *db.state.Load())
			if err := f(w); err != nil {
				refused = true
				return err
			}
			last, applied = w.state, true
			return putMetaChanges(w.meta, db.state.Load(), last)
		})
	})
	switch {
	case err == nil:
		db.state.Store(&last)
		db.commits++
		return nil
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		db.releaseReserve()
		return db.fail(fmt.Errorf("%w: %w: %w", ErrFailed, ErrFull, err))
	case applied || errors.Is(err, ErrDamaged) && !refused:
		return db.fail(fmt.Errorf("%w: %w", ErrFailed, err))
	}
	return err
}

func anyChanged(changes []payment.Change) bool {
	for _, c := range changes {
		if c.Changed() || c.Before.ID != "" {
			return true
		}
	}
	return false
}

// writer holds the buckets of one transaction: looking one up is a search.
type writer struct {
	meta, sales, open, due, keys, requests, codes, journal *bbolt.Bucket

	state meta
}

func newWriter(tx *bbolt.Tx, state meta) *writer {
	w := &writer{
		meta: tx.Bucket(bucketMeta), sales: tx.Bucket(bucketSales), open: tx.Bucket(bucketOpen),
		due: tx.Bucket(bucketDue), keys: tx.Bucket(bucketKeys), requests: tx.Bucket(bucketRequests),
		codes: tx.Bucket(bucketCodes), journal: tx.Bucket(bucketJournal), state: state,
	}
	w.journal.FillPercent = 0.95 // only ever appended to
	return w
}

func (w *writer) apply(c payment.Change) error {
	var stored *payment.Sale
	if c.After.ID != "" {
		before, err := readSale(w.sales, w.codes, c.After.ID)
		switch {
		case err == nil:
			stored = &before
		case !errors.Is(err, ErrNotFound):
			return err
		}
	}
	if err := CheckChange(stored, c); err != nil {
		return err
	}
	if c.After.ID != "" {
		if err := w.putSale(stored, &c.After); err != nil {
			return err
		}
	}
	if c.Record == nil {
		return nil
	}
	if stored != nil {
		c.Before = *stored // the journal folds to what is stored, whatever the caller remembers
	}
	return w.addRecord(c)
}

func (w *writer) addRecord(c payment.Change) error {
	r, encoded, err := Seal(w.state.head.seq+1, w.state.head.hash, c)
	if err != nil {
		return err
	}
	w.state.head = head{seq: r.Seq, hash: r.Hash}
	return w.journal.Put(seqKey(r.Seq), storedRecord(r, encoded))
}

// putSale writes the sale and everything that is derived from it. before is nil
// for a new sale.
func (w *writer) putSale(before, after *payment.Sale) error {
	encoded, err := json.Marshal(after)
	if err != nil {
		return fmt.Errorf("sale %s: %w", after.ID, err)
	}
	if err := put(w.sales, bucketSales, []byte(after.ID), encoded); err != nil {
		return err
	}
	var attempts []payment.Attempt
	var refunds []payment.Refund
	if before == nil {
		if err := w.putKey(after.Key, after); err != nil {
			return err
		}
	} else {
		attempts, refunds = before.Attempts, before.Refunds
	}
	if err := w.putRefunds(len(refunds), after); err != nil {
		return err
	}
	if err := w.putOpen(before, after); err != nil {
		return err
	}
	if err := w.putDue(dueKeys(before), dueKeys(after)); err != nil {
		return err
	}
	return w.putAttempts(attempts, after)
}

func (w *writer) putKey(key string, s *payment.Sale) error {
	if w.keys.Get([]byte(key)) != nil {
		return fmt.Errorf("sale %s: %w: its idempotency key is that of another sale or refund", s.ID, ErrRefused)
	}
	encoded, err := json.Marshal(keyEntry{Sale: s.ID, Digest: s.DigestOf(key)})
	if err != nil {
		return err
	}
	return put(w.keys, bucketKeys, []byte(key), encoded)
}

// putRefunds indexes the refunds that are new.
func (w *writer) putRefunds(known int, s *payment.Sale) error {
	for _, r := range s.Refunds[known:] {
		if r.Key != "" {
			if err := w.putKey(r.Key, s); err != nil {
				return err
			}
		}
		if w.requests.Get([]byte(r.RequestID)) != nil {
			return fmt.Errorf("sale %s: %w: the request id of refund %d is taken", s.ID, ErrRefused, r.N)
		}
		if err := put(w.requests, bucketRequests, []byte(r.RequestID), []byte(s.ID)); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) putOpen(before, after *payment.Sale) error {
	was := before != nil && before.Open()
	switch is := after.Open(); {
	case is && !was:
		return w.open.Put([]byte(after.ID), nil)
	case was && !is:
		return w.open.Delete([]byte(after.ID))
	}
	return nil
}

func (w *writer) putDue(before, after []string) error {
	for _, key := range before {
		if slices.Contains(after, key) {
			continue
		}
		if err := w.due.Delete([]byte(key)); err != nil {
			return err
		}
	}
	for _, key := range after {
		if slices.Contains(before, key) {
			continue
		}
		if err := w.due.Put([]byte(key), nil); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) putAttempts(before []payment.Attempt, s *payment.Sale) error {
	for i, a := range s.Attempts {
		id := []byte(a.RequestID)
		stored := payment.Code{}
		if i < len(before) {
			stored = before[i].Code
		} else {
			if w.requests.Get(id) != nil {
				return fmt.Errorf("sale %s: %w: the request id of attempt %d is that of another attempt", s.ID, ErrRefused, i+1)
			}
			if err := put(w.requests, bucketRequests, id, []byte(s.ID)); err != nil {
				return err
			}
		}
		if err := w.putCode(id, stored, a.Code); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) putCode(requestID []byte, before, after payment.Code) error {
	switch {
	case before.Equal(after):
		return nil
	case after.IsZero():
		return w.codes.Delete(requestID)
	}
	return put(w.codes, bucketCodes, requestID, []byte(after.Reveal()))
}

func put(b *bbolt.Bucket, name, key, value []byte) error {
	return b.Put(key, seal(name, key, value))
}
