package payment_test

import (
	"errors"
	"testing"
	"time"

	"payscand/payment"
)

const (
	second = time.Second
	minute = time.Minute
)

func showQR(t *testing.T, traits payment.Traits) *script {
	t.Helper()
	s := tell(t, traits, auto)
	s.do(payment.QRRequested{})
	s.answer(payment.ClassPending, id("P1"), qr("https://pay/1"))
	if s.sale.VisibleQR() == nil || s.sale.View().Attempts[0].QRPayload != "https://pay/1" {
		t.Fatal("the QR is not to be seen")
	}
	return s
}

// A QR whose answer was lost is asked for once more with the same id; without a
// usable answer it is given up and a new order with a new id is made.
func TestM8LostQR(t *testing.T) {
	for _, lost := range []payment.Class{payment.ClassNoAnswer, payment.ClassRetryLater, payment.ClassPending} {
		t.Run(string(lost), func(t *testing.T) {
			s := tell(t, alphaPayLike, auto)
			s.do(payment.QRRequested{})
			s.answer(lost) // pending, but without the QR
			s.next(pays)
			if s.last().Sends != 2 || len(s.sale.Attempts) != 1 {
				t.Fatalf("%d sends, %d attempts", s.last().Sends, len(s.sale.Attempts))
			}
			s.answer(lost)
			s.is(payment.SaleAwaitingCode)
			s.attempt(1, payment.AttemptClosed, payment.ReasonQRNotShown)
			s.next(pays)
			s.attempt(2, payment.AttemptSubmitting, "")
			s.answer(payment.ClassPending, id("P2"), qr("https://pay/2"))
			s.is(payment.SaleShowingQR)
		})
	}
}

// A lost QR whose order can be asked about is never just dropped: it is cancelled
// first, and then a new one is made all the same.
func TestM8LostQRThatCanBeAskedAbout(t *testing.T) {
	s := tell(t, alipayPlusLike, auto)
	s.do(payment.QRRequested{})
	s.answer(payment.ClassNoAnswer)
	s.next(pays)
	s.answer(payment.ClassNoAnswer)
	s.is(payment.SaleCancelling)
	s.next(asks)
	s.answer(payment.ClassPending)
	s.next(payment.CallCancel)
	s.answer(payment.ClassCancelAccepted)
	s.attempt(1, payment.AttemptClosed, payment.ReasonQRNotShown)
	s.next(pays)
	s.is(payment.SaleShowingQR)
}

// "Nobody saw it, so nobody paid it" yields to a gateway that says it was paid.
func TestM8AlreadyPaidIsNotDropped(t *testing.T) {
	s := tell(t, alphaPayLike, auto)
	s.do(payment.QRRequested{})
	s.answer(payment.ClassAlreadyPaid)
	s.is(payment.SaleCancelling)
	s.next(payment.CallLookup)
	s.answer(payment.ClassPaid, id("P1"))
	s.is(payment.SalePaid)
}

// An order that turns out to wait for a customer, though its QR was never had, is
// closed at once and not waited for.
func TestM8PendingWithoutAQR(t *testing.T) {
	s := tell(t, alphaPayLike, auto)
	s.do(payment.QRRequested{})
	s.answer(payment.ClassFailed, id("P1"), unlisted)
	s.next(asks)
	s.answer(payment.ClassPending, id("P1"), func(v *payment.Verdict) { v.ExpiresAt = s.now.Add(4 * minute) })
	s.is(payment.SaleCancelling)
	s.next(asks)
	s.answer(payment.ClassPending, id("P1"))
	s.next(payment.CallCancel)
}

