package sandbox

import (
	"encoding/base64"
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/skip2/go-qrcode"
)

type alphaAmount struct {
	Value    string `json:"value"` // minor units
	Currency string `json:"currency"`
}

// minorUnits reads the value, and says whether it is 1 to 7 digits and more than
// 0.
func (a alphaAmount) minorUnits() (amount int64, good bool) {
	amount, err := strconv.ParseInt(a.Value, 10, 64)
	return amount, err == nil && amountForm.MatchString(a.Value) && amount > 0
}

const wantAmount = "want 1 to 7 digits, more than 0"

type alphaOrder struct {
	OrderAmount alphaAmount  `json:"orderAmount"`
	PayAmount   *alphaAmount `json:"payAmount,omitempty"` // answers only: a paid OFFLINE order
	Description string       `json:"description"`
	NotifyURL   string       `json:"notifyUrl,omitempty"`
	RedirectURL string       `json:"redirectUrl,omitempty"`
}

type alphaMethod struct {
	Type string `json:"paymentMethodType,omitempty"`
	Code string `json:"paymentCode,omitempty"`
}

type alphaPayRequest struct {
	ScenarioCode string `json:"scenarioCode"`
	RequestID    string `json:"paymentRequestId"`
	Order        *struct {
		OrderAmount *alphaAmount `json:"orderAmount"`
		Description string       `json:"description"`
		NotifyURL   string       `json:"notifyUrl"`
		RedirectURL string       `json:"redirectUrl"`
	} `json:"order"`
	Method *alphaMethod `json:"paymentMethod"`
}

type alphaPaymentInfo struct {
	PaymentURL     string `json:"paymentUrl"`
	PaymentQRImage string `json:"paymentQRImage"` // data URI, usable as an img's src
	PayURL         string `json:"payUrl"`
}

type alphaPayAnswer struct {
	ScenarioCode string            `json:"scenarioCode"`
	RequestID    string            `json:"paymentRequestId"`
	Order        alphaOrder        `json:"order"`
	Method       *alphaMethod      `json:"paymentMethod,omitempty"`
	Info         *alphaPaymentInfo `json:"paymentInfo,omitempty"`
	CreateTime   string            `json:"paymentCreateTime"`
	ExpireTime   string            `json:"paymentExpireTime"`
	PaymentID    string            `json:"paymentId,omitempty"`
	Result       wireResult        `json:"result"`
}

const (
	scenarioCode = "OFFLINE"
	scenarioQR   = "OFFLINE_QRCODE"
)

var alphaMethodTypes = map[Wallet]string{WalletAlipay: "Alipay", WalletWeChat: "Wechat", WalletUnionPay: "UnionPay"}

var (
	amountForm    = regexp.MustCompile(`^\d{1,7}$`)
	requestIDForm = regexp.MustCompile(`^[!-~]{1,64}$`)
)

// check reads the request into what the model wants, or says why not. A CNY
// amount must be more than one minor unit of the host's currency.
func (request alphaPayRequest) check(hostCurrency string) (spec orderSpec, refusal *wireResult) {
	refuse := func(parameter, want string) (orderSpec, *wireResult) {
		return orderSpec{}, new(alphaInvalid(parameter, want))
	}
	if !requestIDForm.MatchString(request.RequestID) {
		return refuse("paymentRequestId", "want 1 to 64 visible ASCII characters")
	}
	order := request.Order
	if order == nil || order.OrderAmount == nil {
		return refuse("order.orderAmount", "required")
	}
	amount, good := order.OrderAmount.minorUnits()
	if !good {
		return refuse("order.orderAmount.value", wantAmount)
	}
	currency := order.OrderAmount.Currency
	if currency != hostCurrency && currency != "CNY" {
		return refuse("order.orderAmount.currency", "want "+hostCurrency+" or CNY")
	}
	if currency == "CNY" && fromCNY(amount) <= 1 {
		return refuse("order.orderAmount.value", "amount error")
	}
	if length := utf8.RuneCountInString(order.Description); length < 1 || length > 128 {
		return refuse("order.description", "want 1 to 128 characters")
	}
	if order.NotifyURL != "" && !isURL(order.NotifyURL) {
		return refuse("order.notifyUrl", wantURL)
	}
	if order.RedirectURL != "" && !isURL(order.RedirectURL) {
		return refuse("order.redirectUrl", wantURL)
	}
	spec = orderSpec{Gateway: GatewayAlphaPay, RequestID: request.RequestID, Amount: amount, Currency: currency,
		Description: order.Description, NotifyURL: order.NotifyURL}
	method := request.Method
	switch request.ScenarioCode {
	case scenarioCode:
		if method == nil || method.Code == "" || len(method.Code) > 512 {
			return refuse("paymentMethod.paymentCode", "want 1 to 512 characters")
		}
		if method.Type != "" && method.Type != "Alipay" && method.Type != "Wechat" && method.Type != "UnionPay" {
			return orderSpec{}, &wireResult{"INVALID_METHOD_TYPE", "Invalid payment channel name. Please check the case sensitivity", "F"}
		}
		spec.Instrument, spec.Code = InstrumentCode, method.Code
	case scenarioQR:
		if method != nil {
			return refuse("paymentMethod", "not used with OFFLINE_QRCODE")
		}
		spec.Instrument = InstrumentQR
	default:
		return refuse("scenarioCode", "want OFFLINE or OFFLINE_QRCODE")
	}
	spec.Same = []string{order.OrderAmount.Value, currency, order.Description, string(spec.Instrument), spec.Code, order.NotifyURL, order.RedirectURL}
	return spec, nil
}

