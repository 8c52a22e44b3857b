package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"

	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"

	"payscand/payment"
)

// Finding is one thing that is wrong with a database.
type Finding struct {
	Bucket string `json:"bucket,omitempty"` // empty: the file itself
	Entry  string `json:"entry,omitempty"`  // the key, as printable text; of the journal the sequence number
	Sale   string `json:"sale,omitempty"`   // whose it is, where that is known
	// Problem says what is wrong, without what it is that was stored.
	Problem string `json:"problem"`
}

func (f Finding) String() string {
	text := "file"
	if f.Bucket != "" {
		text = "bucket " + f.Bucket
	}
	if f.Entry != "" {
		text += ", entry " + f.Entry
	}
	if f.Sale != "" && f.Bucket != string(bucketSales) {
		text += fmt.Sprintf(" (sale %.64q)", f.Sale)
	}
	return text + ": " + f.Problem
}

// maxFindings bounds the findings that are kept; more are only counted.
const maxFindings = 200

// Report is what a look at a whole database found.
type Report struct {
	Path    string `json:"path"`
	Bytes   int64  `json:"bytes"`
	Schema  int    `json:"schema"`
	Epoch   string `json:"epoch"`
	Adopted bool   `json:"adopted"` // by this machine

	Sales int `json:"sales"`
	Open  int `json:"open"` // sales that are not over
	// First and Last are sequence numbers of the journal's records that are kept.
	First    uint64 `json:"first"`
	Last     uint64 `json:"last"`
	LastHash Hash   `json:"last_hash"`
	Records  uint64 `json:"records"` // that were found good

	Findings []Finding `json:"findings"` // none: all is as it was written
	MoreOf   int       `json:"more_findings,omitempty"`
}

func (r *Report) add(f Finding) {
	if len(r.Findings) == maxFindings {
		r.MoreOf++
		return
	}
	r.Findings = append(r.Findings, f)
}

func (r *Report) damaged(err error) {
	f := Finding{Problem: err.Error()}
	var entry *EntryError
	var chain *ChainError
	switch {
	case errors.As(err, &entry):
		f = Finding{Bucket: entry.Bucket, Entry: printable(entry.Bucket, []byte(entry.Key)), Problem: entry.Problem}
	case errors.As(err, &chain):
		f = Finding{Bucket: string(bucketJournal), Entry: fmt.Sprint(chain.Seq), Problem: chain.Problem}
	}
	r.add(f)
}

// Check looks at all of a database file that nobody has open, or of a backup:
// pages, checksums, that each index has the entries that follow from the sales
// and no others, the chain of the journal, and that the journal gives each sale as
// it is stored. It writes nothing. What is wrong are the report's findings; an
// error says that it could not be looked at (ErrLocked, ErrNewer, no file).
//
// It cannot know that the whole file is an older one, nor that a payment code
// was taken away: codes are also wiped, and left out of backups.
func Check(ctx context.Context, path string) (Report, error) {
	return lookAt(ctx, path, func(a *audit) {
		a.sales()
		a.open()
		a.due()
		a.keys()
		a.requests()
		a.codes()
		a.journal()
	})
}

// VerifyJournal looks at the journal of a database file as Check does, and at
// nothing else in it: each record's hash, and that it follows from the record
// before, from the checkpoint that retention left on.
func VerifyJournal(ctx context.Context, path string) (Report, error) {
	return lookAt(ctx, path, func(a *audit) { a.chain(func(JournalRecord) {}) })
}

