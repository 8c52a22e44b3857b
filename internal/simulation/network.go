package simulation

import (
	"errors"
	"slices"
	"time"

	"payscand/payment"
	"payscand/terminal"
)

// network is the Executor: it carries calls to the gateway models and back, and
// loses, delays, doubles and spoils them on the way.
type network struct {
	world    *world
	prepared map[payment.Call]prepared
	flights  []*flight // of this process, without an outcome
	// lastArrival is when the last request that is still on its way arrives.
	lastArrival time.Duration
}

// prepared is what a call is about, as it was when the request was made.
type prepared struct {
	attempt payment.Attempt
	refund  payment.Refund // of a refund's call
	// client and request are the real ones, where the run has the codec.
	client  payment.Gateway
	request payment.Request
}

// flight is a call under way.
type flight struct {
	prepared
	call     payment.Call
	subject  int // in decisions
	nth      int
	process  int
	started  time.Duration
	answered bool
}

// Bounds of a call, as the gateway clients keep them.
const (
	connectTimeOut = 3 * time.Second
	answerTimeOut  = 15 * time.Second
	callTimeOut    = connectTimeOut + answerTimeOut
)

func newNetwork(w *world) *network {
	return &network{world: w, prepared: make(map[payment.Call]prepared)}
}

var errUnsendable = errors.New("the gateway has no words for this sale")

// Compose builds the pay request, as long as the gateway can express the sale.
func (n *network) Compose(s payment.Sale, a payment.Attempt) (payment.Intent, error) {
	if n.world.rarelyHere(siteCompose, subjectOf(s.Key, a.N), 0, faultUnsendable) {
		return payment.Intent{}, errUnsendable
	}
	if g := n.world.gateway(a.Gateway); g.codec != nil {
		return g.codec.client.Compose(s, a)
	}
	intent := payment.Intent{Account: "M-1", URL: "https://gateway.example/pay", Head: `{"id":"` + a.RequestID + `","code":"`, Tail: `"}`}
	if a.Instrument == payment.InstrumentQR {
		intent.Head, intent.Tail = `{"id":"`+a.RequestID+`"}`, ""
	}
	return intent, nil
}

// Prepare keeps attempt and refund as they are when the request is made.
func (n *network) Prepare(s payment.Sale, c payment.Call, now time.Time) {
	p := prepared{attempt: attemptOf(s, c), refund: refundOf(s, c)}
	if g := n.world.gateway(c.Gateway); g.codec != nil {
		p.client, p.request = g.codec.client, g.codec.prepare(s, c, now)
	}
	n.prepared[c] = p
}

// attemptOf is the attempt that a call is about, zero for a probe.
func attemptOf(s payment.Sale, c payment.Call) payment.Attempt {
	if a := s.Attempt(c.Attempt); a != nil {
		return *a
	}
	return payment.Attempt{}
}

// refundOf is the refund that a call is about, zero for none.
func refundOf(s payment.Sale, c payment.Call) payment.Refund {
	if c.Refund > 0 {
		return s.Refunds[c.Refund-1]
	}
	return payment.Refund{}
}

// requestID names what the call is about.
func (f *flight) requestID() string {
	if f.call.Refund > 0 {
		return f.refund.RequestID
	}
	return f.attempt.RequestID
}

// Start sends a request on its way.
func (n *network) Start(c payment.Call) {
	w := n.world
	f := &flight{call: c, prepared: n.prepared[c], nth: c.Seq, process: w.process, started: w.now}
	delete(n.prepared, c)
	g := w.gateway(c.Gateway)
	g.traffic().Calls[slices.Index(callKinds[:], c.Kind)]++
	f.subject = -1 - g.index
	if c.Kind == payment.CallProbe {
		w.oracle.probes(g)
		f.nth += 10_000 * w.process
	} else {
		f.subject = w.oracle.subject(c.Sale, c.Attempt) + refundSubjects*c.Refund
		w.oracle.starts(f)
		n.giveUp(f)
		w.tell("→ %s: %s %s, number %d", c.Gateway, c.Kind, f.requestID(), c.Seq)
	}
	n.flights = append(n.flights, f)
	if w.disk.crash != "" && w.pick(siteCrashedSend, f.subject, f.nth, []int{1, 1}) == 1 {
		w.fired(faultCrashedBeforeSend)
		return // the process died before the first byte
	}
	n.travel(f, g)
}

