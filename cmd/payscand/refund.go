package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"payscand/api/client"
	"payscand/payment"
)

type refundFlags struct {
	connection
	reason, key string
	wait        time.Duration
	json        bool
}

func newRefund() *cobra.Command {
	var f refundFlags
	cmd := &cobra.Command{
		Use:   "refund SALE-ID [AMOUNT]",
		Short: "Give a paid sale's money back, all that is left of it or an amount such as 12.34",
		Long: "Give a paid sale's money back, all that is left of it or an amount such as 12.34, and follow the\n" +
			"refund to its end. A refund that was begun goes on when this command ends before it.\n\n" +
			"Exit status: 0 given back, 1 not done, 2 wrong words, 3 failed: nothing was given back, 4 not known yet.",
		Example: "  payscand refund 01K9ZJ5Y7T3N8QW2R6V4X0M1BC\n  payscand refund 01K9ZJ5Y7T3N8QW2R6V4X0M1BC 5.00 --reason 'one item returned'",
		Args:    usage(cobra.RangeArgs(1, 2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			amount := ""
			if len(args) == 2 {
				if amount = args[1]; amount == "" { // a script's empty variable is no wish for all of it
					return &exitError{exitUsage, errors.New("amount: it is empty; leave it out to give back all that is left")}
				}
			}
			return runRefund(cmd.Context(), args[0], amount, f, cmd.OutOrStdout())
		},
	}
	f.addFlags(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.reason, "reason", "", "why, for the journal; at most 100 characters")
	flags.StringVar(&f.key, "key", "", "idempotency key, to take up a refund again; default: random")
	flags.DurationVar(&f.wait, "wait", time.Minute, "how long to wait for the end")
	flags.BoolVar(&f.json, "json", false, "print each state of the refund as one line of JSON")
	return cmd
}

func runRefund(ctx context.Context, sale, amount string, f refundFlags, out io.Writer) error {
	c, err := f.connect()
	if err != nil {
		return err
	}
	defer c.Close()
	paid, err := c.GetSale(ctx, sale)
	if err != nil {
		return err
	}
	wanted := client.NewRefund{Reason: f.reason}
	if amount != "" {
		money, err := payment.ParseMoney(amount, payment.Currency(paid.Currency))
		if err == nil && money.Amount == 0 {
			err = errors.New("amount: nothing cannot be given back")
		}
		if err != nil {
			return &exitError{exitUsage, err}
		}
		wanted.Amount = money.Amount
	}
	if f.key == "" {
		f.key = rand.Text()
	}
	refund, _, err := c.Refund(ctx, paid.ID, f.key, wanted)
	if problem := new(client.Problem); err != nil && (!errors.As(err, &problem) || problem.Code == client.CodeTimeout || problem.Code == client.CodeInternal) {
		return &exitError{exitNotKnown, fmt.Errorf("%w; whether the refund was begun is not known: repeat the command with --key %s", err, f.key)}
	}
	if err != nil {
		return err
	}
	refund, err = followRefund(ctx, c, refund, f.wait, refundPrinter(out, paid.Currency, f.json))
	if err != nil && ctx.Err() == nil { // else Ctrl-C ended the waiting
		return &exitError{exitNotKnown, fmt.Errorf("refund %d of sale %s was begun and goes on, but: %w", refund.N, refund.Sale, err)}
	}
	return refundEnd(refund)
}

// followRefund shows each state of the refund until it is final or wait is over,
// and returns the last that it saw.
func followRefund(
	ctx context.Context, c *client.Client, refund client.SaleRefund, wait time.Duration, show func(client.SaleRefund),
) (client.SaleRefund, error) {
	show(refund)
	for end := time.Now().Add(wait); !refund.Final() && time.Now().Before(end); {
		next, err := c.WaitRefund(ctx, refund.Sale, refund.N, refund.Version, min(time.Until(end), waitFor))
		if err != nil {
			return refund, err
		}
		if next.Version > refund.Version {
			show(next)
		}
		refund = next
	}
	return refund, nil
}

func refundPrinter(out io.Writer, currency string, asJSON bool) func(client.SaleRefund) {
	if asJSON {
		encoder := json.NewEncoder(out)
		return func(r client.SaleRefund) { _ = encoder.Encode(r) } // nobody is left to be told
	}
	return func(r client.SaleRefund) {
		line := fmt.Sprintf("%s  refund %d  %s  %s", r.Sale, r.N, payment.Money{Amount: r.Amount, Currency: payment.Currency(currency)}, r.Status)
		if r.Reason != nil {
			line += "  " + r.Reason.Message
		}
		fmt.Fprintln(out, line)
	}
}

func refundEnd(r client.SaleRefund) error {
	switch r.Status {
	case client.RefundSucceeded:
		return nil
	case client.RefundFailed:
		return &exitError{exitUnpaid, fmt.Errorf("refund %d of sale %s failed: nothing was given back", r.N, r.Sale)}
	}
	return &exitError{exitNotKnown, fmt.Errorf("refund %d of sale %s: its outcome is not known yet; the terminal goes on asking", r.N, r.Sale)}
}
