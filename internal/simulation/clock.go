package simulation

import "time"

// dayOne is the true time at which every run begins.
var dayOne = time.Date(2026, 3, 2, 17, 0, 0, 0, time.UTC)

// clock is the terminal's idea of the time, as the driver reads it: the wall
// clock, which jumps, but while the process lives never back. Its monotonic part
// stands still while the machine sleeps.
type clock struct {
	offset time.Duration // wall clock minus true time
	slept  time.Duration // in all

	running  bool
	told     time.Time
	toldMono time.Duration
}

func (c *clock) read(now time.Duration) time.Time {
	c.told, c.toldMono = c.peek(now), now-c.slept
	c.running = true
	return c.told
}

// peek is what read would say.
func (c *clock) peek(now time.Duration) time.Time {
	wall := c.wall(now)
	if c.running {
		if steady := c.told.Add(now - c.slept - c.toldMono); steady.After(wall) {
			return steady
		}
	}
	return wall
}

func (c *clock) wall(now time.Duration) time.Time { return dayOne.Add(now + c.offset) }

// restart begins a process that knows nothing of the past.
func (c *clock) restart() { c.running = false }
