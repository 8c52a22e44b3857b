package terminal_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"payscand/payment"
	"payscand/terminal"
)

const (
	code1 = "281234567890123400"
	code2 = "281234567890123411"
	code3 = "281234567890123422"
)

var noAnswer = payment.Verdict{Class: payment.ClassNoAnswer, Reason: payment.ReasonNoAnswer}

// A scanned sale goes out once, after its commit, and is paid by a verdict that matches.
func TestScannedSale(t *testing.T) {
	w := newWorld(t)
	s := w.mustCreate(terminal.NewSale{})
	if w.arming == 0 || w.arming != w.sale(s.ID).ArmingToken() {
		t.Fatalf("arming token %d, the sale's is %d", w.arming, w.sale(s.ID).ArmingToken())
	}
	w.scan(code1)
	if w.arming != 0 {
		t.Error("the scanner is still armed while a code is with the gateway")
	}
	w.answer(w.call(payment.CallPay), w.paid(s))
	if got := w.sale(s.ID); got.Status != payment.SalePaid || got.Receipt == nil {
		t.Fatalf("sale is %s", got.Status)
	}
	if n := w.calls(payment.CallPay); n != 0 {
		t.Errorf("%d more pay calls were started", n)
	}
}

// The same key and content give the same sale, in the same turn, later and after
// a restart; other content is refused; neither makes a second sale.
func TestIdempotency(t *testing.T) {
	w := newWorld(t)
	n := terminal.NewSale{Key: "k", Digest: "d", Amount: payment.Money{Amount: 5, Currency: "CAD"}, Mode: payment.ModeScan}
	other := n
	other.Digest = "e"
	replies := w.turn(
		terminal.Create{ID: "01M80DNPN8TGAS1PYN6FB3000A", Sale: n},
		terminal.Create{ID: "01M80DNPN8TGAS1PYN6FB3000B", Sale: n},
		terminal.Create{ID: "01M80DNPN8TGAS1PYN6FB3000C", Sale: other},
	)
	first := replies[0].Sale.ID
	if replies[0].Replayed || replies[0].Err != nil {
		t.Fatalf("first: replayed %v, %v", replies[0].Replayed, replies[0].Err)
	}
	check := func(when string, r terminal.Reply) {
		t.Helper()
		if r.Err != nil || !r.Replayed || r.Sale.ID != first {
			t.Errorf("%s: sale %s, replayed %v, %v", when, r.Sale.ID, r.Replayed, r.Err)
		}
	}
	check("same turn", replies[1])
	if refused := refusalOf(replies[2]); refused == nil || refused.Code != terminal.CodeKeyReused {
		t.Errorf("other content: %v", replies[2].Err)
	}
	check("next turn", w.turn(terminal.Create{ID: "01M80DNPN8TGAS1PYN6FB3000D", Sale: n})[0])
	w.restart()
	check("after a restart", w.turn(terminal.Create{ID: "01M80DNPN8TGAS1PYN6FB3000E", Sale: n})[0])
}

// P2: a second sale is refused while one is live, with its id, and nothing changes.
func TestOneLiveSale(t *testing.T) {
	w := newWorld(t)
	s := w.mustCreate(terminal.NewSale{})
	_, refused := w.create(terminal.NewSale{})
	if refused == nil || refused.Code != terminal.CodeTerminalBusy || refused.Sale != s.ID {
		t.Fatalf("second sale: %v", refused)
	}
	w.turn(terminal.Command{Sale: s.ID, Event: payment.CancelRequested{}})
	w.mustCreate(terminal.NewSale{})
}

