package payment

import (
	"fmt"
	"slices"
)

// Transitions is the table that Step keeps to: for a status and an event, the
// statuses that may follow. A pair that is not in it is refused with a
// *ConflictError. The diagrams in docs/architecture.md are drawn from it.
//
// Each list names the statuses other than "stays as it is", which every pair in
// the table allows, except for creation.
func Transitions() map[SaleStatus]map[EventKind][]SaleStatus { return transitions }

// SaleNew stands for a sale that does not exist yet.
const SaleNew SaleStatus = ""

var transitions = map[SaleStatus]map[EventKind][]SaleStatus{
	SaleNew: {
		EventCreated:   {SaleAwaitingCode, SaleShowingQR},
		EventElsewhere: {SalePaid},
	},
	SaleAwaitingCode: {
		EventCode:        {SaleProcessing},
		EventQR:          {SaleShowingQR},
		EventCancel:      {SaleCancelled},
		EventCheck:       {},
		EventScannerLost: {SaleShowingQR},
		EventDue:         {SaleShowingQR, SaleExpired},
		EventOutcome:     {},
		EventRecovered:   {},
	},
	SaleProcessing: {
		EventCancel:      {SaleCancelling},
		EventCheck:       {},
		EventScannerLost: {},
		EventDue:         {SaleCancelling, SaleUnresolved},
		EventOutcome:     {SalePaid, SaleAwaitingCode, SaleExpired, SaleCancelling, SaleUnresolved},
		EventRecovered:   {SaleCancelling, SaleUnresolved},
	},
	SaleShowingQR: {
		EventCode:        {SaleSwitching, SaleProcessing},
		EventQR:          {},
		EventCancel:      {SaleCancelling, SaleCancelled},
		EventCheck:       {},
		EventScannerLost: {},
		EventDue:         {SaleCancelling},
		EventOutcome:     {SalePaid, SaleAwaitingCode, SaleExpired, SaleCancelling},
		EventRecovered:   {SaleCancelling, SaleAwaitingCode, SaleExpired},
	},
	SaleSwitching: {
		EventCancel:      {SaleCancelling},
		EventCheck:       {},
		EventScannerLost: {},
		EventDue:         {SaleCancelling},
		EventOutcome:     {SalePaid, SaleProcessing, SaleAwaitingCode, SaleExpired},
		EventRecovered:   {SaleCancelling, SaleAwaitingCode, SaleExpired},
	},
	SaleCancelling: {
		EventCancel:      {},
		EventCheck:       {},
		EventScannerLost: {},
		EventDue:         {SaleUnresolved},
		EventOutcome:     {SalePaid, SaleCancelled, SaleExpired, SaleAwaitingCode, SaleUnresolved},
		EventRecovered:   {SaleUnresolved, SaleCancelled, SaleExpired, SaleAwaitingCode},
	},
	SaleUnresolved: {
		EventCancel:      {},
		EventCheck:       {},
		EventScannerLost: {},
		EventDue:         {},
		EventOutcome:     {SalePaid, SaleCancelled, SaleExpired},
		EventRecovered:   {SaleCancelled, SaleExpired},
		EventResolved:    {SalePaid, SaleCancelled, SaleExpired},
	},
	SalePaid:      {EventCheck: {}, EventOutcome: {}, EventRecovered: {}, EventScannerLost: {}, EventDue: {}, EventRefund: {}},
	SaleCancelled: {EventCheck: {}, EventOutcome: {}, EventRecovered: {}, EventScannerLost: {}, EventDue: {}, EventCancel: {}},
	SaleExpired:   {EventCheck: {}, EventOutcome: {}, EventRecovered: {}, EventScannerLost: {}, EventDue: {}},
}

// ConflictError says that a sale's present state does not allow an event. The
// sale is as it was.
type ConflictError struct {
	Sale   string
	Status SaleStatus
	Event  EventKind
	// Why is set where the status alone does not explain it.
	Why string
}

func (e *ConflictError) Error() string {
	if e.Status == SaleNew && e.Why != "" {
		return e.Why
	}
	if e.Why != "" {
		return fmt.Sprintf("sale %s is %s: %s", e.Sale, e.Status, e.Why)
	}
	return fmt.Sprintf("sale %s is %s: %q is not possible now", e.Sale, e.Status, e.Event)
}

// RouteError says that no route takes a wallet's instrument. The sale is as it was.
type RouteError struct {
	Wallet     Wallet
	Instrument Instrument
}

func (e *RouteError) Error() string {
	if e.Wallet == "" {
		return fmt.Sprintf("no route takes the instrument %q: add one to the configuration", e.Instrument)
	}
	return fmt.Sprintf("no route takes %s with the instrument %q: add one to the configuration", e.Wallet, e.Instrument)
}

func allowed(from SaleStatus, event EventKind, to SaleStatus) bool {
	next, known := transitions[from][event]
	return known && (from == to && from != SaleNew || slices.Contains(next, to))
}