// giveUp ends an inquiry of the same attempt that is under way.
func (n *network) giveUp(next *flight) {
	for _, f := range n.flights {
		if !f.answered && f.about(next.call) && !f.moves() {
			n.world.fired(faultAborted)
			n.arrive(f, silence(payment.ReasonNoAnswer), time.Millisecond)
		}
	}
}

// about reports whether the call is about the same attempt or refund as another.
func (f *flight) about(c payment.Call) bool {
	return f.call.Sale == c.Sale && f.call.Attempt == c.Attempt && f.call.Refund == c.Refund
}

// elsewhere: the call asks about a payment of which only its id is known.
func (f *flight) elsewhere() bool {
	return f.attempt.Instrument == payment.InstrumentElsewhere && f.attempt.RequestID == ""
}

func (f *flight) moves() bool { return moves(f.call.Kind) }

// moves reports whether such a call can move money.
func moves(k payment.CallKind) bool {
	return k == payment.CallPay || k == payment.CallCancel || k == payment.CallRefund
}

func silence(why payment.Reason) payment.Verdict {
	return payment.Verdict{Class: payment.ClassNoAnswer, Reason: why}
}

var (
	notSent = payment.Verdict{Class: payment.ClassNotSent, Reason: payment.ReasonGatewayUnreachable}
	busy    = payment.Verdict{Class: payment.ClassRetryLater, Reason: payment.ReasonRateLimited, GatewayCode: "SYSTEMERROR", Documented: true}
)

// Of each way: how long it takes there, and how long it takes back.
var delays = [][2]time.Duration{
	{60 * time.Millisecond, 90 * time.Millisecond}, {time.Second, 2 * time.Second}, {200 * time.Millisecond, 9 * time.Second},
	{8 * time.Second, 4 * time.Second}, {5 * time.Second, 16 * time.Second},
}

var latenesses = []time.Duration{16 * time.Second, 25 * time.Second, 70 * time.Second, 4 * time.Minute, 20 * time.Minute}

// travel decides what becomes of a call.
func (n *network) travel(f *flight, g *gatewayModel) {
	w := n.world
	if g.codec == nil && w.clockDoubted(g) {
		w.fired(fault(fateClockRefused))
		n.arrive(f, refused(payment.ReasonClockWrong, "SIGN_TIMEOUT"), 200*time.Millisecond)
		return
	}
	if g.outageUntil > w.now && n.suffer(f, g) {
		return
	}
	fate := fateFine
	if !w.healed {
		fate = w.decider.fate(f.subject, f.nth)
	}
	if fate == fateMalign && f.elsewhere() { // nothing is known that it could be held against
		fate = fateUnverified
	}
	if fate == fateNotAllowed && !f.moves() {
		fate = fateFine
	}
	if fate != fateFine {
		w.fired(fault(fate))
		w.tell("  fate: %s", fate)
	}
	switch fate {
	case fateRequestLost:
		n.arrive(f, g.told(f, wireLost, silence(payment.ReasonNoAnswer)), callTimeOut)
	case fateNotSent:
		n.arrive(f, g.told(f, wireNotSent, notSent), connectTimeOut)
	case fateClockRefused:
		n.arrive(f, g.told(f, wireSignTimeout, refused(payment.ReasonClockWrong, "SIGN_TIMEOUT")), 200*time.Millisecond)
	case fateRefused:
		n.arrive(f, g.told(f, wireInvalidSign, refused(payment.ReasonBadSignature, "INVALID_SIGN")), 200*time.Millisecond)
	case fateNotAllowed:
		n.arrive(f, g.told(f, wireNotAllowed, g.notAllowed()), 200*time.Millisecond)
	case fateBusy:
		n.arrive(f, g.busy(f), 300*time.Millisecond)
	case fateLate:
		late := latenesses[w.pick(siteLateBy, f.subject, f.nth, []int{1, 1, 1, 1, 1})]
		n.arrive(f, silence(payment.ReasonNoAnswer), answerTimeOut)
		n.reach(late, func() { g.carryOut(f, false) })
	case fateDoubled:
		late := latenesses[w.pick(siteLateBy, f.subject, f.nth, []int{1, 1, 1, 1, 1})]
		n.reach(late, func() { g.carryOut(f, true) })
		n.roundTrip(f, g, fateFine)
	default:
		n.roundTrip(f, g, fate)
	}
}

