package test

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io/fs"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"payscand/display"
	"payscand/display/kiosk"
	"payscand/internal/browser"
	"payscand/payment"
)

var update = flag.Bool("update", false, "take the pictures of docs/screens anew")

const gallery = "../docs/screens"

// sets of languages that a display may speak, by the name of their folder in the gallery.
var sets = map[string][]display.Language{
	"en": {display.English}, "fr": {display.French}, "zh-Hans": {display.SimplifiedChinese}, "zh-Hant": {display.TraditionalChinese},
	"together": {display.English, display.French, display.SimplifiedChinese},
}

// sizes of displays, besides that of the pictures.
var sizes = []browser.Size{{Width: 800, Height: 480}, {Width: 1920, Height: 1080}, {Width: 1080, Height: 1920}, {Width: 600, Height: 1024}}

// TestScreens: every screen in every language fits on displays of every usual size: nothing is cut off, nothing stands on
// anything else, and the QR can be read. docs/screens has a picture of each; with -update they are taken anew.
func TestScreens(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	for name, languages := range sets {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			t.Cleanup(cancel)
			v := viewer{t: t, ctx: ctx, folder: filepath.Join(gallery, name)}
			v.viewAll(b, languages)
		})
	}
}

// viewer looks at the page in one set of languages.
type viewer struct {
	*browser.Page
	t      *testing.T
	ctx    context.Context //nolint:containedctx // of the test
	folder string
}

func (v viewer) viewAll(b *browser.Browser, languages []display.Language) {
	board := display.NewBoard()
	server, err := kiosk.New(kiosk.Config{Board: board, Languages: languages, ShopName: "Maple & Rye"})
	if err != nil {
		v.t.Fatal(err)
	}
	served := httptest.NewServer(server.Handler())
	v.t.Cleanup(served.Close)
	v.t.Cleanup(func() { server.Close() })
	v.Page = openPage(v.ctx, v.t, b, served.URL, browser.DefaultSize)
	for _, kind := range display.Kinds() {
		board.Show(exampleOf(kind), time.Now())
		v.view(string(kind))
	}
	if problems := v.Problems(); len(problems) > 0 {
		v.t.Errorf("the page did what it should not: %+v", problems)
	}
	server.Close()
	v.view("offline")
}

// exampleOf is a screen of a kind as a sale would bring it.
func exampleOf(kind display.Kind) display.Screen {
	screen := display.Screen{Kind: kind, Amount: payment.Money{Amount: 123456, Currency: "CAD"}}
	switch kind {
	case display.KindIdle, display.KindOutOfOrder:
		screen.Amount = payment.Money{}
	case display.KindDeclined:
		screen.Reason = payment.ReasonInsufficientFunds
	case display.KindQR:
		screen.QR = payment.QR{Payload: "https://pay.example/281002040093LT5rKGkTtGJ4pQ7ZpqnNw2fB"}
		screen.Until, screen.Then = time.Now().Add(280*time.Second), display.KindWait
	}
	return screen
}

// view waits for a screen, and looks at it in every size.
func (v viewer) view(screen string) {
	v.t.Helper()
	if _, err := v.Await(v.ctx, func(s browser.Seen) bool { return s.Screen == screen && s.Drawn == (screen == "qr") }); err != nil {
		v.t.Fatalf("%s: %v", screen, err)
	}
	if *update {
		v.takePicture(screen)
	}
	for _, size := range append([]browser.Size{browser.DefaultSize}, sizes...) {
		v.must(v.Resize(v.ctx, size))
		var flaws []string
		v.must(v.Evaluate(v.ctx, findFlaws, &flaws))
		for _, flaw := range flaws {
			v.t.Errorf("%s at %d×%d: %s", screen, size.Width, size.Height, flaw)
		}
		if screen == "qr" && size.Width <= browser.DefaultSize.Width { // it is smallest on the small ones
			eventually(v.ctx, v.t, fmt.Sprintf("the QR at %d×%d", size.Width, size.Height), func() bool {
				read, err := v.ReadQR(v.ctx) // it is drawn anew for every size
				return err == nil && read == exampleOf(display.KindQR).QR.Payload
			})
		}
	}
	v.must(v.Resize(v.ctx, browser.DefaultSize))
}

