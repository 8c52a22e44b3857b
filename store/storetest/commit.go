package storetest

import (
	"errors"
	"strings"
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
		err := s.Commit([]payment.Change{before, till.ScanRefused(), till.Rescheduled(before.After, time.Hour), bad, after})
		if !errors.Is(err, store.ErrRefused) {
			t.Errorf("%s: %v, want ErrRefused", name, err)
		} else if strings.Contains(err.Error(), secretCode) {
			t.Errorf("%s: the error shows the payment code: %v", name, err)
		}
		w.check(t, s)
	}
	wiped := till.Wiped(submitted.After)
	commit(t, s, wiped)
	w.apply(wiped)
	w.check(t, s)
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
