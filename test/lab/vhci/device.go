package vhci

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// controller is where the driver takes orders.
const controller = "/sys/devices/platform/vhci_hcd.0/"

// ErrUnplugged says that the device is not plugged in any more.
var ErrUnplugged = errors.New("the device is unplugged")

// Packet is what the device sends for one poll of its endpoint.
type Packet struct {
	Data []byte
	// Stall refuses the poll instead, once.
	Stall bool
}

// Device is a plugged-in device. Its methods are safe for concurrent use.
type Device struct {
	descriptor Descriptor
	port       int
	link       net.Conn // to the kernel

	mu      sync.Mutex
	polls   []poll    // of the endpoint, not answered yet
	waiting []sending // not polled for yet
	on      bool      // it may send
	changed chan struct{}
	gone    chan struct{}
}

// poll is a URB of the kernel that waits for a packet.
type poll struct {
	sequence uint32
	length   int
}

type sending struct {
	packet Packet
	taken  chan<- struct{} // nil for all but the last of a Send
}

// Plug plugs a device into a free port of the virtual controller (0 to 7).
func Plug(port int, descriptor Descriptor) (*Device, error) {
	ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer syscall.Close(ends[1]) //nolint:errcheck // the kernel holds its own reference
	link, err := connection(ends[0])
	if err != nil {
		return nil, err
	}
	d := newDevice(descriptor, port, link)
	go d.serve()
	go d.transmit()
	order := fmt.Sprintf("%d %d %d %d", port, ends[1], 1<<16|port+1, descriptor.Speed)
	if err := os.WriteFile(controller+"attach", []byte(order), 0o200); err != nil {
		return nil, errors.Join(fmt.Errorf("plug into port %d: %w", port, err), link.Close())
	}
	return d, nil
}

func newDevice(descriptor Descriptor, port int, link net.Conn) *Device {
	return &Device{descriptor: descriptor, port: port, link: link, on: descriptor.SwitchedOnBy == 0, changed: make(chan struct{}, 1), gone: make(chan struct{})}
}

func connection(descriptor int) (net.Conn, error) {
	file := os.NewFile(uintptr(descriptor), "usb")
	defer file.Close()
	return net.FileConn(file)
}

// Unplug pulls the cable. It returns when the kernel has let go of the link.
func (d *Device) Unplug() error {
	if err := os.WriteFile(controller+"detach", fmt.Append(nil, d.port), 0o200); err != nil {
		return fmt.Errorf("unplug port %d: %w", d.port, err)
	}
	<-d.gone
	return nil
}

// Send offers packets and returns when the kernel has taken all of them.
func (d *Device) Send(ctx context.Context, packets ...Packet) error {
	if len(packets) == 0 {
		return nil
	}
	taken := make(chan struct{})
	d.mu.Lock()
	for i, packet := range packets {
		s := sending{packet: packet}
		if i == len(packets)-1 {
			s.taken = taken
		}
		d.waiting = append(d.waiting, s)
	}
	d.mu.Unlock()
	d.notify()
	select {
	case <-taken:
		return nil
	case <-d.gone:
		return ErrUnplugged
	case <-ctx.Done():
		return ctx.Err()
	}
}

// notify says that there may be something to transmit.
func (d *Device) notify() {
	select {
	case d.changed <- struct{}{}:
	default: // it was said already
	}
}

// transmit gives waiting packets to waiting polls, one in each interval: the
// virtual controller itself polls as fast as it is answered, as none of copper does.
func (d *Device) transmit() {
	interval := time.NewTicker(d.descriptor.interval())
	defer interval.Stop()
	for {
		select {
		case <-d.changed:
		case <-d.gone:
			return
		}
		for d.transmitOne() {
			<-interval.C
		}
	}
}

