package api

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"payscand/api/client"
	"payscand/payment"
)

const (
	maxWait = client.MaxWait
	// commandTimeout bounds how long a caller waits for the terminal's loop,
	// which answers in milliseconds. What it was asked may still happen.
	commandTimeout = 15 * time.Second
)

type saleInput struct {
	ID string `path:"id" minLength:"26" maxLength:"26" doc:"The sale's id."`
}

type saleOutput struct {
	Status   int
	Location string `header:"Location" hidden:"true"`
	Replayed string `header:"Idempotency-Replayed" hidden:"true"`
	Body     client.Sale
}

var registers = []Role{RoleRegister, RoleOperator}

func (s *Server) addSales() {
	register(s, operation{
		method: http.MethodPost, path: "/v1/sales", id: "createSale", roles: registers,
		summary: "Make a sale",
		description: "Makes a sale and arms the scanner. The same key with the same content gives the same sale, with status 200 and " +
			"Idempotency-Replayed: true; so repeat the call, as it was, whenever its answer was lost.",
		status: http.StatusCreated, replays: "The sale that was made with this key before", body: client.NewSale{},
		parameters: []*huma.Param{keyParameter("sale")},
		errors:     []int{400, 409, 413, 415, 503},
	}, s.createSale)

	register(s, operation{
		method: http.MethodGet, path: "/v1/sales/{id}", id: "getSale", roles: registers,
		summary: "Get a sale, at once or when it changes",
		description: "With wait and after the answer comes once the sale's version is above after, or when wait is over: a long poll. " +
			"Without after any version will do, so the answer comes at once.",
		parameters: waitParameters(),
		errors:     []int{404, 429, 503},
	}, s.getSale)

	register(s, operation{
		method: http.MethodPost, path: "/v1/sales/{id}/code", id: "presentCode", roles: registers,
		summary:     "Present a payment code that the register scanned",
		description: "The code is checked and submitted as if the terminal's own scanner had read it. It never comes back whole.",
		body:        client.PresentedCode{}, errors: []int{400, 404, 409, 413, 415, 503},
	}, s.presentCode)

	for _, c := range []struct {
		operation
		command func(context.Context, string) (payment.Sale, error)
	}{
		{operation{
			path: "/v1/sales/{id}/qr", id: "showQR", summary: "Show a QR instead of waiting for a scan",
			description: "The answer is the sale as it is now; the QR follows.",
		}, s.terminal.ShowQR},
		{operation{
			path: "/v1/sales/{id}/cancel", id: "cancelSale", summary: "Cancel a sale", status: http.StatusAccepted,
			description: "Asks for it: the truth follows. Wait until the sale is cancelled, or paid because the customer was faster.",
		}, s.terminal.Cancel},
		{operation{
			path: "/v1/sales/{id}/check", id: "checkSale", summary: "Ask the gateway now",
			description: "Brings the next question to the gateway forward. The answer is the sale as it is now.",
		}, s.terminal.Check},
	} {
		c.operation.method, c.operation.roles, c.operation.errors = http.MethodPost, registers, []int{400, 404, 409, 413, 415, 503}
		register(s, c.operation, s.command(c.operation, c.command))
	}
}

func keyParameter(what string) *huma.Param {
	return &huma.Param{
		Name: "Idempotency-Key", In: "header", Required: true,
		Description: "New for every " + what + ", the same for every repetition: printable ASCII.",
		Schema:      &huma.Schema{Type: huma.TypeString, MinLength: new(1), MaxLength: new(maxKey)},
	}
}

func waitParameters() []*huma.Param {
	return []*huma.Param{
		{
			Name: "wait", In: "query", Description: "How long to wait at most, such as 25s; up to 60s.",
			Schema: &huma.Schema{Type: huma.TypeString, Examples: []any{"25s"}},
		},
		{
			Name: "after", In: "query", Description: "The version of the sale that the caller knows.",
			Schema: &huma.Schema{Type: huma.TypeInteger, Format: "int64", Minimum: new(0.0)},
		},
	}
}

func (s *Server) createSale(ctx context.Context, in *request, _ *struct{}) (*saleOutput, *problem) {
	key, p := idempotencyKey(in.header)
	if p != nil {
		return nil, p
	}
	wanted, p := decodeNewSale(in.body)
	if p != nil {
		return nil, p
	}
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	sale, replayed, err := s.terminal.CreateSale(ctx, terminalSale(key, wanted))
	if err != nil {
		return nil, s.refusal(ctx, "POST /v1/sales", err)
	}
	out := &saleOutput{Status: http.StatusCreated, Location: "/v1/sales/" + sale.ID, Body: s.sale(sale)}
	if replayed {
		out.Status, out.Replayed = http.StatusOK, "true"
	}
	return out, nil
}

