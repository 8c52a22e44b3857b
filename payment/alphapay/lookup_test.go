package alphapay

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"payscand/payment"
	"payscand/payment/exchange"
	"payscand/payment/exchange/exchangetest"
)

// list is a transaction list as the gateway keeps it, and what inquiries say.
type list struct {
	days    map[string][]string // rows by day
	inquiry map[string]string   // answers by payment id
	asked   []string            // days and pages, in order
	total   func(page, total int) int
	answer  func(page int) string // instead of a page, unless ""
	kind    string                // of transactions that are to be asked for; "" means All
}

func (l *list) reply(path string, body map[string]any) string {
	if path == inquirePath {
		if answer := l.inquiry[body["paymentId"].(string)]; answer != "" {
			return answer
		}
		return exchangetest.Result("F", "ORDER_MISMATCH")
	}
	kind := l.kind
	if kind == "" {
		kind = "All"
	}
	if path != transactionsPath || body["transactionType"] != kind || body["pageLimit"] != 100.0 {
		panic(fmt.Sprint("not as documented: ", path, body))
	}
	page, rows := int(body["page"].(float64)), l.days[body["date"].(string)]
	l.asked = append(l.asked, fmt.Sprint(body["date"], "/", page))
	if l.answer != nil {
		if answer := l.answer(page); answer != "" {
			return answer
		}
	}
	total := len(rows)
	if l.total != nil {
		total = l.total(page, total)
	}
	from, to := min((page-1)*100, len(rows)), min(page*100, len(rows))
	return exchangetest.With("S", "SUCCESS", fmt.Sprintf(`"transactions":[%s],"pagination":{"page":%d,"pageLimit":100,"totalPage":%d,"total":%d}`,
		strings.Join(rows[from:to], ","), page, (total+99)/100, total))
}

func row(requestID, transactionID, kind, amount, at string) string {
	return fmt.Sprintf(`{"requestId":%q,"transactionId":%q,"amount":%q,"currency":"CAD","transactionType":%q,"paymentMethod":"Wechat","createTime":%[5]q,"transactionTime":%[5]q}`,
		requestID, transactionID, amount, kind, at)
}

func others(n int) []string {
	rows := make([]string, n)
	for i := range rows {
		rows[i] = row(fmt.Sprintf("OTHER-%d", i), fmt.Sprint(i), "Credit", "100", "2025-06-03T15:00:00-08:00")
	}
	return rows
}