// The QR leaves every screen with the very step that asks for cancel or switch,
// and by itself 20 s before the gateway's expiry or at the sale's deadline.
func TestM8QRLeavesTheScreen(t *testing.T) {
	expires := func(s *script, at time.Duration) {
		s.next(asks)
		s.answer(payment.ClassPending, id("P1"), func(v *payment.Verdict) { v.ExpiresAt = dayOne.Add(at) })
	}
	for _, c := range []struct {
		name  string
		do    func(*script)
		shown bool
	}{
		{"cancel", func(s *script) { s.do(payment.CancelRequested{}) }, false},
		{"scan", func(s *script) { s.scan() }, false},
		{"paid", func(s *script) { s.next(asks); s.answer(payment.ClassPaid, id("P1")) }, false},
		{"21 s before expiry", func(s *script) { expires(s, 3*minute); s.after(159*second - s.now.Sub(dayOne)) }, true},
		{"20 s before expiry", func(s *script) { expires(s, 3*minute); s.after(160*second - s.now.Sub(dayOne)) }, false},
		{"just before the deadline", func(s *script) { expires(s, 20*minute); s.after(299*second - s.now.Sub(dayOne)) }, true},
		{"deadline", func(s *script) { expires(s, 20*minute); s.after(300*second - s.now.Sub(dayOne)) }, false},
		{"crash past expiry", func(s *script) { expires(s, 3*minute); s.crash(170 * second) }, false},
		{"crash", func(s *script) { s.crash(second) }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := showQR(t, alphaPayLike)
			c.do(s)
			if shown := s.sale.VisibleQR() != nil; shown != c.shown || (s.sale.View().Attempts[0].QRPayload != "") != c.shown {
				t.Errorf("%q after %s: shown %v, want %v", s.sale.Status, s.now.Sub(dayOne), shown, c.shown)
			}
		})
	}
}

// Each answer tells the expiry of the order, and each reading of the gateway's clock is another one by a second or so:
// that is no news for register, journal and display. Another expiry is.
func TestM8TheSameExpiryIsNoNews(t *testing.T) {
	s := showQR(t, alphaPayLike)
	told := func(at time.Duration) (news bool, kept time.Duration) {
		before := s.sale.Version
		s.next(asks)
		s.answer(payment.ClassPending, id("P1"), func(v *payment.Verdict) { v.ExpiresAt = dayOne.Add(at) })
		return s.sale.Version != before, s.last().ExpiresAt.Sub(dayOne)
	}
	told(3 * minute)
	for _, at := range []time.Duration{3*minute + 7*time.Millisecond, 3*minute + second, 3*minute - second, 3*minute + 2*second} {
		if news, kept := told(at); news || kept != 3*minute {
			t.Errorf("%s instead of 3m0s: news %v, kept %s", at, news, kept)
		}
	}
	for _, at := range []time.Duration{3*minute + 3*second, 2 * minute} {
		if news, kept := told(at); !news || kept != at {
			t.Errorf("%s: news %v, kept %s", at, news, kept)
		}
	}
}

// A QR that comes back only after cancel or switch was asked for is never shown.
func TestM8LateQRIsNotShown(t *testing.T) {
	for name, e := range map[string]payment.Event{
		"cancel": payment.CancelRequested{},
		"scan":   payment.CodePresented{Code: scannedCode, Wallet: payment.WalletAlipayPlus},
	} {
		t.Run(name, func(t *testing.T) {
			s := tell(t, alphaPayLike, auto)
			s.do(payment.QRRequested{})
			s.do(e)
			s.answer(payment.ClassPending, id("P1"), qr("https://pay/1"))
			if s.sale.VisibleQR() != nil || s.last().QR != nil {
				t.Error("the QR is shown or kept")
			}
			s.next(asks) // and its order is closed
			s.answer(payment.ClassPending, id("P1"))
			s.next(payment.CallCancel)
		})
	}
}

