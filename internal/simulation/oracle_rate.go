package simulation

import (
	"time"

	"payscand/payment"
)

// pace bounds how often something happens over any time: so many at once, and
// from then on one in each gap. It begins anew where the terminal's clock leaps,
// and at a start: what was planned then comes all at once.
type pace struct {
	used  float64
	at    time.Duration
	leaps int
}

// What may follow at once, before the pauses hold.
const (
	callBurst   = 10 // of one attempt or refund: pay, inquire, cancel, inquire, a second look, and what people ask
	probeBurst  = 4
	wakeBurst   = 64
	commitBurst = 128
)

// quick reports whether this is one too many.
func (p *pace) quick(w *world, gap time.Duration, burst int) bool {
	if p.leaps != w.leaps {
		*p = pace{leaps: w.leaps}
	}
	p.used = max(0, p.used-float64(w.now-p.at)/float64(gap)) + 1
	p.at = w.now
	return p.used > float64(burst)
}

// holdPace: no attempt or refund asks its gateway more often than the policy's
// shortest pause allows, over any time (P10).
func (o *oracle) holdPace(f *flight, p *pace) {
	w := o.world
	if gap := min(w.policy.CheckPause, w.policy.CodeInquiries[0]); p.quick(w, gap, callBurst) {
		w.fail("P10: %s of %s leaves, and questions about it follow each other without a pause", f.call.Kind, f.requestID())
	}
	o.holdRate(w.gateway(f.call.Gateway))
}

// holdRate: all calls together keep to the gateway's rate, but for the live sale's.
func (o *oracle) holdRate(g *gatewayModel) {
	if w := o.world; g.calls.quick(w, time.Duration(float64(time.Second)/w.policy.Rate), w.policy.Burst+callBurst) {
		w.fail("P10: %s is asked more often than its rate allows", g.name)
	}
}

// probes holds the probes of a gateway to their pauses.
func (o *oracle) probes(g *gatewayModel) {
	if w := o.world; g.probes.quick(w, min(w.policy.ProbePause, w.policy.DownProbePause), probeBurst) {
		w.fail("P10: probes of %s follow each other without a pause", g.name)
	}
}

// woken holds how often the engine wakes by itself: no more often than the
// resolver may ask, in the long run.
func (o *oracle) woken() {
	if w := o.world; o.wakes.quick(w, time.Duration(float64(time.Second)/w.policy.Rate), wakeBurst) {
		w.fail("P10: the engine wakes again and again")
	}
}

// holdCommits: what is written is bounded too, whoever asks for it.
func (o *oracle) holdCommits() {
	if w := o.world; o.written.quick(w, time.Duration(float64(time.Second)/w.policy.Rate), commitBurst) {
		w.fail("P10: one commit follows the other without a pause")
	}
}

// holdTimes: a time that no store can hold ends the process, again and again (P9).
func (o *oracle) holdTimes(s *payment.Sale) {
	possible := func(at time.Time) bool { return at.IsZero() || at.Year() > 1970 && at.Year() < 9999 }
	good := s.Receipt == nil || possible(s.Receipt.PaidAt)
	for i := range s.Attempts {
		good = good && possible(s.Attempts[i].ExpiresAt) && possible(s.Attempts[i].NextAt)
	}
	if !good {
		o.world.fail("P9: sale %s has a time that no store can hold", s.ID)
	}
}
