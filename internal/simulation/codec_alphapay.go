package simulation

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"payscand/payment"
	"payscand/payment/alphapay"
	"payscand/payment/signature"
)

// alphaPayWire is AlphaPay's end of the wire, by its pages.
type alphaPayWire struct{}

const (
	alphaMerchant = "M-1"
	alphaPath     = "/api/v2.0/payments/"
)

var (
	alphaMerchantKey = quickKey{signature.RS256, "the merchant's"}
	alphaPlatformKey = quickKey{signature.RS256, "the platform's"}
	strangersKey     = quickKey{signature.RS256, "a stranger's"}
	alphaZone        = time.FixedZone("UTC-8", -8*60*60)
)

func (alphaPayWire) client(c *codec) payment.Gateway {
	g, err := alphapay.New(alphapay.Config{
		Name: c.model.name, BaseURL: "https://openapi.alphapay.ca", MerchantCode: alphaMerchant, TerminalCode: "L1", Logger: c.world.errorLog(),
		Outside: alphapay.Outside{Transport: c, Signer: alphaMerchantKey, Verifier: alphaPlatformKey, Clock: sandClock{c.world}},
	})
	if err != nil {
		panic(err) // the configuration above is at fault
	}
	return g
}

// alphaRequest is every request's body; each call has some of its members.
type alphaRequest struct {
	ScenarioCode string `json:"scenarioCode"`
	RequestID    string `json:"paymentRequestId"`
	PaymentID    string `json:"paymentId"`
	Order        struct {
		Amount      alphaAmount `json:"orderAmount"`
		Description string      `json:"description"`
	} `json:"order"`
	Method struct {
		Code string `json:"paymentCode"`
	} `json:"paymentMethod"`
	RefundID        string `json:"refundId"`
	RefundRequestID string `json:"refundRequestId"`
	Refund          struct {
		Amount      alphaAmount `json:"refundAmount"`
		Description string      `json:"description"`
	} `json:"refund"`
	Date  string `json:"date"`
	Page  int    `json:"page"`
	Limit int    `json:"pageLimit"`
	Type  string `json:"transactionType"`
}

type alphaAmount struct {
	Value    string `json:"value"`
	Currency string `json:"currency"`
}

func alphaMoney(m payment.Money) alphaAmount {
	return alphaAmount{strconv.FormatInt(m.Amount, 10), string(m.Currency)}
}

type alphaResult struct {
	Code    string `json:"resultCode"`
	Message string `json:"resultMessage"`
	Status  string `json:"resultStatus"`
}

// alphaAnswer is every answer's body.
type alphaAnswer struct {
	Result    alphaResult       `json:"result"`
	RequestID string            `json:"paymentRequestId,omitempty"`
	PaymentID string            `json:"paymentId,omitempty"`
	Status    string            `json:"paymentStatus,omitempty"`
	Order     *alphaOrder       `json:"order,omitempty"`
	Info      map[string]string `json:"paymentInfo,omitempty"`
	ExpiresAt string            `json:"paymentExpireTime,omitempty"`
	PaidAt    string            `json:"paymentTime,omitempty"`

	RefundID        string       `json:"refundId,omitempty"`
	RefundRequestID string       `json:"refundRequestId,omitempty"`
	RefundStatus    string       `json:"refundStatus,omitempty"`
	Refund          *alphaRefund `json:"refund,omitempty"`

	Transactions *[]alphaRow      `json:"transactions,omitempty"`
	Pagination   *alphaPagination `json:"pagination,omitempty"`
}

type alphaOrder struct {
	Amount alphaAmount `json:"orderAmount"`
}

type alphaRefund struct {
	Amount alphaAmount `json:"refundAmount"`
}

type alphaRow struct {
	RequestID     string `json:"requestId"`
	TransactionID string `json:"transactionId"`
	Amount        string `json:"amount"`
	Currency      string `json:"currency"`
	Type          string `json:"transactionType"`
	CreatedAt     string `json:"createTime"`
	PaidAt        string `json:"transactionTime,omitempty"`
}

type alphaPagination struct {
	Page      int `json:"page"`
	PageLimit int `json:"pageLimit"`
	TotalPage int `json:"totalPage"`
	Total     int `json:"total"`
}

func (alphaPayWire) sentAt(r *http.Request) time.Time {
	at, _ := time.Parse(time.RFC3339, r.Header.Get("Request-Time"))
	return at
}

// alphaPaths are where each call goes. A lookup asks about what it found, too.
var alphaPaths = map[payment.CallKind][]string{
	payment.CallPay: {"pay"}, payment.CallInquire: {"inquiryPayment"}, payment.CallCancel: {"cancel"}, payment.CallProbe: {"inquiryPayment"},
	payment.CallRefund: {"refund"}, payment.CallInquireRefund: {"inquiryRefund"},
	payment.CallLookup: {"transactions", "inquiryPayment"}, payment.CallLookupRefund: {"transactions"},
}

