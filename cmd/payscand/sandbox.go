package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"payscand/payment/sandbox"
)

type sandboxFlags struct {
	listen, dir, merchant, currency, seed string
	pendingDelay, orderLife, lateBy       time.Duration
}

func newSandbox() *cobra.Command {
	var f sandboxFlags
	cmd := &cobra.Command{
		Use:   "sandbox",
		Short: "Run the practice gateway",
		Long: "Run a practice gateway that speaks the AlphaPay protocol. The last two digits of a payment\n" +
			"code choose what happens; its web page lists them and stands in for the customer's wallet.",
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return runSandbox(cmd.Context(), cmd.OutOrStdout(), f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.listen, "listen", "127.0.0.1:8490", "loopback host and port")
	flags.StringVar(&f.dir, "dir", "payscand-sandbox", "folder for the keys, made at the first start")
	flags.StringVar(&f.merchant, "merchant", "PRACTICE1", "merchant code")
	flags.StringVar(&f.currency, "currency", "CAD", "the host's currency, CAD or USD")
	flags.StringVar(&f.seed, "seed", "", "makes ids and nonces repeatable; empty: random")
	flags.DurationVar(&f.pendingDelay, "pending-delay", 3*time.Second, "until a pending payment settles")
	flags.DurationVar(&f.orderLife, "order-life", 5*time.Minute, "until an unpaid order closes")
	flags.DurationVar(&f.lateBy, "late-by", 20*time.Second, "how late the late answers are")
	return cmd
}

func runSandbox(ctx context.Context, out io.Writer, f sandboxFlags) error {
	host, _, err := net.SplitHostPort(f.listen)
	if ip := net.ParseIP(host); err != nil || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return &exitError{exitUsage, errors.New("--listen: want a loopback host and a port, such as 127.0.0.1:8490")}
	}
	keys, err := sandbox.LoadOrMakeKeys(f.dir)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", f.listen)
	if err != nil {
		return err
	}
	base := "http://" + listener.Addr().String()
	gateway, err := sandbox.New(sandbox.Config{
		MerchantCode: f.merchant, MerchantKey: keys.Merchant.Public(), PlatformKey: keys.Platform,
		Currency: f.currency, BaseURL: base, Seed: f.seed,
		PendingDelay: f.pendingDelay, OrderLife: f.orderLife, LateBy: f.lateBy,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if err != nil {
		return errors.Join(&exitError{exitUsage, err}, listener.Close())
	}
	describeSandbox(out, base, keys.ConfigSection(base, f.merchant))
	server := &http.Server{
		Handler: gateway.Handler(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError), // cut connections are its business
	}
	context.AfterFunc(ctx, func() {
		gateway.Close()
		bound, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = server.Shutdown(bound) // what hangs is cut when the process ends
	})
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func describeSandbox(out io.Writer, base, section string) {
	fmt.Fprintf(out, "practice gateway: %s\n\nPut this into payscand.toml:\n\n%s\nThe last two digits of a payment code choose what happens:\n\n", base, section)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, b := range sandbox.Behaviours() {
		fmt.Fprintf(table, "  %s\t%s\n", b.Digits, b.Name)
	}
	table.Flush()
	fmt.Fprintln(out)
}
