package sandbox

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
)

// A state file holds a line with the seed, and a line of JSON for each change of
// an order: the last of an order counts. It is written anew at each start, and
// when most of its lines are old. A line that was cut by the end of a process is
// passed over. It is written without syncing: a practice gateway survives its own
// restart, not the machine's.

// savedOrder is an order with all that the model needs.
type savedOrder struct {
	Order
	Digest   []byte       `json:"digest"`
	Life     int64        `json:"life"` // nanoseconds
	Token    string       `json:"token,omitempty"`
	SettleAt time.Time    `json:"settle_at,omitzero"`
	SettleTo Status       `json:"settle_to,omitempty"`
	RefundAt time.Time    `json:"refund_at,omitzero"`
	RefundTo RefundStatus `json:"refund_to,omitempty"`
}

type savedSeed struct {
	Seed string `json:"seed"`
}

// state is what a state file held.
type state struct {
	seed   string
	orders []*order // in the order of their first lines
}

// readState reads a state file. One that is missing is empty.
func readState(path string) (kept state, err error) {
	if path == "" {
		return state{}, nil
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return state{}, nil
	} else if err != nil {
		return state{}, err
	}
	places := map[orderKey]int{}
	for number, line := range slices.Collect(bytes.Lines(text)) {
		if number == 0 {
			var head savedSeed
			if json.Unmarshal(line, &head, json.RejectUnknownMembers(true)) != nil || head.Seed == "" {
				return state{}, fmt.Errorf("%s is not a practice gateway's state: name another file, or remove it", path)
			}
			kept.seed = head.Seed
			continue
		}
		if !bytes.HasSuffix(line, []byte("\n")) {
			break // cut
		}
		var saved savedOrder
		if err := json.Unmarshal(line, &saved); err != nil {
			return state{}, fmt.Errorf("%s, line %d is damaged: remove the line, or the file", path, number+1)
		}
		key := orderKey{saved.Gateway, saved.RequestID}
		if place, known := places[key]; known {
			kept.orders[place] = saved.restored()
			continue
		}
		places[key] = len(kept.orders)
		kept.orders = append(kept.orders, saved.restored())
	}
	return kept, nil
}

func (s savedOrder) restored() *order {
	made := &order{Order: s.Order, life: time.Duration(s.Life), token: s.Token, behaviour: behaviourNamed(s.Instrument, s.Behaviour),
		settleAt: s.SettleAt, settleTo: s.SettleTo, refundAt: s.RefundAt, refundTo: s.RefundTo}
	copy(made.digest[:], s.Digest)
	return made
}

func (o *order) line() ([]byte, error) {
	line, err := json.Marshal(savedOrder{Order: o.Order, Digest: o.digest[:], Life: int64(o.life), Token: o.token,
		SettleAt: o.settleAt, SettleTo: o.settleTo, RefundAt: o.refundAt, RefundTo: o.refundTo})
	return append(line, '\n'), err
}

// keepIn takes up the orders of a state file and writes every change to it from
// now on. Without a path nothing is kept. What cannot be written is logged.
func (l *ledger) keepIn(path string, kept state, now time.Time, logger *slog.Logger) error {
	for _, o := range kept.orders {
		l.restore(o)
	}
	// The file has the orders too that made room since it was last written anew.
	for n := 0; len(l.inOrder) > l.limit && n < len(l.inOrder); {
		if l.settle(l.inOrder[n], now); l.inOrder[n].isOver() {
			l.drop(n)
		} else {
			n++
		}
	}
	if path == "" {
		return nil
	}
	file, err := l.writeState(path)
	if err != nil {
		return err
	}
	lines, cut := 0, false // cut: the last line may not be there whole
	l.save = func(o *order) {
		line, err := o.line()
		if err == nil && !cut {
			_, err = file.Write(line)
			cut = err != nil
		}
		if lines++; cut || lines > 2*len(l.inOrder)+1000 {
			lines = 0
			if fresh, failed := l.writeState(path); failed != nil {
				err = failed
			} else {
				_ = file.Close() // what it held is in the new one
				file, cut, err = fresh, false, nil
			}
		}
		if err != nil {
			logger.Error("the state could not be written", "file", path, "error", err)
		}
	}
	return nil
}

func (l *ledger) restore(o *order) {
	l.inOrder = append(l.inOrder, o)
	l.byRequest[orderKey{o.Gateway, o.RequestID}] = o
	if o.PaymentID != "" {
		l.byPayment[orderKey{o.Gateway, o.PaymentID}] = o
		l.byToken[o.token] = o
	}
	for _, refund := range o.Refunds {
		l.byRefund[orderKey{o.Gateway, refund.RefundID}] = o
		l.refundRequests[orderKey{o.Gateway, refund.RequestID}] = o
	}
}

// writeState puts a new state file in the place of path, and returns it for more
// lines.
func (l *ledger) writeState(path string) (*os.File, error) {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-*")
	if err != nil {
		return nil, err
	}
	fail := func(err error) (*os.File, error) {
		return nil, errors.Join(err, file.Close(), os.Remove(file.Name()))
	}
	out := bufio.NewWriter(file)
	head, err := json.Marshal(savedSeed{l.seed})
	if err != nil {
		return fail(err)
	}
	_, _ = out.Write(append(head, '\n')) // Flush tells of errors
	for _, o := range l.inOrder {
		line, err := o.line()
		if err != nil {
			return fail(err)
		}
		_, _ = out.Write(line)
	}
	if err := out.Flush(); err != nil {
		return fail(err)
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return fail(err)
	}
	return file, nil
}
