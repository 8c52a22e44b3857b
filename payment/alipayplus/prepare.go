package alipayplus

import (
	"context"
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

// question is what a call asks, as far as its answer must agree with it.
type question struct {
	kind      payment.CallKind
	requestID string        // of the order, also where the call is about a refund of it
	paymentID string        // of the order, as far as it is known
	refundReq string        // of the refund that the call is about
	refundID  string        // of that refund, as far as it is known
	amount    payment.Money // of the order or of the refund; zero where the pay request is not known
	qr        bool          // OrderCode
	expires   time.Time     // of an order code, by the gateway's clock, as it was asked for
	code      payment.Code  // pay: must not come back in anything that is shown
}

// request is a prepared call. It holds a payment code, so it prints as its kind
// and request id only.
type request struct {
	question question
	message  *exchange.Message
}

func (r *request) String() string {
	id := r.question.requestID
	if r.question.refundReq != "" {
		id = r.question.refundReq
	}
	return fmt.Sprintf("alipayplus %s %s", r.question.kind, id)
}

// Format prints String, whatever the verb.
func (r *request) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, r.String()) }

// LogValue logs String.
func (r *request) LogValue() slog.Value { return slog.StringValue(r.String()) }

// Secret is the payment code that the request holds.
func (r *request) Secret() payment.Code { return r.question.code }

// probeID is a request id that no order has: those of this program are a ULID, a
// dash and a number.
const probeID = "PAYSCAND-PROBE"

// orderRef names an order: by the request id that we gave it, or by the vendor's
// own id where another terminal gave it.
type orderRef struct {
	RequestID string `json:"paymentRequestId,omitempty"`
	PaymentID string `json:"paymentId,omitempty"`
}

// refOf is how the attempt's order is named.
func refOf(a payment.Attempt) (orderRef, error) {
	if a.Instrument != payment.InstrumentElsewhere {
		return orderRef{RequestID: a.RequestID}, nil
	}
	if !exchange.IsID(a.PaymentID) {
		return orderRef{}, errors.New("another terminal's payment has no usable payment id")
	}
	return orderRef{PaymentID: a.PaymentID}, nil
}

type refundBody struct {
	RequestID string     `json:"paymentRequestId,omitempty"`
	PaymentID string     `json:"paymentId,omitempty"`
	RefundReq string     `json:"refundRequestId"`
	Amount    amountBody `json:"refundAmount"`
	Reason    string     `json:"refundReason,omitempty"`
}

// Prepare makes the request of a call and signs it with the gateway's time; at is
// used as long as that is unknown. An order is asked about where its pay request
// was sent, even when the configuration names another host by now (M7).
//
// It returns an error, and nothing may be sent, when the sale has no such attempt
// or refund, when the attempt was made for another client id, when its code is
// missing though the body wants one, when a refund exceeds its payment, and for a
// call that Alipay+ does not have: it has no transaction list, and a refund is
// asked about by sending it again.
func (g *Gateway) Prepare(s payment.Sale, c payment.Call, at time.Time) (payment.Request, error) {
	r, err := g.prepare(s, c, at)
	if err != nil {
		about := fmt.Sprintf("sale %s, attempt %d", s.ID, c.Attempt)
		switch {
		case c.Kind == payment.CallProbe:
			about = "no order"
		case c.Refund > 0:
			about += fmt.Sprintf(", refund %d", c.Refund)
		}
		return nil, fmt.Errorf("gateway %s, %s of %s: %w", g.client.Name(), c.Kind, about, err)
	}
	return r, nil
}

func (g *Gateway) prepare(s payment.Sale, c payment.Call, at time.Time) (*request, error) {
	if c.Kind == payment.CallProbe {
		r := &request{question: question{kind: c.Kind}}
		return r, g.encoded(r, g.client.BaseURL(), inquirePath, orderRef{RequestID: probeID}, at)
	}
	a := s.Attempt(c.Attempt)
	if a == nil {
		return nil, errors.New("the sale has no such attempt")
	}
	q, err := g.orderOf(*a)
	if err != nil {
		return nil, err
	}
	q.kind, q.paymentID = c.Kind, a.PaymentID
	r, base := &request{question: q}, g.client.BaseURL()
	if a.Intent.URL != "" {
		if base, err = exchange.BaseOf(a.Intent.URL, payPath); err != nil {
			return nil, err
		}
	}
	if (c.Kind == payment.CallRefund) != (c.Refund != 0) {
		return nil, errors.New("the call must name a refund if it is about one, and only then")
	}
	ref, err := refOf(*a)
	if err != nil {
		return nil, err
	}
	switch c.Kind {
	case payment.CallPay:
		return r, g.pay(r, base, *a, at)
	case payment.CallInquire:
		return r, g.encoded(r, base, inquirePath, ref, at)
	case payment.CallCancel:
		return r, g.encoded(r, base, cancelPath, ref, at)
	case payment.CallRefund:
		return r, g.refund(r, base, ref, s, c, at)
	}
	return nil, errors.New("this vendor has no such call")
}

