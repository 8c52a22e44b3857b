package api

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"payscand/api/client"
	"payscand/payment"
)

const (
	maxSales     = client.MaxSales
	defaultSales = 50
)

type salesOutput struct{ Body client.SalePage }

func (s *Server) addSearch() {
	var statuses []any
	for _, status := range payment.SaleStatuses() {
		statuses = append(statuses, string(status))
	}
	text := func(name, description string, schema huma.Schema) *huma.Param {
		schema.Type = huma.TypeString
		return &huma.Param{Name: name, In: "query", Description: description, Schema: &schema}
	}
	register(s, operation{
		method: http.MethodGet, path: "/v1/sales", id: "findSales", roles: registers,
		summary:     "Find sales",
		description: "Newest first, a page at a time: ask again with the page's cursor, and the rest as it was, until a page comes without one.",
		parameters: []*huma.Param{
			text("status", "Only sales of this status.", huma.Schema{Enum: statuses}),
			text("reference", "Only sales with exactly this reference.", huma.Schema{MinLength: new(1), MaxLength: new(maxReference)}),
			text("from", "Only sales made then or later: RFC 3339.", huma.Schema{Format: "date-time"}),
			text("to", "Only sales made before: RFC 3339.", huma.Schema{Format: "date-time"}),
			{
				Name: "limit", In: "query", Description: "Sales a page at most; 50 unless given.",
				Schema: &huma.Schema{Type: huma.TypeInteger, Minimum: new(1.0), Maximum: new(float64(maxSales))},
			},
			text("cursor", "That of the page before.", huma.Schema{MinLength: new(ulidLength), MaxLength: new(ulidLength)}),
		},
		errors: []int{503},
	}, s.findSales)
}

func (s *Server) findSales(ctx context.Context, in *request, _ *struct{}) (*salesOutput, *problem) {
	query, p := saleQuery(in.query)
	if p != nil {
		return nil, p
	}
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	found, err := s.terminal.Sales(ctx, query)
	if err != nil {
		return nil, s.refusal(ctx, "GET /v1/sales", err)
	}
	page := client.SalePage{Sales: make([]client.Sale, len(found.Sales)), Cursor: found.Cursor}
	for i, sale := range found.Sales {
		page.Sales[i] = s.sale(sale)
	}
	return &salesOutput{Body: page}, nil
}

// queryRules says what each parameter of a search must be. One that is given
// must say something: an empty one would select other sales than were meant.
var queryRules = map[string]string{
	"status":    "must be a sale's status, such as unresolved.",
	"reference": "must have 1 to 64 characters without control characters.",
	"from":      "must be a time such as 2026-01-31T08:00:00Z (RFC 3339; write + as %2B).",
	"to":        "must be a time such as 2026-01-31T08:00:00Z (RFC 3339; write + as %2B).",
	"limit":     "must be a whole number from 1 to 100.",
	"cursor":    "must be the cursor of the page before.",
}

func saleQuery(query string) (payment.SaleQuery, *problem) {
	values, p := queryValues(query, "status", "reference", "from", "to", "limit", "cursor")
	if p != nil {
		return payment.SaleQuery{}, p
	}
	q := payment.SaleQuery{
		Status: payment.SaleStatus(values.Get("status")), Reference: values.Get("reference"),
		Limit: defaultSales, Cursor: values.Get("cursor"),
	}
	good := map[string]func(string) bool{
		"status":    func(string) bool { return slices.Contains(payment.SaleStatuses(), q.Status) },
		"reference": func(text string) bool { return text != "" && isLine(text, maxReference) },
		"from":      func(text string) bool { return readTime(text, &q.From) },
		"to":        func(text string) bool { return readTime(text, &q.To) },
		"limit":     func(text string) bool { return readLimit(text, &q.Limit) },
		"cursor":    isULID,
	}
	for _, name := range slices.Sorted(maps.Keys(values)) { // the same one is refused first every time
		if !good[name](values.Get(name)) {
			return payment.SaleQuery{}, invalid(name, name+" "+queryRules[name])
		}
	}
	return q, nil
}

func readTime(text string, into *time.Time) bool {
	at, err := time.Parse(time.RFC3339Nano, text)
	*into = at.UTC()
	return err == nil && !at.IsZero()
}

func readLimit(text string, into *int) bool {
	limit, err := strconv.Atoi(text)
	*into = limit
	return err == nil && limit >= 1 && limit <= maxSales
}
