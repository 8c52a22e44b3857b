package simulation

import (
	"slices"
	"time"

	"payscand/payment"
	"payscand/terminal"
)

// starts holds a call that leaves now against what the disk holds.
func (o *oracle) starts(f *flight) {
	w, c := o.world, f.call
	if _, waits := o.elsewhere[c.Sale]; waits && o.sales[c.Sale] == nil && c.Kind == payment.CallInquire {
		o.holdSlots(f)
		return // it moves nothing, and nothing is stored yet
	}
	s, err := w.disk.Sale(c.Sale)
	if err != nil || len(s.Attempts) < c.Attempt {
		w.fail("P1: %s of sale %s leaves, and the disk knows nothing of it: %v", c.Kind, c.Sale, err)
		return
	}
	a := s.Attempts[c.Attempt-1]
	facts := &o.sales[c.Sale].attempts[c.Attempt-1]
	intent, last, pace := a.Call, &facts.flight, &facts.pace
	if c.Refund > 0 {
		r := &o.sales[c.Sale].refunds[c.Refund-1]
		intent, last, pace = refundOf(s, c).Call, &r.flight, &r.pace
	}
	if intent == nil || intent.Seq != c.Seq || intent.Kind != c.Kind {
		w.fail("P1: %s of %s leaves, and the disk has another intent: %+v", c.Kind, f.requestID(), intent)
	}
	told := a.Status.Final() && !f.moves() // by a notification: what the call beside brings does not count any more
	if before := *last; before != nil && !before.answered && before.process == w.process && before.moves() && !told {
		w.fail("P2: %s of %s leaves while its %s is under way", c.Kind, f.requestID(), before.call.Kind)
	}
	*last = f
	o.holdSlots(f)
	o.holdAdopted(f)
	o.holdPace(f, pace)
	if c.Refund > 0 {
		return
	}
	switch c.Kind {
	case payment.CallPay:
		o.holdPay(f, a, facts)
	case payment.CallCancel:
		if a.Cancels == 1 && !facts.asked {
			w.fail("M5: the first cancel of %s leaves without a fresh inquiry before it", a.RequestID)
		}
	}
	facts.asked = false
}

// holdPay: the same request each time, with its code, and no second send once
// that is of no use (M7).
func (o *oracle) holdPay(f *flight, a payment.Attempt, facts *attemptFacts) {
	w := o.world
	body := string(a.Intent.Body(a.Code))
	sent := string(f.attempt.Intent.Body(f.attempt.Code))
	switch {
	case a.Intent.Head == "" || a.Intent.FillsCode() && a.Code.IsZero():
		w.fail("P1: pay of %s leaves without its stored request or code", a.RequestID)
	case body != sent:
		w.fail("M7: pay of %s leaves with another body than is stored", a.RequestID)
	case facts.body != "" && facts.body != body:
		w.fail("M7: pay of %s is sent again with another body", a.RequestID)
	case a.Instrument == payment.InstrumentCode && a.CalledAt.Sub(a.SubmittedAt) > w.policy.FastPhase:
		w.fail("M7: pay of %s is sent again %s after the scan", a.RequestID, a.CalledAt.Sub(a.SubmittedAt))
	case a.Sends > 1 && o.sales[f.call.Sale].cancelSince > 0 && a.Instrument == payment.InstrumentCode:
		w.fail("pay of %s is sent again after the cashier's cancel", a.RequestID)
	}
	facts.body = body
}

// holdSlots: the requests under way at one gateway are bounded (P10). A sale that
// is not live leaves one slot to the one that is; that one may find all of them
// taken, by the call that the live sale before it left behind. Probes, and
// inquiries that this call ends, do not count.
func (o *oracle) holdSlots(leaving *flight) {
	w, c := o.world, leaving.call
	under := 0
	for _, f := range w.network.flights {
		ends := f.about(c) && !f.moves()
		if !f.answered && f.call.Gateway == c.Gateway && f.call.Kind != payment.CallProbe && !ends {
			under++
		}
	}
	most := w.policy.Slots
	if c.Sale != o.live {
		most--
	}
	if under > most {
		w.fail("P10: %s of %s leaves, and %d requests are under way at %s", c.Kind, leaving.requestID(), under, c.Gateway)
	}
}

// answered notes an outcome that reaches the engine.
func (o *oracle) answered(f *flight, v payment.Verdict) {
	if f.call.Kind == payment.CallProbe {
		return
	}
	f.answered = true
	if o.sales[f.call.Sale] == nil { // about a payment of which only the id is known: it may be that of a sale here
		o.notified(payment.Notification{Gateway: f.call.Gateway, RequestID: v.RequestID, Verified: true, Verdict: v})
		return
	}
	if f.call.Refund > 0 {
		return
	}
	o.sighted(f, v)
	o.toldOf(f, v)
	facts := &o.sales[f.call.Sale].attempts[f.call.Attempt-1]
	asks := f.call.Kind == payment.CallInquire || f.call.Kind == payment.CallLookup
	facts.asked = facts.flight == f && asks && v.Class.Verified()
}

// captured notes that money moved, whoever may know of it.
func (o *oracle) captured(order *order) {
	o.world.result.Captures++
	order.gateway.traffic().Captures++
	o.world.tell("  MONEY: %s of %s is captured", order.amount, order.requestID)
}

