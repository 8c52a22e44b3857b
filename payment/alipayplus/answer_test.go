package alipayplus

import (
	"strings"
	"testing"
	"time"

	"payscand/payment"
)

func testQuestion(kind payment.CallKind) question {
	q := question{kind: kind, requestID: testRequestID, amount: testMoney, code: payment.NewCode(testCode)}
	if kind == payment.CallRefund {
		q.refundReq, q.amount, q.paymentID = testRefundReq, testRefunded, testPaymentID
	}
	return q
}

type answerTest struct {
	body   string
	class  payment.Class
	reason payment.Reason
}

func checkAnswers(t *testing.T, q question, tests map[string]answerTest) {
	t.Helper()
	for name, test := range tests {
		v, err := judge(q, []byte(test.body))
		if v.Class != test.class || v.Reason != test.reason || (err != nil) != (test.class == payment.ClassNoAnswer) {
			t.Errorf("%s: got %s (%s), %v, want %s (%s)", name, v.Class, v.Reason, err, test.class, test.reason)
		}
	}
}

// The documented answer to a pay names no request id, so that S makes an inquiry
// follow; one that names it with the right amount proves payment. Whatever it
// names must be what was asked (P4).
func TestPayAnswers(t *testing.T) {
	checkAnswers(t, testQuestion(payment.CallPay), map[string]answerTest{
		"S":                       {with("S", "SUCCESS", paymentIs+","+amountIs), payment.ClassAccepted, ""},
		"S, bare":                 {result("S", "SUCCESS"), payment.ClassAccepted, ""},
		"S that names all":        {with("S", "SUCCESS", requestIs+","+paymentIs+","+amountIs), payment.ClassPaid, ""},
		"S without amount":        {with("S", "SUCCESS", requestIs+","+paymentIs), payment.ClassAccepted, ""},
		"in process":              {with("U", "PAYMENT_IN_PROCESS", paymentIs), payment.ClassPending, ""},
		"in process, said with S": {result("S", "PAYMENT_IN_PROCESS"), payment.ClassPending, ""},
		"in process, said with F": {result("F", "PAYMENT_IN_PROCESS"), payment.ClassRetryLater, payment.ReasonGatewayError},
		"unknown":                 {result("U", "UNKNOWN_EXCEPTION"), payment.ClassRetryLater, payment.ReasonGatewayError},
		"F":                       {result("F", "RISK_REJECT"), payment.ClassFailed, payment.ReasonDeclined},
		"F with SUCCESS":          {result("F", "SUCCESS"), payment.ClassRetryLater, payment.ReasonGatewayError},
		"S with a failure":        {result("S", "RISK_REJECT"), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"no status":               {`{"result":{"resultCode":"SUCCESS"}}`, payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"another status":          {result("X", "SUCCESS"), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"another order":           {with("S", "SUCCESS", `"paymentRequestId":"OTHER"`), payment.ClassNoAnswer, payment.ReasonAnswerMismatch},
		"another order's failure": {with("F", "RISK_REJECT", `"paymentRequestId":"OTHER"`), payment.ClassNoAnswer, payment.ReasonAnswerMismatch},
		"another amount":          {with("S", "SUCCESS", `"paymentAmount":{"value":"1235","currency":"CAD"}`), payment.ClassNoAnswer, payment.ReasonAnswerMismatch},
		"another currency":        {with("S", "SUCCESS", `"paymentAmount":{"value":"1234","currency":"USD"}`), payment.ClassNoAnswer, payment.ReasonAnswerMismatch},
		"the code as payment id":  {with("S", "SUCCESS", `"paymentId":"`+testCode+`"`), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"two results":             {`{"result":{"resultStatus":"F","resultCode":"RISK_REJECT"},"result":{"resultStatus":"S","resultCode":"SUCCESS"}}`, payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"two statuses":            {`{"result":{"resultStatus":"F","resultStatus":"S","resultCode":"SUCCESS"}}`, payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"names in capitals":       {`{"RESULT":{"resultStatus":"S","resultCode":"SUCCESS"}}`, payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"not JSON":                {"<html>", payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"empty":                   {"", payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
	})
	v, err := judge(testQuestion(payment.CallPay), []byte(with("S", "SUCCESS", requestIs+","+paymentIs+","+amountIs+`,"paymentTime":"2025-06-03T15:05:24-08:00"`)))
	if err != nil || v.RequestID != testRequestID || v.PaymentID != testPaymentID || v.Amount != testMoney ||
		v.Wallet != payment.WalletAlipayPlus || !v.PaidAt.Equal(time.Date(2025, 6, 3, 23, 5, 24, 0, time.UTC)) {
		t.Errorf("got %+v, %v", v, err)
	}
}

// An order code is waiting with whatever status its form comes; without a usable
// form there is no answer. The text of the QR code is shown, a ready-made image
// only where it is in the answer itself.
func TestOrderCodeAnswers(t *testing.T) {
	q := testQuestion(payment.CallPay)
	q.qr, q.code = true, payment.Code{}
	form := func(details string) string {
		return with("U", "PAYMENT_IN_PROCESS", `"orderCodeForm":{"codeDetails":[`+details+`]}`)
	}
	checkAnswers(t, q, map[string]answerTest{
		"in process":              {with("U", "PAYMENT_IN_PROCESS", paymentIs+","+formIs), payment.ClassPending, ""},
		"S with the form":         {with("S", "SUCCESS", paymentIs+","+formIs), payment.ClassPending, ""},
		"S without the form":      {with("S", "SUCCESS", paymentIs), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"in process, no form":     {with("U", "PAYMENT_IN_PROCESS", paymentIs), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"unknown":                 {with("U", "UNKNOWN_EXCEPTION", formIs), payment.ClassRetryLater, payment.ReasonGatewayError},
		"F":                       {with("F", "PARAM_ILLEGAL", formIs), payment.ClassRefused, payment.ReasonRequestRefused},
		"only a bar code":         {form(`{"codeValueType":"BARCODE","codeValue":"x","displayType":"TEXT"}`), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"only an image elsewhere": {form(`{"codeValueType":"QRCODE","codeValue":"https://img.example/a.png","displayType":"BIGIMAGE"}`), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"only an image":           {form(`{"codeValueType":"QRCODE","codeValue":"aGVsbG8=","displayType":"BIGIMAGE"}`), payment.ClassPending, ""},
		"a payload with a space":  {form(`{"codeValueType":"QRCODE","codeValue":"a b","displayType":"TEXT"}`), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"a payload of 2,000":      {form(`{"codeValueType":"QRCODE","codeValue":"` + strings.Repeat("x", 2000) + `","displayType":"TEXT"}`), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
	})
	v, err := judge(q, []byte(with("U", "PAYMENT_IN_PROCESS", paymentIs+","+formIs)))
	want := payment.QR{Payload: "https://global.alipay.com/281002040098wk", Image: "data:image/png;base64,aGVsbG8="}
	if err != nil || v.QR == nil || *v.QR != want || !v.ExpiresAt.Equal(time.Date(2025, 6, 3, 22, 8, 24, 0, time.UTC)) {
		t.Errorf("got %+v, %v, %v", v, v.QR, err)
	}
}

// An inquiry's result is the call's, its paymentResult the payment's.
func TestInquiryAnswers(t *testing.T) {
	paid := inquiryAnswer("S", "SUCCESS")
	changed := func(old, now string) string {
		if !strings.Contains(paid, old) {
			t.Fatalf("%s is not in the answer", old)
		}
		return strings.Replace(paid, old, now, 1)
	}
	checkAnswers(t, testQuestion(payment.CallInquire), map[string]answerTest{
		"S, S":                      {paid, payment.ClassPaid, ""},
		"S, U":                      {inquiryAnswer("U", "PAYMENT_IN_PROCESS"), payment.ClassPending, ""},
		"S, U without a known code": {inquiryAnswer("U", "SOMETHING"), payment.ClassPending, ""},
		"S, closed":                 {inquiryAnswer("F", "ORDER_IS_CLOSED"), payment.ClassClosed, payment.ReasonNotPaidInTime},
		"S, F":                      {inquiryAnswer("F", "USER_BALANCE_NOT_ENOUGH"), payment.ClassFailed, payment.ReasonInsufficientFunds},
		"S, F of another call":      {inquiryAnswer("F", "INVALID_SIGNATURE"), payment.ClassFailed, payment.ReasonBadSignature},
		"S, F not listed":           {inquiryAnswer("F", "SOMETHING"), payment.ClassFailed, payment.ReasonDeclined},
		"S, F of an unknown":        {inquiryAnswer("F", "UNKNOWN_EXCEPTION"), payment.ClassRetryLater, payment.ReasonGatewayError},
		"S, F with SUCCESS":         {inquiryAnswer("F", "SUCCESS"), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"S, S with a failure":       {inquiryAnswer("S", "RISK_REJECT"), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"S, nothing":                {with("S", "SUCCESS", requestIs), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"S/in process, S":           {strings.Replace(paid, `"result":{"resultCode":"SUCCESS"`, `"result":{"resultCode":"PAYMENT_IN_PROCESS"`, 1), payment.ClassPaid, ""},
		"in process":                {result("U", "PAYMENT_IN_PROCESS"), payment.ClassPending, ""},
		"U":                         {result("U", "UNKNOWN_EXCEPTION"), payment.ClassRetryLater, payment.ReasonGatewayError},
		"U, whatever else it says":  {strings.Replace(paid, `words","resultStatus":"S"}}`, `words","resultStatus":"U"}}`, 1), payment.ClassRetryLater, payment.ReasonGatewayError},
		"not there":                 {result("F", "ORDER_NOT_EXIST"), payment.ClassNotFound, payment.ReasonNotFound},
		"F":                         {result("F", "INVALID_SIGNATURE"), payment.ClassRefused, payment.ReasonBadSignature},
		"F of a payment":            {result("F", "RISK_REJECT"), payment.ClassRetryLater, payment.ReasonGatewayError},
		"F not listed":              {result("F", "SOMETHING"), payment.ClassRetryLater, payment.ReasonGatewayError},
		"another order":             {changed(testRequestID, "OTHER"), payment.ClassNoAnswer, payment.ReasonAnswerMismatch},
		"no amount":                 {changed(`"value":"1234"`, `"value":"12.34"`), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"no request id":             {changed(requestIs+",", ""), payment.ClassRetryLater, payment.ReasonAnswerMismatch},
		"no id at all":              {changed(requestIs+","+paymentIs+",", ""), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
	})
	known := testQuestion(payment.CallInquire)
	known.paymentID = testPaymentID
	checkAnswers(t, known, map[string]answerTest{
		"the known payment id, no request id": {changed(requestIs+",", ""), payment.ClassPaid, ""},
		"another payment id":                  {changed(testPaymentID, "P2"), payment.ClassNoAnswer, payment.ReasonAnswerMismatch},
	})
	// Which payment id it is stays with the attempt, though nothing is proved yet.
	if v, _ := judge(testQuestion(payment.CallInquire), []byte(changed(requestIs+",", ""))); v.PaymentID != testPaymentID {
		t.Errorf("the payment id is not told: %+v", v)
	}
	// An amount that is not the order's is told: Step says what to do about it.
	if v, _ := judge(known, []byte(changed(`"1234"`, `"1"`))); v.Class != payment.ClassPaid || v.Amount.Amount != 1 {
		t.Errorf("another amount: %+v", v)
	}
}

// Cancel is done only with S; its answer need not name the order.
func TestCancelAnswers(t *testing.T) {
	checkAnswers(t, testQuestion(payment.CallCancel), map[string]answerTest{
		"S":                 {result("S", "SUCCESS"), payment.ClassCancelAccepted, ""},
		"S that names it":   {with("S", "SUCCESS", requestIs+","+paymentIs), payment.ClassCancelAccepted, ""},
		"another order's S": {with("S", "SUCCESS", `"paymentRequestId":"OTHER"`), payment.ClassNoAnswer, payment.ReasonAnswerMismatch},
		"U":                 {result("U", "UNKNOWN_EXCEPTION"), payment.ClassRetryLater, payment.ReasonGatewayError},
		"window over":       {result("F", "CANCEL_WINDOW_EXCEED"), payment.ClassCancelTooLate, ""},
		"not there":         {result("F", "ORDER_NOT_EXIST"), payment.ClassNotFound, payment.ReasonNotFound},
		"closed":            {result("F", "ORDER_IS_CLOSED"), payment.ClassClosed, payment.ReasonNotPaidInTime},
		"F":                 {result("F", "PROCESS_FAIL"), payment.ClassRetryLater, payment.ReasonGatewayError},
		"S with a failure":  {result("S", "CANCEL_WINDOW_EXCEED"), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"U with a failure":  {result("U", "CANCEL_WINDOW_EXCEED"), payment.ClassRetryLater, payment.ReasonGatewayError},
	})
}

// A refund is done with S. Its answer names the refundId; what else it names must
// be what was asked.
func TestRefundAnswers(t *testing.T) {
	refund := `"refundId":"` + testRefundID + `"`
	checkAnswers(t, testQuestion(payment.CallRefund), map[string]answerTest{
		"S":                {with("S", "SUCCESS", refund), payment.ClassRefunded, ""},
		"S that names all": {with("S", "SUCCESS", refund+`,"refundRequestId":"`+testRefundReq+`","refundAmount":{"value":"500","currency":"CAD"}`), payment.ClassRefunded, ""},
		"another refund's": {with("S", "SUCCESS", refund+`,"refundRequestId":"OTHER"`), payment.ClassNoAnswer, payment.ReasonAnswerMismatch},
		"another amount":   {with("S", "SUCCESS", refund+`,"refundAmount":{"value":"501","currency":"CAD"}`), payment.ClassNoAnswer, payment.ReasonAnswerMismatch},
		"another payment":  {with("S", "SUCCESS", refund+`,"paymentId":"P2"`), payment.ClassNoAnswer, payment.ReasonAnswerMismatch},
		"U":                {result("U", "UNKNOWN_EXCEPTION"), payment.ClassRetryLater, payment.ReasonGatewayError},
		"U in process":     {result("U", "PAYMENT_IN_PROCESS"), payment.ClassRetryLater, payment.ReasonGatewayError},
		"too late":         {result("F", "REFUND_WINDOW_EXCEED"), payment.ClassFailed, payment.ReasonRefundTooLate},
		"too much":         {result("F", "REFUND_AMOUNT_EXCEED"), payment.ClassFailed, payment.ReasonRefundAmount},
		"no balance":       {result("F", "MERCHANT_BALANCE_NOT_ENOUGH"), payment.ClassFailed, payment.ReasonNotEnoughBalance},
		"F not listed":     {result("F", "SOMETHING"), payment.ClassFailed, payment.ReasonRefundFailed},
		"no such payment":  {result("F", "ORDER_NOT_EXIST"), payment.ClassFailed, payment.ReasonNotFound},
	})
	v, err := judge(testQuestion(payment.CallRefund), []byte(with("S", "SUCCESS", refund)))
	if err != nil || v.RequestID != testRefundReq || v.RefundID != testRefundID || v.Amount != testRefunded {
		t.Errorf("got %+v, %v", v, err)
	}
	q := testQuestion(payment.CallRefund)
	q.refundID = "R2"
	assertVerdict(t, first(judge(q, []byte(with("S", "SUCCESS", refund)))), payment.ClassNoAnswer, payment.ReasonAnswerMismatch)
}

func first(v payment.Verdict, _ error) payment.Verdict { return v }

// A probe is answered by anything but a refusal of signature, client or parameters.
func TestProbe(t *testing.T) {
	for body, want := range map[string]payment.Class{
		result("F", "ORDER_NOT_EXIST"):   payment.ClassNotFound,
		result("F", "SOMETHING"):         payment.ClassNotFound,
		result("U", "UNKNOWN_EXCEPTION"): payment.ClassNotFound,
		result("S", "SUCCESS"):           payment.ClassNotFound,
		result("F", "INVALID_SIGNATURE"): payment.ClassRefused,
		result("U", "INVALID_SIGNATURE"): payment.ClassRefused,
		result("F", "INVALID_CLIENT"):    payment.ClassRefused,
		result("F", "ACCESS_DENIED"):     payment.ClassRefused,
		result("F", "PARAM_ILLEGAL"):     payment.ClassRefused,
		result("S", "INVALID_CLIENT"):    payment.ClassNoAnswer,
		result("X", "SUCCESS"):           payment.ClassNoAnswer,
		`{}`:                             payment.ClassNoAnswer,
	} {
		if v, _ := judge(question{kind: payment.CallProbe}, []byte(body)); v.Class != want {
			t.Errorf("%s: got %s, want %s", body, v.Class, want)
		}
	}
}
