// Package alphapay speaks AlphaPay's Unified Payment API v2 for in-store
// payments: OFFLINE (the customer's code was scanned) and OFFLINE_QRCODE (the
// customer scans a QR code of ours).
//
// A Gateway composes, signs, sends and verifies. It says what an answer means by
// one table (codes.go) and decides nothing: payment.Step does. Every doubt ends
// in "no answer", after which the truth is asked for again.
//
// Sources: the vendor's pages "Unified Payment API" and "Keys and Parameters",
// and its public SDK. What is only our reading of them is marked "inferred".
package alphapay
