//go:build linux

package main

import (
	"context"
	"os"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"payscand/test/lab/wire"
)

// consoleNode is the virtual terminal in front: what keyboards type arrives there,
// as in a focused window of a desktop.
const consoleNode = "/dev/tty1"

// console keeps all that was typed on the guest's keyboards.
type console struct {
	mu      sync.Mutex
	typed   strings.Builder
	changed chan struct{} // closed at each change, and replaced
}

func openConsole() (*console, error) {
	node, err := openTerminal(consoleNode)
	if err != nil {
		return nil, err
	}
	c := &console{changed: make(chan struct{})}
	go c.read(node)
	return c, nil
}

func (c *console) read(node *os.File) {
	buffer := make([]byte, 256)
	for {
		n, err := node.Read(buffer)
		if err != nil {
			return
		}
		c.mu.Lock()
		c.typed.Write(buffer[:n])
		close(c.changed)
		c.changed = make(chan struct{})
		c.mu.Unlock()
	}
}

// until waits until text was typed, and returns all that was typed since the start.
func (c *console) until(ctx context.Context, u wire.Until) (wire.Text, error) {
	for {
		c.mu.Lock()
		typed, changed := c.typed.String(), c.changed
		c.mu.Unlock()
		if strings.Contains(typed, u.Text) {
			return wire.Text{Text: typed}, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return wire.Text{}, ctx.Err()
		}
	}
}

// openTerminal opens a terminal that passes every byte on as it is.
func openTerminal(path string) (*os.File, error) {
	node, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	err = control(node, func(descriptor int) error {
		settings, err := unix.IoctlGetTermios(descriptor, unix.TCGETS)
		if err != nil {
			return err
		}
		settings.Iflag, settings.Oflag, settings.Lflag = 0, 0, 0
		settings.Cc[unix.VMIN], settings.Cc[unix.VTIME] = 1, 0
		return unix.IoctlSetTermios(descriptor, unix.TCSETS, settings)
	})
	if err != nil {
		node.Close()
		return nil, &os.PathError{Op: "make raw", Path: path, Err: err}
	}
	return node, nil
}

// drain waits until all that was written has left.
func drain(node *os.File) error {
	return control(node, func(descriptor int) error { return unix.IoctlSetInt(descriptor, unix.TCSBRK, 1) })
}

func control(file *os.File, do func(descriptor int) error) error {
	raw, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var result error
	if err := raw.Control(func(descriptor uintptr) { result = do(int(descriptor)) }); err != nil {
		return err
	}
	return result
}
