// Package alipayplus speaks the acquirer's side of Alipay+ for in-store payments:
// user-presented (the customer's code was scanned, PaymentCode) and order code
// (the customer scans a QR of ours, OrderCode).
//
// A Gateway composes, signs, sends and verifies. It says what an answer means by
// one table (codes.go) and decides nothing: payment.Step does. Every doubt ends
// in "no answer", after which the truth is asked for again.
//
// Three things set it apart from other gateways. Pay and refund are idempotent, so
// the same request is sent again until it is answered. An order is asked about by
// our own request id. A cancel gives a paid order's money back (M5).
//
// Sources: the vendor's pages "pay (Merchant-presented Mode Payment - Order Code)"
// and "Integration FAQ", its public pages of the other calls, and its public SDKs
// for the signature. What is only our reading of them is marked "inferred".
package alipayplus
