package sandbox

import (
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/bojanz/currency"
	"github.com/skip2/go-qrcode"
)

//go:embed page/index.html page/pay.html
var pageFiles embed.FS

// styleSheet stands in each page: there is nothing else to load, so that no button
// moves when it comes late.
//
//go:embed page/style.css
var styleSheet string

var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"money": money,
	"path":  url.PathEscape,
	"clock": func(at time.Time) string { return at.UTC().Format("15:04:05") },
	"when":  when,
	"style": func() template.HTML { return template.HTML("<style>" + styleSheet + "</style>") }, //nolint:gosec // our own file
	"vendor": func(gateway Gateway) string {
		return map[Gateway]string{GatewayAlphaPay: "AlphaPay", GatewayAlipayPlus: "Alipay+"}[gateway]
	},
	"words":  func(failure Failure) string { return strings.ReplaceAll(string(failure), "_", " ") },
	"others": walletBehaviours,
	"chosen": func(digits string) string { return behaviourNamed(InstrumentQR, digits).Name },
}).ParseFS(pageFiles, "page/*.html"))

// pagePolicy lets a page use the style sheet in it, submit its own forms, and
// nothing else.
var pagePolicy = fmt.Sprintf("default-src 'none'; style-src 'sha256-%s'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
	hashOf(styleSheet))

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// walletBehaviours are the rows that a waiting order's wallet page offers.
func walletBehaviours() []Behaviour {
	return slices.DeleteFunc(Behaviours(), func(b Behaviour) bool {
		return !slices.Contains([]string{"01", "02", "04", "27", "32"}, b.Digits)
	})
}

// registerPages serves the list of orders with the vendor's portal, and the page
// that stands in for the customer's wallet. Both work without scripts.
func (s *Server) registerPages(mux *http.ServeMux) {
	guard := http.NewCrossOriginProtection()
	mux.HandleFunc("GET /{$}", s.indexPage)
	mux.Handle("POST /orders/{gateway}/{id}/refund", s.ownPagesOnly(s.refundButton))
	mux.HandleFunc("GET /pay/{token}", s.payPage)
	mux.HandleFunc("GET /pay/{token}/qr.png", s.qrImage)
	mux.Handle("POST /pay/{token}/pay", guard.Handler(s.button(func(_ *http.Request, which lookup) (Order, error) {
		return s.ledger.decide(s.config.Clock(), which, StatusPaid)
	})))
	mux.Handle("POST /pay/{token}/decline", guard.Handler(s.button(func(_ *http.Request, which lookup) (Order, error) {
		return s.ledger.decide(s.config.Clock(), which, StatusFailed)
	})))
	mux.Handle("POST /pay/{token}/behave/{digits}", guard.Handler(s.button(func(r *http.Request, which lookup) (Order, error) {
		return s.ledger.behave(s.config.Clock(), which, r.PathValue("digits"))
	})))
}

// shownRefund and shownNotification are rows of the page.
type shownRefund struct {
	Refund
	Order Order
}

type shownNotification struct {
	Notification
	Order Order
}

func (s *Server) indexPage(w http.ResponseWriter, _ *http.Request) {
	const shown = 100
	orders := s.Orders()
	refunds, notifications := []shownRefund{}, []shownNotification{}
	for _, order := range orders {
		for _, refund := range order.Refunds {
			refunds = append(refunds, shownRefund{refund, order})
		}
		for _, notification := range slices.Backward(order.Notifications) {
			notifications = append(notifications, shownNotification{notification, order})
		}
	}
	slices.SortStableFunc(refunds, func(a, b shownRefund) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), strings.Compare(a.RefundID, b.RefundID))
	})
	down, _ := s.Faults()
	s.render(w, http.StatusOK, "index.html", map[string]any{
		"Now": s.config.Clock(), "Merchant": s.config.MerchantCode, "Client": s.config.ClientID, "Behaviours": Behaviours(), "Down": down,
		"Orders": orders[:min(shown, len(orders))], "Total": len(orders),
		"Refunds": refunds[:min(shown, len(refunds))], "Notifications": notifications[:min(shown, len(notifications))],
	})
}

// refundButton gives all that is left of an order back, behind the shop's back.
// Whether or not it could, the list then shows how the order stands.
func (s *Server) refundButton(w http.ResponseWriter, r *http.Request) {
	which := byRequest(Gateway(r.PathValue("gateway")), r.PathValue("id"))
	order, err := s.ledger.refundInPortal(s.config.Clock(), which, 0)
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
	_, _ = w.Write(image) //nolint:gosec // a picture, typed as such; an error means that the browser is gone
}

// button is one of the pay page's. Whether or not the order still waited, however
// often it is pressed, the page then shows how the order stands.
func (s *Server) button(press func(*http.Request, lookup) (Order, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		order, err := press(r, byToken(r.PathValue("token")))
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

// when writes a time, and its day where that is not today's: a gateway may run for
// weeks. Both are UTC.
func when(now, at time.Time) string {
	if now, at = now.UTC(), at.UTC(); now.Format(time.DateOnly) != at.Format(time.DateOnly) {
		return at.Format(time.DateTime)
	}
	return at.Format(time.TimeOnly)
}

// money writes an amount with as many decimals as its currency has.
func money(minor int64, code string) string {
	amount, err := currency.NewAmountFromInt64(minor, code)
	if err != nil {
		return fmt.Sprintf("%d minor units of %s", minor, code) // no such currency is taken
	}
	return amount.Number() + " " + code
}