// A QR whose order is past its expiry or the sale's deadline is inquired and
// cancelled; the sale expires only when the order is closed.
func TestM8ExpiryNeedsTheOrderClosed(t *testing.T) {
	s := showQR(t, alphaPayLike)
	for s.sale.Status == payment.SaleShowingQR {
		s.next(asks)
		s.answer(payment.ClassPending, id("P1"))
		s.after(second)
	}
	if got := s.now.Sub(dayOne); got < 275*second || got > 300*second {
		t.Errorf("left the screen after %s", got)
	}
	s.is(payment.SaleCancelling)
	s.next(asks)
	s.answer(payment.ClassPending, id("P1"))
	s.next(payment.CallCancel)
	s.answer(payment.ClassCancelAccepted)
	s.is(payment.SaleCancelling)
	s.after(15 * second)
	s.answer(payment.ClassClosed, id("P1"))
	if s.sale.CancelWanted || s.sale.Status == payment.SaleCancelled {
		t.Error("a time-out of ours is taken for the register's cancel")
	}
}

// In auto mode one QR comes by itself: without a scanner, when the scanner is
// lost, or when the scan window is over; afterwards only when asked for.
func TestM9AutomaticQR(t *testing.T) {
	open := func(mode payment.Mode, scanner bool) *script {
		s := &script{T: t, policy: testPolicy(alphaPayLike), now: dayOne}
		s.do(payment.Created{ID: saleID, Amount: tenBucks, Mode: mode, Scanner: scanner})
		return s
	}
	for _, c := range []struct {
		name    string
		mode    payment.Mode
		scanner bool
		do      func(*script)
		want    payment.SaleStatus
	}{
		{"no scanner", auto, false, func(*script) {}, payment.SaleShowingQR},
		{"scanner lost", auto, true, func(s *script) { s.do(payment.ScannerLost{}) }, payment.SaleShowingQR},
		{"29 s", auto, true, func(s *script) { s.after(29 * second) }, payment.SaleAwaitingCode},
		{"scan window over", auto, true, func(s *script) { s.after(30 * second) }, payment.SaleShowingQR},
		{"scan only, no scanner", payment.ModeScan, false, func(s *script) { s.after(minute) }, payment.SaleAwaitingCode},
		{"scan only, scanner lost", payment.ModeScan, true, func(s *script) { s.do(payment.ScannerLost{}); s.after(minute) }, payment.SaleAwaitingCode},
		{"scan only, asked for", payment.ModeScan, true, func(s *script) { s.do(payment.QRRequested{}) }, payment.SaleShowingQR},
		{"QR at once", payment.ModeQR, true, func(*script) {}, payment.SaleShowingQR},
		{"a fresh scan window after a failure", auto, true, func(s *script) {
			s.after(20 * second)
			s.scan()
			s.answer(payment.ClassFailed)
			s.after(29 * second)
		}, payment.SaleAwaitingCode},
	} {
		s := open(c.mode, c.scanner)
		if c.do(s); s.sale.Status != c.want {
			t.Errorf("%s: %q, want %q", c.name, s.sale.Status, c.want)
		}
	}

	s := showQR(t, alphaPayLike)
	s.next(asks)
	s.answer(payment.ClassFailed, id("P1"))
	s.is(payment.SaleAwaitingCode)
	s.do(payment.ScannerLost{})
	s.after(minute)
	s.is(payment.SaleAwaitingCode) // once per sale
	s.do(payment.QRRequested{})
	s.is(payment.SaleShowingQR)
}

// A QR that could not be had is tried once more after 5 s, and not again.
func TestM9OneRetry(t *testing.T) {
	s := tell(t, alphaPayLike, auto)
	s.after(30 * second)
	s.answer(payment.ClassNotSent)
	s.is(payment.SaleAwaitingCode)
	s.after(5*second - time.Millisecond)
	s.is(payment.SaleAwaitingCode)
	s.after(time.Millisecond)
	s.is(payment.SaleShowingQR)
	s.answer(payment.ClassNotSent)
	s.after(3 * minute)
	s.is(payment.SaleAwaitingCode)
	if len(s.sale.Attempts) != 2 {
		t.Errorf("%d attempts", len(s.sale.Attempts))
	}
	s.after(5 * minute)
	s.is(payment.SaleExpired)
}