func lookAt(ctx context.Context, path string, at func(*audit)) (r Report, err error) {
	r = Report{Path: path, Findings: []Finding{}}
	defer func() {
		if err != nil {
			err = fmt.Errorf("check database %s: %w", path, err)
		}
	}()
	if err := lookForFile(path); errors.Is(err, ErrDamaged) {
		r.damaged(err)
		return r, nil
	} else if err != nil {
		return r, err
	}
	file, err := lockToRead(path)
	if err != nil {
		return r, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return r, err
	}
	r.Bytes = info.Size()
	readable, err := walkPages(file, func(bucket, problem string) { r.add(Finding{Bucket: bucket, Problem: problem}) })
	if err != nil || !readable {
		return r, err
	}
	bolt, _, err := openBolt(path, true)
	if errors.Is(err, ErrDamaged) {
		r.damaged(err)
		return r, nil
	}
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, bolt.Close()) }()
	err = guarded(func() error { return bolt.View(func(tx *bbolt.Tx) error { return auditAll(ctx, tx, &r, at) }) })
	if errors.Is(err, ErrDamaged) {
		r.damaged(err)
		err = nil
	}
	return r, err
}

// auditAll looks at everything in one read transaction: nobody writes.
func auditAll(ctx context.Context, tx *bbolt.Tx, r *Report, at func(*audit)) error {
	m, err := readMeta(tx)
	r.Schema, r.Epoch, r.First, r.Last, r.LastHash = m.schema, m.epoch, m.base.seq+1, m.head.seq, m.head.hash
	r.Adopted = m.machine == machine()
	if err != nil {
		if !errors.Is(err, ErrDamaged) {
			return err
		}
		r.damaged(err)
		if chain := new(ChainError); !errors.As(err, &chain) { // else all but the journal's end is readable
			return nil
		}
	}
	a := &audit{ctx: ctx, meta: m, report: r, tx: tx, layout: layout(m.schema)}
	if err := tx.ForEach(func(name []byte, _ *bbolt.Bucket) error {
		if !isBucket(name) {
			r.add(Finding{Bucket: fmt.Sprintf("%.64q", name), Problem: "payscand has no such bucket"})
		}
		return nil
	}); err != nil {
		return err
	}
	at(a)
	return ctx.Err()
}

func isBucket(name []byte) bool {
	for _, known := range buckets() {
		if string(known) == string(name) {
			return true
		}
	}
	return false
}

// audit is one look at everything.
type audit struct {
	ctx    context.Context //nolint:containedctx // of the look
	meta   meta
	layout layout
	report *Report
	tx     *bbolt.Tx
	last   payment.Sale // the last that was read: neighbours in an index are often one sale's
}

func (a *audit) find(bucket, key []byte, sale, problem string) {
	a.report.add(Finding{Bucket: string(bucket), Entry: printable(string(bucket), key), Sale: sale, Problem: problem})
}

// each visits the entries of a bucket until the look is given up.
func (a *audit) each(bucket []byte, visit func(key, value []byte)) {
	c := a.tx.Bucket(bucket).Cursor()
	for key, stored := c.First(); key != nil && a.ctx.Err() == nil; key, stored = c.Next() {
		value, err := a.layout.open(bucket, key, stored)
		if err != nil {
			sale := ""
			if string(bucket) == string(bucketSales) {
				sale = string(key)
			}
			a.find(bucket, key, sale, problemOf(err))
			continue
		}
		visit(key, value)
	}
}

func problemOf(err error) string {
	if entry := new(EntryError); errors.As(err, &entry) {
		return entry.Problem
	}
	return err.Error()
}

// sale reads a sale; ok is false where it is missing or damaged, which is told of
// it itself.
func (a *audit) sale(id string) (s payment.Sale, ok, exists bool) {
	if a.last.ID == id && id != "" {
		return a.last, true, true
	}
	stored := a.tx.Bucket(bucketSales).Get([]byte(id))
	if stored == nil {
		return s, false, false
	}
	s, err := decodeSale(a.layout, stored, id)
	if err != nil {
		return s, false, true
	}
	a.last = s
	return s, true, true
}

