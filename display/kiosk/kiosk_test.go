package kiosk

import (
	"bufio"
	"bytes"
	"encoding/json"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"payscand/display"
	"payscand/payment"
)

var (
	money  = payment.Money{Amount: 1234, Currency: "CAD"}
	someQR = payment.QR{Payload: "https://pay.example/281002040093LT5rKGkTtGJ4pQ7ZpqnNw2fB"}
)

func qrScreen(qr payment.QR, until time.Time) display.Screen {
	return display.Screen{Kind: display.KindQR, Amount: money, QR: qr, Until: until, Then: display.KindWait}
}

// open returns a running server and its board.
func open(t *testing.T, languages ...display.Language) (*httptest.Server, *display.Board, *Server) {
	t.Helper()
	if languages == nil {
		languages = display.Languages()
	}
	board := display.NewBoard()
	s, err := New(Config{Board: board, Languages: languages, ShopName: "Maple <& Rye>", Hosts: []string{"Counter-1.example"}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	t.Cleanup(func() { s.Close() })
	return server, board, s
}

func get(t *testing.T, url string) (*http.Response, []byte) {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r, body
}

// follower reads a stream.
type follower struct {
	body  io.ReadCloser
	lines *bufio.Scanner
}

func follow(t *testing.T, server *httptest.Server) *follower {
	t.Helper()
	r, err := http.Get(server.URL + "/events")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Body.Close() })
	if r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("events: %s, %s", r.Status, r.Header.Get("Content-Type"))
	}
	return &follower{body: r.Body, lines: bufio.NewScanner(r.Body)}
}

// next returns the next message; ok is false at the stream's end.
func (f *follower) next(t *testing.T) (m message, raw string, ok bool) {
	t.Helper()
	for f.lines.Scan() {
		if data, found := strings.CutPrefix(f.lines.Text(), "data: "); found {
			if err := json.Unmarshal([]byte(data), &m); err != nil {
				t.Fatal(err)
			}
			return m, data, true
		}
	}
	return m, "", false
}

// until returns the first message of a kind, whatever heartbeats come before it.
func (f *follower) until(t *testing.T, kind display.Kind) (message, string) {
	t.Helper()
	for {
		m, raw, ok := f.next(t)
		if !ok {
			t.Fatalf("the stream ended before %s", kind)
		}
		if m.Screen == kind {
			return m, raw
		}
	}
}

// A page gets the screen at once and every later one, in the display's languages, the amount in the first one's way.
func TestStreamFollowsTheBoard(t *testing.T) {
	server, board, _ := open(t, display.French, display.English, display.SimplifiedChinese)
	f := follow(t, server)
	if m, _, ok := f.next(t); !ok || m.Screen != display.KindWait {
		t.Fatalf("at first: %+v", m)
	}
	for _, kind := range display.Kinds() {
		screen := display.Screen{Kind: kind, Amount: money, Reason: payment.ReasonExpiredCode}
		if kind == display.KindQR {
			screen = qrScreen(someQR, time.Now().Add(time.Minute))
		}
		board.Show(screen, time.Now())
		m, _ := f.until(t, kind)
		var want []text
		for _, l := range []display.Language{display.French, display.English, display.SimplifiedChinese} {
			w := screen.Words(l)
			want = append(want, text{Title: w.Title, Hint: w.Hint})
		}
		if !slices.Equal(m.Words, want) || m.Amount != "12,34\u00a0$" {
			t.Errorf("%s: %+v", kind, m)
		}
		if (m.QR != nil) != (kind == display.KindQR) || (m.Until != 0) != (kind == display.KindQR) {
			t.Errorf("%s: QR %v, until %d", kind, m.QR, m.Until)
		}
	}
	board.Show(display.Screen{Kind: display.KindIdle}, time.Now())
	if m, _ := f.until(t, display.KindIdle); m.Amount != "" {
		t.Errorf("idle shows %q", m.Amount)
	}
}

