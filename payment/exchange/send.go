package exchange

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"payscand/payment"
)

// Prepared is a gateway's own request, as far as sending needs to know it. It
// logs without its payment code.
type Prepared interface {
	slog.LogValuer
	// Secret is the payment code that the request holds, or none.
	Secret() payment.Code
}

// NotPrepared is the verdict on a request that the gateway did not prepare: it is
// not sent.
func (c *Client) NotPrepared() payment.Verdict {
	c.config.Logger.Error("a request that was not prepared by this gateway was not sent", slog.String("gateway", c.config.Name))
	return payment.Verdict{Class: payment.ClassNotSent, Reason: payment.ReasonGatewayUnreachable}
}

// Send carries the request out, and says what came of it: carryOut's verdict and,
// where that is none, why. A panic in it is no answer.
func (c *Client) Send(ctx context.Context, r Prepared, carryOut func(context.Context) (payment.Verdict, error)) (v payment.Verdict) {
	defer func() {
		if problem := recover(); problem != nil { // a bug; the value may hold parts of the answer
			c.config.Logger.Error("a gateway call broke off", slog.String("gateway", c.config.Name),
				slog.Any("call", r), slog.String("type", fmt.Sprintf("%T", problem)))
			v = NoVerdict(payment.ReasonAnswerMalformed, "")
		}
	}()
	v, err := carryOut(ctx)
	c.trouble.note(c.config.Logger, c.config.Name, r, v, err)
	return v
}

// Ask is one exchange and what judge says of its answer. An order's expiry is the
// gateway's time there; what Ask returns is this machine's, by which a QR is hidden.
func (c *Client) Ask(ctx context.Context, m *Message, judge func(body []byte) (payment.Verdict, error)) (payment.Verdict, error) {
	body, _, f := c.Exchange(ctx, m)
	if f != nil {
		return f.Verdict(), f
	}
	v, err := judge(body)
	if !v.ExpiresAt.IsZero() {
		v.ExpiresAt = v.ExpiresAt.Add(-c.ClockOffset())
	}
	return v, err
}

// trouble keeps the log short: a line when calls begin to fail, fail for another
// reason, or succeed again.
type trouble struct {
	mu   sync.Mutex
	last payment.Reason
}

func (t *trouble) note(log *slog.Logger, gateway string, r Prepared, v payment.Verdict, err error) {
	failing := !v.Class.Verified() || v.Class == payment.ClassRefused
	changed := false
	if !errors.Is(err, context.Canceled) { // given up by the caller: says nothing of the gateway
		reason := payment.Reason("")
		if failing {
			reason = v.Reason
		}
		t.mu.Lock()
		changed = reason != t.last
		t.last = reason
		t.mu.Unlock()
	}

	level := slog.LevelDebug
	attrs := []slog.Attr{slog.String("gateway", gateway), slog.Any("call", r), slog.String("class", string(v.Class))}
	if failing {
		attrs = append(attrs, slog.String("reason", string(v.Reason)), slog.String("code", v.GatewayCode))
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", Redact(err.Error(), r.Secret())))
	}
	message := "gateway call"
	switch {
	case failing && changed:
		level, message = slog.LevelWarn, "gateway calls fail"
	case !failing && changed:
		level, message = slog.LevelInfo, "gateway calls succeed again"
	}
	log.LogAttrs(context.Background(), level, message, attrs...)
}
