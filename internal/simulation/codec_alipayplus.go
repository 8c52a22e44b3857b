package simulation

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"payscand/payment"
	"payscand/payment/alipayplus"
	"payscand/payment/signature"
)

// alipayPlusWire is Alipay+'s end of the wire, by its pages.
type alipayPlusWire struct{}

const (
	plusClient = "5J00000000000001"
	plusPath   = "/aps/api/v1/payments/"
)

var (
	plusMerchantKey = quickKey{signature.RSA256, "the merchant's"}
	plusPlatformKey = quickKey{signature.RSA256, "the platform's"}
	plusStranger    = quickKey{signature.RSA256, "a stranger's"}
)

func (alipayPlusWire) client(c *codec) payment.Gateway {
	shop := alipayplus.Merchant{ReferenceID: "M-1", Name: "Corner Shop", MCC: "5411", Address: alipayplus.Address{Region: "CA"}}
	g, err := alipayplus.New(alipayplus.Config{
		Name: c.model.name, BaseURL: "https://open-sea.alipayplus.com", ClientID: plusClient, TerminalCode: "L1", Merchant: shop, Logger: c.world.errorLog(),
		Store: alipayplus.Store{ReferenceID: "S-1", Name: "Corner Shop", MCC: "5411"}, NotifyURL: "https://shop.example/notify",
		Outside: alipayplus.Outside{Transport: c, Signer: plusMerchantKey, Verifier: plusPlatformKey, Clock: sandClock{c.world}},
	})
	if err != nil {
		panic(err) // the configuration above is at fault
	}
	return g
}

// plusRequest is every request's body; each call has some of its members. All
// scalars are strings.
type plusRequest struct {
	RequestID string          `json:"paymentRequestId"`
	PaymentID string          `json:"paymentId"`
	Amount    alphaAmount     `json:"paymentAmount"`
	Order     json.RawMessage `json:"order"`
	Factor    struct {
		InStore  string `json:"isInStorePayment"`
		Cashier  string `json:"isCashierPayment"`
		Scenario string `json:"inStorePaymentScenario"`
	} `json:"paymentFactor"`
	Expiry    string `json:"paymentExpiryTime"`
	NotifyURL string `json:"paymentNotifyUrl"`
	Method    struct {
		Type string `json:"paymentMethodType"`
		ID   string `json:"paymentMethodId"`
	} `json:"paymentMethod"`
	RefundReq    string      `json:"refundRequestId"`
	RefundAmount alphaAmount `json:"refundAmount"`
	Reason       string      `json:"refundReason"`
}

// plusAnswer is every answer's body.
type plusAnswer struct {
	Result    alphaResult  `json:"result"`
	Payment   *alphaResult `json:"paymentResult,omitempty"`
	RequestID string       `json:"paymentRequestId,omitempty"`
	PaymentID string       `json:"paymentId,omitempty"`
	Amount    *alphaAmount `json:"paymentAmount,omitempty"`
	PaidAt    string       `json:"paymentTime,omitempty"`
	Form      *plusForm    `json:"orderCodeForm,omitempty"`

	RefundID     string       `json:"refundId,omitempty"`
	RefundAmount *alphaAmount `json:"refundAmount,omitempty"`
}

type plusForm struct {
	ExpireTime string       `json:"expireTime"`
	Details    []plusDetail `json:"codeDetails"`
}

type plusDetail struct {
	Type    string `json:"codeValueType"`
	Value   string `json:"codeValue"`
	Display string `json:"displayType"`
}

func plusTold(status, code string) plusAnswer {
	return plusAnswer{Result: alphaResult{Code: code, Message: "words", Status: status}}
}

func (a plusAnswer) encode() []byte {
	body, err := json.Marshal(a)
	if err != nil {
		panic(err) // strings
	}
	return body
}

func (alipayPlusWire) sentAt(r *http.Request) time.Time { return alphaPayWire{}.sentAt(r) }

var plusPaths = map[payment.CallKind]string{
	payment.CallPay: "pay", payment.CallInquire: "inquiryPayment", payment.CallProbe: "inquiryPayment", payment.CallCancel: "cancelPayment",
	payment.CallRefund: "refund",
}

func (alipayPlusWire) hears(c *codec, r *http.Request, body []byte) string {
	f, h := c.call.flight, r.Header
	content := signature.AlipayPlusContent(r.Method, r.URL.Path, plusClient, h.Get("Request-Time"), body)
	if err := plusMerchantKey.Verify(content, h.Get("Signature")); err != nil {
		return "its signature is wrong: " + err.Error()
	}
	if h.Get("Client-Id") != plusClient || h.Get("Content-Type") != "application/json; charset=UTF-8" {
		return "its headers are not as documented"
	}
	if r.Method != http.MethodPost || r.URL.Path != plusPath+plusPaths[f.call.Kind] {
		return "it goes to " + r.URL.Path
	}
	var said plusRequest
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&said); err != nil {
		return "its body is not as documented: " + err.Error()
	}
	if bytes.Contains(body, []byte(`""`)) {
		return "it sends something empty"
	}
	return said.wrong(c, f)
}

