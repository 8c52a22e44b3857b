package simulation

import (
	"slices"

	"payscand/payment"
	"payscand/terminal"
)

// holdNotAdopted: what is not adopted begins nothing, arms no scanner and shows
// the customer nothing.
func (o *oracle) holdNotAdopted(r terminal.Result) {
	if w := o.world; r.Arming != 0 || r.Customer.ID != "" {
		w.fail("M8: the terminal is not adopted, and a scanner is armed or sale %q is shown", r.Customer.ID)
	}
}

// holdAdopted: no request that can move money leaves a terminal that is not adopted.
func (o *oracle) holdAdopted(f *flight) {
	if w := o.world; !w.disk.Adopted() && f.moves() {
		w.fail("P2: %s of %s leaves, and the terminal is not adopted", f.call.Kind, f.requestID())
	}
}

// holdConfigRefused: the terminal refuses to start without a gateway only where
// business is open there (M7).
func (o *oracle) holdConfigRefused(gateway string) {
	if !o.openAt(gateway) {
		o.world.fail("M7: the start is refused without %s, and nothing is open there", gateway)
	}
}

// holdConfig: it does not start without a gateway where business is open.
func (o *oracle) holdConfig(p payment.Policy) {
	for _, g := range o.world.gateways {
		if _, there := p.Gateways[g.name]; !there && o.openAt(g.name) {
			o.world.fail("M7: the terminal starts without %s, and business is open there", g.name)
		}
	}
}

// openAt reports whether an attempt or a refund at the gateway is not over.
func (o *oracle) openAt(gateway string) bool {
	return slices.ContainsFunc(o.order, func(f *saleFacts) bool {
		s := f.sale
		return slices.ContainsFunc(s.Attempts, func(a payment.Attempt) bool { return a.Gateway == gateway && !a.Status.Final() }) ||
			slices.ContainsFunc(s.Refunds, func(r payment.Refund) bool {
				waits := r.Call != nil || r.Next != "" // else it is a person's
				return s.Attempt(r.Attempt).Gateway == gateway && !r.Status.Final() && waits
			})
	})
}
