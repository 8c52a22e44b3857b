package terminal

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"payscand/device"
	"payscand/payment"
)

// Input is one thing that reaches the engine.
type Input interface{ input() }

// Create makes a sale; ID is a fresh ULID.
type Create struct {
	ID   string
	Sale NewSale
}

// Command lets an event of the register happen to a sale.
type Command struct {
	Sale  string
	Event payment.Event // QRRequested, CancelRequested, CheckRequested or Resolved
}

// Post is a code that the register scanned itself. Text is a secret.
type Post struct {
	Sale string
	Text payment.Code
}

// Scanned is a scan.
type Scanned struct{ Scan device.Scan }

// Damaged is a scan that did not arrive whole.
type Damaged struct{ Problem device.Problem }

// ScannersReady says how many scanners are ready now.
type ScannersReady struct{ Count int }

// Answered is the outcome of a call.
type Answered struct {
	Call    payment.Call
	Verdict payment.Verdict
}

// Notified is what a gateway sent unasked.
type Notified struct{ payment.Notification }

// Recover reads one page of open sales after a restart.
type Recover struct{ After string }

func (Create) input()          {}
func (Command) input()         {}
func (Post) input()            {}
func (Refund) input()          {}
func (RefundElsewhere) input() {}
func (Scanned) input()         {}
func (Damaged) input()         {}
func (ScannersReady) input()   {}
func (Answered) input()        {}
func (Notified) input()        {}
func (Recover) input()         {}

const recoverPage = 256

func (e *Engine) take(in Input) (Reply, error) {
	switch in := in.(type) {
	case Create:
		return e.create(in)
	case Command:
		s, err := e.command(in)
		return Reply{Sale: s}, err
	case Post:
		s, err := e.post(in)
		return Reply{Sale: s}, err
	case Refund:
		return e.refund(in)
	case RefundElsewhere:
		return e.refundElsewhere(in)
	case Scanned:
		return Reply{}, e.scanned(in.Scan)
	case Damaged:
		p := in.Problem
		e.refuseScan(RefusedScan{At: p.At, Device: p.Device, Kind: string(p.Kind), Reason: payment.ReasonScanDamaged})
	case ScannersReady:
		return Reply{}, e.scannersReady(in.Count)
	case Answered:
		return Reply{}, e.answered(in)
	case Notified:
		return Reply{}, e.notified(in.Notification)
	case Recover:
		return e.recover(in.After)
	default:
		return Reply{}, fmt.Errorf("unknown input %T", in)
	}
	return Reply{}, nil
}

// notified lets a notification count for its sale: a verified one about an order
// as an outcome, any other only as a reason to ask. It is refused where no sale of
// this terminal has the request id at that gateway.
func (e *Engine) notified(n payment.Notification) error {
	const idLength = 26 // of a ULID
	unknown := &Error{Code: CodeNotFound, Message: "no sale of this terminal has this request id"}
	sale, _, _ := strings.Cut(n.RequestID, "-")
	if len(sale) != idLength {
		return unknown
	}
	s, err := e.sale(sale)
	if err != nil {
		return err
	}
	attempt := slices.IndexFunc(s.Attempts, func(a payment.Attempt) bool { return a.RequestID == n.RequestID && a.Gateway == n.Gateway })
	refund := slices.IndexFunc(s.Refunds, func(r payment.Refund) bool { return r.RequestID == n.RequestID })
	var event payment.Event = payment.CheckRequested{}
	switch {
	case attempt < 0 && (refund < 0 || s.Attempts[s.Refunds[refund].Attempt-1].Gateway != n.Gateway):
		return unknown
	case attempt >= 0 && n.Verified:
		event = e.unasked(s.Attempts[attempt], n.Verdict)
	}
	_, err = e.step(s, event)
	return err
}

// unasked is what a gateway says of an attempt without a question of the attempt's.
func (e *Engine) unasked(a payment.Attempt, v payment.Verdict) payment.Outcome {
	g := e.gateways[a.Gateway]
	return payment.Outcome{Attempt: a.N, Verdict: v, Notified: true, Wait: g == nil || e.room(g) <= 0}
}