// The page learns nothing that only the shop may see: every field of the stream is known here, and the QR's address
// tells nothing of its payload.
func TestStreamTellsOnlyWhatACustomerMaySee(t *testing.T) {
	server, board, _ := open(t)
	sale := payment.Sale{
		ID: "01JZX8SECRETID", Status: payment.SaleShowingQR, Amount: money, Reference: "SECRETREF", Description: "SECRETDESC",
		Deadline: time.Now().Add(time.Minute), Key: "SECRETKEY",
		Attempts: []payment.Attempt{{
			RequestID: "SECRETREQ", Gateway: "SECRETGW", PaymentID: "SECRETPAY", CodeMask: "28…3456", Status: payment.AttemptPending,
			ExpiresAt: time.Now().Add(time.Minute), QR: &payment.QR{Payload: "https://pay.example/SECRETURL"},
		}},
	}
	board.Show(display.ScreenOf(sale, display.Terminal{}, time.Now()), time.Now())
	_, raw := follow(t, server).until(t, display.KindQR)
	for _, secret := range []string{"SECRET", "28…", "pay.example"} {
		if strings.Contains(raw, secret) {
			t.Errorf("the stream tells %q: %s", secret, raw)
		}
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal([]byte(raw), &fields); err != nil {
		t.Fatal(err)
	}
	known := []string{"page", "version", "screen", "amount", "words", "qr", "now", "until"}
	for name := range fields {
		if !slices.Contains(known, name) {
			t.Errorf("the stream has the field %q", name)
		}
	}
}

// The image on the page is read back as the payment URL at any size; once the QR is down, or another is up, its address
// is gone (M8).
func TestQRImageGoesWithItsScreen(t *testing.T) {
	server, board, _ := open(t)
	f := follow(t, server)
	board.Show(qrScreen(someQR, time.Now().Add(time.Minute)), time.Now())
	first, _ := f.until(t, display.KindQR)
	for _, scale := range []string{"", "?scale=2", "?scale=9"} {
		r, body := get(t, server.URL+first.QR.Path+scale)
		if r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != "image/png" || r.Header.Get("Cache-Control") != "no-store" {
			t.Fatalf("%q: %s %v", scale, r.Status, r.Header)
		}
		img, err := png.Decode(bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
		if err != nil {
			t.Fatal(err)
		}
		found, err := qrcode.NewQRCodeReader().Decode(bitmap, nil)
		if err != nil || found.GetText() != someQR.Payload {
			t.Errorf("%q: read %v, %v", scale, found, err)
		}
		if scale == "?scale=9" && img.Bounds().Dx() != 9*first.QR.Modules {
			t.Errorf("%d pixels for %d modules of 9", img.Bounds().Dx(), first.QR.Modules)
		}
	}
	for _, scale := range []string{"?scale=0", "?scale=33", "?scale=-1", "?scale=x", "?scale=99999999999999999999"} {
		if r, _ := get(t, server.URL+first.QR.Path+scale); r.StatusCode != http.StatusBadRequest {
			t.Errorf("%q: %s", scale, r.Status)
		}
	}

	board.Show(qrScreen(payment.QR{Payload: "https://pay.example/2"}, time.Now().Add(time.Minute)), time.Now())
	second := first
	for second.QR == nil || second.QR.Path == first.QR.Path {
		second, _ = f.until(t, display.KindQR)
	}
	if r, _ := get(t, server.URL+first.QR.Path); r.StatusCode != http.StatusGone {
		t.Errorf("the first QR while the second is up: %s", r.Status)
	}
	if r, _ := get(t, server.URL+second.QR.Path); r.StatusCode != http.StatusOK {
		t.Errorf("the second QR: %s", r.Status)
	}
	board.Show(display.Screen{Kind: display.KindWait, Amount: money}, time.Now())
	if r, _ := get(t, server.URL+second.QR.Path); r.StatusCode != http.StatusGone {
		t.Errorf("the second QR after its screen: %s", r.Status)
	}
	if r, _ := get(t, server.URL+"/qr/made-up.png"); r.StatusCode != http.StatusGone {
		t.Errorf("a made-up QR: %s", r.Status)
	}
}

// A QR that cannot be drawn sends the customer to the cashier, instead of showing an empty card.
func TestUndrawableQRAsksForTheCashier(t *testing.T) {
	server, board, _ := open(t)
	board.Show(qrScreen(payment.QR{Payload: strings.Repeat("x", 5000)}, time.Now().Add(time.Minute)), time.Now())
	m, _ := follow(t, server).until(t, display.KindAskCashier)
	if m.QR != nil || m.Words[0].Title != (display.Screen{Kind: display.KindAskCashier}).Words(display.English).Title {
		t.Errorf("%+v", m)
	}
}

// The gateway's ready-made image is served as it came, without a number of modules.
func TestReadyImageIsServed(t *testing.T) {
	server, board, _ := open(t)
	const dot = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
	board.Show(qrScreen(payment.QR{Image: dot}, time.Now().Add(time.Minute)), time.Now())
	m, _ := follow(t, server).until(t, display.KindQR)
	r, body := get(t, server.URL+m.QR.Path+"?scale=5")
	if size, err := png.DecodeConfig(bytes.NewReader(body)); err != nil || size.Width != 1 || m.QR.Modules != 0 {
		t.Errorf("%s, %v, %v, %+v", r.Status, size, err, m.QR)
	}
}

// At most 16 pages are served at a time; the next is told so, and let in when one has gone.
func TestViewersAreBounded(t *testing.T) {
	server, _, s := open(t)
	var pages []*follower
	for range maxViewers {
		f := follow(t, server)
		f.next(t)
		pages = append(pages, f)
	}
	if got := s.Viewers(); got != maxViewers {
		t.Errorf("%d viewers", got)
	}
	r, _ := get(t, server.URL+"/events")
	if r.StatusCode != http.StatusServiceUnavailable || r.Header.Get("Retry-After") == "" {
		t.Errorf("one more: %s", r.Status)
	}
	pages[0].body.Close()
	for { // until the server has seen it go
		r, err := http.Get(server.URL + "/events")
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if r.StatusCode == http.StatusOK {
			return
		}
	}
}

// Close ends every stream and refuses new ones, so that the daemon can stop.
func TestCloseEndsStreams(t *testing.T) {
	server, _, s := open(t)
	f := follow(t, server)
	f.next(t)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for ok := true; ok; {
		_, _, ok = f.next(t)
	}
	if r, _ := get(t, server.URL+"/events"); r.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("after Close: %s", r.Status)
	}
}

// A board that is closed ends the streams too.
func TestBoardCloseEndsStreams(t *testing.T) {
	server, board, _ := open(t)
	f := follow(t, server)
	f.next(t)
	board.Close()
	for ok := true; ok; {
		_, _, ok = f.next(t)
	}
}

// A configuration that could show nothing is refused.
func TestNewRefuses(t *testing.T) {
	for name, c := range map[string]Config{
		"no board":     {Languages: display.Languages()},
		"no language":  {Board: display.NewBoard()},
		"no such word": {Board: display.NewBoard(), Languages: []display.Language{"en", "de"}},
	} {
		if _, err := New(c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
