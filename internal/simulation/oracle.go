package simulation

import (
	"math"
	"strings"
	"time"

	"payscand/payment"
	"payscand/terminal"
)

// oracle holds everything that the terminal does against the promises, with
// knowledge of its own and the gateways' truth.
type oracle struct {
	world  *world
	sales  map[string]*saleFacts
	order  []*saleFacts // as they were made
	byKey  map[string]*saleFacts
	wishes map[string]terminal.NewSale // by key
	scans  map[string][]string         // code → sales that it may be used for
	live   string                      // the live sale
	open   int                         // sales that are not final
	stream *register

	refundWishes map[string]refundWish // by key
	reversals    []time.Time           // when each was begun, by the terminal's clock
	toldPaid     []toldPaid            // in the turn that is under way
	elsewhere    map[string]int        // refunds by payment id: sale id → subject
	trouble      map[string]*trouble   // by gateway
	kept         map[string]bool       // sales of which a register was told not to charge again

	raised []string // sales whose version rose in this turn

	wakes, written pace
}

// saleFacts is what the oracle knows of a sale.
type saleFacts struct {
	sale     payment.Sale // as last committed
	attempts []attemptFacts
	refunds  []refundFacts

	// What somebody was told.
	ackedVersion int64
	ackedStatus  payment.SaleStatus

	liveSince    time.Duration
	cancelSince  time.Duration // the cashier's cancel was accepted; 0: not asked
	unknownSince time.Duration // -1: not unresolved
}

type attemptFacts struct {
	body      string
	flight    *flight // the last call started
	pace      pace
	asked     bool // its last outcome was a verified answer to a question
	sightings int  // of a capture
	submitted time.Duration
	blocking  bool
	// The code, and when and by which process it was submitted.
	code        string
	process     int
	submittedAt time.Time
}

// refundFacts is what the oracle knows of a refund.
type refundFacts struct {
	flight *flight // the last call started
	pace   pace
}

func newOracle(w *world) *oracle {
	return &oracle{
		world: w, sales: map[string]*saleFacts{}, byKey: map[string]*saleFacts{},
		wishes: map[string]terminal.NewSale{}, scans: map[string][]string{}, refundWishes: map[string]refundWish{},
		elsewhere: map[string]int{}, trouble: map[string]*trouble{}, kept: map[string]bool{},
	}
}

// subject numbers an attempt for decisions.
func (o *oracle) subject(sale string, attempt int) int {
	if subject, there := o.elsewhere[sale]; there {
		return subject
	}
	return subjectOf(o.sales[sale].sale.Key, attempt)
}

// refundSubjects keeps the numbers of refunds apart from those of attempts.
const refundSubjects = 10_000

// subjectOf numbers an attempt by its visit and by the keys that the visit has
// used, so that its number stays the same when another visit is taken away.
func subjectOf(key string, attempt int) int {
	visit := strings.TrimPrefix(key, keyPrefix)
	n, again := int(visit[0]-'0'), strings.Count(visit, againSuffix)
	return (n*8+min(again, 7))*16 + attempt
}

func (o *oracle) amountOf(sale string) payment.Money {
	if f := o.sales[sale]; f != nil {
		return f.sale.Amount
	}
	return foreignSum // of a payment that is asked about by its id
}

func (o *oracle) armedSale() string {
	if f := o.sales[o.live]; f != nil && o.world.running && f.sale.Armed() {
		return o.live
	}
	return ""
}

func (o *oracle) asked(n terminal.NewSale) { o.wishes[n.Key] = n }

// scanned notes for which sale a code may be used: that which was armed when the
// scan began, or that which it was posted for.
func (o *oracle) scanned(code, sale string) {
	if sale != "" {
		o.scans[code] = append(o.scans[code], sale)
	}
}

// cancelAccepted notes the cashier's cancel of a live sale.
func (o *oracle) cancelAccepted(sale string) {
	if f := o.sales[sale]; f != nil && f.sale.Status.Live() && f.cancelSince == 0 {
		f.cancelSince = o.world.now
	}
}

// commits holds a commit, change by change, before it is kept.
func (o *oracle) commits(changes []payment.Change) {
	o.holdCommits()
	for _, c := range changes {
		if c.After.ID != "" {
			o.commit(c)
		}
	}
}

