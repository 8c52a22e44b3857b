package sandbox

import (
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"time"

	"github.com/skip2/go-qrcode"
)

//go:embed page
var pageFiles embed.FS

var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"money": money,
	"path":  url.PathEscape,
	"clock": func(at time.Time) string { return at.UTC().Format("15:04:05") },
}).ParseFS(pageFiles, "page/*.html"))

// pagePolicy lets a page load its own style sheet, submit its own forms, and
// nothing else.
const pagePolicy = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// registerPages serves the list of orders with the vendor's portal, and the page
// that stands in for the customer's wallet. Both work without scripts.
func (s *Server) registerPages(mux *http.ServeMux) {
	guard := http.NewCrossOriginProtection()
	mux.HandleFunc("GET /{$}", s.indexPage)
	mux.HandleFunc("GET /style.css", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFileFS(w, r, pageFiles, "page/style.css")
	})
	mux.Handle("POST /orders/{id}/refund", s.ownPagesOnly(s.refundButton))
	mux.HandleFunc("GET /pay/{token}", s.payPage)
	mux.HandleFunc("GET /pay/{token}/qr.png", s.qrImage)
	mux.Handle("POST /pay/{token}/pay", guard.Handler(s.decision(StatusPaid)))
	mux.Handle("POST /pay/{token}/decline", guard.Handler(s.decision(StatusFailed)))
}

func (s *Server) indexPage(w http.ResponseWriter, _ *http.Request) {
	const shown = 100
	orders := s.Orders()
	s.render(w, http.StatusOK, "index.html", map[string]any{
		"Merchant": s.config.MerchantCode, "Behaviours": Behaviours(),
		"Orders": orders[:min(shown, len(orders))], "Total": len(orders),
	})
}

// refundButton gives all that is left of an order back, behind the shop's back.
// Whether or not it could, the list then shows how the order stands.
func (s *Server) refundButton(w http.ResponseWriter, r *http.Request) {
	order, err := s.Refund(r.PathValue("id"), 0)
	if err == nil {
		s.config.Logger.Info("refunded in the portal", "request", order.RequestID, "refunded", order.Refunded)
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (s *Server) payPage(w http.ResponseWriter, r *http.Request) {
	order, err := s.ledger.find(s.config.Clock(), byToken(r.PathValue("token")))
	if err != nil {
		s.render(w, http.StatusNotFound, "pay.html", nil)
		return
	}
	s.render(w, http.StatusOK, "pay.html", order)
}

// payLink is the address of an order's pay page, as its QR code says it.
func (s *Server) payLink(r *http.Request, order Order) string {
	base := s.config.BaseURL
	if base == "" {
		if base = "http://" + r.Host; r.TLS != nil {
			base = "https://" + r.Host
		}
	}
	return base + order.PayPath
}

// qrImage is the pay page's address as a QR code.
func (s *Server) qrImage(w http.ResponseWriter, r *http.Request) {
	order, err := s.ledger.find(s.config.Clock(), byToken(r.PathValue("token")))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	image, err := qrcode.Encode(s.payLink(r, order), qrcode.Medium, -8) // 8 pixels a module, sharp at any size
	if err != nil {
		http.Error(w, "the address is too long for a QR code", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "image/png")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(image) // an error means that the browser is gone
}

// decision is a button of the pay page. Whether or not the order still waited,
// the page then shows how it stands.
func (s *Server) decision(decision Status) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		order, err := s.ledger.decide(s.config.Clock(), byToken(r.PathValue("token")), decision)
		if errors.Is(err, errUnknown) {
			s.render(w, http.StatusNotFound, "pay.html", nil)
			return
		}
		if err == nil {
			s.config.Logger.Info("decided on the pay page", "request", order.RequestID, "status", string(order.Status))
		}
		http.Redirect(w, r, order.PayPath, http.StatusSeeOther)
	})
}

func (s *Server) render(w http.ResponseWriter, status int, name string, data any) {
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", pagePolicy)
	header.Set("Cache-Control", "no-store")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	if err := pages.ExecuteTemplate(w, name, data); err != nil {
		s.config.Logger.Error("a page could not be written", "page", name, "error", err)
	}
}

// money writes an amount of a currency with two decimals, as CAD, USD and CNY are.
func money(minor int64, currency string) string {
	return fmt.Sprintf("%d.%02d %s", minor/100, minor%100, currency)
}
