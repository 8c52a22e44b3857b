package payment

// Money of a payment may be given back behind the terminal's back, by a person in
// the gateway's portal. Nobody tells of it; it is found where the gateway is asked
// about the payment anyway, or because somebody asks (check), and recorded.

// looksAgain reports whether a check is worth a question about an attempt that is
// over: money was taken for it.
func looksAgain(a *Attempt) bool {
	return a.Status == AttemptPaid || a.Status.Final() && a.Capture != nil
}

// lookAgain plans one question about a payment. Where it brings no answer it is
// not repeated.
func (t *step) lookAgain(a *Attempt) {
	if a.Watch == nil && a.Capture != nil && a.Capture.Kept == KeptUnconfirmed {
		t.watch(a)
	}
	switch q := t.question(a); {
	case a.Watch != nil:
		t.hasten(a)
	case q != "" && a.Call == nil && a.Next == "":
		t.planCall(a, q, t.soon(a.CalledAt))
	}
}

// lookedAgain takes in an answer about an attempt that is over.
func (t *step) lookedAgain(a *Attempt, v Verdict, mayReverse bool) {
	t.returned(a, v.Returned, v.Amount) // first: what was given back is not reversed
	if a.Watch != nil {
		t.watchOutcome(a, v, mayReverse)
	}
}

// returned records that money of the attempt's payment was given back, unless the
// terminal's own refunds account for it. What was found stands. paid is the
// payment's amount.
func (t *step) returned(a *Attempt, extent Extent, paid Money) {
	ours := t.sale.ours(a.N)
	switch {
	case extent == ReturnedInFull && ours < paid.Amount && !a.returnedInFull():
		a.Returned = &Returned{Extent: extent, Amount: paid, FoundAt: t.now}
	case extent == ReturnedInPart && ours == 0 && a.Returned == nil:
		a.Returned = &Returned{Extent: extent, FoundAt: t.now}
	}
}
