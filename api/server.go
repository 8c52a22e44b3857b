// Package api is the register's local HTTP API: sales, events, the terminal's
// state, health, and the API's own description at /openapi.json and /docs.
//
// It is served on a Unix socket, where the socket's permissions say who may
// call, and on a loopback TCP address, where a bearer token does. What is sent
// never comes back: a register's mistake may put a payment code in any place of
// a request, so no refusal and no log line repeats any of it. The only
// exceptions are the register's own words that are part of the sale: reference,
// description, a refund's reason, and an override's operator and reason.
package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"

	"github.com/danielgtaylor/huma/v2"

	"payscand/payment"
	"payscand/terminal"
)

// Terminal is what the API needs of the terminal. A refusal is a
// *terminal.Error, whose message becomes the problem's detail; where it is about
// a field, the message goes on from the field's name ("must be at least 1"). Any
// other error is answered as an internal one and logged. Neither may hold a
// payment code.
type Terminal interface {
	// CreateSale makes a sale, or returns the one that was made with the same
	// key and digest before (replayed).
	CreateSale(context.Context, terminal.NewSale) (sale payment.Sale, replayed bool, err error)
	// PresentCode takes the text that the register scanned; it is a secret.
	PresentCode(ctx context.Context, id, text string) (payment.Sale, error)
	ShowQR(ctx context.Context, id string) (payment.Sale, error)
	Cancel(ctx context.Context, id string) (payment.Sale, error)
	Check(ctx context.Context, id string) (payment.Sale, error)
	Resolve(ctx context.Context, id string, decision payment.Resolved) (payment.Sale, error)
	Status(context.Context) (terminal.Status, error)
	Refunds
	Archive
	Journal
}

// Refunds is what the API needs to give money back.
type Refunds interface {
	// Refund begins a refund, or returns the one that was begun with the same key
	// and digest before (replayed): its number among the sale's refunds.
	Refund(ctx context.Context, id string, wanted terminal.NewRefund) (sale payment.Sale, refund int, replayed bool, err error)
	// RefundElsewhere does so for a payment that another terminal took. It waits for
	// the gateway's answer about it; its ID is the terminal's to give.
	RefundElsewhere(ctx context.Context, wanted terminal.RefundElsewhere) (sale payment.Sale, refund int, replayed bool, err error)
}

// Archive is what the API needs to show the sales that the terminal keeps.
type Archive interface {
	Sale(ctx context.Context, id string) (payment.Sale, error)
	// WaitSale returns the sale once its version is above after, or as it is
	// when the context's deadline passes.
	WaitSale(ctx context.Context, id string, after int64) (payment.Sale, error)
	// Sales returns one page of a search, newest sale first.
	Sales(context.Context, payment.SaleQuery) (payment.SalePage, error)
}

// Journal is what the API needs of the terminal's journal, to tell it as events.
type Journal interface {
	// Head returns the sequence number of the journal's last record, 0 for none,
	// and the epoch, a word without spaces that tells this journal from any other.
	Head() (seq uint64, epoch string)
	// Journal returns at most limit records after a sequence number, in order and
	// without gaps. The error wraps payment.ErrNotFound where some were pruned.
	Journal(after uint64, limit int) ([]payment.JournalRecord, error)
	// Committed returns a channel that receives once the journal may have grown;
	// one value may stand for many records.
	Committed() (committed <-chan struct{}, stop func())
}

// Words returns what a reason means, for the cashier and for the customer; refund
// says that a refund has it, not a payment.
type Words func(reason payment.Reason, refund bool) (message, customerMessage string)

// Config is what a Server is made of. Terminal, Words and Tokens are required.
type Config struct {
	Terminal Terminal
	Words    Words
	Tokens   *Tokens
	// Origins are the web origins that may call over TCP, such as
	// "https://pos.example.com"; each exactly as a browser sends it.
	Origins []string
	// Backups may be nil: then there are none.
	Backups Backups
	// Version of the program, for the API's description.
	Version string
	Log     *slog.Logger // slog.Default() when nil
}

// access says who may call a route; the zero value lets nobody in.
type access struct {
	public bool // everybody, without a token
	roles  []Role
}

// maxWaiting bounds the long polls that wait at once.
const maxWaiting = 64

// Server answers the API. Build it once and serve its handlers; see
// [Server.HTTPServer] for the bounds that belong around them.
type Server struct {
	terminal Terminal
	backups  Backups
	words    Words
	tokens   *Tokens
	origins  map[string]bool
	log      *slog.Logger

	mux    *http.ServeMux
	api    huma.API
	access map[string]access // by mux pattern

	waiting         chan struct{}   // a place for each long poll
	readers         chan struct{}   // a place for each stream of events
	stopping        context.Context //nolint:containedctx // no call's context: it ends with StopWaiting
	stop            context.CancelFunc
	unauthenticated atomic.Uint64
}

// NewServer returns the API of a terminal. The error names every origin that is
// not one, or what is missing.
func NewServer(config Config) (*Server, error) {
	if config.Terminal == nil || config.Words == nil || config.Tokens == nil {
		return nil, errors.New("api: Terminal, Words and Tokens are required")
	}
	s := &Server{
		terminal: config.Terminal, backups: config.Backups, words: config.Words, tokens: config.Tokens,
		origins: make(map[string]bool), log: config.Log,
		mux: http.NewServeMux(), access: make(map[string]access),
		waiting: make(chan struct{}, maxWaiting), readers: make(chan struct{}, maxReaders),
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	var errs []error
	for i, origin := range config.Origins {
		if err := ValidateOrigin(origin); err != nil {
			errs = append(errs, fmt.Errorf("allowed_origins[%d]: %w", i, err))
		}
		s.origins[origin] = true
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	s.stopping, s.stop = context.WithCancel(context.Background())
	s.api = newHuma(s.mux, config.Version)
	s.addSales()
	s.addSearch()
	s.addRefunds()
	s.addRefundElsewhere()
	s.addEvents()
	s.addStatus()
	s.addBackup()
	return s, s.addDescription()
}

// SocketHandler answers on the Unix socket. Who may connect may do what a
// register may, without a token; a token given all the same must be right and
// its role counts.
func (s *Server) SocketHandler() http.Handler {
	return s.guard(func(*http.Request) *problem { return nil }, RoleRegister)
}

// TCPHandler answers on a loopback TCP address: the Host must be this machine,
// a web page's origin must be known, and all but health and the API's
// description needs a token.
func (s *Server) TCPHandler() http.Handler {
	return s.cors(s.guard(s.refuseForeign, ""))
}

// Unauthenticated is how many requests were refused for want of a right token.
func (s *Server) Unauthenticated() uint64 { return s.unauthenticated.Load() }

// StopWaiting ends all long polls and streams of events, now and from now on: a
// poll is answered with the sale as it is. Call it before http.Server.Shutdown,
// which waits for them.
func (s *Server) StopWaiting() { s.stop() }

// OpenAPI returns the API's description, OpenAPI 3.1, as JSON.
func (s *Server) OpenAPI() ([]byte, error) { return s.api.OpenAPI().MarshalJSON() }
