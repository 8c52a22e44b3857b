package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"payscand/payment"
)

// chain visits the records of the journal that are as they were written, and
// tells of the others.
func (a *audit) chain(visit func(JournalRecord)) {
	at, prev, known := a.meta.base.seq, a.meta.base.hash, true // known: prev is the hash of record at
	c := a.tx.Bucket(bucketJournal).Cursor()
	for key, stored := c.First(); key != nil && a.ctx.Err() == nil; key, stored = c.Next() {
		seq, ok := readSeq(key)
		switch {
		case !ok || seq <= a.meta.base.seq:
			a.find(bucketJournal, key, "", "there should be no such record")
			continue
		case seq > at+1:
			a.missing(at+1, seq-1)
			known = false
		}
		at = seq
		r, err := readRecord(seq, stored)
		if err != nil {
			a.report.damaged(err)
			known = false
			continue
		}
		if known && r.Prev != prev {
			a.find(bucketJournal, key, r.Sale, "it does not follow from the record before: one of the two was replaced")
		}
		prev, known = r.Hash, true
		a.report.Records++
		visit(r)
	}
	if at < a.meta.head.seq {
		a.missing(at+1, a.meta.head.seq)
	}
	if at > a.meta.head.seq {
		a.find(bucketJournal, seqKey(at), "", fmt.Sprintf("the journal should end at record %d", a.meta.head.seq))
	}
}

func (a *audit) missing(from, to uint64) {
	for seq := from; seq <= to && seq < from+maxFindings; seq++ {
		a.find(bucketJournal, seqKey(seq), "", "it is missing")
	}
}

// folded is what the journal has said about a sale so far.
type folded struct {
	version int64
	whole   bool // from its first record on; else retention dropped some
	broken  bool // a record of it was not readable, or out of order: told already
	fields  map[string]json.RawMessage
}

// journal looks at the chain, and that it gives each sale as it is stored. Only
// sales that a later record still speaks of are kept in memory.
func (a *audit) journal() {
	sales, proved := map[string]*folded{}, 0
	a.chain(func(r JournalRecord) {
		if r.Sale == "" {
			return
		}
		f := sales[r.Sale]
		if f == nil {
			f = &folded{version: r.Version - 1, whole: r.Version == 1, fields: map[string]json.RawMessage{}}
			sales[r.Sale] = f
		}
		f.add(r)
		s, ok, exists := a.sale(r.Sale)
		switch {
		case !exists || ok && r.Version < s.Version:
			return
		case ok && r.Version > s.Version:
			a.find(bucketSales, []byte(s.ID), s.ID, fmt.Sprintf("it is at version %d, and journal record %d says version %d", s.Version, r.Seq, r.Version))
		case ok && !f.broken && !f.gives(s):
			a.find(bucketSales, []byte(s.ID), s.ID, "it is not what its journal records say")
		}
		delete(sales, r.Sale)
		proved++
	})
	for _, id := range slices.Sorted(maps.Keys(sales)) {
		s, ok, exists := a.sale(id)
		switch {
		case !exists:
			a.find(bucketSales, []byte(id), id, fmt.Sprintf("it is missing; the journal has its version %d", sales[id].version))
		case ok:
			a.find(bucketSales, []byte(id), id, fmt.Sprintf("it is at version %d, and the journal ends at its version %d", s.Version, sales[id].version))
		}
	}
	if kept := a.report.Sales; a.meta.base.seq == 0 && proved+len(sales) < kept {
		a.unrecorded()
	}
}

// unrecorded names the sales that no record speaks of.
func (a *audit) unrecorded() {
	recorded := map[string]bool{}
	c := a.tx.Bucket(bucketJournal).Cursor()
	for key, stored := c.First(); key != nil; key, stored = c.Next() {
		if seq, ok := readSeq(key); ok {
			if r, err := readRecord(seq, stored); err == nil {
				recorded[r.Sale] = true
			}
		}
	}
	a.each(bucketSales, func(key, _ []byte) {
		if !recorded[string(key)] {
			a.find(bucketSales, key, string(key), "the journal has no record of it")
		}
	})
}

func (f *folded) add(r JournalRecord) {
	if r.Version != f.version+1 {
		f.broken = true // a record between was told to be missing or altered
	}
	f.version = r.Version
	var changed map[string]json.RawMessage
	if err := json.Unmarshal(r.Fields, &changed); err != nil {
		f.broken = true
		return
	}
	maps.Copy(f.fields, changed)
}

// gives reports whether the fields, laid over nothing or over what retention has
// dropped the records of, are the sale as the API shows it.
func (f *folded) gives(s payment.Sale) bool {
	stored, err := json.Marshal(s.View())
	if err != nil {
		return false
	}
	fields := map[string]json.RawMessage{}
	if !f.whole {
		if err := json.Unmarshal(stored, &fields); err != nil {
			return false
		}
	}
	for name, value := range f.fields {
		if string(value) == "null" {
			delete(fields, name)
		} else {
			fields[name] = value
		}
	}
	var given payment.View
	encoded, err := json.Marshal(fields)
	if err == nil {
		err = json.Unmarshal(encoded, &given)
	}
	if err != nil {
		return false
	}
	again, err := json.Marshal(given)
	return err == nil && bytes.Equal(again, stored)
}