func (e *Engine) create(in Create) (Reply, error) {
	n := in.Sale
	if err := validate(n); err != nil {
		return Reply{}, err
	}
	if s, known, err := e.byKey(n); known || err != nil {
		return Reply{Sale: s, Replayed: err == nil}, err
	}
	if err := e.notAdopted(); err != nil {
		return Reply{}, err
	}
	if e.live.ID != "" {
		return Reply{}, &Error{Code: CodeTerminalBusy, Message: "another sale is live at this terminal", Sale: e.live.ID}
	}
	if err := e.gatewayReady(n); err != nil {
		return Reply{}, err
	}
	if err := e.store.CheckRoom(); err != nil {
		return Reply{}, &Error{Code: CodeStorageFull, Message: "no sale can be started: " + err.Error()}
	}
	replaced, err := e.twins(n)
	if err != nil {
		return Reply{}, err
	}
	s, err := e.step(payment.Sale{}, payment.Created{
		ID: in.ID, Key: n.Key, Digest: n.Digest, Amount: n.Amount, Reference: n.Reference,
		Description: n.Description, Mode: n.Mode, Scanner: e.scanners > 0,
	})
	if err != nil {
		return Reply{}, err
	}
	e.turn.keys[n.Key] = s.ID
	if replaced.ID != "" {
		if _, err := e.step(replaced, payment.CancelRequested{}); err != nil {
			return Reply{}, err
		}
	}
	return Reply{Sale: s}, nil
}

// byKey finds the sale that was made with the same idempotency key.
func (e *Engine) byKey(n NewSale) (s payment.Sale, known bool, err error) {
	id, made := e.turn.keys[n.Key]
	if !made {
		id, _, err = e.store.ByKey(n.Key)
		if errors.Is(err, payment.ErrNotFound) {
			return s, false, nil
		}
		if err != nil {
			return s, false, fmt.Errorf("idempotency key: %w", err)
		}
	}
	if s, err = e.sale(id); err != nil {
		return s, true, fmt.Errorf("sale %s of an idempotency key: %w", id, err)
	}
	if s.Key != n.Key || s.Digest != n.Digest {
		return payment.Sale{}, true, &Error{Code: CodeKeyReused, Sale: id,
			Message: "this Idempotency-Key was used for another request: use a new key for a new sale"}
	}
	return s, true, nil
}

func validate(n NewSale) error {
	bad := func(field, why string) error { return &Error{Code: CodeInvalid, Field: field, Message: why} }
	switch {
	case !validKey(n.Key):
		return bad("Idempotency-Key", "must be 1 to 255 printable ASCII characters")
	case n.Amount.Amount < 1:
		return bad("amount", "must be at least 1 minor unit")
	case !n.Mode.Valid():
		return bad("mode", "must be auto, scan or qr")
	case !plainText(n.Reference, 64):
		return bad("reference", "must be at most 64 characters on one line")
	case !plainText(n.Description, 100):
		return bad("description", "must be at most 100 characters on one line")
	case n.Replaces != "" && n.Separate:
		return bad("separate", "cannot go with replaces")
	}
	return nil
}

func validKey(key string) bool {
	return key != "" && len(key) <= 255 && strings.IndexFunc(key, func(r rune) bool { return r < ' ' || r > '~' }) < 0
}

func plainText(text string, most int) bool {
	return utf8.ValidString(text) && utf8.RuneCountInString(text) <= most &&
		strings.IndexFunc(text, func(r rune) bool { return !unicode.IsGraphic(r) }) < 0
}

func (e *Engine) command(in Command) (payment.Sale, error) {
	if r, ok := in.Event.(payment.Resolved); ok {
		if err := validateResolved(r); err != nil {
			return payment.Sale{}, err
		}
	}
	s, err := e.sale(in.Sale)
	if err != nil {
		return s, err
	}
	if in.Event.Kind() != payment.EventCheck {
		if err := e.notAdopted(); err != nil {
			return s, err
		}
	}
	if s, err = e.step(s, in.Event); err != nil || in.Event.Kind() != payment.EventCancel {
		return s, err
	}
	return e.unsend(s)
}

// unsend takes back a pay call that this very turn decided on and that a cancel
// has overtaken: nothing has left yet, so nothing was charged (M6).
func (e *Engine) unsend(s payment.Sale) (payment.Sale, error) {
	a := s.LiveAttempt()
	if a == nil || a.Call == nil || a.Call.Kind != payment.CallPay {
		return s, nil
	}
	for _, c := range e.turn.calls {
		if c.Sale == s.ID && c.Attempt == a.N && c.Seq == a.Call.Seq {
			unsent := payment.Verdict{Class: payment.ClassNotSent, Reason: payment.ReasonCancelled}
			return e.step(s, payment.Outcome{Attempt: a.N, Seq: c.Seq, Verdict: unsent})
		}
	}
	return s, nil
}