// Bad input is refused with the field's name and changes nothing (P9).
func TestBadSales(t *testing.T) {
	cad := func(n int64) payment.Money { return payment.Money{Amount: n, Currency: "CAD"} }
	long := string(make([]byte, 300))
	tests := []struct {
		name  string
		sale  terminal.NewSale
		field string
	}{
		{"no key", terminal.NewSale{Key: " ", Amount: cad(0)}, "amount"},
		{"key with a control character", terminal.NewSale{Key: "a\n", Amount: cad(1)}, "Idempotency-Key"},
		{"long key", terminal.NewSale{Key: long, Amount: cad(1)}, "Idempotency-Key"},
		{"negative amount", terminal.NewSale{Amount: cad(-1)}, "amount"},
		{"above the gateway's limit", terminal.NewSale{Amount: cad(10_000_000)}, "amount"},
		{"a currency that the gateway does not take", terminal.NewSale{Amount: payment.Money{Amount: 1, Currency: "EUR"}}, "currency"},
		{"mode", terminal.NewSale{Mode: "loud"}, "mode"},
		{"reference", terminal.NewSale{Reference: long[:65]}, "reference"},
		{"replaces and separate", terminal.NewSale{Replaces: "x", Separate: true}, "separate"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			before := w.store.commits
			n := tt.sale
			if n.Key == " " {
				n.Key = "k"
			} else if n.Amount.Amount == 0 {
				n.Amount = cad(1)
			}
			if n.Mode == "" {
				n.Mode = payment.ModeScan
			}
			if n.Key == "" {
				n.Key = "k"
			}
			r := w.turn(terminal.Create{ID: "01M80DNPN8TGAS1PYN6FB3000A", Sale: n})[0]
			if refused := refusalOf(r); refused == nil || refused.Code != terminal.CodeInvalid || refused.Field != tt.field {
				t.Errorf("got %v, want field %s refused", r.Err, tt.field)
			}
			if w.store.commits != before {
				t.Error("a refused sale was committed")
			}
		})
	}
}

// P7, M10: only a scan that carries the present arming's token counts; a code of
// one sale is refused for another for three minutes; goods change nothing.
func TestScansThatDoNotCount(t *testing.T) {
	w := newWorld(t)
	w.scanAs(code1, 0)
	s := w.mustCreate(terminal.NewSale{})
	first := w.arming
	w.scanAs(code1, first+1)
	w.scanAs(code1, 0)
	w.scan("4006381333931")
	if got := w.sale(s.ID); len(got.Attempts) != 0 || got.Version != 1 {
		t.Fatalf("a scan that does not count made attempt %d, version %d", len(got.Attempts), got.Version)
	}
	if n := w.records(payment.RecordScanRefused); n != 4 {
		t.Errorf("%d refused scans are in the journal, want 4", n)
	}
	w.scan(code1)
	w.answer(w.call(payment.CallPay), w.paid(s))

	next := w.mustCreate(terminal.NewSale{})
	if w.arming == first {
		t.Error("two sales have the same arming token")
	}
	w.scan(code1)
	r := w.turn(terminal.Post{Sale: next.ID, Text: payment.NewCode(code1)})[0]
	if refused := refusalOf(r); refused == nil || refused.Code != terminal.CodeCodeUsed || refused.Sale != s.ID {
		t.Errorf("posted code of another sale: %v", r.Err)
	}
	if got := w.sale(next.ID); len(got.Attempts) != 0 {
		t.Fatal("another sale's code was submitted")
	}
	w.pass(w.policy.CodeMemory)
	w.scan(code1)
	if got := w.sale(next.ID); len(got.Attempts) != 1 {
		t.Error("after three minutes the code is still refused")
	}
}

// At most ten refused scans a minute are journalled; the others are only counted (P10).
func TestRefusedScansAreBounded(t *testing.T) {
	w := newWorld(t)
	for range 50 {
		w.scanAs("4006381333931", 0)
	}
	if n := w.records(payment.RecordScanRefused); n != 10 {
		t.Errorf("%d records, want 10", n)
	}
	w.pass(time.Minute)
	w.scanAs("4006381333931", 0)
	if n := w.records(payment.RecordScanRefused); n != 11 {
		t.Errorf("%d records a minute later, want 11", n)
	}
}

