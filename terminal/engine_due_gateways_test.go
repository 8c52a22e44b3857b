package terminal_test

import (
	"testing"
	"time"

	"payscand/payment"
	"payscand/terminal"
)

// answerAll answers every call under way: those to a gateway that is silent with no
// answer, probes with "not found". Any other call stays under way and is returned.
func (w *world) answerAll(silent string) (left []payment.Call) {
	w.t.Helper()
	for len(w.started) > 0 {
		c := w.started[0]
		w.started = w.started[1:]
		switch {
		case c.Gateway == silent:
			w.answer(c, noAnswer)
		case c.Kind == payment.CallProbe:
			w.answer(c, payment.Verdict{Class: payment.ClassNotFound})
		default:
			left = append(left, c)
		}
	}
	return left
}

// watchedAtPlus makes a sale whose first attempt failed at Alipay+ without proof,
// so that it is watched there, and lets Alipay+ go down.
func (w *world) watchedAtPlus() payment.Sale {
	w.t.Helper()
	s := w.mustCreate(terminal.NewSale{})
	w.scan(code1)
	w.answer(w.call(payment.CallPay), payment.Verdict{Class: payment.ClassFailed, Reason: payment.ReasonDeclined})
	if a := w.sale(s.ID).Attempts[0]; a.Watch == nil || a.Gateway != plusName {
		w.t.Fatalf("the attempt at Alipay+ is not watched: %+v", a)
	}
	w.pass(w.policy.ProbePause) // the sale is armed: both are probed
	w.answerAll(plusName)
	return s
}

// asked lets time pass second by second, Alipay+ silent, until the sale asks
// AlphaPay something.
func (w *world) asked(s payment.Sale, kind payment.CallKind, within time.Duration) payment.Call {
	w.t.Helper()
	for until := w.now.Add(within); w.now.Before(until); w.pass(time.Second) {
		for _, c := range w.answerAll(plusName) {
			if c.Sale == s.ID && c.Gateway == gatewayName && c.Kind == kind {
				return c
			}
			w.answer(c, noAnswer)
		}
	}
	w.t.Fatalf("no %s call was started at %s within %s", kind, gatewayName, within)
	return payment.Call{}
}

// P5: what a sale is to ask at a gateway that is down holds up nothing of what it is
// to ask at another: an order that is unresolved there, or a refund.
func TestP5OneSaleTwoGatewaysOneDown(t *testing.T) {
	for name, test := range map[string]func(w *world, s payment.Sale){
		"unresolved": func(w *world, s payment.Sale) {
			w.scan(wechatCode)
			w.answer(w.asked(s, payment.CallPay, time.Second), noAnswer)
			w.asked(s, payment.CallLookup, 4*time.Minute)
		},
		"refund": func(w *world, s payment.Sale) {
			w.scan(wechatCode)
			w.answer(w.asked(s, payment.CallPay, time.Second), w.paid(s))
			for end := w.now.Add(3 * time.Minute); w.now.Before(end); w.pass(time.Second) {
				w.answerAll(plusName)
			}
			reply := w.turn(terminal.Refund{Sale: s.ID, Request: terminal.NewRefund{Key: "refund", Digest: "refund", Amount: 1}})[0]
			if reply.Err != nil {
				w.t.Fatal(reply.Err)
			}
			w.answer(w.asked(s, payment.CallRefund, time.Second), payment.Verdict{
				Class: payment.ClassPending, RequestID: reply.Sale.Refunds[0].RequestID, RefundID: "R-1",
			})
			w.asked(s, payment.CallInquireRefund, 10*time.Second)
		},
		"late capture": func(w *world, s payment.Sale) {
			w.scan(wechatCode)
			w.answer(w.asked(s, payment.CallPay, time.Second), payment.Verdict{
				Class: payment.ClassFailed, Reason: payment.ReasonDeclined, RequestID: s.ID + "-2", PaymentID: "P-2",
			})
			w.answer(w.asked(s, payment.CallInquire, time.Second), noAnswer)
			w.turn(terminal.Command{Sale: s.ID, Event: payment.CancelRequested{}})
			w.asked(s, payment.CallInquire, 2*time.Minute)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTwoGateways(t)
			test(w, w.watchedAtPlus())
		})
	}
}