// turned holds what must be true after each turn, and notes what was told.
func (o *oracle) turned(now time.Time, inputs []terminal.Input, r terminal.Result) {
	w := o.world
	for i, reply := range r.Replies {
		if reply.Err == nil && reply.Sale.ID != "" {
			o.told(reply.Sale)
			switch in := inputs[i].(type) {
			case terminal.Create:
				o.holdKey(in, reply)
			case terminal.Refund:
				o.holdRefundReply(in.Request.Key, reply)
			}
		}
	}
	for _, late := range r.Late {
		if late.Reply.Err == nil {
			o.told(late.Reply.Sale)
		}
	}
	if o.stream != nil {
		o.stream.turned()
	}
	o.holdWords(inputs, r)
	o.holdToldPaid(inputs)
	f := o.sales[o.live]
	if f == nil {
		return
	}
	s := &f.sale
	a := s.LiveAttempt()
	if s.VisibleQR() != nil && !now.Before(a.ExpiresAt.Add(-w.policy.QRMargin)) {
		w.fail("M8: sale %s still shows its QR %s before its expiry", s.ID, a.ExpiresAt.Sub(now))
	}
	if a != nil && !a.Code.IsZero() && now.Sub(a.SubmittedAt) >= w.policy.FastPhase {
		w.fail("M7: attempt %s keeps its code %s after the scan", a.RequestID, now.Sub(a.SubmittedAt))
	}
	if a != nil && a.Code.IsZero() && a.Next == payment.CallPay && a.Instrument == payment.InstrumentCode {
		w.fail("M7: attempt %s is to be sent again without its code", a.RequestID)
	}
	o.holdFree(f)
}

// slack is what slow turns add to every bound.
const slack = 4 * slowestTurn

// holdFree: M15, and the cashier's cancel frees the terminal within its bound.
func (o *oracle) holdFree(f *saleFacts) {
	w := o.world
	if f.cancelSince > 0 {
		if held := w.now - max(f.cancelSince, w.startedAt); held > w.policy.CancelBound+slack {
			w.fail("M15: %s after the cashier's cancel sale %s is %s", held, f.sale.ID, f.sale.Status)
		}
	}
	for i := range f.attempts {
		if f.attempts[i].blocking {
			o.holdBlock(f.sale.ID, w.now-max(f.attempts[i].submitted, w.startedAt))
		}
	}
	most := w.policy.SaleDeadline + w.policy.SwitchBound + blockBound(w.policy) + w.policy.CancelBound + callTimeOut + slack
	if held := w.now - max(f.liveSince, w.startedAt); held > most {
		w.fail("M15: sale %s holds the counter for %s", f.sale.ID, held)
	}
}

// blockBound is M15: polling, one inquiry, cancelling.
func blockBound(p payment.Policy) time.Duration { return p.FastPhase + callTimeOut + p.CancelBound }

func (o *oracle) holdBlock(sale string, held time.Duration) {
	if most := blockBound(o.world.policy) + slack; held > most {
		o.world.fail("M15: a code of sale %s holds the counter for %s, bound %s", sale, held, most)
	}
}

// holdKey: the same key, the same sale.
func (o *oracle) holdKey(c terminal.Create, reply terminal.Reply) {
	f := o.byKey[c.Sale.Key]
	switch {
	case f == nil || f.sale.ID != reply.Sale.ID:
		o.world.fail("the key %q is answered with sale %s", c.Sale.Key, reply.Sale.ID)
	case reply.Replayed == (reply.Sale.ID == c.ID):
		o.world.fail("the key %q is answered with sale %s, replayed %v", c.Sale.Key, reply.Sale.ID, reply.Replayed)
	}
}

// told notes what somebody was told of a sale.
func (o *oracle) told(s payment.Sale) {
	f := o.sales[s.ID]
	if f == nil {
		o.world.fail("a reply tells of sale %s, which was never committed", s.ID)
		return
	}
	if s.Version > f.sale.Version {
		o.world.fail("P6: a reply tells of version %d of sale %s, of which %d was committed", s.Version, s.ID, f.sale.Version)
	}
	f.ackedVersion, f.ackedStatus = s.Version, s.Status
}

// restarted holds what the disk gives back against what somebody was told (P6),
// and what the oracle saw committed against it.
func (o *oracle) restarted() {
	w := o.world
	o.toldPaid, o.raised = nil, nil
	clear(o.trouble)
	for _, f := range o.order {
		s, err := w.disk.Sale(f.sale.ID)
		switch {
		case err != nil:
			w.fail("P6: sale %s was committed and is gone: %v", f.sale.ID, err)
		case s.Version < f.ackedVersion || f.ackedStatus.Final() && s.Status != f.ackedStatus:
			w.fail("P6: sale %s was told as version %d, %s, and is version %d, %s", s.ID, f.ackedVersion, f.ackedStatus, s.Version, s.Status)
		case s.Version != f.sale.Version || s.Status != f.sale.Status:
			w.fail("P6: sale %s was committed as version %d and is version %d", s.ID, f.sale.Version, s.Version)
		}
		if id, _, err := w.disk.ByKey(s.Key); err != nil || id != s.ID {
			w.fail("P6: the key of sale %s leads to %q: %v", s.ID, id, err)
		}
		if slices.ContainsFunc(s.Attempts, func(a payment.Attempt) bool { return a.Status.Final() && !a.Code.IsZero() }) {
			w.fail("M7: sale %s keeps a code that is of no use any more", s.ID)
		}
	}
}