// M11: a sale that looks like an unresolved one is refused until the register
// says which it is; replaces sets cancel wanted on the old one.
func TestM11Twins(t *testing.T) {
	amount := payment.Money{Amount: 777, Currency: "CAD"}
	tests := []struct {
		name     string
		old, new terminal.NewSale
		later    time.Duration
		twin     bool
	}{
		{"same reference", terminal.NewSale{Reference: "r1", Amount: amount}, terminal.NewSale{Reference: "r1"}, 0, true},
		{"same reference, days later", terminal.NewSale{Reference: "r1"}, terminal.NewSale{Reference: "r1"}, 48 * time.Hour, true},
		{"other reference, same amount", terminal.NewSale{Reference: "r1", Amount: amount}, terminal.NewSale{Reference: "r2", Amount: amount}, 0, false},
		{"no reference, same amount", terminal.NewSale{Amount: amount}, terminal.NewSale{Amount: amount}, 0, true},
		{"one reference, same amount", terminal.NewSale{Reference: "r1", Amount: amount}, terminal.NewSale{Amount: amount}, 0, true},
		{"no reference, other amount", terminal.NewSale{Amount: amount}, terminal.NewSale{}, 0, false},
		{"no reference, same amount, 16 minutes later", terminal.NewSale{Amount: amount}, terminal.NewSale{Amount: amount}, 16 * time.Minute, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			old := w.silenced(tt.old, code1)
			w.bringUp()
			w.now = w.now.Add(tt.later)
			_, refused := w.create(tt.new)
			if twin := refused != nil && refused.Code == terminal.CodeUnresolvedTwin && refused.Sale == old.ID; twin != tt.twin {
				t.Fatalf("refused: %v, want twin %v", refused, tt.twin)
			}
			if !tt.twin {
				return
			}
			separate := tt.new
			separate.Separate = true
			s := w.mustCreate(separate)
			w.turn(terminal.Command{Sale: s.ID, Event: payment.CancelRequested{}})
			replaces := tt.new
			replaces.Replaces = old.ID
			w.mustCreate(replaces)
			if !w.sale(old.ID).CancelWanted {
				t.Error("replaces did not set cancel wanted on the old sale")
			}
		})
	}
}

// M11: with several unresolved sales that look alike, whatever the later one was told to
// be, each can be replaced; without a word, or with another's look, none can.
func TestM11ReplacesOneOfSeveral(t *testing.T) {
	for name, replaces := range map[string]bool{"the second replaces the first": true, "the second is separate": false} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			amount, another := payment.Money{Amount: 500, Currency: "CAD"}, payment.Money{Amount: 600, Currency: "CAD"}
			first := w.silenced(terminal.NewSale{Amount: amount}, code1)
			w.bringUp()
			n := terminal.NewSale{Amount: amount, Separate: !replaces}
			if replaces {
				n.Replaces = first.ID
			}
			second := w.silenced(n, code2)
			w.bringUp()
			other := w.silenced(terminal.NewSale{Amount: another}, code3)
			w.bringUp()
			for _, n := range []terminal.NewSale{{Amount: amount}, {Amount: amount, Replaces: other.ID}} {
				if _, refused := w.create(n); refused == nil || refused.Code != terminal.CodeUnresolvedTwin || refused.Sale != second.ID {
					t.Errorf("replaces %q: %v, want it to be asked about %s", n.Replaces, refused, second.ID)
				}
			}
			w.mustCreate(terminal.NewSale{Amount: amount, Replaces: second.ID})
			for id, wanted := range map[string]bool{first.ID: replaces, second.ID: true, other.ID: false} {
				if s := w.sale(id); s.Status != payment.SaleUnresolved || s.CancelWanted != wanted {
					t.Errorf("sale %s is %s, cancel wanted %v", id, s.Status, s.CancelWanted)
				}
			}
		})
	}
}

