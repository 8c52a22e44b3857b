package simulation

import (
	"runtime"
	"slices"
	"testing"
)

// The same seed gives the same story, word for word, and so does the schedule
// of the decisions that the seed made: nothing else decides a run.
func TestReplayIsExact(t *testing.T) {
	seeds := uint64(100)
	if raceEnabled {
		seeds = 16
	}
	for seed := range seeds {
		if first, second := Fingerprint(seed), Fingerprint(seed); first != second {
			t.Fatalf("seed %d: %s, then %s", seed, first, second)
		}
		story, decisions, _ := Tell(seed)
		read, err := ParseSchedule(decisions.String())
		if err != nil || !slices.Equal(read, decisions) {
			t.Fatalf("seed %d: the schedule is read back as\n%s\nand was\n%s (%v)", seed, read, decisions, err)
		}
		if again, _ := Replay(read); again != story {
			t.Fatalf("seed %d: its schedule tells another story:\n%s\nand the seed:\n%s", seed, again, story)
		}
	}
}

// A campaign's sum does not hang on how many workers played it.
func TestWorkersDoNotMatter(t *testing.T) {
	one := Campaign{To: 256, Workers: 1}.Run(t.Context())
	three := Campaign{To: 256, Workers: 3}.Run(t.Context())
	if one.Result != three.Result {
		t.Errorf("one worker: %d turns, %d captures; three: %d turns, %d captures", one.Turns, one.Captures, three.Turns, three.Captures)
	}
	if one.Seeds != 256 {
		t.Errorf("%d seeds were played, not 256", one.Seeds)
	}
}

// 20,000 counter days break no promise, and every kind of fault befell them.
func TestCounterDays(t *testing.T) {
	seeds := uint64(20_000)
	if raceEnabled {
		seeds = 160
	}
	report := Campaign{To: seeds, Workers: runtime.GOMAXPROCS(0)}.Run(t.Context())
	for _, v := range report.Violations {
		_, decisions, _ := Tell(v.Seed)
		short := Shrink(decisions)
		story, _ := Replay(short)
		t.Errorf("%v\n%s\nschedule: %s", v, story, short)
	}
	if never := report.NeverFired(); len(never) > 0 && !raceEnabled {
		t.Errorf("never fired: %v", never)
	}
	t.Logf("%d seeds, %d turns, %s of processor time", report.Seeds, report.Turns, report.CPU)
}

// A schedule that cannot be read is refused, not guessed.
func TestParseScheduleRefuses(t *testing.T) {
	for _, text := range []string{"fate", "fate/1/2", "fate/1=2", "nowhere/1/2=3", "fate/x/2=3", "fate/1/2=", "fate/1/2/3=4"} {
		if s, err := ParseSchedule(text); err == nil {
			t.Errorf("%q is read as %v", text, s)
		}
	}
}
