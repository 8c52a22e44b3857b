package simulation

import (
	"context"
	"fmt"
	"testing"
	"time"

	"payscand/payment"
	"payscand/payment/gatewaytest"
)

// modelStand is a gateway model as a payment.Gateway, in a world without a shop:
// the suite is its only customer. What the simulator's runs are held against is
// thereby held against what the real clients are.
type modelStand struct {
	t     *testing.T
	world *world
	model *gatewayModel
	fault gatewaytest.Fault
	codes int
	calls int
	// wallets of codes that were given out.
	wallets map[string]gatewaytest.Wallet
}

func openModel(t *testing.T, traits payment.Traits, way secondSend) *modelStand {
	w := newWorld(newScriptedDecider(nil))
	m := newGateway(w, "model", traits)
	m.secondSend = way
	w.gateways = append(w.gateways, m)
	return &modelStand{t: t, world: w, model: m, wallets: map[string]gatewaytest.Wallet{}}
}

func (s *modelStand) Gateway() payment.Gateway { return s }
func (s *modelStand) Amount() payment.Money    { return payment.Money{Amount: 1234, Currency: "CAD"} }
func (s *modelStand) Name() string             { return s.model.name }
func (s *modelStand) Traits() payment.Traits   { return s.model.traits }

func (s *modelStand) Compose(sale payment.Sale, a payment.Attempt) (payment.Intent, error) {
	return s.world.network.Compose(payment.Sale{ID: sale.ID, Key: keyPrefix + "0"}, a)
}

// modelRequest is what a call was about when it was prepared.
type modelRequest struct{ flight *flight }

func (s *modelStand) Prepare(sale payment.Sale, c payment.Call, _ time.Time) (payment.Request, error) {
	s.calls++
	s.world.oracle.sales[sale.ID] = &saleFacts{sale: sale}
	return modelRequest{&flight{call: c, prepared: prepared{attempt: attemptOf(sale, c), refund: refundOf(sale, c)}, subject: s.calls, nth: c.Seq}}, nil
}

func (s *modelStand) Send(_ context.Context, r payment.Request) payment.Verdict {
	f := r.(modelRequest).flight
	fault := s.fault
	s.fault = ""
	switch fault {
	case gatewaytest.FaultNotSent:
		return notSent
	case gatewaytest.FaultRequestLost:
		return silence(payment.ReasonNoAnswer)
	}
	s.choose(f)
	fate := fateFine
	if fault == gatewaytest.FaultAnswerLost {
		fate = fateAnswerLost
	}
	v := s.model.answer(f, fate)
	s.Pass(0)
	return v
}

// choose makes the wallet of the code do what the suite wants.
func (s *modelStand) choose(f *flight) {
	code := f.attempt.Code.Reveal()
	way, wanted := map[gatewaytest.Wallet]int{
		gatewaytest.WalletPays: walletPays, gatewaytest.WalletConfirms: walletConfirms,
		gatewaytest.WalletWaits: walletIgnores, gatewaytest.WalletRefuses: walletInvalidCode,
	}[s.wallets[code]]
	if wanted {
		s.world.script[decisionKey{siteWallet, f.subject, 0}] = way
		s.world.script[decisionKey{siteWalletDelay, f.subject, 0}] = 2
		s.world.shop.shown[code] = s.world.now
	}
}

func (s *modelStand) Code(w gatewaytest.Wallet) payment.Code {
	s.codes++
	code := fmt.Sprintf("28%016d", s.codes)
	s.wallets[code] = w
	return payment.NewCode(code)
}

func (s *modelStand) order(requestID string) *order {
	known := s.model.byRequest[requestID]
	if len(known) != 1 {
		s.t.Fatalf("there are %d orders of %s", len(known), requestID)
	}
	return known[0]
}

func (s *modelStand) Pay(requestID string) {
	o := s.order(requestID)
	if o.code != "" {
		s.t.Fatal("the suite pays QRs only")
	}
	o.pay()
}

func (s *modelStand) Decline(requestID string) {
	s.order(requestID).end(payment.ClassFailed, payment.ReasonDeclined)
}

func (s *modelStand) Now() time.Time { return dayOne.Add(s.world.now) }

// Pass lets happen what the model has planned.
func (s *modelStand) Pass(d time.Duration) {
	end := s.world.now + d
	for len(s.world.queue.events) > 0 && s.world.queue.events[0].at <= end {
		e, _ := s.world.queue.pop()
		s.world.now = e.at
		e.do()
	}
	s.world.now = end
	if s.world.broken != nil {
		s.t.Fatal(s.world.broken)
	}
}

func (s *modelStand) Spoil(f gatewaytest.Fault) { s.fault = f }

func (s *modelStand) Kept(requestID string) (kept int64) {
	for _, o := range s.model.byRequest[requestID] {
		if !o.captured || o.reversed {
			continue
		}
		kept += o.amount.Amount
		for _, r := range o.refunds {
			if r.state == payment.ClassRefunded {
				kept -= r.amount.Amount
			}
		}
	}
	return kept
}

// The simulator's gateway models keep to what the suite asks of every gateway.
func TestModelConformance(t *testing.T) {
	for name, traits := range map[string]payment.Traits{"alphapay": alphaPay, "alipayplus": alipay} {
		t.Run(name, func(t *testing.T) {
			gatewaytest.Run(t, func(t *testing.T) gatewaytest.Stand { return openModel(t, traits, secondSendKnown) })
		})
	}
}
