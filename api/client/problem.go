package client

import "strings"

// ErrorCode is the stable name of a refusal.
type ErrorCode string

// Refusals by the terminal. Each changed nothing.
const (
	CodeInvalid              ErrorCode = "invalid"                // 422: Field names what is not acceptable
	CodeNotFound             ErrorCode = "not_found"              // 404: no such sale, or no such path
	CodeConflict             ErrorCode = "conflict"               // 409: the sale's status does not allow it
	CodeTerminalBusy         ErrorCode = "terminal_busy"          // 409: Sale names the live one
	CodeUnresolvedTwin       ErrorCode = "unresolved_twin"        // 409: Sale names it; say replaces or separate
	CodeKeyReused            ErrorCode = "idempotency_key_reused" // 422: the key came with other content before
	CodeCodeRefused          ErrorCode = "code_refused"           // 422: no payment code; Refusal says what it was
	CodeCodeUsed             ErrorCode = "code_used"              // 409: the code was used for another sale just now
	CodeNoRoute              ErrorCode = "no_route"               // 422: no gateway is configured for this wallet or instrument
	CodeGatewayDown          ErrorCode = "gateway_down"           // 503: Gateway names it, Offers what would still work
	CodeGatewayMisconfigured ErrorCode = "gateway_misconfigured"  // 503: Gateway names it, Reason what to mend
	CodeStorageFull          ErrorCode = "storage_full"           // 503: the terminal's disk is full
	CodeNotAdopted           ErrorCode = "not_adopted"            // 503: restored, or another machine's database: payscand adopt
	CodeBackupRunning        ErrorCode = "backup_running"         // 409: one at a time
	CodeStopping             ErrorCode = "stopping"               // 503: the terminal is shutting down
)

// Refusals by the API itself. Each changed nothing, but for CodeTimeout and
// CodeInternal, after which it is not known: POST again with the same key.
const (
	CodeMalformed            ErrorCode = "malformed"               // 400: the body is not JSON
	CodeKeyMissing           ErrorCode = "idempotency_key_missing" // 400
	CodeUnauthenticated      ErrorCode = "unauthenticated"         // 401: no token, or a wrong one
	CodeForbidden            ErrorCode = "forbidden"               // 403: the token's role does not allow it
	CodeOriginRefused        ErrorCode = "origin_refused"          // 403: a web page that is not configured
	CodeMethodNotAllowed     ErrorCode = "method_not_allowed"      // 405
	CodeBodyTimeout          ErrorCode = "body_timeout"            // 408: the body did not come in time
	CodeBodyTooLarge         ErrorCode = "body_too_large"          // 413: over 64 KiB
	CodeUnsupportedMediaType ErrorCode = "unsupported_media_type"  // 415: not application/json
	CodeMisdirected          ErrorCode = "misdirected"             // 421: a Host that is not this machine
	CodeTooManyWaiting       ErrorCode = "too_many_waiting"        // 429: too many calls that wait at once
	CodeTooManyReaders       ErrorCode = "too_many_readers"        // 503: too many readers of events at once
	CodeInternal             ErrorCode = "internal"                // 500
	CodeTimeout              ErrorCode = "timeout"                 // 503: the terminal did not answer in time, or ended before
)

// Problem is the body of every refusal (RFC 9457) and the error that the client
// returns for it. It never repeats what was sent.
type Problem struct {
	Type    string    `json:"type" doc:"urn:payscand:problem: and the code."`
	Title   string    `json:"title" doc:"The same for every problem of this code."`
	Status  int       `json:"status" doc:"The HTTP status."`
	Detail  string    `json:"detail,omitempty" doc:"What happened and what to do. It never repeats what was sent."`
	Code    ErrorCode `json:"code" doc:"Stable; to be compared by programs."`
	Field   string    `json:"field,omitempty" doc:"The field, parameter or header that is not acceptable."`
	Sale    string    `json:"sale,omitempty" doc:"The sale that stands in the way, or that was meant."`
	Gateway string    `json:"gateway,omitempty"`
	Reason  *Reason   `json:"reason,omitempty" doc:"What to mend."`
	Refusal *Refusal  `json:"refusal,omitempty" doc:"What was scanned instead of a payment code."`
	Offers  []string  `json:"offers,omitempty" nullable:"false" enum:"code,qr" doc:"Instruments that would still work."`
}

// Refusal says what was scanned instead of a payment code.
type Refusal struct {
	Kind   string `json:"kind" doc:"Stable; to be compared by programs."`
	Wallet string `json:"wallet,omitempty" doc:"Whose code it begins like."`
	Length int    `json:"length" doc:"Bytes, without the spaces around."`
	Mask   string `json:"mask,omitempty" doc:"Its first two and last four characters."`
}

// Error returns the code, what happened, and the sale that stands in the way.
func (p *Problem) Error() string {
	var text strings.Builder
	text.WriteString(string(p.Code))
	if p.Detail != "" {
		text.WriteString(": " + p.Detail)
	} else {
		text.WriteString(": " + p.Title)
	}
	if p.Sale != "" {
		text.WriteString(" (sale " + p.Sale + ")")
	}
	return text.String()
}
