package exchange

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

	// MaxAnswer and MaxHeaders bound an answer, in bytes.
	MaxAnswer  = 1 << 20
	MaxHeaders = 64 << 10
)

var errTimeout = errors.New("time-out")

// DialFunc opens a connection, as net.Dialer does.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// NewTransport makes a transport that sends each request once: it dials the
// address itself (no proxy from the environment), speaks HTTP/1.1 (with HTTP/2 the
// moment of a request's first byte is hidden), and asks for no compression, which
// it would undo before the signature is checked. It is used without http.Client,
// so no redirect is followed and no cookie kept.
func NewTransport(dial DialFunc, roots *x509.CertPool, connectTimeout time.Duration) *http.Transport {
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
		MaxResponseHeaderBytes: MaxHeaders,
	}
}

// Fault is why an exchange brought no verified answer. Its words hold nothing of
// the answer's body.
type Fault struct {
	Class  payment.Class // ClassNotSent or ClassNoAnswer
	Reason payment.Reason
	Err    error
}

func (f *Fault) Error() string { return f.Err.Error() }
func (f *Fault) Unwrap() error { return f.Err }

func noAnswer(reason payment.Reason, format string, args ...any) *Fault {
	return &Fault{payment.ClassNoAnswer, reason, fmt.Errorf(format, args...)}
}

// Verdict is no answer, or not sent.
func (f *Fault) Verdict() payment.Verdict {
	return payment.Verdict{Class: f.Class, Reason: f.Reason}
}

// Exchange sends the message once and returns the body of a verified answer, and
// when the gateway says that it answered: the zero time if that cannot be read.
func (c *Client) Exchange(ctx context.Context, m *Message) ([]byte, time.Time, *Fault) {
	header, body, f := c.roundTrip(ctx, m)
	if f != nil {
		return nil, time.Time{}, f
	}
	answered, f := c.verify(m, header, body)
	return body, answered, f
}

// roundTrip sends the message once and reads the whole answer. Not sent is only
// what failed before a connection was had (M6): from then on a byte may have left.
func (c *Client) roundTrip(ctx context.Context, m *Message) (http.Header, []byte, *Fault) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	// Resolving, dialling and the TLS handshake have bounds of their own, which
	// could add up; this one is for all three, then anew for the answer.
	timer := time.AfterFunc(c.config.ConnectTimeout, func() { cancel(errTimeout) })
	defer timer.Stop()
	connected := false
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) {
		connected = true // called before RoundTrip returns, by the same goroutine
		timer.Reset(c.config.AnswerTimeout)
	}})
	response, err := c.send(ctx, m)
	if err != nil && !connected {
		return nil, nil, &Fault{payment.ClassNotSent, payment.ReasonGatewayUnreachable, fmt.Errorf("not sent: %w", err)}
	}
	if err != nil {
		return nil, nil, noAnswer(payment.ReasonNoAnswer, "no answer: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	c.clock.learnDate(response.Header.Get("Date"))
	switch {
	case response.StatusCode == http.StatusTooManyRequests:
		return nil, nil, noAnswer(payment.ReasonRateLimited, "HTTP status 429")
	case response.StatusCode != http.StatusOK:
		return nil, nil, noAnswer(payment.ReasonGatewayError, "HTTP status %d", response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, MaxAnswer+1))
	if err != nil {
		return nil, nil, noAnswer(payment.ReasonNoAnswer, "the answer was cut: %w", err)
	}
	if len(body) > MaxAnswer {
		return nil, nil, noAnswer(payment.ReasonAnswerMalformed, "the answer is longer than %d bytes", MaxAnswer)
	}
	return response.Header, body, nil
}

func (c *Client) send(ctx context.Context, m *Message) (*http.Response, error) {
	// The body's type is hidden, so that the request has no GetBody: net/http then
	// cannot send it a second time when a kept connection turns out to be dead.
	body := io.NopCloser(io.MultiReader(bytes.NewReader(m.Body)))
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, m.Base+m.Path, body)
	if err != nil {
		return nil, err
	}
	r.ContentLength = int64(len(m.Body))
	r.Header = m.Header
	return c.transport.RoundTrip(r)
}
