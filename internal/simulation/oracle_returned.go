package simulation

import (
	"slices"
	"strings"

	"payscand/payment"
	"payscand/terminal"
)

// toldPaid is an answer that told of money taken for an attempt, and how much of
// the sale's amount was given back.
type toldPaid struct {
	sale    string
	attempt int
	extent  payment.Extent // empty: nothing, or it is another amount
}

// saleOf is the sale that an attempt's request id belongs to.
func (o *oracle) saleOf(requestID string) string {
	sale, _, _ := strings.Cut(requestID, "-")
	return sale
}

// toldOf notes that a verified answer tells of money that was taken. An answer that
// nobody waits for any more counts for nothing: a person decided meanwhile, and the
// attempt's watch asks again.
func (o *oracle) toldOf(f *flight, v payment.Verdict) {
	a := o.sales[f.call.Sale].sale.Attempt(f.call.Attempt)
	if v.Class != payment.ClassPaid || a.Call == nil || a.Call.Seq != f.call.Seq {
		return
	}
	foreign := v.PaymentID != "" && a.PaymentID != "" && v.PaymentID != a.PaymentID && !a.IDDisproved
	if v.RequestID != f.attempt.RequestID || foreign || v.Amount.IsZero() {
		return
	}
	told := toldPaid{sale: f.call.Sale, attempt: f.call.Attempt}
	if v.Amount == o.amountOf(f.call.Sale) {
		told.extent = v.Returned
	}
	o.toldPaid = append(o.toldPaid, told)
}

// holdToldPaid: money that the gateway told to be taken is on the sale after the
// turn that heard it: it paid the sale, or it was found, or a cancel is out that
// gives it back (M5, M12). An answer after a notification that ended the attempt in
// the same turn begins a watch.
func (o *oracle) holdToldPaid(inputs []terminal.Input) {
	for _, told := range o.toldPaid {
		s := &o.sales[told.sale].sale
		a := s.Attempt(told.attempt)
		reverses := !a.Status.Final() && a.Cancels > 0 && o.world.gateway(a.Gateway).traits.CancelReverses
		asked := !a.Status.Final() && a.Call != nil // anew, in this very turn
		looked := a.Watch != nil && endedUnasked(inputs, a.RequestID)
		if a.Status != payment.AttemptPaid && a.Capture == nil && !reverses && !asked && !looked {
			o.world.fail("M12: the gateway told that money was taken for attempt %s, which is %s, and the sale does not say so", a.RequestID, a.Status)
		}
		o.holdToldReturned(s, a, told.extent)
	}
	o.toldPaid = nil
}

// endedUnasked reports whether a notification among a turn's inputs says that an
// order came to nothing.
func endedUnasked(inputs []terminal.Input, requestID string) bool {
	return slices.ContainsFunc(inputs, func(in terminal.Input) bool {
		told, is := in.(terminal.Notified)
		n := told.Notification
		return is && n.Verified && n.RequestID == requestID && (n.Verdict.Class == payment.ClassFailed || n.Verdict.Class == payment.ClassClosed)
	})
}

// holdToldReturned: what the gateway told of money given back is on the sale, unless
// refunds made here account for it, or the payment is just being asked about anew.
func (o *oracle) holdToldReturned(s *payment.Sale, a *payment.Attempt, extent payment.Extent) {
	if extent == "" || !a.Status.Final() { // a cancel is out that gives the money back (M5)
		return
	}
	ours := int64(0)
	for _, r := range s.Refunds {
		if r.Attempt == a.N && r.Status != payment.RefundFailed {
			ours += r.Amount.Amount
		}
	}
	known := a.Returned != nil && (a.Returned.Extent == extent || a.Returned.Extent == payment.ReturnedInFull)
	accounted := ours >= s.Amount.Amount || extent == payment.ReturnedInPart && ours > 0
	asked := a.Call != nil || a.Next == payment.CallInquire
	if !known && !accounted && !asked {
		o.world.fail("the gateway told that attempt %s was refunded (%s), and the sale does not say so", a.RequestID, extent)
	}
}

// holdReturned: nothing is said to be given back that was not, and what was found
// to be given back is not taken back again.
func (o *oracle) holdReturned(before, after payment.Sale) {
	w, back := o.world, int64(0)
	for i := range after.Attempts {
		a := &after.Attempts[i]
		whole, some := false, false
		for _, order := range w.gateway(a.Gateway).byRequest[a.RequestID] {
			done := order.done()
			back += done
			whole, some = whole || order.captured && done == order.amount.Amount, some || done > 0
		}
		if r := a.Returned; r != nil && (!some || r.Extent == payment.ReturnedInFull && !whole) {
			w.fail("P4: attempt %s is said to be refunded at the gateway (%s), and it was not", a.RequestID, r.Extent)
		}
		if i < len(before.Attempts) && before.Attempts[i].Returned != nil && a.Returned == nil {
			w.fail("attempt %s is not said to be refunded any more", a.RequestID)
		}
	}
	if sum := after.Refunded(); sum > back {
		w.fail("P4: sale %s says that %d were refunded, and %d were", after.ID, sum, back)
	}
	if whole := after.Attempts; before.Refunded() > after.Refunded() && len(whole) > 0 {
		w.fail("sale %s says that %d were refunded, and said %d before", after.ID, after.Refunded(), before.Refunded())
	}
}
