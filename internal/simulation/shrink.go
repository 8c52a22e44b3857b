package simulation

import (
	"regexp"
	"slices"
)

// Shrink takes decisions away from a failing schedule as long as it fails in the
// same way: what stays is what the failure needs. It returns the schedule as it
// was when that does not fail.
func Shrink(s Schedule) Schedule {
	fails := func(s Schedule) string {
		w := newWorld(newScriptedDecider(s))
		w.oracle.stream = newRegister(w)
		w.run()
		if w.broken == nil {
			return ""
		}
		return kindOf(w.broken)
	}
	kind := fails(s)
	if kind == "" {
		return s
	}
	stillFails := func(s Schedule) bool { return fails(s) == kind }
	for before := len(s) + 1; len(s) < before; {
		before = len(s)
		s = takeAway(s, stillFails)
		s = takePairs(s, stillFails)
		s = lower(s, stillFails)
	}
	return s
}

// takeAway removes runs of decisions, long ones first (delta debugging).
func takeAway(s Schedule, fails func(Schedule) bool) Schedule {
	for length := max(len(s)/2, 1); length >= 1; length /= 2 {
		for at := len(s) - length; at >= 0; at -= length {
			if at+length > len(s) {
				continue
			}
			if fewer := slices.Delete(slices.Clone(s), at, at+length); fails(fewer) {
				s = fewer
			}
		}
	}
	return s
}

// takePairs removes two decisions that stand for each other, where the schedule
// is short enough to try them all.
func takePairs(s Schedule, fails func(Schedule) bool) Schedule {
	if len(s) > 40 {
		return s
	}
	for i := len(s) - 1; i > 0; i-- {
		for j := min(i, len(s)) - 1; j >= 0 && i < len(s); j-- {
			fewer := slices.Delete(slices.Clone(s), i, i+1)
			if fewer = slices.Delete(fewer, j, j+1); fails(fewer) {
				s = fewer
				break
			}
		}
	}
	return s
}

// lower makes values smaller: the first ways of each site are the plainer ones.
func lower(s Schedule, fails func(Schedule) bool) Schedule {
	for i := range s {
		for value := 1; value < s[i].value; value += 1 + value/8 {
			plainer := slices.Clone(s)
			plainer[i].value = value
			if fails(plainer) {
				s = plainer
				break
			}
		}
	}
	return s
}

var details = regexp.MustCompile(`[0-9A-Za-z]*[0-9][0-9A-Za-z.:-]*`)

// kindOf is a failure without its ids, times and numbers.
func kindOf(err error) string {
	text := err.Error()
	if len(text) > 3 && text[2] == ':' { // P1: …, M5: …
		return text[:3] + details.ReplaceAllString(text[3:min(len(text), 60)], "#")
	}
	return details.ReplaceAllString(text[:min(len(text), 60)], "#")
}
