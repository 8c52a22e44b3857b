package soak

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"payscand/api/client"
)

// visits plays customers at a counter, one after the other, whatever happens to
// the daemon meanwhile: a call without an answer is repeated, as a register would.
type visits struct {
	Setting
	sh     *shop
	random *rand.Rand
	mix    mix
	n      int
	// patience: a sale that goes on for longer is left to itself; the next one waits for it.
	patience time.Duration

	mu    sync.Mutex
	sales map[string]sold // by id
}

// sold is what the register remembers of a sale.
type sold struct {
	key  string
	want client.NewSale
	last client.Sale // as the API answered it last
}

// mix are the parts of a thousand visits.
type mix struct {
	behaviours []string // of scanned codes, as often as they stand here
	qr         int      // begin with a QR
	auto       int      // wait for a scan that does not come, until a QR is shown
	cancel     int      // are cancelled at some moment
	refund     int      // are refunded, in part or whole
	posted     int      // codes come from the register instead of the scanner
}

var (
	// tracedMix ends soon, under a tracer too.
	tracedMix = mix{behaviours: []string{"00", "00", "01", "04", "10"}, qr: 250, cancel: 150, refund: 300, posted: 300}
	// killedMix holds everything that may go wrong, as often as it can.
	killedMix = mix{
		behaviours: []string{
			"00", "00", "01", "01", "02", "03", "04", "05", "06", "07", "10", "10", "11", "20", "21", "22", "23", "24", "25", "26",
			"30", "31", "32", "33", "40", "40", "41", "42", "43", "44", "45", "46", "47",
		},
		qr: 200, auto: 50, cancel: 200, refund: 500, posted: 200,
	}
	// dayMix is a shop's: most pay at once.
	dayMix = mix{
		behaviours: []string{
			"00", "00", "00", "00", "00", "00", "00", "00", "00", "00", "00", "00", "01", "01", "01", "02", "04", "07", "10", "40",
		},
		qr: 50, auto: 1, cancel: 20, refund: 30, posted: 100,
	}
)

func newVisits(s Setting, sh *shop) *visits {
	return &visits{
		Setting: s, sh: sh, random: s.random(), mix: killedMix, patience: 10 * time.Second, sales: make(map[string]sold),
	}
}

// plan is what will happen in one visit.
type plan struct {
	key       string
	want      client.NewSale
	gateway   gateway
	behaviour string
	posted    bool
	cancelIn  client.SaleStatus // the sale is cancelled when it is seen so; empty: never
	atQR      string            // pay, decline, scan or leave
	refund    int64             // minor units; 0: none, -1: all

	presented int
	last      time.Time // of the last code
	acted     int64     // version at which something was done about the QR or a pending payment
}

func (v *visits) chance(ofThousand int) bool { return v.random.IntN(1000) < ofThousand }

func pick[T any](random *rand.Rand, from []T) T { return from[random.IntN(len(from))] }

func (v *visits) plan() *plan {
	v.n++
	p := &plan{
		key: fmt.Sprintf("register-%d-%d", v.Seed, v.n), gateway: pick(v.random, gateways), behaviour: pick(v.random, v.mix.behaviours),
		posted: v.chance(v.mix.posted), atQR: pick(v.random, []string{"pay", "pay", "decline", "scan", "scan", "leave"}),
	}
	for p.behaviour == p.gateway.lies {
		p.behaviour = pick(v.random, v.mix.behaviours)
	}
	p.want = client.NewSale{
		Amount: 100 + v.random.Int64N(20000), Currency: "CAD", Mode: client.ModeScan, Reference: fmt.Sprintf("till-%d", v.n),
	}
	switch {
	case v.chance(v.mix.qr):
		p.want.Mode = client.ModeQR
	case v.chance(v.mix.auto):
		p.want.Mode = client.ModeAuto
		p.presented = 3 // no scan comes
	}
	if v.chance(v.mix.cancel) {
		p.cancelIn = pick(v.random, []client.SaleStatus{client.StatusAwaitingCode, client.StatusProcessing, client.StatusShowingQR})
	}
	if v.chance(v.mix.refund) || strings.HasPrefix(p.behaviour, "4") { // what these say is how refunds go
		if p.refund = -1; v.random.IntN(2) == 0 {
			p.refund = 1 + v.random.Int64N(p.want.Amount)
		}
	}
	return p
}

