package device

import (
	"bytes"
	"context"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// How often a driver looks for a scanner that is not ready. With the time that a
// driver takes to settle, each keeps a replug within the promised second.
const (
	// lookAlone: nobody tells when something is plugged in.
	lookAlone = 400 * time.Millisecond
	// lookBehind: the kernel tells, so this only mends what was missed.
	lookBehind = 2 * time.Second
	// lookSoon, for soonTime after news: the kernel tells first of the device and
	// a little later of its parts, and udev sets their rights after that.
	lookSoon = 50 * time.Millisecond
	soonTime = time.Second
)

// PlugNews tells a driver when to look again for a scanner that is not ready:
// soon after the kernel or udev said that a USB device or a serial port came or
// went, and every now and then without. The zero value is told nothing and only
// looks often. A single goroutine uses it.
type PlugNews struct {
	socket *os.File // netlink; nil where the system refuses it
	until  time.Time
}

// ListenForPlugs begins to listen. What is plugged in from now on is not missed,
// so look after the call. Close ends it. Where the system refuses the socket
// (a container, a unit without AF_NETLINK), looking often stands in for it.
func ListenForPlugs() *PlugNews {
	const groups = 1 | 2 // of the kernel, and of udev once it has set the rights
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_KOBJECT_UEVENT)
	if err != nil {
		return new(PlugNews)
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups}); err != nil {
		_ = unix.Close(fd)
		return new(PlugNews)
	}
	return &PlugNews{socket: os.NewFile(uintptr(fd), "uevents")}
}

// Close ends the listening.
func (p *PlugNews) Close() {
	if p.socket != nil {
		_ = p.socket.Close()
	}
}

// Wait returns when it is time to look again, or when ctx ends.
func (p *PlugNews) Wait(ctx context.Context) {
	now := time.Now()
	switch {
	case p.socket == nil:
		Pause(ctx, lookAlone)
	case now.Before(p.until): // things are moving: more may follow
		p.listen(ctx, now.Add(lookSoon))
		Pause(ctx, time.Until(now.Add(lookSoon)))
	case p.listen(ctx, now.Add(lookBehind)):
		p.until = time.Now().Add(soonTime)
	}
}

// listen waits for news of USB devices or serial ports until a time or the end of
// ctx, and tells whether there was any.
func (p *PlugNews) listen(ctx context.Context, until time.Time) bool {
	if err := p.socket.SetReadDeadline(until); err != nil {
		Pause(ctx, lookAlone)
		return false
	}
	stop := context.AfterFunc(ctx, func() { _ = p.socket.SetReadDeadline(time.Now()) })
	defer stop()
	message := make([]byte, 8192) // longer than any (UEVENT_BUFFER_SIZE of Linux is 2048)
	for ctx.Err() == nil {
		n, err := p.socket.Read(message)
		switch {
		case errors.Is(err, unix.ENOBUFS): // there was more than could be kept
			return true
		case errors.Is(err, os.ErrDeadlineExceeded):
			return false
		case err != nil:
			Pause(ctx, lookAlone)
			return true
		case isPlugNews(message[:n]):
			return true
		}
	}
	return false
}

// isPlugNews tells whether a message of the kernel or of udev is about something
// that a scanner can be. Both hold strings KEY=value that end with NUL.
func isPlugNews(message []byte) bool {
	for property := range bytes.SplitSeq(message, []byte{0}) {
		switch string(property) {
		case "SUBSYSTEM=usb", "SUBSYSTEM=hid", "SUBSYSTEM=tty":
			return true
		}
	}
	return false
}

// Pause waits so long, or until ctx ends.
func Pause(ctx context.Context, length time.Duration) {
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
