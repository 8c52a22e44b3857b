package lab

import "testing"

// TestSale: a scan of every kind of scanner becomes a paid sale, charged for exactly that code.
func TestSale(t *testing.T) {
	m := guest(t)
	all := scanners()
	s := open(t, m, all...)
	for _, scanner := range all {
		s.part(scanner.mode, func() {
			scanner.cable.plug(s.t, m)
			s.awaitState(scanner, "ready")
			s.pay(scanner)
			scanner.cable.unplug(s.t, m)
			s.awaitState(scanner, "missing")
		})
	}
}
