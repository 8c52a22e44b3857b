package terminal

import (
	"context"
	"crypto/rand"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"payscand/device"
	"payscand/payment"
)

// The methods below may be called from any goroutine while Run runs. Refusals
// are *Error; a context's error is returned as it is, and says nothing about
// whether the input was taken: ask again with the same key.

// CreateSale makes a sale, or returns the one that was made with the same key.
func (t *Terminal) CreateSale(ctx context.Context, n NewSale) (sale payment.Sale, replayed bool, err error) {
	id, err := ulid.New(ulid.Timestamp(t.clock.now()), rand.Reader)
	if err != nil {
		return sale, false, err
	}
	reply, err := t.ask(ctx, Create{ID: id.String(), Sale: n})
	return reply.Sale, reply.Replayed, err
}

// Sale returns a sale as it is committed.
func (t *Terminal) Sale(_ context.Context, id string) (payment.Sale, error) {
	return t.read(id)
}

// Sales returns one page of the sales that a query selects, newest first, as
// they are committed.
func (t *Terminal) Sales(_ context.Context, q payment.SaleQuery) (payment.SalePage, error) {
	return t.config.Store.Sales(q)
}

// WaitSale returns a sale once its version is above after, or as it is when ctx
// ends. Waiting brings the next question of an unresolved sale forward.
func (t *Terminal) WaitSale(ctx context.Context, id string, after int64) (payment.Sale, error) {
	changed, stop := t.watchers.watch(id)
	defer stop()
	s, err := t.read(id)
	if err == nil && s.Version <= after && s.Status == payment.SaleUnresolved {
		if _, err = t.Check(ctx, id); ctx.Err() != nil {
			return t.read(id)
		}
	}
	for err == nil && s.Version <= after {
		select {
		case <-changed:
			s, err = t.read(id)
		case <-ctx.Done():
			return t.read(id)
		case <-t.done:
			return s, stopping()
		}
	}
	return s, err
}

// PresentCode submits a code that the register scanned itself. text is a secret.
func (t *Terminal) PresentCode(ctx context.Context, id, text string) (payment.Sale, error) {
	reply, err := t.ask(ctx, Post{Sale: id, Text: payment.NewCode(text)})
	return reply.Sale, err
}

// ShowQR switches a sale to a QR on the customer's display.
func (t *Terminal) ShowQR(ctx context.Context, id string) (payment.Sale, error) {
	return t.command(ctx, id, payment.QRRequested{})
}

// Cancel asks for the sale to end without payment; the truth follows, and a
// completed payment wins (M5).
func (t *Terminal) Cancel(ctx context.Context, id string) (payment.Sale, error) {
	return t.command(ctx, id, payment.CancelRequested{})
}

// Check brings the sale's next question to the gateway forward.
func (t *Terminal) Check(ctx context.Context, id string) (payment.Sale, error) {
	return t.command(ctx, id, payment.CheckRequested{})
}

// Status returns the terminal as it is now.
func (t *Terminal) Status(ctx context.Context) (Status, error) {
	s := Status{Code: t.config.Code, Version: t.config.Version, StartedAt: t.started}
	looked := make(chan struct{})
	look := func() {
		defer close(looked)
		e := t.engine
		if e.live.ID != "" {
			live := e.live
			s.Live = &live
		}
		s.Unresolved = len(e.unresolved)
		s.Adopted = !e.policy.InquireOnly
		s.RefusedScans = e.refused.count + t.dropped.Load()
		s.LastRefusedScan = e.refused.last
		for _, g := range e.sorted {
			s.Gateways = append(s.Gateways, g.status())
		}
	}
	select {
	case t.inspect <- look:
		<-looked
	case <-ctx.Done():
		return s, ctx.Err()
	case <-t.done:
		return s, stopping()
	}
	s.Scanners = make([]device.Status, len(t.config.Scanners))
	for i, scanner := range t.config.Scanners {
		s.Scanners[i] = scanner.Status()
	}
	for i := range s.Gateways {
		for _, g := range t.config.Gateways {
			if c, ok := g.(interface{ ClockOffset() time.Duration }); ok && g.Name() == s.Gateways[i].Name {
				s.Gateways[i].ClockOffset = c.ClockOffset()
			}
		}
	}
	free, err := t.config.Store.DiskFree()
	s.DiskFree = free
	return s, err
}

// Head returns the sequence number of the journal's last record, 0 for none, and
// the journal's epoch, which tells its sequence numbers from those of another.
func (t *Terminal) Head() (seq uint64, epoch string) { return t.config.Store.Head() }