func (alphaPayWire) hears(c *codec, r *http.Request, body []byte) string {
	f, h := c.call.flight, r.Header
	content := signature.AlphaPayContent(r.Method, r.URL.Path, alphaMerchant, h.Get("Request-Time"), h.Get("Nonce"), body)
	if err := alphaMerchantKey.Verify(content, h.Get("Signature")); err != nil {
		return "its signature is wrong: " + err.Error()
	}
	if h.Get("Merchant-Code") != alphaMerchant || len(h.Get("Nonce")) != 32 || h.Get("Content-Type") != "application/json; charset=UTF-8" {
		return "its headers are not as documented"
	}
	allowed := false
	for _, path := range alphaPaths[f.call.Kind] {
		allowed = allowed || r.Method == http.MethodPost && r.URL.Path == alphaPath+path
	}
	if !allowed {
		return "it goes to " + r.URL.Path
	}
	var said alphaRequest
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&said); err != nil {
		return "its body is not as documented: " + err.Error()
	}
	return said.wrong(c, f)
}

// wrong says where a request is not the one that the engine wanted.
func (said alphaRequest) wrong(c *codec, f *flight) string {
	a, w := f.attempt, c.world
	scenario := map[payment.Instrument]string{payment.InstrumentCode: "OFFLINE", payment.InstrumentQR: "OFFLINE_QRCODE"}
	switch f.call.Kind {
	case payment.CallPay:
		switch {
		case said.RequestID != a.RequestID, said.Order.Amount != alphaMoney(w.oracle.amountOf(f.call.Sale)), said.Method.Code != a.Code.Reveal(),
			said.ScenarioCode != scenario[a.Instrument], said.Order.Description == "":
			return "it is about another order"
		}
	case payment.CallInquire, payment.CallCancel:
		if said.PaymentID != a.PaymentID {
			return "it names another payment"
		}
	case payment.CallRefund:
		if said.PaymentID != a.PaymentID || said.RefundRequestID != f.refund.RequestID || said.Refund.Amount != alphaMoney(f.refund.Amount) {
			return "it is another refund"
		}
	case payment.CallInquireRefund:
		if said.RefundID != f.refund.RefundID || said.RefundRequestID != f.refund.RequestID {
			return "it names another refund"
		}
	}
	return ""
}

func (alphaPayWire) sign(c *codec, r *http.Request, body []byte, stranger bool) http.Header {
	at, key := c.world.trueTime().In(alphaZone).Format(time.RFC3339), alphaPlatformKey
	if stranger {
		key = strangersKey
	}
	nonce := fmt.Sprintf("%032d", c.world.result.Turns)
	signed, _ := key.Sign(signature.AlphaPayContent(r.Method, r.URL.Path, alphaMerchant, at, nonce, body)) // never fails
	return http.Header{
		"Content-Type": {"application/json; charset=UTF-8"}, "Response-Time": {at}, "Nonce": {nonce}, "Signature": {signed},
	}
}

func (alphaPayWire) refusal(way wireWay) []byte {
	results := map[wireWay][2]string{
		wireSystemError: {"U", "SYSTEMERROR"}, wireSystemErrorDone: {"F", "SYSTEMERROR"}, wireTooMany: {"U", "SYSTEMERROR"},
		wireSignTimeout: {"F", "SIGN_TIMEOUT"}, wireInvalidSign: {"F", "INVALID_SIGN"}, wireNotAllowed: {"F", "PARAM_INVALID"},
	}
	return told(results[way][0], results[way][1]).encode()
}

// told is an answer that says nothing but its result.
func told(status, code string) alphaAnswer {
	return alphaAnswer{Result: alphaResult{Code: code, Message: "words", Status: status}}
}

func (a alphaAnswer) encode() []byte {
	body, err := json.Marshal(a)
	if err != nil {
		panic(err) // strings and numbers
	}
	return body
}

func alphaTime(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.In(alphaZone).Format(time.RFC3339)
}

func (v alphaPayWire) reply(c *codec, r *http.Request, body []byte) (truth, lie []byte) {
	f := c.call.flight
	var said alphaRequest
	if err := json.Unmarshal(body, &said); err != nil {
		panic(err) // hears has read it
	}
	switch {
	case f.call.Kind == payment.CallProbe:
		return told("F", "PARAM_INVALID").encode(), told("F", "INVALID_SIGN").encode()
	case strings.HasSuffix(r.URL.Path, "transactions"):
		return v.list(c, said)
	case isLookup(f.call.Kind):
		answer := notFound
		for _, o := range c.model.orders {
			if o.paymentID == said.PaymentID {
				answer = o.tell(o.standing(c.world.now, c.call.stale))
			}
		}
		right, wrong := v.inquired(c, answer, f.attempt)
		return right.encode(), wrong.encode()
	}
	var answer payment.Verdict
	if c.call.stale && f.call.Kind == payment.CallInquire {
		answer = c.model.ask(f, true)
	} else {
		answer = c.model.carryOut(f, false)
	}
	right, wrong := v.say(c, f, answer)
	return right.encode(), wrong.encode()
}

