package sandbox

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// This file is what the control API does; openapi.go describes it, and is served
// at /control/openapi.json. Errors are {"error": "…"}. It answers only under a
// loopback name or its base URL's host (421 otherwise), and no other site's pages
// (403).

type controlOrders struct {
	Orders []Order `json:"orders"`
}

type controlFaults struct {
	Down   bool    `json:"down"`
	Faults []Fault `json:"faults"`
}

type controlFaultsRequest struct {
	Down   *bool   `json:"down,omitempty" doc:"Answer nothing at all, or answer again."`
	Faults []Fault `json:"faults,omitempty" doc:"Queued behind those already set, all or none."`
}

type controlBehaviours struct {
	Behaviours []Behaviour `json:"behaviours"`
}

type controlQR struct {
	Behaviours []QRBehaviour `json:"behaviours"`
}

type controlBehaviourRequest struct {
	Digits string `json:"digits" doc:"The last two digits that a row of the table goes by."`
}

type controlRefundRequest struct {
	Amount *int64 `json:"amount,omitempty" doc:"Minor units; all that is left if it is not given."`
}

type controlNotifyRequest struct {
	Damage string `json:"damage,omitempty" enum:"malformed,duplicate_names,wrong_signature,unsigned,wrong_amount" doc:"What shall be wrong with it; nothing if it is not given."`
}

type controlClock struct {
	Now     time.Time `json:"now"`
	AheadMS int64     `json:"ahead_ms" doc:"Milliseconds ahead of the machine's clock; negative behind it."`
}

type controlClockRequest struct {
	AheadMS int64 `json:"ahead_ms" doc:"Milliseconds ahead of the machine's clock; negative behind it. At most ten years."`
}

type controlError struct {
	Error string `json:"error"`
}

// notifyDamages are what can be wrong with a notification.
var notifyDamages = map[string]answer{
	"": answerRight, "malformed": answerMalformed, "duplicate_names": answerDuplicate, "wrong_signature": answerMisSigned,
	"unsigned": answerUnsigned, "wrong_amount": answerWrongAmount,
}

func (s *Server) registerControl(mux *http.ServeMux) {
	for _, op := range s.operations() {
		mux.Handle(op.method+" "+op.path, s.ownPagesOnly(op.handle))
	}
	mux.Handle("GET "+descriptionPath, s.ownPagesOnly(func(w http.ResponseWriter, _ *http.Request) {
		description, err := OpenAPI()
		if err != nil {
			writeControl(w, http.StatusInternalServerError, controlError{err.Error()})
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(description) // an error means that the client is gone
	}))
}

// ownPagesOnly lets no other site's page use the control API, or the portal's
// buttons.
func (s *Server) ownPagesOnly(next http.HandlerFunc) http.Handler {
	return http.NewCrossOriginProtection().Handler(s.ownHostOnly(next))
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

func (s *Server) getOrders(w http.ResponseWriter, _ *http.Request) {
	writeControl(w, http.StatusOK, controlOrders{s.Orders()})
}

// onOrder does action on the order that the path names.
func onOrder(action func(requestID string) (Order, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		order, err := action(r.PathValue("id"))
		writeOrder(w, order, err)
	}
}

func (s *Server) postRefund(w http.ResponseWriter, r *http.Request) {
	var request controlRefundRequest
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
	writeOrder(w, order, err)
}

func (s *Server) postBehaviour(w http.ResponseWriter, r *http.Request) {
	var request controlBehaviourRequest
	if readControl(w, r, nil, &request) {
		order, err := s.Behave(r.PathValue("id"), request.Digits)
		writeOrder(w, order, err)
	}
}

func (s *Server) postNotify(w http.ResponseWriter, r *http.Request) {
	var request controlNotifyRequest
	if !readControl(w, r, []byte("{}"), &request) {
		return
	}
	damage, known := notifyDamages[request.Damage]
	if !known {
		writeControl(w, http.StatusUnprocessableEntity, controlError{"damage: want malformed, duplicate_names, wrong_signature, unsigned or wrong_amount"})
		return
	}
	order, err := s.notifyAgain(r.Context(), r.PathValue("id"), damage)
	writeOrder(w, order, err)
}

func (s *Server) getFaults(w http.ResponseWriter, _ *http.Request) {
	down, list := s.Faults()
	writeControl(w, http.StatusOK, controlFaults{down, list})
}

func (s *Server) postFaults(w http.ResponseWriter, r *http.Request) {
	var request controlFaultsRequest
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
	s.getFaults(w, r)
}

func (s *Server) deleteFaults(w http.ResponseWriter, r *http.Request) {
	s.ClearFaults()
	s.getFaults(w, r)
}

func (s *Server) getBehaviours(w http.ResponseWriter, _ *http.Request) {
	writeControl(w, http.StatusOK, controlBehaviours{Behaviours()})
}

func (s *Server) getQR(w http.ResponseWriter, _ *http.Request) {
	writeControl(w, http.StatusOK, controlQR{s.QRBehaviours()})
}

func (s *Server) postQR(w http.ResponseWriter, r *http.Request) {
	var request controlQR
	if !readControl(w, r, nil, &request) {
		return
	}
	if err := s.QueueQRBehaviours(request.Behaviours...); err != nil {
		writeControl(w, http.StatusUnprocessableEntity, controlError{err.Error()})
		return
	}
	s.getQR(w, r)
}

func (s *Server) deleteQR(w http.ResponseWriter, r *http.Request) {
	s.ClearQRBehaviours()
	s.getQR(w, r)
}

func (s *Server) getClock(w http.ResponseWriter, _ *http.Request) {
	now, ahead := s.Clock()
	writeControl(w, http.StatusOK, controlClock{now.UTC(), ahead.Milliseconds()})
}

const maxAheadMS = 10 * 366 * 24 * 60 * 60 * 1000

func (s *Server) postClock(w http.ResponseWriter, r *http.Request) {
	var request controlClockRequest
	if !readControl(w, r, nil, &request) {
		return
	}
	if request.AheadMS > maxAheadMS || request.AheadMS < -maxAheadMS {
		writeControl(w, http.StatusUnprocessableEntity, controlError{"ahead_ms: want at most ten years"})
		return
	}
	s.SetClock(time.Duration(request.AheadMS) * time.Millisecond)
	s.getClock(w, r)
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

func writeOrder(w http.ResponseWriter, order Order, err error) {
	switch {
	case errors.Is(err, errUnknown):
		writeControl(w, http.StatusNotFound, controlError{err.Error()})
	case errors.Is(err, errRefundAmount), errors.Is(err, errNoBehaviour):
		writeControl(w, http.StatusUnprocessableEntity, controlError{err.Error()})
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
