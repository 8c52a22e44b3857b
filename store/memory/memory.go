// Package memory is a store without a disk, for tests and simulations. It passes
// the same conformance suite as the one on bbolt.
package memory

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"payscand/payment"
	"payscand/store"
)

// Store keeps everything in memory. All its methods may be called at any time.
//
// Sales that go in and come out share their attempts with the store: they are
// values that nobody writes into, as payment.Step never does. The same goes for
// records: the journal is made of them when it is first read.
//
// The indexes are sorted slices: right for some thousand open sales, slow for
// hundreds of thousands.
type Store struct {
	mu    sync.Mutex
	epoch string

	sales    map[string]*payment.Sale // never written into
	ids      []string                 // of sales, sorted
	open     []string                 // ids of sales that are not final, sorted
	due      map[string][]dueEntry    // by gateway, sorted
	keys     map[string]string        // idempotency key → sale id
	requests map[string]string        // request id → sale id

	recorded []recorded            // one for each record that is kept
	sealed   []store.JournalRecord // of the first of them
	pruned   uint64                // sequence number of the last record that is not
	base     store.Hash            // and its hash
	strange  bool                  // not adopted
}

// recorded is a change that wrote a record; both sales are nil for one that
// belongs to no sale, before is nil for a new sale.
type recorded struct {
	before, after *payment.Sale
	record        *payment.Record
}

type dueEntry struct {
	at   time.Time
	sale string
}

func (e dueEntry) compare(other dueEntry) int {
	return cmp.Or(e.at.Compare(other.at), cmp.Compare(e.sale, other.sale))
}

// New returns an empty store. The epoch tells its journal from others; a
// simulation gives the same one each time.
func New(epoch string) *Store {
	return &Store{
		epoch: epoch,
		sales: map[string]*payment.Sale{}, due: map[string][]dueEntry{},
		keys: map[string]string{}, requests: map[string]string{},
	}
}

// Clone returns a store that holds the same and goes its own way.
func (s *Store) Clone() *Store {
	s.mu.Lock()
	defer s.mu.Unlock()
	due := make(map[string][]dueEntry, len(s.due))
	for gateway, entries := range s.due {
		due[gateway] = slices.Clone(entries)
	}
	return &Store{
		epoch: s.epoch,
		sales: maps.Clone(s.sales), ids: slices.Clone(s.ids), open: slices.Clone(s.open), due: due,
		keys: maps.Clone(s.keys), requests: maps.Clone(s.requests),
		// Both only grow: without spare room each store appends to a copy of its own.
		recorded: slices.Clip(s.recorded), sealed: slices.Clip(s.sealed),
		pruned: s.pruned, base: s.base, strange: s.strange,
	}
}

// Commit makes all changes, or none. It returns store.ErrRefused, and no other error.
func (s *Store) Commit(changes []payment.Change) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	records := len(s.recorded)
	befores := make([]*payment.Sale, len(changes))
	for i, c := range changes {
		befores[i] = s.sales[c.After.ID]
		if err := s.check(befores[i], c); err != nil {
			s.undo(changes[:i], befores)
			s.recorded = slices.Delete(s.recorded, records, len(s.recorded))
			return err
		}
		if c.After.ID != "" {
			after := c.After
			after.Attempts = slices.Clip(after.Attempts)
			after.Next = nil // never stored
			s.replace(befores[i], &after)
		}
		if c.Record != nil {
			s.recorded = append(s.recorded, recorded{befores[i], s.sales[c.After.ID], c.Record})
		}
	}
	return nil
}

func (s *Store) undo(changes []payment.Change, befores []*payment.Sale) {
	for i, c := range slices.Backward(changes) {
		if id := c.After.ID; id != "" {
			s.replace(s.sales[id], befores[i])
		}
	}
}

func (s *Store) check(stored *payment.Sale, c payment.Change) error {
	if err := store.CheckChange(stored, c); err != nil || c.After.ID == "" {
		return err
	}
	known, refunds := 0, 0
	if stored != nil {
		known, refunds = len(stored.Attempts), len(stored.Refunds)
	} else if _, used := s.keys[c.After.Key]; used {
		return fmt.Errorf("sale %s: %w: its idempotency key is that of another sale", c.After.ID, store.ErrRefused)
	}
	for _, r := range c.After.Refunds[refunds:] {
		_, key := s.keys[r.Key]
		_, id := s.requests[r.RequestID]
		if key || id {
			return fmt.Errorf("sale %s: %w: the key or request id of refund %d is taken", c.After.ID, store.ErrRefused, r.N)
		}
	}
	for i := known; i < len(c.After.Attempts); i++ {
		id := c.After.Attempts[i].RequestID
		_, used := s.requests[id]
		for _, a := range c.After.Attempts[known:i] {
			used = used || a.RequestID == id
		}
		if used {
			return fmt.Errorf("sale %s: %w: the request id of attempt %d is that of another attempt", c.After.ID, store.ErrRefused, i+1)
		}
	}
	return nil
}