// say writes what the model answers to a call, and the opposite.
func (v alphaPayWire) say(c *codec, f *flight, answer payment.Verdict) (truth, lie alphaAnswer) {
	switch f.call.Kind {
	case payment.CallPay:
		return v.paid(c, answer, f)
	case payment.CallInquire:
		return v.inquired(c, answer, f.attempt)
	case payment.CallCancel:
		return v.cancelled(answer, f.attempt)
	case payment.CallRefund:
		return v.refunded(c, answer, f)
	}
	return v.refundInquired(c, answer, f)
}

func (alphaPayWire) paid(c *codec, answer payment.Verdict, f *flight) (truth, lie alphaAnswer) {
	made := told("S", "SUCCESS")
	made.RequestID, made.PaymentID = f.attempt.RequestID, "made-up"
	sum := alphaMoney(c.world.oracle.amountOf(f.call.Sale))
	made.Order = &alphaOrder{sum}
	made.Info = map[string]string{"paymentUrl": "https://elsewhere.example/"}
	switch answer.Class {
	case payment.ClassAlreadyPaid:
		return told("F", "ORDER_PAID"), told("F", "INVALID_PAYMENT_CODE")
	case payment.ClassAccepted, payment.ClassPending:
		truth = told("S", "SUCCESS")
		if answer.Class == payment.ClassPending {
			truth = told("U", "PAYMENT_IN_PROCESS")
		}
		truth.Order = &alphaOrder{sum}
		truth.ExpiresAt = c.time(answer.ExpiresAt)
		truth.RequestID, truth.PaymentID = f.attempt.RequestID, answer.PaymentID
		for _, o := range c.model.byRequest[f.attempt.RequestID] {
			if o.paymentID == answer.PaymentID && o.payload != "" {
				truth.Info = map[string]string{"paymentUrl": o.payload}
			}
		}
		return truth, told("F", "INVALID_PAYMENT_CODE")
	}
	code := "PAYMENT_FAILED" // the vendor has no words for an order that is over
	switch {
	case answer.Reason == payment.ReasonInvalidCode:
		code = "INVALID_PAYMENT_CODE"
	case !answer.Documented || answer.GatewayCode != "SUCCESS":
		code = answer.GatewayCode
	}
	truth = told("F", code)
	truth.PaymentID = answer.PaymentID
	return truth, made
}

var alphaStates = map[payment.Class]string{
	payment.ClassPaid: "SUCCESS", payment.ClassPending: "PAYMENT_IN_PROCESS", payment.ClassClosed: "CLOSED", payment.ClassFailed: "FAILED",
}

func (alphaPayWire) inquired(c *codec, answer payment.Verdict, a payment.Attempt) (truth, lie alphaAnswer) {
	lie = told("S", "SUCCESS")
	lie.RequestID, lie.PaymentID, lie.Status = a.RequestID, answer.PaymentID, "SUCCESS"
	if lie.PaymentID == "" {
		lie.PaymentID = a.PaymentID
	}
	lie.Order = &alphaOrder{alphaMoney(c.world.oracle.amountOf(c.call.flight.call.Sale))}
	lie.PaidAt = alphaTime(c.world.trueTime())
	if answer.Class == payment.ClassNotFound {
		return told("F", "ORDER_MISMATCH"), lie
	}
	truth = told("S", "SUCCESS")
	truth.RequestID, truth.PaymentID, truth.Status = answer.RequestID, answer.PaymentID, alphaStates[answer.Class]
	truth.Order = &alphaOrder{alphaMoney(answer.Amount)}
	truth.ExpiresAt, truth.PaidAt = c.time(answer.ExpiresAt), c.time(answer.PaidAt)
	if answer.Class == payment.ClassPaid {
		lie.Status = "CLOSED"
		truth.Status = c.model.refundState(answer)
	}
	return truth, lie
}

// refundState is the paymentStatus of a paid order: some or all of it may have
// been given back.
func (g *gatewayModel) refundState(answer payment.Verdict) string {
	given := int64(0)
	for _, r := range g.refunds {
		if r.order.paymentID == answer.PaymentID && r.state == payment.ClassRefunded {
			given += r.amount.Amount
		}
	}
	switch {
	case given == 0:
		return "SUCCESS"
	case given < answer.Amount.Amount:
		return "PARTIAL_REFUND"
	}
	return "FULL_REFUND"
}

func (alphaPayWire) cancelled(answer payment.Verdict, a payment.Attempt) (truth, lie alphaAnswer) {
	done := told("S", "SUCCESS")
	done.RequestID, done.PaymentID = a.RequestID, a.PaymentID
	switch answer.Class {
	case payment.ClassAlreadyPaid:
		return told("F", "ORDER_PAID"), done
	case payment.ClassNotFound:
		return told("F", "ORDER_MISMATCH"), done
	}
	return done, told("F", "ORDER_PAID")
}
