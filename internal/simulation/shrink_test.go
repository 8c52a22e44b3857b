package simulation

import (
	"slices"
	"testing"
	"time"
)

// What a failure does not need is taken away: alone, in runs and in pairs that
// stand for each other; values become the plainest that still fail.
func TestShrinkLeavesWhatIsNeeded(t *testing.T) {
	var long Schedule
	for i := range 37 {
		long = append(long, decision{decisionKey{siteFate, i, 1}, 3})
	}
	has := func(s Schedule, subject, least int) bool {
		return slices.ContainsFunc(s, func(d decision) bool { return d.key.subject == subject && d.value >= least })
	}
	needs := func(s Schedule) bool { return has(s, 5, 2) && has(s, 30, 1) && has(s, 11, 1) == has(s, 12, 1) }
	s := takeAway(long, needs)
	s = takePairs(s, needs)
	s = lower(s, needs)
	want := "fate/5/1=2 fate/30/1=1"
	if s.String() != want {
		t.Errorf("shrunk to %s, want %s", s, want)
	}
}

// A schedule that does not fail is returned as it was.
func TestShrinkKeepsWhatDoesNotFail(t *testing.T) {
	_, decisions, err := Tell(1)
	if err != nil {
		t.Fatal(err)
	}
	if s := Shrink(decisions); !slices.Equal(s, decisions) {
		t.Errorf("%s became %s", decisions, s)
	}
}

// Events come in the order of their times, and of two at one time the one that
// was planned first.
func TestQueueOrder(t *testing.T) {
	var q queue
	var got, want []int
	for i := range 200 {
		at := time.Duration(mix(uint64(i)) % 10)
		q.push(at, func() { got = append(got, int(at)*1000+i) })
		want = append(want, int(at)*1000+i)
	}
	slices.Sort(want)
	for e, ok := q.pop(); ok; e, ok = q.pop() {
		e.do()
	}
	if !slices.Equal(got, want) {
		t.Errorf("came as %v", got)
	}
}

// Quantiles are exact to 4 %, whatever the size of the durations.
func TestQuantiles(t *testing.T) {
	var d Durations
	for i := range 1000 {
		d.add(time.Duration(i+1) * 70 * time.Millisecond)
	}
	for q, want := range map[float64]time.Duration{0.5: 35 * time.Second, 0.99: 69300 * time.Millisecond} {
		got := d.Quantile(q)
		if off := float64(got-want) / float64(want); off > 0.04 || off < -0.04 {
			t.Errorf("quantile %v is %s, want %s", q, got, want)
		}
	}
	if d.most != 70*time.Second {
		t.Errorf("the most is %s", d.most)
	}
}

// While the process lives its clock never goes back, and it stands still in no
// jump; a new process believes the wall clock.
func TestClock(t *testing.T) {
	var c clock
	before := c.read(time.Minute)
	c.offset = -time.Hour
	if now := c.read(2 * time.Minute); now.Sub(before) != time.Minute {
		t.Errorf("a jump back moved the clock by %s in a minute", now.Sub(before))
	}
	c.offset = time.Hour
	if now := c.read(3 * time.Minute); !now.Equal(dayOne.Add(time.Hour + 3*time.Minute)) {
		t.Errorf("after a jump forward it is %s", now)
	}
	c.offset = -time.Hour
	c.restart()
	if now := c.read(4 * time.Minute); !now.Equal(dayOne.Add(4*time.Minute - time.Hour)) {
		t.Errorf("a new process begins at %s", now)
	}
}
