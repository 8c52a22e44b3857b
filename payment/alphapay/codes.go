package alphapay

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
	clockWrong      = meaning{payment.ClassRefused, payment.ReasonClockWrong}
	requestRefused  = meaning{payment.ClassRefused, payment.ReasonRequestRefused}
	invalidCode     = meaning{payment.ClassFailed, payment.ReasonInvalidCode}
	pending         = meaning{payment.ClassPending, ""}
	alreadyPaid     = meaning{payment.ClassAlreadyPaid, ""}
	notFound        = meaning{payment.ClassNotFound, payment.ReasonNotFound}
	gatewayError    = meaning{payment.ClassRetryLater, payment.ReasonGatewayError}

	inReview        = meaning{payment.ClassPending, payment.ReasonRefundInReview}
	refundInProcess = meaning{payment.ClassFailed, payment.ReasonRefundInProcess}
	refundTooLate   = meaning{payment.ClassFailed, payment.ReasonRefundTooLate}
	refundAmount    = meaning{payment.ClassFailed, payment.ReasonRefundAmount}
	noBalance       = meaning{payment.ClassFailed, payment.ReasonNotEnoughBalance}
	noSuchPayment   = meaning{payment.ClassFailed, payment.ReasonNotFound}
	alreadyRefunded = meaning{payment.ClassAlreadyRefunded, payment.ReasonAlreadyRefunded}
	refundFailed    = meaning{payment.ClassFailed, payment.ReasonRefundFailed}
	proven          = meaning{payment.ClassNotFound, ""} // a probe has done its work
)

// meanings says, for each documented result code, what it means in the answer to
// each call. It holds for resultStatus F, and for U and S as interpret says.
//
//   - A code of another call's (a refund's, to a pay) says nothing of the payment:
//     come back. Two of them tell that the order was paid.
//   - A probe asks for an id that does not exist, so PARAM_INVALID may well be the
//     right answer to it: it has passed signature, merchant and clock.
//   - ORDER_MISMATCH to a pay: the request id is another merchant's; no order was made.
//   - REFUND_NEED_REVIEW says that the refund was submitted. Which status goes with
//     it is not documented, so it means the same with each.
//   - A code of a refund's refusal in the answer to an inquiry about one decides
//     nothing: only a refundStatus says that a refund failed.
var meanings = map[string]struct{ pay, inquire, cancel, refund, inquireRefund, lookup, probe meaning }{
	codeSuccess:                 {gatewayError, gatewayError, gatewayError, gatewayError, gatewayError, gatewayError, proven}, // contradicts an F
	codeInProcess:               {pending, pending, pending, gatewayError, gatewayError, gatewayError, proven},
	"ORDER_MISMATCH":            {requestRefused, notFound, notFound, noSuchPayment, notFound, gatewayError, proven},
	"ORDER_PAID":                {alreadyPaid, alreadyPaid, alreadyPaid, gatewayError, gatewayError, gatewayError, proven},
	codeSystemError:             {gatewayError, gatewayError, gatewayError, gatewayError, gatewayError, gatewayError, proven},
	"INVALID_MERCHANT_CODE":     {unknownMerchant, unknownMerchant, unknownMerchant, unknownMerchant, unknownMerchant, unknownMerchant, unknownMerchant},
	"SIGN_TIMEOUT":              {clockWrong, clockWrong, clockWrong, clockWrong, clockWrong, clockWrong, clockWrong},
	"INVALID_SIGN":              {badSignature, badSignature, badSignature, badSignature, badSignature, badSignature, badSignature},
	"PARAM_INVALID":             {requestRefused, requestRefused, requestRefused, requestRefused, requestRefused, requestRefused, proven},
	"INVALID_METHOD_TYPE":       {requestRefused, requestRefused, requestRefused, requestRefused, requestRefused, requestRefused, proven},
	"EXIST_PROCESSING_REFUND":   {alreadyPaid, gatewayError, alreadyPaid, refundInProcess, gatewayError, gatewayError, proven},
	"REFUND_VALID_DATE_EXCEED":  {gatewayError, gatewayError, gatewayError, refundTooLate, gatewayError, gatewayError, proven},
	"REFUND_NEED_REVIEW":        {gatewayError, gatewayError, gatewayError, inReview, inReview, gatewayError, proven},
	"INVALID_REFUND_AMOUNT":     {gatewayError, gatewayError, gatewayError, refundAmount, gatewayError, gatewayError, proven},
	"REFUND_NOT_ENOUGH_BALANCE": {gatewayError, gatewayError, gatewayError, noBalance, gatewayError, gatewayError, proven},
	"FULL_REFUND_COMPLETED":     {alreadyPaid, gatewayError, alreadyPaid, alreadyRefunded, gatewayError, gatewayError, proven},
	"INVALID_PAYMENT_CODE":      {invalidCode, gatewayError, gatewayError, gatewayError, gatewayError, gatewayError, proven},
}

