package alipayplus

import (
	"strings"

	"payscand/payment"
)

// meaning is what a result code says about a call.
type meaning struct {
	class  payment.Class
	reason payment.Reason
}

var (
	badSignature    = meaning{payment.ClassRefused, payment.ReasonBadSignature}
	unknownMerchant = meaning{payment.ClassRefused, payment.ReasonUnknownMerchant}
	notPermitted    = meaning{payment.ClassRefused, payment.ReasonNotPermitted}
	requestRefused  = meaning{payment.ClassRefused, payment.ReasonRequestRefused}

	declined          = meaning{payment.ClassFailed, payment.ReasonDeclined}
	insufficient      = meaning{payment.ClassFailed, payment.ReasonInsufficientFunds}
	amountLimit       = meaning{payment.ClassFailed, payment.ReasonAmountLimit}
	countLimit        = meaning{payment.ClassFailed, payment.ReasonCountLimit}
	methodUnavailable = meaning{payment.ClassFailed, payment.ReasonMethodUnavailable}
	walletAccount     = meaning{payment.ClassFailed, payment.ReasonWalletAccount}
	notVerified       = meaning{payment.ClassFailed, payment.ReasonNotVerified}
	invalidCode       = meaning{payment.ClassFailed, payment.ReasonInvalidCode}
	expiredCode       = meaning{payment.ClassFailed, payment.ReasonExpiredCode}
	closed            = meaning{payment.ClassClosed, payment.ReasonNotPaidInTime}

	refundFailed  = meaning{payment.ClassFailed, payment.ReasonRefundFailed}
	refundTooLate = meaning{payment.ClassFailed, payment.ReasonRefundTooLate}
	refundAmount  = meaning{payment.ClassFailed, payment.ReasonRefundAmount}
	noBalance     = meaning{payment.ClassFailed, payment.ReasonNotEnoughBalance}
	noSuchPayment = meaning{payment.ClassFailed, payment.ReasonNotFound}
	givenBack     = meaning{payment.ClassFailed, payment.ReasonAlreadyRefunded} // a closed order keeps no money

	pending       = meaning{payment.ClassPending, ""}
	notFound      = meaning{payment.ClassNotFound, payment.ReasonNotFound}
	cancelTooLate = meaning{payment.ClassCancelTooLate, ""}
	gatewayError  = meaning{payment.ClassRetryLater, payment.ReasonGatewayError}
	rateLimited   = meaning{payment.ClassRetryLater, payment.ReasonRateLimited}
	inconsistent  = meaning{payment.ClassRetryLater, payment.ReasonAnswerMismatch}
	proven        = meaning{payment.ClassNotFound, ""} // a probe has done its work
)

// row is what one result code means in the answer to each call.
type row struct{ pay, inquire, cancel, refund, probe meaning }

// refused is a code that refuses the call itself, whichever it is.
func refused(m meaning) row { return row{m, m, m, m, m} }

// failed is a code that says why a payment failed. To an inquiry or a cancel, as
// the call's own result, it decides nothing.
func failed(m meaning) row { return row{m, gatewayError, gatewayError, refundFailed, proven} }

// later is a code after which the truth is asked for again.
func later(m meaning) row { return row{m, m, m, m, proven} }

// meanings says, for each documented result code, what it means in the answer to
// each call; for an inquiry that is the call's own result. The pay column is also
// what paymentResult means. It holds for resultStatus F, and for U and S as
// interpret says.
//
//   - The first group is the order code page's list. The second is what the pages
//     of the other calls add (user-presented pay, inquiryPayment, cancelPayment, refund).
//   - REPEAT_REQ_INCONSISTENT says that the request id is known with other values.
//     Ours never change, so which payment it is must be asked: it decides nothing.
//   - PARAM_ILLEGAL covers header parameters too, the time among them, so a probe,
//     whose body cannot be wrong, takes it as a refusal.
var meanings = map[string]row{
	codeSuccess:                        later(gatewayError), // goes with S; contradicts an F
	"ACCESS_DENIED":                    refused(notPermitted),
	"BUSINESS_NOT_SUPPORT":             refused(notPermitted),
	"CURRENCY_NOT_SUPPORT":             refused(notPermitted),
	"INVALID_CLIENT":                   refused(unknownMerchant),
	"INVALID_CONTRACT":                 refused(notPermitted),
	"INVALID_SIGNATURE":                refused(badSignature),
	"KEY_NOT_FOUND":                    refused(badSignature),
	"MEDIA_TYPE_NOT_ACCEPTABLE":        refused(requestRefused),
	"MERCHANT_NOT_REGISTERED":          refused(unknownMerchant),
	"METHOD_NOT_SUPPORTED":             refused(requestRefused),
	"NO_INTERFACE_DEF":                 refused(requestRefused),
	codeClosed:                         {closed, gatewayError, closed, givenBack, proven},
	"PARAM_ILLEGAL":                    refused(requestRefused),
	"PAYMENT_AMOUNT_EXCEED_LIMIT":      failed(amountLimit),
	"PAYMENT_AMOUNT_INVALID":           {requestRefused, gatewayError, gatewayError, refundFailed, proven},
	"PAYMENT_COUNT_EXCEED_LIMIT":       failed(countLimit),
	"PROCESS_FAIL":                     failed(declined),
	"REPEAT_REQ_INCONSISTENT":          later(inconsistent),
	"RISK_REJECT":                      failed(declined),
	"UNAVAILABLE_PAYMENT_METHOD":       failed(methodUnavailable),
	"USER_AMOUNT_EXCEED_LIMIT":         failed(amountLimit),
	"USER_BALANCE_NOT_ENOUGH":          failed(insufficient),
	"USER_KYC_NOT_QUALIFIED":           failed(walletAccount),
	"USER_NOT_EXIST":                   failed(walletAccount),
	"USER_PAYMENT_VERIFICATION_FAILED": failed(notVerified),
	"USER_STATUS_ABNORMAL":             failed(walletAccount),
	codeInProcess:                      {pending, pending, gatewayError, gatewayError, proven},
	"REQUEST_TRAFFIC_EXCEED_LIMIT":     later(rateLimited),
	"UNKNOWN_EXCEPTION":                later(gatewayError),

	"INVALID_CODE":           failed(invalidCode),
	"EXPIRED_CODE":           failed(expiredCode),
	"REGULATION_RESTRICTION": failed(methodUnavailable),
	codeNotExist:             {gatewayError, notFound, notFound, noSuchPayment, proven},
	"CANCEL_WINDOW_EXCEED":   {gatewayError, gatewayError, cancelTooLate, gatewayError, proven},
	"REFUND_AMOUNT_EXCEED":   {gatewayError, gatewayError, gatewayError, refundAmount, proven},
	"REFUND_WINDOW_EXCEED":   {gatewayError, gatewayError, gatewayError, refundTooLate, proven},
}

