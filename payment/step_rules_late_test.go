package payment_test

import (
	"slices"
	"testing"
	"time"

	"payscand/payment"
)

// lateSale is an unresolved sale whose order P1 waits for its customer.
func lateSale(t *testing.T, cancelWanted bool) *script {
	t.Helper()
	s := tell(t, alphaPayLike, payment.ModeScan)
	s.scan()
	s.answer(payment.ClassPending, id("P1"))
	if cancelWanted {
		s.do(payment.CancelRequested{})
	}
	s.silence(s.free)
	s.is(payment.SaleUnresolved)
	return s
}

// closedSale is a cancelled sale whose attempt is on the watch list.
func closedSale(t *testing.T) *script {
	t.Helper()
	s := tell(t, alphaPayLike, payment.ModeScan)
	s.scan()
	s.answer(payment.ClassPending, id("P1"))
	s.do(payment.CancelRequested{})
	s.answer(payment.ClassClosed, id("P1"))
	s.is(payment.SaleCancelled)
	return s
}

// A late capture is given back by itself where cancel was wanted or the attempt
// was over, and only after a second verified look; else a person chooses.
func TestM12LateCapture(t *testing.T) {
	for _, c := range []struct {
		name     string
		get      func(*testing.T) *script
		status   payment.SaleStatus
		reversed bool
	}{
		{"cancel wanted", func(t *testing.T) *script { return lateSale(t, true) }, payment.SalePaid, true},
		{"cancel not wanted", func(t *testing.T) *script { return lateSale(t, false) }, payment.SalePaid, false},
		{"cancelled before", closedSale, payment.SaleCancelled, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := c.get(t)
			s.next(asks)
			s.answer(payment.ClassPaid, id("P1"))
			s.is(c.status)
			if len(s.sale.Refunds) > 0 {
				t.Fatal("given back after one look")
			}
			if !c.reversed {
				if s.call != nil || !s.sale.Due.IsZero() || !s.sale.Late {
					t.Errorf("call %+v, due %s, late %v", s.call, s.sale.Due, s.sale.Late)
				}
				return
			}
			s.next(asks)
			s.answer(payment.ClassPaid, id("P1"))
			s.next(refunds)
			r := s.sale.Refunds[0]
			if !r.Automatic || r.Amount != tenBucks || r.Attempt != 1 {
				t.Fatalf("it is %+v", r)
			}
			s.answer(payment.ClassRefunded, refundID("R1"))
			// Whatever the watch sees from now on, also that it was paid once: never again.
			s.callsWithin(40*day, func() { s.answer(payment.ClassPaid, id("P1")) })
			if v := s.sale.View(); len(v.Reversals) != 1 || len(v.Refunds) != 0 || v.RefundedAmount != 1000 || s.sale.Status != c.status {
				t.Errorf("%+v", v)
			}
		})
	}
}

// What must not count as the second look: silence, an answer about another order
// or sum, trouble at the gateway, "closed", or the same look twice.
func TestM12SecondLook(t *testing.T) {
	for name, look := range map[string]func(*script){
		"silence":      func(s *script) { s.answer(payment.ClassNoAnswer) },
		"trouble":      func(s *script) { s.answer(payment.ClassRetryLater) },
		"refused":      func(s *script) { s.answer(payment.ClassRefused) },
		"pending":      func(s *script) { s.answer(payment.ClassPending, id("P1")) },
		"closed":       func(s *script) { s.answer(payment.ClassClosed, id("P1")) },
		"another sum":  func(s *script) { s.answer(payment.ClassPaid, id("P1"), func(v *payment.Verdict) { v.Amount.Amount++ }) },
		"another id":   func(s *script) { s.answer(payment.ClassPaid, id("P7")) },
		"crash":        func(s *script) { s.crash(second) },
		"said already": func(s *script) { s.do(payment.Outcome{Attempt: 1, Seq: s.call.Seq - 1, MayReverse: true}) },
	} {
		t.Run(name, func(t *testing.T) {
			s := closedSale(t)
			s.next(asks)
			s.answer(payment.ClassPaid, id("P1"))
			s.next(asks)
			look(s)
			if len(s.sale.Refunds) > 0 {
				t.Fatal("given back after one look")
			}
			looks := 0
			for ; len(s.sale.Refunds) == 0; looks++ { // the truth is found all the same
				s.next(asks)
				s.answer(payment.ClassPaid, id("P1"))
			}
			if name == "another sum" && looks != 2 { // two answers that agree
				t.Errorf("given back after %d looks that agree", looks)
			}
			s.next(refunds)
		})
	}
}

