package simulation

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"runtime/debug"
	"time"

	"payscand/payment"
)

// codecEvery: in one seed of so many the gateways are asked through their real
// clients. What the model answers is written as the vendor's bytes, signed, spoilt
// on its way, and read by the code that reads it at a counter.
const codecEvery = 50

// codec is the wire between a gateway's real client and its model: an
// http.RoundTripper. One call is carried out at a time, at one moment of virtual
// time, by the goroutine that runs the world.
type codec struct {
	world  *world
	model  *gatewayModel
	vendor vendor
	client payment.Gateway // of the process that runs
	call   *wireCall       // that is being carried out
	first  map[string]*wireAnswer
	// distrusted: the client would believe an old answer now, as it has refused one or has had none.
	distrusted bool
	// refundsAt is when each of the model's refunds was made.
	refundsAt []time.Duration
}

// vendor is one vendor's end of the wire: it reads requests and writes answers by
// the vendor's pages, with code of its own.
type vendor interface {
	// client makes the real client of a new process.
	client(c *codec) payment.Gateway
	// hears holds a request against the call that it should be. wrong is empty, or
	// says what is wrong with it.
	hears(c *codec, r *http.Request, body []byte) (wrong string)
	// sentAt is the time that the request says it was signed at.
	sentAt(r *http.Request) time.Time
	// reply carries the request out, and writes the answer's body. lie is another
	// body, of the same form and untrue, which nobody must believe.
	reply(c *codec, r *http.Request, body []byte) (truth, lie []byte)
	// malign is a body, rightly signed, that must never count: the way chooses what
	// is wrong with it.
	malign(c *codec, r *http.Request, way wireWay) []byte
	// refusal writes an answer that says nothing but a result.
	refusal(way wireWay) []byte
	// sign makes the header of an answer; stranger: with another's key.
	sign(c *codec, r *http.Request, body []byte, stranger bool) http.Header
}

// vendors are those whose codec the simulation knows, by the gateway's name.
var vendors = map[string]vendor{"alphapay": alphaPayWire{}, "alipayplus": alipayPlusWire{}}

// openCodecs puts the wire between terminal and gateways, in a run that has it.
func (w *world) openCodecs() {
	if !w.wired() {
		return
	}
	w.result.Wired = 1
	for _, g := range w.gateways {
		if v := vendors[g.name]; v != nil {
			g.codec = &codec{world: w, model: g, vendor: v, first: map[string]*wireAnswer{}}
		}
	}
}

// wired decides whether the run has the real codec: a decision like any other, so
// that a schedule repeats it.
func (w *world) wired() bool {
	drawn := 0
	if w.script == nil && w.seed%codecEvery == 0 {
		drawn = 1
	}
	return w.decide(siteCodec, 0, 0, drawn) != 0
}

// restarted begins a process: its client knows nothing, and believes any time
// that it is told first.
func (c *codec) restarted() { c.client, c.distrusted = c.vendor.client(c), true }

// prepare makes the request, as terminal.Calls does beside the commit.
func (c *codec) prepare(s payment.Sale, call payment.Call, now time.Time) payment.Request {
	request, err := c.client.Prepare(s, call, now)
	if err != nil {
		c.world.fail("the client cannot say what the engine wants: %v", err)
	}
	return request
}

// wireCall is one call that is carried out through the codec: one exchange, or
// several where a list is searched.
type wireCall struct {
	flight *flight
	stale  bool // it is answered as things stood a while ago
	way    wireWay
	at, n  int  // the exchange that way befalls, and the one that is on
	far    bool // its times are of the year 9999
}

// answer is model.answer through the codec.
func (c *codec) answer(f *flight, fate fate) payment.Verdict {
	ways := waysOf[fate]
	way := wireFine
	if len(ways) > 0 {
		weights := make([]int, len(ways))
		for i := range weights {
			weights[i] = 1
		}
		way = ways[c.world.pick(siteWire, f.subject, f.nth, weights)]
	}
	return c.ask(f, way, fate == fateStale)
}

// ask carries a call out, with what befalls it on the way.
func (c *codec) ask(f *flight, way wireWay, stale bool) payment.Verdict {
	at := 1
	if way != wireFine && isLookup(f.call.Kind) {
		at += c.world.pick(siteWireAt, f.subject, f.nth, []int{2, 1, 1})
	}
	c.call = &wireCall{flight: f, stale: stale, way: way, at: at}
	if w := c.world; way == wireFine && !w.healed && w.rarely(siteFarTime, f.subject, f.nth) {
		c.call.far = true
		w.result.Wire[wireFarTime]++
		w.tell("  wire: %s", wireFarTime)
	}
	v := f.client.Send(context.Background(), f.request)
	c.call = nil
	return v
}