func (o *oracle) commit(c payment.Change) {
	w, after := o.world, c.After
	f := o.sales[after.ID]
	if f == nil {
		f = o.made(after)
	}
	before := f.sale
	if w.story != nil && (before.Status != after.Status || before.ID == "") {
		w.tell("sale %s is %s", after.ID, after.Status)
	}
	o.holdSale(before, after)
	o.holdTimes(&after)
	for len(f.attempts) < len(after.Attempts) {
		f.attempts = append(f.attempts, attemptFacts{submitted: w.now})
		o.holdNewAttempt(f, after)
	}
	for i := range after.Attempts {
		was := payment.AttemptStatus("")
		if i < len(before.Attempts) {
			was = before.Attempts[i].Status
		}
		o.holdAttempt(f, &after, i, was)
	}
	o.holdRefunds(f, before, after)
	o.holdReturned(before, after)
	if after.Version != before.Version {
		o.raised = append(o.raised, after.ID)
	}
	f.sale = after
	o.follow(f, before)
}

// made notes a new sale. Nobody may have been able to take it for another (M11).
func (o *oracle) made(s payment.Sale) *saleFacts {
	w := o.world
	f := &saleFacts{sale: payment.Sale{Key: s.Key}, liveSince: w.now, unknownSince: -1}
	o.sales[s.ID] = f
	o.order = append(o.order, f)
	o.open++
	if o.byKey[s.Key] != nil {
		w.fail("two sales with the idempotency key %q", s.Key)
	}
	o.byKey[s.Key] = f
	if s.Elsewhere() {
		return f
	}
	if !w.disk.Adopted() {
		w.fail("P2: sale %s is made, and the terminal is not adopted", s.ID)
	}
	if live := o.sales[o.live]; live != nil && live.sale.Status.Live() {
		w.fail("sale %s is made while %s is live", s.ID, o.live)
	}
	wish := o.wishes[s.Key]
	o.holdReplaced(s, wish.Replaces)
	alike := func(u, s payment.Sale, within time.Duration) bool {
		return u.Reference != "" && u.Reference == s.Reference ||
			(u.Reference == "" || s.Reference == "") && u.Amount == s.Amount && s.CreatedAt.Sub(u.CreatedAt) <= within
	}
	for _, other := range o.order {
		u := other.sale
		spokenFor := wish.Separate
		if old := o.sales[wish.Replaces]; old != nil {
			spokenFor = wish.Replaces == u.ID || u.CancelWanted || alike(u, old.sale, math.MaxInt64)
		}
		if u.Status == payment.SaleUnresolved && alike(u, s, w.policy.TwinWindow) && !spokenFor {
			w.fail("M11: sale %s is made beside its unresolved twin %s without a word", s.ID, u.ID)
		}
	}
	return f
}

// follow keeps the oracle's own books.
func (o *oracle) follow(f *saleFacts, before payment.Sale) {
	w, s := o.world, f.sale
	switch {
	case s.Status.Live():
		o.live = s.ID
	case o.live == s.ID:
		o.live = ""
	}
	if s.Status == payment.SaleUnresolved && f.unknownSince < 0 {
		f.unknownSince = w.now
		if a := s.LiveAttempt(); a != nil && a.Silent {
			o.troubleOf(a.Gateway).silent = true
		}
	}
	if s.Status.Final() && !before.Status.Final() {
		o.open--
		if f.unknownSince >= 0 {
			w.result.Unknown.add(w.now - f.unknownSince)
			if w.healed {
				w.result.Healed.add(w.now - w.healedAt)
			}
		}
	}
}

