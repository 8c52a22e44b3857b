package simulation

import (
	"testing"

	"payscand/payment"
)

// An uneventful day breaks nothing, has both its customers pay, and excuses nothing.
func TestUneventfulDay(t *testing.T) {
	w := newWorld(newScriptedDecider(nil))
	w.oracle.stream = newRegister(w)
	w.run()
	if w.broken != nil || w.result.Captures != 2 || w.result.Excused != [excuses]int{} || w.oracle.order[0].sale.Status != payment.SalePaid {
		t.Errorf("%v; %d captures, excused %v, sale %s", w.broken, w.result.Captures, w.result.Excused, w.oracle.order[0].sale.Status)
	}
}