// pay makes an order once, however often it is sent. Idempotency is documented
// nowhere; what a repeat is told here is the least that the vendor's codes allow.
func (a *alphaPay) pay(call *wireCall) any {
	var request alphaPayRequest
	if refusal := decode(call.body, &request); refusal != nil {
		return call.refuse(*refusal)
	}
	spec, refusal := request.check(a.config.Currency)
	if refusal != nil {
		return call.refuse(*refusal)
	}
	call.requestID, spec.Life = spec.RequestID, a.config.OrderLife
	sends, chosen, err := a.ledger.arrive(a.config.Clock(), spec)
	switch {
	case errors.Is(err, errDifferent):
		return call.refuse(alphaInvalid("paymentRequestId", "was used with other content"))
	case err != nil:
		return call.refuse(alphaSystemError)
	}
	if refusal, over := a.onTheWay(call, chosen, sends == 1); over {
		return refusal
	}
	order, fresh, err := a.ledger.place(a.config.Clock(), GatewayAlphaPay, spec.RequestID)
	if err != nil {
		return call.refuse(alphaSystemError)
	}
	answer := a.payAnswer(call, request, order, fresh)
	if fresh {
		spoilAlpha(call, chosen.answer, answer)
	}
	return answer
}

// onTheWay lets a pay request reach the gateway, or says what it is told instead.
func (a *alphaPay) onTheWay(call *wireCall, chosen Behaviour, first bool) (refusal any, over bool) {
	switch a.passage(chosen, first) {
	case passes:
		return nil, false
	case isLost:
		call.raw = &reply{lost: true}
	case breaks:
		call.raw = new(htmlReply(http.StatusInternalServerError))
	case isLimited:
		call.raw = new(htmlReply(http.StatusTooManyRequests))
		call.raw.header.Set("Retry-After", "1")
	case isOffClock:
		return call.refuse(alphaSignTimeout), true
	}
	return nil, true
}

// payAnswer says how the order stands. The send that made an order is told so in
// full; a later one learns that it is paid, in process, failed or closed.
func (a *alphaPay) payAnswer(call *wireCall, request alphaPayRequest, order Order, fresh bool) any {
	answer := &alphaPayAnswer{
		ScenarioCode: request.ScenarioCode, RequestID: order.RequestID, Order: orderOf(order), Method: request.Method,
		CreateTime: vendorTime(order.CreatedAt), ExpireTime: vendorTime(order.ExpiresAt), PaymentID: order.PaymentID,
	}
	answer.Order.NotifyURL, answer.Order.RedirectURL = request.Order.NotifyURL, request.Order.RedirectURL
	if answer.Method != nil {
		answer.Method.Type = alphaMethodTypes[order.Wallet]
	}
	switch order.Status {
	case StatusPaid:
		if !fresh {
			return call.refuse(alphaPaid)
		}
		answer.Result = alphaSuccess
	case StatusPending:
		answer.Result = alphaInProcess
		if order.Instrument == InstrumentQR {
			answer.Info = a.paymentInfo(call.request, order)
		}
	case StatusFailed:
		failure := alphaFailures[order.Failure]
		if !failure.withID {
			return call.refuse(failure.result)
		}
		answer.Result = failure.result
	case StatusClosed, StatusAbsent, StatusReversed:
		return call.refuse(alphaClosed)
	}
	call.result = answer.Result
	return answer
}

// spoilAlpha does the answer of the send that made the order the damage that its
// payment code asks for.
func spoilAlpha(c *wireCall, damage answer, content any) {
	switch damage {
	case answerLost:
		c.raw = &reply{lost: true}
	case answerHTTP500:
		c.raw = new(htmlReply(http.StatusInternalServerError))
	case answerWrongAmount:
		if told, isPay := content.(*alphaPayAnswer); isPay {
			more := alphaAmount{told.Order.OrderAmount.Value, told.Order.OrderAmount.Currency}
			if value, err := strconv.ParseInt(more.Value, 10, 64); err == nil {
				more.Value = strconv.FormatInt(value+1, 10)
			}
			told.Order.OrderAmount, told.Order.PayAmount = more, &more
		}
	case answerRight, answerLate, answerMalformed, answerDuplicate, answerMisSigned, answerUnsigned:
		c.damage = damage
	}
}

