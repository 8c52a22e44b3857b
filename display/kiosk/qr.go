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

// qrImage draws the QR that is up. Any other is gone: 410 (M8).
func (s *Server) qrImage(w http.ResponseWriter, r *http.Request) {
	screen := s.config.Board.Current().Screen
	if screen.Kind != display.KindQR || r.PathValue("image") != s.qrName(screen.QR) {
		http.Error(w, "This QR code is not shown any more.", http.StatusGone)
		return
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
		http.Error(w, "This QR code cannot be drawn.", http.StatusInternalServerError)
		return
	}
	png, err := code.PNG(scale)
	if err != nil {
		http.Error(w, "scale is the number of pixels to a module, 1 to 32.", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "image/png")
	w.Header().Set("Content-Length", strconv.Itoa(len(png)))
	_, _ = w.Write(png)
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
