package exchange

import (
	"net/http"
	"sync"
	"time"
)

// MaxClockSkew is how far AlphaPay lets a request's time be off its own; more is
// SIGN_TIMEOUT (vendor page "Keys and Parameters"). Alipay+ names no limit: the
// same is taken.
const MaxClockSkew = 5 * time.Minute

// clockSource says how good the knowledge of the gateway's clock is.
type clockSource int

const (
	clockUnknown  clockSource = iota
	clockDate                 // an HTTP Date header: any answer has one, nobody signed it
	clockVerified             // the Response-Time of a verified answer
)

// clock follows the gateway's clock. It goes on from the last answer by the
// monotonic clock, so that a jump of the terminal's wall clock moves nothing.
type clock struct {
	machine Clock

	mu      sync.Mutex
	source  clockSource
	gateway time.Time     // what the gateway's clock showed at anchor
	anchor  time.Duration // when it showed that, by the machine's clock that never jumps
	doubted bool          // the last verified answer was older than the clock allows
}

// now is the gateway's time; ok is false while nothing is known of it.
func (c *clock) now() (now time.Time, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.nowLocked(), c.source != clockUnknown
}

func (c *clock) nowLocked() time.Time {
	if c.source == clockUnknown {
		return c.machine.Now().UTC().Round(0)
	}
	return c.gateway.Add(c.machine.Elapsed() - c.anchor)
}

// learnDate takes an HTTP Date header, as long as nothing better is known.
func (c *clock) learnDate(header string) {
	date, err := http.ParseTime(header)
	if err != nil || !possible(date) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.source < clockVerified {
		c.set(clockDate, date)
	}
}

// learnVerified takes the Response-Time of a verified answer. It reports false,
// and learns nothing, when the answer is more than five minutes older than an
// answer can be now: an old one that came again. The next answer is then believed
// whatever its time, as the gateway's clock may have been put back. One refusal
// is enough: after it a pay is a second send, whose failure proves nothing (M4),
// and AlphaPay's other answers name the order that they are about.
//
// A time ahead of ours is always believed. Nobody can hold such an answer yet,
// and while a machine sleeps its monotonic clock stands still.
func (c *clock) learnVerified(at time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.source == clockVerified && !c.doubted && at.Before(c.nowLocked().Add(-MaxClockSkew)) {
		c.doubted = true
		return false
	}
	c.doubted = false
	c.set(clockVerified, at)
	return true
}

func (c *clock) set(source clockSource, at time.Time) {
	c.source, c.gateway, c.anchor = source, at.UTC(), c.machine.Elapsed()
}

// ClockOffset is the gateway's clock minus this machine's wall clock, good to
// about a second: from the Response-Time of verified answers, else from the HTTP
// Date of any answer; 0 until the first.
func (c *Client) ClockOffset() time.Duration {
	now, known := c.clock.now()
	if !known {
		return 0
	}
	return now.Sub(c.clock.machine.Now().Round(0)).Round(time.Millisecond)
}

// Now is the gateway's time (UTC), or this machine's until the gateway's is known.
func (c *Client) Now() time.Time {
	now, _ := c.clock.now()
	return now
}

// MachineNow is this machine's time, which may be wrong.
func (c *Client) MachineNow() time.Time { return c.clock.machine.Now() }

// timeForms are how vendors write a time: ISO 8601 with offset; the variants, of
// which fractions of a second need no form, are not documented but cost nothing to
// read.
var timeForms = []string{time.RFC3339, "2006-01-02T15:04:05Z0700"}

// ParseTime reads a time of the vendor's; the zero time if it cannot, or if that is
// no possible time of a payment.
func ParseTime(text string) time.Time {
	for _, form := range timeForms {
		if at, err := time.Parse(form, text); err == nil && possible(at) {
			return at.UTC()
		}
	}
	return time.Time{}
}

// possible reports whether something can have happened at a time, or end at it.
// Programs write a time of the year 1 or 1970 where they have none, and one of 9999
// for "never": in UTC, or by this machine's clock, that may be the year 10000, which
// no store can hold.
func possible(at time.Time) bool {
	year := at.UTC().Year()
	return year > 1970 && year < 9000
}
