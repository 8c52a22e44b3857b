//go:build linux

// Command guest is the first and only program of the lab's guest beside those
// under test: it sets the machine up, plays USB devices, and does what the tests
// on the other end of a virtual serial port ask for. It is of no use elsewhere:
// run as anything but the first process it refuses.
package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"

	"payscand/test/lab/wire"
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == freezeArgument {
		if err := runFreezer(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, "guest:", err)
			os.Exit(1)
		}
		return
	}
	if os.Getpid() != 1 {
		fmt.Fprintln(os.Stderr, "guest: this is the first process of a virtual machine; see test/lab")
		os.Exit(2)
	}
	err := run()
	fmt.Fprintln(os.Stderr, "guest:", err)
	// The machine ends, and whoever started it sees the reason on the console.
	_ = syscall.Reboot(syscall.LINUX_REBOOT_CMD_RESTART)
}

func run() error {
	if err := setUp(); err != nil {
		return err
	}
	console, err := openConsole()
	if err != nil {
		return err
	}
	recorder, err := startRecorder()
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	serveUSB(mux)
	serveGadget(mux)
	serveProcesses(mux)
	serveFiles(mux)
	handle(mux, wire.Typed, console.until)
	handle(mux, wire.Charged, recorder.charged)
	forward(mux, wire.PathDaemon, "unix", wire.Socket)
	forward(mux, wire.PathGateway, "tcp", wire.GatewayAddress)

	port, err := os.OpenFile(wire.Port, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	listener := &portListener{port: port}
	server := &http.Server{Handler: mux, Protocols: wire.Protocols()} //nolint:gosec // one client, that may take its time
	return server.Serve(listener)
}

// portListener accepts the one connection that a serial port is.
type portListener struct {
	port     *os.File
	accepted bool
}

func (l *portListener) Accept() (net.Conn, error) {
	if l.accepted {
		select {} // as long as the machine runs
	}
	l.accepted = true
	return portConn{l.port}, nil
}

func (l *portListener) Close() error   { return errors.New("the port stays open") }
func (l *portListener) Addr() net.Addr { return portAddr{} }

// portConn makes a connection of a port. Nothing on it has a deadline.
type portConn struct{ *os.File }

// Read takes the end of the file for what it is here: nobody on the other end yet.
func (c portConn) Read(b []byte) (int, error) {
	for {
		n, err := c.File.Read(b)
		if n > 0 || err == nil {
			return n, nil
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (portConn) LocalAddr() net.Addr              { return portAddr{} }
func (portConn) RemoteAddr() net.Addr             { return portAddr{} }
func (portConn) SetDeadline(time.Time) error      { return nil }
func (portConn) SetReadDeadline(time.Time) error  { return nil }
func (portConn) SetWriteDeadline(time.Time) error { return nil }

type portAddr struct{}

func (portAddr) Network() string { return "port" }
func (portAddr) String() string  { return wire.Port }