func (s *Server) getSale(ctx context.Context, in *request, sale *saleInput) (*saleOutput, *problem) {
	if p := checkID(sale.ID); p != nil {
		return nil, p
	}
	after, wait, p := waitOf(in.query)
	if p != nil {
		return nil, p
	}
	current, p := s.waitSale(ctx, "GET /v1/sales/{id}", sale.ID, after, wait)
	if p != nil {
		return nil, p
	}
	return &saleOutput{Status: http.StatusOK, Body: s.sale(current)}, nil
}

// waitOf reads ?after= and ?wait=.
func waitOf(query string) (after int64, wait time.Duration, p *problem) {
	values, p := queryValues(query, "after", "wait")
	if p != nil {
		return 0, 0, p
	}
	if after, p = afterOf(values); p != nil || !values.Has("wait") {
		return after, 0, p
	}
	wait, err := time.ParseDuration(values.Get("wait"))
	if err != nil || wait < 0 || wait > maxWait {
		return 0, 0, invalid("wait", "wait must be a duration such as 25s, at most 60s.")
	}
	return after, wait, nil
}

func afterOf(values url.Values) (int64, *problem) {
	if !values.Has("after") {
		return 0, nil
	}
	after, err := strconv.ParseInt(values.Get("after"), 10, 64)
	if err != nil || after < 0 {
		return 0, invalid("after", "after must be a version of the sale, a whole number of 0 or more.")
	}
	return after, nil
}

// waitSale returns the sale once its version is above after, or as it is when
// wait is over or the server is about to stop.
func (s *Server) waitSale(ctx context.Context, route, id string, after int64, wait time.Duration) (payment.Sale, *problem) {
	if wait > 0 {
		select {
		case s.waiting <- struct{}{}:
			defer func() { <-s.waiting }()
		default:
			return payment.Sale{}, newProblem(client.CodeTooManyWaiting, "Too many calls wait for a change already; ask without wait.")
		}
		bounded, cancel := context.WithTimeout(ctx, wait)
		defer cancel()
		defer context.AfterFunc(s.stopping, cancel)()
		sale, err := s.terminal.WaitSale(bounded, id, after)
		if err == nil {
			return sale, nil
		}
		if bounded.Err() == nil || ctx.Err() != nil {
			return payment.Sale{}, s.refusal(ctx, route, err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	sale, err := s.terminal.Sale(ctx, id)
	if err != nil {
		return payment.Sale{}, s.refusal(ctx, route, err)
	}
	return sale, nil
}

// presentRules says what each field of a presented code must be.
var presentRules = map[string]string{"code": "must be the text that was scanned, a string that is not empty."}

func (s *Server) presentCode(ctx context.Context, in *request, sale *saleInput) (*saleOutput, *problem) {
	if p := checkID(sale.ID); p != nil {
		return nil, p
	}
	var presented client.PresentedCode
	if p := decode(in.body, &presented, presentRules); p != nil {
		return nil, p
	}
	if presented.Code == "" {
		return nil, invalid("code", "code "+presentRules["code"])
	}
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	changed, err := s.terminal.PresentCode(ctx, sale.ID, presented.Code)
	if err != nil {
		return nil, s.refusal(ctx, "POST /v1/sales/{id}/code", err)
	}
	return &saleOutput{Status: http.StatusOK, Body: s.sale(changed)}, nil
}

// command makes the route of a call that needs nothing but the sale's id.
func (s *Server) command(
	op operation, do func(context.Context, string) (payment.Sale, error),
) func(context.Context, *request, *saleInput) (*saleOutput, *problem) {
	return func(ctx context.Context, _ *request, sale *saleInput) (*saleOutput, *problem) {
		if p := checkID(sale.ID); p != nil {
			return nil, p
		}
		ctx, cancel := context.WithTimeout(ctx, commandTimeout)
		defer cancel()
		changed, err := do(ctx, sale.ID)
		if err != nil {
			return nil, s.refusal(ctx, op.method+" "+op.path, err)
		}
		return &saleOutput{Status: op.success(), Body: s.sale(changed)}, nil
	}
}

// checkID spares the terminal what cannot be an id, such as a payment code in
// the id's place.
func checkID(id string) *problem {
	if !isULID(id) {
		return newProblem(client.CodeNotFound, "There is no such sale on this terminal.")
	}
	return nil
}
