package alphapay

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"payscand/payment"
	"payscand/payment/exchange"
)

var _ payment.Books = (*Gateway)(nil)

type settlementsBody struct {
	Date string `json:"date"`
}

type settlement struct {
	Info struct {
		Number       text `json:"settleNo"`
		CreditNum    text `json:"creditNum"`
		DebitNum     text `json:"debitNum"`
		CreditAmount text `json:"creditAmount"`
		DebitAmount  text `json:"debitAmount"`
		NetAmount    text `json:"netAmount"`
		ServiceFee   text `json:"serviceFee"`
		SettleAmount text `json:"settleAmount"`
	} `json:"settleInfo"`
}

// dayOf is a day as the vendor's lists name it, in UTC-8.
func dayOf(at time.Time) string { return at.In(listZone).Format("20060102") }

// Transactions reads all pages of the day's transactions. It fails when one page
// is not had, when the rows are not as many as the list says, which is so while
// sales go on, and when a row cannot be read.
func (g *Gateway) Transactions(ctx context.Context, day time.Time) ([]payment.Transaction, error) {
	transactions, err := g.transactions(ctx, dayOf(day))
	if err != nil {
		return nil, fmt.Errorf("gateway %s, transactions of %s: %w", g.client.Name(), dayOf(day), err)
	}
	return transactions, nil
}

func (g *Gateway) transactions(ctx context.Context, day string) ([]payment.Transaction, error) {
	var rows []transaction
	for page, total := 1, 0; page == 1 || len(rows) < total; page++ {
		list, err := g.list(ctx, transactionsPath, listBody{Date: day, Page: page, Limit: pageLimit, Type: "All"})
		if err != nil {
			return nil, err
		}
		count, err := strconv.Atoi(string(list.Pagination.Total))
		switch {
		case err != nil || count < 0:
			return nil, errors.New("the list has no total")
		case page > 1 && count != total, len(list.Transactions) == 0 && len(rows) < count, page > maxPages:
			return nil, errListChanged
		}
		total = count
		rows = append(rows, list.Transactions...)
		if len(rows) > total {
			return nil, errListChanged
		}
	}
	transactions := make([]payment.Transaction, len(rows))
	for i, row := range rows {
		read, err := row.read()
		if err != nil {
			return nil, fmt.Errorf("row %d: %w", i+1, err)
		}
		transactions[i] = read
	}
	return transactions, nil
}

func (t transaction) read() (payment.Transaction, error) {
	amount, told := t.money()
	switch {
	case !told:
		return payment.Transaction{}, errors.New("it has no usable amount")
	case t.Type != "Credit" && t.Type != "Debit":
		return payment.Transaction{}, errors.New("it is neither Credit nor Debit")
	case !exchange.IsID(string(t.RequestID)) || !exchange.IsID(string(t.TransactionID)):
		return payment.Transaction{}, errors.New("it has no usable id")
	}
	settled, _ := exchange.Amount{Value: t.SettleAmount, Currency: t.SettleCurrency}.Money()
	return payment.Transaction{
		RequestID: string(t.RequestID), ID: string(t.TransactionID), Refund: t.Type == "Debit", Amount: amount, Settled: settled,
		Wallet: walletOf(t.Method), CreatedAt: exchange.ParseTime(string(t.CreatedAt)), At: exchange.ParseTime(string(t.PaidAt)),
	}, nil
}

// Settlements reads the payouts of a day.
func (g *Gateway) Settlements(ctx context.Context, day time.Time) ([]payment.Settlement, error) {
	list, err := g.list(ctx, settlementsPath, settlementsBody{Date: dayOf(day)})
	if err != nil {
		return nil, fmt.Errorf("gateway %s, settlements of %s: %w", g.client.Name(), dayOf(day), err)
	}
	settlements := make([]payment.Settlement, len(list.Settlements))
	for i, s := range list.Settlements {
		if settlements[i], err = s.read(); err != nil {
			return nil, fmt.Errorf("gateway %s, settlements of %s: payout %d: %w", g.client.Name(), dayOf(day), i+1, err)
		}
	}
	return settlements, nil
}

// signedForm is a whole number; net and payout are negative after a day of more
// refunds than sales.
var signedForm = regexp.MustCompile(`^-?\d{1,15}$`)

func (s settlement) read() (payment.Settlement, error) {
	var unreadable error
	number := func(name string, value text) int64 {
		n, err := strconv.ParseInt(string(value), 10, 64)
		if !signedForm.MatchString(string(value)) || err != nil {
			unreadable = errors.Join(unreadable, fmt.Errorf("%s is not a whole number", name))
		}
		return n
	}
	info := s.Info
	read := payment.Settlement{
		Number:   string(info.Number),
		Captures: int(number("creditNum", info.CreditNum)), Refunds: int(number("debitNum", info.DebitNum)),
		Captured: number("creditAmount", info.CreditAmount), Refunded: number("debitAmount", info.DebitAmount),
		Net: number("netAmount", info.NetAmount), Fee: number("serviceFee", info.ServiceFee), Paid: number("settleAmount", info.SettleAmount),
	}
	if !exchange.IsID(read.Number) {
		unreadable = errors.Join(unreadable, errors.New("settleNo is not usable as one"))
	}
	return read, unreadable
}

// list makes one call that lists something, and returns its answer if that
// succeeded.
func (g *Gateway) list(ctx context.Context, path string, wanted any) (answer, error) {
	m, err := g.client.SignJSON(g.client.BaseURL(), path, wanted, g.client.MachineNow())
	if err != nil {
		return answer{}, err
	}
	raw, _, f := g.client.Exchange(ctx, m)
	if f != nil {
		return answer{}, f
	}
	a, err := decode(raw)
	if err != nil {
		return answer{}, err
	}
	how, meaning, _ := interpret(payment.CallLookup, a.Result.Status, a.Result.Code)
	switch how {
	case contradiction:
		return answer{}, errors.New("resultStatus is missing, unknown, or contradicts resultCode")
	case told:
		return answer{}, fmt.Errorf("the call was refused with %s (%s)", exchange.Printable(a.Result.Code, payment.Code{}), meaning.reason)
	}
	return a, nil
}
