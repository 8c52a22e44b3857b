// Package counter sets up a whole shop counter on this machine: the practice
// gateway and the daemon as processes of their own, and a virtual scanner on a
// pseudo-terminal. The demo and the end-to-end tests stand at it.
package counter

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"payscand/api/client"
	"payscand/device/devicetest"
)

// Options say what the counter is made of.
type Options struct {
	Program string // the payscand to run
	Dir     string // an empty folder for everything that is written
	// Host is the loopback address of gateway and daemon, 127.0.0.1 when empty.
	// Counters that open at the same time need one each: who finds a port free
	// does not hold it yet.
	Host string
	// Extra is added to the daemon's configuration.
	Extra string
	// AlipayPlus adds an account at Alipay+ to that at AlphaPay, both at the practice
	// gateway: codes of Alipay+ go to [GatewayAlipayPlus], all others and the QR
	// codes to [GatewayAlphaPay]. Both are told where the shop takes notifications.
	AlipayPlus bool
	// Notify has the daemon take them; else nobody listens there.
	Notify bool
	// SandboxArgs are added to the practice gateway's command line.
	SandboxArgs []string
	// Database is the path of the daemon's database; empty: payscand.db in Dir.
	Database string
}

// Counter is everything that stands at the counter. Its fields must not be changed.
type Counter struct {
	Ledger          // of the practice gateway
	Gateway  string // base URL of the practice gateway
	API      string // base URL of the daemon
	Kiosk    string // base URL of the customer's page
	Notify   string // base URL that both gateways' notifications go to
	Register *client.Client
	Scanner  *devicetest.PTY

	options  Options
	qr       string // the gateway that makes the QR codes, where there are two
	practice *Practice
	daemon   *process
}

// Open starts the practice gateway and the daemon and waits until gateway and
// scanner are ready.
func Open(ctx context.Context, o Options) (c *Counter, err error) {
	if o.Host == "" {
		o.Host = "127.0.0.1"
	}
	if o.Database == "" {
		o.Database = filepath.Join(o.Dir, "payscand.db")
	}
	c = &Counter{options: o, qr: GatewayAlphaPay}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Close())
		}
	}()
	if c.Scanner, err = devicetest.NewPTY(filepath.Join(o.Dir, "scanner")); err != nil {
		return c, err
	}
	c.practice, err = StartPractice(ctx, o.Program, o.Host, "8490", o.Dir, o.SandboxArgs...)
	if err != nil {
		return c, err
	}
	c.Ledger, c.Gateway = c.practice.Ledger, c.practice.URL
	if err := c.findAddresses(); err != nil {
		return c, err
	}
	if err := c.configure(); err != nil {
		return c, err
	}
	if c.Register, err = client.New(filepath.Join(o.Dir, "api.sock"), ""); err != nil {
		return c, err
	}
	if err := c.StartDaemon(ctx); err != nil {
		return c, err
	}
	return c, c.AwaitReady(ctx)
}

// Close stops everything.
func (c *Counter) Close() error {
	errs := []error{c.StopDaemon(), c.StopGateway()}
	if c.Scanner != nil {
		errs = append(errs, c.Scanner.Close())
	}
	if c.Register != nil {
		c.Register.Close()
	}
	return errors.Join(errs...)
}

// StartGateway starts the practice gateway. It remembers nothing of an earlier one but its keys.
func (c *Counter) StartGateway(ctx context.Context) error { return c.practice.Start(ctx) }

// StopGateway ends the practice gateway: connections are refused then.
func (c *Counter) StopGateway() error { return c.practice.Stop() }

// Config is the path of the daemon's configuration.
func (c *Counter) Config() string { return filepath.Join(c.options.Dir, "payscand.toml") }

// Database is the path of the daemon's database.
func (c *Counter) Database() string { return c.options.Database }

// DaemonLog is the path of what the daemon prints.
func (c *Counter) DaemonLog() string { return filepath.Join(c.options.Dir, "payscand.log") }

// GatewayLog is the path of what the practice gateway prints.
func (c *Counter) GatewayLog() string { return filepath.Join(c.options.Dir, "sandbox.log") }

// Token returns a role's token for the API on TCP.
func (c *Counter) Token(role string) (string, error) {
	content, err := os.ReadFile(filepath.Join(c.options.Dir, "tokens", role+".token"))
	return string(bytes.TrimSpace(content)), err
}

// StartDaemon starts the daemon and waits until it answers. Its command line is
// put behind what it is to run under, such as a tracer's, if anything.
func (c *Counter) StartDaemon(ctx context.Context, under ...string) error {
	if err := c.LaunchDaemon(under...); err != nil {
		return err
	}
	return c.Await(ctx, func(client.Terminal) bool { return true })
}

// LaunchDaemon is StartDaemon without the waiting.
func (c *Counter) LaunchDaemon(under ...string) (err error) {
	program := slices.Concat(under, []string{c.options.Program})
	c.daemon, err = start(program, c.DaemonLog(), "run", "--config", c.Config())
	return err
}

// AwaitReady waits until the scanner is ready and every gateway proved.
func (c *Counter) AwaitReady(ctx context.Context) error {
	return c.Await(ctx, func(t client.Terminal) bool {
		return t.Scanners[0].State == "ready" && !slices.ContainsFunc(t.Gateways, func(g client.Gateway) bool { return g.State != "up" })
	})
}

// Await waits until the terminal's state is as wanted.
func (c *Counter) Await(ctx context.Context, wanted func(client.Terminal) bool) error {
	return c.daemon.until(ctx, func() bool {
		t, err := c.Register.Terminal(ctx)
		return err == nil && wanted(t)
	})
}

// KillDaemon ends the daemon as a power cut would.
func (c *Counter) KillDaemon() { c.daemon.kill() }

// FreezeDaemon stops the daemon in its tracks, with its connections open, until ThawDaemon.
func (c *Counter) FreezeDaemon() error { return c.daemon.command.Process.Signal(syscall.SIGSTOP) }

// ThawDaemon lets a frozen daemon go on.
func (c *Counter) ThawDaemon() error { return c.daemon.command.Process.Signal(syscall.SIGCONT) }

// SignalDaemon sends a signal to the daemon, or to what it runs under.
func (c *Counter) SignalDaemon(signal syscall.Signal) error {
	return c.daemon.command.Process.Signal(signal)
}

// DaemonPID is the process id of the daemon, or of what it runs under.
func (c *Counter) DaemonPID() int { return c.daemon.command.Process.Pid }

// DaemonDone is closed when the daemon has ended.
func (c *Counter) DaemonDone() <-chan struct{} { return c.daemon.exited }

// DaemonExited waits for the daemon to end by itself and returns how it did.
func (c *Counter) DaemonExited(ctx context.Context) (*os.ProcessState, error) {
	select {
	case <-c.daemon.exited:
		return c.daemon.command.ProcessState, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// StopDaemon ends the daemon in order. The error says that it did not end, or
// not with status 0.
func (c *Counter) StopDaemon() error { return c.daemon.stop() }