// findFlaws lists what is cut off or covered on the page. The page hears of its size first: Chromium may tell it later.
const findFlaws = `(function () {
	window.dispatchEvent(new Event('resize'));
	var flaws = [], boxes = [];
	function isShown(e) { return e.getClientRects().length > 0 && (e.textContent.trim() !== '' || e.querySelector('path, img')); }
	document.querySelectorAll('#shop, #amount, .words h1, .words h2, .words p, #left, #labels, #card, .icon').forEach(function (e) {
		if (!isShown(e)) { return; }
		var name = e.id || e.getAttribute('class') || e.tagName + ' ' + e.textContent, r = e.getBoundingClientRect();
		if (r.left < -1 || r.top < -1 || r.right > innerWidth + 1 || r.bottom > innerHeight + 1) { flaws.push(name + ' is cut off by the edge'); }
		if (e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0) { flaws.push(name + ' is too wide'); }
		boxes.forEach(function (b) {
			if (r.left < b.r.right - 1 && b.r.left < r.right - 1 && r.top < b.r.bottom - 1 && b.r.top < r.bottom - 1) {
				flaws.push(name + ' and ' + b.name + ' overlap');
			}
		});
		boxes.push({ name: name, r: r });
		if (e.tagName !== 'svg' && e.id !== 'card' && parseFloat(getComputedStyle(e).fontSize) < 12) { flaws.push(name + ' is too small to read'); }
	});
	return flaws;
}())`

func (v viewer) must(err error) {
	v.t.Helper()
	if err != nil {
		v.t.Fatal(err)
	}
}

// takePicture writes what the page looks like as a PNG of at most 256 colours, which a page of flat ones needs.
func (v viewer) takePicture(screen string) {
	v.t.Helper()
	taken, err := v.Screenshot(v.ctx)
	v.must(err)
	picture, err := png.Decode(bytes.NewReader(taken))
	v.must(err)
	var small bytes.Buffer
	v.must((&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&small, paletted(picture)))
	v.must(os.MkdirAll(v.folder, 0o755))
	v.must(os.WriteFile(filepath.Join(v.folder, screen+".png"), small.Bytes(), 0o644))
}

// paletted keeps the 256 most frequent colours, and takes the nearest of them for every other.
func paletted(picture image.Image) *image.Paletted {
	bounds := picture.Bounds()
	pixels := make(map[color.Color]int)
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			pixels[picture.At(x, y)]++
		}
	}
	colours := slices.Collect(maps.Keys(pixels))
	slices.SortFunc(colours, func(a, b color.Color) int {
		return cmp.Or(cmp.Compare(pixels[b], pixels[a]), cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)))
	})
	palette := color.Palette(colours[:min(256, len(colours))])
	index := make(map[color.Color]uint8)
	for _, c := range colours {
		index[c] = uint8(palette.Index(c))
	}
	small := image.NewPaletted(bounds, palette)
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			small.SetColorIndex(x, y, index[picture.At(x, y)])
		}
	}
	return small
}

// TestGallery: docs/screens has a picture of every screen in every language, all of one size, none besides, and its page
// shows each.
func TestGallery(t *testing.T) {
	t.Parallel()
	const hint = "make screens takes them anew"
	page, err := os.ReadFile(filepath.Join(gallery, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for name := range sets {
		for _, screen := range append(display.Kinds(), "offline") {
			want = append(want, name+"/"+string(screen)+".png")
		}
	}
	err = fs.WalkDir(os.DirFS(gallery), ".", func(path string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".png") {
			got = append(got, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Fatalf("the pictures are %v, want %v: %s", got, want, hint)
	}
	for _, path := range want {
		file, err := os.Open(filepath.Join(gallery, path))
		if err != nil {
			t.Fatal(err)
		}
		size, err := png.DecodeConfig(file)
		file.Close()
		if err != nil || int64(size.Width) != browser.DefaultSize.Width || int64(size.Height) != browser.DefaultSize.Height {
			t.Errorf("%s: %d×%d, %v: %s", path, size.Width, size.Height, err, hint)
		}
		if !bytes.Contains(page, []byte("("+path+")")) && !bytes.Contains(page, []byte(`"`+path+`"`)) {
			t.Errorf("docs/screens/README.md does not show %s", path)
		}
	}
}
