package alipayplus

import (
	"slices"
	"strings"
	"testing"

	"payscand/payment"
	"payscand/payment/exchange/exchangetest"
)

// wantCodes is what each documented code means with the status that its page gives
// it: in the answer to pay, to inquiryPayment as the call's own result, to
// cancelPayment, to refund and to a probe, and last as an inquiry's paymentResult:
// class/reason. The codes up to the line are those of the order code page.
const wantCodes = `
SUCCESS S                          | accepted                        no_answer/answer_malformed      cancel_accepted                 refunded                        not_found                  paid
ACCESS_DENIED F                    | refused/not_permitted           refused/not_permitted           refused/not_permitted           refused/not_permitted           refused/not_permitted      failed/not_permitted
BUSINESS_NOT_SUPPORT F             | refused/not_permitted           refused/not_permitted           refused/not_permitted           refused/not_permitted           refused/not_permitted      failed/not_permitted
CURRENCY_NOT_SUPPORT F             | refused/not_permitted           refused/not_permitted           refused/not_permitted           refused/not_permitted           refused/not_permitted      failed/not_permitted
INVALID_CLIENT F                   | refused/unknown_merchant        refused/unknown_merchant        refused/unknown_merchant        refused/unknown_merchant        refused/unknown_merchant   failed/unknown_merchant
INVALID_CONTRACT F                 | refused/not_permitted           refused/not_permitted           refused/not_permitted           refused/not_permitted           refused/not_permitted      failed/not_permitted
INVALID_SIGNATURE F                | refused/bad_signature           refused/bad_signature           refused/bad_signature           refused/bad_signature           refused/bad_signature      failed/bad_signature
KEY_NOT_FOUND F                    | refused/bad_signature           refused/bad_signature           refused/bad_signature           refused/bad_signature           refused/bad_signature      failed/bad_signature
MEDIA_TYPE_NOT_ACCEPTABLE F        | refused/request_refused         refused/request_refused         refused/request_refused         refused/request_refused         refused/request_refused    failed/request_refused
MERCHANT_NOT_REGISTERED F          | refused/unknown_merchant        refused/unknown_merchant        refused/unknown_merchant        refused/unknown_merchant        refused/unknown_merchant   failed/unknown_merchant
METHOD_NOT_SUPPORTED F             | refused/request_refused         refused/request_refused         refused/request_refused         refused/request_refused         refused/request_refused    failed/request_refused
NO_INTERFACE_DEF F                 | refused/request_refused         refused/request_refused         refused/request_refused         refused/request_refused         refused/request_refused    failed/request_refused
ORDER_IS_CLOSED F                  | closed/not_paid_in_time         retry_later/gateway_error       closed/not_paid_in_time         failed/already_refunded         not_found                  closed/not_paid_in_time
PARAM_ILLEGAL F                    | refused/request_refused         refused/request_refused         refused/request_refused         refused/request_refused         refused/request_refused    failed/request_refused
PAYMENT_AMOUNT_EXCEED_LIMIT F      | failed/amount_limit             retry_later/gateway_error       retry_later/gateway_error       failed/refund_failed            not_found                  failed/amount_limit
PAYMENT_AMOUNT_INVALID F           | refused/request_refused         retry_later/gateway_error       retry_later/gateway_error       failed/refund_failed            not_found                  failed/request_refused
PAYMENT_COUNT_EXCEED_LIMIT F       | failed/count_limit              retry_later/gateway_error       retry_later/gateway_error       failed/refund_failed            not_found                  failed/count_limit
PROCESS_FAIL F                     | failed/declined                 retry_later/gateway_error       retry_later/gateway_error       failed/refund_failed            not_found                  failed/declined
REPEAT_REQ_INCONSISTENT F          | retry_later/answer_mismatch     retry_later/answer_mismatch     retry_later/answer_mismatch     retry_later/answer_mismatch     not_found                  retry_later/gateway_error
RISK_REJECT F                      | failed/declined                 retry_later/gateway_error       retry_later/gateway_error       failed/refund_failed            not_found                  failed/declined
UNAVAILABLE_PAYMENT_METHOD F       | failed/method_unavailable       retry_later/gateway_error       retry_later/gateway_error       failed/refund_failed            not_found                  failed/method_unavailable
USER_AMOUNT_EXCEED_LIMIT F         | failed/amount_limit             retry_later/gateway_error       retry_later/gateway_error       failed/refund_failed            not_found                  failed/amount_limit
USER_BALANCE_NOT_ENOUGH F          | failed/insufficient_funds       retry_later/gateway_error       retry_later/gateway_error       failed/refund_failed            not_found                  failed/insufficient_funds
USER_KYC_NOT_QUALIFIED F           | failed/wallet_account           retry_later/gateway_error       retry_later/gateway_error       failed/refund_failed            not_found                  failed/wallet_account
USER_NOT_EXIST F                   | failed/wallet_account           retry_later/gateway_error       retry_later/gateway_error       failed/refund_failed            not_found                  failed/wallet_account
USER_PAYMENT_VERIFICATION_FAILED F | failed/not_verified             retry_later/gateway_error       retry_later/gateway_error       failed/refund_failed            not_found                  failed/not_verified
USER_STATUS_ABNORMAL F             | failed/wallet_account           retry_later/gateway_error       retry_later/gateway_error       failed/refund_failed            not_found                  failed/wallet_account
PAYMENT_IN_PROCESS U               | pending                         pending                         retry_later/gateway_error       retry_later/gateway_error       not_found                  pending
REQUEST_TRAFFIC_EXCEED_LIMIT U     | retry_later/rate_limited        retry_later/rate_limited        retry_later/rate_limited        retry_later/rate_limited        not_found                  pending
UNKNOWN_EXCEPTION U                | retry_later/gateway_error       retry_later/gateway_error       retry_later/gateway_error       retry_later/gateway_error       not_found                  pending
-
INVALID_CODE F                     | failed/invalid_code             retry_later/gateway_error       retry_later/gateway_error       failed/refund_failed            not_found                  failed/invalid_code
EXPIRED_CODE F                     | failed/expired_code             retry_later/gateway_error       retry_later/gateway_error       failed/refund_failed            not_found                  failed/expired_code
REGULATION_RESTRICTION F           | failed/method_unavailable       retry_later/gateway_error       retry_later/gateway_error       failed/refund_failed            not_found                  failed/method_unavailable
ORDER_NOT_EXIST F                  | retry_later/gateway_error       not_found/not_found             not_found/not_found             failed/not_found                not_found                  not_found/not_found
CANCEL_WINDOW_EXCEED F             | retry_later/gateway_error       retry_later/gateway_error       cancel_too_late                 retry_later/gateway_error       not_found                  retry_later/gateway_error
REFUND_AMOUNT_EXCEED F             | retry_later/gateway_error       retry_later/gateway_error       retry_later/gateway_error       failed/refund_amount            not_found                  retry_later/gateway_error
REFUND_WINDOW_EXCEED F             | retry_later/gateway_error       retry_later/gateway_error       retry_later/gateway_error       failed/refund_too_late          not_found                  retry_later/gateway_error
`