// Another amount or currency is reported, and never given back by itself.
func TestM12WrongAmount(t *testing.T) {
	for name, get := range map[string]func(*testing.T) *script{
		"watched": closedSale,
		"live":    func(t *testing.T) *script { return lateSale(t, true) },
	} {
		for what, spoil := range map[string]func(*payment.Verdict){
			"amount":   func(v *payment.Verdict) { v.Amount.Amount = 900 },
			"currency": func(v *payment.Verdict) { v.Amount.Currency = "USD" },
		} {
			t.Run(name+"/"+what, func(t *testing.T) {
				s := get(t)
				s.callsWithin(3*day, func() { s.answer(payment.ClassPaid, id("P1"), spoil) })
				c := s.sale.View().Attempts[0].LateCapture
				if c == nil || c.Kept != payment.KeptByAmount || c.Amount == tenBucks {
					t.Errorf("reported as %+v", c)
				}
				if len(s.sale.Refunds) > 0 || s.sale.Status == payment.SalePaid {
					t.Errorf("%q with refunds %+v", s.sale.Status, s.sale.Refunds)
				}
			})
		}
	}
}

// A capture that may not be given back now is kept and says why; the day's limit
// is tried again daily, and the policy's word is final.
func TestM12Kept(t *testing.T) {
	sees := func(s *script) { s.answer(payment.ClassPaid, id("P1")) }
	for name, c := range map[string]struct {
		forbid func(*script)
		kept   payment.CaptureKept
		asked  [2]int // in the five days after
	}{
		"limit":  {func(s *script) { s.mayReverse = false }, payment.KeptByLimit, [2]int{4, 6}},
		"policy": {func(s *script) { s.policy.ReverseLateCaptures = false }, payment.KeptByPolicy, [2]int{0, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			s := closedSale(t)
			c.forbid(s)
			s.callsWithin(2*minute, func() { sees(s) })
			if n := len(s.callsWithin(5*day, func() { sees(s) })); n < c.asked[0] || n > c.asked[1] {
				t.Errorf("asked %d times in five days", n)
			}
			if got := s.sale.Attempts[0].Capture; got == nil || got.Kept != c.kept || len(s.sale.Refunds) > 0 {
				t.Fatalf("%+v, refunds %v", got, s.sale.Refunds)
			}
			s.mayReverse = true
			s.callsWithin(2*day, func() {
				if s.call.Kind == refunds {
					s.answer(payment.ClassRefunded, refundID("R1"))
				} else {
					sees(s)
				}
			})
			if given := s.sale.Refunded() == 1000; given != (c.kept == payment.KeptByLimit) {
				t.Errorf("given back: %v", given)
			}
		})
	}
}

// A reversal that was refused, not sent or not covered by the balance is tried
// again, ever more rarely, at last daily; any other failure is a person's.
func TestM12ReversalFails(t *testing.T) {
	for name, c := range map[string]struct {
		class  payment.Class
		reason payment.Reason
		calls  [2]int // in ten days
		final  bool
	}{
		"balance":  {payment.ClassFailed, payment.ReasonNotEnoughBalance, [2]int{9, 12}, false},
		"refused":  {payment.ClassRefused, payment.ReasonBadSignature, [2]int{30, 60}, false},
		"not sent": {payment.ClassNotSent, "", [2]int{30, 60}, false},
		"failed":   {payment.ClassFailed, payment.ReasonRefundTooLate, [2]int{1, 1}, true},
		"done":     {payment.ClassAlreadyRefunded, payment.ReasonAlreadyRefunded, [2]int{1, 1}, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := closedSale(t)
			n := 0
			s.callsWithin(10*day, func() {
				if s.call.Kind == refunds {
					n++
					s.answer(c.class, because(c.reason))
				} else {
					s.answer(payment.ClassPaid, id("P1"))
				}
			})
			if n < c.calls[0] || n > c.calls[1] || s.sale.Refunds[0].Status.Final() != c.final || len(s.sale.Refunds) != 1 {
				t.Errorf("%d refund requests; %+v", n, s.sale.Refunds)
			}
		})
	}
}

