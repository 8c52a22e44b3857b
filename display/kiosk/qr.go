package kiosk

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/http"
	"strconv"
	"sync"

	"payscand/display"
	"payscand/payment"
)

// qrName is the file name of a QR's image. It differs for every QR and every start of the daemon, and tells nothing.
func (s *Server) qrName(qr payment.QR) string {
	h := hmac.New(sha256.New, s.secret[:])
	h.Write([]byte(qr.Payload))
	h.Write([]byte{0})
	h.Write([]byte(qr.Image))
	return hex.EncodeToString(h.Sum(nil)[:12]) + ".png"
}

// qrImage answers with a picture of the QR that is up. Any other is gone: 410 (M8).
func (s *Server) qrImage(w http.ResponseWriter, r *http.Request) {
	select {
	case s.drawing <- struct{}{}:
	case <-r.Context().Done():
		return
	}
	png, status, problem := s.draw(r)
	if problem != "" {
		http.Error(w, problem, status)
		return
	}
	w.Header().Set("Content-Type", "image/png")
	w.Header().Set("Content-Length", strconv.Itoa(len(png)))
	_, _ = w.Write(png) //nolint:gosec // a picture of ours; an error means that the page is gone
}

// draw draws the QR that is up, and gives the place for it back.
func (s *Server) draw(r *http.Request) (png []byte, status int, problem string) {
	defer func() { <-s.drawing }()
	screen := s.config.Board.Current().Screen
	if screen.Kind != display.KindQR || r.PathValue("image") != s.qrName(screen.QR) {
		return nil, http.StatusGone, "This QR code is not shown any more."
	}
	scale := 8
	if text := r.URL.Query().Get("scale"); text != "" {
		var err error
		if scale, err = strconv.Atoi(text); err != nil {
			scale = 0
		}
	}
	code, err := s.codes.of(screen.QR)
	if err != nil {
		return nil, http.StatusInternalServerError, "This QR code cannot be drawn."
	}
	if png, err = code.PNG(scale); err != nil {
		return nil, http.StatusBadRequest, "scale is the number of pixels to a module, 1 to 32."
	}
	return png, http.StatusOK, ""
}

// codeCache keeps the last QR encoded: every page and every heartbeat asks for the same.
type codeCache struct {
	log  *slog.Logger
	mu   sync.Mutex
	qr   payment.QR
	code *display.QRCode
	err  error
}

func (c *codeCache) of(qr payment.QR) (*display.QRCode, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.code == nil && c.err == nil || c.qr != qr {
		c.qr = qr
		if c.code, c.err = display.NewQRCode(qr); c.err != nil {
			c.log.Error("the QR cannot be shown: cancel the sale, or scan the customer's code", "error", c.err)
		}
	}
	return c.code, c.err
}