// sales looks at each sale, and that every index has what follows from it.
func (a *audit) sales() {
	a.each(bucketSales, func(key, encoded []byte) {
		a.report.Sales++
		id := string(key)
		var s payment.Sale
		if err := json.Unmarshal(encoded, &s); err != nil {
			a.find(bucketSales, key, id, "it cannot be read")
			return
		}
		if s.ID != id {
			a.find(bucketSales, key, id, fmt.Sprintf("sale %.64q is in its place", s.ID))
			return
		}
		a.last = s
		if s.Open() {
			a.report.Open++
			a.has(bucketOpen, key, s.ID)
		}
		for _, due := range dueKeys(&s) {
			a.has(bucketDue, []byte(due), s.ID)
		}
		a.has(bucketKeys, []byte(s.Key), s.ID)
		for _, r := range s.Refunds {
			if r.Key != "" {
				a.has(bucketKeys, []byte(r.Key), s.ID)
			}
			a.has(bucketRequests, []byte(r.RequestID), s.ID)
		}
		for _, at := range s.Attempts {
			a.has(bucketRequests, []byte(at.RequestID), s.ID)
		}
	})
}

func (a *audit) has(bucket, key []byte, sale string) {
	if found, _ := a.tx.Bucket(bucket).Cursor().Seek(key); string(found) != string(key) {
		a.find(bucket, key, sale, "it is missing")
	}
}

// The entries of each index must follow from a sale.

func (a *audit) open() {
	a.each(bucketOpen, func(key, value []byte) {
		a.follows(bucketOpen, key, string(key), len(value) == 0, payment.Sale.Open)
	})
}

func (a *audit) due() {
	a.each(bucketDue, func(key, value []byte) {
		_, _, id, err := splitDueKey(key)
		if err != nil {
			a.find(bucketDue, key, "", "its key cannot be read")
			return
		}
		a.follows(bucketDue, key, id, len(value) == 0, func(s payment.Sale) bool { return slices.Contains(dueKeys(&s), string(key)) })
	})
}

func (a *audit) keys() {
	a.each(bucketKeys, func(key, value []byte) {
		var e keyEntry
		if err := json.Unmarshal(value, &e); err != nil {
			a.find(bucketKeys, key, "", "it cannot be read")
			return
		}
		a.follows(bucketKeys, key, e.Sale, true, func(s payment.Sale) bool { return hasKey(s, string(key)) && s.DigestOf(string(key)) == e.Digest })
	})
}

func hasKey(s payment.Sale, key string) bool {
	for _, r := range s.Refunds {
		if r.Key == key {
			return true
		}
	}
	return s.Key == key
}

func (a *audit) requests() {
	a.each(bucketRequests, func(key, value []byte) {
		a.follows(bucketRequests, key, string(value), true, func(s payment.Sale) bool {
			for _, r := range s.Refunds {
				if r.RequestID == string(key) {
					return true
				}
			}
			return attemptOf(s, string(key)) != nil
		})
	})
}

func attemptOf(s payment.Sale, requestID string) *payment.Attempt {
	for i := range s.Attempts {
		if s.Attempts[i].RequestID == requestID {
			return &s.Attempts[i]
		}
	}
	return nil
}

func (a *audit) codes() {
	requests := a.tx.Bucket(bucketRequests)
	a.each(bucketCodes, func(key, value []byte) {
		id, err := a.layout.open(bucketRequests, key, requests.Get(key))
		if err != nil {
			a.find(bucketCodes, key, "", "it is a code of no attempt")
			return
		}
		a.follows(bucketCodes, key, string(id), true, func(s payment.Sale) bool {
			at := attemptOf(s, string(key))
			return at != nil && !at.Status.Final() && at.CodeMask == payment.NewCode(string(value)).Mask()
		})
	})
}

func (a *audit) follows(bucket, key []byte, sale string, empty bool, holds func(payment.Sale) bool) {
	s, ok, exists := a.sale(sale)
	switch {
	case !exists:
		a.find(bucket, key, sale, "it names a sale that is missing")
	case !empty:
		a.find(bucket, key, sale, "it has a value, and should have none")
	case ok && !holds(s):
		a.find(bucket, key, sale, "the sale says otherwise: there should be no such entry")
	}
}

// lockToRead opens a file and keeps a daemon from it. While one has it there is no waiting.
func lockToRead(path string) (*os.File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_SH|unix.LOCK_NB); err != nil {
		file.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("%w; stop it first (systemctl stop payscand), or make a backup and look at that", ErrLocked)
		}
		return nil, err
	}
	return file, nil
}
