package payment_test

import (
	"testing"
	"time"

	"payscand/payment"
)

// Silent says whether the last call brought a verified answer: what a gateway
// is marked down by.
func TestM14Silence(t *testing.T) {
	for _, class := range payment.Classes() {
		s := tell(t, alphaPayLike, auto)
		s.scan()
		s.answer(payment.ClassPending, id("P1"))
		s.next(asks)
		s.answer(class, id("P1"))
		if want := class == payment.ClassNoAnswer || class == payment.ClassNotSent; s.last().Silent != want {
			t.Errorf("%s: silent %v, want %v", class, s.last().Silent, want)
		}
	}
	s := tell(t, alphaPayLike, auto)
	s.scan()
	s.answer(payment.ClassPending, id("P1"), func(v *payment.Verdict) { v.RequestID = "other-1" })
	if !s.last().Silent {
		t.Error("an answer about another order is taken for the gateway's word")
	}
}

// silence answers every call with nothing, as late as it can be, until the
// condition holds, and returns how long that took.
func (s *script) silence(until func() bool) time.Duration {
	s.Helper()
	start := s.now
	for range 1000 {
		if until() {
			return s.now.Sub(start)
		}
		if s.call == nil {
			s.after(max(0, s.sale.Due.Sub(s.now)))
			continue
		}
		answered := s.now.Add(callTimeOut)
		seq := s.call.Seq
		for s.call.Seq == seq && s.now.Before(answered) && !until() {
			next := answered
			if due := s.sale.Due; !due.IsZero() && due.Before(next) {
				next = due
			}
			s.after(next.Sub(s.now))
		}
		if s.call.Seq == seq && !until() {
			s.answer(payment.ClassNoAnswer)
		}
	}
	s.Fatalf("not within %s", s.now.Sub(start))
	return 0
}

func (s *script) free() bool { return !s.sale.Status.Live() }

// With a gateway that is silent from some moment on, a code holds the counter no
// longer than 60 s of polling, one inquiry and 20 s of cancelling.
func TestM15FastPhaseIsBounded(t *testing.T) {
	first := map[string]func(*script){
		"silent from the start": func(*script) {},
		"pending, then silent":  func(s *script) { s.answer(payment.ClassPending, id("P1")) },
		"already paid":          func(s *script) { s.answer(payment.ClassAlreadyPaid) },
		"in doubt":              func(s *script) { s.answer(payment.ClassRetryLater, id("P1")) },
	}
	everywhere(t, func(t *testing.T, traits payment.Traits) {
		for name, begin := range first {
			s := tell(t, traits, payment.ModeScan)
			s.scan()
			begin(s)
			if took, bound := s.silence(s.free), 60*second+callTimeOut+20*second; took > bound {
				t.Errorf("%s: the counter was held for %s, bound %s", name, took, bound)
			}
			s.is(payment.SaleUnresolved)
		}
	})
}

// A customer who never confirms is cancelled after 60 s, and the terminal is free
// again as soon as the order is closed.
func TestM15CustomerNeverConfirms(t *testing.T) {
	everywhere(t, func(t *testing.T, traits payment.Traits) {
		s := tell(t, traits, payment.ModeScan)
		s.scan()
		s.answer(payment.ClassPending, id("P1"))
		questions := 0
		for s.sale.Status == payment.SaleProcessing {
			s.next(asks)
			if s.sale.Status != payment.SaleProcessing {
				break
			}
			questions++
			s.answer(payment.ClassPending, id("P1"))
		}
		if at := s.now.Sub(dayOne); at != 60*second || questions < 15 || questions > 25 {
			t.Errorf("%d questions, cancelled after %s", questions, at)
		}
		s.answer(payment.ClassPending, id("P1"))
		s.next(payment.CallCancel)
		s.answer(payment.ClassCancelAccepted)
		if s.sale.Status == payment.SaleCancelling {
			s.answer(payment.ClassClosed, id("P1"))
		}
		s.is(payment.SaleAwaitingCode)
		s.attempt(1, payment.AttemptClosed, payment.ReasonNotPaidInTime)
	})
}

// Whenever the cashier cancels, in whatever state, the terminal is free within
// 20 s, though the gateway never says another word.
func TestM15CancelFreesTheTerminal(t *testing.T) {
	begins := map[string]func(*script){
		"code":     func(s *script) { s.scan() },
		"pending":  func(s *script) { s.scan(); s.answer(payment.ClassPending, id("P1")) },
		"QR":       func(s *script) { s.do(payment.QRRequested{}) },
		"QR shown": func(s *script) { s.do(payment.QRRequested{}); s.answer(payment.ClassPending, id("P1"), qr("x")) },
		"switching": func(s *script) {
			s.do(payment.QRRequested{})
			s.answer(payment.ClassPending, id("P1"), qr("x"))
			s.scan()
		},
		"waiting": func(*script) {},
	}
	everywhere(t, func(t *testing.T, traits payment.Traits) {
		for name, begin := range begins {
			for at := time.Duration(0); at < 80*second; at += 7 * second {
				s := tell(t, traits, payment.ModeScan)
				begin(s)
				start := s.now
				s.silence(func() bool { return s.free() || s.now.Sub(start) >= at })
				if s.free() {
					continue
				}
				s.do(payment.CancelRequested{})
				if took := s.silence(s.free); took > 20*second {
					t.Errorf("%s: cancelled after %s, free after another %s", name, at, took)
				}
				if s.sale.Status != payment.SaleCancelled && s.sale.Status != payment.SaleUnresolved || !s.sale.CancelWanted {
					t.Errorf("%s: cancelled after %s, then %q", name, at, s.sale.Status)
				}
			}
		}
	})
}

