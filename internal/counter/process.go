package counter

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"syscall"
	"time"
)

// process is one running payscand.
type process struct {
	name    string // of its command
	command *exec.Cmd
	log     *os.File
	exited  chan struct{}
	killed  bool
}

// start runs a program, whose command line may begin with one that runs it.
func start(program []string, log string, args ...string) (*process, error) {
	file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	p := &process{name: args[0], command: exec.CommandContext(context.Background(), program[0], slices.Concat(program[1:], args)...), log: file, exited: make(chan struct{})}
	p.command.Stdout, p.command.Stderr = file, file
	// Its own group, so that Ctrl-C reaches this program alone, which stops the
	// others in order. When this program is killed they end too.
	p.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	started := make(chan error)
	go func() {
		// The kernel watches over the thread that starts the process, not over the program.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.command.Start()
		started <- err
		if err == nil {
			_ = p.command.Wait() // how it ended is in its ProcessState
			close(p.exited)
		}
	}()
	if err := <-started; err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return p, nil
}

// until asks again and again whether the process is as it should be.
func (p *process) until(ctx context.Context, ready func() bool) error {
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for !ready() {
		select {
		case <-again.C:
		case <-p.exited:
			return fmt.Errorf("%s ended:\n%s", p.name, Tail(p.log.Name(), 20))
		case <-ctx.Done():
			return fmt.Errorf("%s did not get ready: %w\n%s", p.name, ctx.Err(), Tail(p.log.Name(), 20))
		}
	}
	return nil
}

// kill ends the process as a power cut would.
func (p *process) kill() {
	p.killed = true
	_ = p.command.Process.Kill() // it may have ended
	<-p.exited
	p.log.Close()
}

// stop ends the process in order; one that was never started is stopped.
func (p *process) stop() error {
	if p == nil {
		return nil
	}
	_ = p.command.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-p.exited:
	case <-time.After(15 * time.Second):
		p.kill()
		return fmt.Errorf("%s did not stop by itself", p.name)
	}
	if err := p.log.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return err
	}
	if state := p.command.ProcessState; !state.Success() && !p.killed {
		return fmt.Errorf("%s ended with %v:\n%s", p.name, state, Tail(p.log.Name(), 20))
	}
	return nil
}

// Tail returns a file's last lines.
func Tail(path string, lines int) []byte {
	content, err := os.ReadFile(path)
	if err != nil {
		return []byte(err.Error())
	}
	all := bytes.Split(bytes.TrimSpace(content), []byte("\n"))
	return bytes.Join(all[max(0, len(all)-lines):], []byte("\n"))
}
