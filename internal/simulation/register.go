package simulation

import (
	"encoding/json"
	"slices"

	"payscand/payment"
	"payscand/store"
)

// register is a till that follows the event stream with pauses, loses its place
// now and then, and takes it up again where it was. What it folds must be the
// sales as the API shows them.
type register struct {
	world  *world
	cursor uint64
	views  map[string]payment.View
	turns  int
}

func newRegister(w *world) *register {
	return &register{world: w, views: map[string]payment.View{}}
}

// turned lets the register read now and then: every seventh turn a page of five.
func (r *register) turned() {
	if r.turns++; r.turns%7 == 0 {
		r.read(5)
	}
}

// read takes up a page of records after the cursor.
func (r *register) read(limit int) (more bool) {
	page, err := r.world.disk.Journal(r.cursor, limit)
	if err != nil {
		r.world.fail("P6: the event stream after %d: %v", r.cursor, err)
		return false
	}
	for _, record := range page {
		if record.Seq != r.cursor+1 {
			r.world.fail("P6: the event stream goes from %d to %d", r.cursor, record.Seq)
		}
		r.cursor = record.Seq
		if record.Sale == "" {
			continue
		}
		view := r.views[record.Sale]
		if record.Version != view.Version+1 {
			r.world.fail("P6: sale %s goes from version %d to %d in the event stream", record.Sale, view.Version, record.Version)
		}
		if r.views[record.Sale], err = payment.Fold(view, record.Fields); err != nil {
			r.world.fail("journal record %d: %v", record.Seq, err)
		}
	}
	return len(page) == limit
}

// atTheEnd holds the journal: its chain is whole, and folding it gives exactly
// the sales that the API shows.
func (r *register) atTheEnd() {
	w := r.world
	for r.read(store.MaxPage) {
	}
	last, _ := w.disk.Head()
	good, err := store.VerifyChain(w.disk)
	if err != nil || good != last || r.cursor != last {
		w.fail("the journal's chain is good up to %d of %d, read up to %d: %v", good, last, r.cursor, err)
	}
	for _, f := range w.oracle.order {
		s, err := w.disk.Sale(f.sale.ID)
		if err != nil {
			w.fail("sale %s: %v", f.sale.ID, err)
			return
		}
		folded, err1 := json.Marshal(r.views[s.ID])
		shown, err2 := json.Marshal(s.View())
		if err1 != nil || err2 != nil || !slices.Equal(folded, shown) {
			w.fail("the journal folded gives\n%s\nfor a sale that the API shows as\n%s (%v, %v)", folded, shown, err1, err2)
		}
	}
}