func orderOf(order Order) alphaOrder {
	amount := alphaAmount{strconv.FormatInt(order.Amount, 10), order.Currency}
	out := alphaOrder{OrderAmount: amount, Description: order.Description}
	if order.Status == StatusPaid && order.Instrument == InstrumentCode {
		out.PayAmount = &amount
	}
	return out
}

// paymentInfo is what the shop shows the customer of an OFFLINE_QRCODE order.
func (a *alphaPay) paymentInfo(r *http.Request, order Order) *alphaPaymentInfo {
	link := a.payLink(r, order)
	image, err := qrcode.Encode(link, qrcode.Medium, -8) // 8 pixels a module, sharp at any size
	if err != nil {                                      // only a URL too long for a QR code
		a.config.Logger.Error("a pay page's QR code could not be drawn", "error", err)
		return &alphaPaymentInfo{PaymentURL: link, PayURL: link}
	}
	return &alphaPaymentInfo{PaymentURL: link, PayURL: link,
		PaymentQRImage: "data:image/png;base64," + base64.StdEncoding.EncodeToString(image)}
}

type alphaIDRequest struct {
	PaymentID string `json:"paymentId"`
}

func (r alphaIDRequest) check() *wireResult {
	if requestIDForm.MatchString(r.PaymentID) {
		return nil
	}
	return new(alphaInvalid("paymentId", "want 1 to 64 visible ASCII characters"))
}

// alphaState is how an order stands, as inquiries and notifications tell it.
type alphaState struct {
	ScenarioCode string     `json:"scenarioCode"`
	RequestID    string     `json:"paymentRequestId"`
	Order        alphaOrder `json:"order"`
	CreateTime   string     `json:"paymentCreateTime"`
	ExpireTime   string     `json:"paymentExpireTime"`
	PaymentTime  string     `json:"paymentTime,omitempty"` // once paid
	PaymentID    string     `json:"paymentId"`
	Status       string     `json:"paymentStatus"`
}

type alphaInquiryAnswer struct {
	alphaState
	Result wireResult `json:"result"`
}

var alphaStatuses = map[Status]string{
	StatusPending: "PAYMENT_IN_PROCESS", StatusPaid: "SUCCESS", StatusFailed: "FAILED", StatusClosed: "CLOSED",
}

// alphaStatusOf is how an order stands. That a refund in process does not count
// yet is our reading.
func alphaStatusOf(order Order) string {
	switch {
	case order.Refunded == 0:
		return alphaStatuses[order.Status]
	case order.Refundable() > 0:
		return "PARTIAL_REFUND"
	}
	return "FULL_REFUND"
}

// inquire tells how an order stands; the result is that of the call.
func (a *alphaPay) inquire(call *wireCall) any {
	order, refusal := a.lookUp(call, a.ledger.find)
	if refusal != nil {
		return call.refuse(*refusal)
	}
	call.result = alphaSuccess
	return alphaInquiryAnswer{alphaStateOf(order), alphaSuccess}
}

func alphaStateOf(order Order) alphaState {
	state := alphaState{
		ScenarioCode: scenarioCode, RequestID: order.RequestID, Order: orderOf(order),
		CreateTime: vendorTime(order.CreatedAt), ExpireTime: vendorTime(order.ExpiresAt),
		PaymentID: order.PaymentID, Status: alphaStatusOf(order),
	}
	if order.Instrument == InstrumentQR {
		state.ScenarioCode = scenarioQR
	}
	if order.Status == StatusPaid {
		state.PaymentTime = vendorTime(order.EndedAt)
	}
	return state
}

type alphaCancelAnswer struct {
	RequestID  string     `json:"paymentRequestId"`
	PaymentID  string     `json:"paymentId"`
	CancelTime string     `json:"cancelTime"`
	Result     wireResult `json:"result"`
}

// cancel closes an unpaid order. That a second cancel of it succeeds too is our
// reading; the vendor's pages do not say.
func (a *alphaPay) cancel(call *wireCall) any {
	order, refusal := a.lookUp(call, a.ledger.cancel)
	if refusal != nil {
		return call.refuse(*refusal)
	}
	call.result = alphaSuccess
	return alphaCancelAnswer{order.RequestID, order.PaymentID, vendorTime(order.EndedAt), alphaSuccess}
}

// lookUp decodes a request that names a payment id, and does action on its order.
func (a *alphaPay) lookUp(call *wireCall, action func(time.Time, lookup) (Order, error)) (Order, *wireResult) {
	var request alphaIDRequest
	if refusal := decode(call.body, &request); refusal != nil {
		return Order{}, refusal
	}
	if refusal := request.check(); refusal != nil {
		return Order{}, refusal
	}
	order, err := action(a.config.Clock(), byPayment(GatewayAlphaPay, request.PaymentID))
	call.requestID = order.RequestID
	result := alphaSystemError
	switch {
	case err == nil:
		return order, nil
	case errors.Is(err, errUnknown):
		result = alphaMismatch
	case errors.Is(err, errPaid):
		result = alphaPaid
	case errors.Is(err, errUndecided):
		result = alphaInProcess
	}
	return Order{}, &result
}
