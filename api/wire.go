package api

import (
	"payscand/api/client"
	"payscand/payment"
	"payscand/terminal"
)

// WireSale returns a sale as the API shows it: its public view, with words added
// to reasons. A view folded from the journal gives the same sale.
func WireSale(v payment.View, words Words) client.Sale {
	sale := client.Sale{
		ID: v.ID, Version: v.Version, Status: client.SaleStatus(v.Status),
		Amount: v.Amount, Currency: string(v.Currency),
		Reference: v.Reference, Description: v.Description, Mode: client.Mode(v.Mode),
		CreatedAt: v.CreatedAt, UpdatedAt: v.UpdatedAt, Deadline: v.Deadline, Late: v.Late,
		Attempts:       make([]client.Attempt, len(v.Attempts)),
		Refunds:        wireRefunds(v.Refunds, words),
		Reversals:      wireRefunds(v.Reversals, words),
		RefundedAmount: v.RefundedAmount, Elsewhere: v.Elsewhere,
	}
	for i, a := range v.Attempts {
		sale.Attempts[i] = wireAttempt(a, words)
	}
	if f := v.LastFailure; f != nil {
		sale.LastFailure = &client.Failure{Attempt: f.Attempt, GatewayCode: f.GatewayCode}
		if reason := wireReason(f.Reason, false, words); reason != nil {
			sale.LastFailure.Reason = *reason
		}
	}
	if r := v.Receipt; r != nil {
		// Paid is said only where the currency is the sale's (P4).
		sale.Receipt = &client.Receipt{
			Wallet: string(r.Wallet), PaymentID: r.PaymentID, PaidAmount: r.PaidAmount.Amount, PaidAt: r.PaidAt,
		}
	}
	if o := v.Override; o != nil {
		sale.Override = &client.Override{Outcome: client.Outcome(o.Outcome), Operator: o.Operator, Reason: o.Note, At: o.At}
	}
	return sale
}

func wireRefunds(refunds []payment.RefundView, words Words) []client.Refund {
	all := make([]client.Refund, len(refunds))
	for i, r := range refunds {
		all[i] = client.Refund{
			N: r.N, RequestID: r.RequestID, Attempt: r.Attempt, Amount: r.Amount, Status: client.RefundStatus(r.Status),
			Reason: wireReason(r.Reason, true, words), GatewayCode: r.GatewayCode, Note: r.Note, RefundID: r.RefundID,
			RequestedAt: r.RequestedAt, EndedAt: r.EndedAt,
		}
	}
	return all
}

func wireAttempt(a payment.AttemptView, words Words) client.Attempt {
	attempt := client.Attempt{
		N: a.N, RequestID: a.RequestID, Gateway: a.Gateway, Instrument: string(a.Instrument),
		Wallet: string(a.Wallet), CodeMask: a.CodeMask, PaymentID: a.PaymentID, Status: string(a.Status),
		Reason: wireReason(a.Reason, false, words), GatewayCode: a.GatewayCode,
		SubmittedAt: a.SubmittedAt, EndedAt: a.EndedAt, ExpiresAt: a.ExpiresAt,
	}
	if a.QRPayload != "" {
		attempt.QR = &client.QR{Payload: a.QRPayload}
	}
	if c := a.LateCapture; c != nil {
		attempt.LateCapture = &client.LateCapture{
			FoundAt: c.FoundAt, Amount: c.Amount.Amount, Currency: string(c.Amount.Currency), PaymentID: c.PaymentID,
			Sightings: c.Sightings, Kept: string(c.Kept),
		}
	}
	if r := a.Returned; r != nil {
		attempt.Returned = &client.Returned{
			Extent: string(r.Extent), Amount: r.Amount.Amount, Currency: string(r.Amount.Currency), FoundAt: r.FoundAt,
		}
	}
	if e := a.Absence; e != nil {
		attempt.Absence = &client.Absence{Passes: e.Passes, Since: e.Since, At: e.At, Rows: e.Rows, Newest: e.Newest}
	}
	return attempt
}

func wireReason(reason payment.Reason, refund bool, words Words) *client.Reason {
	if reason == "" {
		return nil
	}
	message, customerMessage := words(reason, refund)
	return &client.Reason{Code: string(reason), Message: message, CustomerMessage: customerMessage}
}

func (s *Server) reason(reason payment.Reason) *client.Reason {
	return wireReason(reason, false, s.words)
}

func (s *Server) sale(sale payment.Sale) client.Sale { return WireSale(sale.View(), s.words) }

func (s *Server) wireTerminal(status terminal.Status) client.Terminal {
	state := client.Terminal{
		Code: status.Code, Version: status.Version, StartedAt: status.StartedAt,
		Adopted: status.Adopted, Unresolved: status.Unresolved, RefusedScans: status.RefusedScans, DiskFree: status.DiskFree,
		Scanners: make([]client.Scanner, len(status.Scanners)),
		Gateways: make([]client.Gateway, len(status.Gateways)),
	}
	if status.Live != nil {
		live := s.sale(*status.Live)
		state.Live = &live
	}
	for i, d := range status.Scanners {
		state.Scanners[i] = client.Scanner{
			Device: d.Device, Name: d.Name, State: string(d.State), Detail: d.Detail, Since: d.At,
			Counters: client.ScannerCounters{
				Bytes: d.Counters.Bytes, Scans: d.Counters.Scans, Doubled: d.Counters.Doubled, Empty: d.Counters.Empty,
				Oversize: d.Counters.Oversize, Noise: d.Counters.Noise, Incomplete: d.Counters.Incomplete,
				Reconnects: d.Counters.Reconnects,
			},
		}
	}
	for i, g := range status.Gateways {
		state.Gateways[i] = client.Gateway{
			Name: g.Name, State: string(g.State), Since: g.Since, LastAnswer: g.LastAnswer,
			LastReason: s.reason(g.LastReason), ClockOffsetMS: g.ClockOffset.Milliseconds(),
		}
	}
	if r := status.LastRefusedScan; r != nil {
		state.LastRefusedScan = &client.RefusedScan{At: r.At, Device: r.Device, Kind: r.Kind, Mask: r.Mask, Sale: r.Sale, Reason: s.reason(r.Reason)}
	}
	return state
}
