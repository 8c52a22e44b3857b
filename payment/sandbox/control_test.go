package sandbox

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
)

// The control API shows the truth about every order, and decides those that wait
// as the customer would.
func TestControlOrders(t *testing.T) {
	p := newPractice(t)
	p.pay("R-1", "03")
	p.pay("R-2", "03")
	p.pay("R-3", "00")
	p.call(payPath, qrBody("R-4"))

	response, text := p.get("/control/orders")
	var listed struct {
		Orders []map[string]any `json:"orders"`
	}
	if err := json.Unmarshal([]byte(text), &listed); err != nil || response.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("%v: %s", err, text)
	}
	if len(listed.Orders) != 4 || listed.Orders[0]["request_id"] != "R-4" || listed.Orders[3]["request_id"] != "R-1" {
		t.Errorf("not all orders, newest first: %s", text)
	}
	want := map[string]any{
		"gateway": "alphapay", "request_id": "R-3", "payment_id": p.truth("R-3").PaymentID, "instrument": "code", "wallet": "alipay",
		"code_mask": "28************3400", "behaviour": "00", "amount": 1250.0, "currency": "CAD", "description": "L1 café",
		"status": "paid", "captures": 1.0, "sends": 1.0,
		"created_at": "2026-03-14T20:00:00Z", "expires_at": "2026-03-14T20:05:00Z", "ended_at": "2026-03-14T20:00:00Z",
		"pay_path": p.truth("R-3").PayPath, "refund_sends": 0.0, "refunded": 0.0, "refunds": []any{},
	}
	if got := listed.Orders[1]; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("order\n %v, want\n %v", got, want)
	}

	for _, step := range []struct {
		method, path string
		status       int
		holds        string
	}{
		{"GET", "/control/orders/R-1", 200, `"status":"pending"`},
		{"POST", "/control/orders/R-1/pay", 200, `"status":"paid"`},
		{"POST", "/control/orders/R-1/pay", 409, `"error":`},
		{"POST", "/control/orders/R-1/decline", 409, `"error":`},
		{"POST", "/control/orders/R-2/decline", 200, `"status":"failed"`},
		{"POST", "/control/orders/R-3/pay", 409, `"error":`},
		{"POST", "/control/orders/R-4/pay", 200, `"status":"paid"`},
		{"POST", "/control/orders/R-5/pay", 404, `"error":`},
		{"GET", "/control/orders/R-5", 404, `"error":`},
		{"GET", "/control/behaviours", 200, `"digits":"34"`},
		{"GET", "/control/behaviours", 200, `"digits":"47"`},
		{"PUT", "/control/orders/R-1/pay", 405, ""},
	} {
		response, text := p.fetch(step.method, step.path, "")
		if response.StatusCode != step.status || !strings.Contains(text, step.holds) {
			t.Errorf("%s %s: %d %s", step.method, step.path, response.StatusCode, text)
		}
	}
	for _, id := range []string{"R-1", "R-2", "R-3", "R-4"} {
		p.checkTruthIsTold(p.truth(id))
	}
}

// The vendor's portal gives money back at once, in part or all that is left, and
// what it cannot do it refuses with the reason and without a trace. The shop's
// inquiry and list then tell of it.
func TestPortalRefund(t *testing.T) {
	p := newPractice(t)
	p.pay("R-1", "44") // a shortage of balance is no matter in the portal
	p.pay("R-2", "03")
	processing := p.pay("R-3", "40").PaymentID
	p.refund(processing, "F-1", "100")
	for _, step := range []struct {
		id, body string
		status   int
		holds    string
	}{
		{"R-1", `{"amount":300}`, 200, `"refunded":300,"refunds":[{"refund_id":"`},
		{"R-1", `{"amount":0}`, 422, `"error":`},
		{"R-1", `{"amount":-1}`, 422, `"error":`},
		{"R-1", `{"amount":951}`, 422, `"error":`},
		{"R-1", `{"amount":"100"}`, 400, "JSON"},
		{"R-1", `{"amount":1.5}`, 400, "JSON"},
		{"R-1", `{"amounts":1}`, 400, "JSON"},
		{"R-1", `[]`, 400, "JSON"},
		{"R-1", strings.Repeat(" ", maxBodyBytes+1), 413, "64 KiB"},
		{"R-2", ``, 409, "not paid"},
		{"R-3", ``, 409, "in process"},
		{"R-4", ``, 404, "no such order"},
	} {
		response, text := p.post("/control/orders/"+step.id+"/refund", step.body)
		if response.StatusCode != step.status || !strings.Contains(text, step.holds) {
			t.Errorf("%s %.40s: %d %s", step.id, step.body, response.StatusCode, text)
		}
	}
	paymentID := p.truth("R-1").PaymentID
	if got := p.inquire(paymentID).Status; got != "PARTIAL_REFUND" {
		t.Errorf("in part: %s", got)
	}
	for _, want := range []int{200, 409} {
		if response, text := p.post("/control/orders/R-1/refund", ""); response.StatusCode != want {
			t.Errorf("all that is left: %d %s", response.StatusCode, text)
		}
	}
	if got := p.inquire(paymentID).Status; got != "FULL_REFUND" {
		t.Errorf("in full: %s", got)
	}
	order := p.truth("R-1")
	if order.Refunded != 1250 || order.RefundSends != 0 || len(order.Refunds) != 2 || order.Refunds[1].Amount != 950 ||
		order.Refunds[0].By != RefunderPortal || order.Refunds[0].RequestID == order.Refunds[1].RequestID {
		t.Errorf("%+v", order)
	}
	if got := p.truth("R-3").Refunds; len(got) != 1 || got[0].By != RefunderShop {
		t.Errorf("%+v", got)
	}
	for _, id := range []string{"R-1", "R-2", "R-3"} {
		p.checkTruthIsTold(p.truth(id))
	}
}

