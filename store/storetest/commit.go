package storetest

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"payscand/payment"
	"payscand/store"
)

const secretCode = "281234567890123456"

// A commit with one change that does not fit is refused whole: neither the good
// changes before it nor those after it leave a trace, and the store goes on.
func testRefusals(t *testing.T, open Opener) {
	s, till, w := newStore(t, open), NewTill(), newWorld()
	made := till.Created()
	submitted := till.Submitted(made.After, "alphapay", secretCode)
	commit(t, s, made)
	commit(t, s, submitted)
	w.apply(made, submitted)

	for name, bad := range misfits(till, made.After, submitted.After) {
		before, after := till.Created(), till.Created()
		started := till.Submitted(before.After, "alphapay", secretCode)
		err := s.Commit([]payment.Change{before, started, till.ScanRefused(), till.Rescheduled(started.After, time.Hour), bad, after})
		if !errors.Is(err, store.ErrRefused) {
			t.Errorf("%s: %v, want ErrRefused", name, err)
		} else if strings.Contains(err.Error(), secretCode) {
			t.Errorf("%s: the error shows the payment code: %v", name, err)
		}
		w.check(t, s)
		wantUnknown(t, s, started.After)
		wantUnknown(t, s, after.After)
	}
	wiped := till.Wiped(submitted.After)
	commit(t, s, wiped)
	w.apply(wiped)
	w.check(t, s)
}

func wantUnknown(t *testing.T, s Store, sale payment.Sale) {
	t.Helper()
	_, saleErr := s.Sale(sale.ID)
	_, _, keyErr := s.ByKey(sale.Key)
	errs := []error{saleErr, keyErr}
	for _, a := range sale.Attempts {
		_, err := s.ByRequest(a.RequestID)
		errs = append(errs, err)
	}
	for _, err := range errs {
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a sale of a refused commit: %v, want ErrNotFound", err)
		}
	}
}

// misfits are changes that none may store, given a sale as it was and as it is.
func misfits(till *Till, was, sale payment.Sale) map[string]payment.Change {
	changed := func(edit func(c *payment.Change)) payment.Change {
		c := till.Changed(sale, func(s *payment.Sale) { s.Description = "must not be stored" })
		edit(&c)
		return c
	}
	created := func(edit func(c *payment.Change)) payment.Change {
		c := till.Created()
		edit(&c)
		return c
	}
	attempts := func(list ...payment.Attempt) payment.Change {
		return created(func(c *payment.Change) { c.After.Attempts = list })
	}
	return map[string]payment.Change{
		"stale version":           till.Cancelled(was),
		"version from the future": changed(func(c *payment.Change) { c.Before.Version++ }),
		"stale due time":          changed(func(c *payment.Change) { c.Before.Due = c.Before.Due.Add(1) }),
		"stale status":            changed(func(c *payment.Change) { c.Before.Status = payment.SaleCancelling }),
		"unknown before":          till.Cancelled(till.Created().After),
		"made twice":              changed(func(c *payment.Change) { c.Before = payment.Sale{} }),
		"made out of another":     created(func(c *payment.Change) { c.Before = sale }),
		"before of another":       changed(func(c *payment.Change) { c.Before.ID = "another" }),
		"taken away":              {Before: sale},
		"key of another sale":     created(func(c *payment.Change) { c.After.Key = sale.Key }),
		"key changed":             changed(func(c *payment.Change) { c.After.Key = "another" }),
		"digest changed":          changed(func(c *payment.Change) { c.After.Digest = "another" }),
		"no key":                  created(func(c *payment.Change) { c.After.Key = "" }),
		"key too long":            created(func(c *payment.Change) { c.After.Key = strings.Repeat("k", 256) }),
		"key not UTF-8":           created(func(c *payment.Change) { c.After.Key = "\xff" }),
		"id too long": created(func(c *payment.Change) {
			c.After.ID = strings.Repeat("i", 65)
			c.Record.Sale = c.After.ID
		}),
		"version without record": changed(func(c *payment.Change) { c.Record = nil }),
		"made without record": created(func(c *payment.Change) {
			c.Record = nil
			c.After.Version = 0
		}),
		"record without version": changed(func(c *payment.Change) {
			c.After.Version--
			c.Record.Version--
		}),
		"version up by two": changed(func(c *payment.Change) {
			c.After.Version++
			c.Record.Version++
		}),
		"record of another":       changed(func(c *payment.Change) { c.Record.Sale = "another" }),
		"record of other version": changed(func(c *payment.Change) { c.Record.Version++ }),
		"record names a sale":     {Record: record(sale)},
		"attempt lost":            changed(func(c *payment.Change) { c.After.Attempts = nil }),
		"request id changed":      changed(func(c *payment.Change) { c.After.Attempts[0].RequestID = "another" }),
		"request id of another":   attempts(sale.Attempts...),
		"request id twice":        attempts(payment.Attempt{RequestID: "r"}, payment.Attempt{RequestID: "r"}),
		"no request id":           attempts(payment.Attempt{}),
		"gateway name too long":   attempts(payment.Attempt{RequestID: "r", Gateway: strings.Repeat("g", 65)}),
	}
}

