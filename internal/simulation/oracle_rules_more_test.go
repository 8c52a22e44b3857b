package simulation

import (
	"time"

	"payscand/payment"
	"payscand/terminal"
)

// paceBites break the bounds of how often something happens (P10), and what a
// store can hold (P9).
func paceBites() []bite {
	again := func(most int, do func(w *world, f *saleFacts)) func(w *world, f *saleFacts) {
		return func(w *world, f *saleFacts) {
			for range most + 1 {
				w.now += 20 * time.Millisecond
				do(w, f)
			}
		}
	}
	return []bite{
		{"questions without a pause", waits, flying(payment.CallInquire), again(callBurst, func(w *world, f *saleFacts) {
			leaves(w, f, func(*flight) {})
		}), "questions about it follow each other"},
		{"probes without a pause", "", paid, again(probeBurst, func(w *world, _ *saleFacts) { w.oracle.probes(w.gateways[0]) }), "probes of alphapay"},
		{"a gateway that is asked by all sales at once", "", paid, again(100, func(w *world, _ *saleFacts) { w.oracle.holdRate(w.gateways[0]) }), "more often than its rate"},
		{"an engine that does not sleep", "", paid, again(wakeBurst*2, func(w *world, _ *saleFacts) { w.oracle.woken() }), "wakes again and again"},
		{"commits without a pause", waits, processing, again(commitBurst*2, func(w *world, f *saleFacts) {
			commits(w, f, func(*payment.Sale) {})
		}), "one commit follows the other"},
		{"a payment in the year 9999", "", paid, func(w *world, f *saleFacts) {
			commits(w, f, func(s *payment.Sale) {
				receipt := *s.Receipt
				receipt.PaidAt = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
				s.Receipt = &receipt
			})
		}, "P9: "},
		{"an order that ends in the year 9999", waits, processing, func(w *world, f *saleFacts) {
			commits(w, f, func(s *payment.Sale) { s.Attempts[0].ExpiresAt = time.Date(10000, 1, 1, 7, 0, 0, 0, time.UTC) })
		}, "P9: "},
	}
}

// wordBites break what people are told.
func wordBites() []bite {
	kept := &terminal.Error{Code: terminal.CodeConflict, Sale: "01JNB6Z7Y0C0VNTERSA1E00001", Message: "paid meanwhile: do not charge again"}
	return []bite{
		{"a good gateway is said to be down", "", paid, func(w *world, _ *saleFacts) {
			w.oracle.holdRefusal(&terminal.Error{Code: terminal.CodeGatewayDown, Gateway: "alphapay"})
		}, "M14: somebody is told gateway_down"},
		{"a good gateway is said to refuse all calls", "", paid, func(w *world, _ *saleFacts) {
			in := terminal.Answered{
				Call: payment.Call{Kind: payment.CallRefund, Gateway: "alphapay"}, Verdict: refused(payment.ReasonNotPermitted, "ACCESS_DENIED"),
			}
			why := &terminal.Error{Code: terminal.CodeGatewayMisconfigured, Gateway: "alphapay"}
			w.oracle.holdWords([]terminal.Input{in, terminal.Create{}}, terminal.Result{Replies: []terminal.Reply{{}, {Err: why}}})
		}, "M14: somebody is told gateway_misconfigured"},
		{"not to charge again what was not paid", waits, processing, func(w *world, _ *saleFacts) {
			w.oracle.holdRefusal(kept)
		}, "is told not to charge again, and it is processing"},
		{"not to charge again what is given back", "", paid, func(w *world, f *saleFacts) {
			f.sale.Refunds = []payment.Refund{{Attempt: 1, Automatic: true, Status: payment.RefundPending}}
			w.oracle.holdRefusal(kept)
		}, "is told not to charge again, and it is paid, or given back"},
		{"what was said to stay is given back", "", paid, func(w *world, f *saleFacts) {
			w.oracle.holdRefusal(kept)
			s := f.sale
			s.Late, s.CancelWanted = true, true
			s.Refunds = []payment.Refund{{RequestID: "r", Attempt: 1, Automatic: true, Amount: s.Amount, Status: payment.RefundSubmitting}}
			w.oracle.holdRefunds(f, f.sale, s)
		}, "is given back, and a register was told not to charge again"},
		{"a paid sale is charged again under another name", "", paid, func(w *world, f *saleFacts) {
			w.oracle.asked(terminal.NewSale{Key: "key-1", Replaces: f.sale.ID})
			w.oracle.made(anotherSale(f.sale))
		}, "is made in the place of"},
		{"a notification is refused", "", paid, func(w *world, _ *saleFacts) {
			w.oracle.holdNotified(payment.Notification{RequestID: "x"}, terminal.Reply{Err: errPower})
		}, "a notification about x is refused"},
		{"money that the gateway told of is not kept", waits, processing, func(w *world, f *saleFacts) {
			f.sale.Attempts[0].Status = payment.AttemptClosed
			w.oracle.toldPaid = append(w.oracle.toldPaid, toldPaid{sale: f.sale.ID, attempt: 1})
			w.oracle.holdToldPaid(nil)
		}, "M12: the gateway told that money was taken"},
		{"another payment is refunded than was named", "", paid, func(w *world, f *saleFacts) {
			w.oracle.refundAsked("asked", refundWish{gateway: "alphapay", payment: "alphapay-9"})
			s := f.sale
			s.Refunds = []payment.Refund{{RequestID: "r", Attempt: 1, Key: "asked", Amount: s.Amount, Status: payment.RefundSubmitting}}
			w.oracle.holdRefunds(f, f.sale, s)
		}, "M13: refund r gives back alphapay-1, and alphapay-9 was asked for"},
	}
}

