package alipayplus

import (
	"errors"
	"net/http"

	"payscand/payment"
	"payscand/payment/exchange"
)

// notice is a notifyPayment request, as far as it is looked at.
type notice struct {
	Payment   exchange.Result `json:"paymentResult"` // S or F
	RequestID exchange.Text   `json:"paymentRequestId"`
	PaymentID exchange.Text   `json:"paymentId"`
	Amount    exchange.Amount `json:"paymentAmount"`
	PaidAt    exchange.Text   `json:"paymentTime"`
}

// Notified reads a notifyPayment request that came to path. One that is not
// verified, or says nothing that can be used, comes back unverified with an error,
// and with the request id that it names: its sender is nobody, yet the order may be
// asked about.
func (g *Gateway) Notified(path string, header http.Header, body []byte) (payment.Notification, error) {
	n := payment.Notification{Gateway: g.client.Name(), RequestID: exchange.AboutRequest(body)}
	if err := g.client.VerifyNotification(path, header, body); err != nil {
		return n, err
	}
	said, err := exchange.Decode[notice](body)
	if err != nil {
		return n, err
	}
	m, listed, ok := interpretPayment(said.Payment.Status, said.Payment.Code)
	switch {
	case !ok || said.Payment.Status == "U":
		return n, errors.New("the notification has no final paymentResult")
	case said.RequestID == "" || n.RequestID != string(said.RequestID):
		return n, errors.New("the notification names no paymentRequestId")
	case said.PaymentID != "" && !exchange.IsID(string(said.PaymentID)):
		return n, errors.New("paymentId is not usable as one")
	}
	n.Verified = true
	n.Verdict = payment.Verdict{
		Class: m.class, Reason: m.reason, Documented: listed, GatewayCode: exchange.Printable(said.Payment.Code, payment.Code{}),
		RequestID: n.RequestID, PaymentID: string(said.PaymentID), Wallet: payment.WalletAlipayPlus,
	}
	n.Verdict.Amount, _ = said.Amount.Money()
	if n.Verdict.Class == payment.ClassPaid {
		n.Verdict.PaidAt = exchange.ParseTime(string(said.PaidAt))
	}
	return n, nil
}

// Acknowledge is the signed answer to a notification at path, by which Alipay+
// stops repeating it (vendor FAQ: whatever the payment's status).
func (g *Gateway) Acknowledge(path string) (http.Header, []byte, error) {
	return g.client.Acknowledge(path, true)
}
