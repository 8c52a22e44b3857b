package notify_test

import (
	"log/slog"
	"net/http/httptest"
	"testing"
	"time"

	"payscand/api/notify"
	"payscand/payment"
	"payscand/payment/alipayplus"
	"payscand/payment/alphapay"
	"payscand/payment/sandbox"
	"payscand/payment/signature"
)

// The practice gateway, which signs notifications and checks acknowledgements by
// the vendors' pages alone, is understood and content: what it sends of a payment
// reaches the terminal as a verdict, and what comes back it takes for an
// acknowledgement.
func TestAgainstThePracticeGateway(t *testing.T) {
	merchant, platform := keys()[0], keys()[1]
	bank, err := sandbox.New(sandbox.Config{
		MerchantCode: "9FEOWJ", MerchantKey: merchant.Public(), PlatformKey: platform,
		ClientID: "5J0", ClientKey: merchant.Public(), AlipayPlusKey: platform, Seed: "1",
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(bank.Close)
	server := httptest.NewServer(bank.Handler())
	t.Cleanup(server.Close)
	told := &counter{}
	gateways := map[string][]notify.Gateway{}
	handler := notify.New(notify.Config{Terminal: told, Gateways: gateways, Log: slog.New(slog.DiscardHandler)})
	shop := httptest.NewServer(handler)
	t.Cleanup(shop.Close)
	platformKeys := map[int]signature.PublicKey{1: platform.Public()}
	plus, err := alipayplus.New(alipayplus.Config{
		Name: "alipayplus", BaseURL: server.URL, ClientID: "5J0", TerminalCode: "L1", PrivateKey: merchant, PlatformKeys: platformKeys,
		NotifyURL: shop.URL + "/notify/alipayplus",
		Merchant:  alipayplus.Merchant{ReferenceID: "M1", Name: "Shop", MCC: "5411", Address: alipayplus.Address{Region: "CA"}},
		Store:     alipayplus.Store{ReferenceID: "S1", Name: "Shop", MCC: "5411"},
	})
	if err != nil {
		t.Fatal(err)
	}
	alpha, err := alphapay.New(alphapay.Config{
		Name: "alphapay", BaseURL: server.URL, MerchantCode: "9FEOWJ", TerminalCode: "L1", PrivateKey: merchant, PlatformKeys: platformKeys,
		NotifyURL: shop.URL + "/notify/alphapay",
	})
	if err != nil {
		t.Fatal(err)
	}
	gateways["alipayplus"], gateways["alphapay"] = []notify.Gateway{plus}, []notify.Gateway{alpha}

	for n, test := range []struct {
		gateway payment.Gateway
		decide  func(string) (sandbox.Order, error)
		class   payment.Class
	}{{plus, bank.Pay, payment.ClassPaid}, {plus, bank.Decline, payment.ClassFailed}, {alpha, bank.Pay, payment.ClassPaid}} {
		s := payment.Sale{ID: "01JZ8M3V0QK6T9X2B4C5D7000" + string(rune('A'+n)), Amount: payment.Money{Amount: 1234, Currency: "CAD"}}
		a := payment.Attempt{N: 1, RequestID: s.ID + "-1", Instrument: payment.InstrumentQR, SubmittedAt: time.Now().UTC(), Sends: 1}
		if a.Intent, err = test.gateway.Compose(s, a); err != nil {
			t.Fatal(err)
		}
		s.Attempts = []payment.Attempt{a}
		request, err := test.gateway.Prepare(s, payment.Call{Attempt: 1, Kind: payment.CallPay}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if v := test.gateway.Send(t.Context(), request); v.Class != payment.ClassPending {
			t.Fatalf("pay: %+v", v)
		}
		if _, err := test.decide(a.RequestID); err != nil {
			t.Fatal(err)
		}
		told.told = nil
		if sent := bank.DeliverNotifications(t.Context()); sent != 1 {
			t.Fatalf("%d notifications were sent", sent)
		}
		if len(told.told) != 1 {
			t.Fatalf("told %+v", told.told)
		}
		got := told.told[0]
		if !got.Verified || got.Gateway != test.gateway.Name() || got.RequestID != a.RequestID || got.Verdict.Class != test.class || got.Verdict.Amount != s.Amount {
			t.Errorf("told %+v", got)
		}
		order, err := bank.Order(a.RequestID)
		if err != nil || len(order.Notifications) != 1 || order.Notifications[0].AcknowledgedAt.IsZero() {
			t.Errorf("not acknowledged: %+v, %v", order.Notifications, err)
		}
	}
	if handler.Unverified() != 0 {
		t.Errorf("%d were not verified", handler.Unverified())
	}
}
