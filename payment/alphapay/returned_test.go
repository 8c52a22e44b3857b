package alphapay

import (
	"testing"

	"payscand/payment"
)

// An inquiry tells how much of a paid order was given back, by whomever.
func TestReturned(t *testing.T) {
	for status, want := range map[string]payment.Extent{
		"SUCCESS": "", "PARTIAL_REFUND": payment.ReturnedInPart, "FULL_REFUND": payment.ReturnedInFull, "CLOSED": "", "FAILED": "", "PAYMENT_IN_PROCESS": "",
	} {
		v, err := judge(testQuestion(payment.CallInquire), []byte(inquiryAnswer(status)))
		if err != nil || v.Returned != want {
			t.Errorf("%s: returned %q, %v; want %q", status, v.Returned, err, want)
		}
	}
}

// Another terminal's order may have any request id, which the answer tells; its
// payment id must be the one that was asked about.
func TestElsewhereAnswers(t *testing.T) {
	q := question{kind: payment.CallInquire, paymentID: testPaymentID, elsewhere: true}
	other := replaced(paid, testRequestID, "till 9/A-77")
	if v, err := judge(q, []byte(other)); err != nil || v.Class != payment.ClassPaid || v.RequestID != "till 9/A-77" || v.PaymentID != testPaymentID || v.Amount != testMoney {
		t.Errorf("%+v, %v", v, err)
	}
	for name, body := range map[string]string{
		"another payment": replaced(other, testPaymentID, "1"),
		"no request id":   replaced(paid, `"paymentRequestId"`, `"other"`),
		"no payment id":   replaced(other, `"paymentId"`, `"other"`),
	} {
		if v, err := judge(q, []byte(body)); err == nil || v.Class != payment.ClassNoAnswer {
			t.Errorf("%s: %+v", name, v)
		}
	}
	q.requestID, q.elsewhere = "till 9/A-77", false // once it is recorded
	if v, _ := judge(q, []byte(paid)); v.Class != payment.ClassNoAnswer || v.Reason != payment.ReasonAnswerMismatch {
		t.Errorf("another order's answer: %+v", v)
	}
}
