package payment_test

import (
	"errors"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"payscand/payment"
)

// sampleEvents are events of every kind as they could meet the sale.
func sampleEvents(s payment.Sale) []payment.Event {
	code := payment.NewCode("281234567890123456")
	events := []payment.Event{
		payment.Created{ID: saleID, Amount: tenBucks, Mode: payment.ModeAuto, Scanner: true},
		payment.CodePresented{Code: code, Wallet: payment.WalletAlipayPlus},
		payment.CodePresented{Code: code, Wallet: payment.WalletAlipayPlus, Arming: 12345}, // of another arming
		payment.QRRequested{}, payment.CancelRequested{}, payment.CheckRequested{}, payment.ScannerLost{},
		payment.RefundRequested{}, payment.RefundRequested{Amount: 1}, payment.RefundRequested{Amount: -1}, payment.RefundRequested{Amount: 1 << 40},
		payment.Resolved{}, payment.Resolved{Outcome: payment.OverridePaid}, payment.Resolved{Outcome: payment.OverrideNotPaid},
		paidElsewhere(), paidElsewhere(func(v *payment.Verdict) { v.Class = payment.ClassClosed }), payment.PaidElsewhere{},
		payment.Due{Gateway: "gw"}, payment.Recovered{}, payment.Outcome{}, payment.Outcome{Attempt: -1}, payment.Outcome{Attempt: 99, Seq: 1},
	}
	for _, a := range s.Attempts {
		for _, class := range append(payment.Classes(), "unheard of") {
			v := payment.Verdict{Class: class, RequestID: a.RequestID, PaymentID: a.PaymentID, Amount: s.Amount}
			events = append(events, payment.Outcome{Attempt: a.N, Seq: a.Seq, Verdict: v})
		}
	}
	for _, r := range s.Refunds {
		for _, class := range append(payment.Classes(), "unheard of") {
			v := payment.Verdict{Class: class, RequestID: r.RequestID, RefundID: r.RefundID, Amount: r.Amount}
			events = append(events, payment.Outcome{Attempt: r.Attempt, Refund: r.N, Seq: r.Seq, Verdict: v})
		}
	}
	return events
}

// Every pair of status and event is in the transition table or refused with a
// *ConflictError, and a refusal changes nothing. Every transition that the table
// allows does happen, and none other. The sales come from real histories.
func TestEveryStatusMeetsEveryEvent(t *testing.T) {
	t.Parallel()
	table := payment.Transitions()
	found := mustExplore(t)
	edges := rareEdges(t)
	maps.Copy(edges, found.edges)
	met := map[payment.SaleStatus]map[payment.EventKind]bool{}
	for _, status := range append(payment.SaleStatuses(), payment.SaleNew) {
		met[status] = map[payment.EventKind]bool{}
		examples := found.examples[status]
		if status == payment.SaleNew {
			examples = []payment.Sale{{}}
		}
		for _, s := range examples {
			snapshot := mustJSON(s)
			for _, e := range sampleEvents(s) {
				met[status][e.Kind()] = true
				for _, later := range []time.Duration{0, time.Hour} {
					meet(t, table, s, e, later)
				}
			}
			if mustJSON(s) != snapshot {
				t.Fatalf("Step changed a sale that it was given, %q", status)
			}
		}
		for _, kind := range payment.EventKinds() {
			if !met[status][kind] {
				t.Errorf("%q never met %q", status, kind)
			}
		}
	}
	for from, row := range table {
		for event, next := range row {
			for _, to := range next {
				if !edges[edge{from, event, to}] {
					t.Errorf("the table allows %q → %q by %q, which never happens", from, to, event)
				}
			}
		}
	}
}

func meet(t *testing.T, table map[payment.SaleStatus]map[payment.EventKind][]payment.SaleStatus,
	s payment.Sale, e payment.Event, later time.Duration,
) {
	t.Helper()
	now := s.UpdatedAt.Add(later)
	traits := alphaPayLike
	if a := s.LiveAttempt(); a != nil && a.Cancels > 0 && a.PaymentID == "" {
		traits = alipayPlusLike
	}
	change, calls, err := payment.Step(s, e, now, testPolicy(traits))
	next, known := table[s.Status][e.Kind()]
	var conflict *payment.ConflictError
	switch {
	case errors.As(err, &conflict):
		if conflict.Status != s.Status || conflict.Event != e.Kind() || conflict.Sale != s.ID {
			t.Errorf("%q in %q is refused as %+v", e.Kind(), s.Status, conflict)
		}
		if !reflect.DeepEqual(change, payment.Change{}) || calls != nil {
			t.Errorf("%q in %q is refused and changes something", e.Kind(), s.Status)
		}
		if known && conflict.Why == "" {
			t.Errorf("%q in %q is in the table, and refused without saying why", e.Kind(), s.Status)
		}
	case err != nil:
		t.Errorf("%q in %q: %v", e.Kind(), s.Status, err)
	case !known:
		t.Errorf("%q in %q is not in the table and not refused", e.Kind(), s.Status)
	case change.After.ID != "" && change.After.Status != s.Status && !slices.Contains(next, change.After.Status):
		t.Errorf("%q took %q to %q, which the table does not name", e.Kind(), s.Status, change.After.Status)
	}
}

