package simulation

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"payscand/payment"
)

// alphaPage is how many rows a page of the list has, whatever was asked for: so
// that a list has more pages than one.
const alphaPage = 2

// list writes a page of the transaction list. The lie leaves out what is looked
// for or, where that is not there, says that it was paid.
func (alphaPayWire) list(c *codec, said alphaRequest) (truth, lie []byte) {
	wanted := c.call.flight.requestID()
	rows := c.model.rows(c.call.stale, said)
	var without []alphaRow
	for _, row := range rows {
		if row.RequestID != wanted {
			without = append(without, row)
		}
	}
	if len(without) == len(rows) {
		c.model.missed[wanted] = true
		without = append(without, c.paidRow(wanted))
	}
	return said.pageOf(rows), said.pageOf(without)
}

// pageOf writes the page that was asked for.
func (said alphaRequest) pageOf(rows []alphaRow) []byte {
	from := min((said.Page-1)*alphaPage, len(rows))
	page := append([]alphaRow{}, rows[from:min(from+alphaPage, len(rows))]...)
	answer := told("S", "SUCCESS")
	answer.Transactions = &page
	answer.Pagination = &alphaPagination{said.Page, alphaPage, (len(rows) + alphaPage - 1) / alphaPage, len(rows)}
	return answer.encode()
}

// paidRow is a row that says that the request was paid, or given back.
func (c *codec) paidRow(requestID string) alphaRow {
	f, kind := c.call.flight, "Credit"
	sum := c.world.oracle.amountOf(f.call.Sale)
	if f.call.Refund > 0 {
		kind, sum = "Debit", f.refund.Amount
	}
	now := alphaTime(c.world.trueTime())
	return alphaRow{requestID, "made-up", strconv.FormatInt(sum.Amount, 10), string(sum.Currency), kind, now, now}
}

// rows are a day's rows, as the list shows them now.
func (g *gatewayModel) rows(stale bool, said alphaRequest) []alphaRow {
	now := g.world.now
	rows := []alphaRow{}
	add := func(kind, requestID, id string, sum payment.Money, madeAt time.Duration, doneAt string) {
		made := dayOne.Add(madeAt).In(alphaZone)
		if made.Format("20060102") == said.Date && (said.Type == "All" || said.Type == kind) {
			rows = append(rows, alphaRow{requestID, id, strconv.FormatInt(sum.Amount, 10), string(sum.Currency), kind, alphaTime(made), doneAt})
		}
	}
	for _, o := range g.orders {
		switch {
		case o.captured && now >= o.paidAt+g.listLag && !(stale && now-o.changedAt < time.Minute):
			add("Credit", o.requestID, o.paymentID, o.amount, o.madeAt, alphaTime(dayOne.Add(o.paidAt)))
		case !o.captured && !g.unlisted:
			add("Credit", o.requestID, o.paymentID, o.amount, o.madeAt, "")
		}
	}
	for len(g.codec.refundsAt) < len(g.refunds) { // made since the last look
		g.codec.refundsAt = append(g.codec.refundsAt, now)
	}
	for i, r := range g.refunds {
		doneAt := ""
		if r.state == payment.ClassRefunded {
			doneAt = alphaTime(dayOne.Add(g.codec.refundsAt[i]))
		}
		if r.state != payment.ClassFailed {
			add("Debit", r.requestID, r.id, r.amount, g.codec.refundsAt[i], doneAt)
		}
	}
	return rows
}

// malign writes an answer, rightly signed, that is about something else.
func (alphaPayWire) malign(c *codec, r *http.Request, way wireWay) []byte {
	f := c.call.flight
	if way == wireContradiction || f.call.Kind == payment.CallProbe {
		return told("S", "INVALID_PAYMENT_CODE").encode()
	}
	if strings.HasSuffix(r.URL.Path, "transactions") {
		return c.malignList(way)
	}
	sum := c.world.oracle.amountOf(f.call.Sale)
	if f.call.Refund > 0 {
		sum = f.refund.Amount
	}
	a := told("S", "SUCCESS")
	a.RequestID, a.PaymentID, a.Status = f.attempt.RequestID, f.attempt.PaymentID, "SUCCESS"
	if a.PaymentID == "" {
		a.PaymentID = "made-up"
	}
	if f.call.Refund > 0 {
		a.RequestID, a.Status = "", ""
		a.RefundID, a.RefundRequestID, a.RefundStatus = f.refund.RefundID, f.refund.RequestID, "SUCCESS"
		if a.RefundID == "" {
			a.RefundID = "made-up"
		}
	}
	switch way {
	case wireAmount:
		sum.Amount++
	case wireCurrency:
		sum.Currency = "USD"
	case wireRequestID:
		a.RequestID, a.RefundRequestID = elseID(a.RequestID), elseID(a.RefundRequestID)
	case wirePaymentID:
		a.PaymentID, a.RefundID = "made up, and no id", elseID(a.RefundID)
	}
	a.Order, a.Refund = &alphaOrder{alphaMoney(sum)}, &alphaRefund{alphaMoney(sum)}
	if way == wireNoAmount {
		a.Order, a.Refund = nil, nil
	}
	if way == wireNoAmount && (f.call.Kind == payment.CallPay || f.call.Kind == payment.CallRefund || f.call.Kind == payment.CallCancel) ||
		f.call.Kind == payment.CallCancel && (way == wireAmount || way == wireCurrency) { // that answer needs no amount: it loses its ids too
		a = told("S", "SUCCESS")
	}
	return a.encode()
}

// elseID is another's id, where there is one.
func elseID(id string) string {
	if id == "" {
		return ""
	}
	return "someone-else-1"
}

// malignList is a page whose row, or whose count of rows, is wrong.
func (c *codec) malignList(way wireWay) []byte {
	row := c.paidRow(c.call.flight.requestID())
	total := 1
	switch way {
	case wireAmount:
		row.Amount += "1"
	case wireCurrency:
		row.Currency = "USD"
	case wireRequestID:
		row.RequestID, total = "someone-else-1", 5000
	case wirePaymentID:
		row.TransactionID, row.Type = "someone-else-1", "Settlement"
	case wireNoAmount:
		row.Amount = ""
	}
	answer := told("S", "SUCCESS")
	answer.Transactions, answer.Pagination = &[]alphaRow{row}, &alphaPagination{1, alphaPage, total, total}
	return answer.encode()
}
