package sandbox

import (
	"context"
	"net/http"

	"github.com/go-json-experiment/json"

	"payscand/payment/signature"
)

// notice tells of a payment or a refund in the words of its inquiry, signed as a
// request to the notification URL's path (our reading; the vendor names none).
func (a *alphaPay) notice(ctx context.Context, tried delivery, damage answer) (*http.Request, error) {
	order := tried.order
	var content any = alphaStateOf(order)
	if refund := tried.refund(); refund != nil {
		state := alphaRefundStateOf(order, *refund)
		state.Status = alphaRefundStatuses[refund.Status]
		content = state
	} else if damage == answerWrongAmount {
		order.Amount++
		content = alphaStateOf(order)
	}
	body, err := json.Marshal(content)
	if err != nil {
		return nil, err
	}
	body, signedBody := damaged(body, damage)
	request, err := newNotice(ctx, tried, body)
	if err != nil {
		return nil, err
	}
	at, nonce := vendorTime(a.config.Clock()), a.nextNonce()
	header, err := a.answers.Sign(signature.AlphaPayContent(request.Method, noticePath(request), a.config.MerchantCode, at, nonce, signedBody))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Merchant-Code", a.config.MerchantCode)
	request.Header.Set("Request-Time", at)
	request.Header.Set("Nonce", nonce)
	if damage != answerUnsigned {
		request.Header.Set("Signature", header)
	}
	return request, nil
}

// acknowledged asks for no signature: the vendor names none.
func (a *alphaPay) acknowledged(_ *http.Request, _ http.Header, body []byte) error {
	return acknowledges(body)
}
