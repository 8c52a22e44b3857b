package terminal

import (
	"errors"
	"fmt"
	"slices"

	"payscand/payment"
)

// RefundElsewhere begins a refund of a payment that another terminal took. The
// gateway is asked about it first, so that the reply follows later (Reply.Later).
// Until that answer nothing is stored: an inquiry moves no money, and whoever
// hears nothing asks again with the same key.
type RefundElsewhere struct {
	ID        string // a fresh ULID, for the payment's record
	Gateway   string
	PaymentID string           // 1 to 64 visible ASCII characters
	Currency  payment.Currency // empty: whatever the payment's is
	Request   NewRefund        // its amount is at least 1
}

// elsewhere is such a refund while it waits for the answer.
type elsewhere struct {
	in      RefundElsewhere
	asked   payment.Sale
	call    payment.Call
	started bool
}

// maxElsewhere bounds those that wait (P10).
const maxElsewhere = 16

func (e *Engine) refundElsewhere(in RefundElsewhere) (Reply, error) {
	if err := validateElsewhere(in); err != nil {
		return Reply{}, err
	}
	if reply, known, err := e.replayedElsewhere(in.Request); known || err != nil {
		return reply, err
	}
	if err := e.notAdopted(); err != nil {
		return Reply{}, err
	}
	g := e.gateways[in.Gateway]
	switch {
	case g == nil:
		return Reply{}, &Error{Code: CodeInvalid, Field: "gateway", Message: "must be the name of a configured gateway"}
	case len(e.elsewhere) >= maxElsewhere:
		return Reply{}, &Error{Code: CodeTooManyWaiting, Message: "too many refunds wait for an answer of the gateway already: try again in a moment"}
	}
	if err := g.readyToRefund(); err != nil {
		return Reply{}, err
	}
	if err := e.store.CheckRoom(); err != nil {
		return Reply{}, &Error{Code: CodeStorageFull, Message: "no refund can be started: " + err.Error()}
	}
	e.elsewhere = append(e.elsewhere, &elsewhere{
		in: in, asked: payment.ForeignAttempt(in.ID, in.Gateway, in.PaymentID),
		call: payment.Call{Sale: in.ID, Attempt: 1, Seq: 1, Kind: payment.CallInquire, Gateway: in.Gateway},
	})
	return Reply{Later: in.ID}, nil
}

func validateElsewhere(in RefundElsewhere) error {
	if err := validateRefund(in.Request, ""); err != nil {
		return err
	}
	bad := func(field, why string) error { return &Error{Code: CodeInvalid, Field: field, Message: why} }
	switch {
	case in.Request.Amount < 1:
		return bad("amount", "must be at least 1 minor unit")
	case !validKey(in.PaymentID) || len(in.PaymentID) > 64 || slices.Contains([]byte(in.PaymentID), ' '):
		return bad("payment_id", "must be 1 to 64 visible ASCII characters")
	}
	return nil
}

// replayedElsewhere finds the refund that was begun with the same key.
func (e *Engine) replayedElsewhere(n NewRefund) (reply Reply, known bool, err error) {
	id, made := e.turn.keys[n.Key]
	if !made {
		id, _, err = e.store.ByKey(n.Key)
		if errors.Is(err, payment.ErrNotFound) {
			return Reply{}, false, nil
		}
		if err != nil {
			return Reply{}, false, fmt.Errorf("idempotency key: %w", err)
		}
	}
	s, err := e.sale(id)
	if err != nil {
		return Reply{}, true, fmt.Errorf("sale %s of an idempotency key: %w", id, err)
	}
	reply, err = replayedRefund(s, n)
	return reply, true, err
}

// askElsewhere starts the inquiries that a gateway has room for. One that went
// down meanwhile is asked nothing: the callers are told.
func (e *Engine) askElsewhere(g *gateway) {
	for _, w := range slices.Clone(e.elsewhere) {
		switch {
		case w.started || w.call.Gateway != g.name:
		case g.state == GatewayDown:
			e.takeElsewhere(w.call)
			e.turn.late = append(e.turn.late, LateReply{w.in.ID, Reply{Err: g.readyToRefund()}})
		case e.room(g) > 0:
			w.started = true
			e.turn.asks = append(e.turn.asks, w)
			g.spend(e.turn.now, 1)
		}
	}
}

// waitsElsewhere reports whether an inquiry waits for the gateway's room.
func (e *Engine) waitsElsewhere(g *gateway) bool {
	return slices.ContainsFunc(e.elsewhere, func(w *elsewhere) bool { return !w.started && w.call.Gateway == g.name })
}

// takeElsewhere takes what waits for a call out of the list; nil: nothing does.
func (e *Engine) takeElsewhere(c payment.Call) *elsewhere {
	i := slices.IndexFunc(e.elsewhere, func(w *elsewhere) bool { return w.call == c })
	if i < 0 {
		return nil
	}
	w := e.elsewhere[i]
	e.elsewhere = slices.Concat(e.elsewhere[:i], e.elsewhere[i+1:])
	return w
}

// answeredElsewhere begins the refund if the answer proves the payment, and
// replies.
func (e *Engine) answeredElsewhere(w *elsewhere, v payment.Verdict) error {
	reply, err := e.provedElsewhere(w.in, v)
	var refused *Error
	if err != nil && !errors.As(err, &refused) {
		return err
	}
	reply.Err = err
	e.turn.late = append(e.turn.late, LateReply{w.in.ID, reply})
	return nil
}