// wrong says where a request is not the one that the engine wanted.
func (said plusRequest) wrong(c *codec, f *flight) string {
	if f.call.Kind == payment.CallProbe {
		return ""
	}
	a := f.attempt
	sum := alphaMoney(c.world.oracle.amountOf(f.call.Sale))
	scenario := map[payment.Instrument]string{payment.InstrumentCode: "PaymentCode", payment.InstrumentQR: "OrderCode"}
	switch {
	case said.RequestID != a.RequestID && !f.elsewhere(), f.elsewhere() && said.PaymentID != a.PaymentID:
		return "it is about another order"
	case f.call.Kind == payment.CallPay:
		if said.Amount != sum || said.Method.Type != "CONNECT_WALLET" || said.Method.ID != a.Code.Reveal() || said.Factor.InStore != "true" ||
			said.Factor.Scenario != scenario[a.Instrument] || len(said.Order) == 0 {
			return "it is another order"
		}
		if a.Instrument == payment.InstrumentQR && (said.NotifyURL == "" || said.Expiry == "" || said.Factor.Cashier != "true") {
			return "the order code's request is not complete"
		}
	case f.call.Kind == payment.CallRefund:
		if said.RefundReq != f.refund.RequestID || said.RefundAmount != alphaMoney(f.refund.Amount) {
			return "it is another refund"
		}
	}
	return ""
}

func (alipayPlusWire) sign(c *codec, r *http.Request, body []byte, stranger bool) http.Header {
	at, key := c.world.trueTime().UTC().Format(time.RFC3339), plusPlatformKey
	if stranger {
		key = plusStranger
	}
	signed, _ := key.Sign(signature.AlipayPlusContent(r.Method, r.URL.Path, plusClient, at, body)) // never fails
	return http.Header{
		"Content-Type": {"application/json; charset=UTF-8"}, "Client-Id": {plusClient}, "Response-Time": {at},
		"Signature": {strings.ReplaceAll(signed, ",", ", ")}, // spaces occur
	}
}

func (alipayPlusWire) refusal(way wireWay) []byte {
	results := map[wireWay][2]string{
		wireSystemError: {"U", "UNKNOWN_EXCEPTION"}, wireSystemErrorDone: {"U", "UNKNOWN_EXCEPTION"}, wireTooMany: {"U", "REQUEST_TRAFFIC_EXCEED_LIMIT"},
		wireSignTimeout: {"F", "PARAM_ILLEGAL"}, wireInvalidSign: {"F", "INVALID_SIGNATURE"}, wireNotAllowed: {"F", "ACCESS_DENIED"},
	}
	return plusTold(results[way][0], results[way][1]).encode()
}

func (v alipayPlusWire) reply(c *codec, _ *http.Request, _ []byte) (truth, lie []byte) {
	f := c.call.flight
	if f.call.Kind == payment.CallProbe {
		return plusTold("F", "ORDER_NOT_EXIST").encode(), plusTold("F", "INVALID_SIGNATURE").encode()
	}
	var answer payment.Verdict
	if c.call.stale && f.call.Kind == payment.CallInquire {
		answer = c.model.ask(f, true)
	} else {
		answer = c.model.carryOut(f, false)
	}
	var right, wrong plusAnswer
	switch f.call.Kind {
	case payment.CallPay:
		right, wrong = v.paid(c, answer, f)
	case payment.CallInquire:
		right, wrong = v.inquired(c, answer, f)
	case payment.CallCancel:
		right, wrong = v.cancelled(answer)
	default:
		right, wrong = v.refunded(answer)
	}
	return right.encode(), wrong.encode()
}

func (alipayPlusWire) paid(c *codec, answer payment.Verdict, f *flight) (truth, lie plusAnswer) {
	made := plusTold("S", "SUCCESS")
	sum := alphaMoney(c.world.oracle.amountOf(f.call.Sale))
	made.RequestID, made.PaymentID, made.Amount = f.attempt.RequestID, "made-up", &sum
	switch answer.Class {
	case payment.ClassPaid, payment.ClassPending:
		truth = plusTold("S", "SUCCESS")
		if answer.Class == payment.ClassPending {
			truth = plusTold("U", "PAYMENT_IN_PROCESS")
		}
		taken := sum
		if answer.Class == payment.ClassPaid {
			taken = alphaMoney(answer.Amount)
		}
		truth.PaymentID, truth.Amount, truth.PaidAt = answer.PaymentID, &taken, c.time(answer.PaidAt)
		for _, o := range c.model.byRequest[f.attempt.RequestID] {
			if o.payload != "" {
				image := plusDetail{"BARCODE", "https://cdn.example/barcode.png", "BIGIMAGE"}
				truth.Form = &plusForm{c.time(answer.ExpiresAt), []plusDetail{image, {"QRCODE", o.payload, "TEXT"}}}
			}
		}
		return truth, plusTold("F", "INVALID_CODE")
	case payment.ClassClosed:
		return plusTold("F", "ORDER_IS_CLOSED"), made
	}
	return plusTold("F", plusFailure(answer.Reason)), made
}

