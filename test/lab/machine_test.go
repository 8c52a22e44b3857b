package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"payscand/internal/counter"
	"payscand/test/lab/wire"
)

// machine is a running guest.
type machine struct {
	dir     string
	command *exec.Cmd
	exited  chan struct{}

	http    *http.Transport  // to the guest's program
	api     *httptest.Server // the daemon's API, as if the daemon ran here
	qmp     *qmp
	scanner net.Conn // what is written here, QEMU's own serial scanner sends

	gatewayStarted bool // in the guest; it runs as long
	spoilt         bool // by a test that failed: scanners, sales and the daemon are as it left them
}

// boot builds everything and starts a guest. The test is skipped, or fails in CI, where that is not possible.
func boot(t *testing.T, b build) *machine {
	t.Helper()
	ctx := within(t, buildPatience)
	need(t, tools())
	k, err := fetchKernel(ctx)
	need(t, err)
	dir, err := os.MkdirTemp("", "lab") //nolint:usetesting // outlives the test
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{dir: dir}
	image := filepath.Join(dir, "initramfs")
	if err := makeImage(ctx, k, b, image); err != nil {
		t.Fatal(errors.Join(err, m.stop()))
	}
	if err := m.start(ctx, k, image); err != nil {
		t.Fatal(errors.Join(err, m.stop()))
	}
	return m
}

// tools says which programs are missing, and where they are to be had.
func tools() error {
	var missing []error
	for _, tool := range []struct{ program, in string }{
		{emulator, "qemu-system-x86"}, {"modprobe", "kmod"}, {"depmod", "kmod"}, {"udevadm", "udev"}, {"xz", "xz-utils"},
		{"apt-get", "apt"}, {"dpkg-deb", "dpkg"}, {"ldd", "libc-bin"}, {"gcc", "gcc"},
	} {
		if _, err := exec.LookPath(tool.program); err != nil {
			missing = append(missing, fmt.Errorf("there is no %s (Debian: %s)", tool.program, tool.in))
		}
	}
	return errors.Join(missing...)
}

// buildPatience is for fetching a kernel and for compiling the USB library.
const buildPatience = 3 * patience

const emulator = "qemu-system-x86_64"

// start runs QEMU and returns when the guest answers.
func (m *machine) start(ctx context.Context, k kernel, image string) error {
	control, controlEnd, err := socketPair()
	if err != nil {
		return err
	}
	monitor, monitorEnd, err := socketPair()
	if err != nil {
		return err
	}
	serial, serialEnd, err := socketPair()
	if err != nil {
		return err
	}
	m.scanner = serial
	m.command = exec.Command(emulator,
		"-machine", "q35,i8042=off", "-accel", "tcg", "-cpu", "max", "-smp", "1", "-m", "512",
		"-nodefaults", "-no-reboot", "-display", "none", "-nic", "none",
		"-kernel", k.image(), "-initrd", image, "-append",
		// An emulated processor on a busy machine may take too long for the kernel's test of its timer.
		"console=ttyS0 panic=-1 quiet mitigations=off nokaslr no_timer_check",
		"-serial", "file:"+m.console(),
		"-chardev", "socket,id=control,fd=3", "-device", "virtio-serial-pci", "-device", "virtserialport,chardev=control,name=control",
		"-chardev", "socket,id=monitor,fd=4", "-mon", "chardev=monitor,mode=control",
		"-chardev", "socket,id=serial,fd=5",
		"-device", "qemu-xhci,id=usb",
	)
	ends := []*os.File{controlEnd, monitorEnd, serialEnd}
	m.command.ExtraFiles = ends
	if err := m.run(); err != nil {
		return err
	}
	for _, end := range ends {
		end.Close()
	}
	if m.qmp, err = newQMP(monitor); err != nil {
		return err
	}
	m.http = &http.Transport{
		Protocols:   wire.Protocols(),
		DialContext: func(context.Context, string, string) (net.Conn, error) { return control, nil },
	}
	m.api = httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.URL.Path = "http", "guest", path.Join(wire.PathDaemon, r.In.URL.Path)
		},
		FlushInterval: -1,
		Transport:     m.http,
	})
	_, err = call[wire.Text](ctx, m, wire.ReadFile, wire.Name{Name: "/proc/version"})
	return err
}

// run starts QEMU such that it ends with this program, however that ends.
func (m *machine) run() error {
	m.exited = make(chan struct{})
	log, err := os.Create(filepath.Join(m.dir, "qemu.log"))
	if err != nil {
		return err
	}
	defer log.Close()
	m.command.Stdout, m.command.Stderr = log, log
	m.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		// The kernel watches over the thread that starts the process, not over the program.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := m.command.Start()
		started <- err
		if err == nil {
			_ = m.command.Wait() // how it ended is in its ProcessState
			close(m.exited)
		}
	}()
	return <-started
}

