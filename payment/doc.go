// Package payment is the domain of payscand: what a sale is, what an attempt to
// collect it is, and what may happen to them. It is pure: it imports nothing of
// the project, reads no clock and does no I/O.
//
// Step decides; everything else in the program carries its decisions out. The
// rules M1 to M15 that comments and tests name are listed in docs/money-rules.md.
package payment
