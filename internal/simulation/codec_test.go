package simulation

import (
	"slices"
	"testing"

	"payscand/payment"
	"payscand/payment/alphapay"
)

// Days at a counter whose gateway is asked through its real client break no
// promise, whatever befalls the bytes, and each thing that can befall them does.
func TestCodecDays(t *testing.T) {
	days := uint64(400)
	if raceEnabled {
		days = 20
	}
	var all Result
	for n := range days {
		r, err := Run(n * codecEvery)
		if err != nil {
			t.Error(err)
			continue
		}
		all.Add(&r)
	}
	if all.Wired != int(days) {
		t.Errorf("%d of %d days had the codec", all.Wired, days)
	}
	for x := wireFine + 1; x < wireWays && !raceEnabled; x++ {
		if all.Wire[x] == 0 {
			t.Errorf("never happened: %s", x)
		}
	}
}

// gullible is AlphaPay's wire with a client that believes every signature.
type gullible struct{ alphaPayWire }

type believer struct{}

func (believer) Verify([]byte, string) error { return nil }

func (gullible) client(c *codec) payment.Gateway {
	g, err := alphapay.New(alphapay.Config{
		Name: c.model.name, BaseURL: "https://openapi.alphapay.ca", MerchantCode: alphaMerchant, TerminalCode: "L1",
		Outside: alphapay.Outside{Transport: c, Signer: alphaMerchantKey, Verifier: believer{}, Clock: sandClock{c.world}},
	})
	if err != nil {
		panic(err)
	}
	return g
}

// What nobody may believe is a lie: a client that does not check signatures is
// soon told of payments that never were.
func TestCodecBites(t *testing.T) {
	for n := range uint64(200) {
		w := newWorld(newDecider(n * codecEvery))
		for _, g := range w.gateways {
			if g.codec != nil {
				g.codec.vendor = gullible{}
			}
		}
		if w.run(); w.broken != nil {
			return
		}
	}
	t.Error("a client that checks no signature went unnoticed")
}

// A request that is not the one that the engine wanted is found out: by its
// signature, its headers, its path and what it says.
func TestWireHearsWrongRequests(t *testing.T) {
	w := playedTo(t, "codec/0/0=1 "+waits, flying(payment.CallPay))
	s := w.oracle.order[0].sale
	c := w.gateways[0].codec
	f := w.network.flights[0]
	for name, spoil := range map[string]func(f *flight){
		"another sum":      func(f *flight) { f.call.Sale = other(w, s) },
		"another code":     func(f *flight) { f.attempt.Code = payment.NewCode("281111111111111111") },
		"another order":    func(f *flight) { f.attempt.RequestID += "0" },
		"another call":     func(f *flight) { f.call.Kind = payment.CallCancel },
		"another merchant": func(f *flight) { f.request = requestOfAnotherMerchant(t, c, s, f.call) },
	} {
		t.Run(name, func(t *testing.T) {
			w.broken = nil
			spoilt := *f
			spoil(&spoilt)
			if c.ask(&spoilt, wireFine, false); w.broken == nil {
				t.Error("it went unnoticed")
			}
		})
	}
}

// other is a sale with another sum.
func other(w *world, s payment.Sale) string {
	s.ID, s.Amount.Amount = "another", s.Amount.Amount+1
	w.oracle.sales[s.ID] = &saleFacts{sale: s}
	return s.ID
}

func requestOfAnotherMerchant(t *testing.T, c *codec, s payment.Sale, call payment.Call) payment.Request {
	g, err := alphapay.New(alphapay.Config{
		Name: "alphapay", BaseURL: "https://openapi.alphapay.ca", MerchantCode: alphaMerchant, TerminalCode: "L1",
		Outside: alphapay.Outside{Transport: c, Signer: strangersKey, Verifier: alphaPlatformKey, Clock: sandClock{c.world}},
	})
	if err != nil {
		t.Fatal(err)
	}
	request, err := g.Prepare(s, call, c.world.trueTime())
	if err != nil {
		t.Fatal(err)
	}
	return request
}

// Every fate that befalls an answer shows on the wire in some way, and every way
// but those of the journey itself comes from a fate.
func TestEveryWireWayHasAFate(t *testing.T) {
	var from []wireWay
	for _, ways := range waysOf {
		from = append(from, ways...)
	}
	of := []wireWay{wireNotSent, wireLost, wireSignTimeout, wireInvalidSign, wireNotAllowed, wireClock, wireFarTime}
	for x := wireFine + 1; x < wireWays; x++ {
		if !slices.Contains(from, x) && !slices.Contains(of, x) {
			t.Errorf("%s never happens", x)
		}
		if x.String() == "" {
			t.Errorf("way %d has no name", x)
		}
	}
}
