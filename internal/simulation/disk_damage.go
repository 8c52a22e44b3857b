package simulation

import (
	"payscand/payment"
	"payscand/store"
)

// damage is what a test of the oracle does to the disk behind everybody's back:
// each function alters what is read. No run has any.
type damage struct {
	sale    func(*payment.Sale)
	key     string // where every key leads
	journal func([]payment.JournalRecord) ([]payment.JournalRecord, error)
}

// Sale returns a sale as the disk has it.
func (d *disk) Sale(id string) (payment.Sale, error) {
	s, err := d.Store.Sale(id)
	if d.damage != nil && d.damage.sale != nil && err == nil {
		s.Attempts = append([]payment.Attempt(nil), s.Attempts...)
		d.damage.sale(&s)
	}
	return s, err
}

// ByKey returns the sale that a key leads to.
func (d *disk) ByKey(key string) (saleID, digest string, err error) {
	if d.damage != nil && d.damage.key != "" {
		return d.damage.key, "", nil
	}
	return d.Store.ByKey(key)
}

// Journal returns a page of the journal.
func (d *disk) Journal(after uint64, limit int) ([]store.JournalRecord, error) {
	page, err := d.Store.Journal(after, limit)
	if d.damage != nil && d.damage.journal != nil {
		return d.damage.journal(append([]payment.JournalRecord(nil), page...))
	}
	return page, err
}
