package payment_test

import (
	"slices"
	"testing"
	"time"

	"payscand/payment"
)

// Where cancel only closes what is unpaid, an accepted cancel ends nothing: the
// inquiry after it does, and a completed payment wins.
func TestM5CancelThatCloses(t *testing.T) {
	accepted := func(t *testing.T) *script {
		s := tell(t, alphaPayLike, auto)
		s.scan()
		s.answer(payment.ClassPending, id("P1"))
		s.do(payment.CancelRequested{})
		s.answer(payment.ClassPending, id("P1"))
		s.next(payment.CallCancel)
		return s
	}
	t.Run("closed", func(t *testing.T) {
		s := accepted(t)
		s.answer(payment.ClassCancelAccepted)
		s.is(payment.SaleCancelling)
		s.next(asks)
		s.answer(payment.ClassPending, id("P1"))
		s.is(payment.SaleCancelling)
		s.next(asks)
		s.answer(payment.ClassClosed, id("P1"))
		s.is(payment.SaleCancelled)
		s.attempt(1, payment.AttemptClosed, payment.ReasonCancelled)
	})
	t.Run("paid before", func(t *testing.T) {
		s := accepted(t)
		s.answer(payment.ClassAlreadyPaid)
		s.next(asks)
		s.answer(payment.ClassPaid, id("P1"))
		s.is(payment.SalePaid)
	})
	t.Run("paid after it was accepted", func(t *testing.T) {
		s := accepted(t)
		s.answer(payment.ClassCancelAccepted)
		s.answer(payment.ClassPaid, id("P1"))
		s.is(payment.SalePaid)
	})
}

// Where cancel gives a paid order's money back: before the first one there is a
// fresh inquiry, in which a payment still wins; from it on nothing makes the sale
// paid, and it is repeated at 2, 5, 10 s until it is accepted.
func TestM5CancelThatReverses(t *testing.T) {
	s := tell(t, alipayPlusLike, auto)
	s.scan()
	s.answer(payment.ClassPending)
	s.next(asks) // an inquiry of before does not count as fresh
	stale := *s.call
	s.do(payment.CancelRequested{})
	s.next(asks)
	if s.call.Seq == stale.Seq {
		t.Fatal("the inquiry before the cancel is not a fresh one")
	}
	s.answer(payment.ClassPending)
	s.next(payment.CallCancel)
	first := s.now
	s.answer(payment.ClassNoAnswer)
	for _, after := range []time.Duration{2 * time.Second, 5 * time.Second, 10 * time.Second} {
		s.do(payment.CheckRequested{})
		s.do(payment.Outcome{Attempt: 1, Seq: stale.Seq, Verdict: payment.Verdict{
			Class: payment.ClassPaid, RequestID: s.last().RequestID, Amount: tenBucks,
		}})
		s.is(payment.SaleCancelling)
		s.next(payment.CallCancel)
		if got := s.now.Sub(first); got > after {
			t.Errorf("repeated after %s, want at most %s", got, after)
		}
		s.answer(payment.ClassAlreadyPaid)
		s.next(asks)
		s.answer(payment.ClassPaid)
		s.is(payment.SaleCancelling)
	}
	s.next(payment.CallCancel)
	s.answer(payment.ClassCancelAccepted)
	s.is(payment.SaleCancelled)

	s = tell(t, alipayPlusLike, auto)
	s.scan()
	s.do(payment.CancelRequested{})
	s.answer(payment.ClassNoAnswer) // pay
	s.next(asks)
	s.answer(payment.ClassPaid)
	s.is(payment.SalePaid)
}

