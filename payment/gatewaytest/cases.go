package gatewaytest

import (
	"time"

	"payscand/payment"
)

// conformance is one case. when says for which gateways it is; nil: for all.
type conformance struct {
	name string
	when func(payment.Traits) bool
	test func(*shop)
}

func reverses(t payment.Traits) bool         { return t.CancelReverses }
func closes(t payment.Traits) bool           { return !t.CancelReverses }
func repeatable(t payment.Traits) bool       { return t.IdempotentPay }
func repeatableRefund(t payment.Traits) bool { return t.IdempotentRefund }
func listed(t payment.Traits) bool           { return t.TransactionList }
func askable(t payment.Traits) bool          { return t.InquireByRequestID }

var cases = []conformance{
	{"a probe proves the gateway", nil, func(s *shop) {
		request, err := s.Gateway().Prepare(payment.Sale{}, payment.Call{Kind: payment.CallProbe, Gateway: s.Gateway().Name()}, s.Now())
		if err != nil {
			s.Fatal(err)
		}
		if v := s.Gateway().Send(s.Context(), request); v.Class != payment.ClassNotFound {
			s.Errorf("got %s (%s), want not_found", v.Class, v.Reason)
		}
	}},

	{"a code is paid at once", nil, func(s *shop) {
		bought := s.paid()
		if v := bought.truth(); v.PaymentID == "" || v.PaymentID != bought.attempt().PaymentID {
			s.Errorf("paid as %q, then as %q", bought.attempt().PaymentID, v.PaymentID)
		}
	}},
	{"a code is paid after its customer confirms", nil, func(s *shop) {
		made := s.begin(payment.InstrumentCode, WalletConfirms)
		made.expect(payment.CallPay, payment.ClassPending)
		made.is(payment.ClassPending, 0)
		s.Pass(time.Minute)
		made.is(payment.ClassPaid, s.Amount().Amount)
	}},
	{"a code that its wallet refuses fails, with a documented reason", nil, func(s *shop) {
		made := s.begin(payment.InstrumentCode, WalletRefuses)
		v := made.expect(payment.CallPay, payment.ClassFailed)
		if !v.Documented || v.Reason == "" || v.GatewayCode == "" {
			s.Errorf("got %+v", v)
		}
		made.keeps(0)
	}},
	{"a customer declines", nil, func(s *shop) {
		for _, instrument := range []payment.Instrument{payment.InstrumentCode, payment.InstrumentQR} {
			made := s.waiting(instrument)
			s.Decline(made.attempt().RequestID)
			if v := made.is(payment.ClassFailed, 0); v.Reason == "" {
				s.Errorf("declined without a reason: %+v", v)
			}
		}
	}},
	{"a QR is paid", nil, func(s *shop) {
		made := s.waiting(payment.InstrumentQR)
		s.Pay(made.attempt().RequestID)
		made.is(payment.ClassPaid, s.Amount().Amount)
	}},
	{"a QR that nobody pays is closed", nil, func(s *shop) {
		made := s.waiting(payment.InstrumentQR)
		s.Pass(s.traits.OrderLife + time.Minute)
		made.is(payment.ClassClosed, 0)
	}},

	{"a cancel closes what nobody paid, and may be repeated", nil, func(s *shop) {
		for _, instrument := range []payment.Instrument{payment.InstrumentCode, payment.InstrumentQR} {
			made := s.waiting(instrument)
			made.expect(payment.CallCancel, payment.ClassCancelAccepted)
			s.Pass(time.Minute)
			made.is(payment.ClassClosed, 0)
			made.expect(payment.CallCancel, payment.ClassCancelAccepted, payment.ClassClosed)
			made.keeps(0)
		}
	}},
	{"a payment that was completed wins over a cancel", closes, func(s *shop) {
		bought := s.paid()
		bought.expect(payment.CallCancel, payment.ClassAlreadyPaid)
		bought.is(payment.ClassPaid, s.Amount().Amount)
	}},
	{"a cancel gives a payment back, once however often it is sent", reverses, func(s *shop) {
		bought := s.paid()
		s.Spoil(FaultAnswerLost)
		bought.expect(payment.CallCancel, payment.ClassNoAnswer)
		bought.keeps(0)
		bought.expect(payment.CallCancel, payment.ClassCancelAccepted)
		bought.is(payment.ClassClosed, 0)
	}},

	{"an order whose answer was lost is found", nil, func(s *shop) {
		made := s.begin(payment.InstrumentCode, WalletPays)
		s.Spoil(FaultAnswerLost)
		made.expect(payment.CallPay, payment.ClassNoAnswer)
		made.is(payment.ClassPaid, s.Amount().Amount)
	}},
	{"an order whose answer was lost is paid once however often it is sent", nil, func(s *shop) {
		made := s.begin(payment.InstrumentCode, WalletPays)
		s.Spoil(FaultAnswerLost)
		made.expect(payment.CallPay, payment.ClassNoAnswer)
		wanted := []payment.Class{payment.ClassPaid, payment.ClassAccepted, payment.ClassAlreadyPaid}
		for range 3 {
			made.expect(payment.CallPay, wanted...)
			made.keeps(s.Amount().Amount)
		}
	}},
	{"an order that never arrived is not found, and is paid when it is sent again", nil, func(s *shop) {
		made := s.begin(payment.InstrumentCode, WalletPays)
		s.Spoil(FaultRequestLost)
		made.expect(payment.CallPay, payment.ClassNoAnswer)
		if v := made.is(payment.ClassNotFound, 0); s.traits.TransactionList && v.Search == nil {
			s.Error("the list was searched, and the verdict does not say what was seen")
		}
		made.expect(payment.CallPay, payment.ClassPaid, payment.ClassAccepted)
		made.is(payment.ClassPaid, s.Amount().Amount)
	}},
	{"a second send is told how the first stands", repeatable, func(s *shop) {
		made := s.waiting(payment.InstrumentCode)
		made.expect(payment.CallPay, payment.ClassPending)
		s.Decline(made.attempt().RequestID)
		made.expect(payment.CallPay, payment.ClassFailed)
		shown := s.waiting(payment.InstrumentQR)
		first := shown.attempt().PaymentID
		if v := shown.expect(payment.CallPay, payment.ClassPending); v.PaymentID != first {
			s.Errorf("the second send has another payment id")
		}
	}},
	{"an order that was never sent is not found", askable, func(s *shop) {
		made := s.begin(payment.InstrumentCode, WalletPays)
		made.expect(payment.CallInquire, payment.ClassNotFound)
		made.expect(payment.CallCancel, payment.ClassNotFound)
	}},
	{"no connection is not sent, and nothing is charged", nil, func(s *shop) {
		made := s.begin(payment.InstrumentCode, WalletPays)
		s.Spoil(FaultNotSent)
		made.expect(payment.CallPay, payment.ClassNotSent)
		made.keeps(0)
		s.Spoil(FaultNotSent)
		made.truthNotSent()
		made.expect(payment.CallPay, payment.ClassPaid, payment.ClassAccepted)
		made.is(payment.ClassPaid, s.Amount().Amount)
	}},
	{"a question that is lost decides nothing", nil, func(s *shop) {
		made := s.waiting(payment.InstrumentCode)
		for _, fault := range []Fault{FaultRequestLost, FaultAnswerLost} {
			s.Spoil(fault)
			made.expect(payment.CallInquire, payment.ClassNoAnswer)
		}
		made.is(payment.ClassPending, 0)
	}},
	{"a cancel that never arrived cancels nothing", nil, func(s *shop) {
		made := s.waiting(payment.InstrumentCode)
		s.Spoil(FaultRequestLost)
		made.expect(payment.CallCancel, payment.ClassNoAnswer)
		made.is(payment.ClassPending, 0)
	}},

	{"refunds in part and of the rest, and never above", nil, func(s *shop) {
		bought := s.paid()
		all := s.Amount().Amount
		bought.another(all / 3)
		bought.refunded()
		bought.keeps(all - all/3)
		bought.another(all)
		bought.expect(payment.CallRefund, payment.ClassFailed)
		bought.keeps(all - all/3)
		bought.another(all - all/3)
		bought.refunded()
		bought.keeps(0)
		bought.another(1)
		bought.expect(payment.CallRefund, payment.ClassFailed, payment.ClassAlreadyRefunded)
		bought.keeps(0)
		if v := bought.truth(); v.Class != payment.ClassPaid {
			s.Errorf("a refunded order is %s, want paid", v.Class)
		}
	}},
	{"a refund whose answer was lost is found by sending it again", repeatableRefund, func(s *shop) {
		bought := s.paid()
		bought.another(s.Amount().Amount / 2)
		s.Spoil(FaultAnswerLost)
		bought.expect(payment.CallRefund, payment.ClassNoAnswer)
		for range 3 {
			bought.refunded()
			bought.keeps(s.Amount().Amount - s.Amount().Amount/2)
		}
	}},
	{"a refund whose answer was lost is found in the list", listed, func(s *shop) {
		bought := s.paid()
		bought.another(s.Amount().Amount / 2)
		s.Spoil(FaultAnswerLost)
		bought.expect(payment.CallRefund, payment.ClassNoAnswer)
		bought.expect(payment.CallLookupRefund, payment.ClassRefunded)
		bought.keeps(s.Amount().Amount - s.Amount().Amount/2)
	}},
	{"a refund that never arrived gives nothing back until it is sent again", nil, func(s *shop) {
		bought := s.paid()
		bought.another(s.Amount().Amount)
		s.Spoil(FaultRequestLost)
		bought.expect(payment.CallRefund, payment.ClassNoAnswer)
		bought.keeps(s.Amount().Amount)
		bought.refunded()
		bought.keeps(0)
	}},
	{"a payment that another terminal took is refunded by its payment id", nil, func(s *shop) {
		theirs := s.paid()
		paymentID, requestID := theirs.attempt().PaymentID, theirs.attempt().RequestID
		foreign := &sale{s, payment.ForeignAttempt("01JZ8M3V0QK6T9X2B4C5D7ZZZZ", s.Gateway().Name(), paymentID)}
		foreign.Sale.Amount = s.Amount()
		request, err := s.Gateway().Prepare(foreign.Sale, payment.Call{Attempt: 1, Seq: 1, Kind: payment.CallInquire, Gateway: s.Gateway().Name()}, s.Now())
		if err != nil {
			s.Fatal(err)
		}
		v := s.Gateway().Send(s.Context(), request)
		if v.Class != payment.ClassPaid || v.RequestID != requestID || v.PaymentID != paymentID || v.Amount != s.Amount() {
			s.Fatalf("got %+v", v)
		}
		foreign.attempt().RequestID = v.RequestID
		foreign.another(s.Amount().Amount / 4)
		foreign.refunded()
		theirs.keeps(s.Amount().Amount - s.Amount().Amount/4)
	}},
	{"a refund without a connection is not sent", nil, func(s *shop) {
		bought := s.paid()
		bought.another(s.Amount().Amount)
		s.Spoil(FaultNotSent)
		bought.expect(payment.CallRefund, payment.ClassNotSent)
		bought.keeps(s.Amount().Amount)
	}},
}

// truthNotSent asks for the truth without a connection.
func (s *sale) truthNotSent() {
	s.Helper()
	if v := s.truth(); v.Class != payment.ClassNotSent {
		s.Errorf("got %s, want not_sent", v.Class)
	}
}
