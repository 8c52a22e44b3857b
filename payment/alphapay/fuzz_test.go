package alphapay

import (
	"encoding/json"
	"io"
	"strings"
	"testing"

	"payscand/payment"
	"payscand/payment/exchange/exchangetest"
)

// Whatever bytes a verified answer has, the parser does not panic; it says paid or
// accepted only where every reading of the JSON finds the one status S and no other,
// the ids that were asked for, and no result code that speaks against it; and it
// never shows the payment code.
func FuzzPayAnswer(f *testing.F) {
	qr := exchangetest.With("U", "PAYMENT_IN_PROCESS", ids+`,"paymentInfo":{"paymentUrl":"https://x","paymentQRImage":"data:image/png;base64,AAAA"}`)
	for _, seed := range []string{
		payAccepted, payPending, paid, cancelled, qr, exchangetest.Result("F", "INVALID_PAYMENT_CODE"), "", "null", "{}", `{"result":null}`,
		inquiryAnswer("CLOSED"), inquiryAnswer("OFFLINE_QRCODE"),
		refundTaken, refundInquiry("SUCCESS"), refundInquiry("FAILED"), exchangetest.With("U", "REFUND_NEED_REVIEW", refundIDs),
		replaced(refundInquiry("SUCCESS"), `"refundStatus"`, `"refundStatus":"FAILED","refundStatus"`),
		`{"result":{"resultStatus":"F","resultStatus":"S"}}`,
		replaced(payAccepted, `"resultStatus"`, `"ResultStatus":"F","resultStatus"`),
		replaced(payAccepted, `"resultStatus"`, `"resultStatu\u0073":"F","resultStatus"`),
		replaced(payAccepted, `{"paymentRequestId"`, `{"result":{"resultStatus":"F"},"paymentRequestId"`),
		replaced(payAccepted, testPaymentID, testCode), exchangetest.Result("F", testCode), payAccepted + "x",
		exchangetest.With("S", "SUCCESS", `"transactions":[{"requestId":"`+testRequestID+`","amount":1234}],"pagination":{"total":1}`),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		statuses := statusesIn(body)
		onlyS := len(statuses) == 1 && statuses[0] == "S"
		for _, kind := range append(kinds, refundKinds[:2]...) {
			for _, qr := range []bool{false, true} {
				q := testQuestion(kind)
				q.qr = qr
				v, err := judge(q, body)
				if (err != nil) != (v.Class == payment.ClassNoAnswer) {
					t.Fatalf("%s: %s with error %v", kind, v.Class, err)
				}
				positive := v.Class == payment.ClassPaid || v.Class == payment.ClassAccepted || v.Class == payment.ClassCancelAccepted || v.Class == payment.ClassRefunded
				if positive && !onlyS {
					t.Fatalf("%s: %s from %q, whose statuses are %q", kind, v.Class, body, statuses)
				}
				if v.Class == payment.ClassPaid && (kind != payment.CallInquire || v.RequestID != testRequestID || v.PaymentID != testPaymentID || v.Amount.Currency == "") {
					t.Fatalf("%s: paid for %+v", kind, v)
				}
				accepted := kind == payment.CallPay && v.RequestID != "" && v.PaymentID != "" && !qr ||
					kind == payment.CallRefund && v.RequestID != "" && v.RefundID != ""
				if v.Class == payment.ClassAccepted && !accepted {
					t.Fatalf("%s: accepted for %+v", kind, v)
				}
				if v.Class == payment.ClassRefunded && (kind != payment.CallInquireRefund || v.RequestID == "" || v.RefundID != testRefundID || v.Amount != testRefunded) {
					t.Fatalf("%s: refunded for %+v", kind, v)
				}
				if v.RequestID != "" && v.RequestID != q.requestID {
					t.Fatalf("%s: a verdict on %q", kind, v.RequestID)
				}
				if !isPrintableCode(v.GatewayCode) {
					t.Fatalf("%s: code %q", kind, v.GatewayCode)
				}
				shown := v.GatewayCode + v.PaymentID
				if err != nil {
					shown += err.Error()
				}
				if kind == payment.CallPay && strings.Contains(shown, testCode) {
					t.Fatalf("%s: the payment code is shown: %q", kind, shown)
				}
			}
		}
	})
}

func isPrintableCode(code string) bool {
	return len(code) <= 64 && !strings.ContainsFunc(code, func(r rune) bool { return r < ' ' || r > '~' })
}

// statusesIn finds every result.resultStatus of the bytes, told more than once or
// not, by a tokenizer that neither merges nor refuses duplicate names. Names in
// another case are other names.
func statusesIn(body []byte) []string {
	type level struct {
		object bool
		name   string // of the member whose value comes next
		isName bool   // a name comes next
	}
	var stack []level
	var found []string
	decoder := json.NewDecoder(strings.NewReader(string(body)))
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			return found
		}
		if err != nil {
			return append(found, "broken")
		}
		top := len(stack) - 1
		if top >= 0 && stack[top].object && stack[top].isName {
			if name, isText := token.(string); isText {
				stack[top].name, stack[top].isName = name, false
				continue
			}
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			stack = append(stack, level{object: token == json.Delim('{'), isName: true})
			continue
		case json.Delim('}'), json.Delim(']'):
			stack = stack[:top]
			top--
		default:
			if top == 1 && stack[0].name == "result" && stack[1].name == "resultStatus" && stack[0].object && stack[1].object {
				status, _ := token.(string)
				found = append(found, status)
			}
		}
		if top >= 0 && stack[top].object {
			stack[top].isName = true
		}
	}
}
