// Package app builds the daemon from its configuration, starts it and stops it.
// Tests embed it; cmd/payscand only adds flags and signals.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"payscand/api"
	"payscand/configs"
	"payscand/device"
	"payscand/display"
	"payscand/store"
	"payscand/terminal"
)

// stopBound ends a stop that hangs: within it every request is answered.
const stopBound = 10 * time.Second

// Options are what the configuration does not say.
type Options struct {
	Version string
	Log     *slog.Logger
	// Ready is told where the API listens, once every open sale was recovered
	// and requests are answered.
	Ready func(Addresses)
	// Heartbeat is called by the terminal's loop at least every HeartbeatEvery.
	Heartbeat      func()
	HeartbeatEvery time.Duration
}

// Addresses say where the API listens; empty: not at all.
type Addresses struct {
	TCP    string
	Socket string
}

// Run runs the daemon until ctx ends. An error says why it could not start, or
// that the store failed, in which case the process must end and be started again.
func Run(ctx context.Context, config *configs.Config, o Options) (err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var down teardown
	defer func() { err = errors.Join(err, down.run(o.Log)) }()

	db, err := store.Open(config.Store.Path)
	if err != nil {
		return err
	}
	down.add("store", func(context.Context) error { return db.Close() })

	gateways, err := gatewaysOf(config, o.Log)
	if err != nil {
		return err
	}
	arming := new(device.Arming)
	scanners, err := scannersOf(config, arming)
	if err != nil {
		return err
	}

	listening := make(chan struct{})
	t, err := terminal.New(terminal.Config{
		Code: config.Terminal.Code, Version: o.Version, Store: db, Gateways: gateways,
		Policy: config.PaymentPolicy(), Rules: config.Codes, Scanners: scanners, Arming: arming, Log: o.Log,
		Ready:     func() { close(listening) },
		Heartbeat: o.Heartbeat, HeartbeatEvery: o.HeartbeatEvery,
	})
	if err != nil {
		return err
	}

	tokens, err := api.OpenTokens(config.API.TokenDir)
	if err != nil {
		return err
	}
	server, err := api.NewServer(api.Config{
		Terminal: t, Words: display.Words, Tokens: tokens, Origins: config.API.AllowedOrigins,
		Version: o.Version, Log: o.Log,
	})
	if err != nil {
		return err
	}
	listeners, err := listen(config.API)
	if err != nil {
		return err
	}
	down.add("listeners", func(context.Context) error { return listeners.close() })

	stopped := make(chan error, 1)
	loop, stopLoop := context.WithCancel(context.WithoutCancel(ctx))
	go func() { stopped <- t.Run(loop) }()
	down.add("terminal", func(ctx context.Context) error {
		stopLoop()
		select {
		case err := <-stopped:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	select {
	case <-listening:
	case err := <-stopped:
		stopped <- nil
		return fmt.Errorf("recovery: %w", err)
	case <-ctx.Done():
		return nil
	}

	serve(&down, server, listeners, cancel)
	down.add("long polls", func(context.Context) error { server.StopWaiting(); return nil })
	o.Log.Info("ready", "api", listeners.addresses.TCP, "socket", listeners.addresses.Socket)
	if o.Ready != nil {
		o.Ready(listeners.addresses)
	}
	select {
	case <-ctx.Done():
		if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
			return cause
		}
		return nil
	case err := <-stopped:
		stopped <- nil
		return fmt.Errorf("the daemon stops sending, since only the disk knows the truth now; it must be started again: %w", err)
	}
}

func serve(down *teardown, server *api.Server, l *listeners, failed context.CancelCauseFunc) {
	start := func(name string, listener net.Listener, handler http.Handler) {
		if listener == nil {
			return
		}
		s := server.HTTPServer(handler)
		down.add(name, s.Shutdown)
		go func() {
			if err := s.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
				failed(fmt.Errorf("%s: %w", name, err))
			}
		}()
	}
	start("api on TCP", l.tcp, server.TCPHandler())
	start("api on the socket", l.socket, server.SocketHandler())
}

type listeners struct {
	tcp, socket net.Listener
	addresses   Addresses
}

func (l *listeners) close() error {
	var errs []error
	for _, listener := range []net.Listener{l.tcp, l.socket} {
		if listener != nil {
			if err := listener.Close(); !errors.Is(err, net.ErrClosed) {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}

func listen(config configs.API) (l *listeners, err error) {
	l = &listeners{}
	if config.Listen != "" {
		if l.tcp, err = api.ListenTCP(config.Listen); err != nil {
			return nil, err
		}
		l.addresses.TCP = l.tcp.Addr().String()
	}
	if config.Socket != "" {
		if l.socket, err = api.ListenSocket(config.Socket); err != nil {
			return nil, errors.Join(err, l.close())
		}
		l.addresses.Socket = config.Socket
	}
	return l, nil
}
