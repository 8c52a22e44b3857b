package alphapay_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"payscand/payment"
	"payscand/payment/sandbox"
)

const (
	refund        = payment.CallRefund
	inquireRefund = payment.CallInquireRefund
	lookupRefund  = payment.CallLookupRefund
)

// shopRefund is a paid sale at the counter and the refunds of it.
type shopRefund struct {
	c    *counter
	sale payment.Sale
}

// bought pays a sale with a code that ends in these digits.
func bought(t *testing.T, digits string) *shopRefund {
	t.Helper()
	c := newCounter(t)
	a := c.attempt(payment.InstrumentCode, "2812345678901234"+digits)
	c.expect(a, pay, payment.ClassAccepted, inquire, payment.ClassPaid)
	a.Code = payment.Code{}
	return &shopRefund{c: c, sale: payment.Sale{ID: a.RequestID[:26], Amount: money, Attempts: []payment.Attempt{*a}}}
}

// another begins a refund.
func (s *shopRefund) another(amount int64) {
	n := len(s.sale.Refunds) + 1
	s.sale.Refunds = append(s.sale.Refunds, payment.Refund{
		N: n, RequestID: fmt.Sprintf("%s-%d", s.sale.ID, 9+n), Attempt: 1, Note: "cold coffee",
		Amount: payment.Money{Amount: amount, Currency: money.Currency}, RequestedAt: s.c.clock().UTC(),
	})
}

// expect makes calls about the last refund in turn, keeps of their verdicts what
// Step would, and holds each verdict's class. A pause lets time go by.
func (s *shopRefund) expect(steps ...any) (last payment.Verdict) {
	s.c.t.Helper()
	r := &s.sale.Refunds[len(s.sale.Refunds)-1]
	for i := 0; i < len(steps); {
		if d, isPause := steps[i].(time.Duration); isPause {
			s.c.pass(d)
			i++
			continue
		}
		kind, want := steps[i].(payment.CallKind), steps[i+1].(payment.Class)
		i += 2
		request, err := s.c.gateway.Prepare(s.sale, payment.Call{Attempt: 1, Refund: r.N, Kind: kind}, time.Now())
		if err != nil {
			s.c.t.Fatal(err)
		}
		last = s.c.gateway.Send(context.Background(), request)
		if last.RefundID != "" && r.RefundID == "" {
			r.RefundID = last.RefundID
		}
		if last.Class != want {
			s.c.t.Errorf("refund %d, %s: got %s (%s, code %q), want %s", r.N, kind, last.Class, last.Reason, last.GatewayCode, want)
		}
		if last.Class == payment.ClassRefunded && (last.Amount != r.Amount || last.RequestID != r.RequestID || last.RefundID == "") {
			s.c.t.Errorf("refunded, but %+v", last)
		}
	}
	return last
}

func (s *shopRefund) order() sandbox.Order {
	s.c.t.Helper()
	order, err := s.c.bank.Order(s.sale.Attempts[0].RequestID)
	if err != nil {
		s.c.t.Fatal(err)
	}
	return order
}

// Each behaviour of the practice gateway's refunds is understood: the verdicts on
// a refund in part lead to the truth about it, and never past it.
func TestRefundsAtThePracticeGateway(t *testing.T) {
	const later = time.Minute
	for digits, test := range map[string]struct {
		steps    []any
		refunded int64
		reason   payment.Reason // of the last verdict
	}{
		"00": {[]any{refund, payment.ClassAccepted, inquireRefund, payment.ClassRefunded, lookupRefund, payment.ClassRefunded}, 500, ""},
		"40": {[]any{refund, payment.ClassAccepted, inquireRefund, payment.ClassPending, refund, payment.ClassFailed, lookupRefund, payment.ClassNotFound,
			later, inquireRefund, payment.ClassRefunded, lookupRefund, payment.ClassRefunded}, 500, ""},
		"41": {[]any{refund, payment.ClassNoAnswer, lookupRefund, payment.ClassRefunded, inquireRefund, payment.ClassRefunded}, 500, ""},
		"42": {[]any{refund, payment.ClassNoAnswer, lookupRefund, payment.ClassNotFound}, 0, payment.ReasonNotFound},
		"43": {[]any{refund, payment.ClassPending, inquireRefund, payment.ClassPending, later, inquireRefund, payment.ClassRefunded}, 500, ""},
		"44": {[]any{refund, payment.ClassFailed}, 0, payment.ReasonNotEnoughBalance},
		"45": {[]any{refund, payment.ClassAccepted, later, inquireRefund, payment.ClassFailed, lookupRefund, payment.ClassNotFound, inquireRefund, payment.ClassFailed}, 0, payment.ReasonRefundFailed},
		"46": {[]any{refund, payment.ClassPending, lookupRefund, payment.ClassNotFound, later, lookupRefund, payment.ClassRefunded, inquireRefund, payment.ClassRefunded}, 500, ""},
		"47": {[]any{refund, payment.ClassNoAnswer, refund, payment.ClassAccepted, inquireRefund, payment.ClassRefunded}, 500, ""}, // a second send is the same
	} {
		t.Run(digits, func(t *testing.T) {
			s := bought(t, digits)
			s.another(500)
			if last := s.expect(test.steps...); last.Reason != test.reason {
				t.Errorf("the last reason is %q, want %q", last.Reason, test.reason)
			}
			if order := s.order(); order.Refunded != test.refunded {
				t.Errorf("%d was given back, want %d", order.Refunded, test.refunded)
			}
		})
	}
}

