package simulation

import (
	"strings"
	"testing"

	"payscand/payment"
	"payscand/terminal"
)

// playedUntil plays a scripted world until its first sale has a status.
func playedUntil(t *testing.T, schedule string, status payment.SaleStatus) (*world, payment.Sale) {
	t.Helper()
	s, err := ParseSchedule(schedule)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(newScriptedDecider(s))
	w.oracle.stream = newRegister(w)
	w.start()
	w.shop.open()
	for w.broken == nil {
		for _, f := range w.oracle.order {
			if f.sale.Status == status {
				return w, f.sale
			}
		}
		e, ok := w.queue.pop()
		if !ok {
			break
		}
		w.now = e.at
		e.do()
	}
	t.Fatalf("no sale was ever %s: %v", status, w.broken)
	return nil, payment.Sale{}
}

// The oracle sees each broken promise: commits that a wrong core would make are
// put before it, and it names the rule.
func TestOracleBites(t *testing.T) {
	const waits = "wallet/1/0=1 wallet-delay/1/0=6"
	for name, c := range map[string]struct {
		schedule string
		status   payment.SaleStatus
		spoil    func(w *world, s *payment.Sale)
		want     string
	}{
		"paid without a capture": {waits, payment.SaleProcessing, func(_ *world, s *payment.Sale) {
			s.Status, s.Version = payment.SalePaid, s.Version+1
			s.Attempts[0].Status = payment.AttemptPaid
			s.Attempts[0].Code = payment.Code{}
			s.Receipt = &payment.Receipt{PaymentID: "alphapay-1", PaidAmount: s.Amount}
		}, "P4"},
		"a final sale moves": {"", payment.SalePaid, func(_ *world, s *payment.Sale) {
			s.Status, s.Version = payment.SaleExpired, s.Version+1
		}, "which is final"},
		"a final attempt moves": {"", payment.SalePaid, func(_ *world, s *payment.Sale) {
			s.Attempts[0].Status = payment.AttemptClosed
		}, "which is final"},
		"the code is kept": {waits, payment.SaleProcessing, func(_ *world, s *payment.Sale) {
			s.Status, s.Version = payment.SaleAwaitingCode, s.Version+1
			s.Attempts[0].Status, s.Attempts[0].Code = payment.AttemptFailed, payment.NewCode("281234567890123456")
		}, "M7"},
		"a version is left out": {waits, payment.SaleProcessing, func(_ *world, s *payment.Sale) {
			s.Status, s.Version = payment.SaleCancelling, s.Version+2
		}, "from version"},
		"a change is not told": {waits, payment.SaleProcessing, func(_ *world, s *payment.Sale) {
			s.Status = payment.SaleCancelling
		}, "without a new version"},
		"two live attempts": {waits, payment.SaleProcessing, func(_ *world, s *payment.Sale) {
			a := s.Attempts[0]
			a.N, a.RequestID = 2, s.ID+"-2"
			s.Attempts = append(s.Attempts, a)
		}, "P2"},
		"a QR beside a live code": {waits, payment.SaleProcessing, func(_ *world, s *payment.Sale) {
			s.Status, s.Version = payment.SaleShowingQR, s.Version+1
			s.Attempts[0].Status, s.Attempts[0].QR = payment.AttemptPending, &payment.QR{Payload: "https://pay.example/x"}
		}, "P2"},
		"a code of another sale's scan": {"", payment.SaleAwaitingCode, func(_ *world, s *payment.Sale) {
			s.Status, s.Version = payment.SaleProcessing, s.Version+1
			s.Attempts = []payment.Attempt{{
				N: 1, RequestID: s.ID + "-1", Gateway: "alphapay", Instrument: payment.InstrumentCode,
				Status: payment.AttemptSubmitting, Code: payment.NewCode("289999999999999999"),
			}}
		}, "P7"},
		"unresolved and live again": {waits + " fate/1/1=1 fate/1/2=1 fate/1/3=1 fate/1/4=1", payment.SaleUnresolved, func(_ *world, s *payment.Sale) {
			s.Status, s.Version = payment.SaleProcessing, s.Version+1
		}, "live again"},
		"a reply of what was never committed": {"", payment.SaleAwaitingCode, func(w *world, _ *payment.Sale) {
			w.oracle.told(payment.Sale{ID: "another", Version: 1})
		}, "never committed"},
		"the disk forgets a sale that was told of": {waits, payment.SaleProcessing, func(w *world, _ *payment.Sale) {
			w.disk.Store = newDisk(w).Store
			w.oracle.restarted()
		}, "P6"},
		"a key leads to another sale": {"", payment.SaleAwaitingCode, func(w *world, s *payment.Sale) {
			w.oracle.holdKey(terminal.Create{ID: "x", Sale: terminal.NewSale{Key: s.Key}}, terminal.Reply{Sale: payment.Sale{ID: "x"}})
		}, "the key"},
		"a call leaves without its intent": {"", payment.SaleAwaitingCode, func(w *world, s *payment.Sale) {
			w.oracle.starts(&flight{call: payment.Call{Sale: s.ID, Attempt: 1, Seq: 1, Kind: payment.CallPay, Gateway: "alphapay"}})
		}, "P1"},
		"a code holds the counter too long": {waits, payment.SaleProcessing, func(w *world, s *payment.Sale) {
			s.Attempts[0].Code = payment.Code{}
			w.now += blockBound(w.policy) + slack + 1
		}, "M15"},
	} {
		t.Run(name, func(t *testing.T) {
			w, s := playedUntil(t, c.schedule, c.status)
			before := s
			s.Attempts = append([]payment.Attempt(nil), s.Attempts...)
			c.spoil(w, &s)
			w.oracle.commits([]payment.Change{{Before: before, After: s}})
			w.oracle.turned(w.clock.wall(w.now), nil, terminal.Result{})
			if w.broken == nil || !strings.Contains(w.broken.Error(), c.want) {
				t.Errorf("the oracle says %v, want %q", w.broken, c.want)
			}
		})
	}
}

// An uneventful day breaks nothing, has both its customers pay, and excuses nothing.
func TestUneventfulDay(t *testing.T) {
	w := newWorld(newScriptedDecider(nil))
	w.oracle.stream = newRegister(w)
	w.run()
	if w.broken != nil || w.result.Captures != 2 || w.result.Excused != [excuses]int{} || w.oracle.order[0].sale.Status != payment.SalePaid {
		t.Errorf("%v; %d captures, excused %v, sale %s", w.broken, w.result.Captures, w.result.Excused, w.oracle.order[0].sale.Status)
	}
}
