package payment

import (
	"hash/fnv"
	"slices"
	"strconv"
	"time"
)

// Policy is every number that Step decides by, and the routes. The zero Policy
// is of no use: start from DefaultPolicy.
type Policy struct {
	// ScanWindow is how long ModeAuto waits for a scan before it shows a QR.
	ScanWindow time.Duration
	// SaleDeadline ends a sale that nobody pays.
	SaleDeadline time.Duration
	// FastPhase is how long a scanned code may hold the counter (M15).
	FastPhase time.Duration
	// CodeInquiries are the pauses before each inquiry of the fast phase; the last repeats.
	CodeInquiries []time.Duration
	// Resends are when the same pay is sent again, counted from the first send,
	// where the gateway knows no inquiry by request id.
	Resends []time.Duration
	// CancelRetries are when a cancel is repeated, counted from the first; the last step repeats.
	CancelRetries []time.Duration
	// CancelBound frees the terminal from a cancel without a definite answer (M15).
	CancelBound time.Duration
	// SwitchBound drops a scanned code whose QR would not close.
	SwitchBound time.Duration
	// QRInquiries: every QRFast for the first QRFastFor, then every QRSlow.
	QRFast, QRFastFor, QRSlow time.Duration
	// QRMargin before the gateway's expiry the QR leaves the screen (M8).
	QRMargin time.Duration
	// QRLife is assumed where the gateway tells no expiry.
	QRLife time.Duration
	// QRRetry is the pause before a QR that could not be had is tried once more (M9).
	QRRetry time.Duration
	// PaidLookups is the pause between lookups of an order that is known to be paid.
	PaidLookups time.Duration
	// Lookups are when an unknown order is looked up, counted from its first send.
	Lookups []time.Duration
	// Slow are the pauses of an unresolved sale's inquiries; SlowHourly follows
	// until a day has passed, then SlowDaily until GiveUpAfter.
	Slow                  []time.Duration
	SlowHourly, SlowDaily time.Duration
	GiveUpAfter           time.Duration
	// Jitter spreads slow questions by this part of their pause, both ways.
	Jitter float64
	// Watch are when an attempt that ended without payment is asked about again,
	// counted from its end (M12).
	Watch []time.Duration
	// AbsenceAfter the end of an order's life, a complete search that does not
	// find it proves that there is none.
	AbsenceAfter time.Duration
	// ReverseLateCaptures: captures that should not be are given back (M12), at
	// most MaxReversalsPerDay in 24 h.
	ReverseLateCaptures bool
	MaxReversalsPerDay  int
	// InquireOnly: no call that can move money is made. The terminal is not
	// adopted, and another may act on the same sales.
	InquireOnly bool
	// CheckPause is the least time between two questions that a check brings forward.
	CheckPause time.Duration

	// TwinWindow is how long an unresolved sale without reference warns of a twin (M11).
	TwinWindow time.Duration
	// CodeMemory is how long a submitted code is refused for any other sale (M10).
	CodeMemory time.Duration
	// ProbePause: while a sale is armed the connection is proved this often (M6).
	ProbePause time.Duration
	// DownProbePause: a gateway that is down is asked this often (M14).
	DownProbePause time.Duration
	// Slots bounds the requests under way at one gateway; one is kept for the live sale.
	Slots int
	// Rate and Burst are each gateway's token bucket for the resolver, in requests a second.
	Rate  float64
	Burst int

	// Speed is by how much every pause and bound above was divided (see Faster);
	// 1 for a real counter.
	Speed int
	// Routes choose the gateway: the first match wins.
	Routes []Route
	// Gateways by name.
	Gateways map[string]Traits
}

// Route sends a wallet's instrument to a gateway. "*" or empty matches any.
type Route struct {
	Wallet     Wallet     `toml:"wallet"`
	Instrument Instrument `toml:"instrument"`
	Gateway    string     `toml:"gateway"`
}

// DefaultPolicy returns the numbers that docs/money-rules.md lists, without routes.
func DefaultPolicy() Policy {
	const s = time.Second
	return Policy{
		ScanWindow: 30 * s, SaleDeadline: 5 * time.Minute, FastPhase: 60 * s,
		CodeInquiries: []time.Duration{1 * s, 2 * s, 2 * s, 3 * s},
		Resends:       []time.Duration{2 * s, 5 * s, 10 * s, 20 * s, 40 * s},
		CancelRetries: []time.Duration{2 * s, 5 * s, 10 * s},
		CancelBound:   20 * s, SwitchBound: 10 * s,
		QRFast: 2 * s, QRFastFor: 30 * s, QRSlow: 3 * s, QRMargin: 20 * s, QRLife: 5 * time.Minute, QRRetry: 5 * s,
		PaidLookups: 5 * s,
		Lookups:     []time.Duration{1 * time.Minute, 3 * time.Minute, 6 * time.Minute, 10 * time.Minute, 15 * time.Minute, 21 * time.Minute, 23 * time.Minute, 26 * time.Minute},
		Slow:        []time.Duration{30 * s, 60 * s, 60 * s, 60 * s, 5 * time.Minute, 5 * time.Minute},
		SlowHourly:  time.Hour, SlowDaily: 24 * time.Hour, GiveUpAfter: 30 * 24 * time.Hour,
		Watch: []time.Duration{1 * time.Minute, 15 * time.Minute, 24 * time.Hour}, AbsenceAfter: 15 * time.Minute,
		ReverseLateCaptures: true, MaxReversalsPerDay: 3,
		Jitter: 0.10, CheckPause: 1 * s,
		TwinWindow: 15 * time.Minute, CodeMemory: 3 * time.Minute,
		ProbePause: 10 * s, DownProbePause: 5 * s,
		Slots: 4, Rate: 10, Burst: 20, Speed: 1,
		Gateways: map[string]Traits{},
	}
}