// rareEdges are the transitions that need a call which never comes back, a
// route that is gone, or an unlikely moment: hardly a random history has them.
func rareEdges(t *testing.T) map[edge]bool {
	t.Helper()
	edges := map[edge]bool{}
	note := func(s *script, e payment.Event) {
		from := s.sale.Status
		s.do(e)
		edges[edge{from, e.Kind(), s.sale.Status}] = true
	}
	note(&script{T: t, policy: testPolicy(alphaPayLike), now: dayOne}, paidElsewhere())
	for _, wanted := range []bool{true, false} {
		s := tell(t, alphaPayLike, payment.ModeAuto)
		s.do(payment.QRRequested{})
		if wanted {
			s.do(payment.CancelRequested{})
		} else {
			s.scan()
		}
		s.after(time.Minute)
		s.is(payment.SaleUnresolved)
		note(s, payment.Recovered{})
	}
	// A code that holds the counter to the end of its time, without an answer.
	s := tell(t, alphaPayLike, payment.ModeAuto)
	s.scan()
	s.after(59 * time.Second)
	s.now = s.now.Add(time.Second)
	note(s, payment.Outcome{Attempt: 1, Seq: s.call.Seq, Verdict: payment.Verdict{Class: payment.ClassNoAnswer}})
	// A QR whose both sends were lost is given up while a restart is under way.
	for _, late := range []time.Duration{0, 10 * time.Minute} {
		s := tell(t, alphaPayLike, payment.ModeAuto)
		s.do(payment.QRRequested{})
		s.scan()
		s.after(10 * time.Second) // the code is dropped, the QR still being closed
		s.now = s.now.Add(late)
		note(s, payment.Recovered{})
	}
	for _, late := range []time.Duration{0, 10 * time.Minute} {
		s := tell(t, alphaPayLike, payment.ModeAuto)
		s.do(payment.QRRequested{})
		s.answer(payment.ClassPending, id("P1"), qr("https://pay/1"))
		s.scan()
		s.policy.Routes = []payment.Route{{Instrument: payment.InstrumentQR, Gateway: "gw"}}
		s.now = s.now.Add(late)
		note(s, payment.Outcome{Attempt: 1, Seq: s.call.Seq, Verdict: payment.Verdict{
			Class: payment.ClassClosed, RequestID: s.last().RequestID, PaymentID: "P1",
		}})
	}
	s = tell(t, alphaPayLike, payment.ModeAuto)
	s.do(payment.QRRequested{})
	s.answer(payment.ClassNoAnswer)
	note(s, payment.CodePresented{Code: scannedCode, Wallet: payment.WalletAlipayPlus}) // likewise
	s = tell(t, alphaPayLike, payment.ModeQR)
	s.answer(payment.ClassNoAnswer)
	note(s, payment.CancelRequested{}) // between the two sends of a QR that nobody saw
	s = tell(t, alphaPayLike, payment.ModeQR)
	s.now = s.now.Add(10 * time.Minute)
	note(s, payment.Outcome{Attempt: 1, Seq: s.call.Seq, Verdict: payment.Verdict{Class: payment.ClassFailed, Documented: true}})
	return edges
}

