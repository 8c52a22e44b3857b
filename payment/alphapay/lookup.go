package alphapay

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"payscand/payment"
	"payscand/payment/exchange"
)

// The transaction list is the only way to an order whose payment id was never
// learnt, and to a refund whose refund id was not: AlphaPay has no inquiry by
// request id.

const (
	pageLimit = 100 // rows; the vendor takes 10 to 100
	// maxPages of one day: the list has the sales of all the merchant's terminals.
	maxPages = 200
)

// span says which days a search covers: those from the request's on.
type span struct {
	after time.Duration // the request, at most
	days  int           // at most
}

var (
	// An order is paid within minutes.
	orderSpan = span{24 * time.Hour, 4}
	// A refund that needs review may be done weeks later; payment.Policy asks for 30
	// days.
	refundSpan = span{30 * 24 * time.Hour, 34}
)

// listZone is that of the list's days.
var listZone = time.FixedZone("UTC-8", -8*60*60)

type transaction struct {
	RequestID     text `json:"requestId"`
	TransactionID text `json:"transactionId"` // of a Credit row the payment id (inferred)
	Amount        text `json:"amount"`        // minor units (inferred)
	Currency      text `json:"currency"`
	Type          text `json:"transactionType"`

	SettleAmount   text `json:"settleAmount"`
	SettleCurrency text `json:"settleCurrency"`
	Method         text `json:"paymentMethod"`
	CreatedAt      text `json:"createTime"`
	PaidAt         text `json:"transactionTime"` // of a Debit row: when the money went back (inferred)
}

func (t transaction) money() (payment.Money, bool) {
	return exchange.Amount{Value: t.Amount, Currency: t.Currency}.Money()
}

type listBody struct {
	Date  string `json:"date"`
	Page  int    `json:"page"`
	Limit int    `json:"pageLimit"`
	Type  string `json:"transactionType"`
}

// errListChanged is a pass over the list that proves nothing: its rows are not as
// many as it says.
var errListChanged = errors.New("the transaction list changed while it was read, or is too long to be read")

// search is one pass over the list for one request id.
type search struct {
	g *Gateway
	r *request
	// heard: a page was had, so the lookup as a whole was sent.
	heard bool
	// rest is what the listed orders say that were not paid, or in another amount:
	// nil, none listed.
	rest *payment.Verdict
	// seen is of all pages so far.
	seen payment.Search
}

// lookup looks the request id up in the list. It says paid, or refunded, when a
// listed row is proved; not found, with what it saw, only after a complete pass
// over all days. One page that is not had ends it without a verdict. It is one
// call made of several requests.
func (g *Gateway) lookup(ctx context.Context, r *request) (payment.Verdict, error) {
	s := &search{g: g, r: r}
	rows, days := "All", orderSpan
	if r.question.kind == payment.CallLookupRefund {
		rows, days = "Debit", refundSpan
	}
	complete := true
	for _, day := range g.likeliestFirst(g.searchDays(r.requestedAt, days), r.requestedAt) {
		v, whole, err := s.day(ctx, day, rows)
		if v != nil {
			return *v, err
		}
		complete = complete && whole
	}
	again := payment.Verdict{Class: payment.ClassRetryLater, Reason: payment.ReasonNotFound, GatewayCode: codeSuccess, Documented: true}
	switch {
	case s.rest != nil && (s.rest.Class == payment.ClassPending || s.rest.Class == payment.ClassPaid):
		return *s.rest, nil
	case !complete:
		return again, errListChanged
	case s.rest == nil:
		return payment.Verdict{
			Class: payment.ClassNotFound, Reason: payment.ReasonNotFound, GatewayCode: codeSuccess, Documented: true, Search: &s.seen,
		}, nil
	case r.sends > 1 && s.rest.Class.Verified(): // there may be a second order, listed later (M4)
		return again, errors.New("an order of this request id is over, but pay was sent more than once")
	}
	return *s.rest, nil
}

