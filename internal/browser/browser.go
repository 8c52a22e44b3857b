package browser

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/chromedp/chromedp"
)

// Chromium takes seconds to start on a busy machine, and may hang when it is to end.
const (
	startBound = time.Minute
	closeBound = 5 * time.Second
)

// names are those under which distributions install Chromium, the preferred one first.
var names = []string{"chromium", "chromium-browser", "google-chrome"}

// Find returns the path of a Chromium. The error says what to install.
func Find() (string, error) {
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("there is no Chromium on the PATH (looked for %v): install Debian's package chromium", names)
}

// Browser is a running Chromium without a window.
type Browser struct {
	ctx     context.Context //nolint:containedctx // chromedp's handle of the browser
	stop    context.CancelFunc
	command *exec.Cmd
	profile string
}

// Start starts the Chromium at path with a profile of its own in dir, which must be empty. It looks up no host name, so
// that it can reach loopback addresses only, and animates nothing. Close must be called; should this program be killed,
// Chromium ends too. ctx bounds the start only.
func Start(ctx context.Context, path, dir string) (*Browser, error) {
	b := &Browser{profile: dir}
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path),
		chromedp.UserDataDir(dir),
		chromedp.WSURLReadTimeout(startBound),
		// Whatever it would leave behind elsewhere.
		chromedp.Env("HOME="+dir, "TMPDIR="+dir, "XDG_CONFIG_HOME="+dir, "XDG_CACHE_HOME="+dir),
		chromedp.ModifyCmdFunc(func(c *exec.Cmd) {
			// A group of its own: Ctrl-C does not reach it, and Close finds all that it started.
			c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
			c.WaitDelay = time.Second
			b.command = c
		}),
	}
	for name, value := range flags {
		options = append(options, chromedp.Flag(name, value))
	}
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	var closeBrowser context.CancelFunc
	b.ctx, closeBrowser = chromedp.NewContext(allocator)
	b.stop = func() {
		closeBrowser()
		cancel()
	}
	starting := context.AfterFunc(ctx, closeBrowser)
	if err := chromedp.Run(b.ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", path, err), b.Close())
	}
	starting()
	return b, nil
}

// flags of Chromium.
var flags = map[string]any{
	"headless": true, "no-first-run": true, "hide-scrollbars": true, "mute-audio": true,
	"force-prefers-reduced-motion": true, "force-color-profile": "srgb", "lang": "en",
	// As root, and in containers.
	"no-sandbox": os.Geteuid() == 0, "disable-gpu": true, "disable-dev-shm-usage": true,
	// Nothing leaves this machine, and nothing is asked of the one who sits at it.
	"host-resolver-rules":           "MAP * ~NOTFOUND, EXCLUDE 127.*, EXCLUDE localhost",
	"disable-background-networking": true, "disable-component-update": true, "disable-sync": true, "disable-quic": true,
	"disable-default-apps": true, "disable-extensions": true, "disable-breakpad": true,
	"password-store": "basic", "use-mock-keychain": true,
	// A page that is not in front keeps its time all the same, as the one page of a kiosk does.
	"disable-background-timer-throttling": true, "disable-renderer-backgrounding": true, "disable-backgrounding-occluded-windows": true,
}

// Close ends Chromium and everything that it started.
func (b *Browser) Close() error {
	if b.ctx.Err() == nil && chromedp.FromContext(b.ctx).Browser != nil {
		bounded, cancel := context.WithTimeout(b.ctx, closeBound)
		_ = chromedp.Cancel(bounded) // in order; what is left then, as below
		cancel()
	}
	if b.command == nil || b.command.Process == nil {
		b.stop()
		return nil
	}
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	_ = syscall.Kill(-b.command.Process.Pid, syscall.SIGKILL) // its group; it may be gone
	b.stop()
	for bound := time.After(closeBound); ; {
		left := processesWith(b.profile)
		if len(left) == 0 && errors.Is(syscall.Kill(-b.command.Process.Pid, 0), syscall.ESRCH) {
			return nil
		}
		for _, id := range left {
			_ = syscall.Kill(id, syscall.SIGKILL) // it may be gone
		}
		select {
		case <-again.C:
		case <-bound:
			return fmt.Errorf("processes of Chromium did not end: group %d, and %v", b.command.Process.Pid, left)
		}
	}
}

// processesWith lists the processes that have a folder in their command line. Those that watch for crashes leave
// Chromium's group and are found by its profile.
func processesWith(dir string) (ids []int) {
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline") // the pattern is good
	for _, path := range lines {
		line, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(line, []byte(dir+"/")) && !bytes.Contains(line, []byte(dir+"\x00")) {
			continue // most often it has ended
		}
		if id, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
			ids = append(ids, id)
		}
	}
	return ids
}
