package sandbox

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// A refund is listed on the day in UTC-8 on which it was done, as a Debit row
// with its own ids; type and page select among all that moved, in its order.
func TestDebitRows(t *testing.T) {
	p := newDirectPractice(t)
	rows := func(day, kind string) []string {
		list := []string{}
		answer := p.call(transactionsPath, fmt.Sprintf(`{"date":%q,"page":1,"pageLimit":100,"transactionType":%q}`, day, kind))
		for _, row := range answer.Transactions {
			list = append(list, row["transactionType"]+" "+row["requestId"]+" "+row["amount"])
		}
		if answer.Pagination.Total != len(list) {
			t.Errorf("%d rows, total %d", len(list), answer.Pagination.Total)
		}
		return list
	}
	p.clock.advance(12*time.Hour - 10*time.Second) // 23:59:50 of March 14 in UTC-8
	first := p.pay("R-1", "00").PaymentID
	p.refund(first, "F-1", "100")
	p.clock.advance(time.Second)
	second := p.pay("R-2", "40").PaymentID
	p.clock.advance(7 * time.Second)
	p.refund(second, "F-2", "200") // asked for at 23:59:58, done at 0:00:01
	p.refund(first, "F-1", "100")
	failed := p.pay("R-3", "45").PaymentID
	p.refund(failed, "F-3", "300")
	if _, err := p.Refund("R-3", 0); err == nil {
		t.Error("refunded in the portal while another was in process")
	}
	p.clock.advance(time.Minute)

	for _, want := range []struct {
		day, kind string
		rows      []string
	}{
		{"20260314", "All", []string{"Credit R-1 1250", "Debit F-1 100", "Credit R-2 1250", "Debit F-1 100", "Credit R-3 1250"}},
		{"20260314", "Credit", []string{"Credit R-1 1250", "Credit R-2 1250", "Credit R-3 1250"}},
		{"20260314", "Debit", []string{"Debit F-1 100", "Debit F-1 100"}},
		{"20260315", "All", []string{"Debit F-2 200"}},
		{"20260315", "Credit", []string{}},
	} {
		if got := rows(want.day, want.kind); !reflect.DeepEqual(got, want.rows) {
			t.Errorf("%s, %s: %q, want %q", want.day, want.kind, got, want.rows)
		}
	}
	want := map[string]string{
		"requestId": "F-2", "transactionId": p.truth("R-2").Refunds[0].RefundID, "amount": "200", "currency": "CAD", "transactionType": "Debit",
		"settleAmount": "200", "settleCurrency": "CAD", "exchangeRate": "1", "paymentMethod": "Alipay",
		"createTime": "2026-03-14T23:59:58-08:00", "transactionTime": "2026-03-15T00:00:01-08:00",
	}
	if got := p.list("Debit")[0]; !reflect.DeepEqual(got, want) {
		t.Errorf("row %v, want %v", got, want)
	}
}

// One settlement adds up all that moved on a day, once that day is over, in the
// host's currency; a day on which nothing moved has none.
func TestSettlements(t *testing.T) {
	p := newDirectPractice(t)
	settled := func(day string) []map[string]string {
		answer, list := p.call(settlementsPath, fmt.Sprintf(`{"date":%q}`, day)), []map[string]string{}
		for _, settlement := range answer.Settlements {
			if settlement.BankInfo["companyName"] == "" {
				t.Errorf("no bank: %+v", settlement)
			}
			delete(settlement.SettleInfo, "settleNo")
			list = append(list, settlement.SettleInfo)
		}
		if answer.String() != "S SUCCESS" {
			t.Errorf("%s: %v", day, answer)
		}
		return list
	}
	first := p.pay("R-1", "00").PaymentID
	yuan := p.call(payPath, strings.Replace(codeBody("R-2", code("00")), `"CAD"`, `"CNY"`, 1)).PaymentID
	p.pay("R-3", "04")
	p.refund(first, "F-1", "250")
	p.call(refundPath, strings.Replace(refundBody(yuan, "F-2", "100"), "CAD", "CNY", 1))
	if got := settled("20260314"); len(got) != 0 {
		t.Errorf("before the day is over: %v", got)
	}
	p.clock.advance(12 * time.Hour) // the next day in UTC-8 begins
	want := map[string]string{
		"creditNum": "2", "debitNum": "2", "creditAmount": "1487", "debitAmount": "269", // 1250 + 237, 250 + 19
		"netAmount": "1218", "serviceFee": "22", "settleAmount": "1196",
	}
	if got := settled("20260314"); len(got) != 1 || !reflect.DeepEqual(got[0], want) {
		t.Errorf("settled %v, want %v", got, want)
	}
	p.refund(first, "F-3", "1000")
	p.clock.advance(24 * time.Hour)
	want = map[string]string{
		"creditNum": "0", "debitNum": "1", "creditAmount": "0", "debitAmount": "1000",
		"netAmount": "-1000", "serviceFee": "0", "settleAmount": "-1000",
	}
	if got := settled("20260315"); len(got) != 1 || !reflect.DeepEqual(got[0], want) {
		t.Errorf("a day of refunds: %v, want %v", got, want)
	}
	for _, day := range []string{"20260313", "20260316", "20990101"} {
		if got := settled(day); len(got) != 0 {
			t.Errorf("%s, when nothing moved: %v", day, got)
		}
	}
	if got := settled("20260314"); len(got) != 1 || got[0]["netAmount"] != "1218" {
		t.Errorf("the first day, asked again: %v", got)
	}
}
