package payment_test

import (
	"testing"
	"time"

	"payscand/payment"
)

// script tells one story about a sale, step by step. Each step must be possible.
type script struct {
	*testing.T
	policy payment.Policy
	now    time.Time
	sale   payment.Sale
	// call is the last call started, nil once it was answered or lost.
	call *payment.Call
	// started are the kinds of all calls, in order.
	started []payment.CallKind
	// mayReverse is what outcomes say about the day's automatic reversals.
	mayReverse bool
}

func tell(t *testing.T, traits payment.Traits, mode payment.Mode) *script {
	t.Helper()
	s := &script{T: t, policy: testPolicy(traits), now: dayOne, mayReverse: true}
	s.do(payment.Created{ID: saleID, Key: "key", Amount: tenBucks, Mode: mode, Scanner: true})
	return s
}

func (s *script) do(e payment.Event) {
	s.Helper()
	if err := s.try(e); err != nil {
		s.Fatalf("%q while %q: %v", e.Kind(), s.sale.Status, err)
	}
}

func (s *script) try(e payment.Event) error {
	change, calls, err := payment.Step(s.sale, e, s.now, s.policy)
	if err != nil || change.After.ID == "" {
		return err
	}
	s.sale = change.After
	for _, c := range calls {
		s.call = &c
		s.started = append(s.started, c.Kind)
	}
	return nil
}

var scannedCode = payment.NewCode("281234567890123456")

func (s *script) scan() {
	s.Helper()
	s.do(payment.CodePresented{Code: scannedCode, Wallet: payment.WalletAlipayPlus, Arming: s.sale.ArmingToken()})
}

// after lets time pass with all its due events.
func (s *script) after(d time.Duration) {
	s.Helper()
	end := s.now.Add(d)
	for range 10_000 {
		due := s.sale.Due
		if due.IsZero() || due.After(end) {
			s.now = end
			return
		}
		if due.After(s.now) {
			s.now = due
		}
		s.do(payment.Due{Gateway: "gw"})
	}
	s.Fatal("due again and again")
}

// answer answers the call under way with a verified answer about this order.
func (s *script) answer(class payment.Class, more ...func(*payment.Verdict)) {
	s.Helper()
	if s.call == nil {
		s.Fatalf("no call is under way while %q", s.sale.Status)
	}
	c := *s.call
	s.call = nil
	a := s.sale.Attempts[c.Attempt-1]
	v := payment.Verdict{Class: class, Documented: true}
	switch class {
	case payment.ClassPaid, payment.ClassAccepted, payment.ClassPending, payment.ClassFailed, payment.ClassClosed:
		v.RequestID, v.Amount = a.RequestID, s.sale.Amount
	case payment.ClassNotSent:
		v.Reason = payment.ReasonGatewayUnreachable
	}
	if c.Refund > 0 {
		r := s.sale.Refunds[c.Refund-1]
		v.RequestID, v.Amount = r.RequestID, r.Amount
		if class == payment.ClassNoAnswer || class == payment.ClassNotSent || class == payment.ClassRetryLater {
			v.RequestID, v.Amount = "", payment.Money{}
		}
	}
	for _, m := range more {
		m(&v)
	}
	s.do(payment.Outcome{Attempt: c.Attempt, Refund: c.Refund, Seq: c.Seq, Verdict: v, MayReverse: s.mayReverse})
}

func refundID(id string) func(*payment.Verdict) {
	return func(v *payment.Verdict) { v.RefundID = id }
}

func because(r payment.Reason) func(*payment.Verdict) {
	return func(v *payment.Verdict) { v.Reason = r }
}

func id(paymentID string) func(*payment.Verdict) {
	return func(v *payment.Verdict) { v.PaymentID = paymentID }
}

func qr(payload string) func(*payment.Verdict) {
	return func(v *payment.Verdict) { v.QR = &payment.QR{Payload: payload} }
}

func unlisted(v *payment.Verdict) { v.Documented = false }

// next waits until the next call of any kind, which must be of this one.
func (s *script) next(kind payment.CallKind) {
	s.Helper()
	for range 100 {
		if s.call != nil {
			break
		}
		if s.sale.Due.IsZero() {
			s.Fatalf("nothing is due while %q", s.sale.Status)
		}
		s.after(max(0, s.sale.Due.Sub(s.now)))
	}
	if s.call == nil || s.call.Kind != kind {
		s.Fatalf("the next call is %+v, want %s", s.call, kind)
	}
}

// crash loses what is under way and in memory.
func (s *script) crash(away time.Duration) {
	s.Helper()
	s.call = nil
	s.sale = stored(s.sale)
	s.now = s.now.Add(away)
	s.do(payment.Recovered{})
}

func (s *script) is(status payment.SaleStatus) {
	s.Helper()
	if s.sale.Status != status {
		s.Fatalf("the sale is %q (%+v), want %q", s.sale.Status, s.sale.LastFailure, status)
	}
}

// attempt holds the n-th attempt's status and reason.
func (s *script) attempt(n int, status payment.AttemptStatus, reason payment.Reason) {
	s.Helper()
	if len(s.sale.Attempts) < n {
		s.Fatalf("there are %d attempts, want %d", len(s.sale.Attempts), n)
	}
	if a := s.sale.Attempts[n-1]; a.Status != status || a.Reason != reason {
		s.Fatalf("attempt %d is %q (%q), want %q (%q)", n, a.Status, a.Reason, status, reason)
	}
}

func (s *script) last() payment.Attempt { return s.sale.Attempts[len(s.sale.Attempts)-1] }

func (s *script) hasCode() bool { return !s.last().Code.IsZero() }
