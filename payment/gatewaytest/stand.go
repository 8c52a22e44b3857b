// Package gatewaytest is the suite of tests that every payment.Gateway passes,
// whatever vendor it speaks to. A Stand is the gateway together with a truth
// behind it that the suite scripts: what the customer's wallet does, what becomes
// of a call on its way, and how time goes by. The suite holds the gateway's
// verdicts against what was truly captured and given back.
package gatewaytest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"payscand/payment"
)

// Wallet is what the customer's wallet does with a scanned code.
type Wallet string

const (
	WalletPays     Wallet = "pays"     // at once
	WalletConfirms Wallet = "confirms" // after a minute at most
	WalletWaits    Wallet = "waits"    // until Pay or Decline
	WalletRefuses  Wallet = "refuses"  // at once, with a documented code
)

// Fault is what becomes of one call on its way.
type Fault string

const (
	FaultNotSent     Fault = "not sent"     // there is no connection
	FaultRequestLost Fault = "request lost" // it never arrives, and there is no answer
	FaultAnswerLost  Fault = "answer lost"  // it is done, and there is no answer
)

// Stand is a gateway and the truth behind it. Its methods fail the test rather
// than return errors.
type Stand interface {
	Gateway() payment.Gateway
	// Amount is what each sale is made out for.
	Amount() payment.Money
	// Code is a payment code that was never used, whose wallet does so.
	Code(Wallet) payment.Code
	// Pay and Decline are what the customer does about a waiting order.
	Pay(requestID string)
	Decline(requestID string)
	// Pass lets time go by, at the gateway and here; Now is this machine's time.
	Pass(time.Duration)
	Now() time.Time
	// Spoil sets what becomes of the next call.
	Spoil(Fault)
	// Kept is what was captured for a request id and not given back, in minor units.
	Kept(requestID string) int64
}

// Run runs the suite. open makes a stand of its own for each case.
func Run(t *testing.T, open func(t *testing.T) Stand) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := open(t)
			shop := &shop{T: t, Stand: s, traits: s.Gateway().Traits()}
			if c.when == nil || c.when(shop.traits) {
				c.test(shop)
			}
		})
	}
}

// shop makes sales at the stand, and keeps of verdicts what Step would.
type shop struct {
	*testing.T
	Stand
	traits payment.Traits
	sales  int
}

// sale is one sale with one attempt.
type sale struct {
	*shop
	Sale payment.Sale
}

func (s *shop) begin(instrument payment.Instrument, wallet Wallet) *sale {
	s.Helper()
	s.sales++
	now := s.Now().UTC().Truncate(time.Millisecond)
	id := fmt.Sprintf("01JZ8M3V0QK6T9X2B4C5D7%04d", s.sales)
	a := payment.Attempt{
		N: 1, RequestID: id + "-1", Gateway: s.Gateway().Name(), Instrument: instrument, SubmittedAt: now, Status: payment.AttemptSubmitting,
	}
	if instrument == payment.InstrumentCode {
		a.Code = s.Code(wallet)
		a.Wallet = payment.WalletAlipayPlus
	}
	made := &sale{s, payment.Sale{ID: id, Key: "k" + id, Amount: s.Amount(), Reference: "bill", CreatedAt: now}}
	intent, err := s.Gateway().Compose(made.Sale, a)
	if err != nil {
		s.Fatal(err)
	}
	if text := intent.Head + intent.Tail; !a.Code.IsZero() && strings.Contains(text, a.Code.Reveal()) {
		s.Error("the stored intent holds the payment code (M7)")
	}
	a.Intent = intent
	made.Sale.Attempts = []payment.Attempt{a}
	return made
}

func (s *sale) attempt() *payment.Attempt { return &s.Sale.Attempts[0] }

// ask makes one call about the sale, or about its last refund.
func (s *sale) ask(kind payment.CallKind) payment.Verdict {
	s.Helper()
	a := s.attempt()
	call := payment.Call{Sale: s.Sale.ID, Attempt: 1, Seq: a.Seq + 1, Kind: kind, Gateway: a.Gateway}
	a.Seq++
	ofRefund := kind == payment.CallRefund || kind == payment.CallInquireRefund || kind == payment.CallLookupRefund
	switch {
	case ofRefund:
		call.Refund = len(s.Sale.Refunds)
	case kind == payment.CallPay:
		a.Sends++
	}
	request, err := s.Gateway().Prepare(s.Sale, call, s.Now())
	if err != nil {
		s.Fatalf("%s: %v", kind, err)
	}
	v := s.Gateway().Send(context.Background(), request)
	s.hold(kind, v)
	if ofRefund {
		if v.RefundID != "" {
			s.Sale.Refunds[call.Refund-1].RefundID = v.RefundID
		}
	} else if v.PaymentID != "" {
		a.PaymentID = v.PaymentID
	}
	return v
}

