package simulation

import (
	"errors"
	"slices"
	"strings"

	"payscand/payment"
	"payscand/terminal"
)

// trouble is what may be said against a gateway: that it does not answer, or that
// it refuses this terminal's calls (M14).
type trouble struct {
	down, refuses bool
	// silent: in this turn a customer waited for nothing but silence.
	silent bool
	// known: it follows from the last outcome alone.
	known bool
}

func (o *oracle) troubleOf(gateway string) *trouble {
	if o.trouble[gateway] == nil {
		o.trouble[gateway] = &trouble{down: true} // it has not answered since the start
	}
	return o.trouble[gateway]
}

// heard learns from a call's outcome what may be said against its gateway. A call
// that is refused for what it asks says nothing against it.
func (t *trouble) heard(asked payment.CallKind, v payment.Verdict) {
	t.known = t.known || v.Class.Verified() || v.Class == payment.ClassNotSent && v.Reason == payment.ReasonGatewayUnreachable || asked == payment.CallProbe
	question := asked == payment.CallProbe || asked == payment.CallInquire
	switch {
	case v.Class == payment.ClassNotSent && v.Reason == payment.ReasonGatewayUnreachable, v.Class == payment.ClassNoAnswer && asked == payment.CallProbe:
		t.down = true
	case !v.Class.Verified():
	case v.Class == payment.ClassRefused && (v.Reason == payment.ReasonBadSignature || v.Reason == payment.ReasonClockWrong ||
		v.Reason == payment.ReasonNotPermitted && question):
		t.down, t.refuses = false, true
	default:
		t.down, t.refuses = false, false
	}
}

// holdWords holds a turn's refusals against what is known, input by input.
func (o *oracle) holdWords(inputs []terminal.Input, r terminal.Result) {
	for i, reply := range r.Replies {
		if in, answers := inputs[i].(terminal.Answered); answers {
			o.troubleOf(in.Call.Gateway).heard(in.Call.Kind, in.Verdict)
		} else if refused, is := errors.AsType[*terminal.Error](reply.Err); is {
			o.holdRefusal(refused)
		}
	}
	for _, t := range o.trouble {
		if t.silent {
			*t = trouble{down: true}
		}
	}
}

// holdRefusal: nobody is sent away for a gateway's sake without a cause (M14), or
// told that a payment stays which is given back (M11).
func (o *oracle) holdRefusal(e *terminal.Error) {
	w, t := o.world, o.troubleOf(e.Gateway)
	switch {
	case e.Code == terminal.CodeGatewayDown && !t.down && !t.silent, e.Code == terminal.CodeGatewayMisconfigured && !t.refuses:
		w.fail("M14: somebody is told %s of %s, whose last answer was good", e.Code, e.Gateway)
	case e.Code == terminal.CodeConflict && strings.Contains(e.Message, "do not charge again"):
		f := o.sales[e.Sale]
		if f.sale.Status != payment.SalePaid || givesPaidBack(&f.sale) {
			w.fail("M11: who would replace sale %s is told not to charge again, and it is %s, or given back", e.Sale, f.sale.Status)
		}
		o.kept[e.Sale] = true
	}
}

// holdNotified: what a gateway tells of a sale of this terminal is taken in.
func (o *oracle) holdNotified(n payment.Notification, r terminal.Reply) {
	if r.Err != nil {
		o.world.fail("a notification about %s is refused: %v", n.RequestID, r.Err)
	}
}

// givesPaidBack reports whether the payment of a sale is given back by itself (M12).
func givesPaidBack(s *payment.Sale) bool {
	return slices.ContainsFunc(s.Refunds, func(r payment.Refund) bool {
		return r.Automatic && r.Status != payment.RefundFailed && s.Attempt(r.Attempt).Status == payment.AttemptPaid
	})
}

// holdReplaced: what is paid, and of which nothing was given back or is on its way
// back, is not charged again under another sale's name (M11).
func (o *oracle) holdReplaced(s payment.Sale, replaces string) {
	f := o.sales[replaces]
	if f == nil || f.sale.Status != payment.SalePaid {
		return
	}
	for _, r := range f.sale.Refunds {
		if r.Status != payment.RefundFailed {
			return
		}
	}
	for _, a := range f.sale.Attempts {
		if a.Returned != nil {
			return
		}
	}
	o.world.fail("M11: sale %s is made in the place of %s, which is paid", s.ID, replaces)
}