const (
	codeSuccess     = "SUCCESS" // goes with S; in the SDK's tests, not in the vendor's list
	codeInProcess   = "PAYMENT_IN_PROCESS"
	codeSystemError = "SYSTEMERROR"
)

// meaningOf returns the code's meaning in the answer to a call; listed is false
// for a code that the vendor's pages do not have.
func meaningOf(kind payment.CallKind, code string) (m meaning, listed bool) {
	row, listed := meanings[code]
	switch {
	case !listed && kind == payment.CallProbe:
		return proven, false
	case !listed && kind == payment.CallPay:
		return meaning{payment.ClassFailed, reasonOfName(code)}, false
	case !listed && kind == payment.CallRefund:
		return refundFailed, false
	case !listed:
		return gatewayError, false // only its own state says that a payment or a refund failed
	case kind == payment.CallPay:
		return row.pay, true
	case kind == payment.CallInquire:
		return row.inquire, true
	case kind == payment.CallCancel:
		return row.cancel, true
	case kind == payment.CallRefund:
		return row.refund, true
	case kind == payment.CallInquireRefund:
		return row.inquireRefund, true
	case kind == payment.CallLookup || kind == payment.CallLookupRefund:
		return row.lookup, true
	}
	return row.probe, true
}

// reading is how far result status and code together carry.
type reading int

const (
	contradiction reading = iota // status and code cannot both be right, or there is no status
	succeeded                    // the call succeeded: the rest of the answer counts
	told                         // the code says it all
)

// interpret reads resultStatus (S: the call succeeded, F: it failed, U: unknown or
// in between) and resultCode together. SYSTEMERROR is unknown whatever the status,
// and so is every code with U except those that say pending.
func interpret(kind payment.CallKind, status, code string) (how reading, m meaning, listed bool) {
	m, listed = meaningOf(kind, code)
	switch status {
	case "F":
		return told, m, listed
	case "U":
		if m.class != payment.ClassPending && kind != payment.CallProbe {
			m = gatewayError
		}
		return told, m, listed
	case "S":
		switch {
		case kind == payment.CallProbe && m.class != payment.ClassRefused:
			return told, proven, listed
		case code == codeSuccess || code == codeInProcess || !listed:
			return succeeded, meaning{}, listed
		case code == codeSystemError:
			return told, gatewayError, true
		case m.class == payment.ClassAlreadyPaid && kind == payment.CallInquire:
			return succeeded, meaning{}, true // the paymentStatus tells
		case m == inReview && kind == payment.CallInquireRefund:
			return succeeded, m, true // the refundStatus tells
		case m == inReview:
			return told, m, true
		case m.class == payment.ClassAlreadyPaid:
			return told, m, true
		}
	}
	return contradiction, meaning{}, listed
}

// reasonOfName guesses, for the customer's sake only, why a wallet refused: no
// code for that is documented. The class does not hang on it.
func reasonOfName(code string) payment.Reason {
	name := strings.ToUpper(code)
	has := func(parts ...string) bool {
		for _, part := range parts {
			if strings.Contains(name, part) {
				return true
			}
		}
		return false
	}
	switch {
	case has("MERCHANT", "REFUND"): // the shop's balance, not the customer's
		return payment.ReasonDeclined
	case has("INSUFFICIENT", "NOT_ENOUGH", "NOTENOUGH", "NO_ENOUGH") && (has("BALANCE", "FUND", "MONEY") || name == "NOTENOUGH"):
		return payment.ReasonInsufficientFunds
	case has("CODE") && has("EXPIRE"):
		return payment.ReasonExpiredCode
	}
	return payment.ReasonDeclined
}
