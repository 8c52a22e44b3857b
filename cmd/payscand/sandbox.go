package main

import (
	"cmp"
	"context"
	"crypto/tls"
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

	"payscand/configs"
	"payscand/payment/sandbox"
)

type sandboxFlags struct {
	listen, listenTLS, dir          string
	merchant, client, registered    string
	currency, seed, state           string
	pendingDelay, orderLife, lateBy time.Duration
	speed, notifySpeed              int
	notifyHosts                     []string
}

func newSandbox() *cobra.Command {
	var f sandboxFlags
	cmd := &cobra.Command{
		Use:   "sandbox",
		Short: "Run the practice gateway",
		Long: "Run a practice gateway that speaks the protocols of AlphaPay and of Alipay+. The last two digits\n" +
			"of a payment code choose what happens; its web page lists them and stands in for the customer's\n" +
			"wallet. No real money moves.",
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return runSandbox(cmd.Context(), cmd.OutOrStdout(), f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.listen, "listen", "127.0.0.1:8490", "loopback host and port")
	flags.StringVar(&f.listenTLS, "listen-tls", "", "loopback host and port for https besides, such as 127.0.0.1:8491; empty: none")
	flags.StringVar(&f.dir, "dir", "payscand-sandbox", "folder for the keys and the certificate, made at the first start")
	flags.StringVar(&f.merchant, "merchant", "PRACTICE1", "AlphaPay merchant code; empty: no AlphaPay")
	flags.StringVar(&f.client, "client", "PRACTICE_CLIENT1", "Alipay+ client id; empty: no Alipay+")
	flags.StringVar(&f.registered, "registered-merchant", "", "the one referenceMerchantId that Alipay+ takes; empty: any")
	flags.StringVar(&f.currency, "currency", "CAD", "the host's currency: CAD or USD; without AlphaPay any, such as JPY")
	flags.StringVar(&f.seed, "seed", "", "decides ids, but for the time in them, and page addresses; empty: random")
	flags.StringVar(&f.state, "state", "", "file that keeps the orders; empty: they end with the program")
	flags.DurationVar(&f.pendingDelay, "pending-delay", 3*time.Second, "until a pending payment settles")
	flags.DurationVar(&f.orderLife, "order-life", 5*time.Minute, "until an unpaid order closes; with Alipay+ sooner")
	flags.DurationVar(&f.lateBy, "late-by", 20*time.Second, "how late the late answers are")
	flags.IntVar(&f.speed, "speed", 1, "these times and the vendors' own limits are divided by it: as speed in the daemon's [policy]")
	flags.IntVar(&f.notifySpeed, "notify-speed", 60, "the vendors' pauses between notifications are divided by it")
	flags.StringSliceVar(&f.notifyHosts, "notify-host", nil, "host that notifications may go to besides this machine; may be repeated")
	return cmd
}

func runSandbox(ctx context.Context, out io.Writer, f sandboxFlags) error {
	keys, err := sandbox.LoadOrMakeKeys(f.dir)
	if err != nil {
		return err
	}
	plain, err := listenLoopback("--listen", f.listen)
	if err != nil {
		return err
	}
	base := "http://" + plain.Addr().String()
	listeners, gatewayURL, authority := []net.Listener{plain}, base, ""
	if f.listenTLS != "" {
		secure, err := listenLoopback("--listen-tls", f.listenTLS)
		if err != nil {
			return errors.Join(err, plain.Close())
		}
		host, _, _ := net.SplitHostPort(secure.Addr().String())
		certificate, path, err := sandbox.LoadOrMakeCertificate(keys.Dir, host, time.Now())
		if err != nil {
			return errors.Join(err, plain.Close(), secure.Close())
		}
		gatewayURL, authority = "https://"+secure.Addr().String(), path
		listeners = append(listeners, tls.NewListener(secure, &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}))
	}
	gateway, err := sandbox.New(sandbox.Config{
		MerchantCode: f.merchant, MerchantKey: keys.Merchant.Public(), PlatformKey: keys.Platform,
		ClientID: f.client, ClientKey: keys.Client.Public(), AlipayPlusKey: keys.AlipayPlus, MerchantID: f.registered,
		Currency: f.currency, BaseURL: base, Seed: f.seed, State: f.state,
		PendingDelay: f.pendingDelay, OrderLife: f.orderLife, LateBy: f.lateBy,
		Speed: f.speed, NotifySpeed: f.notifySpeed, NotifyHosts: f.notifyHosts,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if err != nil {
		for _, listener := range listeners {
			listener.Close()
		}
		return &exitError{exitUsage, err}
	}
	describeSandbox(out, base, sandboxSections(keys, f, gatewayURL, authority))
	return serveSandbox(ctx, gateway, listeners)
}

// listenLoopback listens on a loopback address, as this program's keys are no secret worth the name.
func listenLoopback(flag, address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err != nil || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, &exitError{exitUsage, errors.New(flag + ": want a loopback host and a port, such as 127.0.0.1:8490")}
	}
	return net.Listen("tcp", address)
}

// serveSandbox serves until ctx ends, or a listener fails.
func serveSandbox(ctx context.Context, gateway *sandbox.Server, listeners []net.Listener) error {
	server := &http.Server{
		Handler: gateway.Handler(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError), // cut connections are its business
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go gateway.Run(ctx)
	context.AfterFunc(ctx, func() {
		gateway.Close()
		bound, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = server.Shutdown(bound) // what hangs is cut when the process ends
	})
	ended := make(chan error, len(listeners))
	for _, listener := range listeners {
		go func() { ended <- server.Serve(listener) }()
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// practiceNotify is where the printed configuration takes notifications.
const practiceNotify = "127.0.0.1:8482"

// sandboxSections is what a payscand.toml needs for the gateways that are served.
func sandboxSections(keys sandbox.Keys, f sandboxFlags, base, authority string) (sections string) {
	if f.currency != string(configs.Default().Terminal.Currency) {
		sections = fmt.Sprintf("[terminal]\ncurrency = %q\n\n", f.currency)
	}
	if f.merchant != "" {
		sections += keys.ConfigSection(base, f.merchant, authority) + "\n"
	}
	if f.client == "" {
		return sections
	}
	merchant := cmp.Or(f.registered, "M0001")
	sections += keys.AlipayPlusSection(base, f.client, authority, "http://"+practiceNotify+"/notify/alipayplus", merchant)
	sections += "\n[notify]\nlisten = \"" + practiceNotify + "\"\n\n"
	if f.merchant != "" { // with two gateways, what goes where
		sections += "[[route]]\nwallet = \"alipayplus\"\ngateway = \"alipayplus\"\n\n[[route]]\ngateway = \"alphapay\"\n\n"
	}
	return sections
}

func describeSandbox(out io.Writer, base, sections string) {
	fmt.Fprintf(out, "practice gateway: %s\n\nPut this into payscand.toml:\n\n%sThe last two digits of a payment code choose what happens:\n\n", base, sections)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, b := range sandbox.Behaviours() {
		fmt.Fprintf(table, "  %s\t%s\n", b.Digits, b.Name)
	}
	table.Flush()
	fmt.Fprintln(out)
}