// Changes of one commit build on each other, also on one sale, and each writes
// its own record; the whole life of a sale may be one commit.
func testGroupCommit(t *testing.T, open Opener) {
	s, till, w := newStore(t, open), NewTill(), newWorld()
	made := till.Created()
	submitted := till.Submitted(made.After, "alphapay", secretCode)
	hidden := till.Rescheduled(submitted.After, time.Minute)
	paid := till.Paid(hidden.After)
	other := till.Created()
	changes := []payment.Change{made, submitted, other, hidden, till.ScanRefused(), paid}
	commit(t, s, changes...)
	w.apply(changes...)
	w.check(t, s)
}

// Changes that hold nothing are no commit.
func testNothing(t *testing.T, open Opener) {
	s, w := newStore(t, open), newWorld()
	for _, nothing := range [][]payment.Change{nil, {}, {{}, {}}} {
		if err := s.Commit(nothing); err != nil {
			t.Errorf("%d empty changes: %v", len(nothing), err)
		}
	}
	w.check(t, s)
}

// Readers may read at any time beside the writer, and each sees whole commits:
// a sale that is open and never its key without it.
func testReaders(t *testing.T, open Opener) {
	s, till, w := newStore(t, open), NewTill(), newWorld()
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for last := uint64(0); ; {
				select {
				case <-done:
					return
				default:
				}
				last = readBeside(t, s, last)
			}
		})
	}
	for range 60 {
		made := till.Created()
		life := []payment.Change{made, till.Submitted(made.After, "alphapay", secretCode)}
		commit(t, s, life...)
		w.apply(life...)
	}
	close(done)
	readers.Wait()
	w.check(t, s)
}

// readBeside returns the last record there was. A commit of the test writes two.
func readBeside(t *testing.T, s Store, last uint64) uint64 {
	head, _ := s.Head()
	good, err := store.VerifyChain(s)
	if err != nil || good < head || head < last || head%2 != 0 {
		t.Errorf("after record %d the head is %d and %d records are good, %v", last, head, good, err)
	}
	page, err := s.Open("", 0)
	if err != nil {
		t.Error(err)
	}
	for _, sale := range page {
		id, _, err := s.ByKey(sale.Key)
		if id != sale.ID || err != nil || sale.Version != 2 {
			t.Errorf("sale %s, version %d, is that of its key: %q, %v", sale.ID, sale.Version, id, err)
		}
	}
	return head
}

// What was committed is there after the store was closed and opened again, the
// journal goes on where it ended, and its epoch stays; a store made elsewhere
// has another epoch, unless it is told which.
func testReopen(t *testing.T, open Opener) {
	dir, till, w := t.TempDir(), NewTill(), newWorld()
	var epoch string
	for range 3 {
		s, err := open(dir)
		check(t, err)
		w.check(t, s)
		if _, is := s.Head(); epoch != "" && is != epoch {
			t.Errorf("the epoch went from %s to %s", epoch, is)
		}
		made, finished := till.Created(), till.Created()
		submitted := till.Submitted(made.After, "alphapay", secretCode)
		done := []payment.Change{made, submitted, finished, till.Cancelled(finished.After), till.ScanRefused()}
		commit(t, s, done...)
		w.apply(done...)
		_, epoch = s.Head()
		check(t, s.Close())
	}
	s, err := open(dir)
	check(t, err)
	w.check(t, s)
	check(t, s.Close())
}

// A store with room says so.
func testRoom(t *testing.T, open Opener) {
	s := newStore(t, open)
	if err := s.CheckRoom(); err != nil {
		t.Error(err)
	}
	if free, err := s.DiskFree(); free <= 0 || err != nil {
		t.Errorf("%d bytes are free, %v", free, err)
	}
}
