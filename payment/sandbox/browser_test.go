package sandbox

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"payscand/internal/browser"
)

// In a real browser the pages are styled under their own policy, load nothing and
// break no rule, and the wallet's button works at once, pressed twice too.
func TestPagesInBrowser(t *testing.T) {
	path, err := browser.Find()
	switch {
	case err != nil && os.Getenv("CI") == "true":
		t.Fatal(err)
	case err != nil:
		t.Skip(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	chromium, err := browser.Start(ctx, path, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer chromium.Close()
	p := newPlus(t)
	p.scan("R-1", "00")
	p.giveBack("R-1", "F-1", "250")
	p.scan("R-2", "04")
	p.pay("R-3", "03")
	p.tell(plusPay, orderCode("R-4"))

	wallet, err := chromium.Open(ctx, p.url+p.truth("R-4").PayPath, browser.Size{Width: 420, Height: 760})
	if err != nil {
		t.Fatal(err)
	}
	defer wallet.Close()
	const colourOfButton = `(b => b ? getComputedStyle(b).backgroundColor : "")(document.querySelector("button.pay"))`
	colour := ""
	for colour == "" { // the page may still be on its way
		if err := wallet.Evaluate(ctx, colourOfButton, &colour); err != nil {
			t.Fatal(err)
		}
	}
	if colour != "rgb(18, 122, 70)" {
		t.Errorf("the button is %s", colour)
	}
	shoot(ctx, t, wallet, "wallet")
	// Pressed twice in one turn of the page's own loop: two posts may leave.
	if err := wallet.Evaluate(ctx, `document.querySelector("button.pay").click(); document.querySelector("button.pay").click()`, nil); err != nil {
		t.Fatal(err)
	}
	for text := ""; !strings.Contains(text, "Paid"); {
		if err := wallet.Evaluate(ctx, `document.body ? document.body.innerText : ""`, &text); err != nil && ctx.Err() != nil {
			t.Fatalf("after %q: %v", text, err)
		}
	}
	if got := p.truth("R-4"); got.Captures != 1 {
		t.Errorf("%+v", got)
	}
	index, err := chromium.Open(ctx, p.url+"/", browser.Size{Width: 1280, Height: 1600})
	if err != nil {
		t.Fatal(err)
	}
	defer index.Close()
	shoot(ctx, t, index, "index")
	for _, page := range []*browser.Page{wallet, index} {
		if problems := page.Problems(); len(problems) > 0 {
			t.Errorf("%+v", problems)
		}
	}
}

// shoot leaves a picture where PAYSCAND_SHOTS names a folder, for people to look at.
func shoot(ctx context.Context, t *testing.T, page *browser.Page, name string) {
	t.Helper()
	folder := os.Getenv("PAYSCAND_SHOTS")
	if folder == "" {
		return
	}
	picture, err := page.Screenshot(ctx)
	for ; err != nil; picture, err = page.Screenshot(ctx) { // the page refreshes itself
		if ctx.Err() != nil {
			t.Fatal(err)
		}
	}
	writeFile(t, folder+"/practice-"+name+".png", picture)
}