func (e *Engine) provedElsewhere(in RefundElsewhere, v payment.Verdict) (Reply, error) {
	if reply, known, err := e.replayedElsewhere(in.Request); known || err != nil { // asked twice at a time
		return reply, err
	}
	if err := unprovedElsewhere(in, v); err != nil {
		return Reply{}, err
	}
	if err := e.gateways[in.Gateway].readyToRefund(); err != nil {
		return Reply{}, err
	}
	s, err := e.recordElsewhere(in, v)
	if err != nil {
		return Reply{}, err
	}
	return e.beginRefund(s, in.Request)
}

// recordElsewhere returns the record of the payment: a sale of this terminal's,
// one that a refund before has made, or a new one. A new one is kept only if the
// refund can begin.
func (e *Engine) recordElsewhere(in RefundElsewhere, v payment.Verdict) (payment.Sale, error) {
	if s, known, err := e.byRequest(v.RequestID); known || err != nil {
		if err == nil {
			s, err = e.ownPayment(s, in.PaymentID, v)
		}
		return s, err
	}
	made := payment.PaidElsewhere{
		ID: in.ID, Key: "elsewhere\n" + in.ID, Gateway: in.Gateway, PaymentID: in.PaymentID, Verdict: v, // no register's key has a line's end
	}
	change, _, err := payment.Step(payment.Sale{}, made, e.turn.now, e.policy)
	if err != nil {
		return payment.Sale{}, refusal(err)
	}
	n := in.Request
	try := payment.RefundRequested{Key: n.Key, Digest: n.Digest, Amount: n.Amount, Note: n.Note}
	if _, _, err := payment.Step(change.After, try, e.turn.now, e.policy); err != nil {
		return payment.Sale{}, refusal(err)
	}
	return e.step(payment.Sale{}, made)
}

// ownPayment lets a verified answer count for the sale of this terminal that it is
// about, as if the gateway had sent it unasked (P4), and says why what was asked for
// is not that sale's payment.
func (e *Engine) ownPayment(s payment.Sale, paymentID string, v payment.Verdict) (payment.Sale, error) {
	of := func(a payment.Attempt) bool { return a.RequestID == v.RequestID }
	if i := slices.IndexFunc(s.Attempts, of); i >= 0 {
		var err error
		if s, err = e.step(s, e.unasked(s.Attempts[i], v)); err != nil {
			return s, err
		}
	}
	for _, a := range s.Attempts {
		switch {
		case a.Status == payment.AttemptPaid && (!of(a) || a.PaymentID != "" && a.PaymentID != paymentID):
			return s, &Error{Code: CodeConflict, Sale: s.ID, Message: "the sale that this payment was for was paid by another one: refund this one in the gateway's portal"}
		case a.Status == payment.AttemptPaid:
			return s, nil
		}
	}
	if v.Class == payment.ClassPaid && s.Status.Final() {
		return s, &Error{Code: CodeConflict, Sale: s.ID, Message: fmt.Sprintf("the sale that this payment was for is %s: it is looked into now, "+
			"shown there as a late capture, and given back by itself where it may be", s.Status)}
	}
	return s, nil // of any other the refund is refused
}

// byRequest finds the sale that a request id belongs to.
func (e *Engine) byRequest(requestID string) (s payment.Sale, known bool, err error) {
	for _, s := range e.turn.sales {
		if slices.ContainsFunc(s.Attempts, func(a payment.Attempt) bool { return a.RequestID == requestID }) {
			return s, true, nil
		}
	}
	id, err := e.store.ByRequest(requestID)
	if errors.Is(err, payment.ErrNotFound) {
		return s, false, nil
	}
	if err != nil {
		return s, false, fmt.Errorf("request id: %w", err)
	}
	s, err = e.sale(id)
	return s, true, err
}

// unprovedElsewhere says why nothing is known of the payment that would let it be
// refunded; nil: the answer proves it, as far as a gateway's word goes.
func unprovedElsewhere(in RefundElsewhere, v payment.Verdict) error {
	switch {
	case v.Class == payment.ClassRefused && misconfiguration(payment.CallInquire, v.Reason):
		return &Error{Code: CodeGatewayMisconfigured, Gateway: in.Gateway, Reason: v.Reason, Refund: true,
			Message: "the gateway refuses this terminal's calls, so nothing was refunded: " + string(v.Reason)}
	case v.Class == payment.ClassRefused: // the id is all that the register chose of the question
		return &Error{Code: CodeInvalid, Field: "payment_id", Message: "must be the id of a payment at this gateway, which refuses this one: nothing was refunded"}
	case !v.Class.Verified(), v.Class == payment.ClassRetryLater:
		return &Error{Code: CodeGatewayDown, Gateway: in.Gateway, Refund: true,
			Message: "the gateway did not say what became of this payment, so nothing was refunded: repeat the call with the same key"}
	case v.Class == payment.ClassNotFound:
		return &Error{Code: CodeNotFound, Refund: true, Message: "the gateway knows no payment with this payment_id"}
	case in.Currency != "" && v.Amount.Currency != in.Currency:
		return &Error{Code: CodeInvalid, Field: "currency", Message: "must be the payment's, where it is given"}
	}
	return nil
}