// What the register gave back of a late payment is not given back again by itself.
func TestM12RegisterWasQuicker(t *testing.T) {
	for name, c := range map[string]struct {
		amount int64
		end    payment.Class
		left   int64
	}{
		"part done":   {300, payment.ClassRefunded, 700},
		"whole done":  {1000, payment.ClassRefunded, 0},
		"part failed": {300, payment.ClassFailed, 1000},
	} {
		t.Run(name, func(t *testing.T) {
			s := lateSale(t, true)
			s.next(asks)
			s.answer(payment.ClassPaid, id("P1"))
			second := *s.call
			s.refund(c.amount)
			first := *s.call
			s.call = &second
			s.answer(payment.ClassPaid, id("P1"))
			if len(s.sale.Refunds) != 1 {
				t.Fatal("two refunds of one capture at once")
			}
			s.call = &first
			s.answer(c.end, refundID("R1"))
			s.callsWithin(2*day, func() {
				if s.call.Kind == refunds {
					s.answer(payment.ClassRefunded, refundID("R2"))
				} else {
					s.answer(payment.ClassPaid, id("P1"))
				}
			})
			var by int64
			for _, r := range s.sale.View().Reversals {
				by += r.Amount
			}
			if by != c.left || s.sale.Refundable() != 0 {
				t.Errorf("given back by itself: %d, want %d; refundable %d", by, c.left, s.sale.Refundable())
			}
		})
	}
}

// A capture is given back by the id that proved it, never by a disproved one;
// without an id it is a person's.
func TestM12IDOfTheCapture(t *testing.T) {
	for _, proved := range []string{"P1", ""} {
		s := tell(t, alphaPayLike, payment.ModeScan)
		s.scan()
		s.answer(payment.ClassNoAnswer)
		s.next(pays)
		s.answer(payment.ClassPending, id("P2"))
		s.next(asks)
		s.answer(payment.ClassFailed, id("P2"))
		s.silence(s.free)
		s.do(payment.Resolved{Outcome: payment.OverrideNotPaid})
		s.call = nil // what was under way is not waited for
		for range 2 {
			s.next(payment.CallLookup)
			s.answer(payment.ClassPaid, id(proved))
			if proved != "" {
				break
			}
		}
		if proved == "" {
			if c := s.last().Capture; c == nil || c.Kept != payment.KeptByPolicy || len(s.sale.Refunds) > 0 || s.last().PaymentID != "" {
				t.Errorf("%+v, refunds %v", c, s.sale.Refunds)
			}
			continue
		}
		s.next(asks)
		s.answer(payment.ClassPaid, id("P1"))
		if s.next(refunds); s.last().PaymentID != "P1" || s.last().Capture.PaymentID != "P1" {
			t.Errorf("given back to %q, %+v", s.last().PaymentID, s.last().Capture)
		}
	}
}

// Whoever ended without proof is watched at 1 min, 15 min and 24 h after its end,
// and not any more after that; a proved failure is not.
func TestWatchTimes(t *testing.T) {
	for name, c := range map[string]struct {
		get  func(*script)
		kind payment.CallKind // empty: not watched
	}{
		"closed": {func(s *script) {
			s.answer(payment.ClassPending, id("P1"))
			s.next(asks)
			s.answer(payment.ClassClosed, id("P1"))
		}, asks},
		"failed by inquiry": {func(s *script) {
			s.answer(payment.ClassPending, id("P1"))
			s.next(asks)
			s.answer(payment.ClassFailed, id("P1"))
		}, ""},
		"failed":           {func(s *script) { s.answer(payment.ClassFailed, id("P1")) }, ""},
		"not sent":         {func(s *script) { s.answer(payment.ClassNotSent) }, ""},
		"unlisted failure": {func(s *script) { s.answer(payment.ClassFailed, unlisted) }, payment.CallLookup},
		"unlisted, in doubt": {func(s *script) {
			s.answer(payment.ClassFailed, unlisted, id("P1"))
			s.next(asks)
			s.answer(payment.ClassNoAnswer)
		}, asks},
	} {
		t.Run(name, func(t *testing.T) {
			s := tell(t, alphaPayLike, payment.ModeScan)
			s.scan()
			c.get(s)
			ended := s.now
			var at []time.Duration
			s.callsWithin(10*day, func() {
				if s.call.Kind != c.kind {
					t.Fatalf("%s, want %q", s.call.Kind, c.kind)
				}
				at = append(at, s.now.Sub(ended))
				s.answer(payment.ClassNotFound)
			})
			want := []time.Duration{minute, 15 * minute, day}
			if c.kind == "" {
				want = nil
			}
			if !slices.Equal(at, want) {
				t.Errorf("asked after %v, want %v", at, want)
			}
			if s.last().Watch != nil || !s.sale.Due.IsZero() {
				t.Error("the watch never ends")
			}
		})
	}
}

