package simulation

import (
	"errors"
	"time"

	"payscand/device"
	"payscand/payment"
	"payscand/terminal"
)

// visit is one customer and what the cashier does for them.
type visit struct {
	shop  *shop
	world *world
	n     int
	wish  terminal.NewSale

	sale     string // its id, once the register knows it
	tries    int    // POSTs
	codes    int    // shown so far
	scans    int
	attempts int // seen so far
	over     bool
	again    int // sales in the place of one that came to nothing
	followed bool

	earlyToken uint64 // of the arming when the customer came
	earlySale  string
}

const (
	mostTries = 40 // ten minutes, if the terminal is busy: longer than any sale is live
	mostScans = 5
)

func (v *visit) begin() {
	v.earlyToken, v.earlySale = v.world.arming, v.world.oracle.armedSale()
	v.world.tell("customer %d comes, for %s (%s, reference %q)", v.n, v.wish.Amount, v.wish.Mode, v.wish.Reference)
	v.post()
}

// post asks for the sale; an unanswered or refused one is asked for again with
// the same key.
func (v *visit) post() {
	v.tries++
	if v.over {
		return
	}
	if v.tries > mostTries {
		v.leave()
		return
	}
	v.world.oracle.asked(v.wish)
	v.world.send(terminal.Create{ID: v.shop.newID(), Sale: v.wish}, v.answered)
}

func (v *visit) postAfter(d time.Duration) { v.world.after(d, v.post) }

func (v *visit) answered(r terminal.Reply, answered bool) {
	w := v.world
	var refused *terminal.Error
	switch {
	case !answered:
		v.postAfter(time.Duration(v.tries) * 2 * time.Second)
	case r.Err == nil:
		v.accompany(r.Sale)
	case errors.As(r.Err, &refused):
		w.tell("the POST is refused: %s", refused.Code)
		v.refused(refused)
	}
}

func (v *visit) refused(e *terminal.Error) {
	w := v.world
	switch e.Code {
	case terminal.CodeTerminalBusy:
		w.fired(faultCashierBusy)
		if !w.healed && w.pick(siteBusy, v.n, v.tries, []int{3, 1}) == 1 {
			v.command(e.Sale, payment.CancelRequested{})
		}
		v.postAfter(15 * time.Second)
	case terminal.CodeUnresolvedTwin:
		switch w.pick(siteTwin, v.n, v.tries, []int{1, 2, 2}) {
		case 0:
			v.command(e.Sale, payment.CheckRequested{})
			v.postAfter(10 * time.Second)
			return
		case 1:
			w.fired(faultTwinReplaces)
			v.wish.Replaces, v.wish.Separate = e.Sale, false
		case 2:
			w.fired(faultTwinSeparate)
			v.wish.Separate, v.wish.Replaces = true, ""
		}
		v.wish.Key, v.wish.Digest = v.wish.Key+againSuffix, v.wish.Digest+againSuffix // another request, so another key
		v.postAfter(2 * time.Second)
	case terminal.CodeGatewayDown, terminal.CodeGatewayMisconfigured, terminal.CodeStorageFull, terminal.CodeNotAdopted:
		v.postAfter(7 * time.Second)
	case terminal.CodeConflict: // the sale to be replaced was paid meanwhile
		v.leave()
	default:
		w.fail("a good request for a sale is refused: %v", e)
	}
}

// accompany plans what customer and cashier do while the sale is live.
func (v *visit) accompany(s payment.Sale) {
	w := v.world
	if v.sale != "" {
		return
	}
	v.sale = s.ID
	w.tell("sale %s for customer %d", s.ID, v.n)
	if s.Mode != payment.ModeQR {
		delay := []time.Duration{3 * time.Second, 9 * time.Second, 29 * time.Second, 40 * time.Second}[w.pick(siteScanDelay, v.n, 0, []int{6, 3, 2, 1})]
		w.after(delay, v.scan)
	}
	moments := []time.Duration{2 * time.Second, 6 * time.Second, 20 * time.Second, 50 * time.Second, 64 * time.Second, 78 * time.Second}
	sometimes := func(s site, f fault, do func()) {
		if !w.healed && w.rarely(s, v.n, 0) {
			w.after(moments[w.pick(s, v.n, 1, []int{3, 3, 3, 2, 2, 1})], func() {
				if !v.over {
					w.fired(f)
					do()
				}
			})
		}
	}
	sometimes(siteCancel, faultCashierCancel, func() { v.command(v.sale, payment.CancelRequested{}) })
	sometimes(siteCheck, faultCashierCheck, func() { v.command(v.sale, payment.CheckRequested{}) })
	sometimes(siteAsksQR, faultCashierQR, func() { v.command(v.sale, payment.QRRequested{}) })
	sometimes(sitePost, faultCashierPosts, v.postCode)
	made := v.wish
	sometimes(siteRepeat, faultCashierRepeats, func() { w.send(terminal.Create{ID: v.shop.newID(), Sale: made}, nil) })
	sometimes(siteOtherDigest, faultCashierOtherDigest, func() { v.otherDigest(made) })
	sometimes(siteImpatient, faultCashierBusy, func() { v.shop.next(v) })
	if w.pick(siteGoesOn, v.n, 0, []int{5, 1}) == 0 { // nobody waits for ever
		w.after(100*time.Second, func() {
			if !v.over {
				v.command(v.sale, payment.CancelRequested{})
			}
		})
	}
	v.planAftermath()
	v.look(s)
}

