package display

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"payscand/payment"
)

var (
	noon     = time.Date(2026, 3, 2, 20, 0, 0, 0, time.UTC)
	money    = payment.Money{Amount: 1234, Currency: "CAD"}
	terminal = Terminal{QRMargin: 20 * time.Second}
	someQR   = payment.QR{Payload: "https://pay.example/1"}
)

func saleIn(status payment.SaleStatus, attempts ...payment.Attempt) payment.Sale {
	return payment.Sale{
		ID: "S1", Status: status, Amount: money, Mode: payment.ModeAuto,
		CreatedAt: noon, UpdatedAt: noon, Deadline: noon.Add(5 * time.Minute), Attempts: attempts,
	}
}

func failed(reason payment.Reason) (payment.Attempt, *payment.Failure) {
	return payment.Attempt{N: 1, Status: payment.AttemptFailed, EndedAt: noon}, &payment.Failure{Attempt: 1, Reason: reason}
}

// Each status of a sale has its screen, and each screen that ends by itself ends in time.
func TestScreenOfEachStatus(t *testing.T) {
	qrAttempt := payment.Attempt{
		N: 1, Instrument: payment.InstrumentQR, Status: payment.AttemptPending,
		ExpiresAt: noon.Add(3 * time.Minute), QR: &someQR,
	}
	submitting := payment.Attempt{N: 1, Instrument: payment.InstrumentQR, Status: payment.AttemptSubmitting}
	declined := saleIn(payment.SaleAwaitingCode)
	attempt, why := failed(payment.ReasonInsufficientFunds)
	declined.Attempts, declined.LastFailure = []payment.Attempt{attempt}, why
	qrOnly := declined
	qrOnly.Mode = payment.ModeQR
	retrying := qrOnly
	retrying.LastFailure = &payment.Failure{Attempt: 1, Reason: payment.ReasonQRNotShown}
	retrying.QRRetryAt = noon.Add(5 * time.Second)
	switchedBack := saleIn(payment.SaleAwaitingCode, payment.Attempt{N: 1, Status: payment.AttemptClosed, EndedAt: noon})
	switchedBack.LastFailure = &payment.Failure{Attempt: 1, Reason: payment.ReasonCancelled}
	late := saleIn(payment.SalePaid)
	late.Late = true
	deadlineFirst := saleIn(payment.SaleShowingQR, qrAttempt)
	deadlineFirst.Deadline = noon.Add(time.Minute)
	cancelling := qrAttempt
	cancelling.Status = payment.AttemptCancelling
	outOfOrder := Terminal{OutOfOrder: true, QRMargin: 20 * time.Second}

	tests := []struct {
		name     string
		sale     payment.Sale
		terminal Terminal
		after    time.Duration
		want     Kind
	}{
		{"no sale", payment.Sale{}, terminal, 0, KindIdle},
		{"no sale, no gateway", payment.Sale{}, outOfOrder, 0, KindOutOfOrder},
		{"a code is awaited", saleIn(payment.SaleAwaitingCode), terminal, 0, KindAmount},
		{"a code is awaited, no gateway any more", saleIn(payment.SaleAwaitingCode), outOfOrder, 0, KindAmount},
		{"just declined", declined, terminal, 9 * time.Second, KindDeclined},
		{"declined a while ago", declined, terminal, 10 * time.Second, KindAmount},
		{"declined, and no scan would count", qrOnly, terminal, 10 * time.Second, KindAskCashier},
		{"the QR is tried once more", retrying, terminal, 0, KindWait},
		{"our own cancel ended the attempt", switchedBack, terminal, 0, KindAmount},
		{"a code is with the gateway", saleIn(payment.SaleProcessing), terminal, 0, KindProcessing},
		{"the QR is not there yet", saleIn(payment.SaleShowingQR, submitting), terminal, 0, KindWait},
		{"the QR is there", saleIn(payment.SaleShowingQR, qrAttempt), terminal, 159 * time.Second, KindQR},
		{"20 s before the gateway's expiry", saleIn(payment.SaleShowingQR, qrAttempt), terminal, 160 * time.Second, KindWait},
		{"the QR before the deadline", deadlineFirst, terminal, 59 * time.Second, KindQR},
		{"the QR at the deadline", deadlineFirst, terminal, time.Minute, KindWait},
		{"switching", saleIn(payment.SaleSwitching, cancelling), terminal, 0, KindWait},
		{"cancelling", saleIn(payment.SaleCancelling, cancelling), terminal, 0, KindWait},
		{"unresolved", saleIn(payment.SaleUnresolved), terminal, 59 * time.Second, KindUnresolved},
		{"unresolved for long", saleIn(payment.SaleUnresolved), terminal, time.Minute, KindIdle},
		{"paid", saleIn(payment.SalePaid), terminal, 7 * time.Second, KindApproved},
		{"paid a while ago", saleIn(payment.SalePaid), terminal, 8 * time.Second, KindIdle},
		{"paid a while ago, no gateway", saleIn(payment.SalePaid), outOfOrder, 8 * time.Second, KindOutOfOrder},
		{"found paid after the terminal was free", late, terminal, 0, KindIdle},
		{"cancelled", saleIn(payment.SaleCancelled), terminal, 5 * time.Second, KindCancelled},
		{"cancelled a while ago", saleIn(payment.SaleCancelled), terminal, 6 * time.Second, KindIdle},
		{"expired", saleIn(payment.SaleExpired), terminal, 9 * time.Second, KindDeclined},
		{"expired a while ago", saleIn(payment.SaleExpired), terminal, 10 * time.Second, KindIdle},
		{"a status that is new here", saleIn("disputed"), terminal, 0, KindUnresolved},
	}
	covered := map[payment.SaleStatus]bool{}
	for _, tt := range tests {
		covered[tt.sale.Status] = true
		got := ScreenOf(tt.sale, tt.terminal, noon.Add(tt.after))
		if got.Kind != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got.Kind, tt.want)
		}
		bare := got.Kind == KindIdle || got.Kind == KindOutOfOrder
		if bare == (got.Amount == money) {
			t.Errorf("%s: the amount is %v", tt.name, got.Amount)
		}
	}
	for _, status := range payment.SaleStatuses() {
		if !covered[status] {
			t.Errorf("%s is not tested", status)
		}
	}
}

