package simulation

import (
	"testing"
)

func TestCodecDays(t *testing.T) {
	var all Result
	for n := range uint64(400) {
		r, err := Run(n * codecEvery)
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		all.Add(&r)
	}
	for x := wireFine + 1; x < wireWays; x++ {
		t.Logf("%-40s %d", x, all.Wire[x])
	}
	t.Log(all.Turns, all.Captures)
}
