package test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"testing"

	"payscand/internal/browser"
)

// openBrowser starts a Chromium that ends with the test. Where there is none the test is skipped, but not where
// everything must be tested.
func openBrowser(t *testing.T) *browser.Browser {
	t.Helper()
	path, err := browser.Find()
	switch {
	case err != nil && os.Getenv("CI") == "true":
		t.Fatal(err)
	case err != nil:
		t.Skip(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	b, err := browser.Start(ctx, path, shortDir(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// openPage opens a page that is closed with the test.
func openPage(ctx context.Context, t *testing.T, b *browser.Browser, address string, size browser.Size) *browser.Page {
	t.Helper()
	page, err := b.Open(ctx, address, size)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(page.Close)
	return page
}

// testProblemsAreFound: what every test here relies on sees whatever a page does that it should not.
func testProblemsAreFound(t *testing.T, b *browser.Browser) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	elsewhere := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(elsewhere.Close)
	own := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/":
			w.Header().Set("Content-Type", "text/html")
			w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; connect-src *; img-src 'self'")
			fmt.Fprint(w, `<!doctype html><body data-screen="bad"><script>"inline"</script><script src="/bad.js"></script></body>`)
		case "/bad.js":
			w.Header().Set("Content-Type", "text/javascript")
			fmt.Fprintf(w, `console.error("said"); fetch("%s/foreign"); setTimeout(function () {
				document.body.setAttribute("data-screen", "done"); throw new Error("thrown"); }, 1)`, elsewhere.URL)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(own.Close)

	page := openPage(ctx, t, b, own.URL, browser.DefaultSize)
	for _, kind := range []string{"console", "exception", "violation", "network", "foreign"} {
		eventually(ctx, t, "a problem of kind "+kind, func() bool {
			return slices.ContainsFunc(page.Problems(), func(p browser.Problem) bool { return p.Kind == kind })
		})
	}
	if seen, err := page.Await(ctx, func(s browser.Seen) bool { return s.Screen == "done" }); err != nil {
		t.Errorf("after %+v: %v", seen, err)
	}
}
