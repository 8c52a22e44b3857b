package payment

// Reason is why an attempt ended, or what keeps it from a verdict. It is a
// closed set: the words for it, in every language, are in package display.
type Reason string

const (
	// Verdicts about the payment.
	ReasonInsufficientFunds Reason = "insufficient_funds"
	ReasonDeclined          Reason = "declined"           // by wallet, limit, risk or customer
	ReasonAmountLimit       Reason = "amount_limit"       // of the wallet or the gateway, below this amount
	ReasonCountLimit        Reason = "count_limit"        // the wallet allows no more payments now
	ReasonMethodUnavailable Reason = "method_unavailable" // this wallet cannot pay here
	ReasonWalletAccount     Reason = "wallet_account"     // the customer must put something right with the wallet
	ReasonNotVerified       Reason = "not_verified"       // PIN, password or the like
	ReasonInvalidCode       Reason = "invalid_code"
	ReasonExpiredCode       Reason = "expired_code"
	ReasonNotPaidInTime     Reason = "not_paid_in_time" // the order closed before the customer paid
	ReasonCancelled         Reason = "cancelled"        // closed because we cancelled it
	ReasonQRNotShown        Reason = "qr_not_shown"     // abandoned before anybody saw it (M8)

	ReasonAbsent     Reason = "absent"     // the gateway never had the order
	ReasonOverridden Reason = "overridden" // a person decided

	// ReasonScanDamaged: what was scanned did not arrive whole. It ends no attempt.
	ReasonScanDamaged Reason = "scan_damaged"

	// Verdicts about a refund.
	ReasonNotEnoughBalance Reason = "not_enough_balance" // the merchant's, at the gateway
	ReasonAlreadyRefunded  Reason = "already_refunded"
	ReasonRefundTooLate    Reason = "refund_too_late"
	ReasonRefundInProcess  Reason = "refund_in_process" // another one of the same payment
	ReasonRefundInReview   Reason = "refund_in_review"
	ReasonRefundAmount     Reason = "refund_amount"
	ReasonRefundFailed     Reason = "refund_failed"
	ReasonRefundUnproved   Reason = "refund_unproved" // no trace of it was found for as long as anybody asks

	// The call was refused: the shop's IT must mend something.
	ReasonBadSignature    Reason = "bad_signature"
	ReasonUnknownMerchant Reason = "unknown_merchant"
	ReasonClockWrong      Reason = "clock_wrong"
	ReasonRequestRefused  Reason = "request_refused" // parameter or method type
	ReasonNotPermitted    Reason = "not_permitted"   // the merchant's contract does not allow it

	// No verdict.
	ReasonGatewayUnreachable Reason = "gateway_unreachable" // not sent (M6)
	ReasonNoAnswer           Reason = "no_answer"
	ReasonAnswerUnverified   Reason = "answer_unverified" // signature missing or wrong
	ReasonAnswerMalformed    Reason = "answer_malformed"
	ReasonAnswerMismatch     Reason = "answer_mismatch" // another request id, amount or currency
	ReasonGatewayError       Reason = "gateway_error"
	ReasonRateLimited        Reason = "rate_limited"
	ReasonNotFound           Reason = "not_found"
)

// Reasons lists every reason.
func Reasons() []Reason {
	return []Reason{
		ReasonInsufficientFunds, ReasonDeclined, ReasonAmountLimit, ReasonCountLimit, ReasonMethodUnavailable,
		ReasonWalletAccount, ReasonNotVerified, ReasonInvalidCode, ReasonExpiredCode,
		ReasonNotPaidInTime, ReasonCancelled, ReasonQRNotShown, ReasonAbsent, ReasonOverridden,
		ReasonScanDamaged,
		ReasonNotEnoughBalance, ReasonAlreadyRefunded, ReasonRefundTooLate, ReasonRefundInProcess,
		ReasonRefundInReview, ReasonRefundAmount, ReasonRefundFailed, ReasonRefundUnproved,
		ReasonBadSignature, ReasonUnknownMerchant, ReasonClockWrong, ReasonRequestRefused, ReasonNotPermitted,
		ReasonGatewayUnreachable, ReasonNoAnswer, ReasonAnswerUnverified, ReasonAnswerMalformed,
		ReasonAnswerMismatch, ReasonGatewayError, ReasonRateLimited, ReasonNotFound,
	}
}
