package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"payscand/payment"
)

// view runs f in a read transaction, beside no commit: bbolt's memory map shows
// a commit from when its last page is written, before the disk has it (P6). What f keeps must be copied: bbolt's bytes
// are gone when it ends.
func (db *DB) view(f func(tx *bbolt.Tx) error) error {
	db.durable.RLock()
	defer db.durable.RUnlock()
	if err := db.usable(); err != nil {
		return err
	}
	return guarded(func() error { return db.bolt.View(f) })
}

// Sale returns the sale with its codes, or ErrNotFound.
func (db *DB) Sale(id string) (payment.Sale, error) {
	var s payment.Sale
	err := db.view(func(tx *bbolt.Tx) (err error) {
		s, err = readSale(tx.Bucket(bucketSales), tx.Bucket(bucketCodes), id)
		return err
	})
	return s, err
}

func readSale(sales, codes *bbolt.Bucket, id string) (payment.Sale, error) {
	stored := sales.Get([]byte(id))
	if stored == nil {
		return payment.Sale{}, fmt.Errorf("sale %.64q: %w", id, ErrNotFound)
	}
	return openSale(stored, codes, id)
}

// openSale reads a stored sale, with its codes.
func openSale(stored []byte, codes *bbolt.Bucket, id string) (payment.Sale, error) {
	s, err := decodeSale(schema, stored, id)
	if err != nil {
		return s, err
	}
	for i := range s.Attempts {
		requestID := []byte(s.Attempts[i].RequestID)
		stored := codes.Get(requestID)
		if stored == nil {
			continue
		}
		code, err := unseal(bucketCodes, requestID, stored)
		if err != nil {
			return payment.Sale{}, fmt.Errorf("sale %.64q: %w", id, err)
		}
		s.Attempts[i].Code = payment.NewCode(string(code))
	}
	return s, nil
}

// decodeSale reads a stored sale without its codes.
func decodeSale(l layout, stored []byte, id string) (payment.Sale, error) {
	encoded, err := l.open(bucketSales, []byte(id), stored)
	if err != nil {
		return payment.Sale{}, fmt.Errorf("sale %.64q: %w", id, err)
	}
	var s payment.Sale
	if err := json.Unmarshal(encoded, &s); err != nil {
		return payment.Sale{}, fmt.Errorf("sale %.64q: %w: %w", id, ErrDamaged, err)
	}
	if s.ID != id {
		return payment.Sale{}, fmt.Errorf("sale %.64q: %w: sale %.64q is in its place", id, ErrDamaged, s.ID)
	}
	return s, nil
}

// ByKey returns the sale that was made with an idempotency key and the digest of
// its request, or ErrNotFound.
func (db *DB) ByKey(key string) (saleID, digest string, err error) {
	var entry keyEntry
	err = db.view(func(tx *bbolt.Tx) error {
		stored := tx.Bucket(bucketKeys).Get([]byte(key))
		if stored == nil {
			return fmt.Errorf("idempotency key: %w", ErrNotFound)
		}
		encoded, err := unseal(bucketKeys, []byte(key), stored)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(encoded, &entry); err != nil {
			return fmt.Errorf("idempotency key: %w: %w", ErrDamaged, err)
		}
		return nil
	})
	return entry.Sale, entry.Digest, err
}

// ByRequest returns the sale of an attempt, or ErrNotFound.
func (db *DB) ByRequest(requestID string) (saleID string, err error) {
	err = db.view(func(tx *bbolt.Tx) error {
		stored := tx.Bucket(bucketRequests).Get([]byte(requestID))
		if stored == nil {
			return fmt.Errorf("request id %.64q: %w", requestID, ErrNotFound)
		}
		id, err := unseal(bucketRequests, []byte(requestID), stored)
		saleID = string(id)
		return err
	})
	return saleID, err
}

// Open returns sales that are not final, by id, beginning after the id given.
// See PageSize for the limit; fewer than that are the last.
func (db *DB) Open(after string, limit int) ([]payment.Sale, error) {
	var page []payment.Sale
	err := db.view(func(tx *bbolt.Tx) error {
		sales, codes := tx.Bucket(bucketSales), tx.Bucket(bucketCodes)
		c := tx.Bucket(bucketOpen).Cursor()
		id, _ := c.Seek([]byte(after))
		if id != nil && string(id) == after {
			id, _ = c.Next()
		}
		for ; id != nil && len(page) < PageSize(limit); id, _ = c.Next() {
			s, err := readSale(sales, codes, string(id))
			if errors.Is(err, ErrNotFound) {
				return fmt.Errorf("%w: sale %.64q is listed as open but missing", ErrDamaged, id)
			}
			if err != nil {
				return err
			}
			page = append(page, s)
		}
		return nil
	})
	return page, err
}

// Due returns the ids of sales that have an entry for that gateway (see
// payment.Sale.Dues; its name may be empty) and are due there at until or before,
// earliest first. See PageSize for the limit.
func (db *DB) Due(gateway string, until time.Time, limit int) ([]string, error) {
	var ids []string
	err := db.walkDue(gateway, nil, func(at time.Time, sale string) bool {
		if at.After(until) || len(ids) == PageSize(limit) {
			return false
		}
		ids = append(ids, sale)
		return true
	})
	return ids, err
}

