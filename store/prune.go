package store

import (
	"bytes"
	"time"

	"go.etcd.io/bbolt"

	"payscand/payment"
)

// Forgettable reports whether retention may drop the sale: nothing of it is open,
// due or watched, and it last changed before a time.
func Forgettable(s payment.Sale, before time.Time) bool {
	if s.Open() || !s.Due.IsZero() || !s.UpdatedAt.Before(before) {
		return false
	}
	for _, a := range s.Attempts {
		if a.Watch != nil {
			return false
		}
	}
	return true
}

// Prune drops the journal's oldest records, those written before a time, at most
// limit of them (see PageSize), and each sale with its last record, its
// idempotency keys and request ids with it. A sale that is open, due or watched
// stays, also when all its records are gone. The last record of the journal
// always stays, and the checkpoint keeps the hash of the last that was dropped.
// more says that there is more to be dropped, now or once a backup is finished.
//
// It is a commit: errors are those of Commit.
func (db *DB) Prune(before time.Time, limit int) (more bool, err error) {
	if err := db.usable(); err != nil {
		return false, err
	}
	if old, err := db.hasOlder(before); err != nil || !old {
		return false, err
	}
	db.durable.Lock()
	defer db.durable.Unlock()
	if db.tap.Load() != nil {
		return true, nil // what a backup has copied must stay as it is
	}
	err = db.write(func(w *writer) (err error) {
		more, err = w.prune(before, PageSize(limit))
		return err
	})
	return more, err
}

// hasOlder spares the disk a commit that drops nothing.
func (db *DB) hasOlder(before time.Time) (old bool, err error) {
	err = db.view(func(tx *bbolt.Tx) error {
		state := db.state.Load()
		seq := state.base.seq + 1
		if seq >= state.head.seq {
			return nil
		}
		r, err := readRecord(seq, tx.Bucket(bucketJournal).Get(seqKey(seq)))
		old = err == nil && r.At.Before(before)
		return err
	})
	return old, err
}

func (w *writer) prune(before time.Time, limit int) (more bool, err error) {
	for range limit {
		seq := w.state.base.seq + 1
		if seq >= w.state.head.seq {
			return false, nil
		}
		r, err := readRecord(seq, bytes.Clone(w.journal.Get(seqKey(seq))))
		if err != nil {
			return false, err
		}
		if !r.At.Before(before) {
			return false, nil
		}
		if err := w.journal.Delete(seqKey(seq)); err != nil {
			return false, err
		}
		w.state.base = head{seq: seq, hash: r.Hash}
		if r.Sale == "" {
			continue
		}
		s, err := readSale(w.sales, w.codes, r.Sale)
		if err != nil {
			return false, err
		}
		if s.Version == r.Version && Forgettable(s, before) {
			if err := w.dropSale(&s); err != nil {
				return false, err
			}
		}
	}
	return true, nil
}

func (w *writer) dropSale(s *payment.Sale) error {
	keys, requests := [][]byte{[]byte(s.Key)}, [][]byte(nil)
	for _, r := range s.Refunds {
		if r.Key != "" {
			keys = append(keys, []byte(r.Key))
		}
		requests = append(requests, []byte(r.RequestID))
	}
	for _, a := range s.Attempts {
		requests = append(requests, []byte(a.RequestID))
	}
	for _, key := range keys {
		if err := w.keys.Delete(key); err != nil {
			return err
		}
	}
	for _, id := range requests {
		if err := w.requests.Delete(id); err != nil {
			return err
		}
		if err := w.codes.Delete(id); err != nil {
			return err
		}
	}
	return w.sales.Delete([]byte(s.ID))
}