// An unresolved sale is asked about ever more rarely, never in a rush and never
// not at all for 30 days; then a person must ask, and can.
func TestSlowPhase(t *testing.T) {
	for name, c := range map[string]struct {
		traits payment.Traits
		begin  func(*script)
	}{
		"inquiry":       {alphaPayLike, func(s *script) { s.answer(payment.ClassPending, id("P1")) }},
		"inquiry by id": {alipayPlusLike, func(*script) {}},
		"lookup":        {alphaPayLike, func(*script) {}},
		"cancel that reverses": {alipayPlusLike, func(s *script) {
			s.answer(payment.ClassPending)
			s.do(payment.CancelRequested{})
			s.answer(payment.ClassPending)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := tell(t, c.traits, payment.ModeScan)
			s.scan()
			c.begin(s)
			s.silence(s.free)
			var last time.Time
			calls := 0
			for calls < 200 && (!s.sale.Due.IsZero() || s.call != nil) {
				s.anyCall()
				age, gap := s.now.Sub(dayOne), s.now.Sub(last)
				most := 6 * minute
				switch {
				case age > 26*time.Hour:
					most = 27 * time.Hour
				case age > 10*minute:
					most = 67 * minute
				}
				if calls > 0 && (gap > most || gap < 26*second) {
					t.Fatalf("call %d, %s old: %s after the one before", calls, age, gap)
				}
				last = s.now
				calls++
				s.answer(payment.ClassNoAnswer)
			}
			if days := s.now.Sub(dayOne).Hours() / 24; days < 29 || days > 32 || calls < 50 || calls > 80 {
				t.Errorf("%d calls in %.1f days", calls, days)
			}
			s.is(payment.SaleUnresolved)
			s.do(payment.CheckRequested{})
			s.anyCall()
		})
	}
}

// An order known to be paid, whose proof is missing, is searched for every 5 s.
func TestAlreadyPaidIsSearchedFor(t *testing.T) {
	s := tell(t, alphaPayLike, auto)
	s.scan()
	s.answer(payment.ClassAlreadyPaid)
	at := s.now
	for range 40 {
		s.next(payment.CallLookup)
		if gap := s.now.Sub(at); gap > 5*second {
			t.Fatalf("searched after %s", gap)
		}
		at = s.now
		s.answer(payment.ClassNotFound)
	}
	s.is(payment.SaleUnresolved)
	s.next(payment.CallLookup)
	s.answer(payment.ClassPaid, id("P1"))
	s.is(payment.SalePaid)
	if !s.sale.Late {
		t.Error("not flagged as late")
	}
}

// A check brings the next question forward, but not a second send, and not
// faster than one question a second.
func TestCheckBringsTheQuestionForward(t *testing.T) {
	s := tell(t, alphaPayLike, auto)
	s.scan()
	s.answer(payment.ClassNoAnswer)
	resend := s.sale.Due
	s.do(payment.CheckRequested{})
	if !s.sale.Due.Equal(resend) {
		t.Error("a check moved the second send")
	}
	s = tell(t, alphaPayLike, auto)
	s.scan()
	s.answer(payment.ClassPending, id("P1"))
	for range 5 {
		s.next(asks)
		asked := s.now
		s.answer(payment.ClassPending, id("P1"))
		for range 3 {
			s.do(payment.CheckRequested{})
		}
		if pause := s.sale.Due.Sub(asked); pause != second {
			t.Errorf("the next question comes after %s", pause)
		}
	}
}

// A clock that was set back by hours while the daemon was down does not hold the
// counter longer than the policy says.
func TestClockSetBack(t *testing.T) {
	for name, c := range map[string]struct {
		begin func(*script)
		bound time.Duration
	}{
		"waiting":    {func(*script) {}, 5 * minute},
		"code":       {func(s *script) { s.scan() }, 98 * second},
		"pending":    {func(s *script) { s.scan(); s.answer(payment.ClassPending, id("P1")) }, 98 * second},
		"cancelling": {func(s *script) { s.scan(); s.do(payment.CancelRequested{}) }, 20 * second},
		"QR": {func(s *script) {
			s.do(payment.QRRequested{})
			s.answer(payment.ClassPending, id("P1"), qr("x"))
		}, 5*minute + 38*second},
	} {
		t.Run(name, func(t *testing.T) {
			s := tell(t, alphaPayLike, payment.ModeScan)
			c.begin(s)
			s.crash(-6 * time.Hour)
			if took := s.silence(s.free); took > c.bound {
				t.Errorf("the counter was held for %s, bound %s", took, c.bound)
			}
		})
	}
}
