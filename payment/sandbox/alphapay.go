package sandbox

import (
	"fmt"
	"mime"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"payscand/payment/signature"
)

// This file is the envelope of the AlphaPay Unified Payment API v2: headers,
// signatures, results. The calls are in the other alphapay files. Source: the
// vendor's pages "Unified Payment API" and "Keys and Parameters", and its public SDK.

const nonceLength = 32

// vendorZone is that of the vendor's days and, here, of its answers' times.
var vendorZone = time.FixedZone("UTC-8", -8*60*60)

var (
	alphaSuccess         = wireResult{"SUCCESS", "success", "S"}
	alphaInProcess       = wireResult{"PAYMENT_IN_PROCESS", "Payment is processing", "U"}
	alphaMismatch        = wireResult{"ORDER_MISMATCH", "Order ID does not match the merchant", "F"}
	alphaPaid            = wireResult{"ORDER_PAID", "Order has been paid", "F"}
	alphaSystemError     = wireResult{"SYSTEMERROR", "The system encounters an internal exception", "U"}
	alphaUnknownMerchant = wireResult{"INVALID_MERCHANT_CODE", "Invalid merchant code or no corresponding merchant found", "F"}
	alphaSignTimeout     = wireResult{"SIGN_TIMEOUT", "Signature timeout, the 'time' field differs from the server time by more than 5 minutes", "F"}
	alphaClosed          = wireResult{"ORDER_CLOSED", "Order has been closed", "F"} // documented nowhere: unlisted codes occur
)

func alphaInvalidSign(why string) wireResult {
	return wireResult{"INVALID_SIGN", "Invalid signature: " + why, "F"}
}

// alphaInvalid names the parameter, and never repeats its value.
func alphaInvalid(parameter, want string) wireResult {
	return wireResult{"PARAM_INVALID", parameter + ": " + want, "F"}
}

// alphaFailures are the results of failed payments. The vendor documents no code
// for a wallet's refusal, so all but INVALID_PAYMENT_CODE are outside its list.
var alphaFailures = map[Failure]struct {
	result wireResult
	withID bool // whether the answer names the payment id
}{
	FailureBalance:             {wireResult{"INSUFFICIENT_BALANCE", "The balance is insufficient", "F"}, true},
	FailureBalanceUndocumented: {wireResult{"USER_BALANCE_NOT_ENOUGH", "buyer balance not enough", "F"}, false},
	FailureInvalidCode:         {wireResult{"INVALID_PAYMENT_CODE", "Payment code is invalid", "F"}, false},
	FailureExpiredCode:         {wireResult{"INVALID_PAYMENT_CODE", "Payment code has expired", "F"}, false},
	FailureDeclined:            {wireResult{"PAYMENT_DECLINED", "The payment was declined", "F"}, true},
}

// alphaPay speaks AlphaPay's protocol over the server's model of the truth.
type alphaPay struct {
	*Server
	requests signature.Verifier
	answers  signature.Signer
	nonces   nonceCache

	began time.Time // another start on the same seed makes other nonces

	mu      sync.Mutex
	counter int // of answers, for their nonces
}

func newAlphaPay(s *Server) *alphaPay {
	return &alphaPay{
		Server:   s,
		requests: signature.Verifier{Algorithm: signature.RS256, Keys: map[int]signature.PublicKey{1: s.config.MerchantKey}},
		answers:  signature.Signer{Algorithm: signature.RS256, KeyVersion: 1, Key: s.config.PlatformKey},
		began:    s.config.Clock(),
		nonces:   nonceCache{limit: s.config.MaxNonces, seen: map[string]bool{}},
	}
}

func (a *alphaPay) register(mux *http.ServeMux) {
	for path, call := range map[string]func(*wireCall) any{
		"/api/v2.0/payments/pay":            a.pay,
		"/api/v2.0/payments/inquiryPayment": a.inquire,
		"/api/v2.0/payments/cancel":         a.cancel,
		"/api/v2.0/payments/refund":         a.refund,
		"/api/v2.0/payments/inquiryRefund":  a.inquireRefund,
		"/api/v2.0/payments/transactions":   a.transactions,
		"/api/v2.0/payments/settlements":    a.settlements,
	} {
		mux.HandleFunc("POST "+path, a.serve(a, call))
	}
}

