package simulation

import (
	"slices"

	"payscand/payment"
	"payscand/terminal"
)

// holdResult holds what a turn tells scanner, screen and register against what was
// committed.
func (o *oracle) holdResult(r terminal.Result) {
	w := o.world
	for _, id := range o.raised {
		if !slices.ContainsFunc(r.Changed, func(s payment.Sale) bool { return s.ID == id && s.Version == o.sales[id].sale.Version }) {
			w.fail("P6: sale %s has changed, and nobody who waits for it is told", id)
		}
	}
	o.raised = o.raised[:0]
	if !w.disk.Adopted() {
		o.holdNotAdopted(r)
		return
	}
	token, shown := uint64(0), o.sales[r.Customer.ID]
	if f := o.sales[o.live]; f != nil {
		token = f.sale.ArmingToken()
		if r.Customer.ID != o.live || r.Customer.Version != f.sale.Version {
			w.fail("M8: the customer sees sale %q, version %d, and %s is live", r.Customer.ID, r.Customer.Version, o.live)
		}
	} else if r.Customer.ID != "" && (shown == nil || r.Customer.VisibleQR() != nil) {
		w.fail("M8: the customer sees a QR of sale %s, which is not live", r.Customer.ID)
	}
	if r.Arming != token {
		w.fail("P7: the scanner is armed with %d, and the live sale wants %d", r.Arming, token)
	}
	o.holdOutOfOrder(r.OutOfOrder)
}

// holdOutOfOrder: the screen says so if every gateway that a sale could use is known
// to take none, and only then (M14).
func (o *oracle) holdOutOfOrder(said bool) {
	known, all := true, true
	for _, name := range o.world.routed {
		t := o.troubleOf(name)
		known, all = known && t.known, all && (t.down || t.refuses)
	}
	if said && !all || !said && all && known {
		o.world.fail("M14: the screen says %v to being out of order, and the gateways are %v", said, o.world.routed)
	}
}
