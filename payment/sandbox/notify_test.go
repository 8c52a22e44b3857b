package sandbox

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

const goodAck = `{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"}}`

// shopListener stands in for the shop's notification URL, as the vendors ask one to be.
type shopListener struct {
	*httptest.Server
	p      *plusClient
	mu     sync.Mutex
	got    []notice
	answer func(http.ResponseWriter, *http.Request)
}

type notice struct {
	request *http.Request
	body    string
}

func newShopListener(p *plusClient) *shopListener {
	l := &shopListener{p: p}
	l.Server = httptest.NewServer(l)
	p.t.Cleanup(l.Close)
	return l
}

func (l *shopListener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.got = append(l.got, notice{r, string(body)})
	if l.answer != nil {
		l.answer(w, r)
		return
	}
	if r.Header.Get("Client-Id") != "" {
		l.sign(w, r, goodAck)
	}
	_, _ = io.WriteString(w, goodAck)
}

// sign signs an answer as an Alipay+ client does.
func (l *shopListener) sign(w http.ResponseWriter, r *http.Request, body string) {
	der, _ := base64.StdEncoding.DecodeString(l.p.private)
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		panic(err)
	}
	at := l.p.clock.Now().Format(time.RFC3339)
	digest := sha256.Sum256([]byte("POST " + r.URL.Path + "\n" + clientID + "." + at + "." + body))
	raw, err := rsa.SignPKCS1v15(rand.Reader, key.(*rsa.PrivateKey), crypto.SHA256, digest[:])
	if err != nil {
		panic(err)
	}
	w.Header().Set("Client-Id", clientID)
	w.Header().Set("Response-Time", at)
	w.Header().Set("Signature", "algorithm=RSA256, keyVersion=1, signature="+url.QueryEscape(base64.StdEncoding.EncodeToString(raw)))
}

// answers sets how the next notifications are answered.
func (l *shopListener) answers(with func(http.ResponseWriter, *http.Request)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answer = with
}

// take returns what came since the last call.
func (l *shopListener) take() []notice {
	l.mu.Lock()
	defer l.mu.Unlock()
	got := l.got
	l.got = nil
	return got
}

func (p *plusClient) notified(requestID, digits, target string) {
	p.t.Helper()
	request := codeOrder(requestID, code(digits))
	request["paymentNotifyUrl"] = target
	p.tell(plusPay, request)
}

// Alipay+ tells of success, failure and expiry, signed and as an inquiry would, and
// stops once it is acknowledged; a cancel by the shop it does not tell of.
func TestAlipayPlusNotification(t *testing.T) {
	p := newPlus(t)
	shop := newShopListener(p)
	for digits, want := range map[string]string{"00": "S SUCCESS", "04": "F USER_BALANCE_NOT_ENOUGH", "03": "F ORDER_IS_CLOSED", "01": "S SUCCESS"} {
		id := "R-" + digits
		p.notified(id, digits, shop.URL+"/notify/here")
		p.clock.advance(time.Minute)
		if n := p.DeliverNotifications(t.Context()); n != 1 {
			t.Fatalf("%s: %d deliveries", digits, n)
		}
		got := shop.take()
		if len(got) != 1 || got[0].request.URL.Path != "/notify/here" || got[0].request.Header.Get("Client-Id") != clientID {
			t.Fatalf("%s: %+v", digits, got)
		}
		if err := p.verifyPlus(got[0].request, got[0].request.Header, "Request-Time", []byte(got[0].body)); err != nil {
			t.Errorf("%s: %v", digits, err)
		}
		result, code, _ := strings.Cut(want, " ")
		for _, part := range []string{`"paymentResult":{"resultCode":"` + code + `"`, `"resultStatus":"` + result + `"`, `"paymentRequestId":"` + id + `"`,
			`"paymentAmount":{"currency":"CAD","value":"1250"}`, `"acquirerId":"`, `"paymentId":"` + p.truth(id).PaymentID + `"`} {
			if !strings.Contains(got[0].body, part) {
				t.Errorf("%s: no %s in %s", digits, part, got[0].body)
			}
		}
		if where, what := onlyStrings([]byte(got[0].body)); what != "" || strings.Contains(got[0].body, `"result":`) {
			t.Errorf("%s: %s %s", digits, where, what)
		}
		if told := p.truth(id).Notifications; len(told) != 1 || told[0].Tries != 1 || told[0].AcknowledgedAt.IsZero() || !told[0].NextAt.IsZero() || told[0].Problem != "" {
			t.Errorf("%s: %+v", digits, told)
		}
	}
	p.notified("R-cancelled", "03", shop.URL)
	p.undo("R-cancelled")
	p.clock.advance(time.Hour)
	if n := p.DeliverNotifications(t.Context()); n != 0 {
		t.Errorf("%d deliveries for an order that the shop cancelled", n)
	}
}

