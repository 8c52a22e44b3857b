package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"payscand/api/client"
	"payscand/payment"
)

type saleFlags struct {
	connection
	currency, reference, mode, replaces string
	description, key                    string
	separate, json                      bool
}

func newSale() *cobra.Command {
	var f saleFlags
	cmd := &cobra.Command{
		Use:   "sale AMOUNT",
		Short: "Take an amount, such as 12.34, and follow the sale to its end",
		Long: "Take an amount, such as 12.34, and follow the sale to its end. The customer's code is scanned,\n" +
			"or typed here and sent with Enter. Ctrl-C cancels the sale and waits for the truth.\n\n" +
			"Exit status: 0 paid, 1 not done, 3 ended without payment, 4 not known yet, 64 wrong words, 78 wrong configuration.",
		Example: "  payscand sale 12.34\n  payscand sale 12.34 --reference till-1/000123 --mode qr",
		Args:    usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runSale(cmd.Context(), args[0], f, cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	f.addFlags(cmd)
	flags.StringVar(&f.currency, "currency", "", "ISO 4217 code; default: the configuration's")
	flags.StringVar(&f.reference, "reference", "", "the register's number of the sale")
	flags.StringVar(&f.description, "description", "", "what the customer's wallet shows")
	flags.StringVar(&f.mode, "mode", "auto", "auto, scan or qr")
	flags.StringVar(&f.replaces, "replaces", "", "id of the unresolved sale that this one stands for")
	flags.BoolVar(&f.separate, "separate", false, "this sale is no twin of an unresolved one")
	flags.StringVar(&f.key, "key", "", "idempotency key, to take up a sale again; default: random")
	jsonFlag(cmd, &f.json, "each state of the sale as one line of JSON")
	return cmd
}

func runSale(ctx context.Context, amount string, f saleFlags, in io.Reader, out io.Writer) error {
	if !slices.Contains([]client.Mode{client.ModeAuto, client.ModeScan, client.ModeQR}, client.Mode(f.mode)) {
		return &exitError{exitUsage, fmt.Errorf("--mode: must be auto, scan or qr, not %q", f.mode)}
	}
	c, err := f.connect()
	if err != nil {
		return err
	}
	defer c.Close()
	if f.currency == "" {
		config, err := loadConfig(f.config, true)
		if err != nil {
			return err
		}
		f.currency = string(config.Terminal.Currency)
	}
	currency, err := payment.ParseCurrency(f.currency)
	if err != nil {
		return &exitError{exitUsage, fmt.Errorf("--currency: %w", err)}
	}
	money, err := payment.ParseMoney(amount, currency)
	if err == nil && money.Amount == 0 {
		err = errors.New("amount: nothing cannot be taken")
	}
	if err != nil {
		return &exitError{exitUsage, err}
	}
	if f.key == "" {
		f.key = rand.Text()
	}
	sale, _, err := c.CreateSale(ctx, f.key, client.NewSale{
		Amount: money.Amount, Currency: string(currency), Reference: f.reference, Description: f.description,
		Mode: client.Mode(f.mode), Replaces: f.replaces, Separate: f.separate,
	})
	switch {
	case nobodyAsked(err): // there was no call before
		return err
	case maybeBegun(err):
		return &exitError{exitNotKnown, fmt.Errorf("%w; whether the sale was made is not known: repeat the command with --key %s", err, f.key)}
	case err != nil:
		return err
	}
	go postTyped(ctx, c, sale.ID, in)
	sale, err = follow(ctx, c, sale, printer(out, f.json, describe))
	if err != nil {
		return &exitError{exitNotKnown, fmt.Errorf("sale %s was made and goes on, but: %w; to follow it, repeat the command with --key %s", sale.ID, err, f.key)}
	}
	return saleEnd(sale)
}

// postTyped posts every line typed as a payment code.
func postTyped(ctx context.Context, c *client.Client, id string, in io.Reader) {
	for lines := bufio.NewScanner(in); lines.Scan(); {
		text := strings.TrimSpace(lines.Text())
		if text == "" {
			continue
		}
		if _, err := c.PostCode(ctx, id, text); err != nil {
			fmt.Fprintln(os.Stderr, "payscand:", err)
		}
	}
}

// follow prints each state of the sale until it is over. When ctx ends the sale
// is cancelled, and its truth awaited.
func follow(ctx context.Context, c *client.Client, sale client.Sale, show func(client.Sale)) (client.Sale, error) {
	show(sale)
	for !over(sale) && ctx.Err() == nil {
		next, err := c.WaitSale(ctx, sale.ID, sale.Version, waitFor)
		if ctx.Err() != nil {
			break
		}
		if err != nil {
			return sale, err
		}
		sale = showNext(sale, next, show)
	}
	if over(sale) {
		return sale, nil
	}
	rest := context.WithoutCancel(ctx)
	problem := new(client.Problem)
	if _, err := c.Cancel(rest, sale.ID); errors.As(err, &problem) && problem.Code == client.CodeConflict {
		// It was over before, paid perhaps: that is the truth, and comes at once.
	} else if err != nil {
		return sale, err
	}
	for !over(sale) {
		next, err := c.WaitSale(rest, sale.ID, sale.Version, waitFor)
		if err != nil {
			return sale, err
		}
		sale = showNext(sale, next, show)
	}
	return sale, nil
}

// waitFor is how long one long poll waits.
const waitFor = 25 * time.Second

func over(s client.Sale) bool { return s.Final() || s.Status == client.StatusUnresolved }

func showNext(sale, next client.Sale, show func(client.Sale)) client.Sale {
	if next.Version > sale.Version {
		show(next)
	}
	return next
}

// describe says in one line where a sale stands.
func describe(s client.Sale) string {
	line := fmt.Sprintf("%s  %s", s.ID, s.Status)
	if n := len(s.Attempts); n > 0 {
		a := s.Attempts[n-1]
		line += fmt.Sprintf("  attempt %d %s %s", a.N, a.Instrument, a.Status)
		if a.QR != nil {
			line += "  " + a.QR.Payload
		}
	}
	switch {
	case s.Receipt != nil:
		line += "  payment " + s.Receipt.PaymentID
	case s.LastFailure != nil:
		line += "  " + s.LastFailure.Reason.Message
	case s.Status == client.StatusAwaitingCode:
		line += "  scan the customer's code, or type it"
	}
	return line
}

func saleEnd(s client.Sale) error {
	switch s.Status {
	case client.StatusPaid:
		return nil
	case client.StatusUnresolved:
		return &exitError{exitNotKnown, fmt.Errorf("sale %s: its outcome is not known yet; the terminal goes on asking", s.ID)}
	}
	return &exitError{exitUnpaid, errors.New("not paid: " + string(s.Status))}
}
