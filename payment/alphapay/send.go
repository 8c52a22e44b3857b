package alphapay

import (
	"context"

	"payscand/payment"
	"payscand/payment/exchange"
)

// Send carries the request out, once, and says what came of it. It returns by
// itself within the connect and answer time-outs (a lookup: for each of its
// pages), or when ctx ends.
func (g *Gateway) Send(ctx context.Context, prepared payment.Request) payment.Verdict {
	r, mine := prepared.(*request)
	if !mine || r == nil {
		return g.client.NotPrepared()
	}
	return g.client.Send(ctx, r, func(ctx context.Context) (payment.Verdict, error) {
		if r.question.kind == payment.CallLookup || r.question.kind == payment.CallLookupRefund {
			return g.lookup(ctx, r)
		}
		return g.ask(ctx, r.message, r.question)
	})
}

// ask is one exchange and what its answer means.
func (g *Gateway) ask(ctx context.Context, m *exchange.Message, q question) (payment.Verdict, error) {
	body, _, f := g.client.Exchange(ctx, m)
	if f != nil {
		return f.Verdict(), f
	}
	v, err := judge(q, body)
	if !v.ExpiresAt.IsZero() { // the QR is hidden by this machine's clock
		v.ExpiresAt = v.ExpiresAt.Add(-g.client.ClockOffset())
	}
	return v, err
}
