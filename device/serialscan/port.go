package serialscan

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"go.bug.st/serial"
	"golang.org/x/sys/unix"

	"payscand/device"
	"payscand/device/usb"
)

// maxDescriptor keeps file descriptors below select's limit of 1024, beyond
// which the library panics; the port and the library's pipe take three more
// after the lock's.
const maxDescriptor = unix.FD_SETSIZE - 16

// port is an open and locked serial port. One goroutine owns it.
type port struct {
	lock int // descriptor open on the same device node; holds the flock
	line serial.Port
}

// openError says why a port could not be opened, in terms of scanner states.
type openError struct {
	state  device.State
	detail string
	cause  error
}

func (e *openError) Error() string { return e.detail }
func (e *openError) Unwrap() error { return e.cause }

// pathOf returns the device node of the scanner: the configured one, or the one
// that its USB device has now. No port is opened to find it. The error is an
// *openError.
func pathOf(config Config, tree usb.Tree) (string, error) {
	if config.Port != "" {
		return config.Port, nil
	}
	var found []string
	for _, port := range tree.Ports() {
		if port.Device != nil && port.Device.Is(config.USB) && (config.Interface == nil || port.Interface == *config.Interface) {
			found = append(found, port.Path)
		}
	}
	ids := strings.TrimPrefix(config.device(), "serial:")
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return "", &openError{state: device.StateMissing, cause: fs.ErrNotExist, detail: fmt.Sprintf("no serial port of a USB device %s: "+
			"plug the scanner in, set it to USB serial mode, or mend its ids in the configuration (payscand devices list shows them)", ids)}
	}
	return "", &openError{state: device.StateFailed, detail: fmt.Sprintf("%d serial ports are of USB devices %s, and nothing says which one is meant: "+
		"configure the serial number or the interface, or unplug the others", len(found), ids)}
}

// openPort opens, locks and configures the port at path. The error is an
// *openError.
func openPort(path string, config Config) (*port, error) {
	lock, err := lockNode(path)
	if err != nil {
		return nil, explainOpen(path, err)
	}
	// The library gets the very node that was locked, even if the path has
	// come to mean another one since.
	node := "/proc/self/fd/" + strconv.Itoa(lock)
	line, err := serial.Open(node, config.mode())
	if err != nil {
		_ = unix.Close(lock)
		return nil, explainOpen(path, err)
	}
	p := &port{lock: lock, line: line}
	if err := p.releasePseudoTerminal(); err != nil {
		p.close()
		return nil, explainOpen(path, fmt.Errorf("leave exclusive mode: %w", err))
	}
	return p, nil
}

var (
	errNotSerial   = errors.New("not a serial port")
	errLocked      = errors.New("locked by another program")
	errDescriptors = errors.New("too many files are open in this process")
)

// lockNode opens the device node, makes sure that it is a serial port, and
// takes the lock.
func lockNode(path string) (int, error) {
	// O_NONBLOCK: do not wait for a carrier on a line that honours it.
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	if err := checkNode(fd); err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func checkNode(fd int) error {
	if fd > maxDescriptor {
		return errDescriptors
	}
	if _, err := unix.IoctlGetTermios(fd, unix.TCGETS); errors.Is(err, unix.ENOTTY) {
		return errNotSerial
	} else if err != nil {
		return err
	}
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); errors.Is(err, unix.EWOULDBLOCK) {
		return errLocked
	} else if err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	return nil
}

// releasePseudoTerminal undoes the library's TIOCEXCL on a pseudo-terminal. A
// real port forgets it when its last user dies; a pseudo-terminal lives on with
// its other end, and after a SIGKILL nobody but root could open it again
// (measured on Linux 6.18: EBUSY). The lock still keeps a second reader away.
func (p *port) releasePseudoTerminal() error {
	var stat unix.Stat_t
	if err := unix.Fstat(p.lock, &stat); err != nil {
		return err
	}
	// Majors of pseudo-terminal slaves: Linux, Documentation/admin-guide/devices.txt.
	if major := unix.Major(stat.Rdev); major < 136 || major > 143 {
		return nil
	}
	return unix.IoctlSetInt(p.lock, unix.TIOCNXCL, 0)
}

// read waits up to timeout for bytes; 0 and no error when none came.
func (p *port) read(buffer []byte, timeout time.Duration) (n int, err error) {
	// The library indexes a fixed set by descriptor. openPort keeps well
	// below its end, but other goroutines open files in between.
	defer func() {
		if panicked := recover(); panicked != nil {
			n, err = 0, fmt.Errorf("%w: %v", errDescriptors, panicked)
		}
	}()
	if err := p.line.SetReadTimeout(timeout); err != nil {
		return 0, err
	}
	return p.line.Read(buffer)
}

// close closes the line first, so that the lock outlives it. Errors are of no
// use: after an unplug they are to be expected, and the descriptors are free.
func (p *port) close() {
	_ = p.line.ResetOutputBuffer() // else the kernel waits up to 30 s for a blocked line to take it
	_ = p.line.Close()
	_ = unix.Close(p.lock)
}

// explainOpen turns the reason of a failed open into a state and a sentence
// that says what to do.
func explainOpen(path string, err error) *openError {
	refused := func(state device.State, format string) *openError {
		return &openError{state: state, detail: fmt.Sprintf(format, path), cause: err}
	}
	var library *serial.PortError
	errors.As(err, &library)
	is := func(code serial.PortErrorCode) bool { return library != nil && library.Code() == code }
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENXIO), errors.Is(err, unix.EIO):
		return refused(device.StateMissing, "no scanner at %s: plug it in, or mend the port in the configuration")
	case errors.Is(err, fs.ErrPermission), is(serial.PermissionDenied):
		return refused(device.StateDenied, "not allowed to open %s: add the user of this service to the group that owns it (dialout on Debian)")
	case errors.Is(err, unix.EBUSY), errors.Is(err, errLocked), is(serial.PortBusy):
		return refused(device.StateBusy, "%s is held by another program or by another scanner entry: stop it (ModemManager is a common one)")
	case errors.Is(err, errNotSerial), errors.Is(err, unix.EISDIR):
		return refused(device.StateFailed, "%s is not a serial port: mend the port in the configuration")
	case errors.Is(err, errDescriptors):
		return refused(device.StateFailed, "cannot read %s: too many files are open in this process; restart it and report the fault")
	}
	return &openError{state: device.StateFailed, detail: fmt.Sprintf("cannot open %s: %v", path, err), cause: err}
}