// M11: who names a sale that is over is asked about the open one that looks like it: nobody said what that is.
func TestM11ReplacesWhatIsOver(t *testing.T) {
	w := newWorld(t)
	amount := payment.Money{Amount: 500, Currency: "CAD"}
	over := w.mustCreate(terminal.NewSale{Amount: amount})
	w.turn(terminal.Command{Sale: over.ID, Event: payment.CancelRequested{}})
	open := w.silenced(terminal.NewSale{Amount: amount}, code1)
	w.bringUp()
	n := terminal.NewSale{Amount: amount, Replaces: over.ID}
	if _, refused := w.create(n); refused == nil || refused.Code != terminal.CodeUnresolvedTwin || refused.Sale != open.ID {
		t.Errorf("%v, want it to be asked about %s", refused, open.ID)
	}
}

// M11: a sale cannot replace one that turned out to be paid.
func TestReplacesPaid(t *testing.T) {
	w := newWorld(t)
	s := w.mustCreate(terminal.NewSale{})
	w.scan(code1)
	w.answer(w.call(payment.CallPay), w.paid(s))
	if _, refused := w.create(terminal.NewSale{Replaces: s.ID}); refused == nil || refused.Code != terminal.CodeConflict {
		t.Errorf("got %v", refused)
	}
}

// bringUp answers probes until the gateway counts as up.
func (w *world) bringUp() {
	w.t.Helper()
	for range 10 {
		if w.calls(payment.CallProbe) > 0 {
			w.answerProbe(payment.Verdict{Class: payment.ClassNotFound})
			return
		}
		w.pass(time.Second)
	}
	w.t.Fatal("no probe was started")
}

// M14: what is known of the gateway decides whether a new sale may be made, and a
// probe every five seconds finds out when it may again.
func TestM14GatewayStates(t *testing.T) {
	misconfigured := payment.Verdict{Class: payment.ClassRefused, Reason: payment.ReasonBadSignature}
	tests := []struct {
		name string
		v    payment.Verdict
		want terminal.ErrorCode
	}{
		{"no answer", noAnswer, terminal.CodeGatewayDown},
		{"not sent", payment.Verdict{Class: payment.ClassNotSent, Reason: payment.ReasonGatewayUnreachable}, terminal.CodeGatewayDown},
		{"refused", misconfigured, terminal.CodeGatewayMisconfigured},
		{"answered", payment.Verdict{Class: payment.ClassNotFound}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.restart()
			if _, refused := w.create(terminal.NewSale{}); refused == nil || refused.Code != terminal.CodeGatewayDown {
				t.Errorf("before any answer: %v", refused)
			}
			w.answerProbe(tt.v)
			_, refused := w.create(terminal.NewSale{})
			if tt.want == "" {
				if refused != nil {
					t.Errorf("got %v", refused)
				}
				return
			}
			if refused == nil || refused.Code != tt.want {
				t.Errorf("got %v, want %s", refused, tt.want)
			}
			w.pass(w.policy.DownProbePause)
			w.answerProbe(payment.Verdict{Class: payment.ClassNotFound})
			w.mustCreate(terminal.NewSale{})
		})
	}
}

// M14: a fast phase that ended in silence marks the gateway down; its first
// answer brings all its open attempts forward at once.
func TestM14OutageAndReturn(t *testing.T) {
	w := newWorld(t)
	var sales []payment.Sale
	for i := range 3 {
		sales = append(sales, w.silenced(terminal.NewSale{Separate: true}, fmt.Sprintf("2812345678901234%02d", i)))
		if _, refused := w.create(terminal.NewSale{Separate: true}); refused == nil || refused.Code != terminal.CodeGatewayDown {
			t.Fatalf("after silence: %v", refused)
		}
		w.bringUp()
	}
	w.pass(6 * time.Hour) // deep in the slow phase, all lookups unanswered
	w.started = nil
	w.restart()
	w.answerProbe(payment.Verdict{Class: payment.ClassNotSent, Reason: payment.ReasonGatewayUnreachable})
	w.started = nil
	w.pass(w.policy.DownProbePause)
	w.answerProbe(payment.Verdict{Class: payment.ClassNotFound})
	w.pass(time.Second)
	if n := w.calls(payment.CallLookup); n != len(sales) {
		t.Errorf("%d of %d open attempts were asked about when the gateway came back", n, len(sales))
	}
}

