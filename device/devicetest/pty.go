package devicetest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// writeTimeout bounds a write that nobody reads: the kernel's buffer takes some
// kilobytes.
const writeTimeout = 5 * time.Second

// ErrUnplugged is returned by writes to a scanner that is not plugged in.
var ErrUnplugged = errors.New("the virtual scanner is unplugged")

// PTY is a virtual serial scanner. Its port is a symbolic link at a stable path
// to the pseudo-terminal, whose number changes with every replug as a real
// port's does. Line settings have no effect. It is safe for concurrent use.
type PTY struct {
	link string

	mu     sync.Mutex
	master *os.File // nil while unplugged
}

// NewPTY returns a virtual scanner, plugged in, whose port is linkPath. A
// symbolic link found there, as a killed program leaves it, is replaced;
// anything else is an error. Its folder must exist.
func NewPTY(linkPath string) (*PTY, error) {
	p := &PTY{link: linkPath}
	if err := p.Plug(); err != nil {
		return nil, err
	}
	return p, nil
}

// Path is the port to configure: the symbolic link.
func (p *PTY) Path() string { return p.link }

// Scan sends code and CR. What nobody reads yet is lost when a driver opens the
// port, as it discards what came earlier: wait until the scanner is ready.
func (p *PTY) Scan(code string) error {
	_, err := p.Write([]byte(code + "\r"))
	return err
}

// Write sends bytes as they are. It fails with ErrUnplugged, or after 5 s when
// nobody reads and the kernel's buffer is full.
func (p *PTY) Write(data []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.master == nil {
		return 0, ErrUnplugged
	}
	if err := p.master.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return 0, fmt.Errorf("virtual scanner: %w", err)
	}
	n, err := p.master.Write(data)
	if err != nil {
		err = fmt.Errorf("virtual scanner: %w", err)
	}
	return n, err
}

// Plug makes a new pseudo-terminal and points the link at it. It does nothing
// when the scanner is plugged in.
func (p *PTY) Plug() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.master != nil {
		return nil
	}
	master, slave, err := openPTY()
	if err != nil {
		return fmt.Errorf("virtual scanner: %w", err)
	}
	if err := replaceLink(slave, p.link); err != nil {
		_ = master.Close()
		return fmt.Errorf("virtual scanner: %w", err)
	}
	p.master = master
	return nil
}

// Unplug removes the link and closes the pseudo-terminal; a reader sees its
// port hang up. It does nothing when the scanner is unplugged.
func (p *PTY) Unplug() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.master == nil {
		return nil
	}
	// The link first: the number may be another program's terminal next.
	linkErr := os.Remove(p.link)
	if errors.Is(linkErr, fs.ErrNotExist) {
		linkErr = nil
	}
	err := errors.Join(linkErr, p.master.Close())
	p.master = nil
	if err != nil {
		return fmt.Errorf("virtual scanner: %w", err)
	}
	return nil
}

// Close is Unplug.
func (p *PTY) Close() error { return p.Unplug() }

var _ io.WriteCloser = (*PTY)(nil)

// openPTY returns the master of a new pseudo-terminal in raw mode and the path
// of its slave. The slave is never opened here: a descriptor left open on it
// would hide an unplug from the reader.
func openPTY() (*os.File, string, error) {
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, "", fmt.Errorf("open /dev/ptmx: %w", err)
	}
	slave, err := preparePTY(fd)
	if err != nil {
		_ = unix.Close(fd)
		return nil, "", err
	}
	return os.NewFile(uintptr(fd), "/dev/ptmx"), slave, nil
}

// preparePTY unlocks the slave and sets it raw: until its reader does so, the
// terminal would echo and wait for whole lines.
func preparePTY(fd int) (slave string, err error) {
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		return "", fmt.Errorf("unlock pseudo-terminal: %w", err)
	}
	number, err := unix.IoctlGetUint32(fd, unix.TIOCGPTN)
	if err != nil {
		return "", fmt.Errorf("number of pseudo-terminal: %w", err)
	}
	settings, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return "", fmt.Errorf("settings of pseudo-terminal: %w", err)
	}
	settings.Iflag = 0
	settings.Oflag = 0
	settings.Lflag = 0
	settings.Cflag |= unix.CS8 | unix.CREAD | unix.CLOCAL
	settings.Cc[unix.VMIN], settings.Cc[unix.VTIME] = 1, 0
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, settings); err != nil {
		return "", fmt.Errorf("raw mode of pseudo-terminal: %w", err)
	}
	return "/dev/pts/" + strconv.FormatUint(uint64(number), 10), nil
}

// replaceLink makes link point at target in one step, so that a reader finds
// either nothing or a whole link.
func replaceLink(target, link string) error {
	if info, err := os.Lstat(link); err == nil && info.Mode()&fs.ModeSymlink == 0 {
		return fmt.Errorf("%s exists and is not a symbolic link: choose another path", link)
	}
	folder, err := os.MkdirTemp(filepath.Dir(link), ".plug-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	fresh := filepath.Join(folder, "port")
	if err := os.Symlink(target, fresh); err != nil {
		return err
	}
	return os.Rename(fresh, link)
}
