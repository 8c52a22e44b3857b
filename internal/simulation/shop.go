package simulation

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"payscand/payment"
	"payscand/terminal"
)

// shop is the people at the counter: visits, one after the other.
type shop struct {
	world       *world
	visits      []*visit
	serving     int // index into visits
	scannerGone bool
	sales       int // made or tried, for their ids

	shown map[string]time.Duration // code → when its customer first showed it
	used  map[string]bool          // codes that have paid
	seen  map[string]bool          // QR payloads that were on the screen
}

var (
	alphaPay = payment.Traits{TransactionList: true, OrderLife: orderLife, MaxAmount: 9_999_999, Currencies: []payment.Currency{"CAD"}}
	alipay   = payment.Traits{IdempotentPay: true, IdempotentRefund: true, OrderLife: orderLife, InquireByRequestID: true, CancelReverses: true}
)

// mostVisits bounds a run: one digit in a key.
const mostVisits = 5

// Idempotency keys name the visit, and end in a suffix for each further request.
const (
	keyPrefix   = "key-"
	againSuffix = "-again"
)

// openShop decides what the shop is and who will come.
func (w *world) openShop() {
	w.shop = &shop{world: w, shown: map[string]time.Duration{}, used: map[string]bool{}, seen: map[string]bool{}}
	add := func(name string, traits payment.Traits) {
		w.gateways = append(w.gateways, newGateway(w, name, traits))
		w.policy.Gateways[name] = traits
	}
	both := []payment.Route{{Wallet: "*", Instrument: "*", Gateway: "alphapay"}}
	switch w.pick(siteGateways, 0, 0, []int{5, 4, 2}) {
	case 0:
		add("alphapay", alphaPay)
	case 1:
		add("alipayplus", alipay)
		both[0].Gateway = "alipayplus"
	case 2: // codes go to one gateway, QRs to the other
		add("alipayplus", alipay)
		add("alphapay", alphaPay)
		both[0].Instrument = payment.InstrumentQR
		both = append(both, payment.Route{Wallet: "*", Instrument: "*", Gateway: "alipayplus"})
	}
	w.policy.Routes = both
	w.openCodecs()
	for n := range mostVisits {
		if n == 0 || w.pick(siteVisit, n, 0, []int{6, 4}) == 1 {
			w.shop.visits = append(w.shop.visits, w.shop.newVisit(n))
		}
	}
}

func (w *world) gateway(name string) *gatewayModel {
	for _, g := range w.gateways {
		if g.name == name {
			return g
		}
	}
	return nil
}

func (s *shop) open() { s.world.after(300*time.Millisecond, s.visits[0].begin) }

// openAgain lets one more customer come after all trouble: the counter must
// serve them as if nothing had been.
func (s *shop) openAgain() {
	v := s.newVisit(mostVisits)
	v.wish.Mode, v.wish.Reference, v.wish.Separate = payment.ModeScan, "after all", true
	s.visits = append(s.visits, v)
	s.serving = len(s.visits) - 1
	s.world.after(30*time.Second, v.begin)
}

// served reports whether that customer has come and gone.
func (s *shop) served() bool { return s.visits[s.serving].over }

// next serves the next customer, or closes the shop.
func (s *shop) next(after *visit) {
	if s.visits[s.serving] != after || after.followed || s.world.healed {
		return
	}
	after.followed = true
	if s.serving+1 == len(s.visits) {
		s.world.after(20*time.Second, s.world.heal)
		return
	}
	s.serving++
	v := s.visits[s.serving]
	gap := []time.Duration{4 * time.Second, 200 * time.Millisecond, 50 * time.Second, 16 * time.Minute}[s.world.pick(siteVisit, v.n, 1, []int{6, 4, 4, 1})]
	s.world.after(gap, v.begin)
}

// changed lets everybody see a sale's new version.
func (s *shop) changed(sale payment.Sale) {
	if qr := sale.VisibleQR(); qr != nil && !s.seen[qr.Payload] {
		s.seen[qr.Payload] = true
		s.takePhone(sale, qr.Payload)
	}
	for _, v := range s.visits[:s.serving+1] {
		if v.sale == sale.ID && sale.ID != "" {
			v.look(sale)
		}
	}
}

