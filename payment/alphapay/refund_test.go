package alphapay

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"payscand/payment"
	"payscand/payment/exchange/exchangetest"
)

const (
	refundIDs = `"refundId":"` + testRefundID + `","paymentId":"` + testPaymentID + `","refundRequestId":"` + testRefundReq + `"`
	refundIs  = `"refund":{"refundAmount":{"value":"500","currency":"CAD"},"description":"words"}`
)

var refundTaken = exchangetest.With("S", "SUCCESS", refundIDs+","+refundIs+`,"refundTime":"2025-06-03T15:30:00-08:00"`)

func refundInquiry(status string) string {
	return exchangetest.With("S", "SUCCESS", refundIDs+","+refundIs+`,"refundStatus":"`+status+`"`)
}

// A refund and the inquiry about one are the documented JSON at the documented
// paths. A second send of a refund has the same bytes and goes to where the order
// was made, whatever is configured by then.
func TestRefundBodies(t *testing.T) {
	old, first := newFake(t, exchangetest.Always(refundTaken))
	_, second := newFake(t, func(string, map[string]any) string {
		t.Error("a refund of an order that was made elsewhere was asked for here")
		return refundTaken
	})
	second.config.TerminalCode = "ZZ9"
	s := testSale(testAttempt(t, first))
	exchangetest.AssertVerdict(t, callSale(t, first, s, payment.CallRefund), payment.ClassAccepted, "")
	s.Refunds[0].Sends, s.Refunds[0].Seq = 2, 7
	callSale(t, second, s, payment.CallRefund)
	callSale(t, second, s, payment.CallInquireRefund)
	s.Refunds[0].Note = " "
	callSale(t, first, s, payment.CallRefund)

	refund := `{"paymentId":"` + testPaymentID + `","refundRequestId":"` + testRefundReq + `","refund":{"refundAmount":{"value":"500","currency":"CAD"}`
	want := []struct{ path, body string }{
		{"/api/v2.0/payments/refund", refund + `,"description":"one cup was cold"}}`},
		{"/api/v2.0/payments/refund", refund + `,"description":"one cup was cold"}}`},
		{"/api/v2.0/payments/inquiryRefund", `{"refundId":"` + testRefundID + `","refundRequestId":"` + testRefundReq + `"}`},
		{"/api/v2.0/payments/refund", refund + `}}`},
	}
	calls := old.calls()
	if len(calls) != len(want) {
		t.Fatalf("%d calls arrived, want %d", len(calls), len(want))
	}
	for i, w := range want {
		if calls[i].path != w.path || string(calls[i].body) != w.body {
			t.Errorf("call %d: got %s\n%s, want %s\n%s", i+1, calls[i].path, calls[i].body, w.path, w.body)
		}
	}
	if calls[0].nonce == calls[1].nonce {
		t.Error("the nonce was used twice")
	}
}

