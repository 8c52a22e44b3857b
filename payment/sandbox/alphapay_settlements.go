package sandbox

import (
	"fmt"
	"strconv"
	"time"
)

type alphaSettlementsRequest struct {
	Date string `json:"date"` // yyyyMMdd, a day in UTC-8
}

// alphaSettleInfo has strings throughout, as the vendor's SDK has. Amounts are
// minor units of the host's currency; net, and what is settled, is negative
// after a day of more refunds than sales.
type alphaSettleInfo struct {
	SettleNo     string `json:"settleNo"`
	CreditNum    string `json:"creditNum"`
	DebitNum     string `json:"debitNum"`
	CreditAmount string `json:"creditAmount"`
	DebitAmount  string `json:"debitAmount"`
	NetAmount    string `json:"netAmount"` // credit less debit
	ServiceFee   string `json:"serviceFee"`
	SettleAmount string `json:"settleAmount"` // net less fee
}

type alphaSettleBank struct {
	StoreCode     string `json:"storeCode"`
	CompanyName   string `json:"companyName"`
	TransitNo     string `json:"transitNo"`
	InstitutionNo string `json:"institutionNo"`
	AccountNo     string `json:"accountNo"`
}

type alphaSettlement struct {
	SettleInfo alphaSettleInfo `json:"settleInfo"`
	BankInfo   alphaSettleBank `json:"bankInfo"`
}

type alphaSettlementsAnswer struct {
	Settlements []alphaSettlement `json:"settlements"`
	Result      wireResult        `json:"result"`
}

// practiceBank is where the practice gateway sends no money to.
var practiceBank = alphaSettleBank{StoreCode: "1", CompanyName: "Practice Shop", TransitNo: "00000", InstitutionNo: "000", AccountNo: "0000000"}

// feePermille of what is captured is the service fee: made up, and always the
// same.
const feePermille = 15

// settlements answers with one settlement for all that moved on a day in UTC-8,
// once that day is over, or with none if nothing did. That a settlement is named
// by the day it settles is our reading.
func (a *alphaPay) settlements(call *wireCall) any {
	var request alphaSettlementsRequest
	if refusal := decode(call.body, &request); refusal != nil {
		return call.refuse(*refusal)
	}
	day, err := parseDay(request.Date)
	if err != nil {
		return call.refuse(alphaInvalid("date", wantDay))
	}
	call.result = alphaSuccess
	answer := alphaSettlementsAnswer{Settlements: []alphaSettlement{}, Result: alphaSuccess}
	now, end := a.config.Clock(), day.AddDate(0, 0, 1)
	if now.Before(end) {
		return answer
	}
	if moved := a.ledger.movements(now, GatewayAlphaPay, day, end); len(moved) > 0 {
		answer.Settlements = append(answer.Settlements, alphaSettlement{a.settle(day, moved), practiceBank})
	}
	return answer
}

func (a *alphaPay) settle(day time.Time, moved []movement) alphaSettleInfo {
	var credits, debits, credited, debited int64
	for _, m := range moved {
		if m.refund == nil {
			credits, credited = credits+1, credited+a.settled(m)
		} else {
			debits, debited = debits+1, debited+a.settled(m)
		}
	}
	net, fee := credited-debited, credited*feePermille/1000
	text := func(number int64) string { return strconv.FormatInt(number, 10) }
	return alphaSettleInfo{
		SettleNo:  fmt.Sprintf("S%s%s", day.Format("20060102"), a.ledger.derive("settlement", day.Format("20060102"))[:8]),
		CreditNum: text(credits), DebitNum: text(debits), CreditAmount: text(credited), DebitAmount: text(debited),
		NetAmount: text(net), ServiceFee: text(fee), SettleAmount: text(net - fee),
	}
}
