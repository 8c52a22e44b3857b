// Package sandbox is a practice gateway: it speaks two payment vendors' protocols,
// checks every request as strictly as the vendors' pages allow, and keeps a truth
// of its own about orders, captures and refunds, so that a shop's software can be
// shown and tested against everything that goes wrong at a real gateway.
//
// The last two digits of a payment code choose what happens to the payment and to
// its refunds (Behaviours). A web page lists the orders and stands in for the
// customer's wallet and the vendor's portal; a control API looks at the truth,
// refunds behind the shop's back, and sets faults.
//
// The model of the truth (model.go, refund.go) knows no wire protocol, and the
// protocols (alphapay*.go, alipayplus*.go) are written from the vendors' pages
// alone: they share nothing with the clients that they test but the signature
// scheme.
package sandbox

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bojanz/currency"

	"payscand/payment/signature"
)

// Config describes a practice gateway. It speaks each protocol whose party it
// knows, and must know one.
type Config struct {
	MerchantCode string               // the one AlphaPay merchant it knows
	MerchantKey  signature.PublicKey  // checks the merchant's requests, as key version 1
	PlatformKey  signature.PrivateKey // signs AlphaPay's answers, as key version 1

	ClientID      string               // the one Alipay+ client it knows
	ClientKey     signature.PublicKey  // checks the client's requests, as key version 1
	AlipayPlusKey signature.PrivateKey // signs Alipay+'s answers, as key version 1
	MerchantID    string               // the one merchant (order.merchant.referenceMerchantId) the client has registered; default: any

	Currency string // the host's currency, CAD (default) or USD; any where there is Alipay+ only. CNY is taken by AlphaPay besides
	BaseURL  string // under which customers reach the pay pages; default: http and the request's Host
	Seed     string // payment ids and page addresses follow from it; default: that of the state file, or random
	State    string // file that keeps orders, refunds and notifications beyond this process; default: none

	OrderLife    time.Duration // until an unpaid order closes; default 5 min, AlphaPay's; Alipay+ has limits of its own
	PendingDelay time.Duration // until a pending order settles by itself; default 3 s
	LateBy       time.Duration // of late deliveries and answers (behaviours 30, 31); default 20 s
	Speed        int           // divides the three above and the vendors' own limits, as [policy] speed does the shop's; default 1
	NotifySpeed  int           // the vendors' pauses between notifications are divided by it; default 60
	NotifyHosts  []string      // that notifications may go to besides loopback addresses
	MaxOrders    int           // kept in memory, the oldest that are over make room; default 10,000
	MaxNonces    int           // remembered against replay within 10 min; default 20,000

	Clock  func() time.Time                         // default time.Now
	After  func(time.Duration) <-chan time.Time     // for LateBy and fault delays; default time.After
	OnCall func(path, requestID, resultCode string) // told of each call once the truth has changed, before its answer leaves
	Logger *slog.Logger                             // one line per call, codes masked; default: silent
}

