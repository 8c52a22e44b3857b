package sandbox

import (
	"encoding/json"
	"errors"
	"flag"
	"net/http"
	"strings"
	"testing"
	"time"

	strictjson "github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write docs/practice-gateway.openapi.json anew")

// The committed description of the control API is that of this program, and the
// one it serves. To write it anew: go test ./payment/sandbox -run TestOpenAPIFile -update.
func TestOpenAPIFile(t *testing.T) {
	const path = "../../docs/practice-gateway.openapi.json"
	want, err := OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		writeFile(t, path, want)
	}
	if diff := cmp.Diff(string(want), string(readFile(t, path))); diff != "" {
		t.Errorf("%s is not this program's (-program +file); write it anew with -update\n%s", path, diff)
	}
	if _, served := newPractice(t).get("/control/openapi.json"); served != string(want) {
		t.Error("another description is served")
	}
}

// Every operation is described with its answer, its refusals and, where it has
// one, its body; every schema that is named is there.
func TestOpenAPIIsWhole(t *testing.T) {
	text, err := OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		OpenAPI    string
		Paths      map[string]map[string]map[string]any
		Components struct{ Schemas map[string]any }
	}
	if err := json.Unmarshal(text, &doc); err != nil || doc.OpenAPI != "3.1.0" {
		t.Fatalf("%v, version %q", err, doc.OpenAPI)
	}
	for _, op := range (&Server{}).operations() {
		described := doc.Paths[op.path][strings.ToLower(op.method)]
		responses, _ := described["responses"].(map[string]any)
		if described["operationId"] != op.id || described["summary"] == "" || len(responses) != 3+len(op.errors) || (described["requestBody"] != nil) != (op.body != nil) {
			t.Errorf("%s %s: %v", op.method, op.path, described)
		}
	}
	for _, part := range strings.Split(string(text), `"$ref": "#/components/schemas/`)[1:] {
		if name, _, _ := strings.Cut(part, `"`); doc.Components.Schemas[name] == nil {
			t.Errorf("no schema %s", name)
		}
	}
}

// A QR order behaves as a row of the table that was queued for it: what a row ends
// at once waits for the pay page, and there is paid or refused as the row says.
func TestQRBehaviours(t *testing.T) {
	for digits, want := range map[string]struct {
		first string // "" is lost, or broken
		page  Status // after Pay is pressed
	}{
		"00": {"U PAYMENT_IN_PROCESS", StatusPaid},
		"04": {"U PAYMENT_IN_PROCESS", StatusFailed},
		"10": {"", StatusPaid},
		"24": {"", StatusPaid},
		"26": {"U PAYMENT_IN_PROCESS", StatusPaid},
		"34": {"F", StatusAbsent},
	} {
		for _, vendor := range []Gateway{GatewayAlphaPay, GatewayAlipayPlus} {
			p := newPlus(t, func(c *Config) { c.After = instantly })
			if response, text := p.post("/control/qr", `{"behaviours":[{"digits":"`+digits+`","times":1}]}`); response.StatusCode != http.StatusOK || !strings.Contains(text, digits) {
				t.Fatalf("%s: %d %s", digits, response.StatusCode, text)
			}
			var got string
			var err error
			if vendor == GatewayAlphaPay {
				var answer told
				if answer, err = p.do(p.request(payPath, qrBody("R-1"))); err == nil {
					got = answer.String()
				}
			} else {
				var answer plusTold
				if answer, err = p.ask(p.plusRequest(plusPay, orderCode("R-1"))); err == nil {
					got = answer.String()
				}
			}
			if !strings.HasPrefix(got, want.first) || (want.first == "") != (err != nil) {
				t.Errorf("%s at %s: %q, %v", digits, vendor, got, err)
			}
			if order := p.truth("R-1"); order.Status == StatusPending {
				p.post(order.PayPath+"/pay", "")
			}
			if order := p.truth("R-1"); order.Status != want.page || order.Behaviour != digits {
				t.Errorf("%s at %s: %+v", digits, vendor, order)
			}
			if _, text := p.get("/control/qr"); strings.TrimSpace(text) != `{"behaviours":[]}` {
				t.Errorf("left over: %s", text)
			}
		}
	}
}