// What is not acknowledged as the vendor asks comes again on the vendor's
// schedule, divided by the speed, and then no more; the list says why.
func TestNotificationSchedule(t *testing.T) {
	const minute, hour = time.Minute, time.Hour
	for name, test := range map[string]struct {
		begin  func(p *plusClient, target string)
		pauses []time.Duration
	}{
		"Alipay+": {func(p *plusClient, target string) { p.notified("R-1", "00", target) },
			[]time.Duration{0, 2 * minute, 10 * minute, 10 * minute, hour, 2 * hour, 6 * hour, 15 * hour}},
		"AlphaPay payment": {func(p *plusClient, target string) {
			p.call(payPath, strings.Replace(codeBody("R-1", code("00")), `"description"`, `"notifyUrl":"`+target+`","description"`, 1))
		}, append([]time.Duration{0, 0, 0}, alphaPauses[2:]...)},
		"AlphaPay refund": {func(p *plusClient, target string) {
			id := p.pay("R-1", "00").PaymentID
			p.call(refundPath, strings.Replace(refundBody(id, "F-1", "250"), `"refund":{`, `"refund":{"notifyUrl":"`+target+`",`, 1))
		}, []time.Duration{0}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlus(t, func(c *Config) { c.NotifySpeed = 10 })
			shop := newShopListener(p)
			shop.answers(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
			test.begin(p, shop.URL)
			for n, pause := range test.pauses {
				if pause > 0 {
					p.clock.advance(pause/10 - time.Second)
					if early := p.DeliverNotifications(t.Context()); early != 0 {
						t.Fatalf("try %d came early", n+1)
					}
					p.clock.advance(time.Second)
				}
				if p.DeliverNotifications(t.Context()) != 1 || len(shop.take()) != 1 {
					t.Fatalf("try %d did not come", n+1)
				}
				told := p.truth("R-1").Notifications[0]
				if told.Tries != n+1 || !strings.Contains(told.Problem, "503") || told.NextAt.IsZero() != (n+1 == len(test.pauses)) {
					t.Fatalf("after try %d: %+v", n+1, told)
				}
			}
			p.clock.advance(1000 * hour)
			if n := p.DeliverNotifications(t.Context()); n != 0 {
				t.Error("it comes for ever")
			}
		})
	}
}

