package alipayplus

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"payscand/payment"
)

// A second send has the same body byte for byte, whatever is configured by then,
// and goes where the first one went (M7).
func TestSecondSend(t *testing.T) {
	f, g := newFake(t, always(result("U", "UNKNOWN_EXCEPTION")))
	for _, instrument := range []payment.Instrument{payment.InstrumentCode, payment.InstrumentQR} {
		a := attemptOf(t, g, instrument)
		assertVerdict(t, call(t, g, a, payment.CallPay), payment.ClassRetryLater, payment.ReasonGatewayError)
		config := testConfig("https://open-sea.alipayplus.com")
		config.Merchant.Name, config.Store.Name, config.NotifyURL = "Another Name", "Other", "https://other.example/notify"
		later := newGateway(t, config)
		assertVerdict(t, call(t, later, a, payment.CallPay), payment.ClassRetryLater, payment.ReasonGatewayError)
		sent := f.calls()
		f.received = nil
		if len(sent) != 2 || !bytes.Equal(sent[0].body, sent[1].body) {
			t.Fatalf("sent %s", sent)
		}
		if string(sent[0].body) != string(a.Intent.Body(a.Code)) {
			t.Errorf("sent %s, not what the intent says", sent[0].body)
		}
	}
}

// What the answer says of the attempt comes through the whole way: a scanned code
// paid, waiting and cancelled, an order code shown, a refund made; each call goes
// to its path and names the order by our own request id.
func TestEveryCall(t *testing.T) {
	answers := map[string]string{
		payPath:     with("S", "SUCCESS", paymentIs+","+amountIs),
		inquirePath: inquiryAnswer("S", "SUCCESS"),
		cancelPath:  result("S", "SUCCESS"),
		refundPath:  with("S", "SUCCESS", `"refundId":"`+testRefundID+`"`),
	}
	f, g := newFake(t, func(path string, body map[string]any) string {
		if body["paymentRequestId"] != testRequestID {
			t.Errorf("%s names %v", path, body["paymentRequestId"])
		}
		return answers[path]
	})
	a := attemptOf(t, g, payment.InstrumentCode)
	for kind, class := range map[payment.CallKind]payment.Class{
		payment.CallPay: payment.ClassAccepted, payment.CallInquire: payment.ClassPaid,
		payment.CallCancel: payment.ClassCancelAccepted, payment.CallRefund: payment.ClassRefunded,
	} {
		assertVerdict(t, call(t, g, a, kind), class, "")
	}
	answers[payPath] = with("U", "PAYMENT_IN_PROCESS", paymentIs+","+formIs)
	v := call(t, g, attemptOf(t, g, payment.InstrumentQR), payment.CallPay)
	if assertVerdict(t, v, payment.ClassPending, ""); v.QR == nil || v.QR.Payload == "" {
		t.Errorf("no QR: %+v", v)
	}
	if late := v.ExpiresAt.Sub(testAt.Add(orderCodeLife)); late.Abs() > 5*time.Second { // what was asked for is sooner than what the form says
		t.Errorf("it expires %v late", late)
	}
	if n := len(f.calls()); n != 5 {
		t.Errorf("%d calls arrived", n)
	}
}

