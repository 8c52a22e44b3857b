package device

import (
	"context"
	"time"
)

// A scanner that was just plugged in may be refused for refusalTime before that is
// told, until the kernel has bound its drivers and udev has set its rights.
const (
	refusalTime = 500 * time.Millisecond
	refusalWait = 50 * time.Millisecond
)

// Keep is the life of a driver: it runs session again and again until ctx ends. A
// session opens the device and reads it until it is lost, or until ctx ends, and
// returns why; nil at the end of ctx. Each change is told to sink: a missing
// scanner at once, another refusal once it has lasted for half a second. Between
// two tries it waits for news.
func (r *Reporter) Keep(ctx context.Context, sink Sink, news *PlugNews, session func() error, explain func(error) (State, string)) {
	var refusedSince, readySince time.Time
	for ctx.Err() == nil {
		err := session()
		if err == nil {
			continue
		}
		state, detail := explain(err)
		now := time.Now()
		if status := r.Status(); state == StateMissing || status.State == StateReady && !status.At.Equal(readySince) {
			readySince, refusedSince = status.At, time.Time{} // this refusal is a new one
		}
		if state != StateMissing && refusedSince.IsZero() {
			refusedSince = now
		}
		if now.Sub(refusedSince) < refusalTime {
			Pause(ctx, refusalWait)
			continue
		}
		r.Enter(sink, state, detail, now)
		news.Wait(ctx)
	}
}