// hold is what must be true of every verdict.
func (s *sale) hold(kind payment.CallKind, v payment.Verdict) {
	s.Helper()
	a := s.attempt()
	switch {
	case v.Class == "":
		s.Errorf("%s: a verdict without a class", kind)
	case v.Class == payment.ClassPaid && (v.RequestID != a.RequestID || v.Amount != s.Sale.Amount):
		s.Errorf("%s: paid, for %q and %s (P4)", kind, v.RequestID, v.Amount)
	case v.Class == payment.ClassPaid && s.Kept(a.RequestID) == 0 && len(s.Sale.Refunds) == 0:
		s.Errorf("%s: paid, and nothing was captured", kind)
	case (v.Class == payment.ClassFailed || v.Class == payment.ClassClosed) && kind != payment.CallRefund && s.Kept(a.RequestID) != 0:
		s.Errorf("%s: %s, and %d are kept", kind, v.Class, s.Kept(a.RequestID))
	case !v.Class.Verified() && v.Reason == "":
		s.Errorf("%s: %s without a reason", kind, v.Class)
	}
	if text := fmt.Sprintf("%+v", v); !a.Code.IsZero() && strings.Contains(text, a.Code.Reveal()) {
		s.Errorf("%s: the verdict shows the payment code: %s", kind, text)
	}
}

// expect makes a call whose verdict must be one of the classes.
func (s *sale) expect(kind payment.CallKind, classes ...payment.Class) payment.Verdict {
	s.Helper()
	v := s.ask(kind)
	if slices.Contains(classes, v.Class) {
		return v
	}
	s.Fatalf("%s: got %s (%s, code %q), want %v", kind, v.Class, v.Reason, v.GatewayCode, classes)
	return v
}

// truth asks for the order as the gateway can be asked for it.
func (s *sale) truth() payment.Verdict {
	s.Helper()
	if s.attempt().PaymentID == "" && !s.traits.InquireByRequestID {
		return s.ask(payment.CallLookup)
	}
	return s.ask(payment.CallInquire)
}

// is asks for the truth, which must be of this class, and holds what is kept.
func (s *sale) is(class payment.Class, kept int64) payment.Verdict {
	s.Helper()
	v := s.truth()
	if v.Class != class {
		s.Fatalf("the order is %s (%s, code %q), want %s", v.Class, v.Reason, v.GatewayCode, class)
	}
	s.keeps(kept)
	return v
}

func (s *sale) keeps(kept int64) {
	s.Helper()
	if got := s.Kept(s.attempt().RequestID); got != kept {
		s.Fatalf("%d are kept, want %d", got, kept)
	}
}

// paid pays a sale by code.
func (s *shop) paid() *sale {
	s.Helper()
	bought := s.begin(payment.InstrumentCode, WalletPays)
	bought.expect(payment.CallPay, payment.ClassPaid, payment.ClassAccepted)
	bought.is(payment.ClassPaid, s.Amount().Amount)
	return bought
}

// waiting begins a sale that waits for its customer.
func (s *shop) waiting(instrument payment.Instrument) *sale {
	s.Helper()
	made := s.begin(instrument, WalletWaits)
	v := made.expect(payment.CallPay, payment.ClassPending)
	if instrument == payment.InstrumentQR {
		switch life := v.ExpiresAt.Sub(s.Now()); {
		case v.QR == nil || v.QR.Payload == "":
			s.Fatalf("no QR: %+v", v)
		case life <= 0 || life > s.traits.OrderLife+5*time.Second:
			s.Errorf("the QR lives %s, an order at most %s", life, s.traits.OrderLife)
		}
	}
	made.is(payment.ClassPending, 0)
	return made
}

// another begins a refund of the sale.
func (s *sale) another(amount int64) {
	n := len(s.Sale.Refunds) + 1
	s.Sale.Refunds = append(s.Sale.Refunds, payment.Refund{
		N: n, RequestID: fmt.Sprintf("%s-%d", s.Sale.ID, 9+n), Attempt: 1, Note: "cold coffee", Status: payment.RefundSubmitting,
		Amount: payment.Money{Amount: amount, Currency: s.Sale.Amount.Currency}, RequestedAt: s.Now().UTC(),
	})
}

// refunded sees the last refund through, as the gateway can be asked about it.
func (s *sale) refunded() {
	s.Helper()
	v := s.expect(payment.CallRefund, payment.ClassRefunded, payment.ClassAccepted)
	if v.Class == payment.ClassAccepted {
		v = s.expect(payment.CallInquireRefund, payment.ClassRefunded)
	}
	if last := s.Sale.Refunds[len(s.Sale.Refunds)-1]; v.RequestID != last.RequestID || v.Amount != last.Amount {
		s.Errorf("refunded, for %q and %s", v.RequestID, v.Amount)
	}
}
