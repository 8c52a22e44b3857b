package sandbox

import (
	"mime"
	"net/http"
	"regexp"
	"strings"
	"time"

	"payscand/payment/signature"
)

// This file is the envelope of the Alipay+ acquirer API: headers, signatures,
// results. The calls are in the other alipayplus files. Source: the vendor's pages
// "pay (Merchant-presented Mode Payment - Order Code)" and "FAQ", its API
// reference, and its public SDKs.

// plusZone is that of the vendor's days and of its answers' times.
var plusZone = time.FixedZone("UTC+8", 8*60*60)

const plusPath = "/aps/api/v1/payments/"

var (
	plusSuccess        = wireResult{"SUCCESS", "success", "S"}
	plusInProcess      = wireResult{"PAYMENT_IN_PROCESS", "The payment is being processed.", "U"}
	plusUnknown        = wireResult{"UNKNOWN_EXCEPTION", "An API call failed, which is caused by unknown reasons.", "U"}
	plusTooMany        = wireResult{"REQUEST_TRAFFIC_EXCEED_LIMIT", "The request traffic exceeds the limit.", "U"}
	plusNoOrder        = wireResult{"ORDER_NOT_EXIST", "The order does not exist.", "F"}
	plusClosed         = wireResult{"ORDER_IS_CLOSED", "The order is closed.", "F"}
	plusInconsistent   = wireResult{"REPEAT_REQ_INCONSISTENT", "Repeated requests are inconsistent.", "F"}
	plusProcessFail    = wireResult{"PROCESS_FAIL", "A general business failure occurred. Do not retry.", "F"}
	plusBadClient      = wireResult{"INVALID_CLIENT", "The client is invalid.", "F"}
	plusBadMedia       = wireResult{"MEDIA_TYPE_NOT_ACCEPTABLE", "The server does not implement the media type that is acceptable to the client.", "F"}
	plusBadMethod      = wireResult{"METHOD_NOT_SUPPORTED", "The server does not implement the requested HTTPS method.", "F"}
	plusNoInterface    = wireResult{"NO_INTERFACE_DEF", "API is not defined.", "F"}
	plusNoKey          = wireResult{"KEY_NOT_FOUND", "The key is not found.", "F"}
	plusBadAmount      = wireResult{"PAYMENT_AMOUNT_INVALID", "Payment amount is invalid.", "F"}
	plusHighAmount     = wireResult{"PAYMENT_AMOUNT_EXCEED_LIMIT", "The payment amount exceeds the limit that is specified by Alipay+.", "F"}
	plusBadCurrency    = wireResult{"CURRENCY_NOT_SUPPORT", "The currency is not supported.", "F"}
	plusNoMerchant     = wireResult{"MERCHANT_NOT_REGISTERED", "The merchant is not registered.", "F"}
	plusBadScenario    = wireResult{"BUSINESS_NOT_SUPPORT", "The payment business is not supported.", "F"}
	plusWindow         = wireResult{"CANCEL_WINDOW_EXCEED", "The cancel window is exceeded.", "F"}
	plusRefundAmount   = wireResult{"REFUND_AMOUNT_EXCEED", "The total refund amount exceeds the payment amount.", "F"}
	plusRefundWindow   = wireResult{"REFUND_WINDOW_EXCEED", "The refund window is exceeded.", "F"}
	plusRefundUnpaid   = wireResult{"ORDER_STATUS_INVALID", "The order is not paid.", "F"}                       // not in the pages at hand
	plusRefundBalance  = wireResult{"MERCHANT_BALANCE_NOT_ENOUGH", "The merchant's balance is not enough.", "F"} // nor is this
	plusClockRefused   = plusBadSignature("Request-Time is more than 5 minutes off the server's clock")          // the pages name no code and no limit
	plusRefundRepeated = wireResult{"PROCESS_FAIL", "The refund failed. Do not retry.", "F"}
)

func plusBadSignature(why string) wireResult {
	return wireResult{"INVALID_SIGNATURE", "The signature is invalid: " + why, "F"}
}

// plusIllegal names the parameter, and never repeats its value.
func plusIllegal(parameter, want string) wireResult {
	return wireResult{"PARAM_ILLEGAL", "Illegal parameters. " + parameter + ": " + want, "F"}
}

