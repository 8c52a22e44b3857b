// Package store keeps the terminal's sales and its journal in one bbolt file.
//
// The file has these buckets:
//
//	meta      schema, epoch, machine, head (sequence and hash of the journal's last record),
//	          base (those of the last record that retention dropped)
//	sales     sale id → sale as JSON, without payment codes
//	open      sale id → nothing, for every sale that is not final
//	due       gateway, time, sale id → nothing, for each of a sale's Dues
//	keys      idempotency key → sale id and digest of the request
//	requests  request id → sale id, for every attempt
//	codes     request id → payment code in clear, for every attempt that still has one
//	journal   sequence → hash and record
//
// Everything but sales, codes and journal is derived from the sales. A start
// reads meta, the last record, open and due: never the history.
//
// A checksum comes before each value of sales, keys, requests, codes and meta,
// the schema excepted (see seal.go); the journal's records have their hash. Check
// reads all of it and says what is not as it was written.
//
// A file of an older schema is migrated when it is opened. A file that was
// restored, or that another machine made, is not adopted: see Restore and Adopt.
//
// Payment codes live in a bucket of their own, so that a backup can leave it
// out. A code that was wiped is gone for every reader of the database at once;
// its bytes stay in a freed page of the file until bbolt uses that page again,
// which is usually within a few commits but is not promised. The file is mode
// 0600 for that reason, and a copy of the raw file is no backup.
//
// Package memory keeps the same in memory; package storetest is what both must
// pass.
package store

import (
	"errors"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"payscand/payment"
)

// MaxPage is the most records that one read returns or looks at: a read
// transaction ends with it, so that bbolt can reuse pages.
const MaxPage = 256

var (
	// ErrNotFound: there is no such sale, key or request id.
	ErrNotFound = payment.ErrNotFound
	// ErrRefused: Commit was given a change that does not fit what is stored.
	// Nothing of the commit was written. It is a defect of the caller.
	ErrRefused = errors.New("refused, nothing was written")
	// ErrFailed: a commit failed while it was written, and may be on the disk or
	// not. The store answers nothing any more: end the process and open again.
	ErrFailed = errors.New("the database failed while writing, and what it holds now is not known; restart payscand, which reads it from the disk")
	// ErrFull: the disk has no room for another sale.
	ErrFull = errors.New("the disk is full")
	// ErrReadOnly: the file system was mounted, or remounted after an I/O error, read-only.
	ErrReadOnly = errors.New("the file system is read-only")
	// ErrLocked: another process has the database open.
	ErrLocked = errors.New("another payscand is running on this database")
	// ErrDamaged: the file is no database, is cut short, or holds what payscand never writes.
	ErrDamaged = errors.New("the database is damaged")
	// ErrNewer: a newer payscand wrote the file.
	ErrNewer = errors.New("the database was written by a newer payscand")
)

// PageSize reads a limit: 1 to MaxPage as it is, anything else as MaxPage.
func PageSize(limit int) int {
	if limit < 1 || limit > MaxPage {
		return MaxPage
	}
	return limit
}

// Query selects sales; its Limit is as in PageSize.
type Query = payment.SaleQuery

// Page is one page of a search: at most MaxPage sales are looked at for one.
type Page = payment.SalePage

// idSlack is how far the time in a sale's id may be from its CreatedAt.
const idSlack = time.Minute

// IDRange returns bounds on the ids of the sales that may still be on the
// query's pages: lowest ≤ id < below. An empty below is no bound. It spares the
// search a walk through years, as ids are ULIDs made within a minute of the
// sale's CreatedAt.
func IDRange(q Query) (lowest, below string) {
	if !q.From.IsZero() {
		lowest = firstID(q.From.Add(-idSlack))
	}
	if !q.To.IsZero() {
		below = firstID(q.To.Add(idSlack))
	}
	if q.Cursor != "" && (below == "" || strings.Compare(q.Cursor, below) < 0) {
		below = q.Cursor
	}
	return lowest, below
}

// firstID is the lowest ULID of that millisecond.
func firstID(at time.Time) string {
	var id ulid.ULID
	ms := uint64(max(at.UnixMilli(), 0))
	if err := id.SetTime(min(ms, ulid.MaxTime())); err != nil {
		panic(err) // not above MaxTime
	}
	return id.String()
}
