package api_test

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"payscand/api"
)

// The socket may be used by its owner and group only, and goes with its listener.
func TestListenSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "api.sock")
	listener, err := api.ListenSocket(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(path)
	if err != nil || info.Mode() != fs.ModeSocket|0o660 {
		t.Errorf("%v, mode %v", err, info.Mode())
	}
	if _, err := api.ListenSocket(path); err == nil || !strings.Contains(err.Error(), "running already") {
		t.Errorf("a second listener: %v", err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is still there: %v", err)
	}
}

// A socket that a crash left is replaced; what is no socket never is.
func TestListenSocketReplaces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "api.sock")
	left, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	left.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := left.Close(); err != nil {
		t.Fatal(err)
	}
	listener, err := api.ListenSocket(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("keep me"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := api.ListenSocket(path); err == nil || !strings.Contains(err.Error(), "not a socket") {
		t.Errorf("a file in the way: %v", err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "keep me" {
		t.Errorf("the file was touched: %q, %v", b, err)
	}
	if _, err := api.ListenSocket("/" + strings.Repeat("s", 107)); err == nil || !strings.Contains(err.Error(), "107") {
		t.Errorf("a path too long: %v", err)
	}
}

// The API speaks no TLS, so it listens on nothing that leaves the machine.
func TestListenTCP(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0", "localhost:0"} {
		listener, err := api.ListenTCP(address)
		if err != nil && strings.HasPrefix(address, "[::1]") {
			continue // a machine without IPv6
		}
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		_ = listener.Close()
	}
	for _, address := range []string{"0.0.0.0:0", ":0", "[::]:0", "10.0.0.1:0", "example.com:0", "127.0.0.1", ""} {
		if listener, err := api.ListenTCP(address); err == nil {
			_ = listener.Close()
			t.Errorf("%q was taken", address)
		}
	}
}

// No more than MaxConnections are served at once; one that ends makes room.
func TestMaxConnections(t *testing.T) {
	c := serve(t)
	conns := make([]net.Conn, 0, api.MaxConnections)
	for range api.MaxConnections {
		conn, err := net.Dial("unix", c.socket)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		healthy(t, conn)
		conns = append(conns, conn)
	}
	next, err := net.Dial("unix", c.socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = next.Close() })
	answered := make(chan error, 1)
	go func() { answered <- askHealth(next) }()
	// The first connection is still served while the next one waits: had the
	// next one been accepted, nothing would hold its answer back until here.
	for range 3 {
		healthy(t, conns[0])
	}
	select {
	case err := <-answered:
		t.Fatalf("connection %d was served (%v)", api.MaxConnections+1, err)
	default:
	}
	if err := conns[1].Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-answered; err != nil {
		t.Error(err)
	}
}

func healthy(t *testing.T, conn net.Conn) {
	t.Helper()
	if err := askHealth(conn); err != nil {
		t.Fatal(err)
	}
}

func askHealth(conn net.Conn) error {
	if _, err := conn.Write([]byte("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
		return err
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != 200 {
		return fmt.Errorf("status %d", response.StatusCode)
	}
	return nil
}

// What net/http logs is bounded to ten lines a minute, each of bounded length.
func TestServerLogIsBounded(t *testing.T) {
	c := serve(t)
	server := c.server.HTTPServer(c.server.TCPHandler())
	for range 50 {
		server.ErrorLog.Print(strings.Repeat("x", 10_000))
	}
	if log := c.log.String(); strings.Count(log, "\n") != 10 || len(log) > 10*400 {
		t.Errorf("%d lines, %d bytes", strings.Count(log, "\n"), len(log))
	}
}
