package sandbox

import (
	"slices"
	"strconv"
	"time"
)

type alphaTransactionsRequest struct {
	Date  string `json:"date"` // yyyyMMdd, a day in UTC-8
	Page  int    `json:"page"` // from 1
	Limit int    `json:"pageLimit"`
	Type  string `json:"transactionType"`
}

type alphaTransaction struct {
	RequestID       string `json:"requestId"`     // paymentRequestId or, of a Debit row, refundRequestId (inferred)
	TransactionID   string `json:"transactionId"` // paymentId or, of a Debit row, refundId (inferred)
	Amount          string `json:"amount"`        // minor units, in Debit rows too without a sign (inferred)
	Currency        string `json:"currency"`
	Type            string `json:"transactionType"`
	SettleAmount    string `json:"settleAmount"`
	SettleCurrency  string `json:"settleCurrency"`
	ExchangeRate    string `json:"exchangeRate"`
	PaymentMethod   string `json:"paymentMethod"`
	CreateTime      string `json:"createTime"`
	TransactionTime string `json:"transactionTime"`
}

type alphaPagination struct {
	Page      int `json:"page"`
	PageLimit int `json:"pageLimit"`
	TotalPage int `json:"totalPage"`
	Total     int `json:"total"`
}

type alphaTransactionsAnswer struct {
	Transactions []alphaTransaction `json:"transactions"`
	Pagination   alphaPagination    `json:"pagination"`
	Result       wireResult         `json:"result"`
}

// cnyRate is what a CNY is worth in the host's currency, in percent: made up, and
// always the same.
const cnyRate = 19

func fromCNY(amount int64) int64 { return amount * cnyRate / 100 }

const wantDay = "want yyyyMMdd"

// parseDay returns the beginning of a day in UTC-8.
func parseDay(text string) (time.Time, error) {
	return time.ParseInLocation("20060102", text, vendorZone)
}

func (request alphaTransactionsRequest) check() (day time.Time, refusal *wireResult) {
	refuse := func(parameter, want string) (time.Time, *wireResult) {
		return time.Time{}, new(alphaInvalid(parameter, want))
	}
	day, err := parseDay(request.Date)
	switch {
	case err != nil:
		return refuse("date", wantDay)
	case request.Page < 1:
		return refuse("page", "want 1 or more")
	case request.Limit < 10 || request.Limit > 100:
		return refuse("pageLimit", "want 10 to 100")
	case request.Type != "All" && request.Type != "Credit" && request.Type != "Debit":
		return refuse("transactionType", "want All, Credit or Debit")
	}
	return day, nil
}

// transactions lists what was captured (Credit) and given back (Debit) on a day
// in UTC-8, the oldest first. An order that took no money has no row, nor has a
// refund that is in process or failed.
func (a *alphaPay) transactions(call *wireCall) any {
	var request alphaTransactionsRequest
	if refusal := decode(call.body, &request); refusal != nil {
		return call.refuse(*refusal)
	}
	day, refusal := request.check()
	if refusal != nil {
		return call.refuse(*refusal)
	}
	moved := slices.DeleteFunc(a.ledger.movements(a.config.Clock(), GatewayAlphaPay, day, day.AddDate(0, 0, 1)), func(m movement) bool {
		return request.Type == "Credit" && m.refund != nil || request.Type == "Debit" && m.refund == nil
	})
	total := len(moved)
	answer := alphaTransactionsAnswer{
		Transactions: []alphaTransaction{},
		Pagination: alphaPagination{Page: request.Page, PageLimit: request.Limit,
			TotalPage: (total + request.Limit - 1) / request.Limit, Total: total},
		Result: alphaSuccess,
	}
	// Division first: page × limit of a hostile page number would overflow.
	if request.Page-1 <= total/request.Limit {
		start := (request.Page - 1) * request.Limit
		for _, m := range moved[start:min(start+request.Limit, total)] {
			answer.Transactions = append(answer.Transactions, a.transactionOf(m))
		}
	}
	call.result = alphaSuccess
	return answer
}

func (a *alphaPay) transactionOf(m movement) alphaTransaction {
	row := alphaTransaction{
		RequestID: m.order.RequestID, TransactionID: m.order.PaymentID, Type: "Credit",
		Amount: strconv.FormatInt(m.amount(), 10), Currency: m.order.Currency,
		SettleAmount: strconv.FormatInt(a.settled(m), 10), SettleCurrency: a.config.Currency, ExchangeRate: "1",
		PaymentMethod: alphaMethodTypes[m.order.Wallet],
		CreateTime:    vendorTime(m.order.CreatedAt), TransactionTime: vendorTime(m.at),
	}
	if m.order.Currency != a.config.Currency {
		row.ExchangeRate = strconv.FormatFloat(cnyRate/100.0, 'f', 2, 64)
	}
	if m.refund != nil {
		row.RequestID, row.TransactionID, row.Type = m.refund.RequestID, m.refund.RefundID, "Debit"
		row.CreateTime = vendorTime(m.refund.CreatedAt)
	}
	return row
}

// settled is what a movement comes to in the host's currency, in minor units.
func (a *alphaPay) settled(m movement) int64 {
	if m.order.Currency != a.config.Currency {
		return fromCNY(m.amount())
	}
	return m.amount()
}
