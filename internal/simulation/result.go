package simulation

import (
	"cmp"
	"math/bits"
	"time"

	"payscand/payment"
)

// Result is what one run, or many together, brought.
type Result struct {
	Seeds     int
	Turns     int
	Commits   int
	Captures  int
	Reversals int
	Virtual   time.Duration
	Fired     [faults]int
	Excused   [excuses]int
	Wired     int // seeds that had the real codec
	Wire      [wireWays]int

	Gateways [2]Traffic // AlphaPay's kind, and Alipay+'s

	Unknown Durations // from unresolved to final
	Healed  Durations // from the end of all trouble to final, of what was unresolved then
	Blocked Durations // for which a customer's code held the counter
}

// Add adds another result.
func (r *Result) Add(other *Result) {
	r.Seeds += other.Seeds
	r.Turns += other.Turns
	r.Commits += other.Commits
	r.Captures += other.Captures
	r.Reversals += other.Reversals
	r.Virtual += other.Virtual
	for i, n := range other.Fired {
		r.Fired[i] += n
	}
	for i, n := range other.Excused {
		r.Excused[i] += n
	}
	for i := range r.Gateways {
		r.Gateways[i].add(&other.Gateways[i])
	}
	r.Wired += other.Wired
	for i, n := range other.Wire {
		r.Wire[i] += n
	}
	r.Unknown.merge(&other.Unknown)
	r.Healed.merge(&other.Healed)
	r.Blocked.merge(&other.Blocked)
}

// callKinds are all kinds of calls.
var callKinds = [...]payment.CallKind{
	payment.CallPay, payment.CallInquire, payment.CallCancel, payment.CallLookup, payment.CallRefund, payment.CallInquireRefund,
	payment.CallLookupRefund, payment.CallProbe,
}

// Traffic is what one kind of gateway was asked, and took.
type Traffic struct {
	Name     string
	Calls    [len(callKinds)]int
	Captures int
}

func (t *Traffic) add(other *Traffic) {
	t.Name = cmp.Or(t.Name, other.Name)
	for i, n := range other.Calls {
		t.Calls[i] += n
	}
	t.Captures += other.Captures
}

// gatewayCells are one cell for each kind of gateway.
func (r *Result) gatewayCells(cell func(*Traffic) string) []string {
	cells := make([]string, len(r.Gateways))
	for i := range r.Gateways {
		cells[i] = cell(&r.Gateways[i])
	}
	return cells
}

// traffic is what the run has seen of the gateway.
func (g *gatewayModel) traffic() *Traffic {
	kind := 0
	if g.traits.CancelReverses {
		kind = 1
	}
	t := &g.world.result.Gateways[kind]
	t.Name = g.name
	return t
}

// Durations is a histogram of durations, exact to 2 %.
type Durations struct {
	count   int
	most    time.Duration
	buckets [27 * perDoubling]int32 // of milliseconds: up to 2^27, a day and a half
}

const perDoubling = 32

func (d *Durations) add(v time.Duration) {
	ms := uint64(max(v/time.Millisecond, 1))
	power := bits.Len64(ms) - 1
	fraction := int(ms * perDoubling >> power)
	at := min(power*perDoubling+fraction-perDoubling, len(d.buckets)-1)
	d.buckets[at]++
	d.count++
	d.most = max(d.most, v)
}

func (d *Durations) merge(other *Durations) {
	if other.count == 0 {
		return
	}
	for i, n := range other.buckets {
		d.buckets[i] += n
	}
	d.count += other.count
	d.most = max(d.most, other.most)
}

// Quantile returns the duration below which the part q of all are.
func (d *Durations) Quantile(q float64) time.Duration {
	rank := int(q * float64(d.count))
	for i, n := range d.buckets {
		if rank -= int(n); rank < 0 {
			power, fraction := i/perDoubling, i%perDoubling+perDoubling
			return time.Duration(uint64(fraction)<<power/perDoubling) * time.Millisecond
		}
	}
	return d.most
}