// Where the window for cancelling is over, the order is asked about: closed ends
// it, and a payment does not make the sale paid but is given back by a refund,
// after one more look. No further cancel leaves.
func TestM5CancelTooLate(t *testing.T) {
	tooLate := func(t *testing.T) *script {
		s := tell(t, alipayPlusLike, auto)
		s.scan()
		s.answer(payment.ClassPending, id("P1"))
		s.do(payment.CancelRequested{})
		s.answer(payment.ClassPending, id("P1"))
		s.next(payment.CallCancel)
		s.answer(payment.ClassNoAnswer)
		s.after(24 * time.Hour)
		s.is(payment.SaleUnresolved)
		s.next(payment.CallCancel)
		s.answer(payment.ClassCancelTooLate)
		s.next(asks)
		return s
	}
	t.Run("closed", func(t *testing.T) {
		s := tooLate(t)
		s.answer(payment.ClassClosed, id("P1"))
		s.is(payment.SaleCancelled)
	})
	t.Run("still waiting", func(t *testing.T) {
		s := tooLate(t)
		s.answer(payment.ClassPending, id("P1"))
		s.next(asks)
		s.answer(payment.ClassFailed, id("P1"))
		s.is(payment.SaleCancelled)
	})
	t.Run("paid", func(t *testing.T) {
		s := tooLate(t)
		s.answer(payment.ClassPaid, id("P1"))
		s.is(payment.SaleCancelled)
		s.next(asks)
		s.answer(payment.ClassPaid, id("P1"))
		s.next(payment.CallRefund)
		s.answer(payment.ClassRefunded)
		s.is(payment.SaleCancelled)
		if got := s.sale.Refunded(); got != tenBucks.Amount {
			t.Errorf("%d given back, want all", got)
		}
	})
	t.Run("paid, while a code waited", func(t *testing.T) {
		s := tell(t, alipayPlusLike, auto)
		s.do(payment.QRRequested{})
		s.answer(payment.ClassPending, id("P1"), qr("https://pay"))
		s.scan()
		s.answer(payment.ClassPending, id("P1"))
		s.next(payment.CallCancel)
		s.answer(payment.ClassCancelTooLate)
		s.answer(payment.ClassPaid, id("P1"))
		s.is(payment.SaleProcessing)
		if a := s.sale.Attempts[0]; a.Capture == nil || a.Call == nil || a.Call.Kind != asks {
			t.Errorf("the QR's capture is %+v, the call about it %+v", a.Capture, a.Call)
		}
	})
	t.Run("paid, by our own time-out", func(t *testing.T) {
		s := tell(t, alipayPlusLike, auto)
		s.scan()
		s.answer(payment.ClassPending, id("P1"))
		for s.sale.Status != payment.SaleUnresolved {
			if s.call != nil {
				s.answer(payment.ClassNoAnswer)
			}
			s.after(time.Second)
		}
		if s.call != nil {
			s.answer(payment.ClassNoAnswer)
		}
		s.next(asks)
		s.answer(payment.ClassPending, id("P1"))
		s.next(payment.CallCancel)
		s.answer(payment.ClassCancelTooLate)
		s.next(asks)
		s.answer(payment.ClassPaid, id("P1"))
		s.is(payment.SaleExpired)
		if c := s.last().Capture; c == nil {
			t.Error("the capture is not reported")
		}
	})
}

// Once a cancel was sent the gateway is asked with pauses, also where it answers at
// once and that is of no use: a chain's terminals must not storm a
// gateway that has trouble.
func TestM5QuestionsAfterACancelHavePauses(t *testing.T) {
	for name, c := range map[string]struct {
		traits payment.Traits
		cancel payment.Class
		answer payment.Class
	}{
		"trouble":              {alphaPayLike, payment.ClassCancelAccepted, payment.ClassRetryLater},
		"no answer":            {alphaPayLike, payment.ClassCancelAccepted, payment.ClassNoAnswer},
		"no connection":        {alphaPayLike, payment.ClassCancelAccepted, payment.ClassNotSent},
		"too late and waiting": {alipayPlusLike, payment.ClassCancelTooLate, payment.ClassPending},
	} {
		t.Run(name, func(t *testing.T) {
			s := tell(t, c.traits, auto)
			s.scan()
			s.answer(payment.ClassPending, id("P1"))
			s.do(payment.CancelRequested{})
			s.answer(payment.ClassPending, id("P1"))
			s.next(payment.CallCancel)
			s.answer(c.cancel)
			asked := 0
			for s.sale.Status == payment.SaleCancelling {
				if s.call == nil {
					s.after(max(0, s.sale.Due.Sub(s.now)))
					continue
				}
				asked++
				s.now = s.now.Add(20 * time.Millisecond)
				s.answer(c.answer)
			}
			s.is(payment.SaleUnresolved)
			if most := int(s.policy.CancelBound / s.policy.CodeInquiries[1]); asked < 3 || asked > most {
				t.Errorf("asked %d times, want 3 to %d", asked, most)
			}
		})
	}
}

// A crash while a cancel that reverses is out: no payment found afterwards makes
// the sale paid.
func TestM5CrashWhileCancelling(t *testing.T) {
	s := tell(t, alipayPlusLike, auto)
	s.scan()
	s.answer(payment.ClassPending)
	s.do(payment.CancelRequested{})
	s.answer(payment.ClassPending)
	s.crash(time.Second)
	s.next(payment.CallCancel)
	s.answer(payment.ClassAlreadyPaid)
	s.answer(payment.ClassPaid)
	s.is(payment.SaleCancelling)
	s.crash(time.Hour)
	s.is(payment.SaleUnresolved)
	s.next(payment.CallCancel)
	s.answer(payment.ClassCancelAccepted)
	s.is(payment.SaleCancelled)
}

