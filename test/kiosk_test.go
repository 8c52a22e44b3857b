package test

import (
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"payscand/api/client"
	"payscand/internal/browser"
)

// TestKiosk: what the customer sees while a sale goes one way or another, on the page in a Chromium. One browser serves
// them all, with a tab for each.
func TestKiosk(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	for _, c := range []struct {
		name string
		test func(*testing.T, *browser.Browser)
	}{
		{"scanned", testScannedSaleOnThePage},
		{"paid by QR", testQRSaleOnThePage},
		{"QR by itself", testAutomaticQROnThePage},
		{"declined", testDeclinedSaleOnThePage},
		{"cancelled", testCancelledSaleOnThePage},
		{"switched", testSwitchedSaleOnThePage},
		{"expired", testExpiredQROnThePage},
		{"out of order", testOutOfOrderOnThePage},
		{"daemon killed", testPageWithoutTheDaemon},
		{"daemon frozen", testPageOfAFrozenDaemon},
		{"late heartbeat", testLateHeartbeat},
		{"problems are found", testProblemsAreFound},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t, b)
		})
	}
}

// customer looks at the customer's page of a shop.
type customer struct {
	*browser.Page
	s *shop
	// alone: the daemon was gone for a while.
	alone bool
}

// customer comes to the counter. At the test's end everything is looked at that the page has done.
func (s *shop) customer(b *browser.Browser) *customer {
	s.t.Helper()
	c := &customer{Page: openPage(s.ctx, s.t, b, s.Kiosk, browser.DefaultSize), s: s}
	s.t.Cleanup(c.audit)
	c.sees("idle")
	return c
}

// sees waits until the page shows a screen after those seen before, a QR's with its picture.
func (c *customer) sees(screen string) browser.Seen {
	c.s.t.Helper()
	seen, err := c.Await(c.s.ctx, func(seen browser.Seen) bool {
		return seen.Screen == screen && seen.Drawn == (screen == "qr")
	})
	if err != nil {
		c.s.t.Fatalf("%s is to be seen, and there was: %s: %v", screen, c.saw(), err)
	}
	return seen
}

// saw lists the screens that there were, in order. The page's first moment, before it has heard of the daemon, is no part of it.
func (c *customer) saw() string {
	var screens []string
	for _, seen := range c.Seen() {
		if seen.Heard > 0 {
			screens = append(screens, seen.Screen)
		}
	}
	return strings.Join(slices.Compact(screens), " ")
}

// expect fails unless the screens came in the order of a regular expression. One that is there for the time of a request
// only, such as "wait" before a QR, may have come and gone between two looks.
func (c *customer) expect(order string) {
	c.s.t.Helper()
	if saw := c.saw(); !regexp.MustCompile("^(wait )?" + order + "$").MatchString(saw) {
		c.s.t.Errorf("the customer saw %q, and was to see %q", saw, order)
	}
}

// readQR reads the QR from a picture of the page. It is what the gateway asked to be shown, and what the register is told.
func (c *customer) readQR(id string) string {
	c.s.t.Helper()
	read, err := c.ReadQR(c.s.ctx)
	c.s.must(err)
	sale := c.s.get(id)
	attempt := sale.Attempts[len(sale.Attempts)-1]
	truth, err := c.s.PayPage(attempt.RequestID)
	c.s.must(err)
	if attempt.QR == nil || attempt.QR.Payload != read || truth != read {
		c.s.t.Errorf("the QR leads to %q, the gateway's page is %q, the register was told %+v", read, truth, attempt.QR)
	}
	return read
}

// expectQRGone fails unless a QR that was seen cannot be had any more, neither from the page nor from the daemon.
func (c *customer) expectQRGone(seen browser.Seen) {
	c.s.t.Helper()
	var images int
	c.s.must(c.Evaluate(c.s.ctx, `document.images.length`, &images))
	if images != 0 {
		c.s.t.Errorf("there are %d pictures on the page", images)
	}
	c.s.callOver(c.s.tcp, seen.QR, http.MethodGet, nil).expect(http.StatusGone)
}

// audit looks back over everything: a QR was on its own screen only, every screen spoke all languages, and the page did
// nothing that it should not.
func (c *customer) audit() {
	for _, seen := range c.Seen() {
		if seen.QR != "" && seen.Screen != "qr" {
			c.s.t.Errorf("there was a QR on the screen %s: %+v", seen.Screen, seen)
		}
		if len(seen.Titles) != 3 || slices.Contains(seen.Titles, "") {
			c.s.t.Errorf("a screen has not its title in 3 languages: %+v", seen)
		}
	}
	for _, problem := range c.Problems() {
		at, err := url.Parse(problem.URL)
		if lost := c.alone && problem.Kind == "network" && err == nil && at.Path == "/events"; !lost {
			c.s.t.Errorf("the page did what it should not: %+v", problem)
		}
	}
}

// sellQR makes a sale that shows its QR at once, and returns what its customer sees.
func (s *shop) sellQR(c *customer, amount int64) (client.Sale, browser.Seen) {
	s.t.Helper()
	sale, _ := s.create("qr-"+s.t.Name(), client.NewSale{Amount: amount, Currency: "CAD", Mode: client.ModeQR})
	return sale, c.sees("qr")
}

// sellAuto makes a sale that waits for a scan at first.
func (s *shop) sellAuto(c *customer, amount int64) client.Sale {
	s.t.Helper()
	sale, _ := s.create("auto-"+s.t.Name(), client.NewSale{Amount: amount, Currency: "CAD"})
	c.sees("amount")
	return sale
}

// showQR has the cashier ask for the QR.
func (s *shop) showQR(sale client.Sale) {
	s.t.Helper()
	if status := s.call(http.MethodPost, "/v1/sales/"+sale.ID+"/qr", nil).status; status != http.StatusAccepted && status != http.StatusOK {
		s.t.Fatalf("the QR was refused with status %d", status)
	}
}

// reconfigure starts the daemon anew with more in its configuration.
func (s *shop) reconfigure(more string) {
	s.t.Helper()
	s.must(s.StopDaemon())
	file, err := os.OpenFile(s.Config(), os.O_APPEND|os.O_WRONLY, 0)
	s.must(err)
	_, err = file.WriteString("\n" + more)
	s.must(err)
	s.must(file.Close())
	s.must(s.StartDaemon(s.ctx))
	s.must(s.AwaitReady(s.ctx))
}
