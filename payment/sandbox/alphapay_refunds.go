package sandbox

import (
	"errors"
	"strconv"
	"unicode/utf8"
)

type alphaRefundRequest struct {
	PaymentID string `json:"paymentId"`
	RequestID string `json:"refundRequestId"`
	Refund    *struct {
		Amount      *alphaAmount `json:"refundAmount"`
		Description string       `json:"description"`
		NotifyURL   string       `json:"notifyUrl"`
	} `json:"refund"`
}

type alphaRefund struct {
	Amount      alphaAmount `json:"refundAmount"`
	Description string      `json:"description,omitempty"`
	NotifyURL   string      `json:"notifyUrl,omitempty"`
}

// alphaRefundState is how a refund stands, as inquiries and notifications tell it.
type alphaRefundState struct {
	RefundID   string      `json:"refundId"`
	PaymentID  string      `json:"paymentId"`
	RequestID  string      `json:"refundRequestId"`
	Refund     alphaRefund `json:"refund"`
	RefundTime string      `json:"refundTime"`             // when the refund was asked for, as the vendor's SDK says
	Status     string      `json:"refundStatus,omitempty"` // in answers to inquiries and in notifications
}

type alphaRefundAnswer struct {
	alphaRefundState
	Result wireResult `json:"result"`
}

var alphaRefundStatuses = map[RefundStatus]string{
	RefundPending: "REFUND_IN_PROCESS", RefundSucceeded: "SUCCESS", RefundFailed: "FAILED",
}

var (
	alphaReview        = wireResult{"REFUND_NEED_REVIEW", "Your refund request has been submitted. Please wait for the system to review it", "U"}
	alphaReviewUnnamed = wireResult{alphaReview.Code, alphaReview.Message, "F"} // which status goes with the code is documented nowhere
)

// alphaRefundRefusals are the results of refunds that the model refuses. The
// vendor documents no code for the refund of an unpaid order.
var alphaRefundRefusals = []struct {
	err    error
	result wireResult
}{
	{errUnknown, alphaMismatch},
	{errDifferent, alphaInvalid("refundRequestId", "was used with other content")},
	{errNotPaid, wireResult{"ORDER_NOT_PAID", "Order has not been paid", "F"}},
	{errRefunded, wireResult{"FULL_REFUND_COMPLETED", "This order has been fully refunded.", "F"}},
	{errRefunding, wireResult{"EXIST_PROCESSING_REFUND", "This order has a refund request being processed, please try again later", "F"}},
	{errTooOld, wireResult{"REFUND_VALID_DATE_EXCEED", "The refund request is invalid as it has exceeded the valid date", "F"}},
	{errRefundAmount, wireResult{"INVALID_REFUND_AMOUNT", "Refund amount is incorrect. Please modify and try again.", "F"}},
	{errBalance, wireResult{"REFUND_NOT_ENOUGH_BALANCE", "You do not have enough unsettled balance to complete the refund", "F"}},
}

// check reads the request into what the model wants, or says why not. The limit
// of the description is that of an order's; the vendor names none.
func (request alphaRefundRequest) check(hostCurrency string) (spec refundSpec, refusal *wireResult) {
	refuse := func(parameter, want string) (refundSpec, *wireResult) {
		return refundSpec{}, new(alphaInvalid(parameter, want))
	}
	if !requestIDForm.MatchString(request.PaymentID) {
		return refuse("paymentId", "want 1 to 64 visible ASCII characters")
	}
	if !requestIDForm.MatchString(request.RequestID) {
		return refuse("refundRequestId", "want 1 to 64 visible ASCII characters")
	}
	refund := request.Refund
	if refund == nil || refund.Amount == nil {
		return refuse("refund.refundAmount", "required")
	}
	amount, good := refund.Amount.minorUnits()
	if !good {
		return refuse("refund.refundAmount.value", wantAmount)
	}
	if currency := refund.Amount.Currency; currency != hostCurrency && currency != "CNY" {
		return refuse("refund.refundAmount.currency", "want "+hostCurrency+" or CNY")
	}
	if utf8.RuneCountInString(refund.Description) > 128 {
		return refuse("refund.description", "want at most 128 characters")
	}
	if refund.NotifyURL != "" && !isURL(refund.NotifyURL) {
		return refuse("refund.notifyUrl", wantURL)
	}
	return refundSpec{Order: byPayment(GatewayAlphaPay, request.PaymentID), RequestID: request.RequestID, Amount: amount,
		Currency: refund.Amount.Currency, Description: refund.Description, NotifyURL: refund.NotifyURL}, nil
}

