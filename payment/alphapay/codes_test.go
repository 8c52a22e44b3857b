package alphapay

import (
	"slices"
	"strings"
	"testing"

	"payscand/payment"
	"payscand/payment/exchange/exchangetest"
)

// documentedCodes is the list of the vendor's page "Keys and Parameters", and SUCCESS.
var documentedCodes = lines(`
PAYMENT_IN_PROCESS
ORDER_MISMATCH
ORDER_PAID
SYSTEMERROR
INVALID_MERCHANT_CODE
SIGN_TIMEOUT
INVALID_SIGN
PARAM_INVALID
INVALID_METHOD_TYPE
EXIST_PROCESSING_REFUND
REFUND_VALID_DATE_EXCEED
REFUND_NEED_REVIEW
INVALID_REFUND_AMOUNT
REFUND_NOT_ENOUGH_BALANCE
FULL_REFUND_COMPLETED
INVALID_PAYMENT_CODE
SUCCESS
`)

// wantF is what each code means with resultStatus F, in the order pay, inquire,
// cancel, lookup, probe: class/reason.
const wantF = `
PAYMENT_IN_PROCESS        | pending                   pending                   pending                   retry_later/gateway_error not_found
ORDER_MISMATCH            | refused/request_refused   not_found/not_found       not_found/not_found       retry_later/gateway_error not_found
ORDER_PAID                | already_paid              already_paid              already_paid              retry_later/gateway_error not_found
SYSTEMERROR               | retry_later/gateway_error retry_later/gateway_error retry_later/gateway_error retry_later/gateway_error not_found
INVALID_MERCHANT_CODE     | refused/unknown_merchant  refused/unknown_merchant  refused/unknown_merchant  refused/unknown_merchant  refused/unknown_merchant
SIGN_TIMEOUT              | refused/clock_wrong       refused/clock_wrong       refused/clock_wrong       refused/clock_wrong       refused/clock_wrong
INVALID_SIGN              | refused/bad_signature     refused/bad_signature     refused/bad_signature     refused/bad_signature     refused/bad_signature
PARAM_INVALID             | refused/request_refused   refused/request_refused   refused/request_refused   refused/request_refused   not_found
INVALID_METHOD_TYPE       | refused/request_refused   refused/request_refused   refused/request_refused   refused/request_refused   not_found
EXIST_PROCESSING_REFUND   | already_paid              retry_later/gateway_error already_paid              retry_later/gateway_error not_found
REFUND_VALID_DATE_EXCEED  | retry_later/gateway_error retry_later/gateway_error retry_later/gateway_error retry_later/gateway_error not_found
REFUND_NEED_REVIEW        | retry_later/gateway_error retry_later/gateway_error retry_later/gateway_error retry_later/gateway_error not_found
INVALID_REFUND_AMOUNT     | retry_later/gateway_error retry_later/gateway_error retry_later/gateway_error retry_later/gateway_error not_found
REFUND_NOT_ENOUGH_BALANCE | retry_later/gateway_error retry_later/gateway_error retry_later/gateway_error retry_later/gateway_error not_found
FULL_REFUND_COMPLETED     | already_paid              retry_later/gateway_error already_paid              retry_later/gateway_error not_found
INVALID_PAYMENT_CODE      | failed/invalid_code       retry_later/gateway_error retry_later/gateway_error retry_later/gateway_error not_found
SUCCESS                   | retry_later/gateway_error retry_later/gateway_error retry_later/gateway_error retry_later/gateway_error not_found
`

// wantRefundF is likewise for refund, inquire_refund and lookup_refund.
const wantRefundF = `
PAYMENT_IN_PROCESS        | retry_later/gateway_error         retry_later/gateway_error         retry_later/gateway_error
ORDER_MISMATCH            | failed/not_found                  not_found/not_found               retry_later/gateway_error
ORDER_PAID                | retry_later/gateway_error         retry_later/gateway_error         retry_later/gateway_error
SYSTEMERROR               | retry_later/gateway_error         retry_later/gateway_error         retry_later/gateway_error
INVALID_MERCHANT_CODE     | refused/unknown_merchant          refused/unknown_merchant          refused/unknown_merchant
SIGN_TIMEOUT              | refused/clock_wrong               refused/clock_wrong               refused/clock_wrong
INVALID_SIGN              | refused/bad_signature             refused/bad_signature             refused/bad_signature
PARAM_INVALID             | refused/request_refused           refused/request_refused           refused/request_refused
INVALID_METHOD_TYPE       | refused/request_refused           refused/request_refused           refused/request_refused
EXIST_PROCESSING_REFUND   | failed/refund_in_process          retry_later/gateway_error         retry_later/gateway_error
REFUND_VALID_DATE_EXCEED  | failed/refund_too_late            retry_later/gateway_error         retry_later/gateway_error
REFUND_NEED_REVIEW        | pending/refund_in_review          pending/refund_in_review          retry_later/gateway_error
INVALID_REFUND_AMOUNT     | failed/refund_amount              retry_later/gateway_error         retry_later/gateway_error
REFUND_NOT_ENOUGH_BALANCE | failed/not_enough_balance         retry_later/gateway_error         retry_later/gateway_error
FULL_REFUND_COMPLETED     | already_refunded/already_refunded retry_later/gateway_error         retry_later/gateway_error
INVALID_PAYMENT_CODE      | retry_later/gateway_error         retry_later/gateway_error         retry_later/gateway_error
SUCCESS                   | retry_later/gateway_error         retry_later/gateway_error         retry_later/gateway_error
`