func (d *Device) transmitOne() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.on || len(d.waiting) == 0 || len(d.polls) == 0 {
		return false
	}
	poll, sending := d.polls[0], d.waiting[0]
	d.polls, d.waiting = d.polls[1:], d.waiting[1:]
	if sending.packet.Stall {
		d.complete(poll.sequence, stalled, nil)
	} else {
		data := sending.packet.Data
		d.complete(poll.sequence, 0, data[:min(len(data), poll.length)])
	}
	if sending.taken != nil {
		close(sending.taken)
	}
	return true
}

// The protocol's commands, and the statuses that are answered: negative numbers
// of Linux's errno.
const (
	commandSubmit, commandUnlink = 1, 2
	answerSubmit, answerUnlink   = 3, 4

	headerBytes = 48
	directionIn = 1

	stalled  = -int32(syscall.EPIPE)
	unlinked = -int32(syscall.ECONNRESET)
)

// request is the header of what the kernel sends; all numbers are big-endian.
type request [headerBytes]byte

func (r *request) word(offset int) uint32 { return binary.BigEndian.Uint32(r[offset:]) }
func (r *request) command() uint32        { return r.word(0) }
func (r *request) sequence() uint32       { return r.word(4) }
func (r *request) in() bool               { return r.word(12) == directionIn }
func (r *request) endpoint() uint32       { return r.word(16) }
func (r *request) unlinks() uint32        { return r.word(20) }
func (r *request) length() int            { return int(r.word(24)) }
func (r *request) setup() [8]byte         { return [8]byte(r[40:]) }

// serve answers the kernel until the link ends.
func (d *Device) serve() {
	defer close(d.gone)
	defer d.link.Close()
	var r request
	for {
		if _, err := io.ReadFull(d.link, r[:]); err != nil {
			return
		}
		if r.command() == commandSubmit && !r.in() && r.length() > 0 {
			if _, err := io.CopyN(io.Discard, d.link, int64(r.length())); err != nil {
				return
			}
		}
		d.mu.Lock()
		switch r.command() {
		case commandSubmit:
			d.submit(&r)
		case commandUnlink:
			d.unlink(&r)
		}
		d.mu.Unlock()
	}
}

func (d *Device) submit(r *request) {
	switch {
	case r.endpoint() != 0 && r.in():
		d.polls = append(d.polls, poll{r.sequence(), r.length()})
		d.notify()
	case r.endpoint() != 0: // it has no endpoint to receive on; what comes is taken
		d.answer(answerSubmit, r.sequence(), 0, r.length(), nil)
	default:
		d.control(r)
	}
}

func (d *Device) control(r *request) {
	if d.descriptor.switchesOn(r.setup()) {
		d.on = true
		d.notify()
	}
	data, ok := d.descriptor.answer(r.setup())
	switch {
	case !ok:
		d.complete(r.sequence(), stalled, nil)
	case r.in():
		d.complete(r.sequence(), 0, data[:min(len(data), r.length())])
	default:
		d.answer(answerSubmit, r.sequence(), 0, r.length(), nil)
	}
}

// unlink takes a poll back, unless it was answered already.
func (d *Device) unlink(r *request) {
	var status int32
	for i, poll := range d.polls {
		if poll.sequence == r.unlinks() {
			d.polls = append(d.polls[:i:i], d.polls[i+1:]...)
			status = unlinked
			break
		}
	}
	d.answer(answerUnlink, r.sequence(), status, 0, nil)
}

func (d *Device) complete(sequence uint32, status int32, data []byte) {
	d.answer(answerSubmit, sequence, status, len(data), data)
}

// answer writes an answer. An error is serve's to find: it reads the same link.
func (d *Device) answer(command, sequence uint32, status int32, length int, data []byte) {
	b := make([]byte, headerBytes, headerBytes+len(data))
	binary.BigEndian.PutUint32(b[0:], command)
	binary.BigEndian.PutUint32(b[4:], sequence)
	binary.BigEndian.PutUint32(b[20:], uint32(status))
	binary.BigEndian.PutUint32(b[24:], uint32(length))
	_, _ = d.link.Write(append(b, data...))
}
