package terminal

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"payscand/payment"
)

// gateway is what the engine knows of one gateway: whether it answers (M14), and
// how much it may be asked (§ fairness).
type gateway struct {
	name       string
	slots      int
	probePause time.Duration
	downPause  time.Duration

	state      GatewayState
	since      time.Time
	lastAnswer time.Time
	lastReason payment.Reason
	mend       payment.Reason // why it is misconfigured

	inFlight int
	probe    bool // one is under way
	probedAt time.Time
	seq      int
	// clockRetried: a probe refused for the clock was repeated at once, with the
	// offset that its answer told.
	clockRetried bool

	rate   float64 // tokens a second
	burst  float64
	tokens float64
	filled time.Time

	// sweeping brings all its open attempts forward, page by page (M14).
	sweeping   bool
	sweepAfter string
}

func newGateway(name string, p payment.Policy) *gateway {
	return &gateway{
		name: name, slots: p.Slots, probePause: p.ProbePause, downPause: p.DownProbePause,
		state: GatewayUnproven, rate: p.Rate, burst: float64(p.Burst), tokens: float64(p.Burst),
	}
}

func (g *gateway) started(c payment.Call) {
	g.inFlight++
	if c.Kind == payment.CallProbe {
		g.probe = true
	}
}

// room is how many calls the resolver may start now: one slot is kept for the live sale.
func (g *gateway) room(now time.Time) int {
	g.fill(now)
	return min(g.slots-1-g.inFlight, int(g.tokens))
}

func (g *gateway) fill(now time.Time) {
	if !g.filled.IsZero() && now.After(g.filled) {
		g.tokens = min(g.burst, g.tokens+now.Sub(g.filled).Seconds()*g.rate)
	}
	g.filled = now
}

func (g *gateway) spend(now time.Time, calls int) {
	g.fill(now)
	g.tokens -= float64(calls)
}

// tokenAt is when the next token is there.
func (g *gateway) tokenAt(now time.Time) time.Time {
	if g.tokens >= 1 {
		return now
	}
	return now.Add(time.Duration((1-g.tokens)/g.rate*float64(time.Second)) + time.Millisecond)
}

// nextProbe is when the gateway must be probed: soon while it does not answer,
// and while a sale is armed often enough to keep a proved connection (M6).
func (g *gateway) nextProbe(armed bool) time.Time {
	switch {
	case g.probe:
		return time.Time{}
	case g.state != GatewayUp:
		return g.probedAt.Add(g.downPause)
	case armed:
		last := g.lastAnswer
		if g.probedAt.After(last) {
			last = g.probedAt
		}
		return last.Add(g.probePause)
	}
	return time.Time{}
}

// probing reports whether the live sale may soon need this gateway.
func (e *Engine) probing(g *gateway) bool {
	return e.arming() != 0 && slices.Contains(e.policy.RoutesFor(e.live.Mode), g.name)
}

func (e *Engine) runProbes() {
	for _, g := range e.sorted {
		at := g.nextProbe(e.probing(g))
		if g.probe || at.IsZero() && g.state == GatewayUp || at.After(e.turn.now) {
			continue
		}
		g.seq++
		g.probedAt = e.turn.now
		e.turn.probes = append(e.turn.probes, payment.Call{Seq: g.seq, Kind: payment.CallProbe, Gateway: g.name})
	}
}

// observe learns from any call's outcome whether the gateway answers.
func (e *Engine) observe(c payment.Call, v payment.Verdict) {
	g := e.gateways[c.Gateway]
	g.inFlight--
	probe := c.Kind == payment.CallProbe
	if probe {
		g.probe = false
	}
	g.lastReason = ""
	if !v.Class.Verified() || v.Class == payment.ClassRefused || v.Class == payment.ClassRetryLater { // a customer's refused payment is none of its troubles
		g.lastReason = v.Reason
	}
	switch {
	case v.Class == payment.ClassNotSent && v.Reason != payment.ReasonGatewayUnreachable: // never left this machine
	case v.Class == payment.ClassNotSent, v.Class == payment.ClassNoAnswer && probe:
		e.setGateway(g, GatewayDown, v.Reason)
	case v.Class == payment.ClassNoAnswer: // one silence: the fast phase decides
	case v.Class == payment.ClassRefused && misconfiguration(c.Kind, v.Reason):
		g.lastAnswer, g.mend = e.turn.now, v.Reason
		e.setGateway(g, GatewayMisconfigured, v.Reason)
		if v.Reason == payment.ReasonClockWrong && !g.clockRetried {
			g.clockRetried = true
			g.probedAt = time.Time{}
		}
	default:
		g.lastAnswer = e.turn.now
		g.clockRetried = false
		e.setGateway(g, GatewayUp, "")
	}
}

// misconfiguration reports whether a refusal is of all calls to the gateway. The
// shop's contract may lack only what was asked for, such as refunds or one wallet,
// but not an inquiry, which a probe is too.
func misconfiguration(asked payment.CallKind, r payment.Reason) bool {
	switch r {
	case payment.ReasonBadSignature, payment.ReasonUnknownMerchant, payment.ReasonClockWrong:
		return true
	case payment.ReasonNotPermitted:
		return asked == payment.CallProbe || asked == payment.CallInquire
	}
	return false
}

func (e *Engine) setGateway(g *gateway, state GatewayState, why payment.Reason) {
	if g.state == state {
		return
	}
	if state == GatewayUp { // its open attempts are asked about at once (M14)
		g.sweeping, g.sweepAfter = g.state != GatewayUnproven, ""
	}
	g.state, g.since = state, e.turn.now
	e.note(payment.RecordGateway, map[string]string{
		"gateway": g.name, "state": string(state), "reason": string(why),
	})
}