// M6: while a sale is armed the connection is proved every ten seconds; an idle
// terminal asks nothing.
func TestM6Probes(t *testing.T) {
	w := newWorld(t)
	w.pass(10 * time.Minute)
	if len(w.started) != 0 {
		t.Errorf("an idle terminal started %v", w.started)
	}
	w.mustCreate(terminal.NewSale{})
	for i := range 5 {
		if n := w.calls(payment.CallProbe); n != 1 {
			t.Fatalf("%d probes after %d s", n, 10*i)
		}
		w.answerProbe(payment.Verdict{Class: payment.ClassNotFound})
		w.pass(w.policy.ProbePause)
	}
}

// Fairness: the resolver takes no more than all slots but one, whatever is due.
func TestOneSlotIsKeptForTheLiveSale(t *testing.T) {
	w := newWorld(t)
	for i := range 8 {
		w.silenced(terminal.NewSale{Separate: true}, fmt.Sprintf("2812345678901234%02d", i))
		w.bringUp()
	}
	w.started = nil
	w.restart()
	w.answerProbe(payment.Verdict{Class: payment.ClassNotFound})
	w.pass(time.Second)
	if n := len(w.started); n != w.policy.Slots-1 {
		t.Errorf("%d calls under way, want %d", n, w.policy.Slots-1)
	}
	s := w.mustCreate(terminal.NewSale{Separate: true})
	w.scan(code2)
	if c := w.call(payment.CallPay); c.Sale != s.ID {
		t.Errorf("the live sale's call was held back")
	}
}

// After a restart nothing is under way, the live sale is live again, and what
// was on its way is unknown.
func TestRecovery(t *testing.T) {
	w := newWorld(t)
	s := w.mustCreate(terminal.NewSale{})
	w.scan(code1)
	lost := w.call(payment.CallPay)
	w.restart()
	if got := w.sale(s.ID); got.Attempts[0].Status != payment.AttemptUnknown || got.Attempts[0].Call != nil {
		t.Fatalf("attempt is %s, call %v", got.Attempts[0].Status, got.Attempts[0].Call)
	}
	w.answer(lost, w.paid(s)) // of the life before: ignored
	if got := w.sale(s.ID); got.Status != payment.SaleProcessing {
		t.Fatalf("an outcome of the life before made the sale %s", got.Status)
	}
	if _, refused := w.create(terminal.NewSale{}); refused == nil || refused.Sale != s.ID {
		t.Errorf("the sale is not live after the restart: %v", refused)
	}
	w.pass(2 * time.Second)
	w.answer(w.call(payment.CallPay), payment.Verdict{Class: payment.ClassAlreadyPaid})
	w.answer(w.call(payment.CallLookup), w.paid(s))
	if got := w.sale(s.ID); got.Status != payment.SalePaid {
		t.Errorf("sale is %s", got.Status)
	}
}