// A scan counts only for the arming that it began in; each arming has a token of
// its own, and a refused scan changes nothing. A posted code carries none.
func TestM10OnlyThisSalesScan(t *testing.T) {
	s := tell(t, alphaPayLike, auto)
	first := s.sale.ArmingToken()
	scan := func(token uint64) error {
		return s.try(payment.CodePresented{Code: scannedCode, Wallet: payment.WalletAlipayPlus, Arming: token})
	}
	refused := func(what string, token uint64) {
		t.Helper()
		before := mustJSON(s.sale)
		var conflict *payment.ConflictError
		if err := scan(token); !errors.As(err, &conflict) || mustJSON(s.sale) != before {
			t.Errorf("%s: error %v", what, err)
		}
	}
	refused("another sale's scan", first+2)
	if err := scan(first); err != nil {
		t.Fatal(err)
	}
	if s.sale.ArmingToken() != 0 {
		t.Error("armed while a code is being processed")
	}
	s.answer(payment.ClassFailed)
	again := s.sale.ArmingToken()
	if again == 0 || again == first {
		t.Errorf("the second arming has token %d, the first had %d", again, first)
	}
	refused("a scan of the first arming", first)
	s.crash(second)
	refused("a scan from before the restart", again)
	s.do(payment.CodePresented{Code: scannedCode, Wallet: payment.WalletAlipayPlus})
	s.is(payment.SaleProcessing)

	other := payment.Sale{ID: "01JNB6Z7Y0C0VNTERSA1E00002", Status: payment.SaleAwaitingCode, Mode: auto, Armings: 1}
	if other.ArmingToken() == first || other.ArmingToken() == 0 {
		t.Error("two sales share a token")
	}
	q := showQR(t, alphaPayLike)
	q.sale.Mode = payment.ModeQR
	if q.sale.ArmingToken() != 0 {
		t.Error("mode qr leaves the scanner armed")
	}
}

// A sale that replaces an unresolved one cancels it: the wish is kept, the next
// question comes at once, and the sale ends as cancelled, never back at the
// counter. Without the wish it ends as expired.
func TestM11ReplacedSale(t *testing.T) {
	for _, wanted := range []bool{true, false} {
		s := tell(t, alphaPayLike, auto)
		s.scan()
		s.answer(payment.ClassPending, id("P1"))
		for s.sale.Status != payment.SaleUnresolved {
			s.next(s.anyCall())
			s.answer(payment.ClassNoAnswer)
			s.after(second)
		}
		if s.sale.CancelWanted {
			t.Fatal("a time-out of ours is taken for a wish to cancel")
		}
		s.call = nil
		s.next(asks)
		s.answer(payment.ClassNoAnswer)
		s.after(2 * second)
		if wanted {
			s.do(payment.CancelRequested{})
			if !s.sale.CancelWanted || s.sale.Due.After(s.now) {
				t.Errorf("cancel wanted %v, due in %s", s.sale.CancelWanted, s.sale.Due.Sub(s.now))
			}
			s.do(payment.CancelRequested{}) // again
			s.next(asks)
			s.answer(payment.ClassPending, id("P1"))
			s.next(payment.CallCancel)
			s.answer(payment.ClassCancelAccepted)
		}
		s.next(asks)
		s.answer(payment.ClassClosed, id("P1"))
		want := payment.SaleExpired
		if wanted {
			want = payment.SaleCancelled
		}
		s.is(want)
	}
}

// anyCall waits for the next call and returns its kind.
func (s *script) anyCall() payment.CallKind {
	s.Helper()
	for s.call == nil {
		if s.sale.Due.IsZero() {
			s.Fatalf("nothing is due while %q", s.sale.Status)
		}
		s.after(max(0, s.sale.Due.Sub(s.now)))
	}
	return s.call.Kind
}