// plusFailures are the results of failed payments. FailureBalanceUndocumented
// stands for what is in no list.
var plusFailures = map[Failure]wireResult{
	FailureBalance:             {"USER_BALANCE_NOT_ENOUGH", "The user balance is not enough for the payment.", "F"},
	FailureBalanceUndocumented: {"WALLET_BALANCE_INSUFFICIENT", "balance insufficient", "F"},
	FailureInvalidCode:         {"INVALID_CODE", "The code is invalid.", "F"},
	FailureExpiredCode:         {"EXPIRED_CODE", "The code is expired.", "F"},
	FailureDeclined:            {"USER_PAYMENT_VERIFICATION_FAILED", "User fails to pass the payment verification in the methods like OTP, PIN, and so on.", "F"},
}

// alipayPlus speaks the Alipay+ acquirer API over the server's model of the truth.
type alipayPlus struct {
	*Server
	requests signature.Verifier
	answers  signature.Signer
}

func newAlipayPlus(s *Server) *alipayPlus {
	return &alipayPlus{
		Server:   s,
		requests: signature.Verifier{Algorithm: signature.RSA256, Keys: map[int]signature.PublicKey{1: s.config.ClientKey}},
		answers:  signature.Signer{Algorithm: signature.RSA256, KeyVersion: 1, Key: s.config.AlipayPlusKey},
	}
}

func (a *alipayPlus) register(mux *http.ServeMux) {
	calls := map[string]func(*wireCall) any{
		plusPath + "pay":            a.pay,
		plusPath + "inquiryPayment": a.inquire,
		plusPath + "cancelPayment":  a.cancel,
		plusPath + "refund":         a.refund,
		"/aps/":                     func(call *wireCall) any { return call.refuse(plusNoInterface) },
	}
	for path, call := range calls {
		mux.HandleFunc(path, a.serve(a, call))
	}
}

func (a *alipayPlus) gateway() Gateway { return GatewayAlipayPlus }

func (a *alipayPlus) illegal(parameter, want string) wireResult { return plusIllegal(parameter, want) }

// plusTimeForm is ISO 8601 with an offset. The vendor's examples go to the second,
// those of its SDKs sometimes further.
var plusTimeForm = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$`)

// parsePlusTime returns the zero time for a text that is no time.
func parsePlusTime(text string) time.Time {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || !plusTimeForm.MatchString(text) {
		return time.Time{}
	}
	return at
}

// checkEnvelope returns why a call is refused before its content is looked at, or
// nil.
func (a *alipayPlus) checkEnvelope(r *http.Request, body []byte) *wireResult {
	if r.Method != http.MethodPost {
		return new(plusBadMethod)
	}
	client, sent := onlyHeader(r, "Client-Id"), onlyHeader(r, "Request-Time")
	if client != a.config.ClientID {
		return new(plusBadClient)
	}
	media, params, err := mime.ParseMediaType(onlyHeader(r, "Content-Type"))
	if err != nil || media != "application/json" || params["charset"] != "" && !strings.EqualFold(params["charset"], "utf-8") {
		return new(plusBadMedia)
	}
	if r.URL.RawQuery != "" {
		return new(plusIllegal("URL", "want no query"))
	}
	at := parsePlusTime(sent)
	if at.IsZero() {
		return new(plusIllegal("Request-Time", "want ISO 8601 with offset"))
	}
	header := onlyHeader(r, "Signature")
	content := signature.AlipayPlusContent(r.Method, r.URL.Path, client, sent, body)
	if err := a.requests.Verify(content, header); err != nil {
		if parsed, unread := signature.ParseHeader(header); unread == nil && parsed.KeyVersion != 1 {
			return new(plusNoKey)
		}
		return new(plusBadSignature(err.Error()))
	}
	if a.config.Clock().Sub(at).Abs() > maxClockSkew {
		return new(plusClockRefused)
	}
	return nil
}

// decodePlus reads a request strictly; its refusal names the place, never the value.
func decodePlus(body []byte, into any) *wireResult {
	if where, what := onlyStrings(body); what != "" {
		return new(plusIllegal(where, what))
	}
	if where, what := decodeStrictly(body, into); what != "" {
		return new(plusIllegal(where, what))
	}
	return nil
}

func (a *alipayPlus) seal(r *http.Request, body []byte) (http.Header, string, error) {
	client, at := r.Header.Get("Client-Id"), plusTime(a.config.Clock())
	signed, err := a.answers.Sign(signature.AlipayPlusContent(r.Method, r.URL.Path, client, at, body))
	// With the spaces that the vendor's own answers have.
	return http.Header{"Client-Id": {client}, "Response-Time": {at}}, strings.ReplaceAll(signed, ",", ", "), err
}

func plusTime(at time.Time) string { return at.In(plusZone).Format(time.RFC3339) }
