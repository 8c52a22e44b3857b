package alphapay

import (
	"io"
	"net/http"
	"testing"
	"time"

	"payscand/payment"
	"payscand/payment/exchange/exchangetest"
)

// A terminal whose clock is 20 minutes wrong, either way, is refused once and from
// then on signs with the gateway's time.
func TestClockIsLearntFromVerifiedAnswers(t *testing.T) {
	for _, shift := range []time.Duration{20 * time.Minute, -20 * time.Minute, 26 * time.Hour, time.Second} {
		fakeTime(t, func(t *testing.T, f *fake, g *Gateway, _ *pipes) {
			f.shift = shift
			f.reply = exchangetest.Always(payPending)
			first := probe(t, g)
			if shift.Abs() > 5*time.Minute {
				exchangetest.AssertVerdict(t, first, payment.ClassRefused, payment.ReasonClockWrong)
			}
			if offset := g.ClockOffset(); (offset - shift).Abs() > time.Second {
				t.Errorf("offset %v, want %v", offset, shift)
			}
			exchangetest.AssertVerdict(t, call(t, g, testAttempt(t, g), payment.CallPay), payment.ClassPending, "")
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
		exchangetest.AssertVerdict(t, call(t, g, a, payment.CallPay), payment.ClassPending, "")
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
			f.sign(w, r.URL.Path, payPending, exchangetest.Keys().Platform)
			_, _ = io.WriteString(w, payPending)
			return true
		}
		exchangetest.AssertVerdict(t, call(t, g, a, payment.CallPay), payment.ClassPending, "")
		f.spoil, f.shift = recorded, -4*time.Minute // within what clocks may differ
		exchangetest.AssertVerdict(t, call(t, g, a, payment.CallPay), payment.ClassPending, "")
		f.shift = -4*time.Minute - 6*time.Minute
		exchangetest.AssertVerdict(t, call(t, g, a, payment.CallPay), payment.ClassNoAnswer, payment.ReasonAnswerUnverified)
		if offset := g.ClockOffset(); (offset + 4*time.Minute).Abs() > time.Second {
			t.Errorf("an old answer moved the clock to %v", offset)
		}
		exchangetest.AssertVerdict(t, call(t, g, a, payment.CallPay), payment.ClassPending, "")
		f.shift = -10*time.Minute - 6*time.Minute // refused again, not only the first time
		exchangetest.AssertVerdict(t, call(t, g, a, payment.CallPay), payment.ClassNoAnswer, payment.ReasonAnswerUnverified)
		f.shift = 0 // newer than thought is never an old answer: a machine that slept
		exchangetest.AssertVerdict(t, call(t, g, a, payment.CallPay), payment.ClassPending, "")
		if offset := g.ClockOffset(); offset.Abs() > time.Second {
			t.Errorf("offset %v", offset)
		}
	})
}

// An answer whose time cannot be read is believed, as its form is not documented;
// it moves no clock.
func TestUnreadableResponseTime(t *testing.T) {
	f, g := newFake(t, exchangetest.Always(payPending))
	f.spoil = func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
		f.signAt(w, r.URL.Path, payPending, exchangetest.Keys().Platform, "1559016732000")
		_, _ = io.WriteString(w, payPending)
		return true
	}
	exchangetest.AssertVerdict(t, call(t, g, testAttempt(t, g), payment.CallPay), payment.ClassPending, "")
	if offset := g.ClockOffset(); offset.Abs() > 2*time.Second { // from Date
		t.Errorf("offset %v", offset)
	}
}
