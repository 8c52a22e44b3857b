package sandbox

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json"
)

// The control API, JSON throughout:
//
//	GET    /control/orders                 {"orders": [Order…]}, the newest first
//	GET    /control/orders/{id}            an Order, by request id; 404
//	POST   /control/orders/{id}/pay        the wallet says pay: the Order; 404, 409 if it does not wait
//	POST   /control/orders/{id}/decline    the wallet says decline: likewise
//	POST   /control/orders/{id}/refund     {"amount"?: minor units}, or no body, for all that is left: the vendor's
//	                                       portal gives money back at once: the Order; 404, 409 if it is not paid,
//	                                       refunded in full or in the process of a refund, 422 if amount is not 1 to what is left
//	GET    /control/faults                 {"down": bool, "faults": [Fault…]}
//	POST   /control/faults                 {"down"?: bool, "faults"?: [Fault…]}: sets down, queues faults; 422
//	DELETE /control/faults                 ends them all
//	GET    /control/behaviours             {"behaviours": [Behaviour…]}
//
// An error is {"error": "…"}. It answers only under a loopback name or its base
// URL's host (421 otherwise), and no other site's pages (403).

type controlOrders struct {
	Orders []Order `json:"orders"`
}

type controlFaults struct {
	Down   bool    `json:"down"`
	Faults []Fault `json:"faults"`
}

type controlBehaviours struct {
	Behaviours []Behaviour `json:"behaviours"`
}

type controlError struct {
	Error string `json:"error"`
}

func (s *Server) registerControl(mux *http.ServeMux) {
	guard := func(pattern string, handler http.HandlerFunc) {
		mux.Handle(pattern, http.NewCrossOriginProtection().Handler(s.ownHostOnly(handler)))
	}
	guard("GET /control/orders", func(w http.ResponseWriter, _ *http.Request) {
		writeControl(w, http.StatusOK, controlOrders{s.Orders()})
	})
	guard("GET /control/orders/{id}", func(w http.ResponseWriter, r *http.Request) {
		order, err := s.Order(r.PathValue("id"))
		writeOrder(w, order, err)
	})
	guard("POST /control/orders/{id}/pay", func(w http.ResponseWriter, r *http.Request) {
		order, err := s.Pay(r.PathValue("id"))
		writeOrder(w, order, err)
	})
	guard("POST /control/orders/{id}/decline", func(w http.ResponseWriter, r *http.Request) {
		order, err := s.Decline(r.PathValue("id"))
		writeOrder(w, order, err)
	})
	guard("POST /control/orders/{id}/refund", s.postRefund)
	guard("GET /control/faults", func(w http.ResponseWriter, _ *http.Request) { s.writeFaults(w) })
	guard("POST /control/faults", s.postFaults)
	guard("DELETE /control/faults", func(w http.ResponseWriter, _ *http.Request) {
		s.ClearFaults()
		s.writeFaults(w)
	})
	guard("GET /control/behaviours", func(w http.ResponseWriter, _ *http.Request) {
		writeControl(w, http.StatusOK, controlBehaviours{Behaviours()})
	})
}

// ownHostOnly turns away requests for another host's name: a page that a browser
// was led to by DNS rebinding.
func (s *Server) ownHostOnly(next http.Handler) http.Handler {
	own := ""
	if base, err := url.Parse(s.config.BaseURL); err == nil {
		own = base.Hostname()
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := (&url.URL{Host: r.Host}).Hostname()
		address, err := netip.ParseAddr(host)
		loopback := host == "localhost" || err == nil && address.IsLoopback()
		if !loopback && (own == "" || !strings.EqualFold(host, own)) {
			writeControl(w, http.StatusMisdirectedRequest, controlError{"the control API answers under localhost or the base URL's host only"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Server) postRefund(w http.ResponseWriter, r *http.Request) {
	var request struct {
		Amount *int64 `json:"amount"`
	}
	if !readControl(w, r, []byte("{}"), &request) {
		return
	}
	amount := int64(0)
	if request.Amount != nil {
		if amount = *request.Amount; amount == 0 { // said, it is no word for all
			amount = -1
		}
	}
	order, err := s.Refund(r.PathValue("id"), amount)
	if errors.Is(err, errRefundAmount) {
		writeControl(w, http.StatusUnprocessableEntity, controlError{err.Error()})
		return
	}
	writeOrder(w, order, err)
}

func (s *Server) postFaults(w http.ResponseWriter, r *http.Request) {
	var request struct {
		Down   *bool   `json:"down"`
		Faults []Fault `json:"faults"`
	}
	if !readControl(w, r, nil, &request) {
		return
	}
	if err := s.AddFaults(request.Faults...); err != nil {
		writeControl(w, http.StatusUnprocessableEntity, controlError{err.Error()})
		return
	}
	if request.Down != nil {
		s.SetDown(*request.Down)
	}
	s.writeFaults(w)
}

// readControl reads a body, or where there is none, instead; or answers why not.
func readControl(w http.ResponseWriter, r *http.Request, instead []byte, into any) bool {
	body, err := readBody(w, r)
	if err != nil {
		writeControl(w, http.StatusRequestEntityTooLarge, controlError{"the body is longer than 64 KiB or was cut"})
		return false
	}
	if len(body) == 0 {
		body = instead
	}
	if err := json.Unmarshal(body, into, json.RejectUnknownMembers(true)); err != nil {
		writeControl(w, http.StatusBadRequest, controlError{fmt.Sprintf("the body is not the documented JSON: %v", err)})
		return false
	}
	return true
}

func (s *Server) writeFaults(w http.ResponseWriter) {
	down, list := s.Faults()
	writeControl(w, http.StatusOK, controlFaults{down, list})
}

func writeOrder(w http.ResponseWriter, order Order, err error) {
	switch {
	case errors.Is(err, errUnknown):
		writeControl(w, http.StatusNotFound, controlError{err.Error()})
	case err != nil:
		writeControl(w, http.StatusConflict, controlError{err.Error()})
	default:
		writeControl(w, http.StatusOK, order)
	}
}

func writeControl(w http.ResponseWriter, status int, content any) {
	body, err := json.Marshal(content)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) //nolint:gosec // JSON, typed as such; an error means that the client is gone
}
