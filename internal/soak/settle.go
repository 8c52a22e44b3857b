package soak

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"payscand/api/client"
	"payscand/internal/counter"
)

// pause waits, unless ctx ends first.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// heal ends all faults of the gateways.
func (s *shop) heal() error {
	var errs []error
	for _, l := range s.ledgers {
		errs = append(errs, l.ClearFaults())
	}
	return errors.Join(errs...)
}

// allSales reads every sale of the terminal.
func (s *shop) allSales(ctx context.Context) (sales []client.Sale, err error) {
	for q := (client.SaleQuery{Limit: client.MaxSales}); ; {
		var page client.SalePage
		if err := again(ctx, func() (err error) { page, err = s.Register.Sales(ctx, q); return err }); err != nil {
			return nil, err
		}
		sales = append(sales, page.Sales...)
		if q.Cursor = page.Cursor; q.Cursor == "" {
			return sales, nil
		}
	}
}

// undecided says what about a sale is not over yet, empty for nothing.
func undecided(s client.Sale) string {
	if !s.Final() {
		return string(s.Status)
	}
	for _, r := range slices.Concat(s.Refunds, s.Reversals) {
		if !r.Final() && !forPerson(s, r) && !shortOfBalance(r) {
			return fmt.Sprintf("%s, refund %d %s", s.Status, r.N, r.Status)
		}
	}
	for _, a := range s.Attempts {
		if !slices.Contains([]string{"paid", "failed", "closed"}, a.Status) {
			return fmt.Sprintf("%s, attempt %d %s", s.Status, a.N, a.Status)
		}
		if left := leftOver(s, a); left > 0 {
			return fmt.Sprintf("%s, attempt %d: %d of its late capture are neither given back nor kept for a reason (M12)", s.Status, a.N, left)
		}
	}
	return ""
}

// leftOver is what should not have been taken for an attempt and is still there,
// though the terminal does not say why it keeps it and no refund is under way.
func leftOver(s client.Sale, a client.Attempt) int64 {
	late := a.LateCapture
	if late == nil || late.Kept != "" || s.Receipt != nil && s.Receipt.PaymentID == late.PaymentID {
		return 0
	}
	left := late.Amount
	for _, r := range slices.Concat(s.Refunds, s.Reversals) {
		if r.Attempt == a.N && r.Status != client.RefundFailed {
			left -= r.Amount
		}
	}
	return left
}

// forPerson: AlphaPay would carry a partial refund out a second time if it were sent
// again. One whose answer was lost, and that no list shows, is a person's (M13).
// That it was not carried out the books tell. At no other gateway is one excused.
func forPerson(s client.Sale, r client.Refund) bool {
	return r.Status == client.RefundUnknown && r.RefundID == "" && r.Amount < s.Amount &&
		slices.ContainsFunc(s.Attempts, func(a client.Attempt) bool { return a.N == r.Attempt && a.Gateway == alphaPay })
}

// shortOfBalance: with behaviour 44 a gateway refuses every refund for a day, which is
// longer than a campaign waits. One that may have been made before, as its first
// answer was lost, is asked for until then (M4). That it was not made the books tell.
func shortOfBalance(r client.Refund) bool {
	return r.Status == client.RefundUnknown && r.Reason != nil && r.Reason.Code == "not_enough_balance"
}

// settled is what was found when all was over.
type settled struct {
	Sales, Paid, Refunds, Reversals, Captures int
	ForPerson                                 int   // refunds that a person must look at
	Gateways, Terminal                        int64 // what was brought in, minor units
	Difference                                int64 // summed over the sales, without sign
}

// settle waits until everything is over at the terminal and its books agree with
// the gateways', or says what is not when the bound is over.
func (s *shop) settle(ctx context.Context, bound time.Duration) (r settled, err error) {
	for until := time.Now().Add(bound); ; {
		var open []string
		if r, open, err = s.compare(ctx); err != nil || len(open) == 0 {
			return r, err
		}
		if time.Now().After(until) {
			return r, fmt.Errorf("%d sales are not right %v after all faults ended:\n%s", len(open), bound, strings.Join(open[:min(len(open), 10)], "\n"))
		}
		if err := pause(ctx, 250*time.Millisecond); err != nil {
			return r, err
		}
	}
}

// compare holds the terminal's books against the gateways', sale by sale.
func (s *shop) compare(ctx context.Context) (r settled, open []string, err error) {
	sales, err := s.allSales(ctx)
	if err != nil {
		return r, nil, err
	}
	taken, captured, err := s.gatewayBooks()
	if err != nil {
		return r, nil, err
	}
	r.Sales, r.Captures = len(sales), len(captured)
	for _, sale := range sales {
		if sale.Status == client.StatusPaid {
			r.Paid++
		}
		r.Refunds += len(sale.Refunds)
		for _, refund := range sale.Refunds {
			if forPerson(sale, refund) {
				r.ForPerson++
			}
		}
		r.Reversals += len(sale.Reversals)
		r.Terminal += counter.Brought(sale)
		r.Gateways += taken[sale.ID]
		difference := counter.Brought(sale) - taken[sale.ID]
		r.Difference += max(difference, -difference)
		if why := undecided(sale); why != "" || difference != 0 {
			open = append(open, fmt.Sprintf("sale %s: %s%s; it brought %d, the gateways say %d; attempts %s",
				sale.ID, sale.Status, strings.TrimPrefix(why, string(sale.Status)), counter.Brought(sale), taken[sale.ID], attempts(sale)))
		}
		if sale.Receipt != nil && captured[sale.Receipt.PaymentID] != sale.ID { // P4
			open = append(open, fmt.Sprintf("sale %s: its receipt names the payment %s, with which the gateways took nothing for it", sale.ID, sale.Receipt.PaymentID))
		}
		delete(taken, sale.ID)
	}
	for id, amount := range taken {
		if amount != 0 {
			open = append(open, fmt.Sprintf("sale %s: unknown here; the gateways took %d", id, amount))
			r.Difference += max(amount, -amount)
			r.Gateways += amount
		}
	}
	return r, open, nil
}

func attempts(s client.Sale) string {
	var texts []string
	for _, a := range s.Attempts {
		text := fmt.Sprintf("%d %s %s", a.N, a.Gateway, a.Status)
		if a.Reason != nil {
			text += " " + a.Reason.Code
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, ", ")
}