// What cannot be sent as it was meant, or would give back more than was paid, is
// not prepared at all.
func TestPrepareRefusesRefunds(t *testing.T) {
	g := newGateway(t, testConfig("https://openapi.alphapay.ca"))
	all := refundKinds
	for name, test := range map[string]struct {
		kinds  []payment.CallKind
		change func(s *payment.Sale, c *payment.Call)
		ok     bool
	}{
		"as it should be":       {all, func(*payment.Sale, *payment.Call) {}, true},
		"all of it":             {all, func(s *payment.Sale, _ *payment.Call) { s.Refunds[0].Amount = testMoney }, true},
		"no payment id needed":  {all[1:], func(s *payment.Sale, _ *payment.Call) { s.Attempts[0].PaymentID = "" }, true},
		"no refund id needed":   {[]payment.CallKind{payment.CallRefund, payment.CallLookupRefund}, func(s *payment.Sale, _ *payment.Call) { s.Refunds[0].RefundID = "" }, true},
		"no stored pay request": {all, func(s *payment.Sale, _ *payment.Call) { s.Attempts[0].Intent = payment.Intent{} }, true},
		"no such refund":        {all, func(_ *payment.Sale, c *payment.Call) { c.Refund = 2 }, false},
		"no refund named":       {all, func(_ *payment.Sale, c *payment.Call) { c.Refund = 0 }, false},
		"a negative refund":     {all, func(_ *payment.Sale, c *payment.Call) { c.Refund = -1 }, false},
		"no such attempt":       {all, func(_ *payment.Sale, c *payment.Call) { c.Attempt = 2 }, false},
		"another's attempt":     {all, func(s *payment.Sale, _ *payment.Call) { s.Refunds[0].Attempt = 2 }, false},
		"another merchant":      {all, func(s *payment.Sale, _ *payment.Call) { s.Attempts[0].Intent.Account = "OTHER" }, false},
		"no request id":         {all, func(s *payment.Sale, _ *payment.Call) { s.Refunds[0].RequestID = "" }, false},
		"odd request id":        {all, func(s *payment.Sale, _ *payment.Call) { s.Refunds[0].RequestID = `a"b` }, false},
		"nothing":               {all, func(s *payment.Sale, _ *payment.Call) { s.Refunds[0].Amount.Amount = 0 }, false},
		"less than nothing":     {all, func(s *payment.Sale, _ *payment.Call) { s.Refunds[0].Amount.Amount = -500 }, false},
		"more than was paid":    {all, func(s *payment.Sale, _ *payment.Call) { s.Refunds[0].Amount.Amount = 1235 }, false},
		"another currency":      {all, func(s *payment.Sale, _ *payment.Call) { s.Refunds[0].Amount.Currency = "USD" }, false},
		"no payment id":         {all[:1], func(s *payment.Sale, _ *payment.Call) { s.Attempts[0].PaymentID = "" }, false},
		"odd payment id":        {all[:1], func(s *payment.Sale, _ *payment.Call) { s.Attempts[0].PaymentID = "a b" }, false},
		"no refund id":          {[]payment.CallKind{payment.CallInquireRefund}, func(s *payment.Sale, _ *payment.Call) { s.Refunds[0].RefundID = "" }, false},
		"no time":               {[]payment.CallKind{payment.CallLookupRefund}, func(s *payment.Sale, _ *payment.Call) { s.Refunds[0].RequestedAt = time.Time{} }, false},
		"an order's call":       {kinds[:4], func(_ *payment.Sale, c *payment.Call) { c.Refund = 1 }, false},
	} {
		for _, kind := range test.kinds {
			s, c := testSale(testAttempt(t, g)), callOf(kind)
			test.change(&s, &c)
			if r, err := g.Prepare(s, c, time.Now()); (err == nil) != test.ok || (r == nil) == test.ok {
				t.Errorf("%s, %s: prepared %v, error %v", name, kind, r, err)
			}
		}
	}
	if _, err := g.Prepare(payment.Sale{}, payment.Call{Kind: payment.CallInquire, Attempt: 1}, time.Now()); err == nil {
		t.Error("a call for no sale was prepared")
	}
}

