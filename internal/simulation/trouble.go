package simulation

import (
	"time"

	"payscand/terminal"
)

// planTroubles plans what befalls the machine, whatever the shop does.
func (w *world) planTroubles() {
	for i := range 2 {
		at := func(s site) time.Duration { return time.Duration(w.draw(s, i, -1)%240) * time.Second }
		if w.rarely(sitePowerCut, i, 0) {
			w.queue.push(w.placed(sitePowerCut, i, at), func() {
				if w.running && !w.healed {
					w.fired(faultPowerCut)
					w.die("power cut")
				}
			})
		}
		if w.rarely(siteClock, i, 0) {
			w.queue.push(w.placed(siteClock, i, at), func() { w.stepClock(i) })
		}
		if w.rarely(siteScannerLost, i, 0) {
			w.queue.push(w.placed(siteScannerLost, i, at), func() { w.loseScanner(i) })
		}
		if w.rarely(siteMoved, i, 0) {
			w.queue.push(w.placed(siteMoved, i, at), func() { w.move(i) })
		}
		if len(w.gateways) > 1 && w.rarely(siteReconfigure, i, 0) {
			w.queue.push(w.placed(siteReconfigure, i, at), func() { w.reconfigure(i) })
		}
		for g := range w.gateways {
			n := i*len(w.gateways) + g
			if w.rarely(siteOutage, n, 0) {
				w.queue.push(w.placed(siteOutage, n, at), func() { w.beginOutage(w.gateways[g], n) })
			}
		}
	}
}

// placed is the moment of a trouble: in seconds, a decision of its own.
func (w *world) placed(s site, i int, at func(site) time.Duration) time.Duration {
	seconds := 0
	if w.script == nil {
		seconds = int(at(s) / time.Second)
	}
	return time.Duration(w.decide(s, i, 1, seconds)) * time.Second
}

var clockSteps = []time.Duration{
	7 * time.Second, 11 * time.Minute, 3 * time.Hour, 2 * 365 * 24 * time.Hour,
	-7 * time.Second, -11 * time.Minute, -3 * time.Hour, -2 * 365 * 24 * time.Hour,
}

var sleeps = []time.Duration{10 * time.Second, 4 * time.Minute, 2 * time.Hour}

func (w *world) stepClock(i int) {
	if w.healed {
		return
	}
	which := w.pick(siteClockStep, i, 0, []int{4, 4, 2, 1, 4, 4, 2, 1, 3, 3, 2})
	if which >= len(clockSteps) {
		w.sleep(sleeps[which-len(clockSteps)])
		return
	}
	step := clockSteps[which]
	switch {
	case max(step, -step) > 24*time.Hour:
		w.fired(faultClockYears)
	case step > 0:
		w.fired(faultClockForward)
	default:
		w.fired(faultClockBack)
	}
	w.clock.offset += step
	w.leaps++
	w.tell("the wall clock jumps by %s", step)
}

// sleep suspends the machine: timers and the monotonic clock stand still.
func (w *world) sleep(d time.Duration) {
	if !w.running || w.asleepUntil > w.now {
		return
	}
	w.fired(faultSuspend)
	w.tell("the machine sleeps for %s", d)
	w.asleepUntil = w.now + d
	w.clock.slept += d
	w.after(d, func() { w.leaps++ })
	w.startedAt = w.asleepUntil // nobody is served in between
	pause := max(0, w.wakeAt-w.now)
	w.wake++
	w.planWake(d + pause)
}

// loseScanner takes the only scanner away for a while.
func (w *world) loseScanner(i int) {
	if w.healed || w.shop.scannerGone {
		return
	}
	w.fired(faultScannerLost)
	w.tell("the scanner is unplugged")
	w.shop.scannerGone = true
	w.send(terminal.ScannersReady{Count: 0}, nil)
	w.after(time.Duration(5+20*i)*time.Second, func() {
		w.fired(faultScannerBack)
		w.tell("the scanner is back")
		w.shop.scannerGone = false
		w.send(terminal.ScannersReady{Count: 1}, nil)
	})
}

var outageLengths = []time.Duration{8 * time.Second, 40 * time.Second, 3 * time.Minute, 25 * time.Minute, 7 * time.Hour}

// beginOutage makes a gateway unreachable, silent, or unable to say for a while, of hours now and then.
func (w *world) beginOutage(g *gatewayModel, n int) {
	if w.healed {
		return
	}
	length := outageLengths[w.pick(siteOutageLength, n, 0, []int{10, 20, 10, 3, 1})]
	g.outage = outageNotSent + outage(w.pick(siteOutageKind, n, 0, []int{1, 1, 1}))
	g.outageUntil = w.now + length
	w.tell("%s is out of order for %s: %s", g.name, length, g.outage)
	w.fired(faultOutageNotSent + fault(g.outage-outageNotSent))
	if length >= time.Hour {
		w.fired(faultOutageHours)
		if g.outage == outageUnknown {
			w.fired(faultUnknownHours)
		}
	}
}

type outage uint8

const (
	outageNone outage = iota
	outageNotSent
	outageSilence
	outageUnknown
)

func (o outage) String() string {
	return [...]string{"none", "unreachable", "silent", "answers U to everything"}[o]
}

// heal ends all trouble, once everybody has gone home and nothing is on its way.
func (w *world) heal() {
	if last := w.network.lastArrival; last > w.now {
		w.queue.push(last, w.heal)
		return
	}
	if !w.running || w.asleepUntil > w.now {
		w.after(time.Minute, w.heal)
		return
	}
	w.healed, w.healedAt = true, w.now
	for _, g := range w.gateways {
		g.outage = outageNone
	}
	w.tell("all trouble ends here")
	w.putRight()
	w.shop.openAgain()
}
