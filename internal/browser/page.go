package browser

import (
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Size of the window, in pixels.
type Size struct{ Width, Height int64 }

// DefaultSize is that of a common customer's display.
var DefaultSize = Size{Width: 1280, Height: 800}

// Seen is what the page showed at one moment. Times are milliseconds since 1970 by the page's clock, which never jumps.
type Seen struct {
	At     float64  `json:"at"`
	Heard  float64  `json:"heard"` // when the daemon's last word came; 0: none has
	Late   float64  `json:"late"`  // milliseconds by which the machine held the page's timers up at most, since then
	Screen string   `json:"screen"`
	Amount string   `json:"amount"`
	Titles []string `json:"titles"` // one for each language
	Hints  []string `json:"hints"`
	QR     string   `json:"qr"`    // address of the QR's image; empty: there is none on the page
	Drawn  bool     `json:"drawn"` // the image is on the page whole
}

// Page is one window that shows the customer's page.
type Page struct {
	ctx   context.Context //nolint:containedctx // chromedp's handle of the tab
	close context.CancelFunc
	own   string // origin

	clicked chan struct{} // one click that the page noticed

	mu       sync.Mutex
	seen     []Seen
	next     int // of seen, for Next
	problems []Problem
	grown    chan struct{} // closed when seen grows
}

// Problem is something that the page should not have done.
type Problem struct {
	// Kind is "console" (an error or warning there), "exception", "violation" (of the page's Content-Security-Policy),
	// "network" (something could not be loaded) or "foreign" (a request to another origin than the page's).
	Kind, Text, URL string
}

//go:embed recorder.js
var recorder string

const binding = "watcher"

// clickTimeout is how long a click may take to be noticed before it is made again.
const clickTimeout = 3 * time.Second

// Open opens a page in a window of its own; it stays until Close, of the page or of the browser. ctx bounds the opening only.
func (b *Browser) Open(ctx context.Context, address string, size Size) (*Page, error) {
	own, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	p := &Page{own: own.Scheme + "://" + own.Host, grown: make(chan struct{}), clicked: make(chan struct{}, 1)}
	p.ctx, p.close = chromedp.NewContext(b.ctx)
	chromedp.ListenTarget(p.ctx, p.take)
	if err := chromedp.Run(p.ctx); err != nil { // attaches to the window for as long as the page's context lives
		p.close()
		return nil, fmt.Errorf("open %s: %w", address, err)
	}
	err = p.run(ctx,
		runtime.AddBinding(binding),
		chromedp.ActionFunc(func(ctx context.Context) error {
			_, err := page.AddScriptToEvaluateOnNewDocument(recorder).Do(ctx)
			return err
		}),
		emulation.SetFocusEmulationEnabled(true), // as if no other tab were in front
		chromedp.EmulateViewport(size.Width, size.Height),
		navigate(address),
		loaded,
	)
	if err != nil {
		p.close()
		return nil, fmt.Errorf("open %s: %w", address, err)
	}
	return p, nil
}

// navigate loads an address. A new window is busy with its empty page for a moment, and may drop the other one for it.
func navigate(address string) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		for {
			_, _, failed, _, err := page.Navigate(address).Do(ctx)
			switch {
			case err != nil:
				return err
			case failed == "":
				return nil
			case failed != "net::ERR_ABORTED":
				return errors.New(failed)
			}
		}
	})
}

// loaded waits until the page is there whole, with its style sheet.
var loaded = chromedp.Poll("document.readyState === 'complete'", nil)

// run runs actions within ctx; the page itself outlives it.
func (p *Page) run(ctx context.Context, actions ...chromedp.Action) error {
	bounded, cancel := context.WithCancel(p.ctx)
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	err := chromedp.Run(bounded, actions...)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// Close closes the window.
func (p *Page) Close() { p.close() }

// Seen lists everything that the page has shown so far.
func (p *Page) Seen() []Seen {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.seen)
}

// Problems lists everything that the page should not have done.
func (p *Page) Problems() []Problem {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.problems)
}

// Next returns what the page showed after the last Next, or shows next.
func (p *Page) Next(ctx context.Context) (Seen, error) {
	for {
		p.mu.Lock()
		if p.next < len(p.seen) {
			seen := p.seen[p.next]
			p.next++
			p.mu.Unlock()
			return seen, nil
		}
		grown := p.grown
		p.mu.Unlock()
		select {
		case <-grown:
		case <-ctx.Done():
			return Seen{}, fmt.Errorf("nothing new on the customer's page: %w", ctx.Err())
		case <-p.ctx.Done():
			return Seen{}, fmt.Errorf("the browser is gone: %w", p.ctx.Err())
		}
	}
}

