package alphapay

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"time"

	"payscand/payment"
	"payscand/payment/signature"
)

const (
	// maxIdle is how long a connection may lie idle before the next request takes a
	// new one. It holds for every call, so that pay cannot ride an older one (M6).
	// The probe of an armed terminal comes every 10 s too: it finds the last
	// connection just alive or dials anew. Both prove what they should, and a pay in
	// between always has a connection that answered within those 10 s.
	maxIdle = 10 * time.Second
	// maxIdleConns are kept for further use: one per call that may be under way.
	maxIdleConns = 4
	maxConns     = 16

	maxAnswer  = 1 << 20 // bytes of body
	maxHeaders = 64 << 10
)

var errTimeout = errors.New("time-out")

type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// newTransport makes a transport that sends each request once: it dials the
// address itself (no proxy from the environment), speaks HTTP/1.1 (with HTTP/2 the
// moment of a request's first byte is hidden), and asks for no compression, which
// it would undo before the signature is checked. It is used without http.Client,
// so no redirect is followed and no cookie kept.
func newTransport(dial dialFunc, roots *x509.CertPool, connectTimeout time.Duration) *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:                  nil,
		DialContext:            dial,
		TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    connectTimeout,
		Protocols:              protocols,
		DisableCompression:     true,
		IdleConnTimeout:        maxIdle,
		MaxIdleConns:           maxIdleConns,
		MaxIdleConnsPerHost:    maxIdleConns,
		MaxConnsPerHost:        maxConns,
		MaxResponseHeaderBytes: maxHeaders,
	}
}

// fault is why an exchange brought no verified answer. Its words hold nothing of
// the answer's body.
type fault struct {
	class  payment.Class // ClassNotSent or ClassNoAnswer
	reason payment.Reason
	err    error
}

func (f *fault) Error() string { return f.err.Error() }
func (f *fault) Unwrap() error { return f.err }

func noAnswer(reason payment.Reason, format string, args ...any) *fault {
	return &fault{payment.ClassNoAnswer, reason, fmt.Errorf(format, args...)}
}

func (f *fault) verdict() payment.Verdict {
	return payment.Verdict{Class: f.class, Reason: f.reason}
}

// exchange sends the message once and returns the body of a verified answer, and
// when the gateway says that it answered: the zero time if that cannot be read.
func (g *Gateway) exchange(ctx context.Context, m *message) ([]byte, time.Time, *fault) {
	header, body, f := g.roundTrip(ctx, m)
	if f != nil {
		return nil, time.Time{}, f
	}
	answered, f := g.verify(m, header, body)
	return body, answered, f
}

// roundTrip sends the message once and reads the whole answer. Not sent is only
// what failed before a connection was had (M6): from then on a byte may have left.
func (g *Gateway) roundTrip(ctx context.Context, m *message) (http.Header, []byte, *fault) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	// Resolving, dialling and the TLS handshake have bounds of their own, which
	// could add up; this one is for all three, then anew for the answer.
	timer := time.AfterFunc(g.config.ConnectTimeout, func() { cancel(errTimeout) })
	defer timer.Stop()
	connected := false
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) {
		connected = true // called before RoundTrip returns, by the same goroutine
		timer.Reset(g.config.AnswerTimeout)
	}})
	response, err := g.send(ctx, m)
	if err != nil && !connected {
		return nil, nil, &fault{payment.ClassNotSent, payment.ReasonGatewayUnreachable, fmt.Errorf("not sent: %w", err)}
	}
	if err != nil {
		return nil, nil, noAnswer(payment.ReasonNoAnswer, "no answer: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	g.clock.learnDate(response.Header.Get("Date"))
	switch {
	case response.StatusCode == http.StatusTooManyRequests:
		return nil, nil, noAnswer(payment.ReasonRateLimited, "HTTP status 429")
	case response.StatusCode != http.StatusOK:
		return nil, nil, noAnswer(payment.ReasonGatewayError, "HTTP status %d", response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return nil, nil, noAnswer(payment.ReasonNoAnswer, "the answer was cut: %w", err)
	}
	if len(body) > maxAnswer {
		return nil, nil, noAnswer(payment.ReasonAnswerMalformed, "the answer is longer than %d bytes", maxAnswer)
	}
	return response.Header, body, nil
}

func (g *Gateway) send(ctx context.Context, m *message) (*http.Response, error) {
	// The body's type is hidden, so that the request has no GetBody: net/http then
	// cannot send it a second time when a kept connection turns out to be dead.
	body := io.NopCloser(io.MultiReader(bytes.NewReader(m.body)))
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, m.base+m.path, body)
	if err != nil {
		return nil, err
	}
	r.ContentLength = int64(len(m.body))
	r.Header = m.header
	return g.transport.RoundTrip(r)
}

// verify checks the answer's signature over its bytes as received, with method
// and path of the request, and then that it is not an old one. The vendor's SDK
// believes an answer that lacks one of the three headers; here each is required,
// exactly once. It returns the answer's time, zero if that cannot be read.
func (g *Gateway) verify(m *message, header http.Header, body []byte) (answered time.Time, _ *fault) {
	for _, name := range []string{"Signature", "Response-Time", "Nonce"} {
		if values := header.Values(name); len(values) != 1 || values[0] == "" {
			return time.Time{}, noAnswer(payment.ReasonAnswerUnverified, "the answer has %d %s headers, want one%s", len(values), name, hint(body))
		}
	}
	sent := header.Get("Response-Time")
	content := signature.AlphaPayContent(http.MethodPost, m.path, g.config.MerchantCode, sent, header.Get("Nonce"), body)
	if err := g.verifier.Verify(content, header.Get("Signature")); err != nil {
		return time.Time{}, noAnswer(payment.ReasonAnswerUnverified, "the answer's signature: %w%s", err, hint(body))
	}
	// The form of Response-Time is inferred from Request-Time's. One that cannot be
	// read leaves the clock to the Date header; the answer is AlphaPay's all the same.
	answered = parseTime(sent)
	if !answered.IsZero() && !g.clock.learnVerified(answered) {
		return time.Time{}, noAnswer(payment.ReasonAnswerUnverified, "the answer is an old one: its time is over %s behind", maxClockSkew)
	}
	return answered, nil
}

// hint is, for the log only, the documented result code of an answer that nobody
// has to believe: it may tell the shop's IT what to mend.
func hint(body []byte) string {
	a, err := decode(body)
	if _, listed := meanings[a.Result.Code]; err != nil || !listed {
		return ""
	}
	return " (it says " + a.Result.Code + ")"
}
