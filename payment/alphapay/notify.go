package alphapay

import (
	"errors"
	"net/http"

	"payscand/payment"
	"payscand/payment/exchange"
)

// Notified reads a notification that came to path: the answer of an inquiry without
// its result, headers as a request's, signed over the path of order.notifyUrl
// (inferred). One that is not verified, or says nothing that can be used, comes
// back unverified with an error, and with the request id that it names: its sender
// is nobody, yet the order may be asked about.
//
// Of a refund only its request id is told: the question about it decides.
func (g *Gateway) Notified(path string, header http.Header, body []byte) (payment.Notification, error) {
	n := payment.Notification{Gateway: g.client.Name(), RequestID: exchange.AboutRequest(body)}
	if err := g.client.VerifyNotification(path, header, body); err != nil {
		return n, err
	}
	said, err := decode(body)
	switch {
	case err != nil:
		return n, err
	case n.RequestID == "":
		return n, errors.New("the notification names no paymentRequestId and no refundRequestId")
	case said.RefundRequestID != "":
		n.Verified = true
		n.Verdict = payment.Verdict{Class: payment.ClassPending, Documented: true}
		return n, nil
	}
	q := question{kind: payment.CallInquire, requestID: n.RequestID}
	v := payment.Verdict{GatewayCode: exchange.Printable(string(said.Status), payment.Code{}), Documented: true}
	if err := said.agrees(q); err != nil {
		return n, err
	}
	v.RequestID, v.PaymentID = string(said.RequestID), string(said.PaymentID)
	v.Amount, _ = said.Order.Amount.Money()
	v.Wallet = walletOf(said.Method.Type)
	if err := said.inquired(&v); err != nil {
		return n, err
	}
	n.Verified, n.Verdict = true, v
	return n, nil
}

// Acknowledge is the answer to a notification at path, by which AlphaPay stops
// repeating it (inferred from public integrations: without a signature).
func (g *Gateway) Acknowledge(path string) (http.Header, []byte, error) {
	return g.client.Acknowledge(path, false)
}
