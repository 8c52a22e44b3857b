package terminal

import "time"

// maxAbandoned is how many sales a line of the log names.
const maxAbandoned = 50

// tellAbandoned says at a start which sales are watched at a gateway that the
// configuration does not name any more. Sales are taken all the same, and what these
// sales are to ask other gateways is asked: a counter that is closed for a watch of
// a day would be the greater harm. The watches stay in the due index, so that they
// go on at once where the gateway is put back.
func (t *Terminal) tellAbandoned() error {
	names, err := t.config.Store.DueGateways()
	if err != nil {
		return err
	}
	for _, name := range names {
		if name == "" || t.engine.gateways[name] != nil { // empty: a sale that waits for its first code
			continue
		}
		ids, err := t.config.Store.Due(name, time.Unix(1<<40, 0), maxAbandoned)
		if err != nil {
			return err
		}
		t.config.Log.Error("sales are still watched at a gateway that the configuration does not name any more: a late payment there would be found by nobody; "+
			"put its section back for two days (no route needs to use it), or look for these sales in its portal",
			"gateway", name, "sales", ids, "more", len(ids) == maxAbandoned)
	}
	return nil
}