func (v *visit) otherDigest(other terminal.NewSale) {
	other.Digest = "another"
	v.world.send(terminal.Create{ID: v.shop.newID(), Sale: other}, func(r terminal.Reply, answered bool) {
		var refused *terminal.Error
		if answered && (!errors.As(r.Err, &refused) || refused.Code != terminal.CodeKeyReused) {
			v.world.fail("a used key with another body is not refused: %v", r.Err)
		}
	})
}

func (v *visit) command(sale string, e payment.Event) {
	v.world.tell("the cashier: %s", e.Kind())
	v.world.send(terminal.Command{Sale: sale, Event: e}, func(r terminal.Reply, answered bool) {
		if answered && r.Err == nil && e.Kind() == payment.EventCancel {
			v.world.oracle.cancelAccepted(sale)
		}
	})
}

// look lets customer and cashier see the sale as it stands.
func (v *visit) look(s payment.Sale) {
	if !s.Status.Live() {
		if s.Status == payment.SalePaid && !v.over {
			v.refundAtOnce()
		}
		v.leave()
		return
	}
	if s.Status == payment.SaleAwaitingCode && len(s.Attempts) > v.attempts {
		v.world.after(4*time.Second, v.scan) // a fresh code, please
	}
	v.attempts = len(s.Attempts)
}

func (v *visit) leave() {
	if v.triesAgain() {
		return
	}
	if !v.over {
		v.over = true
		v.world.tell("customer %d leaves", v.n)
	}
	v.shop.next(v)
}

// freshCode is a code that nobody saw before.
func (v *visit) freshCode() string {
	v.codes++
	code := paymentCode(v.n, v.codes-1)
	v.shop.shown[code] = v.world.now
	return code
}

// The ways in which a scan can go.
const (
	scanGood = iota
	scanEarly
	scanLate
	scanDoubled
	scanNextCustomer
	scanLastCustomer
	scanGoods
	scanDamaged
)

// scan lets something come before the scanner.
func (v *visit) scan() {
	w := v.world
	if v.over || v.scans >= mostScans {
		return
	}
	v.scans++
	again := func() {
		w.after(7*time.Second, func() {
			if s, err := w.disk.Sale(v.sale); err == nil && s.Status == payment.SaleAwaitingCode && len(s.Attempts) == v.attempts {
				v.scan()
			}
		})
	}
	if v.shop.scannerGone || !w.running {
		again()
		return
	}
	way := scanGood
	if !w.healed {
		way = w.pick(siteScan, v.n, v.scans, []int{30, 3, 3, 3, 2, 3, 2, 2})
	}
	switch way {
	case scanGood:
		v.beam(v.freshCode(), w.arming, w.oracle.armedSale(), 80*time.Millisecond)
	case scanEarly:
		w.fired(faultScanEarly)
		v.beam(v.freshCode(), v.earlyToken, v.earlySale, 80*time.Millisecond)
	case scanLate:
		w.fired(faultScanLate)
		v.beam(v.freshCode(), w.arming, w.oracle.armedSale(), 6*time.Second)
	case scanDoubled:
		w.fired(faultScanDoubled)
		code := v.freshCode()
		v.beam(code, w.arming, w.oracle.armedSale(), 80*time.Millisecond)
		w.after(1500*time.Millisecond, func() { v.beam(code, w.arming, w.oracle.armedSale(), 80*time.Millisecond) })
	case scanNextCustomer:
		w.fired(faultScanOtherCustomer)
		code := paymentCode(v.n+1, 0)
		v.shop.shown[code] = w.now
		v.beam(code, w.arming, w.oracle.armedSale(), 80*time.Millisecond)
	case scanLastCustomer:
		if code, ok := v.shop.last(v); ok {
			w.fired(faultScanLastCustomer)
			v.beam(code, w.arming, w.oracle.armedSale(), 80*time.Millisecond)
		}
	case scanGoods:
		w.fired(faultScanGoods)
		v.beam("4006381333931", w.arming, "", 80*time.Millisecond)
	case scanDamaged:
		w.fired(faultScanDamaged)
		w.send(terminal.Damaged{Problem: device.Problem{Kind: device.ProblemNoise, Device: scannerName, At: w.clock.wall(w.now)}}, nil)
	}
	again()
}

const scannerName = "serial:/dev/ttyACM0"

// beam is a scan whose first byte arrives now, with that moment's token, and
// whose end reaches the engine a while later.
func (v *visit) beam(text string, token uint64, armedFor string, took time.Duration) {
	w := v.world
	scan := device.Scan{Text: text, Device: scannerName, At: w.clock.wall(w.now), Arming: token}
	w.tell("a scan of %s", payment.NewCode(text).Mask())
	w.oracle.scanned(text, armedFor)
	w.after(took, func() { w.send(terminal.Scanned{Scan: scan}, nil) })
}

func (v *visit) postCode() {
	code := v.freshCode()
	v.world.tell("the register posts the code %s", payment.NewCode(code).Mask())
	v.world.oracle.scanned(code, v.sale)
	v.world.send(terminal.Post{Sale: v.sale, Text: payment.NewCode(code)}, nil)
}
