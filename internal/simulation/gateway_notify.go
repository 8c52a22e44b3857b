package simulation

import (
	"time"

	"payscand/payment"
	"payscand/terminal"
)

// How a gateway tells of an order or a refund unasked, where the shop relays that.
const (
	notifyNot = iota
	notifySoon
	notifyLate
	notifyTwice
	notifyForged  // strangers tell the opposite, again and again
	notifyAnother // rightly signed, with another amount
)

// notify tells of what became of an order.
func (g *gatewayModel) notify(o *order) {
	w := g.world
	if !g.notifies || w.healed || o.code == "" && o.payload == "" {
		return
	}
	v := o.tell(o.state)
	tell := func(after time.Duration, verified bool, v payment.Verdict) {
		w.after(after, func() {
			w.tell("  %s notifies: %s is %s, verified %v", g.name, o.requestID, v.Class, verified)
			g.sendNotification(payment.Notification{Gateway: g.name, RequestID: o.requestID, Verified: verified, Verdict: v})
		})
	}
	way := w.pick(siteNotify, o.subject, 8*o.nth+g.notices[o.requestID], []int{6, 6, 2, 2, 1, 1})
	g.notices[o.requestID]++
	if way > notifyNot {
		w.fired(faultNotified + fault(way-notifySoon))
	}
	switch way {
	case notifySoon:
		tell(100*time.Millisecond, true, v)
	case notifyLate:
		tell(7*time.Minute, true, v)
	case notifyTwice:
		tell(10*time.Millisecond, true, v)
		tell(30*time.Second, true, v)
	case notifyForged:
		v.Class = payment.ClassPaid
		if o.captured {
			v.Class = payment.ClassClosed
		}
		for i := range 60 {
			tell(time.Duration(i)*150*time.Millisecond, false, v)
		}
	case notifyAnother:
		v.Amount.Amount++
		tell(time.Second, true, v)
	}
}

// notifyRefund tells of what became of a refund.
func (g *gatewayModel) notifyRefund(r *refund) {
	if g.notifies && !g.world.healed {
		g.world.after(200*time.Millisecond, func() {
			g.sendNotification(payment.Notification{Gateway: g.name, RequestID: r.requestID, Verified: true, Verdict: r.tell()})
		})
	}
}

// sendNotification brings one to the terminal, which knows what it is about.
func (g *gatewayModel) sendNotification(n payment.Notification) {
	w := g.world
	w.send(terminal.Notified{Notification: n}, func(r terminal.Reply, answered bool) {
		if answered {
			w.oracle.holdNotified(n, r)
		}
	})
}
