package terminal

import "payscand/payment"

// A database that was restored, or woke up on another machine, is not adopted:
// the terminal that it was may be at work still, and what it did since is not
// known here. A sale that is repeated with a key from that time would be charged
// twice, a cancel or a refund might meet its own. So nothing is begun: no sale, no
// code, no cancel, no refund; old attempts are asked about (payment.Policy), and
// what is known is told.

// notAdopted refuses what must wait until the terminal is adopted.
func (e *Engine) notAdopted() error {
	if !e.policy.InquireOnly {
		return nil
	}
	return &Error{Code: CodeNotAdopted, Message: "the database was restored, or is another machine's: once that machine takes no payments any more, " +
		"stop the daemon, run payscand adopt and start it again; until then old sales are only asked about"}
}

// arming is the token that scans must carry now.
func (e *Engine) arming() uint64 {
	if e.policy.InquireOnly {
		return 0
	}
	return e.live.ArmingToken()
}

// shown is the sale that the customer sees. A QR of a sale that is not ours to
// take must be on no screen (M8).
func (e *Engine) shown() payment.Sale {
	if e.policy.InquireOnly {
		return payment.Sale{}
	}
	return e.customer
}