var (
	kinds       = []payment.CallKind{payment.CallPay, payment.CallInquire, payment.CallCancel, payment.CallLookup, payment.CallProbe}
	refundKinds = []payment.CallKind{payment.CallRefund, payment.CallInquireRefund, payment.CallLookupRefund}
)

// Each documented result code with F has, in the answer to each call, the meaning
// of the table, and comes through the whole way from the wire. The table in the
// code has exactly the documented codes.
func TestEveryDocumentedCodeOfEveryCall(t *testing.T) {
	var code string
	_, g := newFake(t, func(string, map[string]any) string { return exchangetest.With("F", code, ids) })
	sale := testSale(testAttempt(t, g))
	seen := []string{}
	check := func(line string, kinds []payment.CallKind) {
		name, cells, _ := strings.Cut(line, "|")
		code = strings.TrimSpace(name)
		seen = append(seen, code)
		for i, cell := range strings.Fields(cells) {
			class, reason, _ := strings.Cut(cell, "/")
			v := callSale(t, g, sale, kinds[i])
			if string(v.Class) != class || string(v.Reason) != reason || !v.Documented || v.GatewayCode != code {
				t.Errorf("%s to %s: got %+v, want %s", code, kinds[i], v, cell)
			}
		}
	}
	for _, line := range lines(wantF) {
		check(line, kinds)
	}
	for _, line := range lines(wantRefundF) {
		check(line, refundKinds)
	}
	slices.Sort(seen)
	if want := slices.Sorted(slices.Values(append(documentedCodes, documentedCodes...))); !slices.Equal(seen, want) {
		t.Errorf("this test has %v, the vendor %v", seen, want)
	}
	for known := range meanings {
		if !slices.Contains(documentedCodes, known) {
			t.Errorf("the code's table has %s, which the vendor does not list", known)
		}
	}
	if len(meanings) != len(documentedCodes) {
		t.Errorf("the code's table has %d codes, the vendor %d", len(meanings), len(documentedCodes))
	}
}

// With U nothing is certain: whatever the code, and whatever else the answer says,
// no verdict on the payment follows. PAYMENT_IN_PROCESS waits.
func TestUnknownStatusIsNeverAVerdict(t *testing.T) {
	for _, code := range append(documentedCodes, "USERPAYING", "") {
		for _, kind := range kinds[:3] {
			body := exchangetest.With("U", code, ids+","+orderIs+`,"paymentStatus":"SUCCESS"`)
			v, err := judge(testQuestion(kind), []byte(body))
			if err != nil {
				t.Errorf("%s to %s: %v", code, kind, err)
			}
			want := payment.ClassRetryLater
			if code == "PAYMENT_IN_PROCESS" {
				want = payment.ClassPending
			}
			if v.Class != want || v.PaymentID != testPaymentID {
				t.Errorf("%s to %s: got %+v, want %s with the payment id", code, kind, v, want)
			}
		}
	}
}

// With S a code that speaks against success makes the answer worthless, ORDER_PAID
// is believed, and SYSTEMERROR is unknown.
func TestCodesThatContradictSuccess(t *testing.T) {
	for _, code := range documentedCodes {
		for _, kind := range kinds[:3] {
			body := exchangetest.With("S", code, ids+","+orderIs+`,"paymentStatus":"SUCCESS"`)
			v, err := judge(testQuestion(kind), []byte(body))
			succeeds := map[payment.CallKind]payment.Class{
				payment.CallPay: payment.ClassAccepted, payment.CallInquire: payment.ClassPaid, payment.CallCancel: payment.ClassCancelAccepted,
			}[kind]
			want := payment.ClassNoAnswer
			switch code {
			case "SUCCESS", "PAYMENT_IN_PROCESS":
				want = succeeds
			case "SYSTEMERROR":
				want = payment.ClassRetryLater
			case "ORDER_PAID":
				want = payment.ClassAlreadyPaid
				if kind == payment.CallInquire {
					want = payment.ClassPaid // its own status says so
				}
			case "FULL_REFUND_COMPLETED", "EXIST_PROCESSING_REFUND":
				want = payment.ClassAlreadyPaid
				if kind == payment.CallInquire {
					want = payment.ClassNoAnswer
				}
			}
			if v.Class != want || (err != nil) != (want == payment.ClassNoAnswer) {
				t.Errorf("S with %s to %s: got %s, %v, want %s", code, kind, v.Class, err, want)
			}
		}
	}
}

