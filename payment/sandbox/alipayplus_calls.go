package sandbox

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// plusIDRequest names an order by either id.
type plusIDRequest struct {
	RequestID string `json:"paymentRequestId"`
	PaymentID string `json:"paymentId"`
}

// order finds the order; of both ids the vendor's own counts (our reading).
func (r plusIDRequest) order() (lookup, *wireResult) {
	if r.RequestID == "" && r.PaymentID == "" {
		return nil, new(plusIllegal("paymentRequestId", "required, or paymentId"))
	}
	if refusal := checkFields(plusField{"paymentRequestId", r.RequestID, 64, false}, plusField{"paymentId", r.PaymentID, 64, false}); refusal != nil {
		return nil, refusal
	}
	if r.PaymentID != "" {
		return byPayment(GatewayAlipayPlus, r.PaymentID), nil
	}
	return byRequest(GatewayAlipayPlus, r.RequestID), nil
}

// plusTransaction is a refund, as an inquiry tells of it.
type plusTransaction struct {
	Result    wireResult `json:"transactionResult"`
	ID        string     `json:"transactionId"`
	Type      string     `json:"transactionType"`
	Status    string     `json:"transactionStatus"`
	Amount    plusAmount `json:"transactionAmount"`
	RequestID string     `json:"transactionRequestId"`
	Time      string     `json:"transactionTime,omitempty"`
}

// plusState is how an order stands, as inquiries and notifications tell it.
type plusState struct {
	PaymentResult wireResult `json:"paymentResult"`
	AcquirerID    string     `json:"acquirerId"`
	RequestID     string     `json:"paymentRequestId"`
	PaymentID     string     `json:"paymentId"`
	Amount        plusAmount `json:"paymentAmount"`
	plusPaid
}

type plusInquiryAnswer struct {
	Result wireResult `json:"result"`
	plusState
	Transactions []plusTransaction `json:"transactions,omitempty"`
}

// inquire tells how an order stands; result is that of the call, paymentResult
// that of the payment. A request that never arrived has no order.
func (a *alipayPlus) inquire(call *wireCall) any {
	order, refusal := a.lookUp(call, a.ledger.find)
	if refusal != nil {
		return call.refuse(*refusal)
	}
	call.result = plusSuccess
	answer := plusInquiryAnswer{Result: plusSuccess, plusState: a.stateOf(order)}
	for _, refund := range order.Refunds {
		answer.Transactions = append(answer.Transactions, plusTransactionOf(order, refund))
	}
	return answer
}

func (a *alipayPlus) stateOf(order Order) plusState {
	state := plusState{
		PaymentResult: plusPaymentResult(order), AcquirerID: a.acquirerID(), RequestID: order.RequestID,
		PaymentID: order.PaymentID, Amount: plusAmountOf(order.Amount, order.Currency),
	}
	if order.Status == StatusPaid {
		state.plusPaid = a.paid(order)
	}
	return state
}

// plusPaymentResult is what became of the payment so far. One that was cancelled
// reads as closed, whether or not it had been paid; a refunded one as paid.
func plusPaymentResult(order Order) wireResult {
	switch order.Status {
	case StatusPaid:
		return plusSuccess
	case StatusFailed:
		return plusFailures[order.Failure]
	case StatusClosed, StatusReversed:
		return plusClosed
	}
	return plusInProcess
}

func plusTransactionOf(order Order, refund Refund) plusTransaction {
	result, status := plusRefundResult(refund), map[RefundStatus]string{
		RefundPending: "PROCESSING", RefundSucceeded: "SUCCESS", RefundFailed: "FAIL"}[refund.Status]
	out := plusTransaction{Result: result, ID: refund.RefundID, Type: "REFUND", Status: status,
		Amount: plusAmountOf(refund.Amount, order.Currency), RequestID: refund.RequestID}
	if refund.Status == RefundSucceeded {
		out.Time = plusTime(refund.EndedAt)
	}
	return out
}

type plusCancelAnswer struct {
	Result     wireResult `json:"result"`
	AcquirerID string     `json:"acquirerId"`
	PspID      string     `json:"pspId"`
}

// cancel closes an order or gives its money back; a second one finds that done and
// says the same.
func (a *alipayPlus) cancel(call *wireCall) any {
	if _, refusal := a.lookUp(call, a.ledger.reverse); refusal != nil {
		return call.refuse(*refusal)
	}
	call.result = plusSuccess
	return plusCancelAnswer{plusSuccess, a.acquirerID(), a.pspID()}
}

