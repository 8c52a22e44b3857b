package payment

import (
	"hash/fnv"
	"slices"
	"strconv"
	"time"
)

// SaleStatus says where a sale stands. Each constant says who moves it on and
// what a crash leaves.
type SaleStatus string

const (
	// SaleAwaitingCode: the scanner is armed. A scan, a posted code, a QR, a
	// cancel or the deadline moves it on. A crash leaves it as it is.
	SaleAwaitingCode SaleStatus = "awaiting_code"
	// SaleProcessing: a scanned code is with the gateway. Verdicts and the end
	// of the fast phase move it on. A crash leaves the attempt unknown.
	SaleProcessing SaleStatus = "processing"
	// SaleShowingQR: a QR order is live and may be on the customer's screen.
	// Verdicts, a scan, a cancel, the QR's expiry and the deadline move it on.
	SaleShowingQR SaleStatus = "showing_qr"
	// SaleSwitching: the QR is being cancelled because a code was scanned; the
	// code is in memory only, so a crash loses it and goes on as cancelling.
	SaleSwitching SaleStatus = "switching"
	// SaleCancelling: the live attempt is being cancelled. Its closing, a
	// completed payment or the cancel bound moves it on.
	SaleCancelling SaleStatus = "cancelling"
	// SaleUnresolved: no verdict came in time. The terminal is free for the
	// next sale; the resolver goes on asking.
	SaleUnresolved SaleStatus = "unresolved"
	// SalePaid, SaleCancelled and SaleExpired are final.
	SalePaid      SaleStatus = "paid"
	SaleCancelled SaleStatus = "cancelled"
	SaleExpired   SaleStatus = "expired"
)

// SaleStatuses lists every status, in the order of a sale's life.
func SaleStatuses() []SaleStatus {
	return []SaleStatus{
		SaleAwaitingCode, SaleProcessing, SaleShowingQR, SaleSwitching, SaleCancelling,
		SaleUnresolved, SalePaid, SaleCancelled, SaleExpired,
	}
}

// Final reports whether nothing moves the sale on any more.
func (s SaleStatus) Final() bool {
	return s == SalePaid || s == SaleCancelled || s == SaleExpired
}

// Live reports whether the sale occupies the terminal.
func (s SaleStatus) Live() bool {
	return s != "" && s != SaleUnresolved && !s.Final()
}

// Mode says which instruments a sale uses without being asked again.
type Mode string

const (
	// ModeAuto waits for a scan and shows a QR when none comes (M9).
	ModeAuto Mode = "auto"
	// ModeScan waits for a scan; a QR is shown only when the register asks.
	ModeScan Mode = "scan"
	// ModeQR shows a QR at once and leaves the scanner disarmed.
	ModeQR Mode = "qr"
)

// Valid reports whether m is one of the three modes.
func (m Mode) Valid() bool { return m == ModeAuto || m == ModeScan || m == ModeQR }

// Sale is what the register wants paid. Times are UTC, to the millisecond.
// It is a value: Step returns a new one and never changes the one it was given.
type Sale struct {
	ID          string     `json:"id"` // ULID
	Version     int64      `json:"version"`
	Status      SaleStatus `json:"status"`
	Amount      Money      `json:"amount"`
	Reference   string     `json:"reference,omitempty"`
	Description string     `json:"description,omitempty"`
	Mode        Mode       `json:"mode"`
	CreatedAt   time.Time  `json:"created_at"`
	UpdatedAt   time.Time  `json:"updated_at"`
	Deadline    time.Time  `json:"deadline"`
	// Late: the payment was found after the terminal had been freed (M12).
	Late        bool      `json:"late,omitempty"`
	Attempts    []Attempt `json:"attempts,omitempty"`
	LastFailure *Failure  `json:"last_failure,omitempty"`
	Receipt     *Receipt  `json:"receipt,omitempty"`
	Refunds     []Refund  `json:"refunds,omitempty"` // reversals too
	Override    *Override `json:"override,omitempty"`

	// Key and Digest are the register's idempotency key and the digest of the
	// request that came with it.
	Key    string `json:"key"`
	Digest string `json:"digest"`

	// CancelWanted is set by the register's cancel or by a sale that replaces
	// this one, never by a time-out of ours.
	CancelWanted bool `json:"cancel_wanted,omitempty"`
	// Armings counts how often the scanner was armed for this sale.
	Armings int `json:"armings,omitempty"`
	// ScanUntil ends the scan window; in ModeAuto a QR follows.
	ScanUntil time.Time `json:"scan_until,omitzero"`
	// AutoQRDone: the one QR that ModeAuto shows by itself was begun (M9).
	AutoQRDone bool `json:"auto_qr_done,omitempty"`
	// QRRetryAt is when a QR that could not be had is tried once more (M9).
	QRRetryAt time.Time `json:"qr_retry_at,omitzero"`
	QRRetried bool      `json:"qr_retried,omitempty"`
	// CancelUntil bounds SaleCancelling and SaleSwitching (M15).
	CancelUntil time.Time `json:"cancel_until,omitzero"`
	// Due is when the sale must be looked at again; zero: when something happens.
	Due time.Time `json:"due,omitzero"`
	// AlsoDue are the gateways besides Gateway() that the sale is to ask in the
	// background, each with the time of its first question: one that does not answer
	// must not hold up what another is to be asked.
	AlsoDue []GatewayDue `json:"also_due,omitempty"`
	// CounterDue is when a live sale must be, for the counter's sake: whatever else
	// its gateways have to do.
	CounterDue time.Time `json:"counter_due,omitzero"`
	// Next is the code that waits for its QR to close (SaleSwitching). It is
	// never stored: a crash drops it and the customer scans again.
	Next *NextCode `json:"-"`
}

