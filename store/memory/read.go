package memory

import (
	"fmt"
	"slices"
	"sort"
	"time"

	"payscand/payment"
	"payscand/store"
)

// Sale returns the sale with its codes, or store.ErrNotFound.
func (s *Store) Sale(id string) (payment.Sale, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sale, ok := s.sales[id]; ok {
		return *sale, nil
	}
	return payment.Sale{}, fmt.Errorf("sale %.64q: %w", id, store.ErrNotFound)
}

// ByKey returns the sale that was made with an idempotency key and the digest of
// its request, or store.ErrNotFound.
func (s *Store) ByKey(key string) (saleID, digest string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, ok := s.keys[key]
	if !ok {
		return "", "", fmt.Errorf("idempotency key: %w", store.ErrNotFound)
	}
	return id, s.sales[id].DigestOf(key), nil
}

// ByRequest returns the sale of an attempt, or store.ErrNotFound.
func (s *Store) ByRequest(requestID string) (saleID string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, ok := s.requests[requestID]
	if !ok {
		return "", fmt.Errorf("request id %.64q: %w", requestID, store.ErrNotFound)
	}
	return id, nil
}

// Open returns sales that are not final, by id, beginning after the id given.
func (s *Store) Open(after string, limit int) ([]payment.Sale, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, found := slices.BinarySearch(s.open, after)
	if found {
		i++
	}
	var page []payment.Sale
	for ; i < len(s.open) && len(page) < store.PageSize(limit); i++ {
		page = append(page, *s.sales[s.open[i]])
	}
	return page, nil
}

// Due returns the ids of sales that have an entry for that gateway and are due at
// until or before, earliest first.
func (s *Store) Due(gateway string, until time.Time, limit int) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	for _, entry := range s.due[gateway] {
		if entry.at.After(until) || len(ids) == store.PageSize(limit) {
			break
		}
		ids = append(ids, entry.sale)
	}
	return ids, nil
}

// DueAfter returns the ids of sales that have an entry for that gateway, due
// later than after, earliest first.
func (s *Store) DueAfter(gateway string, after time.Time, limit int) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	entries := s.due[gateway]
	first := sort.Search(len(entries), func(i int) bool { return entries[i].at.After(after) })
	var ids []string
	for _, entry := range entries[first:] {
		if len(ids) == store.PageSize(limit) {
			break
		}
		ids = append(ids, entry.sale)
	}
	return ids, nil
}

// NextDue returns when that gateway is to be asked next; ok is false when it is not.
func (s *Store) NextDue(gateway string) (next time.Time, ok bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if entries := s.due[gateway]; len(entries) > 0 {
		return entries[0].at, true, nil
	}
	return time.Time{}, false, nil
}

// DueGateways returns the names that Due has entries for, sorted.
func (s *Store) DueGateways() ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for name := range s.due {
		names = append(names, name)
	}
	slices.Sort(names)
	return names, nil
}

// Sales searches, newest first. See store.Page.
func (s *Store) Sales(q store.Query) (store.Page, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	lowest, below := store.IDRange(q)
	i := len(s.ids)
	if below != "" {
		i, _ = slices.BinarySearch(s.ids, below)
	}
	var page store.Page
	for looked := 0; i > 0 && s.ids[i-1] >= lowest; looked++ {
		if looked == store.MaxPage || len(page.Sales) == store.PageSize(q.Limit) {
			page.Cursor = s.ids[i]
			break
		}
		i--
		if sale := s.sales[s.ids[i]]; q.Matches(*sale) {
			page.Sales = append(page.Sales, *sale)
		}
	}
	return page, nil
}

// Journal returns the records after a sequence number, without gaps.
func (s *Store) Journal(after uint64, limit int) ([]store.JournalRecord, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if after < s.pruned {
		return nil, fmt.Errorf("journal record %d: %w: the records up to %d were dropped", after+1, store.ErrNotFound, s.pruned)
	}
	begin := after - s.pruned
	if begin >= uint64(len(s.recorded)) {
		return nil, nil
	}
	end := min(int(begin)+store.PageSize(limit), len(s.recorded))
	if err := s.seal(end); err != nil {
		return nil, err
	}
	return slices.Clone(s.sealed[begin:end]), nil
}

// seal makes the first n records that are kept.
func (s *Store) seal(n int) error {
	for i := len(s.sealed); i < n; i++ {
		prev := s.base
		if i > 0 {
			prev = s.sealed[i-1].Hash
		}
		r, _, err := store.Seal(s.pruned+uint64(i)+1, prev, s.recorded[i].change())
		if err != nil {
			return err
		}
		s.sealed = append(s.sealed, r)
	}
	return nil
}

func (r recorded) change() payment.Change {
	c := payment.Change{Record: r.record}
	if r.before != nil {
		c.Before = *r.before
	}
	if r.after != nil {
		c.After = *r.after
	}
	return c
}

// Head returns the sequence number of the journal's last record, 0 for none, and
// the epoch given to New.
func (s *Store) Head() (seq uint64, epoch string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pruned + uint64(len(s.recorded)), s.epoch
}

// Checkpoint returns the last record that Prune dropped; zero: none.
func (s *Store) Checkpoint() (seq uint64, hash store.Hash) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pruned, s.base
}
