package payment

import (
	"encoding/json"
	"fmt"
	"reflect"
	"time"
)

// View is a sale as everybody outside may see it: what the API answers (which
// adds words to reasons) and what the journal records.
type View struct {
	ID          string        `json:"id"`
	Version     int64         `json:"version"`
	Status      SaleStatus    `json:"status"`
	Amount      int64         `json:"amount"` // minor units
	Currency    Currency      `json:"currency"`
	Reference   string        `json:"reference,omitempty"`
	Description string        `json:"description,omitempty"`
	Mode        Mode          `json:"mode"`
	CreatedAt   time.Time     `json:"created_at"`
	UpdatedAt   time.Time     `json:"updated_at"`
	Deadline    time.Time     `json:"deadline"`
	Late        bool          `json:"late"`
	Attempts    []AttemptView `json:"attempts"`
	LastFailure *Failure      `json:"last_failure,omitempty"`
	Receipt     *Receipt      `json:"receipt,omitempty"`
	Refunds     []RefundView  `json:"refunds"`
	// Reversals are refunds that nobody asked for (M12).
	Reversals []RefundView `json:"reversals"`
	// RefundedAmount is Sale.Refunded.
	RefundedAmount int64     `json:"refunded_amount"` // minor units
	Override       *Override `json:"override,omitempty"`
	// Elsewhere is Sale.Elsewhere.
	Elsewhere bool `json:"elsewhere,omitempty"`
}

// RefundView is the public part of a Refund.
type RefundView struct {
	N           int          `json:"n"`
	RequestID   string       `json:"request_id"`
	Attempt     int          `json:"attempt"`
	Amount      int64        `json:"amount"` // minor units
	Status      RefundStatus `json:"status"`
	Note        string       `json:"note,omitempty"`
	Reason      Reason       `json:"reason,omitempty"`
	GatewayCode string       `json:"gateway_code,omitempty"`
	RefundID    string       `json:"refund_id,omitempty"`
	RequestedAt time.Time    `json:"requested_at"`
	EndedAt     time.Time    `json:"ended_at,omitzero"`
}

// AttemptView is the public part of an Attempt.
type AttemptView struct {
	N           int           `json:"n"`
	RequestID   string        `json:"request_id"`
	Gateway     string        `json:"gateway"`
	Instrument  Instrument    `json:"instrument"`
	Wallet      Wallet        `json:"wallet,omitempty"`
	CodeMask    string        `json:"code_mask,omitempty"`
	PaymentID   string        `json:"payment_id,omitempty"`
	Status      AttemptStatus `json:"status"`
	Reason      Reason        `json:"reason,omitempty"`
	GatewayCode string        `json:"gateway_code,omitempty"`
	SubmittedAt time.Time     `json:"submitted_at"`
	EndedAt     time.Time     `json:"ended_at,omitzero"`
	ExpiresAt   time.Time     `json:"expires_at,omitzero"`
	// QRPayload is set only while the QR may be on a screen (M8).
	QRPayload string `json:"qr_payload,omitempty"`
	// LateCapture is money found to be taken though the attempt was over.
	LateCapture *Capture `json:"late_capture,omitempty"`
	// Returned is money of the payment that somebody else gave back.
	Returned *Returned `json:"returned,omitempty"`
	// Absence is the evidence by which the attempt was closed as never placed.
	Absence *Absence `json:"absence,omitempty"`
}

