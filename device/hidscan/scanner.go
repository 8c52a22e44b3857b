package hidscan

import (
	"context"
	"errors"
	"fmt"
	"time"

	"payscand/device"
)

// noSupport is the detail of a scanner in a program without cgo.
const noSupport = "this payscand was built without HID support: install one that was built with cgo, " +
	"or set the scanner to USB serial mode and configure it as a serial scanner"

// Scanner is a device.Scanner on a USB HID device.
type Scanner struct {
	config   Config
	arming   *device.Arming
	framers  map[Mode]*device.Framer
	reporter *device.Reporter
	tree     tree
	open     opener // nil: no HID support
	listen   func() *device.PlugNews
}

var _ device.Scanner = (*Scanner)(nil)

// New returns the scanner that config describes, stamping its scans with the
// tokens of arming. The error is that of Config.Validate.
func New(config Config, arming *device.Arming) (*Scanner, error) {
	if err := config.Validate(); err != nil {
		return nil, fmt.Errorf("hid scanner: %w", err)
	}
	config = config.WithDefaults()
	return &Scanner{
		config:   config,
		arming:   arming,
		reporter: device.NewReporter(config.device(), config.Name),
		framers:  framersOf(config),
		tree:     systemTree(),
		open:     openUSB,
		listen:   device.ListenForPlugs,
	}, nil
}

// framersOf makes the framer of each mode, which outlives unplugging. What is no
// keyboard tells itself where a scan ends.
func framersOf(config Config) map[Mode]*device.Framer {
	framers := map[Mode]*device.Framer{
		ModeKeyboard: device.NewFramer(config.device(), config.Terminator, config.IdleTimeout),
		ModePOS:      device.NewFramer(config.device(), device.TerminatorDevice, 0),
		ModeIBM:      device.NewFramer(config.device(), device.TerminatorDevice, 0),
	}
	for _, framer := range framers {
		framer.Strip(config.Affixes)
	}
	return framers
}

// Status returns the present state and counters.
func (s *Scanner) Status() device.Status { return s.reporter.Status() }

// Run reads the scanner until ctx ends, which it notices within idleWait.
func (s *Scanner) Run(ctx context.Context, sink device.Sink) {
	defer func() { s.reporter.Stop(time.Now()) }()
	if s.open == nil {
		s.reporter.Enter(sink, device.StateFailed, noSupport, time.Now())
		<-ctx.Done()
		return
	}
	news := s.listen()
	defer news.Close()
	s.reporter.Keep(ctx, sink, news, func() error { return s.session(ctx, sink) }, s.explain)
}

// claim finds and opens the scanner, so that it sends its scans here alone.
func (s *Scanner) claim() (handle, target, error) {
	s.tree.rebind(s.config)
	found, err := s.tree.find(s.config)
	if err != nil {
		return nil, found, err
	}
	if err := checkAccess(s.config, found.node); err != nil {
		return nil, found, err
	}
	opened, err := s.open(found.path)
	if err != nil {
		return nil, found, s.explainOpen(found, err)
	}
	if found.greeting != nil {
		_, _ = opened.SendFeatureReport(found.greeting) // most need none, and refuse it
	}
	return opened, found, nil
}

// session claims the scanner and reads it until it is lost, with the reason, or
// until ctx ends, with nil.
func (s *Scanner) session(ctx context.Context, sink device.Sink) error {
	opened, found, err := s.claim()
	if err != nil {
		return err
	}
	reader := newReader(opened, s.arming, time.Now)
	quiet, err := reader.settle(ctx)
	if err != nil || ctx.Err() != nil {
		_ = opened.Close()
		return err
	}
	// The beginning of a scan that is under way is not known.
	reader.dropped = !quiet
	s.reporter.Enter(sink, device.StateReady, "", time.Now())

	batches, decoded := make(chan batch, queuedBatches), make(chan struct{})
	go func() {
		defer close(decoded)
		s.decode(found, batches, sink)
	}()
	err = reader.read(ctx, batches)
	// Errors are of no use: after an unplug they are to be expected.
	_ = opened.Close()
	close(batches)
	<-decoded
	return err
}

// decode makes scans of batches until there are no more.
func (s *Scanner) decode(found target, batches <-chan batch, sink device.Sink) {
	stream := &stream{
		pieces:  pieces{lengths: found.protocol.lengths, packet: found.packet},
		decoder: found.protocol.newWith(layouts[s.config.Layout]),
		framer:  s.framers[found.protocol.mode],
		passOn:  func(frame device.Frame) { s.reporter.Frame(sink, frame) },
	}
	for b := range batches {
		typed := stream.take(b)
		s.reporter.Received(typed)
		b.wipe()
	}
	stream.end()
}

// explainOpen looks for why the library did not open what could be opened: its
// own error does not say.
func (s *Scanner) explainOpen(found target, cause error) error {
	if again, err := s.tree.find(s.config); err != nil {
		return err // unplugged, or taken by another program meanwhile
	} else if again.path != found.path {
		return refuse(device.StateMissing, "%s was unplugged: plug it in again", describe(s.config))
	}
	return refuse(device.StateFailed, "cannot open %s: %v; restart this service (systemd: it needs AF_NETLINK and no PrivateDevices=), "+
		"or unplug the scanner and plug it in again", describe(s.config), cause)
}

func (s *Scanner) explain(err error) (device.State, string) {
	if refused, ok := errors.AsType[*refusal](err); ok {
		return refused.state, refused.detail
	}
	return device.StateMissing, fmt.Sprintf("the scanner %s was unplugged: plug it in again", describe(s.config))
}
