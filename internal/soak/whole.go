package soak

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

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

// readWhole reads a database that is closed, after store.Check found it as it was
// written: its pages, each index, the journal's chain, and that the journal gives
// the sales as they are stored.
func readWhole(path string) (contents, error) {
	report, err := store.Check(context.Background(), path)
	if err != nil {
		return contents{}, err
	}
	if len(report.Findings) > 0 {
		return contents{}, fmt.Errorf("check found %d things wrong; the first: %v", len(report.Findings)+report.MoreOf, report.Findings[0])
	}
	db, err := store.Open(path)
	if err != nil {
		return contents{}, err
	}
	c := contents{sales: make(map[string]payment.Sale), epoch: report.Epoch}
	return c, errors.Join(c.readSales(db), c.readJournal(db), db.Close())
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

func (c *contents) readJournal(db *store.DB) error {
	for last, _ := db.Head(); uint64(len(c.chain)) < last; {
		page, err := db.Journal(uint64(len(c.chain)), store.MaxPage)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			return fmt.Errorf("the journal ends at record %d, its head is %d", len(c.chain), last)
		}
		for _, r := range page {
			c.chain = append(c.chain, r.Hash)
		}
	}
	return nil
}

// knows reports whether a request id is that of an attempt or refund.
func (c *contents) knows(requestID string) bool {
	sale, _, _ := strings.Cut(requestID, "-")
	s := c.sales[sale]
	return slices.ContainsFunc(s.Attempts, func(a payment.Attempt) bool { return a.RequestID == requestID }) ||
		slices.ContainsFunc(s.Refunds, func(r payment.Refund) bool { return r.RequestID == requestID })
}