// An order that waits can be given another behaviour; nothing else can, and no
// behaviour that is not in the table.
func TestBehave(t *testing.T) {
	p := newPlus(t)
	p.tell(plusPay, orderCode("R-1"))
	p.scan("R-2", "03")
	p.scan("R-3", "00")
	p.tell(plusPay, orderCode("R-4"))
	for _, step := range []struct {
		id, body string
		status   int
		truth    Status // after the pending delay
	}{
		{"R-1", `{"digits":"01"}`, 200, StatusPaid},
		{"R-2", `{"digits":"04"}`, 200, StatusFailed},
		{"R-3", `{"digits":"01"}`, 409, StatusPaid},
		{"R-4", `{"digits":"98"}`, 422, StatusPending},
		{"R-4", `{"digits":1}`, 400, StatusPending},
		{"R-4", `{"digits":"27"}`, 200, StatusPending},
		{"R-5", `{"digits":"01"}`, 404, ""},
	} {
		if response, text := p.post("/control/orders/"+step.id+"/behaviour", step.body); response.StatusCode != step.status {
			t.Errorf("%+v: %d %s", step, response.StatusCode, text)
		}
		p.clock.advance(3 * time.Second)
		if order, _ := p.Order(step.id); order.Status != step.truth {
			t.Errorf("%+v: %+v", step, order)
		}
	}
	p.clock.advance(time.Hour)
	if got := p.undo("R-4"); got.String() != "U UNKNOWN_EXCEPTION" {
		t.Errorf("27: %v", got)
	}
	for _, body := range []string{`{"behaviours":[{"digits":"98","times":1}]}`, `{"behaviours":[{"digits":"01","times":0}]}`} {
		if response, _ := p.post("/control/qr", body); response.StatusCode != http.StatusUnprocessableEntity || len(p.QRBehaviours()) != 0 {
			t.Errorf("%s: %d", body, response.StatusCode)
		}
	}
	p.post("/control/qr", `{"behaviours":[{"digits":"01","times":5}]}`)
	if p.fetch(http.MethodDelete, "/control/qr", ""); len(p.QRBehaviours()) != 0 {
		t.Errorf("not emptied: %v", p.QRBehaviours())
	}
}

// The gateway's clock can be put forward and back: orders expire by it, answers
// bear it, and requests' times are held against it.
func TestControlClock(t *testing.T) {
	p := newPlus(t)
	p.scan("R-1", "03")
	if response, text := p.post("/control/clock", `{"ahead_ms":240000}`); response.StatusCode != http.StatusOK ||
		strings.TrimSpace(text) != `{"now":"2026-03-14T20:04:00Z","ahead_ms":240000}` {
		t.Errorf("%d %s", response.StatusCode, text)
	}
	if got := p.truth("R-1"); got.Status != StatusClosed {
		t.Errorf("%+v", got)
	}
	p.post("/control/clock", `{"ahead_ms":-301000}`)
	if got := p.scan("R-2", "00"); got.String() != "F INVALID_SIGNATURE" {
		t.Errorf("clocks 301 s apart: %v", got)
	}
	p.post("/control/clock", `{"ahead_ms":0}`)
	if got := p.scan("R-2", "00"); got.String() != "S SUCCESS" {
		t.Errorf("clock right again: %v", got)
	}
	if response, _ := p.post("/control/clock", `{"ahead_ms":9000000000000000}`); response.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("too far: %d", response.StatusCode)
	}
}

// What says a name twice says so in answers and in notifications of either vendor.
func TestDuplicated(t *testing.T) {
	for _, body := range []string{
		`{"result":{"resultStatus":"S"},"paymentResult":{"resultStatus":"S"}}`, `{"paymentResult":{"resultCode":"SUCCESS","resultStatus":"S"}}`,
		`{"paymentId":"1","paymentStatus":"SUCCESS"}`, `{"refundId":"1","refundStatus":"SUCCESS"}`,
	} {
		sent, signed := damaged([]byte(body), answerDuplicate)
		var content any
		if err := strictjson.Unmarshal(sent, &content); err == nil || !json.Valid(sent) || string(sent) != string(signed) {
			t.Errorf("%s became %s: %v", body, sent, err)
		}
	}
}

// A notification can be sent again at will, whole or damaged in any of the ways
// that an answer can.
func TestControlNotify(t *testing.T) {
	p := newPlus(t)
	shop := newShopListener(p)
	p.notified("R-1", "00", shop.URL)
	for damage, want := range map[string]error{"": nil, "unsigned": errUnsigned, "wrong_signature": errMisSign, "malformed": nil, "duplicate_names": nil, "wrong_amount": nil} {
		response, text := p.post("/control/orders/R-1/notify", `{"damage":"`+damage+`"}`)
		got := shop.take()
		if response.StatusCode != http.StatusOK || len(got) != 1 || !strings.Contains(text, `"notifications"`) {
			t.Fatalf("%q: %d %s", damage, response.StatusCode, text)
		}
		if err := p.verifyPlus(got[0].request, got[0].request.Header, "Request-Time", []byte(got[0].body)); !errors.Is(err, want) {
			t.Errorf("%q: %v", damage, err)
		}
		if (damage == "malformed") == json.Valid([]byte(got[0].body)) || (damage == "wrong_amount") != strings.Contains(got[0].body, "1251") {
			t.Errorf("%q: %s", damage, got[0].body)
		}
		var strict any
		if err := strictjson.Unmarshal([]byte(got[0].body), &strict); (err != nil) != (damage == "malformed" || damage == "duplicate_names") {
			t.Errorf("%q: %v: %s", damage, err, got[0].body)
		}
	}
	p.scan("R-2", "03")
	for path, status := range map[string]int{"R-2": 409, "R-3": 404} {
		if response, _ := p.post("/control/orders/"+path+"/notify", ""); response.StatusCode != status {
			t.Errorf("%s: %d", path, response.StatusCode)
		}
	}
	if response, _ := p.post("/control/orders/R-1/notify", `{"damage":"burnt"}`); response.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("unknown damage: %d", response.StatusCode)
	}
}
