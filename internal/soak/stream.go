package soak

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"payscand/api/client"
)

// stream is a register that reads the events all the time, across restarts: each
// record must come once, in order, none left out.
type stream struct {
	mu     sync.Mutex
	lastID string
	sales  map[string]client.Sale // folded
	ended  map[string]time.Time   // when each sale became final
	events int
	// news gets the status of each sale and refund that is not over, as it is told;
	// what nobody takes is dropped.
	news chan string
}

func newStream(lastID string) *stream {
	return &stream{lastID: lastID, sales: make(map[string]client.Sale), ended: make(map[string]time.Time), news: make(chan string, 64)}
}

// await returns when a status is told that is wanted, or after a while.
func (st *stream) await(ctx context.Context, status string, most time.Duration) error {
	for len(st.news) > 0 { // old news
		<-st.news
	}
	over := time.After(most)
	for {
		select {
		case told := <-st.news:
			if told == status {
				return nil
			}
		case <-over:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// tell says what of a sale is under way.
func (st *stream) tell(s client.Sale) {
	for _, status := range underWay(s) {
		select {
		case st.news <- status:
		default:
		}
	}
}

// follow reads until ctx ends. The error says what was wrong with the events.
func (st *stream) follow(ctx context.Context, register *client.Client) error {
	st.mu.Lock()
	from := st.lastID
	st.mu.Unlock()
	err := register.Events(ctx, from, st.take)
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func (st *stream) take(e client.Event) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	if e.Type == client.EventReset {
		return fmt.Errorf("the events go on elsewhere: the terminal does not know %s", st.lastID)
	}
	epoch, seq := split(e.ID)
	if lastEpoch, last := split(st.lastID); epoch != lastEpoch || seq != last+1 {
		return fmt.Errorf("event %s follows %s", e.ID, st.lastID)
	}
	st.lastID = e.ID
	st.events++
	if e.Sale == "" {
		return nil
	}
	before := st.sales[e.Sale]
	sale, err := before.Fold(e)
	if err != nil {
		return err
	}
	if sale.Version != before.Version+1 {
		return fmt.Errorf("event %s of sale %s brings version %d after %d", e.ID, e.Sale, sale.Version, before.Version)
	}
	st.sales[e.Sale] = sale
	st.tell(sale)
	if _, known := st.ended[e.Sale]; sale.Final() && !known {
		st.ended[e.Sale] = e.At
	}
	return nil
}

// hit counts this kill for each status that something is in, as far as the events told.
func (st *stream) hit(kills map[string]int) {
	st.mu.Lock()
	defer st.mu.Unlock()
	now := make(map[string]bool)
	for _, s := range st.sales {
		for _, status := range underWay(s) {
			now[status] = true
		}
	}
	for status := range now {
		kills[status]++
	}
}

// underWay lists the statuses of a sale and its refunds that are not final.
func underWay(s client.Sale) (statuses []string) {
	if !s.Final() {
		statuses = append(statuses, string(s.Status))
	}
	for _, r := range slices.Concat(s.Refunds, s.Reversals) {
		if !r.Final() && !forPerson(s, r) {
			statuses = append(statuses, "refund "+string(r.Status))
		}
	}
	return statuses
}

func split(id string) (epoch string, seq uint64) {
	epoch, number, _ := strings.Cut(id, "-")
	seq, _ = strconv.ParseUint(number, 10, 64)
	return epoch, seq
}

// caughtUp waits until the last event of the terminal has come, and holds what the
// events gave against what the terminal says.
func (st *stream) caughtUp(ctx context.Context, sh *shop) error {
	for {
		var t client.Terminal
		if err := again(ctx, func() (err error) { t, err = sh.Register.Terminal(ctx); return err }); err != nil {
			return err
		}
		st.mu.Lock()
		_, last := split(st.lastID)
		st.mu.Unlock()
		if _, head := split(t.LastEventID); last >= head {
			break
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return fmt.Errorf("the events do not come: %w", err)
		}
	}
	sales, err := sh.allSales(ctx)
	if err != nil {
		return err
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	for _, s := range sales {
		folded := st.sales[s.ID]
		if folded.Version < s.Version || folded.Version == s.Version && !sameSale(folded, s) {
			return fmt.Errorf("sale %s: the events give\n%+v\nthe terminal says\n%+v", s.ID, folded, s)
		}
	}
	return nil
}