// A lookup says paid only with proof: an inquiry with the listed id that matches
// request id and amount, or else a Credit row that does; or in another amount, which
// Step takes for no payment of the sale and reports (M12). It says not found only
// after every page was read and the rows are as many as the list says.
func TestLookup(t *testing.T) {
	const paidAt = "2025-06-03T15:05:24-08:00"
	mine := row(testRequestID, testPaymentID, "Credit", "1234", paidAt)
	for name, test := range map[string]struct {
		list   list
		rows   []string
		sends  int
		class  payment.Class
		reason payment.Reason
		id     string
		pages  int
		// What a paid order was paid with, where that is not the sale's.
		amount   int64
		currency payment.Currency
	}{
		"inquired, paid":               {list: list{inquiry: map[string]string{testPaymentID: paid}}, rows: []string{mine}, class: payment.ClassPaid, id: testPaymentID, pages: 1},
		"on the third page":            {list: list{inquiry: map[string]string{testPaymentID: paid}}, rows: append(others(250), mine), class: payment.ClassPaid, id: testPaymentID, pages: 3},
		"inquiry knows it not, row":    {rows: []string{mine}, class: payment.ClassPaid, id: testPaymentID, pages: 1},
		"inquiry malformed, row":       {list: list{inquiry: map[string]string{testPaymentID: "{}"}}, rows: []string{mine}, class: payment.ClassPaid, id: testPaymentID, pages: 1},
		"inquiry of another, row":      {list: list{inquiry: map[string]string{testPaymentID: replaced(paid, testRequestID, "X")}}, rows: []string{mine}, class: payment.ClassPaid, id: testPaymentID, pages: 1},
		"inquired, another amount":     {list: list{inquiry: map[string]string{testPaymentID: replaced(paid, "1234", "1")}}, rows: []string{mine}, class: payment.ClassPaid, amount: 1, id: testPaymentID, pages: 1},
		"another amount and waiting":   {list: list{inquiry: map[string]string{"1": replaced(inquiryAnswer("PAYMENT_IN_PROCESS"), testPaymentID, "1"), testPaymentID: replaced(paid, "1234", "1")}}, rows: []string{row(testRequestID, "1", "Credit", "1234", ""), mine}, class: payment.ClassPending, id: "1", pages: 1},
		"another amount and closed":    {list: list{inquiry: map[string]string{"1": replaced(inquiryAnswer("CLOSED"), testPaymentID, "1"), testPaymentID: replaced(paid, "1234", "1")}}, rows: []string{row(testRequestID, "1", "Credit", "1234", ""), mine}, class: payment.ClassPaid, amount: 1, id: testPaymentID, pages: 1},
		"closed, of another amount":    {list: list{inquiry: map[string]string{testPaymentID: replaced(inquiryAnswer("CLOSED"), "1234", "1")}}, rows: []string{mine}, class: payment.ClassNoAnswer, reason: payment.ReasonAnswerMismatch, pages: 1},
		"row without an id":            {rows: []string{row(testRequestID, "", "Credit", "1234", paidAt)}, class: payment.ClassPaid, pages: 1},
		"row of another amount":        {rows: []string{row(testRequestID, testPaymentID, "Credit", "1235", paidAt)}, class: payment.ClassPaid, amount: 1235, id: testPaymentID, pages: 1},
		"row without a time":           {rows: []string{row(testRequestID, testPaymentID, "Credit", "1234", "")}, class: payment.ClassNoAnswer, reason: payment.ReasonAnswerMismatch, pages: 1},
		"row of 1970, that is none":    {rows: []string{row(testRequestID, testPaymentID, "Credit", "1234", "1970-01-01T00:00:00Z")}, class: payment.ClassNoAnswer, reason: payment.ReasonAnswerMismatch, pages: 1},
		"row that is a refund":         {rows: []string{row(testRequestID, testPaymentID, "Debit", "1234", paidAt)}, class: payment.ClassNoAnswer, reason: payment.ReasonAnswerMismatch, pages: 1},
		"row in another currency":      {rows: []string{replaced(mine, "CAD", "USD")}, class: payment.ClassPaid, currency: "USD", id: testPaymentID, pages: 1},
		"wrong amount, then the right": {rows: []string{row(testRequestID, "1", "Credit", "1", paidAt), mine}, class: payment.ClassPaid, id: testPaymentID, pages: 1},
		"inquired, in process":         {list: list{inquiry: map[string]string{testPaymentID: inquiryAnswer("PAYMENT_IN_PROCESS")}}, rows: []string{mine}, class: payment.ClassPending, id: testPaymentID, pages: 1},
		"inquired, closed, no proof":   {list: list{inquiry: map[string]string{testPaymentID: inquiryAnswer("CLOSED")}}, rows: []string{replaced(mine, "Credit", "Debit")}, class: payment.ClassClosed, reason: payment.ReasonNotPaidInTime, id: testPaymentID, pages: 1},
		"closed, but pay sent twice":   {list: list{inquiry: map[string]string{testPaymentID: inquiryAnswer("CLOSED")}}, rows: []string{replaced(mine, "Credit", "Debit")}, sends: 2, class: payment.ClassRetryLater, reason: payment.ReasonNotFound, pages: 1},
		"closed, but listed as paid":   {list: list{inquiry: map[string]string{testPaymentID: inquiryAnswer("CLOSED")}}, rows: []string{mine}, class: payment.ClassNoAnswer, reason: payment.ReasonAnswerMismatch, pages: 1},
		"one closed, one paid":         {list: list{inquiry: map[string]string{"1": replaced(inquiryAnswer("CLOSED"), testPaymentID, "1"), testPaymentID: paid}}, rows: []string{row(testRequestID, "1", "Debit", "1234", paidAt), mine}, sends: 2, class: payment.ClassPaid, id: testPaymentID, pages: 1},
		"not listed":                   {rows: others(120), class: payment.ClassNotFound, reason: payment.ReasonNotFound, pages: 2},
		"empty list":                   {class: payment.ClassNotFound, reason: payment.ReasonNotFound, pages: 1},
		"another's id in it":           {rows: []string{replaced(mine, testRequestID, testRequestID+"0")}, class: payment.ClassNotFound, reason: payment.ReasonNotFound, pages: 1},
		"fewer rows than it says":      {rows: others(50), list: list{total: func(_, n int) int { return n + 1 }}, class: payment.ClassRetryLater, reason: payment.ReasonNotFound, pages: 2},
		"more rows than it says":       {rows: others(50), list: list{total: func(_, n int) int { return max(0, n-1) }}, class: payment.ClassRetryLater, reason: payment.ReasonNotFound, pages: 1},
		"grew meanwhile":               {rows: others(150), list: list{total: func(page, n int) int { return n + page }}, class: payment.ClassRetryLater, reason: payment.ReasonNotFound, pages: 2},
		"too long":                     {rows: others(20_001), class: payment.ClassRetryLater, reason: payment.ReasonNotFound, pages: 200},
		"no pagination":                {list: list{answer: func(int) string { return exchangetest.With("S", "SUCCESS", `"transactions":[]`) }}, class: payment.ClassNoAnswer, reason: payment.ReasonAnswerMalformed, pages: 1},
		"numbers as text": {list: list{answer: func(int) string {
			return exchangetest.With("S", "SUCCESS", `"transactions":null,"pagination":{"total":"0"}`)
		}}, class: payment.ClassNotFound, reason: payment.ReasonNotFound, pages: 1},
		"page 2 malformed":          {rows: others(150), list: list{answer: onPage2("{")}, class: payment.ClassNoAnswer, reason: payment.ReasonAnswerMalformed, pages: 2},
		"page 2 a system error":     {rows: others(150), list: list{answer: onPage2(exchangetest.Result("U", "SYSTEMERROR"))}, class: payment.ClassRetryLater, reason: payment.ReasonGatewayError, pages: 2},
		"page 2 refused":            {rows: others(150), list: list{answer: onPage2(exchangetest.Result("F", "PARAM_INVALID"))}, class: payment.ClassRefused, reason: payment.ReasonRequestRefused, pages: 2},
		"page 2 contradicts itself": {rows: others(150), list: list{answer: onPage2(exchangetest.Result("S", "INVALID_SIGN"))}, class: payment.ClassNoAnswer, reason: payment.ReasonAnswerMalformed, pages: 2},
	} {
		t.Run(name, func(t *testing.T) {
			l := test.list
			_, g := newFake(t, l.reply)
			a := testAttempt(t, g)
			a.PaymentID, a.Sends = "", max(test.sends, 1)
			a.SubmittedAt = time.Now().Add(-20 * time.Minute)
			l.days = map[string][]string{}
			days := g.likeliestFirst(g.searchDays(a.SubmittedAt, orderSpan), a.SubmittedAt)
			l.days[days[0]] = test.rows
			v := call(t, g, a, payment.CallLookup)
			exchangetest.AssertVerdict(t, v, test.class, test.reason)
			if v.PaymentID != test.id {
				t.Errorf("payment id %q, want %q", v.PaymentID, test.id)
			}
			sum := payment.Money{Amount: cmp.Or(test.amount, testMoney.Amount), Currency: cmp.Or(test.currency, testMoney.Currency)}
			if v.Class == payment.ClassPaid && (v.Amount != sum || v.RequestID != testRequestID || v.PaidAt.IsZero()) {
				t.Errorf("incomplete: %+v", v)
			}
			if (v.Search != nil) != (v.Class == payment.ClassNotFound) || v.Search != nil && v.Search.Rows != len(test.rows) {
				t.Errorf("%s with evidence %+v of %d rows", v.Class, v.Search, len(test.rows))
			}
			onFirst := 0
			for _, page := range l.asked {
				if strings.HasPrefix(page, days[0]) {
					onFirst++
				}
			}
			if onFirst != test.pages {
				t.Errorf("asked for %v, want %d pages", l.asked, test.pages)
			}
		})
	}
}