// holdSale: final states absorb; one live sale; a QR is visible only beside no
// live code; versions rise by one.
func (o *oracle) holdSale(before, after payment.Sale) {
	w := o.world
	rise := after.Version - before.Version
	switch {
	case before.Status.Final() && before.Status != after.Status:
		w.fail("sale %s was %s, which is final, and becomes %s", after.ID, before.Status, after.Status)
	case rise != 0 && rise != 1:
		w.fail("sale %s goes from version %d to %d", after.ID, before.Version, after.Version)
	case before.Status != after.Status && rise == 0:
		w.fail("sale %s becomes %s without a new version", after.ID, after.Status)
	case after.Next != nil && after.Status != payment.SaleSwitching:
		w.fail("sale %s keeps a code for later and is %s", after.ID, after.Status)
	case before.Status == payment.SaleUnresolved && after.Status.Live():
		w.fail("sale %s was given up as unresolved and is live again", after.ID)
	}
	if qr := after.VisibleQR(); qr != nil {
		for _, a := range after.Attempts[:len(after.Attempts)-1] {
			if !a.Status.Final() {
				w.fail("P2: sale %s shows a QR while attempt %d is live", after.ID, a.N)
			}
		}
		if a := after.LiveAttempt(); a.Instrument != payment.InstrumentQR {
			w.fail("P2: sale %s shows a QR for a scanned code", after.ID)
		}
	}
}

// holdNewAttempt: a code counts only for the sale that was armed when its scan
// began, or that it was posted for (P7), and for no other within three minutes (M10).
func (o *oracle) holdNewAttempt(f *saleFacts, s payment.Sale) {
	n := len(f.attempts)
	a := s.Attempts[n-1]
	if n > 1 && !s.Attempts[n-2].Status.Final() {
		o.world.fail("P2: attempt %d of sale %s begins while the one before is live", n, s.ID)
	}
	if a.Instrument != payment.InstrumentCode || a.Code.IsZero() {
		return
	}
	code := a.Code.Reveal()
	meant := false
	for _, sale := range o.scans[code] {
		meant = meant || sale == s.ID
	}
	if !meant {
		o.world.fail("P7: sale %s uses a code that was scanned for %v", s.ID, o.scans[code])
	}
	for _, other := range o.order {
		if other == f {
			continue
		}
		for _, used := range other.attempts {
			ago := a.SubmittedAt.Sub(used.submittedAt) // by the terminal's clock, which may have jumped
			if used.code == code && used.process == o.world.process && ago < o.world.policy.CodeMemory {
				o.world.fail("M10: sale %s uses a code that sale %s submitted %s ago", s.ID, other.sale.ID, ago)
			}
		}
	}
	facts := &f.attempts[n-1]
	facts.code, facts.process, facts.submittedAt, facts.blocking = code, o.world.process, a.SubmittedAt, true
}

// holdAttempt holds one attempt's change: money against the truth, secrets, and
// the time for which a customer's code holds the counter.
func (o *oracle) holdAttempt(f *saleFacts, s *payment.Sale, i int, was payment.AttemptStatus) {
	w := o.world
	a, facts := &s.Attempts[i], &f.attempts[i]
	if facts.blocking && (a.Status.Final() || !s.Status.Live()) {
		facts.blocking = false
		block := w.now - max(facts.submitted, w.startedAt)
		w.result.Blocked.add(block)
		o.holdBlock(s.ID, block)
	}
	if was == a.Status {
		return
	}
	if payment.AttemptStatus.Final(was) {
		w.fail("attempt %s was %s, which is final, and becomes %s", a.RequestID, was, a.Status)
	}
	if a.Status.Final() && !a.Code.IsZero() {
		w.fail("M7: attempt %s is %s and keeps its payment code", a.RequestID, a.Status)
	}
	if i < len(s.Attempts)-1 && !a.Status.Final() {
		w.fail("P2: attempt %s is live and not the last", a.RequestID)
	}
	if a.Status == payment.AttemptPaid && s.Override == nil {
		o.holdPaid(s, a)
	}
}

// holdPaid: paid is said only for a capture of this request id and amount that
// was not given back (P4), and never once an Alipay+ cancel is out (M5).
func (o *oracle) holdPaid(s *payment.Sale, a *payment.Attempt) {
	w, g := o.world, o.world.gateway(a.Gateway)
	proved := false
	for _, order := range g.byRequest[a.RequestID] {
		if !order.captured || order.reversed || order.amount != s.Amount || s.Receipt == nil || s.Receipt.PaidAmount != s.Amount {
			continue
		}
		proved = proved || s.Receipt.PaymentID == order.paymentID
	}
	if !proved {
		w.fail("P4: sale %s is said to be paid (receipt %+v), and the gateway knows no such capture", s.ID, s.Receipt)
	}
	if g.traits.CancelReverses && a.Cancels > 0 {
		w.fail("M5: sale %s is said to be paid though its cancel gives the money back", s.ID)
	}
}
