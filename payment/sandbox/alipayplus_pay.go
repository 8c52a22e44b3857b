package sandbox

import (
	"errors"
	"net/http"
)

type plusCodeDetail struct {
	Type    string `json:"codeValueType"`
	Value   string `json:"codeValue"`
	Display string `json:"displayType"`
}

type plusCodeForm struct {
	Method  string           `json:"paymentMethodType"`
	Expires string           `json:"expireTime"`
	Details []plusCodeDetail `json:"codeDetails"`
}

// plusPaid is what an answer says of a paid order besides.
type plusPaid struct {
	PspID        string      `json:"pspId,omitempty"`
	CustomerID   string      `json:"customerId,omitempty"`
	Brand        string      `json:"walletBrandName,omitempty"`
	PaymentTime  string      `json:"paymentTime,omitempty"`
	MPPPaymentID string      `json:"mppPaymentId,omitempty"`
	Settlement   *plusAmount `json:"settlementAmount,omitempty"`
}

type plusPayAnswer struct {
	Result     wireResult    `json:"result"`
	AcquirerID string        `json:"acquirerId"`
	PaymentID  string        `json:"paymentId"`
	Amount     plusAmount    `json:"paymentAmount"`
	CodeForm   *plusCodeForm `json:"orderCodeForm,omitempty"`
	plusPaid
}

// pay makes an order once, however often it is sent; a repeat is told how the
// order stands.
func (a *alipayPlus) pay(call *wireCall) any {
	var request plusPayRequest
	if refusal := decodePlus(call.body, &request); refusal != nil {
		return call.refuse(*refusal)
	}
	now := a.config.Clock()
	spec, refusal := request.check(a.config, now)
	if refusal != nil {
		return call.refuse(*refusal)
	}
	call.requestID = spec.RequestID
	sends, chosen, err := a.ledger.arrive(now, spec)
	switch {
	case errors.Is(err, errDifferent):
		return call.refuse(plusInconsistent)
	case errors.Is(err, errPast):
		return call.refuse(*plusBadExpiry())
	case err != nil:
		return call.refuse(plusUnknown)
	}
	switch a.passage(chosen, sends == 1) {
	case isLost:
		call.raw = &reply{lost: true}
		return nil
	case breaks:
		call.raw = new(htmlReply(http.StatusInternalServerError))
		return nil
	case isLimited:
		return call.refuse(plusTooMany)
	case isOffClock:
		return call.refuse(plusClockRefused)
	}
	order, fresh, err := a.ledger.place(a.config.Clock(), GatewayAlipayPlus, spec.RequestID)
	if err != nil {
		return call.refuse(plusUnknown)
	}
	call.result = plusPaymentResult(order)
	if call.result.Status == "F" {
		return wireRefusal{call.result}
	}
	answer := a.payAnswer(call, order)
	if fresh {
		spoilPlus(call, chosen.answer, answer)
	}
	return answer
}

func (a *alipayPlus) payAnswer(call *wireCall, order Order) *plusPayAnswer {
	answer := &plusPayAnswer{Result: call.result, AcquirerID: a.acquirerID(), PaymentID: order.PaymentID, Amount: plusAmountOf(order.Amount, order.Currency)}
	switch {
	case order.Status == StatusPaid:
		answer.plusPaid = a.paid(order)
	case order.Instrument == InstrumentQR:
		link := a.payLink(call.request, order)
		answer.CodeForm = &plusCodeForm{Method: plusWallet, Expires: plusTime(order.ExpiresAt), Details: []plusCodeDetail{
			{"QRCODE", link + "/qr.png", "BIGIMAGE"}, {"QRCODE", link, "TEXT"}}}
	}
	return answer
}

func (a *alipayPlus) paid(order Order) plusPaid {
	settled := plusAmountOf(order.Amount, order.Currency)
	return plusPaid{PspID: a.pspID(), CustomerID: "1000001119" + a.digits("customer", order.RequestID), Brand: "AlipayCN",
		PaymentTime: plusTime(order.EndedAt), MPPPaymentID: "2018" + a.digits("mpp", order.RequestID) + a.digits("mpp2", order.RequestID), Settlement: &settled}
}

// spoilPlus does the answer of the send that made the order the damage that its
// behaviour asks for.
func spoilPlus(c *wireCall, damage answer, told *plusPayAnswer) {
	switch damage {
	case answerLost:
		c.raw = &reply{lost: true}
	case answerHTTP500:
		c.raw = new(htmlReply(http.StatusInternalServerError))
	case answerWrongAmount:
		told.Amount = plusAmountOf(told.Amount.minorUnits()+1, told.Amount.Currency)
	default:
		c.damage = damage
	}
}