// lookUp decodes a request that names an order, and does action on it.
func (a *alipayPlus) lookUp(call *wireCall, action func(time.Time, lookup) (Order, error)) (Order, *wireResult) {
	var request plusIDRequest
	if refusal := decodePlus(call.body, &request); refusal != nil {
		return Order{}, refusal
	}
	which, refusal := request.order()
	if refusal != nil {
		return Order{}, refusal
	}
	order, err := action(a.config.Clock(), which)
	call.requestID = order.RequestID
	if err == nil && order.Status == StatusAbsent {
		err = errUnknown
	}
	if err != nil {
		return Order{}, new(plusRefusalOf(err))
	}
	return order, nil
}

// plusRefusals are the results of calls that the model refuses.
var plusRefusals = []struct {
	err    error
	result wireResult
}{
	{errUnknown, plusNoOrder},
	{errUndecided, plusUnknown},
	{errWindow, plusWindow},
	{errPartly, plusProcessFail},
	{errDifferent, plusInconsistent},
	{errNotPaid, plusRefundUnpaid},
	{errRefunded, plusRefundAmount},
	{errRefundAmount, plusRefundAmount},
	{errTooOld, plusRefundWindow},
	{errBalance, plusRefundBalance},
}

func plusRefusalOf(err error) wireResult {
	for _, refusal := range plusRefusals {
		if errors.Is(err, refusal.err) {
			return refusal.result
		}
	}
	return plusUnknown
}

type plusRefundRequest struct {
	plusIDRequest
	RefundRequestID string      `json:"refundRequestId"`
	Amount          *plusAmount `json:"refundAmount"`
	Reason          string      `json:"refundReason"`
}

type plusRefundAnswer struct {
	Result     wireResult `json:"result"`
	AcquirerID string     `json:"acquirerId"`
	PspID      string     `json:"pspId"`
	RefundID   string     `json:"refundId"`
	RefundTime string     `json:"refundTime"`
	Amount     plusAmount `json:"refundAmount"`
	Settlement plusAmount `json:"settlementAmount"`
}

// refund gives money back, whole or in part, once for each refundRequestId.
func (a *alipayPlus) refund(call *wireCall) any {
	var request plusRefundRequest
	if refusal := decodePlus(call.body, &request); refusal != nil {
		return call.refuse(*refusal)
	}
	which, refusal := request.order()
	if refusal == nil {
		refusal = checkFields(plusField{"refundRequestId", request.RefundRequestID, 64, true}, plusField{"refundReason", request.Reason, 256, false})
	}
	if refusal == nil {
		refusal = request.Amount.check("refundAmount", a.config.Currency)
	}
	if refusal != nil {
		return call.refuse(*refusal)
	}
	call.requestID = request.RefundRequestID
	order, refund, course, err := a.ledger.refund(a.config.Clock(), refundSpec{Order: which, RequestID: request.RefundRequestID,
		Amount: request.Amount.minorUnits(), Currency: request.Amount.Currency, Description: request.Reason, Once: true})
	switch {
	case errors.Is(err, errRequestLost), err == nil && (course == refundAnswerLost || course == refundsOnce):
		call.raw = &reply{lost: true}
		return nil
	case errors.Is(err, errNotPaid) && order.Status != StatusPending:
		return call.refuse(plusClosed)
	case err != nil:
		return call.refuse(plusRefusalOf(err))
	case course == refundsReviewedUnnamed:
		return call.refuse(plusProcessFail)
	}
	call.result = plusRefundResult(refund)
	if refund.Status != RefundSucceeded {
		return call.refuse(call.result)
	}
	return plusRefundAnswer{
		Result: call.result, AcquirerID: a.acquirerID(), PspID: a.pspID(), RefundID: refund.RefundID, RefundTime: plusTime(refund.EndedAt),
		Amount: plusAmountOf(refund.Amount, order.Currency), Settlement: plusAmountOf(refund.Amount, order.Currency),
	}
}

// plusRefundResult is what a request for this refund is told.
func plusRefundResult(refund Refund) wireResult {
	switch refund.Status {
	case RefundSucceeded:
		return plusSuccess
	case RefundFailed:
		return plusRefundRepeated
	}
	return plusUnknown
}

func plusAmountOf(amount int64, currency string) plusAmount {
	return plusAmount{Currency: currency, Value: strconv.FormatInt(amount, 10)}
}

// Ids of the parties, as long as the vendor's own; they follow from the seed.
func (a *alipayPlus) acquirerID() string {
	return "10221880000" + a.digits("acquirer", a.config.ClientID)
}
func (a *alipayPlus) pspID() string { return "10221720000" + a.digits("wallet", "") }

func (a *alipayPlus) digits(kind, name string) string {
	sum := a.ledger.derive(kind, name)
	number, err := strconv.ParseUint(sum[:8], 16, 64)
	if err != nil {
		panic(fmt.Sprintf("sandbox: %q is not hexadecimal", sum[:8]))
	}
	return fmt.Sprintf("%08d", number%100_000_000)
}