// replace puts a sale, and all that is derived from it, in the place of another
// state of it. before is nil for a new sale, after is nil when a new one is undone.
func (s *Store) replace(before, after *payment.Sale) {
	switch {
	case before == nil:
		s.sales[after.ID] = after
		s.ids = insert(s.ids, after.ID)
		s.keys[after.Key] = after.ID
	case after == nil:
		delete(s.sales, before.ID)
		s.ids = remove(s.ids, before.ID)
		delete(s.keys, before.Key)
	default:
		s.sales[after.ID] = after
	}
	s.reindexOpen(before, after)
	s.reindexDue(before, after)
	s.reindexRequests(before, after)
}

func (s *Store) reindexOpen(before, after *payment.Sale) {
	was := before != nil && before.Open()
	is := after != nil && after.Open()
	switch {
	case is && !was:
		s.open = insert(s.open, after.ID)
	case was && !is:
		s.open = remove(s.open, before.ID)
	}
}

func (s *Store) reindexDue(before, after *payment.Sale) {
	if before != nil {
		for _, d := range before.Dues() {
			entry := dueEntry{d.At, before.ID}
			if i, ok := slices.BinarySearchFunc(s.due[d.Gateway], entry, dueEntry.compare); ok {
				s.due[d.Gateway] = slices.Delete(s.due[d.Gateway], i, i+1)
			}
			if len(s.due[d.Gateway]) == 0 {
				delete(s.due, d.Gateway)
			}
		}
	}
	if after != nil {
		for _, d := range after.Dues() {
			entry := dueEntry{d.At, after.ID}
			i, _ := slices.BinarySearchFunc(s.due[d.Gateway], entry, dueEntry.compare)
			s.due[d.Gateway] = slices.Insert(s.due[d.Gateway], i, entry)
		}
	}
}

func (s *Store) reindexRequests(before, after *payment.Sale) {
	var was, is []payment.Attempt
	if before != nil {
		was = before.Attempts
	}
	if after != nil {
		is = after.Attempts
	}
	for i := len(is); i < len(was); i++ {
		delete(s.requests, was[i].RequestID)
	}
	for i := len(was); i < len(is); i++ {
		s.requests[is[i].RequestID] = after.ID
	}
	s.reindexRefunds(before, after)
}

func (s *Store) reindexRefunds(before, after *payment.Sale) {
	var was, is []payment.Refund
	if before != nil {
		was = before.Refunds
	}
	if after != nil {
		is = after.Refunds
	}
	for i := len(is); i < len(was); i++ {
		delete(s.requests, was[i].RequestID)
		delete(s.keys, was[i].Key)
	}
	for i := len(was); i < len(is); i++ {
		s.requests[is[i].RequestID] = after.ID
		if is[i].Key != "" {
			s.keys[is[i].Key] = after.ID
		}
	}
}

// Prune drops the oldest records and the sales that end with them; see store.DB.
func (s *Store) Prune(before time.Time, limit int) (more bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range store.PageSize(limit) {
		if len(s.recorded) < 2 || !s.recorded[0].record.At.Before(before) {
			return false, nil
		}
		if err := s.seal(1); err != nil {
			return false, err
		}
		r := s.sealed[0]
		s.recorded, s.sealed = s.recorded[1:], s.sealed[1:]
		s.pruned, s.base = r.Seq, r.Hash
		if sale := s.sales[r.Sale]; sale != nil && sale.Version == r.Version && store.Forgettable(*sale, before) {
			s.replace(sale, nil)
		}
	}
	return true, nil
}

// Adopted reports whether this machine may act on the sales: always, until Move.
func (s *Store) Adopted() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.strange
}

// Move says whether the sales are another machine's from now on, as those of a
// restored database are.
func (s *Store) Move(toAnotherMachine bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.strange = toAnotherMachine
}

func insert(sorted []string, id string) []string {
	i, _ := slices.BinarySearch(sorted, id)
	return slices.Insert(sorted, i, id)
}

func remove(sorted []string, id string) []string {
	if i, ok := slices.BinarySearch(sorted, id); ok {
		return slices.Delete(sorted, i, i+1)
	}
	return sorted
}

// CheckRoom returns nil: there is always room.
func (s *Store) CheckRoom() error { return nil }

// DiskFree returns the largest number: nothing is on a disk.
func (s *Store) DiskFree() (int64, error) { return math.MaxInt64, nil }

// Close does nothing; the store can still be used.
func (s *Store) Close() error { return nil }