// scannersReady notes how many scanners are ready; the last one lost may bring the QR (M9).
func (e *Engine) scannersReady(count int) error {
	lost := e.scanners > 0 && count == 0
	e.scanners = count
	if !lost || e.live.ID == "" {
		return nil
	}
	_, err := e.step(e.live, payment.ScannerLost{})
	return err
}

// answered takes in a call's outcome.
func (e *Engine) answered(in Answered) error {
	e.observe(in.Call, in.Verdict)
	if in.Call.Kind == payment.CallProbe {
		return nil
	}
	if w := e.takeElsewhere(in.Call); w != nil {
		return e.answeredElsewhere(w, in.Verdict)
	}
	s, err := e.sale(in.Call.Sale)
	if err != nil {
		return fmt.Errorf("outcome of sale %s: %v", in.Call.Sale, err) // its own intent is gone: end the process
	}
	outcome := payment.Outcome{Attempt: in.Call.Attempt, Refund: in.Call.Refund, Seq: in.Call.Seq, Verdict: in.Verdict}
	if a := s.Attempt(in.Call.Attempt); a != nil && a.Capture != nil {
		if outcome.MayReverse, err = e.mayReverse(); err != nil {
			return err
		}
	}
	_, err = e.step(s, outcome)
	return err
}

// recover takes up one page of the sales that were open when the daemon ended.
func (e *Engine) recover(after string) (Reply, error) {
	sales, err := e.store.Open(after, recoverPage)
	if err != nil {
		return Reply{}, fmt.Errorf("open sales: %w", err)
	}
	var reply Reply
	for _, s := range sales {
		reply.More = s.ID
		if s.Status.Live() {
			e.live, e.customer = s, s
		}
		if s.Status == payment.SaleUnresolved {
			e.unresolved[s.ID] = twinOf(s)
		}
		for _, a := range s.Attempts {
			if e.gateways[a.Gateway] == nil && openAt(s, a) {
				return reply, fmt.Errorf("%w: sale %s has business open at gateway %q, which it does not name any more: put it back until the sale is over (M7)",
					ErrConfiguration, s.ID, a.Gateway)
			}
		}
		if _, err := e.step(s, payment.Recovered{}); err != nil {
			return reply, fmt.Errorf("sale %s: recovery: %w", s.ID, err)
		}
	}
	if len(sales) < recoverPage {
		reply.More, err = e.recoverFar()
	}
	e.turn.recovering = reply.More != ""
	return reply, err
}

// openAt reports whether an attempt is not over, or anything is still to be asked
// about a refund of it. A watch is missed by nobody but the shop, which is told.
func openAt(s payment.Sale, a payment.Attempt) bool {
	return !a.Status.Final() || slices.ContainsFunc(s.Refunds, func(r payment.Refund) bool {
		return r.Attempt == a.N && !r.Status.Final() && (r.Call != nil || r.Next != "")
	})
}

// afterOpen is behind every sale id.
const afterOpen = "~"

// recoverFar takes up one page of finished sales that are watched and whose next
// question is farther away than any is planned: the clock was set back while the
// daemon was down. There are none in ordinary times.
func (e *Engine) recoverFar() (more string, err error) {
	far := e.turn.now.Add(e.policy.Farthest())
	for _, g := range e.sorted {
		ids, err := e.store.DueAfter(g.name, far, recoverPage)
		if err != nil {
			return "", fmt.Errorf("gateway %s: sales due after %s: %w", g.name, far, err)
		}
		for _, id := range ids {
			s, err := e.sale(id)
			if err != nil {
				return "", fmt.Errorf("gateway %s: sale %s, due after %s: %w", g.name, id, far, err)
			}
			if !s.DueAt(g.name).After(far) {
				continue // taken up in this turn
			}
			if s, err = e.step(s, payment.Recovered{}); err != nil {
				return "", fmt.Errorf("sale %s: recovery: %w", id, err)
			}
			if !s.DueAt(g.name).After(far) && len(ids) == recoverPage {
				more = afterOpen
			}
		}
	}
	return more, nil
}
