package sandbox

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// This file is the list of the control API's operations, and its description in
// OpenAPI 3.1. Huma knows the form of a description and makes schemas of types;
// routing and reading are this package's own.

const descriptionPath = "/control/openapi.json"

const aboutControl = `What a test or a person may do to the practice gateway of payscand that a shop may not.

Amounts are integers in minor units of their currency, times are UTC. It answers under a loopback name or the gateway's own host only, and without any token: it is for one machine, and no real money moves.`

// operation is a route, as it is served and as it is described.
type operation struct {
	method, path, id     string
	summary, description string
	body                 any  // zero value of the body's type, nil for none
	optional             bool // the body may be left out
	answer               any  // zero value of the answer's type
	errors               []int
	handle               http.HandlerFunc
}

func (s *Server) operations() []operation {
	const get, post, remove = http.MethodGet, http.MethodPost, http.MethodDelete
	unknown, conflict, invalid, broken, long := http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity,
		http.StatusBadRequest, http.StatusRequestEntityTooLarge
	return []operation{
		{get, "/control/orders", "list-orders", "Orders", "Every order the gateway knows of, the newest first.",
			nil, false, controlOrders{}, nil, s.getOrders},
		{get, "/control/orders/{id}", "get-order", "Order", "By the shop's request id.",
			nil, false, Order{}, []int{unknown}, onOrder(s.Order)},
		{post, "/control/orders/{id}/pay", "pay-order", "Pay", "The customer's wallet says pay. 409 if the order does not wait for it.",
			nil, false, Order{}, []int{unknown, conflict}, onOrder(s.Pay)},
		{post, "/control/orders/{id}/decline", "decline-order", "Decline", "The customer's wallet says decline. 409 if the order does not wait for it.",
			nil, false, Order{}, []int{unknown, conflict}, onOrder(s.Decline)},
		{post, "/control/orders/{id}/behaviour", "behave", "Change behaviour", "Give an order that waits another row of the table of behaviours. 409 if it does not wait.",
			controlBehaviourRequest{}, false, Order{}, []int{unknown, conflict, invalid, broken, long}, s.postBehaviour},
		{post, "/control/orders/{id}/refund", "refund-order", "Refund in the portal",
			"The vendor's portal gives money back at once, behind the shop's back. 409 if the order is not paid, refunded in full or in the process of a refund; 422 if the amount is not between one minor unit and what is left.",
			controlRefundRequest{}, true, Order{}, []int{unknown, conflict, invalid, broken, long}, s.postRefund},
		{post, "/control/orders/{id}/notify", "notify-again", "Notify again",
			"Send the order's last notification now, whether or not it was acknowledged before, and whole or damaged. How it was taken stands in the answer. 409 if there is nothing to tell.",
			controlNotifyRequest{}, true, Order{}, []int{unknown, conflict, invalid, broken, long}, s.postNotify},
		{get, "/control/faults", "get-faults", "Faults", "What is set and not yet used up.",
			nil, false, controlFaults{}, nil, s.getFaults},
		{post, "/control/faults", "add-faults", "Add faults", "Spoil the next calls of the vendors' protocols. A call uses up the first fault that fits its path.",
			controlFaultsRequest{}, false, controlFaults{}, []int{invalid, broken, long}, s.postFaults},
		{remove, "/control/faults", "clear-faults", "End all faults", "Also the state of being down.",
			nil, false, controlFaults{}, nil, s.deleteFaults},
		{get, "/control/behaviours", "list-behaviours", "Table of behaviours", "What the last two digits of a payment code choose.",
			nil, false, controlBehaviours{}, nil, s.getBehaviours},
		{get, "/control/qr", "get-qr", "Behaviours of QR orders", "What is queued for the next QR orders.",
			nil, false, controlQR{}, nil, s.getQR},
		{post, "/control/qr", "queue-qr", "Queue behaviours of QR orders",
			"The next QR orders behave like rows of the table. Where a row ends a scanned payment at once, a QR order waits for its page: it is paid there, or refused as the row says.",
			controlQR{}, false, controlQR{}, []int{invalid, broken, long}, s.postQR},
		{remove, "/control/qr", "clear-qr", "Empty that queue", "QR orders wait for their page again.",
			nil, false, controlQR{}, nil, s.deleteQR},
		{get, "/control/clock", "get-clock", "Clock", "The gateway's time.",
			nil, false, controlClock{}, nil, s.getClock},
		{post, "/control/clock", "set-clock", "Set the clock", "Let the gateway's clock run ahead of the machine's, or behind it: orders expire and refunds settle by it, and requests' times are held against it.",
			controlClockRequest{}, false, controlClock{}, []int{invalid, broken, long}, s.postClock},
	}
}

// describe makes the description of the operations.
func describe(operations []operation) *huma.OpenAPI {
	registry := huma.NewMapRegistry("#/components/schemas/", schemaName)
	doc := &huma.OpenAPI{
		OpenAPI:    "3.1.0",
		Info:       &huma.Info{Title: "payscand practice gateway", Version: "1", Description: aboutControl},
		Components: &huma.Components{Schemas: registry},
	}
	content := func(value any) map[string]*huma.MediaType {
		return map[string]*huma.MediaType{"application/json": {Schema: registry.Schema(reflect.TypeOf(value), true, "")}}
	}
	for _, op := range operations {
		described := &huma.Operation{
			Method: op.method, Path: op.path, OperationID: op.id, Summary: op.summary, Description: op.description,
			Responses: map[string]*huma.Response{"200": {Description: http.StatusText(http.StatusOK), Content: content(op.answer)}},
		}
		if strings.Contains(op.path, "{id}") {
			described.Parameters = []*huma.Param{{Name: "id", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}, Description: "The shop's request id. Where both vendors have an order of it, AlphaPay's is meant."}}
		}
		if op.body != nil {
			described.RequestBody = &huma.RequestBody{Required: !op.optional, Content: content(op.body)}
		}
		for _, status := range append([]int{http.StatusForbidden, http.StatusMisdirectedRequest}, op.errors...) {
			described.Responses[strconv.Itoa(status)] = &huma.Response{Description: http.StatusText(status), Content: content(controlError{})}
		}
		doc.AddOperation(described)
	}
	return doc
}

// schemaName is a type's name without this package's prefix for the control API.
func schemaName(t reflect.Type, hint string) string {
	return strings.TrimPrefix(huma.DefaultSchemaNamer(t, hint), "Control")
}

// OpenAPI returns the control API's description as indented JSON with a final
// newline.
func OpenAPI() ([]byte, error) {
	text, err := json.MarshalIndent(describe((&Server{}).operations()), "", "  ")
	return append(text, '\n'), err
}
