package main

func ofAlipayPlus(run string) []Test { return in("./payment/alipayplus", run) }

// alipayPlusMutants break what Alipay+'s answers are taken to mean, and its own
// rules of cancel and refund (P4, M3, M5, M13).
func alipayPlusMutants() []Mutant {
	const answer, codes = "payment/alipayplus/answer.go", "payment/alipayplus/codes.go"
	return []Mutant{
		replaced("an S that names no order is paid", "P4", answer,
			"if v.RequestID != \"\" && v.Amount == q.amount && !q.amount.IsZero() {", "if v.RequestID != \"-\" {", ofAlipayPlus("TestPayAnswers")...),
		replaced("another order's answer is believed", "P4", answer,
			"case differs(a.RequestID, q.requestID):", "case differs(a.RequestID, q.requestID) && q.requestID == \"\":", ofAlipayPlus("Answers")...),
		replaced("another payment's answer is believed", "P4", answer,
			"case differs(a.PaymentID, q.paymentID):", "case differs(a.PaymentID, q.paymentID) && q.paymentID == \"\":", ofAlipayPlus("Answers")...),
		replaced("the amount of an S is not compared", "P4", answer,
			"q.kind == payment.CallPay && sum != q.amount {", "q.kind == payment.CallPay && sum.Currency == \"\" {", ofAlipayPlus("TestPayAnswers|TestOrderCode")...),
		replaced("the amount of a refund is not compared", "M13", answer,
			"q.kind == payment.CallRefund && sum != q.amount {", "q.kind == payment.CallRefund && sum.Currency == \"\" {", ofAlipayPlus("TestRefundAnswers")...),
		replaced("an inquiry that names no order of ours is believed by the gateway", "P4", answer,
			"if v.PaymentID != q.paymentID {", "if v.PaymentID == \"-\" {", ofAlipayPlus("TestInquiryAnswers")...),
		replaced("paid without an amount", "P4", answer,
			"if v.Amount.Currency == \"\" {", "if v.Amount.Currency == \"-\" {", ofAlipayPlus("TestInquiryAnswers")...),
		replaced("an unknown order is closed", "M3", codes,
			"{gatewayError, notFound, notFound, noSuchPayment, proven},", "{gatewayError, closed, notFound, noSuchPayment, proven},", ofAlipayPlus("TestEveryDocumented")...), //nolint:dupword // source text
		replaced("a cancel that came too late was accepted", "M5", codes,
			"cancelTooLate = meaning{payment.ClassCancelTooLate, \"\"}", "cancelTooLate = meaning{payment.ClassCancelAccepted, \"\"}", ofAlipayPlus("TestEveryDocumented|TestCancelAnswers")...),
		replaced("a closed order is another's failure", "M5", codes,
			"closed            = meaning{payment.ClassClosed,", "closed            = meaning{payment.ClassRetryLater,", ofAlipayPlus("TestEveryDocumented|TestInquiryAnswers")...),
		replaced("paid though the cancel that came too late was wanted", "M5", "payment/step_outcome.go",
			"if a.CancelTooLate {\n\t\t\tt.refundInstead", "if a.CancelTooLate && a.N < 0 {\n\t\t\tt.refundInstead", ofStep("TestM5")...),
		replaced("a cancel goes on after its window", "M5", "payment/step_outcome.go",
			"!t.addressable(a) || a.CancelTooLate || ", "!t.addressable(a) || ", ofStep("TestM5")...),
	}
}