// A question that brought no answer, or that somebody asked early, takes no step
// of the watch; a restart loses none; and no silence makes it ask in a rush.
func TestWatchLosesNoStep(t *testing.T) {
	for name, disturb := range map[string]func(*script){
		"silence": func(s *script) { s.next(asks); s.answer(payment.ClassNoAnswer) },
		"trouble": func(s *script) { s.next(asks); s.answer(payment.ClassRetryLater) },
		"checks": func(s *script) {
			for range 5 {
				s.after(2 * second)
				s.do(payment.CheckRequested{})
				s.next(asks)
				s.answer(payment.ClassClosed, id("P1"))
			}
		},
		"crash": func(s *script) {
			for range 3 {
				s.next(asks)
				if !s.sale.Open() {
					t.Fatal("a start would not take it up")
				}
				s.crash(0)
			}
			if s.sale.Due != s.now {
				t.Errorf("due at %s after a restart", s.sale.Due.Sub(s.now))
			}
		},
		"clock jumps a day": func(s *script) { s.now = s.now.Add(25 * time.Hour) },
		"clock set back":    func(s *script) { s.now = s.now.Add(-time.Hour); s.next(asks); s.answer(payment.ClassNoAnswer) },
	} {
		t.Run(name, func(t *testing.T) {
			s := closedSale(t)
			disturb(s)
			start := s.now
			kinds := s.callsWithin(3*day, func() { s.answer(payment.ClassClosed, id("P1")) })
			if len(kinds) != 3 || s.last().Watch != nil || s.now.Sub(start) < 23*time.Hour {
				t.Errorf("asked %d times in %s", len(kinds), s.now.Sub(start))
			}
		})
	}
	s := closedSale(t)
	if n := len(s.callsWithin(40*day, func() { s.answer(payment.ClassNoAnswer) })); n < 30 || n > 90 || s.last().Watch != nil {
		t.Errorf("asked %d times in 40 silent days", n)
	}
}

// search is a complete pass that did not find the order, answered at a time of
// the gateway, whose newest row is that old.
func search(at time.Time, newest time.Duration) func(*payment.Verdict) {
	return func(v *payment.Verdict) { v.Search = &payment.Search{Rows: 7, Newest: at.Add(-newest), At: at} }
}

// An order is closed by its absence only after two complete passes of the list in
// a row, of which the last holds a row newer than the order's validity or came 15
// minutes after it: by the gateway's clock, from the first pass on. The evidence
// is to be seen, and the id is watched.
func TestAbsenceCloses(t *testing.T) {
	type pass struct {
		at     time.Duration // of the gateway, after the first one
		newest time.Duration // old
	}
	old := time.Hour
	for name, c := range map[string]struct {
		passes []pass
		closed bool
	}{
		"one, however late":            {[]pass{{0, 0}}, false},
		"one, with a row of tomorrow":  {[]pass{{0, -day}}, false},
		"a newer row":                  {[]pass{{0, old}, {6 * minute, 30 * second}}, true},
		"a row within the validity":    {[]pass{{0, old}, {6 * minute, 2 * minute}}, false},
		"two at once":                  {[]pass{{0, 0}, {0, 0}}, false},
		"15 min past":                  {[]pass{{0, old}, {20 * minute, old}}, true},
		"not yet 15 min past":          {[]pass{{0, old}, {19 * minute, old}}, false},
		"three":                        {[]pass{{0, old}, {9 * minute, old}, {20 * minute, old}}, true},
		"a gateway clock running back": {[]pass{{0, old}, {-time.Hour, old}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := tell(t, alphaPayLike, payment.ModeScan)
			s.scan()
			s.silence(s.free)
			s.now = s.now.Add(10 * time.Hour) // whatever our clock says
			gateway := dayOne.Add(-3 * time.Hour)
			for _, p := range c.passes {
				s.next(payment.CallLookup)
				s.answer(payment.ClassNotFound, search(gateway.Add(p.at), p.newest))
			}
			if closed := s.last().Status == payment.AttemptClosed; closed != c.closed {
				t.Fatalf("closed: %v, %+v", closed, s.last().Absence)
			}
			evidence := s.sale.View().Attempts[0].Absence
			if !c.closed {
				if evidence != nil {
					t.Error("evidence is shown before it is one")
				}
				return
			}
			s.is(payment.SaleExpired)
			s.attempt(1, payment.AttemptClosed, payment.ReasonAbsent)
			if evidence == nil || evidence.Passes != len(c.passes) || evidence.Rows != 7 || s.last().Watch == nil {
				t.Errorf("evidence %+v, watched %v", evidence, s.last().Watch != nil)
			}
		})
	}
}