// A restart reads every page of open sales.
func TestRecoveryReadsAllPages(t *testing.T) {
	w := newWorld(t)
	var changes []payment.Change
	for i := range 600 {
		s := payment.Sale{ID: fmt.Sprintf("01M80DNPN8TGAS1PYN6FB4%04d", i), Key: fmt.Sprint("old", i), Version: 1, Status: payment.SaleUnresolved,
			Amount: payment.Money{Amount: 1, Currency: "CAD"}, Mode: payment.ModeScan, CreatedAt: w.now, UpdatedAt: w.now, Reference: fmt.Sprint("ref", i)}
		s.Attempts = []payment.Attempt{{N: 1, RequestID: s.ID + "-1", Gateway: gatewayName, Instrument: payment.InstrumentCode,
			Status: payment.AttemptUnknown, SubmittedAt: w.now}}
		changes = append(changes, payment.Change{After: s, Record: &payment.Record{At: w.now, Type: "sale.unresolved", Sale: s.ID, Version: 1}})
	}
	if err := w.store.Commit(changes); err != nil {
		t.Fatal(err)
	}
	w.restart()
	w.answerProbe(payment.Verdict{Class: payment.ClassNotFound})
	if _, refused := w.create(terminal.NewSale{Reference: "ref599"}); refused == nil || refused.Code != terminal.CodeUnresolvedTwin {
		t.Errorf("the last page was not read: %v", refused)
	}
}

// M7: a configuration that drops a gateway with open attempts is refused.
func TestM7DroppedGateway(t *testing.T) {
	w := newWorld(t)
	w.mustCreate(terminal.NewSale{})
	w.scan(code1)
	w.policy.Gateways = map[string]payment.Traits{"other": {}}
	engine := terminal.NewEngine(w.store, w, terminal.Options{Policy: w.policy})
	if _, err := engine.Turn(w.now, []terminal.Input{terminal.Recover{}}); err == nil {
		t.Error("the engine started without a gateway that has an open attempt")
	}
}

// A sale that its gateway cannot express fails unsent, and the counter goes on.
func TestComposeFails(t *testing.T) {
	w := newWorld(t)
	s := w.mustCreate(terminal.NewSale{})
	w.composed = errors.New("too long")
	w.scan(code1)
	got := w.sale(s.ID)
	if got.Status != payment.SaleAwaitingCode || got.LastFailure == nil || got.LastFailure.Reason != payment.ReasonRequestRefused {
		t.Errorf("sale is %s, last failure %v", got.Status, got.LastFailure)
	}
	if n := w.calls(payment.CallPay); n != 0 {
		t.Errorf("%d pay calls were started", n)
	}
}

// No room: refused before money moves. A failed commit ends the process, and
// nothing is started (P1).
func TestStoreTrouble(t *testing.T) {
	w := newWorld(t)
	w.store.full = errors.New("disk full")
	if _, refused := w.create(terminal.NewSale{}); refused == nil || refused.Code != terminal.CodeStorageFull {
		t.Errorf("full disk: %v", refused)
	}
	w.store.full = nil
	s := w.mustCreate(terminal.NewSale{})
	w.store.broken = errors.New("input/output error")
	_, err := w.engine.Turn(w.now, []terminal.Input{terminal.Post{Sale: s.ID, Text: payment.NewCode(code1)}})
	if err == nil {
		t.Fatal("a failed commit went unnoticed")
	}
	if n := w.calls(payment.CallPay); n != 0 {
		t.Errorf("P1: %d calls were started after a failed commit", n)
	}
}

// M9: the last scanner lost moves an armed sale in auto mode to the QR at once;
// without any scanner it begins with it.
func TestM9ScannerLost(t *testing.T) {
	w := newWorld(t)
	s := w.mustCreate(terminal.NewSale{Mode: payment.ModeAuto})
	w.turn(terminal.ScannersReady{Count: 0})
	if got := w.sale(s.ID); got.Status != payment.SaleShowingQR {
		t.Fatalf("scanner lost: sale is %s", got.Status)
	}
	w.answer(w.call(payment.CallPay), payment.Verdict{Class: payment.ClassFailed, Reason: payment.ReasonDeclined, Documented: true})
	w.turn(terminal.Command{Sale: s.ID, Event: payment.CancelRequested{}})
	s = w.mustCreate(terminal.NewSale{Mode: payment.ModeAuto})
	if s.Status != payment.SaleShowingQR {
		t.Errorf("no scanner: the sale begins as %s", s.Status)
	}
}