// A first request of which no byte left fails at once and can be tried again.
func TestM6NotSent(t *testing.T) {
	everywhere(t, func(t *testing.T, traits payment.Traits) {
		s := tell(t, traits, payment.ModeScan)
		s.scan()
		s.answer(payment.ClassNotSent)
		s.is(payment.SaleAwaitingCode)
		s.attempt(1, payment.AttemptFailed, payment.ReasonGatewayUnreachable)
		if f := s.sale.LastFailure; f == nil || f.Attempt != 1 || f.Reason != payment.ReasonGatewayUnreachable {
			t.Errorf("last failure %+v", f)
		}
		s.scan()
		s.is(payment.SaleProcessing)
	})
}

// The pay request is sent again at 2, 5, 10, 20 and 40 s as long as nothing is
// known, always the same body; then the code is gone.
func TestM7SameRequest(t *testing.T) {
	s := tell(t, alphaPayLike, auto)
	s.scan()
	s.sale.Attempts[0].Intent = payment.Intent{Account: "M1", URL: "https://gw", Head: `{"code":"`, Tail: `"}`}
	first := s.last()
	body := string(first.Intent.Body(first.Code))
	var at []time.Duration
	for s.sale.Status == payment.SaleProcessing {
		if s.call == nil {
			s.after(s.sale.Due.Sub(s.now))
			continue
		}
		a := s.last()
		at = append(at, s.now.Sub(dayOne))
		if got := string(a.Intent.Body(a.Code)); got != body || a.RequestID != first.RequestID || a.Intent != first.Intent {
			t.Errorf("send %d is another request: %s", a.Sends, got)
		}
		s.answer(payment.ClassNoAnswer)
	}
	want := []time.Duration{0, 2 * time.Second, 5 * time.Second, 10 * time.Second, 20 * time.Second, 40 * time.Second}
	if !slices.Equal(at, want) {
		t.Errorf("sent at %v, want %v", at, want)
	}
	s.is(payment.SaleUnresolved)
	if s.hasCode() {
		t.Error("the code is kept")
	}
}

// The code is kept while a second send may be useful and wiped by the very step
// that ends that; 60 s after the scan at the latest, whatever is under way.
func TestM7CodeIsWiped(t *testing.T) {
	silence := func(s *script) { s.answer(payment.ClassNoAnswer) }
	for _, c := range []struct {
		name   string
		traits payment.Traits
		get    func(*script)
		kept   bool
	}{
		{"submitted", alphaPayLike, func(*script) {}, true},
		{"silence", alphaPayLike, silence, true},
		{"silence, but it can be inquired", alipayPlusLike, silence, false},
		{"crash", alphaPayLike, func(s *script) { s.crash(10 * time.Second) }, true},
		{"crash, but it can be inquired", alipayPlusLike, func(s *script) { s.crash(time.Second) }, false},
		{"crash for a minute", alphaPayLike, func(s *script) { s.crash(time.Minute) }, false},
		{"pending", alphaPayLike, func(s *script) { s.answer(payment.ClassPending, id("P1")) }, false},
		{"pending without an id", alphaPayLike, func(s *script) { s.answer(payment.ClassPending) }, true},
		{"already paid", alphaPayLike, func(s *script) { s.answer(payment.ClassAlreadyPaid) }, false},
		{"paid", alphaPayLike, func(s *script) { s.answer(payment.ClassPaid, id("P1")) }, false},
		{"failed", alphaPayLike, func(s *script) { s.answer(payment.ClassFailed) }, false},
		{"in doubt", alphaPayLike, func(s *script) { s.answer(payment.ClassFailed, id("P1"), unlisted) }, false},
		{"cancel asked", alphaPayLike, func(s *script) { s.do(payment.CancelRequested{}) }, false},
		{"F to a second send", alphaPayLike, func(s *script) { silence(s); s.next(pays); s.answer(payment.ClassFailed, id("P2")) }, true},
		{"last send under way", alphaPayLike, func(s *script) { silence(s); s.after(21 * time.Second); silence(s); s.after(20 * time.Second) }, true},
		{"last send silent", alphaPayLike, func(s *script) {
			silence(s)
			for s.now.Sub(dayOne) < 40*time.Second {
				s.next(pays)
				silence(s)
			}
		}, false},
		{"59 s with a call under way", alphaPayLike, func(s *script) { s.after(59 * time.Second) }, true},
		{"60 s with a call under way", alphaPayLike, func(s *script) { s.after(60 * time.Second) }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := tell(t, c.traits, auto)
			s.scan()
			c.get(s)
			if s.hasCode() != c.kept {
				t.Errorf("%s after the scan, %q: code kept: %v, want %v", s.now.Sub(dayOne), s.sale.Status, s.hasCode(), c.kept)
			}
		})
	}
}
