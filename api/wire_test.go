package api_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"payscand/api/client"
	"payscand/payment"
)

// What the API answers is exactly what the client's types say, no field more or
// less: decoded strictly and encoded again it is the same.
func TestClientTypesAreTheWire(t *testing.T) {
	c := serve(t)
	bare := payment.Sale{
		ID: saleID, Version: 1, Status: payment.SaleAwaitingCode, Amount: payment.Money{Amount: 1, Currency: "JPY"}, Mode: payment.ModeScan,
		CreatedAt: moment, UpdatedAt: moment, Deadline: moment,
	}
	absent := wholeSale()
	absent.Attempts[1].Reason, absent.Attempts[1].Absence = payment.ReasonAbsent, &payment.Absence{Passes: 2, Since: moment, At: moment, Rows: 3, Newest: moment}
	for name, sale := range map[string]payment.Sale{"whole": wholeSale(), "bare": bare, "absent": absent} {
		c.terminal.sale = sale
		sameWire[client.Sale](t, name+" sale", c.send(t, "GET", "/v1/sales/"+saleID, "").body)
	}
	sameWire[client.Terminal](t, "whole terminal", c.send(t, "GET", "/v1/terminal", "").body)
	c.terminal.status = wholeStatus()
	c.terminal.status.Live, c.terminal.status.Scanners, c.terminal.status.Gateways, c.terminal.status.LastRefusedScan = nil, nil, nil, nil
	sameWire[client.Terminal](t, "bare terminal", c.send(t, "GET", "/v1/terminal", "").body)
	for _, n := range []string{"1", "2", "3"} {
		c.terminal.sale = wholeSale()
		sameWire[client.SaleRefund](t, "refund "+n, c.send(t, "GET", "/v1/sales/"+saleID+"/refunds/"+n, "").body)
	}
	sameWire[client.SalePage](t, "no sales", c.send(t, "GET", "/v1/sales", "").body)
	c.terminal.page = payment.SalePage{Sales: []payment.Sale{wholeSale(), bare}, Cursor: saleID}
	sameWire[client.SalePage](t, "two sales", c.send(t, "GET", "/v1/sales", "").body)
	sameWire[client.Health](t, "health", c.send(t, "GET", "/healthz", "").body)
	sameWire[client.Problem](t, "problem", c.send(t, "GET", "/v1/nothing", "").body)
}

func sameWire[T any](t *testing.T, name, body string) {
	t.Helper()
	var typed T
	decoder := json.NewDecoder(strings.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&typed); err != nil {
		t.Fatalf("%s: %v in %s", name, err, body)
	}
	again, err := json.Marshal(typed)
	if err != nil {
		t.Fatal(err)
	}
	var was, is any
	if err := json.Unmarshal([]byte(body), &was); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(again, &is); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(was, is); diff != "" {
		t.Errorf("%s: %s", name, diff)
	}
}

// A sale on the wire holds every public field of the sale, and no other: what
// the terminal keeps for itself, the code above all, stays there.
func TestWireSale(t *testing.T) {
	c := serve(t)
	a := c.send(t, "GET", "/v1/sales/"+saleID, "")
	for _, secret := range []string{"287654321098123456", "secret body", "register key", "digest", "refund key", "base64"} {
		if strings.Contains(a.body, secret) {
			t.Errorf("%q came out: %s", secret, a.body)
		}
	}
	var view map[string]any
	b, err := json.Marshal(wholeSale().View())
	if err != nil {
		t.Fatal(err)
	}
	var wire map[string]any
	if err := json.Unmarshal(b, &view); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(a.body), &wire); err != nil {
		t.Fatal(err)
	}
	for name := range view {
		if _, shown := wire[name]; !shown {
			t.Errorf("%s of the public view is not on the wire", name)
		}
	}
	for name := range wire {
		if _, public := view[name]; !public {
			t.Errorf("%s on the wire is not in the public view", name)
		}
	}
	attempt, qr := wire["attempts"].([]any)[0].(map[string]any), wire["attempts"].([]any)[1].(map[string]any)
	wantReason := map[string]any{"code": "insufficient_funds", "message": "cashier: insufficient_funds", "customer_message": "customer: insufficient_funds"}
	if diff := cmp.Diff(wantReason, attempt["reason"]); diff != "" {
		t.Error(diff)
	}
	c.terminal.sale.Attempts[1].Reason = payment.ReasonAbsent
	c.terminal.sale.Attempts[1].Absence = &payment.Absence{Passes: 2, Since: moment, At: moment.Add(time.Hour), Rows: 3, Newest: moment}
	evidence := object(t, c.send(t, "GET", "/v1/sales/"+saleID, "").body)["attempts"].([]any)[1].(map[string]any)["absence"]
	wantAbsence := map[string]any{"passes": 2.0, "since": "2026-01-02T03:04:05.678Z", "at": "2026-01-02T04:04:05.678Z", "rows": 3.0, "newest": "2026-01-02T03:04:05.678Z"}
	if diff := cmp.Diff(wantAbsence, evidence); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]any{"payload": "https://pay.example/x?a=1&b=2"}, qr["qr"]); diff != "" {
		t.Error(diff)
	}
	for _, list := range []string{"refunds", "reversals"} {
		shown, public := wire[list].([]any), view[list].([]any)
		if len(shown) != len(public) || len(shown) == 0 {
			t.Fatalf("%s on the wire are %v, in the public view %v", list, shown, public)
		}
		for i := range public {
			refund := shown[i].(map[string]any)
			if reason, _ := refund["reason"].(map[string]any); reason != nil {
				refund["reason"] = reason["code"]
			}
			if diff := cmp.Diff(public[i], refund); diff != "" {
				t.Errorf("%s %d: %s", list, i, diff)
			}
		}
	}
	if diff := cmp.Diff(view["override"], wire["override"]); diff != "" {
		t.Error(diff)
	}
	wantCapture := map[string]any{
		"found_at": "2026-01-02T03:05:05.678Z", "amount": 1235.0, "currency": "USD", "payment_id": "p-1", "sightings": 2.0, "kept": "amount",
	}
	if diff := cmp.Diff(wantCapture, attempt["late_capture"]); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(a.body, `a=1&b=2`) {
		t.Error("the payment URL is escaped for HTML")
	}
}

// The client's names for statuses and modes are the domain's.
func TestNamesAreTheDomains(t *testing.T) {
	statuses := []client.SaleStatus{
		client.StatusAwaitingCode, client.StatusProcessing, client.StatusShowingQR, client.StatusSwitching, client.StatusCancelling,
		client.StatusUnresolved, client.StatusPaid, client.StatusCancelled, client.StatusExpired,
	}
	domain := payment.SaleStatuses()
	if len(statuses) != len(domain) {
		t.Fatalf("%d statuses, the domain has %d", len(statuses), len(domain))
	}
	for i, status := range statuses {
		if string(status) != string(domain[i]) || (client.Sale{Status: status}).Final() != domain[i].Final() {
			t.Errorf("%s is %s in the domain", status, domain[i])
		}
	}
	for _, status := range []client.RefundStatus{
		client.RefundSubmitting, client.RefundPending, client.RefundUnknown, client.RefundSucceeded, client.RefundFailed,
	} {
		if (client.Refund{Status: status}).Final() != payment.RefundStatus(status).Final() {
			t.Errorf("refund status %s is not the domain's", status)
		}
	}
	for _, mode := range []client.Mode{client.ModeAuto, client.ModeScan, client.ModeQR} {
		if !payment.Mode(mode).Valid() {
			t.Errorf("mode %s is not the domain's", mode)
		}
	}
}
