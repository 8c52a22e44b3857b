package alphapay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"payscand/payment"
)

// Send carries the request out, once, and says what came of it. It returns by
// itself within the connect and answer time-outs (a lookup: for each of its
// pages), or when ctx ends.
func (g *Gateway) Send(ctx context.Context, prepared payment.Request) (v payment.Verdict) {
	r, mine := prepared.(*request)
	if !mine || r == nil {
		g.config.Logger.Error("a request that was not prepared by this gateway was not sent", slog.String("gateway", g.config.Name))
		return payment.Verdict{Class: payment.ClassNotSent, Reason: payment.ReasonGatewayUnreachable}
	}
	defer func() {
		if problem := recover(); problem != nil { // a bug; the value may hold parts of the answer
			g.config.Logger.Error("a gateway call broke off", slog.String("gateway", g.config.Name),
				slog.Any("call", r), slog.String("type", fmt.Sprintf("%T", problem)))
			v = payment.Verdict{Class: payment.ClassNoAnswer, Reason: payment.ReasonAnswerMalformed}
		}
	}()
	v, err := g.carryOut(ctx, r)
	g.trouble.note(g.config.Logger, g.config.Name, r, v, err)
	return v
}

// carryOut returns the verdict, and where it is none why.
func (g *Gateway) carryOut(ctx context.Context, r *request) (payment.Verdict, error) {
	if r.question.kind == payment.CallLookup || r.question.kind == payment.CallLookupRefund {
		return g.lookup(ctx, r)
	}
	return g.ask(ctx, r.message, r.question)
}

// ask is one exchange and what its answer means.
func (g *Gateway) ask(ctx context.Context, m *message, q question) (payment.Verdict, error) {
	body, _, f := g.exchange(ctx, m)
	if f != nil {
		return f.verdict(), f
	}
	return judge(q, body)
}

// trouble keeps the log short: a line when calls begin to fail, fail for another
// reason, or succeed again.
type trouble struct {
	mu   sync.Mutex
	last payment.Reason
}

func (t *trouble) note(log *slog.Logger, gateway string, r *request, v payment.Verdict, err error) {
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
		attrs = append(attrs, slog.String("error", redact(err.Error(), r.question.code)))
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