// Refunds in part add up to the payment, and no further: what the gateway refuses
// is told with its reason, and an inquiry about the payment still says paid.
func TestRefundLimits(t *testing.T) {
	s := bought(t, "00")
	refused := func(amount int64, class payment.Class, reason payment.Reason) {
		t.Helper()
		s.another(amount)
		if v := s.expect(refund, class); v.Reason != reason || !v.Documented {
			t.Errorf("refused with %+v, want %s", v, reason)
		}
	}
	s.another(1000)
	s.expect(refund, payment.ClassAccepted, inquireRefund, payment.ClassRefunded)
	refused(235, payment.ClassFailed, payment.ReasonRefundAmount)
	s.another(234)
	s.expect(refund, payment.ClassAccepted, inquireRefund, payment.ClassRefunded)
	refused(1, payment.ClassAlreadyRefunded, payment.ReasonAlreadyRefunded)
	s.c.expect(&s.sale.Attempts[0], inquire, payment.ClassPaid)
	if order := s.order(); order.Refunded != money.Amount {
		t.Errorf("%d was given back", order.Refunded)
	}

	s = bought(t, "00")
	s.c.pass(366 * 24 * time.Hour)
	refused(500, payment.ClassFailed, payment.ReasonRefundTooLate)
	s = bought(t, "00")
	s.sale.Attempts[0].PaymentID = "2506031505244756658153857"
	refused(500, payment.ClassFailed, payment.ReasonNotFound)
	s = bought(t, "44")
	refused(500, payment.ClassFailed, payment.ReasonNotEnoughBalance)
	s.c.pass(25 * time.Hour)
	s.expect(refund, payment.ClassAccepted, inquireRefund, payment.ClassRefunded)
}

// A whole refund whose answer was lost is bounded by the payment: sent again, it
// is told that nothing is left.
func TestWholeRefundSentAgain(t *testing.T) {
	s := bought(t, "41")
	s.another(money.Amount)
	s.expect(refund, payment.ClassNoAnswer, refund, payment.ClassAlreadyRefunded)
	if order := s.order(); order.Refunded != money.Amount {
		t.Errorf("%d was given back", order.Refunded)
	}
}

// An order that is open but not paid has nothing to give back: the vendor lists no
// code for that, so the refund fails as undocumented.
func TestRefundOfAnUnpaidOrder(t *testing.T) {
	c := newCounter(t)
	a := c.attempt(payment.InstrumentCode, "281234567890123403")
	c.expect(a, pay, payment.ClassPending)
	s := &shopRefund{c: c, sale: payment.Sale{ID: a.RequestID[:26], Attempts: []payment.Attempt{*a}}}
	s.another(500)
	if v := s.expect(refund, payment.ClassFailed); v.Documented || v.Reason != payment.ReasonRefundFailed {
		t.Errorf("got %+v", v)
	}
}

// A refund that was looked for days later, over several days of the list, is found.
func TestRefundFoundDaysLater(t *testing.T) {
	s := bought(t, "41")
	s.another(500)
	s.expect(refund, payment.ClassNoAnswer, 5*24*time.Hour, lookupRefund, payment.ClassRefunded)
}

// The books of the practice gateway are read whole: what was sold and given back
// on a day, and the payout of it once the day is over.
func TestBooksOfThePracticeGateway(t *testing.T) {
	s := bought(t, "00")
	s.another(234)
	s.expect(refund, payment.ClassAccepted, inquireRefund, payment.ClassRefunded)
	c := s.c
	day := c.clock()
	transactions, err := c.gateway.Transactions(context.Background(), day)
	if err != nil || len(transactions) != 2 {
		t.Fatalf("got %+v, %v", transactions, err)
	}
	sold, back := transactions[0], transactions[1]
	if sold.Refund || sold.Amount != money || sold.RequestID != s.sale.Attempts[0].RequestID || sold.ID != s.sale.Attempts[0].PaymentID {
		t.Errorf("sold %+v", sold)
	}
	if !back.Refund || back.Amount.Amount != 234 || back.RequestID != s.sale.Refunds[0].RequestID || back.At.IsZero() {
		t.Errorf("given back %+v", back)
	}
	c.pass(48 * time.Hour)
	payouts, err := c.gateway.Settlements(context.Background(), day)
	if err != nil || len(payouts) != 1 {
		t.Fatalf("got %+v, %v", payouts, err)
	}
	if p := payouts[0]; p.Captures != 1 || p.Refunds != 1 || p.Captured != 1234 || p.Refunded != 234 || p.Net != 1000 || p.Paid != p.Net-p.Fee {
		t.Errorf("paid out %+v", p)
	}
}