// View returns the public part of the sale.
func (s Sale) View() View {
	v := View{
		ID: s.ID, Version: s.Version, Status: s.Status,
		Amount: s.Amount.Amount, Currency: s.Amount.Currency,
		Reference: s.Reference, Description: s.Description, Mode: s.Mode,
		CreatedAt: s.CreatedAt, UpdatedAt: s.UpdatedAt, Deadline: s.Deadline,
		Late: s.Late, LastFailure: s.LastFailure, Receipt: s.Receipt,
		Attempts: make([]AttemptView, len(s.Attempts)),
		Refunds:  []RefundView{}, Reversals: []RefundView{}, RefundedAmount: s.Refunded(), Override: s.Override,
		Elsewhere: s.Elsewhere(),
	}
	for i, a := range s.Attempts {
		v.Attempts[i] = AttemptView{
			N: a.N, RequestID: a.RequestID, Gateway: a.Gateway, Instrument: a.Instrument,
			Wallet: a.Wallet, CodeMask: a.CodeMask, PaymentID: a.PaymentID, Status: a.Status,
			Reason: a.Reason, GatewayCode: a.GatewayCode,
			SubmittedAt: a.SubmittedAt, EndedAt: a.EndedAt, ExpiresAt: a.ExpiresAt, LateCapture: a.Capture, Returned: a.Returned,
		}
		if a.Reason == ReasonAbsent {
			v.Attempts[i].Absence = a.Absence
		}
	}
	for _, r := range s.Refunds {
		list := &v.Refunds
		if r.Automatic {
			list = &v.Reversals
		}
		*list = append(*list, RefundView{
			N: r.N, RequestID: r.RequestID, Attempt: r.Attempt, Amount: r.Amount.Amount, Status: r.Status, Note: r.Note,
			Reason: r.Reason, GatewayCode: r.GatewayCode, RefundID: r.RefundID, RequestedAt: r.RequestedAt, EndedAt: r.EndedAt,
		})
	}
	if qr := s.VisibleQR(); qr != nil {
		v.Attempts[len(v.Attempts)-1].QRPayload = qr.Payload
	}
	return v
}

// sameView reports whether two views differ in nothing but version and time of update.
func sameView(a, b View) bool {
	a.Version, a.UpdatedAt = b.Version, b.UpdatedAt
	return reflect.DeepEqual(a, b)
}

// ChangedFields returns the JSON object of the public fields that differ between
// two states of a sale; a field that was taken away is null. Fold applies it.
func ChangedFields(before, after Sale) (json.RawMessage, error) {
	was, err := viewFields(before)
	if err != nil {
		return nil, err
	}
	is, err := viewFields(after)
	if err != nil {
		return nil, err
	}
	diff := make(map[string]json.RawMessage)
	for name, value := range is {
		if string(was[name]) != string(value) {
			diff[name] = value
		}
	}
	for name := range was {
		if _, kept := is[name]; !kept {
			diff[name] = json.RawMessage("null")
		}
	}
	return json.Marshal(diff)
}

func viewFields(s Sale) (map[string]json.RawMessage, error) {
	fields := make(map[string]json.RawMessage)
	if s.ID == "" {
		return fields, nil
	}
	b, err := json.Marshal(s.View())
	if err != nil {
		return nil, fmt.Errorf("sale %s: %w", s.ID, err)
	}
	return fields, json.Unmarshal(b, &fields)
}

// Fold applies one journal record's changed fields to a view: folding all
// records of a sale, in order, gives the sale as the API shows it.
func Fold(v View, changed json.RawMessage) (View, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(changed, &fields); err != nil {
		return v, fmt.Errorf("fold: %w", err)
	}
	whole := make(map[string]json.RawMessage)
	if v.ID != "" {
		b, err := json.Marshal(v)
		if err != nil {
			return v, fmt.Errorf("fold: %w", err)
		}
		if err := json.Unmarshal(b, &whole); err != nil {
			return v, fmt.Errorf("fold: %w", err)
		}
	}
	for name, value := range fields {
		if string(value) == "null" {
			delete(whole, name)
		} else {
			whole[name] = value
		}
	}
	b, err := json.Marshal(whole)
	if err != nil {
		return v, fmt.Errorf("fold: %w", err)
	}
	var folded View
	if err := json.Unmarshal(b, &folded); err != nil {
		return v, fmt.Errorf("fold: %w", err)
	}
	return folded, nil
}