// What cannot be sent as it was meant is not prepared at all, and the refusal does
// not show the code.
func TestPrepareRefuses(t *testing.T) {
	g := newGateway(t, testConfig("https://open-sea.alipayplus.com"))
	for name, test := range map[string]struct {
		kind   payment.CallKind
		change func(*payment.Sale)
	}{
		"code wiped":             {payment.CallPay, func(s *payment.Sale) { s.Attempts[0].Code = payment.Code{} }},
		"code with a quote":      {payment.CallPay, func(s *payment.Sale) { s.Attempts[0].Code = payment.NewCode(testCode + `"`) }},
		"code with a space":      {payment.CallPay, func(s *payment.Sale) { s.Attempts[0].Code = payment.NewCode(testCode + " ") }},
		"no intent":              {payment.CallPay, func(s *payment.Sale) { s.Attempts[0].Intent = payment.Intent{} }},
		"damaged intent":         {payment.CallPay, func(s *payment.Sale) { s.Attempts[0].Intent.Head = "x" }},
		"another's intent":       {payment.CallPay, func(s *payment.Sale) { s.Attempts[0].RequestID += "0" }},
		"another client id":      {payment.CallInquire, func(s *payment.Sale) { s.Attempts[0].Intent.Account = "OTHER" }},
		"another path":           {payment.CallPay, func(s *payment.Sale) { s.Attempts[0].Intent.URL = "https://open-sea.alipayplus.com/pay" }},
		"plain http":             {payment.CallPay, func(s *payment.Sale) { s.Attempts[0].Intent.URL = "http://example.com" + payPath }},
		"no request id":          {payment.CallInquire, func(s *payment.Sale) { s.Attempts[0].RequestID = "" }},
		"no attempt":             {payment.CallCancel, func(s *payment.Sale) { s.Attempts = nil }},
		"no transaction list":    {payment.CallLookup, func(*payment.Sale) {}},
		"no inquiry of a refund": {payment.CallInquireRefund, func(*payment.Sale) {}},
		"no refund":              {payment.CallRefund, func(s *payment.Sale) { s.Refunds = nil }},
		"refund above the order": {payment.CallRefund, func(s *payment.Sale) { s.Refunds[0].Amount.Amount = 1235 }},
		"refund of nothing":      {payment.CallRefund, func(s *payment.Sale) { s.Refunds[0].Amount.Amount = 0 }},
		"refund in dollars":      {payment.CallRefund, func(s *payment.Sale) { s.Refunds[0].Amount.Currency = "USD" }},
		"another's refund":       {payment.CallRefund, func(s *payment.Sale) { s.Refunds[0].Attempt = 2 }},
		"refund without an id":   {payment.CallRefund, func(s *payment.Sale) { s.Refunds[0].RequestID = "" }},
	} {
		s := saleOf(attemptOf(t, g, payment.InstrumentCode))
		test.change(&s)
		r, err := g.Prepare(s, callOf(test.kind), time.Now())
		if err == nil || r != nil {
			t.Errorf("%s: prepared %v", name, r)
		} else if strings.Contains(err.Error(), testCode) {
			t.Errorf("%s: the refusal shows the code: %v", name, err)
		}
	}
}

// Send takes anything without failing: what it did not prepare is not sent, and
// what fails before there is a connection neither (M6).
func TestNotSent(t *testing.T) {
	_, g := newFake(t, always(""), dialing(func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("refused")
	}))
	for _, r := range []payment.Request{nil, 17, (*request)(nil), "pay"} {
		assertVerdict(t, g.Send(t.Context(), r), payment.ClassNotSent, payment.ReasonGatewayUnreachable)
	}
	a := attemptOf(t, g, payment.InstrumentCode)
	for _, kind := range kinds {
		assertVerdict(t, call(t, g, a, kind), payment.ClassNotSent, payment.ReasonGatewayUnreachable)
	}
	assertVerdict(t, g.Send(t.Context(), &request{}), payment.ClassNoAnswer, payment.ReasonAnswerMalformed) // a bug within
}

