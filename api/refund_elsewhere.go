package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"payscand/api/client"
	"payscand/payment"
	"payscand/terminal"
)

const (
	maxPaymentID = 64 // characters
	maxGateway   = 64 // characters
	// elsewhereTimeout bounds the wait for the gateway's answer about a payment,
	// which takes 20 s at most once it is asked.
	elsewhereTimeout = 45 * time.Second
)

func (s *Server) addRefundElsewhere() {
	register(s, operation{
		method: http.MethodPost, path: "/v1/refunds", id: "createRefundElsewhere", roles: registers,
		summary: "Give money back of a payment that another terminal took",
		description: "Asks the gateway about the payment first, so that the answer takes as long as that. It then begins the refund on a sale that " +
			"stands for the payment (elsewhere: true); wait until it has succeeded or failed. The same key with the same content gives the same " +
			"refund, with status 200 and Idempotency-Replayed: true; so repeat the call, as it was, whenever its answer was lost.",
		status: http.StatusCreated, replays: "The refund that was begun with this key before", body: client.NewRefundElsewhere{},
		parameters: []*huma.Param{keyParameter("refund")},
		errors:     []int{400, 404, 409, 413, 415, 429, 503},
	}, s.createRefundElsewhere)
}

// newElsewhereRules says what each field of a refund elsewhere must be.
var newElsewhereRules = map[string]string{
	"gateway":    "must be the name of a configured gateway.",
	"payment_id": "must be the gateway's id of the payment: 1 to 64 visible ASCII characters.",
	"amount":     "must be a whole number of minor units, 1 or more, without quotes, fraction or exponent.",
	"currency":   "must be an ISO 4217 code in capitals, or left out.",
	"reason":     newRefundRules["reason"],
}

func decodeElsewhere(body []byte) (client.NewRefundElsewhere, *problem) {
	var wanted client.NewRefundElsewhere
	if p := decode(body, &wanted, newElsewhereRules); p != nil {
		return client.NewRefundElsewhere{}, p
	}
	var field string
	switch _, err := payment.ParseCurrency(wanted.Currency); {
	case wanted.Gateway == "" || len(wanted.Gateway) > maxGateway:
		field = "gateway"
	case wanted.PaymentID == "" || len(wanted.PaymentID) > maxPaymentID ||
		strings.ContainsFunc(wanted.PaymentID, func(r rune) bool { return r <= ' ' || r > '~' }):
		field = "payment_id"
	case wanted.Amount < 1:
		field = "amount"
	case wanted.Currency != "" && err != nil:
		field = "currency"
	case !isLine(wanted.Reason, maxRefundNote):
		field = "reason"
	default:
		return wanted, nil
	}
	return client.NewRefundElsewhere{}, invalid(field, field+" "+newElsewhereRules[field])
}

func (s *Server) createRefundElsewhere(ctx context.Context, in *request, _ *struct{}) (*refundOutput, *problem) {
	key, p := idempotencyKey(in.header)
	if p != nil {
		return nil, p
	}
	wanted, p := decodeElsewhere(in.body)
	if p != nil {
		return nil, p
	}
	const route = "POST /v1/refunds"
	ctx, cancel := context.WithTimeout(ctx, elsewhereTimeout)
	defer cancel()
	refunded, n, replayed, err := s.terminal.RefundElsewhere(ctx, terminal.RefundElsewhere{
		Gateway: wanted.Gateway, PaymentID: wanted.PaymentID, Currency: payment.Currency(wanted.Currency),
		Request: terminal.NewRefund{Key: key, Digest: sha256Of(json.Marshal(wanted)), Amount: wanted.Amount, Note: wanted.Reason},
	})
	if err != nil {
		return nil, s.refusal(ctx, route, err)
	}
	return s.begunRefund(ctx, route, refunded, n, replayed)
}

// begunRefund answers with a refund that was begun just now or, replayed, before.
func (s *Server) begunRefund(ctx context.Context, route string, refunded payment.Sale, n int, replayed bool) (*refundOutput, *problem) {
	refund, found := s.refundOf(refunded, n)
	if !found {
		return nil, s.refusal(ctx, route, fmt.Errorf("sale %s has no refund %d, which was begun just now", refunded.ID, n))
	}
	out := &refundOutput{
		Status: http.StatusCreated, Location: fmt.Sprintf("/v1/sales/%s/refunds/%d", refunded.ID, n), Body: refund,
	}
	if replayed {
		out.Status, out.Replayed = http.StatusOK, "true"
	}
	return out, nil
}
