// Package exchangetest is what the tests of everything that exchanges messages with
// a vendor share: keys, answers in the form of either vendor, and what was logged.
package exchangetest

import (
	"bytes"
	"log/slog"
	"sync"
	"testing"

	"payscand/payment"
	"payscand/payment/signature"
)

// KeySet is the merchant's keys, the platform's and a stranger's.
type KeySet struct{ Merchant, Platform, Stranger signature.PrivateKey }

// PlatformKeys are what verifies the platform's answers, as a gateway's Config has them.
func (k KeySet) PlatformKeys() map[int]signature.PublicKey {
	return map[int]signature.PublicKey{1: k.Platform.Public()}
}

// Keys are made once: making them is the slowest part of these tests.
var Keys = sync.OnceValue(func() (keys KeySet) {
	for _, key := range []*signature.PrivateKey{&keys.Merchant, &keys.Platform, &keys.Stranger} {
		made, err := signature.GenerateKey()
		if err != nil {
			panic(err)
		}
		*key = made
	}
	return keys
})

// Result is an answer that says nothing but its result.
func Result(status, code string) string { return With(status, code, "") }

// With is an answer with more members, as they stand in its JSON.
func With(status, code, members string) string {
	if members != "" {
		members += ","
	}
	return `{` + members + `"result":{"resultCode":"` + code + `","resultMessage":"words","resultStatus":"` + status + `"}}`
}

// Always answers every call with the same body.
func Always(body string) func(path string, request map[string]any) string {
	return func(string, map[string]any) string { return body }
}

// AssertVerdict wants a verdict of this class and reason.
func AssertVerdict(t testing.TB, v payment.Verdict, class payment.Class, reason payment.Reason) {
	t.Helper()
	if v.Class != class || v.Reason != reason {
		t.Errorf("got %s (%s), want %s (%s)", v.Class, v.Reason, class, reason)
	}
}

// Logs is what was logged, at every level. It is safe for use by several
// goroutines; the zero value is empty.
type Logs struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Logger logs here.
func (l *Logs) Logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// Write implements io.Writer.
func (l *Logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// String is all that was logged, a line each.
func (l *Logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
