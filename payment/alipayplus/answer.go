package alipayplus

import (
	"errors"
	"fmt"

	"payscand/payment"
	"payscand/payment/exchange"
)

// answer is every call's answer, as far as it is looked at.
type answer struct {
	Result  exchange.Result `json:"result"`
	Payment exchange.Result `json:"paymentResult"` // of an inquiry

	RequestID exchange.Text   `json:"paymentRequestId"`
	PaymentID exchange.Text   `json:"paymentId"`
	Amount    exchange.Amount `json:"paymentAmount"`
	PaidAt    exchange.Text   `json:"paymentTime"`

	Form orderCodeForm `json:"orderCodeForm"`

	RefundReq    exchange.Text   `json:"refundRequestId"`
	RefundID     exchange.Text   `json:"refundId"`
	RefundAmount exchange.Amount `json:"refundAmount"`
}

type orderCodeForm struct {
	ExpireTime exchange.Text `json:"expireTime"`
	Details    []codeDetail  `json:"codeDetails"`
}

type codeDetail struct {
	Type    exchange.Text `json:"codeValueType"` // BARCODE, QRCODE
	Value   exchange.Text `json:"codeValue"`
	Display exchange.Text `json:"displayType"` // TEXT, MIDDLEIMAGE, SMALLIMAGE, BIGIMAGE, IMAGE
}

// judge says what a verified answer means. Where it means nothing the verdict is
// ClassNoAnswer, and the error says why without repeating the answer.
func judge(q question, body []byte) (payment.Verdict, error) {
	a, err := exchange.Decode[answer](body)
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
	if err := a.agrees(q); err != nil {
		return v, err
	}
	if q.kind == payment.CallRefund {
		return a.refunded(q, how, v), nil
	}
	v.RequestID, v.PaymentID = string(a.RequestID), string(a.PaymentID)
	v.Amount, _ = a.Amount.Money()
	switch {
	case q.kind == payment.CallPay && (how == succeeded || v.Class == payment.ClassPending):
		return a.placed(q, how, v)
	case how == told:
		return v, nil
	case q.kind == payment.CallCancel:
		v.Class, v.Documented = payment.ClassCancelAccepted, true
		return v, nil
	}
	return a.inquired(q, v)
}

// agrees holds what the answer names against what was asked, whatever its result.
func (a answer) agrees(q question) error {
	for _, id := range []exchange.Text{a.PaymentID, a.RefundID} {
		if id != "" && (!exchange.IsID(string(id)) || exchange.HoldsCode(string(id), q.code)) {
			return errors.New("an id is not usable as one")
		}
	}
	differs := func(told exchange.Text, asked string) bool { return told != "" && asked != "" && string(told) != asked }
	switch {
	case differs(a.RequestID, q.requestID):
		return fmt.Errorf("%w: another paymentRequestId", exchange.ErrMismatch)
	case differs(a.PaymentID, q.paymentID):
		return fmt.Errorf("%w: another paymentId", exchange.ErrMismatch)
	case differs(a.RefundReq, q.refundReq):
		return fmt.Errorf("%w: another refundRequestId", exchange.ErrMismatch)
	case differs(a.RefundID, q.refundID):
		return fmt.Errorf("%w: another refundId", exchange.ErrMismatch)
	}
	if sum, told := a.Amount.Money(); told && q.kind == payment.CallPay && sum != q.amount {
		return fmt.Errorf("%w: another amount", exchange.ErrMismatch)
	}
	if sum, told := a.RefundAmount.Money(); told && q.kind == payment.CallRefund && sum != q.amount {
		return fmt.Errorf("%w: another amount", exchange.ErrMismatch)
	}
	return nil
}

// placed completes the verdict on a pay: the order is there, waiting or paid. The
// documented answer does not name the request id, so S alone proves nothing (P4):
// the inquiry that follows at once does.
func (a answer) placed(q question, how reading, v payment.Verdict) (payment.Verdict, error) {
	v.Wallet = payment.WalletAlipayPlus
	v.Documented = true
	if q.qr {
		v.Class = payment.ClassPending
		v.ExpiresAt = payment.Earlier(exchange.ParseTime(string(a.Form.ExpireTime)), q.expires)
		if v.QR = a.Form.qr(); v.QR == nil {
			return v, errors.New("the order has no usable orderCodeForm")
		}
		return v, nil
	}
	if how == told {
		return v, nil
	}
	v.Class = payment.ClassAccepted
	if v.RequestID != "" && v.Amount == q.amount && !q.amount.IsZero() {
		v.Class = payment.ClassPaid
		v.PaidAt = exchange.ParseTime(string(a.PaidAt))
	}
	return v, nil
}

// qr chooses what the customer scans: the text of a QR code, which is drawn here,
// and as the fallback a ready-made image in base64. An image to be loaded from
// elsewhere is of no use to a display that loads nothing from outside.
func (f orderCodeForm) qr() *payment.QR {
	var qr payment.QR
	for _, d := range f.Details {
		switch {
		case d.Type != "QRCODE":
		case d.Display == "TEXT" || d.Display == "":
			if qr.Payload == "" && exchange.IsVisible(string(d.Value), exchange.MaxQRPayload) {
				qr.Payload = string(d.Value)
			}
		case qr.Image == "":
			qr.Image = exchange.ImageURI(string(d.Value))
		}
	}
	if qr == (payment.QR{}) {
		return nil
	}
	return &qr
}

// inquired completes the verdict of an inquiry that succeeded. It speaks of this
// order only if it names our request id, or the payment id that is known of it.
// One that names neither teaches the payment id, and the next one is held against
// that.
func (a answer) inquired(q question, v payment.Verdict) (payment.Verdict, error) {
	m, listed, ok := interpretPayment(a.Payment.Status, a.Payment.Code)
	if !ok {
		return v, errors.New("paymentResult is missing, or contradicts itself")
	}
	v.Class, v.Reason, v.Documented = m.class, m.reason, listed
	v.GatewayCode = exchange.Printable(a.Payment.Code, q.code)
	v.Wallet = payment.WalletAlipayPlus
	if v.RequestID == "" {
		if v.PaymentID == "" {
			return v, errors.New("the inquiry names no order")
		}
		if v.PaymentID != q.paymentID {
			v.Class, v.Reason = payment.ClassRetryLater, payment.ReasonAnswerMismatch
			return v, nil
		}
		v.RequestID = q.requestID
	}
	if v.Class == payment.ClassPaid {
		if v.Amount.Currency == "" {
			return v, errors.New("a paid order without a usable amount")
		}
		v.PaidAt = exchange.ParseTime(string(a.PaidAt))
	}
	return v, nil
}

// refunded completes the verdict on a refund. The documented answer to one that
// was made names the refundId alone: what the answer does not name is what was
// asked (inferred), and what it names was compared.
func (a answer) refunded(q question, how reading, v payment.Verdict) payment.Verdict {
	v.RequestID, v.RefundID = q.refundReq, string(a.RefundID)
	if how == succeeded {
		v.Class, v.Amount, v.Documented = payment.ClassRefunded, q.amount, true
	}
	return v
}