// Each kind of fault spoils the next calls to its path as often as asked, and no
// others; drop and status leave no trace, cut does.
func TestFaults(t *testing.T) {
	p := newPractice(t, func(c *Config) { c.After = instantly })
	send := func(id string) (string, Status) {
		answer, err := p.do(p.request(payPath, codeBody(id, code("00"))))
		status := Status("")
		if order, unknown := p.Order(id); unknown == nil {
			status = order.Status
		}
		switch {
		case errors.Is(err, errLost):
			return "lost", status
		case err != nil:
			return err.Error(), status
		}
		return answer.String(), status
	}
	response, text := p.post("/control/faults", `{"faults":[
		{"path":"`+payPath+`","kind":"drop","times":2},
		{"path":"`+payPath+`","kind":"cut","times":1},
		{"path":"*","kind":"status","times":1,"status":503},
		{"path":"`+payPath+`","kind":"delay","times":1,"delay_ms":5000},
		{"path":"`+payPath+`","kind":"late","times":1,"delay_ms":5000},
		{"path":"`+cancelPath+`","kind":"drop","times":1}]}`)
	if response.StatusCode != http.StatusOK || !strings.Contains(text, `"down":false`) {
		t.Fatalf("%d %s", response.StatusCode, text)
	}
	for n, want := range []struct {
		answer string
		truth  Status
	}{
		{"lost", ""}, {"lost", ""}, {"lost", StatusPaid}, {"HTTP status 503", ""},
		{"S SUCCESS", StatusPaid}, {"S SUCCESS", StatusPaid}, {"S SUCCESS", StatusPaid},
	} {
		if answer, truth := send(fmt.Sprintf("R-%d", n)); answer != want.answer || truth != want.truth {
			t.Errorf("send %d: %s, %s, want %+v", n, answer, truth, want)
		}
	}
	if _, text := p.get("/control/faults"); strings.TrimSpace(text) != `{"down":false,"faults":[{"path":"`+cancelPath+`","kind":"drop","times":1}]}` {
		t.Errorf("what is left: %s", text)
	}
	if _, text := p.fetch(http.MethodDelete, "/control/faults", ""); strings.TrimSpace(text) != `{"down":false,"faults":[]}` {
		t.Errorf("cleared: %s", text)
	}
}

// While it is down the gateway answers no vendor's call and takes no money; pages
// and control API go on.
func TestDown(t *testing.T) {
	p := newPractice(t)
	p.post("/control/faults", `{"down":true}`)
	for range 3 {
		if _, err := p.do(p.request(payPath, codeBody("R-1", code("00")))); !errors.Is(err, errLost) {
			t.Errorf("down: %v", err)
		}
	}
	if len(p.Orders()) != 0 {
		t.Errorf("orders made while down: %+v", p.Orders())
	}
	if response, _ := p.get("/"); response.StatusCode != http.StatusOK {
		t.Errorf("page while down: %d", response.StatusCode)
	}
	p.post("/control/faults", `{"down":false}`)
	if got := p.pay("R-1", "00"); got.String() != "S SUCCESS" {
		t.Errorf("up again: %v", got)
	}
}

