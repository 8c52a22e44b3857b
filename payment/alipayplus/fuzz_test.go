package alipayplus

import (
	"strings"
	"testing"

	"payscand/payment"
	"payscand/payment/exchange/exchangetest"
)

// Whatever an answer is, the parser neither fails nor panics, shows the payment
// code in nothing, and says nothing positive of an order that is not named or of
// another amount (P4).
func FuzzAnswer(f *testing.F) {
	for _, body := range []string{
		exchangetest.Result("S", "SUCCESS"), inquiryAnswer("S", "SUCCESS"), inquiryAnswer("F", "ORDER_IS_CLOSED"),
		exchangetest.With("U", "PAYMENT_IN_PROCESS", paymentIs+","+formIs), exchangetest.With("S", "SUCCESS", `"refundId":"`+testRefundID+`"`),
		exchangetest.With("F", testCode, `"paymentId":"`+testCode+`"`), `{"result":{},"result":{}}`, "[]", "null", "{\"paymentAmount\":{\"value\":1e9}}",
	} {
		for i := range kinds {
			f.Add(i, false, []byte(body))
			f.Add(i, true, []byte(body))
		}
	}
	f.Fuzz(func(t *testing.T, kind int, qr bool, body []byte) {
		q := testQuestion(kinds[(kind%len(kinds)+len(kinds))%len(kinds)])
		q.qr = qr && q.kind == payment.CallPay
		v, err := judge(q, body)
		switch {
		case v.Class == "":
			t.Fatal("no class")
		case (err != nil) != (v.Class == payment.ClassNoAnswer):
			t.Errorf("%s with %v", v.Class, err)
		case v.Class == payment.ClassPaid && (v.RequestID != testRequestID || v.Amount.Currency == ""):
			t.Errorf("paid without its order: %+v", v)
		case v.Class == payment.ClassPaid && q.kind == payment.CallPay && v.Amount != testMoney:
			t.Errorf("paid with %v", v.Amount)
		case v.Class == payment.ClassRefunded && (v.RequestID != testRefundReq || v.Amount != testRefunded):
			t.Errorf("refunded: %+v", v)
		case q.qr && v.Class == payment.ClassPending && v.QR == nil:
			t.Error("an order code without a QR")
		}
		text := v.GatewayCode + v.PaymentID + v.RefundID
		if err != nil {
			text += err.Error()
		}
		if q.kind == payment.CallPay && strings.Contains(text, testCode) {
			t.Errorf("the code is shown: %s", text)
		}
	})
}
