package payment_test

import (
	"errors"
	"strings"
	"testing"

	"payscand/payment"
)

// paidElsewhere is the proof of another terminal's payment, spoilt as asked.
func paidElsewhere(spoil ...func(*payment.Verdict)) payment.PaidElsewhere {
	v := payment.Verdict{Class: payment.ClassPaid, RequestID: "other-till-7", PaymentID: "P7", Amount: tenBucks, Documented: true}
	for _, s := range spoil {
		s(&v)
	}
	return payment.PaidElsewhere{ID: saleID, Key: "elsewhere", Gateway: "gw", PaymentID: "P7", Verdict: v}
}

// M13: another terminal's payment is refunded like one of ours: never above what
// the gateway says was paid, in parts too, by its payment id.
func TestM13RefundElsewhere(t *testing.T) {
	s := &script{T: t, policy: testPolicy(alphaPayLike), now: dayOne}
	s.do(paidElsewhere())
	s.is(payment.SalePaid)
	if v := s.sale.View(); !v.Elsewhere || v.Receipt == nil || v.Receipt.PaymentID != "P7" || v.Amount != tenBucks.Amount || len(s.started) > 0 {
		t.Fatalf("%+v; calls %v", v, s.started)
	}
	if err := s.try(payment.RefundRequested{Amount: tenBucks.Amount + 1}); err == nil {
		t.Error("more than was paid is refunded")
	}
	s.refund(partial)
	if s.call.Kind != refunds || s.sale.Refunds[0].RequestID != saleID+"-10" {
		t.Errorf("%+v of %+v", s.call, s.sale.Refunds)
	}
	s.answer(payment.ClassNoAnswer)
	s.next(looksForRefund) // a part that may be there is not sent again
	s.answer(payment.ClassRefunded)
	s.refund(0)
	s.answer(payment.ClassRefunded)
	if s.sale.Refunded() != tenBucks.Amount || s.sale.Refundable() != 0 {
		t.Errorf("refunded %d, %d left", s.sale.Refunded(), s.sale.Refundable())
	}
}

// P4: what does not prove another terminal's payment makes no record of it.
func TestElsewhereNeedsProof(t *testing.T) {
	for name, spoil := range map[string]func(*payment.Verdict){
		"another payment": func(v *payment.Verdict) { v.PaymentID = "P8" },
		"no payment id":   func(v *payment.Verdict) { v.PaymentID = "" },
		"no request id":   func(v *payment.Verdict) { v.RequestID = "" },
		"long request id": func(v *payment.Verdict) { v.RequestID = strings.Repeat("x", 65) },
		"no amount":       func(v *payment.Verdict) { v.Amount = payment.Money{} },
		"no currency":     func(v *payment.Verdict) { v.Amount.Currency = "" },
		"all given back":  returned(payment.ReturnedInFull),
		"pending":         func(v *payment.Verdict) { v.Class = payment.ClassPending },
		"accepted":        func(v *payment.Verdict) { v.Class = payment.ClassAccepted },
		"closed":          func(v *payment.Verdict) { v.Class = payment.ClassClosed },
		"failed":          func(v *payment.Verdict) { v.Class = payment.ClassFailed },
		"silence":         func(v *payment.Verdict) { v.Class = payment.ClassNoAnswer },
	} {
		change, calls, err := payment.Step(payment.Sale{}, paidElsewhere(spoil), dayOne, testPolicy(alphaPayLike))
		var conflict *payment.ConflictError
		if !errors.As(err, &conflict) || conflict.Error() == "" || change.Changed() || len(calls) > 0 {
			t.Errorf("%s: %v, %+v", name, err, change)
		}
	}
}

// The record of another terminal's payment is told as such, not as a sale that
// was paid here; a part that was given back before is on it.
func TestElsewhereIsToldApart(t *testing.T) {
	change, _, err := payment.Step(payment.Sale{}, paidElsewhere(returned(payment.ReturnedInPart)), dayOne, testPolicy(alphaPayLike))
	if err != nil || change.Record == nil || change.Record.Type != payment.RecordElsewhere || change.Record.Version != 1 {
		t.Fatalf("%v, %+v", err, change.Record)
	}
	if r := change.After.Attempts[0].Returned; r == nil || r.Extent != payment.ReturnedInPart {
		t.Errorf("returned %+v", r)
	}
}
