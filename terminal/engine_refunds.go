package terminal

import (
	"errors"
	"fmt"
	"time"

	"payscand/payment"
)

// NewRefund is the register's wish to give money of a paid sale back.
type NewRefund struct {
	// Key and Digest are as in NewSale.
	Key, Digest string
	// Amount in minor units of the sale's currency; 0: all that is left.
	Amount int64
	Note   string // at most 100 characters
}

// Refund begins a refund of a sale.
type Refund struct {
	Sale    string
	Request NewRefund
}

// refund begins a refund, or returns the sale whose refund was begun with the
// same key before (M13).
func (e *Engine) refund(in Refund) (Reply, error) {
	n := in.Request
	if err := validateRefund(n, in.Sale); err != nil {
		return Reply{}, err
	}
	s, err := e.sale(in.Sale)
	if err != nil {
		return Reply{}, err
	}
	if known, err := e.refundKeyKnown(n.Key); err != nil {
		return Reply{}, err
	} else if known {
		return replayedRefund(s, n)
	}
	return e.beginRefund(s, n)
}

// beginRefund lets a refund begin, if its gateway answers; its request may have to
// wait for a slot.
func (e *Engine) beginRefund(s payment.Sale, n NewRefund) (Reply, error) {
	if err := e.notAdopted(); err != nil {
		return Reply{}, err
	}
	wait := false
	if name := paidGateway(s); name != "" {
		g := e.gateways[name]
		if g == nil {
			return Reply{}, &Error{Code: CodeConflict, Sale: s.ID, Message: fmt.Sprintf(
				"it was paid at gateway %q, which the configuration does not name any more: refund it in the gateway's portal, or put the gateway back", name)}
		}
		if err := g.readyToRefund(); err != nil {
			return Reply{}, err
		}
		wait = e.room(g) <= 0
	}
	s, err := e.step(s, payment.RefundRequested{Key: n.Key, Digest: n.Digest, Amount: n.Amount, Note: n.Note, Wait: wait})
	if err != nil {
		return Reply{}, err
	}
	e.turn.keys[n.Key] = s.ID
	return Reply{Sale: s, Refund: len(s.Refunds)}, nil
}

func validateRefund(n NewRefund, sale string) error {
	bad := func(field, why string) error {
		return &Error{Code: CodeInvalid, Field: field, Message: why, Sale: sale}
	}
	switch {
	case !validKey(n.Key):
		return bad("Idempotency-Key", "must be 1 to 255 printable ASCII characters")
	case n.Amount < 0:
		return bad("amount", "must be at least 1 minor unit")
	case !plainText(n.Note, 100):
		return bad("reason", "must be at most 100 characters on one line")
	}
	return nil
}

func (e *Engine) refundKeyKnown(key string) (bool, error) {
	if _, made := e.turn.keys[key]; made {
		return true, nil
	}
	_, _, err := e.store.ByKey(key)
	if errors.Is(err, payment.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("idempotency key: %w", err)
	}
	return true, nil
}

// replayedRefund finds the refund that was begun with a key that is known.
func replayedRefund(s payment.Sale, n NewRefund) (Reply, error) {
	for _, r := range s.Refunds {
		if r.Key == n.Key && r.Digest == n.Digest {
			return Reply{Sale: s, Refund: r.N, Replayed: true}, nil
		}
	}
	return Reply{}, &Error{Code: CodeKeyReused, Sale: s.ID,
		Message: "this Idempotency-Key was used for another request: use a new key for a new refund"}
}

func paidGateway(s payment.Sale) string {
	for _, a := range s.Attempts {
		if a.Status == payment.AttemptPaid {
			return a.Gateway
		}
	}
	return ""
}

func validateResolved(r payment.Resolved) error {
	bad := func(field, why string) error { return &Error{Code: CodeInvalid, Field: field, Message: why} }
	switch {
	case r.Outcome != payment.OverridePaid && r.Outcome != payment.OverrideNotPaid:
		return bad("outcome", "must be paid or not_paid")
	case r.Operator == "" || !plainText(r.Operator, 64):
		return bad("operator", "must be 1 to 64 characters on one line")
	case r.Note == "" || !plainText(r.Note, 200):
		return bad("reason", "must be 1 to 200 characters on one line")
	}
	return nil
}

// reversals remembers when the automatic reversals of a day began (M12).
type reversals struct {
	loaded bool // the journal of the life before was read
	begun  []time.Time
}

const reversalDay = 24 * time.Hour

func (r *reversals) note(c payment.Change, now time.Time) {
	for i := len(c.Before.Refunds); i < len(c.After.Refunds); i++ {
		if c.After.Refunds[i].Automatic {
			r.begun = append(r.begun, now)
		}
	}
}

// mayReverse reports whether the day's automatic reversals are not used up.
// What was begun before a restart is read from the journal's last day when it is
// first asked: rarely, and never at a start.
func (e *Engine) mayReverse() (bool, error) {
	if e.policy.InquireOnly {
		return false, nil
	}
	r, since := &e.reversals, e.turn.now.Add(-e.policy.Scaled(reversalDay))
	if !r.loaded {
		begun, err := e.reversalsSince(since)
		if err != nil {
			return false, err
		}
		r.begun, r.loaded = begun, true
	}
	recent := r.begun[:0]
	for _, at := range r.begun {
		if at.After(since) {
			recent = append(recent, at)
		}
	}
	r.begun = recent
	return len(recent) < e.policy.MaxReversalsPerDay, nil
}

// reversalsSince reads the journal backwards, page by page.
func (e *Engine) reversalsSince(since time.Time) (begun []time.Time, err error) {
	const page = 256
	begin, _ := e.store.Checkpoint()
	for last, _ := e.store.Head(); last > begin; {
		after := last - min(last-begin, page)
		records, err := e.store.Journal(after, int(last-after))
		if err != nil {
			return nil, fmt.Errorf("journal: %w", err)
		}
		for _, r := range records {
			if r.Type == payment.RecordReversal && r.At.After(since) {
				begun = append(begun, r.At)
			}
		}
		if len(records) == 0 || records[0].At.Before(since) {
			break
		}
		last = after
	}
	return append(begun, e.reversals.begun...), nil
}