// GatewayDue is when a sale must be looked at for a gateway's sake.
type GatewayDue struct {
	Gateway string    `json:"gateway"`
	At      time.Time `json:"at"`
}

// NextCode is a submittable code that waits until the QR attempt is closed.
type NextCode struct {
	Code   Code
	Wallet Wallet
}

// Failure is why the last attempt ended without payment.
type Failure struct {
	Attempt int    `json:"attempt"`
	Reason  Reason `json:"reason"`
	// GatewayCode is the gateway's own result code, empty when it gave none.
	GatewayCode string `json:"gateway_code,omitempty"`
}

// Receipt is what a paid sale proves.
type Receipt struct {
	Wallet     Wallet    `json:"wallet,omitempty"`
	PaymentID  string    `json:"payment_id"`
	PaidAmount Money     `json:"paid_amount"`
	PaidAt     time.Time `json:"paid_at"`
}

// Armed reports whether a scan counts for this sale now (P7).
func (s Sale) Armed() bool {
	return (s.Status == SaleAwaitingCode || s.Status == SaleShowingQR) &&
		s.Mode != ModeQR && len(s.Attempts) < MaxAttempts
}

// ArmingToken identifies the present arming of the scanner: 0 when the sale is
// not armed. It differs for every sale and every arming of one sale.
func (s Sale) ArmingToken() uint64 {
	if !s.Armed() {
		return 0
	}
	h := fnv.New64a()
	h.Write([]byte(s.ID))
	h.Write([]byte(strconv.Itoa(s.Armings)))
	return h.Sum64() | 1 // never 0
}

// LiveAttempt returns the attempt that is not over, or nil. Only the last one
// can be live (M2). The pointer is into s.Attempts.
func (s Sale) LiveAttempt() *Attempt {
	if n := len(s.Attempts); n > 0 && !s.Attempts[n-1].Status.Final() {
		return &s.Attempts[n-1]
	}
	return nil
}

// Gateway names the gateway that the sale's next call in the background asks; if
// there is none, that of its live attempt, or none.
func (s Sale) Gateway() string {
	var due time.Time
	var gateway string
	s.background("", func(at time.Time, a *Attempt, _ *Refund) {
		if due.IsZero() || at.Before(due) {
			due, gateway = at, a.Gateway
		}
	})
	if a := s.LiveAttempt(); gateway == "" && a != nil {
		return a.Gateway
	}
	return gateway
}

// Dues are the sale's entries in the due index: Due, by Gateway, and AlsoDue.
func (s Sale) Dues() []GatewayDue {
	if s.Due.IsZero() {
		return nil
	}
	return append([]GatewayDue{{Gateway: s.Gateway(), At: s.Due}}, s.AlsoDue...)
}

// DueAt is when the sale must be looked at for a gateway's sake; zero: never.
func (s Sale) DueAt(gateway string) time.Time {
	for _, d := range s.Dues() {
		if d.Gateway == gateway {
			return d.At
		}
	}
	return time.Time{}
}

// alsoDue derives AlsoDue.
func (s Sale) alsoDue() (also []GatewayDue) {
	first := s.Gateway()
	s.background("", func(at time.Time, a *Attempt, _ *Refund) {
		i := slices.IndexFunc(also, func(d GatewayDue) bool { return d.Gateway == a.Gateway })
		switch {
		case a.Gateway == first:
		case i < 0:
			also = append(also, GatewayDue{Gateway: a.Gateway, At: at})
		default:
			also[i].At = Earlier(also[i].At, at)
		}
	})
	return also
}

// Elsewhere reports whether another terminal made the sale: here are only refunds
// of its payment, and it is no sale of this terminal's.
func (s Sale) Elsewhere() bool {
	return len(s.Attempts) == 1 && s.Attempts[0].Instrument == InstrumentElsewhere
}

// Asks reports whether a call of the sale, now or later, asks the gateway.
func (s Sale) Asks(gateway string) bool {
	asks := false
	s.background(gateway, func(time.Time, *Attempt, *Refund) { asks = true })
	if a := s.LiveAttempt(); a != nil && a.Gateway == gateway {
		return true
	}
	return asks
}

// background tells of each planned call at a gateway (empty: at any) for which
// nobody at the counter waits: about attempts that are over or unresolved, and
// about refunds (r is nil for an attempt's). Both point into the sale.
func (s Sale) background(gateway string, tell func(at time.Time, a *Attempt, r *Refund)) {
	for i := range s.Attempts {
		a := &s.Attempts[i]
		if a.Call == nil && !a.NextAt.IsZero() && (a.Status.Final() || !s.Status.Live()) && (gateway == "" || a.Gateway == gateway) {
			tell(a.NextAt, a, nil)
		}
	}
	for i := range s.Refunds {
		r := &s.Refunds[i]
		if a := s.Attempt(r.Attempt); a != nil && r.Call == nil && !r.NextAt.IsZero() && (gateway == "" || a.Gateway == gateway) {
			tell(r.NextAt, a, r)
		}
	}
}

// VisibleQR returns the QR that may be on a screen now, or nil. It is gone with
// the commit that asks for cancel or switch (M8).
func (s Sale) VisibleQR() *QR {
	if a := s.LiveAttempt(); a != nil && s.Status == SaleShowingQR && a.Status == AttemptPending {
		return a.QR
	}
	return nil
}

func (s Sale) clone() Sale {
	s.Attempts = slices.Clone(s.Attempts)
	s.Refunds = slices.Clone(s.Refunds)
	return s
}