// refund gives money back, whole or in part. Success says that the request was
// taken: whether the refund is done, the inquiry says. Idempotency is documented
// nowhere: a request that is sent again asks for another refund.
func (a *alphaPay) refund(call *wireCall) any {
	var request alphaRefundRequest
	if refusal := decode(call.body, &request); refusal != nil {
		return call.refuse(*refusal)
	}
	spec, refusal := request.check(a.config.Currency)
	if refusal != nil {
		return call.refuse(*refusal)
	}
	call.requestID = spec.RequestID
	order, refund, course, err := a.ledger.refund(a.config.Clock(), spec)
	if errors.Is(err, errRequestLost) {
		call.raw = &reply{lost: true}
		return nil
	}
	if err != nil {
		return call.refuse(refundRefusal(err))
	}
	switch course {
	case refundAnswerLost, refundsOnce:
		call.raw = &reply{lost: true}
		return nil
	case refundsReviewedUnnamed:
		return call.refuse(alphaReviewUnnamed)
	case refundsReviewed:
		call.result = alphaReview
	default:
		call.result = alphaSuccess
	}
	return alphaRefundAnswer{alphaRefundStateOf(order, refund), call.result}
}

func refundRefusal(err error) wireResult {
	for _, refusal := range alphaRefundRefusals {
		if errors.Is(err, refusal.err) {
			return refusal.result
		}
	}
	return alphaSystemError
}

func alphaRefundStateOf(order Order, refund Refund) alphaRefundState {
	return alphaRefundState{
		RefundID: refund.RefundID, PaymentID: order.PaymentID, RequestID: refund.RequestID,
		Refund: alphaRefund{Amount: alphaAmount{strconv.FormatInt(refund.Amount, 10), order.Currency}, Description: refund.Description,
			NotifyURL: refund.NotifyURL},
		RefundTime: vendorTime(refund.CreatedAt),
	}
}

type alphaRefundInquiry struct {
	RefundID  string `json:"refundId"`
	RequestID string `json:"refundRequestId"` // optional; must be the refund's if given (our reading)
}

// inquireRefund tells how a refund stands; the result is that of the call.
func (a *alphaPay) inquireRefund(call *wireCall) any {
	var request alphaRefundInquiry
	if refusal := decode(call.body, &request); refusal != nil {
		return call.refuse(*refusal)
	}
	if !requestIDForm.MatchString(request.RefundID) {
		return call.refuse(alphaInvalid("refundId", "want 1 to 64 visible ASCII characters"))
	}
	if request.RequestID != "" && !requestIDForm.MatchString(request.RequestID) {
		return call.refuse(alphaInvalid("refundRequestId", "want 1 to 64 visible ASCII characters"))
	}
	order, refund, err := a.ledger.findRefund(a.config.Clock(), GatewayAlphaPay, request.RefundID)
	if err != nil {
		return call.refuse(refundRefusal(err))
	}
	call.requestID = refund.RequestID
	if request.RequestID != "" && request.RequestID != refund.RequestID {
		return call.refuse(alphaMismatch)
	}
	call.result = alphaSuccess
	state := alphaRefundStateOf(order, refund)
	state.Status = alphaRefundStatuses[refund.Status]
	return alphaRefundAnswer{state, alphaSuccess}
}