// visit plays one customer.
func (v *visits) visit(ctx context.Context) error {
	p := v.plan()
	sale, err := v.create(ctx, p)
	if err != nil {
		return err
	}
	for began := time.Now(); !sale.Final() && sale.Status != client.StatusUnresolved && time.Since(began) < v.patience; {
		if err := v.act(ctx, p, sale); err != nil {
			return err
		}
		if sale, err = v.wait(ctx, sale, 300*time.Millisecond); err != nil {
			return err
		}
	}
	if v.random.IntN(3) == 0 { // as a register does that was started anew
		same, err := v.create(ctx, p)
		if err != nil {
			return err
		}
		if same.ID != sale.ID {
			return fmt.Errorf("asked for twice with the key %s, there are the sales %s and %s", p.key, sale.ID, same.ID)
		}
	}
	if sale.Status == client.StatusPaid && p.refund != 0 {
		return v.giveBack(ctx, p, sale)
	}
	return nil
}

// again repeats a call until an answer comes; a refusal is one, unless the daemon ends.
func again(ctx context.Context, call func() error) error {
	for {
		err := call()
		if problem := new(client.Problem); err == nil || errors.As(err, &problem) && problem.Code != client.CodeStopping && problem.Code != client.CodeTimeout {
			return err
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		}
	}
}

// refusal returns the code of a refusal, empty for none.
func refusal(err error) client.ErrorCode {
	if problem := new(client.Problem); errors.As(err, &problem) {
		return problem.Code
	}
	return ""
}

// create makes the sale, as soon as the terminal is free and its gateway up.
func (v *visits) create(ctx context.Context, p *plan) (sale client.Sale, err error) {
	for {
		err := again(ctx, func() (err error) {
			sale, _, err = v.sh.Register.CreateSale(ctx, p.key, p.want)
			return err
		})
		switch refusal(err) {
		case "terminal_busy":
			if err := v.freeTerminal(ctx); err != nil {
				return sale, err
			}
		case "gateway_down", "gateway_misconfigured":
			select {
			case <-time.After(50 * time.Millisecond):
			case <-ctx.Done():
				return sale, ctx.Err()
			}
		default:
			if err != nil {
				return sale, fmt.Errorf("create sale %s: %w", p.key, err)
			}
			v.mu.Lock()
			if _, known := v.sales[sale.ID]; !known {
				v.sales[sale.ID] = sold{key: p.key, want: p.want}
			}
			v.mu.Unlock()
			return sale, v.see(sale)
		}
	}
}

// freeTerminal cancels the sale that occupies the terminal and waits a while.
func (v *visits) freeTerminal(ctx context.Context) error {
	var t client.Terminal
	if err := again(ctx, func() (err error) { t, err = v.sh.Register.Terminal(ctx); return err }); err != nil || t.Live == nil {
		return err
	}
	if err := again(ctx, func() (err error) { _, err = v.sh.Register.Cancel(ctx, t.Live.ID); return err }); err != nil && refusal(err) == "" {
		return err
	}
	_, err := v.wait(ctx, *t.Live, time.Second)
	return err
}

// wait returns the sale's next version, or the same one after a while.
func (v *visits) wait(ctx context.Context, sale client.Sale, most time.Duration) (client.Sale, error) {
	next := sale
	err := again(ctx, func() (err error) {
		next, err = v.sh.Register.WaitSale(ctx, sale.ID, sale.Version, most)
		return err
	})
	if err != nil {
		return sale, fmt.Errorf("sale %s: %w", sale.ID, err)
	}
	return next, v.see(next)
}

// see holds an answer against what was answered before: no version is taken back,
// and what is final stays.
func (v *visits) see(sale client.Sale) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	known := v.sales[sale.ID]
	switch last := known.last; {
	case sale.Version < last.Version:
		return fmt.Errorf("sale %s was told at version %d, and is at %d now", sale.ID, last.Version, sale.Version)
	case last.Final() && sale.Status != last.Status:
		return fmt.Errorf("sale %s was told to be %s, and is %s now", sale.ID, last.Status, sale.Status)
	case sale.Amount != known.want.Amount || sale.Reference != known.want.Reference:
		return fmt.Errorf("sale %s is of %d for %q, asked for was %d for %q", sale.ID, sale.Amount, sale.Reference, known.want.Amount, known.want.Reference)
	}
	known.last = sale
	v.sales[sale.ID] = known
	return nil
}

// act does what customer and cashier do in this status.
func (v *visits) act(ctx context.Context, p *plan, sale client.Sale) (err error) {
	if sale.Status == p.cancelIn {
		p.cancelIn = ""
		return v.command(ctx, v.sh.Register.Cancel, sale.ID)
	}
	switch sale.Status {
	case client.StatusAwaitingCode:
		return v.present(ctx, p, sale)
	case client.StatusShowingQR:
		return v.atQR(ctx, p, sale)
	case client.StatusProcessing:
		if n := len(sale.Attempts); n > 0 && p.behaviour == "03" && p.acted != sale.Version {
			p.acted = sale.Version
			v.customer(sale.Attempts[n-1].RequestID, v.random.IntN(3) > 0)
		}
	}
	return nil
}