// AlphaPay tells of paid orders and of refunds, signed as a request to the URL's
// path; of failure it tells nothing.
func TestAlphaPayNotification(t *testing.T) {
	p := newPlus(t)
	shop := newShopListener(p)
	with := func(id, digits string) string {
		return p.call(payPath, strings.Replace(codeBody(id, code(digits)), `"description"`, `"notifyUrl":"`+shop.URL+`/notify","description"`, 1)).PaymentID
	}
	with("R-failed", "04")
	with("R-waiting", "03")
	paymentID := with("R-paid", "00")
	p.call(refundPath, strings.Replace(refundBody(paymentID, "F-1", "250"), `"refund":{`, `"refund":{"notifyUrl":"`+shop.URL+`/refunds",`, 1))
	if n := p.DeliverNotifications(t.Context()); n != 2 {
		t.Fatalf("%d deliveries", n)
	}
	for _, got := range shop.take() {
		header := got.request.Header
		response := &http.Response{Header: http.Header{"Signature": header["Signature"], "Response-Time": header["Request-Time"], "Nonce": header["Nonce"],
			"Date": {p.clock.Now().Format(http.TimeFormat)}}}
		if err := p.verify(got.request, response, []byte(got.body)); err != nil || header.Get("Merchant-Code") != merchantCode {
			t.Errorf("%s: %v", got.request.URL.Path, err)
		}
		want := map[string][]string{
			"/notify":  {`"paymentRequestId":"R-paid"`, `"paymentStatus":"PARTIAL_REFUND"`, `"paymentId":"` + paymentID + `"`, `"value":"1250"`},
			"/refunds": {`"refundRequestId":"F-1"`, `"refundStatus":"SUCCESS"`, `"paymentId":"` + paymentID + `"`, `"value":"250"`},
		}[got.request.URL.Path]
		for _, part := range want {
			if !strings.Contains(got.body, part) {
				t.Errorf("no %s in %s", part, got.body)
			}
		}
		if want == nil || strings.Contains(got.body, `"result"`) {
			t.Errorf("%s: %s", got.request.URL.Path, got.body)
		}
	}
	for _, told := range p.truth("R-paid").Notifications {
		if told.AcknowledgedAt.IsZero() || !told.NextAt.IsZero() {
			t.Errorf("%+v", told)
		}
	}
}

