package api_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"payscand/api/client"
	"payscand/payment"
)

// A search asks the terminal for exactly what the query says, and answers with
// whole sales and the place to go on from.
func TestFindSales(t *testing.T) {
	day := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	for query, want := range map[string]payment.SaleQuery{
		"":                      {Limit: 50},
		"?limit=1":              {Limit: 1},
		"?limit=100":            {Limit: 100},
		"?status=unresolved":    {Limit: 50, Status: payment.SaleUnresolved},
		"?reference=till-1%2F1": {Limit: 50, Reference: "till-1/1"},
		"?cursor=" + saleID:     {Limit: 50, Cursor: saleID},
		"?from=2026-01-02T00:00:00Z&to=2026-01-03T01:00:00%2B01:00": {Limit: 50, From: day, To: day.AddDate(0, 0, 1)},
	} {
		c := serve(t)
		c.terminal.page = payment.SalePage{Sales: []payment.Sale{wholeSale()}, Cursor: noSale}
		a := c.send(t, "GET", "/v1/sales"+query, "")
		var page client.SalePage
		if err := json.Unmarshal([]byte(a.body), &page); err != nil || a.StatusCode != 200 || len(page.Sales) != 1 || page.Cursor != noSale {
			t.Fatalf("%s: %v: %s", query, err, a.raw())
		}
		if diff := cmp.Diff([]payment.SaleQuery{want}, c.terminal.queries); diff != "" {
			t.Errorf("%s: %s", query, diff)
		}
		one, err := json.Marshal(page.Sales[0])
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(object(t, c.send(t, "GET", "/v1/sales/"+saleID, "").body), object(t, string(one))); diff != "" {
			t.Errorf("a sale found is not the sale: %s", diff)
		}
	}
}

// A search without an answer is an empty list, not null, and has no next page.
func TestFindNoSales(t *testing.T) {
	if a := serve(t).send(t, "GET", "/v1/sales?status=paid", ""); a.StatusCode != 200 || a.body != `{"sales":[]}`+"\n" {
		t.Error(a.raw())
	}
}