// restarted lets everybody see how things stand after a restart.
func (s *shop) restarted() {
	w := s.world
	for _, g := range w.gateways {
		g.clockKnown = 0
	}
	if s.scannerGone {
		w.send(terminal.ScannersReady{Count: 0}, nil)
	}
	if v := s.visits[s.serving]; v.sale != "" {
		if sale, err := w.disk.Sale(v.sale); err == nil {
			s.changed(sale)
		}
	}
}

// takePhone lets the customer scan the QR on the screen, and pay a while later.
func (s *shop) takePhone(sale payment.Sale, payload string) {
	w := s.world
	a := sale.LiveAttempt()
	subject, saleID := w.oracle.subject(sale.ID, a.N), sale.ID
	if w.pick(sitePhone, subject, 0, []int{3, 2}) == 1 {
		return
	}
	looks := []time.Duration{3 * time.Second, 20 * time.Second, 100 * time.Second, 200 * time.Second}[w.pick(sitePhoneDelay, subject, 0, []int{4, 3, 1, 1})]
	pays := []time.Duration{2 * time.Second, 15 * time.Second, 45 * time.Second}[w.pick(sitePhoneDelay, subject, 1, []int{3, 2, 1})]
	g := w.gateway(a.Gateway)
	visible := func() bool {
		now, err := w.disk.Sale(saleID)
		return err == nil && now.VisibleQR() != nil && now.VisibleQR().Payload == payload
	}
	w.after(looks, func() {
		if !visible() {
			return
		}
		w.tell("the customer scans the QR")
		s.showsCodeToo(saleID, subject)
		w.after(pays, func() {
			for _, o := range g.orders {
				if o.payload == payload {
					if o.pay(); o.captured && !visible() {
						w.fired(faultQRPaidLate)
					}
				}
			}
		})
	})
}

// showsCodeToo lets a customer who has scanned the QR show a payment code as well.
func (s *shop) showsCodeToo(sale string, subject int) {
	w := s.world
	for _, v := range s.visits[:s.serving+1] {
		if v.sale == sale && w.rarelyHere(siteBoth, subject, 0, faultBoth) {
			w.after(time.Second, v.postCode)
		}
	}
}

// codeGood reports whether a payment code still means something to its wallet.
func (s *shop) codeGood(code string, life time.Duration) bool {
	shown, known := s.shown[code]
	return known && s.world.now <= shown+life
}

// useCode lets a code pay: once, but for a wallet that forgets.
func (s *shop) useCode(o *order) bool {
	if s.used[o.code] {
		if s.world.healed || !s.world.rarely(siteCodeTwice, o.subject, o.nth) {
			return false
		}
		s.world.fired(faultCodeTwice)
	}
	s.used[o.code] = true
	return true
}

func (s *shop) newVisit(n int) *visit {
	w := s.world
	v := &visit{shop: s, world: w, n: n}
	v.wish = terminal.NewSale{
		Key: keyPrefix + strconv.Itoa(n), Digest: fmt.Sprintf("digest-%d", n),
		Amount: payment.Money{Amount: 1000 + 50*int64(w.pick(siteSum, n, 0, []int{2, 1, 1})), Currency: "CAD"},
		Mode:   []payment.Mode{payment.ModeScan, payment.ModeAuto, payment.ModeQR}[w.pick(siteMode, n, 0, []int{4, 4, 2})],
	}
	switch w.pick(siteReference, n, 0, []int{3, 2, 1}) {
	case 0:
		v.wish.Reference = fmt.Sprintf("table-%d", n)
	case 1:
		v.wish.Reference = "table-12"
	}
	return v
}

// newID returns an id as the driver makes them, one for each POST.
func (s *shop) newID() string {
	s.sales++
	return fmt.Sprintf("01JNB6Z7Y0C0VNTERSA1E%05d", s.sales)
}

// paymentCode is the k-th code of a customer: 18 digits of Alipay+.
func paymentCode(n, k int) string { return fmt.Sprintf("28%04d%012d", n, 314159000+k) }

// last returns the code that the customer before showed last.
func (s *shop) last(v *visit) (code string, ok bool) {
	if i := slices.Index(s.visits, v); i > 0 && s.visits[i-1].codes > 0 {
		before := s.visits[i-1]
		return paymentCode(before.n, before.codes-1), true
	}
	return "", false
}