// machineBites break what holds for a terminal that is not adopted, and for its
// configuration.
func machineBites() []bite {
	moved := func(do func(w *world, f *saleFacts)) func(w *world, f *saleFacts) {
		return func(w *world, f *saleFacts) {
			w.disk.Move(true)
			do(w, f)
		}
	}
	return []bite{
		{"a pay leaves a terminal that is not adopted", waits, flying(payment.CallPay), moved(func(w *world, f *saleFacts) {
			leaves(w, f, func(*flight) {})
		}), "leaves, and the terminal is not adopted"},
		{"a sale is made where none may be", "", paid, moved(func(w *world, f *saleFacts) {
			w.oracle.made(anotherSale(f.sale))
		}), "is made, and the terminal is not adopted"},
		{"a scanner is armed where none may be", "", armed, moved(func(w *world, _ *saleFacts) {
			w.oracle.holdResult(terminal.Result{Arming: 1})
		}), "M8: the terminal is not adopted"},
		{"a QR is shown where none may be", showsQR, visible, moved(func(w *world, f *saleFacts) {
			w.oracle.holdResult(terminal.Result{Customer: f.sale})
		}), "M8: the terminal is not adopted"},
		{"a change that nobody is told of", "", paid, func(w *world, f *saleFacts) {
			w.oracle.raised = append(w.oracle.raised, f.sale.ID)
			w.oracle.holdResult(terminal.Result{})
		}, "has changed, and nobody who waits"},
		{"the screen shows another sale than the live one", waits, processing, func(w *world, f *saleFacts) {
			w.oracle.holdResult(terminal.Result{Customer: anotherSale(f.sale)})
		}, "M8: the customer sees sale \"another\""},
		{"the screen shows the QR of a sale that is over", showsQR, visible, func(w *world, f *saleFacts) {
			w.oracle.live = ""
			w.oracle.holdResult(terminal.Result{Customer: f.sale})
		}, "M8: the customer sees a QR"},
		{"the scanner is armed for nobody", "", paid, func(w *world, _ *saleFacts) {
			w.oracle.holdResult(terminal.Result{Arming: 1})
		}, "P7: the scanner is armed"},
		{"the screen says out of order without a cause", "", paid, func(w *world, _ *saleFacts) {
			w.oracle.holdOutOfOrder(true)
		}, "M14: the screen says true"},
		{"the screen does not say out of order", "", paid, func(w *world, _ *saleFacts) {
			w.oracle.troubleOf("alphapay").heard(payment.CallProbe, notSent)
			w.oracle.holdOutOfOrder(false)
		}, "M14: the screen says false"},
		{"a reply of what was not committed yet", "", paid, func(w *world, f *saleFacts) {
			s := f.sale
			s.Version++
			w.oracle.told(s)
		}, "P6: a reply tells of version"},
		{"a start is refused for nothing", "", paid, func(w *world, _ *saleFacts) {
			w.oracle.holdConfigRefused("alphapay")
		}, "M7: the start is refused"},
		{"a gateway that must be asked is left out", waits, processing, func(w *world, _ *saleFacts) {
			w.oracle.holdConfig(payment.Policy{})
		}, "M7: the terminal starts without alphapay"},
	}
}
