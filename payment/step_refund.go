package payment

import (
	"fmt"
	"time"
)

// refundRequested begins a refund that the register asked for (M13). Amount 0
// means all that may still be refunded.
func (t *step) refundRequested(e RefundRequested) error {
	s := &t.sale
	conflict := func(why string, args ...any) error {
		return &ConflictError{Sale: s.ID, Status: s.Status, Event: EventRefund, Why: fmt.Sprintf(why, args...)}
	}
	if len(s.Refunds) >= MaxRefunds {
		return conflict("it had %d refunds, which is the limit", MaxRefunds)
	}
	for _, r := range s.Refunds {
		if !r.Status.Final() {
			return conflict("refund %d is not over yet: wait for it", r.N)
		}
	}
	most := s.Refundable()
	amount := e.Amount
	if amount == 0 {
		amount = most
	}
	if amount < 1 || amount > most {
		if most == 0 {
			return conflict("nothing is left of it to be refunded")
		}
		return conflict("at most %d minor units may still be refunded", most)
	}
	paid := s.Attempt(s.paidAttempt())
	if paid == nil || paid.PaymentID == "" {
		return conflict("its payment has no id at the gateway: refund it in the gateway's portal")
	}
	r := t.startRefund(paid, Money{Amount: amount, Currency: s.Amount.Currency}, e.Wait)
	r.Note, r.Key, r.Digest = e.Note, e.Key, e.Digest
	return nil
}

// startRefund begins a refund of an attempt's capture; its call goes out once
// the change is durable (M1), or once its gateway has room.
func (t *step) startRefund(a *Attempt, amount Money, wait bool) *Refund {
	s := &t.sale
	n := len(s.Refunds) + 1
	s.Refunds = append(s.Refunds, Refund{
		N: n, RequestID: fmt.Sprintf("%s-%d", s.ID, MaxAttempts+n), Attempt: a.N,
		Amount: amount, Status: RefundSubmitting, RequestedAt: t.now,
	})
	r := &s.Refunds[n-1]
	if wait {
		t.planRefundCall(r, CallRefund, t.now)
	} else {
		t.callRefund(r, CallRefund)
	}
	return r
}

func (t *step) callRefund(r *Refund, kind CallKind) {
	if t.policy.forbids(kind) {
		t.planRefundCall(r, kind, t.now.Add(t.slowPause(r)))
		return
	}
	r.Seq++
	r.Call = &InFlight{Seq: r.Seq, Kind: kind}
	r.CalledAt = t.now
	r.Next, r.NextAt = "", time.Time{}
	if kind == CallRefund {
		r.Sends++
	}
	a := t.sale.Attempt(r.Attempt)
	t.calls = append(t.calls, Call{Sale: t.sale.ID, Attempt: r.Attempt, Refund: r.N, Seq: r.Seq, Kind: kind, Gateway: a.Gateway})
}

// refundOutcome takes in what a refund's call brought back.
func (t *step) refundOutcome(e Outcome) {
	s := &t.sale
	if e.Refund > len(s.Refunds) {
		return
	}
	r := &s.Refunds[e.Refund-1]
	if r.Call == nil || r.Call.Seq != e.Seq || r.Status.Final() {
		return
	}
	kind := r.Call.Kind
	r.Call = nil
	v := refundMatched(*r, e.Verdict)
	if v.Class != ClassNotFound { // of an order that says much, of a refund only that it takes its time
		r.Reason, r.GatewayCode = v.Reason, v.GatewayCode
	}
	if v.RefundID != "" && r.RefundID == "" {
		r.RefundID = v.RefundID
		r.IDFromResend = r.Doubted && r.Sends > 1 && !t.refundTraits(r).IdempotentRefund
	}
	if kind == CallRefund && !settlesSend(v.Class) {
		r.Doubted = true
	}
	if !t.judgeRefund(r, kind, v) {
		t.planRefund(r)
	}
}

// settlesSend reports whether an answer to a refund request says for certain
// what became of that request. After any other (silence, a system error, "in
// process") the gateway may have it.
func settlesSend(c Class) bool {
	switch c {
	case ClassRefunded, ClassAlreadyRefunded, ClassFailed, ClassRefused, ClassNotSent:
		return true
	}
	return false
}

// refundMatched turns an answer about another refund, or a proof that does not
// name this one and its sum, into no answer (P4).
func refundMatched(r Refund, v Verdict) Verdict {
	foreign := v.RequestID != "" && v.RequestID != r.RequestID || v.RefundID != "" && r.RefundID != "" && v.RefundID != r.RefundID
	unproved := v.Class == ClassRefunded && (v.RequestID == "" || v.Amount != r.Amount)
	if foreign || unproved {
		return Verdict{Class: ClassNoAnswer, Reason: ReasonAnswerMismatch, GatewayCode: v.GatewayCode}
	}
	return v
}

