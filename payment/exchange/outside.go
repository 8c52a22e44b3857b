package exchange

import (
	"net/http"
	"time"
)

// Outside is the world as a gateway meets it, where that is not the real one but
// a simulation's. What is nil is real: the network, the keys of the Config, this
// machine's clock. The program that takes money sets none of it.
type Outside struct {
	// Transport carries requests in place of the network. It must call httptrace's
	// GotConn before a request's first byte leaves: what fails before that counts
	// as not sent (M6).
	Transport http.RoundTripper
	// Signer and Verifier stand in for Config's keys.
	Signer   Signer
	Verifier Verifier
	Clock    Clock
}

// Signer returns the value of the Signature header for what is to be signed.
type Signer interface {
	Sign(content []byte) (header string, err error)
}

// Verifier returns nil only when header is the platform's signature of exactly content.
type Verifier interface {
	Verify(content []byte, header string) error
}

// Clock is this machine's idea of the time.
type Clock interface {
	// Now is the wall clock, which may jump.
	Now() time.Time
	// Elapsed is the time since some fixed moment by a clock that never jumps.
	Elapsed() time.Duration
}

// machineClock is the real one.
type machineClock struct{ began time.Time }

func (machineClock) Now() time.Time           { return time.Now() }
func (c machineClock) Elapsed() time.Duration { return time.Since(c.began) }
