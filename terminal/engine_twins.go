package terminal

import (
	"slices"
	"time"

	"payscand/payment"
)

// twin is what is compared to find a sale that stands for the same wish (M11).
type twin struct {
	reference string
	amount    payment.Money
	createdAt time.Time
	givenUp   bool // it is to be cancelled: a payment of it is given back by itself
}

func twinOf(s payment.Sale) twin {
	return twin{reference: s.Reference, amount: s.Amount, createdAt: s.CreatedAt, givenUp: s.CancelWanted}
}

func (t twin) like(n NewSale, now time.Time, window time.Duration) bool {
	if t.reference != "" && n.Reference != "" {
		return t.reference == n.Reference
	}
	return t.amount == n.Amount && now.Sub(t.createdAt) <= window
}

// notReplaceable says why another sale cannot stand for this one: it was paid, or
// money was taken for it late, and that was not given back, nor is it on its way back.
func notReplaceable(s payment.Sale) error {
	if slices.ContainsFunc(s.Attempts, func(a payment.Attempt) bool { return keptLate(s, a) }) {
		return &Error{Code: CodeConflict, Sale: s.ID, Message: "money was taken for the sale to be replaced, though not as it should " +
			"(late_capture), and is kept: a person decides; say separate to charge all the same"}
	}
	if s.Status != payment.SalePaid || s.Refundable() == 0 {
		return nil
	}
	message := "the sale to be replaced was paid meanwhile: do not charge again"
	if toBeReversed(s) {
		message = "the sale to be replaced was paid after it was to be cancelled, and is to be given back by itself: try again once that has begun"
	}
	return &Error{Code: CodeConflict, Sale: s.ID, Message: message}
}

// keptLate reports whether money that was taken for an attempt which was over is
// neither given back nor about to be: it waits for a person, or its reversal failed.
func keptLate(s payment.Sale, a payment.Attempt) bool {
	back := a.Returned != nil && a.Returned.Extent == payment.ReturnedInFull
	failed := slices.ContainsFunc(s.Refunds, func(r payment.Refund) bool {
		return r.Attempt == a.N && r.Automatic && r.Status == payment.RefundFailed
	})
	return a.Status != payment.AttemptPaid && a.Capture != nil && (a.Capture.Kept != "" || failed) && !back
}

// toBeReversed reports whether the payment of a sale is given back by itself once
// it was seen again, or once the day's limit or a refund allows it (M12): as long as
// it is watched.
func toBeReversed(s payment.Sale) bool {
	begun := slices.ContainsFunc(s.Refunds, func(r payment.Refund) bool { return r.Automatic })
	return !begun && s.Override == nil && slices.ContainsFunc(s.Attempts, func(a payment.Attempt) bool {
		return a.Status == payment.AttemptPaid && a.Capture != nil && a.Watch != nil
	})
}

// twins refuses a sale that looks like an unresolved one, unless the register
// says which it is (M11). It returns the sale to be cancelled for this one.
func (e *Engine) twins(n NewSale) (replaced payment.Sale, err error) {
	spokenFor := func(string, twin) bool { return n.Separate }
	if n.Replaces != "" {
		old, err := e.sale(n.Replaces)
		if err != nil {
			return replaced, err
		}
		if err := notReplaceable(old); err != nil {
			return replaced, err
		}
		open := old.Status == payment.SaleUnresolved
		if open { // else it is over without payment: nothing to cancel
			replaced = old
		}
		// Of two that look alike and are open the register said what the later one is when
		// it was made, if they did then. To ask again would have no end: it can name one only.
		spokenFor = func(id string, t twin) bool {
			asNew := NewSale{Reference: t.reference, Amount: t.amount}
			return id == old.ID || t.givenUp || open && twinOf(old).like(asNew, t.createdAt, e.policy.TwinWindow)
		}
	}
	var newest string // the one named does not hang on the map's order
	for id, t := range e.unresolved {
		if id > newest && !spokenFor(id, t) && t.like(n, e.turn.now, e.policy.TwinWindow) {
			newest = id
		}
	}
	if newest != "" {
		return replaced, &Error{Code: CodeUnresolvedTwin, Sale: newest,
			Message: "an unresolved sale looks the same: check it, or say replaces or separate"}
	}
	return replaced, nil
}