// command is a call whose refusal is part of the day: the sale was faster.
func (v *visits) command(ctx context.Context, call func(context.Context, string) (client.Sale, error), id string) error {
	err := again(ctx, func() error { _, err := call(ctx, id); return err })
	if refusal(err) != "" {
		return nil
	}
	return err
}

// present scans or posts a code; a second one after a failure or a crash pays.
func (v *visits) present(ctx context.Context, p *plan, sale client.Sale) error {
	const pause = 700 * time.Millisecond // until a scan that came to nothing is repeated
	switch {
	case time.Since(p.last) < pause && sale.LastFailure == nil:
		return nil
	case p.presented >= 3 && sale.Mode == client.ModeAuto:
		return nil
	case p.presented >= 3:
		return v.command(ctx, v.sh.Register.Cancel, sale.ID)
	}
	behaviour := p.behaviour
	if p.presented > 0 {
		behaviour = "00"
	}
	p.presented++
	p.last = time.Now()
	text := code(v.random, p.gateway, behaviour)
	if !p.posted {
		return v.sh.Scanner.Scan(text)
	}
	return v.command(ctx, func(ctx context.Context, id string) (client.Sale, error) {
		return v.sh.Register.PostCode(ctx, id, text)
	}, sale.ID)
}

func (v *visits) atQR(ctx context.Context, p *plan, sale client.Sale) error {
	if p.acted == sale.Version || len(sale.Attempts) == 0 {
		return nil
	}
	p.acted = sale.Version
	switch request := sale.Attempts[len(sale.Attempts)-1].RequestID; p.atQR {
	case "pay":
		v.customer(request, true)
	case "decline":
		p.atQR = "leave"
		v.customer(request, false)
	case "scan":
		p.atQR = "leave"
		p.last = time.Now()
		return v.sh.Scanner.Scan(code(v.random, p.gateway, "00"))
	case "leave":
		if v.random.IntN(3) == 0 {
			return v.command(ctx, v.sh.Register.Cancel, sale.ID)
		}
	}
	return nil
}

// customer decides on an order in the wallet; it may be over already.
func (v *visits) customer(request string, pays bool) {
	for _, l := range v.sh.ledgers {
		page, err := l.PayPage(request)
		if err != nil {
			continue
		}
		if pays {
			_ = l.Pay(page)
		} else {
			_ = l.Decline(page)
		}
	}
}

// giveBack begins a refund, and half of the time waits for its end.
func (v *visits) giveBack(ctx context.Context, p *plan, sale client.Sale) error {
	refund, err := v.refund(ctx, p, sale)
	switch refusal(err) {
	case "gateway_down", "gateway_misconfigured":
		return nil
	case "conflict":
		// Paid after it was to be cancelled: the terminal gives it back by itself.
		if now, waited := v.wait(ctx, sale, 0); waited == nil && len(now.Reversals) > 0 {
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("refund of sale %s: %w", sale.ID, err)
	}
	if v.random.IntN(3) == 0 {
		same, err := v.refund(ctx, p, sale)
		if err != nil {
			return fmt.Errorf("refund of sale %s, asked for again: %w", sale.ID, err)
		}
		if same.N != refund.N {
			return fmt.Errorf("asked for twice with one key, sale %s has the refunds %d and %d", sale.ID, refund.N, same.N)
		}
	}
	if v.random.IntN(2) == 0 {
		return nil
	}
	for began := time.Now(); !refund.Final() && time.Since(began) < time.Second; {
		next := refund
		err := again(ctx, func() (err error) {
			next, err = v.sh.Register.WaitRefund(ctx, sale.ID, refund.N, refund.Version, 300*time.Millisecond)
			return err
		})
		if err != nil {
			return fmt.Errorf("refund of sale %s: %w", sale.ID, err)
		}
		refund = next
	}
	return nil
}

// refund asks for the visit's one refund.
func (v *visits) refund(ctx context.Context, p *plan, sale client.Sale) (refund client.SaleRefund, err error) {
	err = again(ctx, func() (err error) {
		refund, _, err = v.sh.Register.Refund(ctx, sale.ID, p.key+"-refund", client.NewRefund{Amount: max(p.refund, 0)})
		return err
	})
	return refund, err
}