// Only the answer that the vendor asks for acknowledges; each other one is told
// apart.
func TestNotificationAnswers(t *testing.T) {
	p := newPlus(t)
	shop := newShopListener(p)
	p.notified("R-1", "00", shop.URL+"/notify")
	signed := func(body string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, r *http.Request) {
			shop.sign(w, r, body)
			_, _ = io.WriteString(w, body)
		}
	}
	for name, test := range map[string]struct {
		answer func(http.ResponseWriter, *http.Request)
		want   string
	}{
		"unsigned": {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, goodAck) }, "Response-Time"},
		"no signature": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Response-Time", "2026-03-14T20:00:00Z")
			_, _ = io.WriteString(w, goodAck)
		}, "no signature"},
		"signed otherwise": {func(w http.ResponseWriter, r *http.Request) {
			shop.sign(w, r, "{}")
			_, _ = io.WriteString(w, goodAck)
		}, "does not match"},
		"refused":    {signed(strings.Replace(goodAck, `"S"`, `"F"`, 1)), "not S"},
		"other code": {signed(strings.Replace(goodAck, "SUCCESS", "OK", 1)), "not S and SUCCESS"},
		"text":       {signed("success"), "JSON"},
		"empty":      {signed(""), "JSON"},
		"redirect":   {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }, "302"},
		"cut":        {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "no answer"},
		"good":       {signed(goodAck), ""},
	} {
		shop.answers(test.answer)
		order, err := p.NotifyAgain(t.Context(), "R-1")
		if err != nil {
			t.Fatal(err)
		}
		if got := order.Notifications[0].Problem; test.want == "" && got != "" || !strings.Contains(got, test.want) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// Notifications leave this machine only for hosts that the operator named: no
// other is even looked up.
func TestNotificationHosts(t *testing.T) {
	p := newPlus(t, func(c *Config) { c.NotifyHosts = []string{"shop.example"} })
	for host, want := range map[string]bool{
		"127.0.0.1": true, "127.9.9.9": true, "localhost": true, "LOCALHOST": true, "::1": true, "::ffff:127.0.0.1": true, "shop.example": true, "Shop.Example": true,
		"": false, "10.0.0.1": false, "0.0.0.0": false, "evil.shop.example": false, "localhost.evil.example": false, "169.254.169.254": false, "::": false,
	} {
		if got := p.mayNotify(host); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
	p.notified("R-1", "00", "https://other.example/notify")
	p.DeliverNotifications(t.Context())
	if told := p.truth("R-1").Notifications[0]; !strings.Contains(told.Problem, "operator") || !told.NextAt.IsZero() || !told.AcknowledgedAt.IsZero() {
		t.Errorf("%+v", told)
	}
}

// Run sends what comes due by itself, and ends with its context.
func TestRun(t *testing.T) {
	p := newPlus(t)
	shop := newShopListener(p)
	came := make(chan struct{}, 1)
	shop.answers(func(w http.ResponseWriter, r *http.Request) {
		shop.sign(w, r, goodAck)
		_, _ = io.WriteString(w, goodAck)
		came <- struct{}{}
	})
	var done sync.WaitGroup
	done.Go(func() { p.Run(t.Context()) }) // ended before Cleanup
	t.Cleanup(done.Wait)
	p.notified("R-1", "00", shop.URL) // paid: told without a timer
	<-came
	p.notified("R-2", "01", shop.URL) // pending: told when its timer fires
	p.clock.advance(3 * time.Second)
	done.Go(func() {
		for {
			select {
			case fire := <-p.clock.waiting:
				fire <- time.Time{}
			case <-t.Context().Done():
				return
			}
		}
	})
	<-came
}

// A state file brings everything back: orders, their ids, refunds, what is still
// to happen and to tell. A cut last line is passed over; a damaged file is refused.
func TestState(t *testing.T) {
	path := t.TempDir() + "/state"
	keep := func(c *Config) { c.State, c.Seed = path, "" }
	p := newPlus(t, keep)
	p.scan("R-1", "00")
	p.giveBack("R-1", "F-1", "250")
	p.notified("R-2", "01", "http://127.0.0.1:1/notify")
	waiting := p.pay("R-3", "40").PaymentID
	p.call(refundPath, refundBody(waiting, "F-3", "100"))
	p.call(payPath, qrBody("R-4"))
	before := fmt.Sprintf("%+v", p.Orders())

	q := newPlus(t, keep)
	if after := fmt.Sprintf("%+v", q.Orders()); after != before {
		t.Fatalf("before %s\nafter  %s", before, after)
	}
	if got := q.giveBack("R-1", "F-1", "250"); got.String() != "S SUCCESS" || q.truth("R-1").Refunded != 250 {
		t.Errorf("a repeated refund: %v, %+v", got, q.truth("R-1"))
	}
	if got := q.scan("R-1", "00"); got.String() != "S SUCCESS" || q.truth("R-1").Captures != 1 {
		t.Errorf("a repeated pay: %v", got)
	}
	q.clock.advance(3 * time.Second)
	if q.truth("R-2").Status != StatusPaid || q.truth("R-3").Refunded != 100 {
		t.Errorf("what was still to happen: %+v", q.Orders())
	}
	if n := q.DeliverNotifications(t.Context()); n != 1 {
		t.Errorf("%d notifications", n)
	}
	if _, page := q.get(q.truth("R-4").PayPath); !strings.Contains(page, "12.50 CAD") {
		t.Error("the pay page is gone")
	}
	text := readFile(t, path)
	if bytes.Contains(text, []byte(code("00"))) {
		t.Error("the state holds a payment code")
	}
	writeFile(t, path, append(text, `{"request_id":`...))
	if r := newPlus(t, keep); len(r.Orders()) != 4 {
		t.Errorf("with a cut line: %+v", r.Orders())
	}
	for _, damaged := range []string{"", "x\n", "{}\n", `{"seed":"s"}` + "\nx\n"} {
		writeFile(t, path, []byte(damaged))
		config := testConfig(newClock())
		config.State, config.Seed = path, ""
		if _, err := New(config); damaged != "" && (err == nil || !strings.Contains(err.Error(), path)) {
			t.Errorf("%q: %v", damaged, err)
		}
	}
}