// suffer lets an outage answer. It reports whether the call ended by that.
func (n *network) suffer(f *flight, g *gatewayModel) bool {
	switch g.outage {
	case outageNotSent:
		n.arrive(f, g.told(f, wireNotSent, notSent), connectTimeOut)
	case outageSilence:
		n.arrive(f, g.told(f, wireLost, silence(payment.ReasonNoAnswer)), callTimeOut)
	case outageUnknown:
		if f.call.Kind == payment.CallProbe {
			return false // U is an answer: the connection is proved
		}
		v := busy
		v.Reason = payment.ReasonGatewayError
		n.arrive(f, g.told(f, wireSystemError, v), 300*time.Millisecond)
	default:
		return false
	}
	return true
}

// roundTrip lets the request arrive and its answer come back.
func (n *network) roundTrip(f *flight, g *gatewayModel, fate fate) {
	w := n.world
	delay := delays[0]
	if !w.healed {
		delay = delays[w.pick(siteDelay, f.subject, f.nth, []int{12, 5, 2, 2, 1})]
	}
	if delay[0]+delay[1] > answerTimeOut {
		w.fired(faultTimedOut)
		n.arrive(f, silence(payment.ReasonNoAnswer), answerTimeOut)
	}
	n.reach(delay[0], func() {
		v := g.answer(f, fate)
		if delay[0]+delay[1] <= answerTimeOut {
			if fate == fateAnswerLost {
				delay[1] = callTimeOut - delay[0]
			}
			n.arrive(f, v, delay[1])
		}
	})
}

// reach plans a request's arrival at the gateway.
func (n *network) reach(after time.Duration, do func()) {
	w := n.world
	w.after(after, do)
	n.lastArrival = max(n.lastArrival, w.now+after)
}

// arrive plans the call's one outcome.
func (n *network) arrive(f *flight, v payment.Verdict, after time.Duration) {
	w := n.world
	w.after(after, func() {
		if f.answered || f.process != w.process || !w.running {
			return
		}
		f.answered = true
		if w.asleepUntil > w.now { // nobody was there to hear it
			v = silence(payment.ReasonNoAnswer)
		}
		if v.Class.Verified() {
			w.gateway(f.call.Gateway).clockKnown = w.clock.offset
		}
		n.tellAnswer(f, v)
		w.send(terminal.Answered{Call: f.call, Verdict: v}, nil)
	})
}

func (n *network) tellAnswer(f *flight, v payment.Verdict) {
	if f.call.Kind != payment.CallProbe || !v.Class.Verified() {
		n.world.tell("← %s: %s %s, number %d: %s %s", f.call.Gateway, f.call.Kind, f.requestID(), f.call.Seq, v.Class, v.Reason)
	}
}

// taken notes that an outcome reaches the engine.
func (n *network) taken(in terminal.Input) {
	if told, ok := in.(terminal.Notified); ok {
		n.world.oracle.notified(told.Notification)
	}
	answer, ok := in.(terminal.Answered)
	if !ok {
		return
	}
	for i, f := range n.flights {
		if f.call == answer.Call {
			if i > 0 && f.started > n.flights[0].started {
				n.world.fired(faultReordered)
			}
			n.flights = append(n.flights[:i], n.flights[i+1:]...)
			n.world.oracle.answered(f, answer.Verdict)
			return
		}
	}
	n.world.fail("an outcome of a call that is not under way: %+v", answer.Call)
}

// died forgets the process's calls: nobody hears their answers.
func (n *network) died() {
	n.flights = nil
	clear(n.prepared)
}

func refused(why payment.Reason, code string) payment.Verdict {
	return payment.Verdict{Class: payment.ClassRefused, Reason: why, GatewayCode: code, Documented: true}
}

// notAllowed is how a gateway refuses what the shop's contract does not have.
func (g *gatewayModel) notAllowed() payment.Verdict {
	if g.traits.CancelReverses {
		return refused(payment.ReasonNotPermitted, "ACCESS_DENIED")
	}
	return refused(payment.ReasonRequestRefused, "PARAM_INVALID")
}

// maxClockSkew is what AlphaPay allows between a request's time and its own.
const maxClockSkew = 5 * time.Minute

// clockDoubted reports whether the gateway refuses the call for its time, and
// lets the terminal learn the offset from that answer, as the client does.
func (w *world) clockDoubted(g *gatewayModel) bool {
	skew := w.clock.offset - g.clockKnown
	if max(skew, -skew) <= maxClockSkew || g.outageUntil > w.now {
		return false
	}
	g.clockKnown = w.clock.offset
	return true
}