// An outcome counts only for the call under way: not with another number, not
// for another attempt, not a second time, not after a restart.
func TestStaleOutcomeIsIgnored(t *testing.T) {
	s := tell(t, alphaPayLike, payment.ModeAuto)
	s.scan()
	s.answer(payment.ClassFailed)
	s.scan()
	pay := *s.call
	paid := func(attempt, seq int) payment.Outcome {
		return payment.Outcome{Attempt: attempt, Seq: seq, Verdict: payment.Verdict{
			Class: payment.ClassPaid, RequestID: saleID + "-2", PaymentID: "P2", Amount: tenBucks,
		}}
	}
	for _, e := range []payment.Outcome{paid(2, pay.Seq-1), paid(2, pay.Seq+1), paid(1, pay.Seq), paid(0, pay.Seq), paid(3, pay.Seq)} {
		change, calls, err := payment.Step(s.sale, e, s.now, s.policy)
		if err != nil || change.Changed() || len(calls) > 0 {
			t.Errorf("outcome %d of attempt %d: %+v, %v", e.Seq, e.Attempt, change, err)
		}
	}
	s.crash(time.Second)
	s.do(paid(2, pay.Seq))
	s.is(payment.SaleProcessing)
	s.next(payment.CallPay)
	s.answer(payment.ClassPaid, id("P2"))
	s.is(payment.SalePaid)
	change, _, err := payment.Step(s.sale, paid(2, s.last().Seq), s.now, s.policy)
	if err != nil || change.Changed() {
		t.Errorf("the same outcome twice: %+v, %v", change, err)
	}
}

// A sale has at most nine attempts. The tenth is refused, and nothing happens by
// itself any more but the deadline.
func TestAttemptsAreLimited(t *testing.T) {
	s := tell(t, alphaPayLike, payment.ModeAuto)
	for range payment.MaxAttempts {
		s.scan()
		s.answer(payment.ClassFailed)
	}
	s.is(payment.SaleAwaitingCode)
	if s.sale.Armed() {
		t.Error("armed for a tenth attempt")
	}
	var conflict *payment.ConflictError
	for _, e := range []payment.Event{payment.CodePresented{Code: scannedCode, Wallet: payment.WalletAlipayPlus}, payment.QRRequested{}} {
		if err := s.try(e); !errors.As(err, &conflict) || conflict.Why == "" {
			t.Errorf("%s: %v", e.Kind(), err)
		}
	}
	s.do(payment.ScannerLost{})
	s.after(4 * time.Minute)
	s.is(payment.SaleAwaitingCode)
	s.after(time.Minute)
	s.is(payment.SaleExpired)
}

// What no route takes is refused with a *RouteError and changes nothing; an
// automatic QR without a route is left out.
func TestNoRoute(t *testing.T) {
	s := tell(t, alphaPayLike, payment.ModeAuto)
	s.policy.Routes = nil
	before := mustJSON(s.sale)
	var route *payment.RouteError
	for _, e := range []payment.Event{payment.CodePresented{Code: scannedCode, Wallet: payment.WalletAlipayPlus}, payment.QRRequested{}} {
		if err := s.try(e); !errors.As(err, &route) || mustJSON(s.sale) != before {
			t.Errorf("%s: %v", e.Kind(), err)
		}
	}
	s.after(time.Minute)
	s.is(payment.SaleAwaitingCode)
	_, _, err := payment.Step(payment.Sale{}, payment.Created{ID: saleID, Amount: tenBucks, Mode: payment.ModeQR}, s.now, s.policy)
	if !errors.As(err, &route) {
		t.Errorf("a sale that can only be a QR was made: %v", err)
	}
}

// A failure after the deadline ends the sale instead of arming the scanner again.
func TestDeadlineAfterAFailure(t *testing.T) {
	s := tell(t, alphaPayLike, payment.ModeScan)
	s.after(5*time.Minute - time.Second)
	s.scan()
	s.after(2 * time.Second)
	s.answer(payment.ClassFailed)
	s.is(payment.SaleExpired)
	if s.sale.LastFailure == nil {
		t.Error("the reason is lost")
	}
}

// Every sale takes a restart, twice over: its calls are forgotten, what was being
// sent is unknown, a question is asked at once, and no due event repeats for ever.
func TestEveryStatusRecovers(t *testing.T) {
	for status, sales := range mustExplore(t).examples {
		for _, sale := range sales {
			s := &script{T: t, sale: stored(sale), now: sale.UpdatedAt.Add(time.Second), policy: testPolicy(alphaPayLike)}
			for _, a := range sale.Attempts { // what began in the background since is no news for anybody
				if a.CalledAt.After(s.now) {
					s.now = a.CalledAt
				}
			}
			for range 2 {
				was := s.sale
				s.do(payment.Recovered{})
				if !was.Open() && mustJSON(s.sale) != mustJSON(was) {
					t.Errorf("a restart changed a sale of which nothing was under way, %q", status)
				}
				if a := s.sale.LiveAttempt(); a != nil && a.N == len(was.Attempts) && a.Status == payment.AttemptSubmitting {
					t.Errorf("%q: still submitting after a restart", status)
				}
				s.after(0)
				if s.sale.Due.IsZero() && s.sale.Status.Live() && s.call == nil {
					t.Errorf("%q: nothing is due after a restart, now %q", status, s.sale.Status)
				}
			}
		}
	}
}