// A complete search that found nothing tells what it saw: all rows of all days,
// the newest row's creation by the gateway's clock, and when the last page was
// answered. A row from after the answer, or without a time, is not the newest.
func TestSearchEvidence(t *testing.T) {
	fakeTime(t, func(t *testing.T, f *fake, g *Gateway, _ *pipes) {
		base := time.Date(2025, 6, 4, 7, 40, 0, 0, time.UTC) // 23:40 in UTC-8
		elapse(time.Until(base))
		f.shift = 3 * time.Minute // ahead of this machine's clock
		l := &list{days: map[string][]string{
			"20250603": {row("A", "1", "Credit", "1", "2025-06-03T23:58:00-08:00"), row("B", "2", "Credit", "1", "2025-06-03T23:20:00-08:00")},
			"20250604": {row("C", "3", "Debit", "1", "2025-06-04T00:01:00-08:00"), row("D", "4", "Credit", "1", "2025-06-04T03:00:00-08:00"), row("E", "5", "Credit", "1", "")},
		}}
		f.reply = l.reply
		a := testAttempt(t, g)
		probeAnswer := probe(t, g)
		exchangetest.AssertVerdict(t, probeAnswer, payment.ClassNotFound, "")
		elapse(25 * time.Minute) // 00:08 in UTC-8 by the gateway's clock
		v := call(t, g, a, payment.CallLookup)
		exchangetest.AssertVerdict(t, v, payment.ClassNotFound, payment.ReasonNotFound)
		want := payment.Search{Rows: 5, Newest: base.Add(21 * time.Minute), At: base.Add(28 * time.Minute)}
		if v.Search == nil || *v.Search != want {
			t.Errorf("got %+v, want %+v", v.Search, want)
		}
		l.days = nil
		if v := call(t, g, a, payment.CallLookup); v.Search == nil || v.Search.Rows != 0 || !v.Search.Newest.IsZero() || v.Search.At != want.At {
			t.Errorf("of an empty list: %+v", v.Search)
		}
	})
}

