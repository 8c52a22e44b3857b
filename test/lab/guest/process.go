//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"payscand/test/lab/wire"
)

// processes are the programs under test.
type processes struct {
	mu     sync.Mutex
	byName map[string]*process
	frozen map[string]*freezer
}

type process struct {
	command *exec.Cmd
	output  *tail
	ended   chan struct{}
}

func serveProcesses(mux *http.ServeMux) {
	p := &processes{byName: make(map[string]*process), frozen: make(map[string]*freezer)}
	handle(mux, wire.Start, p.start)
	handle(mux, wire.Signal, p.signal)
	handle(mux, wire.Inspect, p.inspect)
	handle(mux, wire.Freeze, p.freeze)
	handle(mux, wire.Thaw, p.thaw)
}

func (p *processes) start(_ context.Context, c wire.Command) (wire.Nothing, error) {
	process := &process{output: new(tail), ended: make(chan struct{})}
	process.command = exec.Command(wire.Program, c.Args...) //nolint:noctx // it ends when it is told to
	process.command.Stdout, process.command.Stderr = process.output, process.output
	process.command.Env, process.command.Dir = append([]string{"HOME=/tmp"}, c.Env...), wire.ShopDir
	process.command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: c.User, Gid: c.Group, Groups: c.Groups}}
	if err := process.command.Start(); err != nil {
		return wire.Nothing{}, err
	}
	go func() {
		_ = process.command.Wait() // how it ended is in its ProcessState
		close(process.ended)
	}()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.byName[c.Name] = process
	return wire.Nothing{}, nil
}

func (p *processes) find(name string) (*process, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if process := p.byName[name]; process != nil {
		return process, nil
	}
	return nil, fmt.Errorf("no process %q was started", name)
}

func (p *processes) signal(ctx context.Context, s wire.SignalProcess) (wire.Nothing, error) {
	process, err := p.find(s.Name)
	if err != nil {
		return wire.Nothing{}, err
	}
	_ = process.command.Process.Signal(syscall.Signal(s.Signal)) // it may have ended
	if s.Ends {
		select {
		case <-process.ended:
		case <-ctx.Done():
			return wire.Nothing{}, fmt.Errorf("%s does not end: %w\n%s", s.Name, ctx.Err(), process.output)
		}
	}
	return wire.Nothing{}, nil
}

func (p *processes) inspect(_ context.Context, n wire.Name) (wire.Process, error) {
	process, err := p.find(n.Name)
	if err != nil {
		return wire.Process{}, err
	}
	answer := wire.Process{Output: process.output.String()}
	select {
	case <-process.ended:
		answer.Status = process.command.ProcessState.ExitCode()
		return answer, nil
	default:
	}
	answer.Running = true
	folder := filepath.Join("/proc", strconv.Itoa(process.command.Process.Pid))
	descriptors, err := os.ReadDir(filepath.Join(folder, "fd"))
	if err != nil {
		return answer, err
	}
	answer.Descriptors = len(descriptors)
	status, err := os.ReadFile(filepath.Join(folder, "status"))
	if err != nil {
		return answer, err
	}
	const kibibyte = 1024
	answer.Threads = int(field(string(status), "Threads:"))
	answer.Memory = kibibyte * field(string(status), "RssAnon:")
	return answer, nil
}

// field is the number behind a name in a file of /proc.
func field(text, name string) int64 {
	for line := range strings.Lines(text) {
		if words := strings.Fields(line); len(words) > 1 && words[0] == name {
			number, err := strconv.ParseInt(words[1], 10, 64)
			if err == nil {
				return number
			}
		}
	}
	return -1
}

func (p *processes) freeze(_ context.Context, n wire.Name) (wire.Nothing, error) {
	process, err := p.find(n.Name)
	if err != nil {
		return wire.Nothing{}, err
	}
	f, err := freeze(process.command.Process.Pid)
	if err != nil {
		return wire.Nothing{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.frozen[n.Name] = f
	return wire.Nothing{}, nil
}

func (p *processes) thaw(_ context.Context, n wire.Name) (wire.Nothing, error) {
	p.mu.Lock()
	f := p.frozen[n.Name]
	delete(p.frozen, n.Name)
	p.mu.Unlock()
	if f == nil {
		return wire.Nothing{}, fmt.Errorf("%s is not frozen", n.Name)
	}
	return wire.Nothing{}, f.thaw()
}

// tail keeps the end of what is written to it.
type tail struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

const tailBytes = 1 << 20

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buffer.Write(b)
	if extra := t.buffer.Len() - tailBytes; extra > 0 {
		t.buffer.Next(extra)
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buffer.String()
}
