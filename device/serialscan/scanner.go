package serialscan

import (
	"context"
	"errors"
	"fmt"
	"time"

	"payscand/device"
	"payscand/device/usb"
)

const (
	// readInterval is how soon a read returns without bytes, to look at ctx.
	readInterval = 100 * time.Millisecond
	// settleQuiet and settleLimit: after an open, bytes are discarded until
	// the line was quiet for settleQuiet, at most for settleLimit. The kernel
	// may hold some from before, and scanners keep a scan that nobody fetched
	// and send it when the port is opened.
	settleQuiet = 100 * time.Millisecond
	settleLimit = 500 * time.Millisecond

	// awayLimit: bytes found after this program was held up for longer are stamped
	// with the token that was armed before.
	awayLimit = 500 * time.Millisecond

	readBytes = 1024

	noBeginning = "the scanner was sending already when it was opened: scan again"
	heldUp      = "this computer was too busy to tell where the scan ended: scan again"
)

// Scanner is a device.Scanner on a serial port.
type Scanner struct {
	config   Config
	arming   *device.Arming
	framer   *device.Framer
	reporter *device.Reporter
	tree     usb.Tree
	now      func() time.Time
}

var _ device.Scanner = (*Scanner)(nil)

// New returns the scanner that config describes, stamping its scans with the
// tokens of arming. The error is that of Config.Validate.
func New(config Config, arming *device.Arming) (*Scanner, error) {
	if err := config.Validate(); err != nil {
		return nil, fmt.Errorf("serial scanner: %w", err)
	}
	config = config.WithDefaults()
	framer := device.NewFramer(config.device(), config.Terminator, config.IdleTimeout)
	framer.Strip(config.Affixes)
	return &Scanner{
		config:   config,
		arming:   arming,
		framer:   framer,
		reporter: device.NewReporter(config.device(), config.Name),
		tree:     usb.System(),
		now:      time.Now,
	}, nil
}

// Status returns the present state and counters.
func (s *Scanner) Status() device.Status { return s.reporter.Status() }

// Run reads the scanner until ctx ends, which it notices within readInterval.
func (s *Scanner) Run(ctx context.Context, sink device.Sink) {
	defer func() { s.reporter.Stop(time.Now()) }()
	news := new(device.PlugNews) // a path may be a link, of which nobody makes news
	if s.config.Port == "" {
		news = device.ListenForPlugs()
	}
	defer news.Close()
	s.reporter.Keep(ctx, sink, news, func() error { return s.session(ctx, sink) }, s.explain)
}

// session opens the port and reads it until it is lost, with the reason, or
// until ctx ends, with nil.
func (s *Scanner) session(ctx context.Context, sink device.Sink) error {
	buffer := make([]byte, readBytes)
	defer clear(buffer)
	port, err := s.open(ctx, buffer)
	if err != nil {
		return err
	}
	defer port.close()
	s.reporter.Enter(sink, device.StateReady, "", time.Now())
	emit := func(frame device.Frame) { s.reporter.Frame(sink, frame) }
	defer s.framer.Abandon(emit)
	return s.read(ctx, port, buffer, emit)
}

// open finds and opens the port, and reads away, into buffer, what was sent before.
func (s *Scanner) open(ctx context.Context, buffer []byte) (*port, error) {
	path, err := pathOf(s.config, s.tree)
	if err != nil {
		return nil, err
	}
	port, err := openPort(path, s.config)
	if err != nil {
		return nil, err
	}
	if err := s.settle(ctx, port, buffer); err != nil {
		port.close()
		return nil, err
	}
	return port, nil
}

// settle discards what was sent before anybody listened. Where that does not end,
// the beginning of the scan that is under way is not known.
func (s *Scanner) settle(ctx context.Context, port *port, buffer []byte) error {
	for end := s.now().Add(settleLimit); ctx.Err() == nil && s.now().Before(end); {
		n, err := port.read(buffer, settleQuiet)
		if err != nil {
			return err
		}
		if n == 0 {
			return nil
		}
	}
	if ctx.Err() == nil {
		s.framer.Doubt(noBeginning, s.arming.Token(), s.now())
	}
	return nil
}

func (s *Scanner) read(ctx context.Context, port *port, buffer []byte, emit func(device.Frame)) error {
	emptyAt, emptyToken := s.now(), s.arming.Token() // when all that had come was read, and the token armed then
	for ctx.Err() == nil {
		before, armed := s.now(), s.arming.Token()
		wait := s.untilDue(before)
		n, err := port.read(buffer, wait)
		// The token first: a sale armed while we look at the clock is later
		// than these bytes.
		token, now := s.arming.Token(), s.now()
		if err != nil {
			return err
		}
		if now.Sub(emptyAt) > awayLimit {
			token = emptyToken
		}
		if n < len(buffer) {
			emptyAt, emptyToken = before, armed
		}
		if n == 0 {
			s.framer.Expire(before.Add(wait), emit) // what came since then is still to be read
			continue
		}
		s.take(buffer[:n], token, now, emit)
		s.reporter.Received(n)
		clear(buffer[:n]) // no copy of a payment code stays behind
	}
	return nil
}

// take frames bytes that were found at now. If the time-out of the frame under way
// is over only now, this program was held up, and the bytes may have come before
// it: then they are no new scan, and what they belong to is refused.
func (s *Scanner) take(data []byte, token uint64, now time.Time, emit func(device.Frame)) {
	if due, waiting := s.framer.Deadline(); waiting && !now.Before(due) {
		now = due.Add(-1)
		s.framer.Doubt(heldUp, token, now)
	}
	s.framer.Feed(data, token, now, emit)
}

// untilDue is how long to wait for bytes: until the frame under way is due to
// end, at most readInterval.
func (s *Scanner) untilDue(now time.Time) time.Duration {
	deadline, waiting := s.framer.Deadline()
	if !waiting {
		return readInterval
	}
	return max(0, min(readInterval, deadline.Sub(now)))
}

func (s *Scanner) explain(err error) (device.State, string) {
	var refused *openError
	if errors.As(err, &refused) {
		return refused.state, refused.detail
	}
	if errors.Is(err, errDescriptors) {
		refused = explainOpen(s.config.device(), err)
		return refused.state, refused.detail
	}
	return device.StateMissing, fmt.Sprintf("the scanner %s was unplugged: plug it in again", s.config.device())
}
