package soak

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"payscand/payment"
	"payscand/store"
)

// contents are all that a database holds.
type contents struct {
	sales map[string]payment.Sale
	epoch string
	chain []payment.Hash // of the records, the first at 0
	// sum tells these sales from any others, whatever their order.
	sum [sha256.Size]byte
}

// folds remembers which journals were folded to which sales: what a hash and a sum
// stand for needs no second look.
type folds map[folded]bool

type folded struct {
	head payment.Hash
	sum  [sha256.Size]byte
}

// readWhole reads a database and holds everything in it against everything else:
// the journal's chain is whole, its records fold to the sales as the API shows
// them, and each index says what the sales say.
func readWhole(db *store.DB, known folds) (contents, error) {
	c := contents{sales: make(map[string]payment.Sale)}
	if err := c.readSales(db); err != nil {
		return c, err
	}
	records, err := c.readJournal(db)
	if err != nil {
		return c, err
	}
	if err := errors.Join(c.checkKeys(db), c.checkOpen(db), c.checkDue(db)); err != nil {
		return c, err
	}
	is := folded{sum: c.sum}
	if n := len(c.chain); n > 0 {
		is.head = c.chain[n-1]
	}
	if known[is] {
		return c, nil
	}
	if err := c.checkViews(records); err != nil {
		return c, err
	}
	known[is] = true
	return c, nil
}

func (c *contents) readSales(db *store.DB) error {
	for q := (store.Query{}); ; {
		page, err := db.Sales(q)
		if err != nil {
			return err
		}
		for _, s := range page.Sales {
			c.sales[s.ID] = s
			xor(&c.sum, sumOf(s))
		}
		if q.Cursor = page.Cursor; q.Cursor == "" {
			return nil
		}
	}
}

// sumOf tells a sale from any other, codes included.
func sumOf(s payment.Sale) [sha256.Size]byte {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // it is what the store writes
	}
	for _, a := range s.Attempts {
		text = append(text, a.Code.Reveal()...)
	}
	return sha256.Sum256(text)
}

// xor adds a sale to a sum, or takes it away.
func xor(sum *[sha256.Size]byte, of [sha256.Size]byte) {
	for i := range sum {
		sum[i] ^= of[i]
	}
}

func (c *contents) readJournal(db *store.DB) (records []store.JournalRecord, err error) {
	last, epoch := db.Head()
	c.epoch = epoch
	var prev payment.Hash
	for uint64(len(c.chain)) < last {
		page, err := db.Journal(uint64(len(c.chain)), store.MaxPage)
		if err != nil {
			return nil, err
		}
		if len(page) == 0 {
			return nil, fmt.Errorf("the journal ends at record %d, its head is %d", len(c.chain), last)
		}
		for _, r := range page {
			if r.Prev != prev {
				return nil, fmt.Errorf("journal record %d does not follow from the one before", r.Seq)
			}
			prev = r.Hash
			c.chain = append(c.chain, r.Hash)
		}
		records = append(records, page...)
	}
	return records, nil
}

func (c *contents) checkViews(records []store.JournalRecord) (err error) {
	folded := make(map[string]payment.View)
	for _, r := range records {
		if r.Sale == "" {
			continue
		}
		if folded[r.Sale], err = payment.Fold(folded[r.Sale], r.Fields); err != nil {
			return fmt.Errorf("journal record %d: %w", r.Seq, err)
		}
	}
	if len(folded) != len(c.sales) {
		return fmt.Errorf("the journal knows %d sales, the database %d", len(folded), len(c.sales))
	}
	for id, s := range c.sales {
		want, err := json.Marshal(s.View())
		if err != nil {
			return err
		}
		got, err := json.Marshal(folded[id])
		if err != nil {
			return err
		}
		if !bytes.Equal(want, got) {
			return fmt.Errorf("sale %s: the journal gives %s, stored is %s", id, got, want)
		}
	}
	return nil
}

func (c *contents) checkKeys(db *store.DB) error {
	for id, s := range c.sales {
		sale, digest, err := db.ByKey(s.Key)
		if err != nil || sale != id || digest != s.Digest {
			return fmt.Errorf("sale %s: its idempotency key leads to %q, %w", id, sale, err)
		}
		for _, a := range s.Attempts {
			if sale, err := db.ByRequest(a.RequestID); err != nil || sale != id {
				return fmt.Errorf("sale %s: the request id of attempt %d leads to %q, %w", id, a.N, sale, err)
			}
		}
		for _, r := range s.Refunds {
			if sale, err := db.ByRequest(r.RequestID); err != nil || sale != id {
				return fmt.Errorf("sale %s: the request id of refund %d leads to %q, %w", id, r.N, sale, err)
			}
		}
	}
	return nil
}

func (c *contents) checkOpen(db *store.DB) error {
	var want, got []string
	for id, s := range c.sales {
		if s.Open() {
			want = append(want, id)
		}
	}
	slices.Sort(want)
	for after := ""; ; {
		page, err := db.Open(after, store.MaxPage)
		if err != nil {
			return err
		}
		for _, s := range page {
			got = append(got, s.ID)
		}
		if len(page) < store.MaxPage {
			break
		}
		after = page[len(page)-1].ID
	}
	if !slices.Equal(want, got) {
		return fmt.Errorf("listed as open are %v, open are %v", got, want)
	}
	return nil
}

func (c *contents) checkDue(db *store.DB) error {
	want := make(map[string][]string)
	for id, s := range c.sales {
		if !s.Due.IsZero() {
			want[s.Gateway()] = append(want[s.Gateway()], id)
		}
	}
	gateways, err := db.DueGateways()
	if err != nil {
		return err
	}
	if known := slices.Sorted(maps.Keys(want)); !slices.Equal(known, gateways) {
		return fmt.Errorf("gateways with due sales are listed as %q, and are %q", gateways, known)
	}
	for gateway, sales := range want {
		got, err := db.Due(gateway, time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC), store.MaxPage)
		if err != nil {
			return err
		}
		slices.Sort(sales)
		slices.Sort(got)
		if len(sales) <= store.MaxPage && !slices.Equal(sales, got) {
			return fmt.Errorf("due at %q are listed as %v, and are %v", gateway, got, sales)
		}
	}
	return nil
}