// What is not 200, not signed by Alipay+, or signed for another call is no answer.
func TestNoAnswer(t *testing.T) {
	body := with("S", "SUCCESS", requestIs+","+paymentIs+","+amountIs)
	for name, test := range map[string]struct {
		spoil  func(*fake, http.ResponseWriter, *http.Request)
		reason payment.Reason
	}{
		"HTTP 500": {func(_ *fake, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, payment.ReasonGatewayError},
		"HTTP 429": {func(_ *fake, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(429) }, payment.ReasonRateLimited},
		"redirect": {func(_ *fake, w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}, payment.ReasonGatewayError},
		"unsigned": {func(_ *fake, w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }, payment.ReasonAnswerUnverified},
		"a stranger's": {func(f *fake, w http.ResponseWriter, r *http.Request) {
			f.sign(w, r.URL.Path, body, testKeys().stranger)
			_, _ = io.WriteString(w, body)
		}, payment.ReasonAnswerUnverified},
		"our own": {func(f *fake, w http.ResponseWriter, r *http.Request) {
			f.sign(w, r.URL.Path, body, testKeys().merchant)
			_, _ = io.WriteString(w, body)
		}, payment.ReasonAnswerUnverified},
		"another call": {func(f *fake, w http.ResponseWriter, _ *http.Request) { f.say(w, cancelPath, body) }, payment.ReasonAnswerUnverified},
		"changed": {func(f *fake, w http.ResponseWriter, r *http.Request) {
			f.sign(w, r.URL.Path, body, testKeys().platform)
			_, _ = io.WriteString(w, body+" ")
		}, payment.ReasonAnswerUnverified},
		"hung up":         {func(*fake, http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, payment.ReasonNoAnswer},
		"signed, no JSON": {func(f *fake, w http.ResponseWriter, r *http.Request) { f.say(w, r.URL.Path, body[:40]) }, payment.ReasonAnswerMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			f, g := newFake(t, always(body))
			f.spoil = func(w http.ResponseWriter, r *http.Request) bool {
				test.spoil(f, w, r)
				return true
			}
			assertVerdict(t, call(t, g, attemptOf(t, g, payment.InstrumentCode), payment.CallPay), payment.ClassNoAnswer, test.reason)
			if n := len(f.calls()); n != 1 {
				t.Errorf("pay arrived %d times", n)
			}
		})
	}
}

// Whatever a hostile or broken gateway does with the payment code, it appears in
// no verdict and in no line of the log; a prepared request prints nothing of it.
func TestCodeNeverShows(t *testing.T) {
	for name, body := range map[string]string{
		"result code":  result("F", testCode),
		"status":       result(testCode, "SUCCESS"),
		"payment id":   with("U", "PAYMENT_IN_PROCESS", `"paymentId":"`+testCode+`"`),
		"request id":   with("U", "PAYMENT_IN_PROCESS", `"paymentRequestId":"`+testCode+`"`),
		"twice a name": `{"` + testCode + `":1,"` + testCode + `":2}`,
		"not JSON":     testCode,
	} {
		var l logs
		_, g := newFake(t, always(body), l.config)
		a := attemptOf(t, g, payment.InstrumentCode)
		v := call(t, g, a, payment.CallPay)
		r, err := g.Prepare(saleOf(a), callOf(payment.CallPay), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		log := slog.New(slog.NewTextHandler(&l, nil))
		log.Info("x", "request", r, "nested", struct{ R payment.Request }{r})
		for _, verb := range lines("%v\n%+v\n%#v\n%s\n%q\n%x\n%d") {
			log.Info(fmt.Sprintf(verb, r) + fmt.Sprintf(verb, struct{ r payment.Request }{r}))
		}
		out := fmt.Sprintf("%+v", v) + l.String()
		if strings.Contains(out, testCode) || strings.Contains(out, fmt.Sprintf("%x", testCode)) {
			t.Errorf("%s: the code is shown: %s", name, out)
		}
		if !strings.Contains(l.String(), "gateway call") {
			t.Errorf("%s: nothing was logged", name)
		}
	}
}

// The gateway's time is learnt from its answers and signed with from then on.
func TestClock(t *testing.T) {
	f, g := newFake(t, always(result("F", "ORDER_NOT_EXIST")))
	f.shift = 20 * time.Minute
	a := attemptOf(t, g, payment.InstrumentCode)
	call(t, g, a, payment.CallProbe)
	if off := g.ClockOffset() - f.shift; off.Abs() > 5*time.Second {
		t.Errorf("the offset is %v, want %v", g.ClockOffset(), f.shift)
	}
	r, err := g.Prepare(saleOf(a), callOf(payment.CallInquire), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	sent, err := time.Parse(time.RFC3339, r.(*request).message.Header.Get("Request-Time"))
	if off := sent.Sub(f.now()); err != nil || off.Abs() > 5*time.Second {
		t.Errorf("signed with a time %v off: %v", off, err)
	}
}
