package test

import (
	"testing"

	"payscand/api/client"
	"payscand/internal/browser"
)

// saidWithin is how soon the page must say that the daemon is gone: milliseconds by its own clock.
const saidWithin = 5000

// pageClock is the page's clock, as in browser.Seen.
const pageClock = `performance.timeOrigin + performance.now()`

// expectSaidInTime fails unless the page spoke within the bound after a moment. What the machine held the page's timers
// up is not the page's.
func (c *customer) expectSaidInTime(seen browser.Seen, after float64) {
	c.s.t.Helper()
	if took := seen.At - after; took > saidWithin+seen.Late {
		c.s.t.Errorf("the page said so after %.0f ms, with its timers %.0f ms late", took, seen.Late)
	}
	if seen.Amount != "" || seen.QR != "" {
		c.s.t.Errorf("a page alone shows what it cannot know: %+v", seen)
	}
}

// A daemon that is killed: its page asks for patience, takes the QR down, and has it back with the daemon.
func testPageWithoutTheDaemon(t *testing.T, b *browser.Browser) {
	s := openShop(t)
	c := s.customer(b)
	sale, before := s.sellQR(c, 1500)
	c.alone = true
	var killed float64
	s.must(c.Evaluate(s.ctx, pageClock, &killed))
	s.KillDaemon()
	offline := c.sees("offline")
	c.expectSaidInTime(offline, killed)
	if offline.Titles[0] != "Please wait" {
		t.Errorf("the page says %q", offline.Titles)
	}

	s.must(s.StartDaemon(s.ctx))
	if after := c.sees("qr"); after.QR == before.QR {
		t.Error("the QR's picture has the address that it had at the daemon before")
	}
	s.must(s.Pay(c.readQR(sale.ID)))
	c.sees("approved")
	s.awaitStatus(sale.ID, client.StatusPaid)
	s.expectCaptures(sale.ID+"-1", 1)
	c.expect("idle (wait )?qr offline (wait )?qr approved")
}

// A daemon that hangs with its connections open is as good as gone.
func testPageOfAFrozenDaemon(t *testing.T, b *browser.Browser) {
	s := openShop(t)
	c := s.customer(b)
	sale, _ := s.sellQR(c, 1500)
	c.alone = true
	s.must(s.FreezeDaemon())
	offline := c.sees("offline")
	s.must(s.ThawDaemon())
	c.expectSaidInTime(offline, offline.Heard)

	c.sees("qr")
	s.must(s.Pay(c.readQR(sale.ID)))
	c.sees("approved")
	s.awaitStatus(sale.ID, client.StatusPaid)
	c.expect("idle (wait )?qr offline (wait )?qr approved")
}