func (a *alphaPay) gateway() Gateway { return GatewayAlphaPay }

func (a *alphaPay) illegal(parameter, want string) wireResult { return alphaInvalid(parameter, want) }

var (
	requestTimeForm = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$`)
	nonceForm       = regexp.MustCompile(`^[!-~]{32}$`)
)

// checkEnvelope returns why a call is refused before its content is looked at,
// or nil. Only a well signed call can use up a nonce.
func (a *alphaPay) checkEnvelope(r *http.Request, body []byte) *wireResult {
	merchant, sent, nonce := onlyHeader(r, "Merchant-Code"), onlyHeader(r, "Request-Time"), onlyHeader(r, "Nonce")
	if merchant != a.config.MerchantCode {
		return new(alphaUnknownMerchant)
	}
	media, params, err := mime.ParseMediaType(onlyHeader(r, "Content-Type"))
	if err != nil || media != "application/json" || !strings.EqualFold(params["charset"], "utf-8") {
		return new(alphaInvalid("Content-Type", "want application/json; charset=UTF-8"))
	}
	if r.URL.RawQuery != "" {
		return new(alphaInvalid("URL", "want no query"))
	}
	requestTime, err := time.Parse(time.RFC3339, sent)
	if err != nil || !requestTimeForm.MatchString(sent) {
		return new(alphaInvalid("Request-Time", "want ISO 8601 to the second with offset"))
	}
	if !nonceForm.MatchString(nonce) {
		return new(alphaInvalid("Nonce", "want 32 visible ASCII characters"))
	}
	content := signature.AlphaPayContent(r.Method, r.URL.Path, merchant, sent, nonce, body)
	if err := a.requests.Verify(content, onlyHeader(r, "Signature")); err != nil {
		return new(alphaInvalidSign(err.Error()))
	}
	now := a.config.Clock()
	if now.Sub(requestTime).Abs() > maxClockSkew {
		return new(alphaSignTimeout)
	}
	if !a.nonces.use(nonce, now) {
		return new(alphaInvalidSign("the nonce was used before"))
	}
	return nil
}

// decode reads a request strictly; its refusal names the place, never the value.
func decode(body []byte, into any) *wireResult {
	if where, what := decodeStrictly(body, into); what != "" {
		return new(alphaInvalid(where, what))
	}
	return nil
}

func (a *alphaPay) seal(r *http.Request, body []byte) (http.Header, string, error) {
	at, nonce := vendorTime(a.config.Clock()), a.nextNonce()
	signed, err := a.answers.Sign(signature.AlphaPayContent(r.Method, r.URL.Path, r.Header.Get("Merchant-Code"), at, nonce, body))
	return http.Header{"Response-Time": {at}, "Nonce": {nonce}}, signed, err
}

func (a *alphaPay) nextNonce() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.counter++
	return a.ledger.derive("nonce", fmt.Sprint(a.began.UnixNano(), a.counter))[:nonceLength]
}

func vendorTime(at time.Time) string { return at.In(vendorZone).Format(time.RFC3339) }

// nonceCache remembers nonces for as long as their requests' times would pass,
// and at most limit of them.
type nonceCache struct {
	limit int

	mu    sync.Mutex
	seen  map[string]bool
	queue []usedNonce // oldest first
}

type usedNonce struct {
	nonce string
	at    time.Time
}

// use says whether the nonce is new, and remembers it.
func (c *nonceCache) use(nonce string, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.queue) > 0 && (len(c.queue) >= c.limit || now.Sub(c.queue[0].at) > 2*maxClockSkew) {
		delete(c.seen, c.queue[0].nonce)
		c.queue = c.queue[1:]
	}
	if c.seen[nonce] {
		return false
	}
	c.seen[nonce] = true
	c.queue = append(c.queue, usedNonce{nonce, now})
	return true
}