// judgeRefund reports whether the verdict ended the refund. A failure counts
// only while every send was answered (M4, M13).
func (t *step) judgeRefund(r *Refund, kind CallKind, v Verdict) bool {
	switch v.Class {
	case ClassRefunded:
		t.endRefund(r, RefundSucceeded)
		return true
	case ClassAlreadyRefunded:
		// The whole capture was given back: by this refund when its answer was
		// lost before, or when that is all a reversal is for.
		if r.Doubted || r.Automatic {
			t.endRefund(r, RefundSucceeded)
		} else {
			t.endRefund(r, RefundFailed)
		}
		t.returned(t.sale.Attempt(r.Attempt), ReturnedInFull, t.sale.Amount) // only payments of this amount are refunded
		return true
	case ClassAccepted, ClassPending:
		r.Status = RefundPending
	case ClassFailed:
		if kind == CallRefund && r.Doubted && !t.refundTraits(r).IdempotentRefund {
			break
		}
		if r.IDFromResend { // what failed is a second send's; the first may be under way
			r.Status, r.RefundID, r.IDFromResend = RefundUnknown, "", false
			return false
		}
		if r.Automatic && v.Reason == ReasonNotEnoughBalance { // again daily, as a new refund there
			r.Status, r.RefundID, r.Doubted = RefundUnknown, "", false
			t.planRefundCall(r, CallRefund, t.now.Add(t.policy.SlowDaily))
			return true
		}
		// Less is left than our books say, or what the gateway said to be given back
		// meanwhile was taken for this refund.
		doubtful := v.Reason == ReasonRefundAmount || r.Status != RefundSubmitting
		t.endRefund(r, RefundFailed)
		if doubtful {
			t.lookAgain(t.sale.Attempt(r.Attempt))
		}
		return true
	case ClassRefused, ClassNotSent:
		if kind != CallRefund || r.Doubted {
			break
		}
		if r.Automatic { // nothing left or nothing was taken: it is due all the same
			break
		}
		t.endRefund(r, RefundFailed)
		return true
	}
	if r.Status == RefundSubmitting {
		r.Status = RefundUnknown
	}
	return false
}

func (t *step) endRefund(r *Refund, status RefundStatus) {
	r.Status, r.EndedAt = status, t.now
	r.Next, r.NextAt, r.Call = "", time.Time{}, nil
	if status == RefundSucceeded {
		r.Reason = ""
	}
}

func (t *step) refundTraits(r *Refund) Traits { return t.traits(t.sale.Attempt(r.Attempt)) }

// planRefund chooses how the truth about a refund is found next (M13).
func (t *step) planRefund(r *Refund) {
	traits := t.refundTraits(r)
	age := t.now.Sub(r.RequestedAt)
	switch {
	case age > t.policy.GiveUpAfter && r.Polls >= t.policy.fewestQuestions():
		r.Reason = ReasonRefundUnproved
		t.planRefundCall(r, "", time.Time{}) // a person's now
	case traits.IdempotentRefund, !r.Doubted && r.RefundID == "":
		// Sent again: it is processed once, or was never taken.
		t.planRefundCall(r, CallRefund, t.now.Add(t.slowPause(r)))
	case r.Status != RefundPending && r.RefundID == "" && t.whole(r):
		// Sent again: it is bounded by the capture, of which nothing else was given back.
		t.planRefundCall(r, CallRefund, t.now.Add(t.slowPause(r)))
	default:
		t.planRefundCall(r, t.refundQuestion(r), t.now.Add(t.slowPause(r)))
	}
	r.Polls++
}

// refundQuestion is the call that asks about a refund without making another one,
// or "" when the gateway has none.
func (t *step) refundQuestion(r *Refund) CallKind {
	switch {
	case t.refundTraits(r).IdempotentRefund:
		return CallRefund // sent again, it answers what became of it
	case r.RefundID != "":
		return CallInquireRefund
	case t.refundTraits(r).TransactionList:
		return CallLookupRefund
	}
	return ""
}

func (t *step) planRefundCall(r *Refund, kind CallKind, at time.Time) {
	if t.policy.forbids(kind) {
		if kind = t.refundQuestion(r); t.policy.forbids(kind) {
			kind = ""
		}
	}
	if kind == "" { // nothing to ask: a person's
		at = time.Time{}
	}
	r.Next, r.NextAt = kind, at
}

// whole reports whether the refund gives back all of a capture.
func (t *step) whole(r *Refund) bool {
	if r.Amount != t.sale.Amount {
		return false
	}
	for _, other := range t.sale.Refunds {
		if other.N != r.N && other.Attempt == r.Attempt && other.Status != RefundFailed {
			return false
		}
	}
	return true
}

// slowPause is quick while somebody may be waiting, then ever slower.
func (t *step) slowPause(r *Refund) time.Duration {
	quick := len(t.policy.CodeInquiries) * 2
	switch age := t.now.Sub(r.RequestedAt); {
	case r.Polls < quick:
		return at(t.policy.CodeInquiries, r.Polls)
	case r.Polls-quick < len(t.policy.Slow):
		return t.policy.jittered(t.policy.Slow[r.Polls-quick], r.RequestID, r.Polls)
	case age > t.policy.SlowDaily:
		return t.policy.jittered(t.policy.SlowDaily, r.RequestID, r.Polls)
	}
	return t.policy.jittered(t.policy.SlowHourly, r.RequestID, r.Polls)
}