// A wrong fault is refused with what is wrong, and of its request nothing is set.
func TestFaultsRefused(t *testing.T) {
	p := newPractice(t)
	good := `{"path":"*","kind":"drop","times":1}`
	for body, want := range map[string]struct {
		status  int
		mention string
	}{
		`{"down":true,"faults":[` + good + `,{"path":"*","kind":"drop","times":0}]}`: {422, "times"},
		`{"faults":[{"path":"pay","kind":"drop","times":1}]}`:                        {422, "path"},
		`{"faults":[{"path":"*","kind":"explode","times":1}]}`:                       {422, "kind"},
		`{"faults":[{"path":"*","kind":"delay","times":1}]}`:                         {422, "delay_ms"},
		`{"faults":[{"path":"*","kind":"delay","times":1,"delay_ms":600001}]}`:       {422, "delay_ms"},
		`{"faults":[{"path":"*","kind":"drop","times":1,"delay_ms":5}]}`:             {422, "delay_ms"},
		`{"faults":[{"path":"*","kind":"status","times":1}]}`:                        {422, "status"},
		`{"faults":[{"path":"*","kind":"status","times":1,"status":200}]}`:           {422, "status"},
		`{"faults":[` + strings.Repeat(good+",", maxFaults) + good + `]}`:            {422, "more than 100"},
		`{"fault":[]}`:                      {400, "JSON"},
		`[]`:                                {400, "JSON"},
		``:                                  {400, "JSON"},
		`{"down":"true"}`:                   {400, "JSON"},
		strings.Repeat(" ", maxBodyBytes+1): {413, "64 KiB"},
	} {
		response, text := p.post("/control/faults", body)
		if response.StatusCode != want.status || !strings.Contains(text, want.mention) {
			t.Errorf("%.80s: %d %s", body, response.StatusCode, text)
		}
		if down, list := p.Faults(); down || len(list) != 0 {
			t.Fatalf("%.80s: set %v, %v", body, down, list)
		}
	}
}

// The control API answers under its own names only, and no other site's page can
// use it or press the buttons of the pay page.
func TestForeignPagesRefused(t *testing.T) {
	p := newDirectPractice(t, func(c *Config) { c.BaseURL = "http://practice.example:8443" })
	p.pay("R-1", "03")
	p.pay("R-2", "00")
	serve := func(method, host, path, origin string) int {
		r := httptest.NewRequest(method, path, nil)
		r.Host = host
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		recorder := httptest.NewRecorder()
		p.Handler().ServeHTTP(recorder, r)
		return recorder.Code
	}
	for host, want := range map[string]int{
		"localhost": 200, "localhost:80": 200, "127.0.0.1:8443": 200, "127.1.2.3": 200, "[::1]:8443": 200, "practice.example:8443": 200, "PRACTICE.example": 200,
		"evil.example": 421, "localhost.evil.example": 421, "10.0.0.1": 421, "": 421, "practice.example.evil.example": 421, "[": 421,
	} {
		if got := serve("GET", host, "/control/orders", ""); got != want {
			t.Errorf("Host %q: %d, want %d", host, got, want)
		}
		if got := serve("DELETE", host, "/control/faults", ""); got != want {
			t.Errorf("DELETE, Host %q: %d, want %d", host, got, want)
		}
	}
	payPage := p.truth("R-1").PayPath
	for _, path := range []string{"/control/faults", "/control/orders/R-1/pay", "/control/orders/R-2/refund", "/orders/alphapay/R-2/refund", payPage + "/pay", payPage + "/decline"} {
		if got := serve("POST", "localhost:8443", path, "https://evil.example"); got != http.StatusForbidden {
			t.Errorf("%s from another site: %d", path, got)
		}
	}
	if got := serve("POST", "evil.example", "/orders/alphapay/R-2/refund", ""); got != http.StatusMisdirectedRequest {
		t.Errorf("the portal's button under another name: %d", got)
	}
	if got := p.truth("R-1"); got.Status != StatusPending {
		t.Errorf("another site decided: %+v", got)
	}
	if got := p.truth("R-2"); got.Refunded != 0 {
		t.Errorf("another site refunded: %+v", got)
	}
	if got := serve("POST", "localhost:8443", payPage+"/pay", "http://localhost:8443"); got != http.StatusSeeOther {
		t.Errorf("own page: %d", got)
	}
}

// A whole payment code is in no page, no control answer and no log line (P8).
func TestPaymentCodesAreMasked(t *testing.T) {
	p := newPractice(t, func(c *Config) { c.After = instantly })
	for _, row := range Behaviours() {
		for range 2 {
			_, _ = p.do(p.request(payPath, codeBody("R-"+row.Digits, code(row.Digits)))) // some are never answered
		}
	}
	_, index := p.get("/")
	_, control := p.get("/control/orders")
	for name, text := range map[string]string{"page": index, "control API": control, "log": p.log.String(), "Orders": fmt.Sprintf("%#v", p.Orders())} {
		if !strings.Contains(text, "R-10") {
			t.Errorf("the %s says nothing of the orders", name)
		}
		if strings.Contains(text, code("")[2:10]) {
			t.Errorf("the %s holds a payment code", name)
		}
	}
	for text, want := range map[string]string{"": "", "12345678901": "***********", "123456789012": "12******9012"} {
		if got := mask(text); got != want {
			t.Errorf("mask(%q) = %q", text, got)
		}
	}
}
