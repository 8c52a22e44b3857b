package alphapay

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"payscand/payment"
	"payscand/payment/exchange"
)

// A refund is asked about by its refundId. That is told by the answer to the
// refund alone, so where that was lost only the transaction list is left (M13).

type refundBody struct {
	PaymentID string        `json:"paymentId"`
	RequestID string        `json:"refundRequestId"`
	Refund    refundDetails `json:"refund"`
}

type refundDetails struct {
	Amount      amountBody `json:"refundAmount"`
	Description string     `json:"description,omitempty"`
}

type refundInquiryBody struct {
	RefundID  string `json:"refundId"`
	RequestID string `json:"refundRequestId"`
}

func isRefundCall(kind payment.CallKind) bool {
	return kind == payment.CallRefund || kind == payment.CallInquireRefund || kind == payment.CallLookupRefund
}

// refundCall makes the call about a refund. The body of a refund follows from the
// stored sale alone, so a second send has the same, whatever is configured then.
func (g *Gateway) refundCall(r *request, s payment.Sale, c payment.Call, at time.Time) error {
	refund, err := refundOf(s, c, r.question.amount)
	if err != nil {
		return err
	}
	r.requestedAt, r.sends = refund.RequestedAt, 0
	q := &r.question
	q.paymentID = s.Attempt(c.Attempt).PaymentID
	q.requestID, q.refundID, q.amount = refund.RequestID, refund.RefundID, refund.Amount
	switch {
	case q.kind == payment.CallLookupRefund && refund.RequestedAt.IsZero():
		return errors.New("the refund does not say when it was requested")
	case q.kind == payment.CallLookupRefund:
		return nil
	case q.kind == payment.CallRefund && !exchange.IsID(q.paymentID):
		return errNoPaymentID
	case q.kind == payment.CallInquireRefund && !exchange.IsID(q.refundID):
		return errors.New("AlphaPay wants a refund id for this call, and the refund has none")
	case q.kind == payment.CallInquireRefund:
		return g.encoded(r, inquireRefundPath, refundInquiryBody{RefundID: q.refundID, RequestID: q.requestID}, at)
	}
	return g.encoded(r, refundPath, refundBody{
		PaymentID: q.paymentID, RequestID: q.requestID,
		Refund: refundDetails{
			Amount:      amountBody{strconv.FormatInt(q.amount.Amount, 10), q.amount.Currency},
			Description: exchange.Describe(maxDescription, refund.Note),
		},
	}, at)
}

// refundOf returns the refund that the call names. paid is the order's amount,
// zero where its pay request is not known: no refund may exceed it.
func refundOf(s payment.Sale, c payment.Call, paid payment.Money) (payment.Refund, error) {
	if c.Refund < 1 || c.Refund > len(s.Refunds) {
		return payment.Refund{}, errors.New("the sale has no such refund")
	}
	refund := s.Refunds[c.Refund-1]
	switch {
	case refund.Attempt != c.Attempt:
		return refund, errors.New("the refund is of another attempt's payment")
	case !requestIDForm.MatchString(refund.RequestID):
		return refund, errors.New("the refund has no usable request id")
	case refund.Amount.Amount < 1 || refund.Amount.Amount > maxAmount:
		return refund, fmt.Errorf("refund of %d: AlphaPay takes 1 to %d minor units", refund.Amount.Amount, maxAmount)
	case !paid.IsZero() && (refund.Amount.Currency != paid.Currency || refund.Amount.Amount > paid.Amount):
		return refund, errors.New("the refund is above the order's amount, or in another currency")
	}
	return refund, nil
}

// judgeRefund says what the answer to a refund or to the inquiry about one means.
// v holds what its result says already.
func (a answer) judgeRefund(q question, how reading, v payment.Verdict) (payment.Verdict, error) {
	if err := a.agreesOnRefund(q); err != nil {
		return v, err
	}
	v.Amount, _ = a.Refund.Amount.Money()
	if a.RefundRequestID != "" { // an id without it might be another refund's
		v.RequestID, v.RefundID = string(a.RefundRequestID), string(a.RefundID)
	}
	if how == told {
		return v, nil
	}
	if v.RefundID == "" {
		return v, errors.New("the answer has no refundRequestId or no refundId")
	}
	v.Documented = true
	if q.kind == payment.CallRefund {
		v.Class = payment.ClassAccepted // S says that the request was taken, not that the money went back
		return v, nil
	}
	return v, a.refundInquired(&v)
}

// agreesOnRefund holds what the answer names against what was asked.
func (a answer) agreesOnRefund(q question) error {
	switch {
	case a.RefundID != "" && !exchange.IsID(string(a.RefundID)):
		return errors.New("refundId is not usable as one")
	case a.RefundRequestID != "" && string(a.RefundRequestID) != q.requestID:
		return fmt.Errorf("%w: another refundRequestId", exchange.ErrMismatch)
	case a.RefundID != "" && q.refundID != "" && string(a.RefundID) != q.refundID:
		return fmt.Errorf("%w: another refundId", exchange.ErrMismatch)
	case a.PaymentID != "" && string(a.PaymentID) != q.paymentID:
		return fmt.Errorf("%w: another paymentId", exchange.ErrMismatch)
	}
	if amount, told := a.Refund.Amount.Money(); told && amount != q.amount {
		return fmt.Errorf("%w: another amount", exchange.ErrMismatch)
	}
	return nil
}

// refundInquired completes the verdict of an inquiry about a refund. As with
// payments, a state that is not known is still waiting.
func (a answer) refundInquired(v *payment.Verdict) error {
	switch a.RefundStatus {
	case "SUCCESS":
		if v.Amount.Currency == "" {
			return errors.New("a refund that is done without a usable amount")
		}
		v.Class, v.Reason = payment.ClassRefunded, ""
	case "FAILED":
		v.Class, v.Reason = payment.ClassFailed, payment.ReasonRefundFailed
	case "":
		return errors.New("the inquiry has no refundStatus")
	default:
		v.Class = payment.ClassPending
		v.Documented = a.RefundStatus == "REFUND_IN_PROCESS"
	}
	return nil
}

// proveRefund reads a row with the refund's request id. over says that it ends
// the search: the money went back. A row without a time says that it has not yet.
// Its id is taken as the refund's (inferred), unless that is known to be another.
func (s *search) proveRefund(row transaction) (v payment.Verdict, over bool) {
	q := s.r.question
	amount, told := row.money()
	switch {
	case row.Type != "Debit" || !told || amount != q.amount: // a person's
		s.rest = new(exchange.NoVerdict(payment.ReasonAnswerMismatch, ""))
		return payment.Verdict{}, false
	case exchange.ParseTime(string(row.PaidAt)).IsZero():
		if s.rest == nil {
			s.rest = &payment.Verdict{Class: payment.ClassPending, GatewayCode: codeSuccess, Documented: true, RequestID: q.requestID, Amount: amount}
		}
		return payment.Verdict{}, false
	}
	v = payment.Verdict{
		Class: payment.ClassRefunded, GatewayCode: codeSuccess, Documented: true, RequestID: q.requestID, Amount: amount,
	}
	if id := string(row.TransactionID); exchange.IsID(id) && (q.refundID == "" || q.refundID == id) {
		v.RefundID = id
	}
	return v, true
}