func (c *Config) fillIn() error {
	problems := c.checkParties()
	c.Currency = orDefault(c.Currency, "CAD")
	switch alphaPay := c.MerchantCode != "" || c.ClientID == ""; {
	case alphaPay && c.Currency != "CAD" && c.Currency != "USD":
		problems = append(problems, errors.New("currency: AlphaPay has CAD and USD only; without a merchant code, at Alipay+, any will do"))
	case !currency.IsValid(c.Currency):
		problems = append(problems, errors.New("currency: want a code of ISO 4217, such as JPY"))
	}
	if base, err := url.Parse(c.BaseURL); c.BaseURL != "" && (err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https") {
		problems = append(problems, errors.New("base URL: want http:// or https:// and a host"))
	}
	c.BaseURL = strings.TrimRight(c.BaseURL, "/")
	c.Speed = orDefault(c.Speed, 1)
	c.OrderLife = c.scaled(orDefault(c.OrderLife, 5*time.Minute))
	c.PendingDelay = c.scaled(orDefault(c.PendingDelay, 3*time.Second))
	c.LateBy = c.scaled(orDefault(c.LateBy, 20*time.Second))
	c.NotifySpeed = orDefault(c.NotifySpeed, 60)
	c.MaxOrders = orDefault(c.MaxOrders, 10_000)
	c.MaxNonces = orDefault(c.MaxNonces, 20_000)
	if min(c.OrderLife, c.PendingDelay, c.LateBy) < 0 || min(c.MaxOrders, c.MaxNonces, c.NotifySpeed, c.Speed) < 0 {
		problems = append(problems, errors.New("durations and limits must not be negative"))
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.After == nil {
		c.After = time.After
	}
	if c.OnCall == nil {
		c.OnCall = func(string, string, string) {}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return errors.Join(problems...)
}

// scaled is a time as long as this gateway's speed makes it.
func (c *Config) scaled(d time.Duration) time.Duration { return d / time.Duration(c.Speed) }

func (c *Config) checkParties() (problems []error) {
	unfit := func(r rune) bool { return r <= ' ' || r > '~' || r == '.' }
	want := func(good bool, problem string) {
		if !good {
			problems = append(problems, errors.New(problem))
		}
	}
	if c.MerchantCode != "" || c.ClientID == "" {
		want(c.MerchantCode != "" && !strings.ContainsFunc(c.MerchantCode, unfit), "merchant code: want visible ASCII without dots")
		want(!c.MerchantKey.IsZero(), "merchant public key is missing")
		want(!c.PlatformKey.IsZero(), "platform private key is missing")
	}
	if c.ClientID != "" {
		want(!strings.ContainsFunc(c.ClientID, unfit), "client id: want visible ASCII without dots")
		want(!c.ClientKey.IsZero(), "client public key is missing")
		want(!c.AlipayPlusKey.IsZero(), "Alipay+ private key is missing")
	}
	return problems
}

func orDefault[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}

// Server is a practice gateway. Its methods may be called at any time, from any
// goroutine.
type Server struct {
	config  Config
	ledger  *ledger
	faults  *faults
	vendors map[Gateway]vendor
	handler http.Handler

	notifier *http.Client
	ahead    atomic.Int64 // of the gateway's clock, nanoseconds
	closing  chan struct{}
	close    func()
}

// New makes a practice gateway, or says everything that is wrong with config.
func New(config Config) (*Server, error) {
	if err := config.fillIn(); err != nil {
		return nil, fmt.Errorf("practice gateway: %w", err)
	}
	s := &Server{}
	machine := config.Clock
	config.Clock = func() time.Time { return machine().Add(time.Duration(s.ahead.Load())) }
	kept, err := readState(config.State)
	if err != nil {
		return nil, fmt.Errorf("practice gateway: %w", err)
	}
	config.Seed = cmp.Or(config.Seed, kept.seed, rand.Text())
	s.config = config
	s.ledger = newLedger(config)
	s.faults = &faults{}
	s.vendors = map[Gateway]vendor{}
	s.closing = make(chan struct{})
	s.notifier = newNotifier()
	s.close = sync.OnceFunc(func() { close(s.closing) })
	if err := s.ledger.keepIn(config.State, kept, config.Clock(), config.Logger); err != nil {
		return nil, fmt.Errorf("practice gateway: %w", err)
	}
	mux := http.NewServeMux()
	if config.MerchantCode != "" {
		speaker := newAlphaPay(s)
		s.vendors[GatewayAlphaPay] = speaker
		speaker.register(mux)
	}
	if config.ClientID != "" {
		speaker := newAlipayPlus(s)
		s.vendors[GatewayAlipayPlus] = speaker
		speaker.register(mux)
	}
	s.registerControl(mux)
	s.registerPages(mux)
	s.handler = mux
	return s, nil
}

// Handler serves the vendor's protocol, the pages and the control API. An answer
// that shall be lost ends in a panic with http.ErrAbortHandler, on which net/http
// cuts the connection.
func (s *Server) Handler() http.Handler { return s.handler }

// Close lets go, unanswered, of all requests and answers that are held up, so
// that an http.Server can shut down. Calls that would be held up later are cut.
func (s *Server) Close() { s.close() }

// Orders returns every order the gateway knows of, the newest first.
func (s *Server) Orders() []Order { return s.ledger.orders(s.config.Clock()) }

// Order returns the order with this request id; an error if there is none.
func (s *Server) Order(requestID string) (Order, error) {
	return s.ledger.find(s.config.Clock(), byAnyRequest(requestID))
}

// Pay does what the customer's wallet does on "pay". It fails if the order is
// unknown or not waiting for the customer.
func (s *Server) Pay(requestID string) (Order, error) {
	return s.ledger.decide(s.config.Clock(), byAnyRequest(requestID), StatusPaid)
}

// Decline does what the customer's wallet does on "decline". It fails if the
// order is unknown or not waiting for the customer.
func (s *Server) Decline(requestID string) (Order, error) {
	return s.ledger.decide(s.config.Clock(), byAnyRequest(requestID), StatusFailed)
}

// Refund gives amount of an order back at once, in minor units, or all that is
// left of it if amount is 0, as somebody does in the vendor's portal behind the
// shop's back. It fails if the order is unknown, not paid, refunded in full or in
// the process of a refund, or if amount is not between 1 and what is left.
func (s *Server) Refund(requestID string, amount int64) (Order, error) {
	return s.ledger.refundInPortal(s.config.Clock(), byAnyRequest(requestID), amount)
}

// Behave gives an order that waits another behaviour, by its digits in the table.
// It fails if the order is unknown or does not wait, or there is no such row.
func (s *Server) Behave(requestID, digits string) (Order, error) {
	return s.ledger.behave(s.config.Clock(), byAnyRequest(requestID), digits)
}

// SetClock makes the gateway's clock run that far ahead of the machine's, or
// behind it.
func (s *Server) SetClock(ahead time.Duration) {
	s.ahead.Store(int64(ahead))
	s.ledger.awake()
}

// Clock returns the gateway's time, and how far that is ahead of the machine's.
func (s *Server) Clock() (now time.Time, ahead time.Duration) {
	return s.config.Clock(), time.Duration(s.ahead.Load())
}

// reply is an answer on its way out.
type reply struct {
	status int
	header http.Header
	body   []byte
	late   time.Duration // held up that long before it leaves
	lost   bool          // never leaves: the connection is cut
}

func htmlReply(status int) reply {
	return reply{
		status: status,
		header: http.Header{"Content-Type": {"text/html; charset=utf-8"}},
		body:   fmt.Appendf(nil, "<html><head><title>%[1]d</title></head><body><h1>%[1]d %[2]s</h1></body></html>\n", status, http.StatusText(status)),
	}
}

// send writes an answer out, late or not at all as it says. A fake clock shows in
// the Date header too, as clients measure their clock's offset by it.
func (s *Server) send(w http.ResponseWriter, out reply) {
	if out.late > 0 && !s.wait(out.late) || out.lost {
		panic(http.ErrAbortHandler)
	}
	maps.Copy(w.Header(), out.header)
	w.Header().Set("Date", s.config.Clock().UTC().Format(http.TimeFormat))
	w.WriteHeader(out.status)
	_, _ = w.Write(out.body) // the client is gone: nothing to tell it
}

// wait is over after d, or says false because the gateway is closing. It goes on
// when the client has gone: what was sent still arrives.
func (s *Server) wait(d time.Duration) bool {
	select {
	case <-s.closing:
		return false
	default:
	}
	select {
	case <-s.config.After(d):
		return true
	case <-s.closing:
		return false
	}
}