// Never closed by absence: what may have been paid, what has an id that holds, or
// what was not searched for completely; a sign of the order starts anew.
func TestAbsenceNeverCloses(t *testing.T) {
	for name, c := range map[string]struct {
		begin, between func(*script)
	}{
		"already paid": {begin: func(s *script) { s.answer(payment.ClassAlreadyPaid) }},
		"an id":        {begin: func(s *script) { s.answer(payment.ClassPending, id("P1")) }},
		"incomplete": {between: func(s *script) {
			s.answer(payment.ClassNotFound)
		}},
		"listed in between": {between: func(s *script) {
			s.answer(payment.ClassPending) // without an id
			s.next(payment.CallLookup)
			s.answer(payment.ClassNotFound, search(s.now, 0))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := tell(t, alphaPayLike, payment.ModeScan)
			s.scan()
			if c.begin != nil {
				c.begin(s)
			}
			s.silence(s.free)
			s.anyCall()
			s.answer(payment.ClassNotFound, search(s.now, 0))
			s.anyCall()
			if c.between != nil {
				c.between(s)
			} else {
				for start := s.now; s.now.Sub(start) < 3*time.Hour && !s.last().Status.Final(); {
					s.answer(payment.ClassNotFound, search(s.now, 0))
					s.anyCall()
				}
			}
			if s.last().Status.Final() {
				t.Errorf("closed as %q: %+v", s.last().Reason, s.last().Absence)
			}
		})
	}
}

// An order that never arrived is closed within 30 minutes of the gateway's
// answers, with cancel wanted or not.
func TestAbsenceInTime(t *testing.T) {
	for _, wanted := range []bool{false, true} {
		for _, outage := range []time.Duration{0, 10 * minute, 5 * time.Hour} {
			s := tell(t, alphaPayLike, payment.ModeScan)
			s.scan()
			s.silence(s.free)
			want := payment.SaleExpired
			if wanted {
				s.do(payment.CancelRequested{})
				want = payment.SaleCancelled
			}
			s.callsWithin(outage, func() { s.answer(payment.ClassNoAnswer) })
			s.do(payment.CheckRequested{}) // the gateway answers again (M14)
			start := s.now
			for s.now.Sub(start) < 30*minute && !s.last().Status.Final() {
				s.anyCall()
				s.answer(payment.ClassNotFound, search(s.now, day))
			}
			if s.is(want); s.now.Sub(start) > 30*minute {
				t.Errorf("after an outage of %s it took %s", outage, s.now.Sub(start))
			}
		}
	}
}

// Where an order is asked for by request id, it takes a cancel and then an inquiry
// that both do not know it, both 15 minutes past its validity.
func TestAbsenceByRequestID(t *testing.T) {
	s := tell(t, alipayPlusLike, payment.ModeScan)
	s.scan()
	s.answer(payment.ClassNoAnswer)
	for !s.last().Status.Final() && s.now.Sub(dayOne) < 3*time.Hour {
		kind := s.anyCall()
		early := s.now.Sub(dayOne) < 20*minute
		s.answer(payment.ClassNotFound)
		if over := s.last().Status.Final(); over && (early || kind != asks) {
			t.Fatalf("closed by %s after %s", kind, s.now.Sub(dayOne))
		}
	}
	s.is(payment.SaleExpired)
	s.attempt(1, payment.AttemptClosed, payment.ReasonAbsent)
	if took := s.now.Sub(dayOne); took > 95*minute {
		t.Errorf("closed after %s", took)
	}
}

