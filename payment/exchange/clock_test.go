package exchange

import (
	"testing"
	"testing/synctest"
	"time"
)

// The gateway's time goes on from the last answer, not from the wall clock.
func TestClockGoesOn(t *testing.T) {
	at := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	synctest.Test(t, func(t *testing.T) {
		c := clock{machine: machineClock{time.Now()}}
		if !c.learnVerified(at) {
			t.Fatal("refused")
		}
		<-time.After(90 * time.Minute) // fake time
		if now, known := c.now(); !known || !now.Equal(at.Add(90*time.Minute)) {
			t.Errorf("got %v", now)
		}
	})
	machine := &jumpingClock{wall: at}
	c := clock{machine: machine}
	c.learnVerified(at)
	machine.wall = at.AddDate(-9, 0, 0)
	machine.elapsed += time.Minute
	if now, _ := c.now(); !now.Equal(at.Add(time.Minute)) {
		t.Errorf("the machine's clock jumped back by years, and a minute later the gateway's is %v", now)
	}
}

// jumpingClock is a machine's clock that a test sets.
type jumpingClock struct {
	wall    time.Time
	elapsed time.Duration
}

func (c *jumpingClock) Now() time.Time         { return c.wall }
func (c *jumpingClock) Elapsed() time.Duration { return c.elapsed }

// Request-Time is ISO 8601 to the second with its offset in digits, by the clock
// that Sign was given while the gateway's is unknown.
func TestRequestTime(t *testing.T) {
	c := newClient(t, testConfig("https://openapi.alphapay.ca"))
	at := time.Date(2025, 6, 3, 23, 59, 59, 999, time.FixedZone("x", -8*3600))
	m, err := c.Sign(c.BaseURL(), "/pay", nil, at)
	if err != nil {
		t.Fatal(err)
	}
	if got := m.Header.Get("Request-Time"); got != "2025-06-04T07:59:59+00:00" {
		t.Errorf("got %s", got)
	}
}

func TestParseTime(t *testing.T) {
	want := time.Date(2019, 5, 28, 4, 12, 12, 0, time.UTC)
	for _, text := range []string{"2019-05-28T12:12:12+08:00", "2019-05-28T04:12:12Z", "2019-05-28T12:12:12+0800", "2019-05-27T20:12:12-08:00",
		"2019-05-28T12:12:12.345+08:00", "2019-05-28T12:12:12.345678901+0800", "2019-05-28T04:12:12.3Z"} {
		if got := ParseTime(text); !got.Truncate(time.Second).Equal(want) {
			t.Errorf("%s: %v", text, got)
		}
	}
	for _, text := range []string{
		"", "2019-05-28", "2019-05-28T12:12:12", "1559016732", "2019-13-28T12:12:12Z", "x",
		"0001-01-01T00:00:00+08:00", "1970-01-01T08:00:00+08:00", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-08:00", // none, and never
	} {
		if got := ParseTime(text); !got.IsZero() {
			t.Errorf("%s: read as %v", text, got)
		}
	}
}

// A Date that cannot be one sets no clock.
func TestImpossibleDate(t *testing.T) {
	c := clock{machine: machineClock{time.Now()}}
	for _, date := range []string{"Fri, 31 Dec 9999 23:59:59 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"} {
		c.learnDate(date)
		if now, known := c.now(); known {
			t.Errorf("%s: the gateway's clock is at %v", date, now)
		}
	}
}
