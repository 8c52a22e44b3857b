package payment

import (
	"slices"
	"time"
)

// EventKind names what happened to a sale.
type EventKind string

const (
	EventCreated     EventKind = "created"
	EventCode        EventKind = "code"
	EventQR          EventKind = "qr"
	EventCancel      EventKind = "cancel"
	EventCheck       EventKind = "check"
	EventScannerLost EventKind = "scanner_lost"
	EventDue         EventKind = "due"
	EventOutcome     EventKind = "outcome"
	EventRecovered   EventKind = "recovered"
	EventRefund      EventKind = "refund"
	EventResolved    EventKind = "resolved"
	EventElsewhere   EventKind = "paid_elsewhere"
)

// EventKinds lists every kind of event.
func EventKinds() []EventKind {
	return []EventKind{
		EventCreated, EventCode, EventQR, EventCancel, EventCheck,
		EventScannerLost, EventDue, EventOutcome, EventRecovered, EventRefund, EventResolved, EventElsewhere,
	}
}

// Event is one thing that happened. Facts from outside come in it.
type Event interface{ Kind() EventKind }

// Created makes a sale; it is the only event of the zero Sale.
type Created struct {
	ID          string // ULID
	Key, Digest string
	Amount      Money
	Reference   string
	Description string
	Mode        Mode
	// Scanner: a scanner is ready.
	Scanner bool
}

// CodePresented is a recognised payment code for the sale.
type CodePresented struct {
	Code   Code
	Wallet Wallet
	// Arming is the token that the scan carries; 0 for a code that the register posted (P7).
	Arming uint64
}

// QRRequested is the register's wish to show a QR.
type QRRequested struct{}

// CancelRequested is the register's cancel, or a sale that replaces this one.
type CancelRequested struct{}

// CheckRequested brings the next question forward: the register's check, a
// waiting register, a verified notification, a gateway that answers again (M14).
type CheckRequested struct{}

// ScannerLost says that no scanner is left.
type ScannerLost struct{}

// Due says that the sale's Due time has come. What the counter waits for is done
// at once. Of what is asked in the background, the one call whose time came first
// is started where Gateway has room for it; the rest stays due.
type Due struct {
	Gateway string // empty: no gateway has room
}

// Outcome is what a call brought back. One whose Seq is not that of the call
// under way is ignored.
type Outcome struct {
	Attempt int
	Refund  int // 0: of the attempt itself
	Seq     int
	Verdict Verdict
	// MayReverse: the day's automatic reversals are not used up (M12).
	MayReverse bool
	// Notified: the gateway said so unasked, in a verified notification; Seq is 0.
	// It counts for an attempt that is not over, as an inquiry's answer would, and
	// brings the next question forward where it cannot.
	Notified bool
	// Wait: the gateway has no room for a second look, so that it waits.
	Wait bool
}

// RefundRequested is the register's wish to give money of a paid sale back (M13).
type RefundRequested struct {
	Key, Digest string
	Amount      int64 // minor units of the sale's currency; 0: all that is left
	Note        string
	// Wait: the gateway has no room, so that the request waits for it.
	Wait bool
}

// Resolved is a person's decision about an unresolved sale.
type Resolved struct {
	Outcome  OverrideOutcome
	Operator string
	Note     string
}

// PaidElsewhere makes the record of a payment that another terminal took, so that
// it can be refunded here: a sale that is paid from the start. Like Created it is
// an event of the zero Sale.
type PaidElsewhere struct {
	ID, Key            string
	Gateway, PaymentID string
	// Verdict is the verified answer to an inquiry about that payment id.
	Verdict Verdict
}

// Recovered says that the daemon was started and no call is under way.
type Recovered struct{}

