package hidscan

import (
	"bytes"
	"context"
	"time"

	"payscand/device"
)

const (
	// libraryQueue is how many reports hidapi keeps before it drops the oldest.
	libraryQueue = 32
	// maxBatch bounds what is read at a go.
	maxBatch = 2 * libraryQueue
	// queuedBatches is how far the decoder may lag behind the reader: half a
	// second of the fastest usual keyboard, a report each millisecond.
	queuedBatches = 512

	maxReport = 1024 // bytes; a USB interrupt transfer has no more (USB 2.0, 5.7.3)

	// idleWait is how soon a read returns without a report, to look at the
	// context; busyWait the same while a scan may be under way, as its end by
	// time-out is noticed no sooner. A scan is under way for busyTime at most.
	idleWait = 100 * time.Millisecond
	busyWait = 10 * time.Millisecond
	busyTime = device.StallTimeout + time.Second
	// settleQuiet and settleLimit: after an open, reports are discarded until
	// none came for settleQuiet: the beginning of that scan went to the kernel.
	settleQuiet = 100 * time.Millisecond
	settleLimit = 500 * time.Millisecond
	// awayLimit: a report found after the reader was away for longer is stamped
	// with the token that was armed before.
	awayLimit = 500 * time.Millisecond
)

// opener opens an interface of a USB device by its path.
type opener func(path string) (handle, error)

// handle is an open device of github.com/karalabe/hid.
type handle interface {
	// ReadTimeout waits up to so many milliseconds for a report. 0 waits not at
	// all, whatever the library's own comment says; a time-out returns 0, nil.
	// An error says that the device is gone.
	ReadTimeout(report []byte, milliseconds int) (int, error)
	// SendFeatureReport sends a report that begins with its id.
	SendFeatureReport(report []byte) (int, error)
	// Close must not be called while ReadTimeout runs.
	Close() error
}

// batch is what the reader found at a go; without reports it tells of silence.
type batch struct {
	reports [][]byte
	// emptyAt and at enclose the arrival of all the reports: the library's queue
	// was empty at emptyAt, and all were in it by at. Without reports: nothing
	// had come at emptyAt that is not in an earlier batch.
	emptyAt, at time.Time
	token       uint64 // armed when the first report came
	lost        bool   // reports may be missing before or between these
}

// wipe leaves no copy of a payment code behind.
func (b batch) wipe() {
	for _, report := range b.reports {
		clear(report)
	}
}

// reader reads one open device; a single goroutine uses it.
type reader struct {
	handle handle
	arming *device.Arming
	now    func() time.Time
	buffer []byte

	emptyAt    time.Time // when the queue was last known to be empty, …
	emptyToken uint64    // … and the token armed then
	activeAt   time.Time // when reports were last read
	dropped    bool      // a batch was not handed over
}

func newReader(h handle, arming *device.Arming, now func() time.Time) *reader {
	return &reader{
		handle: h, arming: arming, now: now, buffer: make([]byte, maxReport),
		emptyAt: now(), emptyToken: arming.Token(),
	}
}

// next waits for reports and takes all there are. An error may come with the
// last reports before it.
func (r *reader) next(wait time.Duration) (batch, error) {
	before, armed := r.now(), r.arming.Token()
	n, err := r.handle.ReadTimeout(r.buffer, int(wait.Milliseconds()))
	if err != nil {
		return batch{}, err
	}
	if n == 0 {
		r.emptyAt, r.emptyToken = before, armed
		return batch{emptyAt: before, token: armed}, nil
	}
	b := batch{emptyAt: r.emptyAt, token: r.arming.Token()}
	if r.now().Sub(r.emptyAt) > awayLimit {
		b.token = r.emptyToken
	}
	for n > 0 && err == nil {
		b.reports = append(b.reports, bytes.Clone(r.buffer[:n]))
		clear(r.buffer[:n])
		b.at, armed = r.now(), r.arming.Token()
		if len(b.reports) == maxBatch {
			break
		}
		n, err = r.handle.ReadTimeout(r.buffer, 0)
		if n == 0 && err == nil {
			r.emptyAt, r.emptyToken = b.at, armed
		}
	}
	r.activeAt = b.at
	b.lost = len(b.reports) >= libraryQueue
	return b, err
}

// settle discards what comes until the device is quiet, and tells whether it
// became so.
func (r *reader) settle(ctx context.Context) (quiet bool, err error) {
	for end := r.now().Add(settleLimit); ctx.Err() == nil && r.now().Before(end); {
		b, err := r.next(settleQuiet)
		if err != nil {
			return false, err
		}
		if len(b.reports) == 0 {
			return true, nil
		}
		b.wipe()
	}
	return false, nil
}

// read hands batches over until the device is gone, with the reason, or until
// ctx ends, with nil. It never waits for whoever takes them.
func (r *reader) read(ctx context.Context, batches chan<- batch) error {
	for ctx.Err() == nil {
		wait := idleWait
		if !r.activeAt.IsZero() && r.now().Sub(r.activeAt) < busyTime {
			wait = busyWait
		}
		b, err := r.next(wait)
		if err == nil || len(b.reports) > 0 {
			r.handOver(b, batches)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// handOver passes b on. Where there is no room, reports are dropped and the next
// batch says so; silence is told only to a decoder that has nothing else to do.
func (r *reader) handOver(b batch, batches chan<- batch) {
	if len(b.reports) == 0 && len(batches) > 0 {
		return
	}
	b.lost = b.lost || r.dropped
	select {
	case batches <- b:
		r.dropped = false
	default:
		r.dropped = true
		b.wipe()
	}
}
