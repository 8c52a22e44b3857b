package alphapay

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"payscand/payment"
	"payscand/payment/exchange/exchangetest"
	"payscand/payment/signature"
)

// Send takes anything without failing: what it did not prepare is not sent.
func TestSendOfSomethingElse(t *testing.T) {
	g := newGateway(t, testConfig("https://openapi.alphapay.ca"))
	for _, r := range []payment.Request{nil, 17, (*request)(nil), "pay"} {
		exchangetest.AssertVerdict(t, g.Send(context.Background(), r), payment.ClassNotSent, payment.ReasonGatewayUnreachable)
	}
	// A bug within is no answer.
	exchangetest.AssertVerdict(t, g.Send(context.Background(), &request{question: question{kind: payment.CallPay}}), payment.ClassNoAnswer, payment.ReasonAnswerMalformed)
}

// Whatever a hostile or broken gateway does with the payment code, it appears in
// no verdict and in no line of the log.
func TestCodeNeverShows(t *testing.T) {
	for _, code := range []string{testCode, "fp0123456789abcdefghijklmnopqrstuvw"} {
		echo := map[string]func(f *fake, w http.ResponseWriter, path string){
			"result code": func(f *fake, w http.ResponseWriter, path string) { f.say(w, path, exchangetest.Result("F", code)) },
			"status": func(f *fake, w http.ResponseWriter, path string) {
				f.say(w, path, exchangetest.Result(code, "SUCCESS"))
			},
			"ids": func(f *fake, w http.ResponseWriter, path string) {
				f.say(w, path, replaced(payPending, testPaymentID, code))
			},
			"request id": func(f *fake, w http.ResponseWriter, path string) {
				f.say(w, path, replaced(payPending, testRequestID, code))
			},
			"type":           func(f *fake, w http.ResponseWriter, path string) { f.say(w, path, `{"result":"`+code+`"}`) },
			"duplicate name": func(f *fake, w http.ResponseWriter, path string) { f.say(w, path, `{"`+code+`":1,"`+code+`":2}`) },
			"not JSON":       func(f *fake, w http.ResponseWriter, path string) { f.say(w, path, code) },
			"unsigned": func(_ *fake, w http.ResponseWriter, _ string) {
				_, _ = io.WriteString(w, exchangetest.Result("F", code))
			},
			"bad signature": func(_ *fake, w http.ResponseWriter, _ string) {
				for _, name := range []string{"Response-Time", "Nonce"} {
					w.Header().Set(name, code)
				}
				w.Header().Set("Signature", "algorithm="+code+",keyVersion=1,signature=AAAA")
			},
			"status line": func(_ *fake, w http.ResponseWriter, _ string) {
				conn, _, err := w.(http.Hijacker).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.WriteString(conn, code+"\r\n\r\n")
				_ = conn.Close()
			},
			"closed": func(*fake, http.ResponseWriter, string) { panic(http.ErrAbortHandler) },
		}
		for name, spoil := range echo {
			t.Run(name+" "+code[:2], func(t *testing.T) {
				var l exchangetest.Logs
				f, g := newFake(t, exchangetest.Always(payPending), logging(&l))
				f.spoil = func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
					spoil(f, w, r.URL.Path)
					return true
				}
				a := testAttempt(t, g)
				a.Code = payment.NewCode(code)
				v := call(t, g, a, payment.CallPay)
				if out := fmt.Sprintf("%+v", v) + l.String(); strings.Contains(out, code) {
					t.Errorf("the code is shown: %s", out)
				}
				if l.String() == "" {
					t.Error("nothing was logged")
				}
			})
		}
	}
}

func (f *fake) say(w http.ResponseWriter, path, body string) {
	f.sign(w, path, body, exchangetest.Keys().Platform)
	_, _ = io.WriteString(w, body)
}

// Calls that go on failing for one reason are one line of the log, their end
// another; an unsigned answer's code is told as a hint.
func TestLogIsBounded(t *testing.T) {
	var l exchangetest.Logs
	f, g := newFake(t, exchangetest.Always(payPending), logging(&l))
	a := testAttempt(t, g)
	f.spoil = func(w http.ResponseWriter, _ *http.Request, _ []byte) bool {
		_, _ = io.WriteString(w, exchangetest.Result("F", "INVALID_SIGN"))
		return true
	}
	for range 5 {
		call(t, g, a, payment.CallInquire)
	}
	f.spoil = nil
	call(t, g, a, payment.CallPay)
	out := l.String()
	if strings.Count(out, "level=WARN") != 1 || strings.Count(out, "level=INFO") != 1 {
		t.Errorf("log:\n%s", out)
	}
	if !strings.Contains(out, "it says INVALID_SIGN") || !strings.Contains(out, testRequestID) {
		t.Errorf("the log does not say what to mend:\n%s", out)
	}
}

// Answers signed with a second configured key version are believed: keys are
// changed by adding the new one first.
func TestSecondPlatformKey(t *testing.T) {
	f, _ := newFake(t, exchangetest.Always(payPending))
	server := httptest.NewServer(f)
	defer server.Close()
	config := testConfig(server.URL)
	config.PlatformKeys = map[int]signature.PublicKey{1: exchangetest.Keys().Stranger.Public(), 7: exchangetest.Keys().Platform.Public()}
	g := newGateway(t, config)
	f.spoil = func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
		at, nonce := time.Now().UTC().Format(time.RFC3339), strings.Repeat("n", 32)
		header, err := signature.Signer{Algorithm: signature.RS256, KeyVersion: 7, Key: exchangetest.Keys().Platform}.Sign(
			[]byte("POST " + r.URL.Path + "\n" + testMerchant + "." + at + "." + nonce + "." + payPending))
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Response-Time", at)
		w.Header().Set("Nonce", nonce)
		w.Header().Set("Signature", header)
		_, _ = io.WriteString(w, payPending)
		return true
	}
	exchangetest.AssertVerdict(t, call(t, g, testAttempt(t, g), payment.CallPay), payment.ClassPending, "")
}