// orderOf reads what the attempt's order is about from its stored pay request.
func (g *Gateway) orderOf(a payment.Attempt) (question, error) {
	if a.Instrument == payment.InstrumentElsewhere { // its request id is another terminal's, and told by the answer
		return question{requestID: a.RequestID}, nil
	}
	if !requestIDForm.MatchString(a.RequestID) {
		return question{}, errors.New("the attempt has no usable request id")
	}
	if a.Intent.Account != "" && a.Intent.Account != g.client.Account() {
		return question{}, errors.New("the order was sent for another client id than the one configured now: " +
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
	amount, err := strconv.ParseInt(body.Amount.Value, 10, 64)
	if err != nil || body.RequestID != a.RequestID {
		return question{}, errors.New("the stored pay request is not this attempt's")
	}
	q.amount = payment.Money{Amount: amount, Currency: body.Amount.Currency}
	q.qr = body.Factor.Scenario == scenarioQR
	q.expires = exchange.ParseTime(body.Expiry)
	return q, nil
}

func (g *Gateway) pay(r *request, base string, a payment.Attempt, at time.Time) error {
	switch {
	case a.Intent.Head == "" || a.Intent.URL == "":
		return errors.New("the attempt has no stored pay request")
	case a.Intent.FillsCode() && a.Code.IsZero():
		return errors.New("the payment code is no longer kept, so the request cannot be sent again")
	case a.Intent.FillsCode() && !exchange.FitsHole(a.Code):
		return errors.New("the payment code has characters that no wallet's has")
	}
	r.question.code = a.Code
	body := []byte(a.Intent.Head) // an order code's request has no hole, whatever the attempt holds
	if a.Intent.FillsCode() {
		body = a.Intent.Body(a.Code)
	}
	var err error
	r.message, err = g.client.Sign(base, payPath, body, at)
	return err
}

// refund makes a refund's request. Its body follows from the stored sale alone, so
// that it is the same each time it is sent (M13).
func (g *Gateway) refund(r *request, base string, ref orderRef, s payment.Sale, c payment.Call, at time.Time) error {
	if c.Refund < 1 || c.Refund > len(s.Refunds) {
		return errors.New("the sale has no such refund")
	}
	refund, paid := s.Refunds[c.Refund-1], r.question.amount
	switch {
	case refund.Attempt != c.Attempt:
		return errors.New("the refund is of another attempt's payment")
	case !requestIDForm.MatchString(refund.RequestID):
		return errors.New("the refund has no usable request id")
	case refund.Amount.Amount < 1 || !currencyForm.MatchString(string(refund.Amount.Currency)):
		return errors.New("the refund has no usable amount")
	case !paid.IsZero() && (refund.Amount.Currency != paid.Currency || refund.Amount.Amount > paid.Amount):
		return errors.New("the refund is above the order's amount, or in another currency")
	}
	q := &r.question
	q.refundReq, q.refundID, q.amount = refund.RequestID, refund.RefundID, refund.Amount
	return g.encoded(r, base, refundPath, refundBody{
		RequestID: ref.RequestID, PaymentID: ref.PaymentID, RefundReq: q.refundReq,
		Amount: amountBody{q.amount.Currency, strconv.FormatInt(q.amount.Amount, 10)},
		Reason: exchange.Describe(maxReason, refund.Note),
	}, at)
}

// encoded signs a call with a JSON body.
func (g *Gateway) encoded(r *request, base, path string, value any, at time.Time) error {
	body, err := json.Marshal(value)
	if err != nil {
		return err
	}
	r.message, err = g.client.Sign(base, path, body, at)
	return err
}

// Send carries the request out, once, and says what came of it. It returns by
// itself within the connect and answer time-outs, or when ctx ends.
func (g *Gateway) Send(ctx context.Context, prepared payment.Request) payment.Verdict {
	r, mine := prepared.(*request)
	if !mine || r == nil {
		return g.client.NotPrepared()
	}
	return g.client.Send(ctx, r, func(ctx context.Context) (payment.Verdict, error) {
		body, _, f := g.client.Exchange(ctx, r.message)
		if f != nil {
			return f.Verdict(), f
		}
		v, err := judge(r.question, body)
		if v.QR != nil { // hidden by this machine's clock
			v.ExpiresAt = v.ExpiresAt.Add(-g.client.ClockOffset())
		}
		return v, err
	})
}