// An unlisted F fails a pay, marked as undocumented; what the customer is told
// follows the name only where that is plain. To any other call it decides nothing.
func TestUndocumentedCodes(t *testing.T) {
	for code, reason := range map[string]payment.Reason{
		"USER_BALANCE_NOT_ENOUGH":     payment.ReasonInsufficientFunds,
		"INSUFFICIENT_BALANCE":        payment.ReasonInsufficientFunds,
		"BALANCE_INSUFFICIENT":        payment.ReasonInsufficientFunds,
		"insufficient_funds":          payment.ReasonInsufficientFunds,
		"NOTENOUGH":                   payment.ReasonInsufficientFunds,
		"MERCHANT_BALANCE_NOT_ENOUGH": payment.ReasonDeclined,
		"REFUND_BALANCE_NOT_ENOUGH":   payment.ReasonDeclined,
		"INSUFFICIENT_PERMISSIONS":    payment.ReasonDeclined,
		"BALANCE_FROZEN":              payment.ReasonDeclined,
		"AUTHCODEEXPIRE":              payment.ReasonExpiredCode,
		"PAYMENT_CODE_EXPIRED":        payment.ReasonExpiredCode,
		"ORDER_EXPIRED":               payment.ReasonDeclined,
		"RISK_REJECT":                 payment.ReasonDeclined,
		"":                            payment.ReasonDeclined,
	} {
		for _, kind := range kinds[:3] {
			v, err := judge(testQuestion(kind), []byte(exchangetest.With("F", code, `"paymentId":"`+testPaymentID+`"`)))
			class, want := payment.ClassRetryLater, payment.ReasonGatewayError
			if kind == payment.CallPay {
				class, want = payment.ClassFailed, reason
			}
			if err != nil || v.Class != class || v.Reason != want || v.Documented || v.GatewayCode != code || v.PaymentID != testPaymentID {
				t.Errorf("%q to %s: got %+v, %v", code, kind, v, err)
			}
		}
	}
}

// A probe is answered by anything but a refusal of signature, merchant or clock.
func TestProbe(t *testing.T) {
	for body, want := range map[string]payment.Class{
		exchangetest.Result("F", "ORDER_MISMATCH"):        payment.ClassNotFound,
		exchangetest.Result("F", "PARAM_INVALID"):         payment.ClassNotFound, // the id is made up
		exchangetest.Result("F", "NO_SUCH_ORDER"):         payment.ClassNotFound,
		exchangetest.Result("U", "SYSTEMERROR"):           payment.ClassNotFound,
		exchangetest.Result("S", "SUCCESS"):               payment.ClassNotFound,
		exchangetest.Result("F", "INVALID_SIGN"):          payment.ClassRefused,
		exchangetest.Result("U", "INVALID_SIGN"):          payment.ClassRefused,
		exchangetest.Result("F", "INVALID_MERCHANT_CODE"): payment.ClassRefused,
		exchangetest.Result("F", "SIGN_TIMEOUT"):          payment.ClassRefused,
		exchangetest.Result("S", "SIGN_TIMEOUT"):          payment.ClassNoAnswer,
		exchangetest.Result("X", "SUCCESS"):               payment.ClassNoAnswer,
		`{}`:                                              payment.ClassNoAnswer,
	} {
		if v, _ := judge(question{kind: payment.CallProbe}, []byte(body)); v.Class != want {
			t.Errorf("%s: got %s, want %s", body, v.Class, want)
		}
	}
}

func testQuestion(kind payment.CallKind) question {
	q := question{kind: kind, requestID: testRequestID, amount: testMoney}
	switch kind {
	case payment.CallPay:
		q.code = payment.NewCode(testCode)
	case payment.CallInquire, payment.CallCancel:
		q.paymentID = testPaymentID
	case payment.CallRefund, payment.CallInquireRefund, payment.CallLookupRefund:
		q.paymentID, q.requestID, q.amount = testPaymentID, testRefundReq, testRefunded
		if kind == payment.CallInquireRefund {
			q.refundID = testRefundID
		}
	}
	return q
}
