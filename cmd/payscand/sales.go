package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"payscand/api/client"
	"payscand/payment"
)

type salesFlags struct {
	connection
	status, reference, from, to string
	limit                       int
	json                        bool
}

func newSales() *cobra.Command {
	var f salesFlags
	cmd := &cobra.Command{
		Use:   "sales",
		Short: "List sales, newest first",
		Long: "List sales, newest first. --from and --to take a day such as 2026-01-31, which begins at this\n" +
			"machine's midnight, or a time such as 2026-01-31T08:00:00Z; --to itself is not included.",
		Example: "  payscand sales --status unresolved\n  payscand sales --from 2026-01-31 --limit 0 --json",
		Args:    usage(cobra.NoArgs),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runSales(cmd.Context(), f, cmd.OutOrStdout()) },
	}
	f.addFlags(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.status, "status", "", "only sales of this status, such as unresolved")
	flags.StringVar(&f.reference, "reference", "", "only sales with exactly this reference")
	flags.StringVar(&f.from, "from", "", "only sales made then or later")
	flags.StringVar(&f.to, "to", "", "only sales made before")
	flags.IntVar(&f.limit, "limit", 20, "how many sales at most; 0: all")
	jsonFlag(cmd, &f.json, "each sale as one line of JSON")
	return cmd
}

func runSales(ctx context.Context, f salesFlags, out io.Writer) error {
	query, err := f.query()
	if err != nil {
		return &exitError{exitUsage, err}
	}
	c, err := f.connect()
	if err != nil {
		return err
	}
	defer c.Close()
	list := newSaleList(out, f.json)
	if err := findSales(ctx, c, query, f.limit, list.add); err != nil {
		return err
	}
	return list.end()
}

func (f *salesFlags) query() (q client.SaleQuery, err error) {
	if f.limit < 0 {
		return q, errors.New("--limit: must be 0 or more")
	}
	if statuses := payment.SaleStatuses(); f.status != "" && !slices.Contains(statuses, payment.SaleStatus(f.status)) {
		return q, fmt.Errorf("--status: must be one of %v, not %q", statuses, f.status)
	}
	q.Status, q.Reference = client.SaleStatus(f.status), f.reference
	if q.From, err = parseMoment(f.from); err != nil {
		return q, fmt.Errorf("--from: %w", err)
	}
	if q.To, err = parseMoment(f.to); err != nil {
		return q, fmt.Errorf("--to: %w", err)
	}
	return q, nil
}

// parseMoment reads a time, or a day as its midnight here; empty: the zero time.
func parseMoment(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if day, err := time.ParseInLocation(time.DateOnly, text, time.Local); err == nil {
		return day, nil
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return at, errors.New("give a day such as 2026-01-31 or a time such as 2026-01-31T08:00:00Z")
	}
	return at, nil
}

// findSales calls add with each sale found, up to most of them; 0: all.
func findSales(ctx context.Context, c *client.Client, query client.SaleQuery, most int, add func(client.Sale) error) error {
	for found := 0; ; {
		query.Limit = client.MaxSales
		if most > 0 {
			query.Limit = min(most-found, client.MaxSales)
		}
		page, err := c.Sales(ctx, query)
		if err != nil {
			return err
		}
		for _, sale := range page.Sales {
			if err := add(sale); err != nil {
				return err
			}
		}
		found += len(page.Sales)
		if query.Cursor = page.Cursor; query.Cursor == "" || most > 0 && found >= most {
			return nil
		}
	}
}

// saleList prints sales as a table, or as lines of JSON.
type saleList struct {
	add func(client.Sale) error
	end func() error
}

func newSaleList(out io.Writer, asJSON bool) saleList {
	if asJSON {
		return saleList{add: func(s client.Sale) error { return printJSON(out, s) }, end: func() error { return nil }}
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "MADE\tSALE\tSTATUS\tAMOUNT\tREFUNDED\tREFERENCE") // an error comes back from Flush
	return saleList{end: table.Flush, add: func(s client.Sale) error {
		_, err := fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n",
			s.CreatedAt.Local().Format(time.DateTime), s.ID, s.Status, moneyText(s, s.Amount), refundedText(s), s.Reference)
		return err
	}}
}

func moneyText(s client.Sale, amount int64) string {
	return payment.Money{Amount: amount, Currency: payment.Currency(s.Currency)}.String()
}

// refundedText is what was given back of the sale's own payment. What the terminal gave
// back of a late capture beside it is no refund of that: the goods are the customer's.
func refundedText(s client.Sale) string {
	amount := s.RefundedAmount
	for _, a := range s.Attempts {
		for _, r := range s.Reversals {
			if s.Status == client.StatusPaid && a.N == r.Attempt && a.Status != "paid" && a.Returned == nil && r.Status == client.RefundSucceeded {
				amount -= r.Amount
			}
		}
	}
	if amount == 0 {
		return "-"
	}
	return moneyText(s, amount)
}