// searchDays are the days of the list, in UTC-8, that an order or a refund can be
// on: that of its request and those after it, as far as the gateway's clock has
// reached them, and the last 24 hours by that clock. The time of the request may
// have been taken by a clock that is still wrong, so its reading put right counts
// as well as it stands; or by one that jumped since, and then neither is right,
// but a first search comes within the day. AlphaPay allows a skew.
func (g *Gateway) searchDays(requested time.Time, within span) []string {
	const day = 24 * time.Hour
	now := g.Now()
	var days []string
	cover := func(from, to time.Time) {
		for at, n := from, 0; n < within.days; at, n = at.Add(day), n+1 {
			if at.After(to) {
				at = to
			}
			if date := at.In(listZone).Format("20060102"); !slices.Contains(days, date) {
				days = append(days, date)
			}
			if !at.Before(to) {
				return
			}
		}
	}
	for _, reading := range []time.Time{requested, requested.Add(g.ClockOffset())} {
		last := reading.Add(within.after)
		if last.After(now) {
			last = now
		}
		if last.Before(reading) { // a clock far ahead: at least the day of the request
			last = reading
		}
		cover(reading.Add(-exchange.MaxClockSkew), last)
	}
	cover(now.Add(-day), now)
	slices.Sort(days)
	return days
}

// likeliestFirst puts the day of the request, by the gateway's clock, before the
// others: a busy merchant's other days can take as long to read as a search may.
func (g *Gateway) likeliestFirst(days []string, requested time.Time) []string {
	i := max(0, slices.Index(days, dayOf(requested.Add(g.ClockOffset()))))
	return slices.Concat(days[i:i+1], days[:i], days[i+1:])
}

// day reads one day's pages of All or Debit rows. It returns a verdict where the search is over, for
// better or worse; whole says that as many rows came as the list has.
func (s *search) day(ctx context.Context, date, kind string) (v *payment.Verdict, whole bool, err error) {
	rows, total := 0, -1
	for page := 1; page <= maxPages; page++ {
		list, v, err := s.page(ctx, listBody{Date: date, Page: page, Limit: pageLimit, Type: kind})
		if v != nil {
			return v, false, err
		}
		count, err := strconv.Atoi(string(list.Pagination.Total))
		if err != nil || count < 0 {
			return new(exchange.NoVerdict(payment.ReasonAnswerMalformed, "")), false, errors.New("the transaction list has no total")
		}
		if total >= 0 && count != total {
			return nil, false, nil
		}
		total = count
		rows += len(list.Transactions)
		for _, row := range list.Transactions {
			if string(row.RequestID) != s.r.question.requestID {
				continue
			}
			if v, over, err := s.prove(ctx, row); over {
				return &v, false, err
			}
		}
		if rows >= total || len(list.Transactions) == 0 {
			break
		}
	}
	return nil, rows == total, nil
}

// page returns one page, or the verdict that ends the search.
func (s *search) page(ctx context.Context, wanted listBody) (answer, *payment.Verdict, error) {
	m, err := s.g.client.SignJSON(s.r.base, transactionsPath, wanted, s.g.client.MachineNow())
	if err != nil {
		return answer{}, new(exchange.NoVerdict(payment.ReasonNoAnswer, "")), err
	}
	raw, answered, f := s.g.client.Exchange(ctx, m)
	if f != nil {
		return answer{}, s.unheard(f), f
	}
	s.heard = true
	if answered.IsZero() {
		answered = s.g.Now()
	}
	list, err := decode(raw)
	if err != nil {
		return answer{}, new(exchange.NoVerdict(payment.ReasonAnswerMalformed, "")), err
	}
	code := exchange.Printable(list.Result.Code, payment.Code{})
	how, meaning, listed := interpret(payment.CallLookup, list.Result.Status, list.Result.Code)
	switch how {
	case contradiction:
		return answer{}, new(exchange.NoVerdict(payment.ReasonAnswerMalformed, code)), errors.New("resultStatus is missing, unknown, or contradicts resultCode")
	case told:
		v := payment.Verdict{Class: meaning.class, Reason: meaning.reason, GatewayCode: code, Documented: listed}
		return answer{}, &v, fmt.Errorf("the transaction list was refused with %s", code)
	}
	s.see(list.Transactions, answered)
	return list, nil, nil
}