var kinds = []payment.CallKind{payment.CallPay, payment.CallInquire, payment.CallCancel, payment.CallRefund, payment.CallProbe}

// Each documented result code has, in the answer to each call, the meaning of the
// table, and comes through the whole way from the wire. The table in the code has
// exactly the documented codes.
func TestEveryDocumentedCodeOfEveryCall(t *testing.T) {
	var body string
	_, g := newFake(t, func(string, map[string]any) string { return body })
	a := attemptOf(t, g, payment.InstrumentCode)
	var seen []string
	for _, line := range lines(wantCodes) {
		name, cells, isRow := strings.Cut(line, "|")
		if !isRow {
			continue
		}
		code, status, _ := strings.Cut(strings.TrimSpace(name), " ")
		seen = append(seen, code)
		for i, cell := range strings.Fields(cells) {
			class, reason, _ := strings.Cut(cell, "/")
			kind := payment.CallInquire
			body = inquiryAnswer(status, code)
			if i < len(kinds) {
				kind, body = kinds[i], exchangetest.With(status, code, paymentIs)
			}
			v := call(t, g, a, kind)
			if string(v.Class) != class || string(v.Reason) != reason || v.Class.Verified() && (!v.Documented || v.GatewayCode != code) {
				t.Errorf("%s to %s (%d): got %+v, want %s", code, kind, i, v, cell)
			}
		}
	}
	for known := range meanings {
		if !slices.Contains(seen, known) {
			t.Errorf("the code's table has %s, which this test does not", known)
		}
	}
	if len(meanings) != len(seen) {
		t.Errorf("the code's table has %d codes, the pages %d", len(meanings), len(seen))
	}
}

// With U nothing is certain but that an order waits, whatever the code and
// whatever else the answer says.
func TestUnknownStatusIsNeverAVerdict(t *testing.T) {
	for code := range meanings {
		for _, kind := range kinds[:4] {
			body := strings.Replace(inquiryAnswer("S", "SUCCESS"),
				`"result":{"resultCode":"SUCCESS","resultMessage":"words","resultStatus":"S"}`,
				`"result":{"resultCode":"`+code+`","resultMessage":"words","resultStatus":"U"}`, 1)
			q := testQuestion(kind)
			if kind == payment.CallRefund { // of another amount than the order
				q.requestID = testRequestID
			}
			v, err := judge(q, []byte(body))
			if err != nil || v.Class != payment.ClassRetryLater && v.Class != payment.ClassPending {
				t.Errorf("%s to %s: got %+v, %v", code, kind, v, err)
			}
		}
	}
}

// An unlisted F fails a pay and a refund, marked as undocumented; to any other call
// it decides nothing.
func TestUndocumentedCodes(t *testing.T) {
	for _, code := range []string{"SOMETHING", "MERCHANT_FROZEN", ""} {
		for kind, want := range map[payment.CallKind]answerTest{
			payment.CallPay:     {"", payment.ClassFailed, payment.ReasonDeclined},
			payment.CallRefund:  {"", payment.ClassFailed, payment.ReasonRefundFailed},
			payment.CallInquire: {"", payment.ClassRetryLater, payment.ReasonGatewayError},
			payment.CallCancel:  {"", payment.ClassRetryLater, payment.ReasonGatewayError},
		} {
			v, err := judge(testQuestion(kind), []byte(exchangetest.With("F", code, paymentIs)))
			if err != nil || v.Class != want.class || v.Reason != want.reason || v.Documented || v.GatewayCode != code {
				t.Errorf("%q to %s: got %+v, %v", code, kind, v, err)
			}
		}
	}
}