func plusFailure(why payment.Reason) string {
	if why == payment.ReasonInvalidCode {
		return "INVALID_CODE"
	}
	return "PROCESS_FAIL"
}

func (alipayPlusWire) inquired(c *codec, answer payment.Verdict, f *flight) (truth, lie plusAnswer) {
	sum := alphaMoney(c.world.oracle.amountOf(f.call.Sale))
	said := func(status, code string) plusAnswer {
		a := plusTold("S", "SUCCESS")
		a.Payment = &alphaResult{Code: code, Message: "words", Status: status}
		a.RequestID, a.PaymentID, a.Amount = f.attempt.RequestID, answer.PaymentID, &sum
		return a
	}
	lie = said("S", "SUCCESS")
	lie.PaidAt = alphaTime(c.world.trueTime())
	if lie.PaymentID == "" {
		lie.PaymentID = "made-up"
	}
	switch answer.Class {
	case payment.ClassPaid:
		truth = said("S", "SUCCESS")
		taken := alphaMoney(answer.Amount)
		truth.Amount, truth.PaidAt = &taken, c.time(answer.PaidAt)
		return truth, said("F", "ORDER_IS_CLOSED")
	case payment.ClassPending:
		return said("U", "PAYMENT_IN_PROCESS"), lie
	case payment.ClassClosed:
		return said("F", "ORDER_IS_CLOSED"), lie
	case payment.ClassFailed:
		return said("F", plusFailure(answer.Reason)), lie
	}
	return plusTold("F", "ORDER_NOT_EXIST"), lie
}

func (alipayPlusWire) cancelled(answer payment.Verdict) (truth, lie plusAnswer) {
	switch answer.Class {
	case payment.ClassCancelAccepted:
		return plusTold("S", "SUCCESS"), plusTold("F", "ORDER_NOT_EXIST")
	case payment.ClassCancelTooLate:
		return plusTold("F", "CANCEL_WINDOW_EXCEED"), plusTold("S", "SUCCESS")
	}
	return plusTold("F", "ORDER_NOT_EXIST"), plusTold("S", "SUCCESS")
}

func (alipayPlusWire) refunded(answer payment.Verdict) (truth, lie plusAnswer) {
	done := plusTold("S", "SUCCESS")
	done.RefundID = answer.RefundID
	if done.RefundID == "" {
		done.RefundID = "made-up"
	}
	switch answer.Class {
	case payment.ClassRefunded:
		return done, plusTold("F", "PROCESS_FAIL")
	case payment.ClassPending:
		return plusTold("U", "UNKNOWN_EXCEPTION"), done
	case payment.ClassAlreadyRefunded:
		return plusTold("F", "REFUND_AMOUNT_EXCEED"), done
	}
	switch answer.Reason {
	case payment.ReasonNotEnoughBalance:
		return plusTold("F", "MERCHANT_BALANCE_NOT_ENOUGH"), done // no page lists a code for it
	case payment.ReasonRefundAmount:
		return plusTold("F", "REFUND_AMOUNT_EXCEED"), done
	case payment.ReasonRefundInProcess:
		return plusTold("U", "UNKNOWN_EXCEPTION"), done
	}
	return plusTold("F", "PROCESS_FAIL"), done
}

func (alipayPlusWire) malign(c *codec, _ *http.Request, way wireWay) []byte {
	f := c.call.flight
	if way == wireContradiction || f.call.Kind == payment.CallProbe {
		return plusTold("S", "INVALID_CODE").encode()
	}
	a, sum := plusTold("S", "SUCCESS"), c.world.oracle.amountOf(f.call.Sale)
	if f.call.Refund > 0 {
		sum = f.refund.Amount
	}
	a.RequestID, a.PaymentID = f.attempt.RequestID, f.attempt.PaymentID
	switch way {
	case wireAmount:
		sum.Amount++
	case wireCurrency:
		sum.Currency = "USD"
	case wireRequestID:
		a.RequestID = "someone-else-1"
	case wirePaymentID:
		a.PaymentID = "made up, and no id"
	}
	told := alphaMoney(sum)
	switch f.call.Kind {
	case payment.CallPay:
		a.Amount = &told
		if way == wireNoAmount {
			a = plusTold("S", "SUCCESS") // it names nothing, and proves nothing
		}
	case payment.CallInquire:
		a.Payment = &alphaResult{Code: "SUCCESS", Status: "S"}
		if a.Amount = &told; way == wireNoAmount {
			a.Amount = nil
		}
	default: // these answers need no amount: one that is not compared would be believed
		if a.RefundAmount = &told; way == wireNoAmount || f.call.Kind == payment.CallCancel && way != wirePaymentID {
			a.RequestID = "someone-else-1"
		}
	}
	return a.encode()
}