// stop pulls the machine's plug.
func (m *machine) stop() error {
	if m.api != nil {
		m.api.Close()
	}
	if m.command != nil && m.command.Process != nil {
		_ = m.command.Process.Kill() // it may have ended
		<-m.exited
	}
	return os.RemoveAll(m.dir)
}

// alive says how the machine ended, if it did.
func (m *machine) alive() error {
	select {
	case <-m.exited:
		return fmt.Errorf("the guest ended: %v\n%s\n%s", m.command.ProcessState,
			counter.Tail(filepath.Join(m.dir, "qemu.log"), 20), counter.Tail(m.console(), 20))
	default:
		return nil
	}
}

func (m *machine) console() string { return filepath.Join(m.dir, "console.log") }

func socketPair() (here net.Conn, there *os.File, err error) {
	ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	file := os.NewFile(uintptr(ends[0]), "here")
	defer file.Close()
	here, err = net.FileConn(file)
	return here, os.NewFile(uintptr(ends[1]), "there"), err
}

// call has the guest do something, and returns when it is done.
func call[Out any](ctx context.Context, m *machine, name string, in any) (out Out, err error) {
	// The guest may end without a word.
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-m.exited:
			cancel(m.alive())
		case <-ctx.Done():
		}
	}()
	body, err := json.Marshal(in)
	if err != nil {
		return out, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://guest"+name, bytes.NewReader(body))
	if err != nil {
		return out, err
	}
	answer, err := m.http.RoundTrip(request)
	if err != nil {
		return out, fmt.Errorf("%s: %w\n%s", name, errors.Join(err, context.Cause(ctx)), counter.Tail(m.console(), 10))
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			return out, err
		}
		return out, fmt.Errorf("%s: %s", name, text)
	}
	return out, json.NewDecoder(answer.Body).Decode(&out)
}

// do is call for what cannot go wrong unless the test has failed.
func do[Out any](t *testing.T, m *machine, name string, in any) Out {
	t.Helper()
	out, err := call[Out](bounded(t), m, name, in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// qmp is QEMU's monitor (QEMU's docs/interop/qmp-spec.rst).
type qmp struct {
	link    net.Conn
	answers *json.Decoder
}

func newQMP(link net.Conn) (*qmp, error) {
	q := &qmp{link: link, answers: json.NewDecoder(link)}
	var greeting json.RawMessage
	if err := q.answers.Decode(&greeting); err != nil {
		return nil, fmt.Errorf("QEMU's monitor: %w", err)
	}
	return q, q.execute("qmp_capabilities", nil)
}

// execute runs a command; what happens meanwhile is left out.
func (q *qmp) execute(name string, arguments any) error {
	command := map[string]any{"execute": name}
	if arguments != nil {
		command["arguments"] = arguments
	}
	if err := json.NewEncoder(q.link).Encode(command); err != nil {
		return err
	}
	for {
		var answer struct {
			Return json.RawMessage
			Error  *struct{ Desc string }
		}
		switch err := q.answers.Decode(&answer); {
		case err != nil:
			return fmt.Errorf("QEMU's monitor: %w", err)
		case answer.Error != nil:
			return fmt.Errorf("QEMU's monitor: %s: %s", name, answer.Error.Desc)
		case answer.Return != nil:
			return nil
		}
	}
}

// plug adds one of QEMU's own USB devices, and unplug pulls it out again. QEMU lets
// go of what a device was connected to some time after it said that it was unplugged:
// it is asked again until it has.
func (q *qmp) plug(driver, id string, properties map[string]any) error {
	arguments := map[string]any{"driver": driver, "id": id, "bus": "usb.0"}
	maps.Copy(arguments, properties)
	for end := time.Now().Add(10 * time.Second); ; {
		err := q.execute("device_add", arguments)
		if err == nil || !strings.Contains(err.Error(), "is in use") || time.Now().After(end) {
			return err
		}
	}
}

func (q *qmp) unplug(id string) error { return q.execute("device_del", map[string]any{"id": id}) }

// typeKeys types on QEMU's USB keyboard, by QEMU's names of keys: digits and small letters are their own.
func (q *qmp) typeKeys(keys ...string) error {
	for _, key := range keys {
		press := []map[string]string{{"type": "qcode", "data": key}}
		if err := q.execute("send-key", map[string]any{"keys": press, "hold-time": 20}); err != nil {
			return err
		}
	}
	return nil
}