// Faster returns the policy with every pause and bound divided by speed, so that
// a practice gateway's day passes in minutes. Rate and Burst grow with it.
func (p Policy) Faster(speed int) Policy {
	speed = max(1, speed)
	for _, d := range []*time.Duration{
		&p.ScanWindow, &p.SaleDeadline, &p.FastPhase, &p.CancelBound, &p.SwitchBound, &p.QRFast, &p.QRFastFor, &p.QRSlow,
		&p.QRMargin, &p.QRLife, &p.QRRetry, &p.PaidLookups, &p.SlowHourly, &p.SlowDaily, &p.GiveUpAfter, &p.AbsenceAfter,
		&p.CheckPause, &p.TwinWindow, &p.CodeMemory, &p.ProbePause, &p.DownProbePause,
	} {
		*d /= time.Duration(speed)
	}
	for _, pauses := range []*[]time.Duration{&p.CodeInquiries, &p.Resends, &p.CancelRetries, &p.Lookups, &p.Slow, &p.Watch} {
		*pauses = slices.Clone(*pauses)
		for i := range *pauses {
			(*pauses)[i] /= time.Duration(speed)
		}
	}
	p.Rate, p.Burst, p.Speed = p.Rate*float64(speed), p.Burst*speed, max(1, p.Speed)*speed
	return p
}

// Scaled returns a duration that is no field of the policy as the policy counts it.
func (p Policy) Scaled(d time.Duration) time.Duration { return d / time.Duration(max(1, p.Speed)) }

// Route returns the gateway for a wallet's instrument; ok is false where none matches.
func (p Policy) Route(w Wallet, i Instrument) (gateway string, ok bool) {
	for _, r := range p.Routes {
		if (r.Wallet == "" || r.Wallet == "*" || r.Wallet == w) &&
			(r.Instrument == "" || r.Instrument == "*" || r.Instrument == i) {
			return r.Gateway, true
		}
	}
	return "", false
}

// RoutesFor lists the gateways that a new sale of this mode could use, in route
// order: those that some wallet's code or the QR is sent to.
func (p Policy) RoutesFor(m Mode) []string {
	reached := map[string]bool{}
	reach := func(w Wallet, i Instrument) {
		if name, ok := p.Route(w, i); ok {
			reached[name] = true
		}
	}
	if m != ModeQR {
		for _, w := range Wallets() {
			reach(w, InstrumentCode)
		}
	}
	if m != ModeScan {
		reach("", InstrumentQR)
	}
	var names []string
	for _, r := range p.Routes {
		if reached[r.Gateway] && !slices.Contains(names, r.Gateway) {
			names = append(names, r.Gateway)
		}
	}
	return names
}

// Farthest is longer than any pause that is planned in the background: what is to
// be asked later than that was planned before the clock was set back.
func (p Policy) Farthest() time.Duration {
	longest := max(p.SlowHourly, p.SlowDaily)
	for _, step := range p.Watch {
		longest = max(longest, step)
	}
	return longest + time.Duration(float64(longest)*p.Jitter) + p.SlowHourly
}

// fewestQuestions is half as many as the slow phase asks until GiveUpAfter: who
// was asked less often is not that old, whatever the clock says.
func (p Policy) fewestQuestions() int {
	return (len(p.Slow) + int(p.SlowDaily/p.SlowHourly) + int(p.GiveUpAfter/p.SlowDaily)) / 2
}

// jittered spreads a pause by ±Jitter, the same way each time for the same
// request id and poll number, so that a replay is exact.
func (p Policy) jittered(pause time.Duration, requestID string, poll int) time.Duration {
	h := fnv.New64a()
	h.Write([]byte(requestID))
	h.Write([]byte(strconv.Itoa(poll)))
	part := float64(h.Sum64()%2001)/1000 - 1 // -1 … +1
	return pause + time.Duration(float64(pause)*p.Jitter*part).Truncate(time.Millisecond)
}

// at returns the i-th pause, or the last one for ever.
func at(pauses []time.Duration, i int) time.Duration {
	return pauses[min(i, len(pauses)-1)]
}
