package test

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// command is a payscand that runs beside the test.
type command struct {
	t   *testing.T
	ctx context.Context //nolint:containedctx // of the test
	cmd *exec.Cmd
	// in is what is typed.
	in  io.WriteCloser
	out output // what it prints, errors included
	// printed is its standard output alone.
	printed output
	ended   chan struct{}
}

// start runs payscand with arguments. It ends with the test at the latest.
func start(t *testing.T, environment []string, arguments ...string) *command {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	c := &command{t: t, ctx: ctx, cmd: exec.CommandContext(ctx, program, arguments...), ended: make(chan struct{})}
	c.cmd.Env = append(os.Environ(), environment...)
	c.cmd.Stdout, c.cmd.Stderr = io.MultiWriter(&c.out, &c.printed), &c.out
	var err error
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = c.cmd.Wait() // how it ended is for exit to judge
		close(c.ended)
	}()
	t.Cleanup(func() {
		cancel()
		<-c.ended
	})
	return c
}

// runProgram runs payscand to its end.
func runProgram(t *testing.T, arguments ...string) (printed string, status int) {
	t.Helper()
	c := start(t, nil, arguments...)
	status = c.exit()
	return c.out.String(), status
}

// awaitText waits until the command has printed a text.
func (c *command) awaitText(text string) {
	c.t.Helper()
	for {
		printed, grown := c.out.now()
		if strings.Contains(printed, text) {
			return
		}
		select {
		case <-grown:
		case <-c.ended:
			c.t.Fatalf("%q was never printed:\n%s", text, c.out.String())
		}
	}
}

// interrupt is Ctrl-C.
func (c *command) interrupt() {
	c.t.Helper()
	if err := c.cmd.Process.Signal(syscall.SIGINT); err != nil {
		c.t.Fatal(err)
	}
}

// typeLine types a line and Enter.
func (c *command) typeLine(line string) {
	c.t.Helper()
	if _, err := io.WriteString(c.in, line+"\n"); err != nil {
		c.t.Fatal(err)
	}
}

// exit waits for the command's end and returns its exit status.
func (c *command) exit() int {
	c.t.Helper()
	<-c.ended
	if errors.Is(c.ctx.Err(), context.DeadlineExceeded) {
		c.t.Fatalf("did not end by itself:\n%s", c.out.String())
	}
	return c.cmd.ProcessState.ExitCode()
}

// output is what was printed so far.
type output struct {
	mu    sync.Mutex
	text  strings.Builder
	grown chan struct{} // closed by the next write
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.grown != nil {
		close(o.grown)
		o.grown = nil
	}
	return o.text.Write(p)
}

// now returns the text, and a channel that is closed when there is more.
func (o *output) now() (text string, grown <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.grown == nil {
		o.grown = make(chan struct{})
	}
	return o.text.String(), o.grown
}

func (o *output) String() string {
	text, _ := o.now()
	return text
}
