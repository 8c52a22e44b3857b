package display

import (
	"time"

	"payscand/payment"
)

// Kind is the kind of a screen, and the key to its words. It is a closed set: Kinds lists it.
type Kind string

const (
	KindIdle       Kind = "idle"         // no sale
	KindAmount     Kind = "amount"       // please show your code
	KindQR         Kind = "qr"           // scan this code to pay
	KindProcessing Kind = "processing"   // confirm on your phone
	KindWait       Kind = "wait"         // one moment: something is being prepared or taken back
	KindUnresolved Kind = "unresolved"   // nobody knows the result yet: please ask the cashier
	KindAskCashier Kind = "ask_cashier"  // only the cashier can go on
	KindApproved   Kind = "approved"     // paid
	KindDeclined   Kind = "declined"     // the last attempt is over without payment, and why
	KindCancelled  Kind = "cancelled"    // the sale was cancelled
	KindOutOfOrder Kind = "out_of_order" // this terminal can take no payment
)

// Kinds lists every kind.
func Kinds() []Kind {
	return []Kind{
		KindIdle, KindAmount, KindQR, KindProcessing, KindWait, KindUnresolved, KindAskCashier,
		KindApproved, KindDeclined, KindCancelled, KindOutOfOrder,
	}
}

// How long a screen stays that gives way by itself. A new sale replaces it at once.
const (
	approvedFor   = 8 * time.Second
	declinedFor   = 10 * time.Second
	cancelledFor  = 6 * time.Second
	unresolvedFor = time.Minute
	damagedFor    = 6 * time.Second
)

// Screen is what the customer sees. It holds keys, no words, and nothing that only the shop may see: no reference, no
// id, no mask of a code. Two screens are the same if == says so.
type Screen struct {
	Kind Kind
	// Amount is to be shown if Currency is not empty.
	Amount payment.Money
	// Reason is why the last attempt ended, for KindDeclined; for KindAmount that
	// the last scan was damaged, or empty.
	Reason payment.Reason
	// QR is to be shown for KindQR, and is empty for every other kind.
	QR payment.QR
	// Until is when the screen gives way to Then by itself, UTC; zero: it stays. A QR leaves every screen by then (M8).
	Until time.Time
	Then  Kind
}

// At returns the screen that is up at a time if nothing else happens.
func (s Screen) At(now time.Time) Screen {
	if s.Until.IsZero() || now.Before(s.Until) {
		return s
	}
	return s.after()
}

func (s Screen) after() Screen {
	next := Screen{Kind: s.Then}
	if s.Then != KindIdle && s.Then != KindOutOfOrder {
		next.Amount = s.Amount
	}
	return next
}

// Terminal is what a screen depends on besides the sale.
type Terminal struct {
	// OutOfOrder: no sale could be taken now.
	OutOfOrder bool
	// DamagedScanAt is when a scan for the armed sale did not arrive whole; zero: none did.
	DamagedScanAt time.Time
	// QRMargin is payment.Policy's: how long before the gateway's expiry a QR leaves the screen.
	QRMargin time.Duration
}

// ScreenOf returns the screen at a time. The sale is the committed one that is live, or the last one that was, as it was
// when it stopped being live; the zero Sale if there was none. What the resolver finds out about a sale later is not for
// the customer who stands there then.
func ScreenOf(s payment.Sale, t Terminal, now time.Time) Screen {
	screen := screenOf(s, t)
	screen.Until = screen.Until.UTC().Round(0) // so that == compares instants
	return screen.At(now)
}

func screenOf(s payment.Sale, t Terminal) Screen {
	rest := KindIdle
	if t.OutOfOrder {
		rest = KindOutOfOrder
	}
	switch s.Status {
	case "":
		return Screen{Kind: rest}
	case payment.SaleAwaitingCode:
		return awaiting(s, t)
	case payment.SaleShowingQR:
		return showingQR(s, t)
	case payment.SaleProcessing:
		return Screen{Kind: KindProcessing, Amount: s.Amount}
	case payment.SaleSwitching, payment.SaleCancelling:
		return Screen{Kind: KindWait, Amount: s.Amount}
	case payment.SalePaid:
		if s.Late { // the terminal was free by then: what comes of it is between cashier and customer (M12)
			return Screen{Kind: rest}
		}
		return Screen{Kind: KindApproved, Amount: s.Amount, Until: lastEnd(s).Add(approvedFor), Then: rest}
	case payment.SaleCancelled:
		return Screen{Kind: KindCancelled, Amount: s.Amount, Until: s.UpdatedAt.Add(cancelledFor), Then: rest}
	case payment.SaleExpired:
		return Screen{
			Kind: KindDeclined, Amount: s.Amount, Reason: payment.ReasonNotPaidInTime,
			Until: s.UpdatedAt.Add(declinedFor), Then: rest,
		}
	default: // unresolved, and any status that is new here: nothing is certain
		return Screen{Kind: KindUnresolved, Amount: s.Amount, Until: s.UpdatedAt.Add(unresolvedFor), Then: rest}
	}
}

// awaiting invites to show a code, if one could be scanned; for a while it says first why the last attempt ended, or that
// the last scan was damaged.
func awaiting(s payment.Sale, t Terminal) Screen {
	next := KindAskCashier
	switch {
	case s.Armed():
		next = KindAmount
	case !s.QRRetryAt.IsZero():
		next = KindWait
	}
	if next == KindAmount && t.DamagedScanAt.After(lastEnd(s)) {
		return Screen{
			Kind: KindAmount, Amount: s.Amount, Reason: payment.ReasonScanDamaged,
			Until: t.DamagedScanAt.Add(damagedFor), Then: KindAmount,
		}
	}
	if s.LastFailure == nil || silent(s.LastFailure.Reason) {
		return Screen{Kind: next, Amount: s.Amount}
	}
	return Screen{
		Kind: KindDeclined, Amount: s.Amount, Reason: s.LastFailure.Reason,
		Until: lastEnd(s).Add(declinedFor), Then: next,
	}
}

// silent tells the ends of an attempt that the customer had no part in: we took it back, or its QR never came.
func silent(r payment.Reason) bool {
	return r == payment.ReasonCancelled || r == payment.ReasonQRNotShown
}

// showingQR shows the QR as long as the commits say that it may be seen, and no longer than payment.Step leaves it (M8).
func showingQR(s payment.Sale, t Terminal) Screen {
	qr := s.VisibleQR()
	if qr == nil {
		return Screen{Kind: KindWait, Amount: s.Amount}
	}
	hide := s.LiveAttempt().ExpiresAt.Add(-t.QRMargin)
	if s.Deadline.Before(hide) {
		hide = s.Deadline
	}
	return Screen{Kind: KindQR, Amount: s.Amount, QR: *qr, Until: hide, Then: KindWait}
}

// lastEnd is when the last attempt ended.
func lastEnd(s payment.Sale) time.Time {
	if n := len(s.Attempts); n > 0 && !s.Attempts[n-1].EndedAt.IsZero() {
		return s.Attempts[n-1].EndedAt
	}
	return s.UpdatedAt
}