// A damaged scan is told to the customer who holds a code up, for a while, and to nobody else.
func TestScreenOfADamagedScan(t *testing.T) {
	at := terminal
	at.DamagedScanAt = noon
	waiting := saleIn(payment.SaleAwaitingCode)
	waiting.UpdatedAt = noon.Add(-time.Second)
	got := ScreenOf(waiting, at, noon)
	if got.Kind != KindAmount || got.Amount != money || got.Reason != payment.ReasonScanDamaged {
		t.Errorf("%+v", got)
	}
	for _, l := range Languages() {
		if w := got.Words(l); w.Hint != WordsIn(l, payment.ReasonScanDamaged).Customer || w.Title != (Screen{Kind: KindAmount}).Words(l).Title {
			t.Errorf("%s: %+v", l, w)
		}
	}
	if next := ScreenOf(waiting, at, noon.Add(damagedFor)); next != (Screen{Kind: KindAmount, Amount: money}) {
		t.Errorf("later: %+v", next)
	}
	for _, status := range payment.SaleStatuses() {
		if s := saleIn(status); status != payment.SaleAwaitingCode && ScreenOf(s, at, noon) != ScreenOf(s, terminal, noon) {
			t.Errorf("%s: a damaged scan changes the screen", status)
		}
	}
}

// What a declined customer is told is the reason of the last attempt; an expired sale's is that its time ran out.
func TestScreenReason(t *testing.T) {
	for _, reason := range payment.Reasons() {
		s := saleIn(payment.SaleAwaitingCode)
		attempt, why := failed(reason)
		s.Attempts, s.LastFailure = []payment.Attempt{attempt}, why
		got := ScreenOf(s, terminal, noon)
		ours := reason == payment.ReasonCancelled || reason == payment.ReasonQRNotShown
		if ours && got.Kind != KindAmount || !ours && (got.Kind != KindDeclined || got.Reason != reason) {
			t.Errorf("%s: %+v", reason, got)
		}
	}
	if got := ScreenOf(saleIn(payment.SaleExpired), terminal, noon); got.Reason != payment.ReasonNotPaidInTime {
		t.Errorf("expired: %+v", got)
	}
}

// M8, P4: whatever a sale's state and the time, a QR is on the screen only while the commits show it and before its
// time; "approved" only for a sale that is paid, "cancelled" only for one that is cancelled.
func TestScreenSaysOnlyWhatIsCommitted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		moment := rapid.Custom(func(t *rapid.T) time.Time {
			return noon.Add(time.Duration(rapid.IntRange(-400, 400).Draw(t, "seconds")) * time.Second)
		})
		s := payment.Sale{
			ID: "S1", Amount: money,
			Status:    rapid.SampledFrom(payment.SaleStatuses()).Draw(t, "status"),
			Mode:      rapid.SampledFrom([]payment.Mode{payment.ModeAuto, payment.ModeScan, payment.ModeQR}).Draw(t, "mode"),
			UpdatedAt: moment.Draw(t, "updated"), Deadline: moment.Draw(t, "deadline"),
			Late: rapid.Bool().Draw(t, "late"),
		}
		for range rapid.IntRange(0, 3).Draw(t, "attempts") {
			a := payment.Attempt{
				Status:    rapid.SampledFrom(payment.AttemptStatuses()).Draw(t, "attempt"),
				EndedAt:   moment.Draw(t, "ended"),
				ExpiresAt: moment.Draw(t, "expires"),
			}
			if rapid.Bool().Draw(t, "has QR") {
				a.QR = &someQR
			}
			s.Attempts = append(s.Attempts, a)
		}
		if rapid.Bool().Draw(t, "failed before") {
			s.LastFailure = &payment.Failure{Reason: rapid.SampledFrom(payment.Reasons()).Draw(t, "reason")}
		}
		now := moment.Draw(t, "now")
		screen := ScreenOf(s, terminal, now)

		if !slices.Contains(Kinds(), screen.Kind) {
			t.Fatalf("kind %q", screen.Kind)
		}
		if screen.Kind == KindApproved && (s.Status != payment.SalePaid || s.Late) {
			t.Fatalf("approved: %+v", s)
		}
		if screen.Kind == KindCancelled && s.Status != payment.SaleCancelled {
			t.Fatalf("cancelled: %+v", s)
		}
		if screen.QR == (payment.QR{}) {
			return
		}
		hide := s.Attempts[len(s.Attempts)-1].ExpiresAt.Add(-terminal.QRMargin)
		if s.VisibleQR() == nil || screen.Kind != KindQR || !now.Before(hide) || !now.Before(s.Deadline) {
			t.Fatalf("a QR at %s: %+v", now, s)
		}
		if later := screen.At(screen.Until); later.QR != (payment.QR{}) {
			t.Fatalf("a QR at its end: %+v", later)
		}
		if screen.Until.After(hide) || screen.Until.After(s.Deadline) {
			t.Fatalf("the QR stays until %s: %+v", screen.Until, s)
		}
	})
}