// fastPhaseEnded marks the gateway down when all that a customer waited for was silence (M14).
func (e *Engine) fastPhaseEnded(s payment.Sale) {
	if a := s.LiveAttempt(); a != nil && a.Silent {
		e.setGateway(e.gateways[a.Gateway], GatewayDown, payment.ReasonNoAnswer)
	}
}

// sweepPage bounds how many sales one turn brings forward.
const sweepPage = 64

// sweep brings forward one page of a gateway's open attempts after an outage.
func (e *Engine) sweep(g *gateway) error {
	if !g.sweeping {
		return nil
	}
	sales, err := e.store.Open(g.sweepAfter, sweepPage)
	if err != nil {
		return fmt.Errorf("gateway %s: open sales: %w", g.name, err)
	}
	for _, s := range sales {
		g.sweepAfter = s.ID
		if s, err = e.sale(s.ID); err != nil {
			return err
		}
		if !s.Asks(g.name) {
			continue
		}
		if _, err := e.step(s, payment.CheckRequested{}); err != nil {
			return fmt.Errorf("sale %s: after the outage: %w", s.ID, err)
		}
	}
	g.sweeping = len(sales) == sweepPage
	return nil
}

// gatewayReady refuses a new sale that no gateway could take now (M14), or whose
// amount none takes.
func (e *Engine) gatewayReady(n NewSale) error {
	names := e.policy.RoutesFor(n.Mode)
	if len(names) == 0 {
		return &Error{Code: CodeNoRoute, Message: fmt.Sprintf("no route takes mode %q: add one to the configuration", n.Mode)}
	}
	var first error
	for _, name := range names {
		err := e.takes(name, n.Amount)
		if err == nil {
			return nil
		}
		if first == nil {
			first = err
		}
	}
	var refused *Error
	if errors.As(first, &refused) && refused.Code == CodeGatewayDown {
		refused.Offers = e.offers(n.Amount)
	}
	return first
}

// takes says why a gateway takes no payment of this amount now.
func (e *Engine) takes(gateway string, m payment.Money) error {
	if err := acceptable(m, gateway, e.policy.Gateways[gateway]); err != nil {
		return err
	}
	return e.gateways[gateway].ready()
}

// offers lists by which instruments an amount can be paid now.
func (e *Engine) offers(m payment.Money) (offered []payment.Instrument) {
	for _, way := range []struct {
		mode       payment.Mode
		instrument payment.Instrument
	}{{payment.ModeScan, payment.InstrumentCode}, {payment.ModeQR, payment.InstrumentQR}} {
		if slices.ContainsFunc(e.policy.RoutesFor(way.mode), func(name string) bool { return e.takes(name, m) == nil }) {
			offered = append(offered, way.instrument)
		}
	}
	return offered
}

// outOfOrder reports whether every gateway that a sale could use is known not to
// take any: one that is kept for refunds alone takes none.
func (e *Engine) outOfOrder() bool {
	if e.policy.InquireOnly {
		return true
	}
	for _, name := range e.policy.RoutesFor(payment.ModeAuto) {
		if g := e.gateways[name]; g.state == GatewayUp || g.state == GatewayUnproven {
			return false
		}
	}
	return true
}

func acceptable(m payment.Money, name string, traits payment.Traits) error {
	switch {
	case traits.MaxAmount > 0 && m.Amount > traits.MaxAmount:
		return &Error{Code: CodeInvalid, Field: "amount", Gateway: name,
			Message: fmt.Sprintf("must be at most %d minor units, the gateway's limit", traits.MaxAmount)}
	case len(traits.Currencies) > 0 && !slices.Contains(traits.Currencies, m.Currency):
		return &Error{Code: CodeInvalid, Field: "currency", Gateway: name,
			Message: "must be one that the gateway takes: " + joined(traits.Currencies)}
	}
	return nil
}

func joined(currencies []payment.Currency) string {
	words := make([]string, len(currencies))
	for i, c := range currencies {
		words[i] = string(c)
	}
	return strings.Join(words, ", ")
}

func (g *gateway) ready() error {
	switch g.state {
	case GatewayUp:
		return nil
	case GatewayMisconfigured:
		return &Error{Code: CodeGatewayMisconfigured, Gateway: g.name, Reason: g.mend,
			Message: "the gateway refuses this terminal's calls: " + string(g.mend)}
	case GatewayUnproven:
		return &Error{Code: CodeGatewayDown, Gateway: g.name, Message: "the gateway has not answered since the start: try again in a moment"}
	}
	return &Error{Code: CodeGatewayDown, Gateway: g.name, Message: "the gateway does not answer: take another means of payment, or try again in a moment"}
}

// readyToRefund is ready in a refund's words.
func (g *gateway) readyToRefund() error {
	var refused *Error
	if !errors.As(g.ready(), &refused) {
		return nil
	}
	refused.Refund = true
	if refused.Code == CodeGatewayDown {
		refused.Message = "the gateway does not answer, so no refund was begun: try again in a moment"
	} else {
		refused.Message = "the gateway refuses this terminal's calls, so no refund was begun: " + string(refused.Reason)
	}
	return refused
}

func (g *gateway) status() GatewayStatus {
	return GatewayStatus{Name: g.name, State: g.state, Since: g.since, LastAnswer: g.lastAnswer, LastReason: g.lastReason}
}
