package alphapay_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"payscand/payment"
	"payscand/payment/alphapay"
	"payscand/payment/sandbox"
	"payscand/payment/signature"
)

var money = payment.Money{Amount: 1234, Currency: "CAD"}

// counter is a shop's counter in front of the practice gateway, over real HTTP.
type counter struct {
	t       *testing.T
	gateway *alphapay.Gateway
	bank    *sandbox.Server
	log     bytes.Buffer
	mu      sync.Mutex // time and log
	ahead   time.Duration
	sales   int
}

func (c *counter) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.log.Write(p)
}

func (c *counter) clock() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

// pass lets time go by at the gateway; a probe tells the terminal's clock.
func (c *counter) pass(d time.Duration) {
	c.mu.Lock()
	c.ahead += d
	c.mu.Unlock()
	c.call(&payment.Attempt{}, payment.CallProbe)
}

// bankKeys are made once: making them is the slowest part of these tests.
var bankKeys = sync.OnceValue(func() (keys sandbox.Keys) {
	for _, key := range []*signature.PrivateKey{&keys.Merchant, &keys.Platform} {
		made, err := signature.GenerateKey()
		if err != nil {
			panic(err)
		}
		*key = made
	}
	return keys
})

func newCounter(t *testing.T) *counter {
	c := &counter{t: t}
	keys := bankKeys()
	var err error
	c.bank, err = sandbox.New(sandbox.Config{
		MerchantCode: "9FEOWJ", MerchantKey: keys.Merchant.Public(), PlatformKey: keys.Platform, Clock: c.clock, Seed: "1",
		After: func(time.Duration) <-chan time.Time { // what comes late comes at once: lateness is another test's
			done := make(chan time.Time)
			close(done)
			return done
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(c.bank.Handler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	t.Cleanup(server.Close)
	t.Cleanup(c.bank.Close)
	c.gateway, err = alphapay.New(alphapay.Config{
		Name: "alphapay", BaseURL: server.URL, MerchantCode: "9FEOWJ", TerminalCode: "L1", PrivateKey: keys.Merchant,
		PlatformKeys: map[int]signature.PublicKey{1: keys.Platform.Public()},
		Logger:       slog.New(slog.NewTextHandler(c, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.gateway.Close)
	return c
}

func (c *counter) attempt(instrument payment.Instrument, code string) *payment.Attempt {
	c.sales++
	a := &payment.Attempt{
		N: 1, RequestID: fmt.Sprintf("01JZ8M3V0QK6T9X2B4C5D7E8%02d-1", c.sales), Gateway: "alphapay",
		Instrument: instrument, SubmittedAt: time.Now().UTC(), Code: payment.NewCode(code),
	}
	intent, err := c.gateway.Compose(payment.Sale{ID: "sale", Amount: money, Reference: "bill"}, *a)
	if err != nil {
		c.t.Fatal(err)
	}
	a.Intent = intent
	return a
}

// call makes one call, and keeps of its verdict what Step would.
func (c *counter) call(a *payment.Attempt, kind payment.CallKind) payment.Verdict {
	c.t.Helper()
	if kind == payment.CallPay {
		a.Sends++
	}
	sale := payment.Sale{ID: "sale", Attempts: []payment.Attempt{*a}}
	if kind == payment.CallProbe {
		sale = payment.Sale{}
	}
	r, err := c.gateway.Prepare(sale, payment.Call{Attempt: 1, Kind: kind}, time.Now())
	if err != nil {
		c.t.Fatal(err)
	}
	v := c.gateway.Send(context.Background(), r)
	if v.PaymentID != "" {
		a.PaymentID = v.PaymentID
	}
	return v
}

// expect makes calls in turn and holds each verdict's class.
func (c *counter) expect(a *payment.Attempt, steps ...any) (last payment.Verdict) {
	c.t.Helper()
	for i := 0; i < len(steps); i += 2 {
		last = c.call(a, steps[i].(payment.CallKind))
		if want := steps[i+1].(payment.Class); last.Class != want {
			c.t.Errorf("call %d, %s: got %s (%s, code %q), want %s", i/2+1, steps[i], last.Class, last.Reason, last.GatewayCode, want)
		}
	}
	return last
}

const (
	pay     = payment.CallPay
	inquire = payment.CallInquire
	cancel  = payment.CallCancel
	lookup  = payment.CallLookup
)

// Each behaviour of the practice gateway, which was written from the vendor's
// pages without this package, is understood: the verdicts lead to its truth, and
// never past it. No payment code is logged on the way.
func TestAgainstThePracticeGateway(t *testing.T) {
	const later = time.Minute
	for digits, test := range map[string]struct {
		steps  []any
		truth  sandbox.Status
		reason payment.Reason // of the last verdict
	}{
		"00": {[]any{pay, payment.ClassAccepted, inquire, payment.ClassPaid, cancel, payment.ClassAlreadyPaid}, sandbox.StatusPaid, ""},
		"01": {[]any{pay, payment.ClassPending, inquire, payment.ClassPending, later, inquire, payment.ClassPaid}, sandbox.StatusPaid, ""},
		"02": {[]any{pay, payment.ClassPending, later, inquire, payment.ClassFailed}, sandbox.StatusFailed, payment.ReasonDeclined},
		"03": {[]any{pay, payment.ClassPending, cancel, payment.ClassCancelAccepted, inquire, payment.ClassClosed}, sandbox.StatusClosed, payment.ReasonNotPaidInTime},
		"04": {[]any{pay, payment.ClassFailed}, sandbox.StatusFailed, payment.ReasonInsufficientFunds},
		"05": {[]any{pay, payment.ClassFailed}, sandbox.StatusFailed, payment.ReasonInsufficientFunds},
		"06": {[]any{pay, payment.ClassFailed}, sandbox.StatusFailed, payment.ReasonInvalidCode},
		"07": {[]any{pay, payment.ClassFailed}, sandbox.StatusFailed, payment.ReasonInvalidCode}, // the vendor has no other code
		"10": {[]any{pay, payment.ClassNoAnswer, pay, payment.ClassAlreadyPaid, lookup, payment.ClassPaid}, sandbox.StatusPaid, ""},
		"11": {[]any{pay, payment.ClassNoAnswer, lookup, payment.ClassNotFound, pay, payment.ClassAccepted, inquire, payment.ClassPaid}, sandbox.StatusPaid, ""},
		"20": {[]any{pay, payment.ClassNoAnswer, pay, payment.ClassNoAnswer, lookup, payment.ClassNotFound}, sandbox.StatusAbsent, payment.ReasonNotFound},
		"21": {[]any{pay, payment.ClassNoAnswer, lookup, payment.ClassPaid}, sandbox.StatusPaid, ""},
		"22": {[]any{pay, payment.ClassNoAnswer, pay, payment.ClassAlreadyPaid, lookup, payment.ClassPaid}, sandbox.StatusPaid, ""},
		"23": {[]any{pay, payment.ClassNoAnswer, pay, payment.ClassAlreadyPaid, lookup, payment.ClassPaid}, sandbox.StatusPaid, ""},
		"24": {[]any{pay, payment.ClassNoAnswer, lookup, payment.ClassPaid}, sandbox.StatusPaid, ""},
		"25": {[]any{pay, payment.ClassNoAnswer, lookup, payment.ClassPaid}, sandbox.StatusPaid, ""},
		"26": {[]any{pay, payment.ClassNoAnswer, lookup, payment.ClassPaid}, sandbox.StatusPaid, ""},
		"27": {[]any{pay, payment.ClassPending, cancel, payment.ClassPending, 10 * later, inquire, payment.ClassPending}, sandbox.StatusPending, ""},
		"32": {[]any{pay, payment.ClassPending, cancel, payment.ClassCancelAccepted, inquire, payment.ClassClosed, later, inquire, payment.ClassPaid}, sandbox.StatusPaid, ""},
		"33": {[]any{pay, payment.ClassNoAnswer, pay, payment.ClassAccepted, inquire, payment.ClassPaid}, sandbox.StatusPaid, ""},
		"34": {[]any{pay, payment.ClassRefused}, sandbox.StatusAbsent, payment.ReasonClockWrong},
	} {
		t.Run(digits, func(t *testing.T) {
			c := newCounter(t)
			code := "2812345678901234" + digits
			a := c.attempt(payment.InstrumentCode, code)
			var last payment.Verdict
			for i := 0; i < len(test.steps); {
				if d, isPause := test.steps[i].(time.Duration); isPause {
					c.pass(d)
					i++
					continue
				}
				last = c.expect(a, test.steps[i], test.steps[i+1])
				i += 2
			}
			if last.Reason != test.reason {
				t.Errorf("the last reason is %q, want %q", last.Reason, test.reason)
			}
			if last.Class == payment.ClassPaid && (last.Amount != money || last.RequestID != a.RequestID || last.PaymentID == "") {
				t.Errorf("paid, but %+v", last)
			}
			order, err := c.bank.Order(a.RequestID)
			if err != nil || order.Status != test.truth {
				t.Errorf("the truth is %s, %v, want %s", order.Status, err, test.truth)
			}
			if strings.Contains(c.log.String(), code) {
				t.Errorf("the code was logged:\n%s", c.log.String())
			}
		})
	}
}

// A QR order shows the pay page's address, and is paid, declined, cancelled or
// expires as its customer and time will have it. Its expiry is told by this
// machine's clock, however far the gateway's is from it.
func TestQROrders(t *testing.T) {
	c := newCounter(t)
	begin := func() *payment.Attempt {
		a := c.attempt(payment.InstrumentQR, "")
		v := c.expect(a, pay, payment.ClassPending)
		if v.QR == nil || !strings.HasPrefix(v.QR.Payload, "http://127.0.0.1") || !strings.HasPrefix(v.QR.Image, "data:image/png;base64,") {
			t.Fatalf("QR %+v", v.QR)
		}
		if left := time.Until(v.ExpiresAt); left < 4*time.Minute || left > 5*time.Minute+5*time.Second {
			t.Errorf("expires in %v", left)
		}
		c.expect(a, inquire, payment.ClassPending)
		return a
	}
	c.ahead = 3 * time.Minute
	a := begin()
	if _, err := c.bank.Pay(a.RequestID); err != nil {
		t.Fatal(err)
	}
	c.expect(a, inquire, payment.ClassPaid, cancel, payment.ClassAlreadyPaid)
	a = begin()
	if _, err := c.bank.Decline(a.RequestID); err != nil {
		t.Fatal(err)
	}
	c.expect(a, inquire, payment.ClassFailed)
	a = begin()
	c.expect(a, cancel, payment.ClassCancelAccepted, inquire, payment.ClassClosed)
	a = begin()
	c.pass(6 * time.Minute)
	c.expect(a, inquire, payment.ClassClosed)
}

// A probe proves keys, merchant and clock, and a wrong clock mends itself.
func TestProbeOfThePracticeGateway(t *testing.T) {
	c := newCounter(t)
	c.ahead = 20 * time.Minute
	v := c.expect(&payment.Attempt{}, payment.CallProbe, payment.ClassRefused)
	if v.Reason != payment.ReasonClockWrong {
		t.Errorf("reason %s", v.Reason)
	}
	c.expect(&payment.Attempt{}, payment.CallProbe, payment.ClassNotFound)
	if offset := c.gateway.ClockOffset(); (offset - 20*time.Minute).Abs() > 5*time.Second {
		t.Errorf("offset %v", offset)
	}
	c.expect(c.attempt(payment.InstrumentCode, "281234567890123400"), pay, payment.ClassAccepted, inquire, payment.ClassPaid)
}

// Among hundreds of others' transactions, over several pages, the own one is found.
func TestLookupAmongMany(t *testing.T) {
	c := newCounter(t)
	for range 101 {
		a := c.attempt(payment.InstrumentCode, "281234567890123400")
		a.RequestID = strings.Replace(a.RequestID, "-1", fmt.Sprintf("-%d", 100+c.sales), 1)
		intent, err := c.gateway.Compose(payment.Sale{ID: "sale", Amount: money}, *a)
		if err != nil {
			t.Fatal(err)
		}
		a.Intent = intent
		c.expect(a, pay, payment.ClassAccepted)
	}
	a := c.attempt(payment.InstrumentCode, "281234567890123410")
	c.expect(a, pay, payment.ClassNoAnswer, lookup, payment.ClassPaid)
	a = c.attempt(payment.InstrumentCode, "281234567890123403")
	c.expect(a, pay, payment.ClassPending, lookup, payment.ClassNotFound)
}
