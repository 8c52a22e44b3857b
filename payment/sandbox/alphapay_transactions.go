package sandbox

import (
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
	RequestID       string `json:"requestId"`
	TransactionID   string `json:"transactionId"` // of a Credit row: the payment id (inferred)
	Amount          string `json:"amount"`        // minor units
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
	Result       alphaResult        `json:"result"`
}

// cnyRate is what a CNY is worth in the host's currency, in percent: made up, and
// always the same.
const cnyRate = 19

func fromCNY(amount int64) int64 { return amount * cnyRate / 100 }

func (request alphaTransactionsRequest) check() (day time.Time, refusal *alphaResult) {
	refuse := func(parameter, want string) (time.Time, *alphaResult) {
		return time.Time{}, new(alphaInvalid(parameter, want))
	}
	day, err := time.ParseInLocation("20060102", request.Date, vendorZone)
	switch {
	case err != nil:
		return refuse("date", "want yyyyMMdd")
	case request.Page < 1:
		return refuse("page", "want 1 or more")
	case request.Limit < 10 || request.Limit > 100:
		return refuse("pageLimit", "want 10 to 100")
	case request.Type != "All" && request.Type != "Credit" && request.Type != "Debit":
		return refuse("transactionType", "want All, Credit or Debit")
	}
	return day, nil
}

// transactions lists what was captured on a day in UTC-8, by time of capture,
// the oldest first. An order that took no money has no row.
func (a *alphaPay) transactions(call *alphaCall) any {
	var request alphaTransactionsRequest
	if refusal := decode(call.body, &request); refusal != nil {
		return call.refuse(*refusal)
	}
	day, refusal := request.check()
	if refusal != nil {
		return call.refuse(*refusal)
	}
	var captured []Order
	if request.Type != "Debit" { // money given back: none, as this gateway takes no refunds yet
		captured = a.ledger.captures(a.config.Clock(), day, day.AddDate(0, 0, 1))
	}
	total := len(captured)
	answer := alphaTransactionsAnswer{
		Transactions: []alphaTransaction{},
		Pagination: alphaPagination{Page: request.Page, PageLimit: request.Limit,
			TotalPage: (total + request.Limit - 1) / request.Limit, Total: total},
		Result: alphaSuccess,
	}
	// Division first: page × limit of a hostile page number would overflow.
	if request.Page-1 <= total/request.Limit {
		start := (request.Page - 1) * request.Limit
		for _, order := range captured[start:min(start+request.Limit, total)] {
			answer.Transactions = append(answer.Transactions, a.transactionOf(order))
		}
	}
	call.result = alphaSuccess
	return answer
}

func (a *alphaPay) transactionOf(order Order) alphaTransaction {
	settled, rate := order.Amount, "1"
	if order.Currency != a.config.Currency {
		settled, rate = fromCNY(order.Amount), strconv.FormatFloat(cnyRate/100.0, 'f', 2, 64)
	}
	return alphaTransaction{
		RequestID: order.RequestID, TransactionID: order.PaymentID,
		Amount: strconv.FormatInt(order.Amount, 10), Currency: order.Currency, Type: "Credit",
		SettleAmount: strconv.FormatInt(settled, 10), SettleCurrency: a.config.Currency, ExchangeRate: rate,
		PaymentMethod: alphaMethodTypes[order.Wallet],
		CreateTime:    vendorTime(order.CreatedAt), TransactionTime: vendorTime(order.EndedAt),
	}
}
