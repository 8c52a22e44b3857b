package api

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"payscand/api/client"
	"payscand/payment"
	"payscand/terminal"
)

// kind is what all problems of one code have in common.
type kind struct {
	status     int
	title      string
	retryAfter string // seconds, where waiting helps
}

// kinds is the only place where a code becomes an HTTP status. The terminal's
// codes and the API's own are both here.
var kinds = map[client.ErrorCode]kind{
	client.CodeInvalid:              {http.StatusUnprocessableEntity, "The request is not acceptable", ""},
	client.CodeNotFound:             {http.StatusNotFound, "Not found", ""},
	client.CodeConflict:             {http.StatusConflict, "The sale's status does not allow it", ""},
	client.CodeTerminalBusy:         {http.StatusConflict, "Another sale is live", ""},
	client.CodeUnresolvedTwin:       {http.StatusConflict, "An unresolved sale looks the same", ""},
	client.CodeKeyReused:            {http.StatusUnprocessableEntity, "The idempotency key came with other content before", ""},
	client.CodeCodeRefused:          {http.StatusUnprocessableEntity, "Not a payment code", ""},
	client.CodeCodeUsed:             {http.StatusConflict, "The payment code was used for another sale", ""},
	client.CodeNoRoute:              {http.StatusUnprocessableEntity, "No gateway is configured for it", ""},
	client.CodeGatewayDown:          {http.StatusServiceUnavailable, "The payment gateway does not answer", "5"},
	client.CodeGatewayMisconfigured: {http.StatusServiceUnavailable, "The payment gateway refuses this terminal", ""},
	client.CodeStorageFull:          {http.StatusServiceUnavailable, "The terminal's disk is full", ""},
	client.CodeNotAdopted:           {http.StatusServiceUnavailable, "The database is another machine's, or was restored", ""},
	client.CodeBackupRunning:        {http.StatusConflict, "A backup is being made", ""},
	client.CodeStopping:             {http.StatusServiceUnavailable, "The terminal is shutting down", "5"},

	client.CodeMalformed:            {http.StatusBadRequest, "The body cannot be read", ""},
	client.CodeKeyMissing:           {http.StatusBadRequest, "The idempotency key is missing", ""},
	client.CodeUnauthenticated:      {http.StatusUnauthorized, "A right token is missing", ""},
	client.CodeForbidden:            {http.StatusForbidden, "The role does not allow it", ""},
	client.CodeOriginRefused:        {http.StatusForbidden, "The web page is not known", ""},
	client.CodeMethodNotAllowed:     {http.StatusMethodNotAllowed, "Method not allowed", ""},
	client.CodeBodyTimeout:          {http.StatusRequestTimeout, "The body came too slowly", ""},
	client.CodeBodyTooLarge:         {http.StatusRequestEntityTooLarge, "The body is too large", ""},
	client.CodeUnsupportedMediaType: {http.StatusUnsupportedMediaType, "The body must be JSON", ""},
	client.CodeMisdirected:          {http.StatusMisdirectedRequest, "Not this machine's name", ""},
	client.CodeTooManyWaiting:       {http.StatusTooManyRequests, "Too many requests are waiting", "1"},
	client.CodeTooManyReaders:       {http.StatusServiceUnavailable, "Too many readers of events", "5"},
	client.CodeInternal:             {http.StatusInternalServerError, "Internal error", ""},
	client.CodeTimeout:              {http.StatusServiceUnavailable, "The terminal did not answer in time", "1"},
}

// problem is a refusal on its way out: the body, and headers beside it.
type problem struct {
	client.Problem
	headers http.Header
}

// newProblem makes a problem. The detail must not hold anything that was sent.
func newProblem(code client.ErrorCode, detail string) *problem {
	k := kinds[code]
	p := &problem{Problem: client.Problem{
		Type: "urn:payscand:problem:" + string(code), Title: k.title, Status: k.status, Code: code, Detail: detail,
	}}
	if k.retryAfter != "" {
		return p.withHeader("Retry-After", k.retryAfter)
	}
	return p
}

func invalid(field, detail string) *problem {
	p := newProblem(client.CodeInvalid, detail)
	p.Field = field
	return p
}

func internalProblem() *problem {
	return newProblem(client.CodeInternal, "The terminal's log says more. If this was a new sale or refund, repeat it with the same key.")
}

func (p *problem) withHeader(name, value string) *problem {
	if p.headers == nil {
		p.headers = make(http.Header)
	}
	p.headers.Set(name, value)
	return p
}

// GetStatus, GetHeaders and ContentType are what huma asks of an error.
func (p *problem) GetStatus() int            { return p.Status }
func (p *problem) GetHeaders() http.Header   { return p.headers }
func (p *problem) ContentType(string) string { return "application/problem+json" }

func (p *problem) write(w http.ResponseWriter) {
	maps.Copy(w.Header(), p.headers)
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	_ = marshal(w, p) // strings and numbers: can be encoded
}

// muteHuma replaces the constructor of huma's own errors, a variable of that
// package: they hold what was sent. Nothing of theirs is kept but the status.
// Routes here leave huma nothing to refuse; this is for what a later version of
// it may find.
var muteHuma = sync.OnceFunc(func() {
	huma.NewError = func(status int, _ string, _ ...error) huma.StatusError {
		for _, code := range []client.ErrorCode{
			client.CodeInvalid, client.CodeMalformed, client.CodeBodyTimeout, client.CodeBodyTooLarge, client.CodeUnsupportedMediaType,
		} {
			if kinds[code].status == status {
				return newProblem(code, "")
			}
		}
		return internalProblem()
	}
})

// refusal turns an error of the terminal into a problem. What is no refusal is
// logged, with the route, and answered without detail.
func (s *Server) refusal(ctx context.Context, route string, err error) *problem {
	if refused := new(terminal.Error); errors.As(err, &refused) {
		return s.problemOf(refused)
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || errors.Is(err, terminal.ErrOutcomeUnknown) {
		// Canceled: the caller went away and nobody reads this.
		return newProblem(client.CodeTimeout, "The outcome is not known. If this was a new sale or refund, repeat it with the same key.")
	}
	s.log.ErrorContext(ctx, "api: a request failed", "route", route, "error", err)
	return internalProblem()
}

func (s *Server) problemOf(refused *terminal.Error) *problem {
	code := client.ErrorCode(refused.Code)
	if _, known := kinds[code]; !known {
		code = client.CodeInternal
	}
	if code == client.CodeNotFound {
		// The id that was sent may be anything.
		detail := "There is no such sale on this terminal."
		if refused.Refund && refused.Sale == "" {
			detail = refused.Message // of a payment elsewhere: it repeats nothing
		}
		p := newProblem(code, detail)
		p.Field = refused.Field
		return p
	}
	detail := refused.Message
	if code == client.CodeInvalid && refused.Field != "" {
		detail = refused.Field + " " + detail // the terminal says what it must be
	}
	p := newProblem(code, detail)
	p.Field, p.Sale, p.Gateway = refused.Field, refused.Sale, refused.Gateway
	p.Reason = wireReason(refused.Reason, refused.Refund, s.words)
	p.Refusal = wireRefusal(refused.Refusal)
	for _, instrument := range refused.Offers {
		p.Offers = append(p.Offers, string(instrument))
	}
	return p
}

func wireRefusal(r *payment.Refusal) *client.Refusal {
	if r == nil {
		return nil
	}
	return &client.Refusal{Kind: string(r.Kind), Wallet: string(r.Wallet), Length: r.Length, Mask: r.Mask}
}
