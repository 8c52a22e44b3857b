package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/go-json-experiment/json"

	"payscand/payment/signature"
)

// notice is a call of notifyPayment. Its result is S or F, never U.
func (a *alipayPlus) notice(ctx context.Context, tried delivery, damage answer) (*http.Request, error) {
	state := a.stateOf(tried.order)
	if damage == answerWrongAmount {
		state.Amount = plusAmountOf(tried.order.Amount+1, tried.order.Currency)
	}
	body, err := json.Marshal(state)
	if err != nil {
		return nil, err
	}
	body, signedBody := damaged(body, damage)
	request, err := newNotice(ctx, tried, body)
	if err != nil {
		return nil, err
	}
	at := plusTime(a.config.Clock())
	header, err := a.answers.Sign(signature.AlipayPlusContent(request.Method, noticePath(request), a.config.ClientID, at, signedBody))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Client-Id", a.config.ClientID)
	request.Header.Set("Request-Time", at)
	if damage != answerUnsigned {
		request.Header.Set("Signature", header)
	}
	return request, nil
}

// acknowledged asks for an answer that the client signed.
func (a *alipayPlus) acknowledged(sent *http.Request, header http.Header, body []byte) error {
	at := header.Get("Response-Time")
	if parsePlusTime(at).IsZero() {
		return errors.New("the answer's Response-Time is missing or not ISO 8601 with offset")
	}
	content := signature.AlipayPlusContent(sent.Method, noticePath(sent), a.config.ClientID, at, body)
	if err := a.requests.Verify(content, header.Get("Signature")); err != nil {
		return fmt.Errorf("the answer's signature: %w", err)
	}
	return acknowledges(body)
}
