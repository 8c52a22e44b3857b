package api

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"payscand/api/client"
	"payscand/payment"
	"payscand/terminal"
)

const (
	maxRefundNote   = 100 // characters
	maxOperator     = 64  // characters
	maxOverrideNote = 200 // characters
)

type refundInput struct {
	ID string `path:"id" minLength:"26" maxLength:"26" doc:"The sale's id."`
	N  string `path:"n" pattern:"^[1-9][0-9]?$" doc:"The number of the refund or reversal."`
}

type refundOutput struct {
	Status   int
	Location string `header:"Location" hidden:"true"`
	Replayed string `header:"Idempotency-Replayed" hidden:"true"`
	Body     client.SaleRefund
}

var operators = []Role{RoleOperator}

func (s *Server) addRefunds() {
	register(s, operation{
		method: http.MethodPost, path: "/v1/sales/{id}/refunds", id: "createRefund", roles: registers,
		summary: "Give money of a paid sale back",
		description: "Begins a refund, whole or in part; wait until it has succeeded or failed. One at a time. The same key with the same " +
			"content gives the same refund, with status 200 and Idempotency-Replayed: true; so repeat the call, as it was, whenever its answer was lost.",
		status: http.StatusCreated, replays: "The refund that was begun with this key before", body: client.NewRefund{},
		parameters: []*huma.Param{keyParameter("refund")},
		errors:     []int{400, 404, 409, 413, 415, 503},
	}, s.createRefund)

	register(s, operation{
		method: http.MethodGet, path: "/v1/sales/{id}/refunds/{n}", id: "getRefund", roles: registers,
		summary:     "Get a refund or reversal, at once or when its sale changes",
		description: "wait and after are those of the sale: with both the answer comes once the sale's version is above after, or when wait is over.",
		parameters:  waitParameters(),
		errors:      []int{404, 429, 503},
	}, s.getRefund)

	register(s, operation{
		method: http.MethodPost, path: "/v1/sales/{id}/resolve", id: "resolveSale", roles: operators,
		summary: "Decide an unresolved sale",
		description: "Only for an operator, whose token is needed on the socket too. Ends an unresolved sale as paid or not paid, on a person's word, " +
			"which is kept. The truth is still looked for and told if it is another.",
		body: client.Resolution{}, errors: []int{400, 404, 409, 413, 415, 503},
	}, s.resolveSale)
}

// newRefundRules says what each field of a new refund must be.
var newRefundRules = map[string]string{
	"amount": "must be a whole number of minor units, 1 or more, without quotes, fraction or exponent; leave it out to refund all that is left.",
	"reason": "must be a string of at most 100 characters without control characters.",
}

// decodeNewRefund reads the body of POST …/refunds. The amount is read by itself
// because an amount of 0 or null is a mistake of the register, which must not
// become all that is left.
func decodeNewRefund(body []byte) (client.NewRefund, *problem) {
	var wanted struct {
		Amount jsontext.Value `json:"amount"`
		Reason string         `json:"reason"`
	}
	if p := decode(body, &wanted, newRefundRules); p != nil {
		return client.NewRefund{}, p
	}
	if !bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) {
		return client.NewRefund{}, invalid("", "The body must be a JSON object.")
	}
	refund := client.NewRefund{Reason: wanted.Reason}
	if wanted.Amount != nil {
		p := decode(wanted.Amount, &refund.Amount, nil)
		if p != nil || refund.Amount < 1 {
			return client.NewRefund{}, invalid("amount", "amount "+newRefundRules["amount"])
		}
	}
	if !isLine(refund.Reason, maxRefundNote) {
		return client.NewRefund{}, invalid("reason", "reason "+newRefundRules["reason"])
	}
	return refund, nil
}

// refundDigest identifies what a refund's request asks for, as digest does for a
// sale's.
func refundDigest(refund client.NewRefund) string {
	return sha256Of(json.Marshal(struct {
		Amount int64  `json:"amount,omitempty"`
		Reason string `json:"reason,omitempty"`
	}(refund)))
}

