package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// MaxSales is the most sales of one page.
const MaxSales = 100

// SaleQuery selects sales. Its zero value selects all.
type SaleQuery struct {
	Status    SaleStatus // empty: any
	Reference string     // exact; empty: any
	From, To  time.Time  // made in [From, To); zero: open
	Limit     int        // sales a page, 1 to MaxSales; 0: 50
	Cursor    string     // of the page before; empty: the newest
}

// SalePage is one page of a search, newest sale first.
type SalePage struct {
	Sales []Sale `json:"sales" nullable:"false" doc:"Newest first."`
	// Cursor asks for the next page; empty after the last. A page may hold no
	// sale at all and still have a next one.
	Cursor string `json:"cursor,omitempty" doc:"Asks for the next page. A page may hold fewer sales than asked for, even none, and still have a next one; only a page without cursor is the last."`
}

// Sales returns one page of the sales that the query selects.
func (c *Client) Sales(ctx context.Context, q SaleQuery) (SalePage, error) {
	values := make(url.Values)
	set := func(name, value string) {
		if value != "" {
			values.Set(name, value)
		}
	}
	set("status", string(q.Status))
	set("reference", q.Reference)
	set("cursor", q.Cursor)
	if !q.From.IsZero() {
		set("from", q.From.UTC().Format(time.RFC3339Nano))
	}
	if !q.To.IsZero() {
		set("to", q.To.UTC().Format(time.RFC3339Nano))
	}
	if q.Limit != 0 {
		set("limit", strconv.Itoa(q.Limit))
	}
	path := "/v1/sales"
	if len(values) > 0 {
		path += "?" + values.Encode()
	}
	var page SalePage
	_, err := c.call(ctx, http.MethodGet, path, nil, &page)
	return page, err
}
