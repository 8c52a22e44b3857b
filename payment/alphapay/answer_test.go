package alphapay

import (
	"strings"
	"testing"
	"time"

	"payscand/payment"
	"payscand/payment/exchange/exchangetest"
)

func replaced(body, old, with string) string {
	if !strings.Contains(body, old) {
		panic("the test's answer has no " + old)
	}
	return strings.Replace(body, old, with, 1)
}

// An answer to a pay with a code is what its result, ids and amount together make
// it, and nothing whenever one of them is wrong or missing where it is promised.
func TestPayAnswers(t *testing.T) {
	for name, test := range map[string]struct {
		body   string
		class  payment.Class
		reason payment.Reason
	}{
		"S":                          {payAccepted, payment.ClassAccepted, ""},
		"S with an unlisted code":    {replaced(payAccepted, "SUCCESS", "OK"), payment.ClassAccepted, ""},
		"S without an amount":        {exchangetest.With("S", "SUCCESS", ids), payment.ClassAccepted, ""},
		"U in process":               {payPending, payment.ClassPending, ""},
		"U in process, no paymentId": {replaced(payPending, `"paymentId"`, `"other"`), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"U in process, empty id":     {replaced(payPending, testPaymentID, ""), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"U in process, null id":      {replaced(payPending, `"`+testPaymentID+`"`, "null"), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"U in process, no requestId": {replaced(payPending, `"paymentRequestId"`, `"other"`), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"U system error with ids":    {replaced(payPending, "PAYMENT_IN_PROCESS", "SYSTEMERROR"), payment.ClassRetryLater, payment.ReasonGatewayError},
		"S without paymentId":        {replaced(payAccepted, `"paymentId"`, `"other"`), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"S for another request":      {replaced(payAccepted, testRequestID, "OTHER-1"), payment.ClassNoAnswer, payment.ReasonAnswerMismatch},
		"F for another request":      {replaced(exchangetest.With("F", "INVALID_PAYMENT_CODE", ids), testRequestID, "OTHER-1"), payment.ClassNoAnswer, payment.ReasonAnswerMismatch},
		"S with another amount":      {replaced(payAccepted, "1234", "1235"), payment.ClassNoAnswer, payment.ReasonAnswerMismatch},
		"U with another amount":      {replaced(payPending, "1234", "1235"), payment.ClassNoAnswer, payment.ReasonAnswerMismatch},
		"S in another currency":      {replaced(payAccepted, "CAD", "USD"), payment.ClassNoAnswer, payment.ReasonAnswerMismatch},
		"amount as a number":         {replaced(payAccepted, `"1234"`, `1234`), payment.ClassAccepted, ""},
		"id as a number":             {replaced(payAccepted, `"`+testPaymentID+`"`, testPaymentID), payment.ClassAccepted, ""},
		"id with a space":            {replaced(payAccepted, testPaymentID, "1 2"), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"id too long":                {replaced(payAccepted, testPaymentID, strings.Repeat("1", 65)), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"id is the payment code":     {replaced(payAccepted, testPaymentID, testCode), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"F":                          {exchangetest.Result("F", "INVALID_PAYMENT_CODE"), payment.ClassFailed, payment.ReasonInvalidCode},
		"paymentStatus counts not":   {exchangetest.With("F", "INVALID_PAYMENT_CODE", ids+`,"paymentStatus":"SUCCESS"`), payment.ClassFailed, payment.ReasonInvalidCode},

		"duplicate status, F then S":      {replaced(payAccepted, `"resultStatus"`, `"resultStatus":"F","resultStatus"`), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"duplicate result":                {replaced(payAccepted, `"result"`, `"result":{},"result"`), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"duplicate in an unknown member":  {replaced(payAccepted, `{"paymentRequestId"`, `{"x":{"a":1,"a":2},"paymentRequestId"`), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"duplicate by escape":             {replaced(payAccepted, `"resultStatus"`, `"resultStatu\u0073":"F","resultStatus"`), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"ResultStatus instead":            {replaced(payAccepted, "resultStatus", "ResultStatus"), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"ResultStatus beside":             {replaced(exchangetest.With("F", "INVALID_PAYMENT_CODE", ids), `"resultStatus"`, `"ResultStatus":"S","resultStatus"`), payment.ClassFailed, payment.ReasonInvalidCode},
		"Result instead":                  {replaced(payAccepted, `"result"`, `"Result"`), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"status in lower case":            {replaced(payAccepted, `"S"`, `"s"`), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"status with a space":             {replaced(payAccepted, `"S"`, `"S "`), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"status as a number":              {replaced(payAccepted, `"S"`, `1`), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"status null":                     {replaced(payAccepted, `"S"`, `null`), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"result null":                     {`{"result":null}`, payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"result a list":                   {`{"result":[]}`, payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"unknown members":                 {replaced(payAccepted, `{"paymentRequestId"`, `{"new":[{"a":null}],"paymentRequestId"`), payment.ClassAccepted, ""},
		"invalid UTF-8":                   {replaced(payAccepted, "words", "w\xffrds"), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"something behind":                {payAccepted + "{}", payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"cut":                             {payAccepted[:len(payAccepted)-1], payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"empty":                           {"", payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"null":                            {"null", payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"a list":                          {"[" + payAccepted + "]", payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"a byte order mark":               {"\ufeff" + payAccepted, payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"a deep unknown member":           {replaced(payAccepted, `{"paymentRequestId"`, `{"x":`+strings.Repeat("[", 20_000)+strings.Repeat("]", 20_000)+`,"paymentRequestId"`), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"a time that is a number":         {replaced(payAccepted, `{"paymentRequestId"`, `{"paymentExpireTime":17,"paymentRequestId"`), payment.ClassAccepted, ""},
		"a paymentMethod that is a null":  {replaced(payAccepted, `{"paymentRequestId"`, `{"paymentMethod":null,"paymentRequestId"`), payment.ClassAccepted, ""},
		"an order amount that is no sum":  {replaced(payAccepted, `"1234"`, `"12.34"`), payment.ClassAccepted, ""}, // inquired next: that must name it
		"a paymentMethod that is a digit": {replaced(payAccepted, `{"paymentRequestId"`, `{"paymentMethod":1,"paymentRequestId"`), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := judge(testQuestion(payment.CallPay), []byte(test.body))
			exchangetest.AssertVerdict(t, v, test.class, test.reason)
			if (err != nil) != (test.class == payment.ClassNoAnswer) {
				t.Errorf("error %v", err)
			}
			if test.class.Verified() && strings.Contains(test.body, testPaymentID) && v.PaymentID != testPaymentID {
				t.Errorf("payment id %q", v.PaymentID)
			}
			if !test.class.Verified() && (v.PaymentID != "" || v.RequestID != "" || !v.Amount.IsZero()) {
				t.Errorf("no verdict, but %+v", v)
			}
		})
	}
}

// A QR order exists with S or in process, and is of use only with a URL to show.
func TestQRAnswers(t *testing.T) {
	const image = "iVBORw0KGgo="
	order := func(status, code, url, image string) string {
		return exchangetest.With(status, code, ids+","+orderIs+`,"paymentInfo":{"paymentUrl":"`+url+`","paymentQRImage":"`+image+`"},"paymentExpireTime":"2025-06-03T15:10:24-08:00"`)
	}
	const url = "https://pay.alphapay.ca/qr?id=1&x=2"
	q := testQuestion(payment.CallPay)
	q.qr, q.code = true, payment.Code{}
	for name, test := range map[string]struct {
		body, payload, image string
	}{
		"in process":         {order("U", "PAYMENT_IN_PROCESS", url, "data:image/png;base64,"+image), url, "data:image/png;base64," + image},
		"S":                  {order("S", "SUCCESS", url, ""), url, ""},
		"bare base64":        {order("S", "SUCCESS", url, image), url, "data:image/png;base64," + image},
		"an image of script": {order("S", "SUCCESS", url, "data:text/html;base64,"+image), url, ""},
		"no base64":          {order("S", "SUCCESS", url, "<svg>"), url, ""},
		"too large an image": {order("S", "SUCCESS", url, strings.Repeat("AAAA", 10_000)), url, ""},
		"no URL":             {order("U", "PAYMENT_IN_PROCESS", "", image), "", ""},
		"S without URL":      {order("S", "SUCCESS", "", image), "", ""},
		"no info":            {payPending, "", ""},
		"URL with a space":   {order("S", "SUCCESS", "https://x y", ""), "", ""},
		"URL with a newline": {order("S", "SUCCESS", `https://x\ny`, ""), "", ""},
		"URL too long":       {order("S", "SUCCESS", "https://"+strings.Repeat("x", 1100), ""), "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			v, _ := judge(q, []byte(test.body))
			if test.payload == "" {
				exchangetest.AssertVerdict(t, v, payment.ClassNoAnswer, payment.ReasonAnswerMalformed)
				return
			}
			exchangetest.AssertVerdict(t, v, payment.ClassPending, "")
			if v.QR == nil || v.QR.Payload != test.payload || v.QR.Image != test.image {
				t.Errorf("QR %+v", v.QR)
			}
			if want := time.Date(2025, 6, 3, 23, 10, 24, 0, time.UTC); !v.ExpiresAt.Equal(want) {
				t.Errorf("expires %v, want %v", v.ExpiresAt, want)
			}
		})
	}
}

// Paid is said only by an inquiry that succeeded, about this order, with a
// paymentStatus that says so and an amount. An unknown status waits.
func TestInquiryAnswers(t *testing.T) {
	for name, test := range map[string]struct {
		body   string
		class  payment.Class
		reason payment.Reason
	}{
		"SUCCESS":               {paid, payment.ClassPaid, ""},
		"PARTIAL_REFUND":        {inquiryAnswer("PARTIAL_REFUND"), payment.ClassPaid, ""},
		"FULL_REFUND":           {inquiryAnswer("FULL_REFUND"), payment.ClassPaid, ""},
		"CLOSED":                {inquiryAnswer("CLOSED"), payment.ClassClosed, payment.ReasonNotPaidInTime},
		"FAILED":                {inquiryAnswer("FAILED"), payment.ClassFailed, payment.ReasonDeclined},
		"PAYMENT_IN_PROCESS":    {inquiryAnswer("PAYMENT_IN_PROCESS"), payment.ClassPending, ""},
		"OFFLINE_QRCODE":        {inquiryAnswer("OFFLINE_QRCODE"), payment.ClassPending, ""}, // as the vendor once prints
		"success in lower case": {inquiryAnswer("success"), payment.ClassPending, ""},
		"no status":             {inquiryAnswer(""), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"PaymentStatus":         {replaced(paid, "paymentStatus", "PaymentStatus"), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"F though SUCCESS":      {replaced(replaced(paid, `"S"`, `"F"`), `"resultCode":"SUCCESS"`, `"resultCode":"SYSTEMERROR"`), payment.ClassRetryLater, payment.ReasonGatewayError},
		"another request":       {replaced(paid, testRequestID, "OTHER-1"), payment.ClassNoAnswer, payment.ReasonAnswerMismatch},
		"another payment":       {replaced(paid, testPaymentID, "1"), payment.ClassNoAnswer, payment.ReasonAnswerMismatch},
		"CLOSED for another":    {replaced(inquiryAnswer("CLOSED"), testRequestID, "OTHER-1"), payment.ClassNoAnswer, payment.ReasonAnswerMismatch},
		"FAILED without ids":    {replaced(inquiryAnswer("FAILED"), ids+",", ""), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"SUCCESS without ids":   {replaced(paid, ids+",", ""), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"SUCCESS, no amount":    {replaced(paid, orderIs+",", ""), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"SUCCESS, odd amount":   {replaced(paid, `"1234"`, `"12.34"`), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"SUCCESS, minus":        {replaced(paid, `"1234"`, `-1234`), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"SUCCESS, odd currency": {replaced(paid, `"CAD"`, `"cad"`), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"no such order":         {exchangetest.Result("F", "ORDER_MISMATCH"), payment.ClassNotFound, payment.ReasonNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			v, _ := judge(testQuestion(payment.CallInquire), []byte(test.body))
			exchangetest.AssertVerdict(t, v, test.class, test.reason)
			if v.Class == payment.ClassPaid {
				if v.Amount != testMoney || v.RequestID != testRequestID || v.PaymentID != testPaymentID || !v.Documented ||
					!v.PaidAt.Equal(time.Date(2025, 6, 3, 23, 5, 24, 0, time.UTC)) {
					t.Errorf("incomplete: %+v", v)
				}
			}
		})
	}
	// The amount of a paid order is told as received: comparing it is Step's.
	if v, _ := judge(testQuestion(payment.CallInquire), []byte(replaced(paid, "1234", "1"))); v.Class != payment.ClassPaid || v.Amount.Amount != 1 {
		t.Errorf("another amount: %+v", v)
	}
}

// A cancel is accepted only for the order that was meant.
func TestCancelAnswers(t *testing.T) {
	for name, test := range map[string]struct {
		body   string
		class  payment.Class
		reason payment.Reason
	}{
		"S":               {cancelled, payment.ClassCancelAccepted, ""},
		"S without ids":   {exchangetest.Result("S", "SUCCESS"), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"another payment": {replaced(cancelled, testPaymentID, "1"), payment.ClassNoAnswer, payment.ReasonAnswerMismatch},
		"another request": {replaced(cancelled, testRequestID, "1"), payment.ClassNoAnswer, payment.ReasonAnswerMismatch},
		"paid, F":         {exchangetest.Result("F", "ORDER_PAID"), payment.ClassAlreadyPaid, ""},
		"paid, S":         {exchangetest.With("S", "ORDER_PAID", ids), payment.ClassAlreadyPaid, ""}, // its status is not documented
		"in process":      {exchangetest.Result("U", "PAYMENT_IN_PROCESS"), payment.ClassPending, ""},
	} {
		v, _ := judge(testQuestion(payment.CallCancel), []byte(test.body))
		if v.Class != test.class || v.Reason != test.reason {
			t.Errorf("%s: got %s (%s), want %s (%s)", name, v.Class, v.Reason, test.class, test.reason)
		}
	}
}
