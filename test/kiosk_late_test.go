package test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"payscand/display"
	"payscand/display/kiosk"
	"payscand/internal/browser"
	"payscand/payment"
)

// testLateHeartbeat: a heartbeat that was under way for as long as the rest of its QR's time does not bring the QR back (M8).
func testLateHeartbeat(t *testing.T, b *browser.Browser) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	board := display.NewBoard()
	board.Show(display.Screen{
		Kind: display.KindQR, QR: payment.QR{Payload: "https://pay.example/1"}, Until: time.Now().Add(patience), Then: display.KindWait,
	}, time.Now())
	page, err := kiosk.New(kiosk.Config{Board: board, Languages: display.Languages()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { page.Close() })
	words := make(chan []byte)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/events" || r.Header.Get("X-Own") != "" {
			page.Handler().ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		for {
			select {
			case word := <-words:
				fmt.Fprintf(w, "data: %s\n\n", word)
				_ = http.NewResponseController(w).Flush()
			case <-r.Context().Done():
				return
			}
		}
	}))
	t.Cleanup(server.Close)

	heartbeat := firstWord(ctx, t, server.URL)
	seen := openPage(ctx, t, b, server.URL, browser.DefaultSize)
	say := func(left int, changes map[string]any) {
		heartbeat["now"], heartbeat["until"] = 0, left
		maps.Copy(heartbeat, changes)
		word, err := json.Marshal(heartbeat)
		if err != nil {
			t.Fatal(err)
		}
		select {
		case words <- word:
		case <-ctx.Done():
			t.Fatal("the page follows nothing")
		}
	}
	await := func(screen string) {
		if _, err := seen.Await(ctx, func(s browser.Seen) bool { return s.Screen == screen }); err != nil {
			t.Fatalf("%s is to be seen: %v", screen, err)
		}
	}
	say(1000, nil)
	await("qr")
	await("wait")
	say(500, nil)
	say(0, map[string]any{"screen": "idle", "version": 100, "qr": nil})
	after, err := seen.Await(ctx, func(s browser.Seen) bool { return s.Screen == "idle" || s.Screen == "qr" })
	if err != nil || after.Screen == "qr" {
		t.Errorf("a QR whose time is over is back: %+v, %v", after, err)
	}
}

// firstWord is the first thing that a page's server says.
func firstWord(ctx context.Context, t *testing.T, address string) (word map[string]any) {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Own", "yes")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	line, err := bufio.NewReader(response.Body).ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(bytes.TrimPrefix(line, []byte("data: ")), &word); err != nil {
		t.Fatal(err)
	}
	return word
}
