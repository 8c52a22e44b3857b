// Package exchange is one signed HTTP exchange with a payment gateway: what the
// vendors' protocols have in common, which is all but the fields of their bodies.
//
// A Client signs a message with the gateway's time, sends it once, and returns
// the body of an answer only after its signature was verified over the bytes as
// received. It knows what was certainly not sent from what may have been (M6),
// rides no connection that was idle for too long, bounds what it reads, and
// follows the gateway's clock. The rest of the package reads answers strictly,
// and keeps payment codes out of whatever is shown.
package exchange
