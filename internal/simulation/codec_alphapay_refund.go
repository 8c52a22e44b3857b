package simulation

import "payscand/payment"

func (alphaPayWire) refunded(c *codec, answer payment.Verdict, f *flight) (truth, lie alphaAnswer) {
	done := told("S", "SUCCESS")
	done.PaymentID, done.RefundID, done.RefundRequestID = f.attempt.PaymentID, "made-up", f.refund.RequestID
	done.Refund = &alphaRefund{alphaMoney(f.refund.Amount)}
	code := "ORDER_MISMATCH"
	switch answer.Class {
	case payment.ClassAccepted, payment.ClassPending:
		truth = done
		truth.RefundID = answer.RefundID
		if c.model.inReview(answer.RefundID) {
			truth.Result = told("U", "REFUND_NEED_REVIEW").Result
		}
		return truth, told("F", "REFUND_NOT_ENOUGH_BALANCE")
	case payment.ClassAlreadyRefunded:
		code = "FULL_REFUND_COMPLETED"
	default:
		switch answer.Reason {
		case payment.ReasonNotEnoughBalance:
			code = "REFUND_NOT_ENOUGH_BALANCE"
		case payment.ReasonRefundAmount:
			code = "INVALID_REFUND_AMOUNT"
		}
	}
	return told("F", code), done
}

func (g *gatewayModel) inReview(id string) bool {
	for _, r := range g.refunds {
		if r.id == id && r.state == payment.ClassPending && r.reason == payment.ReasonRefundInReview {
			return true
		}
	}
	return false
}

func (alphaPayWire) refundInquired(c *codec, answer payment.Verdict, f *flight) (truth, lie alphaAnswer) {
	truth = told("S", "SUCCESS")
	truth.RefundID, truth.RefundRequestID = f.refund.RefundID, f.refund.RequestID
	truth.Refund = &alphaRefund{alphaMoney(f.refund.Amount)}
	lie = truth
	lie.RefundStatus = "SUCCESS"
	switch answer.Class {
	case payment.ClassRefunded:
		truth.RefundStatus, lie.RefundStatus = "SUCCESS", "FAILED"
	case payment.ClassFailed:
		truth.RefundStatus = "FAILED"
	case payment.ClassNotFound:
		return told("F", "ORDER_MISMATCH"), lie
	default:
		truth.RefundStatus = "REFUND_IN_PROCESS"
		if c.model.inReview(f.refund.RefundID) {
			truth.Result = told("S", "REFUND_NEED_REVIEW").Result
		}
	}
	return truth, lie
}