// told is the outcome of a call that the gateway did not carry out: v, or what the
// real client makes of it.
func (g *gatewayModel) told(f *flight, way wireWay, v payment.Verdict) payment.Verdict {
	if f.client == nil {
		return v
	}
	return g.codec.ask(f, way, false)
}

// busy is the outcome of a call that the gateway has no time for.
func (g *gatewayModel) busy(f *flight) payment.Verdict {
	if f.client == nil {
		return busy
	}
	return g.codec.answer(f, fateBusy)
}

func isLookup(k payment.CallKind) bool {
	return k == payment.CallLookup || k == payment.CallLookupRefund
}

var (
	errWireRefused = errors.New("connection refused")
	errWireSilent  = errors.New("time-out")
)

// RoundTrip is what becomes of one request. A panic of its own must not end as a
// call of the client's that broke off.
func (c *codec) RoundTrip(r *http.Request) (*http.Response, error) {
	defer func() {
		if problem := recover(); problem != nil {
			c.world.fail("panic on the wire: %v\n%s", problem, debug.Stack())
		}
	}()
	return c.exchange(r)
}

func (c *codec) exchange(r *http.Request) (*http.Response, error) {
	w, call := c.world, c.call
	way := wireFine
	if call.n++; call.n == call.at {
		way = call.way
	}
	if way == wireOld && !c.old(r) {
		way = wireUnsigned
	}
	if way != wireFine {
		w.result.Wire[way]++
		w.tell("  wire: %s", way)
	}
	if way == wireNotSent {
		return nil, errWireRefused
	}
	if trace := httptrace.ContextClientTrace(r.Context()); trace != nil && trace.GotConn != nil {
		trace.GotConn(httptrace.GotConnInfo{})
	}
	if way == wireLost {
		return nil, errWireSilent
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if wrong := c.vendor.hears(c, r, body); wrong != "" {
		w.fail("the wire: %s of %s leaves, and %s", call.flight.call.Kind, call.flight.requestID(), wrong)
		return nil, errWireSilent
	}
	if skew := w.trueTime().Sub(c.vendor.sentAt(r)); max(skew, -skew) > maxClockSkew+time.Second {
		w.result.Wire[wireClock]++
		w.tell("  wire: %s", wireClock)
		return c.write(r, c.vendor.refusal(wireSignTimeout), wireFine), nil
	}
	if way.undone() {
		return c.write(r, c.vendor.refusal(way), way), nil
	}
	truth, lie := c.vendor.reply(c, r, body)
	switch {
	case way == wireAnswerLost:
		return nil, errWireSilent
	case way == wireSystemErrorDone:
		truth = c.vendor.refusal(way)
	case way.malign():
		truth = c.vendor.malign(c, r, way)
	}
	return c.spoil(r, truth, lie, way), nil
}

// old reports whether there is an answer old enough to be known for one: by its
// time, and by the client's, which believes the answer after one that it refused.
// What is younger and names no order cannot be told from the right one: only TLS
// keeps such answers apart.
func (c *codec) old(r *http.Request) bool {
	first := c.first[r.URL.Path]
	return first != nil && !c.distrusted && c.world.now-first.at > 2*maxClockSkew
}

// time writes a time of an answer: the right one, or one that says "never".
func (c *codec) time(at time.Time) string {
	if c.call.far && !at.IsZero() {
		return "9999-12-31T23:59:59-08:00"
	}
	return alphaTime(at)
}

// trueTime is the time by the gateways' clocks.
func (w *world) trueTime() time.Time { return dayOne.Add(w.now) }

// wireAnswer is an answer on its way.
type wireAnswer struct {
	status int
	header http.Header
	body   []byte
	broken bool // the connection is lost before its end
	at     time.Duration
}

func (a *wireAnswer) response(r *http.Request) *http.Response {
	var body io.Reader = bytes.NewReader(a.body)
	if a.broken {
		body = io.MultiReader(bytes.NewReader(a.body[:len(a.body)/2]), brokenReader{})
	}
	return &http.Response{
		StatusCode: a.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: a.header, Body: io.NopCloser(body),
		ContentLength: int64(len(a.body)), Request: r,
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// sandClock is the terminal's clock as the client of one process reads it.
type sandClock struct{ world *world }

// Now is the wall clock.
func (c sandClock) Now() time.Time { return c.world.clock.peek(c.world.now) }

// Elapsed stands still while the machine sleeps.
func (c sandClock) Elapsed() time.Duration {
	return max(c.world.now, c.world.asleepUntil) - c.world.clock.slept
}