func (s *Server) createRefund(ctx context.Context, in *request, sale *saleInput) (*refundOutput, *problem) {
	if p := checkID(sale.ID); p != nil {
		return nil, p
	}
	key, p := idempotencyKey(in.header)
	if p != nil {
		return nil, p
	}
	wanted, p := decodeNewRefund(in.body)
	if p != nil {
		return nil, p
	}
	const route = "POST /v1/sales/{id}/refunds"
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	refunded, n, replayed, err := s.terminal.Refund(ctx, sale.ID, terminal.NewRefund{
		Key: key, Digest: refundDigest(wanted), Amount: wanted.Amount, Note: wanted.Reason,
	})
	if err != nil {
		return nil, s.refusal(ctx, route, err)
	}
	return s.begunRefund(ctx, route, refunded, n, replayed)
}

func (s *Server) getRefund(ctx context.Context, in *request, asked *refundInput) (*refundOutput, *problem) {
	if p := checkID(asked.ID); p != nil {
		return nil, p
	}
	missing := newProblem(client.CodeNotFound, "The sale has no refund of this number.")
	n, err := strconv.Atoi(asked.N)
	if err != nil || strconv.Itoa(n) != asked.N {
		return nil, missing
	}
	after, wait, p := waitOf(in.query)
	if p != nil {
		return nil, p
	}
	sale, p := s.waitSale(ctx, "GET /v1/sales/{id}/refunds/{n}", asked.ID, after, wait)
	if p != nil {
		return nil, p
	}
	refund, found := s.refundOf(sale, n)
	if !found {
		return nil, missing
	}
	return &refundOutput{Status: http.StatusOK, Body: refund}, nil
}

// refundOf returns a sale's refund or reversal by its number.
func (s *Server) refundOf(sale payment.Sale, n int) (refund client.SaleRefund, found bool) {
	wire := s.sale(sale)
	for _, list := range [][]client.Refund{wire.Refunds, wire.Reversals} {
		for _, r := range list {
			if r.N == n {
				return client.SaleRefund{Sale: wire.ID, Version: wire.Version, Refund: r}, true
			}
		}
	}
	return client.SaleRefund{}, false
}

// resolutionRules says what each field of a resolution must be.
var resolutionRules = map[string]string{
	"outcome":  "must be paid or not_paid.",
	"operator": "must be a string of 1 to 64 characters without control characters.",
	"reason":   "must be a string of 1 to 200 characters without control characters.",
}

func decodeResolution(body []byte) (client.Resolution, *problem) {
	var decision client.Resolution
	if p := decode(body, &decision, resolutionRules); p != nil {
		return client.Resolution{}, p
	}
	var field string
	switch {
	case decision.Outcome != client.OutcomePaid && decision.Outcome != client.OutcomeNotPaid:
		field = "outcome"
	case decision.Operator == "" || !isLine(decision.Operator, maxOperator):
		field = "operator"
	case decision.Reason == "" || !isLine(decision.Reason, maxOverrideNote):
		field = "reason"
	default:
		return decision, nil
	}
	return client.Resolution{}, invalid(field, field+" "+resolutionRules[field])
}

func (s *Server) resolveSale(ctx context.Context, in *request, sale *saleInput) (*saleOutput, *problem) {
	if p := checkID(sale.ID); p != nil {
		return nil, p
	}
	decision, p := decodeResolution(in.body)
	if p != nil {
		return nil, p
	}
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	resolved, err := s.terminal.Resolve(ctx, sale.ID, payment.Resolved{
		Outcome: payment.OverrideOutcome(decision.Outcome), Operator: decision.Operator, Note: decision.Reason,
	})
	if err != nil {
		return nil, s.refusal(ctx, "POST /v1/sales/{id}/resolve", err)
	}
	return &saleOutput{Status: http.StatusOK, Body: s.sale(resolved)}, nil
}