func onPage2(answer string) func(int) string {
	return func(page int) string {
		if page == 2 {
			return answer
		}
		return ""
	}
}

// The list is asked for the order's day in UTC-8, and for the next once the
// gateway's clock has reached it; near midnight, or when clocks disagree, for the
// day before as well.
func TestSearchDays(t *testing.T) {
	at := func(text string) time.Time {
		parsed, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	for name, test := range map[string]struct {
		submitted, now string
		want           []string
	}{
		"midday":                                {"2025-06-03T12:00:00-08:00", "2025-06-03T12:10:00-08:00", []string{"20250602", "20250603"}},
		"UTC has another date":                  {"2025-06-04T06:00:00Z", "2025-06-04T06:01:00Z", []string{"20250602", "20250603"}},
		"next day has come":                     {"2025-06-03T23:58:00-08:00", "2025-06-04T00:01:00-08:00", []string{"20250603", "20250604"}},
		"next day has not":                      {"2025-06-03T23:58:00-08:00", "2025-06-03T23:59:59-08:00", []string{"20250602", "20250603"}},
		"just after midnight":                   {"2025-06-04T00:01:00-08:00", "2025-06-04T00:02:00-08:00", []string{"20250603", "20250604"}},
		"weeks later":                           {"2025-06-03T12:00:00-08:00", "2025-06-23T12:00:00-08:00", []string{"20250603", "20250604", "20250622", "20250623"}},
		"just after midnight, weeks":            {"2025-06-04T00:01:00-08:00", "2025-06-23T12:00:00-08:00", []string{"20250603", "20250604", "20250605", "20250622", "20250623"}},
		"submitted later than it is":            {"2025-06-04T12:00:00-08:00", "2025-06-03T12:00:00-08:00", []string{"20250602", "20250603", "20250604"}},
		"summer time changes nothing":           {"2025-03-09T01:59:00-08:00", "2025-03-09T04:00:00-07:00", []string{"20250308", "20250309"}},
		"a clock years ahead, put right since":  {"2027-06-03T12:00:00-08:00", "2025-06-03T12:10:00-08:00", []string{"20250602", "20250603", "20270603"}},
		"a clock years behind, put right since": {"2023-06-03T12:00:00-08:00", "2025-06-03T12:10:00-08:00", []string{"20230603", "20230604", "20250602", "20250603"}},
	} {
		t.Run(name, func(t *testing.T) {
			fakeTime(t, func(t *testing.T, _ *fake, g *Gateway, _ *pipes) {
				elapse(time.Until(at(test.now)))
				if got := g.searchDays(at(test.submitted), orderSpan); !slices.Equal(got, test.want) {
					t.Errorf("got %v, want %v", got, test.want)
				}
			})
		})
	}
	fakeTime(t, func(t *testing.T, f *fake, g *Gateway, _ *pipes) {
		elapse(time.Until(at("2025-06-03T23:50:00-08:00"))) // the terminal's clock is 20 minutes slow
		f.shift = 20 * time.Minute
		probe(t, g)
		if got, want := g.searchDays(time.Now(), orderSpan), []string{"20250603", "20250604"}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

// An order is found though the day before it, which is searched as well, takes longer
// to read than the search may.
func TestLookupOfABusyMerchant(t *testing.T) {
	fakeTime(t, func(t *testing.T, f *fake, g *Gateway, _ *pipes) {
		elapse(time.Until(time.Date(2025, 6, 3, 20, 0, 0, 0, time.UTC))) // noon in UTC-8
		l := &list{inquiry: map[string]string{testPaymentID: paid}, days: map[string][]string{
			"20250602": others(15_000),
			"20250603": append(others(100), row(testRequestID, testPaymentID, "Credit", "1234", "2025-06-03T12:00:05-08:00")),
		}}
		f.reply = l.reply
		f.spoil = func(http.ResponseWriter, *http.Request, []byte) bool {
			elapse(time.Second) // fake time
			return false
		}
		a := testAttempt(t, g)
		a.PaymentID = ""
		r, err := g.Prepare(testSale(a), callOf(payment.CallLookup), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		exchangetest.AssertVerdict(t, g.Send(ctx, r), payment.ClassPaid, "")
	})
}

// A lookup is not sent only when its first page was not; later silence is no answer.
func TestLookupWithoutAnswer(t *testing.T) {
	l := &list{days: map[string][]string{}}
	f, g := newFake(t, l.reply)
	a := testAttempt(t, g)
	for _, day := range g.searchDays(a.SubmittedAt, orderSpan) {
		l.days[day] = append(others(100), row(testRequestID, testPaymentID, "Credit", "1234", "2025-06-03T15:05:24-08:00"))
	}
	f.spoil = failing(inquirePath, 502)
	exchangetest.AssertVerdict(t, call(t, g, a, payment.CallLookup), payment.ClassNoAnswer, payment.ReasonGatewayError)
	f.spoil = failing(transactionsPath, 429)
	exchangetest.AssertVerdict(t, call(t, g, a, payment.CallLookup), payment.ClassNoAnswer, payment.ReasonRateLimited)
	s := &search{g: g}
	notSent := &exchange.Fault{Class: payment.ClassNotSent, Reason: payment.ReasonGatewayUnreachable}
	exchangetest.AssertVerdict(t, *s.unheard(notSent), payment.ClassNotSent, payment.ReasonGatewayUnreachable)
	s.heard = true
	exchangetest.AssertVerdict(t, *s.unheard(notSent), payment.ClassNoAnswer, payment.ReasonGatewayUnreachable)
}