// DueAfter returns the ids of sales that have an entry for that gateway, due
// later than after, earliest first. See PageSize for the limit.
func (db *DB) DueAfter(gateway string, after time.Time, limit int) ([]string, error) {
	var ids []string
	err := db.walkDue(gateway, dueTime(nil, after), func(at time.Time, sale string) bool {
		if len(ids) == PageSize(limit) {
			return false
		}
		if at.After(after) {
			ids = append(ids, sale)
		}
		return true
	})
	return ids, err
}

// NextDue returns when that gateway is to be asked next; ok is false when it is not.
func (db *DB) NextDue(gateway string) (next time.Time, ok bool, err error) {
	err = db.walkDue(gateway, nil, func(at time.Time, _ string) bool {
		next, ok = at, true
		return false
	})
	return next, ok, err
}

// walkDue calls visit for each entry of a gateway, from a dueTime on (nil: from the
// first), earliest first, until it returns false.
func (db *DB) walkDue(gateway string, from []byte, visit func(at time.Time, sale string) bool) error {
	if len(gateway) > maxGateway {
		return nil // none can be stored
	}
	return db.view(func(tx *bbolt.Tx) error {
		c := tx.Bucket(bucketDue).Cursor()
		for key, _ := c.Seek(append(duePrefix(gateway), from...)); key != nil; key, _ = c.Next() {
			name, at, sale, err := splitDueKey(key)
			if err != nil {
				return err
			}
			if name != gateway || !visit(at, sale) {
				return nil
			}
		}
		return nil
	})
}

// DueGateways returns the names that Due has entries for, sorted. Its cost is
// that of the names, not of the entries.
func (db *DB) DueGateways() ([]string, error) {
	var names []string
	err := db.view(func(tx *bbolt.Tx) error {
		c := tx.Bucket(bucketDue).Cursor()
		key, _ := c.First()
		for key != nil {
			name, _, _, err := splitDueKey(key)
			if err != nil {
				return err
			}
			names = append(names, name)
			key, _ = c.Seek(afterPrefix(duePrefix(name)))
		}
		return nil
	})
	slices.Sort(names)
	return names, err
}

// Sales searches, newest first. See Page.
func (db *DB) Sales(q Query) (Page, error) {
	var page Page
	err := db.view(func(tx *bbolt.Tx) error {
		codes := tx.Bucket(bucketCodes)
		c := tx.Bucket(bucketSales).Cursor()
		lowest, below := IDRange(q)
		id, stored := lastBefore(c, below)
		for looked := 0; id != nil && string(id) >= lowest; id, stored = c.Prev() {
			if looked == MaxPage || len(page.Sales) == PageSize(q.Limit) {
				page.Cursor = below
				return nil
			}
			s, err := openSale(stored, codes, string(id))
			if err != nil {
				return err
			}
			if q.Matches(s) {
				page.Sales = append(page.Sales, s)
			}
			looked++
			below = s.ID
		}
		return nil
	})
	return page, err
}

// lastBefore moves to the last entry below a key; an empty key is no bound.
func lastBefore(c *bbolt.Cursor, below string) (key, value []byte) {
	if below == "" {
		return c.Last()
	}
	if key, _ := c.Seek([]byte(below)); key == nil {
		return c.Last()
	}
	return c.Prev()
}

// Journal returns the records after a sequence number, without gaps. See
// PageSize for the limit. Where retention dropped the first of them the error
// wraps ErrNotFound. A record that is not as it was written is a *ChainError;
// the records before it on the page come with the error.
func (db *DB) Journal(after uint64, limit int) ([]JournalRecord, error) {
	var page []JournalRecord
	err := db.view(func(tx *bbolt.Tx) error {
		c := tx.Bucket(bucketJournal).Cursor()
		next := after + 1
		if next == 0 {
			return nil // the largest number there is
		}
		if base := db.state.Load().base.seq; after < base {
			return fmt.Errorf("journal record %d: %w: the records up to %d were kept as long as the configuration says", next, ErrNotFound, base)
		}
		for key, stored := c.Seek(seqKey(next)); key != nil && len(page) < PageSize(limit); key, stored = c.Next() {
			if string(key) != string(seqKey(next)) {
				return &ChainError{next, "it is missing"}
			}
			r, err := readRecord(next, stored)
			if err != nil {
				return err
			}
			page = append(page, r)
			next++
		}
		return nil
	})
	return page, err
}

// Head returns the sequence number of the journal's last record, 0 for none, and
// the journal's epoch: a random word made with the database, which tells its
// sequence numbers from those of another. A database that was restored, or woke
// up on another machine, has a new one: its journal goes on another way than
// that of the database it was.
func (db *DB) Head() (seq uint64, epoch string) {
	m := db.state.Load()
	return m.head.seq, m.epoch
}

// Checkpoint returns the last record that retention dropped, by its sequence
// number and its hash; zero: none was. The chain begins after it.
func (db *DB) Checkpoint() (seq uint64, hash Hash) {
	m := db.state.Load()
	return m.base.seq, m.base.hash
}

// Adopted reports whether this machine may act on the sales. Where not, ask about
// them and do nothing else, until Adopt.
func (db *DB) Adopted() bool { return db.state.Load().machine == db.machine }
