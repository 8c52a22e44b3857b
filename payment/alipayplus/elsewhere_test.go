package alipayplus

import (
	"strings"
	"testing"

	"payscand/payment"
)

// Another terminal's payment is asked about by its payment id alone; the answer
// tells the request id, by which it is refunded then.
func TestElsewhere(t *testing.T) {
	answered := strings.ReplaceAll(inquiryAnswer("S", "SUCCESS"), testRequestID, "OTHER-TILL-77")
	f, g := newFake(t, always(answered))
	foreign := payment.ForeignAttempt(testSale, g.Name(), testPaymentID)
	v := call(t, g, foreign.Attempts[0], payment.CallInquire)
	if v.Class != payment.ClassPaid || v.RequestID != "OTHER-TILL-77" || v.PaymentID != testPaymentID || v.Amount != testMoney {
		t.Errorf("%+v", v)
	}
	if got, want := string(f.calls()[0].body), `{"paymentId":"`+testPaymentID+`"}`; got != want {
		t.Errorf("asked with %s, want %s", got, want)
	}
	known := foreign.Attempts[0]
	known.RequestID = v.RequestID
	call(t, g, known, payment.CallRefund)
	if body := string(f.calls()[1].body); !strings.Contains(body, `"paymentRequestId":"OTHER-TILL-77"`) || !strings.Contains(body, testRefundReq) {
		t.Errorf("refunded with %s", body)
	}
}