func (Created) Kind() EventKind         { return EventCreated }
func (CodePresented) Kind() EventKind   { return EventCode }
func (QRRequested) Kind() EventKind     { return EventQR }
func (CancelRequested) Kind() EventKind { return EventCancel }
func (CheckRequested) Kind() EventKind  { return EventCheck }
func (ScannerLost) Kind() EventKind     { return EventScannerLost }
func (Due) Kind() EventKind             { return EventDue }
func (Outcome) Kind() EventKind         { return EventOutcome }
func (Recovered) Kind() EventKind       { return EventRecovered }
func (RefundRequested) Kind() EventKind { return EventRefund }
func (Resolved) Kind() EventKind        { return EventResolved }
func (PaidElsewhere) Kind() EventKind   { return EventElsewhere }

// Change is one committed step. A Change without Before and After only adds its
// Record to the journal.
type Change struct {
	Before, After Sale
	// Record is set when the register can see a difference, nil otherwise.
	Record *Record
}

// Changed reports whether anything is to be stored.
func (c Change) Changed() bool { return c.After.ID != "" || c.Record != nil }

// Record is one line of the journal, which is also the event stream. The store
// adds sequence, hash and, for a sale, the public fields that changed.
type Record struct {
	At   time.Time
	Type RecordType
	// Sale and Version are empty for a record that belongs to no sale.
	Sale    string
	Version int64
	// Detail holds the fields of a record that belongs to no sale: small, and
	// free of secrets.
	Detail map[string]string
}

// RecordType names a record: "sale." and the sale's status, "refund." or "reversal."
// and the refund's, or one of the constants. The API's description lists them.
type RecordType string

const (
	// RecordScanRefused: something was scanned that no sale could use. Detail:
	// device, kind, mask, sale where one was armed.
	RecordScanRefused RecordType = "scan.refused"
	// RecordReversal: an automatic reversal was begun (M12).
	RecordReversal RecordType = "reversal.submitting"
	// RecordLateCapture: money was taken for an attempt that is over (M12). A
	// person must look at it where its capture says that it is kept.
	RecordLateCapture RecordType = "sale.late_capture"
	// RecordElsewhere: the record of another terminal's payment was made, to refund it.
	RecordElsewhere RecordType = "sale.elsewhere"
	// RecordReturned: money of a payment was given back by somebody else, such as a
	// person in the gateway's portal.
	RecordReturned RecordType = "refund.found"
	// RecordGateway: a gateway went down, came back, or is misconfigured.
	// Detail: gateway, state, reason.
	RecordGateway RecordType = "gateway.state"
	// RecordAdopted: a database that was restored, or moved to this machine, may
	// act on its sales again. Detail: open_sales.
	RecordAdopted RecordType = "terminal.adopted"
)

// recordType names what the register sees: the sale's status or, while that
// stays, the last refund whose status changed, money that was found to be taken or
// given back, or the last refund of which something else is told.
func recordType(before, after Sale) RecordType {
	if before.ID == "" && after.Elsewhere() {
		return RecordElsewhere
	}
	if before.Status == after.Status {
		for i, r := range slices.Backward(after.Refunds) {
			if i >= len(before.Refunds) || before.Refunds[i].Status != r.Status {
				return r.recordType()
			}
		}
		for i, a := range after.Attempts {
			if a.Returned != nil && i < len(before.Attempts) && before.Attempts[i].Returned != a.Returned {
				return RecordReturned
			}
			if a.Capture != nil && i < len(before.Attempts) && before.Attempts[i].Capture != a.Capture {
				return RecordLateCapture
			}
		}
		for i, r := range slices.Backward(after.Refunds) { // else a sale would be told to be paid once more
			if was := before.Refunds[i]; was.Reason != r.Reason || was.GatewayCode != r.GatewayCode || was.RefundID != r.RefundID {
				return r.recordType()
			}
		}
	}
	return RecordType("sale." + string(after.Status))
}

func (r Refund) recordType() RecordType {
	if r.Automatic {
		return RecordType("reversal." + string(r.Status))
	}
	return RecordType("refund." + string(r.Status))
}
