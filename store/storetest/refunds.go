package storetest

import (
	"errors"
	"slices"
	"testing"

	"payscand/payment"
	"payscand/store"
)

// refunding begins a refund of a paid sale.
func (t *Till) refunding(before payment.Sale, key, requestID string) payment.Change {
	return t.Changed(before, func(s *payment.Sale) {
		s.Refunds = append(slices.Clone(s.Refunds), payment.Refund{
			N: len(s.Refunds) + 1, RequestID: requestID, Attempt: 1, Status: payment.RefundSubmitting,
			Amount: payment.Money{Amount: 1, Currency: "CAD"}, RequestedAt: t.now, Key: key, Digest: "digest of " + key,
		})
	})
}

// refunded ends the last refund.
func (t *Till) refunded(before payment.Sale) payment.Change {
	return t.Changed(before, func(s *payment.Sale) {
		s.Refunds = slices.Clone(s.Refunds)
		s.Refunds[len(s.Refunds)-1].Status = payment.RefundSucceeded
	})
}

// A refund is found by its idempotency key, with its own digest, and by its
// request id; its sale is open until it is over. Neither key nor request id can
// be another sale's or refund's, and no refund is ever lost (P2, P6).
func testRefunds(t *testing.T, open Opener) {
	s, till, w := newStore(t, open), NewTill(), newWorld()
	keep, paid := w.keeping(t, s, till)
	first, second := paid(), paid()
	first = keep(till.refunding(first, "refund key", first.ID+"-10"))
	if sale, digest, err := s.ByKey("refund key"); sale != first.ID || digest != "digest of refund key" || err != nil {
		t.Errorf("ByKey of a refund: %q, %q, %v", sale, digest, err)
	}
	if sale, err := s.ByRequest(first.ID + "-10"); sale != first.ID || err != nil {
		t.Errorf("ByRequest of a refund: %q, %v", sale, err)
	}
	if got, err := s.Open("", 0); err != nil || !slices.Equal(ids(got), []string{first.ID}) {
		t.Errorf("open while a refund is not over: %q, %v", ids(got), err)
	}
	first = keep(till.refunded(first))
	w.check(t, s) // among others: no sale is open

	for name, bad := range map[string]payment.Change{
		"key of another refund":        till.refunding(second, "refund key", second.ID+"-10"),
		"key of a sale":                till.refunding(second, first.Key, second.ID+"-10"),
		"request id of another refund": till.refunding(second, "another", first.ID+"-10"),
		"request id of an attempt":     till.refunding(second, "another", first.Attempts[0].RequestID),
		"refund lost":                  till.Changed(first, func(s *payment.Sale) { s.Refunds = nil }),
	} {
		if err := s.Commit([]payment.Change{bad}); !errors.Is(err, store.ErrRefused) {
			t.Errorf("%s: %v, want ErrRefused", name, err)
		}
		w.check(t, s)
	}
	second = keep(till.refunding(second, "", second.ID+"-10")) // a reversal has no key
	keep(till.refunding(keep(till.refunded(second)), "", second.ID+"-11"))
}
