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
	if !o.asks(gateway, payment.Sale.Open) {
		o.world.fail("M7: the start is refused without %s, and nothing is open there", gateway)
	}
}

// holdConfig: it does not start without a gateway that it must still ask.
func (o *oracle) holdConfig(p payment.Policy) {
	for _, g := range o.world.gateways {
		if _, there := p.Gateways[g.name]; !there && o.asks(g.name, func(s payment.Sale) bool { return !s.Status.Final() }) {
			o.world.fail("M7: the terminal starts without %s, and a sale is open there", g.name)
		}
	}
}

// asks reports whether a sale of a kind has an attempt at the gateway.
func (o *oracle) asks(gateway string, kind func(payment.Sale) bool) bool {
	return slices.ContainsFunc(o.order, func(f *saleFacts) bool {
		return kind(f.sale) && slices.ContainsFunc(f.sale.Attempts, func(a payment.Attempt) bool { return a.Gateway == gateway })
	})
}
