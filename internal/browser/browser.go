package browser

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/chromedp/chromedp"
)

// startBound ends a start that hangs. On a busy machine Chromium takes seconds.
const startBound = time.Minute

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
}

// Start starts the Chromium at path with a profile of its own in dir, which must be empty. It looks up no host name, so
// that it can reach loopback addresses only, and animates nothing. Close must be called; should this program be killed,
// Chromium ends too. ctx bounds the start only.
func Start(ctx context.Context, path, dir string) (*Browser, error) {
	b := new(Browser)
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
		bounded, cancel := context.WithTimeout(b.ctx, 5*time.Second)
		_ = chromedp.Cancel(bounded) // in order; if that fails, as below
		cancel()
	}
	if b.command == nil || b.command.Process == nil {
		b.stop()
		return nil
	}
	group := -b.command.Process.Pid
	_ = syscall.Kill(group, syscall.SIGKILL) // what is left of it
	b.stop()
	gone := time.NewTicker(10 * time.Millisecond)
	defer gone.Stop()
	for bound := time.After(10 * time.Second); ; {
		if err := syscall.Kill(group, 0); errors.Is(err, syscall.ESRCH) {
			return nil
		}
		select {
		case <-gone.C:
		case <-bound:
			return fmt.Errorf("processes of Chromium (group %d) did not end", -group)
		}
	}
}
