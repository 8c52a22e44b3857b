package simulation

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// decision is one thing that went another way than the ordinary one. Value 0 is
// always the ordinary way, so that a run without decisions is an uneventful day.
type decision struct {
	key   decisionKey
	value int
}

// decisionKey names a decision by what it is about: the site, its subject (a
// visit, an attempt, a gateway) and the how manieth of its kind it is there.
type decisionKey struct {
	site    site
	subject int
	nth     int
}

// Schedule is the decisions that make a run, whatever the seed they came from.
type Schedule []decision

// String writes a schedule as ParseSchedule reads it.
func (s Schedule) String() string {
	words := make([]string, len(s))
	for i, d := range s {
		words[i] = fmt.Sprintf("%s/%d/%d=%d", d.key.site, d.key.subject, d.key.nth, d.value)
	}
	return strings.Join(words, " ")
}

// ParseSchedule reads a schedule: words "site/subject/nth=value".
func ParseSchedule(text string) (Schedule, error) {
	var s Schedule
	for word := range strings.FieldsSeq(text) {
		name, value, found := strings.Cut(word, "=")
		parts := strings.Split(name, "/")
		if !found || len(parts) != 3 {
			return nil, fmt.Errorf("schedule: %q is not site/subject/nth=value", word)
		}
		at := slices.Index(siteNames[:], parts[0])
		if at < 0 {
			return nil, fmt.Errorf("schedule: there is no site %q", parts[0])
		}
		var numbers [3]int
		for i, digits := range []string{parts[1], parts[2], value} {
			n, err := strconv.Atoi(digits)
			if err != nil {
				return nil, fmt.Errorf("schedule: %q: %w", word, err)
			}
			numbers[i] = n
		}
		s = append(s, decision{decisionKey{site(at), numbers[0], numbers[1]}, numbers[2]})
	}
	return s, nil
}

// decider makes the decisions of a run: drawn from a seed, or read from a
// schedule, where what is not named goes the ordinary way.
type decider struct {
	seed   uint64
	script map[decisionKey]int // nil: draw
	rates  [sites]int          // per mille, of the sites that happen rarely
	fates  [fates]int          // per mille, cumulated

	recording bool
	made      Schedule
}

func newDecider(seed uint64) *decider {
	d := &decider{seed: seed}
	d.drawRates()
	return d
}

func newScriptedDecider(s Schedule) *decider {
	d := &decider{script: make(map[decisionKey]int, len(s))}
	for _, one := range s {
		d.script[one.key] = one.value
	}
	return d
}

// rarely decides whether something happens whose rate was drawn for this seed.
func (d *decider) rarely(s site, subject, nth int) bool {
	drawn := 0
	if d.script == nil && int(d.draw(s, subject, nth)%1000) < d.rates[s] {
		drawn = 1
	}
	return d.decide(s, subject, nth, drawn) != 0
}

// pick decides for one of some ways, each as likely as its weight says.
func (d *decider) pick(s site, subject, nth int, weights []int) int {
	drawn := 0
	if d.script == nil {
		total := 0
		for _, w := range weights {
			total += w
		}
		at := int(d.draw(s, subject, nth) % uint64(total))
		for at >= weights[drawn] {
			at -= weights[drawn]
			drawn++
		}
	}
	return min(d.decide(s, subject, nth, drawn), len(weights)-1)
}

// fate decides what becomes of a gateway call on its way.
func (d *decider) fate(subject, nth int) fate {
	drawn := fateFine
	if d.script == nil {
		at := int(d.draw(siteFate, subject, nth) % 1000)
		for f := fateFine + 1; f < fates; f++ {
			if at >= d.fates[f-1] && at < d.fates[f] {
				drawn = f
			}
		}
	}
	return fate(min(d.decide(siteFate, subject, nth, int(drawn)), int(fates)-1))
}

func (d *decider) decide(s site, subject, nth, drawn int) int {
	key := decisionKey{s, subject, nth}
	if d.script != nil {
		drawn = d.script[key]
	}
	if drawn != 0 && d.recording {
		d.made = append(d.made, decision{key, drawn})
	}
	return drawn
}

// draw is the decision's random number: a hash of its name and the seed.
func (d *decider) draw(s site, subject, nth int) uint64 {
	h := mix(d.seed + 0x9e3779b97f4a7c15*uint64(s+1))
	h = mix(h ^ uint64(subject+1)*0xd1342543de82ef95)
	return mix(h ^ uint64(nth+1)*0xda942042e4dd58b5)
}

// mix is the finalizer of SplitMix64.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// drawRates gives each seed a weather of its own: one seed in ten is calm, and
// in the others each kind of trouble is absent, rare or frequent.
func (d *decider) drawRates() {
	calm := d.draw(siteRates, -1, 0)%10 == 0
	rate := func(what, most int) int {
		h := d.draw(siteRates, what, 1)
		if calm || h%5 < 2 {
			return 0
		}
		return 1 + int(h>>8)%most
	}
	for s, most := range rarest {
		if most > 0 {
			d.rates[s] = rate(s, most)
		}
	}
	total := 0
	for f := fateFine + 1; f < fates; f++ {
		total += rate(int(sites)+int(f), fateRates[f])
		d.fates[f] = min(total, 700)
	}
}
