package terminal

import (
	"errors"
	"fmt"

	"payscand/payment"
)

// ErrConfiguration ends a start that would fail again: until somebody changes the
// configuration, nothing else helps.
var ErrConfiguration = errors.New("the configuration does not fit the sales that are not over")

// ErrorCode is the stable name of a refusal. The API maps each to one HTTP status.
type ErrorCode string

const (
	// CodeInvalid: a field of the request is not acceptable; Field names it.
	CodeInvalid ErrorCode = "invalid"
	// CodeNotFound: there is no such sale.
	CodeNotFound ErrorCode = "not_found"
	// CodeConflict: the sale's status does not allow it.
	CodeConflict ErrorCode = "conflict"
	// CodeTerminalBusy: another sale is live; Sale names it.
	CodeTerminalBusy ErrorCode = "terminal_busy"
	// CodeUnresolvedTwin: an unresolved sale looks the same; Sale names it (M11).
	CodeUnresolvedTwin ErrorCode = "unresolved_twin"
	// CodeKeyReused: the idempotency key came with another request before.
	CodeKeyReused ErrorCode = "idempotency_key_reused"
	// CodeCodeRefused: what was posted is no payment code; Refusal says what it was.
	CodeCodeRefused ErrorCode = "code_refused"
	// CodeCodeUsed: the code was submitted for another sale within three minutes (M10).
	CodeCodeUsed ErrorCode = "code_used"
	// CodeGatewayDown: the gateway does not answer (M14).
	CodeGatewayDown ErrorCode = "gateway_down"
	// CodeGatewayMisconfigured: the gateway refuses this terminal's calls (M14).
	CodeGatewayMisconfigured ErrorCode = "gateway_misconfigured"
	// CodeNoRoute: no configured route takes this wallet or instrument.
	CodeNoRoute ErrorCode = "no_route"
	// CodeStorageFull: the disk has no room for another sale.
	CodeStorageFull ErrorCode = "storage_full"
	// CodeNotAdopted: the database was restored, or is another machine's.
	CodeNotAdopted ErrorCode = "not_adopted"
	// CodeTooManyWaiting: too many calls of this kind wait for an answer.
	CodeTooManyWaiting ErrorCode = "too_many_waiting"
	// CodeBackupRunning: a backup is being made already.
	CodeBackupRunning ErrorCode = "backup_running"
	// CodeStopping: the daemon is shutting down.
	CodeStopping ErrorCode = "stopping"
)

// ErrOutcomeUnknown says that the loop ended with an input and without its reply. It is no refusal: what was to be
// committed may be on the disk although the store failed, and then it goes on at the next start.
var ErrOutcomeUnknown = errors.New("the daemon ended before it replied")

// Error is a refused input: it changed nothing. Its text never holds a payment code.
type Error struct {
	Code    ErrorCode
	Message string
	Field   string               // CodeInvalid: the JSON name of the field
	Sale    string               // the sale that stands in the way, or that was meant
	Gateway string               // CodeGatewayDown, CodeGatewayMisconfigured
	Reason  payment.Reason       // CodeGatewayMisconfigured: what to mend
	Refusal *payment.Refusal     // CodeCodeRefused
	Offers  []payment.Instrument // CodeGatewayDown: what would still work
	Refund  bool                 // it is about a refund, not a payment: Reason has words of its own then
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %s", e.Code, e.Message) }