// The answer to a refund is accepted, in review or failed as its result says, never
// refunded by itself, and is nothing whenever an id or the amount is another's, or
// is missing where it is promised.
func TestRefundAnswers(t *testing.T) {
	review := exchangetest.With("U", "REFUND_NEED_REVIEW", refundIDs+","+refundIs)
	for name, test := range map[string]struct {
		body   string
		class  payment.Class
		reason payment.Reason
		id     bool // the refund id is learnt
	}{
		"S":                         {refundTaken, payment.ClassAccepted, "", true},
		"S with an unlisted code":   {replaced(refundTaken, `"SUCCESS"`, `"OK"`), payment.ClassAccepted, "", true},
		"S that says it is done":    {refundInquiry("SUCCESS"), payment.ClassAccepted, "", true},
		"S without an amount":       {exchangetest.With("S", "SUCCESS", refundIDs), payment.ClassAccepted, "", true},
		"S without a payment id":    {replaced(refundTaken, `"paymentId"`, `"other"`), payment.ClassAccepted, "", true},
		"S without a refund id":     {replaced(refundTaken, `"refundId"`, `"other"`), payment.ClassNoAnswer, payment.ReasonAnswerMalformed, false},
		"S with an empty refund id": {replaced(refundTaken, testRefundID, ""), payment.ClassNoAnswer, payment.ReasonAnswerMalformed, false},
		"S with an odd refund id":   {replaced(refundTaken, testRefundID, "a b"), payment.ClassNoAnswer, payment.ReasonAnswerMalformed, false},
		"S without a request id":    {replaced(refundTaken, `"refundRequestId"`, `"other"`), payment.ClassNoAnswer, payment.ReasonAnswerMalformed, false},
		"another request":           {replaced(refundTaken, testRefundReq, "OTHER-10"), payment.ClassNoAnswer, payment.ReasonAnswerMismatch, false},
		"the order's request":       {replaced(refundTaken, testRefundReq, testRequestID), payment.ClassNoAnswer, payment.ReasonAnswerMismatch, false},
		"another payment":           {replaced(refundTaken, testPaymentID, "1"), payment.ClassNoAnswer, payment.ReasonAnswerMismatch, false},
		"another amount":            {replaced(refundTaken, `"500"`, `"501"`), payment.ClassNoAnswer, payment.ReasonAnswerMismatch, false},
		"the order's amount":        {replaced(refundTaken, `"500"`, `"1234"`), payment.ClassNoAnswer, payment.ReasonAnswerMismatch, false},
		"another currency":          {replaced(refundTaken, "CAD", "USD"), payment.ClassNoAnswer, payment.ReasonAnswerMismatch, false},
		"duplicate status":          {replaced(refundTaken, `"resultStatus"`, `"resultStatus":"F","resultStatus"`), payment.ClassNoAnswer, payment.ReasonAnswerMalformed, false},
		"cut":                       {refundTaken[:len(refundTaken)-1], payment.ClassNoAnswer, payment.ReasonAnswerMalformed, false},
		"no status":                 {replaced(refundTaken, `"S"`, `""`), payment.ClassNoAnswer, payment.ReasonAnswerMalformed, false},
		"in review":                 {review, payment.ClassPending, payment.ReasonRefundInReview, true},
		"in review, S":              {replaced(review, `"U"`, `"S"`), payment.ClassPending, payment.ReasonRefundInReview, true},
		"in review, F, no ids":      {exchangetest.Result("F", "REFUND_NEED_REVIEW"), payment.ClassPending, payment.ReasonRefundInReview, false},
		"in review, another's":      {replaced(review, testRefundReq, "OTHER-10"), payment.ClassNoAnswer, payment.ReasonAnswerMismatch, false},
		"in review, id alone":       {replaced(review, `"refundRequestId"`, `"other"`), payment.ClassPending, payment.ReasonRefundInReview, false},
		"unknown, with its id":      {exchangetest.With("U", "SYSTEMERROR", refundIDs), payment.ClassRetryLater, payment.ReasonGatewayError, true},
		"U refuses nothing":         {exchangetest.Result("U", "REFUND_NOT_ENOUGH_BALANCE"), payment.ClassRetryLater, payment.ReasonGatewayError, false},
		"F":                         {exchangetest.Result("F", "INVALID_REFUND_AMOUNT"), payment.ClassFailed, payment.ReasonRefundAmount, false},
		"F for another request":     {exchangetest.With("F", "INVALID_REFUND_AMOUNT", `"refundRequestId":"OTHER-10"`), payment.ClassNoAnswer, payment.ReasonAnswerMismatch, false},
		"unlisted F":                {exchangetest.Result("F", "ORDER_NOT_PAID"), payment.ClassFailed, payment.ReasonRefundFailed, false},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := judge(testQuestion(payment.CallRefund), []byte(test.body))
			exchangetest.AssertVerdict(t, v, test.class, test.reason)
			if (err != nil) != (test.class == payment.ClassNoAnswer) {
				t.Errorf("error %v", err)
			}
			if (v.RefundID == testRefundID) != test.id || test.id && v.RequestID != testRefundReq || v.PaymentID != "" {
				t.Errorf("ids: %+v", v)
			}
			if test.class == payment.ClassNoAnswer && v.Amount != (payment.Money{}) {
				t.Errorf("no verdict, but %+v", v)
			}
		})
	}
	for code, documented := range map[string]bool{"ORDER_NOT_PAID": false, "": false, "FULL_REFUND_COMPLETED": true} {
		if v, _ := judge(testQuestion(payment.CallRefund), []byte(exchangetest.Result("F", code))); v.Documented != documented || v.GatewayCode != code {
			t.Errorf("%q: %+v", code, v)
		}
	}
}