const (
	codeSuccess   = "SUCCESS"
	codeInProcess = "PAYMENT_IN_PROCESS"
	codeClosed    = "ORDER_IS_CLOSED"
	codeNotExist  = "ORDER_NOT_EXIST"
)

// meaningOf returns the code's meaning in the answer to a call; listed is false
// for a code that the vendor's pages do not have.
func meaningOf(kind payment.CallKind, code string) (m meaning, listed bool) {
	row, listed := meanings[code]
	switch {
	case listed && kind == payment.CallPay:
		return row.pay, true
	case listed && kind == payment.CallInquire:
		return row.inquire, true
	case listed && kind == payment.CallCancel:
		return row.cancel, true
	case listed && kind == payment.CallRefund:
		return row.refund, true
	case listed:
		return row.probe, true
	case kind == payment.CallPay:
		return declined, false
	case kind == payment.CallRefund && isBalance(code):
		return noBalance, false
	case kind == payment.CallRefund:
		return refundFailed, false
	case kind == payment.CallProbe:
		return proven, false
	}
	return gatewayError, false
}

// isBalance guesses from its name that a code speaks of the merchant's balance,
// which no page lists: the refund may be made again later.
func isBalance(code string) bool {
	name := strings.ToUpper(code)
	return strings.Contains(name, "BALANCE") && !strings.Contains(name, "USER") &&
		(strings.Contains(name, "NOT_ENOUGH") || strings.Contains(name, "INSUFFICIENT"))
}

// reading is how far result status and code together carry.
type reading int

const (
	contradiction reading = iota // status and code cannot both be right, or there is no status
	succeeded                    // the call succeeded: the rest of the answer counts
	told                         // the code says it all
)

// interpret reads resultStatus (S: success, F: failure, U: unknown) and resultCode
// together. With U nothing is certain but that an order waits; with S a code that
// speaks against success makes the answer worthless.
func interpret(kind payment.CallKind, status, code string) (how reading, m meaning, listed bool) {
	m, listed = meaningOf(kind, code)
	switch {
	case kind == payment.CallProbe && status == "U" && m.class != payment.ClassRefused:
		return told, proven, listed
	case status == "F" && m.class == payment.ClassPending: // in process goes with U
		return told, gatewayError, listed
	case status == "F":
		return told, m, listed
	case status == "U" && m.class != payment.ClassPending && m.class != payment.ClassRetryLater && kind != payment.CallProbe:
		return told, gatewayError, listed
	case status == "U":
		return told, m, listed
	case status == "S" && kind == payment.CallProbe && m.class != payment.ClassRefused:
		return told, proven, listed
	case status == "S" && m.class == payment.ClassPending && kind == payment.CallPay:
		return told, m, listed
	case status == "S" && m.class == payment.ClassPending:
		return succeeded, meaning{}, listed // the paymentResult tells
	case status == "S" && (code == codeSuccess || !listed):
		return succeeded, meaning{}, listed
	}
	return contradiction, meaning{}, listed
}

// interpretPayment reads the paymentResult of an inquiry or a notification. A
// failure of the payment is final whatever its code is (vendor FAQ: the
// notification comes when the payment has reached a final status), save for those
// that say that nothing is decided.
func interpretPayment(status, code string) (m meaning, listed, ok bool) {
	m, listed = meaningOf(payment.CallPay, code)
	switch status {
	case "S":
		return meaning{payment.ClassPaid, ""}, listed, code == codeSuccess || !listed
	case "U":
		return pending, listed, true
	case "F":
		switch {
		case code == codeSuccess:
			return meaning{}, listed, false
		case code == codeNotExist:
			return notFound, listed, true
		case m.class == payment.ClassFailed || m.class == payment.ClassClosed:
			return m, listed, true
		case m.class == payment.ClassRefused:
			return meaning{payment.ClassFailed, m.reason}, listed, true
		}
		return gatewayError, listed, true
	}
	return meaning{}, listed, false
}
