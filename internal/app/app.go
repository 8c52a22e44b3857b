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
	"payscand/payment"
	"payscand/store"
	"payscand/terminal"
)

// stopBound ends a stop that hangs: within it every request is answered.
const stopBound = 10 * time.Second

// Options are what the configuration does not say.
type Options struct {
	Version string
	Log     *slog.Logger
	// Ready is told where the daemon listens, once every open sale was recovered
	// and requests are answered.
	Ready func(Addresses)
	// Heartbeat is called by the terminal's loop at least every HeartbeatEvery.
	Heartbeat      func()
	HeartbeatEvery time.Duration
}

// Addresses say where the daemon listens; empty: not at all.
type Addresses struct {
	TCP    string
	Socket string
	Kiosks []string
	Notify string
}

// ErrConfiguration: Run would fail again until the configuration is changed.
var ErrConfiguration = terminal.ErrConfiguration

// Run runs the daemon until ctx ends. An error says why it could not start, or
// that the store failed, in which case the process must end and be started again.
func Run(ctx context.Context, config *configs.Config, o Options) error {
	d := &daemon{config: config, options: o, failed: make(chan error, 1)}
	err := d.run(ctx)
	return errors.Join(err, d.down.run(o.Log))
}

type daemon struct {
	config    *configs.Config
	options   Options
	down      teardown
	addresses Addresses
	// failed gets the first error of a part that should have gone on.
	failed chan error
}

func (d *daemon) run(ctx context.Context) error {
	db, err := store.Open(d.config.Store.Path)
	if err != nil {
		return err
	}
	d.down.add("store", func(context.Context) error { return db.Close() })
	if !db.Adopted() {
		d.options.Log.Warn("the database was restored, or is another machine's: old sales are only asked about, new ones refused, " +
			"until the daemon is stopped and payscand adopt was run")
	}

	board := display.NewBoard()
	d.down.add("board", func(context.Context) error { board.Close(); return nil })
	if err := d.startDisplays(board); err != nil {
		return err
	}
	recovered := make(chan struct{})
	gateways, err := gatewaysOf(d.config, d.options.Log)
	if err != nil {
		return err
	}
	t, err := d.newTerminal(db, board, gateways, func() { close(recovered) })
	if err != nil {
		return err
	}
	server, err := d.newAPI(t, db)
	if err != nil {
		return err
	}
	listeners, err := d.listen()
	if err != nil {
		return err
	}
	ended := d.start(t)
	select {
	case <-recovered:
	case <-ended:
		return <-d.failed
	case <-ctx.Done():
		return nil
	}
	d.serveAPI(server, listeners)
	if err := d.serveNotify(t, gateways); err != nil {
		return err
	}
	d.options.Log.Info("ready", "api", d.addresses.TCP, "socket", d.addresses.Socket, "kiosks", d.addresses.Kiosks, "notify", d.addresses.Notify)
	if d.options.Ready != nil {
		d.options.Ready(d.addresses)
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-d.failed:
		return err
	}
}

func (d *daemon) newTerminal(db *store.DB, board *display.Board, gateways []payment.Gateway, recovered func()) (*terminal.Terminal, error) {
	arming := new(device.Arming)
	scanners, err := scannersOf(d.config, arming)
	if err != nil {
		return nil, err
	}
	policy := d.config.PaymentPolicy()
	return terminal.New(terminal.Config{
		Code: d.config.Terminal.Code, Version: d.options.Version, Store: db, Gateways: gateways,
		Policy: policy, Rules: d.config.Codes, Scanners: scanners, Arming: arming, Log: d.options.Log,
		Show: func(s payment.Sale, scene terminal.Scene, now time.Time) {
			board.Show(display.ScreenOf(s, display.Terminal{
				OutOfOrder: scene.OutOfOrder, DamagedScanAt: scene.DamagedAt, QRMargin: policy.QRMargin,
			}, now), now)
		},
		Retention: d.config.Store.Retention(),
		Ready:     recovered,
		Heartbeat: d.options.Heartbeat, HeartbeatEvery: d.options.HeartbeatEvery,
	})
}

// start runs the terminal's loop, until the teardown ends it or it fails.
func (d *daemon) start(t *terminal.Terminal) (ended <-chan struct{}) {
	loop, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		switch err := t.Run(loop); {
		case errors.Is(err, ErrConfiguration):
			d.fail(err)
		case err != nil:
			d.fail(fmt.Errorf("the daemon stops, since only the disk knows the truth now; it must be started again: %w", err))
		}
	}()
	d.down.add("terminal", func(ctx context.Context) error {
		stop()
		select {
		case <-done:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	return done
}

func (d *daemon) fail(err error) {
	select {
	case d.failed <- err:
	default: // the first one is told
	}
}

func (d *daemon) newAPI(t *terminal.Terminal, db *store.DB) (*api.Server, error) {
	tokens, err := api.OpenTokens(d.config.API.TokenDir)
	if err != nil {
		return nil, err
	}
	return api.NewServer(api.Config{
		Terminal: t, Words: display.Words, Tokens: tokens, Origins: d.config.API.AllowedOrigins,
		Backups: backups{db: db, config: d.config.Store, code: d.config.Terminal.Code, log: d.options.Log},
		Version: d.options.Version, Log: d.options.Log,
	})
}

type apiListeners struct{ tcp, socket net.Listener }

// listen takes the API's addresses before anything is recovered, so that a
// register that comes early waits instead of being refused.
func (d *daemon) listen() (l apiListeners, err error) {
	if address := d.config.API.Listen; address != "" {
		if l.tcp, err = api.ListenTCP(address); err != nil {
			return l, err
		}
		d.down.add("api on TCP", closing(l.tcp))
		d.addresses.TCP = l.tcp.Addr().String()
	}
	if path := d.config.API.Socket; path != "" {
		if l.socket, err = api.ListenSocket(path); err != nil {
			return l, err
		}
		d.down.add("api on the socket", closing(l.socket))
		d.addresses.Socket = path
	}
	return l, nil
}

func closing(l net.Listener) func(context.Context) error {
	return func(context.Context) error {
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	}
}

func (d *daemon) serveAPI(server *api.Server, l apiListeners) {
	if l.tcp != nil {
		d.serve("api on TCP", server.HTTPServer(server.TCPHandler()), l.tcp)
	}
	if l.socket != nil {
		d.serve("api on the socket", server.HTTPServer(server.SocketHandler()), l.socket)
	}
	d.down.add("long polls", func(context.Context) error { server.StopWaiting(); return nil })
}

func (d *daemon) serve(name string, s *http.Server, l net.Listener) {
	d.down.add("serving "+name, s.Shutdown)
	go func() {
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			d.fail(fmt.Errorf("%s: %w", name, err))
		}
	}()
}
