package gatewaytest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"payscand/payment"
	"payscand/payment/alipayplus"
	"payscand/payment/alphapay"
	"payscand/payment/exchange"
	"payscand/payment/exchange/exchangetest"
	"payscand/payment/gatewaytest"
	"payscand/payment/sandbox"
)

// practice is a gateway's client in front of the practice gateway, over real HTTP.
type practice struct {
	t       *testing.T
	gateway interface {
		payment.Gateway
		Close()
	}
	bank  *sandbox.Server
	codes int
	down  atomic.Bool // no connection can be had

	mu    sync.Mutex
	ahead time.Duration
}

func open(t *testing.T, client func(url string, outside exchange.Outside) (interface {
	payment.Gateway
	Close()
}, error)) *practice {
	t.Helper()
	p := &practice{t: t}
	merchant, platform := exchangetest.Keys().Merchant, exchangetest.Keys().Platform
	var err error
	p.bank, err = sandbox.New(sandbox.Config{
		MerchantCode: "9FEOWJ", MerchantKey: merchant.Public(), PlatformKey: platform,
		ClientID: "5J0", ClientKey: merchant.Public(), AlipayPlusKey: platform,
		Clock: p.Now, Seed: "1",
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(p.bank.Handler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	t.Cleanup(server.Close)
	t.Cleanup(p.bank.Close)
	transport := exchange.NewTransport(func(ctx context.Context, network, address string) (net.Conn, error) {
		if p.down.CompareAndSwap(true, false) {
			return nil, errors.New("connection refused")
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}, nil, exchange.DefaultConnectTimeout)
	p.gateway, err = client(server.URL, exchange.Outside{Transport: transport, Clock: p})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.gateway.Close)
	return p
}

func (p *practice) Gateway() payment.Gateway { return p.gateway }
func (p *practice) Amount() payment.Money    { return payment.Money{Amount: 1234, Currency: "CAD"} }

func (p *practice) Code(w gatewaytest.Wallet) payment.Code {
	p.codes++
	digits := map[gatewaytest.Wallet]string{
		gatewaytest.WalletPays: "00", gatewaytest.WalletConfirms: "01", gatewaytest.WalletWaits: "03", gatewaytest.WalletRefuses: "06",
	}[w]
	return payment.NewCode(fmt.Sprintf("28%014d%s", p.codes, digits))
}

func (p *practice) Pay(requestID string) {
	if _, err := p.bank.Pay(requestID); err != nil {
		p.t.Fatal(err)
	}
}

func (p *practice) Decline(requestID string) {
	if _, err := p.bank.Decline(requestID); err != nil {
		p.t.Fatal(err)
	}
}

// Now and Elapsed are the machine's clock; the practice gateway's is the same.
func (p *practice) Now() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Now().Add(p.ahead)
}

func (p *practice) Elapsed() time.Duration { return time.Duration(p.Now().UnixNano()) }

func (p *practice) Pass(d time.Duration) {
	p.mu.Lock()
	p.ahead += d
	p.mu.Unlock()
}

func (p *practice) Spoil(f gatewaytest.Fault) {
	kind := sandbox.FaultDrop
	switch f {
	case gatewaytest.FaultNotSent:
		p.gateway.Close() // no connection is kept
		p.down.Store(true)
		return
	case gatewaytest.FaultAnswerLost:
		kind = sandbox.FaultCut
	}
	if err := p.bank.AddFaults(sandbox.Fault{Path: "*", Kind: kind, Times: 1}); err != nil {
		p.t.Fatal(err)
	}
}

func (p *practice) Kept(requestID string) int64 {
	order, err := p.bank.Order(requestID)
	if err != nil || order.Status == sandbox.StatusReversed {
		return 0
	}
	return int64(order.Captures)*order.Amount - order.Refunded
}

func TestAlphaPay(t *testing.T) {
	gatewaytest.Run(t, func(t *testing.T) gatewaytest.Stand {
		return open(t, func(url string, outside exchange.Outside) (interface {
			payment.Gateway
			Close()
		}, error) {
			return alphapay.New(alphapay.Config{
				Name: "alphapay", BaseURL: url, MerchantCode: "9FEOWJ", TerminalCode: "L1", PrivateKey: exchangetest.Keys().Merchant,
				PlatformKeys: exchangetest.Keys().PlatformKeys(), Outside: outside,
			})
		})
	})
}

func TestAlipayPlus(t *testing.T) {
	gatewaytest.Run(t, func(t *testing.T) gatewaytest.Stand {
		return open(t, func(url string, outside exchange.Outside) (interface {
			payment.Gateway
			Close()
		}, error) {
			return alipayplus.New(alipayplus.Config{
				Name: "alipayplus", BaseURL: url, ClientID: "5J0", TerminalCode: "L1", PrivateKey: exchangetest.Keys().Merchant,
				PlatformKeys: exchangetest.Keys().PlatformKeys(), Outside: outside,
				NotifyURL: "https://shop.example/notify/alipayplus",
				Merchant: alipayplus.Merchant{
					ReferenceID: "M1", Name: "Corner Shop", MCC: "5411", Address: alipayplus.Address{Region: "CA", City: "Vancouver"},
				},
				Store: alipayplus.Store{ReferenceID: "S1", Name: "Main Street", MCC: "5411"},
			})
		})
	})
}
