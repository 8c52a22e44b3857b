package storetest

import (
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"

	"payscand/payment"
)

// Till makes changes as a counter's day brings them, the same ones each time.
// Its clock starts at an arbitrary instant and moves a second with each change.
type Till struct {
	now time.Time
	n   uint64
}

// NewTill returns a till at its first second.
func NewTill() *Till {
	return &Till{now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}
}

// Now is the time of the last change.
func (t *Till) Now() time.Time { return t.now }

// Wait moves the clock.
func (t *Till) Wait(d time.Duration) { t.now = t.now.Add(d) }

func (t *Till) tick() time.Time {
	t.n++
	t.now = t.now.Add(time.Second)
	return t.now
}

// id is a ULID of now.
func (t *Till) id() string {
	var id ulid.ULID
	if err := id.SetTime(uint64(t.now.UnixMilli())); err != nil {
		panic(err)
	}
	binary.BigEndian.PutUint64(id[8:], t.n)
	return id.String()
}

// Created makes a sale that waits for a code.
func (t *Till) Created() payment.Change {
	now := t.tick()
	id := t.id()
	s := payment.Sale{
		ID: id, Version: 1, Status: payment.SaleAwaitingCode, Mode: payment.ModeAuto,
		Amount: payment.Money{Amount: int64(100 + t.n), Currency: "CAD"}, Reference: fmt.Sprintf("order-%d", t.n%7),
		CreatedAt: now, UpdatedAt: now, Deadline: now.Add(5 * time.Minute), ScanUntil: now.Add(30 * time.Second),
		Key: "key-" + id, Digest: "digest-" + id, Armings: 1, Due: now.Add(30 * time.Second),
	}
	return payment.Change{After: s, Record: record(s)}
}

// Changed is a change that the register sees.
func (t *Till) Changed(before payment.Sale, edit func(s *payment.Sale)) payment.Change {
	after := before
	after.Attempts = slices.Clone(before.Attempts)
	after.Version++
	after.UpdatedAt = t.tick()
	edit(&after)
	return payment.Change{Before: before, After: after, Record: record(after)}
}

// Rescheduled is a change that nobody sees: the sale is due after the pause, or
// not at all when the pause is 0.
func (t *Till) Rescheduled(before payment.Sale, pause time.Duration) payment.Change {
	after := before
	after.Attempts = slices.Clone(before.Attempts)
	now := t.tick()
	after.Due = time.Time{}
	if pause != 0 {
		after.Due = now.Add(pause)
	}
	if a := after.LiveAttempt(); a != nil {
		a.Polls++
		a.NextAt = after.Due
	}
	return payment.Change{Before: before, After: after}
}

// Submitted begins an attempt with a scanned code.
func (t *Till) Submitted(before payment.Sale, gateway, code string) payment.Change {
	return t.Changed(before, func(s *payment.Sale) {
		n := len(s.Attempts) + 1
		s.Status = payment.SaleProcessing
		s.Attempts = append(s.Attempts, payment.Attempt{
			N: n, RequestID: fmt.Sprintf("%s-%d", s.ID, n), Gateway: gateway, Instrument: payment.InstrumentCode,
			Status: payment.AttemptSubmitting, SubmittedAt: t.now, Code: payment.NewCode(code), CodeMask: payment.NewCode(code).Mask(),
			Intent: payment.Intent{Account: "M1", URL: "https://gateway.example/pay", Head: `{"code":"`, Tail: `"}`},
			Seq:    1, Call: &payment.InFlight{Seq: 1, Kind: payment.CallPay}, Sends: 1, FastUntil: t.now.Add(time.Minute),
		})
		s.Due = t.now.Add(time.Second)
	})
}

// Wiped says that the gateway has the order, so that the code is of no use any more.
func (t *Till) Wiped(before payment.Sale) payment.Change {
	return t.Changed(before, func(s *payment.Sale) {
		a := s.LiveAttempt()
		a.Status, a.PaymentID, a.Code, a.Call = payment.AttemptPending, "P"+a.RequestID, payment.Code{}, nil
		s.Due = t.now.Add(2 * time.Second)
	})
}

// Failed ends the live attempt without payment; the sale waits for another code.
func (t *Till) Failed(before payment.Sale) payment.Change {
	return t.Changed(before, func(s *payment.Sale) {
		a := s.LiveAttempt()
		a.Status, a.Reason, a.EndedAt, a.Code, a.Call = payment.AttemptFailed, payment.ReasonDeclined, t.now, payment.Code{}, nil
		s.Status = payment.SaleAwaitingCode
		s.LastFailure = &payment.Failure{Attempt: a.N, Reason: a.Reason, GatewayCode: "USER_DECLINED"}
		s.Due = s.Deadline
	})
}

// Unresolved frees the terminal; the live attempt is asked for on and on.
func (t *Till) Unresolved(before payment.Sale) payment.Change {
	return t.Changed(before, func(s *payment.Sale) {
		a := s.LiveAttempt()
		a.Status, a.Reason, a.Code, a.Call = payment.AttemptUnknown, payment.ReasonNoAnswer, payment.Code{}, nil
		s.Status = payment.SaleUnresolved
		s.Due = t.now.Add(30 * time.Second)
	})
}

// Paid ends the sale well.
func (t *Till) Paid(before payment.Sale) payment.Change {
	return t.Changed(before, func(s *payment.Sale) {
		a := s.LiveAttempt()
		a.Status, a.EndedAt, a.Code, a.Call = payment.AttemptPaid, t.now, payment.Code{}, nil
		s.Late = s.Status == payment.SaleUnresolved
		s.Status, s.LastFailure, s.Due = payment.SalePaid, nil, time.Time{}
		s.Receipt = &payment.Receipt{Wallet: "alipayplus", PaymentID: "P" + a.RequestID, PaidAmount: s.Amount, PaidAt: t.now}
	})
}

// Cancelled ends a sale that has no live attempt.
func (t *Till) Cancelled(before payment.Sale) payment.Change {
	return t.Changed(before, func(s *payment.Sale) {
		s.Status, s.CancelWanted, s.Due = payment.SaleCancelled, true, time.Time{}
	})
}

// ScanRefused is a record of no sale.
func (t *Till) ScanRefused() payment.Change {
	return payment.Change{Record: &payment.Record{
		At: t.tick(), Type: payment.RecordScanRefused,
		Detail: map[string]string{"device": "scanner <1>", "kind": "goods_barcode", "mask": "40…0013"},
	}}
}

func record(s payment.Sale) *payment.Record {
	return &payment.Record{At: s.UpdatedAt, Type: payment.RecordType("sale." + string(s.Status)), Sale: s.ID, Version: s.Version}
}
