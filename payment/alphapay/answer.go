package alphapay

import (
	"errors"
	"fmt"
	"strings"

	"payscand/payment"
	"payscand/payment/exchange"
)

// question is what a call asks, as far as its answer must agree with it.
type question struct {
	kind      payment.CallKind
	requestID string        // of the order, or of the refund that the call is about; "" for a probe
	elsewhere bool          // another terminal's order, whose request id is not known yet
	paymentID string        // that the call names, or whose refund it is about; "" for pay
	refundID  string        // that an inquiry about a refund names
	amount    payment.Money // of the order or of the refund; zero where the pay request is not known
	qr        bool          // OFFLINE_QRCODE
	code      payment.Code  // pay: must not come back in anything that is shown
}

// answer is every call's answer, as far as it is looked at.
type answer struct {
	Result    exchange.Result `json:"result"`
	RequestID text            `json:"paymentRequestId"`
	PaymentID text            `json:"paymentId"`
	Status    text            `json:"paymentStatus"`
	Order     struct {
		Amount exchange.Amount `json:"orderAmount"`
	} `json:"order"`
	Method struct {
		Type text `json:"paymentMethodType"`
	} `json:"paymentMethod"`
	Info struct {
		URL   text `json:"paymentUrl"`
		Image text `json:"paymentQRImage"`
	} `json:"paymentInfo"`
	PaidAt    text `json:"paymentTime"`
	ExpiresAt text `json:"paymentExpireTime"`

	RefundID        text `json:"refundId"`
	RefundRequestID text `json:"refundRequestId"`
	RefundStatus    text `json:"refundStatus"`
	Refund          struct {
		Amount exchange.Amount `json:"refundAmount"`
	} `json:"refund"`

	Transactions []transaction `json:"transactions"`
	Settlements  []settlement  `json:"settlements"`
	Pagination   struct {
		Total text `json:"total"`
	} `json:"pagination"`
}

// text is a string of an answer, or a number's digits.
type text = exchange.Text

func decode(body []byte) (answer, error) { return exchange.Decode[answer](body) }

// judge says what a verified answer means. Where it means nothing the verdict is
// ClassNoAnswer, and the error says why without repeating the answer.
func judge(q question, body []byte) (payment.Verdict, error) {
	a, err := decode(body)
	if err != nil {
		return exchange.Unread(err, ""), err
	}
	v, err := a.judge(q)
	if err != nil {
		return exchange.Unread(err, exchange.Printable(a.Result.Code, q.code)), err
	}
	return v, nil
}

func (a answer) judge(q question) (payment.Verdict, error) {
	how, m, listed := interpret(q.kind, a.Result.Status, a.Result.Code)
	if how == contradiction {
		return payment.Verdict{}, errors.New("resultStatus is missing, unknown, or contradicts resultCode")
	}
	v := payment.Verdict{
		Class: m.class, Reason: m.reason, GatewayCode: exchange.Printable(a.Result.Code, q.code), Documented: listed,
	}
	if q.kind == payment.CallProbe {
		return v, nil
	}
	if isRefundCall(q.kind) {
		return a.judgeRefund(q, how, v)
	}
	if err := a.agrees(q); err != nil {
		return v, err
	}
	v.RequestID, v.PaymentID = string(a.RequestID), string(a.PaymentID)
	v.Amount, _ = a.Order.Amount.Money()
	v.Wallet = walletOf(a.Method.Type)
	v.ExpiresAt = exchange.ParseTime(string(a.ExpiresAt))
	if q.kind == payment.CallPay && (how == succeeded || v.Class == payment.ClassPending) {
		return v, a.placed(q, &v)
	}
	if how == told {
		return v, nil
	}
	v.Documented = true
	switch q.kind {
	case payment.CallInquire:
		return v, a.inquired(&v)
	case payment.CallCancel:
		v.Class = payment.ClassCancelAccepted
		if v.RequestID == "" && v.PaymentID == "" {
			return v, errors.New("the answer does not say which order was cancelled")
		}
	}
	return v, nil
}

// agrees holds what the answer names against what was asked, whatever its result.
func (a answer) agrees(q question) error {
	switch {
	case a.PaymentID != "" && (!exchange.IsID(string(a.PaymentID)) || exchange.HoldsCode(string(a.PaymentID), q.code)):
		return errors.New("paymentId is not usable as one")
	case a.RequestID != "" && string(a.RequestID) != q.requestID && !q.elsewhere:
		return fmt.Errorf("%w: another paymentRequestId", exchange.ErrMismatch)
	case a.PaymentID != "" && q.paymentID != "" && string(a.PaymentID) != q.paymentID:
		return fmt.Errorf("%w: another paymentId", exchange.ErrMismatch)
	}
	if amount, told := a.Order.Amount.Money(); told && q.kind == payment.CallPay && amount != q.amount {
		return fmt.Errorf("%w: another amount", exchange.ErrMismatch)
	}
	return nil
}

// placed completes the verdict on a pay that made an order: S, or in process. S
// says that the call succeeded, not that money moved.
func (a answer) placed(q question, v *payment.Verdict) error {
	if v.RequestID == "" || v.PaymentID == "" {
		return errors.New("the order has no paymentRequestId or no paymentId")
	}
	v.Documented = true
	if !q.qr {
		if v.Class != payment.ClassPending {
			v.Class = payment.ClassAccepted
		}
		return nil
	}
	v.Class = payment.ClassPending
	url := string(a.Info.URL)
	if !exchange.IsVisible(url, exchange.MaxQRPayload) {
		return errors.New("the order has no usable paymentUrl")
	}
	v.QR = &payment.QR{Payload: url, Image: exchange.ImageURI(string(a.Info.Image))}
	return nil
}

// returned says what a state tells of money given back, by whomever.
var returned = map[text]payment.Extent{"PARTIAL_REFUND": payment.ReturnedInPart, "FULL_REFUND": payment.ReturnedInFull}

// inquired completes the verdict of an inquiry that succeeded. The vendor's list
// of states once prints OFFLINE_QRCODE where waiting is meant, so an unknown state
// is still waiting, never failed.
func (a answer) inquired(v *payment.Verdict) error {
	if v.RequestID == "" || v.PaymentID == "" {
		return errors.New("the inquiry names no paymentRequestId or no paymentId")
	}
	switch a.Status {
	case "SUCCESS", "PARTIAL_REFUND", "FULL_REFUND":
		if v.Amount.Currency == "" {
			return errors.New("a paid order without a usable amount")
		}
		v.Class = payment.ClassPaid
		v.PaidAt = exchange.ParseTime(string(a.PaidAt))
		v.Returned = returned[a.Status]
	case "CLOSED":
		v.Class, v.Reason = payment.ClassClosed, payment.ReasonNotPaidInTime
	case "FAILED":
		v.Class, v.Reason = payment.ClassFailed, payment.ReasonDeclined
	case "":
		return errors.New("the inquiry has no paymentStatus")
	default:
		v.Class = payment.ClassPending
		v.Documented = a.Status == codeInProcess
	}
	return nil
}

// walletOf reads paymentMethodType (vendor page: Alipay, Wechat, UnionPay).
func walletOf(method text) payment.Wallet {
	switch strings.ToLower(string(method)) {
	case "alipay", "alipay+":
		return payment.WalletAlipayPlus
	case "wechat":
		return payment.WalletWeChat
	case "unionpay":
		return payment.WalletUnionPay
	}
	return ""
}
