package main

import (
	"context"
	"crypto/rand"
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
	reason, key                  string
	gateway, paymentID, currency string // of a payment that another terminal took
	wait                         time.Duration
	json                         bool
}

func newRefund() *cobra.Command {
	var f refundFlags
	cmd := &cobra.Command{
		Use:   "refund SALE-ID [AMOUNT] | refund --gateway NAME --payment-id ID --currency CODE AMOUNT",
		Short: "Give a paid sale's money back, all that is left of it or an amount such as 12.34",
		Long: "Give a paid sale's money back, all that is left of it or an amount such as 12.34, and follow the\n" +
			"refund to its end. A refund that was begun goes on when this command ends before it.\n\n" +
			"A payment that another terminal took is named by its gateway and the gateway's payment id, as the\n" +
			"other terminal's receipt shows it; the gateway is asked about it before anything is given back.\n\n" +
			"Exit status: 0 given back, 1 not done, 3 failed: nothing was given back, 4 not known yet, 64 wrong words,\n" +
			"78 wrong configuration.",
		Example: "  payscand refund 01K9ZJ5Y7T3N8QW2R6V4X0M1BC\n  payscand refund 01K9ZJ5Y7T3N8QW2R6V4X0M1BC 5.00 --reason 'one item returned'\n" +
			"  payscand refund --gateway alphapay --payment-id 2026030217000012345678901 --currency CAD 5.00",
		Args: usage(cobra.RangeArgs(1, 2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			begin, err := f.beginner(args)
			if err != nil {
				return &exitError{exitUsage, err}
			}
			return runRefund(cmd.Context(), begin, f, cmd.OutOrStdout())
		},
	}
	f.addFlags(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.reason, "reason", "", "why, for the journal; at most 100 characters")
	flags.StringVar(&f.key, "key", "", "idempotency key, to take up a refund again; default: random")
	flags.StringVar(&f.gateway, "gateway", "", "of a payment that another terminal took: its gateway, as the configuration names it")
	flags.StringVar(&f.paymentID, "payment-id", "", "the gateway's id of that payment")
	flags.StringVar(&f.currency, "currency", "", "that payment's currency, such as CAD")
	flags.DurationVar(&f.wait, "wait", time.Minute, "how long to wait for the end")
	jsonFlag(cmd, &f.json, "each state of the refund as one line of JSON")
	return cmd
}

// begin begins a refund with a key; it also returns its currency.
type begin func(ctx context.Context, c *client.Client, key string) (client.SaleRefund, string, error)

// beginner reads which payment is meant: a sale of this terminal, or another
// terminal's payment.
func (f refundFlags) beginner(args []string) (begin, error) {
	if amount := args[len(args)-1]; amount == "" { // a script's empty variable is no wish for all of it
		return nil, errors.New("amount: it is empty; leave it out to give back all that is left")
	}
	elsewhere := 0
	for _, flag := range []string{f.gateway, f.paymentID, f.currency} {
		if flag != "" {
			elsewhere++
		}
	}
	switch {
	case elsewhere == 0 && len(args) == 2:
		return f.ofSale(args[0], args[1]), nil
	case elsewhere == 0:
		return f.ofSale(args[0], ""), nil
	case elsewhere < 3 || len(args) != 1:
		return nil, errors.New("a payment that another terminal took wants --gateway, --payment-id, --currency and the amount, and no sale's id")
	}
	money, err := refundMoney(args[0], f.currency)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, c *client.Client, key string) (client.SaleRefund, string, error) {
		refund, _, err := c.RefundElsewhere(ctx, key, client.NewRefundElsewhere{
			Gateway: f.gateway, PaymentID: f.paymentID, Amount: money.Amount, Currency: f.currency, Reason: f.reason,
		})
		if nobodyAsked(err) { // there was no call before
			err = &notBegunError{err}
		}
		return refund, f.currency, err
	}, nil
}

// ofSale begins a refund of a sale of this terminal; an empty amount is all that is left.
func (f refundFlags) ofSale(sale, amount string) begin {
	return func(ctx context.Context, c *client.Client, key string) (client.SaleRefund, string, error) {
		paid, err := c.GetSale(ctx, sale)
		if err != nil {
			return client.SaleRefund{}, "", &notBegunError{err}
		}
		wanted := client.NewRefund{Reason: f.reason}
		if amount != "" {
			money, err := refundMoney(amount, paid.Currency)
			if err != nil {
				return client.SaleRefund{}, "", &exitError{exitUsage, err}
			}
			wanted.Amount = money.Amount
		}
		refund, _, err := c.Refund(ctx, paid.ID, key, wanted)
		return refund, paid.Currency, err
	}
}

// notBegunError is a failure before anything was asked for.
type notBegunError struct{ error }

func (e *notBegunError) Unwrap() error { return e.error }

func refundMoney(amount, currency string) (payment.Money, error) {
	money, err := payment.ParseMoney(amount, payment.Currency(currency))
	if err == nil && money.Amount == 0 {
		err = errors.New("amount: nothing cannot be given back")
	}
	return money, err
}

func runRefund(ctx context.Context, begin begin, f refundFlags, out io.Writer) error {
	c, err := f.connect()
	if err != nil {
		return err
	}
	defer c.Close()
	if f.key == "" {
		f.key = rand.Text()
	}
	refund, currency, err := begin(ctx, c, f.key)
	if maybeBegun(err) {
		return &exitError{exitNotKnown, fmt.Errorf("%w; whether the refund was begun is not known: repeat the command with --key %s", err, f.key)}
	}
	if err != nil {
		return err
	}
	refund, err = followRefund(ctx, c, refund, f.wait, printer(out, f.json, describeRefund(currency)))
	if err != nil && ctx.Err() == nil { // else Ctrl-C ended the waiting
		return &exitError{exitNotKnown, fmt.Errorf("refund %d of sale %s was begun and goes on, but: %w", refund.N, refund.Sale, err)}
	}
	return refundEnd(refund)
}

// maybeBegun reports whether a sale or refund may have been begun although its call failed.
func maybeBegun(err error) bool {
	var problem *client.Problem
	var before *notBegunError
	var usage *exitError
	switch {
	case err == nil, errors.As(err, &before), errors.As(err, &usage):
		return false
	case errors.As(err, &problem):
		return problem.Code == client.CodeTimeout || problem.Code == client.CodeInternal
	}
	return true
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

// describeRefund says in one line where a refund in this currency stands.
func describeRefund(currency string) func(client.SaleRefund) string {
	return func(r client.SaleRefund) string {
		line := fmt.Sprintf("%s  refund %d  %s  %s", r.Sale, r.N, payment.Money{Amount: r.Amount, Currency: payment.Currency(currency)}, r.Status)
		if r.Reason != nil {
			line += "  " + r.Reason.Message
		}
		return line
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
