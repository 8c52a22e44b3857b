package sandbox

import (
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The pay page shows the amount and two buttons while the order waits; either
// ends it, once; a page never loads or runs anything.
func TestPayPage(t *testing.T) {
	p := newPractice(t)
	for button, want := range map[string]struct {
		status Status
		shows  string
	}{"pay": {StatusPaid, ">Paid<"}, "decline": {StatusFailed, ">Declined<"}} {
		id := "R-" + button
		link := p.call(payPath, qrBody(id)).Info.PaymentURL
		path := strings.TrimPrefix(link, p.url)
		response, page := p.get(path)
		if response.StatusCode != http.StatusOK || !strings.Contains(page, "12.50 CAD") || !strings.Contains(page, "L1 café") ||
			!strings.Contains(page, `action="`+path+`/pay"`) || !strings.Contains(page, `action="`+path+`/decline"`) {
			t.Errorf("%d %s", response.StatusCode, page)
		}
		checkPage(t, response, page)
		for range 2 {
			if response, _ := p.post(path+"/"+button, ""); response.StatusCode != http.StatusSeeOther || response.Header.Get("Location") != path {
				t.Errorf("%s: %d to %q", button, response.StatusCode, response.Header.Get("Location"))
			}
		}
		if response, page := p.get(path); !strings.Contains(page, want.shows) || strings.Contains(page, "<button") {
			t.Errorf("after %s: %d %s", button, response.StatusCode, page)
		}
		if got := p.truth(id); got.Status != want.status {
			t.Errorf("after %s: %+v", button, got)
		}
		p.checkTruthIsTold(p.truth(id))
	}
	late := strings.TrimPrefix(p.call(payPath, qrBody("R-late")).Info.PaymentURL, p.url)
	p.clock.advance(5 * time.Minute)
	p.post(late+"/pay", "")
	if _, page := p.get(late); !strings.Contains(page, "closed") || p.truth("R-late").Captures != 0 {
		t.Errorf("after its expiry: %s", page)
	}
	if response, _ := p.post("/pay/0123/pay", ""); response.StatusCode != http.StatusNotFound {
		t.Errorf("button of an unknown page: %d", response.StatusCode)
	}
	if response, page := p.get("/pay/0123"); response.StatusCode != http.StatusNotFound || !strings.Contains(page, "No such order") {
		t.Errorf("unknown page: %d", response.StatusCode)
	}
}

func checkPage(t *testing.T, response *http.Response, page string) {
	t.Helper()
	policy := response.Header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || strings.Contains(page, "<script") || strings.Contains(page, "style=") ||
		strings.Contains(page, "<link") || strings.Contains(page, " src=") {
		t.Errorf("the page needs more than its policy %q allows", policy)
	}
}

// The index page lists orders and behaviours, escapes what comes from outside,
// and links to the wallet of an order that waits.
func TestIndexPage(t *testing.T) {
	p := newPractice(t)
	if _, page := p.get("/"); !strings.Contains(page, "No order yet") {
		t.Error("an empty gateway lists orders")
	}
	p.call(payPath, strings.Replace(codeBody("<b>R-1</b>", code("03")), "L1", "<script>", 1))
	p.pay("R-2", "00")
	response, page := p.get("/")
	for _, want := range []string{"R-2", "12.50 CAD", "28************3400", "&lt;b&gt;R-1", `href="` + p.truth("<b>R-1</b>").PayPath + `"`, "paid after the cancel", merchantCode} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not hold %q", want)
		}
	}
	checkPage(t, response, page)
	_, wallet := p.get(p.truth("<b>R-1</b>").PayPath)
	checkPage(t, response, wallet)
	if response, _ := p.get("/nothing"); response.StatusCode != http.StatusNotFound {
		t.Errorf("unknown page: %d", response.StatusCode)
	}
}

// The button of a paid order refunds all that is left of it, whatever its id
// holds; an order with nothing to refund has none.
func TestRefundButton(t *testing.T) {
	p := newPractice(t)
	const odd = `a/b?"%<c>`
	p.call(payPath, strings.Replace(codeBody("R", code("00")), `"R"`, `"a/b?\"%<c>"`, 1))
	p.pay("R-2", "03")
	if _, err := p.Refund(odd, 250); err != nil {
		t.Fatal(err)
	}
	button := regexp.MustCompile(`<form method="post" action="([^"]+)"><button`)
	_, page := p.get("/")
	found := button.FindAllStringSubmatch(page, -1)
	if len(found) != 1 || !strings.Contains(page, "2.50 CAD") {
		t.Fatalf("buttons %q in %s", found, page)
	}
	for range 2 { // pressed twice, it gives nothing back twice
		response, _ := p.post(html.UnescapeString(found[0][1]), "")
		if response.StatusCode != http.StatusSeeOther || response.Header.Get("Location") != "/" {
			t.Errorf("%d to %q", response.StatusCode, response.Header.Get("Location"))
		}
	}
	if got := p.truth(odd); got.Refunded != 1250 || len(got.Refunds) != 2 {
		t.Errorf("%+v", got)
	}
	response, page := p.get("/")
	if checkPage(t, response, page); button.MatchString(page) || !strings.Contains(page, "12.50 CAD</td>") {
		t.Errorf("after it: %s", page)
	}
	if _, wallet := p.get(p.truth(odd).PayPath); !strings.Contains(wallet, ">Paid<") || !strings.Contains(wallet, "12.50 CAD refunded") {
		t.Errorf("wallet: %s", wallet)
	}
}