// Refunded, and failed, is said only by an inquiry that succeeded, about this
// refund, with a refundStatus that says so. An unknown status waits.
func TestRefundInquiryAnswers(t *testing.T) {
	done := refundInquiry("SUCCESS")
	for name, test := range map[string]struct {
		body   string
		class  payment.Class
		reason payment.Reason
	}{
		"SUCCESS":              {done, payment.ClassRefunded, ""},
		"REFUND_IN_PROCESS":    {refundInquiry("REFUND_IN_PROCESS"), payment.ClassPending, ""},
		"an unknown status":    {refundInquiry("REVIEWING"), payment.ClassPending, ""},
		"in lower case":        {refundInquiry("success"), payment.ClassPending, ""},
		"FAILED":               {refundInquiry("FAILED"), payment.ClassFailed, payment.ReasonRefundFailed},
		"no status":            {refundInquiry(""), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"RefundStatus":         {replaced(done, "refundStatus", "RefundStatus"), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"paymentStatus":        {replaced(done, "refundStatus", "paymentStatus"), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"two statuses":         {replaced(done, `"refundStatus"`, `"refundStatus":"FAILED","refundStatus"`), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"in review":            {replaced(refundInquiry("REFUND_IN_PROCESS"), `"resultCode":"SUCCESS"`, `"resultCode":"REFUND_NEED_REVIEW"`), payment.ClassPending, payment.ReasonRefundInReview},
		"reviewed, done":       {replaced(done, `"resultCode":"SUCCESS"`, `"resultCode":"REFUND_NEED_REVIEW"`), payment.ClassRefunded, ""},
		"F though SUCCESS":     {replaced(replaced(done, `"S"`, `"F"`), `"resultCode":"SUCCESS"`, `"resultCode":"SYSTEMERROR"`), payment.ClassRetryLater, payment.ReasonGatewayError},
		"F though FAILED":      {replaced(replaced(refundInquiry("FAILED"), `"S"`, `"F"`), `"resultCode":"SUCCESS"`, `"resultCode":"REFUND_NOT_ENOUGH_BALANCE"`), payment.ClassRetryLater, payment.ReasonGatewayError},
		"U though SUCCESS":     {replaced(done, `"S"`, `"U"`), payment.ClassRetryLater, payment.ReasonGatewayError},
		"unlisted F":           {exchangetest.Result("F", "NO_SUCH_REFUND"), payment.ClassRetryLater, payment.ReasonGatewayError},
		"unknown to it":        {exchangetest.Result("F", "ORDER_MISMATCH"), payment.ClassNotFound, payment.ReasonNotFound},
		"another request":      {replaced(done, testRefundReq, "OTHER-10"), payment.ClassNoAnswer, payment.ReasonAnswerMismatch},
		"another refund":       {replaced(done, testRefundID, "1"), payment.ClassNoAnswer, payment.ReasonAnswerMismatch},
		"another payment":      {replaced(done, testPaymentID, "1"), payment.ClassNoAnswer, payment.ReasonAnswerMismatch},
		"FAILED for another":   {replaced(refundInquiry("FAILED"), testRefundReq, "OTHER-10"), payment.ClassNoAnswer, payment.ReasonAnswerMismatch},
		"another amount":       {replaced(done, `"500"`, `"50"`), payment.ClassNoAnswer, payment.ReasonAnswerMismatch},
		"another currency":     {replaced(done, "CAD", "USD"), payment.ClassNoAnswer, payment.ReasonAnswerMismatch},
		"no amount":            {replaced(done, refundIs+",", ""), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"an odd amount":        {replaced(done, `"500"`, `"5.00"`), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"no ids":               {replaced(done, refundIDs+",", ""), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"FAILED without ids":   {replaced(refundInquiry("FAILED"), refundIDs+",", ""), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"FAILED, no request":   {replaced(refundInquiry("FAILED"), `"refundRequestId"`, `"other"`), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"a payment's inquiry":  {paid, payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
		"amount as a number":   {replaced(done, `"500"`, `500`), payment.ClassRefunded, ""},
		"no payment id":        {replaced(done, `"paymentId"`, `"other"`), payment.ClassRefunded, ""},
		"a refund that's text": {replaced(done, refundIs, `"refund":"500"`), payment.ClassNoAnswer, payment.ReasonAnswerMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := judge(testQuestion(payment.CallInquireRefund), []byte(test.body))
			exchangetest.AssertVerdict(t, v, test.class, test.reason)
			if (err != nil) != (test.class == payment.ClassNoAnswer) {
				t.Errorf("error %v", err)
			}
			if v.Class == payment.ClassRefunded && (v.RequestID != testRefundReq || v.RefundID != testRefundID || v.Amount != testRefunded || !v.Documented) {
				t.Errorf("incomplete: %+v", v)
			}
		})
	}
}

// With U nothing about a refund is certain but that it is in review. With S a code
// that speaks against success makes the answer worthless.
func TestRefundStatusAgainstCode(t *testing.T) {
	for _, code := range append(documentedCodes, "REFUND_LIMIT", "") {
		for _, kind := range []payment.CallKind{payment.CallRefund, payment.CallInquireRefund} {
			unknown := payment.ClassRetryLater
			if code == "REFUND_NEED_REVIEW" {
				unknown = payment.ClassPending
			}
			sure := payment.ClassNoAnswer
			switch code {
			case "SUCCESS", "PAYMENT_IN_PROCESS", "REFUND_LIMIT", "":
				sure = map[payment.CallKind]payment.Class{payment.CallRefund: payment.ClassAccepted, payment.CallInquireRefund: payment.ClassRefunded}[kind]
			case "SYSTEMERROR":
				sure = payment.ClassRetryLater
			case "REFUND_NEED_REVIEW":
				sure = map[payment.CallKind]payment.Class{payment.CallRefund: payment.ClassPending, payment.CallInquireRefund: payment.ClassRefunded}[kind]
			}
			for status, want := range map[string]payment.Class{"U": unknown, "S": sure} {
				v, err := judge(testQuestion(kind), []byte(exchangetest.With(status, code, refundIDs+","+refundIs+`,"refundStatus":"SUCCESS"`)))
				if v.Class != want || (err != nil) != (want == payment.ClassNoAnswer) {
					t.Errorf("%s with %q to %s: got %s, %v, want %s", status, code, kind, v.Class, err, want)
				}
			}
		}
	}
}

// A lookup of a refund says refunded only with a Debit row of its request id, its
// amount and a time; not found, with what it saw, only after a complete pass.
// Only Debit rows are asked for.
func TestRefundLookup(t *testing.T) {
	const at = "2025-06-03T15:30:00-08:00"
	mine := row(testRefundReq, testRefundID, "Debit", "500", at)
	for name, test := range map[string]struct {
		list   list
		rows   []string
		known  string // refund id
		class  payment.Class
		reason payment.Reason
		id     string
	}{
		"listed":                     {rows: []string{mine}, class: payment.ClassRefunded, id: testRefundID},
		"listed, id known":           {rows: []string{mine}, known: testRefundID, class: payment.ClassRefunded, id: testRefundID},
		"listed with another id":     {rows: []string{mine}, known: "R1", class: payment.ClassRefunded},
		"listed without an id":       {rows: []string{row(testRefundReq, "", "Debit", "500", at)}, class: payment.ClassRefunded},
		"listed with an odd id":      {rows: []string{row(testRefundReq, "a b", "Debit", "500", at)}, class: payment.ClassRefunded},
		"on the third page":          {rows: append(others(250), mine), class: payment.ClassRefunded, id: testRefundID},
		"without a time":             {rows: []string{replaced(mine, `"transactionTime":"`+at+`"`, `"transactionTime":""`)}, class: payment.ClassPending},
		"without a time, then done":  {rows: []string{row(testRefundReq, "", "Debit", "500", ""), mine}, class: payment.ClassRefunded, id: testRefundID},
		"another amount":             {rows: []string{replaced(mine, `"500"`, `"501"`)}, class: payment.ClassNoAnswer, reason: payment.ReasonAnswerMismatch},
		"the order's amount":         {rows: []string{replaced(mine, `"500"`, `"1234"`)}, class: payment.ClassNoAnswer, reason: payment.ReasonAnswerMismatch},
		"no amount":                  {rows: []string{replaced(mine, `"500"`, `""`)}, class: payment.ClassNoAnswer, reason: payment.ReasonAnswerMismatch},
		"another currency":           {rows: []string{replaced(mine, "CAD", "USD")}, class: payment.ClassNoAnswer, reason: payment.ReasonAnswerMismatch},
		"a Credit row":               {rows: []string{replaced(mine, "Debit", "Credit")}, class: payment.ClassNoAnswer, reason: payment.ReasonAnswerMismatch},
		"no type":                    {rows: []string{replaced(mine, `"Debit"`, `""`)}, class: payment.ClassNoAnswer, reason: payment.ReasonAnswerMismatch},
		"wrong amount, then right":   {rows: []string{replaced(mine, `"500"`, `"501"`), mine}, class: payment.ClassRefunded, id: testRefundID},
		"not listed":                 {rows: others(120), class: payment.ClassNotFound, reason: payment.ReasonNotFound},
		"empty list":                 {class: payment.ClassNotFound, reason: payment.ReasonNotFound},
		"a longer request id":        {rows: []string{replaced(mine, testRefundReq, testRefundReq+"0")}, class: payment.ClassNotFound, reason: payment.ReasonNotFound},
		"the order's request id":     {rows: []string{replaced(mine, testRefundReq, testRequestID)}, class: payment.ClassNotFound, reason: payment.ReasonNotFound},
		"fewer rows than it says":    {rows: others(50), list: list{total: func(_, n int) int { return n + 1 }}, class: payment.ClassRetryLater, reason: payment.ReasonNotFound},
		"grew meanwhile":             {rows: others(150), list: list{total: func(page, n int) int { return n + page }}, class: payment.ClassRetryLater, reason: payment.ReasonNotFound},
		"pending, fewer rows":        {rows: []string{row(testRefundReq, "", "Debit", "500", "")}, list: list{total: func(_, n int) int { return n + 1 }}, class: payment.ClassPending},
		"page 2 malformed":           {rows: others(150), list: list{answer: onPage2("{")}, class: payment.ClassNoAnswer, reason: payment.ReasonAnswerMalformed},
		"page 2 a system error":      {rows: others(150), list: list{answer: onPage2(exchangetest.Result("U", "SYSTEMERROR"))}, class: payment.ClassRetryLater, reason: payment.ReasonGatewayError},
		"page 2 refused":             {rows: others(150), list: list{answer: onPage2(exchangetest.Result("F", "INVALID_SIGN"))}, class: payment.ClassRefused, reason: payment.ReasonBadSignature},
		"page 2 a refund's own code": {rows: others(150), list: list{answer: onPage2(exchangetest.Result("F", "REFUND_NEED_REVIEW"))}, class: payment.ClassRetryLater, reason: payment.ReasonGatewayError},
	} {
		t.Run(name, func(t *testing.T) {
			l := test.list
			l.kind = "Debit"
			_, g := newFake(t, l.reply)
			s := testSale(testAttempt(t, g))
			r := &s.Refunds[0]
			r.RefundID, r.RequestedAt = test.known, time.Now().Add(-20*time.Minute)
			s.Attempts[0].Sends = 2 // of pay, which is no matter here
			days := g.searchDays(r.RequestedAt, refundSpan)
			l.days = map[string][]string{days[0]: test.rows}
			v := callSale(t, g, s, payment.CallLookupRefund)
			exchangetest.AssertVerdict(t, v, test.class, test.reason)
			if v.RefundID != test.id {
				t.Errorf("refund id %q, want %q", v.RefundID, test.id)
			}
			if v.Class == payment.ClassRefunded && (v.Amount != testRefunded || v.RequestID != testRefundReq || v.PaymentID != "") {
				t.Errorf("incomplete: %+v", v)
			}
			if (v.Search != nil) != (v.Class == payment.ClassNotFound) || v.Search != nil && v.Search.Rows != len(test.rows) {
				t.Errorf("%s with evidence %+v of %d rows", v.Class, v.Search, len(test.rows))
			}
		})
	}
}

// A refund is looked for on every day in UTC-8 from its own on, as it may be done
// weeks later; a day that is not had leaves the search without a verdict.
func TestRefundLookupOnLaterDays(t *testing.T) {
	fakeTime(t, func(t *testing.T, f *fake, g *Gateway, _ *pipes) {
		elapse(time.Until(time.Date(2025, 6, 3, 20, 0, 0, 0, time.UTC))) // noon in UTC-8
		s := testSale(testAttempt(t, g))
		s.Refunds[0].RefundID = ""
		l := &list{kind: "Debit", days: map[string][]string{}}
		f.reply = l.reply
		search := func(want payment.Class, days int) payment.Verdict {
			t.Helper()
			l.asked = nil
			v := callSale(t, g, s, payment.CallLookupRefund)
			if v.Class != want || len(l.asked) != days {
				t.Errorf("got %s after %v, want %s after %d days", v.Class, l.asked, want, days)
			}
			return v
		}
		search(payment.ClassNotFound, 2) // and the day before, in case the clock was wrong
		elapse(9 * 24 * time.Hour)
		if v := search(payment.ClassNotFound, 10); v.Search == nil || !strings.HasPrefix(l.asked[9], "20250612") {
			t.Errorf("evidence %+v after %v", v.Search, l.asked)
		}
		l.days["20250612"] = []string{row(testRefundReq, testRefundID, "Debit", "500", "2025-06-12T11:00:00-08:00")}
		search(payment.ClassRefunded, 10)
		f.spoil = func(w http.ResponseWriter, _ *http.Request, _ []byte) bool {
			if len(l.asked) >= 3 {
				w.WriteHeader(502)
			}
			return len(l.asked) >= 3
		}
		search(payment.ClassNoAnswer, 3)
		f.spoil = nil
		l.days = nil
		elapse(300 * 24 * time.Hour)
		search(payment.ClassNotFound, 31+2) // 30 days after it and the last day, and no more
	})
}
