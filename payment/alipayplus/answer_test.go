package alipayplus

import (
	"strings"
	"testing"
	"time"

	"payscand/payment"
	"payscand/payment/exchange/exchangetest"
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
		"S":                       {exchangetest.With("S", "SUCCESS", paymentIs+","+amountIs), payment.ClassAccepted, ""},
		"S, bare":                 {exchangetest.Result("S", "SUCCESS"), payment.ClassAccepted, ""},
		"S that names all":        {exchangetest.With("S", "SUCCESS", requestIs+","+paymentIs+","+amountIs), payment.ClassPaid, ""},
		"S without amount":        {exchangetest.With("S", "SUCCESS", requestIs+","+paymentIs), payment.ClassAccepted, ""},
		"in process":              {exchangetest.With("U", "PAYMENT_IN_PROCESS", paymentIs), payment.ClassPending, ""},
		"in process, said with S": {exchangetest.Result("S", "PAYMENT_IN_PROCESS"), payment.ClassPending, ""},
		"in process, said with F": {exchangetest.Result("F", "PAYMENT_IN_PROCESS"), payment.ClassRetryLater, payment.ReasonGatewayError},
		"unknown":                 {exchangetest.Result("U", "UNKNOWN_EXCEPTION"), payment.ClassRetryLater, payment.ReasonGatewayError},
		"F":                       {exchangetest.Result("F", "RISK_REJECT"), payment.ClassFailed, payment.ReasonDeclined},
		"F with SUCCESS":          {exchangetest.Result("F", "SUCCESS"), payment.ClassRetryLater, payment.ReasonGatewayError},
		"S with a failure":        {exchangetest.Result("S", "RISK_REJECT"), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"no status":               {`{"result":{"resultCode":"SUCCESS"}}`, payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"another status":          {exchangetest.Result("X", "SUCCESS"), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"another order":           {exchangetest.With("S", "SUCCESS", `"paymentRequestId":"OTHER"`), payment.ClassNoAnswer, payment.ReasonAnswerMismatch},
		"another order's failure": {exchangetest.With("F", "RISK_REJECT", `"paymentRequestId":"OTHER"`), payment.ClassNoAnswer, payment.ReasonAnswerMismatch},
		"another amount":          {exchangetest.With("S", "SUCCESS", `"paymentAmount":{"value":"1235","currency":"CAD"}`), payment.ClassNoAnswer, payment.ReasonAnswerMismatch},
		"another currency":        {exchangetest.With("S", "SUCCESS", `"paymentAmount":{"value":"1234","currency":"USD"}`), payment.ClassNoAnswer, payment.ReasonAnswerMismatch},
		"the code as payment id":  {exchangetest.With("S", "SUCCESS", `"paymentId":"`+testCode+`"`), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"two results":             {`{"result":{"resultStatus":"F","resultCode":"RISK_REJECT"},"result":{"resultStatus":"S","resultCode":"SUCCESS"}}`, payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"two statuses":            {`{"result":{"resultStatus":"F","resultStatus":"S","resultCode":"SUCCESS"}}`, payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"names in capitals":       {`{"RESULT":{"resultStatus":"S","resultCode":"SUCCESS"}}`, payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"not JSON":                {"<html>", payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"empty":                   {"", payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
	})
	v, err := judge(testQuestion(payment.CallPay), []byte(exchangetest.With("S", "SUCCESS", requestIs+","+paymentIs+","+amountIs+`,"paymentTime":"2025-06-03T15:05:24-08:00"`)))
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
		return exchangetest.With("U", "PAYMENT_IN_PROCESS", `"orderCodeForm":{"codeDetails":[`+details+`]}`)
	}
	checkAnswers(t, q, map[string]answerTest{
		"in process":              {exchangetest.With("U", "PAYMENT_IN_PROCESS", paymentIs+","+formIs), payment.ClassPending, ""},
		"S with the form":         {exchangetest.With("S", "SUCCESS", paymentIs+","+formIs), payment.ClassPending, ""},
		"S without the form":      {exchangetest.With("S", "SUCCESS", paymentIs), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"in process, no form":     {exchangetest.With("U", "PAYMENT_IN_PROCESS", paymentIs), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"unknown":                 {exchangetest.With("U", "UNKNOWN_EXCEPTION", formIs), payment.ClassRetryLater, payment.ReasonGatewayError},
		"F":                       {exchangetest.With("F", "PARAM_ILLEGAL", formIs), payment.ClassRefused, payment.ReasonRequestRefused},
		"only a bar code":         {form(`{"codeValueType":"BARCODE","codeValue":"x","displayType":"TEXT"}`), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"only an image elsewhere": {form(`{"codeValueType":"QRCODE","codeValue":"https://img.example/a.png","displayType":"BIGIMAGE"}`), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"only an image":           {form(`{"codeValueType":"QRCODE","codeValue":"aGVsbG8=","displayType":"BIGIMAGE"}`), payment.ClassPending, ""},
		"a payload with a space":  {form(`{"codeValueType":"QRCODE","codeValue":"a b","displayType":"TEXT"}`), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"a payload of 2,000":      {form(`{"codeValueType":"QRCODE","codeValue":"` + strings.Repeat("x", 2000) + `","displayType":"TEXT"}`), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
	})
	v, err := judge(q, []byte(exchangetest.With("U", "PAYMENT_IN_PROCESS", paymentIs+","+formIs)))
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
		"S, nothing":                {exchangetest.With("S", "SUCCESS", requestIs), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"S/in process, S":           {strings.Replace(paid, `"result":{"resultCode":"SUCCESS"`, `"result":{"resultCode":"PAYMENT_IN_PROCESS"`, 1), payment.ClassPaid, ""},
		"in process":                {exchangetest.Result("U", "PAYMENT_IN_PROCESS"), payment.ClassPending, ""},
		"U":                         {exchangetest.Result("U", "UNKNOWN_EXCEPTION"), payment.ClassRetryLater, payment.ReasonGatewayError},
		"U, whatever else it says":  {strings.Replace(paid, `words","resultStatus":"S"}}`, `words","resultStatus":"U"}}`, 1), payment.ClassRetryLater, payment.ReasonGatewayError},
		"not there":                 {exchangetest.Result("F", "ORDER_NOT_EXIST"), payment.ClassNotFound, payment.ReasonNotFound},
		"F":                         {exchangetest.Result("F", "INVALID_SIGNATURE"), payment.ClassRefused, payment.ReasonBadSignature},
		"F of a payment":            {exchangetest.Result("F", "RISK_REJECT"), payment.ClassRetryLater, payment.ReasonGatewayError},
		"F not listed":              {exchangetest.Result("F", "SOMETHING"), payment.ClassRetryLater, payment.ReasonGatewayError},
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
		"S":                 {exchangetest.Result("S", "SUCCESS"), payment.ClassCancelAccepted, ""},
		"S that names it":   {exchangetest.With("S", "SUCCESS", requestIs+","+paymentIs), payment.ClassCancelAccepted, ""},
		"another order's S": {exchangetest.With("S", "SUCCESS", `"paymentRequestId":"OTHER"`), payment.ClassNoAnswer, payment.ReasonAnswerMismatch},
		"U":                 {exchangetest.Result("U", "UNKNOWN_EXCEPTION"), payment.ClassRetryLater, payment.ReasonGatewayError},
		"window over":       {exchangetest.Result("F", "CANCEL_WINDOW_EXCEED"), payment.ClassCancelTooLate, ""},
		"not there":         {exchangetest.Result("F", "ORDER_NOT_EXIST"), payment.ClassNotFound, payment.ReasonNotFound},
		"closed":            {exchangetest.Result("F", "ORDER_IS_CLOSED"), payment.ClassClosed, payment.ReasonNotPaidInTime},
		"F":                 {exchangetest.Result("F", "PROCESS_FAIL"), payment.ClassRetryLater, payment.ReasonGatewayError},
		"S with a failure":  {exchangetest.Result("S", "CANCEL_WINDOW_EXCEED"), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"U with a failure":  {exchangetest.Result("U", "CANCEL_WINDOW_EXCEED"), payment.ClassRetryLater, payment.ReasonGatewayError},
	})
}

// A refund is done with S. Its answer names the refundId; what else it names must
// be what was asked.
func TestRefundAnswers(t *testing.T) {
	refund := `"refundId":"` + testRefundID + `"`
	checkAnswers(t, testQuestion(payment.CallRefund), map[string]answerTest{
		"S":                {exchangetest.With("S", "SUCCESS", refund), payment.ClassRefunded, ""},
		"S that names all": {exchangetest.With("S", "SUCCESS", refund+`,"refundRequestId":"`+testRefundReq+`","refundAmount":{"value":"500","currency":"CAD"}`), payment.ClassRefunded, ""},
		"another refund's": {exchangetest.With("S", "SUCCESS", refund+`,"refundRequestId":"OTHER"`), payment.ClassNoAnswer, payment.ReasonAnswerMismatch},
		"another amount":   {exchangetest.With("S", "SUCCESS", refund+`,"refundAmount":{"value":"501","currency":"CAD"}`), payment.ClassNoAnswer, payment.ReasonAnswerMismatch},
		"another payment":  {exchangetest.With("S", "SUCCESS", refund+`,"paymentId":"P2"`), payment.ClassNoAnswer, payment.ReasonAnswerMismatch},
		"U":                {exchangetest.Result("U", "UNKNOWN_EXCEPTION"), payment.ClassRetryLater, payment.ReasonGatewayError},
		"U in process":     {exchangetest.Result("U", "PAYMENT_IN_PROCESS"), payment.ClassRetryLater, payment.ReasonGatewayError},
		"too late":         {exchangetest.Result("F", "REFUND_WINDOW_EXCEED"), payment.ClassFailed, payment.ReasonRefundTooLate},
		"too much":         {exchangetest.Result("F", "REFUND_AMOUNT_EXCEED"), payment.ClassFailed, payment.ReasonRefundAmount},
		"no balance":       {exchangetest.Result("F", "MERCHANT_BALANCE_NOT_ENOUGH"), payment.ClassFailed, payment.ReasonNotEnoughBalance},
		"F not listed":     {exchangetest.Result("F", "SOMETHING"), payment.ClassFailed, payment.ReasonRefundFailed},
		"no such payment":  {exchangetest.Result("F", "ORDER_NOT_EXIST"), payment.ClassFailed, payment.ReasonNotFound},
	})
	v, err := judge(testQuestion(payment.CallRefund), []byte(exchangetest.With("S", "SUCCESS", refund)))
	if err != nil || v.RequestID != testRefundReq || v.RefundID != testRefundID || v.Amount != testRefunded {
		t.Errorf("got %+v, %v", v, err)
	}
	q := testQuestion(payment.CallRefund)
	q.refundID = "R2"
	exchangetest.AssertVerdict(t, first(judge(q, []byte(exchangetest.With("S", "SUCCESS", refund)))), payment.ClassNoAnswer, payment.ReasonAnswerMismatch)
}

func first(v payment.Verdict, _ error) payment.Verdict { return v }

// A probe is answered by anything but a refusal of signature, client or parameters.
func TestProbe(t *testing.T) {
	for body, want := range map[string]payment.Class{
		exchangetest.Result("F", "ORDER_NOT_EXIST"):   payment.ClassNotFound,
		exchangetest.Result("F", "SOMETHING"):         payment.ClassNotFound,
		exchangetest.Result("U", "UNKNOWN_EXCEPTION"): payment.ClassNotFound,
		exchangetest.Result("S", "SUCCESS"):           payment.ClassNotFound,
		exchangetest.Result("F", "INVALID_SIGNATURE"): payment.ClassRefused,
		exchangetest.Result("U", "INVALID_SIGNATURE"): payment.ClassRefused,
		exchangetest.Result("F", "INVALID_CLIENT"):    payment.ClassRefused,
		exchangetest.Result("F", "ACCESS_DENIED"):     payment.ClassRefused,
		exchangetest.Result("F", "PARAM_ILLEGAL"):     payment.ClassRefused,
		exchangetest.Result("S", "INVALID_CLIENT"):    payment.ClassNoAnswer,
		exchangetest.Result("X", "SUCCESS"):           payment.ClassNoAnswer,
		`{}`:                                          payment.ClassNoAnswer,
	} {
		if v, _ := judge(question{kind: payment.CallProbe}, []byte(body)); v.Class != want {
			t.Errorf("%s: got %s, want %s", body, v.Class, want)
		}
	}
}
