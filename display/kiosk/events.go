package kiosk

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"payscand/display"
)

// message is one screen as the page gets it: what the customer may see, and nothing else.
type message struct {
	// Page names the version of the page that goes with this server; another one loads itself anew.
	Page    string       `json:"page"`
	Version uint64       `json:"version"`
	Screen  display.Kind `json:"screen"`
	Amount  string       `json:"amount,omitempty"`
	Words   []text       `json:"words"` // one for each of the display's languages, in their order
	QR      *qrImage     `json:"qr,omitempty"`
	// Now and Until are milliseconds since 1970 by the server's clock; the page counts by their difference. Until is
	// when this screen is over, and its QR gone; absent: it stays.
	Now   int64 `json:"now"`
	Until int64 `json:"until,omitempty"`
}

type text struct {
	Title string `json:"title"`
	Hint  string `json:"hint,omitempty"`
}

type qrImage struct {
	Path string `json:"path"`
	// Modules a side, the quiet zone included: the page asks for ?scale= pixels to each. 0: the image has a size of its own.
	Modules int `json:"modules"`
}

// events streams the screen: at once, at every change, and at every heartbeat.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	defer s.viewers.Add(-1)
	if s.viewers.Add(1) > maxViewers || s.closed.Err() != nil {
		w.Header().Set("Retry-After", "2")
		http.Error(w, "There are as many pages as this display can serve: close one.", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	changed, stop := s.config.Board.Subscribe()
	defer stop()
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	s.config.Log.Debug("kiosk page connected", "from", r.RemoteAddr)
	defer s.config.Log.Debug("kiosk page gone", "from", r.RemoteAddr)
	for {
		if err := s.send(w); err != nil {
			return // the page is gone, or takes nothing in
		}
		select {
		case _, open := <-changed:
			if !open {
				return
			}
		case <-beat.C:
		case <-r.Context().Done():
			return
		case <-s.closed.Done():
			return
		}
	}
}

// send writes the screen that is up now as one event.
func (s *Server) send(w http.ResponseWriter) error {
	control := http.NewResponseController(w)
	if err := control.SetWriteDeadline(time.Now().Add(writeBound)); err != nil {
		return err
	}
	data, err := json.Marshal(s.message(s.config.Board.Current(), time.Now()))
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, "data: %s\n\n", data); err != nil {
		return err
	}
	return control.Flush()
}

func (s *Server) message(shown display.Shown, now time.Time) message {
	screen := shown.Screen
	m := message{Page: s.page.version, Version: shown.Version, Now: now.UnixMilli()}
	if screen.Kind == display.KindQR {
		code, err := s.codes.of(screen.QR)
		if err != nil {
			screen = display.Screen{Kind: display.KindAskCashier, Amount: screen.Amount}
		} else {
			m.QR = &qrImage{Path: "/qr/" + s.qrName(screen.QR), Modules: code.Modules()}
		}
	}
	m.Screen = screen.Kind
	if screen.Amount.Currency != "" {
		m.Amount = display.FormatAmount(s.config.Languages[0], screen.Amount)
	}
	if shown.Left > 0 {
		m.Until = now.Add(shown.Left).UnixMilli()
	}
	for _, l := range s.config.Languages {
		w := screen.Words(l)
		m.Words = append(m.Words, text{Title: w.Title, Hint: w.Hint})
	}
	return m
}