// The list shows refunds, and what became of notifications; that the gateway is
// down it says, as nobody would guess it.
func TestIndexPageTellsAll(t *testing.T) {
	p := newPlus(t)
	p.scan("R-1", "00")
	p.giveBack("R-1", "F-<1>", "250")
	p.notified("R-2", "00", "https://elsewhere.example/notify")
	p.DeliverNotifications(t.Context())
	p.SetDown(true)
	response, page := p.get("/")
	checkPage(t, response, page)
	for _, want := range []string{"Alipay+", "F-&lt;1&gt;", "succeeded", "https://elsewhere.example/notify", "operator names", "is down", clientID} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not hold %q", want)
		}
	}
}

// The wallet page offers other ends than Pay and Decline; an order that is over
// they leave as it is.
func TestWalletBehaviours(t *testing.T) {
	for digits, want := range map[string]struct{ now, later Status }{
		"01": {StatusPending, StatusPaid}, "02": {StatusPending, StatusFailed}, "27": {StatusPending, StatusPending}, "32": {StatusPending, StatusPending},
	} {
		p := newPlus(t)
		p.tell(plusPay, orderCode("R-1"))
		path := p.truth("R-1").PayPath
		if _, page := p.get(path); !strings.Contains(page, `action="`+path+"/behave/"+digits+`"`) {
			t.Errorf("%s is not offered", digits)
		}
		for range 2 {
			if response, _ := p.post(path+"/behave/"+digits, ""); response.StatusCode != http.StatusSeeOther {
				t.Errorf("%s: %d", digits, response.StatusCode)
			}
		}
		if got := p.truth("R-1"); got.Status != want.now {
			t.Errorf("%s: %+v", digits, got)
		}
		p.clock.advance(3 * time.Second)
		p.post(path+"/behave/04", "")
		if got := p.truth("R-1"); got.Status != want.later {
			t.Errorf("%s: %+v", digits, got)
		}
	}
}

// Orders of both vendors may have one request id: each row's button is its own.
func TestRefundButtonOfEachVendor(t *testing.T) {
	p := newPlus(t)
	p.pay("R-1", "00")
	p.scan("R-1", "00")
	_, page := p.get("/")
	found := regexp.MustCompile(`(?s)<span class="badge (\w+)">[^<]+</span></td>.*?<form method="post" action="([^"]+)"><button`).FindAllStringSubmatch(page, -1)
	if len(found) != 2 || found[0][1] != string(GatewayAlipayPlus) {
		t.Fatalf("rows %q", found)
	}
	p.post(html.UnescapeString(found[0][2]), "")
	for _, order := range p.Orders() {
		if refunded := order.Refunded > 0; refunded != (order.Gateway == GatewayAlipayPlus) {
			t.Errorf("%s: %d refunded", order.Gateway, order.Refunded)
		}
	}
}

// The gateway may run for weeks: the list says of which day a time is, where it is
// not of this one.
func TestIndexPageOfDaysBefore(t *testing.T) {
	p := newPlus(t)
	p.notified("R-1", "00", "http://127.0.0.1:1/notify")
	p.giveBack("R-1", "F-1", "250")
	p.DeliverNotifications(t.Context())
	if _, page := p.get("/"); strings.Contains(page, "2026-03-14 20:00") || !strings.Contains(page, ">20:00:00<") {
		t.Error("the day is said where it is today")
	}
	p.clock.advance(24 * time.Hour)
	p.scan("R-2", "00")
	_, page := p.get("/")
	if strings.Count(page, ">2026-03-14 20:00:00<") != 2 || strings.Count(page, ">20:00:00<") != 1 || !strings.Contains(page, "again 2026-03-14 20:") {
		t.Errorf("the day before is not said: %s", page)
	}
}

// The wallet page tells what was chosen under "Something else": most of it shows
// only later.
func TestWalletTellsBehaviour(t *testing.T) {
	p := newPlus(t)
	p.tell(plusPay, orderCode("R-1"))
	path := p.truth("R-1").PayPath
	if _, page := p.get(path); strings.Contains(page, "Chosen") {
		t.Error("something is chosen from the first")
	}
	p.post(path+"/behave/04", "")
	if _, page := p.get(path); !strings.Contains(page, "Chosen: insufficient balance") {
		t.Errorf("the choice is not told: %s", page)
	}
}