// Await calls Next until the page shows what is wanted.
func (p *Page) Await(ctx context.Context, wanted func(Seen) bool) (Seen, error) {
	for {
		seen, err := p.Next(ctx)
		if err != nil || wanted(seen) {
			return seen, err
		}
	}
}

// Screenshot returns what the window looks like, as a PNG.
func (p *Page) Screenshot(ctx context.Context) (png []byte, err error) {
	return png, p.run(ctx, chromedp.CaptureScreenshot(&png))
}

// Resize gives the window another size.
func (p *Page) Resize(ctx context.Context, size Size) error {
	return p.run(ctx, chromedp.EmulateViewport(size.Width, size.Height))
}

// Evaluate runs an expression of JavaScript in the page and decodes what it comes to.
func (p *Page) Evaluate(ctx context.Context, expression string, into any) error {
	return p.run(ctx, chromedp.Evaluate(expression, into))
}

// Click clicks on the one element that a CSS selector finds, once its page is loaded, and returns when that element was
// clicked. Before the style sheet is there, Chromium tells places that move; on a page that it has not painted yet it
// drops clicks without a word. So the click is repeated until it arrives.
func (p *Page) Click(ctx context.Context, selector string) error {
	for {
		p.drainClicks()
		try, cancel := context.WithTimeout(ctx, clickTimeout)
		err := p.run(try,
			loaded,
			chromedp.Evaluate(fmt.Sprintf("window.wanted = %q", selector), nil),
			chromedp.Click(selector, chromedp.ByQuery))
		select {
		case <-p.clicked:
			cancel()
			return nil
		case <-try.Done():
			cancel()
		}
		if ctx.Err() != nil {
			return fmt.Errorf("click on %s: %w", selector, cmp.Or(err, ctx.Err()))
		}
	}
}

// drainClicks forgets a click that an earlier call did not wait for.
func (p *Page) drainClicks() {
	select {
	case <-p.clicked:
	default:
	}
}

// take notes what Chromium tells about the page. It must not wait for the browser.
func (p *Page) take(event any) {
	switch e := event.(type) {
	case *runtime.EventBindingCalled:
		if e.Name == binding {
			p.told(e.Payload)
		}
	case *runtime.EventExceptionThrown:
		p.problem("exception", e.ExceptionDetails.Error(), e.ExceptionDetails.URL)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.APITypeError || e.Type == runtime.APITypeWarning || e.Type == runtime.APITypeAssert {
			said := []string{string(e.Type)}
			for _, argument := range e.Args {
				said = append(said, string(argument.Value)+argument.Description)
			}
			p.problem("console", strings.Join(said, " "), "")
		}
	case *log.EventEntryAdded:
		p.logged(e.Entry)
	case *network.EventRequestWillBeSent:
		if asked, err := url.Parse(e.Request.URL); err != nil || asked.Scheme+"://"+asked.Host != p.own {
			p.problem("foreign", e.Request.Method, e.Request.URL)
		}
	}
}

func (p *Page) logged(entry *log.Entry) {
	if entry.Level != log.LevelError && entry.Level != log.LevelWarning {
		return
	}
	kind := "console"
	if entry.Source == log.SourceNetwork {
		kind = "network"
	}
	p.problem(kind, entry.Text, entry.URL)
}

// told takes in what the recorder tells.
func (p *Page) told(payload string) {
	var message struct {
		Seen      *Seen  `json:"seen"`
		Violation string `json:"violation"`
		Clicked   bool   `json:"clicked"`
	}
	if err := json.Unmarshal([]byte(payload), &message); err != nil {
		p.problem("exception", "the recorder told "+payload, "")
		return
	}
	if message.Violation != "" {
		p.problem("violation", message.Violation, "")
	}
	if message.Clicked {
		select {
		case p.clicked <- struct{}{}:
		default: // nobody waits for a second one
		}
	}
	if message.Seen == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen = append(p.seen, *message.Seen)
	close(p.grown)
	p.grown = make(chan struct{})
}

func (p *Page) problem(kind, text, at string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.problems = append(p.problems, Problem{Kind: kind, Text: text, URL: at})
}