// Journal returns at most limit records after a sequence number, in order and
// without gaps; none when that is the last. Where some of them were pruned the
// error wraps payment.ErrNotFound. limit is at least 1.
func (t *Terminal) Journal(after uint64, limit int) ([]payment.JournalRecord, error) {
	// A transaction can be read while the disk is still syncing it. Up to the
	// head all is durable, so that no record is told and then lost (P6).
	head, _ := t.config.Store.Head()
	if after >= head {
		return nil, nil
	}
	return t.config.Store.Journal(after, int(min(uint64(limit), head-after)))
}

// Committed returns a channel that receives after every turn that may have added
// to the journal. One value waits, however many turns there were: read the
// journal up to its head for each. Call stop when done; the channel is never closed.
func (t *Terminal) Committed() (committed <-chan struct{}, stop func()) {
	return t.watchers.watch(anySale)
}

// Notify takes in what a gateway sent unasked. Its error is a *Error of
// CodeNotFound where the notification is about no sale of this terminal.
func (t *Terminal) Notify(ctx context.Context, n payment.Notification) error {
	_, err := t.ask(ctx, Notified{n})
	return err
}

// Refund begins a refund of a paid sale, or returns the one that was begun with
// the same key: its number among the sale's refunds (M13).
func (t *Terminal) Refund(ctx context.Context, id string, n NewRefund) (sale payment.Sale, refund int, replayed bool, err error) {
	reply, err := t.ask(ctx, Refund{Sale: id, Request: n})
	return reply.Sale, reply.Refund, reply.Replayed, err
}

// RefundElsewhere begins a refund of a payment that another terminal took, once the
// gateway has proved it, or returns the one that was begun with the same key. It
// waits for the gateway's answer. in.ID is filled in here.
func (t *Terminal) RefundElsewhere(ctx context.Context, in RefundElsewhere) (sale payment.Sale, refund int, replayed bool, err error) {
	id, err := ulid.New(ulid.Timestamp(t.clock.now()), rand.Reader)
	if err != nil {
		return sale, 0, false, err
	}
	in.ID = id.String()
	reply, err := t.ask(ctx, in)
	return reply.Sale, reply.Refund, reply.Replayed, err
}

// Resolve carries out a person's decision about an unresolved sale.
func (t *Terminal) Resolve(ctx context.Context, id string, r payment.Resolved) (payment.Sale, error) {
	return t.command(ctx, id, r)
}

func (t *Terminal) command(ctx context.Context, id string, e payment.Event) (payment.Sale, error) {
	reply, err := t.ask(ctx, Command{Sale: id, Event: e})
	return reply.Sale, err
}

func (t *Terminal) ask(ctx context.Context, in Input) (Reply, error) {
	select {
	case <-t.done: // first, for there may be room among the requests that nobody takes any more
		return Reply{}, stopping()
	default:
	}
	r := request{input: in, reply: make(chan Reply, 1)}
	select {
	case t.requests <- r:
	case <-ctx.Done():
		return Reply{}, ctx.Err()
	case <-t.done:
		return Reply{}, stopping()
	}
	select {
	case reply := <-r.reply:
		return reply, reply.Err
	case <-ctx.Done():
		return Reply{}, ctx.Err()
	case <-t.done:
	}
	select {
	case reply := <-r.reply: // it came with the end
		return reply, reply.Err
	default:
		return Reply{}, ErrOutcomeUnknown
	}
}

func (t *Terminal) read(id string) (payment.Sale, error) {
	s, err := t.config.Store.Sale(id)
	return s, notFound(err, id)
}

func stopping() error {
	return &Error{Code: CodeStopping, Message: "the daemon is stopping: try again in a moment"}
}

// anySale stands for the id of a sale in watchers: every turn is told.
const anySale = ""

// watchers wake those who wait for a sale's next version, or for any turn.
type watchers struct {
	mu   *sync.Mutex
	sale map[string]map[chan struct{}]struct{}
}

func newWatchers() watchers {
	return watchers{mu: new(sync.Mutex), sale: make(map[string]map[chan struct{}]struct{})}
}

func (w watchers) watch(id string) (changed <-chan struct{}, stop func()) {
	c := make(chan struct{}, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.sale[id] == nil {
		w.sale[id] = make(map[chan struct{}]struct{})
	}
	w.sale[id][c] = struct{}{}
	return c, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.sale[id], c)
		if len(w.sale[id]) == 0 {
			delete(w.sale, id)
		}
	}
}

func (w watchers) tell(changed []payment.Sale) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wake(anySale)
	for _, s := range changed {
		w.wake(s.ID)
	}
}

// wake needs the lock.
func (w watchers) wake(id string) {
	for c := range w.sale[id] {
		select {
		case c <- struct{}{}:
		default: // it will look anyway
		}
	}
}
