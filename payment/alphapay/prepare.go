package alphapay

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"payscand/payment"
	"payscand/payment/exchange"
)

// request is a prepared call. It holds a payment code, so it prints as its kind
// and request id only.
type request struct {
	question    question
	base        string            // scheme and host that the order was sent to
	message     *exchange.Message // signed; nil for a lookup, which signs page by page
	requestedAt time.Time         // lookup: when the order or the refund was first sent, by this machine's clock
	sends       int               // lookup of an order: how often pay was sent
}

func (r *request) String() string {
	return fmt.Sprintf("alphapay %s %s", r.question.kind, r.question.requestID)
}

// Format prints String, whatever the verb.
func (r *request) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, r.String()) }

// LogValue logs String.
func (r *request) LogValue() slog.Value { return slog.StringValue(r.String()) }

// Secret is the payment code that the request holds.
func (r *request) Secret() payment.Code { return r.question.code }

// probeID is a payment id that no order has: 25 digits, as the vendor's ids in
// its SDK's examples, which begin with the date.
const probeID = "0000000000000000000000000"

// Prepare makes the request of a call and signs it with the gateway's time; at is
// used as long as that is unknown. An order is asked about where its pay request
// was sent, even when the configuration names another host by now (M7).
//
// It returns an error, and nothing may be sent, when the sale has no such attempt
// or refund, when the attempt was made for another merchant code, when its code is
// missing though the body wants one, when the call needs a payment or refund id
// that is not known, and when a refund exceeds its payment.
func (g *Gateway) Prepare(s payment.Sale, c payment.Call, at time.Time) (payment.Request, error) {
	r, err := g.prepare(s, c, at)
	if err != nil {
		return nil, fmt.Errorf("gateway %s, %s of %s: %w", g.client.Name(), c.Kind, subject(s, c), err)
	}
	return r, nil
}

// subject names what a call is about, for people.
func subject(s payment.Sale, c payment.Call) string {
	switch {
	case c.Kind == payment.CallProbe:
		return "no order"
	case c.Refund > 0:
		return fmt.Sprintf("sale %s, attempt %d, refund %d", s.ID, c.Attempt, c.Refund)
	}
	return fmt.Sprintf("sale %s, attempt %d", s.ID, c.Attempt)
}

func (g *Gateway) prepare(s payment.Sale, c payment.Call, at time.Time) (*request, error) {
	if c.Kind == payment.CallProbe {
		r := &request{question: question{kind: c.Kind}, base: g.client.BaseURL()}
		return r, g.addressed(r, inquirePath, probeID, at)
	}
	a := s.Attempt(c.Attempt)
	if a == nil {
		return nil, errors.New("the sale has no such attempt")
	}
	order, err := g.orderOf(*a)
	if err != nil {
		return nil, err
	}
	r := &request{question: order, requestedAt: a.SubmittedAt, sends: a.Sends}
	r.question.kind = c.Kind
	if r.base, err = g.client.BaseFor(a.Intent, payPath); err != nil {
		return nil, err
	}
	if isRefundCall(c.Kind) != (c.Refund != 0) {
		return nil, errors.New("the call must name a refund if it is about one, and only then")
	}
	if isRefundCall(c.Kind) {
		return r, g.refundCall(r, s, c, at)
	}
	return r, g.orderCall(r, *a, at)
}

// orderCall makes the call about the attempt's own order.
func (g *Gateway) orderCall(r *request, a payment.Attempt, at time.Time) error {
	switch r.question.kind {
	case payment.CallPay:
		return g.pay(r, a, at)
	case payment.CallInquire:
		r.question.paymentID = a.PaymentID
		return g.addressed(r, inquirePath, a.PaymentID, at)
	case payment.CallCancel:
		r.question.paymentID = a.PaymentID
		return g.addressed(r, cancelPath, a.PaymentID, at)
	case payment.CallLookup:
		if a.SubmittedAt.IsZero() || r.question.amount.IsZero() {
			return errors.New("the attempt does not say when it was submitted, or for which amount")
		}
		return nil
	}
	return errors.New("AlphaPay has no such call")
}

// orderOf reads what the attempt's order is about from its stored pay request.
func (g *Gateway) orderOf(a payment.Attempt) (question, error) {
	if a.Instrument == payment.InstrumentElsewhere { // the id is another terminal's, and told by the answer
		return question{requestID: a.RequestID, elsewhere: a.RequestID == ""}, nil
	}
	if !requestIDForm.MatchString(a.RequestID) {
		return question{}, errors.New("the attempt has no usable request id")
	}
	if a.Intent.Account != "" && a.Intent.Account != g.client.Account() {
		return question{}, errors.New("the order was sent for another merchant code than the one configured now: " +
			"configure that one again until its orders are resolved")
	}
	q := question{requestID: a.RequestID}
	if a.Intent.Head == "" {
		return q, nil
	}
	var body payBody
	if err := json.Unmarshal([]byte(a.Intent.Head+a.Intent.Tail), &body); err != nil {
		return question{}, errors.New("the stored pay request is damaged")
	}
	amount, err := strconv.ParseInt(body.Order.Amount.Value, 10, 64)
	if err != nil || body.RequestID != a.RequestID {
		return question{}, errors.New("the stored pay request is not this attempt's")
	}
	q.amount = payment.Money{Amount: amount, Currency: body.Order.Amount.Currency}
	q.qr = body.ScenarioCode == scenarioQR
	return q, nil
}

func (g *Gateway) pay(r *request, a payment.Attempt, at time.Time) error {
	body, err := exchange.PayBody(a)
	if err != nil {
		return err
	}
	r.question.code = a.Code
	r.message, err = g.client.Sign(r.base, payPath, body, at)
	return err
}

var errNoPaymentID = errors.New("AlphaPay wants a payment id for this call, and the attempt has none")

// addressed signs a call that names nothing but a payment id.
func (g *Gateway) addressed(r *request, path, paymentID string, at time.Time) error {
	if !exchange.IsID(paymentID) {
		return errNoPaymentID
	}
	return g.encoded(r, path, struct {
		PaymentID string `json:"paymentId"`
	}{paymentID}, at)
}

// encoded signs a call with a JSON body.
func (g *Gateway) encoded(r *request, path string, value any, at time.Time) (err error) {
	r.message, err = g.client.SignJSON(r.base, path, value, at)
	return err
}