// see notes the rows of a page. A row from after the answer proves nothing about
// how far the list goes.
func (s *search) see(rows []transaction, answered time.Time) {
	s.seen.Rows += len(rows)
	s.seen.At = answered
	for _, row := range rows {
		if created := exchange.ParseTime(string(row.CreatedAt)); created.After(s.seen.Newest) && !created.After(answered) {
			s.seen.Newest = created
		}
	}
}

// unheard is the verdict on a lookup of which one request has no verified answer.
func (s *search) unheard(f *exchange.Fault) *payment.Verdict {
	v := f.Verdict()
	if s.heard {
		v.Class = payment.ClassNoAnswer
	}
	return &v
}

// prove reads a row with the request id that is looked for. over says that the
// search ends with the verdict.
func (s *search) prove(ctx context.Context, row transaction) (v payment.Verdict, over bool, err error) {
	if s.r.question.kind == payment.CallLookupRefund {
		v, over = s.proveRefund(row)
		return v, over, nil
	}
	return s.proveOrder(ctx, row)
}

// proveOrder asks about a listed order. Its id is a payment id only if an inquiry with
// it answers with this request id and amount. Where that answers otherwise, a
// Credit row with the right amount and a transactionTime is proof by itself. Paid
// in another amount is told as received: what to do about it is Step's (M12).
func (s *search) proveOrder(ctx context.Context, row transaction) (v payment.Verdict, over bool, err error) {
	q := s.r.question
	q.kind = payment.CallInquire
	var inquired payment.Verdict
	if exchange.IsID(string(row.TransactionID)) {
		inquiry := &request{base: s.r.base}
		if err := s.g.addressed(inquiry, inquirePath, string(row.TransactionID), s.g.client.MachineNow()); err != nil {
			return exchange.NoVerdict(payment.ReasonNoAnswer, ""), true, err
		}
		inquired, err = s.g.ask(ctx, inquiry.message, q)
		if f := (*exchange.Fault)(nil); errors.As(err, &f) {
			return *s.unheard(f), true, err
		}
	}
	matches := inquired.PaymentID != "" && inquired.Amount == q.amount
	contradicts := inquired.PaymentID != "" && !inquired.Amount.IsZero() && !matches // this request id, another amount
	listed, captured := row.capture(q)
	proved := captured && listed.Amount == q.amount
	switch {
	case matches && inquired.Class == payment.ClassPaid:
		return inquired, true, nil
	case matches && inquired.Class == payment.ClassPending:
		s.rest = &inquired
	case matches && (inquired.Class == payment.ClassClosed || inquired.Class == payment.ClassFailed) && !proved:
		if s.rest == nil || !s.rest.Class.Verified() {
			s.rest = &inquired
		}
	case proved && !matches && !contradicts:
		return listed, true, nil
	case contradicts && inquired.Class == payment.ClassPaid:
		s.otherSum(inquired)
	case captured && !proved && !matches && !contradicts:
		s.otherSum(listed)
	case s.rest == nil: // list and inquiry contradict each other: a person's
		s.rest = new(exchange.NoVerdict(payment.ReasonAnswerMismatch, inquired.GatewayCode))
	}
	return payment.Verdict{}, false, nil
}

// otherSum keeps a capture in another amount than the order's, unless the order
// itself still waits.
func (s *search) otherSum(v payment.Verdict) {
	if s.rest == nil || s.rest.Class != payment.ClassPending {
		s.rest = &v
	}
}

// capture is the verdict that the row itself is worth. Its id is not known to be a
// payment id; it is what the merchant's portal shows.
func (t transaction) capture(q question) (payment.Verdict, bool) {
	amount, told := t.money()
	paidAt := exchange.ParseTime(string(t.PaidAt))
	if !told || t.Type != "Credit" || paidAt.IsZero() {
		return payment.Verdict{}, false
	}
	v := payment.Verdict{
		Class: payment.ClassPaid, GatewayCode: codeSuccess, Documented: true,
		RequestID: q.requestID, Amount: amount, Wallet: walletOf(t.Method), PaidAt: paidAt,
	}
	if exchange.IsID(string(t.TransactionID)) {
		v.PaymentID = string(t.TransactionID)
	}
	return v, true
}