// A person's word ends an unresolved sale, and only such a one; the attempt is
// watched, and the truth against it comes out.
func TestOverride(t *testing.T) {
	for _, c := range []struct {
		name    string
		wanted  bool
		outcome payment.OverrideOutcome
		truth   payment.Class
		status  payment.SaleStatus
		reason  payment.Reason
		given   int64
	}{
		{"paid, and it was", false, payment.OverridePaid, payment.ClassPaid, payment.SalePaid, payment.ReasonOverridden, 0},
		{"paid, cancel wanted, and it was", true, payment.OverridePaid, payment.ClassPaid, payment.SalePaid, payment.ReasonOverridden, 0},
		{"paid, but it was closed", false, payment.OverridePaid, payment.ClassClosed, payment.SalePaid, payment.ReasonNotPaidInTime, 0},
		{"not paid, and it was not", false, payment.OverrideNotPaid, payment.ClassClosed, payment.SaleExpired, payment.ReasonOverridden, 0},
		{"not paid, cancel wanted", true, payment.OverrideNotPaid, payment.ClassClosed, payment.SaleCancelled, payment.ReasonOverridden, 0},
		{"not paid, but it was", false, payment.OverrideNotPaid, payment.ClassPaid, payment.SaleExpired, payment.ReasonOverridden, 1000},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := lateSale(t, c.wanted)
			s.do(payment.Resolved{Outcome: c.outcome, Operator: "Ann", Note: "saw the phone"})
			s.is(c.status)
			if o := s.sale.View().Override; o == nil || o.Outcome != c.outcome || o.Operator != "Ann" || !o.At.Equal(s.now) {
				t.Errorf("override %+v", o)
			}
			s.call = nil // what was under way is not waited for
			s.callsWithin(3*day, func() {
				if s.call.Kind == refunds {
					s.answer(payment.ClassRefunded, refundID("R1"))
				} else {
					s.answer(c.truth, id("P1"))
				}
			})
			s.is(c.status)
			if s.last().Reason != c.reason || s.sale.Refunded() != c.given || s.last().Watch != nil {
				t.Errorf("attempt %q, given back %d, watched %v", s.last().Reason, s.sale.Refunded(), s.last().Watch != nil)
			}
		})
	}
	s := tell(t, alphaPayLike, payment.ModeScan)
	if s.try(payment.Resolved{Outcome: payment.OverridePaid}) == nil {
		t.Error("a live sale is overridden")
	}
	s = lateSale(t, false)
	if s.try(payment.Resolved{Outcome: "perhaps"}) == nil || s.sale.Override != nil {
		t.Error("an outcome that is none")
	}
}

// A person's "paid" without an id, or against a disproved one, learns the right
// id from the truth; until then there is nothing to refund by.
func TestOverrideLearnsTheID(t *testing.T) {
	s := tell(t, alphaPayLike, payment.ModeScan)
	s.scan()
	s.answer(payment.ClassNoAnswer)
	s.next(pays)
	s.answer(payment.ClassPending, id("P2"))
	s.next(asks)
	s.answer(payment.ClassFailed, id("P2"))
	s.silence(s.free)
	s.do(payment.Resolved{Outcome: payment.OverridePaid})
	if s.sale.Receipt.PaymentID != "" || s.try(payment.RefundRequested{}) == nil {
		t.Errorf("receipt %+v of a disproved order", s.sale.Receipt)
	}
	s.call = nil
	s.next(payment.CallLookup)
	s.answer(payment.ClassPaid, id("P1"))
	if s.sale.Receipt.PaymentID != "P1" || s.last().PaymentID != "P1" {
		t.Errorf("receipt %+v", s.sale.Receipt)
	}
	s.refund(0)
}

// An order that still waits while the sale is unresolved is cancelled, so that it
// does not stay payable, but never in a chase of cancels and inquiries, however
// slow or quick the gateway answers.
func TestUnresolvedOrderIsCancelled(t *testing.T) {
	for _, delay := range []time.Duration{0, 3 * second, 14 * second} {
		s := lateSale(t, false)
		cancels := 0
		s.callsWithin(time.Hour, func() {
			s.now = s.now.Add(delay)
			if s.call.Kind == payment.CallCancel {
				cancels++
				s.answer(payment.ClassCancelAccepted, id("P1"))
			} else {
				s.answer(payment.ClassPending, id("P1"))
			}
		})
		if cancels < 2 || cancels > 20 {
			t.Errorf("answers after %s: %d cancels in an hour", delay, cancels)
		}
	}
}
