package api

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"
	"time"
)

const (
	// MaxConnections bounds the connections of one listener.
	MaxConnections = 256
	maxHeader      = 16 << 10 // bytes
	headerTimeout  = 5 * time.Second
	idleTimeout    = 60 * time.Second
	// answerTimeout lets the longest long poll end and be written.
	answerTimeout = maxWait + 30*time.Second
	maxSocketPath = 107 // bytes: sun_path of Linux without its NUL (unix(7))
)

// HTTPServer returns a server for one of the handlers, with time-outs and
// bounds set. Give it listeners from ListenSocket and ListenTCP, which bound
// the connections; to stop, call StopWaiting and then its Shutdown.
func (s *Server) HTTPServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		// ReadTimeout would end long polls; bodies have a time-out of their own.
		WriteTimeout:   answerTimeout,
		IdleTimeout:    idleTimeout,
		MaxHeaderBytes: maxHeader,
		ErrorLog:       log.New(&sparseLog{log: s.log}, "", 0),
	}
}

// ListenTCP listens on a loopback address such as "127.0.0.1:8480" (port 0: any
// free one), for at most MaxConnections at a time. Any other address is refused:
// the API speaks no TLS.
func ListenTCP(address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("api: listen address: %w", err)
	}
	if host == "" || !isLoopbackHost(host) && !isLoopbackHost("["+host+"]") {
		return nil, fmt.Errorf("api: %s is not a loopback address: listen on 127.0.0.1 or [::1]", address)
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	return Limit(listener, MaxConnections), nil
}

// ListenSocket listens on a Unix socket with permissions 0660, for at most
// MaxConnections at a time. Its folder decides about its group. A socket left
// over by a crash is replaced; one that somebody serves, or a file that is no
// socket, is not. Closing the listener removes the socket.
func ListenSocket(path string) (net.Listener, error) {
	if len(path) > maxSocketPath {
		return nil, fmt.Errorf("api: the socket's path has %d bytes; Linux takes %d", len(path), maxSocketPath)
	}
	if err := removeStaleSocket(path); err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	// Until then the umask holds, which leaves writing, and so connecting, to
	// the owner alone.
	if err := os.Chmod(path, 0o660); err != nil { //nolint:gosec // the group is to use it
		return nil, errors.Join(fmt.Errorf("api: %w", err), listener.Close())
	}
	return Limit(listener, MaxConnections), nil
}

func removeStaleSocket(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeSocket == 0 {
		return fmt.Errorf("%s is there and is not a socket: move it away or configure another path", path)
	}
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(context.Background(), "unix", path)
	if err == nil {
		_ = conn.Close()
		return fmt.Errorf("%s is served by another process: is payscand running already?", path)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("%s: cannot tell whether it is in use: %w", path, err)
	}
	return os.Remove(path)
}

// Limit lets a listener have at most so many connections at once; the kernel
// keeps the next ones waiting.
func Limit(listener net.Listener, most int) net.Listener {
	return &limitedListener{Listener: listener, slots: make(chan struct{}, most), closed: make(chan struct{})}
}

type limitedListener struct {
	net.Listener
	slots  chan struct{}
	once   sync.Once
	closed chan struct{}
}

func (l *limitedListener) Accept() (net.Conn, error) {
	select {
	case l.slots <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	conn, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	return &limitedConn{Conn: conn, release: sync.OnceFunc(func() { <-l.slots })}, nil
}

func (l *limitedListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

type limitedConn struct {
	net.Conn
	release func()
}

func (c *limitedConn) Close() error {
	err := c.Conn.Close()
	c.release()
	return err
}

// sparseLog passes on at most ten lines a minute: some of what net/http logs,
// any local program can bring about.
type sparseLog struct {
	log *slog.Logger

	mu      sync.Mutex
	since   time.Time
	lines   int
	dropped int
}

const logLinesPerMinute = 10

func (l *sparseLog) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := time.Now(); now.Sub(l.since) >= time.Minute {
		l.since, l.lines = now, 0
	}
	if l.lines++; l.lines > logLinesPerMinute {
		l.dropped++
		return len(line), nil
	}
	l.log.Warn("api: http server", "message", string(line[:min(len(line), 200)]), "left_out", l.dropped)
	l.dropped = 0
	return len(line), nil
}
