// Package notify takes in what gateways send unasked: POST /notify/<vendor>, on a
// listener of its own, off by default. It is the one door that strangers reach, so
// it answers nothing but the vendor's acknowledgement or an empty refusal, repeats
// nothing of what it was sent, and what was not verified only makes the terminal
// ask the gateway itself.
package notify

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"payscand/payment"
	"payscand/terminal"
)

// Gateway is what a gateway's client does with its notifications. Both clients do.
type Gateway interface {
	// Notified reads a notification that came to path. One that is not verified
	// comes back with an error and, at most, the request id that it names.
	Notified(path string, header http.Header, body []byte) (payment.Notification, error)
	// Acknowledge is the answer to a notification: headers and body.
	Acknowledge(path string) (http.Header, []byte, error)
}

// Terminal is told of notifications.
type Terminal interface {
	Notify(ctx context.Context, n payment.Notification) error
}

// Config is what a Handler works with.
type Config struct {
	Terminal Terminal
	// Gateways by the last part of the path, "alphapay" or "alipayplus": the accounts
	// that the shop has there.
	Gateways map[string][]Gateway
	Log      *slog.Logger
	// Now is the clock; nil: this machine's.
	Now func() time.Time
}

const (
	maxBody  = 64 << 10
	maxCalls = 8 // dealt with at one time
	// hintPause is the least time between two questions that strangers cause, and
	// logPause that between two lines of the log about them.
	hintPause = time.Second
	logPause  = time.Minute
)

// Handler takes notifications. It is safe for use by several goroutines.
type Handler struct {
	config Config
	calls  chan struct{}

	mu         sync.Mutex
	unverified int64
	hinted     time.Time
	logged     time.Time
}

// New makes a handler.
func New(config Config) *Handler {
	if config.Now == nil {
		config.Now = time.Now
	}
	return &Handler{config: config, calls: make(chan struct{}, maxCalls)}
}

// HTTPServer bounds what a stranger can hold up.
func (h *Handler) HTTPServer() *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(h.config.Log.Handler(), slog.LevelDebug),
	}
}

// Unverified is how many notifications were not a gateway's.
func (h *Handler) Unverified() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.unverified
}

// ServeHTTP has no http.ServeMux, which repeats paths in redirects and has words of its own.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	vendor, found := strings.CutPrefix(r.URL.Path, "/notify/")
	switch gateways := h.config.Gateways[vendor]; {
	case !found || len(gateways) == 0:
		w.WriteHeader(http.StatusNotFound)
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		w.WriteHeader(http.StatusMethodNotAllowed)
	default:
		h.notified(w, r, gateways)
	}
}

func (h *Handler) notified(w http.ResponseWriter, r *http.Request, gateways []Gateway) {
	// First, so that a stranger whose body takes its time keeps no call from the vendor.
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	select {
	case h.calls <- struct{}{}:
		defer func() { <-h.calls }()
	default: // the vendor repeats it
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	for _, g := range gateways {
		if n, err := g.Notified(r.URL.Path, r.Header, body); err == nil && n.Verified {
			h.believed(w, r, g, n)
			return
		}
	}
	h.stranger(r, gateways, body)
	w.WriteHeader(http.StatusUnauthorized)
}

// believed takes in a verified notification and acknowledges it, also one of
// another terminal's order: the shop has one address for all. Where the terminal
// did not take it in the vendor is to repeat it.
func (h *Handler) believed(w http.ResponseWriter, r *http.Request, g Gateway, n payment.Notification) {
	err := h.config.Terminal.Notify(r.Context(), n)
	var refused *terminal.Error
	if err != nil && (!errors.As(err, &refused) || refused.Code != terminal.CodeNotFound) {
		h.config.Log.Warn("a notification was not taken in", "gateway", n.Gateway, "request_id", n.RequestID, "error", err)
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	header, body, err := g.Acknowledge(r.URL.Path)
	if err != nil {
		h.config.Log.Error("a notification could not be acknowledged", "gateway", n.Gateway, "error", err)
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	maps.Copy(w.Header(), header)
	_, _ = w.Write(body) //nolint:gosec // the vendor's acknowledgement; an error means that the client is gone
}

// stranger counts a notification that nobody signed, and lets the order that it
// names be asked about, once a second at most.
func (h *Handler) stranger(r *http.Request, gateways []Gateway, body []byte) {
	hint, line, count := h.count(h.config.Now())
	for _, g := range gateways {
		n, err := g.Notified(r.URL.Path, r.Header, body)
		if line && err != nil {
			h.config.Log.Warn("a notification was not verified", "gateway", n.Gateway, "so_far", count, "error", err)
		}
		if hint && n.RequestID != "" {
			n.Verified, n.Verdict = false, payment.Verdict{}
			_ = h.config.Terminal.Notify(r.Context(), n) // an order that is not ours, or a terminal that stops: nothing to say
		}
	}
}

func (h *Handler) count(now time.Time) (hint, line bool, count int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.unverified++
	if hint = now.Sub(h.hinted) >= hintPause; hint {
		h.hinted = now
	}
	if line = now.Sub(h.logged) >= logPause; line {
		h.logged = now
	}
	return hint, line, h.unverified
}
