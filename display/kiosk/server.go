package kiosk

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"payscand/display"
)

const (
	heartbeat = 2 * time.Second
	// maxViewers bounds the streams: a counter has one page, a shop looks at a few more.
	maxViewers = 16
	// writeBound ends the stream of a page that takes nothing in.
	writeBound = 4 * time.Second
	// answerBound is writeBound for all else that is answered.
	answerBound = 30 * time.Second
	// bodyBound ends a connection that announces a body, which nothing here reads.
	bodyBound = 5 * time.Second
)

// Config is what a Server is made of. Board and Languages are required.
type Config struct {
	Board *display.Board
	// Languages are shown all at once, the first one largest.
	Languages []display.Language
	// ShopName stands at the top; empty: nothing does.
	ShopName string
	// Hosts are names or addresses, without port, by which the page may be called besides the loopback ones.
	Hosts []string
	// Log gets a line when a page comes or goes; nil: none does.
	Log *slog.Logger
}

// Server serves the customer's page. Its Handler belongs on a listener of its own.
type Server struct {
	config  Config
	hosts   map[string]bool
	page    *page
	secret  [16]byte // makes the addresses of QR images that nobody can guess
	codes   codeCache
	drawing chan struct{} // the one place to draw a QR: a large picture takes 35 MB until it is packed
	viewers atomic.Int32
	closed  context.Context //nolint:containedctx // ends every stream, whatever its request
	close   context.CancelFunc
}

// New returns a server whose streams last until Close.
func New(c Config) (*Server, error) {
	if c.Board == nil || len(c.Languages) == 0 {
		return nil, errors.New("kiosk: Board and Languages are required")
	}
	for _, l := range c.Languages {
		if display.TimeLeft(l) == "" {
			return nil, fmt.Errorf("kiosk: the language %q is unknown: use %v", l, display.Languages())
		}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	p, err := newPage(c.ShopName, c.Languages)
	if err != nil {
		return nil, err
	}
	s := &Server{config: c, page: p, hosts: hostNames(c.Hosts), codes: codeCache{log: c.Log}, drawing: make(chan struct{}, 1)}
	if _, err := rand.Read(s.secret[:]); err != nil {
		return nil, fmt.Errorf("kiosk: random key: %w", err)
	}
	s.closed, s.close = context.WithCancel(context.Background())
	return s, nil
}

// Handler serves the page at /, its parts, the stream at /events and the QR that is up below /qr/.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", s.page)
	mux.Handle("GET /kiosk/", s.page)
	mux.HandleFunc("GET /events", s.events)
	mux.HandleFunc("GET /qr/{image}", s.qrImage)
	return s.guard(mux)
}

// HTTPServer bounds what a stranger can hold up. Give it a listener that bounds the connections.
func (s *Server) HTTPServer() *http.Server {
	return &http.Server{
		Handler: s.Handler(), ReadHeaderTimeout: 5 * time.Second, WriteTimeout: answerBound, IdleTimeout: time.Minute,
		MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(s.config.Log.Handler(), slog.LevelDebug),
	}
}

// Viewers is the number of pages that follow the screen now.
func (s *Server) Viewers() int { return int(s.viewers.Load()) }

// Close ends every stream, so that an http.Server can be shut down: its Shutdown waits for them. New ones are refused.
func (s *Server) Close() error {
	s.close()
	return nil
}
