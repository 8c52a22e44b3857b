package alphapay

import (
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"payscand/payment"
)

// A terminal whose clock is 20 minutes wrong, either way, is refused once and from
// then on signs with the gateway's time.
func TestClockIsLearntFromVerifiedAnswers(t *testing.T) {
	for _, shift := range []time.Duration{20 * time.Minute, -20 * time.Minute, 26 * time.Hour, time.Second} {
		fakeTime(t, func(t *testing.T, f *fake, g *Gateway, _ *pipes) {
			f.shift = shift
			f.reply = always(payPending)
			first := probe(t, g)
			if shift.Abs() > 5*time.Minute {
				assertVerdict(t, first, payment.ClassRefused, payment.ReasonClockWrong)
			}
			if offset := g.ClockOffset(); (offset - shift).Abs() > time.Second {
				t.Errorf("offset %v, want %v", offset, shift)
			}
			assertVerdict(t, call(t, g, testAttempt(t, g), payment.CallPay), payment.ClassPending, "")
			elapse(48 * time.Hour)
			if off := g.Now().Sub(f.now()); off.Abs() > time.Second {
				t.Errorf("two days later: %v off", off)
			}
		})
	}
}

// Without a verified answer the HTTP Date of any answer does; once there was a
// verified one, it alone counts.
func TestClockFromHTTPDate(t *testing.T) {
	fakeTime(t, func(t *testing.T, f *fake, g *Gateway, _ *pipes) {
		a := testAttempt(t, g)
		broken := func(date time.Time) func(http.ResponseWriter, *http.Request, []byte) bool {
			return func(w http.ResponseWriter, _ *http.Request, _ []byte) bool {
				w.Header().Set("Date", date.UTC().Format(http.TimeFormat))
				w.WriteHeader(http.StatusBadGateway)
				return true
			}
		}
		if g.ClockOffset() != 0 {
			t.Error("an offset from nowhere")
		}
		for _, shift := range []time.Duration{time.Hour, 20 * time.Minute} {
			f.spoil = broken(time.Now().Add(shift))
			call(t, g, a, payment.CallInquire)
			if offset := g.ClockOffset(); (offset - shift).Abs() > time.Second {
				t.Errorf("offset %v, want %v from Date", offset, shift)
			}
		}
		f.spoil, f.shift = nil, 20*time.Minute
		assertVerdict(t, call(t, g, a, payment.CallPay), payment.ClassPending, "")
		f.spoil = broken(time.Now().Add(-time.Hour))
		call(t, g, a, payment.CallInquire)
		if offset := g.ClockOffset(); (offset - f.shift).Abs() > time.Second {
			t.Errorf("a Date moved the verified offset to %v", offset)
		}
	})
}

// An answer that is more than five minutes older than the gateway's clock allows
// is refused once; if the clock was really put back, the next answer sets it.
func TestOldAnswersAreRefusedOnce(t *testing.T) {
	fakeTime(t, func(t *testing.T, f *fake, g *Gateway, _ *pipes) {
		a := testAttempt(t, g)
		recorded := func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
			f.sign(w, r.URL.Path, payPending, testKeys().platform)
			_, _ = io.WriteString(w, payPending)
			return true
		}
		assertVerdict(t, call(t, g, a, payment.CallPay), payment.ClassPending, "")
		f.spoil, f.shift = recorded, -4*time.Minute // within what clocks may differ
		assertVerdict(t, call(t, g, a, payment.CallPay), payment.ClassPending, "")
		f.shift = -4*time.Minute - 6*time.Minute
		assertVerdict(t, call(t, g, a, payment.CallPay), payment.ClassNoAnswer, payment.ReasonAnswerUnverified)
		if offset := g.ClockOffset(); (offset + 4*time.Minute).Abs() > time.Second {
			t.Errorf("an old answer moved the clock to %v", offset)
		}
		assertVerdict(t, call(t, g, a, payment.CallPay), payment.ClassPending, "")
		f.shift = -10*time.Minute - 6*time.Minute // refused again, not only the first time
		assertVerdict(t, call(t, g, a, payment.CallPay), payment.ClassNoAnswer, payment.ReasonAnswerUnverified)
		f.shift = 0 // newer than thought is never an old answer: a machine that slept
		assertVerdict(t, call(t, g, a, payment.CallPay), payment.ClassPending, "")
		if offset := g.ClockOffset(); offset.Abs() > time.Second {
			t.Errorf("offset %v", offset)
		}
	})
}

// An answer whose time cannot be read is believed, as its form is not documented;
// it moves no clock.
func TestUnreadableResponseTime(t *testing.T) {
	f, g := newFake(t, always(payPending))
	f.spoil = func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
		f.signAt(w, r.URL.Path, payPending, testKeys().platform, "1559016732000")
		_, _ = io.WriteString(w, payPending)
		return true
	}
	assertVerdict(t, call(t, g, testAttempt(t, g), payment.CallPay), payment.ClassPending, "")
	if offset := g.ClockOffset(); offset.Abs() > 2*time.Second { // from Date
		t.Errorf("offset %v", offset)
	}
}

// The gateway's time goes on from the last answer, not from the wall clock.
func TestClockGoesOn(t *testing.T) {
	at := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	synctest.Test(t, func(t *testing.T) {
		c := clock{machine: machineClock{time.Now()}}
		if !c.learnVerified(at) {
			t.Fatal("refused")
		}
		elapse(90 * time.Minute)
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
// that Prepare was given while the gateway's is unknown.
func TestRequestTime(t *testing.T) {
	g := newGateway(t, testConfig("https://openapi.alphapay.ca"))
	at := time.Date(2025, 6, 3, 23, 59, 59, 999, time.FixedZone("x", -8*3600))
	m, err := g.sign(g.config.BaseURL, payPath, nil, at)
	if err != nil {
		t.Fatal(err)
	}
	if got := m.header.Get("Request-Time"); got != "2025-06-04T07:59:59+00:00" {
		t.Errorf("got %s", got)
	}
}

func TestParseTime(t *testing.T) {
	want := time.Date(2019, 5, 28, 4, 12, 12, 0, time.UTC)
	for _, text := range []string{"2019-05-28T12:12:12+08:00", "2019-05-28T04:12:12Z", "2019-05-28T12:12:12+0800", "2019-05-27T20:12:12-08:00"} {
		if got := parseTime(text); !got.Equal(want) {
			t.Errorf("%s: %v", text, got)
		}
	}
	for _, text := range []string{"", "2019-05-28", "2019-05-28T12:12:12", "1559016732", "2019-13-28T12:12:12Z", "x"} {
		if got := parseTime(text); !got.IsZero() {
			t.Errorf("%s: read as %v", text, got)
		}
	}
}
